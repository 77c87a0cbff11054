/* Steps of an inference server: how long one takes.
 *
 * A step computes some tokens of prompts (prefill) and one token for each sequence that is
 * decoding. A kind sees sums over the batch, whole numbers, so that the answer does not depend on
 * the order of the batch. It answers in picoseconds: the end of a step is then exact integer
 * arithmetic, and many steps run in one event take just as long as one by one.
 */
#ifndef KNOCKON_MODELS_INFERENCE_STEPS_INFERENCE_STEP_H
#define KNOCKON_MODELS_INFERENCE_STEPS_INFERENCE_STEP_H

#include "models/model.h"
#include "sim/check.h"

#define PICOSECONDS_PER_NS INT64_C(1000)
#define PICOSECONDS_PER_S INT64_C(1000000000000)

/* What one step computes. A prefilling sequence computes n tokens on top of c that it has computed
 * before; a decoding one computes 1 on top of c. */
typedef struct StepLoad {
    uint32_t prefill_tokens;    /* sum of n */
    uint32_t prefill_sequences; /* how many */
    uint32_t decode_sequences;
    uint64_t decode_context;  /* sum of c over the decoding */
    uint64_t prefill_context; /* sum of c over the prefilling */
    uint64_t prefill_cross;   /* sum of n x c over the prefilling */
    uint64_t prefill_squares; /* sum of n x n over the prefilling */
} StepLoad;

typedef struct InferenceStepOps {
    /* How long the step takes, in ps, 1 us or more. */
    int64_t (*duration_ps)(const void *params, const StepLoad *load);
    /* KV blocks of `block_size` tokens that fit into this share of the GPUs' memory; 0: the model
     * does not fit. NULL: the kind does not know. */
    double (*kv_blocks)(const void *params, double gpu_memory_utilization, uint32_t block_size);
} InferenceStepOps;

/* Below this a step would be no step: the clock has to get on. Above it, 11 days, no run waits for
 * its end, and the sum of a few still fits. */
#define STEP_PS_MIN INT64_C(1000000)
#define STEP_PS_MAX INT64_C(1000000000000000000)

/* A step's duration from picoseconds that are not whole: rounded half up, and kept between the
 * bounds. */
static inline int64_t step_ps_round(double ps) {
    CHECK(ps >= 0);
    return ps >= (double)STEP_PS_MAX  ? STEP_PS_MAX
           : ps < (double)STEP_PS_MIN ? STEP_PS_MIN
                                      : (int64_t)(ps + 0.5);
}

#endif
