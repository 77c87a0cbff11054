/* Tokens on their way: what a caller sees of the first one, and what the probe makes of all of
 * them. The server is the test's own, with times and counts that can be known by heart. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/flow.h"
#include "models/servers/server.h"
#include "tests/models/story.h"

/* Every request takes 1 s, and its first token comes after 0.4 s. */
static void talk_pump(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    while (replica->busy < replica->levers.slots) {
        uint32_t attempt = flow_take(world, replica_index);
        if (attempt == NONE) {
            return;
        }
        flow_use_slot(world, attempt);
        flow_work_for(world, attempt, time_from_s(1));
        world_attempt(world, attempt)->first_token_at = world->now + time_from_s(0.4);
        world_attempt(world, attempt)->produced =
            world_call(world, world_attempt(world, attempt)->call)->output_tokens;
    }
}

/* The named services of `yaml` talk; *kind is filled for as long as the model lives. */
static Model *talking_model(const char *yaml, const char *services, Kind *kind, ServerOps *ops) {
    Model *model = story_compile(yaml);
    for (uint32_t i = 0; i < model->service_count; i++) {
        Component *server = &model->services[i].server;
        if (strstr(services, model->services[i].name) != NULL) {
            const ServerOps *own = server->kind->ops;
            *kind = *server->kind;
            *ops = *own;
            ops->pump = talk_pump;
            ops->has_tokens = true;
            kind->ops = ops;
            server->kind = kind;
        }
    }
    return model;
}

START_TEST(the_first_token_takes_the_way_of_the_reply_through_a_gateway) {
    /* At the gateway at 1.01 s, at llm at 1.12 s; the first token at 1.52 s, at web at 1.58 s; the
     * answer at 2.12 s and at 2.18 s. */
    static const TraceArrival one[] = {{.at_s = 1, .input_tokens = 10, .output_tokens = 5}};
    Kind kind;
    ServerOps ops;
    Model *model =
        talking_model("run: {duration: 10s}\n"
                      "clients: {web: {target: gateway, arrivals: {trace: {file: /dev/null}}}}\n"
                      "services: {gateway: {work: 0.1s, calls: [{to: llm}]}, llm: {}}\n"
                      "network: {default: {latency: 10ms, reply_latency: 30ms}}\n",
                      "llm", &kind, &ops);
    StoryRun run = story_run_model(model, STORY_TRACE(one));
    measure_is(&run, "web", METRIC_ttft_mean, 0.58);
    measure_is(&run, "web", METRIC_ttft_p50, 0.58);
    measure_is(&run, "web", METRIC_ttft_p99, 0.58);
    measure_is(&run, "web", METRIC_tpot_mean, 0.15);
    measure_is(&run, "web", METRIC_tpot_p95, 0.15);
    measure_is(&run, "web", METRIC_itl_mean, NAN);
    measure_is(&run, "gateway", METRIC_ttft_mean, NAN);
    story_free(&run);
}
END_TEST

START_TEST(what_is_streamed_is_the_answer_of_the_last_call_that_has_tokens) {
    /* small: 1.0 s to 2.0 s; llm: first token at 2.4 s, 3.0 s; guard: until 3.2 s. */
    static const TraceArrival one[] = {{.at_s = 1, .output_tokens = 9}};
    Kind kind;
    ServerOps ops;
    Model *model = talking_model(
        "run: {duration: 10s}\n"
        "clients: {web: {target: gateway, arrivals: {trace: {file: /dev/null}}}}\n"
        "services: {gateway: {calls: [{to: small}, {to: llm}, {to: guard}]}, small: {}, llm: {},\n"
        "  guard: {work: 0.2s}}\n",
        "small llm", &kind, &ops);
    StoryRun run = story_run_model(model, STORY_TRACE(one));
    measure_is(&run, "web", METRIC_ttft_mean, 1.4);
    measure_is(&run, "web", METRIC_tpot_mean, 0.1);
    story_free(&run);
}
END_TEST

START_TEST(only_the_answer_that_is_used_has_a_first_token) {
    /* The first request is given up at 1.7 s, after a first token, and tried again from 2.0 s to
     * 3.0 s. The second fails although its first attempt has a token at 3.4 s and answers at 4.0 s.
     */
    static const TraceArrival list[] = {{.at_s = 1, .output_tokens = 1},
                                        {.at_s = 2.1, .output_tokens = 7}};
    Kind kind;
    ServerOps ops;
    Model *model =
        talking_model("run: {duration: 10s}\n"
                      "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}, call:\n"
                      "  {timeout: [0.7s, 1.4s], retry: {fixed: {max_attempts: 2, delay: "
                      "0s}}}}}\n"
                      "services: {llm: {}}\n",
                      "llm", &kind, &ops);
    StoryRun run = story_run_model(model, STORY_TRACE(list));
    measure_is(&run, "web", METRIC_answered, 1);
    measure_is(&run, "web", METRIC_timeouts, 1);
    measure_is(&run, "web", METRIC_ttft_mean, 1.4); /* at 2.4 s */
    measure_is(&run, "web", METRIC_tpot_mean, NAN); /* it has one token */
    story_free(&run);
}
END_TEST

START_TEST(clients_and_services_without_tokens_have_empty_cells) {
    static const TraceArrival one[] = {{.at_s = 1, .output_tokens = 5}};
    Kind kind;
    ServerOps ops;
    Model *model =
        talking_model("run: {duration: 10s}\n"
                      "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}},\n"
                      "  app: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                      "services: {llm: {}, api: {work: 0.2s}}\n",
                      "llm", &kind, &ops);
    StoryRun run = story_run_model(model, STORY_TRACE(one));
    measure_is(&run, "web", METRIC_ttft_mean, 0.4);
    for (uint32_t metric = METRIC_ttft_mean; metric <= METRIC_itl_p99; metric++) {
        measure_is(&run, "app", metric, NAN);
        measure_is(&run, "api", metric, NAN);
    }
    for (uint32_t metric = METRIC_input_tokens; metric <= METRIC_unservable; metric++) {
        measure_is(&run, "web", metric, NAN);
        measure_is(&run, "api", metric, NAN);
    }
    measure_is(&run, "llm", METRIC_preemptions, 0);
    measure_is(&run, "llm", METRIC_kv_use, NAN); /* it has no blocks */
    story_free(&run);
}
END_TEST

/* What an inference server tells the probe in the interval from `at_s` to a second later. */
static void feed(Probe *probe, uint32_t llm, double at_s, bool is_measured) {
    SimTime at = time_from_s(at_s);
    probe_add(probe, llm, COUNT_INPUT_TOKENS, is_measured, 1200);
    probe_add(probe, llm, COUNT_OUTPUT_TOKENS, is_measured, 300);
    probe_add(probe, llm, COUNT_WORK, is_measured, 1500);
    probe_add(probe, llm, COUNT_WASTED, is_measured, 600);
    probe_add(probe, llm, COUNT_PREEMPTIONS, is_measured, 3);
    probe_add(probe, llm, COUNT_RECOMPUTED, is_measured, 450);
    probe_add(probe, llm, COUNT_PREFIX_QUERIED, is_measured, 800);
    probe_add(probe, llm, COUNT_PREFIX_HIT, is_measured, 200);
    probe_count(probe, llm, COUNT_UNSERVABLE, is_measured);
    probe_record(probe, llm, RECORDED_TTFT, is_measured, time_from_s(2));
    probe_record(probe, llm, RECORDED_TPOT, is_measured, time_from_s(0.03125));
    probe_record_many(probe, llm, RECORDED_ITL, is_measured, time_from_s(0.01), 299);
    probe_record(probe, llm, RECORDED_ITL, is_measured, time_from_s(3.01));
    /* One replica holds 60 blocks for 0.5 s, another 20 for 0.25 s and is told of later. */
    probe_level_at(probe, llm, LEVEL_KV_USED, at + time_from_s(0.5), 60);
    probe_level_at(probe, llm, LEVEL_KV_USED, at + time_from_s(1), -60);
    probe_level_at(probe, llm, LEVEL_KV_USED, at + time_from_s(0.25), 20);
    probe_level_at(probe, llm, LEVEL_KV_USED, at + time_from_s(0.5), -20);
}

static void values_are_right(const double *values, double seconds) {
    ck_assert_double_eq(values[METRIC_input_tokens], 1200 / seconds);
    ck_assert_double_eq(values[METRIC_output_tokens], 300 / seconds);
    ck_assert_double_eq_tol(values[METRIC_kv_use], 0.35 / seconds, 1e-12);
    ck_assert_double_eq(values[METRIC_preemptions], 3);
    ck_assert_double_eq(values[METRIC_recomputed_tokens], 450);
    ck_assert_double_eq(values[METRIC_wasted_tokens], 600);
    ck_assert_double_eq(values[METRIC_wasted_ratio], 0.4);
    ck_assert_double_eq(values[METRIC_prefix_hits], 0.25);
    ck_assert_double_eq(values[METRIC_unservable], 1);
    ck_assert_double_eq(values[METRIC_ttft_mean], 2);
    ck_assert_double_eq(values[METRIC_ttft_p95], 2);
    ck_assert_double_eq(values[METRIC_tpot_mean], 0.03125);
    ck_assert_double_eq(values[METRIC_tpot_p99], 0.03125);
    ck_assert_double_eq_tol(values[METRIC_itl_mean], 0.02, 1e-12);
    ck_assert_double_eq_tol(values[METRIC_itl_p99], 0.01, 0.01 * HIST_RELATIVE_ERROR);
}

START_TEST(what_an_inference_server_tells_becomes_its_measures) {
    Kind kind;
    ServerOps ops;
    Model *model =
        talking_model("run: {duration: 10s, warmup: 1s, sample_every: 1s}\n"
                      "clients: {web: {target: llm, arrivals: {constant: {rate: 1/s}}}}\n"
                      "services: {llm: {}}\n",
                      "llm", &kind, &ops);
    World *world = world_create(model, &(WorldOptions){.seed = 1});
    Probe *probe = &world->probe;
    uint32_t llm = model_find_component(model, "llm");
    probe_level_at(probe, llm, LEVEL_KV_BLOCKS, 0, 100);
    feed(probe, llm, 0, false);
    probe_sample(probe, time_from_s(1));
    probe_end_warmup(probe, time_from_s(1));
    probe_sample(probe, time_from_s(2));
    feed(probe, llm, 2, true);
    probe_sample(probe, time_from_s(3));
    double values[METRIC_COUNT];
    probe_measure(probe, llm, time_from_s(3), values);
    values_are_right(values, 2);
    values_are_right(&probe->series.items[(size_t)llm * SERIES_WIDTH], 1);
    values_are_right(&probe->series.items[(size_t)(2 * 2 + llm) * SERIES_WIDTH], 1);
    ck_assert_double_eq(probe_series(probe, 1, llm, METRIC_output_tokens), 0);
    ck_assert_double_eq(probe_series(probe, 1, llm, METRIC_kv_use), 0);
    ck_assert(isnan(probe_series(probe, 1, llm, METRIC_ttft_mean)));
    ck_assert(isnan(probe_series(probe, 1, llm, METRIC_prefix_hits)));
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* Steps of 10 ms whatever is in them: every number is known by heart. */
#define LLM                                                                                        \
    "{server: {inference: {kv_blocks: 100, step: {linear: {base: 10ms}}}}, cancel_on_timeout: "

START_TEST(an_inference_server_shows_what_one_request_cost) {
    /* 100 tokens in the first step, then four more: seven blocks of 16 for 101 to 104 tokens. */
    static const TraceArrival one[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 5}};
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {llm: " LLM "never}}\n",
                             STORY_TRACE(one));
    measure_is(&run, "web", METRIC_latency_mean, 0.05);
    measure_is(&run, "web", METRIC_ttft_mean, 0.01);
    measure_is(&run, "web", METRIC_tpot_mean, 0.01);
    measure_is(&run, "llm", METRIC_ttft_p99, 0.01);
    measure_is(&run, "llm", METRIC_tpot_mean, 0.01);
    measure_is(&run, "llm", METRIC_itl_mean, 0.01);
    measure_is(&run, "llm", METRIC_input_tokens, 10);
    measure_is(&run, "llm", METRIC_output_tokens, 0.5);
    measure_is(&run, "llm", METRIC_kv_use, 0.07 * 0.05 / 10);
    measure_is(&run, "llm", METRIC_batches, 5);
    measure_is(&run, "llm", METRIC_busy, 0.05 / 10);
    measure_is(&run, "llm", METRIC_preemptions, 0);
    measure_is(&run, "llm", METRIC_wasted_tokens, 0);
    measure_is(&run, "llm", METRIC_wasted_ratio, 0);
    story_free(&run);
}
END_TEST

START_TEST(tokens_for_nobody_are_wasted_and_preempted_ones_computed_again) {
    /* Two sequences of up to 52 blocks, in steps of 10 ms, of which one is given up at 2 s: it
     * makes its 730 tokens until 8.3 s all the same. */
    static const TraceArrival two[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 730},
                                       {.at_s = 1.1, .input_tokens = 100, .output_tokens = 730}};
    static const char yaml[] =
        "run: {duration: 30s}\n"
        "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}, call: {timeout:\n"
        "  [1s]}}}\n"
        "services: {llm: " LLM "%s}}\n";
    char text[600];
    snprintf(text, sizeof text, yaml, "never");
    StoryRun run = story_run(text, STORY_TRACE(two));
    double tokens = story_measure(&run, "llm", METRIC_wasted_tokens);
    ck_assert_double_ge(tokens, 2 * (100 + 729));
    measure_is(&run, "web", METRIC_ttft_mean, NAN);
    measure_is(&run, "llm", METRIC_preemptions, 1);
    measure_is(&run, "llm", METRIC_wasted_ratio, 1);
    measure_is(&run, "llm", METRIC_recomputed_tokens, tokens - 2 * (100 + 729));
    measure_is(&run, "llm", METRIC_output_tokens, 2 * 730 / 30.0);
    double latency_s = story_measure(&run, "llm", METRIC_in_system_mean) * 30;
    measure_is(&run, "llm", METRIC_orphaned, (latency_s - 2) / 30);
    story_free(&run);
    snprintf(text, sizeof text, yaml, "anywhere");
    run = story_run(text, STORY_TRACE(two));
    measure_is(&run, "llm", METRIC_preemptions, 0);
    measure_is(&run, "llm", METRIC_orphaned, 0);
    measure_is(&run, "llm", METRIC_wasted_ratio, 1);
    story_free(&run);
}
END_TEST

START_TEST(a_prompt_that_was_brought_along_is_no_hit) {
    static const TraceArrival one[] = {{.at_s = 1, .input_tokens = 100, .output_tokens = 5}};
    StoryRun run =
        story_run("run: {duration: 10s}\n"
                  "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                  "services:\n"
                  "  api: {calls: [{to: prefill}, {to: decode}]}\n"
                  "  prefill: {server: {inference: {role: prefill, kv_blocks: 100, step: {linear:\n"
                  "    {base: 10ms}}}}}\n"
                  "  decode: {server: {inference: {role: decode, kv_blocks: 100, step: {linear:\n"
                  "    {base: 10ms}}}}}\n",
                  STORY_TRACE(one));
    measure_is(&run, "prefill", METRIC_prefix_hits, 0);
    measure_is(&run, "prefill", METRIC_input_tokens, 10);
    measure_is(&run, "decode", METRIC_prefix_hits, NAN);
    measure_is(&run, "decode", METRIC_input_tokens, 0.1);
    story_free(&run);
}
END_TEST

START_TEST(a_step_is_full_when_whoever_waits_has_no_room) {
    /* The first holds 88 of 100 blocks for 20 steps. The second, which needs 32, comes during the
     * sixth: fourteen steps have no room for it. Then it has three of its own. */
    static const TraceArrival two[] = {{.at_s = 1, .input_tokens = 1400, .output_tokens = 20},
                                       {.at_s = 1.055, .input_tokens = 500, .output_tokens = 3}};
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: llm, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {llm: " LLM "never}}\n",
                             STORY_TRACE(two));
    measure_is(&run, "llm", METRIC_batches, 20 + 3);
    measure_is(&run, "llm", METRIC_full_batch_ratio, 14 / 23.0);
    measure_is(&run, "llm", METRIC_batch_size, 1);
    story_free(&run);
}
END_TEST

START_TEST(a_run_without_tokens_keeps_no_room_for_their_times) {
    Model *model =
        story_compile("run: {duration: 10s}\n"
                      "clients: {web: {target: api, arrivals: {constant: {rate: 1/s}}}}\n"
                      "services: {api: {}}\n");
    World *world = world_create(model, &(WorldOptions){.seed = 1});
    ck_assert_uint_eq(world->probe.recorded_count, RECORDED_WITHOUT_TOKENS);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

TEST_SUITE("models/token_story", the_first_token_takes_the_way_of_the_reply_through_a_gateway,
           what_is_streamed_is_the_answer_of_the_last_call_that_has_tokens,
           only_the_answer_that_is_used_has_a_first_token,
           clients_and_services_without_tokens_have_empty_cells,
           what_an_inference_server_tells_becomes_its_measures,
           an_inference_server_shows_what_one_request_cost,
           tokens_for_nobody_are_wasted_and_preempted_ones_computed_again,
           a_prompt_that_was_brought_along_is_no_hit, a_step_is_full_when_whoever_waits_has_no_room,
           a_run_without_tokens_keeps_no_room_for_their_times)
