#include "models/servers/inference_presets.h"

/* Which rows were taken. inference-sim has 92 fits of (model, GPU, GPUs) made by black-box
 * optimisation; a row is here when what it says is possible: a lone decode takes 0.95 to 3 times
 * the reading of the weights, the largest prefill step reaches 20 to 85 % of peak, 64 decodes take
 * 0.95 to 4 times their traffic, and the source puts no more time of a token outside of the step
 * (alpha2) than into its base. Left out so: prefill above the peak (llama-3.1-8b and phi-4 on one
 * A100, llama-3.3-70b on 8 H100) or far below (gpt-oss), a base below the reading of the weights
 * (phi-4 on one H100), tokens whose time is mostly outside (mixtral-8x7b, qwen2.5-7b on one A100);
 * and of Splitwise llama2-70b, whose attention takes nine times as long as the KV cache is read.
 *
 * KV blocks of one GPU are the source's: they lie between the formula with its activations and
 * without. On several GPUs the source's are as many times too large as there are GPUs, and the
 * formula's stand instead. Parameters and shapes are those of the models' own cards.
 *
 * Limits: vLLM's API server takes 8192 tokens and 1024 sequences on GPUs of 70 GiB and more, the
 * A100 excepted, otherwise 2048 and 256 (vllm/engine/arg_utils.py). max_model_len is the model's,
 * or what the KV cache holds. */
#define LARGE_GPU                                                                                  \
    "max_num_seqs: 1024\n"                                                                         \
    "max_num_batched_tokens: 8192\n"
#define SMALL_GPU                                                                                  \
    "max_num_seqs: 256\n"                                                                          \
    "max_num_batched_tokens: 2048\n"

#define LLAMA_3_3_70B "parameters: 70.55e9, layers: 80, heads: 64, kv_heads: 8, head_dim: 128"
#define MIXTRAL_8X7B                                                                               \
    "parameters: 46.7e9, active_parameters: 12.88e9, layers: 32, heads: 32, kv_heads: 8, "         \
    "head_dim: 128"
#define LLAMA_3_1_8B "parameters: 8.03e9, layers: 32, heads: 32, kv_heads: 8, head_dim: 128"
#define QWEN3_14B "parameters: 14.77e9, layers: 40, heads: 40, kv_heads: 8, head_dim: 128"
#define QWEN2_5_7B "parameters: 7.616e9, layers: 28, heads: 28, kv_heads: 4, head_dim: 128"
#define QWEN3_8B "parameters: 8.19e9, layers: 36, heads: 32, kv_heads: 8, head_dim: 128"

/* Source and licence. */
#define INFERENCE_SIM(row) "inference-sim, defaults.yaml: " row, "Apache-2.0"
#define DISTSERVE(row) "DistServe, fit_params_distserve.json: " row, "Apache-2.0"
#define ROOFLINE "the model's card and inference-sim, hardware_config.json", "Apache-2.0"
#define ADA_ROOFLINE                                                                               \
    "the model's card, NVIDIA's Ada white paper, and kernels measured by LLMServingSim 2", "MIT"

const Preset inference_presets[INFERENCE_PRESET_COUNT] = {
    {"llama-3.1-8b/h100-tp1",
     "kv_blocks: 29205\n" LARGE_GPU "max_model_len: 131072\n"
     "step: {linear: {base: 6472.0076us, per_prefill_token: 19.7972us, "
     "per_decode_sequence: 304.4021us}}\n",
     INFERENCE_SIM("meta-llama/llama-3.1-8b-instruct on H100 TP1, vLLM 0.11.0"),
     "Decode alone 1.41x the reading of the weights, full prefill 79% of peak, 64 decodes on 1000 "
     "tokens 3.56x their traffic, KV blocks 1.11x the formula. A decoding sequence costs as much "
     "as reading 7800 tokens of context, which is high."},
    {"llama-3.1-8b/h100-tp2",
     "kv_blocks: 62639\n" LARGE_GPU "max_model_len: 131072\n"
     "step: {linear: {base: 6910.4205us, per_prefill_token: 17.6706us, "
     "per_decode_sequence: 2.8377us}}\n",
     INFERENCE_SIM("meta-llama/llama-3.1-8b-instruct on H100 TP2, vLLM 0.8.4"),
     "Decode alone 2.88x the reading of the weights, full prefill 44% of peak, 64 decodes on 1000 "
     "tokens 1.94x their traffic, KV blocks 1.00x the formula. A decoding sequence costs as little "
     "as reading 150 tokens of context."},
    {"llama-3.3-70b/h100-tp4",
     "kv_blocks: 30451\n" LARGE_GPU "max_model_len: 131072\n"
     "step: {linear: {base: 12601.2711us, per_prefill_token: 76.4228us, "
     "per_decode_sequence: 66.844us}}\n",
     INFERENCE_SIM("meta-llama/llama-3.3-70b-instruct on H100 TP4, vLLM 0.8.4"),
     "Decode alone 1.20x the reading of the weights, full prefill 46% of peak, 64 decodes on 1000 "
     "tokens 1.40x their traffic, KV blocks 1.00x the formula. The source adds 11.5 ms to each "
     "token outside of the step, which is left out: latencies are that much too low. The source's "
     "KV blocks are 4 times what fits."},
    {"llama-3.3-70b/h100-tp8",
     LARGE_GPU "max_model_len: 131072\n"
               "step: {roofline: {gpu: h100, tensor_parallel_size: 8, " LLAMA_3_3_70B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 42% of peak, 64 decodes on 1000 "
     "tokens 1.00x their traffic, room for 91564 KV blocks. No communication between GPUs; the "
     "measured row of inference-sim would need 152 % of peak."},
    {"codellama-34b/h100-tp1",
     "kv_blocks: 2537\n" LARGE_GPU "max_model_len: 16384\n"
     "step: {linear: {base: 26595.2782us, per_prefill_token: 96.2844us, "
     "per_decode_sequence: 56.5863us}}\n",
     INFERENCE_SIM("codellama/codellama-34b-instruct-hf on H100 TP1, vLLM 0.8.4"),
     "Decode alone 1.32x the reading of the weights, full prefill 69% of peak, 64 decodes on 1000 "
     "tokens 1.26x their traffic, KV blocks 2.12x the formula. What the formula keeps for "
     "activations is most of the room that is left."},
    {"qwen2.5-3b/h100-tp1",
     "kv_blocks: 117925\n" LARGE_GPU "max_model_len: 32768\n"
     "step: {linear: {base: 4795.7914us, per_prefill_token: 9.4487us, "
     "per_decode_sequence: 35.6336us}}\n",
     INFERENCE_SIM("qwen/qwen2.5-3b-instruct on H100 TP1, vLLM 0.11.0"),
     "Decode alone 2.62x the reading of the weights, full prefill 62% of peak, 64 decodes on 1000 "
     "tokens 2.78x their traffic, KV blocks 1.07x the formula. The host takes more of a step than "
     "so small a model."},
    {"qwen2.5-7b/h100-tp1",
     "kv_blocks: 67659\n" LARGE_GPU "max_model_len: 32768\n"
     "step: {linear: {base: 7051.7969us, per_prefill_token: 19.5384us, "
     "per_decode_sequence: 25.4318us}}\n",
     INFERENCE_SIM("qwen/qwen2.5-7b-instruct on H100 TP1, vLLM 0.11.0"),
     "Decode alone 1.56x the reading of the weights, full prefill 75% of peak, 64 decodes on 1000 "
     "tokens 1.54x their traffic, KV blocks 1.11x the formula. Prefill is at the upper end of what "
     "such GPUs reach."},
    {"qwen2.5-7b/h100-tp2",
     "kv_blocks: 144078\n" LARGE_GPU "max_model_len: 32768\n"
     "step: {linear: {base: 5700.2668us, per_prefill_token: 25.085us, "
     "per_decode_sequence: 13.859us}}\n",
     INFERENCE_SIM("qwen/qwen2.5-7b-instruct on H100 TP2, vLLM 0.8.4"),
     "Decode alone 2.51x the reading of the weights, full prefill 30% of peak, 64 decodes on 1000 "
     "tokens 2.33x their traffic, KV blocks 1.00x the formula. The source's KV blocks are twice "
     "what fits."},
    {"qwen3-14b/h100-tp1",
     "kv_blocks: 17600\n" LARGE_GPU "max_model_len: 40960\n"
     "step: {linear: {base: 13578.1867us, per_prefill_token: 39.4447us, "
     "per_decode_sequence: 27.3228us}}\n",
     INFERENCE_SIM("qwen/qwen3-14b on H100 TP1, vLLM 0.11.0"),
     "Decode alone 1.54x the reading of the weights, full prefill 73% of peak, 64 decodes on 1000 "
     "tokens 1.28x their traffic, KV blocks 1.11x the formula. A decoding sequence costs as much "
     "as reading 560 tokens of context: long contexts are too cheap."},
    {"phi-4-w8a8/h100-tp2",
     "kv_blocks: 40203\n" LARGE_GPU "max_model_len: 16384\n"
     "step: {linear: {base: 6684.011us, per_prefill_token: 29.8964us, "
     "per_decode_sequence: 10.8508us}}\n",
     INFERENCE_SIM("redhatai/phi-4-quantized.w8a8 on H100 TP2, vLLM 0.8.4"),
     "Decode alone 2.86x the reading of the weights, full prefill 24% of peak, 64 decodes on 1000 "
     "tokens 1.72x their traffic, KV blocks 1.00x the formula. Weights and arithmetic in 8 bits; "
     "long contexts are too cheap. The source's KV blocks are twice what fits."},
    {"mistral-small-3.1-24b-fp8/h100-tp1",
     "kv_blocks: 19649\n" LARGE_GPU "max_model_len: 131072\n"
     "step: {linear: {base: 13285.2472us, per_prefill_token: 50.1721us, "
     "per_decode_sequence: 117.3252us}}\n",
     INFERENCE_SIM(
         "redhatai/mistral-small-3.1-24b-instruct-2503-fp8-dynamic on H100 TP1, vLLM 0.8.4"),
     "Decode alone 1.75x the reading of the weights, full prefill 47% of peak, 64 decodes on 1000 "
     "tokens 1.93x their traffic, KV blocks 1.13x the formula. Weights and arithmetic in 8 bits."},
    {"mixtral-8x7b/h100-tp2",
     LARGE_GPU "max_model_len: 32768\n"
               "step: {roofline: {gpu: h100, tensor_parallel_size: 2, " MIXTRAL_8X7B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 42% of peak, 64 decodes on 1000 "
     "tokens 1.00x their traffic, room for 26119 KV blocks. Experts are read as more tokens choose "
     "them. The fitted row of inference-sim keeps 70 % of a token outside of the step, and is not "
     "used."},
    {"llama-3.1-8b/a100-tp1",
     SMALL_GPU "max_model_len: 131072\n"
               "step: {roofline: {gpu: a100, tensor_parallel_size: 1, " LLAMA_3_1_8B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 37% of peak, 64 decodes on 1000 "
     "tokens 1.58x their traffic, room for 27132 KV blocks. Large batches are slow: the calibrated "
     "share for decoding is low."},
    {"qwen3-14b/a100-tp1",
     SMALL_GPU "max_model_len: 40960\n"
               "step: {roofline: {gpu: a100, tensor_parallel_size: 1, " QWEN3_14B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 37% of peak, 64 decodes on 1000 "
     "tokens 1.76x their traffic, room for 16563 KV blocks. Large batches are slow: the calibrated "
     "share for decoding is low."},
    {"llama-3.3-70b/a100-tp4",
     SMALL_GPU "max_model_len: 131072\n"
               "step: {roofline: {gpu: a100, tensor_parallel_size: 4, " LLAMA_3_3_70B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 37% of peak, 64 decodes on 1000 "
     "tokens 2.06x their traffic, room for 31762 KV blocks. No communication between GPUs; large "
     "batches are slow: the calibrated share for decoding is low."},
    {"phi-4/a100-tp2",
     "kv_blocks: 36042\n" SMALL_GPU "max_model_len: 16384\n"
     "step: {linear: {base: 10800.5195us, per_prefill_token: 116.8342us, "
     "per_decode_sequence: 20.5037us}}\n",
     INFERENCE_SIM("microsoft/phi-4 on A100-80 TP2, vLLM 0.8.4"),
     "Decode alone 1.51x the reading of the weights, full prefill 38% of peak, 64 decodes on 1000 "
     "tokens 1.16x their traffic, KV blocks 1.00x the formula. A decoding sequence costs as much "
     "as reading 410 tokens of context: long contexts are too cheap. The source's KV blocks are "
     "twice what fits."},
    {"opt-13b/a100-tp1",
     "kv_blocks: 3474\n" SMALL_GPU "max_model_len: 2048\n"
     "step: {quadratic: {prefill_base: 18102.5465us, per_prefill_token: 101.9123us, "
     "per_prefill_token_squared: 7.1223ns, decode_base: 19934.7026us, "
     "per_context_token: 626.9357ns, per_decode_sequence: 38.507us, "
     "large_batch: 95, large_decode_base: 7166.1889us, "
     "large_per_context_token: 579.8ns, "
     "large_per_decode_sequence: 158.311us}}\n",
     DISTSERVE("opt-13b on 1 A100"),
     "Decode alone 1.58x the reading of the weights, full prefill 66% of peak, 64 decodes on 1000 "
     "tokens 1.63x their traffic, KV blocks 1.00x the formula. DistServe's own engine, whose "
     "kernels differ from vLLM's."},
    {"opt-13b/a100-tp2",
     "kv_blocks: 9286\n" SMALL_GPU "max_model_len: 2048\n"
     "step: {quadratic: {prefill_base: 14742.9737us, per_prefill_token: 68.5772us, "
     "per_prefill_token_squared: 2.4496ns, decode_base: 13294.7964us, "
     "per_context_token: 341.0922ns, per_decode_sequence: 62.9639us, "
     "large_batch: 95, large_decode_base: 10638.7419us, "
     "large_per_context_token: 311.8337ns, "
     "large_per_decode_sequence: 85.6291us}}\n",
     DISTSERVE("opt-13b on 2 A100"),
     "Decode alone 2.12x the reading of the weights, full prefill 51% of peak, 64 decodes on 1000 "
     "tokens 2.04x their traffic, KV blocks 1.00x the formula. DistServe's own engine, whose "
     "kernels differ from vLLM's."},
    {"opt-66b/a100-tp2",
     "kv_blocks: 423\n" SMALL_GPU "max_model_len: 2048\n"
     "step: {quadratic: {prefill_base: 43058.8135us, per_prefill_token: 274.2293us, "
     "per_prefill_token_squared: 22.478ns, decode_base: 48288.0155us, "
     "per_context_token: 942.4344ns, per_decode_sequence: 127.5502us, "
     "large_batch: 95, large_decode_base: 28727.694us, "
     "large_per_context_token: 474.4848ns, "
     "large_per_decode_sequence: 296.1779us}}\n",
     DISTSERVE("opt-66b on 2 A100"),
     "Decode alone 1.50x the reading of the weights, full prefill 62% of peak, 64 decodes on 1000 "
     "tokens 1.69x their traffic, KV blocks 1.00x the formula. DistServe's own engine, whose "
     "kernels differ from vLLM's; little room for the KV cache."},
    {"opt-66b/a100-tp4",
     "kv_blocks: 4485\n" SMALL_GPU "max_model_len: 2048\n"
     "step: {quadratic: {prefill_base: 29441.636us, per_prefill_token: 151.3522us, "
     "per_prefill_token_squared: 8.3175ns, decode_base: 30760.2846us, "
     "per_context_token: 451.9476ns, per_decode_sequence: 63.2842us, "
     "large_batch: 95, large_decode_base: 27470.8214us, "
     "large_per_context_token: 404.6846ns, "
     "large_per_decode_sequence: 124.8067us}}\n",
     DISTSERVE("opt-66b on 4 A100"),
     "Decode alone 1.91x the reading of the weights, full prefill 58% of peak, 64 decodes on 1000 "
     "tokens 1.84x their traffic, KV blocks 1.00x the formula. DistServe's own engine, whose "
     "kernels differ from vLLM's."},
    {"llama-3.1-8b/l40s-tp1",
     SMALL_GPU "max_model_len: 131072\n"
               "step: {roofline: {gpu: l40s, tensor_parallel_size: 1, " LLAMA_3_1_8B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 31% of peak, 64 decodes on 1000 "
     "tokens 1.30x their traffic, room for 12752 KV blocks. Large batches are slow: the calibrated "
     "share for decoding is very low."},
    {"qwen2.5-7b/l40s-tp1",
     SMALL_GPU "max_model_len: 32768\n"
               "step: {roofline: {gpu: l40s, tensor_parallel_size: 1, " QWEN2_5_7B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 31% of peak, 64 decodes on 1000 "
     "tokens 1.58x their traffic, room for 30050 KV blocks. Large batches are slow: the calibrated "
     "share for decoding is very low."},
    {"qwen3-14b/l40s-tp1",
     SMALL_GPU "max_model_len: 40960\n"
               "step: {roofline: {gpu: l40s, tensor_parallel_size: 1, " QWEN3_14B "}}\n",
     ROOFLINE,
     "Decode alone 1.00x the reading of the weights, full prefill 31% of peak, 64 decodes on 1000 "
     "tokens 1.45x their traffic, room for 5059 KV blocks. Large batches are slow: the calibrated "
     "share for decoding is very low."},
    {"llama-3.1-8b/rtx4090-tp1",
     "kv_blocks: 2588\n" SMALL_GPU "max_model_len: 32768\n"
     "step: {linear: {base: 16387us, per_prefill_token: 107.19us, "
     "per_decode_sequence: 40.17us, per_context_token: 153.97ns, "
     "per_prefill_context_token: 4.34ns}}\n",
     "LLMServingSim 2, layers measured on an RTX 4090 under vLLM 0.19.0, fitted by five numbers",
     "MIT",
     "Decode alone 1.03x the reading of the weights, full prefill 84% of peak, 64 decodes on 1000 "
     "tokens 1.19x their traffic, KV blocks 1.08x the formula. In a sketch of the scheduler the "
     "means of a real run came out within 6 %."},
    {"qwen2.5-7b/rtx4090-tp1",
     SMALL_GPU
     "max_model_len: 32768\n"
     "step: {roofline: {gpu: rtx4090, tensor_parallel_size: 1, overhead: 0.5ms, " QWEN2_5_7B "}}\n",
     ADA_ROOFLINE,
     "Decode alone 1.03x the reading of the weights, full prefill 92% of peak, 64 decodes on 1000 "
     "tokens 1.03x their traffic, room for 6933 KV blocks. Kernels overlap perfectly here; "
     "measured layers of Llama-3.1-8B take up to 1.3 times as long."},
    {"qwen3-8b/rtx4090-tp1",
     SMALL_GPU "max_model_len: 32768\n"
               "step: {roofline: {gpu: rtx4090, tensor_parallel_size: 1, overhead: 0.5ms, " QWEN3_8B
               "}}\n",
     ADA_ROOFLINE,
     "Decode alone 1.03x the reading of the weights, full prefill 91% of peak, 64 decodes on 1000 "
     "tokens 1.02x their traffic, room for 2209 KV blocks. Kernels overlap perfectly here; "
     "measured layers of Llama-3.1-8B take up to 1.3 times as long."},
};
