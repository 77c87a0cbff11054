/* Hedges told step by step, and what they learn of quantiles. */
#include <math.h>
#include <stdio.h>

#include "models/clients/hedge.h"
#include "tests/models/story.h"

#define CLIENT(call)                                                                               \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

static const TraceArrival one[] = {{.at_s = 0.25}};

START_TEST(a_hedge_goes_to_another_replica_and_the_first_answer_gives_up_the_other) {
    static const char yaml[] = "run: {duration: 9s}\n" CLIENT(
        "hedge: {fixed: {after: 0.3s}}") "services: {api: {replicas: 2, route: round_robin, work: "
                                         "1s, cancel_on_timeout: "
                                         "anywhere}}\n"
                                         "faults: [{at: 0s, for: 1s, slow: {service: api, "
                                         "replicas: 1, x: 5}}]\n";
    story_with_trace_is(yaml, STORY_TRACE(one),
                        "0.000 s  fault begins: slow api\n"
                        "0.250 s  web #0 attempt 1: sent to api[0]\n"
                        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.250 s  web #0 attempt 1: started by api[0]\n"
                        "0.550 s  web #0 attempt 2: sent to api[1]\n"
                        "0.550 s  web #0 attempt 2: arrived at api[1]\n"
                        "0.550 s  web #0 attempt 2: started by api[1]\n"
                        "1.000 s  fault ends: slow api\n"
                        "1.550 s  web #0 attempt 2: served by api[1]\n"
                        "1.550 s  web #0 attempt 2: reply from api[1]\n"
                        "1.550 s  web #0 attempt 1: cancelled at api[0]\n"
                        "1.550 s  web #0 is answered\n");
    StoryRun run = story_run(yaml, STORY_TRACE(one));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_hedges), 1);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 2);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_latency_max), 1.3);
    ck_assert_double_eq_tol(story_measure(&run, "api", METRIC_wasted_ratio), 1.3 / 2.3, 1e-12);
    story_free(&run);
}
END_TEST

START_TEST(a_loser_works_on_where_nobody_tells_it) {
    story_with_trace_is(
        "run: {duration: 9s}\n" CLIENT(
            "hedge: {fixed: {after: 0.3s, max: 2}}") "services: {api: {server: {pool: "
                                                     "{concurrency: 9}}, work: 0.5s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "0.550 s  web #0 attempt 2: sent to api[0]\n"
        "0.550 s  web #0 attempt 2: arrived at api[0]\n"
        "0.550 s  web #0 attempt 2: started by api[0]\n"
        "0.750 s  web #0 attempt 1: served by api[0]\n"
        "0.750 s  web #0 attempt 1: reply from api[0]\n"
        "0.750 s  web #0 is answered\n"
        "1.050 s  web #0 attempt 2: served by api[0]\n"
        "1.050 s  web #0 attempt 2: late reply from api[0]\n");
}
END_TEST

/* gRPC A6: a failure that is not fatal sends the next hedge at once, though another is out. */
START_TEST(a_failure_sends_the_next_hedge_at_once) {
    story_with_trace_is(
        "run: {duration: 9s}\n" CLIENT(
            "hedge: {fixed: {after: 0.3s, max: 2}}") "services: {api: {server: {pool: "
                                                     "{concurrency: 9}}, work: 1s}}\n"
                                                     "faults: [{at: 0.5s, for: 0.2s, errors: "
                                                     "{service: api, after: 0.02s}}]\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "0.500 s  fault begins: errors api\n"
        "0.550 s  web #0 attempt 2: sent to api[0]\n"
        "0.550 s  web #0 attempt 2: arrived at api[0]\n"
        "0.550 s  web #0 attempt 2: started by api[0]\n"
        "0.570 s  web #0 attempt 2: served by api[0]: in vain: an error\n"
        "0.570 s  web #0 attempt 2: reply from api[0]: an error\n"
        "0.570 s  web #0 attempt 3: sent to api[0]\n"
        "0.570 s  web #0 attempt 3: arrived at api[0]\n"
        "0.570 s  web #0 attempt 3: started by api[0]\n"
        "0.590 s  web #0 attempt 3: served by api[0]: in vain: an error\n"
        "0.590 s  web #0 attempt 3: reply from api[0]: an error\n"
        "0.700 s  fault ends: errors api\n"
        "1.250 s  web #0 attempt 1: served by api[0]\n"
        "1.250 s  web #0 attempt 1: reply from api[0]\n"
        "1.250 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_fatal_failure_ends_the_call_with_all_its_attempts) {
    story_with_trace_is("run: {duration: 9s}\n" CLIENT(
                            "hedge: {fixed: {after: 0.3s, max: 3}}, retry_on: timeout, "
                            "retry: fixed") "services: {api: {server: {pool: {concurrency: 9}}, "
                                            "work: 1s, cancel_on_timeout: "
                                            "anywhere}}\n"
                                            "faults: [{at: 0.5s, for: 0.2s, errors: {service: api, "
                                            "after: 0.02s}}]\n",
                        STORY_TRACE(one),
                        "0.250 s  web #0 attempt 1: sent to api[0]\n"
                        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.250 s  web #0 attempt 1: started by api[0]\n"
                        "0.500 s  fault begins: errors api\n"
                        "0.550 s  web #0 attempt 2: sent to api[0]\n"
                        "0.550 s  web #0 attempt 2: arrived at api[0]\n"
                        "0.550 s  web #0 attempt 2: started by api[0]\n"
                        "0.570 s  web #0 attempt 2: served by api[0]: in vain: an error\n"
                        "0.570 s  web #0 attempt 2: reply from api[0]: an error\n"
                        "0.570 s  web #0 attempt 1: cancelled at api[0]\n"
                        "0.570 s  web #0 has failed\n"
                        "0.700 s  fault ends: errors api\n");
}
END_TEST

/* Finagle: failures send nothing, and one that is alone ends the try. Retries come after. */
START_TEST(only_time_sends_hedges_where_failures_do_not) {
    story_with_trace_is(
        "run: {duration: 9s}\n" CLIENT(
            "hedge: {fixed: {after: 0.3s, next_on_failure: false}}, retry: {fixed: {max_attempts: "
            "2, delay: 0.4s}}") "services: {api: {server: {pool: {concurrency: 9}}, work: 1s}}\n"
                                "faults: [{at: 0s, for: 0.7s, errors: {service: api, after: "
                                "0.02s}}]\n",
        STORY_TRACE(one),
        "0.000 s  fault begins: errors api\n"
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "0.270 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
        "0.270 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.670 s  web #0 attempt 2: sent to api[0]\n"
        "0.670 s  web #0 attempt 2: arrived at api[0]\n"
        "0.670 s  web #0 attempt 2: started by api[0]\n"
        "0.690 s  web #0 attempt 2: served by api[0]: in vain: an error\n"
        "0.690 s  web #0 attempt 2: reply from api[0]: an error\n"
        "0.690 s  web #0 has failed\n"
        "0.700 s  fault ends: errors api\n");
}
END_TEST

/* Everything fails at once: the first try and two hedges, then the retry, which has none left. */
START_TEST(hedges_do_not_count_as_tries_and_are_counted_for_the_whole_call) {
    static const char yaml[] = "run: {duration: 9s}\n" CLIENT(
        "hedge: {fixed: {after: 5s, max: 2}}, timeout: [1s, 0.5s], retry: {fixed: "
        "{max_attempts: 2, delay: 1.5s}}") "services: {api: {server: {pool: {concurrency: 9}}, "
                                           "work: 7s}}\n"
                                           "faults: [{at: 0s, for: 1.5s, errors: {service: api, "
                                           "after: 0s}}]\n";
    StoryRun run = story_run(yaml, STORY_TRACE(one));
    ck_assert_ptr_nonnull(strstr(run.text, "0.250 s  web #0 attempt 3: sent"));
    ck_assert_ptr_nonnull(strstr(run.text, "1.750 s  web #0 attempt 4: sent"));
    ck_assert_ptr_nonnull(strstr(run.text, "2.250 s  web #0 attempt 4: timeout"));
    ck_assert_ptr_nonnull(strstr(run.text, "2.250 s  web #0 has timed out"));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_hedges), 2);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 4);
    story_free(&run);
}
END_TEST

/* Both that are out fail at one instant: one hedge is sent for them, and one that is asked never to
 * be retried sends none. */
START_TEST(two_failures_at_once_send_one_hedge_each_while_there_are_some) {
    StoryRun run =
        story_run("run: {duration: 9s}\n" CLIENT(
                      "hedge: {fixed: {after: 0s, max: 3}}") "services: {api: {server: {pool: "
                                                             "{concurrency: 2}}, work: 5s}}\n"
                                                             "faults: [{at: 0.4s, crash: {service: "
                                                             "api, restart: 0.1s}}]\n",
                  STORY_TRACE(one));
    /* Of the four two work and two wait at 0.25 s, and all fail in the crash. */
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 4);
    ck_assert_ptr_nonnull(strstr(run.text, "0.400 s  web #0 has failed"));
    story_free(&run);
    run = story_run(
        "run: {duration: 9s}\n" CLIENT("hedge: {fixed: {after: 5s, max: 3}}, retry_after: "
                                       "at_least") "services: {api: {work: 5s}}\n"
                                                   "faults: [{at: 0s, for: 1s, errors: "
                                                   "{service: api, after: 0s, "
                                                   "retry_after: never}}]\n",
        STORY_TRACE(one));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 1);
    story_free(&run);
    run = story_run(
        "run: {duration: 9s}\n" CLIENT("hedge: {fixed: {after: 5s, max: 1}}, retry_after: "
                                       "at_least") "services: {api: {work: 5s}}\n"
                                                   "faults: [{at: 0s, for: 1s, errors: "
                                                   "{service: api, after: 0s, "
                                                   "retry_after: 2.3s}}]\n",
        STORY_TRACE(one));
    ck_assert_ptr_nonnull(strstr(run.text, "2.550 s  web #0 attempt 2: sent"));
    story_free(&run);
}
END_TEST

START_TEST(budgets_and_breakers_hold_hedges_back) {
    static const TraceArrival four[] = {{.at_s = 0.1}, {.at_s = 1.1}, {.at_s = 2.1}, {.at_s = 3.1}};
    StoryRun run = story_run(
        "run: {duration: 9s}\n" CLIENT(
            "hedge: {fixed: {after: 0.3s}}, retry_budget: {token_bucket: {capacity: 2, cost: 1, "
            "refund: 0}}") "services: {api: {server: {pool: {concurrency: 9}}, work: 0.5s}}\n",
        STORY_TRACE(four));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_hedges), 2);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_answered), 4);
    story_free(&run);
    run = story_run(
        "run: {duration: 9s}\n" CLIENT(
            "hedge: {fixed: {after: 0.3s, max_extra: 50%}}") "services: {api: {server: {pool: "
                                                             "{concurrency: 9}}, work: 0.5s}}\n",
        STORY_TRACE(four));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_hedges), 2);
    ck_assert_ptr_null(strstr(run.text, "#0 attempt 2"));
    ck_assert_ptr_nonnull(strstr(run.text, "#1 attempt 2"));
    story_free(&run);
    /* A hedge that its own caller holds back ends nothing. */
    run = story_run("run: {duration: 9s}\n" CLIENT(
                        "hedge: {fixed: {after: 0.3s, max: 2}}, timeout: [0.2s, 2s], retry: "
                        "{fixed: {max_attempts: 2, delay: 0s}}, circuit_breaker: {consecutive: "
                        "{failures: 1, open: 0.1s}}") "services: {api: {server: {pool: "
                                                      "{concurrency: 9}}, work: 1.4s}}\n",
                    STORY_TRACE(one));
    ck_assert_ptr_nonnull(strstr(run.text, "0.450 s  web #0 attempt 2: held back"));
    story_free(&run);
}
END_TEST

START_TEST(deadlines_and_callers_that_go_end_all_attempts) {
    StoryRun run =
        story_run("run: {duration: 9s}\n" CLIENT("hedge: {fixed: {after: 0.1s, max: 3}}, deadline: "
                                                 "0.35s") "services: {api: {server: {pool: "
                                                          "{concurrency: 9}}, work: 1.4s, "
                                                          "cancel_on_timeout: "
                                                          "anywhere}}\n",
                  STORY_TRACE(one));
    ck_assert_ptr_nonnull(strstr(run.text, "0.550 s  web #0 attempt 4: sent"));
    ck_assert_ptr_nonnull(strstr(run.text, "0.600 s  web #0 attempt 1: cancelled"));
    ck_assert_ptr_nonnull(strstr(run.text, "0.600 s  web #0 has timed out"));
    story_free(&run);
}
END_TEST

/* The second attempt is cancelled in service at its timeout, and the slot goes to the third, which
 * is shed after waiting: both failures are of one instant, and one retry follows. */
START_TEST(a_hedge_may_fail_while_another_attempt_is_taken_out) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 1.2}};
    StoryRun run = story_run("run: {duration: 3s}\n" CLIENT(
                                 "timeout: 1s, retry_on: [timeout, refused], hedge: {fixed: "
                                 "{after: 0.45s, max: 2, "
                                 "next_on_failure: false}}, retry: {fixed: {max_attempts: 2, "
                                 "delay: 0.3s}}") "services: {api: {work: 3s, cancel_on_timeout: "
                                                  "anywhere, shed: {codel: {target: 1ms, "
                                                  "interval: 1ms}}}}\n",
                             STORY_TRACE(two));
    ck_assert_ptr_nonnull(strstr(run.text,
                                 "1.550 s  web #0 attempt 2: timeout, waiting for api[0]\n"
                                 "1.550 s  web #0 attempt 2: cancelled at api[0]\n"
                                 "1.550 s  web #0 attempt 3: refused by api[0]: shed"));
    ck_assert_ptr_nonnull(strstr(run.text, "1.850 s  web #0 attempt 4: sent to api[0]\n"));
    ck_assert_ptr_null(strstr(run.text, "#0 attempt 5"));
    story_free(&run);
}
END_TEST

/* ---- The quantile */

typedef struct Learner {
    Model *model;
    const HedgeOps *ops;
    const void *params;
    void *state;
} Learner;

static Learner learner_open(const char *params) {
    char yaml[400];
    snprintf(yaml, sizeof yaml,
             "clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}, call: {hedge: "
             "{quantile: {%s}}}}}\n"
             "services: {api: {work: 1ms}}\n",
             params);
    Learner learner = {.model = story_compile(yaml)};
    const Component *hedge = &learner.model->edges[0].hedge;
    learner.ops = hedge->kind->ops;
    learner.params = hedge->params;
    learner.state = calloc(1, hedge->kind->state_size);
    return learner;
}

static void learner_free(Learner *learner) {
    free(learner->state);
    model_destroy(learner->model);
}

static void learn(Learner *learner, double at_s, double took_s, Outcome outcome) {
    AttemptResult result = {time_from_s(at_s), time_from_s(took_s), outcome, false};
    learner->ops->on_attempt(learner->params, learner->state, &result);
}

static double after_s(Learner *learner, double at_s) {
    SimTime after = learner->ops->after(learner->params, learner->state, time_from_s(at_s));
    return after == SIM_TIME_NEVER ? INFINITY : time_to_s(after);
}

START_TEST(a_quantile_is_learnt_to_three_per_cent_from_the_last_window) {
    Learner learner = learner_open("after: p90, window: 30s, min_samples: 50");
    for (int i = 1; i <= 49; i++) {
        learn(&learner, 0.1, i * 0.01, OUTCOME_OK);
    }
    ck_assert(isinf(after_s(&learner, 1)));
    learn(&learner, 1, 0.5, OUTCOME_COUNT); /* given up after 0.5 s */
    for (int i = 0; i < 100; i++) {
        learn(&learner, 1, 0.0001, i % 2 == 0 ? OUTCOME_ERROR : OUTCOME_REFUSED);
    }
    ck_assert_double_eq_tol(after_s(&learner, 2), 0.45, 0.45 * 0.033);
    for (int i = 1; i <= 1000; i++) {
        learn(&learner, 4, i * 0.001, OUTCOME_TIMEOUT);
    }
    ck_assert_double_eq_tol(after_s(&learner, 4.9), 0.45, 0.45 * 0.033); /* looked at 2.9 s ago */
    ck_assert_double_eq_tol(after_s(&learner, 5), 0.897, 0.897 * 0.033);
    for (int i = 1; i <= 1000; i++) {
        learn(&learner, 21, i * 0.01, OUTCOME_OK); /* in the second half window: they join */
    }
    ck_assert_double_eq_tol(after_s(&learner, 22), 7.95, 7.95 * 0.05);
    ck_assert_double_eq_tol(after_s(&learner, 31), 9, 9 * 0.033); /* the first half has gone */
    ck_assert(isinf(after_s(&learner, 100)));
    learner_free(&learner);
}
END_TEST

TEST_SUITE("models/hedge_story",
           a_hedge_goes_to_another_replica_and_the_first_answer_gives_up_the_other,
           a_loser_works_on_where_nobody_tells_it, a_failure_sends_the_next_hedge_at_once,
           a_fatal_failure_ends_the_call_with_all_its_attempts,
           only_time_sends_hedges_where_failures_do_not,
           hedges_do_not_count_as_tries_and_are_counted_for_the_whole_call,
           two_failures_at_once_send_one_hedge_each_while_there_are_some,
           budgets_and_breakers_hold_hedges_back, deadlines_and_callers_that_go_end_all_attempts,
           a_hedge_may_fail_while_another_attempt_is_taken_out,
           a_quantile_is_learnt_to_three_per_cent_from_the_last_window)
