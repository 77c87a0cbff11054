/* What a call does when an attempt has failed: another one after a backoff, if its policy and its
 * budget allow, or the end. */
#include "models/clients/clients.h"
#include "models/flow_parts.h"
#include "sim/check.h"

static bool may_retry(World *world, const Call *call, Outcome failure) {
    const Edge *edge = &world->model->edges[call->edge];
    CHECK(failure != OUTCOME_OK);
    if (!(edge->retry_on & 1u << (failure - OUTCOME_TIMEOUT)) ||
        call->attempt_count >= world->edges[call->edge].max_attempts) {
        return false;
    }
    const BudgetOps *budget = edge->budget.kind->ops;
    return budget->take == NULL ||
           budget->take(edge->budget.params, budget_state(world, call), failure);
}

static Rng draw_for_try(const RetryView *view, uint32_t number) {
    CHECK(number > 0 && number <= view->tries);
    return drawn_by(view->key, view->request, path_below(view->path, number), DRAW_BACKOFF);
}

void failed(World *world, uint32_t call_slot, Outcome failure) {
    Call *call = world_call(world, call_slot);
    CHECK(call->is_open && !call->is_in_backoff);
    if (call->in_flight != NONE) {
        return; /* another attempt is out and may still succeed */
    }
    if (!may_retry(world, call, failure)) {
        flow_end(world, call_slot, failure);
        return;
    }
    const Edge *edge = &world->model->edges[call->edge];
    const RetryOps *retry = edge->retry.kind->ops;
    RetryView view = {.tries = call->attempt_count,
                      .failure = failure,
                      .last_delay = call->last_delay,
                      .draw = draw_for_try,
                      .key = &world->edges[call->edge].key,
                      .request = call->key,
                      .path = call->path};
    call->last_delay = retry->delay(edge->retry.params, &view);
    call->is_in_backoff = true;
    probe_level(&world->probe, edge->caller, LEVEL_BACKOFF, world->now, 1);
    call->retry_timer = push(world, call->last_delay, EVENT_retry, call_slot);
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
