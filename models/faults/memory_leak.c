#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct MemoryLeakParams {
    FaultPlace place;
    bool has_per_request, has_per_s, has_restart, has_slow;
    double per_request_bytes, per_s_bytes;
    double capacity_bytes;
    SimTime restart;
    bool is_known;
    double slow_from; /* of the capacity */
    double slow_x;
} MemoryLeakParams;

typedef struct MemoryLeakState {
    double leaked_bytes; /* by requests since its process began */
    bool is_hit, is_slow;
} MemoryLeakState;

static void memory_leak_apply(const void *params, Levers *levers) {
    const MemoryLeakParams *p = params;
    const MemoryLeakState *states = levers->states;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(states != NULL);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->is_watched |= p->has_per_request;
        at->work_x *= states[fault_walk_place(&walk)].is_slow ? p->slow_x : 1;
    }
}

/* When so many bytes have leaked that leak with time. */
static SimTime memory_leak_after(const MemoryLeakParams *p, double bytes) {
    CHECK(p->per_s_bytes > 0);
    return time_from_s(bytes / p->per_s_bytes);
}

static void memory_leak_set_slow(World *world, uint32_t fault, uint32_t place, bool is_slow) {
    MemoryLeakState *state = fault_state(world, fault, place);
    CHECK(state->is_hit);
    if (state->is_slow != is_slow) {
        state->is_slow = is_slow;
        queue_push(&world->queue, world->now, EVENT_levers, fault_replica(world, fault, place));
    }
}

/* A process has leaked nothing yet. */
static void memory_leak_start(World *world, uint32_t fault, uint32_t place) {
    const MemoryLeakParams *p = fault_params(world, fault);
    MemoryLeakState *state = fault_state(world, fault, place);
    CHECK(state->is_hit);
    state->leaked_bytes = 0;
    memory_leak_set_slow(world, fault, place, false);
    if (p->has_per_s) {
        double bytes = p->capacity_bytes * (p->has_slow ? p->slow_from : 1);
        fault_wake_at(world, fault, place, world->now + memory_leak_after(p, bytes));
    }
}

static void memory_leak_turn(World *world, uint32_t fault) {
    CHECK(world->model->faults[fault].place_count > 0);
    if (!world->faults[fault].is_on) {
        return;
    }
    FaultWalk walk = fault_walk_now(world, fault);
    while (fault_walk_next(&walk) != NULL) {
        MemoryLeakState *state = fault_state(world, fault, fault_walk_place(&walk));
        state->is_hit = true;
        memory_leak_start(world, fault, fault_walk_place(&walk));
    }
}

static void memory_leak_process(World *world, uint32_t fault, uint32_t place) {
    const MemoryLeakState *state = fault_state(world, fault, place);
    CHECK(world->faults[fault].is_on);
    if (state->is_hit) {
        memory_leak_start(world, fault, place);
    }
}

static void memory_leak_full(World *world, uint32_t fault, uint32_t place) {
    const MemoryLeakParams *p = fault_params(world, fault);
    CHECK(p->capacity_bytes > 0);
    Breakdown breakdown = {.restart = p->has_restart ? p->restart : SIM_TIME_NEVER,
                           .is_known = p->is_known};
    fault_break(world, fault, place, breakdown);
}

/* First it slows, if it does, then it is full. */
static void memory_leak_timer(World *world, uint32_t fault, uint32_t place) {
    const MemoryLeakParams *p = fault_params(world, fault);
    const MemoryLeakState *state = fault_state(world, fault, place);
    CHECK(p->has_per_s);
    if (p->has_slow && !state->is_slow) {
        memory_leak_set_slow(world, fault, place, true);
        SimTime left = memory_leak_after(p, p->capacity_bytes * (1 - p->slow_from));
        fault_wake_at(world, fault, place, world->now + left);
    } else {
        memory_leak_full(world, fault, place);
    }
}

static bool memory_leak_fails(World *world, uint32_t fault, uint32_t attempt) {
    const MemoryLeakParams *p = fault_params(world, fault);
    uint32_t place = fault_place_of(world, fault, attempt);
    MemoryLeakState *state = fault_state(world, fault, place);
    CHECK(world->faults[fault].is_on);
    if (state->is_hit && p->has_per_request) {
        state->leaked_bytes += p->per_request_bytes;
        if (p->has_slow && !state->is_slow &&
            state->leaked_bytes >= p->slow_from * p->capacity_bytes) {
            memory_leak_set_slow(world, fault, place, true);
        }
        if (state->leaked_bytes >= p->capacity_bytes) {
            memory_leak_full(world, fault, place);
        }
    }
    return false;
}

static bool memory_leak_check(const void *params, Error *error) {
    const MemoryLeakParams *p = params;
    if (p->has_per_request == p->has_per_s) {
        return error_set(error, "it leaks with requests or with time: give one of 'per_request' "
                                "and 'per_s'");
    }
    return p->has_slow == (p->slow_x != 1) ||
           error_set(error, "'slow_from' and 'slow_x' go together: from where on work is slower, "
                            "and how much");
}

static const Param memory_leak_params[] = {
    FAULT_PLACE_PARAMS,
    {"per_request", PARAM_BYTES, offsetof(MemoryLeakParams, per_request_bytes), .above_min = true,
     .max = 1e15, .is_optional = true, .has_offset = offsetof(MemoryLeakParams, has_per_request),
     .doc = "What each attempt leaks when its work starts; give this or `per_s`."},
    {"per_s", PARAM_BYTES, offsetof(MemoryLeakParams, per_s_bytes), .above_min = true, .max = 1e15,
     .is_optional = true, .has_offset = offsetof(MemoryLeakParams, has_per_s),
     .doc = "What leaks in a second, whether there is work or not."},
    {"capacity", PARAM_BYTES, offsetof(MemoryLeakParams, capacity_bytes), .above_min = true,
     .max = 1e15, .doc = "What may have leaked at one replica before it crashes."},
    {"restart", PARAM_DURATION, offsetof(MemoryLeakParams, restart), .above_min = true,
     .max = SIM_TIME_S_MAX, .is_optional = true,
     .has_offset = offsetof(MemoryLeakParams, has_restart),
     .doc = "When the process is back, with its memory free; left out: never."},
    {"known", PARAM_FLAG, offsetof(MemoryLeakParams, is_known), .preset = "false",
     .doc = "Whether routers know at once and send nothing there until it serves again."},
    {"slow_from", PARAM_RATIO, offsetof(MemoryLeakParams, slow_from), .above_min = true, .max = 1,
     .is_optional = true, .has_offset = offsetof(MemoryLeakParams, has_slow),
     .doc = "From this share of the capacity on work takes `slow_x` times as long (swapping, "
            "garbage collection); left out: it does not slow."},
    {"slow_x", PARAM_NUMBER, offsetof(MemoryLeakParams, slow_x), .preset = "1", .min = 1,
     .max = 1e6, .doc = "How much longer work takes that starts then."},
};

static const FaultOps memory_leak_ops = {.apply = memory_leak_apply,
                                         .is_at = fault_place_is_at,
                                         .has_replicas = true,
                                         .on_turn = memory_leak_turn,
                                         .on_timer = memory_leak_timer,
                                         .on_process = memory_leak_process,
                                         .fails = memory_leak_fails};

const Kind fault_memory_leak = {
    .family = FAMILY_FAULT,
    .name = "memory_leak",
    .doc = "Replicas lose memory until it is full; then they crash, and begin anew.",
    .params = memory_leak_params,
    .param_count = PARAM_COUNT_OF(memory_leak_params),
    .params_size = sizeof(MemoryLeakParams),
    .state_size = sizeof(MemoryLeakState),
    .ops = &memory_leak_ops,
    .check = memory_leak_check,
};
