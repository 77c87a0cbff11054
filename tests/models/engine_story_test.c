/* An inference server in trouble: faults that befall it, and what its callers and the numbers make
 * of them. Steps take the same time whatever is in them, so that every instant is known by heart.
 */
#include <math.h>
#include <string.h>

#include "models/flow_parts.h"
#include "models/policies.h"
#include "tests/models/story.h"

static const TraceArrival one[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 3}};

START_TEST(a_slow_replica_takes_longer_for_each_step_however_long_that_is) {
    StoryRun run =
        story_run("run: {duration: 100h, sample_every: 1h}\n"
                  "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                  "services: {llm: {server: {inference: {kv_blocks: 100, step: {linear: {base: "
                  "1h}}}}}}\n"
                  "faults: [{at: 0s, slow: {service: llm, x: 2.5}}]\n",
                  STORY_TRACE(one));
    measure_is(&run, "web", METRIC_latency_mean, 3 * 2.5 * 3600);
    story_free(&run);
}
END_TEST

START_TEST(a_hung_replica_keeps_what_it_has_begun_even_where_lost_slots_kill) {
    /* Steps end at 1.1 s and, instead of 1.2 s, when it can go on: 2.5 s. The third takes 0.1 s. */
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {llm: {on_capacity_loss: kill, server: {inference:\n"
                             "  {kv_blocks: 100, step: {linear: {base: 100ms}}}}}}\n"
                             "faults: [{at: 1.15s, for: 1.35s, hang: {service: llm}}]\n",
                             STORY_TRACE(one));
    measure_is(&run, "web", METRIC_latency_mean, 1.6);
    ck_assert_double_eq_tol(story_measure(&run, "llm", METRIC_itl_p99), 1.4, 0.01);
    story_free(&run);
}
END_TEST

START_TEST(who_fails_early_computes_no_tokens) {
    StoryRun run =
        story_run("run: {duration: 10s}\n"
                  "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}, call:\n"
                  "  {timeout: 50ms}}}\n"
                  "services: {llm: {server: {inference: {kv_blocks: 100, step: {linear: {base: "
                  "100ms}}}}}}\n"
                  "faults: [{at: 0s, errors: {service: llm, ratio: 100%, after: 80ms}}]\n",
                  STORY_TRACE(one));
    measure_is(&run, "llm", METRIC_errors, 1);
    measure_is(&run, "llm", METRIC_wasted_tokens, 0);
    measure_is(&run, "llm", METRIC_wasted_ratio, NAN);
    story_free(&run);
}
END_TEST

START_TEST(a_replica_that_is_about_to_crash_lets_go_of_what_its_callers_lose) {
    /* At 20 s a request poisons the gateway and llm crashes; both are told at once, the gateway
     * first, whose crash cancels what llm still computes for it. */
    StoryRun run = story_run("run: {duration: 30s}\n"
                             "clients: {web: {target: gate, arrivals: {constant: {rate: 0.1/s}},\n"
                             "  input_tokens: 300, output_tokens: 5000}}\n"
                             "services:\n"
                             "  gate: {server: {pool: {concurrency: 9}}, work: 3s, calls: [{to: "
                             "llm}]}\n"
                             "  llm: {cancel_on_timeout: anywhere, server: {inference:\n"
                             "    {kv_blocks: 700, step: {linear: {base: 5ms}}}}}\n"
                             "faults: [{at: 15s, poison: {service: gate}},\n"
                             "  {every: 8s, for: 4s, crash: {service: llm}}]\n",
                             NULL);
    measure_is(&run, "web", METRIC_errors, 2);
    measure_is(&run, "llm", METRIC_abandoned, 1);
    /* From 13 s on 1399 steps were over, of which the first computed the prompt. */
    measure_is(&run, "llm", METRIC_wasted_tokens, 300 + 1399 - 1);
    story_free(&run);
}
END_TEST

START_TEST(steps_alone_heed_an_interrupt) {
    /* One answer of 10^9 tokens: 1.5 x 10^7 runs of steps, and no other event. */
    Model *model = story_compile("run: {duration: 10000s}\n"
                                 "clients: {web: {target: llm, arrivals: {closed: {users: 1,\n"
                                 "  think: 0s}}, output_tokens: 1e9}}\n"
                                 "services: {llm: {server: {inference: {kv_blocks: 100M, step:\n"
                                 "  {linear: {base: 1us}}, enable_prefix_caching: false}}}}\n");
    const volatile int interrupt = 1;
    World *world = world_create(model, &(WorldOptions){.seed = 1, .interrupt = &interrupt});
    world_run(world);
    ck_assert_int_eq(world->stop_reason, STOP_INTERRUPTED);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* Gives up the oldest that runs when the request `after` hears something, as if its timeout came
 * just then: what a hedge does. */
typedef struct GiveUp {
    World *world;
    uint64_t after;
} GiveUp;

static void give_up(void *context, const Note *note) {
    const GiveUp *plan = context;
    World *world = plan->world;
    if (strcmp(note->what, "reply") != 0 || note->request != plan->after) {
        return;
    }
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        const Attempt *attempt = world_attempt(world, slot);
        if (attempt->state == ATTEMPT_SERVING && attempt->is_awaited) {
            uint32_t call = attempt->call;
            abandon(world, slot, OUTCOME_TIMEOUT);
            failed(world, call, OUTCOME_TIMEOUT, 0);
            return;
        }
    }
}

static StoryRun run_and_give_up(Model *model, const StoryTrace *list, uint64_t after) {
    StoryTrace trace = *list;
    TraceSource source = {&trace, false, story_trace_next, story_trace_rewind};
    GiveUp plan = {.after = after};
    plan.world = world_create(
        model,
        &(WorldOptions){
            .seed = 1, .traces = &source, .context = &plan, .on_note = give_up, .check_every = 1});
    world_run(plan.world);
    return (StoryRun){.model = model, .world = plan.world};
}

START_TEST(who_is_given_up_while_others_are_answered_leaves_before_the_next_step) {
    /* The first is answered at 1.03 s, when most of the cache is lost; whoever is in the way of the
     * third has to go, but the second has gone. */
    static const TraceArrival three[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 3},
                                         {.at_s = 1, .input_tokens = 100, .output_tokens = 500},
                                         {.at_s = 1, .input_tokens = 10, .output_tokens = 6}};
    Model *model = story_compile("run: {duration: 10s}\n"
                                 "clients: {web: {target: llm, arrivals: {trace: {file: "
                                 "/dev/null}}}}\n"
                                 "services: {llm: {cancel_on_timeout: anywhere, server: {inference:"
                                 "\n  {kv_blocks: 100, step: {linear: {base: 10ms}}}}}}\n"
                                 "faults: [{at: 1.03s, kv_capacity: {service: llm, to: 5%}}]\n");
    StoryRun run = run_and_give_up(model, STORY_TRACE(three), 0);
    measure_is(&run, "llm", METRIC_abandoned, 1);
    measure_is(&run, "llm", METRIC_preemptions, 0);
    measure_is(&run, "llm", METRIC_batches, 6);
    /* Three steps of three and three of one. */
    measure_is(&run, "llm", METRIC_batch_size, (3 * 3 + 3) / 6.0);
    measure_is(&run, "web", METRIC_answered, 2);
    story_free(&run);
}
END_TEST

/* As the story of an attempt tells it, which is the same in one event or in many. */
static void is_told_both_ways(const char *yaml, const StoryTrace *trace, const char *line) {
    for (int is_stepwise = 0; is_stepwise < 2; is_stepwise++) {
        StoryRun run = story_run_with(story_compile(yaml), trace,
                                      (WorldOptions){.is_stepwise = is_stepwise > 0});
        ck_assert_msg(strstr(run.text, line) != NULL, "not in the story: %s\n%s", line, run.text);
        story_free(&run);
    }
}

START_TEST(a_call_at_the_very_end_of_a_step_waits_for_the_next_one) {
    /* Both take steps of 10 ms from 1 s on. At 1.03 s `a` has begun a step when `b`, whose turn
     * comes after it, calls it. */
    static const TraceArrival two[] = {{.at_s = 1, .input_tokens = 10, .output_tokens = 3}};
    is_told_both_ways(
        "run: {duration: 10s}\n"
        "clients:\n"
        "  web: {target: b, arrivals: {trace: {file: /dev/null}}}\n"
        "  other: {target: a, output_tokens: 50, arrivals: {trace: {file: "
        "/dev/null}}}\n"
        "services:\n"
        "  a: {server: {inference: {kv_blocks: 100, step: {linear: {base: 10ms}}}}}\n"
        "  b: {calls: [{to: a}], server: {inference: {kv_blocks: 100, step: {linear:\n"
        "    {base: 10ms}}}}}\n",
        STORY_TRACE(two), "1.040 s  web #0 attempt 1: started by a[0]");
}
END_TEST

START_TEST(who_is_given_up_while_the_step_is_planned_leaves_at_its_end) {
    /* At 1.04 s the second is turned away, for which its caller gives up the first: its 500 tokens
     * end with the step that it is in. */
    static const TraceArrival two[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 500},
                                       {.at_s = 1.035, .input_tokens = 400, .output_tokens = 3}};
    Model *model = story_compile("run: {duration: 10s}\n"
                                 "clients: {web: {target: llm, arrivals: {trace: {file: "
                                 "/dev/null}}}}\n"
                                 "services: {llm: {cancel_on_timeout: anywhere, server: {inference:"
                                 "\n  {kv_blocks: 100, step: {linear: {base: 10ms}}}}}}\n"
                                 "faults: [{at: 1.03s, kv_capacity: {service: llm, to: 20%}}]\n");
    StoryRun run = run_and_give_up(model, STORY_TRACE(two), 1);
    measure_is(&run, "llm", METRIC_unservable, 1);
    measure_is(&run, "llm", METRIC_abandoned, 1);
    measure_is(&run, "llm", METRIC_batches, 5);
    story_free(&run);
}
END_TEST

START_TEST(a_step_that_ends_with_the_warm_up_is_measured) {
    static const TraceArrival five[] = {{.at_s = 1, .input_tokens = 10, .output_tokens = 5}};
    StoryRun run = story_run("run: {duration: 10s, warmup: 1.02s}\n"
                             "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {llm: {server: {inference: {kv_blocks: 100, step: {linear: "
                             "{base: 10ms}}}}}}\n",
                             STORY_TRACE(five));
    measure_is(&run, "llm", METRIC_batches, 4);
    measure_is(&run, "llm", METRIC_output_tokens, 4 / (10 - 1.02));
    story_free(&run);
}
END_TEST

START_TEST(half_a_block_is_none) {
    /* Half of nine blocks are four, which hold 64 tokens. */
    static const TraceArrival two[] = {{.at_s = 1, .input_tokens = 64, .output_tokens = 1},
                                       {.at_s = 2, .input_tokens = 65, .output_tokens = 1}};
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {llm: {server: {inference: {kv_blocks: 9, step: {linear: "
                             "{base: 10ms}}}}}}\n"
                             "faults: [{at: 0s, kv_capacity: {service: llm, to: 50%}}]\n",
                             STORY_TRACE(two));
    measure_is(&run, "web", METRIC_answered, 1);
    measure_is(&run, "llm", METRIC_unservable, 1);
    story_free(&run);
}
END_TEST

START_TEST(a_lost_capacity_is_that_of_the_batch) {
    static const TraceArrival two[] = {{.at_s = 1, .input_tokens = 10, .output_tokens = 5},
                                       {.at_s = 1, .input_tokens = 10, .output_tokens = 5}};
    is_told_both_ways("run: {duration: 10s}\n"
                      "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                      "services: {llm: {server: {inference: {kv_blocks: 100, step: {linear: {base: "
                      "10ms}}}}}}\n"
                      "faults: [{at: 0s, capacity: {service: llm, to: 1}}]\n",
                      STORY_TRACE(two), "1.050 s  web #1 attempt 1: started by llm[0]");
}
END_TEST

/* From the first token of each answer to its last. */
static void add_decoding(void *context, const RequestRecord *record) {
    *(SimTime *)context += record->ended_at - record->first_token_at;
}

START_TEST(gaps_between_tokens_add_up_to_whole_answers_whoever_is_left_out) {
    /* Blocks of one token: each step needs as many as sequences decode, and 30 are there. Admitted
     * are three of vip, last, vip, third, second. In the sixth step the three take what is left and
     * last has to go, for which those behind it are left out; in the seventh the same befalls
     * third, and second is left out again. */
    static const TraceArrival vip[] = {{.at_s = 1, .input_tokens = 1, .output_tokens = 9},
                                       {.at_s = 1, .input_tokens = 1, .output_tokens = 9},
                                       {.at_s = 1, .input_tokens = 1, .output_tokens = 9},
                                       {.at_s = 1.015, .input_tokens = 1, .output_tokens = 9}};
    static const TraceArrival second[] = {{.at_s = 1.025, .input_tokens = 1, .output_tokens = 9}};
    static const TraceArrival third[] = {{.at_s = 1.016, .input_tokens = 1, .output_tokens = 9}};
    static const TraceArrival last[] = {{.at_s = 1.005, .input_tokens = 1, .output_tokens = 9}};
    StoryTrace traces[] = {*STORY_TRACE(vip), *STORY_TRACE(second), *STORY_TRACE(third),
                           *STORY_TRACE(last)};
    TraceSource sources[4];
    for (int i = 0; i < 4; i++) {
        sources[i] = (TraceSource){&traces[i], false, story_trace_next, story_trace_rewind};
    }
    Model *model = story_compile(
        "run: {duration: 10s}\n"
        "clients:\n"
        "  vip: {target: llm, priority: 0, arrivals: {trace: {file: /dev/null}}}\n"
        "  second: {target: llm, priority: 1, arrivals: {trace: {file: /dev/null}}}\n"
        "  third: {target: llm, priority: 2, arrivals: {trace: {file: /dev/null}}}\n"
        "  last: {target: llm, priority: 3, arrivals: {trace: {file: /dev/null}}}\n"
        "services: {llm: {server: {inference: {kv_blocks: 30, block_size: 1, max_num_seqs: 8,\n"
        "  scheduling_policy: priority, enable_prefix_caching: false,\n"
        "  step: {linear: {base: 10ms}}}}}}\n");
    SimTime decoding = 0;
    World *world = world_create(model, &(WorldOptions){.seed = 1,
                                                       .traces = sources,
                                                       .context = &decoding,
                                                       .on_request = add_decoding,
                                                       .check_every = 1});
    world_run(world);
    StoryRun run = {.model = model, .world = world};
    const Hist *gaps = &world->probe.components[model->client_count].total[RECORDED_ITL];
    measure_is(&run, "llm", METRIC_answered, 7);
    ck_assert_double_ge(story_measure(&run, "llm", METRIC_preemptions), 2);
    ck_assert_uint_eq(gaps->count, 7 * 8);
    ck_assert_int_eq((SimTime)gaps->sum, decoding);
    story_free(&run);
}
END_TEST

START_TEST(an_answer_that_is_cut_where_it_is_decoded_is_as_short_for_the_client) {
    /* Prefill ends at 1.01 s; decoding begins at once and makes 10 of 40 tokens, a step each. */
    static const TraceArrival long_one[] = {{.at_s = 1, .input_tokens = 90, .output_tokens = 40}};
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: p, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services:\n"
                             "  p: {calls: [{to: d}], server: {inference: {role: prefill,\n"
                             "    kv_blocks: 100, step: {linear: {base: 10ms}}}}}\n"
                             "  d: {server: {inference: {role: decode, max_model_len: 100,\n"
                             "    kv_blocks: 100, step: {linear: {base: 10ms}}}}}\n",
                             STORY_TRACE(long_one));
    measure_is(&run, "web", METRIC_latency_mean, 0.11);
    measure_is(&run, "web", METRIC_tpot_mean, 0.01);
    measure_is(&run, "p", METRIC_tpot_mean, NAN);
    measure_is(&run, "d", METRIC_tpot_mean, 0.01);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/engine_story", a_slow_replica_takes_longer_for_each_step_however_long_that_is,
           a_hung_replica_keeps_what_it_has_begun_even_where_lost_slots_kill,
           who_fails_early_computes_no_tokens,
           a_replica_that_is_about_to_crash_lets_go_of_what_its_callers_lose,
           steps_alone_heed_an_interrupt,
           who_is_given_up_while_others_are_answered_leaves_before_the_next_step,
           a_call_at_the_very_end_of_a_step_waits_for_the_next_one,
           who_is_given_up_while_the_step_is_planned_leaves_at_its_end,
           a_step_that_ends_with_the_warm_up_is_measured, half_a_block_is_none,
           a_lost_capacity_is_that_of_the_batch,
           gaps_between_tokens_add_up_to_whole_answers_whoever_is_left_out,
           an_answer_that_is_cut_where_it_is_decoded_is_as_short_for_the_client)
