/* What an inference server does, told step by step, with times computed by hand. */
#include <stdio.h>

#include "tests/models/story.h"

/* A step takes 10 ms whatever it computes, unless a story says otherwise. */
#define CALLED(call)                                                                               \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"
#define WEB CALLED("")
#define LLM(server, more)                                                                          \
    "services: {llm: {server: {inference: {step: {linear: {base: 10ms}}, " server "}}" more "}}\n"

/* Step 1 computes 100 tokens in 20 ms. Step 2 decodes on a context of 100 and computes 50: 10 + 5 +
 * 2 + 1 ms. Step 3 decodes on 101 and 50: 10 + 4 + 1.51 ms. Step 4 decodes on 102: 13.02 ms. */
START_TEST(two_requests_share_a_step) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 100, .output_tokens = 4},
                                       {.at_s = 0.115, .input_tokens = 50, .output_tokens = 2}};
    story_with_trace_is(WEB "services: {llm: {server: {inference: {kv_blocks: 100, step: {linear: "
                            "{base: 10ms, per_prefill_token: 0.1ms, per_decode_sequence: 2ms, "
                            "per_context_token: 0.01ms}}}}}}\n",
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.115 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.115 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.120 s  web #1 attempt 1: started by llm[0]\n"
                        "0.154 s  web #1 attempt 1: served by llm[0]\n"
                        "0.154 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.154 s  web #1 is answered: 2 tokens, the first at 0.138 s\n"
                        "0.167 s  web #0 attempt 1: served by llm[0]\n"
                        "0.167 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.167 s  web #0 is answered: 4 tokens, the first at 0.120 s\n");
}
END_TEST

/* Ties are where the order of scheduling decides: of two arrivals at 0.1 s, but not of steps. */
START_TEST(ends_of_steps_are_no_ties) {
    static const TraceArrival three[] = {{.at_s = 0.1, .input_tokens = 10, .output_tokens = 9},
                                         {.at_s = 0.1, .input_tokens = 10, .output_tokens = 9},
                                         {.at_s = 0.11, .input_tokens = 10, .output_tokens = 9}};
    StoryRun run = story_run(WEB LLM("kv_blocks: 100", ", replicas: 3, route: round_robin"),
                             STORY_TRACE(three));
    ck_assert_uint_eq(run.world->tie_count, 1);
    story_free(&run);
}
END_TEST

/* 64 tokens take 16.4 ms; then 36 on top of 64, and 20 of the next: 15.6 ms and 36 x 64 x 1 ns. */
START_TEST(a_prompt_above_the_budget_is_computed_in_chunks) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 100, .output_tokens = 1},
                                       {.at_s = 0.11, .input_tokens = 20, .output_tokens = 1}};
    story_with_trace_is(
        WEB "services: {llm: {server: {inference: {kv_blocks: 100, max_num_seqs: 8, "
            "max_num_batched_tokens: 64, step: {linear: {base: 10ms, per_prefill_token: 0.1ms, "
            "per_prefill_context_token: 1ns}}}}}}\n",
        STORY_TRACE(two),
        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
        "0.100 s  web #0 attempt 1: started by llm[0]\n"
        "0.110 s  web #1 attempt 1: sent to llm[0]\n"
        "0.110 s  web #1 attempt 1: arrived at llm[0]\n"
        "0.116 s  web #1 attempt 1: started by llm[0]\n"
        "0.132 s  web #0 attempt 1: served by llm[0]\n"
        "0.132 s  web #0 attempt 1: reply from llm[0]\n"
        "0.132 s  web #0 is answered: 1 token, the first at 0.132 s\n"
        "0.132 s  web #1 attempt 1: served by llm[0]\n"
        "0.132 s  web #1 attempt 1: reply from llm[0]\n"
        "0.132 s  web #1 is answered: 1 token, the first at 0.132 s\n");
}
END_TEST

/* The first has 7 of 10 blocks, the second needs 5, the third 1. */
START_TEST(nobody_overtakes_the_head_of_the_line) {
    static const TraceArrival three[] = {{.at_s = 0.1, .input_tokens = 100, .output_tokens = 3},
                                         {.at_s = 0.105, .input_tokens = 80, .output_tokens = 1},
                                         {.at_s = 0.106, .input_tokens = 10, .output_tokens = 1}};
    story_with_trace_is(WEB LLM("kv_blocks: 10", ""), STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.105 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.105 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.106 s  web #2 attempt 1: sent to llm[0]\n"
                        "0.106 s  web #2 attempt 1: arrived at llm[0]\n"
                        "0.130 s  web #0 attempt 1: served by llm[0]\n"
                        "0.130 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.130 s  web #0 is answered: 3 tokens, the first at 0.110 s\n"
                        "0.130 s  web #1 attempt 1: started by llm[0]\n"
                        "0.130 s  web #2 attempt 1: started by llm[0]\n"
                        "0.140 s  web #1 attempt 1: served by llm[0]\n"
                        "0.140 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.140 s  web #1 is answered: 1 token, the first at 0.140 s\n"
                        "0.140 s  web #2 attempt 1: served by llm[0]\n"
                        "0.140 s  web #2 attempt 1: reply from llm[0]\n"
                        "0.140 s  web #2 is answered: 1 token, the first at 0.140 s\n");
}
END_TEST

/* Of 10 blocks the first has 8 until 0.2 s; the second needs 3 and gives up at 0.165 s. A run is
 * under way to 0.2 s; behind its step in progress the third is admitted. */
START_TEST(when_the_head_of_the_line_gives_up_the_next_one_need_not_wait_for_the_end_of_a_run) {
    static const TraceArrival three[] = {{.at_s = 0.1, .input_tokens = 112, .output_tokens = 10},
                                         {.at_s = 0.105, .input_tokens = 40, .output_tokens = 1},
                                         {.at_s = 0.15, .input_tokens = 20, .output_tokens = 1}};
    story_with_trace_is(
        WEB LLM("kv_blocks: 10", ", queue: {timeout: 0.06s}"), STORY_TRACE(three),

        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
        "0.100 s  web #0 attempt 1: started by llm[0]\n"
        "0.105 s  web #1 attempt 1: sent to llm[0]\n"
        "0.105 s  web #1 attempt 1: arrived at llm[0]\n"
        "0.150 s  web #2 attempt 1: sent to llm[0]\n"
        "0.150 s  web #2 attempt 1: arrived at llm[0]\n"
        "0.165 s  web #1 attempt 1: gave up in the queue of llm[0]: waited too long\n"
        "0.165 s  web #1 attempt 1: reply from llm[0]: refused\n"
        "0.165 s  web #1 was refused\n"
        "0.170 s  web #2 attempt 1: started by llm[0]\n"
        "0.180 s  web #2 attempt 1: served by llm[0]\n"
        "0.180 s  web #2 attempt 1: reply from llm[0]\n"
        "0.180 s  web #2 is answered: 1 token, the first at 0.180 s\n"
        "0.200 s  web #0 attempt 1: served by llm[0]\n"
        "0.200 s  web #0 attempt 1: reply from llm[0]\n"
        "0.200 s  web #0 is answered: 10 tokens, the first at 0.110 s\n");
}
END_TEST

/* Two prompts of 2 blocks each, and 4 blocks. The first needs a third block for its 33rd token, at
 * 0.13 s, when the second has computed 31 tokens and produced 2: it makes room. When the first is
 * done, at 0.16 s, the second computes 32 tokens again; its third token comes at 0.17 s. */
#define PAIR                                                                                       \
    {                                                                                              \
        {.at_s = 0.1, .input_tokens = 30, .output_tokens = 6},                                     \
            {.at_s = 0.101, .input_tokens = 30, .output_tokens = 4},                               \
    }
START_TEST(who_is_preempted_computes_all_again_but_answers_nothing_twice) {
    static const TraceArrival two[] = PAIR;
    story_with_trace_is(WEB LLM("kv_blocks: 4, enable_prefix_caching: false", ""), STORY_TRACE(two),

                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.101 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.101 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.110 s  web #1 attempt 1: started by llm[0]\n"
                        "0.130 s  web #1 attempt 1: preempted by llm[0]\n"
                        "0.160 s  web #0 attempt 1: served by llm[0]\n"
                        "0.160 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.160 s  web #0 is answered: 6 tokens, the first at 0.110 s\n"
                        "0.160 s  web #1 attempt 1: started by llm[0]\n"
                        "0.180 s  web #1 attempt 1: served by llm[0]\n"
                        "0.180 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.180 s  web #1 is answered: 4 tokens, the first at 0.120 s\n");
}
END_TEST

START_TEST(a_preemption_shows_in_the_measures) {
    static const TraceArrival two[] = PAIR;
    StoryRun run =
        story_run(WEB LLM("kv_blocks: 4, enable_prefix_caching: false", ""), STORY_TRACE(two));
    measure_is(&run, "llm", METRIC_preemptions, 1);
    measure_is(&run, "llm", METRIC_recomputed_tokens, 31);
    measure_is(&run, "llm", METRIC_input_tokens, (30 + 30 + 32) / 60.0);
    measure_is(&run, "llm", METRIC_output_tokens, 10 / 60.0);
    measure_is(&run, "llm", METRIC_ttft_mean, (0.01 + 0.019) / 2);
    /* The gaps: 5 of 10 ms; 10, 40 and 10 ms. */
    measure_is(&run, "llm", METRIC_itl_mean, (5 * 0.01 + 0.01 + 0.04 + 0.01) / 8);
    measure_is(&run, "llm", METRIC_itl_p99, 0.04);
    measure_is(&run, "llm", METRIC_tpot_mean, (0.01 + 0.06 / 3) / 2);
    measure_is(&run, "llm", METRIC_wasted_tokens, 0);
    story_free(&run);
}
END_TEST

/* The same with a cache: the first block of the one that made room is still there at 0.16 s. */
START_TEST(what_was_preempted_may_be_found_in_the_cache) {
    static const TraceArrival two[] = PAIR;
    StoryRun run = story_run(WEB LLM("kv_blocks: 4", ""), STORY_TRACE(two));
    measure_is(&run, "llm", METRIC_preemptions, 1);
    measure_is(&run, "llm", METRIC_recomputed_tokens, 31 - 16);
    measure_is(&run, "llm", METRIC_input_tokens, (30 + 30 + 16) / 60.0);
    measure_is(&run, "llm", METRIC_prefix_hits, 0);
    story_free(&run);
}
END_TEST

/* Blocks of 5 tokens, 4 tokens of a prompt a step. At 0.12 s bulk has computed 12 of 20 tokens, and
 * is scheduled to go on to 16 when gold, who has computed 5, needs a second block: bulk makes room.
 * It comes back at 0.14 s and finds 15 tokens: vLLM registers a block when its tokens are scheduled
 * (kv_cache_manager.py, allocate_slots), and leaves it so if they are not computed after all. */
START_TEST(who_is_preempted_in_the_step_that_he_was_scheduled_for_finds_what_was_to_be_computed) {
    static const TraceArrival one[] = {{.at_s = 0.09, .input_tokens = 20, .output_tokens = 1}};
    StoryRun run = story_run(
        "run: {duration: 60s}\n"
        "clients:\n"
        "  bulk: {target: llm, arrivals: {trace: {file: /dev/null}}, priority: 5}\n"
        "  gold: {target: llm, arrivals: {constant: {rate: 10/s}}, load: [{at: 0s, x: 1}, {at: "
        "0.15s, x: 0}], input_tokens: 4, output_tokens: 4}\n" LLM(
            "kv_blocks: 5, block_size: 5, long_prefill_token_threshold: 4, "
            "scheduling_policy: priority",
            ""),
        STORY_TRACE(one));
    measure_is(&run, "llm", METRIC_preemptions, 1);
    measure_is(&run, "llm", METRIC_input_tokens, (12 + 5 + 4) / 60.0);
    measure_is(&run, "llm", METRIC_recomputed_tokens, 0);
    measure_is(&run, "bulk", METRIC_latency_mean, 0.16 - 0.09);
    measure_is(&run, "gold", METRIC_latency_mean, 0.04);
    story_free(&run);
}
END_TEST

/* 3 blocks. The first has 2, of 3 that it needs at 0.13 s, and is given up at 0.145 s, within a
 * step; at the end of that step the second has its blocks. */
#define TRIPLE                                                                                     \
    {                                                                                              \
        {.at_s = 0.1, .input_tokens = 30, .output_tokens = 10},                                    \
            {.at_s = 0.12, .input_tokens = 30, .output_tokens = 1},                                \
    }
START_TEST(who_is_given_up_leaves_at_the_end_of_the_step_if_the_server_is_told) {
    static const TraceArrival two[] = TRIPLE;
    story_with_trace_is(CALLED("timeout: 0.045s")
                            LLM("kv_blocks: 3", ", cancel_on_timeout: anywhere"),
                        STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.120 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.120 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.145 s  web #0 attempt 1: timeout, waiting for llm[0]\n"
                        "0.145 s  web #0 attempt 1: cancelled at llm[0]\n"
                        "0.145 s  web #0 has timed out\n"
                        "0.150 s  web #1 attempt 1: started by llm[0]\n"
                        "0.160 s  web #1 attempt 1: served by llm[0]\n"
                        "0.160 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.160 s  web #1 is answered: 1 token, the first at 0.160 s\n");
}
END_TEST

/* The same when it is not told: the first has its ten tokens at 0.2 s, for nobody. */
START_TEST(who_is_given_up_keeps_its_blocks_if_the_server_is_not_told) {
    static const TraceArrival two[] = TRIPLE;
    story_with_trace_is(CALLED("timeout: [0.045s]") LLM("kv_blocks: 3", ""), STORY_TRACE(two),

                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.120 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.120 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.145 s  web #0 attempt 1: timeout, waiting for llm[0]\n"
                        "0.145 s  web #0 has timed out\n"
                        "0.165 s  web #1 attempt 1: timeout, waiting for llm[0]\n"
                        "0.165 s  web #1 has timed out\n"
                        "0.200 s  web #0 attempt 1: served by llm[0]\n"
                        "0.200 s  web #0 attempt 1: late reply from llm[0]\n"
                        "0.200 s  web #1 attempt 1: started by llm[0]\n"
                        "0.210 s  web #1 attempt 1: served by llm[0]\n"
                        "0.210 s  web #1 attempt 1: late reply from llm[0]\n");
}
END_TEST

/* 39 tokens leave room for one, 40 for none; of 35 and 100 five are produced. */
static const TraceArrival long_ones[] = {{.at_s = 0.1, .input_tokens = 35, .output_tokens = 100},
                                         {.at_s = 0.3, .input_tokens = 39, .output_tokens = 2},
                                         {.at_s = 0.3, .input_tokens = 40, .output_tokens = 1}};
START_TEST(max_model_len_cuts_an_answer_and_rejects_a_prompt) {
    story_with_trace_is(WEB LLM("kv_blocks: 100, max_model_len: 40", ""), STORY_TRACE(long_ones),

                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.150 s  web #0 attempt 1: served by llm[0]\n"
                        "0.150 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.150 s  web #0 is answered: 5 tokens, the first at 0.110 s\n"
                        "0.300 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.300 s  web #2 attempt 1: sent to llm[0]\n"
                        "0.300 s  web #2 attempt 1: failed at llm[0]: its prompt is longer than "
                        "max_model_len allows\n"
                        "0.300 s  web #2 attempt 1: reply from llm[0]: an error\n"
                        "0.300 s  web #2 has failed\n"
                        "0.300 s  web #1 attempt 1: started by llm[0]\n"
                        "0.310 s  web #1 attempt 1: served by llm[0]\n"
                        "0.310 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.310 s  web #1 is answered: 1 token, the first at 0.310 s\n");
}
END_TEST

START_TEST(an_answer_that_was_cut_counts_for_the_tokens_that_it_has) {
    StoryRun run =
        story_run("run: {duration: 60s}\n"
                  "clients: {web: {target: gate, arrivals: {trace: {file: /dev/null}}}}\n"
                  "services: {gate: {calls: [{to: llm}]}, llm: {server: {inference: "
                  "{step: {linear: {base: 10ms}}, kv_blocks: 100, max_model_len: 40}}}}\n",
                  STORY_TRACE(long_ones));
    measure_is(&run, "llm", METRIC_tpot_mean,
               0.01); /* the second has one token, and no such time */
    measure_is(&run, "web", METRIC_tpot_mean, 0.01);
    measure_is(&run, "llm", METRIC_output_tokens, 6 / 60.0);
    measure_is(&run, "llm", METRIC_unservable, 1);
    story_free(&run);
}
END_TEST

#define TWO_CLASSES                                                                                \
    "run: {duration: 60s}\n"                                                                       \
    "clients:\n"                                                                                   \
    "  bulk: {target: llm, arrivals: {trace: {file: /dev/null}}, priority: 5}\n"                   \
    "  gold: {target: llm, arrivals: {trace: {file: /dev/null}}, priority: -5}\n"

/* Both clients send at the same times; one sequence at a time, three steps each. */
START_TEST(by_priority_who_matters_more_is_admitted_first) {
    static const TraceArrival two[] = {{.at_s = 0.1, .input_tokens = 10, .output_tokens = 3},
                                       {.at_s = 0.105, .input_tokens = 10, .output_tokens = 3}};
    story_with_trace_is(TWO_CLASSES LLM("kv_blocks: 10, max_num_seqs: 1, scheduling_policy: "
                                        "priority",
                                        ""),
                        STORY_TRACE(two),
                        "0.100 s  bulk #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  bulk #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  gold #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  gold #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  gold #0 attempt 1: started by llm[0]\n"
                        "0.105 s  bulk #1 attempt 1: sent to llm[0]\n"
                        "0.105 s  bulk #1 attempt 1: arrived at llm[0]\n"
                        "0.105 s  gold #1 attempt 1: sent to llm[0]\n"
                        "0.105 s  gold #1 attempt 1: arrived at llm[0]\n"
                        "0.130 s  gold #0 attempt 1: served by llm[0]\n"
                        "0.130 s  gold #0 attempt 1: reply from llm[0]\n"
                        "0.130 s  gold #0 is answered: 3 tokens, the first at 0.110 s\n"
                        "0.130 s  gold #1 attempt 1: started by llm[0]\n"
                        "0.160 s  gold #1 attempt 1: served by llm[0]\n"
                        "0.160 s  gold #1 attempt 1: reply from llm[0]\n"
                        "0.160 s  gold #1 is answered: 3 tokens, the first at 0.140 s\n"
                        "0.160 s  bulk #0 attempt 1: started by llm[0]\n"
                        "0.190 s  bulk #0 attempt 1: served by llm[0]\n"
                        "0.190 s  bulk #0 attempt 1: reply from llm[0]\n"
                        "0.190 s  bulk #0 is answered: 3 tokens, the first at 0.170 s\n"
                        "0.190 s  bulk #1 attempt 1: started by llm[0]\n"
                        "0.220 s  bulk #1 attempt 1: served by llm[0]\n"
                        "0.220 s  bulk #1 attempt 1: reply from llm[0]\n"
                        "0.220 s  bulk #1 is answered: 3 tokens, the first at 0.200 s\n");
}
END_TEST

/* 4 blocks, two for each prompt; gold comes 5 ms later. At 0.13 s bulk needs a third block for its
 * 33rd token, and is itself the one to make room: gold goes on alone, at the same instant. */
START_TEST(by_priority_who_matters_less_is_preempted_first) {
    static const TraceArrival one[] = {{.at_s = 0.1, .input_tokens = 30, .output_tokens = 6}};
    story_with_trace_is(
        "run: {duration: 60s}\n"
        "clients:\n"
        "  bulk: {target: llm, arrivals: {trace: {file: /dev/null}}, priority: 5}\n"
        "  gold: {target: llm, arrivals: {trace: {file: /dev/null}}, priority: -5,\n"
        "    call: {latency: 5ms, reply_latency: 0ms}}\n" LLM(
            "kv_blocks: 4, scheduling_policy: priority, enable_prefix_caching: false", ""),
        STORY_TRACE(one),
        "0.100 s  bulk #0 attempt 1: sent to llm[0]\n"
        "0.100 s  bulk #0 attempt 1: arrived at llm[0]\n"
        "0.100 s  gold #0 attempt 1: sent to llm[0]\n"
        "0.100 s  bulk #0 attempt 1: started by llm[0]\n"
        "0.105 s  gold #0 attempt 1: arrived at llm[0]\n"
        "0.110 s  gold #0 attempt 1: started by llm[0]\n"
        "0.130 s  bulk #0 attempt 1: preempted by llm[0]\n"
        "0.170 s  gold #0 attempt 1: served by llm[0]\n"
        "0.170 s  gold #0 attempt 1: reply from llm[0]\n"
        "0.170 s  gold #0 is answered: 6 tokens, the first at 0.120 s\n"
        "0.170 s  bulk #0 attempt 1: started by llm[0]\n"
        "0.200 s  bulk #0 attempt 1: served by llm[0]\n"
        "0.200 s  bulk #0 attempt 1: reply from llm[0]\n"
        "0.200 s  bulk #0 is answered: 6 tokens, the first at 0.110 s\n");
}
END_TEST

/* Four at the same instant, one block each, 3 blocks: at 0.11 s each of three needs a second one.
 * #2 makes room for #0 and then #1, and both wait before #3. */
START_TEST(by_priority_who_came_at_the_same_instant_keeps_his_place) {
    static const TraceArrival four[] = {{.at_s = 0.1, .input_tokens = 16, .output_tokens = 3},
                                        {.at_s = 0.1, .input_tokens = 16, .output_tokens = 3},
                                        {.at_s = 0.1, .input_tokens = 16, .output_tokens = 3},
                                        {.at_s = 0.1, .input_tokens = 16, .output_tokens = 3}};
    story_with_trace_is(WEB LLM("kv_blocks: 3, scheduling_policy: priority", ""), STORY_TRACE(four),
                        "0.100 s  web #0 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #1 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #1 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #2 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #2 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #3 attempt 1: sent to llm[0]\n"
                        "0.100 s  web #3 attempt 1: arrived at llm[0]\n"
                        "0.100 s  web #0 attempt 1: started by llm[0]\n"
                        "0.100 s  web #1 attempt 1: started by llm[0]\n"
                        "0.100 s  web #2 attempt 1: started by llm[0]\n"
                        "0.110 s  web #2 attempt 1: preempted by llm[0]\n"
                        "0.110 s  web #1 attempt 1: preempted by llm[0]\n"
                        "0.130 s  web #0 attempt 1: served by llm[0]\n"
                        "0.130 s  web #0 attempt 1: reply from llm[0]\n"
                        "0.130 s  web #0 is answered: 3 tokens, the first at 0.110 s\n"
                        "0.130 s  web #1 attempt 1: started by llm[0]\n"
                        "0.150 s  web #1 attempt 1: served by llm[0]\n"
                        "0.150 s  web #1 attempt 1: reply from llm[0]\n"
                        "0.150 s  web #1 is answered: 3 tokens, the first at 0.110 s\n"
                        "0.150 s  web #2 attempt 1: started by llm[0]\n"
                        "0.150 s  web #3 attempt 1: started by llm[0]\n"
                        "0.160 s  web #3 attempt 1: preempted by llm[0]\n"
                        "0.170 s  web #2 attempt 1: served by llm[0]\n"
                        "0.170 s  web #2 attempt 1: reply from llm[0]\n"
                        "0.170 s  web #2 is answered: 3 tokens, the first at 0.110 s\n"
                        "0.170 s  web #3 attempt 1: started by llm[0]\n"
                        "0.190 s  web #3 attempt 1: served by llm[0]\n"
                        "0.190 s  web #3 attempt 1: reply from llm[0]\n"
                        "0.190 s  web #3 is answered: 3 tokens, the first at 0.160 s\n");
}
END_TEST

/* 10 prompt tokens need a block, 2 there are. The first prefill ends at 0.11 s and keeps its block
 * until the answer to its call is there, at 0.172 s: so the third waits. A step that decodes takes
 * 10 ms and 1 ms for each prompt token, of which 1 is left: the others were brought along. */
#define SPLIT                                                                                      \
    "run: {duration: 60s}\n"                                                                       \
    "clients: {web: {target: prefill, arrivals: {trace: {file: /dev/null}}}}\n"                    \
    "services:\n"                                                                                  \
    "  prefill: {server: {inference: {step: {linear: {base: 10ms}}, kv_blocks: 2, role: "          \
    "prefill}}, calls: [{to: decode, latency: 20ms, reply_latency: 10ms}]}\n"                      \
    "  decode: {server: {inference: {step: {linear: {base: 10ms, per_prefill_token: 1ms}}, "       \
    "kv_blocks: 10, role: decode}}}\n"
static const TraceArrival threes[] = {{.at_s = 0.1, .input_tokens = 10, .output_tokens = 3},
                                      {.at_s = 0.105, .input_tokens = 10, .output_tokens = 3},
                                      {.at_s = 0.11, .input_tokens = 10, .output_tokens = 3}};
START_TEST(prefill_keeps_its_blocks_while_decoding_goes_on_elsewhere) {
    story_with_trace_is(SPLIT, STORY_TRACE(threes),

                        "0.100 s  web #0 attempt 1: sent to prefill[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at prefill[0]\n"
                        "0.100 s  web #0 attempt 1: started by prefill[0]\n"
                        "0.105 s  web #1 attempt 1: sent to prefill[0]\n"
                        "0.105 s  web #1 attempt 1: arrived at prefill[0]\n"
                        "0.110 s  web #2 attempt 1: sent to prefill[0]\n"
                        "0.110 s  web #2 attempt 1: arrived at prefill[0]\n"
                        "0.110 s  web #0 attempt 1: served by prefill[0]\n"
                        "0.110 s  web #0 attempt 1: sent to decode[0]\n"
                        "0.110 s  web #1 attempt 1: started by prefill[0]\n"
                        "0.120 s  web #1 attempt 1: served by prefill[0]\n"
                        "0.120 s  web #1 attempt 1: sent to decode[0]\n"
                        "0.130 s  web #0 attempt 1: arrived at decode[0]\n"
                        "0.130 s  web #0 attempt 1: started by decode[0]\n"
                        "0.140 s  web #1 attempt 1: arrived at decode[0]\n"
                        "0.141 s  web #1 attempt 1: started by decode[0]\n"
                        "0.162 s  web #0 attempt 1: served by decode[0]\n"
                        "0.172 s  web #0 attempt 1: reply from decode[0]\n"
                        "0.172 s  web #0 attempt 1: reply from prefill[0]\n"
                        "0.172 s  web #0 is answered: 3 tokens, the first at 0.151 s\n"
                        "0.172 s  web #2 attempt 1: started by prefill[0]\n"
                        "0.172 s  web #1 attempt 1: served by decode[0]\n"
                        "0.182 s  web #1 attempt 1: reply from decode[0]\n"
                        "0.182 s  web #1 attempt 1: reply from prefill[0]\n"
                        "0.182 s  web #1 is answered: 3 tokens, the first at 0.162 s\n"
                        "0.182 s  web #2 attempt 1: served by prefill[0]\n"
                        "0.182 s  web #2 attempt 1: sent to decode[0]\n"
                        "0.202 s  web #2 attempt 1: arrived at decode[0]\n"
                        "0.202 s  web #2 attempt 1: started by decode[0]\n"
                        "0.233 s  web #2 attempt 1: served by decode[0]\n"
                        "0.243 s  web #2 attempt 1: reply from decode[0]\n"
                        "0.243 s  web #2 attempt 1: reply from prefill[0]\n"
                        "0.243 s  web #2 is answered: 3 tokens, the first at 0.223 s\n");
}
END_TEST

TEST_SUITE("models/inference_story", two_requests_share_a_step, ends_of_steps_are_no_ties,
           a_prompt_above_the_budget_is_computed_in_chunks, nobody_overtakes_the_head_of_the_line,
           when_the_head_of_the_line_gives_up_the_next_one_need_not_wait_for_the_end_of_a_run,
           who_is_preempted_computes_all_again_but_answers_nothing_twice,
           a_preemption_shows_in_the_measures, what_was_preempted_may_be_found_in_the_cache,
           who_is_preempted_in_the_step_that_he_was_scheduled_for_finds_what_was_to_be_computed,
           who_is_given_up_leaves_at_the_end_of_the_step_if_the_server_is_told,
           who_is_given_up_keeps_its_blocks_if_the_server_is_not_told,
           max_model_len_cuts_an_answer_and_rejects_a_prompt,
           an_answer_that_was_cut_counts_for_the_tokens_that_it_has,
           by_priority_who_matters_more_is_admitted_first,
           by_priority_who_matters_less_is_preempted_first,
           by_priority_who_came_at_the_same_instant_keeps_his_place,
           prefill_keeps_its_blocks_while_decoding_goes_on_elsewhere)
