/* What a caller keeps of its calls for the policies that look at more than one of them: how many
 * attempts and retries each of its instances has out, and how every attempt went. Only watched
 * edges come here. */
#include "models/clients/breaker.h"
#include "models/clients/throttle.h"
#include "models/policies.h"
#include "sim/check.h"

size_t edge_state_size(const Edge *edge) {
    CHECK(edge->instances > 0);
    return component_state_size(&edge->budget) + component_state_size(&edge->breaker) +
           component_state_size(&edge->throttle) + component_state_size(&edge->hedge);
}

bool edge_is_guarded(const Edge *edge) {
    const BreakerOps *breaker = edge->breaker.kind->ops;
    CHECK(edge->instances > 0);
    return breaker->admits != NULL || ((const ThrottleOps *)edge->throttle.kind->ops)->wait != NULL;
}

bool edge_is_watched(const Edge *edge) {
    const BudgetOps *budget = edge->budget.kind->ops;
    CHECK(edge->instances > 0);
    return edge->propagates || edge->inherits_deadline ||
           (budget->watches != NULL && budget->watches(edge->budget.params));
}

CallerState *caller_of(const World *world, const Call *call) {
    CHECK(call->is_watched && call->instance < world->model->edges[call->edge].instances);
    return &world->callers[world->edges[call->edge].caller_first + call->instance];
}

void track_call(World *world, uint32_t call_slot) {
    *call_track(world, call_slot) =
        (CallTrack){.deadline_at = SIM_TIME_NEVER, .retried_after = OUTCOME_OK};
    const Call *call = world_call(world, call_slot);
    CHECK(call->is_open);
    if (world->model->edges[call->edge].has_hedge) {
        hedge_call_begins(world, call);
    }
}

/* When the attempt that makes calls has to be done, as far as it was told. */
static SimTime deadline_of(const World *world, uint32_t parent) {
    uint32_t call_slot = world_attempt(world, parent)->call;
    CHECK(parent != NONE);
    return world_call(world, call_slot)->is_watched ? call_track(world, call_slot)->deadline_at
                                                    : SIM_TIME_NEVER;
}

bool keep_deadline(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    SimTime inherited_at =
        edge->inherits_deadline ? deadline_of(world, call->parent) : SIM_TIME_NEVER;
    SimTime own_at =
        edge->deadline == SIM_TIME_NEVER ? SIM_TIME_NEVER : world->now + edge->deadline;
    CHECK(call->attempt_count == 0);
    call_track(world, call_slot)->deadline_at =
        edge->propagates && own_at < inherited_at ? own_at : inherited_at;
    if (inherited_at <= world->now) {
        note_call(world, call_slot, "not made", "its deadline has passed");
        return false;
    }
    if (inherited_at < own_at) {
        unset(world, &call->deadline_timer);
        call->deadline_timer = push(world, inherited_at - world->now, EVENT_deadline, call_slot);
    }
    return true;
}

uint32_t tries_of(const World *world, uint32_t call_slot) {
    const Call *call = world_call(world, call_slot);
    uint32_t hedges = call->is_watched ? call_track(world, call_slot)->hedge_count : 0;
    CHECK(call->attempt_count >= hedges);
    return call->attempt_count - hedges;
}

void track_attempt(World *world, uint32_t slot) {
    const Call *call = world_call(world, world_attempt(world, slot)->call);
    CHECK(world_attempt(world, slot)->is_awaited);
    attempt_track(world, slot)->sent_at = world->now;
    caller_of(world, call)->active++;
}

void track_retry(World *world, uint32_t call_slot, Outcome failure) {
    CallTrack *track = call_track(world, call_slot);
    CHECK(!track->is_retrying && failure < OUTCOME_COUNT);
    track->is_retrying = true;
    track->retried_after = (uint8_t)failure;
    caller_of(world, world_call(world, call_slot))->retrying++;
}

void track_retry_over(World *world, uint32_t call_slot) {
    CallTrack *track = call_track(world, call_slot);
    if (track->is_retrying) {
        CallerState *caller = caller_of(world, world_call(world, call_slot));
        CHECK(caller->retrying > 0);
        caller->retrying--;
        track->is_retrying = false;
    }
}

/* ---- The circuit breaker */

/* Tells when the breaker has gone into another phase. */
static void tell_phase(World *world, const Call *call, BreakerPhase before, BreakerPhase after) {
    static const char *const words[] = {"breaker_closes", "breaker_opens", "breaker_half_opens"};
    const Edge *edge = &world->model->edges[call->edge];
    CHECK(before <= BREAKER_HALF_OPEN && after <= BREAKER_HALF_OPEN);
    if (before == after) {
        return;
    }
    probe_level(&world->probe, edge->caller, LEVEL_OPEN_BREAKERS, world->now,
                (after == BREAKER_OPEN) - (before == BREAKER_OPEN));
    if (world->options.on_change != NULL) {
        Note note = {.at = world->now,
                     .what = words[after],
                     .component = edge->caller,
                     .replica = edge->instances > 1 ? call->instance : NONE,
                     .client = NONE,
                     .detail = edge->name};
        world->options.on_change(world->options.context, &note);
    }
}

static bool breaker_lets_through(World *world, const Call *call) {
    const Edge *edge = &world->model->edges[call->edge];
    const BreakerOps *ops = edge->breaker.kind->ops;
    CHECK(edge->is_guarded);
    if (ops->admits == NULL) {
        return true;
    }
    Breaker *breaker = span_state(world, &world->edges[call->edge].breaker, call->instance);
    BreakerPhase before = (BreakerPhase)breaker->phase;
    bool is_admitted = ops->admits(edge->breaker.params, breaker, world->now);
    tell_phase(world, call, before, (BreakerPhase)breaker->phase);
    return is_admitted;
}

static void breaker_hears_of(World *world, const Call *call, const AttemptResult *result) {
    const Edge *edge = &world->model->edges[call->edge];
    const BreakerOps *ops = edge->breaker.kind->ops;
    if (ops->admits == NULL) {
        return;
    }
    Breaker *breaker = span_state(world, &world->edges[call->edge].breaker, call->instance);
    BreakerPhase before = (BreakerPhase)breaker->phase;
    CHECK(result->outcome <= FATE_UNKNOWN);
    if (result->outcome == FATE_UNKNOWN) {
        breaker_gets_back(breaker);
    } else {
        ops->hears(edge->breaker.params, breaker, result);
    }
    tell_phase(world, call, before, (BreakerPhase)breaker->phase);
}

/* ---- Before an attempt, and after */

/* It is not sent; what becomes of its call is the caller's of this to say. */
static void hold_back(World *world, uint32_t call_slot, const char *why) {
    const Call *call = world_call(world, call_slot);
    CHECK(call->is_open && call->attempt_count > 0);
    note_call(world, call_slot, "held back", why);
    probe_count(&world->probe, world->model->edges[call->edge].caller, COUNT_HELD_BACK,
                call->is_measured);
}

/* How long the throttle makes it wait; SIM_TIME_NEVER: it is held back. */
static SimTime throttle_wait(World *world, uint32_t call_slot, bool may_wait) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    EdgeState *state = &world->edges[call->edge];
    const ThrottleOps *ops = edge->throttle.kind->ops;
    CHECK(edge->is_guarded);
    if (ops->wait == NULL) {
        return 0;
    }
    uint32_t path = path_below(call->path, call->attempt_count);
    Rng rng = drawn_by(&state->key, call->key, path, DRAW_THROTTLE);
    ThrottleAsk ask = {.now = world->now, .luck = rng_uniform(&rng), .may_wait = may_wait};
    SimTime wait =
        ops->wait(edge->throttle.params, span_state(world, &state->throttle, call->instance), &ask);
    if (wait == SIM_TIME_NEVER) {
        hold_back(world, call_slot, "its caller throttles itself");
    }
    return wait;
}

/* Past the throttle there is the breaker. */
static void launch_past_throttle(World *world, uint32_t call_slot) {
    CHECK(world_call(world, call_slot)->is_open);
    if (breaker_lets_through(world, world_call(world, call_slot))) {
        send_attempt(world, call_slot);
    } else {
        hold_back(world, call_slot, "the circuit breaker is open");
        failed(world, call_slot, OUTCOME_REFUSED, 0);
    }
}

void launch_guarded(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    SimTime wait = throttle_wait(world, call_slot, true);
    CHECK(call->in_flight == NONE && !event_is_set(call->retry_timer));
    if (wait == SIM_TIME_NEVER) {
        failed(world, call_slot, OUTCOME_REFUSED, 0);
    } else if (wait > 0) {
        note_call(world, call_slot, "waits", "its caller limits its rate");
        call->retry_timer = push(world, wait, EVENT_held, call_slot);
        begin_backoff(world, call_slot);
    } else {
        launch_past_throttle(world, call_slot);
    }
}

void on_held(World *world, uint32_t call_slot) {
    CHECK(world_call(world, call_slot)->is_in_backoff);
    end_backoff(world, world_call(world, call_slot));
    launch_past_throttle(world, call_slot);
}

bool is_held_back(World *world, uint32_t call_slot) {
    const Call *call = world_call(world, call_slot);
    CHECK(call->is_open);
    if (throttle_wait(world, call_slot, false) == SIM_TIME_NEVER) {
        return true;
    }
    if (!breaker_lets_through(world, call)) {
        hold_back(world, call_slot, "the circuit breaker is open");
        return true;
    }
    return false;
}

void hear(World *world, uint32_t slot, Outcome fate) {
    const Call *call = world_call(world, world_attempt(world, slot)->call);
    const Edge *edge = &world->model->edges[call->edge];
    const EdgeState *state = &world->edges[call->edge];
    CallerState *caller = caller_of(world, call);
    CHECK(caller->active > 0);
    caller->active--;
    AttemptResult result = {.now = world->now,
                            .took = world->now - attempt_track(world, slot)->sent_at,
                            .outcome = fate};
    breaker_hears_of(world, call, &result);
    if (edge->has_hedge) {
        hedge_hears(world, call, &result);
    }
    if (fate == FATE_UNKNOWN) {
        return;
    }
    result.is_retryable = is_retryable(edge, fate);
    const ThrottleOps *throttle = edge->throttle.kind->ops;
    if (throttle->hears != NULL) {
        throttle->hears(edge->throttle.params, span_state(world, &state->throttle, call->instance),
                        &result);
    }
    const BudgetOps *budget = edge->budget.kind->ops;
    if (budget->on_attempt != NULL) {
        budget->on_attempt(edge->budget.params, span_state(world, &state->budget, call->instance),
                           &result);
    }
}
