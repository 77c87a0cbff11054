/* What callers do about failure beyond counting their tries: waits that are asked for, and budgets
 * that look at everything that is out. Told step by step. */
#include <stdio.h>

#include "tests/models/story.h"

#define CLIENT(call)                                                                               \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

static const TraceArrival one[] = {{.at_s = 0.25}};

/* When the second attempt goes out; 0: it does not. */
static double second_at_s(const char *call, const char *services_and_faults) {
    char yaml[1000];
    snprintf(yaml, sizeof yaml,
             "run: {duration: 1000s}\n"
             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {%s}}}\n%s",
             call, services_and_faults);
    StoryRun run = story_run(yaml, STORY_TRACE(one));
    const char *line = strstr(run.text, " s  web #0 attempt 2: sent");
    double at_s = 0;
    if (line != NULL) {
        while (line > run.text && line[-1] != '\n') {
            line--;
        }
        at_s = atof(line);
    }
    story_free(&run);
    return at_s;
}

START_TEST(a_failure_may_ask_for_a_wait_and_its_caller_may_listen) {
    static const struct {
        const char *call, *asks;
        double at_s;
    } cases[] = {
        {"retry: {fixed: {delay: 1s}}", "2.5s", 1.25},
        {"retry: {fixed: {delay: 1s}}, retry_after: at_least", "2.5s", 2.75},
        {"retry: {fixed: {delay: 1s}}, retry_after: at_least", "300ms", 1.25},
        {"retry: {fixed: {delay: 1s}}, retry_after: replaces", "300ms", 0.55},
        {"retry: {fixed: {delay: 1s}}, retry_after: replaces", "2.5s", 2.75},
        /* AWS 2026: within [t, t + 5 s] */
        {"retry: {fixed: {delay: 1s}}, retry_after: at_least, retry_after_max: 5s", "60s", 6.25},
        {"retry: {fixed: {delay: 1s}}, retry_after: replaces, retry_after_max: 5s", "60s", 5.25},
        {"retry: {fixed: {delay: 1s}}, retry_after: at_least", "never", 0},
        {"retry: {fixed: {delay: 1s}}, retry_after: replaces", "never", 0},
        {"retry: {fixed: {delay: 1s}}", "never", 1.25},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char faults[200];
        snprintf(faults, sizeof faults,
                 "services: {api: {work: 1ms}}\n"
                 "faults: [{at: 0s, errors: {service: api, after: 0s, retry_after: %s}}]\n",
                 cases[i].asks);
        ck_assert_double_eq_tol(second_at_s(cases[i].call, faults), cases[i].at_s, 1e-9);
    }
}
END_TEST

START_TEST(a_wait_that_is_asked_for_is_the_refusals_own) {
    /* A full queue asks for nothing, the bucket does. */
    static const char call[] = "retry_on: refused, retry: {fixed: {delay: 0.1s}}, retry_after: "
                               "replaces";
    ck_assert_double_eq_tol(second_at_s(call, "services: {api: {work: 1s, shed: {token_bucket: "
                                              "{rate: 0.001/s, retry_after: 3s}}}}\n"
                                              "faults: [{at: 0s, for: 0.3s, crash: {service: "
                                              "api}}]\n"),
                            0.35, 1e-9);
    story_with_trace_is("run: {duration: 9s, initial: {api: {in_system: 0}}}\n" CLIENT(
                            "retry_on: refused, retry: {fixed: {delay: 0.1s}}, retry_after: "
                            "replaces") "services: {api: {server: {pool: {concurrency: 9}}, work: "
                                        "10ms, shed: {token_bucket: "
                                        "{rate: 0.4/s, retry_after: 1.7s}}}}\n",
                        STORY_TRACE(((const TraceArrival[]){{.at_s = 0.25}, {.at_s = 0.35}})),
                        "0.250 s  web #0 attempt 1: sent to api[0]\n"
                        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.250 s  web #0 attempt 1: started by api[0]\n"
                        "0.260 s  web #0 attempt 1: served by api[0]\n"
                        "0.260 s  web #0 attempt 1: reply from api[0]\n"
                        "0.260 s  web #0 is answered\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: refused by api[0]: shed on arrival\n"
                        "0.350 s  web #1 attempt 1: reply from api[0]: refused\n"
                        "2.050 s  web #1 attempt 2: sent to api[0]\n"
                        "2.050 s  web #1 attempt 2: refused by api[0]: shed on arrival\n"
                        "2.050 s  web #1 attempt 2: reply from api[0]: refused\n"
                        "3.750 s  web #1 attempt 3: sent to api[0]\n"
                        "3.750 s  web #1 attempt 3: arrived at api[0]\n"
                        "3.750 s  web #1 attempt 3: started by api[0]\n"
                        "3.760 s  web #1 attempt 3: served by api[0]\n"
                        "3.760 s  web #1 attempt 3: reply from api[0]\n"
                        "3.760 s  web #1 is answered\n");
}
END_TEST

/* Three always may be under way: the fourth call that fails finds three in their backoff. */
START_TEST(a_percentage_counts_backoffs_and_retries_that_are_out) {
    static const TraceArrival six[] = {{.at_s = 1},   {.at_s = 1.1},  {.at_s = 1.2},
                                       {.at_s = 1.3}, {.at_s = 3.05}, {.at_s = 4.5}};
    StoryRun run = story_run(
        "run: {duration: 20s}\n" CLIENT(
            "retry: {fixed: {max_attempts: 2, delay: 2s}}, "
            "retry_budget: {percent: {}}, timeout: 0.4s") "services: {api: {server: {pool: "
                                                          "{concurrency: 20}}, work: 1.5s}}\n"
                                                          "faults: [{at: 0s, for: 2s, errors: "
                                                          "{service: api, after: 0s}}]\n",
        STORY_TRACE(six));
    /* At 3 s the first retry goes out and counts until its timeout at 3.4: the fifth, which times
     * out at 3.45, finds two others (from 3.1 and 3.2) and may; the sixth, at 4.9, finds none. */
    static const char *const ends[] = {
        "3.400 s  web #0 has timed out\n", "1.300 s  web #3 has failed\n",
        "5.850 s  web #4 has timed out\n", "7.300 s  web #5 has timed out\n"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        ck_assert_msg(strstr(run.text, ends[i]) != NULL, "no %sin\n%s", ends[i], run.text);
    }
    story_free(&run);
}
END_TEST

#define CARRIED                                                                                    \
    "services:\n"                                                                                  \
    "  api: {work: 0.3s, calls: [{to: mid, timeout: 5s, retry: fixed}]}\n"                         \
    "  mid: {work: 0.1s, server: {pool: {concurrency: 9}}, calls: [{to: db, deadline: 7s}]}\n"     \
    "  db: {work: 1s, cancel_on_timeout: anywhere}\n"

START_TEST(a_deadline_that_is_carried_along_ends_all_calls_below) {
    story_with_trace_is("run: {duration: 9s}\n" CLIENT("deadline: 0.5s, propagate: true") CARRIED,
                        STORY_TRACE(one),
                        "0.250 s  web #0 attempt 1: sent to api[0]\n"
                        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.250 s  web #0 attempt 1: started by api[0]\n"
                        "0.550 s  web #0 attempt 1: served by api[0]\n"
                        "0.550 s  web #0 attempt 1: sent to mid[0]\n"
                        "0.550 s  web #0 attempt 1: arrived at mid[0]\n"
                        "0.550 s  web #0 attempt 1: started by mid[0]\n"
                        "0.650 s  web #0 attempt 1: served by mid[0]\n"
                        "0.650 s  web #0 attempt 1: sent to db[0]\n"
                        "0.650 s  web #0 attempt 1: arrived at db[0]\n"
                        "0.650 s  web #0 attempt 1: started by db[0]\n"
                        "0.750 s  web #0 has timed out\n"
                        "0.750 s  web #0 attempt 1: late reply from api[0]: an error\n"
                        "0.750 s  web #0 attempt 1: cancelled at db[0]\n"
                        "0.750 s  web #0 attempt 1: late reply from mid[0]: an error\n");
    /* Without it the work goes on to the end. */
    StoryRun run =
        story_run("run: {duration: 9s}\n" CLIENT("deadline: 0.5s") CARRIED, STORY_TRACE(one));
    ck_assert_ptr_nonnull(strstr(run.text, "1.650 s  web #0 attempt 1: late reply from api[0]"));
    ck_assert(!run.model->edges[1].is_watched);
    story_free(&run);
}
END_TEST

START_TEST(after_a_deadline_that_is_carried_along_no_call_is_made) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.15}};
    StoryRun run =
        story_run("run: {duration: 9s}\n" CLIENT(
                      "deadline: 0.5s, propagate: true") "services:\n"
                                                         "  api: {work: 0.3s, calls: [{to: db, "
                                                         "on_failure: ignore}]}\n"
                                                         "  db: {work: 0.1s}\n",
                  STORY_TRACE(two));
    /* The second has waited for the first: its own work ends at 0.7 s, its deadline was at 0.65. */
    ck_assert_ptr_nonnull(strstr(run.text, "0.700 s  web #1: not made: its deadline has passed\n"
                                           "0.700 s  web #1 attempt 1: late reply from api[0]\n"));
    ck_assert_double_eq(story_measure(&run, "db", METRIC_offered), 1);
    story_free(&run);
}
END_TEST

START_TEST(the_nearer_of_two_deadlines_counts) {
    static const struct {
        const char *outer, *inner, *ends;
    } cases[] = {
        {"deadline: 3s, propagate: true", "deadline: 1s", "3.250 s"},
        {"deadline: 3s, propagate: true", "deadline: 1s, propagate: true", "1.350 s"},
        {"deadline: 1s, propagate: true", "deadline: 3s, propagate: true", "1.250 s"},
        {"deadline: 1s", "deadline: 3s, propagate: true", "3.350 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[600];
        snprintf(yaml, sizeof yaml,
                 "run: {duration: 20s}\n"
                 "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {%s}}}\n"
                 "services:\n"
                 "  api: {work: 0.1s, calls: [{to: mid, %s}]}\n"
                 "  mid: {work: 0.1s, calls: [{to: db}]}\n"
                 "  db: {work: 10s, cancel_on_timeout: anywhere}\n",
                 cases[i].outer, cases[i].inner);
        StoryRun run = story_run(yaml, STORY_TRACE(one));
        char line[100];
        snprintf(line, sizeof line, "%s  web #0 attempt 1: cancelled at db[0]", cases[i].ends);
        ck_assert_msg(strstr(run.text, line) != NULL, "no %s in\n%s", line, run.text);
        story_free(&run);
    }
}
END_TEST

TEST_SUITE("models/policy_story", a_deadline_that_is_carried_along_ends_all_calls_below,
           after_a_deadline_that_is_carried_along_no_call_is_made,
           the_nearer_of_two_deadlines_counts,
           a_failure_may_ask_for_a_wait_and_its_caller_may_listen,
           a_wait_that_is_asked_for_is_the_refusals_own,
           a_percentage_counts_backoffs_and_retries_that_are_out)
