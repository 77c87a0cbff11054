#include "models/shed/shed.h"
#include "sim/check.h"

typedef struct TokenBucketParams {
    double rate_per_s, burst;
    SimTime retry_after;
    bool has_retry_after;
} TokenBucketParams;

/* What is missing from a full bucket, so that zeroed state is a full one. */
typedef struct TokenBucketState {
    double missing;
    SimTime updated_at;
} TokenBucketState;

/* The same as GCRA (ITU-T I.371) with an emission interval of 1 / rate and a tolerance of
 * (burst - 1) / rate. For Poisson arrivals of 1.2/s, rate 1/s and burst 5 it refuses 0.1991466933.
 */
static bool token_bucket_refuses_arrival(const void *params, void *state, const ShedView *view) {
    const TokenBucketParams *p = params;
    TokenBucketState *s = state;
    CHECK(view->now >= s->updated_at);
    double missing = s->missing - time_to_s(view->now - s->updated_at) * p->rate_per_s;
    s->missing = missing > 0 ? missing : 0;
    s->updated_at = view->now;
    if (s->missing + 1 > p->burst) {
        return true;
    }
    s->missing += 1;
    return false;
}

static SimTime token_bucket_retry_after(const void *params) {
    const TokenBucketParams *p = params;
    CHECK(p->retry_after >= 0);
    return p->has_retry_after ? p->retry_after : 0;
}

static const Param token_bucket_params[] = {
    {"rate", PARAM_RATE, offsetof(TokenBucketParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Attempts admitted per second at one replica, in the long run."},
    {"burst", PARAM_NUMBER, offsetof(TokenBucketParams, burst), .preset = "1", .min = 1, .max = 1e9,
     .doc = "Attempts admitted at once after a pause; the bucket starts full."},
    {"retry_after", PARAM_DURATION, offsetof(TokenBucketParams, retry_after), .min = 0.001,
     .max = 1e6, .is_optional = true, .has_offset = offsetof(TokenBucketParams, has_retry_after),
     .may_be_unlimited = true, .never_word = "never",
     .doc = "What a refusal asks its caller to wait before a retry, or never to retry; whoever "
            "listens: `retry_after` of a call. Left out: nothing."},
};

static const ShedOps token_bucket_ops = {.refuses_arrival = token_bucket_refuses_arrival,
                                         .retry_after = token_bucket_retry_after};

const Kind shed_token_bucket = {
    .family = FAMILY_SHED,
    .name = "token_bucket",
    .doc = "A rate limit: an attempt takes a token or is refused; tokens come back at a rate.",
    .params = token_bucket_params,
    .param_count = PARAM_COUNT_OF(token_bucket_params),
    .params_size = sizeof(TokenBucketParams),
    .state_size = sizeof(TokenBucketState),
    .ops = &token_bucket_ops,
};
