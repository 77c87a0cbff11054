#include "models/clients/clients.h"
#include "sim/check.h"

typedef struct LinearParams {
    uint32_t max_attempts;
    SimTime base, step, max;
    double jitter_ratio;
} LinearParams;

static uint32_t linear_max_attempts(const void *params) {
    const LinearParams *p = params;
    CHECK(p->max_attempts > 0);
    return p->max_attempts;
}

static SimTime linear_delay(const void *params, const RetryView *view) {
    const LinearParams *p = params;
    double max_s = time_to_s(p->max);
    double delay_s = time_to_s(p->base) + time_to_s(p->step) * (view->tries - 1);
    CHECK(view->tries > 0);
    delay_s = delay_s < max_s ? delay_s : max_s;
    if (p->jitter_ratio > 0) {
        Rng rng = view->draw(view, view->tries);
        delay_s *= 1 + p->jitter_ratio * (2 * rng_uniform(&rng) - 1);
    }
    return time_from_s(delay_s);
}

static bool linear_check(const void *params, Error *error) {
    const LinearParams *p = params;
    return p->base <= p->max ||
           error_set(error, "the first backoff 'base' (%g s) is above its limit 'max' (%g s)",
                     time_to_s(p->base), time_to_s(p->max));
}

static const Param linear_params[] = {
    {"max_attempts", PARAM_COUNT, offsetof(LinearParams, max_attempts), .preset = "3", .min = 1,
     .max = 60000, .may_be_unlimited = true, .doc = "Attempts in all, the first included."},
    {"base", PARAM_DURATION, offsetof(LinearParams, base), .preset = "1s", .max = SIM_TIME_S_MAX,
     .doc = "The first backoff, before jitter."},
    {"step", PARAM_DURATION, offsetof(LinearParams, step), .preset = "1s", .max = SIM_TIME_S_MAX,
     .doc = "What each further backoff is longer by."},
    {"max", PARAM_DURATION, offsetof(LinearParams, max), .preset = "1min", .max = SIM_TIME_S_MAX,
     .doc = "The largest backoff, before jitter."},
    {"jitter_ratio", PARAM_RATIO, offsetof(LinearParams, jitter_ratio), .preset = "0%", .max = 1,
     .doc = "r: the backoff b becomes uniform in [(1-r) b, (1+r) b] (Polly: 25%)."},
};

static const RetryOps linear_ops = {.max_attempts = linear_max_attempts, .delay = linear_delay};

const Kind retry_linear = {
    .family = FAMILY_RETRY,
    .name = "linear",
    .doc = "Tries again after a backoff that grows by the same time with every failure (Polly).",
    .params = linear_params,
    .param_count = PARAM_COUNT_OF(linear_params),
    .params_size = sizeof(LinearParams),
    .ops = &linear_ops,
    .check = linear_check,
};
