#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct KvCapacityParams {
    FaultPlace place;
    double to;
} KvCapacityParams;

static void kv_capacity_apply(const void *params, Levers *levers) {
    const KvCapacityParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(p->to >= 0 && p->to <= 1);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->kv_ratio *= p->to;
    }
}

static const Param kv_capacity_params[] = {
    FAULT_PLACE_PARAMS,
    {"to", PARAM_RATIO, offsetof(KvCapacityParams, to), .max = 1,
     .doc = "Share of the KV blocks that is left; sequences are preempted until the rest fits."},
};

static const FaultOps kv_capacity_ops = {
    .apply = kv_capacity_apply, .is_at = fault_place_is_at, .check = fault_place_has_tokens};

const Kind fault_kv_capacity = {
    .family = FAMILY_FAULT,
    .name = "kv_capacity",
    .doc = "Inference replicas lose KV blocks: memory leaks, or is taken by a neighbour.",
    .params = kv_capacity_params,
    .param_count = PARAM_COUNT_OF(kv_capacity_params),
    .params_size = sizeof(KvCapacityParams),
    .ops = &kv_capacity_ops,
};
