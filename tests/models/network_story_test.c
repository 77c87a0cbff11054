/* Faults of the network, told step by step: messages that are late, lost, lost one way only, or not
 * sent at all because a name does not resolve. */
#include <stdio.h>
#include <string.h>

#include "models/faults/fault.h"
#include "tests/models/story.h"

#define WEB(call)                                                                                  \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 1.35}};
static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 1.35}, {.at_s = 2.2}};

START_TEST(latency_is_added_both_ways_to_what_is_sent_while_it_is_on) {
    story_with_trace_is(WEB("latency: 10ms") "services: {api: {work: 0.3s}}\n"
                                             "faults: [{at: 0.2s, for: 1.4s, latency: {between: "
                                             "[web, api], add: 50ms}}]\n",
                        STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.110 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.110 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  fault begins: latency web api\n"
                        "0.410 s  web #0 attempt 1: served by api[0]\n"
                        "0.470 s  web #0 attempt 1: reply from api[0]\n"
                        "0.470 s  web #0 is answered\n"
                        "1.350 s  web #1 attempt 1: sent to api[0]\n"
                        "1.410 s  web #1 attempt 1: arrived at api[0]\n"
                        "1.410 s  web #1 attempt 1: started by api[0]\n"
                        "1.600 s  fault ends: latency web api\n"
                        "1.710 s  web #1 attempt 1: served by api[0]\n"
                        "1.720 s  web #1 attempt 1: reply from api[0]\n"
                        "1.720 s  web #1 is answered\n"
                        "2.200 s  web #2 attempt 1: sent to api[0]\n"
                        "2.210 s  web #2 attempt 1: arrived at api[0]\n"
                        "2.210 s  web #2 attempt 1: started by api[0]\n"
                        "2.510 s  web #2 attempt 1: served by api[0]\n"
                        "2.520 s  web #2 attempt 1: reply from api[0]\n"
                        "2.520 s  web #2 is answered\n");
}
END_TEST

START_TEST(one_way_latency_spares_replies_and_latencies_add_up) {
    /* Without a network of its own the call gets one; the two faults make 50 ms and 30 ms of it. */
    story_with_trace_is(
        WEB("") "services: {api: {work: 0.3s}}\n"
                "faults:\n"
                "  - {at: 0s, for: 2s, latency: {edge: [web, api], add: 50ms, one_way: true}}\n"
                "  - {at: 1s, for: 2s, latency: {to: api, add: 30ms}}\n",
        STORY_TRACE(three),
        "0.000 s  fault begins: latency web api\n"
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.150 s  web #0 attempt 1: arrived at api[0]\n"
        "0.150 s  web #0 attempt 1: started by api[0]\n"
        "0.450 s  web #0 attempt 1: served by api[0]\n"
        "0.450 s  web #0 attempt 1: reply from api[0]\n"
        "0.450 s  web #0 is answered\n"
        "1.000 s  fault begins: latency to api\n"
        "1.350 s  web #1 attempt 1: sent to api[0]\n"
        "1.430 s  web #1 attempt 1: arrived at api[0]\n"
        "1.430 s  web #1 attempt 1: started by api[0]\n"
        "1.730 s  web #1 attempt 1: served by api[0]\n"
        "1.730 s  web #1 attempt 1: reply from api[0]\n"
        "1.730 s  web #1 is answered\n"
        "2.000 s  fault ends: latency web api\n"
        "2.200 s  web #2 attempt 1: sent to api[0]\n"
        "2.230 s  web #2 attempt 1: arrived at api[0]\n"
        "2.230 s  web #2 attempt 1: started by api[0]\n"
        "2.530 s  web #2 attempt 1: served by api[0]\n"
        "2.530 s  web #2 attempt 1: reply from api[0]\n"
        "2.530 s  web #2 is answered\n"
        "3.000 s  fault ends: latency to api\n");
}
END_TEST

START_TEST(an_asymmetric_partition_lets_requests_in_and_no_reply_out) {
    story_with_trace_is(
        WEB("timeout: 0.7s") "services: {api: {work: 0.3s}}\n"
                             "faults: [{at: 1s, for: 1s, partition: {from: api, to: web}}]\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.400 s  web #0 attempt 1: served by api[0]\n"
        "0.400 s  web #0 attempt 1: reply from api[0]\n"
        "0.400 s  web #0 is answered\n"
        "1.000 s  fault begins: partition from api to web\n"
        "1.350 s  web #1 attempt 1: sent to api[0]\n"
        "1.350 s  web #1 attempt 1: arrived at api[0]\n"
        "1.350 s  web #1 attempt 1: started by api[0]\n"
        "1.650 s  web #1 attempt 1: served by api[0]\n"
        "2.000 s  fault ends: partition from api to web\n"
        "2.050 s  web #1 attempt 1: timeout, waiting for api[0]\n"
        "2.050 s  web #1 has timed out\n");
}
END_TEST

START_TEST(a_lost_message_hangs_its_attempt_until_the_timeout) {
    story_with_trace_is(
        WEB("timeout: 0.7s, retry: {fixed: {max_attempts: 2, delay: 0.3s}}") "services: {api: "
                                                                             "{work: 0.3s}}\n"
                                                                             "faults: [{at: 1s, "
                                                                             "for: 1s, "
                                                                             "packet_loss: {from: "
                                                                             "web, ratio: "
                                                                             "100%}}]\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.400 s  web #0 attempt 1: served by api[0]\n"
        "0.400 s  web #0 attempt 1: reply from api[0]\n"
        "0.400 s  web #0 is answered\n"
        "1.000 s  fault begins: packet_loss from web\n"
        "1.350 s  web #1 attempt 1: sent to api[0]\n"
        "2.000 s  fault ends: packet_loss from web\n"
        "2.050 s  web #1 attempt 1: timeout, waiting for api[0]\n"
        "2.350 s  web #1 attempt 2: sent to api[0]\n"
        "2.350 s  web #1 attempt 2: arrived at api[0]\n"
        "2.350 s  web #1 attempt 2: started by api[0]\n"
        "2.650 s  web #1 attempt 2: served by api[0]\n"
        "2.650 s  web #1 attempt 2: reply from api[0]\n"
        "2.650 s  web #1 is answered\n");
}
END_TEST

/* Of 40000 requests a share of 0.9^2 gets there and back. */
START_TEST(each_message_is_lost_by_itself) {
    StoryRun run =
        story_run("run: {duration: 2000s, sample_every: 100s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 20/s}}, call: "
                  "{timeout: 1s}}}\n"
                  "services: {api: {work: 1ms, server: {pool: {concurrency: unlimited}}}}\n"
                  "faults: [{at: 0s, packet_loss: {between: [web, api], ratio: 10%}}]\n",
                  NULL);
    double deviation = 0.0020; /* sqrt(0.81 x 0.19 / 40000) */
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_success), 0.81, 5 * deviation);
    ck_assert_double_eq_tol(story_measure(&run, "api", METRIC_offered), 36000, 5 * 60);
    story_free(&run);
}
END_TEST

/* The fault is asked directly: what is lost k times is late by (2^k - 1) x 200 ms. */
START_TEST(retransmissions_double_their_wait_and_end_after_fifteen) {
    Model *model = story_compile(
        WEB("timeout: 1s") "services: {api: {work: 1ms}}\n"
                           "faults:\n"
                           "  - {at: 1s, packet_loss: {from: web, ratio: 50%, retransmit: 200ms}}\n"
                           "  - {at: 1s, packet_loss: {from: web, ratio: 100%, retransmit: "
                           "200ms}}\n");
    const Component *half = &model->faults[0].fault, *all = &model->faults[1].fault;
    const FaultOps *ops = half->kind->ops;
    Passage passage = {.model = model, .edge = 0};
    RngKey key = rng_key(1, 0, "test", "loss");
    Rng rng;
    rng_stream(&rng, &key);
    uint32_t counts[8] = {0};
    for (uint32_t i = 0; i < 40000; i++) {
        SimTime delay = 0;
        ck_assert(ops->carries(half->params, &passage, &rng, &delay));
        uint32_t copies = 0;
        while (delay > ((INT64_C(1) << copies) - 1) * 200000000) {
            copies++;
        }
        ck_assert(copies >= 10 || delay == ((INT64_C(1) << copies) - 1) * 200000000);
        counts[copies < 8 ? copies : 7]++;
    }
    /* Half get through, a quarter at the second copy, an eighth at the third. */
    ck_assert_int_lt(abs((int)counts[0] - 20000), 5 * 100);
    ck_assert_int_lt(abs((int)counts[1] - 10000), 5 * 87);
    ck_assert_int_lt(abs((int)counts[2] - 5000), 5 * 67);
    SimTime delay = 0;
    ck_assert(!ops->carries(all->params, &passage, &rng, &delay));
    /* 0.2 s doubled up to 102.4 s, then five times 120 s: tcp_retries2 of Linux says 924.6 s, from
     * the first copy to giving up after the last wait, which is not waited here. */
    ck_assert_int_eq(delay, 804600 * INT64_C(1000000));
    model_destroy(model);
}
END_TEST

START_TEST(a_name_that_does_not_resolve_refuses_once_the_cache_has_expired) {
    story_with_trace_is(
        WEB("") "services: {api: {work: 0.3s}}\n"
                "faults: [{at: 0.2s, for: 1.9s, dns: {from: web, ttl: 1.1s}}]\n",
        STORY_TRACE(((const TraceArrival[]){{.at_s = 1.25}, {.at_s = 1.35}, {.at_s = 2.2}})),
        "0.200 s  fault begins: dns from web\n"
        "1.250 s  web #0 attempt 1: sent to api[0]\n"
        "1.250 s  web #0 attempt 1: arrived at api[0]\n"
        "1.250 s  web #0 attempt 1: started by api[0]\n"
        "1.350 s  web #1 attempt 1: refused by api: its name does not resolve\n"
        "1.350 s  web #1 attempt 1: reply from api: refused\n"
        "1.350 s  web #1 was refused\n"
        "1.550 s  web #0 attempt 1: served by api[0]\n"
        "1.550 s  web #0 attempt 1: reply from api[0]\n"
        "1.550 s  web #0 is answered\n"
        "2.100 s  fault ends: dns from web\n"
        "2.200 s  web #2 attempt 1: sent to api[0]\n"
        "2.200 s  web #2 attempt 1: arrived at api[0]\n"
        "2.200 s  web #2 attempt 1: started by api[0]\n"
        "2.500 s  web #2 attempt 1: served by api[0]\n"
        "2.500 s  web #2 attempt 1: reply from api[0]\n"
        "2.500 s  web #2 is answered\n");
}
END_TEST

/* A cache expires when it expires: of 500 instances whose entries are up to 100 s old half are
 * refused after 50 s, and each that is refused stays so. */
START_TEST(each_instance_of_a_caller_has_a_cache_of_its_own) {
    StoryRun run =
        story_run("run: {duration: 100s, sample_every: 50s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 500/s}}, call: "
                  "{instances: 500}}}\n"
                  "services: {api: {work: 0.1ms}}\n"
                  "faults: [{at: 0s, dns: {from: web, ttl: {uniform: {min: 0s, max: 100s}}}}]\n",
                  NULL);
    double first = probe_series(&run.world->probe, 0, 0, METRIC_refused);
    double second = probe_series(&run.world->probe, 1, 0, METRIC_refused);
    /* A quarter and three quarters of 25000; the ages of 500 entries have a mean of 50 +- 1.3 s. */
    ck_assert_double_eq_tol(first, 6250, 5 * 330);
    ck_assert_double_eq_tol(second, 18750, 5 * 330);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/network_story", latency_is_added_both_ways_to_what_is_sent_while_it_is_on,
           one_way_latency_spares_replies_and_latencies_add_up,
           an_asymmetric_partition_lets_requests_in_and_no_reply_out,
           a_lost_message_hangs_its_attempt_until_the_timeout, each_message_is_lost_by_itself,
           retransmissions_double_their_wait_and_end_after_fifteen,
           a_name_that_does_not_resolve_refuses_once_the_cache_has_expired,
           each_instance_of_a_caller_has_a_cache_of_its_own)
