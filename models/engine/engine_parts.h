/* What the files of this room share: an engine's state and its sequences.
 *
 * An Engine lies in its replica's state with everything it needs behind it, at offsets; it refers
 * to attempts by slot. World and model are handed in.
 */
#ifndef KNOCKON_MODELS_ENGINE_ENGINE_PARTS_H
#define KNOCKON_MODELS_ENGINE_ENGINE_PARTS_H

#include "models/engine/engine.h"
#include "models/engine/kv_blocks.h"
#include "models/inference_steps/inference_step.h"

/* A sequence in the batch. Its blocks are as many as `computed + scheduled` tokens need: first
 * those that it holds by their names, then private ones. */
typedef struct Sequence {
    uint32_t attempt;    /* NONE: aborted, it leaves at the end of the step */
    uint32_t prompt;     /* tokens */
    uint32_t goal;       /* tokens of prompt and answer at its end */
    uint32_t tokens;     /* of prompt and answer so far; unused while decoding */
    uint32_t computed;   /* of these; unused while decoding */
    uint32_t begun_with; /* computed when it was admitted: found in the cache or brought along */
    uint32_t scheduled;  /* in the step in progress; of a decoding one only if has_order */
    uint32_t published;  /* leading blocks that it holds by their names … */
    uint32_t last_published; /* … and the last run of them; KV_NONE */
    uint64_t admitted;       /* a number that grows: the order of the batch */
    int64_t offset;          /* while decoding: tokens computed, less Engine.step_count */
    SimTime late_since;      /* its last token came then and not a step ago; 0: a step ago */
    bool is_decoding;        /* the prompt is done: one token a step */
    bool is_shared;          /* others may look for its blocks */
} Sequence;

enum { ENGINE_RUN_MAX = 64 };

typedef struct Engine {
    /* The batch. `order` lists the running in the order of admission, `finishes` beside it when
     * they are done; while nobody is left out of a step the decoding come first. */
    uint32_t running_count, decode_count;
    uint32_t free_sequence; /* list through Sequence.attempt; NONE */
    uint32_t finishing_count;
    uint64_t admission_count;
    uint64_t last_decode_admitted; /* at least that of the last decoding one in `order` */
    int64_t step_count;            /* steps done: the clock of the decoding */
    int64_t next_finish;    /* step_count at which the first decoding one is done, or before */
    int64_t context_offset; /* sum of the offsets of the decoding */

    /* The step being planned, then the first of the run. */
    StepLoad load;
    uint32_t budget;
    uint32_t offered_hit, offered; /* tokens of who is about to be admitted: found, scheduled */
    bool has_order; /* each sequence was scheduled by itself: some decoding one may be left out */
    bool has_preempted;
    bool has_late; /* some decoding one was left out and has not had its token since */
    bool is_open;  /* nobody is left waiting: who comes may be admitted */

    /* What goes on. */
    bool is_pending;                  /* `event` is awaited: the end of the run, or a start */
    bool is_stalled;                  /* it hangs, and the time of the event has passed */
    bool has_aborted;                 /* some sequence leaves at the end of the step */
    EventId event;                    /* others that come are stale */
    SimTime began_at;                 /* the run … */
    uint32_t began_ps;                /* … and the part below a nanosecond */
    uint32_t run_length, run_done;    /* steps foreseen; of them told to the probe */
    SimTime ends[ENGINE_RUN_MAX];     /* of the run's steps … */
    uint16_t ends_ps[ENGINE_RUN_MAX]; /* … and the part below a nanosecond */

    uint32_t kv_lost; /* blocks that a fault took away */
    uint32_t kv_told; /* the probe's count of used blocks */
    size_t sequences_at, order_at, finishes_at, finishing_at, phases_at, kv_at; /* in bytes */
} Engine;

/* ---- models/engine/schedule.c */

/* Plans the next step: who computes how many tokens. False: nobody. */
bool engine_schedule(World *world, uint32_t replica);

/* ---- models/engine/advance.c */

/* The step is over: all move on, and who has its last token, or was given up, leaves. */
void engine_advance(World *world, uint32_t replica);
/* Answers who is done. Callers react at once, and may give up others that are done. */
void engine_answer_finished(World *world, uint32_t replica);
/* Of those who decode in the step those whose last token did not come a step ago. */
uint32_t engine_count_late(const Engine *engine);

/* ---- models/engine/sequences.c */

/* Its prompt is done: one token a step from now on. */
void engine_begin_decoding(Engine *engine, const EngineParams *params, Sequence *sequence);
/* Publishes the blocks that are full with `tokens` tokens. */
void engine_publish(World *world, uint32_t replica, Sequence *sequence, uint64_t tokens);
/* A sequence leaves the batch, except `order`, which is the caller's; its blocks are free. */
void engine_drop_sequence(World *world, uint32_t replica, uint32_t index, bool is_published);
/* The same, but its blocks are kept until engine_unpark. */
void engine_park(World *world, uint32_t replica, uint32_t index);

/* ---- models/engine/engine.c */

/* Tells the probe how many blocks are in use. */
void engine_tell_kv(World *world, uint32_t replica, SimTime at);

/* ---- Where things are, and what follows from them */

static inline Engine *engine_of(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_state(world, world->replicas[replica].server_state);
}

static inline Sequence *engine_sequence(const Engine *engine, uint32_t index) {
    DCHECK(engine->sequences_at > 0);
    return (Sequence *)(void *)((char *)(uintptr_t)engine + engine->sequences_at) + index;
}

static inline uint32_t *engine_order(const Engine *engine) {
    DCHECK(engine->order_at > 0);
    return (uint32_t *)(void *)((char *)(uintptr_t)engine + engine->order_at);
}

/* By place in `order`: the count of steps at which it has its last token; FINISH_NEVER while its
 * prompt is computed. Who is done is found without a look at the sequences. */
#define FINISH_NEVER INT64_MAX
static inline int64_t *engine_finishes(const Engine *engine) {
    DCHECK(engine->finishes_at > 0);
    return (int64_t *)(void *)((char *)(uintptr_t)engine + engine->finishes_at);
}

/* Attempts whose last token has come, while they are answered one by one. */
static inline uint32_t *engine_finishing(const Engine *engine) {
    DCHECK(engine->finishing_at > 0);
    return (uint32_t *)(void *)((char *)(uintptr_t)engine + engine->finishing_at);
}

/* Decoding sequences by (offset mod block_size): which of them need a block at which step. */
static inline uint32_t *engine_phases(const Engine *engine) {
    DCHECK(engine->phases_at > 0);
    return (uint32_t *)(void *)((char *)(uintptr_t)engine + engine->phases_at);
}

static inline KvBlocks *engine_kv(const Engine *engine) {
    DCHECK(engine->kv_at > 0);
    return (KvBlocks *)(void *)((char *)(uintptr_t)engine + engine->kv_at);
}

/* Tokens that a sequence has computed. */
static inline uint32_t engine_computed(const Engine *engine, const Sequence *sequence) {
    DCHECK(!sequence->is_decoding || sequence->offset + engine->step_count > 0);
    return sequence->is_decoding ? (uint32_t)(sequence->offset + engine->step_count)
                                 : sequence->computed;
}

/* The count of steps at which a decoding sequence has its last token. */
static inline int64_t engine_finish(const Sequence *sequence) {
    DCHECK(sequence->goal > 0);
    return (int64_t)sequence->goal - 1 - sequence->offset;
}

static inline uint32_t engine_answer_tokens(const EngineParams *params, const Call *call) {
    DCHECK(params->role <= ROLE_DECODE);
    return params->role == ROLE_PREFILL || call->output_tokens == 0 ? 1 : call->output_tokens;
}

/* Blocks that may be taken; negative when a fault took away more than were free. */
static inline int64_t engine_available(const Engine *engine) {
    DCHECK(engine->kv_at > 0);
    return (int64_t)engine_kv(engine)->free_count - engine->kv_lost;
}

/* The place among `phases` of a decoding sequence. */
static inline uint32_t engine_phase(const EngineParams *params, int64_t offset) {
    DCHECK(params->block_size > 0);
    int64_t phase = offset % (int64_t)params->block_size;
    return (uint32_t)(phase < 0 ? phase + params->block_size : phase);
}

/* Decoding sequences that need a block for their next token: those whose last one is full. */
static inline uint32_t engine_decode_blocks(const Engine *engine, const EngineParams *params) {
    DCHECK(engine->phases_at > 0);
    return engine_phases(engine)[engine_phase(params, -engine->step_count)];
}

#endif
