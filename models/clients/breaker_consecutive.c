#include "models/clients/breaker.h"
#include "sim/check.h"

typedef struct ConsecutiveParams {
    uint32_t failures, half_open;
    SimTime open;
} ConsecutiveParams;

typedef struct ConsecutiveState {
    Breaker breaker;
    uint32_t failed_count; /* in a row */
} ConsecutiveState;

static bool consecutive_admits(const void *params, void *state, SimTime now) {
    const ConsecutiveParams *p = params;
    CHECK(p->failures > 0);
    return breaker_admits(state, p->open, p->half_open, now);
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

static const Param consecutive_params[] = {
    {"failures", PARAM_COUNT, offsetof(ConsecutiveParams, failures), .preset = "5", .min = 1,
     .max = 1e6, .doc = "It opens after so many failed attempts in a row."},
    {"open", PARAM_DURATION, offsetof(ConsecutiveParams, open), .preset = "30s",
     .max = SIM_TIME_S_MAX, .doc = "How long it stays open."},
    {"half_open", PARAM_COUNT, offsetof(ConsecutiveParams, half_open), .preset = "1", .min = 1,
     .max = 1e6,
     .doc = "Probes that are let through when it is half open; it closes when so many have "
            "succeeded and opens when one has failed."},
};

static const BreakerOps consecutive_ops = {.admits = consecutive_admits,
                                           .hears = consecutive_hears};

const Kind breaker_consecutive = {
    .family = FAMILY_CIRCUIT_BREAKER,
    .name = "consecutive",
    .doc = "Opens after so many failures in a row (the SGLang gateway's, happy-sim's).",
    .params = consecutive_params,
    .param_count = PARAM_COUNT_OF(consecutive_params),
    .params_size = sizeof(ConsecutiveParams),
    .state_size = sizeof(ConsecutiveState),
    .ops = &consecutive_ops,
};
