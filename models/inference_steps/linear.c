/* A step as a sum of parts; what inference-sim calls its blackbox model (docs/inference.md section
 * 2). */
#include "models/inference_steps/inference_step.h"
#include "sim/check.h"

typedef struct LinearParams {
    int64_t base, per_prefill_token, per_decode_sequence, per_context_token,
        per_prefill_context_token; /* ps */
    int64_t round;                 /* ps; 0: not at all */
} LinearParams;

static int64_t inference_linear_duration_ps(const void *params, const StepLoad *load) {
    const LinearParams *p = params;
    __int128 sum = p->base + (__int128)p->per_prefill_token * load->prefill_tokens +
                   (__int128)p->per_decode_sequence * load->decode_sequences +
                   (__int128)p->per_context_token * load->decode_context +
                   (__int128)p->per_prefill_context_token * load->prefill_cross;
    CHECK(sum >= 0);
    int64_t ps = sum < STEP_PS_MAX ? (int64_t)sum : STEP_PS_MAX;
    ps -= p->round > 0 ? ps % p->round : 0;
    return ps >= STEP_PS_MIN ? ps : STEP_PS_MIN;
}

#define LINEAR_PARAM(key, most, sentence)                                                          \
    {                                                                                              \
#key, PARAM_PICOSECONDS, offsetof(LinearParams, key), .preset = "0s", .max = (most),       \
                                                              .doc = sentence                      \
    }

static const Param inference_linear_params[] = {
    {"base", PARAM_PICOSECONDS, offsetof(LinearParams, base), .min = 1e-6, .max = 3600,
     .doc = "What every step takes: weights are read once a step."},
    LINEAR_PARAM(per_prefill_token, 1e-3, "Added for each prompt token computed."),
    LINEAR_PARAM(per_decode_sequence, 1e-1, "Added for each sequence that decodes."),
    LINEAR_PARAM(per_context_token, 1e-4,
                 "Added for each token in the KV cache of a sequence that decodes: attention."),
    LINEAR_PARAM(per_prefill_context_token, 1e-8,
                 "Added for each prompt token times the tokens of its sequence computed before: "
                 "attention of later chunks."),
    LINEAR_PARAM(round, 1e-3,
                 "A step's duration is cut to a multiple of this, as some simulators do; 0s: kept "
                 "to the picosecond."),
};

static const InferenceStepOps inference_linear_ops = {.duration_ps = inference_linear_duration_ps};

const Kind inference_step_linear = {
    .family = FAMILY_INFERENCE_STEP,
    .name = "linear",
    .doc = "A sum of parts, each a measured coefficient.",
    .params = inference_linear_params,
    .param_count = PARAM_COUNT_OF(inference_linear_params),
    .params_size = sizeof(LinearParams),
    .ops = &inference_linear_ops,
};
