#include "models/engine/engine_parts.h"

#include "models/flow.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* ---- Sizes */

uint32_t engine_kv_blocks(const EngineParams *p) {
    CHECK(p->step.kind != NULL);
    if (p->has_kv_blocks) {
        return p->kv_blocks;
    }
    const InferenceStepOps *step = p->step.kind->ops;
    double blocks = step->kv_blocks == NULL
                        ? 0
                        : step->kv_blocks(p->step.params, p->gpu_memory_utilization, p->block_size);
    return blocks < KV_BLOCKS_MAX ? (uint32_t)(blocks > 0 ? blocks : 0) : KV_BLOCKS_MAX;
}

uint32_t engine_max_model_len(const EngineParams *p) {
    CHECK(p->block_size > 0);
    if (p->has_max_model_len) {
        return p->max_model_len;
    }
    uint64_t tokens = (uint64_t)engine_kv_blocks(p) * p->block_size;
    return tokens < UINT32_MAX ? (uint32_t)tokens : UINT32_MAX;
}

static size_t place(size_t *used, size_t size) {
    enum { ALIGNMENT = 16 };
    size_t at = *used;
    *used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    CHECK(*used >= at);
    return at;
}

static size_t lay_out(const EngineParams *p, Engine *engine) {
    size_t used = 0;
    CHECK(place(&used, sizeof *engine) == 0);
    engine->order_at = place(&used, p->max_num_seqs * sizeof(uint32_t));
    engine->finishes_at = place(&used, p->max_num_seqs * sizeof(int64_t));
    engine->finishing_at = place(&used, p->max_num_seqs * sizeof(uint32_t));
    engine->phases_at = place(&used, p->block_size * sizeof(uint32_t));
    engine->sequences_at = place(&used, p->max_num_seqs * sizeof(Sequence));
    engine->kv_at = place(&used, kv_blocks_size(engine_kv_blocks(p), p->enable_prefix_caching));
    return used;
}

size_t engine_size(const EngineParams *p) {
    Engine unused = {0};
    CHECK(p->max_num_seqs > 0);
    return lay_out(p, &unused);
}

static void reset_sequences(Engine *engine, const EngineParams *p) {
    CHECK(p->max_num_seqs > 0);
    for (uint32_t i = 0; i < p->max_num_seqs; i++) {
        engine_sequence(engine, i)->attempt = i + 1 < p->max_num_seqs ? i + 1 : NONE;
    }
    for (uint32_t i = 0; i < p->block_size; i++) {
        engine_phases(engine)[i] = 0;
    }
    engine->free_sequence = 0;
    engine->next_finish = FINISH_NEVER;
    engine->has_late = false;
}

void engine_start(World *world, uint32_t replica) {
    const EngineParams *p = engine_params(world, replica);
    Engine *engine = engine_of(world, replica);
    CHECK(engine->kv_at == 0);
    lay_out(p, engine);
    reset_sequences(engine, p);
    kv_blocks_init(engine_kv(engine), engine_kv_blocks(p), p->enable_prefix_caching);
    probe_level(&world->probe, world->replicas[replica].component, LEVEL_KV_BLOCKS, world->now,
                engine_kv(engine)->block_count);
}

/* ---- What the probe is told */

void engine_tell_kv(World *world, uint32_t replica, SimTime at) {
    Engine *engine = engine_of(world, replica);
    const KvBlocks *kv = engine_kv(engine);
    uint32_t used = kv->block_count - kv->free_count;
    CHECK(used <= kv->block_count);
    if (used != engine->kv_told) {
        probe_level_at(&world->probe, world->replicas[replica].component, LEVEL_KV_USED, at,
                       (int64_t)used - engine->kv_told);
        engine->kv_told = used;
    }
}

static SimTime step_start(const Engine *engine, uint32_t step) {
    DCHECK(step < engine->run_length);
    return step == 0 ? engine->began_at : engine->ends[step - 1];
}

/* A step of `size` sequences has ended, of which `decoded` have waited for their token since the
 * step before. */
static void tell_step(World *world, uint32_t replica, uint32_t step, uint32_t decoded) {
    const Engine *engine = engine_of(world, replica);
    uint32_t component = world->replicas[replica].component;
    SimTime end = engine->ends[step];
    bool is_measured = end >= world->model->run.warmup;
    uint32_t size = engine->load.decode_sequences + engine->load.prefill_sequences;
    CHECK(size > 0 && end > step_start(engine, step));
    probe_count(&world->probe, component, COUNT_BATCHES, is_measured);
    probe_add(&world->probe, component, COUNT_BATCHED, is_measured, size);
    probe_add(&world->probe, component, COUNT_FULL_BATCHES, is_measured, !engine->is_open);
    probe_add(&world->probe, component, COUNT_INPUT_TOKENS, is_measured,
              engine->load.prefill_tokens);
    probe_add(&world->probe, component, COUNT_OUTPUT_TOKENS, is_measured,
              engine->load.decode_sequences);
    if (decoded > 0) {
        probe_record_many(&world->probe, component, RECORDED_ITL, is_measured,
                          end - step_start(engine, step), decoded);
    }
}

/* A step of a run, not the last: all decode and nobody is done. */
static void settle_step(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    tell_step(world, replica, engine->run_done, engine->decode_count);
    engine->step_count++;
    uint32_t needed = engine_decode_blocks(engine, engine_params(world, replica));
    CHECK(needed <= engine_available(engine) && engine->step_count < engine->next_finish);
    kv_take(engine_kv(engine), needed);
    engine_tell_kv(world, replica, engine->ends[engine->run_done]);
    engine->run_done++;
}

void engine_settle(World *world, uint32_t replica, SimTime at) {
    Engine *engine = engine_of(world, replica);
    CHECK(engine->run_done <= engine->run_length);
    while (engine->run_done + 1 < engine->run_length && engine->ends[engine->run_done] < at) {
        settle_step(world, replica);
    }
}

/* ---- Events */

static void await_event(World *world, uint32_t replica, SimTime at) {
    Engine *engine = engine_of(world, replica);
    CHECK(at >= world->now);
    engine->event = queue_push_late(&world->queue, at, EVENT_step, replica);
    engine->is_pending = true;
}

/* A step that ends now is over only if its event would have been handled already: late events come
 * in the order of replicas. */
void engine_catch_up(World *world, uint32_t replica) {
    CHECK(replica < world->model->replica_count);
    engine_settle(world, replica, world->now + world_late_has_passed(world, replica));
}

/* The step that is in progress becomes the last of the run. */
void engine_cut(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    if (!engine->is_pending || engine->run_done + 1 >= engine->run_length) {
        return;
    }
    engine_catch_up(world, replica);
    if (engine->run_done + 1 < engine->run_length) {
        CHECK(engine->ends[engine->run_done] >= world->now);
        engine->run_length = engine->run_done + 1;
        await_event(world, replica, engine->ends[engine->run_done]);
    }
}

void engine_wake(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    CHECK(engine->kv_at > 0);
    if (!world->replicas[replica].levers.is_up) {
        return;
    }
    if (engine->is_pending || engine->is_stalled) {
        if (engine->is_open || engine_params(world, replica)->scheduling_policy != POLICY_FCFS) {
            engine_cut(world, replica);
        }
    } else if (world->replicas[replica].queue_count > 0 || engine->running_count > 0) {
        engine->run_length = engine->run_done = 0;
        await_event(world, replica, world->now);
    }
}

/* ---- The end of a step */

static void end_step(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    uint32_t last = engine->run_length - 1;
    engine_settle(world, replica, SIM_TIME_NEVER);
    CHECK(engine->run_done == last && engine->ends[last] <= world->now);
    engine->ends[last] = world->now; /* later than foreseen when it hung */
    tell_step(world, replica, last,
              engine->load.decode_sequences - (engine->has_order ? engine_count_late(engine) : 0));
    engine->run_done++;
    engine->step_count++;
    engine_advance(world, replica);
}

/* ---- The next steps */

static int64_t step_ps(const World *world, uint32_t replica, const StepLoad *load) {
    const EngineParams *p = engine_params(world, replica);
    const InferenceStepOps *step = p->step.kind->ops;
    int64_t ps = step->duration_ps(p->step.params, load);
    double work_x = world->replicas[replica].levers.work_x;
    CHECK(ps >= STEP_PS_MIN && work_x > 0);
    if (work_x == 1) {
        return ps;
    }
    double slowed = (double)ps * work_x;
    ps = slowed < (double)STEP_PS_MAX ? (int64_t)slowed : STEP_PS_MAX;
    return ps < STEP_PS_MIN ? STEP_PS_MIN : ps;
}

static void foresee_step(World *world, uint32_t replica, const StepLoad *load) {
    Engine *engine = engine_of(world, replica);
    uint32_t step = engine->run_length++;
    CHECK(step < ENGINE_RUN_MAX);
    SimTime start = step_start(engine, step);
    int64_t ps =
        (step == 0 ? engine->began_ps : engine->ends_ps[step - 1]) + step_ps(world, replica, load);
    engine->ends[step] = start + ps / PICOSECONDS_PER_NS;
    engine->ends_ps[step] = (uint16_t)(ps % PICOSECONDS_PER_NS);
}

/* How many steps from the one planned are alike: all decode, nobody is done or could come, and
 * there are blocks. They are not taken before their step begins. */
static void foresee_run(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    StepLoad load = engine->load;
    foresee_step(world, replica, &load);
    if (world->options.is_stepwise || load.prefill_sequences > 0 || engine->has_preempted ||
        load.decode_sequences != engine->running_count || engine->has_aborted || engine->has_late) {
        return;
    }
    int64_t steps = engine->next_finish - engine->step_count, blocks = engine_available(engine);
    CHECK(steps > 0);
    steps = steps < ENGINE_RUN_MAX ? steps : ENGINE_RUN_MAX;
    const EngineParams *p = engine_params(world, replica);
    for (int64_t i = 1; i < steps; i++) {
        blocks -= engine_phases(engine)[engine_phase(p, -(engine->step_count + i))];
        if (blocks < 0) {
            return;
        }
        load.decode_context += load.decode_sequences;
        foresee_step(world, replica, &load);
    }
}

static void begin_step(World *world, uint32_t replica, uint32_t carried_ps) {
    Engine *engine = engine_of(world, replica);
    engine->run_length = engine->run_done = 0;
    engine->began_at = world->now;
    engine->began_ps = carried_ps;
    if (!engine_schedule(world, replica)) {
        engine_tell_kv(world, replica, world->now);
        return;
    }
    engine_tell_kv(world, replica, world->now);
    foresee_run(world, replica);
    await_event(world, replica, engine->ends[engine->run_length - 1]);
    CHECK(engine->ends[0] > world->now);
}

static bool is_same_event(EventId a, EventId b) {
    DCHECK(event_is_set(a) && event_is_set(b));
    return a.slot == b.slot && a.stamp == b.stamp;
}

/* The step's end is worked off and the next one is planned while the replica is held: whoever
 * reacts by a new request waits for the plan like all others. */
static void run_on(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    uint32_t carried_ps = 0;
    world->replicas[replica].is_held = true;
    if (engine->run_length > 0) {
        carried_ps = engine->ends[engine->run_length - 1] == world->now
                         ? engine->ends_ps[engine->run_length - 1]
                         : 0;
        end_step(world, replica);
        engine_answer_finished(world, replica);
    }
    begin_step(world, replica, carried_ps);
    world->replicas[replica].is_held = false;
}

void engine_on_step(World *world, uint32_t replica, EventId event) {
    Engine *engine = engine_of(world, replica);
    if (!engine->is_pending || !is_same_event(event, engine->event)) {
        return; /* of a run that was cut, or of a life before a crash */
    }
    CHECK(world->replicas[replica].levers.is_up);
    world_begin_late(world, replica);
    engine->is_pending = false;
    if (world->replicas[replica].levers.is_hung) {
        engine->is_stalled = true;
    } else {
        run_on(world, replica);
    }
}

/* ---- What breaks */

void engine_abort(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t replica = attempt->replica;
    Engine *engine = engine_of(world, replica);
    for (uint32_t i = 0; i < engine->finishing_count; i++) {
        if (engine_finishing(engine)[i] == slot) {
            engine_finishing(engine)[i] = NONE;
            flow_work_lost(world, slot, attempt->ends_at);
            return;
        }
    }
    if (attempt->sequence == NONE || engine->running_count == 0) {
        return; /* it fails without any work, or engine_crash has seen to it */
    }
    engine_cut(world, replica);
    Sequence *s = engine_sequence(engine, attempt->sequence);
    CHECK(s->attempt == slot);
    flow_work_lost(world, slot, engine_computed(engine, s) - s->begun_with);
    s->attempt = NONE;
    engine->has_aborted = true;
}

void engine_crash(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    engine_catch_up(world, replica);
    for (uint32_t i = 0; i < engine->running_count; i++) {
        const Sequence *s = engine_sequence(engine, engine_order(engine)[i]);
        if (s->attempt != NONE) {
            flow_work_lost(world, s->attempt, engine_computed(engine, s) - s->begun_with);
        }
    }
    CHECK(engine->finishing_count == 0); /* levers move between events */
    engine->running_count = engine->decode_count = 0;
    engine->context_offset = 0;
    engine->last_decode_admitted = 0;
    engine->run_length = engine->run_done = 0;
    engine->is_pending = engine->is_stalled = engine->has_aborted = engine->is_open = false;
    reset_sequences(engine, engine_params(world, replica));
    kv_clear(engine_kv(engine));
    engine_tell_kv(world, replica, world->now);
}

/* vLLM resets its prefix cache only when no block is in use; here the others go all the same. */
void engine_flush(World *world, uint32_t replica) {
    KvBlocks *kv = engine_kv(engine_of(world, replica));
    engine_catch_up(world, replica);
    uint32_t free_count = kv->free_count;
    CHECK(free_count <= kv->block_count);
    kv_take(kv, free_count);
    kv_give(kv, free_count);
}

void engine_on_levers(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    const ReplicaLevers *levers = &world->replicas[replica].levers;
    uint32_t block_count = engine_kv(engine)->block_count;
    CHECK(levers->kv_ratio >= 0 && levers->kv_ratio <= 1);
    engine_cut(world, replica);
    engine->kv_lost = block_count - (uint32_t)((double)block_count * levers->kv_ratio);
    if (engine->is_stalled && !levers->is_hung) {
        engine->is_stalled = false;
        await_event(world, replica, world->now);
    }
}

/* ---- Invariants */

/* Blocks that a sequence has, those included that the step in progress fills. */
static uint32_t blocks_of(const Engine *engine, const EngineParams *p, const Sequence *s) {
    bool is_in_step = s->is_decoding && !engine->has_order && engine->run_length > 0;
    CHECK(!is_in_step || s->scheduled == 0);
    return engine_blocks_for(p, (uint64_t)engine_computed(engine, s) +
                                    (is_in_step ? 1 : s->scheduled));
}

/* Every block in use is a sequence's, or kept for an attempt that calls others. */
static void check_blocks(const World *world, uint32_t replica) {
    const Engine *engine = engine_of(world, replica);
    const KvBlocks *kv = engine_kv(engine);
    KvCensus census = kv_check(kv);
    for (uint32_t i = 0; i < engine->running_count; i++) {
        const Sequence *s = engine_sequence(engine, engine_order(engine)[i]);
        uint32_t blocks = blocks_of(engine, engine_params(world, replica), s);
        CHECK(blocks >= s->published && kv_held_by(kv, s->last_published) == s->published);
        census.private_count -= blocks - s->published;
        census.held_count -= s->published;
    }
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        const Attempt *attempt = world_attempt(world, slot);
        if (attempt->state == ATTEMPT_CALLING && attempt->holds_memory &&
            attempt->replica == replica) {
            census.private_count -= attempt->kept_blocks;
            census.held_count -= kv_held_by(kv, attempt->kept_last);
        }
    }
    CHECK(census.private_count == 0 && census.held_count == 0);
}

void engine_check(const World *world, uint32_t replica) {
    const Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    uint32_t decode_count = 0, in_phases = 0;
    int64_t context_offset = 0;
    check_blocks(world, replica);
    for (uint32_t i = 0; i < engine->running_count; i++) {
        const Sequence *s = engine_sequence(engine, engine_order(engine)[i]);
        decode_count += s->is_decoding;
        context_offset += s->is_decoding ? s->offset : 0;
        CHECK(s->attempt == NONE ? engine->has_aborted
                                 : world_attempt(world, s->attempt)->state == ATTEMPT_SERVING);
        CHECK(s->is_decoding ? engine_finish(s) > engine->step_count : s->computed < s->tokens);
        CHECK(engine_finishes(engine)[i] == (s->is_decoding ? engine_finish(s) : FINISH_NEVER));
        CHECK(engine_finishes(engine)[i] >= engine->next_finish);
    }
    for (uint32_t i = 0; i < p->block_size; i++) {
        in_phases += engine_phases(engine)[i];
    }
    CHECK(decode_count == engine->decode_count && context_offset == engine->context_offset);
    CHECK(in_phases == decode_count && engine->running_count <= p->max_num_seqs);
}
