/* Runs computed by hand, zero tolerance (docs: validation, section 3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/trace_source.h"
#include "tests/theory/theory.h"

/* What happened, as text. Starts and ends are told apart, because which of them comes first at one
 * instant is not what is tested. */
typedef struct Story {
    char starts[2000], ends[2000];
} Story;

static void tell(char story[2000], const char *line) {
    ck_assert_uint_lt(strlen(story) + strlen(line), 2000);
    strcat(story, line);
}

static void on_note(void *context, const Note *note) {
    Story *story = context;
    char line[200];
    if (strcmp(note->what, "started") == 0 || strcmp(note->what, "refused") == 0) {
        snprintf(line, sizeof line, "%.9g #%llu.%u %s\n", time_to_s(note->at),
                 (unsigned long long)note->request + 1, note->attempt, note->what);
        tell(story->starts, line);
    }
}

static void on_request(void *context, const RequestRecord *record) {
    static const char *const outcomes[] = {"ok", "timeout", "error", "refused"};
    Story *story = context;
    char line[200];
    snprintf(line, sizeof line, "%.9g #%llu %s after %.9g\n", time_to_s(record->ended_at),
             (unsigned long long)record->number + 1, outcomes[record->outcome],
             time_to_s(record->ended_at - record->arrived_at));
    tell(story->ends, line);
}

typedef struct Measures {
    double web[METRIC_COUNT], desk[METRIC_COUNT];
} Measures;

/* A file of arrivals; the caller removes it. */
static void write_arrivals(const char *path, const char *at_s) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fprintf(file, "at_s\n%s", at_s), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Runs arrivals through a scenario, compares the story and returns the measures. */
static Measures run_by_hand(const char *services, const char *call, const char *at_s,
                            const Story *expected) {
    char path[] = "/tmp/knockon-traces-test-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    write_arrivals(path, at_s);
    char *scenario = theory_text("knockon: 1\n"
                                 "run: {duration: 10s}\n"
                                 "clients:\n"
                                 "  web:\n"
                                 "    target: desk\n"
                                 "    arrivals: {trace: {file: %s, columns: {time: at_s}}}\n"
                                 "    call: %s\n"
                                 "services:\n%s",
                                 path, call, services);
    Model *model = theory_compile(scenario, NULL, 0);
    TraceSources traces;
    Error error;
    ck_assert_msg(trace_sources_open(model, &traces, &error), "%s", error.text);
    Story story = {.starts = ""};
    WorldOptions options = {.seed = 1,
                            .traces = traces.sources,
                            .context = &story,
                            .on_note = on_note,
                            .on_request = on_request};
    World *world = world_create(model, &options);
    world_run(world);
    Measures measures;
    theory_measure(world, "web", measures.web);
    theory_measure(world, "desk", measures.desk);
    world_destroy(world);
    ck_assert_ptr_null(trace_sources_failure(&traces));
    trace_sources_close(&traces);
    model_destroy(model);
    free(scenario);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_str_eq(story.starts, expected->starts);
    ck_assert_str_eq(story.ends, expected->ends);
    return measures;
}

/* T1. One server, work 2 s, room for one to wait; refused attempts come once more after 1.5 s. */
START_TEST(refused_requests_come_once_more) {
    static const char services[] = "  desk: {work: 2s, queue: {limit: 1}}\n";
    static const char call[] =
        "{retry: {fixed: {max_attempts: 2, delay: 1.5s}}, retry_on: [refused]}";
    static const Story expected = {"0 #1.1 started\n"
                                   "1.7 #3.1 refused\n"
                                   "2 #2.1 started\n"
                                   "3.3 #4.1 refused\n"
                                   "4 #3.2 started\n"
                                   "4.8 #4.2 refused\n"
                                   "6 #5.1 started\n",
                                   "2 #1 ok after 2\n"
                                   "4 #2 ok after 3.1\n"
                                   "4.8 #4 refused after 1.5\n"
                                   "6 #3 ok after 4.3\n"
                                   "8 #5 ok after 3.9\n"};
    Measures m = run_by_hand(services, call, "0\n0.9\n1.7\n3.3\n4.1\n", &expected);
    ck_assert_double_eq(m.web[METRIC_attempts], 7);
    ck_assert_double_eq(m.web[METRIC_attempts] / m.web[METRIC_offered], 1.4);
    ck_assert_double_eq(m.web[METRIC_answered], 4);
    ck_assert_double_eq(m.web[METRIC_refused], 1);
    ck_assert_double_eq(m.web[METRIC_latency_mean], 3.325);
    ck_assert_double_eq(m.web[METRIC_latency_max], 4.3);
    ck_assert_double_eq(m.web[METRIC_failed_latency], 1.5);
    ck_assert_double_eq(m.web[METRIC_retry_waiting], 0.3); /* two backoffs of 1.5 s in 10 s */
    ck_assert_double_eq(m.desk[METRIC_busy], 0.8);         /* 8 s of 10 */
    ck_assert_double_eq(m.desk[METRIC_refused], 3);
    ck_assert_double_eq(m.desk[METRIC_queue], 0.1 * (1.1 + 0.8 + 1.9));
}
END_TEST

/* T2. Batches of at most 3, 1 s of waiting for the oldest, 0.5 s + 0.2 s for each request. */
START_TEST(batches_start_when_full_or_overdue) {
    static const char services[] = "  desk:\n"
                                   "    server:\n"
                                   "      batch:\n"
                                   "        {max_batch_size: 3, max_queue_delay: 1s,\n"
                                   "         step: {linear: {base: 0.5s, per_request: 0.2s}}}\n";
    static const Story expected = {"0.4 #1.1 started\n"
                                   "0.4 #2.1 started\n"
                                   "0.4 #3.1 started\n"
                                   "1.5 #4.1 started\n"
                                   "1.5 #5.1 started\n"
                                   "3.9 #6.1 started\n"
                                   "4.95 #7.1 started\n",
                                   "1.5 #1 ok after 1.5\n"
                                   "1.5 #2 ok after 1.2\n"
                                   "1.5 #3 ok after 1.1\n"
                                   "2.4 #4 ok after 1.95\n"
                                   "2.4 #5 ok after 1.4\n"
                                   "4.6 #6 ok after 1.7\n"
                                   "5.65 #7 ok after 1.7\n"};
    Measures m = run_by_hand(services, "{}", "0\n0.3\n0.4\n0.45\n1.0\n2.9\n3.95\n", &expected);
    ck_assert_double_eq(m.desk[METRIC_batches], 4);
    ck_assert_double_eq(m.desk[METRIC_batch_size], 7 / 4.0);
    ck_assert_double_eq(m.desk[METRIC_full_batch_ratio], 0.25);
    ck_assert_double_eq_tol(m.web[METRIC_latency_mean], 1.507142857143, 5e-13);
    ck_assert_double_eq(m.desk[METRIC_busy], 0.34); /* 1.1 + 0.9 + 0.7 + 0.7 s of 10 */
}
END_TEST

THEORY_SUITE("theory/traces", refused_requests_come_once_more, batches_start_when_full_or_overdue)
