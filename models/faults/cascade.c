#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

typedef struct CascadeParams {
    uint32_t service;
    double probability;
    Dist delay; /* seconds */
    bool has_restart;
    SimTime restart;
    bool is_known;
} CascadeParams;

static void cascade_turn(World *world, uint32_t fault) {
    CHECK(world->model->faults[fault].place_count > 0);
    world->faults[fault].touched_count = 0;
}

/* Draws belong to the fault's k-th crash: others than these shift nobody's. */
static void cascade_pull(World *world, uint32_t fault, uint32_t neighbour, uint32_t side) {
    const CascadeParams *p = fault_params(world, fault);
    FaultState *state = &world->faults[fault];
    Rng rng = drawn_by(&state->key, state->touched_count, side, DRAW_LUCK);
    CHECK(neighbour < world->model->faults[fault].place_count);
    bool is_pulled = rng_uniform(&rng) < p->probability;
    if (is_pulled && world->replicas[fault_replica(world, fault, neighbour)].has_process &&
        !fault_will_wake(world, fault, neighbour)) {
        fault_wake_at(world, fault, neighbour,
                      world->now + time_from_s(dist_draw(&p->delay, &rng)));
    }
}

static void cascade_down(World *world, uint32_t fault, uint32_t place) {
    CHECK(world->faults[fault].is_on);
    world->faults[fault].touched_count++;
    if (place > 0) {
        cascade_pull(world, fault, place - 1, 0);
    }
    if (place + 1 < world->model->faults[fault].place_count) {
        cascade_pull(world, fault, place + 1, 1);
    }
}

static void cascade_timer(World *world, uint32_t fault, uint32_t place) {
    const CascadeParams *p = fault_params(world, fault);
    CHECK(p->probability > 0);
    Breakdown breakdown = {.restart = p->has_restart ? p->restart : SIM_TIME_NEVER,
                           .is_known = p->is_known};
    fault_break(world, fault, place, breakdown);
}

static bool cascade_is_at(const void *params, const Model *model, uint32_t component) {
    const CascadeParams *p = params;
    return model_service_component(model, p->service) == component;
}

static const Param cascade_params[] = {
    {"service", PARAM_SERVICE, offsetof(CascadeParams, service), .doc = "Where."},
    {"probability", PARAM_RATIO, offsetof(CascadeParams, probability), .above_min = true, .max = 1,
     .doc = "That a replica which goes down, for whatever reason, takes a neighbour with it: for "
            "each of the two next to it, by index."},
    {"delay", PARAM_DIST, offsetof(CascadeParams, delay), .unit = "s", .preset = "0s",
     .doc = "How long after it."},
    {"restart", PARAM_DURATION, offsetof(CascadeParams, restart), .above_min = true,
     .max = SIM_TIME_S_MAX, .is_optional = true, .has_offset = offsetof(CascadeParams, has_restart),
     .doc = "When the process of one that was taken along is back; left out: never."},
    {"known", PARAM_FLAG, offsetof(CascadeParams, is_known), .preset = "false",
     .doc = "Whether routers know at once and send nothing there until it serves again."},
};

static const FaultOps cascade_ops = {.is_at = cascade_is_at,
                                     .has_replicas = true,
                                     .on_turn = cascade_turn,
                                     .on_timer = cascade_timer,
                                     .on_down = cascade_down};

const Kind fault_cascade = {
    .family = FAMILY_FAULT,
    .name = "cascade",
    .doc = "While it is on, a replica that goes down may pull its neighbours down, and these "
           "theirs: a rack, a shared disk, a ring.",
    .params = cascade_params,
    .param_count = PARAM_COUNT_OF(cascade_params),
    .params_size = sizeof(CascadeParams),
    .ops = &cascade_ops,
};
