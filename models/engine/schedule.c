/* What the next step computes: vllm/v1/core/sched/scheduler.py, schedule(), in the words of
 * docs/inference.md section 1. Phase A gives the running what they need, preempting from the end
 * while blocks are short; phase B admits who waits. */
#include "models/engine/engine_parts.h"
#include "models/flow.h"
#include "models/prompt.h"
#include "sim/check.h"

/* ---- Blocks */

/* Blocks that `count` more tokens of a sequence need. */
static uint32_t blocks_needed(const Engine *engine, const EngineParams *p, const Sequence *s,
                              uint32_t count) {
    uint32_t computed = engine_computed(engine, s);
    CHECK(count > 0);
    return engine_blocks_for(p, (uint64_t)computed + count) - engine_blocks_for(p, computed);
}

/* What it computed is lost, but may be found in the cache for a while. */
static void preempt(World *world, uint32_t replica, uint32_t place) {
    Engine *engine = engine_of(world, replica);
    uint32_t *order = engine_order(engine), index = order[place];
    Sequence *s = engine_sequence(engine, index);
    uint32_t slot = s->attempt, computed = engine_computed(engine, s);
    Attempt *attempt = world_attempt(world, slot);
    CHECK(slot != NONE && place < engine->running_count);
    attempt->produced = (s->is_decoding ? computed + 1 : s->tokens) - s->prompt;
    if (s->is_decoding) {
        attempt->ends_at = s->late_since > 0 ? s->late_since : world->now;
    }
    attempt->lost_tokens = computed;
    flow_work_lost(world, slot, computed - s->begun_with);
    probe_count(&world->probe, world->replicas[replica].component, COUNT_PREEMPTIONS,
                world_call(world, attempt->call)->is_measured);
    for (uint32_t i = place + 1; i < engine->running_count; i++) {
        order[i - 1] = order[i];
        engine_finishes(engine)[i - 1] = engine_finishes(engine)[i];
    }
    engine->running_count--;
    engine->has_preempted = true;
    engine_drop_sequence(world, replica, index, true);
    flow_put_back(world, slot);
}

/* ---- Phase A, in short: nobody is short of anything, so that the order does not matter */

/* Tokens that a prefilling sequence would like to compute in one step. */
static uint32_t wanted(const EngineParams *p, uint32_t left) {
    uint32_t threshold = p->long_prefill_token_threshold;
    DCHECK(left > 0);
    return threshold > 0 && threshold < left ? threshold : left;
}

static void add_prefill(StepLoad *load, uint64_t context, uint64_t count) {
    CHECK(count > 0);
    load->prefill_tokens += (uint32_t)count;
    load->prefill_sequences++;
    load->prefill_context += context;
    load->prefill_cross += context * count;
    load->prefill_squares += count * count;
}

/* Blocks for all prefilling ones behind the decoding, with what the budget leaves. */
static uint64_t prefill_blocks(const Engine *engine, const EngineParams *p) {
    const uint32_t *order = engine_order(engine);
    uint32_t budget = engine->budget - engine->decode_count;
    uint64_t blocks = 0;
    for (uint32_t i = engine->decode_count; i < engine->running_count && budget > 0; i++) {
        const Sequence *s = engine_sequence(engine, order[i]);
        uint32_t count = wanted(p, s->tokens - s->computed);
        count = count < budget ? count : budget;
        CHECK(!s->is_decoding);
        blocks += blocks_needed(engine, p, s, count);
        budget -= count;
    }
    return blocks;
}

static bool is_plain(const World *world, const Engine *engine, const EngineParams *p) {
    if (world->options.is_stepwise || engine->has_late || engine->decode_count > engine->budget) {
        return false;
    }
    if (engine->running_count > engine->decode_count) {
        const uint32_t *order = engine_order(engine);
        const Sequence *first = engine_sequence(engine, order[engine->decode_count]);
        if (first->admitted <= engine->last_decode_admitted) {
            return false;
        }
    }
    CHECK(engine->running_count >= engine->decode_count);
    return (int64_t)(engine_decode_blocks(engine, p) + prefill_blocks(engine, p)) <=
           engine_available(engine);
}

static void schedule_prefill(World *world, uint32_t replica, Sequence *s, uint32_t count) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    CHECK(count > 0 && count <= engine->budget && !s->is_decoding);
    kv_take(engine_kv(engine), blocks_needed(engine, p, s, count));
    s->scheduled = count;
    engine->budget -= count;
    add_prefill(&engine->load, s->computed, count);
    if (s->is_shared) {
        engine_publish(world, replica, s, (uint64_t)s->computed + count);
    }
}

static void schedule_plainly(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    CHECK(engine->budget >= engine->decode_count);
    kv_take(engine_kv(engine), engine_decode_blocks(engine, p));
    engine->budget -= engine->decode_count;
    for (uint32_t i = engine->decode_count; i < engine->running_count && engine->budget > 0; i++) {
        Sequence *s = engine_sequence(engine, engine_order(engine)[i]);
        uint32_t count = wanted(p, s->tokens - s->computed);
        schedule_prefill(world, replica, s, count < engine->budget ? count : engine->budget);
    }
}

/* ---- Phase A, in full */

static bool goes_after(const World *world, const Sequence *a, const Sequence *b) {
    const Attempt *left = world_attempt(world, a->attempt);
    const Attempt *right = world_attempt(world, b->attempt);
    uint8_t left_rank = world_call(world, left->call)->rank;
    uint8_t right_rank = world_call(world, right->call)->rank;
    CHECK(left != right);
    if (left_rank != right_rank) {
        return left_rank > right_rank;
    }
    return left->entered_at != right->entered_at ? left->entered_at > right->entered_at
                                                 : a->admitted > b->admitted;
}

/* The place in `order` of who is preempted next. */
static uint32_t find_victim(const World *world, uint32_t replica) {
    const Engine *engine = engine_of(world, replica);
    const uint32_t *order = engine_order(engine);
    uint32_t victim = engine->running_count - 1;
    CHECK(engine->running_count > 0);
    if (engine_params(world, replica)->scheduling_policy == POLICY_FCFS) {
        return victim;
    }
    for (uint32_t i = 0; i < engine->running_count; i++) {
        if (i != victim && goes_after(world, engine_sequence(engine, order[i]),
                                      engine_sequence(engine, order[victim]))) {
            victim = i;
        }
    }
    return victim;
}

/* Makes room for `blocks` of the sequence in `place`; false when it had to go itself, or the
 * replica crashes. A victim that was scheduled already gives its tokens back. */
static bool make_room(World *world, uint32_t replica, uint32_t *place, uint32_t blocks) {
    Engine *engine = engine_of(world, replica);
    while (engine_available(engine) < blocks) {
        const ReplicaLevers *levers = &world->replicas[replica].levers;
        if (levers->breaks_when_full) {
            levers_break(world, replica, levers->when_full, "its KV cache is full");
            return false;
        }
        uint32_t victim = find_victim(world, replica);
        Sequence *s = engine_sequence(engine, engine_order(engine)[victim]);
        CHECK(victim < engine->running_count);
        engine->budget += s->scheduled;
        if (s->scheduled > 0 && s->is_decoding) {
            engine->load.decode_sequences--;
            engine->load.decode_context -= engine_computed(engine, s);
        } else if (s->scheduled > 0) {
            StepLoad part = {0};
            add_prefill(&part, s->computed, s->scheduled);
            engine->load.prefill_tokens -= part.prefill_tokens;
            engine->load.prefill_sequences--;
            engine->load.prefill_context -= part.prefill_context;
            engine->load.prefill_cross -= part.prefill_cross;
            engine->load.prefill_squares -= part.prefill_squares;
        }
        preempt(world, replica, victim);
        if (victim == *place) {
            return false;
        }
        *place -= victim < *place;
    }
    return true;
}

static void schedule_in_order(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    engine->has_order = true;
    for (uint32_t place = 0; place < engine->running_count && engine->budget > 0; place++) {
        Sequence *s = engine_sequence(engine, engine_order(engine)[place]);
        uint32_t count = s->is_decoding ? 1 : wanted(p, s->tokens - s->computed);
        count = count < engine->budget ? count : engine->budget;
        if (!make_room(world, replica, &place, blocks_needed(engine, p, s, count))) {
            return;
        }
        CHECK(s->scheduled == 0);
        if (!s->is_decoding) {
            schedule_prefill(world, replica, s, count);
            continue;
        }
        kv_take(engine_kv(engine), blocks_needed(engine, p, s, 1));
        s->scheduled = 1;
        engine->budget--;
        engine->load.decode_sequences++;
        engine->load.decode_context += engine_computed(engine, s);
    }
}

/* ---- Phase B */

/* Leading blocks of the call's prompt that the cache holds, and how many of these are free. */
static uint32_t find_prefix(const World *world, uint32_t replica, const Call *call,
                            uint32_t block_limit, uint32_t *free_count) {
    const KvBlocks *kv = engine_kv(engine_of(world, replica));
    PromptCursor cursor = prompt_cursor(world, call, 0, engine_params(world, replica)->block_size);
    uint32_t found = 0, asked = 0;
    *free_count = 0;
    while (found == asked && found < block_limit) {
        PromptRun run = prompt_next_run(&cursor, block_limit - found);
        asked += run.count;
        found += kv_match(kv, run, free_count);
    }
    CHECK(*free_count <= found && found <= block_limit);
    return found;
}

uint32_t engine_cached_tokens(World *world, uint32_t replica, const Call *call) {
    const EngineParams *p = engine_params(world, replica);
    CHECK(call->input_tokens < UINT32_MAX);
    if (!p->enable_prefix_caching || p->role == ROLE_DECODE) {
        return 0;
    }
    engine_catch_up(world, replica);
    uint32_t free_count, limit = engine_prompt_tokens(call) / p->block_size;
    return find_prefix(world, replica, call, limit, &free_count) * p->block_size;
}

/* Whether the one who waits first can be admitted now; how much of it is then in Engine.offered.
 * Nobody overtakes it. One that no longer fits at all is let in to be answered with an error. */
static bool fits(World *world, uint32_t replica, uint32_t slot) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    const Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    uint32_t tokens = engine_prompt_tokens(call) + attempt->produced;
    uint32_t whole = engine_blocks_for(p, tokens), hit_blocks = 0, hit_free = 0;
    CHECK(tokens > 0);
    engine->offered = engine->offered_hit = 0;
    if (whole + engine->kv_lost > engine_kv(engine)->block_count) {
        return true;
    }
    bool may_hit =
        p->enable_prefix_caching && (attempt->is_returned || prompt_is_shared(world, call));
    if (p->role == ROLE_DECODE && !attempt->is_returned) {
        engine->offered_hit = tokens - 1;
    } else if (may_hit) {
        hit_blocks = find_prefix(world, replica, call, (tokens - 1) / p->block_size, &hit_free);
        engine->offered_hit = hit_blocks * p->block_size;
    }
    uint32_t count = wanted(p, tokens - engine->offered_hit);
    if (!p->enable_chunked_prefill && count > engine->budget) {
        return false;
    }
    engine->offered = count < engine->budget ? count : engine->budget;
    uint32_t needed = p->scheduler_reserve_full_isl
                          ? whole
                          : engine_blocks_for(p, (uint64_t)engine->offered_hit + engine->offered);
    return (int64_t)needed - hit_blocks + hit_free <= engine_available(engine);
}

static uint32_t take_sequence(Engine *engine, uint32_t slot) {
    uint32_t index = engine->free_sequence;
    CHECK(index != NONE);
    engine->free_sequence = engine_sequence(engine, index)->attempt;
    *engine_sequence(engine, index) = (Sequence){
        .attempt = slot, .last_published = KV_NONE, .admitted = ++engine->admission_count};
    engine_finishes(engine)[engine->running_count] = FINISH_NEVER;
    engine_order(engine)[engine->running_count++] = index;
    return index;
}

/* Holds what was found in the cache, or takes the blocks of what was brought along. */
static void begin_with(World *world, uint32_t replica, Sequence *s, uint32_t tokens) {
    const EngineParams *p = engine_params(world, replica);
    KvBlocks *kv = engine_kv(engine_of(world, replica));
    const Call *call = world_call(world, world_attempt(world, s->attempt)->call);
    s->computed = s->begun_with = tokens;
    if (p->role == ROLE_DECODE && !world_attempt(world, s->attempt)->is_returned) {
        kv_take(kv, engine_blocks_for(p, tokens));
        return;
    }
    PromptCursor cursor = prompt_cursor(world, call, 0, p->block_size);
    uint32_t blocks = tokens / p->block_size;
    while (s->published < blocks) {
        PromptRun run = prompt_next_run(&cursor, blocks - s->published);
        s->last_published = kv_hold(kv, run, s->last_published);
        s->published += run.count;
    }
}

static void count_admission(World *world, uint32_t replica, const Sequence *s) {
    const Attempt *attempt = world_attempt(world, s->attempt);
    uint32_t component = world->replicas[replica].component;
    bool is_measured = world_call(world, attempt->call)->is_measured;
    CHECK(s->begun_with < s->tokens);
    if (!attempt->is_returned) {
        /* What was brought along was not looked up. */
        bool looks = engine_params(world, replica)->role != ROLE_DECODE;
        probe_add(&world->probe, component, COUNT_PREFIX_QUERIED, is_measured, looks * s->tokens);
        probe_add(&world->probe, component, COUNT_PREFIX_HIT, is_measured, looks * s->begun_with);
    } else if (attempt->lost_tokens > s->begun_with) {
        probe_add(&world->probe, component, COUNT_RECOMPUTED, is_measured,
                  attempt->lost_tokens - s->begun_with);
    }
}

static void admit(World *world, uint32_t replica, uint32_t slot) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    uint32_t index = take_sequence(engine, slot);
    Sequence *s = engine_sequence(engine, index);
    uint32_t most = engine_max_model_len(p);
    s->prompt = engine_prompt_tokens(call);
    s->tokens = s->prompt + attempt->produced;
    uint64_t goal = (uint64_t)s->prompt + engine_answer_tokens(p, call);
    s->goal = goal < most ? (uint32_t)goal : most;
    s->is_shared = prompt_is_shared(world, call);
    CHECK(s->goal > s->tokens && engine->offered > 0);
    flow_use_slot(world, slot);
    begin_with(world, replica, s, engine->offered_hit);
    count_admission(world, replica, s);
    attempt->sequence = index;
    schedule_prefill(world, replica, s, engine->offered);
}

/* Answered with an error: it could wait for ever. Its caller may react at once. */
static void turn_away(World *world, uint32_t replica, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    bool is_measured = world_call(world, attempt->call)->is_measured;
    CHECK(attempt->state == ATTEMPT_SERVING);
    probe_count(&world->probe, world->replicas[replica].component, COUNT_UNSERVABLE, is_measured);
    attempt->outcome = OUTCOME_ERROR;
    attempt->sequence = NONE;
    flow_work_done(world, slot, 0);
}

static void admit_waiting(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    CHECK(!engine->has_preempted);
    while (engine->budget > 0 && engine->running_count < world->replicas[replica].levers.slots) {
        uint32_t slot = flow_take_if(world, replica, fits);
        if (slot == NONE) {
            engine->is_open = world->replicas[replica].queue_count == 0;
            return;
        }
        if (engine->offered == 0) {
            turn_away(world, replica, slot);
        } else if (flow_fails_early(world, slot)) {
            world_attempt(world, slot)->sequence = NONE;
            flow_work_for(world, slot, 0);
        } else {
            admit(world, replica, slot);
        }
    }
}

/* ---- Both */

bool engine_schedule(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    do {
        engine->load = (StepLoad){0};
        engine->budget = p->max_num_batched_tokens;
        engine->has_order = engine->has_preempted = engine->is_open = false;
        if (is_plain(world, engine, p)) {
            engine->load.decode_sequences = engine->decode_count;
            engine->load.decode_context =
                (uint64_t)(engine->context_offset + engine->decode_count * engine->step_count);
            schedule_plainly(world, replica);
        } else {
            schedule_in_order(world, replica);
        }
        if (world->now < world->replicas[replica].down_until) {
            return false; /* it lacked blocks and crashes, before anything else happens */
        }
        if (!engine->has_preempted) {
            admit_waiting(world, replica);
        }
        /* Who had to make room for himself is looked at again: he may wait, or can never fit. By
         * priority he may have preempted all that was scheduled before, and others still run. */
    } while (engine->has_preempted && engine->budget == p->max_num_batched_tokens);
    CHECK(engine->budget < p->max_num_batched_tokens || engine->running_count == 0);
    return engine->running_count > 0;
}
