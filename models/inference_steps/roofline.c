/* A step from the model's shape and the GPU's data sheet: as long as its arithmetic takes, or as
 * its memory traffic takes, whichever is longer (docs/inference.md section 2). The arithmetic is
 * inference-sim's (sim/latency/roofline.go, Apache-2.0), reduced to what a model card says.
 *
 * Arithmetic: 2 FLOPs for each parameter and token, and 4 x layers x heads x head_dim for each
 * token and each one that it attends to. Traffic: the weights once a step, the KV cache of every
 * sequence once, and the new tokens' part of it written. Both are divided over the GPUs of a
 * replica; communication between them costs nothing here unless `overhead` says so.
 *
 * Prefill and decode tokens of one step go through the layers together: one reading of the weights
 * serves both, so traffic is summed before the maximum is taken and a step of both is cheaper than
 * two. Their arithmetic runs on the same units one after another, so its times add, each at its
 * own utilization: decoding keeps the units less busy.
 *
 * Llama-3.1-8B (8.03e9 parameters, 32 layers, 32 heads, 8 KV heads of 128) on one H100: a prompt of
 * 2048 tokens takes (2 x 8.03e9 x 2048 + 4 x 32 x 32 x 128 x 2048 x 2049 / 2) / (989.5e12 x 45 %) =
 * 76.337 ms; 64 sequences that decode on top of 1000 tokens each take (2 x 8.03e9 + 131072 x 64 x
 * 1001) / 3.35e12 = 7.301 ms.
 */
#include "models/inference_steps/inference_step.h"
#include "sim/check.h"
#include "sim/math.h"

#define GIB 1073741824.0

typedef enum Gpu { GPU_H100, GPU_A100, GPU_L40S, GPU_RTX4090, GPU_COUNT } Gpu;

typedef struct GpuFacts {
    double peak_flops_per_s; /* dense, bf16 with fp32 sums */
    double bandwidth_bytes_per_s, memory_bytes;
    double prefill_mfu, decode_mfu; /* share of the peak that is reached */
} GpuFacts;

/* The first three: hardware_config.json of inference-sim (Apache-2.0), whose utilizations are
 * calibrated for steps without overhead; but the L40S has the 46068 MiB that nvidia-smi shows
 * while ECC is on, not its label's 48 GiB.
 *
 * RTX 4090: NVIDIA Ada GPU architecture white paper, appendix A: 165.2 TFLOP/s bf16 with fp32 sums
 * (82.6 is the rate without tensor cores, 330.3 that with fp16 sums or with sparsity); memory as
 * PyTorch reports it. Utilizations are those of the measured layers of Llama-3.1-8B
 * (docs/inference.md section 2, table of LLMServingSim 2, MIT): 152 to 157 TFLOP/s with 512 to 2048
 * tokens and 148 with 256. They are of kernels alone, and so above those of the others. */
static const GpuFacts gpu_facts[GPU_COUNT] = {
    [GPU_H100] = {989.5e12, 3.35e12, 80 * GIB, 0.45, 0.30},
    [GPU_A100] = {312e12, 2.039e12, 80 * GIB, 0.38, 0.18},
    [GPU_L40S] = {362.05e12, 0.864e12, 46068.0 * 1048576, 0.32, 0.08},
    [GPU_RTX4090] = {165.2e12, 1.008e12, 25250627584.0, 0.95, 0.90},
};

typedef struct RooflineParams {
    double parameters, active_parameters, bytes_per_parameter, kv_bytes;
    double peak_flops_per_s, bandwidth_bytes_per_s, prefill_mfu, decode_mfu;
    double memory, activations; /* bytes */
    int64_t overhead;           /* ps */
    uint32_t tensor_parallel_size, layers, heads, kv_heads, head_dim;
    uint8_t gpu;
    bool has_active_parameters, has_kv_heads, has_peak, has_bandwidth, has_prefill_mfu,
        has_decode_mfu, has_memory, has_activations;
} RooflineParams;

/* What was given, and the GPU's own for what was not. */
static GpuFacts roofline_gpu(const RooflineParams *p) {
    CHECK(p->gpu < GPU_COUNT);
    const GpuFacts *own = &gpu_facts[p->gpu];
    return (GpuFacts){
        .peak_flops_per_s = p->has_peak ? p->peak_flops_per_s : own->peak_flops_per_s,
        .bandwidth_bytes_per_s =
            p->has_bandwidth ? p->bandwidth_bytes_per_s : own->bandwidth_bytes_per_s,
        .memory_bytes = p->has_memory ? p->memory : own->memory_bytes,
        .prefill_mfu = p->has_prefill_mfu ? p->prefill_mfu : own->prefill_mfu,
        .decode_mfu = p->has_decode_mfu ? p->decode_mfu : own->decode_mfu,
    };
}

static double roofline_active(const RooflineParams *p) {
    return p->has_active_parameters ? p->active_parameters : p->parameters;
}

/* A key and a value for each KV head of each layer. With more GPUs than KV heads each holds a copy
 * of one, as vLLM does. */
static double roofline_kv_bytes_per_token(const RooflineParams *p) {
    double heads = p->has_kv_heads ? p->kv_heads : p->heads;
    heads = heads < p->tensor_parallel_size ? p->tensor_parallel_size : heads;
    return 2 * (double)p->layers * heads * p->head_dim * p->kv_bytes;
}

/* Parameters that a step reads. Of a mixture of experts one token needs the active ones; n tokens
 * together need more, up to all. Were every parameter outside one token's choice as likely to be
 * in another's, P - (P - A) (1 - A/P)^(n-1) of them are read: for Mixtral (46.7e9, 12.9e9, 2 of 8
 * experts) and 4 tokens 33.9e9, where counting experts gives 32.4e9. */
static double roofline_parameters_read(const RooflineParams *p, double tokens) {
    CHECK(tokens >= 1);
    double active = roofline_active(p);
    if (active == p->parameters) {
        return p->parameters;
    }
    double missed = math_pow(1 - active / p->parameters, tokens - 1);
    return p->parameters - (p->parameters - active) * missed;
}

static int64_t inference_roofline_duration_ps(const void *params, const StepLoad *load) {
    const RooflineParams *p = params;
    const GpuFacts gpu = roofline_gpu(p);
    double prefill = load->prefill_tokens, decode = load->decode_sequences;
    /* A token attends to itself and to what is before it: n on top of c to n c + n (n + 1) / 2. */
    double prefill_pairs =
        (double)load->prefill_cross + ((double)load->prefill_squares + prefill) / 2;
    double decode_pairs = (double)load->decode_context + decode;
    double per_token = 2 * roofline_active(p);
    double per_pair = 4.0 * p->layers * p->heads * p->head_dim;
    double work = (per_token * prefill + per_pair * prefill_pairs) / gpu.prefill_mfu +
                  (per_token * decode + per_pair * decode_pairs) / gpu.decode_mfu;
    double kv_tokens =
        (double)load->decode_context + (double)load->prefill_context + prefill + decode;
    double bytes = roofline_parameters_read(p, prefill + decode) * p->bytes_per_parameter +
                   roofline_kv_bytes_per_token(p) * kv_tokens;
    double work_s = work / gpu.peak_flops_per_s, bytes_s = bytes / gpu.bandwidth_bytes_per_s;
    double longer_s = work_s > bytes_s ? work_s : bytes_s;
    double ps = longer_s / p->tensor_parallel_size * (double)PICOSECONDS_PER_S;
    return step_ps_round(ps + (double)p->overhead);
}

/* Activations of the largest step: 5.5 GiB, 8 GiB with experts, and 0.15 GiB besides, 0.6 GiB on
 * each GPU that talks to others (capacity_planner.py of llm-d-benchmark, Apache-2.0, as
 * inference-sim has it). That is with the 8192 tokens a step of large GPUs; below 70 GiB vLLM takes
 * 2048, and activations go with them: 5.5 / 4 GiB put 2397 blocks on an RTX 4090 with Llama-3.1-8B
 * where vLLM found room for 2588. */
static double roofline_reserved_bytes(const RooflineParams *p, double memory) {
    double activations = roofline_active(p) < p->parameters ? 8 * GIB : 5.5 * GIB;
    activations = memory < 70 * GIB ? activations / 4 : activations;
    double tp = p->tensor_parallel_size;
    CHECK(tp >= 1);
    return (p->has_activations ? p->activations : activations) +
           (tp > 1 ? 0.6 * GIB * tp : 0.15 * GIB);
}

static double inference_roofline_kv_blocks(const void *params, double gpu_memory_utilization,
                                           uint32_t block_size) {
    const RooflineParams *p = params;
    CHECK(block_size > 0 && gpu_memory_utilization > 0);
    double memory = roofline_gpu(p).memory_bytes;
    double room = memory * gpu_memory_utilization * p->tensor_parallel_size -
                  p->parameters * p->bytes_per_parameter - roofline_reserved_bytes(p, memory);
    double blocks = room / (roofline_kv_bytes_per_token(p) * block_size);
    return blocks >= 1 ? (double)(uint64_t)blocks : 0;
}

static bool inference_roofline_check(const void *params, Error *error) {
    const RooflineParams *p = params;
    if (roofline_active(p) > p->parameters) {
        return error_set(error, "active_parameters (%g) is above parameters (%g)",
                         p->active_parameters, p->parameters);
    }
    if (p->has_kv_heads && p->heads % p->kv_heads != 0) {
        return error_set(error, "heads (%u) is not a multiple of kv_heads (%u)", p->heads,
                         p->kv_heads);
    }
    if (p->heads % p->tensor_parallel_size != 0) {
        return error_set(error, "tensor_parallel_size (%u) does not divide heads (%u)",
                         p->tensor_parallel_size, p->heads);
    }
    return true;
}

#define FIELD(member) offsetof(RooflineParams, member)
#define OPTIONAL(member) .is_optional = true, .has_offset = FIELD(member)

static const Param inference_roofline_params[] = {
    {"gpu", PARAM_CHOICE, FIELD(gpu), .choices = "h100|a100|l40s|rtx4090",
     .doc = "Sets arithmetic, bandwidth, memory (80 GB for the first two) and utilization; for "
            "another GPU name the nearest of these and give what differs."},
    {"tensor_parallel_size", PARAM_COUNT, FIELD(tensor_parallel_size), .preset = "1", .min = 1,
     .max = 1024, .doc = "GPUs that hold one replica together."},
    {"parameters", PARAM_NUMBER, FIELD(parameters), .min = 1e6, .max = 1e14,
     .doc = "Of the whole model: 8.03e9."},
    {"active_parameters", PARAM_NUMBER, FIELD(active_parameters), .min = 1e6, .max = 1e14,
     OPTIONAL(has_active_parameters),
     .doc = "That one token uses, in a mixture of experts; left out: all."},
    {"layers", PARAM_COUNT, FIELD(layers), .min = 1, .max = 10000,
     .doc = "num_hidden_layers of the model's config.json."},
    {"heads", PARAM_COUNT, FIELD(heads), .min = 1, .max = 10000, .doc = "num_attention_heads."},
    {"kv_heads", PARAM_COUNT, FIELD(kv_heads), .min = 1, .max = 10000, OPTIONAL(has_kv_heads),
     .doc = "num_key_value_heads; left out: as many as heads."},
    {"head_dim", PARAM_COUNT, FIELD(head_dim), .preset = "128", .min = 1, .max = 10000,
     .doc = "head_dim, or hidden_size divided by num_attention_heads."},
    {"bytes_per_parameter", PARAM_NUMBER, FIELD(bytes_per_parameter), .preset = "2", .min = 0.1,
     .max = 8, .doc = "2 in bf16, 1 in fp8, 0.5 in 4 bits."},
    {"kv_bytes", PARAM_NUMBER, FIELD(kv_bytes), .preset = "2", .min = 0.1, .max = 8,
     .doc = "Bytes of one number in the KV cache."},
    {"overhead", PARAM_PICOSECONDS, FIELD(overhead), .preset = "0s", .max = 3600,
     .doc = "Added to each step: the host's work, communication between GPUs. The utilizations are "
            "calibrated without any."},
    {"peak_flops", PARAM_RATE, FIELD(peak_flops_per_s), .min = 1e9, .max = 1e18, OPTIONAL(has_peak),
     .doc = "FLOPs that the data sheet promises for dense arithmetic of the weights' type, such as "
            "1979e12/s for fp8 on an H100; left out: the GPU's in bf16."},
    {"bandwidth", PARAM_RATE, FIELD(bandwidth_bytes_per_s), .min = 1e9, .max = 1e18,
     OPTIONAL(has_bandwidth), .doc = "Bytes of GPU memory, such as 4.8e12/s; left out: the GPU's."},
    {"memory", PARAM_BYTES, FIELD(memory), .min = 1e9, .max = 1e15, OPTIONAL(has_memory),
     .doc = "Of one GPU, for the number of KV blocks; left out: the GPU's."},
    {"activations", PARAM_BYTES, FIELD(activations), .max = 1e15, OPTIONAL(has_activations),
     .doc = "Memory of a replica that the largest step needs; left out: 5.5GiB, 8GiB for a mixture "
            "of experts, a quarter of that on GPUs below 70GiB, where steps are shorter."},
    {"prefill_mfu", PARAM_RATIO, FIELD(prefill_mfu), .min = 0.001, .max = 1,
     OPTIONAL(has_prefill_mfu),
     .doc = "Share of peak_flops that prompts reach; left out: as measured on the GPU."},
    {"decode_mfu", PARAM_RATIO, FIELD(decode_mfu), .min = 0.001, .max = 1, OPTIONAL(has_decode_mfu),
     .doc = "Share of peak_flops that decoding reaches; left out: as measured on the GPU."},
};

static const InferenceStepOps inference_roofline_ops = {
    .duration_ps = inference_roofline_duration_ps,
    .kv_blocks = inference_roofline_kv_blocks,
};

const Kind inference_step_roofline = {
    .family = FAMILY_INFERENCE_STEP,
    .name = "roofline",
    .doc = "From the model's shape and the GPU's data sheet: arithmetic or memory traffic, "
           "whichever takes longer; also finds the number of KV blocks.",
    .params = inference_roofline_params,
    .param_count = PARAM_COUNT_OF(inference_roofline_params),
    .params_size = sizeof(RooflineParams),
    .ops = &inference_roofline_ops,
    .check = inference_roofline_check,
};
