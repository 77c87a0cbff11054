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
 * engine.c       events: when a run begins, is cut, and ends; what breaks
 * schedule.c     the plan of a step: who computes how many tokens
 * advance.c      the end of a step: tokens are produced, who is done is answered
 * sequences.c    the sequences in the batch, and what they hold
 * kv_blocks.c    the cache
 */
#ifndef KNOCKON_MODELS_ENGINE_ENGINE_H
#define KNOCKON_MODELS_ENGINE_ENGINE_H

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

/* 41 bytes each of address space, of which what is used is touched. */
#define KV_BLOCKS_MAX 100000000u

/* Bytes of a replica's state. */
size_t engine_size(const EngineParams *params);
/* KV blocks of one replica as given or derived; 0 when nothing says. */
uint32_t engine_kv_blocks(const EngineParams *params);
/* Tokens that one request may have in all, as given or as many as the cache holds. */
uint32_t engine_max_model_len(const EngineParams *params);

/* ---- What the flow tells (models/servers/inference.c) */

/* Time 0: it is empty. */
void engine_start(World *world, uint32_t replica);
/* Somebody waits: unless it is down it starts, or cuts the run short when he could be admitted. */
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

/* ---- What follows from the parameters */

static inline const EngineParams *engine_params(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_service_of(world, &world->replicas[replica])->server.params;
}

/* A request without lengths has one token each way. */
static inline uint32_t engine_prompt_tokens(const Call *call) {
    DCHECK(call->attempt_count > 0);
    return call->input_tokens > 0 ? call->input_tokens : 1;
}

static inline uint32_t engine_blocks_for(const EngineParams *params, uint64_t tokens) {
    DCHECK(params->block_size > 0);
    return (uint32_t)((tokens + params->block_size - 1) / params->block_size);
}

#endif
