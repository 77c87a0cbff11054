#include "experiments/replicate.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "experiments/trace_source.h"
#include "sim/check.h"

/* ---- One replication */

static void keep_change(void *context, const Note *note) {
    Result *result = context;
    vec_push(&result->changes, *note);
}

static void keep_request(void *context, const RequestRecord *record) {
    Result *result = context;
    vec_push(&result->requests, *record);
}

static bool run_world(const Replicate *job, uint32_t replication, bool is_twin, Result *out,
                      Error *error) {
    TraceSources traces;
    if (!trace_sources_open(job->model, &traces, error)) {
        return false;
    }
    WorldOptions options = {.seed = (uint64_t)job->model->run.seed,
                            .replication = replication,
                            .is_twin = is_twin,
                            .is_stepwise = job->is_stepwise,
                            .traces = traces.sources,
                            .context = out,
                            .on_change = is_twin ? NULL : keep_change,
                            .on_request = !is_twin && job->has_requests ? keep_request : NULL,
                            .interrupt = job->interrupt};
    World *world = world_create(job->model, &options);
    world_run(world);
    result_take(world, out);
    world_destroy(world);
    const Error *failure = trace_sources_failure(&traces);
    if (failure != NULL) {
        *error = *failure;
    }
    trace_sources_close(&traces);
    return failure == NULL;
}

/* A run that a budget cut off shows nothing of what would have come. */
static void judge(const Model *model, Result *run, const Result *twin) {
    SeriesView run_series = result_series(run), twin_series = result_series(twin);
    Model judged = *model; /* for the length of this call: people may have ended the trigger */
    judged.trigger_to = run->trigger_to;
    verdict_judge(&judged, &run_series, &twin_series, &run->verdict);
    bool is_cut =
        stop_reason_truncates(run->stop_reason) || stop_reason_truncates(twin->stop_reason);
    if (is_cut && !model->verdict.is_off) {
        const Result *cut = stop_reason_truncates(run->stop_reason) ? run : twin;
        run->verdict.kind = VERDICT_NONE;
        snprintf(run->verdict.why, sizeof run->verdict.why,
                 "%s was cut off at %g s (%s): nothing can be said",
                 cut == run ? "the run" : "its twin", time_to_s(cut->stopped_at),
                 stop_reason_name(cut->stop_reason));
    }
}

bool replicate_one(const Replicate *job, uint32_t replication, Result *out, Error *error) {
    const Model *model = job->model;
    *out = (Result){0};
    if (!run_world(job, replication, false, out, error)) {
        result_free(out);
        return false;
    }
    if (out->stop_reason == STOP_INTERRUPTED) {
        return true;
    }
    if (!model->has_trigger || model->verdict.is_off) {
        judge(model, out, out);
        return true;
    }
    Result twin = {0};
    bool is_run = run_world(job, replication, true, &twin, error);
    if (is_run && twin.stop_reason == STOP_INTERRUPTED) {
        out->stop_reason = STOP_INTERRUPTED;
    }
    if (is_run) {
        judge(model, out, &twin);
    } else {
        result_free(out);
    }
    result_free(&twin);
    return is_run;
}

/* ---- Many */

typedef enum PlaceState { PLACE_EMPTY, PLACE_FULL, PLACE_SKIPPED } PlaceState;

/* Results on their way to the sink: replication r waits at place r % place_count. */
typedef struct Crew {
    const Replicate *job;
    pthread_mutex_t mutex;
    pthread_cond_t may_start; /* the sink has moved on, or all is over */
    pthread_cond_t has_ended; /* a place was filled */
    Result *results;
    PlaceState *places;
    uint32_t place_count;
    uint32_t started, taken; /* replications */
    bool is_over;            /* start no more */
    bool has_failed;
    Error error;
} Crew;

static bool is_interrupted(const Replicate *job) {
    return job->interrupt != NULL && *job->interrupt != 0;
}

/* The next replication to run; false when there is none. */
static bool next_replication(Crew *crew, uint32_t *out) {
    pthread_mutex_lock(&crew->mutex);
    while (!crew->is_over && crew->started < crew->job->model->run.replications &&
           crew->started >= crew->taken + crew->place_count) {
        pthread_cond_wait(&crew->may_start, &crew->mutex);
    }
    bool is_there = !crew->is_over && !is_interrupted(crew->job) &&
                    crew->started < crew->job->model->run.replications;
    *out = crew->started;
    crew->started += is_there;
    pthread_mutex_unlock(&crew->mutex);
    return is_there;
}

static void hand_over(Crew *crew, uint32_t replication, const Result *result, bool is_complete) {
    uint32_t place = replication % crew->place_count;
    pthread_mutex_lock(&crew->mutex);
    CHECK(crew->places[place] == PLACE_EMPTY);
    crew->places[place] = is_complete ? PLACE_FULL : PLACE_SKIPPED;
    if (is_complete) {
        crew->results[place] = *result;
    }
    pthread_cond_signal(&crew->has_ended);
    pthread_mutex_unlock(&crew->mutex);
}

static void report_failure(Crew *crew, const Error *error) {
    pthread_mutex_lock(&crew->mutex);
    if (!crew->has_failed) {
        crew->has_failed = true;
        crew->error = *error;
    }
    crew->is_over = true;
    pthread_mutex_unlock(&crew->mutex);
}

static void *work(void *context) {
    Crew *crew = context;
    uint32_t replication;
    while (next_replication(crew, &replication)) {
        Result result;
        Error error;
        bool is_run = replicate_one(crew->job, replication, &result, &error);
        bool is_complete = is_run && result.stop_reason != STOP_INTERRUPTED;
        if (!is_run) {
            report_failure(crew, &error);
        } else if (!is_complete) {
            result_free(&result);
        }
        hand_over(crew, replication, &result, is_complete);
    }
    return NULL;
}

static struct timespec tenth_of_a_second_from_now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += 100000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Waits for the next place in order. False when nothing more will come: replications are started in
 * order, so one that was not started by the end of the crew ends the row. */
static bool wait_for_next(Crew *crew) {
    uint32_t place = crew->taken % crew->place_count;
    for (;;) {
        if (crew->places[place] != PLACE_EMPTY) {
            return true;
        }
        bool may_come =
            crew->started > crew->taken || (!crew->is_over && !is_interrupted(crew->job) &&
                                            crew->started < crew->job->model->run.replications);
        if (!may_come) {
            return false;
        }
        struct timespec until = tenth_of_a_second_from_now();
        pthread_cond_timedwait(&crew->has_ended, &crew->mutex, &until);
        if (crew->job->tick != NULL) {
            crew->job->tick(crew->job->context);
        }
    }
}

/* Passes results on until there are no more; holds the mutex but while the sink works. */
static void take_in_order(Crew *crew) {
    pthread_mutex_lock(&crew->mutex);
    while (wait_for_next(crew)) {
        uint32_t place = crew->taken % crew->place_count;
        bool is_complete = crew->places[place] == PLACE_FULL;
        Result result = crew->results[place];
        bool is_wanted = is_complete && !crew->is_over;
        pthread_mutex_unlock(&crew->mutex);
        bool goes_on = !is_wanted || crew->job->take(crew->job->context, &result);
        if (is_complete) {
            result_free(&result);
        }
        pthread_mutex_lock(&crew->mutex);
        crew->places[place] = PLACE_EMPTY;
        crew->taken++;
        crew->is_over = crew->is_over || !goes_on;
        pthread_cond_broadcast(&crew->may_start);
    }
    crew->is_over = true;
    pthread_cond_broadcast(&crew->may_start);
    pthread_mutex_unlock(&crew->mutex);
}

static void crew_init(Crew *crew, const Replicate *job) {
    *crew = (Crew){.job = job, .place_count = 2 * job->jobs};
    crew->results = mem_zalloc(crew->place_count, sizeof *crew->results);
    crew->places = mem_zalloc(crew->place_count, sizeof *crew->places);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->may_start, NULL);
    pthread_cond_init(&crew->has_ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void crew_free(Crew *crew) {
    pthread_cond_destroy(&crew->has_ended);
    pthread_cond_destroy(&crew->may_start);
    pthread_mutex_destroy(&crew->mutex);
    mem_free(crew->results);
    mem_free(crew->places);
}

bool replicate_run(const Replicate *job, Error *error) {
    CHECK(job->jobs > 0 && job->model->run.replications > 0);
    Crew crew;
    crew_init(&crew, job);
    uint32_t wanted =
        job->jobs < job->model->run.replications ? job->jobs : job->model->run.replications;
    pthread_t *threads = mem_alloc(wanted * sizeof *threads);
    uint32_t count = 0;
    while (count < wanted && pthread_create(&threads[count], NULL, work, &crew) == 0) {
        count++;
    }
    if (count == 0) {
        mem_out(); /* no room for a single thread */
    }
    take_in_order(&crew);
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    mem_free(threads);
    bool is_fine = !crew.has_failed;
    if (!is_fine) {
        *error = crew.error;
    }
    crew_free(&crew);
    return is_fine;
}

uint32_t replicate_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}
