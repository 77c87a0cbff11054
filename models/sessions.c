/* Sessions: conversations whose every prompt begins with all that was said before. A session asks,
 * hears the answer, thinks and asks again; what it draws is drawn by (session, turn), so that a
 * policy changes nobody's messages. */
#include "models/arrivals/arrivals.h"
#include "models/flow_parts.h"
#include "models/prompt.h"
#include "sim/check.h"

static const ArrivalOps *session_ops(const World *world, const Session *session) {
    return world->model->clients[session->client].arrivals.kind->ops;
}

static uint32_t limit_tokens(uint64_t tokens) {
    return tokens < TOKENS_MAX ? (uint32_t)tokens : TOKENS_MAX;
}

/* History that would make the prompt too long is cut, the oldest first, but not the shared prefix:
 * behind that the prompt begins with other words now, which no cache has seen. */
static void fit_history(World *world, Session *session, uint32_t message_tokens) {
    uint32_t most = session->max_context_tokens, before = session->prompt;
    uint32_t prefix = world->model->clients[session->client].shared_prefix.tokens;
    uint32_t room = message_tokens < most ? most - message_tokens : 0;
    CHECK(session->history_tokens >= prefix);
    if (session->history_tokens > room && session->history_tokens > prefix) {
        session->history_tokens = room > prefix ? room : prefix;
        session->prompt = prompt_of_cut_session(world, before);
        prompt_drop(world, before);
    }
}

/* The session may have ended when this returns: without network and work answers come at once. */
static void session_asks(World *world, uint32_t slot) {
    Session *session = world_session(world, slot);
    CHECK(session->turn < session->turn_count && !session->is_asking);
    Origin origin = source_origin(world, session->client, slot);
    source_draw_lengths(world, world->clients[session->client].session_base + session->number,
                        session->turn, &origin);
    fit_history(world, session, origin.input_tokens);
    origin.input_tokens = limit_tokens((uint64_t)session->history_tokens + origin.input_tokens);
    origin.prompt = session->prompt;
    session->is_asking = true;
    source_send(world, &origin);
}

void session_begin(World *world, uint32_t index) {
    const Client *client = &world->model->clients[index];
    ClientState *state = &world->clients[index];
    const ArrivalOps *ops = client->arrivals.kind->ops;
    uint32_t slot = pool_take(&world->sessions);
    if (slot == POOL_FULL) {
        world_stop(world, STOP_IN_FLIGHT);
        return;
    }
    uint64_t number = state->session_count++;
    SessionPlan plan = ops->plan_session(client->arrivals.params, source_of(world, index), number);
    CHECK(plan.turn_count > 0 && plan.max_context_tokens > 0);
    *world_session(world, slot) =
        (Session){.client = index,
                  .turn_count = plan.turn_count,
                  .max_context_tokens = plan.max_context_tokens,
                  .history_tokens = client->shared_prefix.tokens,
                  .prompt = prompt_of_session(world, index, state->session_base + number),
                  .number = number};
    session_asks(world, slot);
}

static void session_ends(World *world, uint32_t slot) {
    Session *session = world_session(world, slot);
    CHECK(session->turn_count > 0);
    prompt_drop(world, session->prompt);
    session->turn_count = 0;
    pool_give(&world->sessions, slot);
}

void session_hears(World *world, uint32_t slot, const Call *call, Outcome outcome) {
    Session *session = world_session(world, slot);
    CHECK(session->is_asking && call->client == session->client);
    session->is_asking = false;
    session->history_tokens = limit_tokens((uint64_t)call->input_tokens + call->output_tokens);
    session->turn++;
    if (outcome != OUTCOME_OK || session->turn == session->turn_count) {
        session_ends(world, slot);
        return;
    }
    const Client *client = &world->model->clients[session->client];
    SimTime at =
        world->now + session_ops(world, session)
                         ->think(client->arrivals.params, source_of(world, session->client),
                                 session->number, session->turn);
    if (at < world->model->run.duration) {
        queue_push(&world->queue, at, EVENT_turn, slot);
    } else {
        session_ends(world, slot);
    }
}

void on_turn(World *world, uint32_t slot) {
    CHECK(world_session(world, slot)->turn > 0);
    session_asks(world, slot);
}

void sessions_check(const World *world) {
    uint32_t live_count = 0, asking_count = 0, request_count = 0;
    for (uint32_t slot = 0; slot < pool_slot_end(&world->sessions); slot++) {
        const Session *session = world_session(world, slot);
        live_count += session->turn_count > 0;
        asking_count += session->turn_count > 0 && session->is_asking;
    }
    for (uint32_t slot = 0; slot < pool_slot_end(&world->calls); slot++) {
        const Call *call = world_call(world, slot);
        if (call->holders == 0 || !call->is_open || call->parent != NONE || call->user == NONE) {
            continue;
        }
        const ArrivalOps *ops = world->model->clients[call->client].arrivals.kind->ops;
        if (ops->plan_session != NULL) {
            const Session *session = world_session(world, call->user);
            CHECK(session->turn_count > 0 && session->is_asking);
            CHECK(session->client == call->client && session->prompt == call->prompt);
            request_count++;
        }
    }
    CHECK(live_count == pool_live_count(&world->sessions) && asking_count == request_count);
}
