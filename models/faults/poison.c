#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct PoisonParams {
    uint32_t service;
    uint32_t requests;
    double ratio;
    bool has_restart;
    SimTime restart;
    bool is_known;
} PoisonParams;

static bool poison_marks(const void *params, uint64_t count, Rng *rng) {
    const PoisonParams *p = params;
    CHECK(p->ratio >= 0);
    return (p->requests == COUNT_UNLIMITED || count < p->requests) && rng_uniform(rng) < p->ratio;
}

static bool poison_breaks(const void *params, uint32_t service, Breakdown *breakdown) {
    const PoisonParams *p = params;
    CHECK(breakdown != NULL);
    breakdown->restart = p->has_restart ? p->restart : SIM_TIME_NEVER;
    breakdown->is_known = p->is_known;
    return p->service == service;
}

static bool poison_is_at(const void *params, const Model *model, uint32_t component) {
    const PoisonParams *p = params;
    return model_service_component(model, p->service) == component;
}

static const Param poison_params[] = {
    {"service", PARAM_SERVICE, offsetof(PoisonParams, service),
     .doc = "Whose replicas it crashes."},
    {"requests", PARAM_COUNT, offsetof(PoisonParams, requests), .preset = "1", .min = 1, .max = 4e9,
     .may_be_unlimited = true,
     .doc = "How many requests are poisoned: the first that begin while it is on."},
    {"ratio", PARAM_RATIO, offsetof(PoisonParams, ratio), .preset = "100%", .above_min = true,
     .max = 1, .doc = "Share of the requests that may be poisoned which are."},
    {"restart", PARAM_DURATION, offsetof(PoisonParams, restart), .above_min = true,
     .max = SIM_TIME_S_MAX, .is_optional = true, .has_offset = offsetof(PoisonParams, has_restart),
     .doc = "When a crashed replica's process is back; left out: never."},
    {"known", PARAM_FLAG, offsetof(PoisonParams, is_known), .preset = "false",
     .doc = "Whether routers know at once and send nothing there until it serves again."},
};

static const FaultOps poison_ops = {
    .is_at = poison_is_at, .marks = poison_marks, .breaks = poison_breaks};

const Kind fault_poison = {
    .family = FAMILY_FAULT,
    .name = "poison",
    .doc = "Requests that crash every replica of a service at which they start; those that are "
           "tried again go on to the next one, also after the fault has ended.",
    .params = poison_params,
    .param_count = PARAM_COUNT_OF(poison_params),
    .params_size = sizeof(PoisonParams),
    .ops = &poison_ops,
};
