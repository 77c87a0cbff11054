/* An inference server in trouble: faults that befall it, and what its callers and the numbers make
 * of them. Steps take the same time whatever is in them, so that every instant is known by heart.
 */
#include <math.h>
#include <string.h>

#include "models/flow_parts.h"
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

/* As if the second request's timeout came just when the first is answered: what a hedge does. */
static void give_up_the_second(void *context, const Note *note) {
    World *world = *(World **)context;
    if (strcmp(note->what, "reply") != 0 || note->request != 0) {
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
    StoryTrace trace = *STORY_TRACE(three);
    TraceSource source = {&trace, false, story_trace_next, story_trace_rewind};
    World *world = NULL;
    world = world_create(model, &(WorldOptions){.seed = 1,
                                                .traces = &source,
                                                .context = &world,
                                                .on_note = give_up_the_second,
                                                .check_every = 1});
    world_run(world);
    StoryRun run = {.model = model, .world = world};
    measure_is(&run, "llm", METRIC_abandoned, 1);
    measure_is(&run, "llm", METRIC_preemptions, 0);
    measure_is(&run, "llm", METRIC_batches, 6);
    /* Three steps of three and three of one. */
    measure_is(&run, "llm", METRIC_batch_size, (3 * 3 + 3) / 6.0);
    measure_is(&run, "web", METRIC_answered, 2);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/engine_story", a_slow_replica_takes_longer_for_each_step_however_long_that_is,
           a_hung_replica_keeps_what_it_has_begun_even_where_lost_slots_kill,
           who_fails_early_computes_no_tokens,
           a_replica_that_is_about_to_crash_lets_go_of_what_its_callers_lose,
           steps_alone_heed_an_interrupt,
           who_is_given_up_while_others_are_answered_leaves_before_the_next_step)
