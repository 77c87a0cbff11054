/* What a caller keeps of its calls for the policies that look at more than one of them: how many
 * attempts and retries each of its instances has out, and how every attempt went. Only watched
 * edges come here. */
#include "models/clients/clients.h"
#include "models/flow_parts.h"
#include "sim/check.h"

bool edge_is_watched(const Edge *edge) {
    const BudgetOps *budget = edge->budget.kind->ops;
    CHECK(edge->instances > 0);
    return budget->watches != NULL && budget->watches(edge->budget.params);
}

CallerState *caller_of(const World *world, const Call *call) {
    CHECK(call->is_watched && call->instance < world->model->edges[call->edge].instances);
    return &world->callers[world->edges[call->edge].caller_first + call->instance];
}

void track_call(World *world, uint32_t call_slot) {
    *call_track(world, call_slot) =
        (CallTrack){.deadline_at = SIM_TIME_NEVER, .retried_after = OUTCOME_OK};
    CHECK(world_call(world, call_slot)->is_open);
}

void track_attempt(World *world, uint32_t slot) {
    const Call *call = world_call(world, world_attempt(world, slot)->call);
    CHECK(world_attempt(world, slot)->is_awaited);
    attempt_track(world, slot)->sent_at = world->now;
    caller_of(world, call)->active++;
}

void track_retry(World *world, uint32_t call_slot, Outcome failure) {
    CallTrack *track = call_track(world, call_slot);
    CHECK(!track->is_retrying && failure != OUTCOME_OK);
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

void hear(World *world, uint32_t slot, Outcome fate) {
    const Call *call = world_call(world, world_attempt(world, slot)->call);
    const Edge *edge = &world->model->edges[call->edge];
    const EdgeState *state = &world->edges[call->edge];
    CallerState *caller = caller_of(world, call);
    CHECK(caller->active > 0);
    caller->active--;
    if (fate == FATE_UNKNOWN) {
        return;
    }
    AttemptResult result = {.now = world->now,
                            .took = world->now - attempt_track(world, slot)->sent_at,
                            .outcome = fate,
                            .is_retryable = is_retryable(edge, fate)};
    const BudgetOps *budget = edge->budget.kind->ops;
    if (budget->on_attempt != NULL) {
        budget->on_attempt(edge->budget.params, span_state(world, &state->budget, call->instance),
                           &result);
    }
}
