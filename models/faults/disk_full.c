#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

typedef struct DiskFullParams {
    FaultPlace place;
    double writes;
    bool has_per_write;
    double per_write_bytes, free_bytes;
    SimTime after;
} DiskFullParams;

typedef struct DiskFullState {
    double written_bytes;
    bool is_hit;
} DiskFullState;

static void disk_full_apply(const void *params, Levers *levers) {
    const DiskFullParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(walk.left > 0);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->is_watched = true;
        at->error_after = p->after;
    }
}

static void disk_full_turn(World *world, uint32_t fault) {
    CHECK(world->model->faults[fault].place_count > 0);
    FaultWalk walk = fault_walk_now(world, fault);
    while (world->faults[fault].is_on && fault_walk_next(&walk) != NULL) {
        DiskFullState *state = fault_state(world, fault, fault_walk_place(&walk));
        state->is_hit = true;
    }
}

/* Whether it writes belongs to the call: all its attempts do, or none. */
static bool disk_full_fails(World *world, uint32_t fault, uint32_t attempt) {
    const DiskFullParams *p = fault_params(world, fault);
    const Call *call = world_call(world, world_attempt(world, attempt)->call);
    DiskFullState *state = fault_state(world, fault, fault_place_of(world, fault, attempt));
    CHECK(p->writes > 0);
    if (!state->is_hit) {
        return false;
    }
    Rng rng = drawn_by(&world->faults[fault].key, call->key, call->path, DRAW_LUCK);
    if (rng_uniform(&rng) >= p->writes) {
        return false;
    }
    if (!p->has_per_write || state->written_bytes + p->per_write_bytes > p->free_bytes) {
        return true;
    }
    state->written_bytes += p->per_write_bytes;
    return false;
}

static bool disk_full_check(const void *params, Error *error) {
    const DiskFullParams *p = params;
    return p->has_per_write == (p->free_bytes > 0) ||
           error_set(error, "'free' and 'per_write' go together: what is left on the disk, and "
                            "what a write takes of it");
}

static const Param disk_full_params[] = {
    FAULT_PLACE_PARAMS,
    {"writes", PARAM_RATIO, offsetof(DiskFullParams, writes), .preset = "100%", .above_min = true,
     .max = 1, .doc = "Share of the calls whose work writes; the others do not notice."},
    {"free", PARAM_BYTES, offsetof(DiskFullParams, free_bytes), .preset = "0B", .max = 1e15,
     .doc = "What is left on the disk of each replica when it begins."},
    {"per_write", PARAM_BYTES, offsetof(DiskFullParams, per_write_bytes), .above_min = true,
     .max = 1e15, .is_optional = true, .has_offset = offsetof(DiskFullParams, has_per_write),
     .doc = "What a write takes of it."},
    {"after", PARAM_DURATION, offsetof(DiskFullParams, after), .preset = "work",
     .max = SIM_TIME_S_MAX, .may_be_unlimited = true, .never_word = "work",
     .doc = "How long work takes that fails: its full work, or a time (0s fails fast)."},
};

static const FaultOps disk_full_ops = {.apply = disk_full_apply,
                                       .is_at = fault_place_is_at,
                                       .has_replicas = true,
                                       .on_turn = disk_full_turn,
                                       .fails = disk_full_fails};

const Kind fault_disk_full = {
    .family = FAMILY_FAULT,
    .name = "disk_full",
    .doc = "There is no room on the disk, or soon none: work that writes ends in an error.",
    .params = disk_full_params,
    .param_count = PARAM_COUNT_OF(disk_full_params),
    .params_size = sizeof(DiskFullParams),
    .state_size = sizeof(DiskFullState),
    .ops = &disk_full_ops,
    .check = disk_full_check,
};
