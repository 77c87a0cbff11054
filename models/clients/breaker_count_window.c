#include <string.h>

#include "models/clients/breaker.h"
#include "sim/check.h"

typedef struct CountWindowParams {
    BreakerRates rates;
    uint32_t size;
} CountWindowParams;

typedef struct CountWindowState {
    Breaker breaker;
    BreakerTally tally; /* of what is in the window */
    uint32_t next;      /* where the next result goes, in place of the oldest */
    uint8_t results[];  /* WAS_FAILED, WAS_SLOW */
} CountWindowState;

enum { WAS_FAILED = 1, WAS_SLOW = 2 };

static size_t count_window_state_size(const void *params) {
    const CountWindowParams *p = params;
    CHECK(p->size > 0);
    return sizeof(CountWindowState) + p->size;
}

static uint32_t count_window_min_calls(const void *params) {
    const CountWindowParams *p = params;
    CHECK(p->size > 0);
    return p->rates.has_min_calls ? p->rates.min_calls : p->size < 100 ? p->size : 100;
}

static bool count_window_admits(const void *params, void *state, SimTime now) {
    const CountWindowParams *p = params;
    CHECK(p->rates.half_open > 0);
    return breaker_admits(state, p->rates.open, p->rates.half_open, now);
}

static void count_window_push(const CountWindowParams *p, CountWindowState *s,
                              const AttemptResult *result) {
    BreakerTally one = {0};
    uint8_t *place = &s->results[s->next];
    CHECK(s->next < p->size);
    if (s->tally.heard == p->size) {
        s->tally.heard--;
        s->tally.failed -= (*place & WAS_FAILED) != 0;
        s->tally.slow -= (*place & WAS_SLOW) != 0;
    }
    breaker_count(&one, &p->rates, result);
    *place = (uint8_t)(one.failed * WAS_FAILED | one.slow * WAS_SLOW);
    s->tally.heard++;
    s->tally.failed += one.failed;
    s->tally.slow += one.slow;
    s->next = s->next + 1 < p->size ? s->next + 1 : 0;
}

static void count_window_hears(const void *params, void *state, const AttemptResult *result) {
    const CountWindowParams *p = params;
    CountWindowState *s = state;
    uint32_t min_calls = count_window_min_calls(p);
    CHECK(min_calls <= p->size);
    if (s->breaker.phase != BREAKER_CLOSED) {
        breaker_hears_probe(&s->breaker, &p->rates, min_calls, result);
        return;
    }
    count_window_push(p, s, result);
    if (s->tally.heard >= min_calls && breaker_is_bad(&p->rates, &s->tally)) {
        breaker_opens(&s->breaker, result->now);
        s->tally = (BreakerTally){0}; /* when it closes it has seen nothing */
        s->next = 0;
    }
}

static bool count_window_check(const void *params, Error *error) {
    const CountWindowParams *p = params;
    if (p->rates.has_min_calls && p->rates.min_calls > p->size) {
        return error_set(error,
                         "'min_calls' (%u) is above 'size' (%u): so many results are never in the "
                         "window",
                         p->rates.min_calls, p->size);
    }
    return p->rates.half_open <= p->size ||
           error_set(error,
                     "'half_open' (%u) is above 'size' (%u): it would take more probes to close "
                     "than results to open",
                     p->rates.half_open, p->size);
}

static const Param count_window_params[] = {
    {"size", PARAM_COUNT, offsetof(CountWindowParams, size), .preset = "100", .min = 1, .max = 1e5,
     .doc = "The latest results that it looks at."},
    BREAKER_RATES_PARAMS("Results below which it does not judge; left out: 100, or `size` if that "
                         "is smaller."),
};

static const BreakerOps count_window_ops = {.admits = count_window_admits,
                                            .hears = count_window_hears,
                                            .needs = count_window_min_calls,
                                            .looks_back = breaker_looks_back_for_ever};

const Kind breaker_count_window = {
    .family = FAMILY_CIRCUIT_BREAKER,
    .name = "count_window",
    .doc = "Opens when too large a share of the latest results failed or was slow (resilience4j, "
           "COUNT_BASED; the defaults are its own).",
    .params = count_window_params,
    .param_count = PARAM_COUNT_OF(count_window_params),
    .params_size = sizeof(CountWindowParams),
    .state_size_of = count_window_state_size,
    .ops = &count_window_ops,
    .check = count_window_check,
};
