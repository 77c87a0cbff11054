#include "models/arrivals/arrivals.h"
#include "sim/check.h"

typedef struct ConstantParams {
    double rate_per_s;
} ConstantParams;

typedef struct ConstantState {
    uint64_t arrived_count;
} ConstantState;

static bool constant_next(const void *params, void *state, Source *source, Arrival *out) {
    const ConstantParams *p = params;
    ConstantState *s = state;
    CHECK(p->rate_per_s > 0);
    s->arrived_count++;
    /* Arrival k comes at k / rate and not one rounded gap after the last, so that no error adds up.
     */
    out->at = source->load->is_one ? time_from_s((double)s->arrived_count / p->rate_per_s)
                                   : source_after(source, 1 / p->rate_per_s);
    return out->at != SIM_TIME_NEVER;
}

static const Param constant_params[] = {
    {"rate", PARAM_RATE, offsetof(ConstantParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Arrivals per second."},
};

static const ArrivalOps constant_ops = {.next = constant_next};

const Kind arrivals_constant = {
    .family = FAMILY_ARRIVALS,
    .name = "constant",
    .doc = "One arrival every 1/rate: the k-th at k/rate.",
    .params = constant_params,
    .param_count = PARAM_COUNT_OF(constant_params),
    .params_size = sizeof(ConstantParams),
    .state_size = sizeof(ConstantState),
    .ops = &constant_ops,
};
