/* What a call does when an attempt has failed: another one after a backoff, if its policy and its
 * budget allow, or the end. */
#include "models/policies.h"
#include "sim/check.h"

bool budget_allows(World *world, uint32_t call_slot, Outcome failure) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    const BudgetOps *budget = edge->budget.kind->ops;
    if (budget->take == NULL) {
        return true;
    }
    BudgetAsk ask = {.now = world->now, .failure = failure};
    if (call->is_watched) {
        const CallerState *caller = caller_of(world, call);
        ask.active = caller->active;
        ask.retrying = caller->retrying;
    }
    CHECK(failure < OUTCOME_COUNT);
    return budget->take(edge->budget.params,
                        span_state(world, &world->edges[call->edge].budget, call->instance), &ask);
}

bool asks_for_no_retry(const Edge *edge, uint32_t retry_after_ms) {
    CHECK(edge->retry_after <= RETRY_AFTER_REPLACES);
    return retry_after_ms == RETRY_AFTER_NEVER_MS && edge->retry_after != RETRY_AFTER_IGNORED;
}

static bool may_retry(World *world, uint32_t call_slot, Outcome failure, uint32_t retry_after_ms) {
    uint32_t edge_index = world_call(world, call_slot)->edge;
    const Edge *edge = &world->model->edges[edge_index];
    CHECK(failure != OUTCOME_OK);
    return is_retryable(edge, failure) && !asks_for_no_retry(edge, retry_after_ms) &&
           tries_of(world, call_slot) < world->edges[edge_index].max_attempts &&
           budget_allows(world, call_slot, failure);
}

SimTime heed(const Edge *edge, SimTime delay, uint32_t retry_after_ms) {
    if (retry_after_ms == 0 || edge->retry_after == RETRY_AFTER_IGNORED) {
        return delay;
    }
    SimTime asked = (SimTime)retry_after_ms * 1000000;
    SimTime least = edge->retry_after == RETRY_AFTER_AT_LEAST ? delay : 0;
    SimTime more = asked > least ? asked - least : 0;
    CHECK(retry_after_ms != RETRY_AFTER_NEVER_MS);
    return least + (more < edge->retry_after_max ? more : edge->retry_after_max);
}

static Rng draw_for_try(const RetryView *view, uint32_t number) {
    CHECK(number > 0 && number <= view->tries);
    return drawn_by(view->key, view->request, path_below(view->path, number), DRAW_BACKOFF);
}

static SimTime backoff_after(const World *world, uint32_t call_slot, Outcome failure) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    const RetryOps *retry = edge->retry.kind->ops;
    RetryView view = {.tries = tries_of(world, call_slot),
                      .failure = failure,
                      .last_delay = call->last_delay,
                      .draw = draw_for_try,
                      .key = &world->edges[call->edge].key,
                      .request = call->key,
                      .path = call->path};
    CHECK(retry->delay != NULL);
    return retry->delay(edge->retry.params, &view);
}

void begin_backoff(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    CHECK(!call->is_in_backoff && call->in_flight == NONE && event_is_set(call->retry_timer));
    call->is_in_backoff = true;
    probe_level(&world->probe, world->model->edges[call->edge].caller, LEVEL_BACKOFF, world->now,
                1);
}

void failed(World *world, uint32_t call_slot, Outcome failure, uint32_t retry_after_ms) {
    Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    CHECK(call->is_open && !call->is_in_backoff);
    if (call->is_watched && call->in_flight == NONE) {
        track_retry_over(world, call_slot);
    }
    if (edge->has_hedge && hedge_instead(world, call_slot, failure, retry_after_ms)) {
        return;
    }
    if (call->in_flight != NONE) {
        return; /* another attempt is out and may still succeed */
    }
    if (!may_retry(world, call_slot, failure, retry_after_ms)) {
        flow_end(world, call_slot, failure, NO_TOKENS);
        return;
    }
    if (call->is_watched) {
        track_retry(world, call_slot, failure);
    }
    call->last_delay = backoff_after(world, call_slot, failure);
    unset(world, &call->retry_timer); /* a hedge's */
    call->retry_timer =
        push(world, heed(edge, call->last_delay, retry_after_ms), EVENT_retry, call_slot);
    begin_backoff(world, call_slot);
}

void end_backoff(World *world, Call *call) {
    CHECK(call->is_in_backoff);
    call->is_in_backoff = false;
    call->retry_timer = (EventId){0};
    probe_level(&world->probe, world->model->edges[call->edge].caller, LEVEL_BACKOFF, world->now,
                -1);
}

void on_retry(World *world, uint32_t call_slot) {
    end_backoff(world, world_call(world, call_slot));
    launch(world, call_slot);
}
