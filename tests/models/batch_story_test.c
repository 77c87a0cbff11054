/* Batches, told step by step. */
#include "tests/models/story.h"

#define SCENARIO(more)                                                                             \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: gpu, arrivals: {trace: {file: /dev/null}}}}\n"                        \
    "services: {gpu: {" more "}}\n"

START_TEST(a_static_batch_takes_what_is_there_when_it_can_start) {
    static const TraceArrival five[] = {
        {.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}, {.at_s = 0.5}};
    /* 0.5 + 0.2 k: one alone, then three, then the one that did not fit. */
    story_with_trace_is(SCENARIO("server: {batch: {max_batch_size: 3, step: {linear: {base: 500ms, "
                                 "per_request: 200ms}}}}"),
                        STORY_TRACE(five),
                        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
                        "0.100 s  web #0 attempt 1: started by gpu[0]\n"
                        "0.200 s  web #1 attempt 1: sent to gpu[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at gpu[0]\n"
                        "0.300 s  web #2 attempt 1: sent to gpu[0]\n"
                        "0.300 s  web #2 attempt 1: arrived at gpu[0]\n"
                        "0.400 s  web #3 attempt 1: sent to gpu[0]\n"
                        "0.400 s  web #3 attempt 1: arrived at gpu[0]\n"
                        "0.500 s  web #4 attempt 1: sent to gpu[0]\n"
                        "0.500 s  web #4 attempt 1: arrived at gpu[0]\n"
                        "0.800 s  web #0 attempt 1: served by gpu[0]\n"
                        "0.800 s  web #0 attempt 1: reply from gpu[0]\n"
                        "0.800 s  web #0 is answered\n"
                        "0.800 s  web #1 attempt 1: started by gpu[0]\n"
                        "0.800 s  web #2 attempt 1: started by gpu[0]\n"
                        "0.800 s  web #3 attempt 1: started by gpu[0]\n"
                        "1.900 s  web #1 attempt 1: served by gpu[0]\n"
                        "1.900 s  web #1 attempt 1: reply from gpu[0]\n"
                        "1.900 s  web #1 is answered\n"
                        "1.900 s  web #2 attempt 1: served by gpu[0]\n"
                        "1.900 s  web #2 attempt 1: reply from gpu[0]\n"
                        "1.900 s  web #2 is answered\n"
                        "1.900 s  web #3 attempt 1: served by gpu[0]\n"
                        "1.900 s  web #3 attempt 1: reply from gpu[0]\n"
                        "1.900 s  web #3 is answered\n"
                        "1.900 s  web #4 attempt 1: started by gpu[0]\n"
                        "2.600 s  web #4 attempt 1: served by gpu[0]\n"
                        "2.600 s  web #4 attempt 1: reply from gpu[0]\n"
                        "2.600 s  web #4 is answered\n");
}
END_TEST

START_TEST(a_batch_starts_full_or_when_its_oldest_has_waited_max_queue_delay) {
    static const TraceArrival seven[] = {{.at_s = 0},    {.at_s = 0.3}, {.at_s = 0.4},
                                         {.at_s = 0.45}, {.at_s = 1.0}, {.at_s = 2.9},
                                         {.at_s = 3.95}};
    /* T2 of docs/validation.md: {1,2,3} 0.4-1.5, {4,5} 1.5-2.4 overdue, {6} 3.9-4.6, {7} 4.95-5.65.
     */
    story_with_trace_is(SCENARIO("server: {batch: {max_batch_size: 3, max_queue_delay: 1s,"
                                 " step: {linear: {base: 500ms, per_request: 200ms}}}}"),
                        STORY_TRACE(seven),
                        "0.000 s  web #0 attempt 1: sent to gpu[0]\n"
                        "0.000 s  web #0 attempt 1: arrived at gpu[0]\n"
                        "0.300 s  web #1 attempt 1: sent to gpu[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at gpu[0]\n"
                        "0.400 s  web #2 attempt 1: sent to gpu[0]\n"
                        "0.400 s  web #2 attempt 1: arrived at gpu[0]\n"
                        "0.400 s  web #0 attempt 1: started by gpu[0]\n"
                        "0.400 s  web #1 attempt 1: started by gpu[0]\n"
                        "0.400 s  web #2 attempt 1: started by gpu[0]\n"
                        "0.450 s  web #3 attempt 1: sent to gpu[0]\n"
                        "0.450 s  web #3 attempt 1: arrived at gpu[0]\n"
                        "1.000 s  web #4 attempt 1: sent to gpu[0]\n"
                        "1.000 s  web #4 attempt 1: arrived at gpu[0]\n"
                        "1.500 s  web #0 attempt 1: served by gpu[0]\n"
                        "1.500 s  web #0 attempt 1: reply from gpu[0]\n"
                        "1.500 s  web #0 is answered\n"
                        "1.500 s  web #1 attempt 1: served by gpu[0]\n"
                        "1.500 s  web #1 attempt 1: reply from gpu[0]\n"
                        "1.500 s  web #1 is answered\n"
                        "1.500 s  web #2 attempt 1: served by gpu[0]\n"
                        "1.500 s  web #2 attempt 1: reply from gpu[0]\n"
                        "1.500 s  web #2 is answered\n"
                        "1.500 s  web #3 attempt 1: started by gpu[0]\n"
                        "1.500 s  web #4 attempt 1: started by gpu[0]\n"
                        "2.400 s  web #3 attempt 1: served by gpu[0]\n"
                        "2.400 s  web #3 attempt 1: reply from gpu[0]\n"
                        "2.400 s  web #3 is answered\n"
                        "2.400 s  web #4 attempt 1: served by gpu[0]\n"
                        "2.400 s  web #4 attempt 1: reply from gpu[0]\n"
                        "2.400 s  web #4 is answered\n"
                        "2.900 s  web #5 attempt 1: sent to gpu[0]\n"
                        "2.900 s  web #5 attempt 1: arrived at gpu[0]\n"
                        "3.900 s  web #5 attempt 1: started by gpu[0]\n"
                        "3.950 s  web #6 attempt 1: sent to gpu[0]\n"
                        "3.950 s  web #6 attempt 1: arrived at gpu[0]\n"
                        "4.600 s  web #5 attempt 1: served by gpu[0]\n"
                        "4.600 s  web #5 attempt 1: reply from gpu[0]\n"
                        "4.600 s  web #5 is answered\n"
                        "4.950 s  web #6 attempt 1: started by gpu[0]\n"
                        "5.650 s  web #6 attempt 1: served by gpu[0]\n"
                        "5.650 s  web #6 attempt 1: reply from gpu[0]\n"
                        "5.650 s  web #6 is answered\n");
}
END_TEST

START_TEST(a_preferred_size_starts_at_once_and_others_wait_for_max_queue_delay) {
    static const TraceArrival six[] = {{.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3},
                                       {.at_s = 0.4}, {.at_s = 0.5}, {.at_s = 2.6}};
    story_with_trace_is(SCENARIO("server: {batch: {max_batch_size: 6, preferred_batch_size: [2, 4],"
                                 " max_queue_delay: 0.9s, step: 1.35s}}"),
                        STORY_TRACE(six),
                        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
                        "0.200 s  web #1 attempt 1: sent to gpu[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at gpu[0]\n"
                        "0.200 s  web #0 attempt 1: started by gpu[0]\n"
                        "0.200 s  web #1 attempt 1: started by gpu[0]\n"
                        "0.300 s  web #2 attempt 1: sent to gpu[0]\n"
                        "0.300 s  web #2 attempt 1: arrived at gpu[0]\n"
                        "0.400 s  web #3 attempt 1: sent to gpu[0]\n"
                        "0.400 s  web #3 attempt 1: arrived at gpu[0]\n"
                        "0.500 s  web #4 attempt 1: sent to gpu[0]\n"
                        "0.500 s  web #4 attempt 1: arrived at gpu[0]\n"
                        "1.550 s  web #0 attempt 1: served by gpu[0]\n"
                        "1.550 s  web #0 attempt 1: reply from gpu[0]\n"
                        "1.550 s  web #0 is answered\n"
                        "1.550 s  web #1 attempt 1: served by gpu[0]\n"
                        "1.550 s  web #1 attempt 1: reply from gpu[0]\n"
                        "1.550 s  web #1 is answered\n"
                        "1.550 s  web #2 attempt 1: started by gpu[0]\n"
                        "1.550 s  web #3 attempt 1: started by gpu[0]\n"
                        "1.550 s  web #4 attempt 1: started by gpu[0]\n"
                        "2.600 s  web #5 attempt 1: sent to gpu[0]\n"
                        "2.600 s  web #5 attempt 1: arrived at gpu[0]\n"
                        "2.900 s  web #2 attempt 1: served by gpu[0]\n"
                        "2.900 s  web #2 attempt 1: reply from gpu[0]\n"
                        "2.900 s  web #2 is answered\n"
                        "2.900 s  web #3 attempt 1: served by gpu[0]\n"
                        "2.900 s  web #3 attempt 1: reply from gpu[0]\n"
                        "2.900 s  web #3 is answered\n"
                        "2.900 s  web #4 attempt 1: served by gpu[0]\n"
                        "2.900 s  web #4 attempt 1: reply from gpu[0]\n"
                        "2.900 s  web #4 is answered\n"
                        "3.500 s  web #5 attempt 1: started by gpu[0]\n"
                        "4.850 s  web #5 attempt 1: served by gpu[0]\n"
                        "4.850 s  web #5 attempt 1: reply from gpu[0]\n"
                        "4.850 s  web #5 is answered\n");
}
END_TEST

START_TEST(a_preferred_size_without_a_delay_keeps_nobody_waiting) {
    static const TraceArrival four[] = {{.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}};
    /* Of the three that wait at 1.45 s two make a preferred size; the last goes alone. */
    story_with_trace_is(SCENARIO("server: {batch: {max_batch_size: 6, preferred_batch_size: 2,"
                                 " step: 1.35s}}"),
                        STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
                        "0.100 s  web #0 attempt 1: started by gpu[0]\n"
                        "0.200 s  web #1 attempt 1: sent to gpu[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at gpu[0]\n"
                        "0.300 s  web #2 attempt 1: sent to gpu[0]\n"
                        "0.300 s  web #2 attempt 1: arrived at gpu[0]\n"
                        "0.400 s  web #3 attempt 1: sent to gpu[0]\n"
                        "0.400 s  web #3 attempt 1: arrived at gpu[0]\n"
                        "1.450 s  web #0 attempt 1: served by gpu[0]\n"
                        "1.450 s  web #0 attempt 1: reply from gpu[0]\n"
                        "1.450 s  web #0 is answered\n"
                        "1.450 s  web #1 attempt 1: started by gpu[0]\n"
                        "1.450 s  web #2 attempt 1: started by gpu[0]\n"
                        "2.800 s  web #1 attempt 1: served by gpu[0]\n"
                        "2.800 s  web #1 attempt 1: reply from gpu[0]\n"
                        "2.800 s  web #1 is answered\n"
                        "2.800 s  web #2 attempt 1: served by gpu[0]\n"
                        "2.800 s  web #2 attempt 1: reply from gpu[0]\n"
                        "2.800 s  web #2 is answered\n"
                        "2.800 s  web #3 attempt 1: started by gpu[0]\n"
                        "4.150 s  web #3 attempt 1: served by gpu[0]\n"
                        "4.150 s  web #3 attempt 1: reply from gpu[0]\n"
                        "4.150 s  web #3 is answered\n");
}
END_TEST

START_TEST(a_min_batch_size_waits_for_company_and_without_a_delay_for_ever) {
    static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.7}};
    story_with_trace_is(
        SCENARIO("server: {batch: {max_batch_size: 6, min_batch_size: 2, step: 1.35s}}"),
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
        "0.200 s  web #1 attempt 1: sent to gpu[0]\n"
        "0.200 s  web #1 attempt 1: arrived at gpu[0]\n"
        "0.200 s  web #0 attempt 1: started by gpu[0]\n"
        "0.200 s  web #1 attempt 1: started by gpu[0]\n"
        "0.700 s  web #2 attempt 1: sent to gpu[0]\n"
        "0.700 s  web #2 attempt 1: arrived at gpu[0]\n"
        "1.550 s  web #0 attempt 1: served by gpu[0]\n"
        "1.550 s  web #0 attempt 1: reply from gpu[0]\n"
        "1.550 s  web #0 is answered\n"
        "1.550 s  web #1 attempt 1: served by gpu[0]\n"
        "1.550 s  web #1 attempt 1: reply from gpu[0]\n"
        "1.550 s  web #1 is answered\n"
        "60.000 s  web #2 is unfinished\n");
}
END_TEST

START_TEST(two_instances_compute_two_batches_at_a_time) {
    static const TraceArrival five[] = {
        {.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}, {.at_s = 0.5}};
    story_with_trace_is(SCENARIO("server: {batch: {max_batch_size: 2, instances: 2, step: 1.35s}}"),
                        STORY_TRACE(five),
                        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
                        "0.100 s  web #0 attempt 1: started by gpu[0]\n"
                        "0.200 s  web #1 attempt 1: sent to gpu[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at gpu[0]\n"
                        "0.200 s  web #1 attempt 1: started by gpu[0]\n"
                        "0.300 s  web #2 attempt 1: sent to gpu[0]\n"
                        "0.300 s  web #2 attempt 1: arrived at gpu[0]\n"
                        "0.400 s  web #3 attempt 1: sent to gpu[0]\n"
                        "0.400 s  web #3 attempt 1: arrived at gpu[0]\n"
                        "0.500 s  web #4 attempt 1: sent to gpu[0]\n"
                        "0.500 s  web #4 attempt 1: arrived at gpu[0]\n"
                        "1.450 s  web #0 attempt 1: served by gpu[0]\n"
                        "1.450 s  web #0 attempt 1: reply from gpu[0]\n"
                        "1.450 s  web #0 is answered\n"
                        "1.450 s  web #2 attempt 1: started by gpu[0]\n"
                        "1.450 s  web #3 attempt 1: started by gpu[0]\n"
                        "1.550 s  web #1 attempt 1: served by gpu[0]\n"
                        "1.550 s  web #1 attempt 1: reply from gpu[0]\n"
                        "1.550 s  web #1 is answered\n"
                        "1.550 s  web #4 attempt 1: started by gpu[0]\n"
                        "2.800 s  web #2 attempt 1: served by gpu[0]\n"
                        "2.800 s  web #2 attempt 1: reply from gpu[0]\n"
                        "2.800 s  web #2 is answered\n"
                        "2.800 s  web #3 attempt 1: served by gpu[0]\n"
                        "2.800 s  web #3 attempt 1: reply from gpu[0]\n"
                        "2.800 s  web #3 is answered\n"
                        "2.900 s  web #4 attempt 1: served by gpu[0]\n"
                        "2.900 s  web #4 attempt 1: reply from gpu[0]\n"
                        "2.900 s  web #4 is answered\n");
}
END_TEST

START_TEST(when_the_oldest_leaves_the_queue_the_delay_runs_for_the_next) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.4}};
    /* Patience of 0.85 s ends before the delay of 1 s: neither is ever served. */
    story_with_trace_is(
        SCENARIO("queue: {timeout: 0.85s}, server: {batch: {max_batch_size: 3,"
                 " max_queue_delay: 1s, step: 1.35s}}"),
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
        "0.400 s  web #1 attempt 1: sent to gpu[0]\n"
        "0.400 s  web #1 attempt 1: arrived at gpu[0]\n"
        "0.950 s  web #0 attempt 1: gave up in the queue of gpu[0]: waited too long\n"
        "0.950 s  web #0 attempt 1: reply from gpu[0]: refused\n"
        "0.950 s  web #0 was refused\n"
        "1.250 s  web #1 attempt 1: gave up in the queue of gpu[0]: waited too long\n"
        "1.250 s  web #1 attempt 1: reply from gpu[0]: refused\n"
        "1.250 s  web #1 was refused\n");
}
END_TEST

START_TEST(a_batch_computes_on_for_members_that_were_cancelled) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.4}};
    story_with_trace_is(
        "run: {duration: 60s}\n"
        "clients: {web: {target: gpu, arrivals: {trace: {file: /dev/null}}, call: {timeout: "
        "1.6s}}}\n"
        "services: {gpu: {cancel_on_timeout: anywhere, server: {batch: {max_batch_size: 2,"
        " max_queue_delay: 1s, step: 1.5s}}}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
        "0.400 s  web #1 attempt 1: sent to gpu[0]\n"
        "0.400 s  web #1 attempt 1: arrived at gpu[0]\n"
        "0.400 s  web #0 attempt 1: started by gpu[0]\n"
        "0.400 s  web #1 attempt 1: started by gpu[0]\n"
        "1.700 s  web #0 attempt 1: timeout, waiting for gpu[0]\n"
        "1.700 s  web #0 has timed out\n"
        "1.900 s  web #0 attempt 1: served by gpu[0]\n"
        "1.900 s  web #0 attempt 1: late reply from gpu[0]\n"
        "1.900 s  web #1 attempt 1: served by gpu[0]\n"
        "1.900 s  web #1 attempt 1: reply from gpu[0]\n"
        "1.900 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_step_grows_with_the_tokens_of_the_whole_batch) {
    static const TraceArrival two[] = {
        {.at_s = 0.1, .input_tokens = 137, .output_tokens = 11},
        {.at_s = 0.4, .input_tokens = 63, .output_tokens = 29},
    };
    /* 0.2 + 200 x 1 ms + 40 x 5 ms = 0.6 s from 0.4 s on. */
    story_with_trace_is(
        SCENARIO(
            "server: {batch: {max_batch_size: 2, min_batch_size: 2, step: {linear: {base: 200ms,"
            " per_input_token: 1ms, per_output_token: 5ms}}}}"),
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to gpu[0]\n"
        "0.100 s  web #0 attempt 1: arrived at gpu[0]\n"
        "0.400 s  web #1 attempt 1: sent to gpu[0]\n"
        "0.400 s  web #1 attempt 1: arrived at gpu[0]\n"
        "0.400 s  web #0 attempt 1: started by gpu[0]\n"
        "0.400 s  web #1 attempt 1: started by gpu[0]\n"
        "1.000 s  web #0 attempt 1: served by gpu[0]\n"
        "1.000 s  web #0 attempt 1: reply from gpu[0]\n"
        "1.000 s  web #0 is answered\n"
        "1.000 s  web #1 attempt 1: served by gpu[0]\n"
        "1.000 s  web #1 attempt 1: reply from gpu[0]\n"
        "1.000 s  web #1 is answered\n");
}
END_TEST

TEST_SUITE("models/batch_story", a_static_batch_takes_what_is_there_when_it_can_start,
           a_batch_starts_full_or_when_its_oldest_has_waited_max_queue_delay,
           a_preferred_size_starts_at_once_and_others_wait_for_max_queue_delay,
           a_preferred_size_without_a_delay_keeps_nobody_waiting,
           a_min_batch_size_waits_for_company_and_without_a_delay_for_ever,
           two_instances_compute_two_batches_at_a_time,
           when_the_oldest_leaves_the_queue_the_delay_runs_for_the_next,
           a_batch_computes_on_for_members_that_were_cancelled,
           a_step_grows_with_the_tokens_of_the_whole_batch)
