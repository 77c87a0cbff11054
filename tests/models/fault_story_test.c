/* Crashes, errors, slowness and partitions, told step by step. */
#include <stdio.h>
#include <string.h>

#include "tests/models/story.h"

#define WEB(call)                                                                                  \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.35}};
static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 0.35}, {.at_s = 1.2}};

START_TEST(a_crash_fails_what_runs_and_waits_and_refuses_until_the_restart) {
    static const TraceArrival four[] = {
        {.at_s = 0.1}, {.at_s = 0.35}, {.at_s = 1.2}, {.at_s = 2.15}};
    story_with_trace_is(WEB("") "services: {api: {work: 1.1s}}\n"
                                "faults: [{at: 0.65s, crash: {service: api, restart: 1.3s}}]\n",
                        STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.650 s  fault begins: crash api\n"
                        "0.650 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
                        "0.650 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.650 s  web #0 has failed\n"
                        "0.650 s  web #1 attempt 1: failed at api[0]: the replica crashed\n"
                        "0.650 s  web #1 attempt 1: reply from api[0]: an error\n"
                        "0.650 s  web #1 has failed\n"
                        "1.200 s  web #2 attempt 1: sent to api[0]\n"
                        "1.200 s  web #2 attempt 1: refused by api[0]: the replica is down\n"
                        "1.200 s  web #2 attempt 1: reply from api[0]: refused\n"
                        "1.200 s  web #2 was refused\n"
                        "1.950 s  fault ends: crash api\n"
                        "2.150 s  web #3 attempt 1: sent to api[0]\n"
                        "2.150 s  web #3 attempt 1: arrived at api[0]\n"
                        "2.150 s  web #3 attempt 1: started by api[0]\n"
                        "3.250 s  web #3 attempt 1: served by api[0]\n"
                        "3.250 s  web #3 attempt 1: reply from api[0]\n"
                        "3.250 s  web #3 is answered\n");
}
END_TEST

START_TEST(a_crash_is_an_error_to_those_it_hits_and_a_refusal_to_those_who_come) {
    story_with_trace_is(
        WEB("retry_on: error, retry: {fixed: {max_attempts: 3, delay: 0.45s}}") "services: {api: "
                                                                                "{work: 1.1s}}\n"
                                                                                "faults: [{at: "
                                                                                "0.65s, for: 2s, "
                                                                                "crash: {service: "
                                                                                "api}}]\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.650 s  fault begins: crash api\n"
        "0.650 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
        "0.650 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.650 s  web #1 attempt 1: failed at api[0]: the replica crashed\n"
        "0.650 s  web #1 attempt 1: reply from api[0]: an error\n"
        "1.100 s  web #0 attempt 2: sent to api[0]\n"
        "1.100 s  web #0 attempt 2: refused by api[0]: the replica is down\n"
        "1.100 s  web #0 attempt 2: reply from api[0]: refused\n"
        "1.100 s  web #0 was refused\n"
        "1.100 s  web #1 attempt 2: sent to api[0]\n"
        "1.100 s  web #1 attempt 2: refused by api[0]: the replica is down\n"
        "1.100 s  web #1 attempt 2: reply from api[0]: refused\n"
        "1.100 s  web #1 was refused\n"
        "2.650 s  fault ends: crash api\n");
}
END_TEST

START_TEST(a_crashed_inference_server_loads_its_model_before_it_serves_again) {
    static const TraceArrival four[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 90},
                                        {.at_s = 1.2, .input_tokens = 20, .output_tokens = 1},
                                        {.at_s = 2.9, .input_tokens = 20, .output_tokens = 1},
                                        {.at_s = 3.15, .input_tokens = 20, .output_tokens = 1}};
    StoryRun run = story_run(
        WEB("") "services: {api: {server: {inference: {kv_blocks: 99, load_time: 2.5s, step:\n"
                "  {linear: {base: 10ms}}}}}}\n"
                "faults: [{at: 0.35s, crash: {service: api, restart: 0.25s}}]\n",
        STORY_TRACE(four));
    const char *const told[] = {"0.600 s  loading begins at api[0]\n",
                                "2.900 s  web #2 attempt 1: refused by api[0]: the replica is down",
                                "3.100 s  loading ends at api[0]\n", "3.160 s  web #3 is answered"};
    const char *at = run.text;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        at = strstr(at, told[i]);
        ck_assert_msg(at != NULL, "%s is not in\n%s", told[i], run.text);
    }
    story_free(&run);
}
END_TEST

START_TEST(a_black_hole_is_silent_and_only_timeouts_tell) {
    story_with_trace_is(WEB("timeout: 1.7s") "services: {api: {work: 1.1s}}\n"
                                             "faults: [{at: 0.65s, for: 2s, crash: {service: api, "
                                             "mode: blackhole}}]\n",
                        STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.650 s  fault begins: crash api\n"
                        "0.650 s  web #0 attempt 1: lost at api[0]: the replica crashed\n"
                        "0.650 s  web #1 attempt 1: lost at api[0]: the replica crashed\n"
                        "1.200 s  web #2 attempt 1: sent to api[0]\n"
                        "1.200 s  web #2 attempt 1: lost at api[0]: the replica is silent\n"
                        "1.800 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "1.800 s  web #0 has timed out\n"
                        "2.050 s  web #1 attempt 1: timeout, waiting for api[0]\n"
                        "2.050 s  web #1 has timed out\n"
                        "2.650 s  fault ends: crash api\n"
                        "2.900 s  web #2 attempt 1: timeout, waiting for api[0]\n"
                        "2.900 s  web #2 has timed out\n");
}
END_TEST

START_TEST(without_a_timeout_a_black_hole_keeps_its_callers_for_ever) {
    story_with_trace_is(
        WEB("") "services: {api: {work: 1.1s}}\n"
                "faults: [{at: 0.65s, for: 2s, crash: {service: api, mode: blackhole}}]\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.650 s  fault begins: crash api\n"
        "0.650 s  web #0 attempt 1: lost at api[0]: the replica crashed\n"
        "0.650 s  web #1 attempt 1: lost at api[0]: the replica crashed\n"
        "2.650 s  fault ends: crash api\n"
        "60.000 s  web #0 is unfinished\n"
        "60.000 s  web #1 is unfinished\n");
}
END_TEST

START_TEST(routers_keep_sending_to_a_crashed_replica_that_is_not_known) {
    /* A replica that refuses at once always has the fewest outstanding: it draws the traffic. */
    story_with_trace_is(
        WEB("") "services: {api: {work: 1.1s, replicas: 2, route: least_requests}}\n"
                "faults: [{at: 0s, for: 2s, crash: {service: api, replicas: 1}}]\n",
        STORY_TRACE(((const TraceArrival[]){
            {.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}, {.at_s = 0.5}})),

        "0.000 s  fault begins: crash api\n"
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: refused by api[0]: the replica is down\n"
        "0.100 s  web #0 attempt 1: reply from api[0]: refused\n"
        "0.100 s  web #0 was refused\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: refused by api[0]: the replica is down\n"
        "0.200 s  web #1 attempt 1: reply from api[0]: refused\n"
        "0.200 s  web #1 was refused\n"
        "0.300 s  web #2 attempt 1: sent to api[1]\n"
        "0.300 s  web #2 attempt 1: arrived at api[1]\n"
        "0.300 s  web #2 attempt 1: started by api[1]\n"
        "0.400 s  web #3 attempt 1: sent to api[0]\n"
        "0.400 s  web #3 attempt 1: refused by api[0]: the replica is down\n"
        "0.400 s  web #3 attempt 1: reply from api[0]: refused\n"
        "0.400 s  web #3 was refused\n"
        "0.500 s  web #4 attempt 1: sent to api[0]\n"
        "0.500 s  web #4 attempt 1: refused by api[0]: the replica is down\n"
        "0.500 s  web #4 attempt 1: reply from api[0]: refused\n"
        "0.500 s  web #4 was refused\n"
        "1.400 s  web #2 attempt 1: served by api[1]\n"
        "1.400 s  web #2 attempt 1: reply from api[1]\n"
        "1.400 s  web #2 is answered\n"
        "2.000 s  fault ends: crash api\n");
}
END_TEST

START_TEST(routers_send_nothing_to_a_crashed_replica_that_is_known) {
    story_with_trace_is(
        WEB("") "services: {api: {work: 1.1s, replicas: 2, route: round_robin}}\n"
                "faults: [{at: 0.2s, for: 1s, crash: {service: api, replicas: 1, known: true}}]\n",
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  fault begins: crash api\n"
        "0.200 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
        "0.200 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.200 s  web #0 has failed\n"
        "0.350 s  web #1 attempt 1: sent to api[1]\n"
        "0.350 s  web #1 attempt 1: arrived at api[1]\n"
        "0.350 s  web #1 attempt 1: started by api[1]\n"
        "1.200 s  fault ends: crash api\n"
        "1.200 s  web #2 attempt 1: sent to api[1]\n"
        "1.200 s  web #2 attempt 1: arrived at api[1]\n"
        "1.450 s  web #1 attempt 1: served by api[1]\n"
        "1.450 s  web #1 attempt 1: reply from api[1]\n"
        "1.450 s  web #1 is answered\n"
        "1.450 s  web #2 attempt 1: started by api[1]\n"
        "2.550 s  web #2 attempt 1: served by api[1]\n"
        "2.550 s  web #2 attempt 1: reply from api[1]\n"
        "2.550 s  web #2 is answered\n");
}
END_TEST

/* The poisoned request takes down the one replica, then the other. */
static StoryRun poison(const char *known) {
    char yaml[600];
    snprintf(yaml, sizeof yaml,
             WEB("retry: {fixed: {max_attempts: 2, delay: 0.05s}}") "services: {api: {work: 0.2s, "
                                                                    "replicas: 2, route: "
                                                                    "round_robin}}\n"
                                                                    "faults: [{at: 0s, for: 0.3s, "
                                                                    "poison: {service: api, "
                                                                    "restart: 1s%s}}]\n",
             known);
    return story_run(yaml, STORY_TRACE(three));
}

START_TEST(routers_send_nothing_where_poison_was_if_that_is_known) {
    StoryRun run = poison(", known: true");
    ck_assert_ptr_nonnull(strstr(run.text, "0.100 s  web #0 attempt 1: failed at api[0]"));
    ck_assert_ptr_nonnull(strstr(run.text, "0.150 s  web #0 attempt 2: failed at api[1]"));
    ck_assert_ptr_nonnull(
        strstr(run.text, "0.350 s  web #1 attempt 1: refused by api: no replica"));
    /* Both are back a second after their crash. */
    ck_assert_ptr_nonnull(strstr(run.text, "1.200 s  web #2 attempt 1: started by api[1]"));
    story_free(&run);
    run = poison("");
    ck_assert_ptr_nonnull(strstr(run.text, "0.350 s  web #1 attempt 1: refused by api[0]"));
    story_free(&run);
}
END_TEST

START_TEST(without_a_replica_known_to_be_up_callers_are_refused) {
    story_with_trace_is(
        WEB("") "services: {api: {work: 1.1s, replicas: 2}}\n"
                "faults: [{at: 0.2s, for: 1s, crash: {service: api, known: true}}]\n",
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  fault begins: crash api\n"
        "0.200 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
        "0.200 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.200 s  web #0 has failed\n"
        "0.350 s  web #1 attempt 1: refused by api: no replica is known to be up\n"
        "0.350 s  web #1 attempt 1: reply from api: refused\n"
        "0.350 s  web #1 was refused\n"
        "1.200 s  fault ends: crash api\n"
        "1.200 s  web #2 attempt 1: sent to api[1]\n"
        "1.200 s  web #2 attempt 1: arrived at api[1]\n"
        "1.200 s  web #2 attempt 1: started by api[1]\n"
        "2.300 s  web #2 attempt 1: served by api[1]\n"
        "2.300 s  web #2 attempt 1: reply from api[1]\n"
        "2.300 s  web #2 is answered\n");
}
END_TEST

START_TEST(a_crash_ends_the_calls_that_the_replica_had_made) {
    story_with_trace_is(WEB("") "services:\n"
                                "  api: {work: 0.2s, calls: [{to: back}]}\n"
                                "  back: {work: 1.1s, cancel_on_timeout: anywhere}\n"
                                "faults: [{at: 0.65s, for: 2s, crash: {service: api}}]\n",
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: sent to back[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at back[0]\n"
                        "0.300 s  web #0 attempt 1: started by back[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.550 s  web #1 attempt 1: served by api[0]\n"
                        "0.550 s  web #1 attempt 1: sent to back[0]\n"
                        "0.550 s  web #1 attempt 1: arrived at back[0]\n"
                        "0.650 s  fault begins: crash api\n"
                        "0.650 s  web #0 attempt 1: cancelled at back[0]\n"
                        "0.650 s  web #1 attempt 1: started by back[0]\n"
                        "0.650 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
                        "0.650 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.650 s  web #0 has failed\n"
                        "0.650 s  web #1 attempt 1: cancelled at back[0]\n"
                        "0.650 s  web #1 attempt 1: failed at api[0]: the replica crashed\n"
                        "0.650 s  web #1 attempt 1: reply from api[0]: an error\n"
                        "0.650 s  web #1 has failed\n"
                        "2.650 s  fault ends: crash api\n");
}
END_TEST

START_TEST(a_crash_takes_a_whole_batch_with_it) {
    story_with_trace_is(
        WEB("") "services: {api: {server: {batch: {max_batch_size: 2, min_batch_size: 2,"
                " step: 1.1s}}}}\n"
                "faults: [{at: 0.65s, for: 2s, crash: {service: api}}]\n",
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.350 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: started by api[0]\n"
        "0.650 s  fault begins: crash api\n"
        "0.650 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
        "0.650 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.650 s  web #0 has failed\n"
        "0.650 s  web #1 attempt 1: failed at api[0]: the replica crashed\n"
        "0.650 s  web #1 attempt 1: reply from api[0]: an error\n"
        "0.650 s  web #1 has failed\n"
        "1.200 s  web #2 attempt 1: sent to api[0]\n"
        "1.200 s  web #2 attempt 1: refused by api[0]: the replica is down\n"
        "1.200 s  web #2 attempt 1: reply from api[0]: refused\n"
        "1.200 s  web #2 was refused\n"
        "2.650 s  fault ends: crash api\n");
}
END_TEST

START_TEST(errors_take_the_full_work_unless_after_says_otherwise) {
    story_with_trace_is(WEB("") "services: {api: {work: 1.1s, server: {pool: {concurrency: 4}}}}\n"
                                "faults:\n"
                                "  - {at: 0s, for: 0.2s, errors: {service: api}}\n"
                                "  - {at: 0.3s, for: 0.2s, errors: {service: api, after: 0.37s}}\n",
                        STORY_TRACE(three),
                        "0.000 s  fault begins: errors api\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  fault ends: errors api\n"
                        "0.300 s  fault begins: errors api\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.500 s  fault ends: errors api\n"
                        "0.720 s  web #1 attempt 1: served by api[0]: in vain: an error\n"
                        "0.720 s  web #1 attempt 1: reply from api[0]: an error\n"
                        "0.720 s  web #1 has failed\n"
                        "1.200 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "1.200 s  web #0 has failed\n"
                        "1.200 s  web #2 attempt 1: sent to api[0]\n"
                        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
                        "1.200 s  web #2 attempt 1: started by api[0]\n"
                        "2.300 s  web #2 attempt 1: served by api[0]\n"
                        "2.300 s  web #2 attempt 1: reply from api[0]\n"
                        "2.300 s  web #2 is answered\n");
}
END_TEST

START_TEST(an_error_keeps_a_service_from_calling_others) {
    story_with_trace_is(WEB("") "services:\n"
                                "  api: {work: 0.2s, calls: [{to: back}]}\n"
                                "  back: {work: 1.1s}\n"
                                "faults: [{at: 0s, for: 0.2s, errors: {service: api}}]\n",
                        STORY_TRACE(two),
                        "0.000 s  fault begins: errors api\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  fault ends: errors api\n"
                        "0.300 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
                        "0.300 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.300 s  web #0 has failed\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.550 s  web #1 attempt 1: served by api[0]\n"
                        "0.550 s  web #1 attempt 1: sent to back[0]\n"
                        "0.550 s  web #1 attempt 1: arrived at back[0]\n"
                        "0.550 s  web #1 attempt 1: started by back[0]\n"
                        "1.650 s  web #1 attempt 1: served by back[0]\n"
                        "1.650 s  web #1 attempt 1: reply from back[0]\n"
                        "1.650 s  web #1 attempt 1: reply from api[0]\n"
                        "1.650 s  web #1 is answered\n");
}
END_TEST

START_TEST(slowness_multiplies_work_that_starts_while_it_is_on_and_faults_compose) {
    static const TraceArrival five[] = {
        {.at_s = 0.1}, {.at_s = 0.3}, {.at_s = 0.5}, {.at_s = 0.7}, {.at_s = 0.9}};
    /* x 1, x 3, x 3 x 2, x 2, x 1. */
    story_with_trace_is(WEB("") "services: {api: {work: 0.37s, server: {pool: {concurrency: 9}}}}\n"
                                "faults:\n"
                                "  - {at: 0.2s, for: 0.4s, slow: {service: api, x: 3}}\n"
                                "  - {at: 0.4s, for: 0.4s, slow: {service: api, x: 2}}\n",
                        STORY_TRACE(five),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  fault begins: slow api\n"
                        "0.300 s  web #1 attempt 1: sent to api[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.300 s  web #1 attempt 1: started by api[0]\n"
                        "0.400 s  fault begins: slow api\n"
                        "0.470 s  web #0 attempt 1: served by api[0]\n"
                        "0.470 s  web #0 attempt 1: reply from api[0]\n"
                        "0.470 s  web #0 is answered\n"
                        "0.500 s  web #2 attempt 1: sent to api[0]\n"
                        "0.500 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.500 s  web #2 attempt 1: started by api[0]\n"
                        "0.600 s  fault ends: slow api\n"
                        "0.700 s  web #3 attempt 1: sent to api[0]\n"
                        "0.700 s  web #3 attempt 1: arrived at api[0]\n"
                        "0.700 s  web #3 attempt 1: started by api[0]\n"
                        "0.800 s  fault ends: slow api\n"
                        "0.900 s  web #4 attempt 1: sent to api[0]\n"
                        "0.900 s  web #4 attempt 1: arrived at api[0]\n"
                        "0.900 s  web #4 attempt 1: started by api[0]\n"
                        "1.270 s  web #4 attempt 1: served by api[0]\n"
                        "1.270 s  web #4 attempt 1: reply from api[0]\n"
                        "1.270 s  web #4 is answered\n"
                        "1.410 s  web #1 attempt 1: served by api[0]\n"
                        "1.410 s  web #1 attempt 1: reply from api[0]\n"
                        "1.410 s  web #1 is answered\n"
                        "1.440 s  web #3 attempt 1: served by api[0]\n"
                        "1.440 s  web #3 attempt 1: reply from api[0]\n"
                        "1.440 s  web #3 is answered\n"
                        "2.720 s  web #2 attempt 1: served by api[0]\n"
                        "2.720 s  web #2 attempt 1: reply from api[0]\n"
                        "2.720 s  web #2 is answered\n");
}
END_TEST

START_TEST(a_partition_loses_what_is_sent_either_way_while_it_is_on) {
    /* The first is answered before, the second sends its request and the third its answer into the
     * partition; what travels when it begins arrives. */
    static const TraceArrival four[] = {
        {.at_s = 0.1}, {.at_s = 0.95}, {.at_s = 1.2}, {.at_s = 2.35}};
    story_with_trace_is(
        WEB("timeout: 2.3s") "services: {api: {work: 0.45s, server: {pool: {concurrency: 9}}}}\n"
                             "network: {default: {latency: 0.1s}}\n"
                             "faults: [{at: 1s, for: 1s, partition: {between: [web, api]}}]\n",
        STORY_TRACE(four),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.200 s  web #0 attempt 1: arrived at api[0]\n"
        "0.200 s  web #0 attempt 1: started by api[0]\n"
        "0.650 s  web #0 attempt 1: served by api[0]\n"
        "0.750 s  web #0 attempt 1: reply from api[0]\n"
        "0.750 s  web #0 is answered\n"
        "0.950 s  web #1 attempt 1: sent to api[0]\n"
        "1.000 s  fault begins: partition web api\n"
        "1.050 s  web #1 attempt 1: arrived at api[0]\n"
        "1.050 s  web #1 attempt 1: started by api[0]\n"
        "1.200 s  web #2 attempt 1: sent to api[0]\n"
        "1.500 s  web #1 attempt 1: served by api[0]\n"
        "2.000 s  fault ends: partition web api\n"
        "2.350 s  web #3 attempt 1: sent to api[0]\n"
        "2.450 s  web #3 attempt 1: arrived at api[0]\n"
        "2.450 s  web #3 attempt 1: started by api[0]\n"
        "2.900 s  web #3 attempt 1: served by api[0]\n"
        "3.000 s  web #3 attempt 1: reply from api[0]\n"
        "3.000 s  web #3 is answered\n"
        "3.250 s  web #1 attempt 1: timeout, waiting for api[0]\n"
        "3.250 s  web #1 has timed out\n"
        "3.500 s  web #2 attempt 1: timeout, waiting for api[0]\n"
        "3.500 s  web #2 has timed out\n");
}
END_TEST

/* The time at the start of the line that holds `at`. */
static double time_of(const char *text, const char *at) {
    while (at > text && at[-1] != '\n') {
        at--;
    }
    return strtod(at, NULL);
}

START_TEST(faults_alike_do_not_recur_in_step) {
    StoryRun run =
        story_run("run: {duration: 100s}\n"
                  "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                  "services: {api: {work: 1s}}\n"
                  "faults:\n"
                  "  - {every: {exponential: {mean: 9s}}, for: 2s, slow: {service: api, x: 2}}\n"
                  "  - {every: {exponential: {mean: 9s}}, for: 2s, slow: {service: api, x: 2}}\n",
                  STORY_TRACE(two));
    const char *first = strstr(run.text, "fault begins");
    const char *second = strstr(first + 1, "fault begins");
    ck_assert_double_ne(time_of(run.text, first), time_of(run.text, second));
    story_free(&run);
}
END_TEST

START_TEST(poison_at_the_very_start_is_as_unknown_as_later) {
    static const TraceArrival at_once[] = {{.at_s = 0}, {.at_s = 0.35}};
    StoryRun run = story_run(WEB("") "services: {api: {work: 0.2s}}\n"
                                     "faults: [{at: 0s, for: 0.3s, poison: {service: api}}]\n",
                             STORY_TRACE(at_once));
    ck_assert_ptr_nonnull(strstr(run.text, "0.000 s  web #0 attempt 1: failed at api[0]"));
    ck_assert_ptr_nonnull(strstr(run.text, "0.350 s  web #1 attempt 1: refused by api[0]"));
    story_free(&run);
}
END_TEST

START_TEST(who_is_struck_already_is_not_struck_again) {
    /* The first keeps it down for 5 s, for which the second comes too late. */
    static const TraceArrival at_once[] = {{.at_s = 0.1}, {.at_s = 0.1}, {.at_s = 2}};
    StoryRun run = story_run(WEB("") "services: {api: {work: 0.2s, server: {pool: {concurrency: "
                                     "2}}}}\n"
                                     "faults: [{at: 0s, poison: {service: api, restart: 5s}},\n"
                                     "  {at: 0s, poison: {service: api, restart: 1s}}]\n",
                             STORY_TRACE(at_once));
    const char *crash = strstr(run.text, "crash of api[0]");
    ck_assert_ptr_nonnull(crash);
    ck_assert_ptr_null(strstr(crash + 1, "crash of api[0]"));
    ck_assert_ptr_nonnull(strstr(run.text, "2.000 s  web #2 attempt 1: refused by api[0]"));
    story_free(&run);
}
END_TEST

TEST_SUITE("models/fault_story", a_crash_fails_what_runs_and_waits_and_refuses_until_the_restart,
           a_crash_is_an_error_to_those_it_hits_and_a_refusal_to_those_who_come,
           a_crashed_inference_server_loads_its_model_before_it_serves_again,
           a_black_hole_is_silent_and_only_timeouts_tell,
           without_a_timeout_a_black_hole_keeps_its_callers_for_ever,
           routers_keep_sending_to_a_crashed_replica_that_is_not_known,
           routers_send_nothing_to_a_crashed_replica_that_is_known,
           routers_send_nothing_where_poison_was_if_that_is_known,
           without_a_replica_known_to_be_up_callers_are_refused,
           a_crash_ends_the_calls_that_the_replica_had_made, a_crash_takes_a_whole_batch_with_it,
           errors_take_the_full_work_unless_after_says_otherwise,
           an_error_keeps_a_service_from_calling_others,
           slowness_multiplies_work_that_starts_while_it_is_on_and_faults_compose,
           a_partition_loses_what_is_sent_either_way_while_it_is_on,
           faults_alike_do_not_recur_in_step, poison_at_the_very_start_is_as_unknown_as_later,
           who_is_struck_already_is_not_struck_again)
