#include "models/steps/step.h"
#include "sim/check.h"

typedef struct LinearParams {
    SimTime base, per_request, per_input_token, per_output_token;
} LinearParams;

/* The sums over a batch are whole numbers of tokens, so they do not depend on its order. */
static double linear_duration_s(const void *params, const StepBatch *batch) {
    const LinearParams *p = params;
    CHECK(batch->size > 0);
    return time_to_s(p->base) + time_to_s(p->per_request) * batch->size +
           time_to_s(p->per_input_token) * (double)batch->input_tokens +
           time_to_s(p->per_output_token) * (double)batch->output_tokens;
}

#define LINEAR_PARAM(key, member, sentence)                                                        \
    {                                                                                              \
        key, PARAM_DURATION, offsetof(LinearParams, member), .preset = "0s", .max = 86400,         \
                                                             .doc = sentence                       \
    }

static const Param linear_params[] = {
    LINEAR_PARAM("base", base, "What every batch takes, whatever its size."),
    LINEAR_PARAM("per_request", per_request, "Added for each request in the batch."),
    LINEAR_PARAM("per_input_token", per_input_token, "Added for each prompt token in the batch."),
    LINEAR_PARAM("per_output_token", per_output_token, "Added for each answer token in the batch."),
};

static const StepOps linear_ops = {.duration_s = linear_duration_s};

const Kind step_linear = {
    .family = FAMILY_STEP,
    .name = "linear",
    .doc = "A fixed part and parts that grow with the requests and tokens of the batch.",
    .params = linear_params,
    .param_count = PARAM_COUNT_OF(linear_params),
    .params_size = sizeof(LinearParams),
    .ops = &linear_ops,
};
