#include "models/clients/breaker.h"
#include "models/clients/window.h"
#include "sim/check.h"

typedef struct TimeWindowParams {
    BreakerRates rates;
    SimTime window;
    uint32_t slices;
} TimeWindowParams;

enum { TIME_WINDOW_HEARD, TIME_WINDOW_FAILED, TIME_WINDOW_SLOW };

/* A Breaker, and behind it the window. */
static Window *time_window_of(void *state) {
    CHECK(state != NULL);
    return (Window *)(void *)((Breaker *)state + 1);
}

static size_t time_window_state_size(const void *params) {
    const TimeWindowParams *p = params;
    CHECK(p->slices > 0);
    return sizeof(Breaker) + WINDOW_SIZE(p->slices);
}

static bool time_window_admits(const void *params, void *state, SimTime now) {
    const TimeWindowParams *p = params;
    CHECK(p->rates.half_open > 0);
    return breaker_admits(state, p->rates.open, p->rates.half_open, now);
}

static uint32_t time_window_min_calls(const void *params) {
    const TimeWindowParams *p = params;
    CHECK(p->rates.half_open > 0);
    return p->rates.has_min_calls ? p->rates.min_calls : 100;
}

static SimTime time_window_looks_back(const void *params) {
    const TimeWindowParams *p = params;
    CHECK(p->window > 0);
    return p->window;
}

static void time_window_hears(const void *params, void *state, const AttemptResult *result) {
    const TimeWindowParams *p = params;
    Breaker *breaker = state;
    Window *window = time_window_of(state);
    uint32_t min_calls = time_window_min_calls(params);
    CHECK(min_calls > 0);
    if (breaker->phase != BREAKER_CLOSED) {
        breaker_hears_probe(breaker, &p->rates, min_calls, result);
        return;
    }
    BreakerTally one = {0};
    breaker_count(&one, &p->rates, result);
    window_turn(window, p->slices, p->window, result->now);
    window_add(window, p->slices, TIME_WINDOW_HEARD);
    if (one.failed > 0) {
        window_add(window, p->slices, TIME_WINDOW_FAILED);
    }
    if (one.slow > 0) {
        window_add(window, p->slices, TIME_WINDOW_SLOW);
    }
    BreakerTally tally = {window->sums[TIME_WINDOW_HEARD], window->sums[TIME_WINDOW_FAILED],
                          window->sums[TIME_WINDOW_SLOW]};
    if (tally.heard >= min_calls && breaker_is_bad(&p->rates, &tally)) {
        breaker_opens(breaker, result->now);
        window_clear(window, p->slices); /* when it closes it has seen nothing */
    }
}

static bool time_window_check(const void *params, Error *error) {
    const TimeWindowParams *p = params;
    return p->window >= (SimTime)p->slices * 1000 ||
           error_set(error,
                     "a window of %g s cannot be cut into %u slices of a microsecond or more",
                     time_to_s(p->window), p->slices);
}

static const Param time_window_params[] = {
    {"window", PARAM_DURATION, offsetof(TimeWindowParams, window), .preset = "100s",
     .above_min = true, .max = SIM_TIME_S_MAX, .doc = "How far back it looks."},
    {"slices", PARAM_COUNT, offsetof(TimeWindowParams, slices), .preset = "100", .min = 1,
     .max = 10000,
     .doc = "The window moves on by a slice at a time: window / slices (resilience4j: 1 s)."},
    BREAKER_RATES_PARAMS("Results in the window below which it does not judge; left out: 100."),
};

static const Preset time_window_presets[] = {
    {"polly",
     "window: 30s\nslices: 10\nfailure_rate: 10%\nmin_calls: 100\nslow_after: none\nopen: 5s\n"
     "half_open: 1\n",
     "Polly 8, CircuitBreakerStrategyOptions", "BSD-3-Clause",
     "FailureRatio 0.1, MinimumThroughput 100, SamplingDuration 30 s, BreakDuration 5 s; one probe "
     "at a time decides."},
};

static const BreakerOps time_window_ops = {.admits = time_window_admits,
                                           .hears = time_window_hears,
                                           .needs = time_window_min_calls,
                                           .looks_back = time_window_looks_back};

const Kind breaker_time_window = {
    .family = FAMILY_CIRCUIT_BREAKER,
    .name = "time_window",
    .doc = "Opens when too large a share of the results of the last seconds failed or was slow "
           "(resilience4j, TIME_BASED; the defaults are its own).",
    .params = time_window_params,
    .param_count = PARAM_COUNT_OF(time_window_params),
    .params_size = sizeof(TimeWindowParams),
    .state_size_of = time_window_state_size,
    .presets = time_window_presets,
    .preset_count = PARAM_COUNT_OF(time_window_presets),
    .ops = &time_window_ops,
    .check = time_window_check,
};
