/* What the event queue costs, on the jobs of docs/engine: `queue_bench [job [pending]]`.
 *
 * J1: N events pending; one hold takes the earliest, draws Exp(1) and schedules the next. touch:
 * the same with a read-modify-write of both cache lines of a 128-byte object per event. J4: N
 * requests in flight, each with a completion and a timeout, of which one fires and cancels the
 * other. A: service Exp(1), timeout ln 10 s, so nine in ten timeouts are cancelled. B: nine in ten
 * are served in Exp(0.3), the rest hang until the timeout of 30 s. Timeouts are a timer class
 * ("constant") or plain events
 * ("arbitrary"). CPU time, the draw and the dispatch included; medians.
 */
#include "sim/check.h"
#include "sim/queue.h"
#include "sim/ziggurat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STEPS = 250000,
    REPETITIONS = 15,
    OBJECT_WORDS = 16,
    KIND_HOLD = 1,
    KIND_DONE = 2,
    KIND_TIMEOUT = 3
};

typedef struct Object {
    _Alignas(128) uint64_t words[OBJECT_WORDS];
} Object;

typedef struct Request {
    EventId done;
    EventId timeout;
} Request;

typedef struct Bench {
    EventQueue queue;
    Rng rng;
    Object *objects;
    Request *requests;
    double service_s;
    double hang_share;
    SimTime timeout;
    uint16_t timer_class; /* 0: timeouts are plain events */
    uint64_t digest;
} Bench;

typedef struct Job {
    const char *name;
    size_t pending;
    double goal_ns; /* 0: none was set */
    void (*start)(Bench *bench, size_t pending);
    void (*run)(Bench *bench, size_t steps);
    size_t warm_up; /* steps per pending event until the state is steady */
} Job;

static SimTime draw(Bench *bench, double mean_s) {
    return (SimTime)(ziggurat_exponential(&bench->rng) * mean_s * 1e9);
}

static void hold_start(Bench *bench, size_t pending) {
    for (size_t i = 0; i < pending; i++) {
        queue_push(&bench->queue, draw(bench, 1), KIND_HOLD, (uint32_t)i);
    }
}

static void hold_run(Bench *bench, size_t steps) {
    uint64_t digest = bench->digest;
    for (size_t i = 0; i < steps; i++) {
        Event event;
        CHECK(queue_pop(&bench->queue, &event));
        switch (event.kind) {
        case KIND_HOLD:
            queue_push(&bench->queue, event.time + draw(bench, 1), KIND_HOLD, event.target);
            break;
        default:
            CHECK(false);
        }
        digest = (digest ^ (uint64_t)event.time ^ event.target) * UINT64_C(0x9E3779B97F4A7C15);
    }
    bench->digest = digest;
}

static void touch_warm(const void *context, uint16_t kind, uint32_t target) {
    (void)kind;
    const Object *object = &((const Bench *)context)->objects[target];
    __builtin_prefetch(&object->words[0], 1);
    __builtin_prefetch(&object->words[OBJECT_WORDS / 2], 1);
}

static void touch_start(Bench *bench, size_t pending) {
    bench->objects = aligned_alloc(128, pending * sizeof(Object));
    CHECK(bench->objects != NULL);
    memset(bench->objects, 0, pending * sizeof(Object));
    queue_set_warm(&bench->queue, touch_warm, bench);
    hold_start(bench, pending);
}

static void touch_run(Bench *bench, size_t steps) {
    for (size_t i = 0; i < steps; i++) {
        Event event;
        CHECK(queue_pop(&bench->queue, &event));
        switch (event.kind) {
        case KIND_HOLD: {
            Object *object = &bench->objects[event.target];
            object->words[0] += (uint64_t)event.time;
            object->words[OBJECT_WORDS - 1] ^= object->words[0];
            queue_push(&bench->queue, event.time + draw(bench, 1), KIND_HOLD, event.target);
            break;
        }
        default:
            CHECK(false);
        }
    }
}

static void cancel_warm(const void *context, uint16_t kind, uint32_t target) {
    (void)kind;
    __builtin_prefetch(&((const Bench *)context)->requests[target], 1);
}

static void request_start(Bench *bench, SimTime now, uint32_t target) {
    bool hangs = bench->hang_share > 0 && rng_uniform(&bench->rng) < bench->hang_share;
    SimTime service = hangs ? 3600 * SIM_TIME_S : draw(bench, bench->service_s);
    Request *request = &bench->requests[target];
    request->done = queue_push(&bench->queue, now + service, KIND_DONE, target);
    request->timeout =
        bench->timer_class != 0
            ? queue_push_timer(&bench->queue, now, bench->timer_class, KIND_TIMEOUT, target)
            : queue_push(&bench->queue, now + bench->timeout, KIND_TIMEOUT, target);
}

static void cancel_start(Bench *bench, size_t pending, SimTime timeout, bool is_constant) {
    bench->requests = mem_zalloc(pending, sizeof(Request));
    bench->timeout = timeout;
    bench->timer_class = is_constant ? queue_add_timer(&bench->queue, timeout) : 0;
    queue_set_warm(&bench->queue, cancel_warm, bench);
    for (size_t i = 0; i < pending; i++) {
        request_start(bench, 0, (uint32_t)i);
    }
}

static void cancel_run(Bench *bench, size_t steps) {
    uint64_t digest = bench->digest;
    for (size_t i = 0; i < steps; i++) {
        Event event;
        CHECK(queue_pop(&bench->queue, &event));
        Request *request = &bench->requests[event.target];
        switch (event.kind) {
        case KIND_DONE:
            CHECK(queue_cancel(&bench->queue, request->timeout));
            break;
        case KIND_TIMEOUT:
            CHECK(queue_cancel(&bench->queue, request->done));
            break;
        default:
            CHECK(false);
        }
        request_start(bench, event.time, event.target);
        digest = (digest ^ (uint64_t)event.time ^ event.target) * UINT64_C(0x9E3779B97F4A7C15);
    }
    bench->digest = digest;
}

static void cancel_a_start(Bench *bench, size_t pending, bool is_constant) {
    bench->service_s = 1;
    cancel_start(bench, pending, SIM_TIME_S * 2302585093 / 1000000000, is_constant);
}

static void cancel_b_start(Bench *bench, size_t pending, bool is_constant) {
    bench->service_s = 0.3;
    bench->hang_share = 0.1;
    cancel_start(bench, pending, 30 * SIM_TIME_S, is_constant);
}

static void cancel_a_constant_start(Bench *bench, size_t pending) {
    cancel_a_start(bench, pending, true);
}

static void cancel_a_arbitrary_start(Bench *bench, size_t pending) {
    cancel_a_start(bench, pending, false);
}

static void cancel_b_constant_start(Bench *bench, size_t pending) {
    cancel_b_start(bench, pending, true);
}

static void cancel_b_arbitrary_start(Bench *bench, size_t pending) {
    cancel_b_start(bench, pending, false);
}

static double cpu_s(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void job_run(const Job *job) {
    Bench bench = {0};
    RngKey key = rng_key(1, 0, "queue_bench", job->name);
    rng_stream(&bench.rng, &key);
    queue_init(&bench.queue);
    job->start(&bench, job->pending);
    job->run(&bench, job->warm_up * job->pending);
    size_t steps = job->pending > STEPS ? job->pending : STEPS;
    double ns[REPETITIONS];
    for (int i = 0; i < REPETITIONS; i++) {
        double start_s = cpu_s();
        job->run(&bench, steps);
        ns[i] = (cpu_s() - start_s) * 1e9 / (double)steps;
    }
    qsort(ns, REPETITIONS, sizeof *ns, compare_doubles);
    double median_ns = ns[REPETITIONS / 2];
    printf("%-15s %8zu %8.1f %8.1f ", job->name, job->pending, median_ns, ns[0]);
    if (job->goal_ns > 0) {
        printf("%8.0f %6.2f", job->goal_ns, median_ns / job->goal_ns);
    } else {
        printf("%8s %6s", "-", "-");
    }
    printf("  %016llx\n", (unsigned long long)bench.digest);
    fflush(stdout);
    queue_free(&bench.queue);
    free(bench.objects);
    mem_free(bench.requests);
}

static const Job JOBS[] = {
    {"J1", 100, 28, hold_start, hold_run, 1000},
    {"J1", 1000, 0, hold_start, hold_run, 1000},
    {"J1", 10000, 45, hold_start, hold_run, 100},
    {"J1", 100000, 0, hold_start, hold_run, 10},
    {"J1", 1000000, 85, hold_start, hold_run, 4},
    {"touch", 100, 0, touch_start, touch_run, 1000},
    {"touch", 10000, 0, touch_start, touch_run, 100},
    {"touch", 100000, 90, touch_start, touch_run, 10},
    {"touch", 1000000, 150, touch_start, touch_run, 4},
    {"J4A-constant", 100, 0, cancel_a_constant_start, cancel_run, 1000},
    {"J4A-constant", 10000, 0, cancel_a_constant_start, cancel_run, 100},
    {"J4A-constant", 1000000, 0, cancel_a_constant_start, cancel_run, 6},
    {"J4A-arbitrary", 100, 0, cancel_a_arbitrary_start, cancel_run, 1000},
    {"J4A-arbitrary", 10000, 0, cancel_a_arbitrary_start, cancel_run, 100},
    {"J4A-arbitrary", 1000000, 0, cancel_a_arbitrary_start, cancel_run, 6},
    {"J4B-constant", 100, 0, cancel_b_constant_start, cancel_run, 1000},
    {"J4B-constant", 10000, 75, cancel_b_constant_start, cancel_run, 100},
    {"J4B-constant", 100000, 0, cancel_b_constant_start, cancel_run, 20},
    {"J4B-constant", 1000000, 0, cancel_b_constant_start, cancel_run, 12},
    {"J4B-arbitrary", 100, 0, cancel_b_arbitrary_start, cancel_run, 1000},
    {"J4B-arbitrary", 10000, 0, cancel_b_arbitrary_start, cancel_run, 100},
    {"J4B-arbitrary", 100000, 0, cancel_b_arbitrary_start, cancel_run, 20},
    {"J4B-arbitrary", 1000000, 250, cancel_b_arbitrary_start, cancel_run, 12},
};

int main(int argc, char **argv) {
    printf("%-15s %8s %8s %8s %8s %6s  %s\n", "job", "pending", "ns", "ns_min", "goal_ns", "ratio",
           "digest");
    for (size_t i = 0; i < sizeof JOBS / sizeof JOBS[0]; i++) {
        bool is_wanted = (argc < 2 || strcmp(argv[1], JOBS[i].name) == 0) &&
                         (argc < 3 || strtoull(argv[2], NULL, 10) == JOBS[i].pending);
        if (is_wanted) {
            job_run(&JOBS[i]);
        }
    }
    return EXIT_SUCCESS;
}
