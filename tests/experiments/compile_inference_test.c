/* Every message about inference servers and what befalls them, in full. */
#include "tests/experiments/compile_test.h"

/* The service `model` as an inference server with these parameters besides its step. */
#define MODEL(parameters)                                                                          \
    "services.model={server: {inference: {step: {linear: {base: 9ms}}, " parameters "}}}"

START_TEST(an_inference_server_is_checked) {
    static const Case cases[] = {
        {MODEL("kv_blocks: 9k"), ""},
        {MODEL("max_num_seqs: 8"), "1:26: it needs 'kv_blocks': the KV blocks of one replica, "
                                   "which vLLM prints when it starts (or a 'preset')"},
        {"services.model={server: {inference: {step: {roofline: {gpu: l40s, parameters: 70e9, "
         "layers: 80, heads: 64, kv_heads: 8}}}}}",
         "1:26: the model does not fit into the GPUs' memory: raise gpu_memory_utilization or "
         "tensor_parallel_size"},
        {MODEL("kv_blocks: 1, block_size: 1"),
         "1:26: one KV block of one token holds no request: raise kv_blocks"},
        {MODEL("kv_blocks: 100, block_size: 8, max_model_len: 801"),
         "1:26: 100 KV blocks of 8 tokens cannot hold one request of max_model_len (801); raise "
         "kv_blocks to 101 or lower max_model_len to 800"},
        {MODEL("kv_blocks: 100, block_size: 8, max_model_len: 800"), ""},
        {MODEL("kv_blocks: 9k, max_num_seqs: 65, max_num_batched_tokens: 64"),
         "1:26: max_num_batched_tokens (64) is below max_num_seqs (65)"},
        {MODEL("kv_blocks: 9k, max_num_seqs: 64, max_num_batched_tokens: 64"), ""},
        {MODEL("kv_blocks: 100, enable_chunked_prefill: false, max_num_batched_tokens: 1599"),
         "1:26: without chunked prefill max_num_batched_tokens (1599) must not be below "
         "max_model_len (1600): a longer prompt would wait for ever"},
        {MODEL("kv_blocks: 100, enable_chunked_prefill: false, max_num_batched_tokens: 1600"), ""},
        {MODEL("kv_blocks: 100, max_model_len: 700, long_prefill_token_threshold: 701"),
         "1:26: long_prefill_token_threshold (701) is above max_model_len (700)"},
        {MODEL("kv_blocks: 100, max_model_len: 700, long_prefill_token_threshold: 700"), ""},
        {MODEL("kv_blocks: 0"), "1:78: 'kv_blocks' of 'inference' must be from 1 to 100M, not 0"},
        {MODEL("kv_blocks: 9k, max_model_len: 1"),
         "1:97: 'max_model_len' of 'inference' must be from 2 to 1000M, not 1"},
        {MODEL("kv_blocks: 9k, gpu_memory_utilization: 0%"),
         "1:106: 'gpu_memory_utilization' of 'inference' must be above 0% and at most 100%, not "
         "0%"},
        {MODEL("kv_blocks: 9k, scheduling_policy: lifo"),
         "1:101: 'scheduling_policy' cannot be 'lifo'; it is one of: fcfs, priority"},
        {MODEL("kv_blocks: 9k, role: prefil"),
         "1:88: 'role' cannot be 'prefil': did you mean 'prefill'?"},
        {MODEL("kv_blocks: 9k, num_gpu_blocks: 3"),
         "1:82: 'inference' has no key 'num_gpu_blocks'; its keys are: step, kv_blocks, "
         "block_size, max_num_seqs, max_num_batched_tokens, max_model_len, gpu_memory_utilization, "
         "enable_prefix_caching, enable_chunked_prefill, long_prefill_token_threshold, "
         "scheduler_reserve_full_isl, scheduling_policy, role, load_time, loaded, preset"},
        {"services.model={server: {inference: {kv_blocks: 9k}}}", "1:37: 'inference' needs 'step'"},
        {"services.model={server: {inference: {kv_blocks: 9k, step: 9ms}}}",
         "1:59: 'step' has no kind '9ms'; its kinds are: linear, table, roofline, quadratic"},
        {"services.model={server: {inference: {kv_blocks: 9k, step: {linear: {base: 0.1us}}}}}",
         "1:75: 'base' of 'linear' must be from 1us to 1h, not 0.1us"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

#define WITH(more)                                                                                 \
    "services.model={server: {inference: {step: {linear: {base: 9ms}}, kv_blocks: 9k}}, " more "}"

START_TEST(what_an_inference_server_decides_itself_cannot_be_said_beside_it) {
    static const Case cases[] = {
        {WITH("work: 3ms"),
         "1:84: 'work' does not apply: an inference server takes its time from its own parameters"},
        {WITH("queue: {order: lifo}"), "1:92: 'order' does not apply: an inference server takes "
                                       "its order from scheduling_policy"},
        {WITH("queue: {order: priority}"), "1:92: 'order' does not apply: an inference server "
                                           "takes its order from scheduling_policy"},
        {WITH("queue: {limit: 30, timeout: 9s}"), ""},
        {WITH("on_capacity_loss: suspend"),
         "1:102: an inference server cannot suspend work; take 'drain' or 'kill'"},
        {WITH("on_capacity_loss: kill"), ""},
        {WITH("on_capacity_loss: drain"), ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

#define TIERS(more)                                                                                \
    "knockon: 1\n"                                                                                 \
    "run: {duration: 10min" more "}\n"                                                             \
    "clients: {web: {target: gate, arrivals: {poisson: {rate: 2/s}}}}\n"                           \
    "services:\n"                                                                                  \
    "  gate: {calls: [{to: old, timeout: 9s}, {to: llm, timeout: 9s}]}\n"                          \
    "  old: {server: {batch: {step: 20ms}}}\n"                                                     \
    "  llm: {server: {inference: {step: {linear: {base: 9ms}}, kv_blocks: 9k, load_time: 60s, "    \
    "loaded: false}}}\n"

START_TEST(a_replica_that_loads_has_nobody_in_it_at_the_start) {
    static const Case cases[] = {
        {TIERS(", initial: {llm: {in_system: 3}}"),
         "7:3: 'initial' of run puts 3 requests into 'llm', whose replicas are still loading at "
         "time 0; set 'loaded: true'"},
        {TIERS(", initial: {llm: {in_system: 0}}"), ""},
        {TIERS(", initial: {old: {in_system: 3}}"), ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(faults_of_inference_servers_befall_nobody_else) {
    static const Case cases[] = {
        {TIERS("") "faults: [{at: 1min, for: 1min, hang: {service: old}}]\n",
         "8:32: 'old' cannot hang: a batch server cannot stop what it has begun"},
        {TIERS("") "faults: [{at: 1min, for: 1min, hang: {service: gate}}]\n", ""},
        {TIERS("") "faults: [{at: 1min, for: 1min, hang: {service: llm}}]\n", ""},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_capacity: {service: old, to: 50%}}]\n",
         "8:32: 'old' has no KV cache: this befalls inference servers only"},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_capacity: {service: llm, to: 50%}}]\n", ""},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_capacity: {service: llm}}]\n",
         "8:45: 'kv_capacity' needs 'to'"},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_capacity: {service: llm, to: 101%}}]\n",
         "8:64: 'to' of 'kv_capacity' must be from 0% to 100%, not 101%"},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_full_crash: {service: gate}}]\n",
         "8:32: 'gate' has no KV cache: this befalls inference servers only"},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_full_crash: {service: llm}}]\n", ""},
        {TIERS("") "faults: [{at: 1min, for: 1min, kv_full_crash: {service: llm, restart: 0s}}]\n",
         "8:71: 'restart' of 'kv_full_crash' must be above 0s and at most 36525d, not 0s"},
        {TIERS("") "faults: [{at: 1min, for: 1min, poison: {service: llm, ratio: 0}}]\n",
         "8:62: '0' has no unit; write for example '0%'"},
        {TIERS("") "faults: [{at: 1min, for: 1min, poison: {service: llm, requests: 0}}]\n",
         "8:65: 'requests' of 'poison' must be from 1 to 4000M, not 0"},
        {TIERS("") "faults: [{at: 1min, for: 1min, poison: {service: gate}}]\n", ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_inference", an_inference_server_is_checked,
           what_an_inference_server_decides_itself_cannot_be_said_beside_it,
           a_replica_that_loads_has_nobody_in_it_at_the_start,
           faults_of_inference_servers_befall_nobody_else)
