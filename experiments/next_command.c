#include "experiments/next_command.h"

#include <math.h>
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

/* An inference server may be out of KV blocks with few of its slots in use. */
static double busy_ratio(const Overview *overview, uint32_t service) {
    uint32_t component = model_service_component(overview->model, service);
    const Running *slots = overview_metric(overview, component, METRIC_utilization);
    const Running *blocks = overview_metric(overview, component, METRIC_kv_use);
    CHECK(slots != NULL && blocks != NULL);
    return blocks->count > 0 ? fmax(slots->mean, blocks->mean) : slots->mean;
}

/* The busiest service: what more of would help most. */
static uint32_t find_busiest(const Overview *overview) {
    uint32_t busiest = 0;
    for (uint32_t i = 1; i < overview->model->service_count; i++) {
        busiest = busy_ratio(overview, i) > busy_ratio(overview, busiest) ? i : busiest;
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
