/* Sessions: the story of one, how prompts grow, what is drawn by (session, turn), and the laws of
 * turns, starts, thinking and popularity, each held to 1e-6. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>

#include "models/registry.h"
#include "tests/models/sent.h"

/* ---- Stories */

/* At a rate of 1k/s; one with the seed that the stories have. */
#define ONE_SESSION "load: [{at: 1ms, x: 0}]"

START_TEST(a_session_thinks_after_each_answer_and_ends_after_its_last) {
    story_is(
        "run: {duration: 12s, seed: 1}\n"
        "clients: {chat: {target: llm, arrivals: {sessions: {rate: 1k/s, turns: 3, think: 2s}},"
        " " ONE_SESSION "}}\n"
        "services: {llm: {work: 1s}}\n",
        "0.001 s  chat #0 attempt 1: sent to llm[0]\n"
        "0.001 s  chat #0 attempt 1: arrived at llm[0]\n"
        "0.001 s  chat #0 attempt 1: started by llm[0]\n"
        "1.001 s  chat #0 attempt 1: served by llm[0]\n"
        "1.001 s  chat #0 attempt 1: reply from llm[0]\n"
        "1.001 s  chat #0 is answered\n"
        "3.001 s  chat #1 attempt 1: sent to llm[0]\n"
        "3.001 s  chat #1 attempt 1: arrived at llm[0]\n"
        "3.001 s  chat #1 attempt 1: started by llm[0]\n"
        "4.001 s  chat #1 attempt 1: served by llm[0]\n"
        "4.001 s  chat #1 attempt 1: reply from llm[0]\n"
        "4.001 s  chat #1 is answered\n"
        "6.001 s  chat #2 attempt 1: sent to llm[0]\n"
        "6.001 s  chat #2 attempt 1: arrived at llm[0]\n"
        "6.001 s  chat #2 attempt 1: started by llm[0]\n"
        "7.001 s  chat #2 attempt 1: served by llm[0]\n"
        "7.001 s  chat #2 attempt 1: reply from llm[0]\n"
        "7.001 s  chat #2 is answered\n");
}
END_TEST

START_TEST(a_session_ends_when_a_request_fails_for_good_and_not_before) {
    story_is(
        "run: {duration: 12s, seed: 1}\n"
        "clients: {chat: {target: llm, arrivals: {sessions: {rate: 1k/s, turns: 9, think: 1s}},"
        " " ONE_SESSION
        ", call: {timeout: 500ms, retry: {fixed: {max_attempts: 2, delay: 100ms}}}}}\n"
        "services: {llm: {work: 300ms}}\n"
        "faults:\n"
        "  - {at: 1.2s, for: 200ms, crash: {service: llm, mode: blackhole}}\n"
        "  - {at: 2.5s, crash: {service: llm, mode: blackhole}}\n",
        "0.001 s  chat #0 attempt 1: sent to llm[0]\n"
        "0.001 s  chat #0 attempt 1: arrived at llm[0]\n"
        "0.001 s  chat #0 attempt 1: started by llm[0]\n"
        "0.301 s  chat #0 attempt 1: served by llm[0]\n"
        "0.301 s  chat #0 attempt 1: reply from llm[0]\n"
        "0.301 s  chat #0 is answered\n"
        "1.200 s  fault begins: crash llm\n"
        "1.301 s  chat #1 attempt 1: sent to llm[0]\n"
        "1.301 s  chat #1 attempt 1: lost at llm[0]: the replica is silent\n"
        "1.400 s  fault ends: crash llm\n"
        "1.801 s  chat #1 attempt 1: timeout, waiting for llm[0]\n"
        "1.901 s  chat #1 attempt 2: sent to llm[0]\n"
        "1.901 s  chat #1 attempt 2: arrived at llm[0]\n"
        "1.901 s  chat #1 attempt 2: started by llm[0]\n"
        "2.201 s  chat #1 attempt 2: served by llm[0]\n"
        "2.201 s  chat #1 attempt 2: reply from llm[0]\n"
        "2.201 s  chat #1 is answered\n"
        "2.500 s  fault begins: crash llm\n"
        "3.201 s  chat #2 attempt 1: sent to llm[0]\n"
        "3.201 s  chat #2 attempt 1: lost at llm[0]: the replica is silent\n"
        "3.701 s  chat #2 attempt 1: timeout, waiting for llm[0]\n"
        "3.801 s  chat #2 attempt 2: sent to llm[0]\n"
        "3.801 s  chat #2 attempt 2: lost at llm[0]: the replica is silent\n"
        "4.301 s  chat #2 attempt 2: timeout, waiting for llm[0]\n"
        "4.301 s  chat #2 has timed out\n");
}
END_TEST

START_TEST(answers_at_once_and_no_thinking_take_no_time) {
    SentRun run;
    sent_run(&run,
             "run: {duration: 20s}\n"
             "clients: {chat: {target: llm, arrivals: {sessions: {rate: 1/s, turns: 7, think: 0s}},"
             " output_tokens: 10}}\n"
             "services: {llm: {server: {pool: {concurrency: unlimited}}}}\n",
             NULL, 16);
    ck_assert_uint_gt(run.sent.count, 70);
    ck_assert_uint_eq(run.sent.count, 7 * run.world->clients[0].session_count);
    for (size_t i = 0; i < run.sent.count; i++) {
        const Sent *sent = &run.sent.items[i];
        ck_assert_uint_eq(sent->session, i / 7);
        ck_assert_uint_eq(sent->turn, i % 7);
        ck_assert_int_eq(sent->at, run.sent.items[i / 7 * 7].at);
        ck_assert_uint_eq(sent->input_tokens, 10 * sent->turn);
    }
    ck_assert_uint_eq(pool_live_count(&run.world->sessions), 0);
    ck_assert_uint_eq(pool_live_count(&run.world->prompts), 0);
    sent_free(&run);
}
END_TEST

START_TEST(thinking_sessions_count_against_max_in_flight) {
    SentRun run;
    sent_run(&run,
             "run: {duration: 1000s, max_in_flight: 20}\n"
             "clients: {chat: {target: llm, arrivals: {sessions: {rate: 1/s, turns: 2, think:"
             " 900s}}}}\n"
             "services: {llm: {}}\n",
             NULL, 16);
    ck_assert_int_eq(run.world->stop_reason, STOP_IN_FLIGHT);
    ck_assert_uint_eq(run.sent.count, 20);
    sent_free(&run);
}
END_TEST

/* ---- How prompts grow */

static const Sent *find_turn(const SentRun *run, uint64_t session, uint32_t turn) {
    for (size_t i = 0; i < run->sent.count; i++) {
        if (run->sent.items[i].session == session && run->sent.items[i].turn == turn) {
            return &run->sent.items[i];
        }
    }
    return NULL;
}

static uint64_t text_tokens(const Sent *sent) {
    return (uint64_t)sent->input_tokens + sent->output_tokens;
}

START_TEST(a_turns_prompt_begins_with_all_that_was_said_before) {
    SentRun run;
    sent_run(
        &run,
        "run: {duration: 200s}\n"
        "clients: {chat: {target: llm, arrivals: {sessions: {rate: 0.3/s, turns: 6, think: 3s}},"
        " input_tokens: {uniform: {min: 5, max: 95}}, output_tokens: {uniform: {min: 20, max:"
        " 300}}, shared_prefix: {tokens: 70}}}\n"
        "services: {llm: {replicas: 9, work: 1.7s}}\n",
        NULL, 16);
    uint32_t grown = 0, same_start = 0;
    for (size_t i = 0; i < run.sent.count; i++) {
        const Sent *sent = &run.sent.items[i];
        const Sent *before =
            sent->turn == 0 ? NULL : find_turn(&run, sent->session, sent->turn - 1);
        if (before == NULL) {
            ck_assert_uint_ge(sent->input_tokens, 75);
            ck_assert_uint_le(sent->input_tokens, 165);
            continue;
        }
        uint64_t message = sent->input_tokens - text_tokens(before);
        ck_assert_uint_ge(message, 5);
        ck_assert_uint_le(message, 95);
        ck_assert_uint_eq(sent_common(before, sent), text_tokens(before) / 16);
        grown++;
        /* Of another session nothing but the 70 tokens that all have: 4 blocks. */
        const Sent *other = find_turn(&run, sent->session + 1, 0);
        if (other != NULL) {
            ck_assert_uint_eq(sent_common(other, sent), 4);
            same_start++;
        }
    }
    ck_assert_uint_gt(grown, 150);
    ck_assert_uint_gt(same_start, 150);
    sent_free(&run);
}
END_TEST

START_TEST(history_beyond_max_context_is_cut_and_leaves_only_the_shared_prefix) {
    /* 64 tokens of prefix, messages of 100, answers of 150: prompts of 164, 414, then 664 > 600:
     * cut to 600 from there on. */
    static const uint32_t expected[] = {164, 414, 600, 600};
    SentRun run;
    sent_run(&run,
             "run: {duration: 300s}\n"
             "clients: {chat: {target: llm, arrivals: {sessions: {rate: 0.02/s, turns: 4, think:"
             " 1s, max_context: 600}}, input_tokens: 100, output_tokens: 150, shared_prefix:"
             " {tokens: 64}}}\n"
             "services: {llm: {work: 1s}}\n",
             NULL, 16);
    ck_assert_uint_ge(run.sent.count, 4);
    for (uint32_t turn = 0; turn < 4; turn++) {
        const Sent *sent = find_turn(&run, 0, turn);
        ck_assert_uint_eq(sent->input_tokens, expected[turn]);
        if (turn > 0) {
            ck_assert_uint_eq(sent_common(find_turn(&run, 0, turn - 1), sent), turn == 1 ? 19 : 4);
        }
    }
    ck_assert_uint_eq(pool_live_count(&run.world->prompts), pool_live_count(&run.world->sessions));
    sent_free(&run);
}
END_TEST

START_TEST(a_message_is_never_cut) {
    SentRun run;
    sent_run(
        &run,
        "run: {duration: 100s}\n"
        "clients: {chat: {target: llm, arrivals: {sessions: {rate: 0.1/s, turns: 3, think: 1s,"
        " max_context: 40}}, input_tokens: 100, output_tokens: 7, shared_prefix: {tokens: 30}}}"
        "\n"
        "services: {llm: {replicas: 3, work: 1s}}\n",
        NULL, 16);
    ck_assert_uint_gt(run.sent.count, 9);
    for (size_t i = 0; i < run.sent.count; i++) {
        ck_assert_uint_eq(run.sent.items[i].input_tokens, 130);
    }
    sent_free(&run);
}
END_TEST

START_TEST(an_inference_server_finds_all_that_was_computed_before) {
    /* Of a turn before: prompt and answer but for the last token, which was sampled and never went
     * through the model, in whole blocks. Of another session: 4 blocks of the 70 tokens of prefix.
     */
    SentRun run;
    sent_run(
        &run,
        "run: {duration: 400s}\n"
        "clients: {chat: {target: llm, arrivals: {sessions: {rate: 0.1/s, turns: 5, think: 3s}},"
        " input_tokens: {uniform: {min: 5, max: 95}}, output_tokens: {uniform: {min: 20, max:"
        " 300}}, shared_prefix: {tokens: 70}}}\n"
        "services: {llm: {server: {inference: {kv_blocks: 100k, step: {linear: {base: 1ms}}}}}}"
        "\n",
        NULL, 16);
    uint64_t hits = 0, queries = 0;
    for (size_t i = 0; i < run.sent.count; i++) {
        const Sent *sent = &run.sent.items[i];
        const Sent *before =
            sent->turn == 0 ? NULL : find_turn(&run, sent->session, sent->turn - 1);
        hits += before != NULL ? (text_tokens(before) - 1) / 16 * 16 : i > 0 ? 64 : 0;
        queries += sent->input_tokens;
    }
    const uint64_t *counts = run.world->probe.components[1].counts[true];
    ck_assert_uint_gt(run.sent.count, 100);
    ck_assert_uint_eq(counts[COUNT_PREFIX_QUERIED], queries);
    ck_assert_uint_eq(counts[COUNT_PREFIX_HIT], hits);
    ck_assert_uint_gt(2 * hits, queries);
    sent_free(&run);
}
END_TEST

START_TEST(turns_meet_their_session_again_at_the_same_replica) {
    /* Also after the history was cut: prompts of at most 150 tokens. */
    SentRun run;
    sent_run(&run,
             "run: {duration: 300s}\n"
             "clients: {chat: {target: llm, arrivals: {sessions: {rate: 0.3/s, turns: 5, think: 2s,"
             " max_context: 150}}, input_tokens: 50, output_tokens: 50}}\n"
             "services: {llm: {replicas: 5, route: session, work: 1s}}\n",
             NULL, 16);
    uint32_t first_counts[5] = {0}, met = 0;
    for (size_t i = 0; i < run.sent.count; i++) {
        const Sent *sent = &run.sent.items[i];
        if (sent->turn == 0) {
            first_counts[sent->replica]++;
        } else {
            ck_assert_uint_eq(sent->replica, find_turn(&run, sent->session, 0)->replica);
            met++;
        }
    }
    ck_assert_uint_gt(met, 200);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_gt(first_counts[i], 5);
    }
    sent_free(&run);
}
END_TEST

/* ---- Common random numbers */

START_TEST(a_policy_changes_neither_lengths_nor_turns_nor_thinking) {
    static const char *const services[] = {
        "services: {llm: {replicas: 40, work: 1s}}\n",
        "services: {llm: {replicas: 3, route: random, work: {exponential: {mean: 2s}}}}\n"};
    SentRun runs[2];
    for (int i = 0; i < 2; i++) {
        char yaml[500];
        snprintf(
            yaml, sizeof yaml,
            "run: {duration: 400s}\n"
            "clients: {chat: {target: llm, arrivals: {sessions: {rate: 0.5/s, think:"
            " {exponential: {mean: 4s}}}}, input_tokens: {exponential: {mean: 100}},"
            " output_tokens: {exponential: {mean: 100}}, shared_prefix: {tokens: 9, count: 9}}}"
            "\n%s",
            services[i]);
        sent_run(&runs[i], yaml, NULL, 9);
    }
    uint32_t compared = 0, reordered = 0;
    for (size_t i = 0; i < runs[0].sent.count; i++) {
        const Sent *here = &runs[0].sent.items[i];
        const Sent *there = find_turn(&runs[1], here->session, here->turn);
        if (there == NULL) {
            continue;
        }
        ck_assert_uint_eq(here->input_tokens, there->input_tokens);
        ck_assert_uint_eq(here->output_tokens, there->output_tokens);
        ck_assert_uint_eq(sent_common(here, there), here->key_count);
        if (here->turn == 0) {
            ck_assert_int_eq(here->at, there->at);
        } else {
            ck_assert_int_eq(
                here->at - find_turn(&runs[0], here->session, here->turn - 1)->ended_at,
                there->at - find_turn(&runs[1], here->session, here->turn - 1)->ended_at);
        }
        compared++;
        reordered += here->number != there->number;
    }
    ck_assert_uint_gt(compared, 300);
    ck_assert_uint_gt(reordered, 100);
    sent_free(&runs[0]);
    sent_free(&runs[1]);
}
END_TEST

/* ---- Laws */

/* Pearson's chi-square of counts against chances; the last cell holds the rest. False alarm 5e-7,
 * by a chi-square law that needs some tens of draws expected in each cell. */
static void counts_hold(const double *counts, const double *chances, size_t cells) {
    double total = 0, squares = 0;
    for (size_t i = 0; i < cells; i++) {
        total += counts[i];
    }
    for (size_t i = 0; i < cells; i++) {
        double mean = total * chances[i];
        ck_assert_double_gt(mean, 30);
        squares += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    double p = gsl_cdf_chisq_Q(squares, (double)(cells - 1));
    ck_assert_msg(p > 5e-7, "chi-square %.1f on %zu cells: %g", squares, cells, p);
}

START_TEST(turns_are_the_law_rounded_and_at_least_one) {
    /* The default, exponential of mean 2.4: P(n) = e^(-(n - 0.5) / m) - e^(-(n + 0.5) / m) above
     * 1, whose own share is all below 1.5. */
    enum { SESSIONS = 200000, CELLS = 15 };
    double counts[CELLS] = {0}, chances[CELLS], mean = 2.4, sum = 0;
    for (int i = 0; i < CELLS; i++) {
        double from = i == 0 ? 1 : exp(-(i + 0.5) / mean);
        chances[i] = from - (i == CELLS - 1 ? 0 : exp(-(i + 1.5) / mean));
    }
    Model *model = story_compile(
        "clients: {chat: {target: llm, arrivals: {sessions: {rate: 1/s, think: 1s}}}}\n"
        "services: {llm: {}}\n");
    const Client *client = &model->clients[0];
    const ArrivalOps *ops = client->arrivals.kind->ops;
    RngKey key = rng_key(1, 0, "chat", "request");
    Source source = {.key = &key};
    for (uint64_t i = 0; i < SESSIONS; i++) {
        SessionPlan plan = ops->plan_session(client->arrivals.params, &source, i);
        CHECK(plan.turn_count >= 1);
        counts[plan.turn_count < CELLS ? plan.turn_count - 1 : CELLS - 1]++;
        sum += plan.turn_count;
    }
    counts_hold(counts, chances, CELLS);
    /* The mean that the manual names; its standard error is below 0.006. */
    ck_assert_double_eq_tol(sum / SESSIONS, 1 + exp(-1.5 / mean) / (1 - exp(-1 / mean)), 0.03);
    ck_assert_double_eq_tol(sum / SESSIONS, 2.6, 0.06);
    model_destroy(model);
}
END_TEST

/* The largest distance of a sample of durations from an exponential law, times sqrt(n): beyond 2.7
 * once in 10^6 (Kolmogorov: 2 exp(-2 x 2.7^2) = 9.3e-7). */
static void exponential_holds(double *sample, size_t count, double mean) {
    double worst = 0;
    ck_assert_uint_gt(count, 1000);
    gsl_sort(sample, 1, count);
    for (size_t i = 0; i < count; i++) {
        double chance = gsl_cdf_exponential_P(sample[i], mean), n = (double)count;
        worst = fmax(worst, fmax(chance - (double)i / n, (double)(i + 1) / n - chance));
    }
    ck_assert_double_lt(worst * sqrt((double)count), 2.7);
}

typedef struct Times {
    VEC(double) starts, thoughts;
    double last_start_s;
    SimTime thought[3000]; /* by session: the latest */
} Times;

START_TEST(sessions_begin_as_a_poisson_process_at_the_loads_pace_and_think_by_their_law) {
    /* The load doubles half way; on its clock gaps are exponential with mean 1. */
    SentRun run;
    sent_run(&run,
             "run: {duration: 1200s}\n"
             "clients: {chat: {target: llm, arrivals: {sessions: {rate: 1/s, turns: 3, think:"
             " {exponential: {mean: 7s}}}}, load: [{at: 600s, x: 2}]}}\n"
             "services: {llm: {server: {pool: {concurrency: unlimited}}, work: 1s}}\n",
             NULL, 16);
    static Times times;
    ck_assert_uint_lt(run.world->clients[0].session_count, 3000);
    for (size_t i = 0; i < run.sent.count; i++) {
        const Sent *sent = &run.sent.items[i];
        double at_s = time_to_s(sent->at);
        if (sent->turn == 0) {
            double clock_s = at_s < 600 ? at_s : 2 * at_s - 600;
            vec_push(&times.starts, clock_s - times.last_start_s);
            times.last_start_s = clock_s;
        } else {
            const Sent *before = find_turn(&run, sent->session, sent->turn - 1);
            /* Of those that begin near the end the long ones would be missing; one in 10^6 is
             * longer than 100 s. */
            if (time_to_s(before->ended_at) < 1100) {
                SimTime thought = sent->at - before->ended_at;
                ck_assert(sent->turn == 1 || thought != times.thought[sent->session]);
                times.thought[sent->session] = thought;
                vec_push(&times.thoughts, time_to_s(thought));
            }
        }
    }
    exponential_holds(times.starts.items, times.starts.count, 1);
    exponential_holds(times.thoughts.items, times.thoughts.count, 7);
    vec_free(&times.starts);
    vec_free(&times.thoughts);
    sent_free(&run);
}
END_TEST

START_TEST(shared_prefixes_are_as_popular_as_zipf_says) {
    enum { COUNT = 20, DRAWS = 100000 };
    double chances[COUNT], counts[COUNT] = {0}, sum = 0, s = 1.1;
    uint64_t names[COUNT];
    Model *model = story_compile(
        "clients: {chat: {target: llm, arrivals: {poisson: {rate: 1/s}}, input_tokens: 900,"
        " shared_prefix: {tokens: 500, count: 20, s: 1.1}}}\n"
        "services: {llm: {}}\n");
    World *world = world_create(model, &(WorldOptions){.seed = 1});
    for (int i = 0; i < COUNT; i++) {
        chances[i] = pow(i + 1, -s);
        sum += chances[i];
        names[i] = rng_mix(world->clients[0].prefix_name + (uint64_t)i + 1);
    }
    for (int i = 0; i < COUNT; i++) {
        chances[i] /= sum;
    }
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint32_t prompt = prompt_of_request(world, 0, world->clients[0].key_base + i);
        int rank = 0;
        while (rank < COUNT && names[rank] != world_prompt(world, prompt)->prefix) {
            rank++;
        }
        CHECK(rank < COUNT);
        counts[rank]++;
        prompt_drop(world, prompt);
    }
    counts_hold(counts, chances, COUNT);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* ---- Priorities */

START_TEST(a_request_has_the_rank_of_its_clients_priority) {
    SentRun run;
    sent_run(&run,
             "run: {duration: 10s}\n"
             "clients:\n"
             "  a: {target: s, arrivals: {constant: {rate: 1/s}}, priority: 7}\n"
             "  b: {target: s, arrivals: {constant: {rate: 1/s}}}\n"
             "  c: {target: s, arrivals: {constant: {rate: 1/s}}, priority: -1000}\n"
             "  d: {target: s, arrivals: {sessions: {rate: 1/s, think: 1s}}, priority: 7}\n"
             "  e: {target: s, arrivals: {closed: {users: 2, think: 1s}}, priority: 1000}\n"
             "services: {s: {}}\n",
             NULL, 16);
    static const uint8_t ranks[] = {2, 1, 0, 2, 3};
    ck_assert_uint_eq(run.model->rank_count, 4);
    for (size_t i = 0; i < run.sent.count; i++) {
        ck_assert_uint_eq(run.sent.items[i].rank, ranks[run.sent.items[i].client]);
    }
    ck_assert_uint_gt(run.sent.count, 40);
    sent_free(&run);
    Model *model = story_compile("clients: {a: {target: s, arrivals: {poisson: {rate: 1/s}},"
                                 " priority: 9}}\nservices: {s: {}}\n");
    ck_assert_uint_eq(model->rank_count, 1);
    ck_assert_uint_eq(model->clients[0].rank, 0);
    model_destroy(model);
}
END_TEST

TEST_SUITE("models/session", a_session_thinks_after_each_answer_and_ends_after_its_last,
           a_session_ends_when_a_request_fails_for_good_and_not_before,
           answers_at_once_and_no_thinking_take_no_time,
           thinking_sessions_count_against_max_in_flight,
           a_turns_prompt_begins_with_all_that_was_said_before,
           history_beyond_max_context_is_cut_and_leaves_only_the_shared_prefix,
           a_message_is_never_cut, an_inference_server_finds_all_that_was_computed_before,
           turns_meet_their_session_again_at_the_same_replica,
           a_policy_changes_neither_lengths_nor_turns_nor_thinking,
           turns_are_the_law_rounded_and_at_least_one,
           sessions_begin_as_a_poisson_process_at_the_loads_pace_and_think_by_their_law,
           shared_prefixes_are_as_popular_as_zipf_says,
           a_request_has_the_rank_of_its_clients_priority)
