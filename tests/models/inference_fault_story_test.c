/* What befalls an inference server, told step by step, with times computed by hand. */
#include <stdio.h>

#include "tests/models/story.h"

/* A step takes 10 ms whatever it computes. */
#define CALLED(call)                                                                               \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null, tokens_per_hash: 16}}, "     \
    "call: {" call "}}}\n"
#define WEB CALLED("")
#define LLM(server, more)                                                                          \
    "services: {llm: {server: {inference: {step: {linear: {base: 10ms}}, " server "}}" more "}}\n"

/* It hangs in its second step. What was in it comes when the fault is over, and then it goes on. */
START_TEST(who_hangs_stops_within_a_step_and_goes_on_where_it_was) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 4},
                                       {.at_s = 0.3, .input_tokens = 20, .output_tokens = 1}};
    story_with_trace_is(WEB LLM("kv_blocks: 10", "") "faults: [{at: 0.115s, for: 0.5s, hang: "
                                                     "{service: llm}}]\n",
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.115 s  fault begins: hang llm\n"
                        "0.300 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.615 s  fault ends: hang llm\n"
                        "0.615 s  web #1 attempt 1: started by llm[0]\n"
                        "0.625 s  web #1 attempt 1: served by llm[0]\n"
                        "0.625 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.625 s  web #1 is answered: 1 token, the first at 0.625 s\n"
                        "0.635 s  web #0 attempt 1: served by llm[0]\n"
                        "0.635 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.635 s  web #0 is answered: 4 tokens, the first at 0.110 s\n");
}
END_TEST

/* Of 6 blocks 3 are left from 0.115 s on. The first holds 2, the second 3 for 40 tokens: it has to
 * go at 0.12 s, and comes back with them computed again when the fault is over, or there is room.
 */
START_TEST(who_does_not_fit_into_what_is_left_of_the_cache_is_preempted) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 30},
                                       {.at_s = 0.1, .input_tokens = 40, .output_tokens = 5}};
    story_with_trace_is(
        WEB LLM("kv_blocks: 6, enable_prefix_caching: false", "") "faults: [{at: 0.115s, for: "
                                                                  "0.1s, kv_capacity: {service: "
                                                                  "llm, to: 50%}}]\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
        "0.100 s  web #1 attempt 1: sent to llm[0]\n"
        "0.100 s  web #1 attempt 1: arrived at llm[0]\n"
        "0.100 s  web #0 attempt 1: started by llm[0]\n"
        "0.100 s  web #1 attempt 1: started by llm[0]\n"
        "0.115 s  fault begins: kv_capacity llm\n"
        "0.120 s  web #1 attempt 1: preempted by llm[0]\n"
        "0.215 s  fault ends: kv_capacity llm\n"
        "0.220 s  web #1 attempt 1: started by llm[0]\n"
        "0.250 s  web #1 attempt 1: served by llm[0]\n"
        "0.250 s  web #1 attempt 1: reply from llm[0]\n"
        "0.250 s  web #1 is answered: 5 tokens, the first at 0.110 s\n"
        "0.400 s  web #0 attempt 1: served by llm[0]\n"
        "0.400 s  web #0 attempt 1: reply from llm[0]\n"
        "0.400 s  web #0 is answered: 30 tokens, the first at 0.110 s\n");
}
END_TEST

/* 3 of 10 blocks are left for a while: 60 tokens can never fit then, and need not wait; later they
 * do. Who is told so may be the one that was preempted. */
static const TraceArrival sixties[] = {{.at_s = 0.1, .input_tokens = 60, .output_tokens = 30},
                                       {.at_s = 0.25, .input_tokens = 60, .output_tokens = 1},
                                       {.at_s = 0.26, .input_tokens = 20, .output_tokens = 1},
                                       {.at_s = 0.6, .input_tokens = 60, .output_tokens = 1}};
#define FEW_BLOCKS                                                                                 \
    WEB LLM("kv_blocks: 10", "") "faults: [{at: 0.2s, for: 0.3s, kv_capacity: {service: llm, to: " \
                                 "30%}}]\n"
START_TEST(what_can_never_fit_is_answered_with_an_error) {
    story_with_trace_is(FEW_BLOCKS, STORY_TRACE(sixties),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.200 s  fault begins: kv_capacity llm\n"
                        "0.200 s  web #0 attempt 1: preempted by llm[0]\n"
                        "0.200 s  web #0 attempt 1: started by llm[0]\n"
                        "0.200 s  web #0 attempt 1: served by llm[0]: in vain: an error\n"
                        "0.200 s  web #0 attempt 1: reply from llm[0]: an error\n"
                        "0.200 s  web #0 has failed\n"
                        "0.250 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.250 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.250 s  web #1 attempt 1: started by llm[0]\n"
                        "0.250 s  web #1 attempt 1: served by llm[0]: in vain: an error\n"
                        "0.250 s  web #1 attempt 1: reply from llm[0]: an error\n"
                        "0.250 s  web #1 has failed\n"
                        "0.260 s  web #2 attempt 1: sent to llm[0]\n"
                        "0.260 s  web #2 attempt 1: arrived at llm[0]\n"
                        "0.260 s  web #2 attempt 1: started by llm[0]\n"
                        "0.270 s  web #2 attempt 1: served by llm[0]\n"
                        "0.270 s  web #2 attempt 1: reply from llm[0]\n"
                        "0.270 s  web #2 is answered: 1 token, the first at 0.270 s\n"
                        "0.500 s  fault ends: kv_capacity llm\n"
                        "0.600 s  web #3 attempt 1: sent to llm[0]\n"
                        "0.600 s  web #3 attempt 1: arrived at llm[0]\n"
                        "0.600 s  web #3 attempt 1: started by llm[0]\n"
                        "0.610 s  web #3 attempt 1: served by llm[0]\n"
                        "0.610 s  web #3 attempt 1: reply from llm[0]\n"
                        "0.610 s  web #3 is answered: 1 token, the first at 0.610 s\n");
}
END_TEST

START_TEST(what_can_never_fit_is_counted) {
    StoryRun run = story_run(FEW_BLOCKS, STORY_TRACE(sixties));
    measure_is(&run, "llm", METRIC_unservable, 2);
    measure_is(&run, "llm", METRIC_errors, 2);
    story_free(&run);
}
END_TEST

/* Of 5 blocks #1 has 3 and #2 has 2, until #1 needs a fourth for its 49th token, at 0.49 s: the
 * process crashes. 0.2 s later there is one again, 0.3 s after that its model is loaded. */
static const uint64_t ids[] = {5, 6, 7};
#define SAME_PROMPT(at)                                                                            \
    { .at_s = (at), .input_tokens = 40, .output_tokens = 20, .hash_ids = ids, .hash_count = 3 }
static const TraceArrival crashing[] = {
    SAME_PROMPT(0.1), SAME_PROMPT(0.4), {.at_s = 0.45, .input_tokens = 17, .output_tokens = 20},
    SAME_PROMPT(0.6), SAME_PROMPT(0.8), SAME_PROMPT(1.2),
    SAME_PROMPT(1.6)};
#define FULL_CRASH                                                                                 \
    WEB LLM("kv_blocks: 5, load_time: 0.3s", "") "faults: [{at: 0s, for: 1s, kv_full_crash: "      \
                                                 "{service: llm, restart: 0.2s}}]\n"
START_TEST(a_full_cache_crashes_the_process_which_loads_again) {
    story_with_trace_is(FULL_CRASH, STORY_TRACE(crashing),

                        "0.000 s  fault begins: kv_full_crash llm\n"
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.300 s  web #0 attempt 1: served by llm[0]\n"
                        "0.300 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.300 s  web #0 is answered: 20 tokens, the first at 0.110 s\n"
                        "0.400 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.400 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.400 s  web #1 attempt 1: started by llm[0]\n"
                        "0.450 s  web #2 attempt 1: sent to llm[0]\n"
                        "0.450 s  web #2 attempt 1: arrived at llm[0]\n"
                        "0.450 s  web #2 attempt 1: started by llm[0]\n"
                        "0.490 s  crash of llm[0]: its KV cache is full\n"
                        "0.490 s  web #1 attempt 1: failed at llm[0]: the replica crashed\n"
                        "0.490 s  web #1 attempt 1: reply from llm[0]: an error\n"
                        "0.490 s  web #1 has failed\n"
                        "0.490 s  web #2 attempt 1: failed at llm[0]: the replica crashed\n"
                        "0.490 s  web #2 attempt 1: reply from llm[0]: an error\n"
                        "0.490 s  web #2 has failed\n"
                        "0.600 s  web #3 attempt 1: sent to llm[0]\n"
                        "0.600 s  web #3 attempt 1: refused by llm[0]: the replica is down\n"
                        "0.600 s  web #3 attempt 1: reply from llm[0]: refused\n"
                        "0.600 s  web #3 was refused\n"
                        "0.690 s  loading begins at llm[0]\n"
                        "0.800 s  web #4 attempt 1: sent to llm[0]\n"
                        "0.800 s  web #4 attempt 1: refused by llm[0]: the replica is down\n"
                        "0.800 s  web #4 attempt 1: reply from llm[0]: refused\n"
                        "0.800 s  web #4 was refused\n"
                        "0.990 s  loading ends at llm[0]\n"
                        "1.000 s  fault ends: kv_full_crash llm\n"
                        "1.200 s  web #5 attempt 1: sent to llm[0]\n"
                        "1.200 s  web #5 attempt 1: arrived at llm[0]\n"
                        "1.200 s  web #5 attempt 1: started by llm[0]\n"
                        "1.400 s  web #5 attempt 1: served by llm[0]\n"
                        "1.400 s  web #5 attempt 1: reply from llm[0]\n"
                        "1.400 s  web #5 is answered: 20 tokens, the first at 1.210 s\n"
                        "1.600 s  web #6 attempt 1: sent to llm[0]\n"
                        "1.600 s  web #6 attempt 1: arrived at llm[0]\n"
                        "1.600 s  web #6 attempt 1: started by llm[0]\n"
                        "1.800 s  web #6 attempt 1: served by llm[0]\n"
                        "1.800 s  web #6 attempt 1: reply from llm[0]\n"
                        "1.800 s  web #6 is answered: 20 tokens, the first at 1.610 s\n");
}
END_TEST

/* Found: 32 tokens of 40 at 0.4 s and 1.6 s, none at 1.2 s. */
START_TEST(after_a_crash_the_cache_is_empty) {
    StoryRun run = story_run(FULL_CRASH, STORY_TRACE(crashing));
    measure_is(&run, "llm", METRIC_prefix_hits, 64.0 / (4 * 40 + 17));
    measure_is(&run, "llm", METRIC_outages, 1);
    measure_is(&run, "llm", METRIC_preemptions, 0);
    story_free(&run);
}
END_TEST

START_TEST(poison_travels_with_its_retries_from_replica_to_replica) {
    static const TraceArrival three[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 20},
                                         {.at_s = 0.15, .input_tokens = 20, .output_tokens = 9},
                                         {.at_s = 0.9, .input_tokens = 20, .output_tokens = 1}};
    story_with_trace_is(
        CALLED("retry: {fixed: {max_attempts: 4, delay: 0.1s}}")
            LLM("kv_blocks: 10",
                ", replicas: 3, route: round_robin") "faults: [{at: 0.12s, for: 0.1s, "
                                                     "poison: {service: llm, restart: 0.5s}}]\n",
        STORY_TRACE(three),

        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
        "0.100 s  web #0 attempt 1: started by llm[0]\n"
        "0.120 s  fault begins: poison llm\n"
        "0.150 s  web #1 attempt 1: sent to llm[1]\n"
        "0.150 s  web #1 attempt 1: arrived at llm[1]\n"
        "0.150 s  web #1 attempt 1: started by llm[1]\n"
        "0.150 s  crash of llm[1]: poison llm\n"
        "0.150 s  web #1 attempt 1: failed at llm[1]: the replica crashed\n"
        "0.150 s  web #1 attempt 1: reply from llm[1]: an error\n"
        "0.220 s  fault ends: poison llm\n"
        "0.250 s  web #1 attempt 2: sent to llm[2]\n"
        "0.250 s  web #1 attempt 2: arrived at llm[2]\n"
        "0.250 s  web #1 attempt 2: started by llm[2]\n"
        "0.250 s  crash of llm[2]: poison llm\n"
        "0.250 s  web #1 attempt 2: failed at llm[2]: the replica crashed\n"
        "0.250 s  web #1 attempt 2: reply from llm[2]: an error\n"
        "0.300 s  web #0 attempt 1: served by llm[0]\n"
        "0.300 s  web #0 attempt 1: reply from llm[0]\n"
        "0.300 s  web #0 is answered: 20 tokens, the first at 0.110 s\n"
        "0.350 s  web #1 attempt 3: sent to llm[0]\n"
        "0.350 s  web #1 attempt 3: arrived at llm[0]\n"
        "0.350 s  web #1 attempt 3: started by llm[0]\n"
        "0.350 s  crash of llm[0]: poison llm\n"
        "0.350 s  web #1 attempt 3: failed at llm[0]: the replica crashed\n"
        "0.350 s  web #1 attempt 3: reply from llm[0]: an error\n"
        "0.450 s  web #1 attempt 4: sent to llm[1]\n"
        "0.450 s  web #1 attempt 4: refused by llm[1]: the replica is down\n"
        "0.450 s  web #1 attempt 4: reply from llm[1]: refused\n"
        "0.450 s  web #1 was refused\n"
        "0.900 s  web #2 attempt 1: sent to llm[2]\n"
        "0.900 s  web #2 attempt 1: arrived at llm[2]\n"
        "0.900 s  web #2 attempt 1: started by llm[2]\n"
        "0.910 s  web #2 attempt 1: served by llm[2]\n"
        "0.910 s  web #2 attempt 1: reply from llm[2]\n"
        "0.910 s  web #2 is answered: 1 token, the first at 0.910 s\n");
}
END_TEST

/* Who fails early takes no blocks and no step: the second finds all of them. */
START_TEST(errors_at_once_take_no_part_in_a_step) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 2},
                                       {.at_s = 0.2, .input_tokens = 20, .output_tokens = 2}};
    story_with_trace_is(WEB LLM("kv_blocks: 2", "") "faults: [{at: 0.05s, for: 0.1s, errors: "
                                                    "{service: llm, after: 0s}}]\n",
                        STORY_TRACE(two),
                        "0.050 s  fault begins: errors llm\n"
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.100 s  web #0 attempt 1: served by llm[0]: in vain: an error\n"
                        "0.100 s  web #0 attempt 1: reply from llm[0]: an error\n"
                        "0.100 s  web #0 has failed\n"
                        "0.150 s  fault ends: errors llm\n"
                        "0.200 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.200 s  web #1 attempt 1: started by llm[0]\n"
                        "0.220 s  web #1 attempt 1: served by llm[0]\n"
                        "0.220 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.220 s  web #1 is answered: 2 tokens, the first at 0.210 s\n");
}
END_TEST

START_TEST(errors_after_their_work_are_no_answers) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 2},
                                       {.at_s = 0.2, .input_tokens = 20, .output_tokens = 2}};
    story_with_trace_is(WEB LLM("kv_blocks: 2", "") "faults: [{at: 0.05s, for: 0.1s, errors: "
                                                    "{service: llm}}]\n",
                        STORY_TRACE(two),
                        "0.050 s  fault begins: errors llm\n"
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.120 s  web #0 attempt 1: served by llm[0]: in vain: an error\n"
                        "0.120 s  web #0 attempt 1: reply from llm[0]: an error\n"
                        "0.120 s  web #0 has failed\n"
                        "0.150 s  fault ends: errors llm\n"
                        "0.200 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.200 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.200 s  web #1 attempt 1: started by llm[0]\n"
                        "0.220 s  web #1 attempt 1: served by llm[0]\n"
                        "0.220 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.220 s  web #1 is answered: 2 tokens, the first at 0.210 s\n");
}
END_TEST

/* Steps that begin from 0.115 s to before 0.145 s take 25 ms: the third alone. */
START_TEST(a_slow_server_takes_longer_for_the_steps_that_begin_then) {
    static const TraceArrival one[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 5}};
    story_with_trace_is(WEB LLM("kv_blocks: 2", "") "faults: [{at: 0.115s, for: 0.03s, slow: "
                                                    "{service: llm, x: 2.5}}]\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.115 s  fault begins: slow llm\n"
                        "0.145 s  fault ends: slow llm\n"
                        "0.165 s  web #0 attempt 1: served by llm[0]\n"
                        "0.165 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.165 s  web #0 is answered: 5 tokens, the first at 0.110 s\n");
}
END_TEST

START_TEST(who_is_not_loaded_serves_when_he_is) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 20, .output_tokens = 1},
                                       {.at_s = 2.1, .input_tokens = 20, .output_tokens = 1}};
    story_with_trace_is(WEB LLM("kv_blocks: 2, load_time: 2s, loaded: false", ""), STORY_TRACE(two),

                        "0.000 s  loading begins at llm[0]\n"
                        "0.100 s  web #0 attempt 1: refused by llm: no replica is known to be up\n"
                        "0.100 s  web #0 attempt 1: reply from llm: refused\n"
                        "0.100 s  web #0 was refused\n"
                        "2.000 s  loading ends at llm[0]\n"
                        "2.100 s  web #1 attempt 1: sent to llm[0]\n"
                        "2.100 s  web #1 attempt 1: arrived at llm[0]\n"
                        "2.100 s  web #1 attempt 1: started by llm[0]\n"
                        "2.110 s  web #1 attempt 1: served by llm[0]\n"
                        "2.110 s  web #1 attempt 1: reply from llm[0]\n"
                        "2.110 s  web #1 is answered: 1 token, the first at 2.110 s\n");
}
END_TEST

TEST_SUITE("models/inference_fault_story", who_hangs_stops_within_a_step_and_goes_on_where_it_was,
           who_does_not_fit_into_what_is_left_of_the_cache_is_preempted,
           what_can_never_fit_is_answered_with_an_error, what_can_never_fit_is_counted,
           a_full_cache_crashes_the_process_which_loads_again, after_a_crash_the_cache_is_empty,
           poison_travels_with_its_retries_from_replica_to_replica,
           errors_at_once_take_no_part_in_a_step, errors_after_their_work_are_no_answers,
           a_slow_server_takes_longer_for_the_steps_that_begin_then,
           who_is_not_loaded_serves_when_he_is)
