#include "models/monitors/monitor.h"
#include "sim/check.h"

typedef struct ThresholdParams {
    MonitorMetric metric;
} ThresholdParams;

static uint32_t threshold_component(const void *params) {
    const ThresholdParams *p = params;
    CHECK(p->metric.name != NULL);
    return p->metric.component;
}

static size_t threshold_state_size(const void *params, SimTime interval) {
    CHECK(params != NULL && interval > 0);
    return sizeof(MonitorHeld);
}

/* A measure without a value, a latency when nothing was answered, is neither above nor below. */
static bool threshold_fires(const void *params, void *state, const Scrape *scrape) {
    const MonitorMetric *p = &((const ThresholdParams *)params)->metric;
    CHECK(p->metric < METRIC_COUNT);
    if (scrape->values == NULL) {
        return scrape->has_fired;
    }
    double value = scrape->values[p->metric];
    bool holds = p->above != NULL ? value > p->bound : value < p->bound;
    return monitor_held(state, holds, scrape->interval, p->lasts);
}

static bool threshold_check(const void *params, Error *error) {
    const MonitorMetric *p = &((const ThresholdParams *)params)->metric;
    return (p->above == NULL) != (p->below == NULL) ||
           error_set(error, "give one of 'above' and 'below'");
}

static const Param threshold_params[] = {
    {"component", PARAM_COMPONENT, offsetof(MonitorMetric, component), .doc = "Whose measure."},
    {"metric", PARAM_TEXT, offsetof(MonitorMetric, name),
     .doc = "The measure, over the interval: a column of timeseries.csv, or the short name that an "
            "objective has for it (p99, success, goodput)."},
    {"above", PARAM_TEXT, offsetof(MonitorMetric, above), .is_optional = true,
     .doc = "Above which value, in the measure's own unit."},
    {"below", PARAM_TEXT, offsetof(MonitorMetric, below), .is_optional = true,
     .doc = "Or below which."},
    {"for", PARAM_DURATION, offsetof(MonitorMetric, lasts), .preset = "0s", .max = 864000,
     .doc = "For how long it must be so, at each scrape."},
};

static const MonitorOps threshold_ops = {
    .component = threshold_component, .state_size = threshold_state_size, .fires = threshold_fires};

const Kind monitor_threshold = {
    .family = FAMILY_MONITOR,
    .name = "threshold",
    .doc = "Fires while a measure is above or below a bound.",
    .params = threshold_params,
    .param_count = PARAM_COUNT_OF(threshold_params),
    .params_size = sizeof(ThresholdParams),
    .ops = &threshold_ops,
    .check = threshold_check,
};
