/* A step as the sum of its layers, each measured on the GPU (docs/inference.md section 2; the
 * profiles are LLMServingSim 2's, MIT):
 *
 *   embedding + layers x (2 layernorm + qkv_proj + rotary_emb + attention + o_proj + gate_up_proj +
 *   act_fn + down_proj) + final_layernorm + lm_head + sampler + overhead
 *
 * Attention is measured for one prompt's chunk beside decodes of equal context. How other batches
 * are read was compared on one run: the scheduler of vLLM with the tables of an RTX 4090 and
 * Llama-3.1-8B against vLLM 0.19 itself (300 requests, overloaded; mean TTFT, mean E2E and p99 of
 * TPOT off by %). All readings came within 5 %, and no factor is fitted to the run.
 *
 * - Decodes count with their mean context: decoding reads every KV block once, so that time
 *   follows the sum.
 * - Prompts count as the one chunk that attends to as many pairs of tokens: the sum of n x c for
 *   what was computed before and of n^2 / 2 for the chunk's own. +1.2, +0.9, 0.0, and full steps
 *   of 199 ms where vLLM's took 200 to 201. With the sum of the contexts, as LLMServingSim reads
 *   them, +1.9, +1.5, +0.4; with their weighted mean +1.6, +1.3, +0.3, and 204 ms.
 * - A batch of both is looked up among the measured mixtures. Where a profile has none, prefill
 *   and decode add, as two kernels one after the other would: 0.0, -0.2, -0.5, and 195 ms.
 * - `overhead` is 0 unless the user knows better. vLLM schedules beside the GPU, and the run speaks
 *   neither for more nor for less: it decodes 16 sequences in 20.0 to 20.4 ms where the tables say
 *   21.0, and 25 to 38 that fill the cache in 25.4 to 26.0 where they say 24.8 to 25.2. With 0.5 ms
 *   it is +3.1, +2.7, +1.7.
 */
#include "models/inference_steps/inference_step.h"
#include "models/inference_steps/profile.h"
#include "sim/check.h"
#include "sim/math.h"

typedef struct TableParams {
    const StepProfile *profile;
    uint32_t layers;
    int64_t overhead; /* ps */
} TableParams;

/* One prompt's chunk and the context before it that make as many pairs of tokens as all prompts of
 * the step. Several short prompts make fewer than one of their length without any context: then the
 * chunk is the shorter one. */
static void table_find_chunk(const StepLoad *load, double *chunk, double *context) {
    double tokens = load->prefill_tokens;
    double own = (double)load->prefill_squares / 2;
    double pairs = (double)load->prefill_cross + own;
    double before = pairs - tokens * tokens / 2;
    DCHECK(tokens > 0);
    *chunk = before >= 0 ? tokens : math_sqrt(2 * pairs);
    *context = before >= 0 ? before / tokens : 0;
}

/* Of one layer. */
static double table_attention_ps(const StepProfile *profile, const StepLoad *load) {
    /* In the order of the mixed axes: the first two are prefill's, the others decode's. */
    double place[PROFILE_AXES_MAX] = {0};
    bool has_prefill = load->prefill_tokens > 0, has_decode = load->decode_sequences > 0;
    if (has_decode) {
        place[2] = load->decode_sequences;
        place[3] = (double)load->decode_context / load->decode_sequences;
    }
    if (!has_prefill) {
        return has_decode ? profile_grid_at(&profile->decode, place + 2) : 0;
    }
    table_find_chunk(load, &place[0], &place[1]);
    if (has_decode && profile->mixed.axis_count > 0) {
        return profile_grid_at(&profile->mixed, place);
    }
    return profile_grid_at(&profile->prefill, place) +
           (has_decode ? profile_grid_at(&profile->decode, place + 2) : 0);
}

static int64_t inference_table_duration_ps(const void *params, const StepLoad *load) {
    const TableParams *p = params;
    const StepProfile *profile = p->profile;
    CHECK(profile != NULL);
    ProfileCost tokens =
        profile_curve_at(&profile->tokens, load->prefill_tokens + load->decode_sequences);
    ProfileCost sequences =
        profile_curve_at(&profile->sequences, load->prefill_sequences + load->decode_sequences);
    double per_layer_ps =
        tokens.per_layer_ps + sequences.per_layer_ps + table_attention_ps(profile, load);
    return step_ps_round(tokens.once_ps + sequences.once_ps + p->layers * per_layer_ps +
                         (double)p->overhead);
}

static const Param inference_table_params[] = {
    {"directory", PARAM_PROFILE, offsetof(TableParams, profile),
     .doc =
         "Where the measured points are: dense.csv (layer, tokens, time_us), attention.csv "
         "(prefill_chunk, kv_prefill, n_decode, kv_decode, time_us) and per_sequence.csv (layer, "
         "sequences, time_us)."},
    {"layers", PARAM_COUNT, offsetof(TableParams, layers), .min = 1, .max = 1000,
     .doc = "The model's transformer layers, num_hidden_layers of its config.json: the points are "
            "of one."},
    {"overhead", PARAM_PICOSECONDS, offsetof(TableParams, overhead), .preset = "0s", .max = 10,
     .doc = "Added to every step: what the GPU waits for its host or for other GPUs."},
};

static const InferenceStepOps inference_table_ops = {.duration_ps = inference_table_duration_ps};

const Kind inference_step_table = {
    .family = FAMILY_INFERENCE_STEP,
    .name = "table",
    .doc = "The sum of the model's layers as measured on the GPU, linear between the measured "
           "points.",
    .params = inference_table_params,
    .param_count = PARAM_COUNT_OF(inference_table_params),
    .params_size = sizeof(TableParams),
    .ops = &inference_table_ops,
};
