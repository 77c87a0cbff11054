#include "models/probe.h"

#include <string.h>

#include "models/servers/server.h"
#include "sim/check.h"

static const MetricInfo metric_infos[METRIC_COUNT] = {
#define CLIENT METRIC_OF_CLIENT
#define SERVICE METRIC_OF_SERVICE
#define BOTH (METRIC_OF_CLIENT | METRIC_OF_SERVICE)
#define TOKENS METRIC_OF_TOKENS
#define METRIC(id, column, unit, who, doc) {column, unit, who, doc},
#include "models/metrics.def"
#undef METRIC
#undef CLIENT
#undef SERVICE
#undef BOTH
#undef TOKENS
};

const MetricInfo *metric_info(uint32_t metric) {
    CHECK(metric < METRIC_COUNT);
    return &metric_infos[metric];
}

uint32_t metric_find(const char *column) {
    CHECK(column != NULL);
    uint32_t metric = 0;
    while (metric < METRIC_COUNT && strcmp(metric_infos[metric].column, column) != 0) {
        metric++;
    }
    return metric;
}

static bool model_has_tokens(const Model *model) {
    CHECK(model->service_count > 0);
    bool has_tokens = false;
    for (uint32_t i = 0; i < model->service_count; i++) {
        has_tokens = has_tokens || service_has_tokens(&model->services[i]);
    }
    return has_tokens;
}

/* Histograms are most of a World, so those of tokens are there only where a service has tokens. */
void probe_init(Probe *probe, const Model *model, bool is_off) {
    CHECK(model->run.sample_every > 0);
    *probe = (Probe){.component_count = model_component_count(model),
                     .client_count = model->client_count,
                     .model = model,
                     .is_off = is_off,
                     .warmup = model->run.warmup,
                     .sample_every = model->run.sample_every,
                     .next_sample_at = is_off ? SIM_TIME_NEVER : model->run.sample_every};
    if (!is_off) {
        probe->components = mem_zalloc(probe->component_count, sizeof *probe->components);
        uint32_t count = model_has_tokens(model) ? RECORDED_COUNT : RECORDED_WITHOUT_TOKENS;
        probe->recorded_count = count;
        probe->hists = mem_zalloc((size_t)2 * count * probe->component_count, sizeof(Hist));
        for (uint32_t i = 0; i < probe->component_count; i++) {
            probe->components[i].total = probe->hists + (size_t)2 * count * i;
            probe->components[i].interval = probe->components[i].total + count;
        }
    }
}

void probe_free(Probe *probe) {
    CHECK(probe->components != NULL || probe->is_off);
    mem_free(probe->components);
    mem_free(probe->hists);
    vec_free(&probe->series);
}

/* What both scopes look at: differences of counters and integrals over a span of time. */
typedef struct Scope {
    uint64_t counts[COUNT_KIND_COUNT];
    double means[LEVEL_KIND_COUNT]; /* of levels, over time */
    double idle_ratio;
    double span_s;
    const Hist *recorded;
} Scope;

static double ratio(double part, double whole) {
    return whole > 0 ? part / whole : __builtin_nan("");
}

/* Mean and quantiles stand one after the other in models/metrics.def, the mean first. */
static void measure_times(const Hist *hist, Metric mean, double *values) {
    static const double quantiles[] = {0.5, 0.95, 0.99};
    CHECK(values != NULL);
    if (hist->count == 0) {
        return;
    }
    values[mean] = hist_mean(hist) / 1e9;
    for (uint32_t i = 0; i < 3; i++) {
        values[mean + 1 + i] = time_to_s(hist_quantile(hist, quantiles[i]));
    }
}
_Static_assert(METRIC_latency_p99 == METRIC_latency_mean + 3, "mean, p50, p95, p99");
_Static_assert(METRIC_ttft_p99 == METRIC_ttft_mean + 3, "mean, p50, p95, p99");
_Static_assert(METRIC_tpot_p99 == METRIC_tpot_mean + 3, "mean, p50, p95, p99");
_Static_assert(METRIC_itl_p99 == METRIC_itl_mean + 3, "mean, p50, p95, p99");

static void measure_counts(const Scope *scope, double *values) {
    CHECK(scope->span_s >= 0);
    const uint64_t *counts = scope->counts;
    values[METRIC_offered] = (double)counts[COUNT_OFFERED];
    values[METRIC_answered] = (double)counts[COUNT_ANSWERED];
    values[METRIC_goodput] = ratio((double)counts[COUNT_ANSWERED], scope->span_s);
    values[METRIC_late] = (double)counts[COUNT_LATE];
    values[METRIC_timeouts] = (double)counts[COUNT_TIMEOUT];
    values[METRIC_refused] = (double)counts[COUNT_REFUSED];
    values[METRIC_errors] = (double)counts[COUNT_ERROR];
    values[METRIC_attempts] = (double)counts[COUNT_ATTEMPTS];
    values[METRIC_fallbacks] = (double)counts[COUNT_FALLBACKS];
    values[METRIC_success] = ratio((double)counts[COUNT_ANSWERED],
                                   (double)(counts[COUNT_ANSWERED] + counts[COUNT_TIMEOUT] +
                                            counts[COUNT_REFUSED] + counts[COUNT_ERROR]));
    values[METRIC_retry_waiting] = scope->means[LEVEL_BACKOFF];
    values[METRIC_held_back] = (double)counts[COUNT_HELD_BACK];
    values[METRIC_hedges] = (double)counts[COUNT_HEDGES];
    values[METRIC_open_breakers] = scope->means[LEVEL_OPEN_BREAKERS];
    values[METRIC_in_system_mean] = scope->means[LEVEL_IN_SYSTEM];
}

static void measure_service(const Scope *scope, const Service *service, double *values) {
    CHECK(service->replica_count > 0);
    const uint64_t *counts = scope->counts;
    const Hist *wait = &scope->recorded[RECORDED_WAIT];
    if (wait->count > 0) {
        values[METRIC_queue_wait_mean] = hist_mean(wait) / 1e9;
        values[METRIC_queue_wait_p95] = time_to_s(hist_quantile(wait, 0.95));
        values[METRIC_queue_wait_p99] = time_to_s(hist_quantile(wait, 0.99));
        values[METRIC_waited_ratio] = (double)counts[COUNT_WAITED] / (double)wait->count;
    }
    values[METRIC_abandoned] = (double)counts[COUNT_ABANDONED];
    values[METRIC_queue] = scope->means[LEVEL_WAITING];
    values[METRIC_busy] = scope->means[LEVEL_BUSY];
    values[METRIC_utilization] = ratio(scope->means[LEVEL_BUSY], scope->means[LEVEL_SLOTS]);
    values[METRIC_idle_ratio] = scope->idle_ratio;
    values[METRIC_wasted_ratio] = ratio((double)counts[COUNT_WASTED], (double)counts[COUNT_WORK]);
    if (counts[COUNT_BATCHES] > 0) {
        values[METRIC_batches] = (double)counts[COUNT_BATCHES];
        values[METRIC_batch_size] = (double)counts[COUNT_BATCHED] / values[METRIC_batches];
        values[METRIC_full_batch_ratio] =
            (double)counts[COUNT_FULL_BATCHES] / values[METRIC_batches];
    }
    values[METRIC_availability] = 1 - scope->means[LEVEL_DOWN] / service->replica_count;
    values[METRIC_outages] = (double)counts[COUNT_OUTAGES];
    values[METRIC_orphaned] = scope->means[LEVEL_ORPHANED];
}

/* Of a service that counts its work in tokens. */
static void measure_tokens(const Scope *scope, double *values) {
    CHECK(scope->span_s >= 0);
    const uint64_t *counts = scope->counts;
    measure_times(&scope->recorded[RECORDED_ITL], METRIC_itl_mean, values);
    values[METRIC_input_tokens] = ratio((double)counts[COUNT_INPUT_TOKENS], scope->span_s);
    values[METRIC_output_tokens] = ratio((double)counts[COUNT_OUTPUT_TOKENS], scope->span_s);
    values[METRIC_kv_use] = ratio(scope->means[LEVEL_KV_USED], scope->means[LEVEL_KV_BLOCKS]);
    values[METRIC_preemptions] = (double)counts[COUNT_PREEMPTIONS];
    values[METRIC_recomputed_tokens] = (double)counts[COUNT_RECOMPUTED];
    values[METRIC_wasted_tokens] = (double)counts[COUNT_WASTED];
    values[METRIC_prefix_hits] =
        ratio((double)counts[COUNT_PREFIX_HIT], (double)counts[COUNT_PREFIX_QUERIED]);
    values[METRIC_unservable] = (double)counts[COUNT_UNSERVABLE];
}

static void measure_scope(const Probe *probe, uint32_t component, const Scope *scope,
                          double *values) {
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        values[i] = __builtin_nan("");
    }
    const Hist *latency = &scope->recorded[RECORDED_LATENCY];
    measure_times(latency, METRIC_latency_mean, values);
    if (latency->count > 0) {
        values[METRIC_latency_max] = time_to_s(hist_max(latency));
    }
    if (probe->recorded_count == RECORDED_COUNT) {
        measure_times(&scope->recorded[RECORDED_TTFT], METRIC_ttft_mean, values);
        measure_times(&scope->recorded[RECORDED_TPOT], METRIC_tpot_mean, values);
    }
    measure_counts(scope, values);
    const Hist *failed = &scope->recorded[RECORDED_FAILED];
    if (component >= probe->client_count) {
        CHECK(component < probe->component_count);
        const Service *service = &probe->model->services[component - probe->client_count];
        measure_service(scope, service, values);
        if (service_has_tokens(service)) {
            measure_tokens(scope, values);
        }
        return;
    }
    values[METRIC_amplification] = ratio(values[METRIC_attempts], values[METRIC_offered]);
    if (failed->count > 0) {
        values[METRIC_failed_latency] = hist_mean(failed) / 1e9;
    }
}

static void close_interval(Probe *probe, uint32_t component, SimTime from, SimTime to) {
    ComponentProbe *at = &probe->components[component];
    CHECK(to > from);
    Scope scope = {.span_s = time_to_s(to - from), .recorded = at->interval};
    double span_ns = (double)(to - from);
    for (uint32_t i = 0; i < COUNT_KIND_COUNT; i++) {
        uint64_t count = at->counts[0][i] + at->counts[1][i];
        scope.counts[i] = count - at->counts_before[i];
        at->counts_before[i] = count;
    }
    for (uint32_t i = 0; i < LEVEL_KIND_COUNT; i++) {
        __int128 integral = level_integral(&at->levels[i], to);
        scope.means[i] = (double)(integral - at->integrals_before[i]) / span_ns;
        at->integrals_before[i] = integral;
    }
    SimTime idle = level_time_at_zero(&at->levels[LEVEL_IN_SYSTEM], to);
    scope.idle_ratio = (double)(idle - at->idle_before) / span_ns;
    at->idle_before = idle;
    vec_resize(&probe->series, probe->series.count + SERIES_WIDTH);
    double *row = probe->series.items + probe->series.count - SERIES_WIDTH;
    measure_scope(probe, component, &scope, row);
    row[SERIES_IN_SYSTEM] = (double)at->in_system_before;
    at->in_system_before = at->levels[LEVEL_IN_SYSTEM].value;
    for (uint32_t i = 0; i < probe->recorded_count; i++) {
        hist_clear(&at->interval[i]);
    }
}

void probe_sample(Probe *probe, SimTime now) {
    CHECK(now >= probe->sampled_at);
    while (probe->next_sample_at <= now) {
        for (uint32_t i = 0; i < probe->component_count; i++) {
            close_interval(probe, i, probe->sampled_at, probe->next_sample_at);
        }
        probe->sample_count++;
        probe->sampled_at = probe->next_sample_at;
        probe->next_sample_at += probe->sample_every;
    }
}

void probe_end_warmup(Probe *probe, SimTime now) {
    CHECK(now == probe->warmup);
    for (uint32_t i = 0; !probe->is_off && i < probe->component_count; i++) {
        ComponentProbe *at = &probe->components[i];
        for (uint32_t k = 0; k < LEVEL_KIND_COUNT; k++) {
            /* The interval under way keeps its own past. */
            at->integrals_before[k] -= level_integral(&at->levels[k], now);
            if (k == LEVEL_IN_SYSTEM) {
                at->idle_before -= level_time_at_zero(&at->levels[k], now);
            }
            level_restart(&at->levels[k], now);
        }
    }
}

void probe_measure(const Probe *probe, uint32_t component, SimTime now, double *values) {
    CHECK(!probe->is_off && component < probe->component_count);
    const ComponentProbe *at = &probe->components[component];
    SimTime from = at->levels[LEVEL_IN_SYSTEM].start;
    Scope scope = {.span_s = time_to_s(now - from), .recorded = at->total};
    for (uint32_t i = 0; i < COUNT_KIND_COUNT; i++) {
        scope.counts[i] = at->counts[1][i];
    }
    for (uint32_t i = 0; i < LEVEL_KIND_COUNT; i++) {
        scope.means[i] = level_mean(&at->levels[i], now);
    }
    scope.idle_ratio =
        ratio((double)level_time_at_zero(&at->levels[LEVEL_IN_SYSTEM], now), (double)(now - from));
    measure_scope(probe, component, &scope, values);
    values[METRIC_unfinished] =
        (double)(at->counts[1][COUNT_OFFERED] - at->counts[1][COUNT_ANSWERED] -
                 at->counts[1][COUNT_TIMEOUT] - at->counts[1][COUNT_REFUSED] -
                 at->counts[1][COUNT_ERROR]);
    if (component >= probe->client_count) {
        values[METRIC_unfinished] = (double)at->levels[LEVEL_IN_SYSTEM].value;
    }
}
