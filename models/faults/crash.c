#include "models/faults/fault.h"
#include "sim/check.h"

typedef enum CrashMode { CRASH_REFUSE, CRASH_BLACKHOLE } CrashMode;

typedef struct CrashParams {
    FaultPlace place;
    bool has_restart;
    SimTime restart;
    uint8_t mode;
    bool is_known;
} CrashParams;

static void crash_apply(const void *params, Levers *levers) {
    const CrashParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(walk.left > 0);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->is_up = false;
        at->is_blackhole |= p->mode == CRASH_BLACKHOLE;
        at->is_known_down |= p->is_known;
    }
}

static SimTime crash_lasts(const void *params) {
    const CrashParams *p = params;
    CHECK(p->restart >= 0);
    return p->has_restart ? p->restart : SIM_TIME_NEVER;
}

static const Param crash_params[] = {
    FAULT_PLACE_PARAMS,
    {"restart", PARAM_DURATION, offsetof(CrashParams, restart), .above_min = true,
     .max = SIM_TIME_S_MAX, .is_optional = true, .has_offset = offsetof(CrashParams, has_restart),
     .doc = "When they are back, counted from the crash; left out: after the fault's `for`."},
    {"mode", PARAM_CHOICE, offsetof(CrashParams, mode), .preset = "refuse",
     .choices = "refuse|blackhole",
     .doc = "refuse: callers get an error at once, also for work in progress; blackhole: silence."},
    {"known", PARAM_FLAG, offsetof(CrashParams, is_known), .preset = "false",
     .doc = "Whether routers know at once and send nothing there."},
};

static const FaultOps crash_ops = {
    .apply = crash_apply, .lasts = crash_lasts, .is_at = fault_place_is_at};

const Kind fault_crash = {
    .family = FAMILY_FAULT,
    .name = "crash",
    .doc = "Replicas go down; what they were doing and what waited there is lost.",
    .params = crash_params,
    .param_count = PARAM_COUNT_OF(crash_params),
    .params_size = sizeof(CrashParams),
    .ops = &crash_ops,
};
