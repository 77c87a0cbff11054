/* Sequences begin to decode, leave, and keep their blocks: what they hold and what is counted over
 * all of them. */
#include "models/engine/engine_parts.h"
#include "models/prompt.h"
#include "sim/check.h"

void engine_publish(World *world, uint32_t replica, Sequence *s, uint64_t tokens) {
    const EngineParams *p = engine_params(world, replica);
    KvBlocks *kv = engine_kv(engine_of(world, replica));
    uint32_t full = (uint32_t)(tokens / p->block_size);
    if (s->published >= full || !p->enable_prefix_caching || s->attempt == NONE) {
        return;
    }
    const Call *call = world_call(world, world_attempt(world, s->attempt)->call);
    PromptCursor cursor = prompt_cursor(world, call, s->published, p->block_size);
    while (s->published < full) {
        PromptRun run = prompt_next_run(&cursor, full - s->published);
        s->last_published = kv_publish(kv, run, s->last_published);
        s->published += run.count;
    }
    CHECK(s->last_published != KV_NONE);
}

void engine_begin_decoding(Engine *engine, const EngineParams *p, Sequence *s) {
    CHECK(!s->is_decoding && s->goal > s->tokens);
    s->is_decoding = true;
    s->offset = (int64_t)s->computed - engine->step_count;
    engine->decode_count++;
    engine->context_offset += s->offset;
    engine_phases(engine)[engine_phase(p, s->offset)]++;
    if (s->admitted > engine->last_decode_admitted) {
        engine->last_decode_admitted = s->admitted;
    }
}

static void end_decoding(Engine *engine, const EngineParams *p, Sequence *s) {
    CHECK(s->is_decoding && engine->decode_count > 0);
    s->computed = engine_computed(engine, s);
    s->tokens = s->computed + 1;
    s->is_decoding = false;
    engine->decode_count--;
    engine->context_offset -= s->offset;
    engine_phases(engine)[engine_phase(p, s->offset)]--;
    if (engine->decode_count == 0) {
        engine->last_decode_admitted = 0;
    }
}

void engine_drop_sequence(World *world, uint32_t replica, uint32_t index, bool is_published) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    Sequence *s = engine_sequence(engine, index);
    if (s->is_decoding) {
        end_decoding(engine, p, s);
    }
    uint64_t tokens = (uint64_t)s->computed + s->scheduled;
    uint32_t held = engine_blocks_for(p, tokens);
    if (is_published || s->is_shared) {
        engine_publish(world, replica, s, tokens);
    }
    CHECK(held >= s->published);
    kv_give(engine_kv(engine), held - s->published);
    kv_release(engine_kv(engine), s->last_published);
    s->attempt = engine->free_sequence;
    engine->free_sequence = index;
}

/* A prefill server's blocks are read by the services that it calls: the transfer to where decoding
 * goes on. Until then the attempt holds them without being in the batch. */
void engine_park(World *world, uint32_t replica, uint32_t index) {
    Engine *engine = engine_of(world, replica);
    Sequence *s = engine_sequence(engine, index);
    Attempt *attempt = world_attempt(world, s->attempt);
    CHECK(!s->is_decoding && s->scheduled == 0);
    attempt->holds_memory = true;
    attempt->kept_blocks =
        engine_blocks_for(engine_params(world, replica), s->computed) - s->published;
    attempt->kept_last = s->last_published;
    s->attempt = engine->free_sequence;
    engine->free_sequence = index;
}

void engine_unpark(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    KvBlocks *kv = engine_kv(engine_of(world, attempt->replica));
    CHECK(attempt->holds_memory);
    attempt->holds_memory = false;
    if (!world->replicas[attempt->replica].levers.is_up) {
        return; /* engine_crash has freed all */
    }
    kv_give(kv, attempt->kept_blocks);
    kv_release(kv, attempt->kept_last);
    engine_tell_kv(world, attempt->replica, world->now);
}
