/* What one request costs on its whole path: client, timeout armed and cancelled, router, queue,
 * server, answer, probe, everything measured as in a normal run, without the twin. Also what one
 * request in flight takes in memory, and whether memory grows with the number of requests run.
 *
 * CPU time of one core, median of REPETITIONS. `path_bench [requests]`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "experiments/compile.h"
#include "models/world.h"

enum { REPETITIONS = 7 };

/* Load 0.9 of `slots` servers on each replica with a mean work of 1 ms; timeouts that never fire
 * but are armed. */
static const char *const queue_text =
    "knockon: 1\n"
    "name: path\n"
    "run: {duration: %.9fs, warmup: 100ms, sample_every: 1s, replications: 1}\n"
    "clients: {web: {target: api, arrivals: {poisson: {rate: %d/s}}, call: {timeout: 20s}}}\n"
    "services: {api: {replicas: %d, server: {pool: {concurrency: %d}}, work: {exponential: {mean:"
    " 1ms}}}}\n"
    "verdict: none\n";

/* A million users whose requests all wait in one queue. */
static const char *const crowd_text =
    "knockon: 1\n"
    "name: crowd\n"
    "run: {duration: 1s, replications: 1}\n"
    "clients: {web: {target: api, arrivals: {constant: {rate: 1M/s}}, call: {timeout: 60s}}}\n"
    "services: {api: {server: {pool: {concurrency: 1}}, work: 100s}}\n"
    "verdict: none\n";

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

static double peak_mib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double run_ns_per_request(const Model *model, uint32_t replication) {
    WorldOptions options = {.seed = 1, .replication = replication};
    World *world = world_create(model, &options);
    clock_t before = clock();
    world_run(world);
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    double requests = (double)world->clients[0].request_count;
    world_destroy(world);
    return seconds * 1e9 / requests;
}

static void bench_queue(const char *name, int replicas, int slots, double requests,
                        double goal_ns) {
    char text[1024];
    int rate_per_s = 900 * slots * replicas;
    snprintf(text, sizeof text, queue_text, requests / rate_per_s, rate_per_s, replicas, slots);
    Model *model = compile_text(text);
    double ns[REPETITIONS];
    for (uint32_t i = 0; i < REPETITIONS; i++) {
        ns[i] = run_ns_per_request(model, i);
    }
    qsort(ns, REPETITIONS, sizeof *ns, by_value);
    double median_ns = ns[REPETITIONS / 2];
    printf("%-28s %8.1f ns/request (%.1f … %.1f)  goal %5.0f  ratio %.2f\n", name, median_ns, ns[0],
           ns[REPETITIONS - 1], goal_ns, median_ns / goal_ns);
    model_destroy(model);
}

static void bench_crowd(void) {
    Model *model = compile_text(crowd_text);
    WorldOptions options = {.seed = 1};
    double before_mib = peak_mib();
    World *world = world_create(model, &options);
    clock_t start = clock();
    world_run(world);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    double in_flight = pool_live_count(&world->attempts);
    printf("%-28s %8.0f in flight: %.0f bytes each (call %zu, attempt %zu), %.2f s  goal   256\n",
           "a million in flight", in_flight, (peak_mib() - before_mib) * 1048576 / in_flight,
           sizeof(Call), sizeof(Attempt), seconds);
    world_destroy(world);
    model_destroy(model);
}

static void bench_memory(double requests) {
    double before_mib = peak_mib();
    char text[1024];
    snprintf(text, sizeof text, queue_text, requests / 900000, 900000, 1, 1000);
    Model *model = compile_text(text);
    run_ns_per_request(model, 0);
    printf("%-28s %8.3g requests: peak %.1f MiB more than before\n", "memory over a run", requests,
           peak_mib() - before_mib);
    model_destroy(model);
}

int main(int argc, char **argv) {
    double requests = argc > 1 ? atof(argv[1]) : 2e6;
    bench_memory(requests / 2);
    bench_memory(requests * 10);
    bench_queue("M/M/1 at 90 %", 1, 1, requests, 150);
    bench_queue("M/M/64 at 90 %", 1, 64, requests, 200);
    bench_queue("16 replicas, least_requests", 16, 4, requests, 250);
    bench_crowd();
    return EXIT_SUCCESS;
}
