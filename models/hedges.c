/* Hedges: attempts that go out beside others of the same call, or at once after a failure. The
 * timer of the next attempt (Call.retry_timer) is the hedge's while an attempt is out. */
#include "models/clients/hedge.h"
#include "models/policies.h"
#include "sim/check.h"

static const HedgeRules *rules_of(const Edge *edge) {
    CHECK(edge->has_hedge);
    return edge->hedge.params;
}

static void *hedge_state(const World *world, const Call *call) {
    DCHECK(call->is_watched);
    return span_state(world, &world->edges[call->edge].hedge, call->instance);
}

bool edge_has_hedge(const Edge *edge) {
    CHECK(edge->hedge.kind->family == FAMILY_HEDGE);
    return ((const HedgeOps *)edge->hedge.kind->ops)->after != NULL;
}

uint32_t hedge_most(const Edge *edge) {
    return edge->has_hedge ? rules_of(edge)->max : 0;
}

void hedge_call_begins(World *world, const Call *call) {
    hedge_begin(rules_of(&world->model->edges[call->edge]), hedge_state(world, call), world->now);
    CHECK(call->attempt_count == 0);
}

void hedge_hears(World *world, const Call *call, const AttemptResult *result) {
    const Edge *edge = &world->model->edges[call->edge];
    const HedgeOps *ops = edge->hedge.kind->ops;
    CHECK(edge->has_hedge);
    if (ops->on_attempt != NULL) {
        ops->on_attempt(edge->hedge.params, hedge_state(world, call), result);
    }
}

void hedge_arm(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    const HedgeOps *ops = edge->hedge.kind->ops;
    CHECK(call->in_flight != NONE && !call->is_in_backoff);
    if (call_track(world, call_slot)->hedge_count >= rules_of(edge)->max) {
        return;
    }
    SimTime after = ops->after(edge->hedge.params, hedge_state(world, call), world->now);
    unset(world, &call->retry_timer);
    if (after != SIM_TIME_NEVER) {
        call->retry_timer = push(world, after, EVENT_hedge, call_slot);
    }
}

static bool may_hedge(World *world, uint32_t call_slot, Outcome failure) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    CHECK(call->is_open);
    return call_track(world, call_slot)->hedge_count < rules_of(edge)->max &&
           budget_allows(world, call_slot, failure) &&
           hedge_take(rules_of(edge), hedge_state(world, call), world->now);
}

/* The next hedge goes out by an event of this instant, or after what the failure asks for: so the
 * flow does not call itself for each of them. */
static void hedge_soon(World *world, uint32_t call_slot, SimTime delay) {
    Call *call = world_call(world, call_slot);
    CHECK(call->is_open && !call->is_in_backoff);
    call_track(world, call_slot)->is_hedge_paid = true;
    unset(world, &call->retry_timer);
    call->retry_timer = push(world, delay, EVENT_hedge, call_slot);
}

bool hedge_instead(World *world, uint32_t call_slot, Outcome failure, uint32_t retry_after_ms) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    CHECK(failure != OUTCOME_OK);
    if (!rules_of(edge)->next_on_failure) {
        return false;
    }
    if (!is_retryable(edge, failure)) {
        flow_end(world, call_slot, failure, NO_TOKENS);
        return true;
    }
    if (!call_track(world, call_slot)->is_hedge_paid) {
        if (asks_for_no_retry(edge, retry_after_ms) || !may_hedge(world, call_slot, failure)) {
            return false;
        }
        hedge_soon(world, call_slot, heed(edge, 0, retry_after_ms));
    }
    if (call->in_flight == NONE) {
        begin_backoff(world, call_slot);
    }
    return true;
}

void on_hedge(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    CallTrack *track = call_track(world, call_slot);
    CHECK(call->is_open && (call->in_flight != NONE || track->is_hedge_paid));
    bool is_paid = track->is_hedge_paid;
    track->is_hedge_paid = false;
    call->retry_timer = (EventId){0};
    if (call->is_in_backoff) {
        end_backoff(world, call);
    }
    if (!is_paid && !may_hedge(world, call_slot, OUTCOME_OK)) {
        return;
    }
    track->hedge_count++;
    call->attempt_count++;
    if (!track->is_retrying) {
        track_retry(world, call_slot, OUTCOME_OK);
    }
    if (world->model->edges[call->edge].is_guarded && is_held_back(world, call_slot)) {
        if (call->in_flight == NONE) {
            failed(world, call_slot, OUTCOME_REFUSED, 0);
        }
        return;
    }
    probe_count(&world->probe, world->model->edges[call->edge].caller, COUNT_HEDGES,
                call->is_measured);
    send_attempt(world, call_slot);
}
