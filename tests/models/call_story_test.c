/* Services that call others, the network between them, and routers, told step by step. */
#include "tests/models/story.h"

#define WEB                                                                                        \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"

static const TraceArrival one[] = {{.at_s = 0.1}};

START_TEST(calls_are_made_in_order_after_the_services_own_work) {
    story_with_trace_is(WEB "services:\n"
                            "  api: {work: 0.2s, calls: [{to: left}, {to: right}]}\n"
                            "  left: {work: 0.37s}\n"
                            "  right: {work: 0.53s}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: sent to left[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.300 s  web #0 attempt 1: started by left[0]\n"
                        "0.670 s  web #0 attempt 1: served by left[0]\n"
                        "0.670 s  web #0 attempt 1: reply from left[0]\n"
                        "0.670 s  web #0 attempt 1: sent to right[0]\n"
                        "0.670 s  web #0 attempt 1: arrived at right[0]\n"
                        "0.670 s  web #0 attempt 1: started by right[0]\n"
                        "1.200 s  web #0 attempt 1: served by right[0]\n"
                        "1.200 s  web #0 attempt 1: reply from right[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n");
}
END_TEST

START_TEST(parallel_calls_are_made_at_once_and_all_must_answer) {
    story_with_trace_is(WEB "services:\n"
                            "  api: {work: 0.2s, calls: [{parallel: [{to: left}, {to: right}]},"
                            " {to: left}]}\n"
                            "  left: {work: 0.37s}\n"
                            "  right: {work: 0.53s}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: sent to left[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.300 s  web #0 attempt 1: started by left[0]\n"
                        "0.300 s  web #0 attempt 1: sent to right[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at right[0]\n"
                        "0.300 s  web #0 attempt 1: started by right[0]\n"
                        "0.670 s  web #0 attempt 1: served by left[0]\n"
                        "0.670 s  web #0 attempt 1: reply from left[0]\n"
                        "0.830 s  web #0 attempt 1: served by right[0]\n"
                        "0.830 s  web #0 attempt 1: reply from right[0]\n"
                        "0.830 s  web #0 attempt 1: sent to left[0]\n"
                        "0.830 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.830 s  web #0 attempt 1: started by left[0]\n"
                        "1.200 s  web #0 attempt 1: served by left[0]\n"
                        "1.200 s  web #0 attempt 1: reply from left[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_call_that_fails_fails_its_caller_once_the_others_of_its_group_have_ended) {
    story_with_trace_is(WEB "services:\n"
                            "  api: {work: 0.2s, calls: [{parallel: [{to: left}, {to: right}]},"
                            " {to: left}]}\n"
                            "  left: {work: 0.37s}\n"
                            "  right: {work: 0.53s}\n"
                            "faults: [{at: 0s, for: 1s, errors: {service: left}}]\n",
                        STORY_TRACE(one),
                        "0.000 s  fault begins: errors left\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: sent to left[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.300 s  web #0 attempt 1: started by left[0]\n"
                        "0.300 s  web #0 attempt 1: sent to right[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at right[0]\n"
                        "0.300 s  web #0 attempt 1: started by right[0]\n"
                        "0.670 s  web #0 attempt 1: served by left[0]: in vain: an error\n"
                        "0.670 s  web #0 attempt 1: reply from left[0]: an error\n"
                        "0.830 s  web #0 attempt 1: served by right[0]\n"
                        "0.830 s  web #0 attempt 1: reply from right[0]\n"
                        "0.830 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.830 s  web #0 has failed\n"
                        "1.000 s  fault ends: errors left\n");
}
END_TEST

START_TEST(a_failure_that_is_ignored_lets_the_caller_go_on) {
    story_with_trace_is(WEB "services:\n"
                            "  api: {work: 0.2s, calls: [{to: left, timeout: 0.3s, on_failure:"
                            " ignore}, {to: right}]}\n"
                            "  left: {work: 0.37s}\n"
                            "  right: {work: 0.53s}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: sent to left[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.300 s  web #0 attempt 1: started by left[0]\n"
                        "0.600 s  web #0 attempt 1: timeout, waiting for left[0]\n"
                        "0.600 s  web #0 attempt 1: sent to right[0]\n"
                        "0.600 s  web #0 attempt 1: arrived at right[0]\n"
                        "0.600 s  web #0 attempt 1: started by right[0]\n"
                        "0.670 s  web #0 attempt 1: served by left[0]\n"
                        "0.670 s  web #0 attempt 1: late reply from left[0]\n"
                        "1.130 s  web #0 attempt 1: served by right[0]\n"
                        "1.130 s  web #0 attempt 1: reply from right[0]\n"
                        "1.130 s  web #0 attempt 1: reply from api[0]\n"
                        "1.130 s  web #0 is answered\n");
}
END_TEST

START_TEST(services_retry_on_their_own_and_attempts_multiply_down_the_chain) {
    story_with_trace_is(
        "run: {duration: 60s}\n"
        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {retry: {fixed:"
        " {max_attempts: 2, delay: 1s}}}}}\n"
        "services:\n"
        "  api: {work: 0.2s, calls: [{to: back, retry: {fixed: {max_attempts: 2, delay: 0.1s}}}]}\n"
        "  back: {work: 0.37s}\n"
        "faults: [{at: 0s, for: 9s, errors: {service: back}}]\n",
        STORY_TRACE(one),
        "0.000 s  fault begins: errors back\n"
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.300 s  web #0 attempt 1: served by api[0]\n"
        "0.300 s  web #0 attempt 1: sent to back[0]\n"
        "0.300 s  web #0 attempt 1: arrived at back[0]\n"
        "0.300 s  web #0 attempt 1: started by back[0]\n"
        "0.670 s  web #0 attempt 1: served by back[0]: in vain: an error\n"
        "0.670 s  web #0 attempt 1: reply from back[0]: an error\n"
        "0.770 s  web #0 attempt 2: sent to back[0]\n"
        "0.770 s  web #0 attempt 2: arrived at back[0]\n"
        "0.770 s  web #0 attempt 2: started by back[0]\n"
        "1.140 s  web #0 attempt 2: served by back[0]: in vain: an error\n"
        "1.140 s  web #0 attempt 2: reply from back[0]: an error\n"
        "1.140 s  web #0 attempt 1: reply from api[0]: an error\n"
        "2.140 s  web #0 attempt 2: sent to api[0]\n"
        "2.140 s  web #0 attempt 2: arrived at api[0]\n"
        "2.140 s  web #0 attempt 2: started by api[0]\n"
        "2.340 s  web #0 attempt 2: served by api[0]\n"
        "2.340 s  web #0 attempt 1: sent to back[0]\n"
        "2.340 s  web #0 attempt 1: arrived at back[0]\n"
        "2.340 s  web #0 attempt 1: started by back[0]\n"
        "2.710 s  web #0 attempt 1: served by back[0]: in vain: an error\n"
        "2.710 s  web #0 attempt 1: reply from back[0]: an error\n"
        "2.810 s  web #0 attempt 2: sent to back[0]\n"
        "2.810 s  web #0 attempt 2: arrived at back[0]\n"
        "2.810 s  web #0 attempt 2: started by back[0]\n"
        "3.180 s  web #0 attempt 2: served by back[0]: in vain: an error\n"
        "3.180 s  web #0 attempt 2: reply from back[0]: an error\n"
        "3.180 s  web #0 attempt 2: reply from api[0]: an error\n"
        "3.180 s  web #0 has failed\n"
        "9.000 s  fault ends: errors back\n");
}
END_TEST

START_TEST(a_call_that_is_not_made_takes_no_part) {
    story_with_trace_is(WEB "services:\n"
                            "  api: {work: 0.2s, calls: [{parallel: [{to: left, probability: 0%},"
                            " {to: right, probability: 0%}]}, {to: left, probability: 0%}]}\n"
                            "  left: {work: 0.37s}\n"
                            "  right: {work: 0.53s}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.300 s  web #0 attempt 1: served by api[0]\n"
                        "0.300 s  web #0 attempt 1: reply from api[0]\n"
                        "0.300 s  web #0 is answered\n");
}
END_TEST

START_TEST(messages_take_the_networks_latency_each_way_and_a_call_may_set_its_own) {
    /* The first call takes the default, 0.01 s there and 0.03 s back; the second has its own. */
    story_with_trace_is(WEB "services:\n"
                            "  api: {work: 0.2s, calls: [{to: left}, {to: left, latency: 0.05s,"
                            " reply_latency: 0.07s}]}\n"
                            "  left: {work: 0.37s}\n"
                            "network: {default: {latency: 0.01s, reply_latency: 0.03s}}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.110 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.110 s  web #0 attempt 1: started by api[0]\n"
                        "0.310 s  web #0 attempt 1: served by api[0]\n"
                        "0.310 s  web #0 attempt 1: sent to left[0]\n"
                        "0.320 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.320 s  web #0 attempt 1: started by left[0]\n"
                        "0.690 s  web #0 attempt 1: served by left[0]\n"
                        "0.720 s  web #0 attempt 1: reply from left[0]\n"
                        "0.720 s  web #0 attempt 1: sent to left[0]\n"
                        "0.770 s  web #0 attempt 1: arrived at left[0]\n"
                        "0.770 s  web #0 attempt 1: started by left[0]\n"
                        "1.140 s  web #0 attempt 1: served by left[0]\n"
                        "1.210 s  web #0 attempt 1: reply from left[0]\n"
                        "1.240 s  web #0 attempt 1: reply from api[0]\n"
                        "1.240 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_timeout_runs_from_the_sending_and_covers_both_ways) {
    story_with_trace_is(
        "run: {duration: 60s}\n"
        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {timeout: 1s}}}\n"
        "services: {api: {work: 0.8s}}\n"
        "network: {default: {latency: 0.11s}}\n",
        STORY_TRACE(one),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.210 s  web #0 attempt 1: arrived at api[0]\n"
        "0.210 s  web #0 attempt 1: started by api[0]\n"
        "1.010 s  web #0 attempt 1: served by api[0]\n"
        "1.100 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.100 s  web #0 has timed out\n"
        "1.120 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(a_cancellation_overtakes_a_message_that_travels) {
    story_with_trace_is("run: {duration: 60s}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: "
                        "{timeout: 0.1s}}}\n"
                        "services: {api: {work: 0.8s, cancel_on_timeout: queued}}\n"
                        "network: {default: {latency: 0.11s}}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.200 s  web #0 attempt 1: timeout, waiting for api[0]\n"
                        "0.200 s  web #0 attempt 1: cancelled at api[0]\n"
                        "0.200 s  web #0 has timed out\n");
}
END_TEST

START_TEST(round_robin_takes_the_replicas_in_turn) {
    story_with_trace_is(WEB "services: {api: {work: 0.01s, replicas: 3, route: round_robin}}\n",
                        STORY_TRACE(((const TraceArrival[]){
                            {.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}})),

                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.110 s  web #0 attempt 1: served by api[0]\n"
                        "0.110 s  web #0 attempt 1: reply from api[0]\n"
                        "0.110 s  web #0 is answered\n"
                        "0.200 s  web #1 attempt 1: sent to api[1]\n"
                        "0.200 s  web #1 attempt 1: arrived at api[1]\n"
                        "0.200 s  web #1 attempt 1: started by api[1]\n"
                        "0.210 s  web #1 attempt 1: served by api[1]\n"
                        "0.210 s  web #1 attempt 1: reply from api[1]\n"
                        "0.210 s  web #1 is answered\n"
                        "0.300 s  web #2 attempt 1: sent to api[2]\n"
                        "0.300 s  web #2 attempt 1: arrived at api[2]\n"
                        "0.300 s  web #2 attempt 1: started by api[2]\n"
                        "0.310 s  web #2 attempt 1: served by api[2]\n"
                        "0.310 s  web #2 attempt 1: reply from api[2]\n"
                        "0.310 s  web #2 is answered\n"
                        "0.400 s  web #3 attempt 1: sent to api[0]\n"
                        "0.400 s  web #3 attempt 1: arrived at api[0]\n"
                        "0.400 s  web #3 attempt 1: started by api[0]\n"
                        "0.410 s  web #3 attempt 1: served by api[0]\n"
                        "0.410 s  web #3 attempt 1: reply from api[0]\n"
                        "0.410 s  web #3 is answered\n");
}
END_TEST

START_TEST(least_requests_and_two_choices_of_two_take_the_replica_with_fewer_outstanding) {
    static const TraceArrival four[] = {{.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}};
    /* Whichever is picked first, the next one goes to the other. */
    StoryRun least =
        story_run(WEB "services: {api: {work: 0.15s, replicas: 2, route: least_requests}}\n",
                  STORY_TRACE(four));
    StoryRun two =
        story_run(WEB "services: {api: {work: 0.15s, replicas: 2, route: power_of_two}}\n",
                  STORY_TRACE(four));
    ck_assert_ptr_nonnull(least.text);
    ck_assert_double_eq(story_measure(&least, "api", METRIC_waited_ratio), 0);
    ck_assert_double_eq(story_measure(&two, "api", METRIC_waited_ratio), 0);
    ck_assert_double_eq(story_measure(&two, "web", METRIC_answered), 4);
    story_free(&least);
    story_free(&two);
}
END_TEST

START_TEST(what_is_there_at_the_start_is_served_for_nobody) {
    story_with_trace_is("run: {duration: 60s, initial: {api: {in_system: 2}}}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services: {api: {work: 0.37s}}\n",
                        STORY_TRACE(one),
                        "0.000 s  in the system at the start: started by api[0]\n"
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.370 s  in the system at the start: served by api[0]\n"
                        "0.370 s  in the system at the start: late reply from api[0]\n"
                        "0.370 s  in the system at the start: started by api[0]\n"
                        "0.740 s  in the system at the start: served by api[0]\n"
                        "0.740 s  in the system at the start: late reply from api[0]\n"
                        "0.740 s  web #0 attempt 1: started by api[0]\n"
                        "1.110 s  web #0 attempt 1: served by api[0]\n"
                        "1.110 s  web #0 attempt 1: reply from api[0]\n"
                        "1.110 s  web #0 is answered\n");
}
END_TEST

START_TEST(what_is_there_at_the_start_needs_no_client) {
    story_is(
        "run: {duration: 60s, initial: {api: {in_system: 2}}}\n"
        "services: {api: {work: 0.37s, replicas: 2, calls: [{to: back}]}, back: {work: 0.1s}}\n",

        "0.000 s  in the system at the start: started by api[0]\n"
        "0.000 s  in the system at the start: started by api[1]\n"
        "0.370 s  in the system at the start: served by api[0]\n"
        "0.370 s  in the system at the start: sent to back[0]\n"
        "0.370 s  in the system at the start: arrived at back[0]\n"
        "0.370 s  in the system at the start: started by back[0]\n"
        "0.370 s  in the system at the start: served by api[1]\n"
        "0.370 s  in the system at the start: sent to back[0]\n"
        "0.370 s  in the system at the start: arrived at back[0]\n"
        "0.470 s  in the system at the start: served by back[0]\n"
        "0.470 s  in the system at the start: reply from back[0]\n"
        "0.470 s  in the system at the start: late reply from api[0]\n"
        "0.470 s  in the system at the start: started by back[0]\n"
        "0.570 s  in the system at the start: served by back[0]\n"
        "0.570 s  in the system at the start: reply from back[0]\n"
        "0.570 s  in the system at the start: late reply from api[1]\n");
}
END_TEST

START_TEST(a_run_stops_when_the_service_is_empty) {
    story_with_trace_is("run: {duration: 60s, initial: {api: {in_system: 2}}, stop_when: {service:"
                        " api, in_system: 0}}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services: {api: {work: 0.37s}}\n",
                        STORY_TRACE(((const TraceArrival[]){{.at_s = 0.5}, {.at_s = 3.7}})),
                        "0.000 s  in the system at the start: started by api[0]\n"
                        "0.370 s  in the system at the start: served by api[0]\n"
                        "0.370 s  in the system at the start: late reply from api[0]\n"
                        "0.370 s  in the system at the start: started by api[0]\n"
                        "0.500 s  web #0 attempt 1: sent to api[0]\n"
                        "0.500 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.740 s  in the system at the start: served by api[0]\n"
                        "0.740 s  in the system at the start: late reply from api[0]\n"
                        "0.740 s  web #0 attempt 1: started by api[0]\n"
                        "1.110 s  web #0 attempt 1: served by api[0]\n"
                        "1.110 s  web #0 attempt 1: reply from api[0]\n"
                        "1.110 s  web #0 is answered\n");
}
END_TEST

START_TEST(users_ask_again_when_they_have_thought_after_an_answer_or_a_failure) {
    story_is("run: {duration: 4.2s}\n"
             "clients: {web: {target: api, arrivals: {closed: {users: 2, think: 0.6s}}, call:"
             " {timeout: 1.3s}}}\n"
             "services: {api: {work: 0.9s}}\n",

             "0.600 s  web #0 attempt 1: sent to api[0]\n"
             "0.600 s  web #0 attempt 1: arrived at api[0]\n"
             "0.600 s  web #0 attempt 1: started by api[0]\n"
             "0.600 s  web #1 attempt 1: sent to api[0]\n"
             "0.600 s  web #1 attempt 1: arrived at api[0]\n"
             "1.500 s  web #0 attempt 1: served by api[0]\n"
             "1.500 s  web #0 attempt 1: reply from api[0]\n"
             "1.500 s  web #0 is answered\n"
             "1.500 s  web #1 attempt 1: started by api[0]\n"
             "1.900 s  web #1 attempt 1: timeout, waiting for api[0]\n"
             "1.900 s  web #1 has timed out\n"
             "2.100 s  web #2 attempt 1: sent to api[0]\n"
             "2.100 s  web #2 attempt 1: arrived at api[0]\n"
             "2.400 s  web #1 attempt 1: served by api[0]\n"
             "2.400 s  web #1 attempt 1: late reply from api[0]\n"
             "2.400 s  web #2 attempt 1: started by api[0]\n"
             "2.500 s  web #3 attempt 1: sent to api[0]\n"
             "2.500 s  web #3 attempt 1: arrived at api[0]\n"
             "3.300 s  web #2 attempt 1: served by api[0]\n"
             "3.300 s  web #2 attempt 1: reply from api[0]\n"
             "3.300 s  web #2 is answered\n"
             "3.300 s  web #3 attempt 1: started by api[0]\n"
             "3.800 s  web #3 attempt 1: timeout, waiting for api[0]\n"
             "3.800 s  web #3 has timed out\n"
             "3.900 s  web #4 attempt 1: sent to api[0]\n"
             "3.900 s  web #4 attempt 1: arrived at api[0]\n"
             "4.200 s  web #4 is unfinished\n");
}
END_TEST

TEST_SUITE("models/call_story", calls_are_made_in_order_after_the_services_own_work,
           parallel_calls_are_made_at_once_and_all_must_answer,
           a_call_that_fails_fails_its_caller_once_the_others_of_its_group_have_ended,
           a_failure_that_is_ignored_lets_the_caller_go_on,
           services_retry_on_their_own_and_attempts_multiply_down_the_chain,
           a_call_that_is_not_made_takes_no_part,
           messages_take_the_networks_latency_each_way_and_a_call_may_set_its_own,
           a_timeout_runs_from_the_sending_and_covers_both_ways,
           a_cancellation_overtakes_a_message_that_travels, round_robin_takes_the_replicas_in_turn,
           least_requests_and_two_choices_of_two_take_the_replica_with_fewer_outstanding,
           what_is_there_at_the_start_is_served_for_nobody,
           what_is_there_at_the_start_needs_no_client, a_run_stops_when_the_service_is_empty,
           users_ask_again_when_they_have_thought_after_an_answer_or_a_failure)
