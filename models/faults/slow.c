#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct SlowParams {
    FaultPlace place;
    double x;
} SlowParams;

static void slow_apply(const void *params, Levers *levers) {
    const SlowParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(p->x > 0);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->work_x *= p->x;
    }
}

static const Param slow_params[] = {
    FAULT_PLACE_PARAMS,
    {"x", PARAM_NUMBER, offsetof(SlowParams, x), .above_min = true, .max = 1e6,
     .doc = "What the work is multiplied by; 10 is ten times slower."},
};

static const FaultOps slow_ops = {.apply = slow_apply, .is_at = fault_place_is_at};

const Kind fault_slow = {
    .family = FAMILY_FAULT,
    .name = "slow",
    .doc = "Work that starts while it is on takes longer.",
    .params = slow_params,
    .param_count = PARAM_COUNT_OF(slow_params),
    .params_size = sizeof(SlowParams),
    .ops = &slow_ops,
};
