#include "tests/models/sent.h"

#include <string.h>

static const Call *find_call(const World *world, uint32_t client, uint64_t number) {
    for (uint32_t slot = 0; slot < pool_slot_end(&world->calls); slot++) {
        const Call *call = world_call(world, slot);
        if (call->is_open && call->parent == NONE && call->client == client &&
            call->key == world->clients[client].key_base + number) {
            return call;
        }
    }
    ck_abort_msg("a request that was sent has no call");
    return NULL;
}

static bool has_sessions(const Model *model, uint32_t client) {
    return strcmp(model->clients[client].arrivals.kind->name, "sessions") == 0;
}

static void take_note(void *context, const Note *note) {
    SentRun *run = context;
    const Model *model = run->model;
    if (strcmp(note->what, "sent") != 0 || note->attempt != 1 || note->client == NONE ||
        note->component !=
            model_service_component(model, model->edges[model->clients[note->client].edge].to)) {
        return;
    }
    const Call *call = find_call(run->world, note->client, note->request);
    Sent sent = {.client = note->client,
                 .number = note->request,
                 .session = NO_SESSION,
                 .replica = note->replica,
                 .at = note->at,
                 .input_tokens = call->input_tokens,
                 .output_tokens = call->output_tokens,
                 .rank = call->rank,
                 .is_shared = prompt_is_shared(run->world, call)};
    if (has_sessions(model, note->client)) {
        const Session *session = world_session(run->world, call->user);
        sent.session = session->number;
        sent.turn = session->turn;
    }
    sent.key_count = (call->input_tokens + call->output_tokens) / run->block_size;
    sent.keys = mem_alloc((sent.key_count + 1) * sizeof *sent.keys);
    PromptCursor cursor = prompt_cursor(run->world, call, 0, run->block_size);
    for (uint32_t i = 0; i < sent.key_count; i++) {
        sent.keys[i] = next_key(&cursor);
        CHECK(sent.keys[i] != 0);
    }
    vec_push(&run->sent, sent);
}

static void take_end(void *context, const RequestRecord *record) {
    SentRun *run = context;
    for (size_t i = run->sent.count; i-- > 0 && record->is_finished;) {
        Sent *sent = &run->sent.items[i];
        if (sent->client == record->client && sent->number == record->number) {
            ck_assert_uint_eq(sent->input_tokens, record->input_tokens);
            sent->ended_at = record->ended_at;
            return;
        }
    }
}

void sent_run(SentRun *run, const char *yaml, const StoryTrace *traces, uint32_t block_size) {
    *run = (SentRun){.model = story_compile(yaml), .block_size = block_size};
    WorldOptions options = {.seed = (uint64_t)run->model->run.seed,
                            .context = run,
                            .on_note = take_note,
                            .on_request = take_end,
                            .check_every = 1};
    StoryTrace copies[8];
    TraceSource sources[8];
    ck_assert_uint_le(run->model->client_count, 8);
    for (uint32_t i = 0; traces != NULL && i < run->model->client_count; i++) {
        copies[i] = traces[i];
        sources[i] =
            (TraceSource){&copies[i], traces[i].is_rate, story_trace_next, story_trace_rewind};
    }
    options.traces = traces == NULL ? NULL : sources;
    run->world = world_create(run->model, &options);
    world_run(run->world);
    world_check(run->world);
}

void sent_free(SentRun *run) {
    for (size_t i = 0; i < run->sent.count; i++) {
        mem_free(run->sent.items[i].keys);
    }
    vec_free(&run->sent);
    world_destroy(run->world);
    model_destroy(run->model);
}

uint32_t sent_common(const Sent *a, const Sent *b) {
    uint32_t count = a->key_count < b->key_count ? a->key_count : b->key_count, common = 0;
    while (common < count && a->keys[common] == b->keys[common]) {
        common++;
    }
    for (uint32_t i = common; i < count; i++) {
        CHECK(a->keys[i] != b->keys[i]);
    }
    return common;
}
