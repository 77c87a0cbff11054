/* What an LLM replica costs to simulate: whole runs as a user has them, with everything measured,
 * without the twin but for the recorded hour. Each run has a process of its own, so that its peak
 * of memory is its own.
 *
 * CPU time of one core, median of REPETITIONS with other random numbers each; of the recorded hour
 * the time on the wall. `inference_bench [requests]`.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "experiments/compile.h"
#include "experiments/replicate.h"
#include "models/world.h"

enum { REPETITIONS = 5 };

#define SHARED_DATA "../shared/data/"
#define MEASURED_PROFILE SHARED_DATA "vllm-rtx4090-llama-3.1-8b/perf"
#define SHIPPED_PROFILE "tests/models/profile"
#define CODE_TRACE SHARED_DATA "traces/azure-llm-2023-code.csv"

/* qwen3-14b on an H100, and Llama-3.1-8B on an RTX 4090 in five numbers, which were fitted to its
 * table (docs/inference.md section 2). */
#define QWEN                                                                                       \
    "{linear: {base: 13578.1867us, per_prefill_token: 39.4447us, per_decode_sequence: 27.3228us}}"
#define LLAMA                                                                                      \
    "{linear: {base: 16387us, per_prefill_token: 107.19us, per_decode_sequence: 40.17us, "         \
    "per_context_token: 0.15397us, per_prefill_context_token: 4.34ns}}"

typedef struct Case {
    const char *name;
    double requests, rate_per_s;
    int kv_blocks;
    const char *step, *client, *service; /* in the scenarios' language */
    bool is_stepwise;
} Case;

/* 512 tokens in with a standard deviation of 256, 256 out with one of 128. However long the run,
 * its series has 1000 rows, so that their memory is the same. */
static const char *const replica_text =
    "knockon: 1\n"
    "name: inference\n"
    "run: {duration: %.9gs, sample_every: %.9gs, replications: 1}\n"
    "clients:\n"
    "  users:\n"
    "    target: llm\n"
    "    arrivals: {poisson: {rate: %g/s}}\n"
    "    input_tokens: {gamma: {mean: 512, cv: 0.5}}\n"
    "    output_tokens: {gamma: {mean: 256, cv: 0.5}}\n"
    "    call: {%s}\n"
    "services:\n"
    "  llm:\n"
    "    server: {inference: {kv_blocks: %d, max_num_seqs: 256, max_num_batched_tokens: 2048,\n"
    "                         step: %s}}\n"
    "    %s\n"
    "verdict: none\n";

/* What one run came to. */
typedef struct Tally {
    double time_s, cpu_s, peak_mib;
    double requests, steps, tokens, preemptions;
} Tally;

static Model *compile_text(const char *text) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    Model *model = NULL;
    if (doc_load_text(&doc, "bench", text, strlen(text), &diagnostics)) {
        model = compile_scenario(&doc, &diagnostics, NULL);
    }
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
        exit(EXIT_FAILURE);
    }
    doc_free(&doc);
    return model;
}

static double counted(const World *world, Count count) {
    const ComponentProbe *probe = &world->probe.components[world->replicas[0].component];
    return (double)(probe->counts[false][count] + probe->counts[true][count]);
}

static void run_case(const void *context, uint32_t repetition, Tally *tally) {
    const Case *bench = context;
    char text[2000];
    double duration_s = bench->requests / bench->rate_per_s;
    snprintf(text, sizeof text, replica_text, duration_s, duration_s / 1000, bench->rate_per_s,
             bench->client, bench->kv_blocks, bench->step, bench->service);
    Model *model = compile_text(text);
    WorldOptions options = {
        .seed = 1, .replication = repetition, .is_stepwise = bench->is_stepwise};
    World *world = world_create(model, &options);
    clock_t before = clock();
    world_run(world);
    *tally = (Tally){.time_s = (double)(clock() - before) / CLOCKS_PER_SEC,
                     .requests = (double)world->clients[0].request_count,
                     .steps = counted(world, COUNT_BATCHES),
                     .tokens = counted(world, COUNT_OUTPUT_TOKENS),
                     .preemptions = counted(world, COUNT_PREEMPTIONS)};
    world_destroy(world);
    model_destroy(model);
}

/* In a process of its own. */
static Tally run_apart(void (*run)(const void *, uint32_t, Tally *), const void *context,
                       uint32_t repetition) {
    Tally *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run(context, repetition, shared);
        _exit(EXIT_SUCCESS);
    }
    int status;
    struct rusage usage;
    if (shared == MAP_FAILED || child < 0 || wait4(child, &status, 0, &usage) != child ||
        status != 0) {
        fprintf(stderr, "inference_bench: a run has failed\n");
        exit(EXIT_FAILURE);
    }
    Tally tally = *shared;
    tally.peak_mib = (double)usage.ru_maxrss / 1024;
    munmap(shared, sizeof *shared);
    return tally;
}

static int by_time(const void *left, const void *right) {
    double a = ((const Tally *)left)->time_s, b = ((const Tally *)right)->time_s;
    return a < b ? -1 : a > b;
}

static Tally median_of(void (*run)(const void *, uint32_t, Tally *), const void *context,
                       uint32_t repetitions, double *low_s, double *high_s) {
    Tally tallies[REPETITIONS];
    for (uint32_t i = 0; i < repetitions; i++) {
        tallies[i] = run_apart(run, context, i);
    }
    qsort(tallies, repetitions, sizeof tallies[0], by_time);
    *low_s = tallies[0].time_s;
    *high_s = tallies[repetitions - 1].time_s;
    return tallies[repetitions / 2];
}

static Tally bench(const Case *bench_case, uint32_t repetitions) {
    double low_s, high_s;
    Tally tally = median_of(run_case, bench_case, repetitions, &low_s, &high_s);
    printf("%-24s %8.4f s (%.4f … %.4f), %.3f us a request, %.0f ns a step of %.1f sequences, %.2f "
           "ns a token, peak %.1f MiB\n",
           bench_case->name, tally.time_s, low_s, high_s, tally.time_s / tally.requests * 1e6,
           tally.time_s / tally.steps * 1e9, tally.tokens / tally.steps,
           tally.time_s / tally.tokens * 1e9, tally.peak_mib);
    return tally;
}

static void held_against(const char *what, double value, double goal, const char *unit) {
    printf("  %-22s %8.3g %s, goal %.3g, ratio %.2f\n", what, value, unit, goal, value / goal);
}

/* ---- One replica */

static void bench_replica(double requests) {
    Case qwen = {"qwen3-14b", requests, 10, 17600, QWEN, "", "", false};
    Tally base = bench(&qwen, REPETITIONS);
    held_against("CPU time", base.time_s, requests / 1e5, "s");
    held_against("memory", base.peak_mib, 100, "MiB");
    Case longer = qwen;
    longer.name = "ten times as many";
    longer.requests *= 10;
    Tally ten = bench(&longer, 1);
    held_against("more memory than that", ten.peak_mib - base.peak_mib, 1, "MiB");
    Case stepwise = qwen;
    stepwise.name = "qwen3-14b, step by step";
    stepwise.is_stepwise = true;
    bench(&stepwise, 3);
}

/* At half the rate of the H100 some 40 sequences run at once on an RTX 4090. */
static void bench_table(double requests) {
    const char *profile = access(MEASURED_PROFILE, R_OK) == 0 ? MEASURED_PROFILE : SHIPPED_PROFILE;
    char step[200];
    snprintf(step, sizeof step, "{table: {directory: %s, layers: 32}}", profile);
    Case linear = {"RTX 4090, five numbers", requests, 5, 17600, LLAMA, "", "", false};
    Case table = {"RTX 4090, table", requests, 5, 17600, step, "", "", false};
    printf("its table: %s\n", profile);
    double linear_s = bench(&linear, REPETITIONS).time_s;
    held_against("table over linear", bench(&table, REPETITIONS).time_s / linear_s, 10, "times");
}

/* 28 sequences fill the cache and more arrive than are served: who is refused does not come back,
 * but preemption never ends. */
static void bench_starved(double requests) {
    Case starved = {"short of KV blocks",  requests, 10, 1200, QWEN, "",
                    "queue: {limit: 100}", false};
    Tally tally = bench(&starved, REPETITIONS);
    printf("  %-22s %8.0f, of %.0f requests\n", "preemptions", tally.preemptions, tally.requests);
    starved.name = "the same, step by step";
    starved.is_stepwise = true;
    bench(&starved, 3);
}

/* ---- A recorded hour on a fleet */

static const char *const hour_text =
    "knockon: 1\n"
    "name: hour\n"
    "run: {duration: 58min, warmup: 2min, seed: 1, replications: 20}\n"
    "clients:\n"
    "  editors:\n"
    "    target: llm\n"
    "    arrivals: {trace: {file: %s}}\n"
    "    spikes: [{at: 14min, for: 1min, x: 3}]\n"
    "    call: {timeout: 4s, retry: {exponential: {max_attempts: 3, base: 100ms}}}\n"
    "services:\n"
    "  llm: {replicas: 8, server: {inference: {kv_blocks: 17600, step: %s}}}\n";

static double wall_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool count_attempts(void *context, const Result *result) {
    Tally *tally = context;
    tally->requests += result->summary[METRIC_attempts];
    return true;
}

/* The same each time: the replications are in it. */
static void run_hour(const void *context, uint32_t repetition, Tally *tally) {
    (void)repetition;
    /* `make bench` pins its programs to one processor. */
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    sched_setaffinity(0, sizeof all, &all);
    char text[2000], path[1000];
    if (realpath(context, path) == NULL) {
        exit(EXIT_FAILURE);
    }
    snprintf(text, sizeof text, hour_text, path, QWEN);
    Model *model = compile_text(text);
    Replicate job = {.model = model, .jobs = 2, .context = tally, .take = count_attempts};
    Error error;
    double before_s = wall_s();
    clock_t before = clock();
    if (!replicate_run(&job, &error)) {
        fprintf(stderr, "inference_bench: %s\n", error.text);
        exit(EXIT_FAILURE);
    }
    tally->time_s = wall_s() - before_s;
    tally->cpu_s = (double)(clock() - before) / CLOCKS_PER_SEC;
    model_destroy(model);
}

static void bench_hour(void) {
    if (access(CODE_TRACE, R_OK) != 0) {
        printf("skipped: the hour of the Azure code trace is not in " CODE_TRACE "\n");
        return;
    }
    double low_s, high_s;
    Tally tally = median_of(run_hour, CODE_TRACE, REPETITIONS, &low_s, &high_s);
    printf("%-24s %8.3f s on the wall (%.3f … %.3f), CPU time %.3f s, %.0f attempts measured, peak "
           "%.1f MiB\n",
           "Azure code x 20", tally.time_s, low_s, high_s, tally.cpu_s, tally.requests,
           tally.peak_mib);
    held_against("with twins, two threads", tally.time_s, 1, "s");
}

int main(int argc, char **argv) {
    double requests = argc > 1 ? atof(argv[1]) : 1e5;
    bench_replica(requests);
    bench_table(requests);
    bench_starved(requests);
    bench_hour();
    return EXIT_SUCCESS;
}
