/* Slots that are lost and come back, told step by step. */
#include "tests/models/story.h"

#define SCENARIO(api, fault)                                                                       \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"                        \
    "services: {api: {" api "}, back: {work: 1.1s, server: {pool: {concurrency: 9}}}}\n"           \
    "faults: [{at: 0.65s, for: 2s, capacity: {service: api, to: " fault "}}]\n"

static const TraceArrival three[] = {{.at_s = 0.1}, {.at_s = 0.35}, {.at_s = 1.2}};

START_TEST(surplus_work_is_suspended_the_youngest_first_and_goes_on_where_it_stopped) {
    /* The second has 0.8 s left of its 1.1 s when it stops; the first leaves its slot at 1.2 s. */
    story_with_trace_is(SCENARIO("work: 1.1s, server: {pool: {concurrency: 2}}", "1"),
                        STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.650 s  fault begins: capacity api\n"
                        "0.650 s  web #1 attempt 1: suspended at api[0]: its slot was lost\n"
                        "1.200 s  web #0 attempt 1: served by api[0]\n"
                        "1.200 s  web #0 attempt 1: reply from api[0]\n"
                        "1.200 s  web #0 is answered\n"
                        "1.200 s  web #1 attempt 1: resumed at api[0]\n"
                        "1.200 s  web #2 attempt 1: sent to api[0]\n"
                        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
                        "2.000 s  web #1 attempt 1: served by api[0]\n"
                        "2.000 s  web #1 attempt 1: reply from api[0]\n"
                        "2.000 s  web #1 is answered\n"
                        "2.000 s  web #2 attempt 1: started by api[0]\n"
                        "2.650 s  fault ends: capacity api\n"
                        "3.100 s  web #2 attempt 1: served by api[0]\n"
                        "3.100 s  web #2 attempt 1: reply from api[0]\n"
                        "3.100 s  web #2 is answered\n");
}
END_TEST

START_TEST(without_any_slot_all_work_waits_for_the_end_of_the_fault) {
    story_with_trace_is(SCENARIO("work: 1.1s, server: {pool: {concurrency: 2}}", "0"),
                        STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.650 s  fault begins: capacity api\n"
                        "0.650 s  web #1 attempt 1: suspended at api[0]: its slot was lost\n"
                        "0.650 s  web #0 attempt 1: suspended at api[0]: its slot was lost\n"
                        "1.200 s  web #2 attempt 1: sent to api[0]\n"
                        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
                        "2.650 s  fault ends: capacity api\n"
                        "2.650 s  web #0 attempt 1: resumed at api[0]\n"
                        "2.650 s  web #1 attempt 1: resumed at api[0]\n"
                        "3.200 s  web #0 attempt 1: served by api[0]\n"
                        "3.200 s  web #0 attempt 1: reply from api[0]\n"
                        "3.200 s  web #0 is answered\n"
                        "3.200 s  web #2 attempt 1: started by api[0]\n"
                        "3.450 s  web #1 attempt 1: served by api[0]\n"
                        "3.450 s  web #1 attempt 1: reply from api[0]\n"
                        "3.450 s  web #1 is answered\n"
                        "4.300 s  web #2 attempt 1: served by api[0]\n"
                        "4.300 s  web #2 attempt 1: reply from api[0]\n"
                        "4.300 s  web #2 is answered\n");
}
END_TEST

START_TEST(draining_finishes_what_runs_and_starts_nothing_above_the_new_number) {
    story_with_trace_is(
        SCENARIO("work: 1.1s, on_capacity_loss: drain, server: {pool: {concurrency: 2}}", "1"),
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.350 s  web #1 attempt 1: started by api[0]\n"
        "0.650 s  fault begins: capacity api\n"
        "1.200 s  web #0 attempt 1: served by api[0]\n"
        "1.200 s  web #0 attempt 1: reply from api[0]\n"
        "1.200 s  web #0 is answered\n"
        "1.200 s  web #2 attempt 1: sent to api[0]\n"
        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
        "1.450 s  web #1 attempt 1: served by api[0]\n"
        "1.450 s  web #1 attempt 1: reply from api[0]\n"
        "1.450 s  web #1 is answered\n"
        "1.450 s  web #2 attempt 1: started by api[0]\n"
        "2.550 s  web #2 attempt 1: served by api[0]\n"
        "2.550 s  web #2 attempt 1: reply from api[0]\n"
        "2.550 s  web #2 is answered\n"
        "2.650 s  fault ends: capacity api\n");
}
END_TEST

START_TEST(killing_fails_the_youngest_at_once) {
    story_with_trace_is(
        SCENARIO("work: 1.1s, on_capacity_loss: kill, server: {pool: {concurrency: 2}}", "1"),
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.350 s  web #1 attempt 1: started by api[0]\n"
        "0.650 s  fault begins: capacity api\n"
        "0.650 s  web #1 attempt 1: failed at api[0]: its slot was lost\n"
        "0.650 s  web #1 attempt 1: reply from api[0]: an error\n"
        "0.650 s  web #1 has failed\n"
        "1.200 s  web #0 attempt 1: served by api[0]\n"
        "1.200 s  web #0 attempt 1: reply from api[0]\n"
        "1.200 s  web #0 is answered\n"
        "1.200 s  web #2 attempt 1: sent to api[0]\n"
        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
        "1.200 s  web #2 attempt 1: started by api[0]\n"
        "2.300 s  web #2 attempt 1: served by api[0]\n"
        "2.300 s  web #2 attempt 1: reply from api[0]\n"
        "2.300 s  web #2 is answered\n"
        "2.650 s  fault ends: capacity api\n");
}
END_TEST

START_TEST(killing_works_on_a_sharing_server_and_gives_its_share_to_the_others) {
    /* Alone for 0.25 s, shared for 0.3 s: 0.4 s done; then alone again, 0.7 s. */
    story_with_trace_is(
        SCENARIO("work: 1.1s, on_capacity_loss: kill, server: {sharing: {limit: 2}}", "1"),
        STORY_TRACE(three),
        "0.100 s  web #0 attempt 1: sent to api[0]\n"
        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
        "0.100 s  web #0 attempt 1: started by api[0]\n"
        "0.350 s  web #1 attempt 1: sent to api[0]\n"
        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
        "0.350 s  web #1 attempt 1: started by api[0]\n"
        "0.650 s  fault begins: capacity api\n"
        "0.650 s  web #1 attempt 1: failed at api[0]: its slot was lost\n"
        "0.650 s  web #1 attempt 1: reply from api[0]: an error\n"
        "0.650 s  web #1 has failed\n"
        "1.200 s  web #2 attempt 1: sent to api[0]\n"
        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
        "1.350 s  web #0 attempt 1: served by api[0]\n"
        "1.350 s  web #0 attempt 1: reply from api[0]\n"
        "1.350 s  web #0 is answered\n"
        "1.350 s  web #2 attempt 1: started by api[0]\n"
        "2.450 s  web #2 attempt 1: served by api[0]\n"
        "2.450 s  web #2 attempt 1: reply from api[0]\n"
        "2.450 s  web #2 is answered\n"
        "2.650 s  fault ends: capacity api\n");
}
END_TEST

START_TEST(work_that_waits_for_calls_keeps_a_surplus_slot_it_holds) {
    story_with_trace_is(
        SCENARIO("work: 0.2s, server: {pool: {concurrency: 2, hold_while_calling: true}},"
                 " calls: [{to: back}]",
                 "1"),
        STORY_TRACE(three),
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
        "0.550 s  web #1 attempt 1: started by back[0]\n"
        "0.650 s  fault begins: capacity api\n"
        "1.200 s  web #2 attempt 1: sent to api[0]\n"
        "1.200 s  web #2 attempt 1: arrived at api[0]\n"
        "1.400 s  web #0 attempt 1: served by back[0]\n"
        "1.400 s  web #0 attempt 1: reply from back[0]\n"
        "1.400 s  web #0 attempt 1: reply from api[0]\n"
        "1.400 s  web #0 is answered\n"
        "1.650 s  web #1 attempt 1: served by back[0]\n"
        "1.650 s  web #1 attempt 1: reply from back[0]\n"
        "1.650 s  web #1 attempt 1: reply from api[0]\n"
        "1.650 s  web #1 is answered\n"
        "1.650 s  web #2 attempt 1: started by api[0]\n"
        "1.850 s  web #2 attempt 1: served by api[0]\n"
        "1.850 s  web #2 attempt 1: sent to back[0]\n"
        "1.850 s  web #2 attempt 1: arrived at back[0]\n"
        "1.850 s  web #2 attempt 1: started by back[0]\n"
        "2.650 s  fault ends: capacity api\n"
        "2.950 s  web #2 attempt 1: served by back[0]\n"
        "2.950 s  web #2 attempt 1: reply from back[0]\n"
        "2.950 s  web #2 attempt 1: reply from api[0]\n"
        "2.950 s  web #2 is answered\n");
}
END_TEST

START_TEST(a_crash_during_suspension_loses_suspended_work_too) {
    story_with_trace_is("run: {duration: 60s}\n"
                        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                        "services: {api: {work: 1.1s, server: {pool: {concurrency: 2}}}}\n"
                        "faults:\n"
                        "  - {at: 0.65s, for: 2s, capacity: {service: api, to: 1}}\n"
                        "  - {at: 0.9s, for: 0.5s, crash: {service: api}}\n",
                        STORY_TRACE(((const TraceArrival[]){
                            {.at_s = 0.1}, {.at_s = 0.35}, {.at_s = 1.5}, {.at_s = 1.6}})),

                        "0.100 s  web #0 attempt 1: sent to api[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at api[0]\n"
                        "0.100 s  web #0 attempt 1: started by api[0]\n"
                        "0.350 s  web #1 attempt 1: sent to api[0]\n"
                        "0.350 s  web #1 attempt 1: arrived at api[0]\n"
                        "0.350 s  web #1 attempt 1: started by api[0]\n"
                        "0.650 s  fault begins: capacity api\n"
                        "0.650 s  web #1 attempt 1: suspended at api[0]: its slot was lost\n"
                        "0.900 s  fault begins: crash api\n"
                        "0.900 s  web #0 attempt 1: failed at api[0]: the replica crashed\n"
                        "0.900 s  web #0 attempt 1: reply from api[0]: an error\n"
                        "0.900 s  web #0 has failed\n"
                        "0.900 s  web #1 attempt 1: failed at api[0]: the replica crashed\n"
                        "0.900 s  web #1 attempt 1: reply from api[0]: an error\n"
                        "0.900 s  web #1 has failed\n"
                        "1.400 s  fault ends: crash api\n"
                        "1.500 s  web #2 attempt 1: sent to api[0]\n"
                        "1.500 s  web #2 attempt 1: arrived at api[0]\n"
                        "1.500 s  web #2 attempt 1: started by api[0]\n"
                        "1.600 s  web #3 attempt 1: sent to api[0]\n"
                        "1.600 s  web #3 attempt 1: arrived at api[0]\n"
                        "2.600 s  web #2 attempt 1: served by api[0]\n"
                        "2.600 s  web #2 attempt 1: reply from api[0]\n"
                        "2.600 s  web #2 is answered\n"
                        "2.600 s  web #3 attempt 1: started by api[0]\n"
                        "2.650 s  fault ends: capacity api\n"
                        "3.700 s  web #3 attempt 1: served by api[0]\n"
                        "3.700 s  web #3 attempt 1: reply from api[0]\n"
                        "3.700 s  web #3 is answered\n");
}
END_TEST

START_TEST(suspended_work_that_is_cancelled_counts_as_work_and_as_wasted) {
    StoryRun run = story_run(
        "run: {duration: 60s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 1/s}}, call: {timeout: 0.9s}}}\n"
        "services: {api: {work: 1.1s, cancel_on_timeout: anywhere}}\n"
        "faults: [{at: 1.5s, for: 50s, capacity: {service: api, to: 0}}]\n",
        NULL);
    /* The first has worked for 0.5 s when its slot goes; nobody is served until 51.5 s. From then
     * on all time is work, the last 0.5 s of it still in progress at the end, and none is of use:
     * 1.1 s of work never fit into 0.9 s. */
    ck_assert_double_eq(story_measure(&run, "api", METRIC_wasted_ratio), 1);
    ck_assert_double_eq(story_measure(&run, "api", METRIC_answered), 0);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/capacity_story",
           surplus_work_is_suspended_the_youngest_first_and_goes_on_where_it_stopped,
           without_any_slot_all_work_waits_for_the_end_of_the_fault,
           draining_finishes_what_runs_and_starts_nothing_above_the_new_number,
           killing_fails_the_youngest_at_once,
           killing_works_on_a_sharing_server_and_gives_its_share_to_the_others,
           work_that_waits_for_calls_keeps_a_surplus_slot_it_holds,
           a_crash_during_suspension_loses_suspended_work_too,
           suspended_work_that_is_cancelled_counts_as_work_and_as_wasted)
