#include "models/clients/hedge.h"
#include "sim/check.h"

typedef struct FixedParams {
    HedgeRules rules;
    SimTime after;
} FixedParams;

static SimTime fixed_after(const void *params, void *state, SimTime now) {
    const FixedParams *p = params;
    CHECK(state != NULL && now >= 0);
    return p->after;
}

static const Param fixed_params[] = {
    {"after", PARAM_DURATION, offsetof(FixedParams, after), .preset = "2s", .max = SIM_TIME_S_MAX,
     .doc = "How long after an attempt went out the next one does (Polly: 2s; 0s: at once)."},
    HEDGE_RULES_PARAMS,
};

static const HedgeOps fixed_ops = {.after = fixed_after};

const Kind hedge_fixed = {
    .family = FAMILY_HEDGE,
    .name = "fixed",
    .doc = "A hedge after a time (gRPC's hedgingPolicy, Polly's hedging).",
    .params = fixed_params,
    .param_count = PARAM_COUNT_OF(fixed_params),
    .params_size = sizeof(FixedParams),
    .state_size = HEDGE_STATE_SIZE,
    .ops = &fixed_ops,
};
