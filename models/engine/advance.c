/* The end of a step: every sequence moves on by what it computed, tokens are produced, who has its
 * last one is answered. */
#include "models/engine/engine_parts.h"
#include "models/flow.h"
#include "sim/check.h"

static void first_token(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->first_token_at == 0);
    attempt->first_token_at = world->now;
    probe_record(&world->probe, world->replicas[attempt->replica].component, RECORDED_TTFT,
                 world_call(world, attempt->call)->is_measured, world->now - attempt->entered_at);
}

static void record_gap(World *world, uint32_t replica, SimTime since) {
    bool is_measured = world->now >= world->model->run.warmup;
    CHECK(since <= world->now);
    probe_record(&world->probe, world->replicas[replica].component, RECORDED_ITL, is_measured,
                 world->now - since);
}

/* Its prompt has advanced; at the prompt's end comes a token. True when that was the last one. */
static bool advance_prefill(World *world, uint32_t replica, Sequence *s) {
    Engine *engine = engine_of(world, replica);
    s->computed += s->scheduled;
    s->scheduled = 0;
    CHECK(s->computed <= s->tokens);
    if (s->computed < s->tokens || s->attempt == NONE) {
        return false;
    }
    Attempt *attempt = world_attempt(world, s->attempt);
    probe_add(&world->probe, world->replicas[replica].component, COUNT_OUTPUT_TOKENS,
              world->now >= world->model->run.warmup, 1);
    if (attempt->first_token_at == 0) {
        first_token(world, s->attempt);
    } else {
        record_gap(world, replica, attempt->ends_at);
    }
    if (s->tokens + 1 == s->goal) {
        s->tokens++;
        return true;
    }
    engine_begin_decoding(engine, engine_params(world, replica), s);
    return false;
}

/* A decoding one that was left out keeps its place; one that was not has its next token. */
static void advance_decode(World *world, uint32_t replica, Sequence *s) {
    Engine *engine = engine_of(world, replica);
    const EngineParams *p = engine_params(world, replica);
    CHECK(s->is_decoding);
    if (s->scheduled == 0) {
        engine_phases(engine)[engine_phase(p, s->offset)]--;
        s->offset--;
        engine->context_offset--;
        engine_phases(engine)[engine_phase(p, s->offset)]++;
        s->late_since = s->late_since > 0 ? s->late_since : engine->began_at;
    } else if (s->late_since > 0) {
        record_gap(world, replica, s->late_since);
        s->late_since = 0;
    }
    s->scheduled = 0;
}

uint32_t engine_count_late(const Engine *engine) {
    uint32_t count = 0;
    CHECK(engine->has_order);
    for (uint32_t i = 0; i < engine->running_count; i++) {
        const Sequence *s = engine_sequence(engine, engine_order(engine)[i]);
        count += s->is_decoding && s->scheduled > 0 && s->late_since > 0;
    }
    return count;
}

/* The attempt's last token has come, or it was given up: out of the batch. */
static void leave_batch(World *world, uint32_t replica, uint32_t index) {
    Engine *engine = engine_of(world, replica);
    Sequence *s = engine_sequence(engine, index);
    uint32_t slot = s->attempt;
    CHECK(engine->finishing_count < engine->running_count);
    if (slot == NONE) {
        engine_drop_sequence(world, replica, index, false);
        return;
    }
    Attempt *attempt = world_attempt(world, slot);
    attempt->ends_at = engine_computed(engine, s) - s->begun_with; /* its work, for a moment */
    attempt->produced = s->goal - s->prompt;
    attempt->sequence = NONE;
    engine_finishing(engine)[engine->finishing_count++] = slot;
    const Service *service = world_service_of(world, &world->replicas[replica]);
    if (engine_params(world, replica)->role == ROLE_PREFILL && service->group_count > 0 &&
        attempt->outcome == OUTCOME_OK) {
        engine_park(world, replica, index);
    } else {
        engine_drop_sequence(world, replica, index, false);
    }
}

/* Moves a sequence on by what it computed in the step. True when it leaves. */
static bool advance_one(World *world, uint32_t replica, uint32_t place) {
    Engine *engine = engine_of(world, replica);
    Sequence *s = engine_sequence(engine, engine_order(engine)[place]);
    bool is_done = s->attempt == NONE;
    CHECK(s->is_decoding || engine_finishes(engine)[place] == FINISH_NEVER);
    if (!s->is_decoding) {
        is_done |= s->scheduled > 0 && advance_prefill(world, replica, s);
    } else if (engine->has_order) {
        advance_decode(world, replica, s);
    }
    if (s->is_decoding) {
        engine_finishes(engine)[place] = engine_finish(s);
        is_done |= engine_finish(s) == engine->step_count;
        engine->has_late |= s->late_since > 0;
    }
    return is_done;
}

/* Moves all on; who is done leaves. In most steps only prompts need a look: the decoding come first
 * then, and `next_finish` tells that none of them is done. */
void engine_advance(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    uint32_t *order = engine_order(engine), count = engine->running_count;
    int64_t *finishes = engine_finishes(engine), next = FINISH_NEVER;
    bool is_by_one = engine->has_order || engine->has_aborted;
    uint32_t plain = is_by_one ? 0 : engine->decode_count, first = plain;
    CHECK(engine->finishing_count == 0);
    if (is_by_one || engine->step_count >= engine->next_finish) {
        first = 0;
    } else if (engine->load.prefill_sequences == 0) {
        return;
    } else {
        next = engine->next_finish;
    }
    uint32_t kept = first;
    engine->has_late = false;
    for (uint32_t i = first; i < count; i++) {
        if (i < plain ? finishes[i] == engine->step_count : advance_one(world, replica, i)) {
            leave_batch(world, replica, order[i]);
        } else {
            next = finishes[i] < next ? finishes[i] : next;
            finishes[kept] = finishes[i];
            order[kept++] = order[i];
        }
    }
    engine->running_count = kept;
    engine->next_finish = next;
    engine->has_aborted = false;
}

/* Who was given up while others were answered is between two steps: it leaves before the next. */
static void drop_aborted(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    uint32_t *order = engine_order(engine), kept = 0;
    int64_t *finishes = engine_finishes(engine);
    CHECK(engine->has_aborted && engine->finishing_count == 0);
    for (uint32_t i = 0; i < engine->running_count; i++) {
        if (engine_sequence(engine, order[i])->attempt == NONE) {
            engine_drop_sequence(world, replica, order[i], false);
        } else {
            finishes[kept] = finishes[i];
            order[kept++] = order[i];
        }
    }
    engine->running_count = kept;
    engine->has_aborted = false;
}

static void record_tpot(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    CHECK(attempt->first_token_at > 0);
    if (attempt->produced > 1) {
        probe_record(&world->probe, world->replicas[attempt->replica].component, RECORDED_TPOT,
                     call->is_measured,
                     (world->now - attempt->first_token_at) / (attempt->produced - 1));
    }
}

void engine_answer_finished(World *world, uint32_t replica) {
    Engine *engine = engine_of(world, replica);
    for (uint32_t i = 0; i < engine->finishing_count; i++) {
        uint32_t slot = engine_finishing(engine)[i];
        if (slot == NONE) {
            continue;
        }
        Attempt *attempt = world_attempt(world, slot);
        CHECK(attempt->state == ATTEMPT_SERVING && attempt->ends_at >= 0);
        record_tpot(world, slot);
        world_count_event(world, EVENT_served, slot);
        flow_work_done(world, slot, attempt->ends_at);
    }
    engine->finishing_count = 0;
    if (engine->has_aborted) {
        drop_aborted(world, replica);
    }
}
