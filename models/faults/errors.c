#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct ErrorsParams {
    FaultPlace place;
    double ratio;
    SimTime after, retry_after;
    bool has_retry_after;
} ErrorsParams;

static void errors_apply(const void *params, Levers *levers) {
    const ErrorsParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(p->ratio >= 0 && p->ratio <= 1);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        /* Two such faults at once fail independently; the later one says when. */
        at->error_ratio = 1 - (1 - at->error_ratio) * (1 - p->ratio);
        at->error_after = p->after;
        at->error_retry_after_ms = p->has_retry_after ? retry_after_ms(p->retry_after) : 0;
    }
}

static const Param errors_params[] = {
    FAULT_PLACE_PARAMS,
    {"ratio", PARAM_RATIO, offsetof(ErrorsParams, ratio), .preset = "100%", .above_min = true,
     .max = 1, .doc = "Share of attempts that fail."},
    {"after", PARAM_DURATION, offsetof(ErrorsParams, after), .preset = "work",
     .max = SIM_TIME_S_MAX, .may_be_unlimited = true, .never_word = "work",
     .doc = "How long a failing attempt takes: its full work, or a time (0s fails fast)."},
    {"retry_after", PARAM_DURATION, offsetof(ErrorsParams, retry_after), .min = 0.001, .max = 1e6,
     .is_optional = true, .has_offset = offsetof(ErrorsParams, has_retry_after),
     .may_be_unlimited = true, .never_word = "never",
     .doc = "What the failure asks its caller to wait before a retry (a Retry-After header, a "
            "push-back), or never to retry; whoever listens: `retry_after` of a call. Left out: "
            "nothing."},
};

static const FaultOps errors_ops = {.apply = errors_apply, .is_at = fault_place_is_at};

const Kind fault_errors = {
    .family = FAMILY_FAULT,
    .name = "errors",
    .doc = "A share of the attempts that start service end in an error.",
    .params = errors_params,
    .param_count = PARAM_COUNT_OF(errors_params),
    .params_size = sizeof(ErrorsParams),
    .ops = &errors_ops,
};
