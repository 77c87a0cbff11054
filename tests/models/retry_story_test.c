/* Timeouts, retries and what they cost, told step by step. */
#include "tests/models/story.h"

#define CLIENT(call)                                                                               \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

static const TraceArrival one[] = {{.at_s = 0.25}};
static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.2}};

START_TEST(a_timeout_leaves_the_server_working_and_the_late_reply_is_ignored) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT("timeout: 1.3s") "services: {api: {work: 2.385s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.550 s  web #0 has timed out\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(a_retry_goes_out_its_delay_after_the_failure_and_waits_behind_the_first_attempt) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT("timeout: 1.3s, retry: {fixed: {max_attempts: 2, delay: "
                                        "0.7s}}") "services: {api: {work: 2.385s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "2.250 s  web #0 attempt 2: sent to api[0]\n"
        "2.250 s  web #0 attempt 2: arrived at api[0]\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: late reply from api[0]\n"
        "2.635 s  web #0 attempt 2: started by api[0]\n"
        "3.550 s  web #0 attempt 2: timeout, waiting for api[0]\n"
        "3.550 s  web #0 has timed out\n"
        "5.020 s  web #0 attempt 2: served by api[0]\n"
        "5.020 s  web #0 attempt 2: late reply from api[0]\n");
}
END_TEST

START_TEST(a_list_of_timeouts_gives_one_to_each_attempt_and_the_last_to_all_further_ones) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT("timeout: [500ms, 900ms], retry: {fixed: {max_attempts: 3, "
                                        "delay: 110ms}}") "services: {api: {work: 2.385s, server: "
                                                          "{pool: {concurrency: 3}}}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "0.750 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "0.860 s  web #0 attempt 2: sent to api[0]\n"
        "0.860 s  web #0 attempt 2: arrived at api[0]\n"
        "0.860 s  web #0 attempt 2: started by api[0]\n"
        "1.760 s  web #0 attempt 2: timeout, waiting for api[0]\n"
        "1.870 s  web #0 attempt 3: sent to api[0]\n"
        "1.870 s  web #0 attempt 3: arrived at api[0]\n"
        "1.870 s  web #0 attempt 3: started by api[0]\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: late reply from api[0]\n"
        "2.770 s  web #0 attempt 3: timeout, waiting for api[0]\n"
        "2.770 s  web #0 has timed out\n"
        "3.245 s  web #0 attempt 2: served by api[0]\n"
        "3.245 s  web #0 attempt 2: late reply from api[0]\n"
        "4.255 s  web #0 attempt 3: served by api[0]\n"
        "4.255 s  web #0 attempt 3: late reply from api[0]\n");
}
END_TEST

START_TEST(a_late_reply_that_counts_ends_the_backoff) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s, late_reply: counts,"
            " retry: {fixed: {max_attempts: 2, delay: 5.5s}}") "services: {api: {work: 2.385s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: reply from api[0]\n"
        "2.635 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_late_reply_that_counts_while_in_flight_is_ignored_during_a_backoff) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: [1.3s, 4s], late_reply: counts_while_in_flight,"
            " retry: {fixed: {max_attempts: 2, delay: 5.5s}}") "services: {api: {work: 2.385s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: late reply from api[0]\n"
        "7.050 s  web #0 attempt 2: sent to api[0]\n"
        "7.050 s  web #0 attempt 2: arrived at api[0]\n"
        "7.050 s  web #0 attempt 2: started by api[0]\n"
        "9.435 s  web #0 attempt 2: served by api[0]\n"
        "9.435 s  web #0 attempt 2: reply from api[0]\n"
        "9.435 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_late_reply_that_counts_while_in_flight_gives_up_the_attempt_that_is_out) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s, late_reply: counts_while_in_flight,"
            " retry: {fixed: {max_attempts: 2, delay: 0.2s}}") "services: {api: {work: 2.385s, "
                                                               "cancel_on_timeout: queued}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.750 s  web #0 attempt 2: sent to api[0]\n"
        "1.750 s  web #0 attempt 2: arrived at api[0]\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: reply from api[0]\n"
        "2.635 s  web #0 attempt 2: cancelled at api[0]\n"
        "2.635 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_late_reply_never_counts_after_the_request_has_failed) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s, late_reply: counts") "services: {api: {work: 2.385s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.550 s  web #0 has timed out\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(a_server_that_is_never_told_of_timeouts_does_all_the_work_for_nobody) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s") "services: {api: {work: 2.385s, cancel_on_timeout: never}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
        "1.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.400 s  web #0 has timed out\n"
        "1.500 s  web #1 attempt 1: timeout, waiting for api[0]\n"
        "1.500 s  web #1 has timed out\n"
        "2.485 s  web #0 attempt 1: served by api[0]\n"
        "2.485 s  web #0 attempt 1: late reply from api[0]\n"
        "2.485 s  web #1 attempt 1: started by api[0]\n"
        "4.870 s  web #1 attempt 1: served by api[0]\n"
        "4.870 s  web #1 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(cancelling_what_is_queued_leaves_what_is_in_service) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s") "services: {api: {work: 2.385s, cancel_on_timeout: queued}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
        "1.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.400 s  web #0 has timed out\n"
        "1.500 s  web #1 attempt 1: timeout, waiting for api[0]\n"
        "1.500 s  web #1 attempt 1: cancelled at api[0]\n"
        "1.500 s  web #1 has timed out\n"
        "2.485 s  web #0 attempt 1: served by api[0]\n"
        "2.485 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(cancelling_anywhere_frees_the_slot_for_who_waits) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s") "services: {api: {work: 2.385s, cancel_on_timeout: anywhere}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
        "1.400 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.400 s  web #0 attempt 1: cancelled at api[0]\n"
        "1.400 s  web #1 attempt 1: started by api[0]\n"
        "1.400 s  web #0 has timed out\n"
        "1.500 s  web #1 attempt 1: timeout, waiting for api[0]\n"
        "1.500 s  web #1 attempt 1: cancelled at api[0]\n"
        "1.500 s  web #1 has timed out\n");
}
END_TEST

START_TEST(cancelling_anywhere_ends_the_calls_below_but_those_services_decide_for_themselves) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s") "services:\n"
                             "  api: {work: 0.4s, cancel_on_timeout: anywhere, calls: [{parallel: ["
                             "{to: deaf}, {to: good}]}]}\n"
                             "  deaf: {work: 1.7s}\n"
                             "  good: {work: 1.9s, cancel_on_timeout: anywhere}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "0.650 s  web #0 attempt 1: served by api[0]\n"
        "0.650 s  web #0 attempt 1: sent to deaf[0]\n"
        "0.650 s  web #0 attempt 1: arrived at deaf[0]\n"
        "0.650 s  web #0 attempt 1: started by deaf[0]\n"
        "0.650 s  web #0 attempt 1: sent to good[0]\n"
        "0.650 s  web #0 attempt 1: arrived at good[0]\n"
        "0.650 s  web #0 attempt 1: started by good[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.550 s  web #0 attempt 1: cancelled at good[0]\n"
        "1.550 s  web #0 attempt 1: cancelled at api[0]\n"
        "1.550 s  web #0 has timed out\n"
        "2.350 s  web #0 attempt 1: served by deaf[0]\n"
        "2.350 s  web #0 attempt 1: late reply from deaf[0]\n");
}
END_TEST

START_TEST(a_refusal_is_not_retried_unless_retry_on_says_so) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "retry: {fixed: {max_attempts: 4, delay: 0.3s}}") "services: {api: {work: 0.85s, "
                                                              "queue: {limit: 0}}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: refused by api[0]: the queue is full\n"
        "0.200 s  web #1 attempt 1: reply from api[0]: refused\n"
        "0.200 s  web #1 was refused\n"
        "0.950 s  web #0 attempt 1: served by api[0]\n"
        "0.950 s  web #0 attempt 1: reply from api[0]\n"
        "0.950 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_refusal_that_is_in_retry_on_is_retried_until_there_is_room) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT("retry_on: refused, retry: {fixed: {max_attempts: 4, "
                                        "delay: 0.3s}}") "services: {api: {work: 0.85s, queue: "
                                                         "{limit: 0}}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: refused by api[0]: the queue is full\n"
        "0.200 s  web #1 attempt 1: reply from api[0]: refused\n"
        "0.500 s  web #1 attempt 2: sent to api[0]\n"
        "0.500 s  web #1 attempt 2: refused by api[0]: the queue is full\n"
        "0.500 s  web #1 attempt 2: reply from api[0]: refused\n"
        "0.800 s  web #1 attempt 3: sent to api[0]\n"
        "0.800 s  web #1 attempt 3: refused by api[0]: the queue is full\n"
        "0.800 s  web #1 attempt 3: reply from api[0]: refused\n"
        "0.950 s  web #0 attempt 1: served by api[0]\n"
        "0.950 s  web #0 attempt 1: reply from api[0]\n"
        "0.950 s  web #0 is answered\n"
        "1.100 s  web #1 attempt 4: sent to api[0]\n"
        "1.100 s  web #1 attempt 4: arrived at api[0]\n"
        "1.100 s  web #1 attempt 4: started by api[0]\n"
        "1.950 s  web #1 attempt 4: served by api[0]\n"
        "1.950 s  web #1 attempt 4: reply from api[0]\n"
        "1.950 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_timeout_that_is_not_in_retry_on_ends_the_call) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s, retry_on: [error, refused],"
            " retry: {fixed: {max_attempts: 4, delay: 0.3s}}") "services: {api: {work: 2.385s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.550 s  web #0 has timed out\n"
        "2.635 s  web #0 attempt 1: served by api[0]\n"
        "2.635 s  web #0 attempt 1: late reply from api[0]\n");
}
END_TEST

START_TEST(one_retry_after_a_rejection_saves_one_request_and_loses_another) {
    static const TraceArrival five[] = {
        {.at_s = 0}, {.at_s = 0.9}, {.at_s = 1.7}, {.at_s = 3.3}, {.at_s = 4.1}};
    /* T1 of docs/validation.md: completions at 2, 4, 6, none and 8. */
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT("retry_on: refused, retry: {fixed: {max_attempts: 2, "
                                        "delay: 1.5s}}") "services: {api: {work: 2s, queue: "
                                                         "{limit: 1}}}\n",
        STORY_TRACE(five),
        "0.000 s  web #0 attempt 1: sent to api[0]\n"
        "0.000 s  web #0 attempt 1: arrived at api[0]\n"
        "0.000 s  web #0 attempt 1: started by api[0]\n"
        "0.900 s  web #1 attempt 1: sent to api[0]\n"
        "0.900 s  web #1 attempt 1: arrived at api[0]\n"
        "1.700 s  web #2 attempt 1: sent to api[0]\n"
        "1.700 s  web #2 attempt 1: refused by api[0]: the queue is full\n"
        "1.700 s  web #2 attempt 1: reply from api[0]: refused\n"
        "2.000 s  web #0 attempt 1: served by api[0]\n"
        "2.000 s  web #0 attempt 1: reply from api[0]\n"
        "2.000 s  web #0 is answered\n"
        "2.000 s  web #1 attempt 1: started by api[0]\n"
        "3.200 s  web #2 attempt 2: sent to api[0]\n"
        "3.200 s  web #2 attempt 2: arrived at api[0]\n"
        "3.300 s  web #3 attempt 1: sent to api[0]\n"
        "3.300 s  web #3 attempt 1: refused by api[0]: the queue is full\n"
        "3.300 s  web #3 attempt 1: reply from api[0]: refused\n"
        "4.000 s  web #1 attempt 1: served by api[0]\n"
        "4.000 s  web #1 attempt 1: reply from api[0]\n"
        "4.000 s  web #1 is answered\n"
        "4.000 s  web #2 attempt 2: started by api[0]\n"
        "4.100 s  web #4 attempt 1: sent to api[0]\n"
        "4.100 s  web #4 attempt 1: arrived at api[0]\n"
        "4.800 s  web #3 attempt 2: sent to api[0]\n"
        "4.800 s  web #3 attempt 2: refused by api[0]: the queue is full\n"
        "4.800 s  web #3 attempt 2: reply from api[0]: refused\n"
        "4.800 s  web #3 was refused\n"
        "6.000 s  web #2 attempt 2: served by api[0]\n"
        "6.000 s  web #2 attempt 2: reply from api[0]\n"
        "6.000 s  web #2 is answered\n"
        "6.000 s  web #4 attempt 1: started by api[0]\n"
        "8.000 s  web #4 attempt 1: served by api[0]\n"
        "8.000 s  web #4 attempt 1: reply from api[0]\n"
        "8.000 s  web #4 is answered\n");
}
END_TEST

START_TEST(a_deadline_ends_the_call_in_its_backoff) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s, deadline: 1.9s,"
            " retry: {fixed: {max_attempts: 9, delay: 0.8s}}") "services: {api: {work: 2.385s, "
                                                               "cancel_on_timeout: anywhere}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.550 s  web #0 attempt 1: cancelled at api[0]\n"
        "2.150 s  web #0 has timed out\n");
}
END_TEST

START_TEST(a_deadline_ends_the_call_while_an_attempt_is_out_and_the_server_works_on) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "timeout: 1.3s, deadline: 1.9s,"
            " retry: {fixed: {max_attempts: 9, delay: 0.1s}}") "services: {api: {work: 1.45s}}\n",
        STORY_TRACE(one),
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "1.550 s  web #0 attempt 1: timeout, waiting for api[0]\n"
        "1.650 s  web #0 attempt 2: sent to api[0]\n"
        "1.650 s  web #0 attempt 2: arrived at api[0]\n"
        "1.700 s  web #0 attempt 1: served by api[0]\n"
        "1.700 s  web #0 attempt 1: late reply from api[0]\n"
        "1.700 s  web #0 attempt 2: started by api[0]\n"
        "2.150 s  web #0 has timed out\n"
        "3.150 s  web #0 attempt 2: served by api[0]\n"
        "3.150 s  web #0 attempt 2: late reply from api[0]\n");
}
END_TEST

START_TEST(backoffs_grow_until_their_limit) {
    story_with_trace_is("run: {duration: 20s}\n" CLIENT(
                            "retry: {exponential: {max_attempts: 5, base: 0.3s, multiplier: 2.5, "
                            "max: 1.2s}}") "services: {api: {work: 10ms}}\n"
                                           "faults: [{at: 0s, for: 3s, errors: {service: api, "
                                           "after: 0s}}]\n",
                        STORY_TRACE(one),
                        "0.000 s  fault begins: errors api\n"
                        "0.250 s  web #0 attempt 1: sent to api[0]\n"
                        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.250 s  web #0 attempt 1: started by api[0]\n"
                        "0.250 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
                        "0.250 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.550 s  web #0 attempt 2: sent to api[0]\n"
                        "0.550 s  web #0 attempt 2: arrived at api[0]\n"
                        "0.550 s  web #0 attempt 2: started by api[0]\n"
                        "0.550 s  web #0 attempt 2: served by api[0]: in vain: an error\n"
                        "0.550 s  web #0 attempt 2: reply from api[0]: an error\n"
                        "1.300 s  web #0 attempt 3: sent to api[0]\n"
                        "1.300 s  web #0 attempt 3: arrived at api[0]\n"
                        "1.300 s  web #0 attempt 3: started by api[0]\n"
                        "1.300 s  web #0 attempt 3: served by api[0]: in vain: an error\n"
                        "1.300 s  web #0 attempt 3: reply from api[0]: an error\n"
                        "2.500 s  web #0 attempt 4: sent to api[0]\n"
                        "2.500 s  web #0 attempt 4: arrived at api[0]\n"
                        "2.500 s  web #0 attempt 4: started by api[0]\n"
                        "2.500 s  web #0 attempt 4: served by api[0]: in vain: an error\n"
                        "2.500 s  web #0 attempt 4: reply from api[0]: an error\n"
                        "3.000 s  fault ends: errors api\n"
                        "3.700 s  web #0 attempt 5: sent to api[0]\n"
                        "3.700 s  web #0 attempt 5: arrived at api[0]\n"
                        "3.700 s  web #0 attempt 5: started by api[0]\n"
                        "3.710 s  web #0 attempt 5: served by api[0]\n"
                        "3.710 s  web #0 attempt 5: reply from api[0]\n"
                        "3.710 s  web #0 is answered\n");
}
END_TEST

START_TEST(an_empty_retry_budget_ends_the_call_and_a_success_pays_for_the_next_retry) {
    static const TraceArrival three[] = {{.at_s = 0.25}, {.at_s = 3.1}, {.at_s = 5.3}};
    /* Two tokens at first: the first request takes both and has none for a third retry; the second
     * succeeds and pays one back; the third may try again once. */
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT("retry: {fixed: {max_attempts: 9, delay: 0.3s}},"
                                        " retry_budget: {token_bucket: {capacity: 2, cost: 1, "
                                        "refund: 1}}") "services: {api: {work: 10ms}}\n"
                                                       "faults:\n"
                                                       "  - {at: 0s, for: 3s, errors: {service: "
                                                       "api, after: 0s}}\n"
                                                       "  - {at: 5s, for: 5s, errors: {service: "
                                                       "api, after: 0s}}\n",
        STORY_TRACE(three),
        "0.000 s  fault begins: errors api\n"
        "0.250 s  web #0 attempt 1: sent to api[0]\n"
        "0.250 s  web #0 attempt 1: arrived at api[0]\n"
        "0.250 s  web #0 attempt 1: started by api[0]\n"
        "0.250 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
        "0.250 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.550 s  web #0 attempt 2: sent to api[0]\n"
        "0.550 s  web #0 attempt 2: arrived at api[0]\n"
        "0.550 s  web #0 attempt 2: started by api[0]\n"
        "0.550 s  web #0 attempt 2: served by api[0]: in vain: an error\n"
        "0.550 s  web #0 attempt 2: reply from api[0]: an error\n"
        "0.850 s  web #0 attempt 3: sent to api[0]\n"
        "0.850 s  web #0 attempt 3: arrived at api[0]\n"
        "0.850 s  web #0 attempt 3: started by api[0]\n"
        "0.850 s  web #0 attempt 3: served by api[0]: in vain: an error\n"
        "0.850 s  web #0 attempt 3: reply from api[0]: an error\n"
        "0.850 s  web #0 has failed\n"
        "3.000 s  fault ends: errors api\n"
        "3.100 s  web #1 attempt 1: sent to api[0]\n"
        "3.100 s  web #1 attempt 1: arrived at api[0]\n"
        "3.100 s  web #1 attempt 1: started by api[0]\n"
        "3.110 s  web #1 attempt 1: served by api[0]\n"
        "3.110 s  web #1 attempt 1: reply from api[0]\n"
        "3.110 s  web #1 is answered\n"
        "5.000 s  fault begins: errors api\n"
        "5.300 s  web #2 attempt 1: sent to api[0]\n"
        "5.300 s  web #2 attempt 1: arrived at api[0]\n"
        "5.300 s  web #2 attempt 1: started by api[0]\n"
        "5.300 s  web #2 attempt 1: served by api[0]: in vain: an error\n"
        "5.300 s  web #2 attempt 1: reply from api[0]: an error\n"
        "5.600 s  web #2 attempt 2: sent to api[0]\n"
        "5.600 s  web #2 attempt 2: arrived at api[0]\n"
        "5.600 s  web #2 attempt 2: started by api[0]\n"
        "5.600 s  web #2 attempt 2: served by api[0]: in vain: an error\n"
        "5.600 s  web #2 attempt 2: reply from api[0]: an error\n"
        "5.600 s  web #2 has failed\n"
        "10.000 s  fault ends: errors api\n");
}
END_TEST

START_TEST(instances_of_a_client_have_budgets_of_their_own) {
    story_with_trace_is(
        "run: {duration: 20s}\n" CLIENT(
            "instances: 2, retry: {fixed: {max_attempts: 9, delay: 0.3s}},"
            " retry_budget: {token_bucket: {capacity: 1, cost: 1}}") "services: {api: {work: "
                                                                     "10ms}}\n"
                                                                     "faults: [{at: 0s, for: 3s, "
                                                                     "errors: {service: api, "
                                                                     "after: 0s}}]\n",
        STORY_TRACE(two),
        "0.000 s  fault begins: errors api\n"
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.100 s  web #0 attempt 1: served by api[0]: in vain: an error\n"
        "0.100 s  web #0 attempt 1: reply from api[0]: an error\n"
        "0.200 s  web #1 attempt 1: sent to api[0]\n"
        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
        "0.200 s  web #1 attempt 1: started by api[0]\n"
        "0.200 s  web #1 attempt 1: served by api[0]: in vain: an error\n"
        "0.200 s  web #1 attempt 1: reply from api[0]: an error\n"
        "0.400 s  web #0 attempt 2: sent to api[0]\n"
        "0.400 s  web #0 attempt 2: arrived at api[0]\n"
        "0.400 s  web #0 attempt 2: started by api[0]\n"
        "0.400 s  web #0 attempt 2: served by api[0]: in vain: an error\n"
        "0.400 s  web #0 attempt 2: reply from api[0]: an error\n"
        "0.400 s  web #0 has failed\n"
        "0.500 s  web #1 attempt 2: sent to api[0]\n"
        "0.500 s  web #1 attempt 2: arrived at api[0]\n"
        "0.500 s  web #1 attempt 2: started by api[0]\n"
        "0.500 s  web #1 attempt 2: served by api[0]: in vain: an error\n"
        "0.500 s  web #1 attempt 2: reply from api[0]: an error\n"
        "0.500 s  web #1 has failed\n"
        "3.000 s  fault ends: errors api\n");
}
END_TEST

TEST_SUITE("models/retry_story", a_timeout_leaves_the_server_working_and_the_late_reply_is_ignored,
           a_retry_goes_out_its_delay_after_the_failure_and_waits_behind_the_first_attempt,
           a_list_of_timeouts_gives_one_to_each_attempt_and_the_last_to_all_further_ones,
           a_late_reply_that_counts_ends_the_backoff,
           a_late_reply_that_counts_while_in_flight_is_ignored_during_a_backoff,
           a_late_reply_that_counts_while_in_flight_gives_up_the_attempt_that_is_out,
           a_late_reply_never_counts_after_the_request_has_failed,
           a_server_that_is_never_told_of_timeouts_does_all_the_work_for_nobody,
           cancelling_what_is_queued_leaves_what_is_in_service,
           cancelling_anywhere_frees_the_slot_for_who_waits,
           cancelling_anywhere_ends_the_calls_below_but_those_services_decide_for_themselves,
           a_refusal_is_not_retried_unless_retry_on_says_so,
           a_refusal_that_is_in_retry_on_is_retried_until_there_is_room,
           a_timeout_that_is_not_in_retry_on_ends_the_call,
           one_retry_after_a_rejection_saves_one_request_and_loses_another,
           a_deadline_ends_the_call_in_its_backoff,
           a_deadline_ends_the_call_while_an_attempt_is_out_and_the_server_works_on,
           backoffs_grow_until_their_limit,
           an_empty_retry_budget_ends_the_call_and_a_success_pays_for_the_next_retry,
           instances_of_a_client_have_budgets_of_their_own)
