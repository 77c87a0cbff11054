#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct CapacityParams {
    FaultPlace place;
    uint32_t to;
} CapacityParams;

static void capacity_apply(const void *params, Levers *levers) {
    const CapacityParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(walk.left > 0);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->slots = p->to < at->slots ? p->to : at->slots;
    }
}

static const Param capacity_params[] = {
    FAULT_PLACE_PARAMS,
    {"to", PARAM_COUNT, offsetof(CapacityParams, to), .max = 4e9,
     .doc = "Slots per replica while it is on; more than there are changes nothing."},
};

static const FaultOps capacity_ops = {.apply = capacity_apply, .is_at = fault_place_is_at};

const Kind fault_capacity = {
    .family = FAMILY_FAULT,
    .name = "capacity",
    .doc = "Replicas lose slots; the service's `on_capacity_loss` says what becomes of running "
           "work.",
    .params = capacity_params,
    .param_count = PARAM_COUNT_OF(capacity_params),
    .params_size = sizeof(CapacityParams),
    .ops = &capacity_ops,
};
