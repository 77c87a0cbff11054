/* Presets of the inference server: a model on a GPU, as MODEL/GPU-tpGPUS.
 *
 * Each sets the step and what vLLM's API server would: the KV blocks that fit (or leaves them to a
 * roofline), the limits of a step, the longest request. What the engine does outside of its steps
 * (tokenizing, the HTTP server) is in none.
 *
 * The note of each begins with four comparisons, which tests/models/inference_presets_test.c
 * computes anew: one sequence's decode against the time to read the weights (all of them; of a
 * mixture of experts the active ones) at the GPU's full bandwidth; the share of peak arithmetic in
 * the largest prefill step; 64 sequences decoding on top of 1000 tokens each against the reading of
 * weights and KV cache; and the KV blocks against the formula of docs/inference.md section 1 at a
 * utilization of 90 %.
 */
#ifndef KNOCKON_MODELS_SERVERS_INFERENCE_PRESETS_H
#define KNOCKON_MODELS_SERVERS_INFERENCE_PRESETS_H

#include "models/preset.h"

enum { INFERENCE_PRESET_COUNT = 26 };

extern const Preset inference_presets[INFERENCE_PRESET_COUNT];

#endif
