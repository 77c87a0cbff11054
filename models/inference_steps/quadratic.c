/* A step with a cost for the square of a prompt's length, and two sets of costs for decoding, for
 * small batches and large ones: how DistServe fits its measurements (OSDI 2024,
 * simdistserve/estimators/time_estimator.py of LLMServe/DistServe, Apache-2.0). opt-13b on one A100
 * (fit_params_distserve.json), a prompt of 512 tokens: 18.102546 ms + 512 x 0.101912 ms + 512^2 x
 * 7.122 ns = 72.1486 ms.
 *
 * DistServe computes prompts and decodes on different GPUs, never in one step. Here a step that has
 * both costs both: no measurement says less, and what they could share, the reading of the weights,
 * is in both bases. So chunked prefill looks worse with this kind than it is.
 */
#include "models/inference_steps/inference_step.h"
#include "sim/check.h"

typedef struct DecodeCosts {
    int64_t base, per_sequence, per_context_token; /* ps */
} DecodeCosts;

typedef struct QuadraticParams {
    int64_t prefill_base, per_prefill_token, per_prefill_token_squared; /* ps */
    DecodeCosts decode, large;
    bool has_large_base, has_large_per_sequence, has_large_per_context_token;
    uint32_t large_batch; /* sequences */
} QuadraticParams;

/* A chunk of n tokens on top of c costs what it adds to the square of its prompt, (c + n)^2 - c^2,
 * so that a prompt in chunks costs the same square as in one piece. */
static double inference_quadratic_prefill_ps(const QuadraticParams *p, const StepLoad *load) {
    double squares = (double)load->prefill_squares + 2 * (double)load->prefill_cross;
    return (double)p->prefill_base + (double)p->per_prefill_token * load->prefill_tokens +
           (double)p->per_prefill_token_squared * squares;
}

static double inference_quadratic_decode_ps(const QuadraticParams *p, const StepLoad *load) {
    CHECK(p->large_batch > 0);
    DecodeCosts costs = p->decode;
    if (load->decode_sequences >= p->large_batch) {
        costs.base = p->has_large_base ? p->large.base : costs.base;
        costs.per_sequence = p->has_large_per_sequence ? p->large.per_sequence : costs.per_sequence;
        costs.per_context_token =
            p->has_large_per_context_token ? p->large.per_context_token : costs.per_context_token;
    }
    return (double)costs.base + (double)costs.per_sequence * load->decode_sequences +
           (double)costs.per_context_token * (double)load->decode_context;
}

/* Sums of whole picoseconds are exact in doubles up to 2^53, two and a half hours. */
static int64_t inference_quadratic_duration_ps(const void *params, const StepLoad *load) {
    const QuadraticParams *p = params;
    double ps = load->prefill_sequences > 0 ? inference_quadratic_prefill_ps(p, load) : 0;
    ps += load->decode_sequences > 0 ? inference_quadratic_decode_ps(p, load) : 0;
    return step_ps_round(ps);
}

static const Param inference_quadratic_params[] = {
    {"prefill_base", PARAM_PICOSECONDS, offsetof(QuadraticParams, prefill_base), .min = 1e-6,
     .max = 3600, .doc = "What a step with prompt tokens takes before any of them is counted."},
    {"per_prefill_token", PARAM_PICOSECONDS, offsetof(QuadraticParams, per_prefill_token),
     .preset = "0s", .max = 1, .doc = "Added for each prompt token computed."},
    {"per_prefill_token_squared", PARAM_PICOSECONDS,
     offsetof(QuadraticParams, per_prefill_token_squared), .preset = "0s", .max = 1e-3,
     .doc = "Times the square of each prompt's length; of a chunk, times what it adds to the "
            "square."},
    {"decode_base", PARAM_PICOSECONDS, offsetof(QuadraticParams, decode.base), .min = 1e-6,
     .max = 3600, .doc = "What a step with decoding sequences takes before they are counted."},
    {"per_decode_sequence", PARAM_PICOSECONDS, offsetof(QuadraticParams, decode.per_sequence),
     .preset = "0s", .max = 1, .doc = "Added for each sequence that decodes."},
    {"per_context_token", PARAM_PICOSECONDS, offsetof(QuadraticParams, decode.per_context_token),
     .preset = "0s", .max = 1e-3,
     .doc = "Added for each token in the KV cache of a sequence that decodes."},
    {"large_batch", PARAM_COUNT, offsetof(QuadraticParams, large_batch), .preset = "95", .min = 1,
     .max = 1e6,
     .doc = "From so many decoding sequences on the three large_ costs hold; DistServe takes 95."},
    {"large_decode_base", PARAM_PICOSECONDS, offsetof(QuadraticParams, large.base), .max = 3600,
     .is_optional = true, .has_offset = offsetof(QuadraticParams, has_large_base),
     .doc = "decode_base of a large batch; left out: the same."},
    {"large_per_decode_sequence", PARAM_PICOSECONDS, offsetof(QuadraticParams, large.per_sequence),
     .max = 1, .is_optional = true, .has_offset = offsetof(QuadraticParams, has_large_per_sequence),
     .doc = "per_decode_sequence of a large batch; left out: the same."},
    {"large_per_context_token", PARAM_PICOSECONDS,
     offsetof(QuadraticParams, large.per_context_token), .max = 1e-3, .is_optional = true,
     .has_offset = offsetof(QuadraticParams, has_large_per_context_token),
     .doc = "per_context_token of a large batch; left out: the same."},
};

static const InferenceStepOps inference_quadratic_ops = {
    .duration_ps = inference_quadratic_duration_ps,
};

const Kind inference_step_quadratic = {
    .family = FAMILY_INFERENCE_STEP,
    .name = "quadratic",
    .doc = "Prefill with the squares of the prompts' lengths, decode with costs of its own for "
           "large batches, as DistServe fits it. A step that has both costs both.",
    .params = inference_quadratic_params,
    .param_count = PARAM_COUNT_OF(inference_quadratic_params),
    .params_size = sizeof(QuadraticParams),
    .ops = &inference_quadratic_ops,
};
