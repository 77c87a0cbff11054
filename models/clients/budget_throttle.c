#include "models/clients/clients.h"
#include "sim/check.h"

typedef struct ThrottleParams {
    double max_tokens, token_ratio;
} ThrottleParams;

/* What is missing from all tokens, so that zeroed state has them all. */
typedef struct ThrottleState {
    double missing;
} ThrottleState;

static void throttle_move(const ThrottleParams *p, ThrottleState *s, double missing) {
    double sum = s->missing + missing;
    CHECK(p->max_tokens > 0);
    s->missing = sum < 0 ? 0 : sum > p->max_tokens ? p->max_tokens : sum;
}

static void throttle_on_attempt(const void *params, void *state, const AttemptResult *result) {
    const ThrottleParams *p = params;
    CHECK(result->took >= 0);
    if (result->outcome == OUTCOME_OK) {
        throttle_move(p, state, -p->token_ratio);
    } else if (result->is_retryable) {
        throttle_move(p, state, 1);
    }
}

static bool throttle_take(const void *params, void *state, const BudgetAsk *ask) {
    const ThrottleParams *p = params;
    const ThrottleState *s = state;
    CHECK(ask->now >= 0);
    return s->missing < p->max_tokens / 2;
}

static bool throttle_watches(const void *params) {
    CHECK(params != NULL);
    return true;
}

static const Param throttle_params[] = {
    {"max_tokens", PARAM_NUMBER, offsetof(ThrottleParams, max_tokens), .preset = "10",
     .above_min = true, .max = 1000, .doc = "Tokens at the start and at most."},
    {"token_ratio", PARAM_NUMBER, offsetof(ThrottleParams, token_ratio), .preset = "0.1",
     .min = 0.001, .max = 1000,
     .doc = "Tokens that a good answer puts back; a failure that `retry_on` names takes one."},
};

static const BudgetOps throttle_ops = {
    .on_attempt = throttle_on_attempt, .take = throttle_take, .watches = throttle_watches};

const Kind budget_throttle = {
    .family = FAMILY_RETRY_BUDGET,
    .name = "throttle",
    .doc = "Retries and hedges go out while more than half of the tokens are there (gRPC's "
           "retryThrottling).",
    .params = throttle_params,
    .param_count = PARAM_COUNT_OF(throttle_params),
    .params_size = sizeof(ThrottleParams),
    .state_size = sizeof(ThrottleState),
    .ops = &throttle_ops,
};
