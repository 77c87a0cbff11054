/* Finagle's RetryBudget: a leaky bucket of what calls have paid in and retries have taken out
 * within the last `ttl`, in ten slices as there, above a reserve. */
#include "models/clients/clients.h"
#include "models/clients/window.h"
#include "sim/check.h"

typedef struct RatioParams {
    SimTime ttl;
    double min_per_s, percent;
} RatioParams;

enum { RATIO_CALLS, RATIO_RETRIES };

static void ratio_on_begin(const void *params, void *state, SimTime now) {
    const RatioParams *p = params;
    CHECK(p->ttl > 0);
    window_turn(state, WINDOW_SLICES, p->ttl, now);
    window_add(state, WINDOW_SLICES, RATIO_CALLS);
}

static bool ratio_take(const void *params, void *state, const BudgetAsk *ask) {
    const RatioParams *p = params;
    const Window *window = state;
    CHECK(p->percent >= 0);
    window_turn(state, WINDOW_SLICES, p->ttl, ask->now);
    double paid = p->percent * window->sums[RATIO_CALLS] + p->min_per_s * time_to_s(p->ttl);
    if (paid < window->sums[RATIO_RETRIES] + 1.0) {
        return false;
    }
    window_add(state, WINDOW_SLICES, RATIO_RETRIES);
    return true;
}

static const Param ratio_params[] = {
    {"ttl", PARAM_DURATION, offsetof(RatioParams, ttl), .preset = "10s", .min = 0.001,
     .max = SIM_TIME_S_MAX, .doc = "How long a call's share, and a retry's cost, count."},
    {"min_per_s", PARAM_RATE, offsetof(RatioParams, min_per_s), .preset = "10/s", .max = 1e9,
     .doc = "Retries that are always allowed, in the mean over `ttl`."},
    {"percent", PARAM_RATIO, offsetof(RatioParams, percent), .preset = "20%", .max = 10,
     .doc = "Further retries, as a share of the calls (Google's SRE book: 10% for each client)."},
};

static const BudgetOps ratio_ops = {.on_begin = ratio_on_begin, .take = ratio_take};

const Kind budget_ratio = {
    .family = FAMILY_RETRY_BUDGET,
    .name = "ratio",
    .doc = "At most so many retries as a share of the calls of the last seconds, beyond a rate "
           "that is always allowed (Finagle's RetryBudget, Linkerd).",
    .params = ratio_params,
    .param_count = PARAM_COUNT_OF(ratio_params),
    .params_size = sizeof(RatioParams),
    .state_size = WINDOW_SIZE(WINDOW_SLICES),
    .ops = &ratio_ops,
};
