/* models/engine against tests/models/reference_engine on random configurations: every request must
 * have its first token and its end at the same nanosecond, with as many preemptions and tokens
 * computed; and what the probe counts must be what the other counts.
 *
 * A case that fails is printed; KNOCKON_ORACLE_SEED=<seed> runs that one alone. One case in four is
 * run step by step. KNOCKON_LONG=1 runs thirty times as many, KNOCKON_SHORT=1 a tenth.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "models/engine/engine.h"
#include "models/prompt.h"
#include "sim/math.h"
#include "sim/vec.h"
#include "tests/models/reference_engine.h"
#include "tests/models/story.h"

enum { CASES = 10000, CLIENTS_MAX = 3, ARRIVALS_MAX = 24, HASHES_MAX = 16 };

typedef struct Request {
    ReferenceRequest expected;
    uint32_t client;
    uint64_t number; /* of its client */
    SimTime first_token_at, ended_at;
    uint32_t preemption_count, produced;
    uint64_t computed_count;
    bool is_finished, has_failed;
} Request;

typedef struct Case {
    Rng rng;
    uint64_t seed;
    char *yaml;
    FILE *out; /* to yaml */
    /* What the scenario says. */
    uint32_t client_count, tokens_per_hash;
    uint32_t prompt_most, answer_most; /* tokens */
    double step_s;                     /* about so long is one */
    TraceArrival arrivals[CLIENTS_MAX][ARRIVALS_MAX];
    uint64_t hashes[CLIENTS_MAX][ARRIVALS_MAX][HASHES_MAX];
    StoryTrace traces[CLIENTS_MAX];
    /* What was sent, in this order, and what became of it. */
    Model *model;
    World *world;
    VEC(Request) requests;
} Case;

/* ---- A random configuration */

static uint32_t below(Case *c, uint32_t count) {
    return rng_below(&c->rng, count);
}

static bool chance(Case *c, double probability) {
    return rng_uniform(&c->rng) < probability;
}

/* As likely to be small as large. */
static double spread(Case *c, double low, double high) {
    return low * math_exp(rng_uniform(&c->rng) * math_log(high / low));
}

static uint32_t count_of(Case *c, double low, double high) {
    return (uint32_t)spread(c, low, high + 0.999);
}

static void say(Case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(Case *c, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(c->out, format, list);
    va_end(list);
}

static void say_duration(Case *c, const char *name, double seconds) {
    say(c, "%s: %.6fus, ", name, seconds * 1e6);
}

static void say_step(Case *c) {
    double s = c->step_s;
    if (chance(c, 0.15)) {
        say(c, "{quadratic: {");
        say_duration(c, "prefill_base", s);
        say_duration(c, "per_prefill_token", s * spread(c, 1e-4, 0.1));
        say_duration(c, "per_prefill_token_squared", s * spread(c, 1e-6, 1e-3));
        say_duration(c, "decode_base", s * spread(c, 0.5, 2));
        say_duration(c, "per_decode_sequence", s * spread(c, 1e-4, 0.1));
        say_duration(c, "per_context_token", s * spread(c, 1e-6, 1e-3));
        say(c, "large_batch: %u, ", 1 + below(c, 9));
        say_duration(c, "large_decode_base", s);
        say(c, "}}");
        return;
    }
    if (chance(c, 0.1)) { /* the cache is most of what a step reads */
        say(c, "{roofline: {gpu: h100, parameters: 1e6, layers: %u, heads: 8, head_dim: %u, ",
            1 + below(c, 30), 16 + below(c, 2000));
        say_duration(c, "overhead", s);
        say(c, "}}");
        return;
    }
    static const char *const rounds[] = {"0s", "1us", "0.0073us", "1ns", "100us"};
    say(c, "{linear: {");
    say_duration(c, "base", s);
    if (chance(c, 0.8)) {
        say_duration(c, "per_prefill_token", s * spread(c, 1e-5, 0.02));
        say_duration(c, "per_decode_sequence", s * spread(c, 1e-5, 0.1));
    }
    if (chance(c, 0.6)) {
        say_duration(c, "per_context_token", s * spread(c, 1e-7, 1e-3));
        say_duration(c, "per_prefill_context_token", 1e-12 * spread(c, 1, 9000));
    }
    say(c, "round: %s}}", rounds[below(c, 5)]);
}

static void say_server(Case *c) {
    static const uint32_t sizes[] = {1, 2, 3, 4, 5, 8, 16, 32};
    uint32_t block_size = sizes[below(c, 8)];
    double longest = c->prompt_most + c->answer_most;
    uint32_t blocks = (uint32_t)(longest * spread(c, 0.4, 5) / block_size) + 2;
    uint32_t most = blocks * block_size, sequences = count_of(c, 1, 20), budget;
    say(c, "{inference: {kv_blocks: %u, block_size: %u, max_num_seqs: %u, ", blocks, block_size,
        sequences);
    if (chance(c, 0.3)) {
        most = 2 + below(c, most - 1);
        say(c, "max_model_len: %u, ", most);
    }
    if (chance(c, 0.85)) {
        budget = sequences + count_of(c, 1, 1.5 * longest) - 1;
    } else {
        budget = (sequences > most ? sequences : most) + below(c, 50);
        say(c, "enable_chunked_prefill: false, ");
    }
    say(c, "max_num_batched_tokens: %u, long_prefill_token_threshold: %u, ", budget,
        chance(c, 0.4) ? 1 + below(c, most) : 0);
    say(c, "enable_prefix_caching: %s, scheduler_reserve_full_isl: %s, scheduling_policy: %s, ",
        chance(c, 0.7) ? "true" : "false", chance(c, 0.5) ? "true" : "false",
        chance(c, 0.5) ? "fcfs" : "priority");
    say(c, "step: ");
    say_step(c);
    say(c, "}}");
}

/* Arrivals one by one and in bursts; prompts that begin as others do, each id one of few. */
static void make_trace(Case *c, uint32_t client) {
    double gap_s = c->step_s * spread(c, 0.02, 60), at_s = 0;
    double burst = chance(c, 0.5) ? rng_uniform(&c->rng) : 0;
    bool has_hashes = chance(c, 0.6);
    uint32_t count = 1 + below(c, ARRIVALS_MAX), variants = 1 + below(c, 3);
    for (uint32_t i = 0; i < count; i++) {
        TraceArrival *arrival = &c->arrivals[client][i];
        at_s += chance(c, burst) ? 0 : -gap_s * math_log(1 - rng_uniform(&c->rng));
        uint32_t prompt = below(c, c->prompt_most + 1), answer = count_of(c, 1, c->answer_most);
        *arrival = (TraceArrival){.at_s = at_s, .input_tokens = prompt, .output_tokens = answer};
        for (uint32_t k = 0; k < HASHES_MAX; k++) {
            c->hashes[client][i][k] = below(c, variants);
        }
        if (has_hashes && chance(c, 0.9)) {
            arrival->hash_ids = c->hashes[client][i];
            arrival->hash_count = 1 + below(c, HASHES_MAX);
        }
    }
    c->traces[client] = (StoryTrace){.items = c->arrivals[client], .count = count};
}

static void say_client(Case *c, uint32_t client) {
    say(c, "  c%u: {target: llm, priority: %d, ", client, (int)below(c, 3) - 1);
    if (chance(c, 0.4)) {
        say(c, "shared_prefix: {tokens: %u, count: %u, s: 0}, ", 1 + below(c, c->prompt_most),
            1 + below(c, 3));
    }
    if (chance(c, 0.75)) {
        make_trace(c, client);
        say(c, "arrivals: {trace: {file: /dev/null, tokens_per_hash: %u}}}\n", c->tokens_per_hash);
        return;
    }
    /* About ten sessions begin, and then no more. */
    double gap_s = c->step_s * spread(c, 0.5, 60);
    say(c,
        "input_tokens: {uniform: {min: 1, max: %u}}, output_tokens: {uniform: {min: 1, max: %u}},",
        1 + c->prompt_most / 4, 1 + c->answer_most / 4);
    say(c, " load: [{at: 0s, x: 1}, {at: %.6fs, x: 0}],\n    arrivals: {sessions: {rate: %.6f/s, ",
        10 * gap_s, 1 / gap_s);
    /* Who thinks for no time comes after the step that begins with the answer. */
    say(c, "turns: {uniform: {min: 1, max: 6}}, think: {uniform: {min: 0.001us, max: %.6fs}}, ",
        1e-6 + c->step_s * spread(c, 0.1, 200));
    say(c, "max_context: %u}}}\n", 1 + below(c, 4 * c->prompt_most));
}

static void make_case(Case *c, uint64_t seed) {
    size_t size;
    RngKey key = rng_key(seed, 0, "engine_oracle_test", "");
    *c = (Case){.seed = seed};
    rng_stream(&c->rng, &key);
    c->out = open_memstream(&c->yaml, &size);
    c->step_s = spread(c, 2e-6, 0.05);
    c->prompt_most = count_of(c, 2, 150);
    c->answer_most = count_of(c, 1, chance(c, 0.3) ? 400 : 60);
    c->client_count = 1 + below(c, CLIENTS_MAX);
    c->tokens_per_hash = count_of(c, 1, 40);
    say(c, "run: {duration: 12h, sample_every: 1h, seed: %u}\nclients:\n", 1 + below(c, 1000));
    for (uint32_t i = 0; i < c->client_count; i++) {
        say_client(c, i);
    }
    say(c, "services:\n  llm:\n    replicas: %u\n    route: round_robin\n    server: ",
        chance(c, 0.6) ? 1 : 2 + below(c, 3));
    say_server(c);
    say(c, "\nverdict: none\n");
    fclose(c->out);
}

static void free_case(Case *c) {
    for (size_t i = 0; i < c->requests.count; i++) {
        mem_free((uint64_t *)(uintptr_t)c->requests.items[i].expected.text);
    }
    vec_free(&c->requests);
    world_destroy(c->world);
    model_destroy(c->model);
    free(c->yaml);
}

/* ---- What is sent */

static const Call *find_call(const Case *c, const Note *note, uint64_t *work) {
    for (uint32_t slot = 0; slot < pool_slot_end(&c->world->attempts); slot++) {
        const Attempt *attempt = world_attempt(c->world, slot);
        if (attempt->state != ATTEMPT_FREE) {
            const Call *call = world_call(c->world, attempt->call);
            if (call->client == note->client &&
                call->key == c->world->clients[note->client].key_base + note->request) {
                *work = (uint64_t)attempt->work;
                return call;
            }
        }
    }
    ck_abort_msg("a request that is there has no call");
    return NULL;
}

/* A word for each token, named by who owns it. */
static uint64_t *text_of(const Case *c, const Request *request, const Call *call) {
    const Prompt *prompt = call->prompt == NONE ? NULL : world_prompt(c->world, call->prompt);
    const TraceArrival *arrival = &c->arrivals[request->client][request->number % ARRIVALS_MAX];
    uint32_t tokens = request->expected.prompt + request->expected.answer;
    uint64_t *text = mem_alloc(tokens * sizeof *text);
    for (uint32_t i = 0; i < tokens; i++) {
        bool is_input = i < call->input_tokens;
        text[i] = call->key;
        if (c->traces[request->client].count > 0 && arrival->hash_count > 0) {
            uint32_t k = i / c->tokens_per_hash;
            text[i] = is_input && k < arrival->hash_count ? arrival->hash_ids[k] : text[i];
        } else if (prompt != NULL && is_input && i < prompt->prefix_tokens) {
            text[i] = prompt->prefix;
        } else if (prompt != NULL && prompt->session != 0 &&
                   i < call->input_tokens + call->output_tokens) {
            text[i] = prompt->session;
        }
    }
    return text;
}

static void note_sent(Case *c, const Note *note) {
    uint64_t work;
    const Call *call = find_call(c, note, &work);
    Request request = {.client = note->client, .number = note->request};
    ck_assert_uint_eq(note->replica, c->requests.count % c->model->replica_count);
    request.expected = (ReferenceRequest){
        .arrived_at = note->at,
        .prompt = call->input_tokens > 0 ? call->input_tokens : 1,
        .answer = call->output_tokens > 0 ? call->output_tokens : 1,
        .priority = c->model->clients[note->client].priority,
    };
    request.expected.text = text_of(c, &request, call);
    vec_push(&c->requests, request);
}

static Request *find_request(Case *c, uint32_t client, uint64_t number) {
    for (size_t i = c->requests.count; i-- > 0;) {
        Request *request = &c->requests.items[i];
        if (request->client == client && request->number == number) {
            return request;
        }
    }
    ck_abort_msg("a request was not sent");
    return NULL;
}

static void take_note(void *context, const Note *note) {
    Case *c = context;
    if (strcmp(note->what, "sent") == 0) {
        note_sent(c, note);
    } else if (strcmp(note->what, "preempted") == 0) {
        find_request(c, note->client, note->request)->preemption_count++;
    } else if (strcmp(note->what, "served") == 0) {
        Request *request = find_request(c, note->client, note->request);
        find_call(c, note, &request->computed_count);
    }
}

static void take_end(void *context, const RequestRecord *record) {
    Request *request = find_request(context, record->client, record->number);
    request->first_token_at = record->first_token_at;
    request->ended_at = record->ended_at;
    request->produced = record->output_tokens;
    request->is_finished = record->is_finished;
    request->has_failed = record->outcome != OUTCOME_OK;
}

static void simulate(Case *c, bool is_stepwise) {
    TraceSource sources[CLIENTS_MAX];
    for (uint32_t i = 0; i < c->client_count; i++) {
        c->traces[i].position = 0;
        sources[i] = (TraceSource){&c->traces[i], false, story_trace_next, story_trace_rewind};
    }
    c->model = story_compile(c->yaml);
    c->world = world_create(c->model, &(WorldOptions){.seed = (uint64_t)c->model->run.seed,
                                                      .traces = sources,
                                                      .context = c,
                                                      .on_note = take_note,
                                                      .on_request = take_end,
                                                      .is_stepwise = is_stepwise,
                                                      .check_every = 61});
    world_run(c->world);
    world_check(c->world);
}

/* ---- What is expected */

static ReferenceSettings settings_of(const Case *c) {
    const EngineParams *p = c->model->services[0].server.params;
    return (ReferenceSettings){
        .step = p->step.kind->ops,
        .step_params = p->step.params,
        .kv_blocks = p->kv_blocks,
        .block_size = p->block_size,
        .max_num_seqs = p->max_num_seqs,
        .max_num_batched_tokens = p->max_num_batched_tokens,
        .max_model_len = p->has_max_model_len ? p->max_model_len : p->kv_blocks * p->block_size,
        .long_prefill_token_threshold = p->long_prefill_token_threshold,
        .enable_prefix_caching = p->enable_prefix_caching,
        .enable_chunked_prefill = p->enable_chunked_prefill,
        .scheduler_reserve_full_isl = p->scheduler_reserve_full_isl,
        .is_by_priority = p->scheduling_policy == POLICY_PRIORITY,
    };
}

static void expect(Case *c, ReferenceTotals *totals) {
    ReferenceSettings settings = settings_of(c);
    size_t count = c->requests.count;
    ReferenceRequest **list = mem_alloc((count + 1) * sizeof *list);
    for (uint32_t replica = 0; replica < c->model->replica_count; replica++) {
        size_t listed = 0;
        for (size_t i = replica; i < count; i += c->model->replica_count) {
            list[listed++] = &c->requests.items[i].expected;
        }
        reference_run(&settings, list, listed, totals);
    }
    mem_free(list);
}

/* ---- Whether it is so */

static const Case *at_work;

static void print_at_work(void) {
    const Case *c = at_work;
    fprintf(stderr, "\nKNOCKON_ORACLE_SEED=%llu\n%s", (unsigned long long)c->seed, c->yaml);
    for (size_t i = 0; i < c->requests.count; i++) {
        const Request *r = &c->requests.items[i];
        const ReferenceRequest *e = &r->expected;
        fprintf(stderr,
                "%3zu c%u #%-3llu %9.6f s %3u + %3u tokens; first token %.9f %.9f end %.9f %.9f "
                "preemptions %u %u computed %llu %llu%s\n",
                i, r->client, (unsigned long long)r->number, time_to_s(e->arrived_at), e->prompt,
                e->answer, time_to_s(r->first_token_at), time_to_s(e->first_token_at),
                time_to_s(r->ended_at), time_to_s(e->ended_at), r->preemption_count,
                e->preemption_count, (unsigned long long)r->computed_count,
                (unsigned long long)e->computed_count, e->is_rejected ? " rejected" : "");
    }
}

static void on_signal(int number) {
    print_at_work();
    signal(number, SIG_DFL);
    raise(number);
}

#define SAME(a, b)                                                                                 \
    do {                                                                                           \
        if ((a) != (b)) {                                                                          \
            print_at_work();                                                                       \
            ck_abort_msg("seed %llu: %s is %lld, but the oracle has %lld",                         \
                         (unsigned long long)at_work->seed, #a, (long long)(a), (long long)(b));   \
        }                                                                                          \
    } while (0)

static void compare_hist(const ComponentProbe *probe, Recorded what, const Hist *expected) {
    const Hist *hist = &probe->total[what];
    SAME(hist->count, expected->count);
    SAME(hist->sum, expected->sum);
    SAME(memcmp(hist->buckets, expected->buckets, sizeof hist->buckets), 0);
}

static void compare_totals(const Case *c, const ReferenceTotals *totals) {
    const ComponentProbe *probe =
        &c->world->probe.components[model_find_component(c->model, "llm")];
    const uint64_t *counts = probe->counts[true];
    uint64_t asked = 0, hit = 0, computed = 0;
    for (size_t i = 0; i < c->requests.count; i++) {
        const ReferenceRequest *r = &c->requests.items[i].expected;
        asked += r->is_rejected ? 0 : r->prompt;
        hit += r->hit_count;
        computed += r->computed_count;
    }
    SAME(counts[COUNT_BATCHES], totals->step_count);
    SAME(counts[COUNT_BATCHED], totals->sequence_count);
    SAME(counts[COUNT_FULL_BATCHES], totals->full_step_count);
    SAME(counts[COUNT_INPUT_TOKENS], totals->prefill_count);
    SAME(counts[COUNT_OUTPUT_TOKENS], totals->output_count);
    SAME(counts[COUNT_PREEMPTIONS], totals->preemption_count);
    SAME(counts[COUNT_RECOMPUTED], totals->recomputed_count);
    SAME(counts[COUNT_UNSERVABLE], totals->rejected_count);
    SAME(counts[COUNT_PREFIX_QUERIED], asked);
    SAME(counts[COUNT_PREFIX_HIT], hit);
    SAME(counts[COUNT_WORK], computed);
    SAME(counts[COUNT_WASTED], 0u);
    SAME(level_integral(&probe->levels[LEVEL_KV_USED], c->world->now), totals->block_ns);
    compare_hist(probe, RECORDED_WAIT, &totals->wait);
    compare_hist(probe, RECORDED_TTFT, &totals->first_token);
    compare_hist(probe, RECORDED_ITL, &totals->gap);
    compare_hist(probe, RECORDED_TPOT, &totals->per_token);
    compare_hist(probe, RECORDED_LATENCY, &totals->latency);
}

static void compare(const Case *c, const ReferenceTotals *totals) {
    for (size_t i = 0; i < c->requests.count; i++) {
        const Request *r = &c->requests.items[i];
        SAME(r->is_finished, true);
        SAME(r->has_failed, r->expected.is_rejected);
        SAME(r->first_token_at, r->expected.first_token_at);
        SAME(r->ended_at, r->expected.ended_at);
        SAME(r->has_failed ? 0 : r->produced, r->expected.known - r->expected.prompt);
        SAME(r->preemption_count, r->expected.preemption_count);
        SAME(r->computed_count, r->expected.computed_count);
    }
    compare_totals(c, totals);
}

/* What all cases had to do with. */
typedef struct Sums {
    uint64_t answered, rejected, steps, preemptions, recomputed, hit;
} Sums;

static void try_case(uint64_t seed, bool is_stepwise, Sums *sums) {
    static Case c;
    static ReferenceTotals totals;
    make_case(&c, seed);
    at_work = &c;
    simulate(&c, is_stepwise);
    totals = (ReferenceTotals){0};
    expect(&c, &totals);
    compare(&c, &totals);
    for (size_t i = 0; i < c.requests.count; i++) {
        sums->hit += c.requests.items[i].expected.hit_count;
    }
    sums->answered += totals.latency.count;
    sums->rejected += totals.rejected_count;
    sums->steps += totals.step_count;
    sums->preemptions += totals.preemption_count;
    sums->recomputed += totals.recomputed_count;
    free_case(&c);
}

START_TEST(random_configurations_give_every_request_the_times_of_a_naive_scheduler) {
    const char *alone = getenv("KNOCKON_ORACLE_SEED");
    uint64_t count = getenv("KNOCKON_LONG") != NULL    ? 30 * CASES
                     : getenv("KNOCKON_SHORT") != NULL ? CASES / 10
                                                       : CASES;
    uint64_t first = alone == NULL ? 1 : strtoull(alone, NULL, 10);
    uint64_t last = alone == NULL ? count : first;
    Sums sums = {0};
    signal(SIGABRT, on_signal);
    signal(SIGSEGV, on_signal);
    for (uint64_t seed = first; seed <= last; seed++) {
        try_case(seed, seed % 4 == 0, &sums);
    }
    printf("%llu configurations: %llu requests answered and %llu rejected in %llu steps, %llu "
           "preemptions, %llu tokens recomputed, %llu found\n",
           (unsigned long long)(last - first + 1), (unsigned long long)sums.answered,
           (unsigned long long)sums.rejected, (unsigned long long)sums.steps,
           (unsigned long long)sums.preemptions, (unsigned long long)sums.recomputed,
           (unsigned long long)sums.hit);
    if (alone == NULL) { /* or it would claim little */
        ck_assert_uint_gt(sums.preemptions, count);
        ck_assert_uint_gt(sums.recomputed, 10 * count);
        ck_assert_uint_gt(sums.hit, 10 * count);
        ck_assert_uint_gt(sums.rejected, count);
    }
}
END_TEST

TEST_SUITE("models/engine_oracle",
           random_configurations_give_every_request_the_times_of_a_naive_scheduler)
