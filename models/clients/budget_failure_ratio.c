/* Retries while failures are rare. `of: attempts` is the "retry circuit breaker" of "Good retry,
 * bad retry" (Yandex, jirfag/simulations): an attempt that has just failed counts, and an empty
 * window cannot be. `of: calls` with `window: none` is that of M. Brooker's "What is backoff for?"
 * (retry_sim): failed attempts over calls begun. */
#include "models/clients/clients.h"
#include "models/clients/window.h"
#include "sim/check.h"

typedef enum Base { BASE_ATTEMPTS, BASE_CALLS } Base;

typedef struct FailureRatioParams {
    double below;
    SimTime window;
    uint8_t of;
} FailureRatioParams;

enum { FAILURE_RATIO_FAILURES, FAILURE_RATIO_ALL };

static void failure_ratio_count(const FailureRatioParams *p, Window *window, uint32_t what,
                                SimTime now) {
    CHECK(p->window > 0);
    window_turn(window, WINDOW_SLICES, p->window, now);
    window_add(window, WINDOW_SLICES, what);
}

static void failure_ratio_on_begin(const void *params, void *state, SimTime now) {
    const FailureRatioParams *p = params;
    CHECK(now >= 0);
    if (p->of == BASE_CALLS) {
        failure_ratio_count(p, state, FAILURE_RATIO_ALL, now);
    }
}

static void failure_ratio_on_attempt(const void *params, void *state, const AttemptResult *result) {
    const FailureRatioParams *p = params;
    CHECK(result->outcome < OUTCOME_COUNT);
    if (p->of == BASE_ATTEMPTS) {
        failure_ratio_count(p, state, FAILURE_RATIO_ALL, result->now);
    }
    if (result->outcome != OUTCOME_OK) {
        failure_ratio_count(p, state, FAILURE_RATIO_FAILURES, result->now);
    }
}

static bool failure_ratio_take(const void *params, void *state, const BudgetAsk *ask) {
    const FailureRatioParams *p = params;
    const Window *window = state;
    CHECK(p->below > 0);
    window_turn(state, WINDOW_SLICES, p->window, ask->now);
    return window->sums[FAILURE_RATIO_FAILURES] < p->below * window->sums[FAILURE_RATIO_ALL];
}

static bool failure_ratio_watches(const void *params) {
    CHECK(params != NULL);
    return true;
}

static const Param failure_ratio_params[] = {
    {"below", PARAM_RATIO, offsetof(FailureRatioParams, below), .preset = "10%", .above_min = true,
     .max = 10, .doc = "Retries go out while failed attempts are a smaller share than this."},
    {"window", PARAM_DURATION, offsetof(FailureRatioParams, window), .preset = "10s", .min = 0.001,
     .max = SIM_TIME_S_MAX, .may_be_unlimited = true,
     .doc = "How far back it looks; none: to the start."},
    {"of", PARAM_CHOICE, offsetof(FailureRatioParams, of), .preset = "attempts",
     .choices = "attempts|calls",
     .doc = "Whether failed attempts are taken as a share of all that have ended, or of the calls "
            "that have begun."},
};

static const BudgetOps failure_ratio_ops = {.on_begin = failure_ratio_on_begin,
                                            .on_attempt = failure_ratio_on_attempt,
                                            .take = failure_ratio_take,
                                            .watches = failure_ratio_watches};

const Kind budget_failure_ratio = {
    .family = FAMILY_RETRY_BUDGET,
    .name = "failure_ratio",
    .doc = "No retries while a larger share of attempts fails (Yandex's retry circuit breaker).",
    .params = failure_ratio_params,
    .param_count = PARAM_COUNT_OF(failure_ratio_params),
    .params_size = sizeof(FailureRatioParams),
    .state_size = WINDOW_SIZE(WINDOW_SLICES),
    .ops = &failure_ratio_ops,
};
