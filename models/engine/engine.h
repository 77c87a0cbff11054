/* The engine of an inference replica: continuous batching as vLLM v1 schedules it.
 *
 * docs/inference.md section 1 says what one step does; models/engine/schedule.c does it. Between
 * two changes of the batch every step decodes one token for the same sequences, so the engine
 * foresees up to ENGINE_RUN_MAX steps, a *run*, and takes one event for all of them; what arrives
 * in between cuts the run at the end of the step in progress. Runs change nothing: with
 * WorldOptions.is_stepwise every step is an event of its own and is scheduled the long way, and all
 * results are the same bytes.
 *
 * For that two rules hold. What a decoding sequence has computed is not stored but follows from a
 * count of steps, so that a step costs the same for one sequence or a thousand. And the end of a
 * step is a *late* event (sim/queue.h), after everything else of its instant and in the order of
 * the replicas, so that it does not matter when it was foreseen.
 *
 * An Engine lies in its replica's state with everything it needs behind it, at offsets; it refers
 * to attempts by slot. World and model are handed in.
 */
#ifndef KNOCKON_MODELS_ENGINE_ENGINE_H
#define KNOCKON_MODELS_ENGINE_ENGINE_H

#include "models/engine/kv_blocks.h"
#include "models/inference_steps/inference_step.h"
#include "models/world.h"

typedef enum SchedulingPolicy { POLICY_FCFS, POLICY_PRIORITY } SchedulingPolicy;
typedef enum EngineRole { ROLE_BOTH, ROLE_PREFILL, ROLE_DECODE } EngineRole;

/* The names are vLLM's own. */
typedef struct EngineParams {
    Component step;
    bool has_kv_blocks, has_max_model_len;
    uint32_t kv_blocks;
    uint32_t block_size;
    uint32_t max_num_seqs, max_num_batched_tokens, max_model_len;
    double gpu_memory_utilization;
    bool enable_prefix_caching, enable_chunked_prefill, scheduler_reserve_full_isl;
    uint32_t long_prefill_token_threshold;
    uint8_t scheduling_policy; /* SchedulingPolicy */
    uint8_t role;              /* EngineRole */
    SimTime load_time;
    bool is_loaded_at_start;
} EngineParams;

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
/* 41 bytes each of address space, of which what is used is touched. */
#define KV_BLOCKS_MAX 100000000u

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

size_t engine_size(const EngineParams *params);
/* KV blocks of one replica as given or derived; 0 when nothing says. */
uint32_t engine_kv_blocks(const EngineParams *params);
/* Tokens that one request may have in all, as given or as many as the cache holds. */
uint32_t engine_max_model_len(const EngineParams *params);

/* Sets up the empty engine in zeroed memory. */
void engine_init(Engine *engine, const EngineParams *params);

/* ---- What the flow tells (models/servers/inference.c) */

/* Somebody waits: starts, or cuts the run short when he could be admitted. */
void engine_wake(World *world, uint32_t replica);
/* Whoever waited first has left the queue. */
void engine_cut(World *world, uint32_t replica);
/* EVENT_step. */
void engine_on_step(World *world, uint32_t replica, EventId event);
/* Numbers are about to be taken: tells the probe of all steps that ended before `at`. */
void engine_settle(World *world, uint32_t replica, SimTime at);
/* The same of all steps that are over by now: their blocks are taken. */
void engine_catch_up(World *world, uint32_t replica);
/* Tokens of the call's prompt that are in the replica's cache. */
uint32_t engine_cached_tokens(World *world, uint32_t replica, const Call *call);
/* The attempt is given up; its blocks are free at the end of the step. */
void engine_abort(World *world, uint32_t attempt);
/* The attempt whose blocks were kept while it called others is done. */
void engine_unpark(World *world, uint32_t attempt);
/* The replica is down: everything is lost, the cache too. */
void engine_crash(World *world, uint32_t replica);
/* Blocks that nobody holds forget what is in them. */
void engine_flush(World *world, uint32_t replica);
/* A lever of the replica has moved. */
void engine_on_levers(World *world, uint32_t replica);
/* Counts agree; CHECKs. */
void engine_check(const World *world, uint32_t replica);

/* ---- Between the files of this room */

/* Plans the next step: who computes how many tokens. False: nobody. models/engine/schedule.c */
bool schedule_step(World *world, uint32_t replica);
/* Takes the blocks of one more step of a run in which all decode; false: there are too few. */
bool schedule_decode_blocks(Engine *engine, const EngineParams *params, uint32_t *needed);
/* A sequence leaves the batch, except `order`, which is the caller's; its blocks are free. */
void engine_drop_sequence(World *world, uint32_t replica, uint32_t index, bool is_published);
/* It has begun to decode. */
void engine_begin_decoding(Engine *engine, const EngineParams *params, Sequence *sequence);

static inline Engine *engine_of(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_state(world, world->replicas[replica].server_state);
}

static inline const EngineParams *engine_params(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_service_of(world, &world->replicas[replica])->server.params;
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

/* A request without lengths has one token each way. */
static inline uint32_t engine_prompt_tokens(const Call *call) {
    DCHECK(call->attempt_count > 0);
    return call->input_tokens > 0 ? call->input_tokens : 1;
}

static inline uint32_t engine_answer_tokens(const EngineParams *params, const Call *call) {
    DCHECK(params->role <= ROLE_DECODE);
    return params->role == ROLE_PREFILL || call->output_tokens == 0 ? 1 : call->output_tokens;
}

static inline uint32_t engine_blocks_for(const EngineParams *params, uint64_t tokens) {
    DCHECK(params->block_size > 0);
    return (uint32_t)((tokens + params->block_size - 1) / params->block_size);
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

#endif
