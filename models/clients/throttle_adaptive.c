/* Adaptive throttling of Google's "Site Reliability Engineering", chapter 21: the probability to
 * refuse an attempt is max(0, (requests - K accepts) / (requests + 1)). Requests are counted when
 * they are to go out, those refused here included: leaving these out is the usual mistake, which
 * lets the throttle open and close in turn. With half of the attempts accepted and K = 2 nothing is
 * refused; with none accepted all but 1 of (requests + 1). */
#include "models/clients/throttle.h"
#include "models/clients/window.h"
#include "sim/check.h"

typedef struct AdaptiveParams {
    double k, max_reject;
    SimTime window;
    uint32_t protection;
} AdaptiveParams;

enum { ADAPTIVE_REQUESTS, ADAPTIVE_ACCEPTS };

static SimTime adaptive_wait(const void *params, void *state, const ThrottleAsk *ask) {
    const AdaptiveParams *p = params;
    const Window *window = state;
    CHECK(p->k >= 1 && ask->luck >= 0 && ask->luck < 1);
    window_turn(state, WINDOW_SLICES, p->window, ask->now);
    double requests = window->sums[ADAPTIVE_REQUESTS], accepts = window->sums[ADAPTIVE_ACCEPTS];
    double share = (requests - p->protection - p->k * accepts) / (requests + 1);
    window_add(state, WINDOW_SLICES, ADAPTIVE_REQUESTS);
    return ask->luck < (share < p->max_reject ? share : p->max_reject) ? SIM_TIME_NEVER : 0;
}

static void adaptive_hears(const void *params, void *state, const AttemptResult *result) {
    const AdaptiveParams *p = params;
    CHECK(p->window > 0);
    window_turn(state, WINDOW_SLICES, p->window, result->now);
    if (result->outcome == OUTCOME_OK) {
        window_add(state, WINDOW_SLICES, ADAPTIVE_ACCEPTS);
    }
}

static const Param adaptive_params[] = {
    {"k", PARAM_NUMBER, offsetof(AdaptiveParams, k), .preset = "2", .min = 1, .max = 1000,
     .doc = "K: attempts are refused once there are more than K for each that is answered well."},
    {"window", PARAM_DURATION, offsetof(AdaptiveParams, window), .preset = "2min", .min = 0.001,
     .max = SIM_TIME_S_MAX, .doc = "How far back it looks."},
    {"max_reject", PARAM_RATIO, offsetof(AdaptiveParams, max_reject), .preset = "100%",
     .above_min = true, .max = 1, .doc = "The largest probability to refuse (Finagle: 75%)."},
    {"protection", PARAM_COUNT, offsetof(AdaptiveParams, protection), .preset = "0", .max = 1e6,
     .doc = "So many attempts of the window are overlooked (go-zero: 5)."},
};

static const ThrottleOps adaptive_ops = {.wait = adaptive_wait, .hears = adaptive_hears};

const Kind throttle_adaptive = {
    .family = FAMILY_CLIENT_THROTTLE,
    .name = "adaptive",
    .doc = "Refuses a share of its attempts by itself when too few are answered well (Google SRE, "
           "go-zero, Finagle's nack admission).",
    .params = adaptive_params,
    .param_count = PARAM_COUNT_OF(adaptive_params),
    .params_size = sizeof(AdaptiveParams),
    .state_size = WINDOW_SIZE(WINDOW_SLICES),
    .ops = &adaptive_ops,
};
