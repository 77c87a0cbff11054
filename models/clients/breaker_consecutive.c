#include "models/clients/breaker.h"
#include "sim/check.h"

typedef struct ConsecutiveParams {
    uint32_t failures, half_open, probes;
    SimTime open;
    bool has_probes;
} ConsecutiveParams;

typedef struct ConsecutiveState {
    Breaker breaker;
    uint32_t failed_count; /* in a row */
} ConsecutiveState;

static bool consecutive_admits(const void *params, void *state, SimTime now) {
    const ConsecutiveParams *p = params;
    CHECK(p->failures > 0);
    return breaker_admits(state, p->open, p->has_probes ? p->probes : p->half_open, now);
}

static void consecutive_hears(const void *params, void *state, const AttemptResult *result) {
    const ConsecutiveParams *p = params;
    ConsecutiveState *s = state;
    bool is_good = result->outcome == OUTCOME_OK;
    CHECK(s->failed_count < p->failures);
    switch ((BreakerPhase)s->breaker.phase) {
    case BREAKER_CLOSED:
        s->failed_count = is_good ? 0 : s->failed_count + 1;
        if (s->failed_count == p->failures) {
            s->failed_count = 0;
            breaker_opens(&s->breaker, result->now);
        }
        return;
    case BREAKER_OPEN:
        return;
    case BREAKER_HALF_OPEN:
        s->breaker.probed.heard++;
        if (!is_good) {
            breaker_opens(&s->breaker, result->now);
        } else if (s->breaker.probed.heard >= p->half_open) {
            breaker_closes(&s->breaker);
        }
        return;
    }
    CHECK(!"a breaker has a phase");
}

static uint32_t consecutive_needs(const void *params) {
    const ConsecutiveParams *p = params;
    CHECK(p->failures > 0);
    return p->failures;
}

static bool consecutive_check(const void *params, Error *error) {
    const ConsecutiveParams *p = params;
    return !p->has_probes || p->probes >= p->half_open ||
           error_set(error,
                     "'half_open' asks for %u good answers but only %u 'probes' are let through: "
                     "it would never close",
                     p->half_open, p->probes);
}

static const Param consecutive_params[] = {
    {"failures", PARAM_COUNT, offsetof(ConsecutiveParams, failures), .preset = "5", .min = 1,
     .max = 1e6, .doc = "It opens after so many failed attempts in a row."},
    {"open", PARAM_DURATION, offsetof(ConsecutiveParams, open), .preset = "30s",
     .max = SIM_TIME_S_MAX, .doc = "How long it stays open."},
    {"half_open", PARAM_COUNT, offsetof(ConsecutiveParams, half_open), .preset = "1", .min = 1,
     .max = 1e6,
     .doc = "When it is half open it closes after so many good answers and opens after a failure."},
    {"probes", PARAM_COUNT, offsetof(ConsecutiveParams, probes), .min = 1, .max = 1e6,
     .is_optional = true, .has_offset = offsetof(ConsecutiveParams, has_probes),
     .may_be_unlimited = true,
     .doc = "Attempts that are let through when it is half open; left out: as `half_open`."},
};

static const BreakerOps consecutive_ops = {.admits = consecutive_admits,
                                           .hears = consecutive_hears,
                                           .needs = consecutive_needs,
                                           .looks_back = breaker_looks_back_for_ever};

const Kind breaker_consecutive = {
    .family = FAMILY_CIRCUIT_BREAKER,
    .name = "consecutive",
    .doc = "Opens after so many failures in a row (the SGLang gateway's, happy-sim's).",
    .params = consecutive_params,
    .param_count = PARAM_COUNT_OF(consecutive_params),
    .params_size = sizeof(ConsecutiveParams),
    .state_size = sizeof(ConsecutiveState),
    .ops = &consecutive_ops,
    .check = consecutive_check,
};
