#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct PoisonConfigParams {
    FaultPlace place;
    SimTime after;
    SimTime backoff, backoff_max, backoff_reset;
    bool is_known;
} PoisonConfigParams;

typedef struct PoisonConfigState {
    SimTime backoff;  /* after its last crash; 0: there was none */
    SimTime began_at; /* its process */
    bool is_hit;
} PoisonConfigState;

/* The process reads the configuration, and will crash of it. */
static void poison_config_read(World *world, uint32_t fault, uint32_t place) {
    const PoisonConfigParams *p = fault_params(world, fault);
    PoisonConfigState *state = fault_state(world, fault, place);
    CHECK(state->is_hit);
    state->began_at = world->now;
    fault_wake_at(world, fault, place, world->now + p->after);
}

static void poison_config_turn(World *world, uint32_t fault) {
    CHECK(world->model->faults[fault].place_count > 0);
    if (!world->faults[fault].is_on) {
        return;
    }
    FaultWalk walk = fault_walk_now(world, fault);
    while (fault_walk_next(&walk) != NULL) {
        PoisonConfigState *state = fault_state(world, fault, fault_walk_place(&walk));
        state->is_hit = true;
        poison_config_read(world, fault, fault_walk_place(&walk));
    }
}

static void poison_config_process(World *world, uint32_t fault, uint32_t place) {
    const PoisonConfigState *state = fault_state(world, fault, place);
    CHECK(world->faults[fault].is_on);
    if (state->is_hit) {
        poison_config_read(world, fault, place);
    }
}

/* CrashLoopBackOff: 10 s, 20 s, 40 s … 300 s, from the start again after ten minutes of work. */
static void poison_config_timer(World *world, uint32_t fault, uint32_t place) {
    const PoisonConfigParams *p = fault_params(world, fault);
    PoisonConfigState *state = fault_state(world, fault, place);
    CHECK(p->backoff > 0 && p->backoff <= p->backoff_max);
    if (!world->replicas[fault_replica(world, fault, place)].has_process) {
        return;
    }
    if (state->backoff == 0 || world->now - state->began_at >= p->backoff_reset) {
        state->backoff = p->backoff;
    } else {
        state->backoff = state->backoff <= p->backoff_max / 2 ? 2 * state->backoff : p->backoff_max;
    }
    fault_break(world, fault, place,
                (Breakdown){.restart = state->backoff, .is_known = p->is_known});
}

static bool poison_config_check(const void *params, Error *error) {
    const PoisonConfigParams *p = params;
    return p->backoff <= p->backoff_max ||
           error_set(error, "'backoff' is above 'backoff_max', which it doubles up to");
}

/* The defaults are the kubelet's (kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "How
 * Pods handle problems with containers"). */
static const Param poison_config_params[] = {
    FAULT_PLACE_PARAMS,
    {"after", PARAM_DURATION, offsetof(PoisonConfigParams, after), .preset = "1s",
     .max = SIM_TIME_S_MAX,
     .doc = "How long a process runs with the configuration, loading included, before it crashes."},
    {"backoff", PARAM_DURATION, offsetof(PoisonConfigParams, backoff), .preset = "10s",
     .min = 0.001, .max = SIM_TIME_S_MAX,
     .doc = "How long the first restart is put off; twice as long each further one."},
    {"backoff_max", PARAM_DURATION, offsetof(PoisonConfigParams, backoff_max), .preset = "5min",
     .min = 0.001, .max = SIM_TIME_S_MAX, .doc = "The longest that a restart is put off."},
    {"backoff_reset", PARAM_DURATION, offsetof(PoisonConfigParams, backoff_reset),
     .preset = "10min", .above_min = true, .max = SIM_TIME_S_MAX,
     .doc = "A process that ran for so long is put off as if it were the first."},
    {"known", PARAM_FLAG, offsetof(PoisonConfigParams, is_known), .preset = "false",
     .doc = "Whether routers know at once and send nothing there until it serves again."},
};

static const FaultOps poison_config_ops = {.is_at = fault_place_is_at,
                                           .has_replicas = true,
                                           .on_turn = poison_config_turn,
                                           .on_timer = poison_config_timer,
                                           .on_process = poison_config_process};

const Kind fault_poison_config = {
    .family = FAMILY_FAULT,
    .name = "poison_config",
    .doc = "A configuration of which every process crashes that reads it, now or when it starts: a "
           "crash loop, until it is rolled back; who waits for his restart then waits on.",
    .params = poison_config_params,
    .param_count = PARAM_COUNT_OF(poison_config_params),
    .params_size = sizeof(PoisonConfigParams),
    .state_size = sizeof(PoisonConfigState),
    .ops = &poison_config_ops,
    .check = poison_config_check,
};
