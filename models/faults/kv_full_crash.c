#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct KvFullCrashParams {
    FaultPlace place;
    bool has_restart;
    SimTime restart;
    bool is_known;
} KvFullCrashParams;

static void kv_full_crash_apply(const void *params, Levers *levers) {
    const KvFullCrashParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(walk.left > 0);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->breaks_when_full = true;
        at->when_full.restart = p->has_restart ? p->restart : SIM_TIME_NEVER;
        at->when_full.is_known = p->is_known;
    }
}

static const Param kv_full_crash_params[] = {
    FAULT_PLACE_PARAMS,
    {"restart", PARAM_DURATION, offsetof(KvFullCrashParams, restart), .above_min = true,
     .max = SIM_TIME_S_MAX, .is_optional = true,
     .has_offset = offsetof(KvFullCrashParams, has_restart),
     .doc = "When the process is back, counted from its crash; left out: never."},
    {"known", PARAM_FLAG, offsetof(KvFullCrashParams, is_known), .preset = "false",
     .doc = "Whether routers know at once and send nothing there until it serves again."},
};

static const FaultOps kv_full_crash_ops = {
    .apply = kv_full_crash_apply, .is_at = fault_place_is_at, .check = fault_place_has_tokens};

const Kind fault_kv_full_crash = {
    .family = FAMILY_FAULT,
    .name = "kv_full_crash",
    .doc = "While it is on, an inference replica that runs out of KV blocks crashes instead of "
           "preempting.",
    .params = kv_full_crash_params,
    .param_count = PARAM_COUNT_OF(kv_full_crash_params),
    .params_size = sizeof(KvFullCrashParams),
    .ops = &kv_full_crash_ops,
};
