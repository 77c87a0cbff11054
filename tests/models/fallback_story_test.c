/* Calls that are made to another service when they have failed for good. */
#include "tests/models/story.h"

#define WEB                                                                                        \
    "run: {duration: 60s}\n"                                                                       \
    "clients:\n"                                                                                   \
    "  web: {target: api, arrivals: {trace: {file: /dev/null}}, call: "

static const TraceArrival one[] = {{.at_s = 0.1}};
static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.2}};

START_TEST(a_client_falls_back_after_its_last_try_and_waits_from_its_arrival) {
    static const char yaml[] = WEB "{timeout: 0.3s, retry: {fixed: {max_attempts: 2, delay: "
                                   "0.1s}}, fallback: {to: small, timeout: 1s}}}\n"
                                   "services:\n"
                                   "  api: {work: 0.65s}\n"
                                   "  small: {work: 0.37s}\n";
    story_with_trace_is(yaml, STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.500 s  web #0 attempt 2: sent to api[0]\n"
                        "0.500 s  web #0 attempt 2: arrived at api[0]\n"
                        "0.750 s  web #0 attempt 1: served by api[0]\n"
                        "0.750 s  web #0 attempt 1: late reply from api[0]\n"
                        "0.750 s  web #0 attempt 2: started by api[0]\n"
                        "0.800 s  web #0 attempt 2: timeout, waiting for api[0]\n"
                        "0.800 s  web #0: falls back to small\n"
                        "0.800 s  web #0 attempt 1: sent to small[0]\n"
                        "0.800 s  web #0 attempt 1: arrived at small[0]\n"
                        "0.800 s  web #0 attempt 1: started by small[0]\n"
                        "1.170 s  web #0 attempt 1: served by small[0]\n"
                        "1.170 s  web #0 attempt 1: reply from small[0]\n"
                        "1.170 s  web #0 is answered\n"
                        "1.400 s  web #0 attempt 2: served by api[0]\n"
                        "1.400 s  web #0 attempt 2: late reply from api[0]\n");
    StoryRun run = story_run(yaml, STORY_TRACE(one));
    measure_is(&run, "web", METRIC_offered, 1);
    measure_is(&run, "web", METRIC_answered, 1);
    measure_is(&run, "web", METRIC_late, 2);
    measure_is(&run, "web", METRIC_attempts, 3);
    measure_is(&run, "web", METRIC_amplification, 3);
    measure_is(&run, "web", METRIC_fallbacks, 1);
    measure_is(&run, "api", METRIC_fallbacks, 0);
    measure_is(&run, "web", METRIC_latency_max, 1.07);
    measure_is(&run, "web", METRIC_in_system_mean, 1.07 / 60);
    measure_is(&run, "api", METRIC_wasted_ratio, 1);
    measure_is(&run, "small", METRIC_wasted_ratio, 0);
    story_free(&run);
}
END_TEST

static void keep_attempt_count(void *context, const RequestRecord *record) {
    *(uint32_t *)context = record->attempt_count;
}

START_TEST(a_request_has_the_attempts_of_all_its_calls) {
    Model *model = story_compile(
        "run: {duration: 60s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 1/min}}, call: {retry: {fixed:"
        " {max_attempts: 2, delay: 0.1s}}, fallback: {to: small, retry: {fixed: {max_attempts: 3,"
        " delay: 0s}}, fallback: {to: tiny}}}}}\n"
        "services: {api: {}, small: {}, tiny: {}}\n"
        "faults: [{at: 0s, errors: {service: api}}, {at: 0s, errors: {service: small}}]\n");
    model->run.duration = 61 * SIM_TIME_S;
    uint32_t attempt_count = 0;
    World *world = world_create(model, &(WorldOptions){.seed = 1,
                                                       .context = &attempt_count,
                                                       .on_request = keep_attempt_count,
                                                       .check_every = 1});
    world_run(world);
    ck_assert_uint_eq(attempt_count, 2 + 3 + 1);
    double web[METRIC_COUNT];
    probe_measure(&world->probe, 0, world->now, web);
    ck_assert_double_eq(web[METRIC_attempts], 6);
    ck_assert_double_eq(web[METRIC_fallbacks], 2);
    ck_assert_double_eq(web[METRIC_answered], 1);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

START_TEST(a_deadline_binds_the_call_and_not_its_fallback) {
    story_with_trace_is(WEB "{deadline: 0.5s, fallback: {to: small, deadline: 0.6s}}}\n"
                            "services:\n"
                            "  api: {work: 9s}\n"
                            "  small: {replicas: 1, work: 0.55s}\n",
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  web #1 attempt 1: sent to api[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #0: falls back to small\n"
                        "0.600 s  web #0 attempt 1: sent to small[0]\n"
                        "0.600 s  web #0 attempt 1: arrived at small[0]\n"
                        "0.600 s  web #0 attempt 1: started by small[0]\n"
                        "0.700 s  web #1: falls back to small\n"
                        "0.700 s  web #1 attempt 1: sent to small[0]\n"
                        "0.700 s  web #1 attempt 1: arrived at small[0]\n"
                        "1.150 s  web #0 attempt 1: served by small[0]\n"
                        "1.150 s  web #0 attempt 1: reply from small[0]\n"
                        "1.150 s  web #0 is answered\n"
                        "1.150 s  web #1 attempt 1: started by small[0]\n"
                        "1.300 s  web #1 has timed out\n"
                        "1.700 s  web #1 attempt 1: served by small[0]\n"
                        "1.700 s  web #1 attempt 1: late reply from small[0]\n"
                        "9.100 s  web #0 attempt 1: served by api[0]\n"
                        "9.100 s  web #0 attempt 1: late reply from api[0]\n"
                        "9.100 s  web #1 attempt 1: started by api[0]\n"
                        "18.100 s  web #1 attempt 1: served by api[0]\n"
                        "18.100 s  web #1 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(a_service_falls_back_in_its_place_among_its_calls) {
    static const char yaml[] =
        WEB "{}}\n"
            "services:\n"
            "  api: {work: 0.2s, calls: [{to: left, fallback: {to: spare}}, {to: right}]}\n"
            "  left: {work: 0.37s}\n"
            "  spare: {work: 0.11s}\n"
            "  right: {work: 0.53s}\n"
            "faults: [{at: 0s, for: 1s, errors: {service: left, after: 30ms}}]\n";
    story_with_trace_is(yaml, STORY_TRACE(one),
                        "0.000 s  fault begins: errors left\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: sent to left[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.300 s  web #0 attempt 1: started by left[0]\n"
                        "0.330 s  web #0 attempt 1: served by left[0]: in vain: an error\n"
                        "0.330 s  web #0 attempt 1: reply from left[0]: an error\n"
                        "0.330 s  web #0: falls back to spare\n"
                        "0.330 s  web #0 attempt 1: sent to spare[0]\n"
                        "0.330 s  web #0 attempt 1: arrived at spare[0]\n"
                        "0.330 s  web #0 attempt 1: started by spare[0]\n"
                        "0.440 s  web #0 attempt 1: served by spare[0]\n"
                        "0.440 s  web #0 attempt 1: reply from spare[0]\n"
                        "0.440 s  web #0 attempt 1: sent to right[0]\n"
                        "0.440 s  web #0 attempt 1: arrived at right[0]\n"
                        "0.440 s  web #0 attempt 1: started by right[0]\n"
                        "0.970 s  web #0 attempt 1: served by right[0]\n"
                        "0.970 s  web #0 attempt 1: reply from right[0]\n"
                        "0.970 s  web #0 attempt 1: reply from api[0]\n"
                        "0.970 s  web #0 is answered\n"
                        "1.000 s  fault ends: errors left\n");
    StoryRun run = story_run(yaml, STORY_TRACE(one));
    measure_is(&run, "api", METRIC_fallbacks, 1);
    measure_is(&run, "api", METRIC_attempts, 3);
    measure_is(&run, "web", METRIC_fallbacks, 0);
    story_free(&run);
}
END_TEST

/* Both calls of the group are refused before it is complete; one of them falls back to a service
 * that refuses too, and whose failure is ignored because that of the call is. */
START_TEST(calls_in_parallel_that_are_refused_at_once_fall_back_at_once) {
    story_with_trace_is(
        WEB "{}}\n"
            "services:\n"
            "  api: {work: 0.2s, calls: [{parallel: [{to: left, on_failure: ignore, fallback: {to: "
            "gone}}, {to: right, fallback: {to: spare}}]}]}\n"
            "  left: {}\n"
            "  right: {}\n"
            "  gone: {}\n"
            "  spare: {work: 0.11s}\n"
            "faults:\n"
            "  - {at: 0s, for: 1s, crash: {service: left, known: true}}\n"
            "  - {at: 0s, for: 1s, crash: {service: right, known: true}}\n"
            "  - {at: 0s, for: 1s, crash: {service: gone}}\n",
        STORY_TRACE(one),
        "0.000 s  fault begins: crash left\n"
        "0.000 s  fault begins: crash right\n"
        "0.000 s  fault begins: crash gone\n"
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.300 s  web #0 attempt 1: served by api[0]\n"
        "0.300 s  web #0 attempt 1: refused by left: no replica is known to be up\n"
        "0.300 s  web #0 attempt 1: reply from left: refused\n"
        "0.300 s  web #0: falls back to gone\n"
        "0.300 s  web #0 attempt 1: sent to gone[0]\n"
        "0.300 s  web #0 attempt 1: refused by gone[0]: the replica is down\n"
        "0.300 s  web #0 attempt 1: reply from gone[0]: refused\n"
        "0.300 s  web #0 attempt 1: refused by right: no replica is known to be up\n"
        "0.300 s  web #0 attempt 1: reply from right: refused\n"
        "0.300 s  web #0: falls back to spare\n"
        "0.300 s  web #0 attempt 1: sent to spare[0]\n"
        "0.300 s  web #0 attempt 1: arrived at spare[0]\n"
        "0.300 s  web #0 attempt 1: started by spare[0]\n"
        "0.410 s  web #0 attempt 1: served by spare[0]\n"
        "0.410 s  web #0 attempt 1: reply from spare[0]\n"
        "0.410 s  web #0 attempt 1: reply from api[0]\n"
        "0.410 s  web #0 is answered\n"
        "1.000 s  fault ends: crash left\n"
        "1.000 s  fault ends: crash right\n"
        "1.000 s  fault ends: crash gone\n");
}
END_TEST

START_TEST(a_request_fails_as_its_last_fallback_does) {
    story_with_trace_is(WEB "{timeout: 0.3s, fallback: {to: small, fallback: {to: tiny}}}}\n"
                            "services:\n"
                            "  api: {work: 2s}\n"
                            "  small: {work: 50ms}\n"
                            "  tiny: {work: 70ms}\n"
                            "faults:\n"
                            "  - {at: 0.2s, errors: {service: small}}\n"
                            "  - {at: 0.2s, errors: {service: tiny}}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  fault begins: errors small\n"
                        "0.200 s  fault begins: errors tiny\n"
                        "0.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.400 s  web #0: falls back to small\n"
                        "0.400 s  web #0 attempt 1: sent to small[0]\n"
                        "0.400 s  web #0 attempt 1: arrived at small[0]\n"
                        "0.400 s  web #0 attempt 1: started by small[0]\n"
                        "0.450 s  web #0 attempt 1: served by small[0]: in vain: an error\n"
                        "0.450 s  web #0 attempt 1: reply from small[0]: an error\n"
                        "0.450 s  web #0: falls back to tiny\n"
                        "0.450 s  web #0 attempt 1: sent to tiny[0]\n"
                        "0.450 s  web #0 attempt 1: arrived at tiny[0]\n"
                        "0.450 s  web #0 attempt 1: started by tiny[0]\n"
                        "0.520 s  web #0 attempt 1: served by tiny[0]: in vain: an error\n"
                        "0.520 s  web #0 attempt 1: reply from tiny[0]: an error\n"
                        "0.520 s  web #0 has failed\n"
                        "2.100 s  web #0 attempt 1: served by api[0]\n"
                        "2.100 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

/* A good answer that comes after the call has failed for good is of no use, whatever late_reply
 * says: another service works for it now. */
START_TEST(a_late_reply_does_not_stop_a_fallback) {
    story_with_trace_is(WEB "{timeout: 0.3s, late_reply: counts, fallback: {to: small}}}\n"
                            "services:\n"
                            "  api: {work: 0.4s}\n"
                            "  small: {work: 0.2s}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.400 s  web #0: falls back to small\n"
                        "0.400 s  web #0 attempt 1: sent to small[0]\n"
                        "0.400 s  web #0 attempt 1: arrived at small[0]\n"
                        "0.400 s  web #0 attempt 1: started by small[0]\n"
                        "0.500 s  web #0 attempt 1: served by api[0]\n"
                        "0.500 s  web #0 attempt 1: late reply from api[0]\n"
                        "0.600 s  web #0 attempt 1: served by small[0]\n"
                        "0.600 s  web #0 attempt 1: reply from small[0]\n"
                        "0.600 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_user_thinks_again_after_the_fallback) {
    StoryRun run = story_run("run: {duration: 59.5s}\n"
                             "clients: {web: {target: api, arrivals: {closed: {users: 1, think:"
                             " 1s}}, call: {timeout: 0.5s, fallback: {to: small}}}}\n"
                             "services: {api: {work: 20s}, small: {work: 0.5s}}\n",
                             NULL);
    measure_is(&run, "web", METRIC_offered, 30); /* 1 s of thinking, 1 s of waiting */
    measure_is(&run, "web", METRIC_answered, 29);
    measure_is(&run, "web", METRIC_fallbacks, 29);
    story_free(&run);
}
END_TEST

START_TEST(a_partition_cuts_a_fallback_too) {
    story_with_trace_is(WEB "{timeout: 0.3s, fallback: {to: small, timeout: 0.4s}}}\n"
                            "services:\n"
                            "  api: {work: 2s}\n"
                            "  small: {}\n"
                            "faults: [{at: 0.2s, partition: {between: [web, small]}}]\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  fault begins: partition web small\n"
                        "0.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.400 s  web #0: falls back to small\n"
                        "0.400 s  web #0 attempt 1: sent to small[0]\n"
                        "0.800 s  web #0 attempt 1: timeout, waiting for small[0]\n"
                        "0.800 s  web #0 has timed out\n"
                        "2.100 s  web #0 attempt 1: served by api[0]\n"
                        "2.100 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

/* A call that its own caller has given up does not fall back: nobody waits for it. */
START_TEST(nobody_falls_back_for_a_caller_that_is_gone) {
    story_with_trace_is(WEB "{timeout: 0.5s}}\n"
                            "services:\n"
                            "  api: {cancel_on_timeout: anywhere, calls: [{to: left, timeout: "
                            "0.6s, fallback: {to: spare}}]}\n"
                            "  left: {work: 0.9s}\n"
                            "  spare: {}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.100 s  web #0 attempt 1: served by api[0]\n"
                        "0.100 s  web #0 attempt 1: sent to left[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.100 s  web #0 attempt 1: started by left[0]\n"
                        "0.600 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.600 s  web #0 attempt 1: cancelled at api[0]\n"
                        "0.600 s  web #0 has timed out\n"
                        "1.000 s  web #0 attempt 1: served by left[0]\n"
                        "1.000 s  web #0 attempt 1: late reply from left[0]\n");
}
END_TEST

/* Two attempts of one request fall back below it, and draw their work each for itself. */
START_TEST(fallbacks_of_two_attempts_have_draws_of_their_own) {
    StoryRun run = story_run(
        WEB "{timeout: 0.3s, retry: {fixed: {max_attempts: 2, delay: 0s}}}}\n"
            "services:\n"
            "  api: {server: {pool: {concurrency: 2, hold_while_calling: true}}, calls: [{to: left,"
            " fallback: {to: spare}}]}\n"
            "  left: {}\n"
            "  spare: {work: {uniform: {min: 1s, max: 2s}}, server: {pool: {concurrency: 2}}}\n"
            "faults: [{at: 0s, errors: {service: left}}]\n",
        STORY_TRACE(one));
    measure_is(&run, "api", METRIC_fallbacks, 2);
    measure_is(&run, "spare", METRIC_answered, 2);
    ck_assert_double_gt(story_measure(&run, "spare", METRIC_latency_max),
                        story_measure(&run, "spare", METRIC_latency_mean) + 0.001);
    story_free(&run);
}
END_TEST

START_TEST(a_caller_may_answer_itself_after_a_time) {
    static const char yaml[] = WEB "{timeout: 0.3s, deadline: 0.5s, fallback: {value: 0.4s}}}\n"
                                   "services: {api: {work: 0.65s, cancel_on_timeout: anywhere}}\n";
    story_with_trace_is(yaml, STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.400 s  web #0 attempt 1: cancelled at api[0]\n"
                        "0.400 s  web #0 attempt 1: answers itself\n"
                        "0.800 s  web #0 is answered\n");
    StoryRun run = story_run(yaml, STORY_TRACE(one));
    measure_is(&run, "web", METRIC_answered, 1);
    measure_is(&run, "web", METRIC_timeouts, 0);
    measure_is(&run, "web", METRIC_fallbacks, 1);
    measure_is(&run, "web", METRIC_latency_max, 0.7);
    story_free(&run);
}
END_TEST

START_TEST(a_service_goes_on_with_its_own_answer) {
    story_with_trace_is("run: {duration: 9s}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services:\n"
                        "  api: {work: 0.1s, calls: [{to: db, fallback: {value: 0s}}, {to: db, "
                        "fallback: {to: small, fallback: {value: 0.2s}}}]}\n"
                        "  db: {work: 0.1s}\n"
                        "  small: {work: 0.1s}\n"
                        "faults: [{at: 0s, errors: {service: db, after: 0s}}, {at: 0s, errors: "
                        "{service: small, after: 0s}}]\n",
                        STORY_TRACE(one),
                        "0.000 s  fault begins: errors db\n"
                        "0.000 s  fault begins: errors small\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  web #0 attempt 1: served by api[0]\n"
                        "0.200 s  web #0 attempt 1: sent to db[0]\n"
                        "0.200 s  web #0 attempt 1: arrived at db[0]\n"
                        "0.200 s  web #0 attempt 1: started by db[0]\n"
                        "0.200 s  web #0 attempt 1: served by db[0]: in vain: an error\n"
                        "0.200 s  web #0 attempt 1: reply from db[0]: an error\n"
                        "0.200 s  web #0 attempt 1: answers itself\n"
                        "0.200 s  web #0 attempt 1: sent to db[0]\n"
                        "0.200 s  web #0 attempt 1: arrived at db[0]\n"
                        "0.200 s  web #0 attempt 1: started by db[0]\n"
                        "0.200 s  web #0 attempt 1: served by db[0]: in vain: an error\n"
                        "0.200 s  web #0 attempt 1: reply from db[0]: an error\n"
                        "0.200 s  web #0: falls back to small\n"
                        "0.200 s  web #0 attempt 1: sent to small[0]\n"
                        "0.200 s  web #0 attempt 1: arrived at small[0]\n"
                        "0.200 s  web #0 attempt 1: started by small[0]\n"
                        "0.200 s  web #0 attempt 1: served by small[0]: in vain: an error\n"
                        "0.200 s  web #0 attempt 1: reply from small[0]: an error\n"
                        "0.200 s  web #0 attempt 1: answers itself\n"
                        "0.400 s  web #0 attempt 1: reply from api[0]\n"
                        "0.400 s  web #0 is answered\n");
}
END_TEST

/* 400 requests that all fail: the share that has an old answer is binomial, within 5.4 deviations.
 */
START_TEST(a_stale_cache_has_an_answer_for_some) {
    StoryRun run =
        story_run("run: {duration: 40s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}, call: "
                  "{fallback: {stale_cache: {hit_ratio: 30%, time: 7ms}}}}}\n"
                  "services: {api: {}}\n"
                  "faults: [{at: 0s, errors: {service: api}}]\n",
                  NULL);
    double answered = story_measure(&run, "web", METRIC_answered);
    ck_assert_double_eq_tol(answered, 399 * 0.3, 5.4 * 9.2);
    measure_is(&run, "web", METRIC_fallbacks, answered);
    measure_is(&run, "web", METRIC_errors, 399 - answered);
    measure_is(&run, "web", METRIC_latency_max, 0.007);
    ck_assert_ptr_nonnull(strstr(run.text, ": answers itself: from a stale cache\n"));
    story_free(&run);
}
END_TEST

/* Its caller gives up while it looks for its answer. */
START_TEST(an_answer_of_its_own_may_come_too_late) {
    StoryRun run =
        story_run(WEB "{timeout: 0.3s}}\n"
                      "services:\n"
                      "  api: {work: 0.1s, cancel_on_timeout: anywhere, calls: [{to: db, "
                      "fallback: {value: 0.5s}}]}\n"
                      "  db: {work: 0.1s}\n"
                      "faults: [{at: 0s, errors: {service: db}}]\n",
                  STORY_TRACE(one));
    ck_assert_ptr_nonnull(strstr(run.text,
                                 "0.300 s  web #0 attempt 1: answers itself\n"
                                 "0.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                                 "0.400 s  web #0 attempt 1: cancelled at api[0]\n"
                                 "0.400 s  web #0 has timed out\n"));
    measure_is(&run, "api", METRIC_retry_waiting, 0.1 / 60);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/fallback_story", a_caller_may_answer_itself_after_a_time,
           a_service_goes_on_with_its_own_answer, a_stale_cache_has_an_answer_for_some,
           an_answer_of_its_own_may_come_too_late,
           a_client_falls_back_after_its_last_try_and_waits_from_its_arrival,
           a_request_has_the_attempts_of_all_its_calls,
           a_deadline_binds_the_call_and_not_its_fallback,
           a_service_falls_back_in_its_place_among_its_calls,
           calls_in_parallel_that_are_refused_at_once_fall_back_at_once,
           a_request_fails_as_its_last_fallback_does, a_late_reply_does_not_stop_a_fallback,
           a_user_thinks_again_after_the_fallback, a_partition_cuts_a_fallback_too,
           nobody_falls_back_for_a_caller_that_is_gone,
           fallbacks_of_two_attempts_have_draws_of_their_own)
