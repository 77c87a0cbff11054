#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

typedef struct RestartParams {
    uint32_t service;
    CountList order; /* replicas; empty: all, by index */
    double rate_per_s;
    SimTime lasts;
} RestartParams;

typedef struct RestartState {
    uint32_t done; /* so many of the order */
} RestartState;

static uint32_t restart_count(const RestartParams *p, const Model *model) {
    CHECK(p->service < model->service_count);
    return p->order.count > 0 ? p->order.count : model->services[p->service].replica_count;
}

static void restart_next(World *world, uint32_t action) {
    const RestartParams *p = fault_params(world, action);
    RestartState *state = fault_state(world, action, 0);
    uint32_t place = p->order.count > 0 ? p->order.items[state->done] : state->done;
    const Service *service = &world->model->services[p->service];
    CHECK(place < service->replica_count);
    state->done++;
    levers_restart(world, service->replica_first + place, p->lasts,
                   world->model->faults[action].label);
    SimTime pause = time_from_s(1 / p->rate_per_s);
    fault_wake_at(world, action, 0, world->now + (pause > 0 ? pause : 1));
}

static void restart_turn(World *world, uint32_t action) {
    const RestartState *state = fault_state(world, action, 0);
    CHECK(state->done == 0);
    if (world->faults[action].is_on) {
        restart_next(world, action);
    }
}

static void restart_timer(World *world, uint32_t action, uint32_t place) {
    const RestartParams *p = fault_params(world, action);
    const RestartState *state = fault_state(world, action, place);
    CHECK(place == 0);
    if (state->done < restart_count(p, world->model)) {
        restart_next(world, action);
    } else {
        fault_end(world, action);
    }
}

static bool restart_check(const void *params, const Model *model, Error *error) {
    const RestartParams *p = params;
    const Service *service = &model->services[p->service];
    for (uint32_t i = 0; i < p->order.count; i++) {
        if (p->order.items[i] >= service->replica_count) {
            return error_set(error, "'order' names replica %u, but '%s' has %u of them, from 0 on",
                             p->order.items[i], service->name, service->replica_count);
        }
    }
    CHECK(p->rate_per_s > 0);
    return true;
}

static const Param restart_params[] = {
    {"service", PARAM_SERVICE, offsetof(RestartParams, service), .doc = "Whose replicas."},
    {"order", PARAM_COUNTS, offsetof(RestartParams, order), .preset = "[]", .max = 99999,
     .doc = "Which of them, one after the other, by index from 0; empty: all of them by index."},
    {"rate", PARAM_RATE, offsetof(RestartParams, rate_per_s), .preset = "1000000/s",
     .above_min = true, .max = 1e6,
     .doc = "How many are restarted in a time (300/h); left out: all at once."},
    {"down", PARAM_DURATION, offsetof(RestartParams, lasts), .preset = "30s", .min = 0.001,
     .max = SIM_TIME_S_MAX,
     .doc = "How long one is down until its process is back; a model is loaded after that."},
};

static const FaultOps restart_ops = {
    .on_turn = restart_turn, .on_timer = restart_timer, .check = restart_check};

const Kind action_restart = {
    .family = FAMILY_ACTION,
    .name = "restart",
    .doc = "Restarts replicas in a given order at a given rate: what they do and what waits there "
           "is lost, memory and caches are empty, and what a restart cures is over.",
    .params = restart_params,
    .param_count = PARAM_COUNT_OF(restart_params),
    .params_size = sizeof(RestartParams),
    .state_size = sizeof(RestartState),
    .ops = &restart_ops,
};
