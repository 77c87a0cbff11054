#include "models/monitors/monitor.h"
#include "sim/check.h"

typedef struct AbsenceParams {
    MonitorMetric metric;
} AbsenceParams;

static uint32_t absence_component(const void *params) {
    const AbsenceParams *p = params;
    CHECK(p->metric.name != NULL);
    return p->metric.component;
}

static size_t absence_state_size(const void *params, SimTime interval) {
    CHECK(params != NULL && interval > 0);
    return sizeof(MonitorHeld);
}

static bool absence_fires(const void *params, void *state, const Scrape *scrape) {
    const MonitorMetric *p = &((const AbsenceParams *)params)->metric;
    CHECK(p->metric < METRIC_COUNT);
    bool is_there = scrape->values != NULL && scrape->values[p->metric] > 0;
    return monitor_held(state, !is_there, scrape->interval, p->lasts);
}

static const Param absence_params[] = {
    {"component", PARAM_COMPONENT, offsetof(MonitorMetric, component), .doc = "Whose measure."},
    {"metric", PARAM_TEXT, offsetof(MonitorMetric, name),
     .doc = "The measure, over the interval: a column of timeseries.csv, or the short name that an "
            "objective has for it."},
    {"for", PARAM_DURATION, offsetof(MonitorMetric, lasts), .preset = "0s", .max = 864000,
     .doc = "For how long it must be so, at each scrape."},
};

static const MonitorOps absence_ops = {
    .component = absence_component, .state_size = absence_state_size, .fires = absence_fires};

const Kind monitor_absence = {
    .family = FAMILY_MONITOR,
    .name = "absence",
    .doc = "Fires while a measure has no value or is 0, or while the monitor sees nothing at all: "
           "the dead man's switch.",
    .params = absence_params,
    .param_count = PARAM_COUNT_OF(absence_params),
    .params_size = sizeof(AbsenceParams),
    .ops = &absence_ops,
};
