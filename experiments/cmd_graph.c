/* knockon graph FILE: the dependencies as a picture in Graphviz's DOT language. */
#include <stdio.h>

#include "experiments/commands.h"
#include "experiments/compile.h"
#include "experiments/exit_status.h"
#include "experiments/quantity.h"
#include "models/clients/clients.h"

/* Names need no escaping: see compile_is_name. */
static void print_nodes(const Model *model) {
    for (uint32_t i = 0; i < model->client_count; i++) {
        const Client *client = &model->clients[i];
        printf("    \"%s\" [shape=ellipse, label=\"%s\\n%s\"];\n", client->name, client->name,
               client->arrivals.kind->name);
    }
    for (uint32_t i = 0; i < model->service_count; i++) {
        const Service *service = &model->services[i];
        printf("    \"%s\" [label=\"%s\\n%u x %s", service->name, service->name,
               service->replica_count, service->server.kind->name);
        if (service->slots != COUNT_UNLIMITED) {
            printf(" of %u", service->slots);
        }
        fputs("\"];\n", stdout);
    }
}

/* "8s, 4 tries, 30%": what a caller does about failure. */
static void print_policy(const Edge *edge) {
    const char *comma = "";
    if (edge->is_fallback) {
        printf("fallback");
        comma = ", ";
    }
    if (edge->timeout.items[0] != SIM_TIME_NEVER) {
        char text[QUANTITY_TEXT_SIZE];
        quantity_print(text, time_to_s(edge->timeout.items[0]), DIMENSION_DURATION);
        printf("%s%s", comma, text);
        comma = ", ";
    }
    const RetryOps *ops = edge->retry.kind->ops;
    uint32_t attempts = ops->max_attempts == NULL ? 1 : ops->max_attempts(edge->retry.params);
    if (attempts == COUNT_UNLIMITED) {
        printf("%sendless tries", comma);
        comma = ", ";
    } else if (attempts > 1) {
        printf("%s%u tries", comma, attempts);
        comma = ", ";
    }
    if (edge->probability < 1) {
        char text[QUANTITY_TEXT_SIZE];
        quantity_print(text, edge->probability, DIMENSION_RATIO);
        printf("%s%s", comma, text);
    }
}

static void print_graph(const Model *model) {
    printf("digraph \"%s\" {\n    rankdir=LR;\n    node [shape=box, fontname=\"sans-serif\"];\n"
           "    edge [fontname=\"sans-serif\", fontsize=10];\n",
           model->name);
    print_nodes(model);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        const Edge *edge = &model->edges[i];
        printf("    \"%s\" -> \"%s\" [label=\"", model_component_name(model, edge->caller),
               model->services[edge->to].name);
        print_policy(edge);
        printf("\"%s];\n",
               edge->on_failure == ON_FAILURE_IGNORE || edge->is_fallback ? ", style=dashed" : "");
    }
    fputs("}\n", stdout);
}

int cmd_graph(const Options *options) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    Model *model = compile_file(options->operands.items[0], options->sets.items,
                                options->sets.count, &doc, &diagnostics, NULL);
    int status = model == NULL ? EXIT_INPUT : EXIT_FINE;
    if (model == NULL) {
        diag_print(&diagnostics, stderr, options->in_colour);
    } else {
        print_graph(model);
    }
    model_destroy(model);
    doc_free(&doc);
    diag_free(&diagnostics);
    return status;
}
