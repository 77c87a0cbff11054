/* The life of faults: they begin, end and recur; and what those that are on see and do, which have
 * a life of their own. */
#include <string.h>

#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

/* ---- They begin and end */

static void schedule_fault(World *world, uint32_t index, SimTime delay) {
    CHECK(delay >= 0);
    bool is_action = index >= world->model->fault_count;
    if (delay < SIM_TIME_NEVER - world->now) {
        world->faults[index].timer =
            is_action ? push(world, delay, EVENT_action, index - world->model->fault_count)
                      : push(world, delay, EVENT_fault, index);
    }
}

static SimTime fault_lasts(World *world, uint32_t index) {
    const Fault *fault = &world->model->faults[index];
    const FaultOps *ops = fault->fault.kind->ops;
    SimTime own = ops->lasts != NULL ? ops->lasts(fault->fault.params) : SIM_TIME_NEVER;
    if (own != SIM_TIME_NEVER || !fault->has_lasts) {
        return own;
    }
    CHECK(fault->has_lasts);
    return time_from_s(dist_draw(&fault->lasts, &world->faults[index].stream));
}

size_t fault_cured_size(const Model *model, uint32_t index) {
    const Fault *fault = &model->faults[index];
    CHECK(fault->fault.kind != NULL);
    return fault->cured_by == CURED_BY_NONE
               ? 0
               : model->services[((const FaultPlace *)fault->fault.params)->service].replica_count;
}

/* What is kept of it begins anew, or has been of use. */
static void reset_places(World *world, uint32_t index) {
    const Fault *fault = &world->model->faults[index];
    size_t size = (size_t)fault->fault.kind->state_size * fault->place_count;
    CHECK(fault->place_first + fault->place_count <= world->model->fault_place_count);
    for (uint32_t i = 0; i < fault->place_count; i++) {
        unset(world, &world->fault_timers[fault->place_first + i]);
    }
    if (size > 0) {
        memset(world_state(world, world->faults[index].state), 0, size);
    }
    size_t cured_size = fault_cured_size(world->model, index);
    if (cured_size > 0) {
        memset(world_state(world, world->faults[index].cured), 0, cured_size);
    }
}

/* It is on or off from now on. */
static void turn(World *world, uint32_t index) {
    const Fault *fault = &world->model->faults[index];
    const FaultOps *ops = fault->fault.kind->ops;
    FaultState *state = &world->faults[index];
    bool is_action = index >= world->model->fault_count;
    CHECK(fault->label != NULL);
    unset(world, &state->timer);
    state->is_on = !state->is_on;
    if (state->is_on) {
        state->begun_count++;
        state->begun_at = world->now;
    } else {
        state->ended_at = world->now;
    }
    note_change(world, NONE, NONE,
                is_action      ? state->is_on ? "action_begins" : "action_ends"
                : state->is_on ? "fault_begins"
                               : "fault_ends",
                fault->label);
    reset_places(world, index);
    if (ops->on_turn != NULL) {
        ops->on_turn(world, index);
    }
    levers_recompute(world);
}

/* Some are over as soon as they have begun, and may end themselves. */
void fault_begin(World *world, uint32_t index, SimTime lasts) {
    CHECK(!world->faults[index].is_on);
    uint32_t begun_count = world->faults[index].begun_count + 1;
    turn(world, index);
    if (world->faults[index].is_on && world->faults[index].begun_count == begun_count) {
        schedule_fault(world, index, lasts);
    }
}

void fault_end(World *world, uint32_t index) {
    const Fault *fault = &world->model->faults[index];
    CHECK(world->faults[index].is_on);
    turn(world, index);
    if (fault->is_recurring) {
        schedule_fault(world, index,
                       time_from_s(dist_draw(&fault->every, &world->faults[index].stream)));
    }
}

void on_fault(World *world, uint32_t index) {
    CHECK(index < world->model->fault_count);
    world->faults[index].timer = (EventId){0};
    if (world->faults[index].is_on) {
        fault_end(world, index);
    } else {
        fault_begin(world, index, fault_lasts(world, index));
    }
}

void on_action(World *world, uint32_t index) {
    uint32_t influence = world->model->fault_count + index;
    CHECK(index < world->model->action_count && world->faults[influence].is_on);
    world->faults[influence].timer = (EventId){0};
    fault_end(world, influence);
}

void losses_start(World *world) {
    const Model *model = world->model;
    levers_recompute(world);
    for (uint32_t i = 0; i < model->service_count; i++) {
        losses_count_slots(world, model_service_component(model, i));
    }
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const Fault *fault = &model->faults[i];
        CHECK(fault->has_at || fault->is_recurring);
        if (world->options.is_twin && !fault->is_organic) {
            continue;
        }
        SimTime at = fault->has_at
                         ? fault->at
                         : time_from_s(dist_draw(&fault->every, &world->faults[i].stream));
        schedule_fault(world, i, at);
    }
}

/* ---- A life of their own */

static Rng draw_of_places(const World *world, uint32_t index) {
    const FaultState *state = &world->faults[index];
    CHECK(index < model_influence_count(world->model));
    return drawn_by(&state->key, state->begun_count, 0, DRAW_PLACE);
}

void fault_apply(World *world, uint32_t index) {
    const Component *fault = &world->model->faults[index].fault;
    const FaultOps *ops = fault->kind->ops;
    CHECK(world->faults[index].is_on);
    if (ops->apply != NULL) {
        world->levers.draw = draw_of_places(world, index);
        world->levers.states =
            fault->kind->state_size > 0 ? world_state(world, world->faults[index].state) : NULL;
        world->levers.cured = world->model->faults[index].cured_by == CURED_BY_NONE
                                  ? NULL
                                  : world_state(world, world->faults[index].cured);
        ops->apply(fault->params, &world->levers);
    }
}

FaultWalk fault_walk_now(const World *world, uint32_t index) {
    Levers levers = world->levers;
    CHECK(index < model_influence_count(world->model));
    levers.draw = draw_of_places(world, index);
    levers.cured = NULL;
    return fault_walk(fault_params(world, index), &levers);
}

static EventId *timer_of(const World *world, uint32_t index, uint32_t place) {
    const Fault *fault = &world->model->faults[index];
    CHECK(place < fault->place_count);
    return &world->fault_timers[fault->place_first + place];
}

void fault_wake_at(World *world, uint32_t index, uint32_t place, SimTime at) {
    EventId *timer = timer_of(world, index, place);
    CHECK(at >= world->now &&
          ((const FaultOps *)world->model->faults[index].fault.kind->ops)->on_timer != NULL);
    unset(world, timer);
    if (at < world->model->run.duration) {
        *timer = queue_push(&world->queue, at, EVENT_fault_timer,
                            world->model->faults[index].place_first + place);
    }
}

bool fault_will_wake(const World *world, uint32_t index, uint32_t place) {
    return event_is_set(*timer_of(world, index, place));
}

static uint32_t fault_of_place(const Model *model, uint32_t place) {
    uint32_t index = 0;
    CHECK(place < model->fault_place_count);
    while (place - model->faults[index].place_first >= model->faults[index].place_count) {
        index++;
    }
    return index;
}

void on_fault_timer(World *world, uint32_t place) {
    uint32_t index = fault_of_place(world->model, place);
    const Fault *fault = &world->model->faults[index];
    const FaultOps *ops = fault->fault.kind->ops;
    CHECK(world->faults[index].is_on && place - fault->place_first < fault->place_count);
    world->fault_timers[place] = (EventId){0};
    ops->on_timer(world, index, place - fault->place_first);
}

void fault_break(World *world, uint32_t index, uint32_t place, Breakdown breakdown) {
    uint32_t replica = fault_replica(world, index, place);
    CHECK(world->faults[index].is_on);
    if (world->replicas[replica].has_process) {
        levers_break(world, replica, breakdown, world->model->faults[index].label);
    }
}

/* ---- What they see */

/* Whether the fault is on and has to do with the service; its parameters begin with it. */
static bool befalls(const World *world, uint32_t index, uint32_t service) {
    DCHECK(index < model_influence_count(world->model));
    return world->faults[index].is_on &&
           ((const FaultPlace *)fault_params(world, index))->service == service;
}

void faults_see_process(World *world, uint32_t replica) {
    const Replica *at = &world->replicas[replica];
    for (uint32_t i = 0; i < model_influence_count(world->model); i++) {
        const FaultOps *ops = world->model->faults[i].fault.kind->ops;
        if (ops->on_process != NULL && befalls(world, i, at->service)) {
            CHECK(ops->has_replicas);
            ops->on_process(world, i, replica - world_service_of(world, at)->replica_first);
        }
    }
}

void faults_see_down(World *world, uint32_t replica) {
    const Replica *at = &world->replicas[replica];
    for (uint32_t i = 0; i < model_influence_count(world->model); i++) {
        const FaultOps *ops = world->model->faults[i].fault.kind->ops;
        if (ops->on_down != NULL && befalls(world, i, at->service)) {
            CHECK(ops->has_replicas);
            ops->on_down(world, i, replica - world_service_of(world, at)->replica_first);
        }
    }
}

const char *faults_see_arrival(World *world, uint32_t slot) {
    uint32_t service = world->replicas[world_attempt(world, slot)->replica].service;
    const char *why = NULL;
    CHECK(service < world->model->service_count);
    for (uint32_t i = 0; i < model_influence_count(world->model) && why == NULL; i++) {
        const FaultOps *ops = world->model->faults[i].fault.kind->ops;
        if (ops->refuses != NULL && befalls(world, i, service)) {
            why = ops->refuses(world, i, slot);
        }
    }
    return why;
}

/* Who was preempted and starts again is no new work. */
void faults_see_start(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t service = world->replicas[attempt->replica].service;
    CHECK(attempt->state == ATTEMPT_SERVING);
    for (uint32_t i = 0; i < model_influence_count(world->model) && !attempt->is_returned; i++) {
        const FaultOps *ops = world->model->faults[i].fault.kind->ops;
        if (ops->fails != NULL && befalls(world, i, service) && ops->fails(world, i, slot)) {
            attempt->outcome = OUTCOME_ERROR;
        }
    }
}

void faults_cure(World *world, uint32_t replica) {
    const Replica *at = &world->replicas[replica];
    CHECK(replica < world->model->replica_count);
    for (uint32_t i = 0; i < world->model->fault_count; i++) {
        if (world->model->faults[i].cured_by != CURED_BY_RESTART ||
            !befalls(world, i, at->service)) {
            continue;
        }
        uint8_t *cured = world_state(world, world->faults[i].cured);
        cured[replica - world_service_of(world, at)->replica_first] = 1;
        FaultWalk left = fault_walk_now(world, i);
        left.cured = cured;
        if (fault_walk_next(&left) == NULL) {
            fault_end(world, i);
        }
    }
}

SimTime world_trigger_to(const World *world) {
    const Model *model = world->model;
    SimTime latest = model->trigger_to_without_faults;
    CHECK(model->has_trigger);
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const Fault *fault = &model->faults[i];
        const FaultState *state = &world->faults[i];
        if (fault->is_organic || fault->at >= model->run.duration) {
            continue;
        }
        SimTime left = model->run.duration - fault->at, lasts = model_fault_lasts(model, fault);
        SimTime planned = fault->at + (lasts < left ? lasts : left);
        SimTime end = state->begun_count > 0 && !state->is_on ? state->ended_at : planned;
        latest = end > latest ? end : latest;
    }
    return latest;
}
