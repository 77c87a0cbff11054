#include "experiments/next_command.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

/* A client that tries more than once; NONE. */
static uint32_t find_retrying_client(const Model *model) {
    for (uint32_t i = 0; i < model->client_count; i++) {
        if (strcmp(model->edges[model->clients[i].edge].retry.kind->name, "none") != 0) {
            return i;
        }
    }
    return NONE;
}

/* The busiest service: what more of would help most. */
static uint32_t find_busiest(const Overview *overview) {
    const Model *model = overview->model;
    uint32_t busiest = 0;
    for (uint32_t i = 1; i < model->service_count; i++) {
        const Running *most =
            overview_metric(overview, model_service_component(model, busiest), METRIC_utilization);
        const Running *other =
            overview_metric(overview, model_service_component(model, i), METRIC_utilization);
        busiest = other->mean > most->mean ? i : busiest;
    }
    return busiest;
}

static void print_capacity(const Overview *overview, FILE *out) {
    const Service *service = &overview->model->services[find_busiest(overview)];
    fprintf(out, " --set services.%s.replicas=%u --out out/%s-more", service->name,
            service->replica_count * 2, overview->model->name);
}

static void print_change(const Overview *overview, FILE *out) {
    const Model *model = overview->model;
    uint32_t client = find_retrying_client(model);
    if (overview_verdict(overview) == VERDICT_METASTABLE && client != NONE) {
        fprintf(out, " --set clients.%s.call.retry=none --out out/%s-no-retry",
                model->clients[client].name, model->name);
    } else {
        print_capacity(overview, out);
    }
}

/* What is left to be asked, after the verdict of most replications. */
static void print_suggestion(const RunReport *report, FILE *out) {
    const Overview *overview = report->overview;
    switch (overview_verdict(overview)) {
    case VERDICT_OVERLOADED:
    case VERDICT_SPONTANEOUS:
    case VERDICT_METASTABLE:
    case VERDICT_DEGRADED:
        print_change(overview, out);
        return;
    case VERDICT_NONE:
    case VERDICT_UNFINISHED:
    case VERDICT_HEALTHY:
    case VERDICT_RECOVERED:
        if (overview->count < 20) {
            fputs(" --replications 20", out);
        } else {
            fputs(" --trace | less", out);
        }
        return;
    case VERDICT_COUNT:
        break;
    }
    CHECK(!"a verdict has a suggestion");
}

char *next_command(const RunReport *report) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        mem_out();
    }
    fputs(report->manifest->command, out);
    print_suggestion(report, out);
    if (fclose(out) != 0) {
        mem_out();
    }
    return text;
}
