/* A second scheduler of one inference replica, to hold models/engine against.
 *
 * It is written from section 1 of docs/inference.md, in the order of its sentences, and shares
 * nothing with models/engine but how long a step takes. It is as plain as it can be: one step at a
 * time, arrays that are searched from end to end, blocks that have a number, the hash of the whole
 * text up to their end, and a time when they were freed. What the document leaves open is as in
 * vLLM v1: blocks can be found from when their tokens are scheduled, and a sequence frees its last
 * block first. But who computes what another one has computed meanwhile holds that one's block and
 * not one of its own, as models/engine has it; vLLM keeps both.
 */
#ifndef KNOCKON_TESTS_MODELS_REFERENCE_ENGINE_H
#define KNOCKON_TESTS_MODELS_REFERENCE_ENGINE_H

#include "models/inference_steps/inference_step.h"
#include "sim/clock.h"
#include "sim/hist.h"

typedef struct ReferenceSettings {
    const InferenceStepOps *step;
    const void *step_params;
    uint32_t kv_blocks, block_size;
    uint32_t max_num_seqs, max_num_batched_tokens, max_model_len;
    uint32_t long_prefill_token_threshold;
    bool enable_prefix_caching, enable_chunked_prefill, scheduler_reserve_full_isl;
    bool is_by_priority;
} ReferenceSettings;

typedef struct ReferenceRequest {
    SimTime arrived_at;
    uint32_t prompt, answer; /* tokens, 1 or more */
    double priority;         /* lower goes first */
    const uint64_t *text;    /* of prompt and answer: a word for each token */

    /* What becomes of it. */
    bool is_rejected; /* it fails when it arrives: its prompt is too long */
    SimTime first_token_at, ended_at;
    uint32_t preemption_count;
    uint64_t computed_count; /* tokens, again and again */
    uint64_t hit_count;      /* tokens found when it was first admitted */

    /* While it is there. */
    uint64_t *hashes; /* of the text up to the end of each block */
    uint32_t *blocks; /* that it holds, the first first */
    uint32_t block_count;
    uint32_t known, computed; /* tokens of prompt and answer */
    uint32_t lost;            /* tokens computed when it was preempted */
    uint32_t scheduled;       /* tokens in this step */
    bool has_caught_up;       /* since it was admitted: it decodes */
    size_t number;            /* in the order of arrival */
    SimTime last_token_at;
} ReferenceRequest;

/* Of all replicas that were run with it. */
typedef struct ReferenceTotals {
    uint64_t step_count, sequence_count, full_step_count;
    uint64_t prefill_count, output_count, recomputed_count; /* tokens */
    uint64_t preemption_count, rejected_count;
    __int128 block_ns;                               /* blocks in use, times how long */
    Hist wait, first_token, gap, per_token, latency; /* ns */
} ReferenceTotals;

/* Runs one replica until all requests, given in the order of their arrival, are done. */
void reference_run(const ReferenceSettings *settings, ReferenceRequest **requests, size_t count,
                   ReferenceTotals *totals);

#endif
