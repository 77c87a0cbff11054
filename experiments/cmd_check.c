/* knockon check FILE: every mistake and every warning, and what the scenario resolves to. */
#include <stdio.h>

#include "experiments/commands.h"
#include "experiments/compile.h"
#include "experiments/exit_status.h"
#include "experiments/quantity.h"

static void print_count(uint32_t count, const char *what) {
    printf("%u %s%s", count, what, count == 1 ? "" : "s");
}

static void print_time(SimTime time) {
    char text[QUANTITY_TEXT_SIZE];
    quantity_print(text, time_to_s(time), DIMENSION_DURATION);
    fputs(text, stdout);
}

/* What a run would do, and how to start it. */
static void print_summary(const Model *model, const char *path) {
    printf("%s is fine: ", model->name);
    print_count(model->client_count, "client");
    fputs(", ", stdout);
    print_count(model->service_count, "service");
    fputs(" with ", stdout);
    print_count(model->replica_count, "replica");
    fputs(", ", stdout);
    print_count(model->edge_count, "call");
    fputs(", ", stdout);
    print_count(model->fault_count, "fault");
    fputs("; ", stdout);
    print_count(model->run.replications, "replication");
    fputs(" of ", stdout);
    print_time(model->run.duration);
    if (model->has_trigger) {
        fputs(", trigger from ", stdout);
        print_time(model->trigger_from);
        fputs(" to ", stdout);
        print_time(model->trigger_to);
    } else {
        fputs(", no trigger", stdout);
    }
    printf("\nrun it with: knockon run %s\n", path);
}

int cmd_check(const Options *options) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    Resolved resolved = {0};
    const char *path = options->operands.items[0];
    Model *model =
        compile_file(path, options->sets.items, options->sets.count, &doc, &diagnostics, &resolved);
    int status = model == NULL ? EXIT_INPUT : EXIT_FINE;
    diag_print(&diagnostics, stderr, options->in_colour);
    if (model != NULL && options->is_resolved) {
        resolved_print(&resolved, &diagnostics, stdout);
    } else if (model != NULL && !options->is_quiet) {
        print_summary(model, path);
    }
    model_destroy(model);
    resolved_free(&resolved);
    doc_free(&doc);
    diag_free(&diagnostics);
    return status;
}
