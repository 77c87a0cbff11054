/* Every message about faults and objectives, in full. */
#include "tests/experiments/compile_test.h"

START_TEST(faults_are_checked) {
    static const Case cases[] = {
        {"faults=3", "1:8: faults are written as a list, [first, second], not as one value"},
        {"faults=[3]", "1:9: a fault is written as a map, {key: value}, not as one value"},
        {"faults=[{at: 1s}]", "1:9: a fault says what breaks, for example 'crash: {service: llm}'"},
        {"faults=[{at: 1s, crsh: {service: model}}]",
         "1:18: a fault has no key 'crsh': did you mean 'crash'?"},
        {"faults=[{at: 1s, burn: {service: model}}]",
         "1:18: a fault has no key 'burn'; it is one of: crash, slow, errors, partition, capacity, "
         "hang, kv_capacity, kv_full_crash, poison, latency, packet_loss, dns, cascade, "
         "memory_leak, poison_config, rate_limit, disk_full, herd, replay"},
        {"faults=[{at: 1s, crash: {service: model}, slow: {service: model, x: 2}}]",
         "1:43: a fault is of one kind: this one is 'crash' already"},
        {"faults=[{at: 1s, crash: {service: model, replicas: 3}}]",
         "1:52: 'model' has 2 replicas, not 3"},
        {"faults=[{at: 1s, crash: {service: gateway, replicas: 2}}]",
         "1:54: 'gateway' has 1 replica, not 2"},
        {"faults=[{at: 1s, for: 3s, crash: {service: model, restart: 3s}}]",
         "1:18: 'for' and 'restart' both say how long this lasts: leave one out"},
        {"faults=[{crash: {service: model, restart: 3s}}]",
         "1:9: a fault needs 'at', or 'every' for one that recurs"},
        {"faults=[{every: 1min, crash: {service: model}}]",
         "1:23: a fault that recurs must end: say how long with 'for'"},
        {"faults=[{every: {exponential: {mean: 1min}}, crash: {service: model, restart: 3s}}]", ""},
        {"faults=[{at: 1s, for: {exponential: {mean: 3s}}, crash: {service: model}}]",
         "1:23: only a fault that recurs ('every') may last a random time"},
        {"faults=[{at: 1s, for: 0s, crash: {service: model}}]",
         "1:23: 'for' of a fault must be above 0s"},
        {"faults=[{at: 1h, for: 1s, crash: {service: model}}]",
         "1:9: warning: this fault begins after the run has ended"},
        {"faults=[{at: 1s, crash: {service: modle}}]",
         "1:35: there is no service 'modle': did you mean 'model'?"},
        {"faults=[{at: 1s, slow: {service: model}}]", "1:24: 'slow' needs 'x'"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(which_replicas_a_fault_befalls_is_checked) {
    static const Case cases[] = {
        {"faults=[{at: 1s, slow: {service: model, first: 1, x: 3}}]", ""},
        {"faults=[{at: 1s, slow: {service: model, first: 2, x: 3}}]",
         "1:48: 'model' has 2 replicas: 'first' counts from 0 to 1"},
        {"faults=[{at: 1s, slow: {service: model, first: 1, replicas: 2, x: 3}}]",
         "1:61: 'model' has 1 replica, not 2 from the one that 'first' names"},
        {"faults=[{at: 1s, slow: {service: model, share: 50%, x: 3}}]", ""},
        {"faults=[{at: 1s, slow: {service: model, share: 0%, x: 3}}]",
         "1:48: 'share' of 'slow' must be above 0% and at most 100%, not 0%"},
        {"faults=[{at: 1s, slow: {service: model, replicas: 1, share: 50%, x: 3}}]",
         "1:54: 'share' draws replicas at random, 'replicas' names them: leave one out"},
        {"faults=[{at: 1s, slow: {service: model, first: 1, share: 50%, x: 3}}]",
         "1:51: 'share' draws replicas at random, 'first' names them: leave one out"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(which_messages_a_fault_befalls_is_checked) {
    static const Case cases[] = {
        {"faults=[{at: 1s, for: 1s, partition: {between: [web, gateway]}}]", ""},
        {"faults=[{at: 1s, for: 1s, partition: {edge: [web, gateway]}}]", ""},
        {"faults=[{at: 1s, for: 1s, partition: {from: model}}]", ""},
        {"faults=[{at: 1s, for: 1s, latency: {to: [web], add: 9ms}}]", ""},
        {"faults=[{at: 1s, for: 1s, partition: {between: [web, model]}}]",
         "1:27: no call goes that way, so there is nothing to disturb"},
        {"faults=[{at: 1s, for: 1s, latency: {edge: [gateway, web], add: 9ms}}]",
         "1:27: no call goes that way, so there is nothing to disturb"},
        {"faults=[{at: 1s, for: 1s, dns: {from: web, to: model}}]",
         "1:27: no call goes that way, so there is nothing to disturb"},
        {"faults=[{at: 1s, for: 1s, partition: {}}]",
         "1:27: where? Write for example 'between: [gateway, llm]', 'edge: [gateway, llm]', or "
         "'from' and 'to'"},
        {"faults=[{at: 1s, for: 1s, partition: {between: [web, gateway], to: model}}]",
         "1:27: 'between', 'edge', and 'from' and 'to' are three ways to say where: take one"},
        {"faults=[{at: 1s, for: 1s, partition: {between: [web]}}]",
         "1:27: 'between' takes two components or more: write for example 'between: [gateway, "
         "llm]'"},
        {"faults=[{at: 1s, for: 1s, partition: {edge: [web, gateway, model]}}]",
         "1:27: an edge is a caller and whom it calls: write for example 'edge: [gateway, llm]'"},
        {"faults=[{at: 1s, for: 1s, packet_loss: {from: web, ratio: 3%, retransmit: 3min}}]",
         "1:75: 'retransmit' of 'packet_loss' must be from 1ms to 2min, not 3min"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(faults_of_each_replica_and_mean_times_are_checked) {
    static const Case cases[] = {
        {"faults=[{mtbf: 1h, mttr: 3min, each: replica, crash: {service: model}}]", ""},
        {"faults=[{mtbf: 1h, each: replica, crash: {service: model, restart: 9s}}]", ""},
        {"faults=[{mtbf: 1h, every: 1h, for: 3min, crash: {service: model}}]",
         "1:10: 'every' and 'mtbf' both say when it comes again: leave one out"},
        {"faults=[{mtbf: 1h, mttr: 1h, for: 3min, crash: {service: model}}]",
         "1:20: 'for' and 'mttr' both say how long this lasts: leave one out"},
        {"faults=[{mtbf: 1h, mttr: 1h, crash: {service: model, restart: 3s}}]",
         "1:20: 'mttr' and 'restart' both say how long this lasts: leave one out"},
        {"faults=[{at: 1s, mttr: 1h, crash: {service: model}}]",
         "1:24: only a fault that recurs ('every') may last a random time"},
        {"faults=[{at: 1s, for: 1s, each: replica, crash: {service: model}}]",
         "1:27: 'each' is for a fault that recurs ('every' or 'mtbf'): one at a given time befalls "
         "all replicas at once"},
        {"faults=[{mtbf: 1h, mttr: 9s, each: service, crash: {service: model}}]",
         "1:36: 'each' cannot be 'service'; it is one of: none, replica"},
        {"faults=[{mtbf: 1h, mttr: 9s, each: replica, partition: {between: [web, gateway]}}]",
         "1:36: 'partition' does not befall replicas one by one"},
        {"faults=[{mtbf: 1h, mttr: 9s, each: replica, crash: {service: model, share: 50%}}]",
         "1:69: 'share' draws some replicas, 'each: replica' means each of them: leave one out"},
        {"knockon: 1\nrun: {initial: {a: {in_system: 1}}}\nservices: {a: {replicas: 9999}}\n"
         "faults: [{mtbf: 1h, mttr: 9s, each: replica, crash: {service: a}},\n"
         "  {mtbf: 1h, mttr: 9s, each: replica, slow: {service: a, first: 9990, x: 3}}]\n",
         "5:39: there may be 10000 faults, those of single replicas counted one by one"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(objectives_are_checked) {
    static const Case cases[] = {
        {"objectives=3", "1:12: 'objectives' is written as a map, {key: value}, not as one value"},
        {"objectives={web: 3}",
         "1:18: an objective is written as a map, {key: value}, not as one value"},
        {"objectives={wbe: {p99: \"<= 3s\"}}",
         "1:13: there is no client or service 'wbe': did you mean 'web'?"},
        {"objectives={web: {p98: \"<= 3s\"}}",
         "1:19: an objective has no measure 'p98': did you mean 'p95'?"},
        {"objectives={web: {speed: \"<= 3s\"}}",
         "1:19: an objective has no measure 'speed'; it is one of: success, p50, p95, p99, mean, "
         "goodput, attempts, utilization, wasted, availability, queue_wait_p95, queue_wait_p99, "
         "ttft_p50, ttft_p95, ttft_p99, ttft_mean, tpot_p50, tpot_p95, tpot_p99, tpot_mean, "
         "itl_p50, itl_p95, itl_p99, itl_mean, kv_use, or a column of summary.csv"},
        {"objectives={web: {ttfp_p95: \"<= 2s\"}}",
         "1:19: an objective has no measure 'ttfp_p95': did you mean 'ttft_p95'?"},
        {"objectives={model: {kv_used: \"<= 90%\"}}",
         "1:21: an objective has no measure 'kv_used': did you mean 'kv_use'?"},
        {"objectives={web: {ttft_p95: \"<= 2s\", tpot_s_p99: \"<= 80ms\"}}",
         "1:19: 'ttft_p95' needs tokens, and no request of 'web' comes to an inference server\n"
         "1:38: 'tpot_s_p99' needs tokens, and no request of 'web' comes to an inference server"},
        {"objectives={model: {kv_use: \"<= 90%\"}}",
         "1:21: 'kv_use' needs tokens, and the server of 'model' is not 'inference'"},
        {"objectives={web: {itl_p99: \"<= 90ms\"}}",
         "1:19: 'itl_p99' is measured for a service only"},
        {"objectives={web: {p99: 3s}}",
         "1:24: a bound begins with '>=' or '<=', for example '\"<= 250ms\"'"},
        {"objectives={web: {p99: \"<= 3\"}}", "1:24: '3' has no unit; write for example '3s'"},
        {"objectives={web: {p99: [\"<= 3\"]}}",
         "1:24: a bound is one value, for example '\">= 99%\"'"},
        {"objectives={web: {utilization: \"<= 80%\"}}",
         "1:19: 'utilization' is measured for a service only"},
        {"objectives={model: {utilization: \"<= 80%\", p99: \"<=3s\", goodput: \">= 3/s\"}}", ""},
        {"objectives={web: {latency_s_max: \"<= 3s\"}}", ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

/* web comes to llm through a gateway, app does not. */
#define WITH_TOKENS                                                                                \
    "knockon: 1\n"                                                                                 \
    "clients: {web: {target: gateway, arrivals: {poisson: {rate: 9/s}}},\n"                        \
    "  app: {target: api, arrivals: {poisson: {rate: 9/s}}}}\n"                                    \
    "services: {gateway: {calls: [{to: api}, {to: llm}]}, api: {},\n"                              \
    "  llm: {server: {inference: {kv_blocks: 9k, step: {linear: {base: 9ms}}}}}}\n"                \
    "verdict: none\n"

START_TEST(objectives_of_tokens_are_for_those_who_see_tokens) {
    static const Case cases[] = {
        {WITH_TOKENS "objectives: {web: {ttft_p95: '<= 2s', tpot_mean: '<= 90ms'},\n"
                     "  llm: {ttft_p50: '<= 1s', itl_p99: '<= 200ms', kv_use: '<= 90%',\n"
                     "    output_tokens_per_s: '>= 300/s', preemption_count: '<= 17'}}\n",
         ""},
        {WITH_TOKENS "objectives: {web: {ttft_p95: '<= 2', ttft_p50: '<= 9/s'},\n"
                     "  llm: {output_tokens_per_s: '>= 300', kv_use: '<= 90ms'}}\n",
         "7:30: '2' has no unit; write for example '2s'\n"
         "7:48: '9/s' is not a duration: units are ns, us, ms, s, min, h or d; write for example "
         "'250ms'\n"
         "8:30: '300' has no unit; write for example '300/s'\n"
         "8:48: '90ms' is not a ratio: units are %; write for example '30%'"},
        {WITH_TOKENS "objectives: {app: {ttft_p95: '<= 2s'}, gateway: {kv_use: '<= 90%'}}\n",
         "7:20: 'ttft_p95' needs tokens, and no request of 'app' comes to an inference server\n"
         "7:50: 'kv_use' needs tokens, and the server of 'gateway' is not 'inference'"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(faults_with_a_life_of_their_own_are_checked) {
    static const Case cases[] = {
        {"faults=[{at: 1s, memory_leak: {service: model, capacity: 3GB, per_s: 1MB, per_request: "
         "1MB}}]",
         "1:18: it leaks with requests or with time: give one of 'per_request' and 'per_s'"},
        {"faults=[{at: 1s, memory_leak: {service: model, capacity: 3GB, per_s: 1MB, slow_x: 2}}]",
         "1:18: 'slow_from' and 'slow_x' go together: from where on work is slower, and how much"},
        {"faults=[{at: 1s, poison_config: {service: model, backoff: 9min}}]",
         "1:18: 'backoff' is above 'backoff_max', which it doubles up to"},
        {"faults=[{at: 1s, disk_full: {service: model, per_write: 1MB}}]",
         "1:18: 'free' and 'per_write' go together: what is left on the disk, and what a write "
         "takes of it"},
        {"faults=[{at: 1s, herd: {client: web, requests: 9, every: 1min, spread: 1min}}]",
         "1:18: the 'spread' of a herd must be below 'every': the next would begin before this one "
         "is over"},
        {"faults=[{at: 1s, herd: {client: model, requests: 9}}]",
         "1:33: 'model' is a service; a client is needed here"},
        {"faults=[{at: 1s, herd: {client: wbe, requests: 9}}]",
         "1:33: there is no client 'wbe': did you mean 'web'?"},
        {"faults=[{at: 1s, for: 1s, herd: {client: web, requests: 9, spread: 3s}}]",
         "1:18: 'for' and 'spread' both say how long this lasts: leave one out"},
        {"faults=[{at: 1s, for: 1min, herd: {client: web, requests: 9, every: 3s}},"
         " {every: 1min, herd: {client: web, requests: 9}},"
         " {at: 1s, rate_limit: {service: model, rate: 9/s}},"
         " {at: 1s, for: 9s, cascade: {service: model, probability: 9%}}]",
         ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_fault", faults_are_checked,
           which_replicas_a_fault_befalls_is_checked, which_messages_a_fault_befalls_is_checked,
           faults_of_each_replica_and_mean_times_are_checked, objectives_are_checked,
           objectives_of_tokens_are_for_those_who_see_tokens,
           faults_with_a_life_of_their_own_are_checked)
