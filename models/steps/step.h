/* Steps: how long one batch takes. */
#ifndef KNOCKON_MODELS_STEPS_STEP_H
#define KNOCKON_MODELS_STEPS_STEP_H

#include "models/model.h"
#include "sim/rng.h"

typedef struct StepBatch {
    uint32_t size;
    uint64_t input_tokens, output_tokens; /* sums over the batch */
    Rng *rng;                             /* belongs to the batch's first request */
} StepBatch;

typedef struct StepOps {
    double (*duration_s)(const void *params, const StepBatch *batch);
} StepOps;

#endif
