/* The client-side rate limiter of the AWS SDKs' adaptive mode (DefaultRateLimiter): off until the
 * first refusal; then a token bucket whose rate falls to beta times what was sent and grows again
 * by CUBIC's law (Ha, Rhee, Xu 2008), at most to twice what is sent. An attempt that finds no token
 * waits for its own. */
#include "models/clients/throttle.h"
#include "sim/check.h"
#include "sim/math.h"

typedef struct AdaptiveRateParams {
    double beta, scale, smooth, min_fill_rate, min_capacity;
} AdaptiveRateParams;

typedef struct AdaptiveRateState {
    bool is_on;
    double fill_rate, capacity, tokens; /* tokens may be owed */
    SimTime filled_at;
    double sent_rate; /* smoothed, by half seconds */
    SimTime sent_at;  /* the end of the last half second that was measured */
    uint32_t sent_count;
    double max_rate; /* before the last refusal */
    SimTime refused_at;
} AdaptiveRateState;

static const SimTime ADAPTIVE_RATE_SLICE = SIM_TIME_S / 2;

static void adaptive_rate_fill(AdaptiveRateState *s, SimTime now) {
    CHECK(now >= s->filled_at);
    double tokens = s->tokens + time_to_s(now - s->filled_at) * s->fill_rate;
    s->tokens = tokens < s->capacity ? tokens : s->capacity;
    s->filled_at = now;
}

static SimTime adaptive_rate_wait(const void *params, void *state, const ThrottleAsk *ask) {
    const AdaptiveRateParams *p = params;
    AdaptiveRateState *s = state;
    CHECK(p->min_fill_rate > 0);
    if (!s->is_on) {
        return 0;
    }
    adaptive_rate_fill(s, ask->now);
    if (s->tokens < 1 && !ask->may_wait) {
        return SIM_TIME_NEVER;
    }
    s->tokens -= 1;
    return s->tokens >= 0 ? 0 : time_from_s(-s->tokens / s->fill_rate);
}

static void adaptive_rate_measure(const AdaptiveRateParams *p, AdaptiveRateState *s, SimTime now) {
    SimTime slice_at = now / ADAPTIVE_RATE_SLICE * ADAPTIVE_RATE_SLICE;
    CHECK(slice_at >= s->sent_at);
    s->sent_count++;
    if (slice_at > s->sent_at) {
        double rate = s->sent_count / time_to_s(slice_at - s->sent_at);
        s->sent_rate = rate * p->smooth + s->sent_rate * (1 - p->smooth);
        s->sent_count = 0;
        s->sent_at = slice_at;
    }
}

static void adaptive_rate_set(const AdaptiveRateParams *p, AdaptiveRateState *s, double rate,
                              SimTime now) {
    double most = 2 * s->sent_rate;
    CHECK(rate == rate);
    rate = rate < most ? rate : most;
    adaptive_rate_fill(s, now);
    s->fill_rate = rate > p->min_fill_rate ? rate : p->min_fill_rate;
    s->capacity = rate > p->min_capacity ? rate : p->min_capacity;
    s->tokens = s->tokens < s->capacity ? s->tokens : s->capacity;
}

/* With beta 0.7, scale 0.4 and 30/s before the refusal it falls to 21/s and is back at 30/s after
 * (30 x 0.3 / 0.4)^(1/3) = 2.823 s. */
static void adaptive_rate_hears(const void *params, void *state, const AttemptResult *result) {
    const AdaptiveRateParams *p = params;
    AdaptiveRateState *s = state;
    adaptive_rate_measure(p, s, result->now);
    CHECK(s->sent_rate >= 0);
    if (result->outcome == OUTCOME_REFUSED) {
        bool is_lower = s->is_on && s->fill_rate < s->sent_rate;
        s->max_rate = is_lower ? s->fill_rate : s->sent_rate;
        s->refused_at = result->now;
        adaptive_rate_set(p, s, s->max_rate * p->beta, result->now);
        s->is_on = true;
        return;
    }
    double until_back_s = math_cbrt(s->max_rate * (1 - p->beta) / p->scale);
    double past_s = time_to_s(result->now - s->refused_at) - until_back_s;
    adaptive_rate_set(p, s, p->scale * past_s * past_s * past_s + s->max_rate, result->now);
}

static const Param adaptive_rate_params[] = {
    {"beta", PARAM_NUMBER, offsetof(AdaptiveRateParams, beta), .preset = "0.7", .above_min = true,
     .max = 1, .doc = "What a refusal multiplies the rate by."},
    {"scale", PARAM_NUMBER, offsetof(AdaptiveRateParams, scale), .preset = "0.4", .above_min = true,
     .max = 1000, .doc = "The scale of the cubic by which it grows again."},
    {"smooth", PARAM_NUMBER, offsetof(AdaptiveRateParams, smooth), .preset = "0.8",
     .above_min = true, .max = 1,
     .doc = "The weight of the last half second in the measured rate."},
    {"min_fill_rate", PARAM_RATE, offsetof(AdaptiveRateParams, min_fill_rate), .preset = "0.5/s",
     .above_min = true, .max = 1e9, .doc = "The lowest rate."},
    {"min_capacity", PARAM_NUMBER, offsetof(AdaptiveRateParams, min_capacity), .preset = "1",
     .min = 1, .max = 1e9, .doc = "The least that the bucket holds; otherwise a second's tokens."},
};

static const ThrottleOps adaptive_rate_ops = {.wait = adaptive_rate_wait,
                                              .hears = adaptive_rate_hears};

const Kind throttle_adaptive_rate = {
    .family = FAMILY_CLIENT_THROTTLE,
    .name = "adaptive_rate",
    .doc = "A rate limit that begins with the first refusal, falls with each and grows again by a "
           "cubic law; attempts wait for their tokens (the AWS SDKs' adaptive retry mode).",
    .params = adaptive_rate_params,
    .param_count = PARAM_COUNT_OF(adaptive_rate_params),
    .params_size = sizeof(AdaptiveRateParams),
    .state_size = sizeof(AdaptiveRateState),
    .ops = &adaptive_rate_ops,
};
