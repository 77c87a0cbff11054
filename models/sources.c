/* Where requests come from: open clients' arrivals, closed clients' users, and what is there at the
 * start; and what a client notices when its request is over. */
#include "models/arrivals/arrivals.h"
#include "models/flow_parts.h"
#include "models/prompt.h"
#include "models/servers/server.h"
#include "sim/check.h"

static const ArrivalOps *arrival_ops(const Client *client) {
    return client->arrivals.kind->ops;
}

Source *source_of(World *world, uint32_t index) {
    CHECK(index < world->model->client_count);
    Source *source = &world->clients[index].source;
    source->now = world->now;
    return source;
}

void source_init(World *world, uint32_t index) {
    const Model *model = world->model;
    const Client *client = &model->clients[index];
    ClientState *state = &world->clients[index];
    bool is_spared = world->options.is_twin && model->verdict.trigger_from != SIM_TIME_NEVER;
    CHECK(client->load.piece_count > 0 && client->load_organic.piece_count > 0);
    state->source = (Source){
        .load = world->options.is_twin ? &client->load_organic : &client->load,
        .cursor = &state->cursor,
        .stream = &state->stream,
        .key = &state->key,
        .trace = &state->trace,
        .ends_at = model->run.duration,
        .calm_from = is_spared ? model->verdict.trigger_from : SIM_TIME_NEVER,
        .calm_to = is_spared ? model->verdict.trigger_to : SIM_TIME_NEVER,
    };
}

/* Asks for the arrival after this one; nobody new arrives at or after the end of the run. */
static void schedule_arrival(World *world, uint32_t index) {
    const Client *client = &world->model->clients[index];
    ClientState *state = &world->clients[index];
    Source *source = source_of(world, index);
    state->next.has_tokens = false;
    if (!arrival_ops(client)->next(client->arrivals.params,
                                   world_state(world, state->arrivals_state), source,
                                   &state->next)) {
        return;
    }
    CHECK(state->next.at >= world->now);
    if (state->next.at < world->model->run.duration) {
        if (state->next.hash_count > 0) {
            state->next_prompt = prompt_of_hashes(world, index, &state->next);
        }
        queue_push(&world->queue, state->next.at, EVENT_arrival, index);
    }
}

static uint32_t draw_tokens(bool has_law, const Dist *law, Rng *rng, uint32_t otherwise) {
    if (!has_law) {
        return otherwise;
    }
    double tokens = dist_draw(law, rng) + 0.5;
    CHECK(tokens >= 0);
    return tokens < TOKENS_MAX ? (uint32_t)tokens : TOKENS_MAX;
}

Origin source_origin(World *world, uint32_t index, uint32_t user) {
    ClientState *state = &world->clients[index];
    CHECK(index < world->model->client_count);
    uint64_t key = state->key_base + state->request_count++;
    return (Origin){.key = key,
                    .began_at = world->now,
                    .client = index,
                    .user = user,
                    .prompt = NONE,
                    .rank = world->model->clients[index].rank,
                    .mark = world->model->has_marks ? mark_of_request(world, key) : 0,
                    .is_measured = world->now >= world->model->run.warmup};
}

void source_draw_lengths(World *world, uint64_t a, uint64_t b, Origin *origin) {
    const Client *client = &world->model->clients[origin->client];
    CHECK(origin->client != NONE);
    if (client->has_input_tokens || client->has_output_tokens) {
        Rng rng;
        rng_keyed(&rng, &world->clients[origin->client].key, a, b);
        origin->input_tokens = draw_tokens(client->has_input_tokens, &client->input_tokens, &rng,
                                           origin->input_tokens);
        origin->output_tokens = draw_tokens(client->has_output_tokens, &client->output_tokens, &rng,
                                            origin->output_tokens);
    }
}

void source_send(World *world, const Origin *origin) {
    CHECK(world->clients[origin->client].request_count > 0);
    probe_count(&world->probe, origin->client, COUNT_OFFERED, origin->is_measured);
    probe_level(&world->probe, origin->client, LEVEL_IN_SYSTEM, world->now, 1);
    flow_begin(world, world->model->clients[origin->client].edge, NONE, origin);
}

/* A request by itself: its prompt is what its arrival carries, or one of the client's. */
static void begin_request(World *world, Origin *origin) {
    source_draw_lengths(world, origin->key, 0, origin);
    CHECK(origin->client < world->model->client_count);
    if (origin->prompt == NONE && world->model->clients[origin->client].shared_prefix.tokens > 0) {
        origin->prompt = prompt_of_request(world, origin->client, origin->key);
    }
    source_send(world, origin);
    if (origin->prompt != NONE) {
        prompt_drop(world, origin->prompt); /* its calls hold it now, as long as there are any */
    }
}

void source_request(World *world, uint32_t index) {
    Origin origin = source_origin(world, index, NONE);
    CHECK(world->now < world->model->run.duration);
    begin_request(world, &origin);
}

/* How many come for one that arrives, while an action scales the load. */
static uint32_t count_scaled(World *world, uint32_t index) {
    double x = world->levers.client_x[index];
    ClientState *state = &world->clients[index];
    CHECK(x >= 0 && x < 1e6);
    Rng rng = drawn_by(&state->key, state->scaled_count++, 0, DRAW_LOAD);
    return (uint32_t)(x + rng_uniform(&rng));
}

void on_arrival(World *world, uint32_t index) {
    ClientState *state = &world->clients[index];
    bool is_scaled = __builtin_expect(world->levers.client_x[index] != 1, 0);
    uint32_t count = is_scaled ? count_scaled(world, index) : 1;
    CHECK(index < world->model->client_count);
    if (arrival_ops(&world->model->clients[index])->plan_session != NULL) {
        schedule_arrival(world, index);
        for (; count > 0; count--) {
            session_begin(world, index);
        }
        return;
    }
    if (count == 0) {
        if (state->next_prompt != NONE) {
            prompt_drop(world, state->next_prompt);
            state->next_prompt = NONE;
        }
        schedule_arrival(world, index);
        return;
    }
    Origin origin = source_origin(world, index, NONE);
    if (state->next.has_tokens) {
        origin.input_tokens = state->next.input_tokens;
        origin.output_tokens = state->next.output_tokens;
    }
    origin.prompt = state->next_prompt;
    state->next_prompt = NONE;
    schedule_arrival(world, index);
    begin_request(world, &origin);
    for (; count > 1; count--) {
        source_request(world, index);
    }
}

/* ---- Users of a closed client */

/* The user acts after thinking, or once the load is high enough for so many users. */
static void schedule_user(World *world, uint32_t index) {
    UserState *user = &world->users[index];
    const Client *client = &world->model->clients[user->client];
    const ArrivalOps *ops = arrival_ops(client);
    Source *source = source_of(world, user->client);
    SimTime at = world->now + ops->think(client->arrivals.params, source, user->index, user->turn);
    double level = ops->load_for_user(client->arrivals.params, user->index);
    LoadCursor cursor = {0}; /* users look at different times: each search starts at the front */
    CHECK(at >= world->now);
    if (load_value(source->load, &cursor, time_to_s(at)) < level) {
        at = time_from_s(load_first_above(source->load, cursor, time_to_s(at), level));
    }
    if (at < world->model->run.duration) {
        queue_push(&world->queue, at, EVENT_user, index);
    }
}

void on_user(World *world, uint32_t index) {
    UserState *user = &world->users[index];
    CHECK(index < world->model->user_count);
    user->turn++;
    Origin origin = source_origin(world, user->client, index);
    begin_request(world, &origin);
}

/* ---- A request is over */

static void tell_request(World *world, const Call *call, Outcome outcome, SimTime first_token_at,
                         bool is_finished) {
    if (world->options.on_request == NULL || call->client == NONE) {
        return;
    }
    CHECK(call->parent == NONE);
    RequestRecord record = {.number = call->key - world->clients[call->client].key_base,
                            .arrived_at = call->began_at,
                            .ended_at = world->now,
                            .first_token_at = first_token_at,
                            .client = call->client,
                            .attempt_count = call->attempts_before + call->attempt_count,
                            .input_tokens = call->input_tokens,
                            .output_tokens = call->output_tokens,
                            .outcome = outcome,
                            .is_finished = is_finished};
    world->options.on_request(world->options.context, &record);
}

/* When its tokens came, of an answer that has tokens. */
static void record_tokens(World *world, const Call *call, SimTime first_token_at) {
    CHECK(first_token_at >= call->began_at && first_token_at <= world->now);
    probe_record(&world->probe, call->client, RECORDED_TTFT, call->is_measured,
                 first_token_at - call->began_at);
    if (call->output_tokens > 1) {
        probe_record(&world->probe, call->client, RECORDED_TPOT, call->is_measured,
                     (world->now - first_token_at) / (call->output_tokens - 1));
    }
}

void source_request_ends(World *world, const Call *call, Outcome outcome, SimTime first_token_at) {
    static const Count counts[OUTCOME_COUNT] = {COUNT_ANSWERED, COUNT_TIMEOUT, COUNT_ERROR,
                                                COUNT_REFUSED};
    CHECK(outcome < OUTCOME_COUNT && call->client != NONE);
    Recorded what = outcome == OUTCOME_OK ? RECORDED_LATENCY : RECORDED_FAILED;
    probe_count(&world->probe, call->client, counts[outcome], call->is_measured);
    probe_record(&world->probe, call->client, what, call->is_measured, world->now - call->began_at);
    if (first_token_at != 0) {
        record_tokens(world, call, first_token_at);
    }
    probe_level(&world->probe, call->client, LEVEL_IN_SYSTEM, world->now, -1);
    tell_request(world, call, outcome, first_token_at, true);
    if (call->user == NONE) {
        return;
    }
    if (arrival_ops(&world->model->clients[call->client])->plan_session != NULL) {
        session_hears(world, call->user, call, outcome);
    } else {
        schedule_user(world, call->user);
    }
}

void sources_tell_unfinished(World *world) {
    CHECK(world->now <= world->model->run.duration);
    for (uint32_t slot = 0; slot < pool_slot_end(&world->calls); slot++) {
        const Call *call = world_call(world, slot);
        if (call->is_open && call->parent == NONE) {
            tell_request(world, call, OUTCOME_OK, 0, false);
        }
    }
}

/* ---- The start */

/* Looks like any other attempt to the service, except that nobody waits for it. */
static void put_one(World *world, uint32_t edge, uint32_t replica, uint64_t key) {
    uint32_t call_slot = pool_take(&world->calls), slot = pool_take(&world->attempts);
    if (call_slot == POOL_FULL || slot == POOL_FULL) {
        world_stop(world, STOP_IN_FLIGHT);
        return;
    }
    *world_call(world, call_slot) = (Call){.key = key,
                                           .edge = edge,
                                           .parent = NONE,
                                           .sibling = NONE,
                                           .in_flight = NONE,
                                           .client = NONE,
                                           .user = NONE,
                                           .prompt = NONE,
                                           .attempt_count = 1,
                                           .holders = 1};
    *world_attempt(world, slot) = (Attempt){.call = call_slot,
                                            .replica = replica,
                                            .sibling = NONE,
                                            .child = NONE,
                                            .number = 1,
                                            .state = ATTEMPT_TRAVELLING};
    CHECK(world->replicas[replica].levers.is_up);
    enter(world, slot, &world->replicas[replica]);
}

static void put_initial(World *world, uint32_t service_index) {
    const Service *service = &world->model->services[service_index];
    if (service->initial == 0) {
        return;
    }
    uint32_t edge = model_edge_of_nobody(world->model, service_index);
    for (uint32_t i = 0; i < service->initial; i++) {
        put_one(world, edge, service->replica_first + i % service->replica_count, UINT64_MAX - i);
    }
    for (uint32_t i = 0; i < service->replica_count; i++) {
        server_pump(world, service->replica_first + i);
    }
    CHECK(world->services[service_index].in_system <= service->initial);
}

void sources_start(World *world) {
    const Model *model = world->model;
    CHECK(world->now == 0);
    for (uint32_t i = 0; i < model->service_count; i++) {
        put_initial(world, i);
    }
    for (uint32_t i = 0; i < model->client_count; i++) {
        const Client *client = &model->clients[i];
        const ArrivalOps *ops = arrival_ops(client);
        Source *source = source_of(world, i);
        if (ops->start != NULL) {
            ops->start(client->arrivals.params,
                       world_state(world, world->clients[i].arrivals_state), source);
        }
        if (ops->next != NULL) {
            schedule_arrival(world, i);
        }
    }
    for (uint32_t i = 0; i < model->user_count; i++) {
        schedule_user(world, i);
    }
}
