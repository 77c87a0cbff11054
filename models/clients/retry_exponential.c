#include "models/clients/clients.h"
#include "sim/check.h"

typedef enum Jitter { JITTER_NONE, JITTER_FULL, JITTER_EQUAL, JITTER_DECORRELATED } Jitter;

typedef struct ExponentialParams {
    uint32_t max_attempts;
    SimTime base, max;
    double multiplier;
    uint8_t jitter;
} ExponentialParams;

static uint32_t exponential_max_attempts(const void *params) {
    const ExponentialParams *p = params;
    CHECK(p->max_attempts > 0);
    return p->max_attempts;
}

/* min(max, base x multiplier^(attempts_made - 1)), by repeated multiplication: no pow in the event
 * path, and the loop ends early because the cap is reached. */
static double exponential_cap_s(const ExponentialParams *p, uint32_t attempts_made) {
    CHECK(attempts_made > 0);
    double cap_s = time_to_s(p->base), max_s = time_to_s(p->max);
    if (p->multiplier > 1 && cap_s > 0) {
        for (uint32_t i = 1; i < attempts_made && cap_s < max_s; i++) {
            cap_s *= p->multiplier;
        }
    }
    return cap_s < max_s ? cap_s : max_s;
}

/* The jitters of "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015). */
static SimTime exponential_delay(const void *params, uint32_t attempts_made, SimTime last_delay,
                                 Rng *rng) {
    const ExponentialParams *p = params;
    double cap_s = exponential_cap_s(p, attempts_made);
    double base_s = time_to_s(p->base), max_s = time_to_s(p->max);
    switch ((Jitter)p->jitter) {
    case JITTER_NONE:
        return time_from_s(cap_s);
    case JITTER_FULL:
        return time_from_s(cap_s * rng_uniform(rng));
    case JITTER_EQUAL:
        return time_from_s(cap_s / 2 + cap_s / 2 * rng_uniform(rng));
    case JITTER_DECORRELATED: {
        double last_s = attempts_made > 1 ? time_to_s(last_delay) : base_s;
        double span_s = 3 * last_s - base_s;
        double delay_s = base_s + (span_s > 0 ? span_s : 0) * rng_uniform(rng);
        return time_from_s(delay_s < max_s ? delay_s : max_s);
    }
    }
    CHECK(!"a jitter");
    return 0;
}

static bool exponential_check(const void *params, Error *error) {
    const ExponentialParams *p = params;
    return p->base <= p->max ||
           error_set(error, "the first backoff 'base' (%g s) is above its limit 'max' (%g s)",
                     time_to_s(p->base), time_to_s(p->max));
}

static const Param exponential_params[] = {
    {"max_attempts", PARAM_COUNT, offsetof(ExponentialParams, max_attempts), .preset = "3",
     .min = 1, .max = 60000, .may_be_unlimited = true,
     .doc = "Attempts in all, the first included."},
    {"base", PARAM_DURATION, offsetof(ExponentialParams, base), .preset = "100ms",
     .max = SIM_TIME_S_MAX, .doc = "The first backoff, before jitter."},
    {"multiplier", PARAM_NUMBER, offsetof(ExponentialParams, multiplier), .preset = "2", .min = 1,
     .max = 100, .doc = "What each further backoff is multiplied by."},
    {"max", PARAM_DURATION, offsetof(ExponentialParams, max), .preset = "20s",
     .max = SIM_TIME_S_MAX, .doc = "The largest backoff, before jitter."},
    {"jitter", PARAM_CHOICE, offsetof(ExponentialParams, jitter), .preset = "none",
     .choices = "none|full|equal|decorrelated",
     .doc = "full: uniform in [0, b]; equal: in [b/2, b]; decorrelated: in [base, 3 x the backoff "
            "before], at most max."},
};

static const RetryOps exponential_ops = {.max_attempts = exponential_max_attempts,
                                         .delay = exponential_delay};

const Kind retry_exponential = {
    .family = FAMILY_RETRY,
    .name = "exponential",
    .doc = "Tries again after a backoff b that grows with every failure, with or without jitter.",
    .params = exponential_params,
    .param_count = PARAM_COUNT_OF(exponential_params),
    .params_size = sizeof(ExponentialParams),
    .ops = &exponential_ops,
    .check = exponential_check,
};
