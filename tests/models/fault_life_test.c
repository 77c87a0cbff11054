/* Faults with a life of their own: memory that leaks, crash loops, crashes that spread, herds by
 * the clock, limits and full disks. */
#include <stdio.h>
#include <string.h>

#include "tests/models/story.h"

#define WEB(call)                                                                                  \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

/* Only what happens to replicas. */
#define QUIET(seconds) "run: {duration: " seconds ", initial: {api: {in_system: 1}}}\n"

static char *crashes_of(const char *yaml) {
    StoryRun run = story_run(yaml, NULL);
    char *lines = calloc(strlen(run.text) + 1, 1);
    for (const char *line = run.text; *line != 0;) {
        size_t size = strcspn(line, "\n") + 1;
        if (strstr(line, "in the system") == NULL || strstr(line, "in the system") > line + size) {
            strncat(lines, line, size);
        }
        line += size;
    }
    story_free(&run);
    return lines;
}

static void crashes_are(const char *yaml, const char *expected) {
    char *lines = crashes_of(yaml);
    ck_assert_msg(strcmp(lines, expected) == 0, "expected\n%s\nbut it was\n%s", expected, lines);
    free(lines);
}

/* ---- Memory */

START_TEST(memory_that_leaks_with_time_fills_up_and_a_restart_frees_it) {
    /* 60 MiB at 2 MiB/s are 30 s; the second process has leaked 40 MiB when the fault ends. */
    crashes_are(QUIET("200s") "services: {api: {replicas: 2}}\n"
                              "faults: [{at: 5s, for: 65s, memory_leak: {service: api, first: 1, "
                              "per_s: 2MiB, capacity: 60MiB, restart: 10s}}]\n",
                "5.000 s  fault begins: memory_leak api\n"
                "35.000 s  crash of api[1]: memory_leak api\n"
                "70.000 s  fault ends: memory_leak api\n");
}
END_TEST

START_TEST(memory_that_leaks_with_requests_crashes_the_replica_that_has_served_so_many) {
    static const TraceArrival five[] = {
        {.at_s = 1}, {.at_s = 2}, {.at_s = 3}, {.at_s = 4}, {.at_s = 7}};
    story_with_trace_is(WEB("") "services: {api: {work: 0.25s}}\n"
                                "faults: [{at: 1.5s, memory_leak: {service: api, per_request: 1MB, "
                                "capacity: 3MB, restart: 2s}}]\n",
                        STORY_TRACE(five),
                        "1.000 s  web #0 attempt 1: sent to api[0]\n"
                        "1.000 s  web #0 attempt 1: arrived at api[0]\n"
                        "1.000 s  web #0 attempt 1: started by api[0]\n"
                        "1.250 s  web #0 attempt 1: served by api[0]\n"
                        "1.250 s  web #0 attempt 1: reply from api[0]\n"
                        "1.250 s  web #0 is answered\n"
                        "1.500 s  fault begins: memory_leak api\n"
                        "2.000 s  web #1 attempt 1: sent to api[0]\n"
                        "2.000 s  web #1 attempt 1: arrived at api[0]\n"
                        "2.000 s  web #1 attempt 1: started by api[0]\n"
                        "2.250 s  web #1 attempt 1: served by api[0]\n"
                        "2.250 s  web #1 attempt 1: reply from api[0]\n"
                        "2.250 s  web #1 is answered\n"
                        "3.000 s  web #2 attempt 1: sent to api[0]\n"
                        "3.000 s  web #2 attempt 1: arrived at api[0]\n"
                        "3.000 s  web #2 attempt 1: started by api[0]\n"
                        "3.250 s  web #2 attempt 1: served by api[0]\n"
                        "3.250 s  web #2 attempt 1: reply from api[0]\n"
                        "3.250 s  web #2 is answered\n"
                        "4.000 s  web #3 attempt 1: sent to api[0]\n"
                        "4.000 s  web #3 attempt 1: arrived at api[0]\n"
                        "4.000 s  crash of api[0]: memory_leak api\n"
                        "4.000 s  web #3 attempt 1: started by api[0]\n"
                        "4.000 s  web #3 attempt 1: failed at api[0]: the replica crashed\n"
                        "4.000 s  web #3 attempt 1: reply from api[0]: an error\n"
                        "4.000 s  web #3 has failed\n"
                        "7.000 s  web #4 attempt 1: sent to api[0]\n"
                        "7.000 s  web #4 attempt 1: arrived at api[0]\n"
                        "7.000 s  web #4 attempt 1: started by api[0]\n"
                        "7.250 s  web #4 attempt 1: served by api[0]\n"
                        "7.250 s  web #4 attempt 1: reply from api[0]\n"
                        "7.250 s  web #4 is answered\n");
}
END_TEST

START_TEST(a_replica_may_be_slow_before_its_memory_is_full) {
    static const TraceArrival four[] = {{.at_s = 1}, {.at_s = 5}, {.at_s = 9}, {.at_s = 17}};
    StoryRun run =
        story_run(WEB("") "services: {api: {work: 0.25s}}\n"
                          "faults: [{at: 0s, memory_leak: {service: api, per_s: 1MB, capacity: "
                          "10MB, restart: 5s, slow_from: 80%, slow_x: 3}}]\n",
                  STORY_TRACE(four));
    ck_assert_ptr_nonnull(strstr(run.text, "5.250 s  web #1 is answered"));
    ck_assert_ptr_nonnull(strstr(run.text, "9.750 s  web #2 is answered"));
    ck_assert_ptr_nonnull(strstr(run.text, "10.000 s  crash of api[0]: memory_leak api"));
    ck_assert_ptr_nonnull(strstr(run.text, "17.250 s  web #3 is answered"));
    story_free(&run);
}
END_TEST

/* ---- Crash loops */

START_TEST(a_crash_loop_backs_off_from_10_seconds_to_5_minutes) {
    crashes_are(QUIET("1200s") "services: {api: {}}\n"
                               "faults: [{at: 5s, poison_config: {service: api}}]\n",
                "5.000 s  fault begins: poison_config api\n"
                "6.000 s  crash of api[0]: poison_config api\n"
                "17.000 s  crash of api[0]: poison_config api\n"    /* 10 s, and 1 s to read it */
                "38.000 s  crash of api[0]: poison_config api\n"    /* 20 s */
                "79.000 s  crash of api[0]: poison_config api\n"    /* 40 s */
                "160.000 s  crash of api[0]: poison_config api\n"   /* 80 s */
                "321.000 s  crash of api[0]: poison_config api\n"   /* 160 s */
                "622.000 s  crash of api[0]: poison_config api\n"   /* 300 s */
                "923.000 s  crash of api[0]: poison_config api\n"); /* 300 s */
}
END_TEST

START_TEST(who_waits_for_a_restart_when_the_config_is_rolled_back_waits_on) {
    static const TraceArrival two[] = {{.at_s = 30}, {.at_s = 38}};
    StoryRun run =
        story_run(WEB("") "services: {api: {work: 0.25s}}\n"
                          "faults: [{at: 5s, for: 20s, poison_config: {service: api}}]\n",
                  STORY_TRACE(two));
    /* Crashes at 6 s and 17 s; back at 37 s although the fault ended at 25 s. */
    ck_assert_ptr_nonnull(strstr(run.text, "25.000 s  fault ends: poison_config api"));
    ck_assert_ptr_nonnull(strstr(run.text, "30.000 s  web #0 was refused"));
    ck_assert_ptr_nonnull(strstr(run.text, "38.250 s  web #1 is answered"));
    ck_assert_ptr_null(strstr(run.text, "37.000 s  crash"));
    story_free(&run);
}
END_TEST

START_TEST(a_process_that_restarts_while_the_config_is_there_crashes_too) {
    /* Only the second of three has it; the crash fault brings it down, and up again at 12 s. */
    crashes_are(QUIET("30s") "services: {api: {replicas: 3}}\n"
                             "faults:\n"
                             "  - {at: 5s, for: 20s, poison_config: {service: api, first: 1, "
                             "replicas: 1, after: 4s, backoff: 3s}}\n"
                             "  - {at: 6s, crash: {service: api, restart: 6s}}\n",
                "5.000 s  fault begins: poison_config api\n"
                "6.000 s  fault begins: crash api\n"
                "12.000 s  fault ends: crash api\n"
                "16.000 s  crash of api[1]: poison_config api\n"
                "23.000 s  crash of api[1]: poison_config api\n"
                "25.000 s  fault ends: poison_config api\n");
}
END_TEST

START_TEST(a_process_that_ran_for_long_is_restarted_as_soon_as_the_first) {
    crashes_are(QUIET("100s") "services: {api: {}}\n"
                              "faults: [{at: 5s, poison_config: {service: api, after: 7s, backoff: "
                              "2s, backoff_reset: 7s}}]\n",
                "5.000 s  fault begins: poison_config api\n"
                "12.000 s  crash of api[0]: poison_config api\n"
                "21.000 s  crash of api[0]: poison_config api\n"
                "30.000 s  crash of api[0]: poison_config api\n"
                "39.000 s  crash of api[0]: poison_config api\n"
                "48.000 s  crash of api[0]: poison_config api\n"
                "57.000 s  crash of api[0]: poison_config api\n"
                "66.000 s  crash of api[0]: poison_config api\n"
                "75.000 s  crash of api[0]: poison_config api\n"
                "84.000 s  crash of api[0]: poison_config api\n"
                "93.000 s  crash of api[0]: poison_config api\n");
}
END_TEST

/* ---- Cascades */

START_TEST(a_crash_pulls_down_its_neighbours_and_these_theirs) {
    crashes_are(QUIET("60s") "services: {api: {replicas: 5}}\n"
                             "faults:\n"
                             "  - {at: 0s, for: 30s, cascade: {service: api, probability: 100%, "
                             "delay: 2s, restart: 50s}}\n"
                             "  - {at: 5s, crash: {service: api, first: 1, replicas: 1, restart: "
                             "50s}}\n",
                "0.000 s  fault begins: cascade api\n"
                "5.000 s  fault begins: crash api\n"
                "7.000 s  crash of api[0]: cascade api\n"
                "7.000 s  crash of api[2]: cascade api\n"
                "9.000 s  crash of api[3]: cascade api\n"
                "11.000 s  crash of api[4]: cascade api\n"
                "30.000 s  fault ends: cascade api\n"
                "55.000 s  fault ends: crash api\n");
}
END_TEST

/* In a long row each side goes on with probability p: p / (1 - p) are pulled down on each side. */
START_TEST(how_far_a_cascade_goes_is_geometric) {
    static const char yaml[] =
        "run: {duration: 40000s, sample_every: 100s, initial: {api: {in_system: 1}}}\n"
        "services: {api: {replicas: 201}}\n"
        "faults:\n"
        "  - {at: 0s, cascade: {service: api, probability: 60%, delay: 0.1s, restart: 9s}}\n"
        "  - {every: 19s, crash: {service: api, first: 100, replicas: 1, restart: 9s}}\n";
    StoryRun run = story_run(yaml, NULL);
    double rounds = run.world->faults[1].begun_count;
    /* Two sides of mean 1.5 and variance 0.6 / 0.16 = 3.75 each. */
    double mean = story_measure(&run, "api", METRIC_outages) / rounds - 1;
    ck_assert_double_gt(rounds, 1400);
    ck_assert_double_eq_tol(mean, 3, 5 * 0.0732); /* sqrt(7.5 / 1400) */
    story_free(&run);
}
END_TEST

/* ---- Limits and disks */

START_TEST(a_rate_limit_lets_in_its_rate_over_all_replicas) {
    StoryRun run =
        story_run("run: {duration: 200s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"
                  "services: {api: {work: 1ms, replicas: 3}}\n"
                  "faults: [{at: 99.95s, rate_limit: {service: api, rate: 4/s, burst: 7}}]\n",
                  NULL);
    /* 999 before it, then a burst of 7 and 4/s of the 1000 requests of 100 s. */
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_answered), 999 + 7 + 400, 1.5);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_refused), 1000 - 407, 1.5);
    ck_assert_ptr_nonnull(strstr(run.text, ": over its rate limit"));
    story_free(&run);
}
END_TEST

START_TEST(a_full_disk_fails_the_work_that_writes) {
    StoryRun run =
        story_run("run: {duration: 2000s, sample_every: 100s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}, call: {retry: "
                  "{fixed: {max_attempts: 2, delay: 0s}}}}}\n"
                  "services: {api: {work: 10ms}}\n"
                  "faults: [{at: 0s, disk_full: {service: api, writes: 30%}}]\n",
                  NULL);
    double deviation = 65; /* sqrt(20000 x 0.3 x 0.7) */
    double failed = story_measure(&run, "web", METRIC_errors);
    ck_assert_double_eq_tol(failed, 6000, 5 * deviation);
    /* A retry writes again: it never helps. */
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 19999 + failed);
    story_free(&run);
}
END_TEST

START_TEST(a_disk_fills_with_writes_and_each_replica_has_its_own) {
    static const TraceArrival five[] = {
        {.at_s = 1}, {.at_s = 2}, {.at_s = 3}, {.at_s = 4}, {.at_s = 5}};
    StoryRun run = story_run(
        WEB("") "services: {api: {work: 0.25s, replicas: 2, route: round_robin}}\n"
                "faults: [{at: 0s, for: 4.5s, disk_full: {service: api, first: 0, replicas: 1, "
                "free: 1.5MB, per_write: 1MB, after: 0.03s}}]\n",
        STORY_TRACE(five));
    ck_assert_ptr_nonnull(strstr(run.text, "1.250 s  web #0 is answered")); /* one write fits */
    ck_assert_ptr_nonnull(strstr(run.text, "2.250 s  web #1 is answered"));
    ck_assert_ptr_nonnull(strstr(run.text, "3.030 s  web #2 has failed"));
    ck_assert_ptr_nonnull(strstr(run.text, "4.250 s  web #3 is answered"));
    ck_assert_ptr_nonnull(
        strstr(run.text, "5.250 s  web #4 is answered")); /* somebody cleaned up */
    story_free(&run);
}
END_TEST

/* ---- Herds */

START_TEST(a_herd_comes_at_one_instant_besides_the_others) {
    static const TraceArrival two[] = {{.at_s = 1.25}, {.at_s = 3}};
    story_with_trace_is(WEB("") "services: {api: {work: 0.25s}}\n"
                                "faults: [{at: 1.5s, herd: {client: web, requests: 2}}]\n",
                        STORY_TRACE(two),
                        "1.250 s  web #0 attempt 1: sent to api[0]\n"
                        "1.250 s  web #0 attempt 1: arrived at api[0]\n"
                        "1.250 s  web #0 attempt 1: started by api[0]\n"
                        "1.500 s  fault begins: herd web\n"
                        "1.500 s  web #1 attempt 1: sent to api[0]\n"
                        "1.500 s  web #1 attempt 1: arrived at api[0]\n"
                        "1.500 s  web #2 attempt 1: sent to api[0]\n"
                        "1.500 s  web #2 attempt 1: arrived at api[0]\n"
                        "1.500 s  web #0 attempt 1: served by api[0]\n"
                        "1.500 s  web #0 attempt 1: reply from api[0]\n"
                        "1.500 s  web #0 is answered\n"
                        "1.500 s  web #1 attempt 1: started by api[0]\n"
                        "1.500 s  fault ends: herd web\n"
                        "1.750 s  web #1 attempt 1: served by api[0]\n"
                        "1.750 s  web #1 attempt 1: reply from api[0]\n"
                        "1.750 s  web #1 is answered\n"
                        "1.750 s  web #2 attempt 1: started by api[0]\n"
                        "2.000 s  web #2 attempt 1: served by api[0]\n"
                        "2.000 s  web #2 attempt 1: reply from api[0]\n"
                        "2.000 s  web #2 is answered\n"
                        "3.000 s  web #3 attempt 1: sent to api[0]\n"
                        "3.000 s  web #3 attempt 1: arrived at api[0]\n"
                        "3.000 s  web #3 attempt 1: started by api[0]\n"
                        "3.250 s  web #3 attempt 1: served by api[0]\n"
                        "3.250 s  web #3 attempt 1: reply from api[0]\n"
                        "3.250 s  web #3 is answered\n");
}
END_TEST

/* 20 rounds of 500 requests, each uniform over 4 s: the mean of 10000 is 2 s +- 0.0115 s. */
START_TEST(a_herd_by_the_clock_comes_again_and_is_spread_uniformly) {
    StoryRun run = story_run("run: {duration: 199s, sample_every: 1s}\n"
                             "clients: {web: {target: api, arrivals: {constant: {rate: 1/d}}}}\n"
                             "services: {api: {server: {pool: {concurrency: unlimited}}}}\n"
                             "faults: [{at: 5s, herd: {client: web, every: 10s, requests: 500, "
                             "spread: 4s}}]\n",
                             NULL);
    ck_assert(!run.model->has_trigger);
    double counts[10] = {0}, total = 0;
    for (uint32_t i = 0; i < 199; i++) {
        double count = probe_series(&run.world->probe, i, 0, METRIC_offered);
        counts[i % 10] += count;
        total += count;
    }
    ck_assert_double_eq(total, 20 * 500);
    for (uint32_t i = 0; i < 10; i++) {
        bool is_in = i >= 5 && i < 9;
        ck_assert_double_eq_tol(counts[i], is_in ? 2500 : 0, 5 * 43 * is_in + 0.5);
    }
    story_free(&run);
}
END_TEST

START_TEST(one_herd_is_a_trigger_that_ends_with_its_spread) {
    Model *model =
        story_compile(WEB("") "services: {api: {work: 1ms}}\n"
                              "faults: [{at: 5s, herd: {client: web, requests: 9, spread: 4s}}]\n");
    ck_assert(model->has_trigger);
    ck_assert_int_eq(model->trigger_from, 5 * SIM_TIME_S);
    ck_assert_int_eq(model->trigger_to, 9 * SIM_TIME_S);
    model_destroy(model);
}
END_TEST

START_TEST(a_rate_limit_may_say_when_to_come_again) {
    static const TraceArrival two[] = {{.at_s = 1}, {.at_s = 1.25}};
    StoryRun run = story_run(
        WEB("retry: {fixed: {max_attempts: 2, delay: 10ms}}, retry_on: refused, retry_after: "
            "at_least") "services: {api: {work: 0.25s, replicas: 2}}\n"
                        "faults: [{at: 0s, rate_limit: {service: api, rate: 1/s, retry_after: "
                        "3s}}]\n",
        STORY_TRACE(two));
    ck_assert_ptr_nonnull(strstr(run.text, "1.250 s  web #1 attempt 1: refused by api"));
    ck_assert_ptr_nonnull(strstr(run.text, "4.250 s  web #1 attempt 2: sent to api"));
    story_free(&run);
}
END_TEST

TEST_SUITE("models/fault_life", memory_that_leaks_with_time_fills_up_and_a_restart_frees_it,
           memory_that_leaks_with_requests_crashes_the_replica_that_has_served_so_many,
           a_replica_may_be_slow_before_its_memory_is_full,
           a_crash_loop_backs_off_from_10_seconds_to_5_minutes,
           who_waits_for_a_restart_when_the_config_is_rolled_back_waits_on,
           a_process_that_restarts_while_the_config_is_there_crashes_too,
           a_process_that_ran_for_long_is_restarted_as_soon_as_the_first,
           a_crash_pulls_down_its_neighbours_and_these_theirs, how_far_a_cascade_goes_is_geometric,
           a_rate_limit_lets_in_its_rate_over_all_replicas, a_full_disk_fails_the_work_that_writes,
           a_disk_fills_with_writes_and_each_replica_has_its_own,
           a_herd_comes_at_one_instant_besides_the_others,
           a_herd_by_the_clock_comes_again_and_is_spread_uniformly,
           one_herd_is_a_trigger_that_ends_with_its_spread, a_rate_limit_may_say_when_to_come_again)
