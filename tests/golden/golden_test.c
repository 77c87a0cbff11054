/* Runs pinned to the bit: the same events and the same measures from any compiler at any -O level.
 * Together the scenarios use every kind of the registry.
 *
 * A number here changes only in a commit that says why it had to. When one differs, the test prints
 * the rows as they are now, ready to replace `pinned`.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/compile.h"
#include "models/registry.h"
#include "models/world.h"
#include "tests/test.h"

#define STORM                                                                                      \
    "timeout: 400ms, deadline: 3s, retry: {exponential: {max_attempts: 4, base: 50ms, jitter: "    \
    "full}}"

static const char *const scenarios[] = {
    /* 0: a plain queue */
    "run: {duration: 200s, warmup: 20s}\n"
    "clients: {web: {target: api, arrivals: {poisson: {rate: 7.3/s}}}}\n"
    "services: {api: {work: {exponential: {mean: 117ms}}}}\n",
    /* 1: a retry storm after a spike */
    "run: {duration: 120s}\n"
    "clients: {web: {target: api, arrivals: {poisson: {rate: 31/s}}, call: {" STORM "},"
    " spikes: [{at: 30s, for: 10s, x: 3, ramp: 2s}]}}\n"
    "services: {api: {replicas: 3, work: {lognormal: {mean: 80ms, p99: 350ms}}}}\n",
    /* 2: a graph, the network, every router, every fault */
    "run: {duration: 90s, warmup: 5s}\n"
    "clients:\n"
    "  web: {target: gate, arrivals: {gamma: {rate: 23/s, cv: 2.1}}, call: {" STORM "}}\n"
    "  app: {target: gate, arrivals: {mmpp: {rates: [4/s, 31/s], dwell: [5s, 2s]}}, call: {" STORM
    ", retry_budget: {token_bucket: {capacity: 30, cost: 2}}}}\n"
    "services:\n"
    "  gate: {replicas: 2, route: round_robin, server: {pool: {concurrency: 8,"
    " hold_while_calling: true}}, work: {gamma: {mean: 4ms, cv: 0.6}}, calls: [{to: guard,"
    " timeout: 90ms, on_failure: ignore}, {parallel: [{to: left, " STORM "}, {to: right,"
    " probability: 37%}]}]}\n"
    "  guard: {replicas: 3, route: random, work: {weibull: {mean: 9ms, shape: 0.8}},"
    " shed: {codel: {target: 20ms, interval: 200ms}}}\n"
    "  left: {replicas: 4, route: power_of_two, work: {erlang: {k: 2, mean: 60ms}},"
    " cancel_on_timeout: anywhere, queue: {order: lifo, limit: 9, timeout: {exponential: {mean:"
    " 300ms}}}}\n"
    "  right: {replicas: 2, route: least_requests, server: {sharing: {base: 0.3, per_request:"
    " 0.7, limit: 12}}, work: {pareto: {mean: 30ms, shape: 2.2}}, shed: {token_bucket: {rate:"
    " 20/s, burst: 7}}}\n"
    "network: {default: {latency: {lognormal: {mean: 0.5ms, p99: 2ms}}}}\n"
    "faults:\n"
    "  - {at: 20s, for: 5s, slow: {service: left, x: 3}}\n"
    "  - {at: 30s, crash: {service: left, replicas: 2, restart: 6s, known: true}}\n"
    "  - {at: 40s, for: 4s, crash: {service: guard, mode: blackhole}}\n"
    "  - {at: 50s, for: 5s, errors: {service: right, ratio: 40%, after: 3ms}}\n"
    "  - {at: 60s, for: 3s, partition: {between: [gate, left]}}\n"
    "  - {at: 70s, for: 5s, capacity: {service: gate, to: 3}}\n"
    "  - {every: {exponential: {mean: 15s}}, for: {uniform: {min: 0.5s, max: 2s}}, slow: {service:"
    " right, x: 4}}\n",
    /* 3: batches by tokens */
    "run: {duration: 90s}\n"
    "clients: {web: {target: gpu, arrivals: {poisson: {rate: 41/s}}, input_tokens: {lognormal:"
    " {mean: 1155, p99: 4142}}, output_tokens: {lognormal: {mean: 211, p99: 601}}, call: {timeout:"
    " 2s, retry: {fixed: {max_attempts: 3, delay: 20ms}}}}}\n"
    "services: {gpu: {replicas: 2, cancel_on_timeout: queued, server: {batch: {max_batch_size: 16,"
    " preferred_batch_size: [4, 8], max_queue_delay: 50ms, instances: 2, step: {linear: {base:"
    " 30ms, per_request: 2ms, per_input_token: 0.03ms, per_output_token: 0.1ms}}}}}}\n",
    /* 4: batches by a law */
    "run: {duration: 90s}\n"
    "clients: {web: {target: gpu, arrivals: {constant: {rate: 41/s}}}}\n"
    "services: {gpu: {server: {batch: {max_batch_size: 8, min_batch_size: 2, max_queue_delay:"
    " 80ms, step: {hyperexponential: {p: 20%, means: [400ms, 90ms]}}}}}}\n",
    /* 5: users, and a load that moves */
    "run: {duration: 150s}\n"
    "clients: {web: {target: api, arrivals: {closed: {users: 25, think: {exponential: {mean:"
    " 2s}}}}, load: [{at: 40s, x: 2.2, ramp: 20s}, {at: 100s, x: 0.4}], call: {timeout: 1s,"
    " late_reply: counts, retry: {exponential: {max_attempts: 3, jitter: decorrelated}}}}}\n"
    "services: {api: {server: {pool: {concurrency: 3, work_per_in_flight: 5ms}}, work: {uniform:"
    " {min: 100ms, max: 200ms}}}}\n",
    /* 6: a trace, a sine, and loss of slots */
    "run: {duration: 150s, work_draw: request}\n"
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null, speed: 1.7, repeat: true}},"
    " load: {sine: {amplitude: 50%, period: 40s}}, call: {timeout: 700ms, retry_on: [timeout,"
    " refused], retry: {exponential: {max_attempts: 3, jitter: equal}}, late_reply:"
    " counts_while_in_flight}}}\n"
    "services: {api: {server: {pool: {concurrency: 4}}, work: {gamma: {mean: 120ms, cv: 1.3}},"
    " queue: {limit: 20}}}\n"
    "faults: [{every: 30s, for: 4s, capacity: {service: api, to: 1}}]\n",
    /* 7: a first passage */
    "run: {duration: 1000s, initial: {api: {in_system: 25}}, stop_when: {service: api, in_system:"
    " 0}}\n"
    "clients: {web: {target: api, arrivals: {poisson: {rate: 6/s}}}}\n"
    "services: {api: {work: {exponential: {mean: 120ms}}}}\n",
    /* 8: what callers do about failures */
    "run: {duration: 60s}\n"
    "clients:\n"
    "  web: {target: api, arrivals: {poisson: {rate: 30/s}}, spikes: [{at: 10s, for: 5s, x: 3}], "
    "call: {timeout: 300ms, retry: {linear: {max_attempts: 3, base: 50ms}}, retry_budget: "
    "{percent: {}}, circuit_breaker: {consecutive: {}}, hedge: {fixed: {after: 150ms}}}}\n"
    "  b: {target: api, arrivals: {poisson: {rate: 9/s}}, call: {timeout: 300ms, retry: {fixed: "
    "{max_attempts: 3, delay: 50ms}}, retry_budget: {ratio: {}}, circuit_breaker: {count_window: "
    "{size: 20, min_calls: 10, half_open: 5, open: 2s}}, hedge: {quantile: {}}}}\n"
    "  c: {target: api, arrivals: {poisson: {rate: 9/s}}, call: {timeout: 300ms, retry: {fixed: "
    "{max_attempts: 3, delay: 50ms}}, retry_budget: {throttle: {}}, circuit_breaker: {time_window: "
    "{min_calls: 10, open: 2s}}, client_throttle: {adaptive: {}}}}\n"
    "  d: {target: api, arrivals: {poisson: {rate: 9/s}}, call: {timeout: 300ms, retry: {fixed: "
    "{max_attempts: 3, delay: 50ms}}, retry_budget: {failure_ratio: {}}, client_throttle: "
    "{adaptive_rate: {}}}}\n"
    "services:\n"
    "  api: {replicas: 2, server: {pool: {concurrency: 4}}, work: {exponential: {mean: 80ms}}, "
    "queue: {limit: 40}}\n",
    /* 9: conversations with replicas of an LLM that are short of KV blocks, and all that befalls
     * such replicas */
    "run: {duration: 150s, warmup: 5s}\n"
    "clients: {web: {target: llm, arrivals: {sessions: {rate: 3.1/s, think: {exponential: {mean:"
    " 4s}}, max_context: 3000}}, shared_prefix: {tokens: 391, count: 3}, input_tokens: {lognormal:"
    " {mean: 155, p99: 900}}, output_tokens: {lognormal: {mean: 190, p99: 800}}, call: {timeout:"
    " 9s, retry: {exponential: {max_attempts: 3, base: 500ms}}}}}\n"
    "services: {llm: {replicas: 3, route: session, cancel_on_timeout: anywhere, server: {inference:"
    " {kv_blocks: 331, max_num_seqs: 40, max_num_batched_tokens: 512, load_time: 2s, step: {linear:"
    " {base: 6472.0076us, per_prefill_token: 119.7972us, per_decode_sequence: 304.4021us,"
    " per_context_token: 153.97ns, per_prefill_context_token: 4.34ns}}}}}}\n"
    "faults:\n"
    "  - {at: 30s, for: 4s, hang: {service: llm, replicas: 1}}\n"
    "  - {at: 50s, for: 15s, kv_capacity: {service: llm, to: 37%}}\n"
    "  - {at: 80s, for: 20s, kv_full_crash: {service: llm, restart: 3s, known: true}}\n"
    "  - {at: 120s, for: 5s, poison: {service: llm, ratio: 40%, restart: 2s}}\n",
    /* 10: prefill and decode apart, with a link between, by priority and by trace */
    "run: {duration: 90s}\n"
    "clients:\n"
    "  web: {target: prefill, arrivals: {trace: {file: /dev/null, tokens_per_hash: 40}}, priority:"
    " 3}\n"
    "  app: {target: prefill, arrivals: {poisson: {rate: 7/s}}, priority: -1, input_tokens:"
    " {exponential: {mean: 200}}, output_tokens: {exponential: {mean: 30}}}\n"
    "services:\n"
    "  prefill: {replicas: 2, route: prefix_affinity, server: {inference: {role: prefill,"
    " scheduling_policy: priority, kv_blocks: 90, long_prefill_token_threshold: 150, step: {table:"
    " {directory: tests/models/profile, layers: 9}}}}, calls: [{to: wire}, {to: decode}]}\n"
    "  wire: {server: {link: {bandwidth: 1GB/s, bytes_per_input_token: 128KiB, latency: 1ms}}}\n"
    "  decode: {replicas: 2, route: {least_loaded: {metrics_age: 50ms}}, server: {inference: {role:"
    " decode, block_size: 32, max_num_seqs: 12, max_model_len: 900, step: {roofline: {gpu: l40s,"
    " parameters: 8.03e9, layers: 32, heads: 32, kv_heads: 8}}}}}\n",
    /* 11: whole prompts, without a cache */
    "run: {duration: 90s}\n"
    "clients: {web: {target: llm, arrivals: {gamma: {rate: 6/s, cv: 2}}, input_tokens: {lognormal:"
    " {mean: 300, p99: 1500}}, output_tokens: {lognormal: {mean: 60, p99: 300}}, call: {timeout:"
    " 5s}}}\n"
    "services: {llm: {replicas: 2, route: {weighted: {weights: [2, 1]}}, server: {inference:"
    " {enable_chunked_prefill: false, enable_prefix_caching: false, scheduler_reserve_full_isl:"
    " false, kv_blocks: 120, step: {quadratic: {prefill_base: 18102.5465us, per_prefill_token:"
    " 101.9123us, per_prefill_token_squared: 7.1223ns, decode_base: 19934.7026us,"
    " per_context_token: 626.9357ns, per_decode_sequence: 38.507us, large_batch: 9,"
    " large_per_decode_sequence: 158.311us}}}}}}\n",
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0], FIRST_WITH_TOKENS = 9 };

/* What is pinned: all events, and measures of the first client and the first service. */
typedef struct Golden {
    uint64_t event_count, fingerprint;
    double web_latency_mean, web_latency_p99, web_answered;
    double service_in_system, service_busy, service_wait_p95;
} Golden;

static const Golden pinned[SCENARIOS] = {
    {2884, UINT64_C(0xebc7582503b305f2), 0x1.873871b41c9d6p-1, 0x1.26348be573593p+1, 0x1.418p+10,
     0x1.5ee6dc65635f9p+2, 0x1.b1d5d15fbe9a2p-1, 0x1.d64c85eedbaf3p+0},
    {37462, UINT64_C(0x05ca250a13739c13), 0x1.2e8ef389d3592p-3, 0x1.ab5968262f13cp-1, 0x1.e8p+5,
     0x1.810a43efeaf8dp+12, 0x1.7ec740bf0e15ep+1, 0x1.3ff99dc3c22e8p+6},
    {60369, UINT64_C(0x850a23fee9bcdc14), 0x1.c07baef3098cp-3, 0x1.66a13889df3c6p+0, 0x1.278p+10,
     0x1.8452f9e7696b1p+7, 0x1.28f3574ebd7dp+3, 0x1.e32f0ee031725p+2},
    {6554, UINT64_C(0x3fe218c8ff3db06a), 0x1.c53e5b301f733p-3, 0x1.cdb57fede5bafp-2, 0x1.c6ap+11,
     0x1.1e84e2ad9623ep+3, 0x1.733da88e6acd6p+1, 0x1.80664a25acd1ap-4},
    {4246, UINT64_C(0xddd29853e86ac388), 0x1.d61e85566fea8p-1, 0x1.fcf420bb58d38p+1, 0x1.b9p+11,
     0x1.3c38a02fb6c48p+5, 0x1.f5ea6953b9c3ep-1, 0x1.6aecbb860eb39p+1},
    {6119, UINT64_C(0xcc2ea30e2e171429), 0x1.01594a0f18c02p-1, 0x1.9194565066165p+1, 0x1.c98p+9,
     0x1.2bd8dae372cdfp+7, 0x1.45fd8b1f0f304p+1, 0x1.afa4eb288b173p+4},
    {10914, UINT64_C(0x0ef789c3bcec0d4d), 0x1.8a8271003e202p-2, 0x1.9194564e4054ep+0, 0x1.2e6p+11,
     0x1.90a59bb3236f9p+3, 0x1.784b19270b819p+1, 0x1.1d9d85ef3a2c7p+0},
    {173, UINT64_C(0x81f7347a49fa88c5), 0x1.a1b27f1371c61p+0, 0x1.6f383e8018693p+1, 0x1.28p+6,
     0x1.cbc74099b599ap+3, 0x1p+0, 0x1.4cdc26afcabcp+1},
    {6159, UINT64_C(0xae216fda45c5838f), 0x1.3bb1aaf7a43b5p-4, 0x1.15067fee44383p-2, 0x1.c68p+9,
     0x1.9e05fc1f49113p+1, 0x1.67eda3bdb3b1bp+1, 0x1.f45d1a3ffaca7p-5},
    {1785, UINT64_C(0xf840161d686a2658), 0x1.ef6a8ea9dd3edp+1, 0x1.26348be754628p+4, 0x1.5a8p+9,
     0x1.5384ec2cc161bp+4, 0x1.55262d67a2247p+3, 0x1.95dfd94b82accp+2},
    {4582, UINT64_C(0xb1b2c51fac63f611), 0x1.7b1ff90895638p-2, 0x1.88fd5055e1669p-1, 0x1.f4p+7,
     0x1.599aa452f13dep+2, 0x1.848b1bc10f8d7p-4, 0x1.3317108a3341ap-8},
    {1081, UINT64_C(0x5dc32df53f957116), 0x1.8bb1aa64f8e2fp+0, 0x1.3bae1ac8b6c63p+2, 0x1.0fp+8,
     0x1.03d4fe0c4060ap+5, 0x1.c2fbb9c761aedp+2, 0x1.02c593588447fp+4},
};

/* Of the runs with tokens, besides: what else the first client and the first service say. */
typedef struct GoldenTokens {
    double web_ttft_p95, web_tpot_mean;
    double service_itl_p99, service_kv_use, service_preemptions, service_recomputed_tokens;
    double service_prefix_hits, service_wasted_tokens, service_input_tokens;
} GoldenTokens;

static const GoldenTokens pinned_tokens[SCENARIOS - FIRST_WITH_TOKENS] = {
    {0x1.cdb57ffe00e62p+2, 0x1.5cc122f50957dp-7, 0x1.1d9d85aecd7fcp-4, 0x1.1183199e48379p-1,
     0x1.2ep+7, 0x1.03ccp+14, 0x1.dd121ddf8a1cfp-2, 0x1.0b4p+15, 0x1.47fd5a0a97d5ap+11},
    {0x1.afa4eae4179fbp-4, 0x1.32448fd00b199p-6, 0x0p+0, 0x1.57572a72709fap-2, 0x1p+2, 0x1.64p+7,
     0x1.e20a7a2d25cccp-4, 0x0p+0, 0x1.92ad82d82d82ep+10},
    {0x1.cdb57ffac843ep+0, 0x1.8edb16e8ac786p-6, 0x1.88fd5019c03cfp-4, 0x1.46f367475efcp-1,
     0x1.bp+5, 0x1.b908p+13, 0x0p+0, 0x1.caf4p+15, 0x1.5b0d82d82d82ep+10},
};

static bool replay_next(void *context, TraceArrival *out) {
    uint32_t k = (*(uint32_t *)context)++;
    static const uint64_t ids[] = {3, 1, 4, 1, 5, 9, 2};
    *out = (TraceArrival){.at_s = 0.0731 * k + 0.0011 * (k * k % 61),
                          .input_tokens = k,
                          .output_tokens = k % 37,
                          .hash_ids = ids,
                          .hash_count = 1 + k * k % 7};
    return k < 250;
}

static void replay_rewind(void *context) {
    *(uint32_t *)context = 0;
}

static Model *compile(const char *yaml) {
    char text[4000];
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    snprintf(text, sizeof text, "knockon: 1\n%s", yaml);
    doc_load_text(&doc, "golden.yaml", text, strlen(text), &diagnostics);
    Model *model = compile_scenario(&doc, &diagnostics, NULL);
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
    }
    doc_free(&doc);
    diag_free(&diagnostics);
    ck_assert_ptr_nonnull(model);
    return model;
}

/* What is missing is 0: a NaN has many forms. */
static double or_0(double value) {
    return isnan(value) ? 0 : value;
}

/* `tokens` may be NULL. */
static Golden run(const char *yaml, GoldenTokens *tokens) {
    Model *model = compile(yaml);
    uint32_t position = 0;
    TraceSource traces[] = {{&position, false, replay_next, replay_rewind}, {0}};
    World *world =
        world_create(model, &(WorldOptions){.seed = 1, .traces = traces, .check_every = 4999});
    world_run(world);
    double web[METRIC_COUNT], service[METRIC_COUNT];
    probe_measure(&world->probe, 0, world->now, web);
    probe_measure(&world->probe, model->client_count, world->now, service);
    Golden golden = {.event_count = world->event_count,
                     .fingerprint = world->fingerprint,
                     .web_latency_mean = web[METRIC_latency_mean],
                     .web_latency_p99 = web[METRIC_latency_p99],
                     .web_answered = web[METRIC_answered],
                     .service_in_system = service[METRIC_in_system_mean],
                     .service_busy = service[METRIC_busy],
                     .service_wait_p95 = service[METRIC_queue_wait_p95]};
    if (tokens != NULL) {
        *tokens = (GoldenTokens){.web_ttft_p95 = or_0(web[METRIC_ttft_p95]),
                                 .web_tpot_mean = or_0(web[METRIC_tpot_mean]),
                                 .service_itl_p99 = or_0(service[METRIC_itl_p99]),
                                 .service_kv_use = or_0(service[METRIC_kv_use]),
                                 .service_preemptions = service[METRIC_preemptions],
                                 .service_recomputed_tokens = service[METRIC_recomputed_tokens],
                                 .service_prefix_hits = or_0(service[METRIC_prefix_hits]),
                                 .service_wasted_tokens = service[METRIC_wasted_tokens],
                                 .service_input_tokens = service[METRIC_input_tokens]};
    }
    world_destroy(world);
    model_destroy(model);
    return golden;
}

static void print_row(const Golden *golden) {
    fprintf(stderr, "    {%llu, UINT64_C(0x%016llx), %a, %a, %a, %a, %a, %a},\n",
            (unsigned long long)golden->event_count, (unsigned long long)golden->fingerprint,
            golden->web_latency_mean, golden->web_latency_p99, golden->web_answered,
            golden->service_in_system, golden->service_busy, golden->service_wait_p95);
}

static void print_tokens_row(const GoldenTokens *golden) {
    fprintf(stderr, "    {%a, %a, %a, %a, %a, %a, %a, %a, %a},\n", golden->web_ttft_p95,
            golden->web_tpot_mean, golden->service_itl_p99, golden->service_kv_use,
            golden->service_preemptions, golden->service_recomputed_tokens,
            golden->service_prefix_hits, golden->service_wasted_tokens,
            golden->service_input_tokens);
}

START_TEST(runs_are_what_they_always_were) {
    Golden now[SCENARIOS];
    GoldenTokens tokens[SCENARIOS] = {0};
    uint32_t changed_count = 0;
    for (uint32_t i = 0; i < SCENARIOS; i++) {
        bool has_tokens = i >= FIRST_WITH_TOKENS;
        now[i] = run(scenarios[i], has_tokens ? &tokens[i] : NULL);
        changed_count += memcmp(&now[i], &pinned[i], sizeof now[i]) != 0 ||
                         (has_tokens && memcmp(&tokens[i], &pinned_tokens[i - FIRST_WITH_TOKENS],
                                               sizeof tokens[i]) != 0);
    }
    if (changed_count > 0) {
        fprintf(stderr,
                "%u of %u runs changed. If the change is meant, say why in the commit and\n"
                "in CHANGELOG.md under 'Results change', and pin in tests/golden:\n",
                changed_count, SCENARIOS);
        for (uint32_t i = 0; i < SCENARIOS; i++) {
            print_row(&now[i]);
        }
        for (uint32_t i = FIRST_WITH_TOKENS; i < SCENARIOS; i++) {
            print_tokens_row(&tokens[i]);
        }
    }
    ck_assert_uint_eq(changed_count, 0);
}
END_TEST

/* Marks a component's kind, and those of its own parameters, as used. */
static void mark(const Component *component, bool *is_used) {
    for (size_t i = 0; component->kind != NULL && i < registry_kind_count(); i++) {
        is_used[i] |= registry_kind(i) == component->kind;
    }
    for (uint32_t i = 0; component->kind != NULL && i < component->kind->param_count; i++) {
        const Param *param = &component->kind->params[i];
        if (param->type == PARAM_KIND) {
            mark((const void *)((const char *)component->params + param->offset), is_used);
        }
    }
}

START_TEST(every_kind_is_in_some_pinned_run) {
    bool is_used[256] = {false};
    ck_assert_uint_le(registry_kind_count(), sizeof is_used);
    for (uint32_t i = 0; i < SCENARIOS; i++) {
        Model *model = compile(scenarios[i]);
        for (uint32_t k = 0; k < model->client_count; k++) {
            mark(&model->clients[k].arrivals, is_used);
        }
        for (uint32_t k = 0; k < model->edge_count; k++) {
            mark(&model->edges[k].retry, is_used);
            mark(&model->edges[k].budget, is_used);
            mark(&model->edges[k].breaker, is_used);
            mark(&model->edges[k].hedge, is_used);
            mark(&model->edges[k].throttle, is_used);
        }
        for (uint32_t k = 0; k < model->service_count; k++) {
            mark(&model->services[k].route, is_used);
            mark(&model->services[k].server, is_used);
            mark(&model->services[k].shed, is_used);
        }
        for (uint32_t k = 0; k < model->fault_count; k++) {
            mark(&model->faults[k].fault, is_used);
        }
        model_destroy(model);
    }
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        ck_assert_msg(is_used[i], "%s '%s' is in no pinned run", family_key(kind->family),
                      kind->name);
    }
}
END_TEST

TEST_SUITE("golden/golden", runs_are_what_they_always_were, every_kind_is_in_some_pinned_run)
