/* What messages meet on their way between callers and replicas: latency, and faults of the network.
 *
 * Without latency a message is delivered at once, without an event. Where a fault disturbs a call's
 * way (EdgeState.is_disturbed) all faults that are on are asked, each with random numbers of its
 * own that belong to the message: a policy changes nobody's luck.
 */
#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

/* Whether the message gets through; each fault may add to its delay. */
static bool gets_through(const World *world, const Attempt *attempt, bool is_reply,
                         SimTime *delay) {
    const Call *call = world_call(world, attempt->call);
    bool is_carried = true;
    for (uint32_t i = 0; i < model_influence_count(world->model) && is_carried; i++) {
        const Component *fault = &world->model->faults[i].fault;
        const FaultOps *ops = fault->kind->ops;
        if (!world->faults[i].is_on || ops->carries == NULL) {
            continue;
        }
        Rng rng = drawn_by(&world->faults[i].key, call->key, attempt->path,
                           is_reply ? DRAW_BACK : DRAW_THERE);
        Passage passage = {.model = world->model, .edge = call->edge, .is_reply = is_reply};
        is_carried = ops->carries(fault->params, &passage, &rng, delay);
        CHECK(*delay >= 0);
    }
    return is_carried;
}

const char *network_stops(World *world, const Call *call) {
    const char *why = NULL;
    CHECK(call->is_open);
    for (uint32_t i = 0; i < model_influence_count(world->model) && why == NULL; i++) {
        const FaultOps *ops = world->model->faults[i].fault.kind->ops;
        if (world->faults[i].is_on && ops->stops != NULL) {
            why = ops->stops(world, i, call);
        }
    }
    return why;
}

void carry_request(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    const Edge *edge = &world->model->edges[call->edge];
    SimTime delay = 0;
    CHECK(attempt->state == ATTEMPT_TRAVELLING);
    if (edge->has_latency) {
        Rng rng = drawn_by(&world->edges[call->edge].key, call->key, attempt->path, DRAW_THERE);
        delay = time_from_s(dist_draw(&edge->latency, &rng));
    }
    if (world->edges[call->edge].is_disturbed && !gets_through(world, attempt, false, &delay)) {
        lose(world, slot);
    } else if (edge->has_latency || delay > 0) {
        attempt->event = push(world, delay, EVENT_deliver, slot);
    } else {
        on_deliver(world, slot);
    }
}

void carry_reply(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    const Edge *edge = &world->model->edges[call->edge];
    SimTime delay = 0;
    CHECK(attempt->state == ATTEMPT_REPLYING);
    if (edge->has_reply_latency) {
        Rng rng = drawn_by(&world->edges[call->edge].key, call->key, attempt->path, DRAW_BACK);
        delay = time_from_s(dist_draw(&edge->reply_latency, &rng));
    }
    if (world->edges[call->edge].is_disturbed && !gets_through(world, attempt, true, &delay)) {
        lose(world, slot);
    } else if (edge->has_reply_latency || delay > 0) {
        attempt->event = push(world, delay, EVENT_reply, slot);
        if (attempt->first_token_at != 0) {
            attempt->first_token_at += delay; /* all tokens take the same way */
        }
    } else {
        on_reply(world, slot);
    }
}
