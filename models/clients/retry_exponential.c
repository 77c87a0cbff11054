#include "models/clients/clients.h"
#include "sim/check.h"
#include "sim/math.h"

typedef enum Growth { GROWTH_POWER, GROWTH_SUM } Growth;
typedef enum Jitter {
    JITTER_NONE,
    JITTER_FULL,
    JITTER_EQUAL,
    JITTER_DECORRELATED,
    JITTER_PROPORTIONAL,
    JITTER_MINUS,
    JITTER_DECORRELATED_V2
} Jitter;

typedef struct ExponentialParams {
    uint32_t max_attempts;
    SimTime base, refused_base, max;
    double multiplier, jitter_ratio;
    bool has_refused_base, has_jitter_ratio;
    uint8_t growth, jitter;
} ExponentialParams;

static uint32_t exponential_max_attempts(const void *params) {
    const ExponentialParams *p = params;
    CHECK(p->max_attempts > 0);
    return p->max_attempts;
}

static double exponential_base_s(const ExponentialParams *p, Outcome failure) {
    CHECK(failure != OUTCOME_OK);
    return time_to_s(failure == OUTCOME_REFUSED && p->has_refused_base ? p->refused_base : p->base);
}

/* min(max, base x multiplier^(tries - 1)), or the sum of these up to there, by repeated
 * multiplication: no pow in the event path, and the loop ends early because the cap is reached. */
static double exponential_cap_s(const ExponentialParams *p, double base_s, uint32_t tries) {
    CHECK(tries > 0);
    double cap_s = base_s, max_s = time_to_s(p->max);
    double more_s = p->growth == GROWTH_SUM ? base_s : 0;
    if ((p->multiplier > 1 || more_s > 0) && base_s > 0) {
        for (uint32_t i = 1; i < tries && cap_s < max_s; i++) {
            cap_s = cap_s * p->multiplier + more_s;
        }
    }
    return cap_s < max_s ? cap_s : max_s;
}

/* Polly 8's f(t) = 2^t tanh(sqrt(4 t)) with t = number + U(0, 1), the first being number 0. */
static double decorrelated_v2_sum(const RetryView *view, uint32_t tries) {
    CHECK(tries > 0);
    Rng rng = view->draw(view, tries);
    double t = tries - 1 + rng_uniform(&rng);
    return math_pow(2, tries - 1) * math_exp((t - (tries - 1)) * 0x1.62e42fefa39efp-1) *
           math_tanh(math_sqrt(4 * t));
}

/* The delays telescope: each is the way from one f to the next, times base / 1.4. With all draws at
 * 1/2 and a base of 1 s they are 0.897 s, 1.093 s and 2.036 s. */
static double decorrelated_v2_s(const ExponentialParams *p, const RetryView *view, double base_s) {
    double max_s = time_to_s(p->max);
    if (view->tries > 64) {
        return max_s; /* 2^64 times anything above a nanosecond */
    }
    double before = view->tries > 1 ? decorrelated_v2_sum(view, view->tries - 1) : 0;
    double delay_s = (decorrelated_v2_sum(view, view->tries) - before) * base_s / 1.4;
    CHECK(delay_s >= 0);
    return delay_s < max_s ? delay_s : max_s;
}

/* None, full, equal, decorrelated: "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture
 * Blog, 2015). Proportional: gRPC A6, resilience4j; minus: the OpenAI and Anthropic SDKs. */
static SimTime exponential_delay(const void *params, const RetryView *view) {
    const ExponentialParams *p = params;
    double base_s = exponential_base_s(p, view->failure), max_s = time_to_s(p->max);
    double cap_s = exponential_cap_s(p, base_s, view->tries);
    double ratio = p->has_jitter_ratio ? p->jitter_ratio : 0.25;
    if (p->jitter == JITTER_NONE) {
        return time_from_s(cap_s);
    }
    if (p->jitter == JITTER_DECORRELATED_V2) {
        return time_from_s(decorrelated_v2_s(p, view, base_s));
    }
    Rng rng = view->draw(view, view->tries);
    double u = rng_uniform(&rng);
    switch ((Jitter)p->jitter) {
    case JITTER_FULL:
        return time_from_s(cap_s * u);
    case JITTER_EQUAL:
        return time_from_s(cap_s / 2 + cap_s / 2 * u);
    case JITTER_PROPORTIONAL:
        return time_from_s(cap_s * (1 + ratio * (2 * u - 1)));
    case JITTER_MINUS:
        return time_from_s(cap_s * (1 - ratio * u));
    case JITTER_DECORRELATED: {
        double last_s = view->tries > 1 ? time_to_s(view->last_delay) : base_s;
        double span_s = 3 * last_s - base_s;
        double delay_s = base_s + (span_s > 0 ? span_s : 0) * u;
        return time_from_s(delay_s < max_s ? delay_s : max_s);
    }
    case JITTER_NONE:
    case JITTER_DECORRELATED_V2:
        break;
    }
    CHECK(!"a jitter");
    return 0;
}

static bool exponential_check(const void *params, Error *error) {
    const ExponentialParams *p = params;
    bool takes_ratio = p->jitter == JITTER_PROPORTIONAL || p->jitter == JITTER_MINUS;
    if (p->base > p->max) {
        return error_set(error, "the first backoff 'base' (%g s) is above its limit 'max' (%g s)",
                         time_to_s(p->base), time_to_s(p->max));
    }
    if (p->has_refused_base && p->refused_base > p->max) {
        return error_set(error,
                         "the first backoff after a refusal 'refused_base' (%g s) is above its "
                         "limit 'max' (%g s)",
                         time_to_s(p->refused_base), time_to_s(p->max));
    }
    if (p->has_jitter_ratio && !takes_ratio) {
        return error_set(error, "'jitter_ratio' is for a jitter that is proportional or minus");
    }
    if (p->jitter == JITTER_DECORRELATED_V2 && (p->multiplier != 2 || p->growth != GROWTH_POWER)) {
        return error_set(error, "'jitter: decorrelated_v2' grows by a law of its own: leave out "
                                "'multiplier' and 'growth'");
    }
    return true;
}

static const Param exponential_params[] = {
    {"max_attempts", PARAM_COUNT, offsetof(ExponentialParams, max_attempts), .preset = "3",
     .min = 1, .max = 60000, .may_be_unlimited = true,
     .doc = "Attempts in all, the first included."},
    {"base", PARAM_DURATION, offsetof(ExponentialParams, base), .preset = "100ms",
     .max = SIM_TIME_S_MAX, .doc = "The first backoff, before jitter."},
    {"refused_base", PARAM_DURATION, offsetof(ExponentialParams, refused_base),
     .max = SIM_TIME_S_MAX, .is_optional = true,
     .has_offset = offsetof(ExponentialParams, has_refused_base),
     .doc = "The same after a refusal (the AWS SDKs' throttling); left out: as `base`."},
    {"multiplier", PARAM_NUMBER, offsetof(ExponentialParams, multiplier), .preset = "2", .min = 1,
     .max = 100, .doc = "What each further backoff is multiplied by."},
    {"growth", PARAM_CHOICE, offsetof(ExponentialParams, growth), .preset = "power",
     .choices = "power|sum",
     .doc = "power: the n-th backoff is base x multiplier^(n-1); sum: it is the sum of these up to "
            "the n-th, base x (2^n - 1) for a multiplier of 2 (Envoy)."},
    {"max", PARAM_DURATION, offsetof(ExponentialParams, max), .preset = "20s",
     .max = SIM_TIME_S_MAX, .doc = "The largest backoff, before jitter."},
    {"jitter", PARAM_CHOICE, offsetof(ExponentialParams, jitter), .preset = "none",
     .choices = "none|full|equal|decorrelated|proportional|minus|decorrelated_v2",
     .doc = "full: uniform in [0, b]; equal: in [b/2, b]; decorrelated: in [base, 3 x the backoff "
            "before], at most max; proportional: in [(1-r) b, (1+r) b]; minus: in [(1-r) b, b]; "
            "decorrelated_v2: Polly's, at most max."},
    {"jitter_ratio", PARAM_RATIO, offsetof(ExponentialParams, jitter_ratio), .above_min = true,
     .max = 1, .is_optional = true, .has_offset = offsetof(ExponentialParams, has_jitter_ratio),
     .doc = "r of a jitter that is proportional or minus; left out: 25%."},
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
