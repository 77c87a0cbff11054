/* Circuit breakers in the flow: who is refused, what is retried, what is told and measured. */
#include <stdio.h>

#include "tests/models/story.h"

#define CLIENT(call)                                                                               \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

#define BROKEN                                                                                     \
    "services: {api: {work: 10ms}}\nfaults: [{at: 0s, for: 2s, errors: {service: api}}]\n"

static const TraceArrival five[] = {
    {.at_s = 0.1}, {.at_s = 0.3}, {.at_s = 0.5}, {.at_s = 2.5}, {.at_s = 2.7}};

START_TEST(an_open_breaker_refuses_at_once_until_a_probe_has_succeeded) {
    static const char yaml[] =
        "run: {duration: 9s}\n" CLIENT("circuit_breaker: {consecutive: {failures: 2, open: 2s}}")
            BROKEN;
    story_with_trace_is(yaml, STORY_TRACE(five),
                        "0.000 s  fault begins: errors api\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.110 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
                        "0.110 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.110 s  web #0 has failed\n"
                        "0.300 s  web #1 attempt 1: sent to api[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.300 s  web #1 attempt 1: started by api[0]\n"
                        "0.310 s  web #1 attempt 1: served by api[0]: in vain: an error\n"
                        "0.310 s  web #1 attempt 1: reply from api[0]: an error\n"
                        "0.310 s  breaker opens at web: web->api\n"
                        "0.310 s  web #1 has failed\n"
                        "0.500 s  web #2 attempt 1: held back: the circuit breaker is open\n"
                        "0.500 s  web #2 was refused\n"
                        "2.000 s  fault ends: errors api\n"
                        "2.500 s  breaker half opens at web: web->api\n"
                        "2.500 s  web #3 attempt 1: sent to api[0]\n"
                        "2.500 s  web #3 attempt 1: arrived at api[0]\n"
                        "2.500 s  web #3 attempt 1: started by api[0]\n"
                        "2.510 s  web #3 attempt 1: served by api[0]\n"
                        "2.510 s  web #3 attempt 1: reply from api[0]\n"
                        "2.510 s  breaker closes at web: web->api\n"
                        "2.510 s  web #3 is answered\n"
                        "2.700 s  web #4 attempt 1: sent to api[0]\n"
                        "2.700 s  web #4 attempt 1: arrived at api[0]\n"
                        "2.700 s  web #4 attempt 1: started by api[0]\n"
                        "2.710 s  web #4 attempt 1: served by api[0]\n"
                        "2.710 s  web #4 attempt 1: reply from api[0]\n"
                        "2.710 s  web #4 is answered\n");
    StoryRun run = story_run(yaml, STORY_TRACE(five));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_held_back), 1);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 4);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_refused), 1);
    ck_assert_double_eq(story_measure(&run, "api", METRIC_offered), 4);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_open_breakers), (2.5 - 0.31) / 9,
                            1e-12);
    ck_assert_double_eq(story_measure(&run, "api", METRIC_open_breakers), 0);
    story_free(&run);
}
END_TEST

START_TEST(a_refusal_by_the_breaker_is_retried_if_retry_on_says_so) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.3}};
    story_with_trace_is(
        "run: {duration: 9s}\n" CLIENT(
            "circuit_breaker: {consecutive: {failures: 1, open: 2s}}, retry_on: refused, retry: "
            "{fixed: {max_attempts: 3, delay: 1s}}") "services: {api: {work: 10ms}}\n"
                                                     "faults: [{at: 0s, for: 0.2s, errors: "
                                                     "{service: api, after: 0s}}]\n",
        STORY_TRACE(two),
        "0.000 s  fault begins: errors api\n"
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.100 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
        "0.100 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.100 s  breaker opens at web: web->api\n"
        "0.100 s  web #0 has failed\n"
        "0.200 s  fault ends: errors api\n"
        "0.300 s  web #1 attempt 1: held back: the circuit breaker is open\n"
        "1.300 s  web #1 attempt 2: held back: the circuit breaker is open\n"
        "2.300 s  breaker half opens at web: web->api\n"
        "2.300 s  web #1 attempt 3: sent to api[0]\n"
        "2.300 s  web #1 attempt 3: arrived at api[0]\n"
        "2.300 s  web #1 attempt 3: started by api[0]\n"
        "2.310 s  web #1 attempt 3: served by api[0]\n"
        "2.310 s  web #1 attempt 3: reply from api[0]\n"
        "2.310 s  breaker closes at web: web->api\n"
        "2.310 s  web #1 is answered\n");
}
END_TEST

START_TEST(each_instance_has_a_breaker_of_its_own) {
    StoryRun run = story_run(
        "run: {duration: 9s}\n" CLIENT(
            "instances: 2, circuit_breaker: {consecutive: {failures: 1, open: 5s}}") BROKEN,
        STORY_TRACE(five));
    ck_assert_ptr_nonnull(strstr(run.text, "0.110 s  breaker opens at web[0]: web->api\n"));
    ck_assert_ptr_nonnull(strstr(run.text, "0.310 s  breaker opens at web[1]: web->api\n"));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_held_back), 3);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_open_breakers),
                            (9 - 0.11 + 9 - 0.31) / 9, 1e-12);
    story_free(&run);
}
END_TEST

START_TEST(a_timeout_and_a_deadline_are_failures_to_the_breaker) {
    static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 0.3}, {.at_s = 4}};
    static const char *const calls[] = {"timeout: 0.5s", "deadline: 0.5s"};
    for (int i = 0; i < 2; i++) {
        char yaml[400];
        snprintf(yaml, sizeof yaml,
                 "run: {duration: 9s}\n"
                 "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {%s, "
                 "circuit_breaker: {consecutive: {failures: 2}}}}}\n"
                 "services: {api: {server: {pool: {concurrency: 9}}, work: 1s}}\n",
                 calls[i]);
        StoryRun run = story_run(yaml, STORY_TRACE(three));
        ck_assert_msg(strstr(run.text, "0.800 s  breaker opens at web: web->api\n") != NULL, "%s",
                      run.text);
        ck_assert_double_eq(story_measure(&run, "web", METRIC_held_back), 1);
        story_free(&run);
    }
}
END_TEST

/* The inner call is cut short because its caller gave up: that says nothing of the service. */
START_TEST(a_probe_that_its_caller_gives_up_is_given_back) {
    static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 2.5}, {.at_s = 4}};
    StoryRun run =
        story_run("run: {duration: 9s}\n" CLIENT(
                      "timeout: 1s") "services:\n"
                                     "  api: {work: 1ms, server: {pool: {concurrency: 9}}, "
                                     "cancel_on_timeout: anywhere, "
                                     "calls: [{to: db, circuit_breaker: {consecutive: {failures: "
                                     "1, open: 2s}}}]}\n"
                                     "  db: {work: 0.1s, server: {pool: {concurrency: 9}}}\n"
                                     "faults: [{at: 0s, for: 1s, errors: {service: db}}, {at: 2s, "
                                     "for: 1s, slow: {service: "
                                     "db, x: 30}}]\n",
                  STORY_TRACE(three));
    /* #1 is the probe, is given up at 3.5 s while the breaker is half open; #2 is the next one. */
    ck_assert_ptr_nonnull(strstr(run.text, "2.501 s  breaker half opens at api: api->db\n"));
    ck_assert_ptr_nonnull(strstr(run.text, "4.101 s  breaker closes at api: api->db\n"));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_answered), 1);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/breaker_story", an_open_breaker_refuses_at_once_until_a_probe_has_succeeded,
           a_refusal_by_the_breaker_is_retried_if_retry_on_says_so,
           each_instance_has_a_breaker_of_its_own,
           a_timeout_and_a_deadline_are_failures_to_the_breaker,
           a_probe_that_its_caller_gives_up_is_given_back)
