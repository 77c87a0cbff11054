/* Queues, pools and sharing servers, told step by step. */
#include "tests/models/story.h"

#define SCENARIO(api)                                                                              \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"                        \
    "services: {api: {" api "}}\n"

static const TraceArrival four[] = {{.at_s = 0.1}, {.at_s = 0.35}, {.at_s = 0.6}, {.at_s = 0.85}};

START_TEST(fifo_serves_who_came_first) {
    story_with_trace_is(SCENARIO("work: 1.1s, queue: {order: fifo}"), STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #2 attempt 1: sent to api[0]\n"
                        "0.600 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.850 s  web #3 attempt 1: sent to api[0]\n"
                        "0.850 s  web #3 attempt 1: arrived at api[0]\n"
                        "1.200 s  web #0 attempt 1: served by api[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n"
                        "1.200 s  web #1 attempt 1: started by api[0]\n"
                        "2.300 s  web #1 attempt 1: served by api[0]\n"
                        "2.300 s  web #1 attempt 1: reply from api[0]\n"
                        "2.300 s  web #1 is answered\n"
                        "2.300 s  web #2 attempt 1: started by api[0]\n"
                        "3.400 s  web #2 attempt 1: served by api[0]\n"
                        "3.400 s  web #2 attempt 1: reply from api[0]\n"
                        "3.400 s  web #2 is answered\n"
                        "3.400 s  web #3 attempt 1: started by api[0]\n"
                        "4.500 s  web #3 attempt 1: served by api[0]\n"
                        "4.500 s  web #3 attempt 1: reply from api[0]\n"
                        "4.500 s  web #3 is answered\n");
}
END_TEST

START_TEST(lifo_serves_who_came_last) {
    story_with_trace_is(SCENARIO("work: 1.1s, queue: {order: lifo}"), STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #2 attempt 1: sent to api[0]\n"
                        "0.600 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.850 s  web #3 attempt 1: sent to api[0]\n"
                        "0.850 s  web #3 attempt 1: arrived at api[0]\n"
                        "1.200 s  web #0 attempt 1: served by api[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n"
                        "1.200 s  web #3 attempt 1: started by api[0]\n"
                        "2.300 s  web #3 attempt 1: served by api[0]\n"
                        "2.300 s  web #3 attempt 1: reply from api[0]\n"
                        "2.300 s  web #3 is answered\n"
                        "2.300 s  web #2 attempt 1: started by api[0]\n"
                        "3.400 s  web #2 attempt 1: served by api[0]\n"
                        "3.400 s  web #2 attempt 1: reply from api[0]\n"
                        "3.400 s  web #2 is answered\n"
                        "3.400 s  web #1 attempt 1: started by api[0]\n"
                        "4.500 s  web #1 attempt 1: served by api[0]\n"
                        "4.500 s  web #1 attempt 1: reply from api[0]\n"
                        "4.500 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_queue_limit_counts_who_waits_and_not_who_is_served) {
    story_with_trace_is(SCENARIO("work: 1.1s, queue: {limit: 2}"), STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #2 attempt 1: sent to api[0]\n"
                        "0.600 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.850 s  web #3 attempt 1: sent to api[0]\n"
                        "0.850 s  web #3 attempt 1: refused by api[0]: the queue is full\n"
                        "0.850 s  web #3 attempt 1: reply from api[0]: refused\n"
                        "0.850 s  web #3 was refused\n"
                        "1.200 s  web #0 attempt 1: served by api[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n"
                        "1.200 s  web #1 attempt 1: started by api[0]\n"
                        "2.300 s  web #1 attempt 1: served by api[0]\n"
                        "2.300 s  web #1 attempt 1: reply from api[0]\n"
                        "2.300 s  web #1 is answered\n"
                        "2.300 s  web #2 attempt 1: started by api[0]\n"
                        "3.400 s  web #2 attempt 1: served by api[0]\n"
                        "3.400 s  web #2 attempt 1: reply from api[0]\n"
                        "3.400 s  web #2 is answered\n");
}
END_TEST

START_TEST(a_queue_timeout_runs_from_entering_the_queue_and_ends_with_the_start_of_service) {
    story_with_trace_is(
        SCENARIO("work: 1.1s, queue: {timeout: 0.95s}"), STORY_TRACE(four),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.600 s  web #2 attempt 1: sent to api[0]\n"
        "0.600 s  web #2 attempt 1: arrived at api[0]\n"
        "0.850 s  web #3 attempt 1: sent to api[0]\n"
        "0.850 s  web #3 attempt 1: arrived at api[0]\n"
        "1.200 s  web #0 attempt 1: served by api[0]\n"
        "1.200 s  web #0 attempt 1: reply from api[0]\n"
        "1.200 s  web #0 is answered\n"
        "1.200 s  web #1 attempt 1: started by api[0]\n"
        "1.550 s  web #2 attempt 1: gave up in the queue of api[0]: waited too long\n"
        "1.550 s  web #2 attempt 1: reply from api[0]: refused\n"
        "1.550 s  web #2 was refused\n"
        "1.800 s  web #3 attempt 1: gave up in the queue of api[0]: waited too long\n"
        "1.800 s  web #3 attempt 1: reply from api[0]: refused\n"
        "1.800 s  web #3 was refused\n"
        "2.300 s  web #1 attempt 1: served by api[0]\n"
        "2.300 s  web #1 attempt 1: reply from api[0]\n"
        "2.300 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_pool_serves_as_many_as_it_has_slots) {
    story_with_trace_is(SCENARIO("work: 1.1s, server: {pool: {concurrency: 3}}"), STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.600 s  web #2 attempt 1: sent to api[0]\n"
                        "0.600 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #2 attempt 1: started by api[0]\n"
                        "0.850 s  web #3 attempt 1: sent to api[0]\n"
                        "0.850 s  web #3 attempt 1: arrived at api[0]\n"
                        "1.200 s  web #0 attempt 1: served by api[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n"
                        "1.200 s  web #3 attempt 1: started by api[0]\n"
                        "1.450 s  web #1 attempt 1: served by api[0]\n"
                        "1.450 s  web #1 attempt 1: reply from api[0]\n"
                        "1.450 s  web #1 is answered\n"
                        "1.700 s  web #2 attempt 1: served by api[0]\n"
                        "1.700 s  web #2 attempt 1: reply from api[0]\n"
                        "1.700 s  web #2 is answered\n"
                        "2.300 s  web #3 attempt 1: served by api[0]\n"
                        "2.300 s  web #3 attempt 1: reply from api[0]\n"
                        "2.300 s  web #3 is answered\n");
}
END_TEST

START_TEST(contention_adds_work_for_everyone_in_service_oneself_included) {
    /* 1 + 0.1, 1 + 0.2, 1 + 0.3 and 1 + 0.4 s. */
    story_with_trace_is(
        SCENARIO("work: 1s, server: {pool: {concurrency: unlimited, work_per_in_flight: 100ms}}"),
        STORY_TRACE(four),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.350 s  web #1 attempt 1: started by api[0]\n"
        "0.600 s  web #2 attempt 1: sent to api[0]\n"
        "0.600 s  web #2 attempt 1: arrived at api[0]\n"
        "0.600 s  web #2 attempt 1: started by api[0]\n"
        "0.850 s  web #3 attempt 1: sent to api[0]\n"
        "0.850 s  web #3 attempt 1: arrived at api[0]\n"
        "0.850 s  web #3 attempt 1: started by api[0]\n"
        "1.200 s  web #0 attempt 1: served by api[0]\n"
        "1.200 s  web #0 attempt 1: reply from api[0]\n"
        "1.200 s  web #0 is answered\n"
        "1.550 s  web #1 attempt 1: served by api[0]\n"
        "1.550 s  web #1 attempt 1: reply from api[0]\n"
        "1.550 s  web #1 is answered\n"
        "1.900 s  web #2 attempt 1: served by api[0]\n"
        "1.900 s  web #2 attempt 1: reply from api[0]\n"
        "1.900 s  web #2 is answered\n"
        "2.250 s  web #3 attempt 1: served by api[0]\n"
        "2.250 s  web #3 attempt 1: reply from api[0]\n"
        "2.250 s  web #3 is answered\n");
}
END_TEST

START_TEST(two_that_share_a_server_advance_at_half_speed_each) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.6}};
    /* Alone for 0.5 s, together for 1 s, the second alone for its last 0.5 s. */
    story_with_trace_is(SCENARIO("work: 1s, server: sharing"), STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.600 s  web #1 attempt 1: sent to api[0]\n"
                        "0.600 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #1 attempt 1: started by api[0]\n"
                        "1.600 s  web #0 attempt 1: served by api[0]\n"
                        "1.600 s  web #0 attempt 1: reply from api[0]\n"
                        "1.600 s  web #0 is answered\n"
                        "2.100 s  web #1 attempt 1: served by api[0]\n"
                        "2.100 s  web #1 attempt 1: reply from api[0]\n"
                        "2.100 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_base_slows_sharing_even_for_one_alone) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 1.7}};
    /* Alone w x (0.7 + 0.3) = w; together w x (0.7 + 0.6): the first has 0.4 s of its 2 s left when
     * the second comes, which takes 0.52 s; the second then has 1.6 s left. */
    story_with_trace_is(SCENARIO("work: 2s, server: {sharing: {base: 0.7, per_request: 0.3}}"),
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "1.700 s  web #1 attempt 1: sent to api[0]\n"
                        "1.700 s  web #1 attempt 1: arrived at api[0]\n"
                        "1.700 s  web #1 attempt 1: started by api[0]\n"
                        "2.220 s  web #0 attempt 1: served by api[0]\n"
                        "2.220 s  web #0 attempt 1: reply from api[0]\n"
                        "2.220 s  web #0 is answered\n"
                        "3.820 s  web #1 attempt 1: served by api[0]\n"
                        "3.820 s  web #1 attempt 1: reply from api[0]\n"
                        "3.820 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_limit_to_sharing_makes_others_wait) {
    static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 0.6}, {.at_s = 0.7}};
    story_with_trace_is(SCENARIO("work: 1s, server: {sharing: {limit: 2}}"), STORY_TRACE(three),

                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.600 s  web #1 attempt 1: sent to api[0]\n"
                        "0.600 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.600 s  web #1 attempt 1: started by api[0]\n"
                        "0.700 s  web #2 attempt 1: sent to api[0]\n"
                        "0.700 s  web #2 attempt 1: arrived at api[0]\n"
                        "1.600 s  web #0 attempt 1: served by api[0]\n"
                        "1.600 s  web #0 attempt 1: reply from api[0]\n"
                        "1.600 s  web #0 is answered\n"
                        "1.600 s  web #2 attempt 1: started by api[0]\n"
                        "2.600 s  web #1 attempt 1: served by api[0]\n"
                        "2.600 s  web #1 attempt 1: reply from api[0]\n"
                        "2.600 s  web #1 is answered\n"
                        "3.100 s  web #2 attempt 1: served by api[0]\n"
                        "3.100 s  web #2 attempt 1: reply from api[0]\n"
                        "3.100 s  web #2 is answered\n");
}
END_TEST

START_TEST(codel_drops_from_the_head_once_waits_have_stood_above_target_for_an_interval) {
    static const TraceArrival many[11] = {{.at_s = 0}};
    /* One is served every 0.4 s. At 0.4 s the second has waited above 50 ms: the interval begins.
     * At 1.2 s it has stood for more than 0.7 s: one is dropped, the next drop is due 0.7 s later
     * (1.9 s) and the one after that 0.7 / sqrt(2) s later (2.395 s), then 0.7 / sqrt(3) s later
     * (2.799 s): but the last of a queue is never dropped. */
    story_with_trace_is(SCENARIO("work: 0.4s, shed: {codel: {target: 50ms, interval: 700ms}}"),
                        STORY_TRACE(many),
                        "0.000 s  web #0 attempt 1: sent to api[0]\n"
                        "0.000 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #0 attempt 1: started by api[0]\n"
                        "0.000 s  web #1 attempt 1: sent to api[0]\n"
                        "0.000 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #2 attempt 1: sent to api[0]\n"
                        "0.000 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #3 attempt 1: sent to api[0]\n"
                        "0.000 s  web #3 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #4 attempt 1: sent to api[0]\n"
                        "0.000 s  web #4 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #5 attempt 1: sent to api[0]\n"
                        "0.000 s  web #5 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #6 attempt 1: sent to api[0]\n"
                        "0.000 s  web #6 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #7 attempt 1: sent to api[0]\n"
                        "0.000 s  web #7 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #8 attempt 1: sent to api[0]\n"
                        "0.000 s  web #8 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #9 attempt 1: sent to api[0]\n"
                        "0.000 s  web #9 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #10 attempt 1: sent to api[0]\n"
                        "0.000 s  web #10 attempt 1: arrived at api[0]\n"
                        "0.400 s  web #0 attempt 1: served by api[0]\n"
                        "0.400 s  web #0 attempt 1: reply from api[0]\n"
                        "0.400 s  web #0 is answered\n"
                        "0.400 s  web #1 attempt 1: started by api[0]\n"
                        "0.800 s  web #1 attempt 1: served by api[0]\n"
                        "0.800 s  web #1 attempt 1: reply from api[0]\n"
                        "0.800 s  web #1 is answered\n"
                        "0.800 s  web #2 attempt 1: started by api[0]\n"
                        "1.200 s  web #2 attempt 1: served by api[0]\n"
                        "1.200 s  web #2 attempt 1: reply from api[0]\n"
                        "1.200 s  web #2 is answered\n"
                        "1.200 s  web #3 attempt 1: refused by api[0]: shed after waiting\n"
                        "1.200 s  web #3 attempt 1: reply from api[0]: refused\n"
                        "1.200 s  web #3 was refused\n"
                        "1.200 s  web #4 attempt 1: started by api[0]\n"
                        "1.600 s  web #4 attempt 1: served by api[0]\n"
                        "1.600 s  web #4 attempt 1: reply from api[0]\n"
                        "1.600 s  web #4 is answered\n"
                        "1.600 s  web #5 attempt 1: started by api[0]\n"
                        "2.000 s  web #5 attempt 1: served by api[0]\n"
                        "2.000 s  web #5 attempt 1: reply from api[0]\n"
                        "2.000 s  web #5 is answered\n"
                        "2.000 s  web #6 attempt 1: refused by api[0]: shed after waiting\n"
                        "2.000 s  web #6 attempt 1: reply from api[0]: refused\n"
                        "2.000 s  web #6 was refused\n"
                        "2.000 s  web #7 attempt 1: started by api[0]\n"
                        "2.400 s  web #7 attempt 1: served by api[0]\n"
                        "2.400 s  web #7 attempt 1: reply from api[0]\n"
                        "2.400 s  web #7 is answered\n"
                        "2.400 s  web #8 attempt 1: refused by api[0]: shed after waiting\n"
                        "2.400 s  web #8 attempt 1: reply from api[0]: refused\n"
                        "2.400 s  web #8 was refused\n"
                        "2.400 s  web #9 attempt 1: started by api[0]\n"
                        "2.800 s  web #9 attempt 1: served by api[0]\n"
                        "2.800 s  web #9 attempt 1: reply from api[0]\n"
                        "2.800 s  web #9 is answered\n"
                        "2.800 s  web #10 attempt 1: started by api[0]\n"
                        "3.200 s  web #10 attempt 1: served by api[0]\n"
                        "3.200 s  web #10 attempt 1: reply from api[0]\n"
                        "3.200 s  web #10 is answered\n");
}
END_TEST

START_TEST(a_slot_is_free_during_calls_unless_it_is_held) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.2}};
    story_with_trace_is("run: {duration: 60s}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services:\n"
                        "  api: {work: 0.3s, calls: [{to: slow}]}\n"
                        "  slow: {work: 1.1s, server: {pool: {concurrency: 9}}}\n",
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  web #1 attempt 1: sent to api[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.400 s  web #0 attempt 1: served by api[0]\n"
                        "0.400 s  web #0 attempt 1: sent to slow[0]\n"
                        "0.400 s  web #0 attempt 1: arrived at slow[0]\n"
                        "0.400 s  web #0 attempt 1: started by slow[0]\n"
                        "0.400 s  web #1 attempt 1: started by api[0]\n"
                        "0.700 s  web #1 attempt 1: served by api[0]\n"
                        "0.700 s  web #1 attempt 1: sent to slow[0]\n"
                        "0.700 s  web #1 attempt 1: arrived at slow[0]\n"
                        "0.700 s  web #1 attempt 1: started by slow[0]\n"
                        "1.500 s  web #0 attempt 1: served by slow[0]\n"
                        "1.500 s  web #0 attempt 1: reply from slow[0]\n"
                        "1.500 s  web #0 attempt 1: reply from api[0]\n"
                        "1.500 s  web #0 is answered\n"
                        "1.800 s  web #1 attempt 1: served by slow[0]\n"
                        "1.800 s  web #1 attempt 1: reply from slow[0]\n"
                        "1.800 s  web #1 attempt 1: reply from api[0]\n"
                        "1.800 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_slot_that_is_held_during_calls_makes_others_wait) {
    static const TraceArrival two[] = {{.at_s = 0.1}, {.at_s = 0.2}};
    story_with_trace_is("run: {duration: 60s}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services:\n"
                        "  api: {work: 0.3s, server: {pool: {hold_while_calling: true}},"
                        " calls: [{to: slow}]}\n"
                        "  slow: {work: 1.1s, server: {pool: {concurrency: 9}}}\n",
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.200 s  web #1 attempt 1: sent to api[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.400 s  web #0 attempt 1: served by api[0]\n"
                        "0.400 s  web #0 attempt 1: sent to slow[0]\n"
                        "0.400 s  web #0 attempt 1: arrived at slow[0]\n"
                        "0.400 s  web #0 attempt 1: started by slow[0]\n"
                        "1.500 s  web #0 attempt 1: served by slow[0]\n"
                        "1.500 s  web #0 attempt 1: reply from slow[0]\n"
                        "1.500 s  web #0 attempt 1: reply from api[0]\n"
                        "1.500 s  web #0 is answered\n"
                        "1.500 s  web #1 attempt 1: started by api[0]\n"
                        "1.800 s  web #1 attempt 1: served by api[0]\n"
                        "1.800 s  web #1 attempt 1: sent to slow[0]\n"
                        "1.800 s  web #1 attempt 1: arrived at slow[0]\n"
                        "1.800 s  web #1 attempt 1: started by slow[0]\n"
                        "2.900 s  web #1 attempt 1: served by slow[0]\n"
                        "2.900 s  web #1 attempt 1: reply from slow[0]\n"
                        "2.900 s  web #1 attempt 1: reply from api[0]\n"
                        "2.900 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_caller_that_calls_again_when_it_is_shed_waits_for_the_slot_like_others) {
    static const TraceArrival many[5] = {{.at_s = 0}};
    story_with_trace_is("run: {duration: 60s}\n"
                        "clients: {web: {target: gate, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services:\n"
                        "  gate: {calls: [{to: api, on_failure: ignore}, {to: api}]}\n"
                        "  api: {work: 0.4s, shed: {codel: {target: 50ms, interval: 300ms}}}\n",
                        STORY_TRACE(many),
                        "0.000 s  web #0 attempt 1: sent to gate[0]\n"
                        "0.000 s  web #0 attempt 1: arrived at gate[0]\n"
                        "0.000 s  web #0 attempt 1: started by gate[0]\n"
                        "0.000 s  web #1 attempt 1: sent to gate[0]\n"
                        "0.000 s  web #1 attempt 1: arrived at gate[0]\n"
                        "0.000 s  web #0 attempt 1: served by gate[0]\n"
                        "0.000 s  web #0 attempt 1: sent to api[0]\n"
                        "0.000 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #0 attempt 1: started by api[0]\n"
                        "0.000 s  web #1 attempt 1: started by gate[0]\n"
                        "0.000 s  web #2 attempt 1: sent to gate[0]\n"
                        "0.000 s  web #2 attempt 1: arrived at gate[0]\n"
                        "0.000 s  web #1 attempt 1: served by gate[0]\n"
                        "0.000 s  web #1 attempt 1: sent to api[0]\n"
                        "0.000 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #2 attempt 1: started by gate[0]\n"
                        "0.000 s  web #3 attempt 1: sent to gate[0]\n"
                        "0.000 s  web #3 attempt 1: arrived at gate[0]\n"
                        "0.000 s  web #2 attempt 1: served by gate[0]\n"
                        "0.000 s  web #2 attempt 1: sent to api[0]\n"
                        "0.000 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #3 attempt 1: started by gate[0]\n"
                        "0.000 s  web #4 attempt 1: sent to gate[0]\n"
                        "0.000 s  web #4 attempt 1: arrived at gate[0]\n"
                        "0.000 s  web #3 attempt 1: served by gate[0]\n"
                        "0.000 s  web #3 attempt 1: sent to api[0]\n"
                        "0.000 s  web #3 attempt 1: arrived at api[0]\n"
                        "0.000 s  web #4 attempt 1: started by gate[0]\n"
                        "0.000 s  web #4 attempt 1: served by gate[0]\n"
                        "0.000 s  web #4 attempt 1: sent to api[0]\n"
                        "0.000 s  web #4 attempt 1: arrived at api[0]\n"
                        "0.400 s  web #0 attempt 1: served by api[0]\n"
                        "0.400 s  web #0 attempt 1: reply from api[0]\n"
                        "0.400 s  web #0 attempt 1: sent to api[0]\n"
                        "0.400 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.400 s  web #1 attempt 1: started by api[0]\n"
                        "0.800 s  web #1 attempt 1: served by api[0]\n"
                        "0.800 s  web #1 attempt 1: reply from api[0]\n"
                        "0.800 s  web #1 attempt 1: sent to api[0]\n"
                        "0.800 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.800 s  web #2 attempt 1: refused by api[0]: shed after waiting\n"
                        "0.800 s  web #2 attempt 1: reply from api[0]: refused\n"
                        "0.800 s  web #2 attempt 1: sent to api[0]\n"
                        "0.800 s  web #2 attempt 1: arrived at api[0]\n"
                        "0.800 s  web #3 attempt 1: started by api[0]\n"
                        "1.200 s  web #3 attempt 1: served by api[0]\n"
                        "1.200 s  web #3 attempt 1: reply from api[0]\n"
                        "1.200 s  web #3 attempt 1: sent to api[0]\n"
                        "1.200 s  web #3 attempt 1: arrived at api[0]\n"
                        "1.200 s  web #4 attempt 1: refused by api[0]: shed after waiting\n"
                        "1.200 s  web #4 attempt 1: reply from api[0]: refused\n"
                        "1.200 s  web #4 attempt 1: sent to api[0]\n"
                        "1.200 s  web #4 attempt 1: arrived at api[0]\n"
                        "1.200 s  web #0 attempt 1: started by api[0]\n"
                        "1.600 s  web #0 attempt 1: served by api[0]\n"
                        "1.600 s  web #0 attempt 1: reply from api[0]\n"
                        "1.600 s  web #0 attempt 1: reply from gate[0]\n"
                        "1.600 s  web #0 is answered\n"
                        "1.600 s  web #1 attempt 1: refused by api[0]: shed after waiting\n"
                        "1.600 s  web #1 attempt 1: reply from api[0]: refused\n"
                        "1.600 s  web #1 attempt 1: reply from gate[0]: an error\n"
                        "1.600 s  web #1 has failed\n"
                        "1.600 s  web #2 attempt 1: refused by api[0]: shed after waiting\n"
                        "1.600 s  web #2 attempt 1: reply from api[0]: refused\n"
                        "1.600 s  web #2 attempt 1: reply from gate[0]: an error\n"
                        "1.600 s  web #2 has failed\n"
                        "1.600 s  web #3 attempt 1: started by api[0]\n"
                        "2.000 s  web #3 attempt 1: served by api[0]\n"
                        "2.000 s  web #3 attempt 1: reply from api[0]\n"
                        "2.000 s  web #3 attempt 1: reply from gate[0]\n"
                        "2.000 s  web #3 is answered\n"
                        "2.000 s  web #4 attempt 1: started by api[0]\n"
                        "2.400 s  web #4 attempt 1: served by api[0]\n"
                        "2.400 s  web #4 attempt 1: reply from api[0]\n"
                        "2.400 s  web #4 attempt 1: reply from gate[0]\n"
                        "2.400 s  web #4 is answered\n");
}
END_TEST

TEST_SUITE("models/queue_story", fifo_serves_who_came_first, lifo_serves_who_came_last,
           a_queue_limit_counts_who_waits_and_not_who_is_served,
           a_queue_timeout_runs_from_entering_the_queue_and_ends_with_the_start_of_service,
           a_pool_serves_as_many_as_it_has_slots,
           contention_adds_work_for_everyone_in_service_oneself_included,
           two_that_share_a_server_advance_at_half_speed_each,
           a_base_slows_sharing_even_for_one_alone, a_limit_to_sharing_makes_others_wait,
           codel_drops_from_the_head_once_waits_have_stood_above_target_for_an_interval,
           a_slot_is_free_during_calls_unless_it_is_held,
           a_slot_that_is_held_during_calls_makes_others_wait,
           a_caller_that_calls_again_when_it_is_shed_waits_for_the_slot_like_others)
