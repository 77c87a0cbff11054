#include "models/clients/clients.h"
#include "sim/check.h"

typedef struct TokenBucketParams {
    double capacity, cost, timeout_cost, refused_cost, refund, deposit;
    bool has_timeout_cost, has_refused_cost, refunds_cost;
} TokenBucketParams;

typedef struct TokenBucketState {
    double tokens;
} TokenBucketState;

static void token_bucket_start(const void *params, void *state) {
    const TokenBucketParams *p = params;
    TokenBucketState *s = state;
    CHECK(p->capacity > 0);
    s->tokens = p->capacity;
}

static void token_bucket_add(const TokenBucketParams *p, TokenBucketState *s, double tokens) {
    CHECK(tokens >= 0);
    s->tokens += tokens;
    s->tokens = s->tokens < p->capacity ? s->tokens : p->capacity;
}

static double token_bucket_cost(const TokenBucketParams *p, Outcome failure) {
    CHECK(failure < OUTCOME_COUNT);
    return failure == OUTCOME_TIMEOUT && p->has_timeout_cost   ? p->timeout_cost
           : failure == OUTCOME_REFUSED && p->has_refused_cost ? p->refused_cost
                                                               : p->cost;
}

static void token_bucket_on_begin(const void *params, void *state, SimTime now) {
    const TokenBucketParams *p = params;
    CHECK(now >= 0);
    token_bucket_add(p, state, p->deposit);
}

static void token_bucket_on_success(const void *params, void *state, Outcome retried_after) {
    const TokenBucketParams *p = params;
    bool refunds_cost = p->refunds_cost && retried_after != OUTCOME_OK;
    CHECK(p->refund >= 0);
    token_bucket_add(p, state, refunds_cost ? token_bucket_cost(p, retried_after) : p->refund);
}

static bool token_bucket_take(const void *params, void *state, const BudgetAsk *ask) {
    const TokenBucketParams *p = params;
    TokenBucketState *s = state;
    double cost = token_bucket_cost(p, ask->failure);
    if (s->tokens < cost) {
        return false;
    }
    s->tokens -= cost;
    CHECK(s->tokens >= 0 && s->tokens <= p->capacity);
    return true;
}

static bool token_bucket_watches(const void *params) {
    const TokenBucketParams *p = params;
    CHECK(p->capacity > 0);
    return p->refunds_cost;
}

static bool token_bucket_check(const void *params, Error *error) {
    const TokenBucketParams *p = params;
    return p->cost <= p->capacity ||
           error_set(error,
                     "a retry costs %g tokens but the bucket holds only %g: none could ever "
                     "be sent; write 'max_attempts: 1' if that is meant",
                     p->cost, p->capacity);
}

static const Param token_bucket_params[] = {
    {"capacity", PARAM_NUMBER, offsetof(TokenBucketParams, capacity), .preset = "500",
     .above_min = true, .max = 1e9, .doc = "Tokens that fit; it starts full."},
    {"cost", PARAM_NUMBER, offsetof(TokenBucketParams, cost), .preset = "5", .max = 1e9,
     .doc = "Tokens that one retry takes; without enough the call fails at once."},
    {"timeout_cost", PARAM_NUMBER, offsetof(TokenBucketParams, timeout_cost), .max = 1e9,
     .is_optional = true, .has_offset = offsetof(TokenBucketParams, has_timeout_cost),
     .doc = "Tokens that a retry after a timeout takes; left out: as `cost`."},
    {"refused_cost", PARAM_NUMBER, offsetof(TokenBucketParams, refused_cost), .max = 1e9,
     .is_optional = true, .has_offset = offsetof(TokenBucketParams, has_refused_cost),
     .doc = "Tokens that a retry after a refusal takes; left out: as `cost`."},
    {"refund", PARAM_NUMBER, offsetof(TokenBucketParams, refund), .preset = "1", .max = 1e9,
     .doc = "Tokens that each call that succeeds puts back."},
    {"refunds_cost", PARAM_FLAG, offsetof(TokenBucketParams, refunds_cost), .preset = "false",
     .doc = "Whether a call that succeeds after a retry puts back what its latest retry took, "
            "instead of `refund` (AWS)."},
    {"deposit", PARAM_NUMBER, offsetof(TokenBucketParams, deposit), .preset = "0", .max = 1e9,
     .doc = "Tokens that each call puts in when it begins."},
};

static const BudgetOps token_bucket_ops = {
    .start = token_bucket_start,
    .on_begin = token_bucket_on_begin,
    .on_success = token_bucket_on_success,
    .take = token_bucket_take,
    .watches = token_bucket_watches,
};

const Kind budget_token_bucket = {
    .family = FAMILY_RETRY_BUDGET,
    .name = "token_bucket",
    .doc = "Retries spend tokens that successes put back (the AWS SDKs' retry quota); it starts "
           "full.",
    .params = token_bucket_params,
    .param_count = PARAM_COUNT_OF(token_bucket_params),
    .params_size = sizeof(TokenBucketParams),
    .state_size = sizeof(TokenBucketState),
    .ops = &token_bucket_ops,
    .check = token_bucket_check,
};
