#include "models/clients/clients.h"
#include "sim/check.h"

typedef struct FixedParams {
    uint32_t max_attempts;
    Dist delay;
} FixedParams;

static uint32_t fixed_max_attempts(const void *params) {
    const FixedParams *p = params;
    CHECK(p->max_attempts > 0);
    return p->max_attempts;
}

static SimTime fixed_delay(const void *params, const RetryView *view) {
    const FixedParams *p = params;
    CHECK(view->tries > 0);
    Rng rng = view->draw(view, view->tries);
    return time_from_s(dist_draw(&p->delay, &rng));
}

static const Param fixed_params[] = {
    {"max_attempts", PARAM_COUNT, offsetof(FixedParams, max_attempts), .preset = "3", .min = 1,
     .max = 60000, .may_be_unlimited = true, .doc = "Attempts in all, the first included."},
    {"delay", PARAM_DIST, offsetof(FixedParams, delay), .preset = "0s", .unit = "s",
     .doc = "Wait between a failure and the next attempt."},
};

static const RetryOps fixed_ops = {.max_attempts = fixed_max_attempts, .delay = fixed_delay};

const Kind retry_fixed = {
    .family = FAMILY_RETRY,
    .name = "fixed",
    .doc = "Tries again after the same wait each time, which may be a distribution; 0s retries at "
           "once.",
    .params = fixed_params,
    .param_count = PARAM_COUNT_OF(fixed_params),
    .params_size = sizeof(FixedParams),
    .ops = &fixed_ops,
};
