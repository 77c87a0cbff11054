/* A measured profile, read from the directory that holds it as LLMServingSim 2 writes it:
 *
 *   dense.csv         layer,tokens,time_us: embedding, layernorm, qkv_proj, rotary_emb, o_proj,
 *                     gate_up_proj, act_fn, down_proj, final_layernorm; qk_norm where the model has
 *                     one
 *   per_sequence.csv  layer,sequences,time_us: lm_head, sampler
 *   attention.csv     prefill_chunk,kv_prefill,n_decode,kv_decode,time_us: chunk 0 for batches that
 *                     only decode, n_decode 0 for those that do not, both above 0 for mixed ones.
 *                     Each of the three is a full grid; mixed ones may be missing altogether.
 *
 * Rows in any order, other columns ignored. Every mistake is refused: columns, layers or points
 * that are missing, that are there twice or unknown, times that are no numbers of 0 or more. Memory
 * is bounded by the number of rows a file may have and the largest number a row may hold.
 */
#ifndef KNOCKON_EXPERIMENTS_PROFILE_IN_H
#define KNOCKON_EXPERIMENTS_PROFILE_IN_H

#include "models/inference_steps/profile.h"
#include "models/model.h"
#include "sim/error.h"

/* The model owns what is returned and knows the three files from then on. NULL after an error,
 * which names the file and, where there is one, the line. */
const StepProfile *profile_in_read(Model *model, const char *directory, Error *error);

#endif
