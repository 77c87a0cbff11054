/* An LLM replica as vLLM runs it. models/engine/ does the work; here is what the scenario says. */
#include "models/engine/engine.h"
#include "models/inference_steps/inference_step.h"
#include "models/servers/inference_presets.h"
#include "models/servers/server.h"
#include "sim/check.h"

static uint32_t inference_slots(const void *params) {
    const EngineParams *p = params;
    CHECK(p->max_num_seqs > 0);
    return p->max_num_seqs;
}

static size_t inference_state_size(const void *params) {
    CHECK(params != NULL);
    return engine_size(params);
}

static bool inference_take_out(World *world, uint32_t attempt) {
    CHECK(world_attempt(world, attempt)->state == ATTEMPT_SERVING);
    engine_abort(world, attempt);
    return true;
}

/* The prompt leaves room for a token, and fits into the cache at all. */
static const char *inference_rejects(const World *world, uint32_t replica, const Call *call) {
    const EngineParams *p = engine_params(world, replica);
    CHECK(p->block_size > 0);
    return engine_prompt_tokens(call) >= engine_max_model_len(p)
               ? "its prompt is longer than max_model_len allows"
               : NULL;
}

static SimTime inference_load_time(const void *params) {
    const EngineParams *p = params;
    CHECK(p->load_time >= 0);
    return p->load_time;
}

static bool inference_is_by_priority(const void *params) {
    const EngineParams *p = params;
    CHECK(p->scheduling_policy <= POLICY_PRIORITY);
    return p->scheduling_policy == POLICY_PRIORITY;
}

static bool inference_is_loaded(const void *params) {
    const EngineParams *p = params;
    CHECK(p->load_time >= 0);
    return p->is_loaded_at_start;
}

static bool inference_check_kv(const EngineParams *p, Error *error) {
    uint32_t blocks = engine_kv_blocks(p);
    if (blocks == 0) {
        const InferenceStepOps *step = p->step.kind->ops;
        return step->kv_blocks == NULL
                   ? error_set(error, "it needs 'kv_blocks': the KV blocks of one replica, which "
                                      "vLLM prints when it starts (or a 'preset')")
                   : error_set(error, "the model does not fit into the GPUs' memory: raise "
                                      "gpu_memory_utilization or tensor_parallel_size");
    }
    if ((uint64_t)blocks * p->block_size < 2) {
        return error_set(error, "one KV block of one token holds no request: raise kv_blocks");
    }
    if (p->has_max_model_len && (uint64_t)blocks * p->block_size < p->max_model_len) {
        return error_set(error,
                         "%u KV blocks of %u tokens cannot hold one request of max_model_len (%u); "
                         "raise kv_blocks to %u or lower max_model_len to %u",
                         blocks, p->block_size, p->max_model_len,
                         engine_blocks_for(p, p->max_model_len), blocks * p->block_size);
    }
    return true;
}

/* What vLLM refuses to start with (vllm/config/scheduler.py). */
static bool inference_check(const void *params, Error *error) {
    const EngineParams *p = params;
    if (p->max_num_batched_tokens < p->max_num_seqs) {
        return error_set(error, "max_num_batched_tokens (%u) is below max_num_seqs (%u)",
                         p->max_num_batched_tokens, p->max_num_seqs);
    }
    if (!inference_check_kv(p, error)) {
        return false;
    }
    if (!p->enable_chunked_prefill && p->max_num_batched_tokens < engine_max_model_len(p)) {
        return error_set(error,
                         "without chunked prefill max_num_batched_tokens (%u) must not be below "
                         "max_model_len (%u): a longer prompt would wait for ever",
                         p->max_num_batched_tokens, engine_max_model_len(p));
    }
    if (p->long_prefill_token_threshold > engine_max_model_len(p)) {
        return error_set(error, "long_prefill_token_threshold (%u) is above max_model_len (%u)",
                         p->long_prefill_token_threshold, engine_max_model_len(p));
    }
    return true;
}

#define ENGINE(member) offsetof(EngineParams, member)

/* Defaults are vLLM's own (docs/inference.md section 1). */
static const Param inference_params[] = {
    {"step", PARAM_KIND, ENGINE(step), .family = FAMILY_INFERENCE_STEP,
     .doc = "How long one step takes."},
    {"kv_blocks", PARAM_COUNT, ENGINE(kv_blocks), .min = 1, .max = 1e8, .is_optional = true,
     .has_offset = ENGINE(has_kv_blocks),
     .doc =
         "Blocks of the KV cache of one replica (num_gpu_blocks); left out: what a roofline step "
         "leaves of the GPUs' memory."},
    {"block_size", PARAM_COUNT, ENGINE(block_size), .preset = "16", .min = 1, .max = 4096,
     .doc = "Tokens in a KV block."},
    {"max_num_seqs", PARAM_COUNT, ENGINE(max_num_seqs), .preset = "256", .min = 1, .max = 65536,
     .doc = "The most sequences in one step."},
    {"max_num_batched_tokens", PARAM_COUNT, ENGINE(max_num_batched_tokens), .preset = "2048",
     .min = 1, .max = 1e7, .doc = "The most tokens computed in one step."},
    {"max_model_len", PARAM_COUNT, ENGINE(max_model_len), .min = 2, .max = 1e9, .is_optional = true,
     .has_offset = ENGINE(has_max_model_len),
     .doc = "The most tokens of prompt and answer; a longer prompt is answered with an error, an "
            "answer is cut; left out: as many as the KV cache holds."},
    {"gpu_memory_utilization", PARAM_RATIO, ENGINE(gpu_memory_utilization), .preset = "92%",
     .above_min = true, .max = 1,
     .doc = "Share of the GPUs' memory that may be used; matters only when kv_blocks is left out."},
    {"enable_prefix_caching", PARAM_FLAG, ENGINE(enable_prefix_caching), .preset = "true",
     .doc = "Whether blocks are found again by their content."},
    {"enable_chunked_prefill", PARAM_FLAG, ENGINE(enable_chunked_prefill), .preset = "true",
     .doc = "Whether a prompt may be computed over several steps."},
    {"long_prefill_token_threshold", PARAM_COUNT, ENGINE(long_prefill_token_threshold),
     .preset = "0", .max = 1e9,
     .doc = "The most tokens of one prompt in one step; 0: no more than the budget allows."},
    {"scheduler_reserve_full_isl", PARAM_FLAG, ENGINE(scheduler_reserve_full_isl), .preset = "true",
     .doc = "Whether a request is admitted only when there are blocks for all of its prompt (vLLM "
            "0.19 and later)."},
    {"scheduling_policy", PARAM_CHOICE, ENGINE(scheduling_policy), .preset = "fcfs",
     .choices = "fcfs|priority",
     .doc = "Who is admitted first and preempted last: by arrival, or by the client's `priority`."},
    {"role", PARAM_CHOICE, ENGINE(role), .preset = "both", .choices = "both|prefill|decode",
     .doc = "Part in a disaggregated service: prefill ends with the first token and keeps its "
            "blocks until the services that it calls have answered; decode begins with the "
            "prompt's blocks, which were brought to it."},
    {"load_time", PARAM_DURATION, ENGINE(load_time), .preset = "0s", .max = 86400,
     .doc = "How long the model is loaded after a crash, before the replica serves again with an "
            "empty cache."},
    {"loaded", PARAM_FLAG, ENGINE(is_loaded_at_start), .preset = "true",
     .doc = "Whether replicas have their model at time 0 or begin by loading it."},
};

static const ServerOps inference_ops = {
    .slots = inference_slots,
    .start = engine_start,
    .pump = engine_wake,
    .on_step = engine_on_step,
    .on_leave = engine_cut,
    .on_levers = engine_on_levers,
    .settle = engine_settle,
    .take_out = inference_take_out,
    .let_go = engine_unpark,
    .reset = engine_crash,
    .rejects = inference_rejects,
    .cached_tokens = engine_cached_tokens,
    .flush = engine_flush,
    .load_time = inference_load_time,
    .is_loaded = inference_is_loaded,
    .is_by_priority = inference_is_by_priority,
    .can_kill = true,
    .check = engine_check,
    .has_tokens = true,
};

const Kind server_inference = {
    .family = FAMILY_SERVER,
    .name = "inference",
    .doc = "An LLM replica with continuous batching, chunked prefill and a paged KV cache, as vLLM "
           "schedules it.",
    .params = inference_params,
    .param_count = PARAM_COUNT_OF(inference_params),
    .params_size = sizeof(EngineParams),
    .state_size_of = inference_state_size,
    .ops = &inference_ops,
    .presets = inference_presets,
    .preset_count = INFERENCE_PRESET_COUNT,
    .check = inference_check,
};
