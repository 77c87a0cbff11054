#include "models/prompt.h"

#include "models/flow_parts.h"
#include "sim/check.h"
#include "sim/vec.h"

/* ---- Records */

/* Whether a request may come to the same service twice: by a retry, or because two calls lead there
 * besides those that clients begin with, or a client's fallback leads back. */
static bool repeats_calls(const World *world) {
    const Model *model = world->model;
    uint32_t *callers = mem_zalloc(model->service_count, sizeof *callers);
    bool repeats = false;
    for (uint32_t i = 0; i < model->edge_count; i++) {
        const Edge *edge = &model->edges[i];
        CHECK(world->edges[i].max_attempts > 0);
        callers[edge->to] += i >= model->client_count;
        repeats |= world->edges[i].max_attempts > 1 || callers[edge->to] > 1;
        if (i >= model->client_count && edge->caller < model->client_count) {
            repeats |= model->edges[model->clients[edge->caller].edge].to == edge->to;
        }
    }
    mem_free(callers);
    return repeats;
}

/* Arrivals, sessions and calls may each hold a prompt of their own. Chunks are reserved for traces
 * alone: their limit, of 60 ids for each request in flight, is 2 GiB of address space by default.
 */
void prompts_init(World *world) {
    const Model *model = world->model;
    bool has_trace = false;
    for (uint32_t i = 0; i < model->client_count; i++) {
        const Client *client = &model->clients[i];
        ClientState *state = &world->clients[i];
        const ArrivalOps *ops = client->arrivals.kind->ops;
        state->next_prompt = NONE;
        state->prefix_key =
            rng_key(world->options.seed, world->options.replication, client->name, "prefix");
        state->prefix_name = rng_key(0, 0, client->name, "prefix").k[0];
        if (ops->trace_file != NULL) {
            const char *file = ops->trace_file(client->arrivals.params);
            state->hashes_name = rng_key(0, 0, file, "hash ids").k[0];
            has_trace = true;
        }
    }
    uint32_t limit = model->run.max_in_flight;
    CHECK(limit <= UINT32_MAX / 8);
    pool_init(&world->prompts, sizeof(Prompt), 2 * limit + model->client_count + 1);
    pool_init(&world->hash_chunks, sizeof(HashChunk), has_trace ? 4 * limit + (1u << 16) : 1);
    world->repeats_calls = repeats_calls(world);
}

void prompts_free(World *world) {
    CHECK(world->prompts.records != NULL);
    pool_free(&world->prompts);
    pool_free(&world->hash_chunks);
}

static uint32_t prompt_new(World *world, const Prompt *prompt) {
    uint32_t slot = pool_take(&world->prompts);
    CHECK(slot != POOL_FULL && prompt->holders == 1);
    *world_prompt(world, slot) = *prompt;
    return slot;
}

static HashChunk *chunk_at(const World *world, uint32_t slot) {
    return pool_at(&world->hash_chunks, slot);
}

void prompt_drop(World *world, uint32_t slot) {
    Prompt *prompt = world_prompt(world, slot);
    CHECK(prompt->holders > 0);
    if (--prompt->holders > 0) {
        return;
    }
    for (uint32_t at = prompt->chunk, next; at != NONE; at = next) {
        next = chunk_at(world, at)->next;
        pool_give(&world->hash_chunks, at);
    }
    pool_give(&world->prompts, slot);
}

/* ---- Where they come from */

/* The prefix of who draws by `key`, and nothing behind it. */
static Prompt prompt_with_prefix(const World *world, uint32_t index, uint64_t key) {
    const Client *client = &world->model->clients[index];
    const ClientState *state = &world->clients[index];
    Prompt prompt = {.prefix_tokens = client->shared_prefix.tokens, .holders = 1, .chunk = NONE};
    if (prompt.prefix_tokens > 0) {
        double rank = dist_draw_keyed(&client->prefix_law, &state->prefix_key, key, 0);
        CHECK(rank >= 1);
        prompt.prefix = rng_mix(state->prefix_name + (uint64_t)rank);
    }
    return prompt;
}

uint32_t prompt_of_request(World *world, uint32_t client, uint64_t key) {
    Prompt prompt = prompt_with_prefix(world, client, key);
    CHECK(prompt.prefix_tokens > 0);
    return prompt_new(world, &prompt);
}

/* Never 0: that would be no session. */
static uint64_t session_name(uint64_t key) {
    uint64_t name = rng_mix(key);
    DCHECK(name != 0 || key == 0);
    return name != 0 ? name : 1;
}

uint32_t prompt_of_session(World *world, uint32_t client, uint64_t key) {
    CHECK(client < world->model->client_count);
    Prompt prompt = prompt_with_prefix(world, client, key);
    prompt.session = session_name(key);
    prompt.session_key = key;
    return prompt_new(world, &prompt);
}

uint32_t prompt_of_cut_session(World *world, uint32_t slot) {
    Prompt prompt = *world_prompt(world, slot);
    CHECK(prompt.session != 0 && prompt.chunk == NONE);
    prompt.session = session_name(prompt.session + PROMPT_INCREMENT);
    prompt.holders = 1;
    return prompt_new(world, &prompt);
}

/* Each id is mixed with all before it: then its name stands for the whole prefix even where a
 * trace's ids do not, on which caches rely. False when there is no room. */
static bool take_hashes(World *world, Prompt *prompt, const uint64_t *ids, uint32_t count) {
    uint64_t name = prompt->prefix;
    uint32_t *link = &prompt->chunk;
    CHECK(ids != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (i % HASHES_PER_CHUNK == 0) {
            uint32_t slot = pool_take(&world->hash_chunks);
            if (slot == POOL_FULL) {
                return false;
            }
            chunk_at(world, slot)->next = NONE;
            *link = slot;
        }
        HashChunk *chunk = chunk_at(world, *link);
        name = rng_mix(name ^ ids[i]);
        chunk->names[i % HASHES_PER_CHUNK] = name;
        link = (i + 1) % HASHES_PER_CHUNK == 0 ? &chunk->next : link;
    }
    return true;
}

uint32_t prompt_of_hashes(World *world, uint32_t client, const Arrival *arrival) {
    uint64_t tokens = (uint64_t)arrival->hash_count * arrival->tokens_per_hash;
    CHECK(tokens > 0);
    Prompt prompt = {.prefix_tokens = tokens < UINT32_MAX ? (uint32_t)tokens : UINT32_MAX,
                     .holders = 1,
                     .chunk = NONE,
                     .tokens_per_hash = arrival->tokens_per_hash,
                     .prefix =
                         rng_mix(world->clients[client].hashes_name ^ arrival->tokens_per_hash)};
    uint32_t slot = prompt_new(world, &prompt);
    if (!take_hashes(world, world_prompt(world, slot), arrival->hash_ids, arrival->hash_count)) {
        prompt_drop(world, slot);
        world_stop(world, STOP_IN_FLIGHT);
        return NONE;
    }
    return slot;
}

/* ---- Keys */

bool prompt_is_shared(const World *world, const Call *call) {
    DCHECK(call->prompt == NONE || call->prompt < pool_slot_end(&world->prompts));
    return call->prompt != NONE || world->repeats_calls;
}

bool prompt_session(const World *world, const Call *call, uint64_t *key) {
    if (call->prompt == NONE || world_prompt(world, call->prompt)->session == 0) {
        return false;
    }
    CHECK(world_prompt(world, call->prompt)->holders > 0);
    *key = world_prompt(world, call->prompt)->session_key;
    return true;
}

PromptCursor prompt_cursor(const World *world, const Call *call, uint32_t first,
                           uint32_t block_size) {
    CHECK(block_size > 0);
    PromptCursor cursor = {.world = world,
                           .request = rng_mix(call->key),
                           .end = ((uint64_t)first + 1) * block_size,
                           .block_size = block_size};
    if (call->prompt == NONE) {
        return cursor;
    }
    const Prompt *prompt = world_prompt(world, call->prompt);
    uint32_t input = call->input_tokens;
    cursor.prefix = prompt->prefix;
    cursor.prefix_end = prompt->prefix_tokens < input ? prompt->prefix_tokens : input;
    cursor.session = prompt->session;
    cursor.session_end = prompt->session == 0 ? 0 : (uint64_t)input + call->output_tokens;
    cursor.tokens_per_hash = prompt->tokens_per_hash;
    cursor.chunk = prompt->chunk;
    cursor.chunk_end = HASHES_PER_CHUNK;
    return cursor;
}

/* The name of the hash id that has the next block's last token. */
static uint64_t hash_name(PromptCursor *cursor) {
    uint32_t index = (uint32_t)(cursor->end - 1) / cursor->tokens_per_hash;
    while (index >= cursor->chunk_end) {
        cursor->chunk = chunk_at(cursor->world, cursor->chunk)->next;
        cursor->chunk_end += HASHES_PER_CHUNK;
    }
    CHECK(cursor->chunk != NONE);
    return chunk_at(cursor->world, cursor->chunk)
        ->names[index + HASHES_PER_CHUNK - cursor->chunk_end];
}

PromptRun prompt_next_run(PromptCursor *cursor, uint32_t most) {
    uint64_t owner = cursor->request, owner_end = UINT64_MAX;
    CHECK(most > 0 && cursor->end >= cursor->block_size);
    if (cursor->end <= cursor->prefix_end) {
        owner = cursor->prefix;
        owner_end = cursor->prefix_end;
        if (cursor->tokens_per_hash > 0) {
            uint64_t hash_end = (cursor->end - 1) / cursor->tokens_per_hash + 1;
            hash_end *= cursor->tokens_per_hash;
            owner = hash_name(cursor);
            owner_end = hash_end < owner_end ? hash_end : owner_end;
        }
    } else if (cursor->end <= cursor->session_end) {
        owner = cursor->session;
        owner_end = cursor->session_end;
    }
    uint64_t count = (owner_end - cursor->end) / cursor->block_size + 1;
    PromptRun run = {.owner = owner,
                     .first = (uint32_t)(cursor->end / cursor->block_size - 1),
                     .count = count < most ? (uint32_t)count : most};
    cursor->end += (uint64_t)run.count * cursor->block_size;
    return run;
}

/* ---- All is held by somebody */

static void check_holders(const World *world, const uint32_t *holders) {
    uint32_t live_count = 0, chunk_count = 0;
    for (uint32_t slot = 0; slot < pool_slot_end(&world->prompts); slot++) {
        const Prompt *prompt = world_prompt(world, slot);
        CHECK(prompt->holders == holders[slot]);
        live_count += prompt->holders > 0;
        for (uint32_t at = prompt->holders > 0 ? prompt->chunk : NONE; at != NONE;
             at = chunk_at(world, at)->next) {
            chunk_count++;
        }
    }
    CHECK(live_count == pool_live_count(&world->prompts));
    CHECK(chunk_count == pool_live_count(&world->hash_chunks));
}

void prompts_check(const World *world) {
    uint32_t end = pool_slot_end(&world->prompts);
    uint32_t *holders = mem_zalloc((size_t)end + 1, sizeof *holders);
    for (uint32_t slot = 0; slot < pool_slot_end(&world->calls); slot++) {
        const Call *call = world_call(world, slot);
        if (call->holders > 0 && call->prompt != NONE) {
            CHECK(call->prompt < end);
            holders[call->prompt]++;
        }
    }
    for (uint32_t slot = 0; slot < pool_slot_end(&world->sessions); slot++) {
        const Session *session = world_session(world, slot);
        if (session->turn_count > 0) {
            CHECK(session->prompt < end);
            holders[session->prompt]++;
        }
    }
    for (uint32_t i = 0; i < world->model->client_count; i++) {
        if (world->clients[i].next_prompt != NONE) {
            CHECK(world->clients[i].next_prompt < end);
            holders[world->clients[i].next_prompt]++;
        }
    }
    check_holders(world, holders);
    mem_free(holders);
}
