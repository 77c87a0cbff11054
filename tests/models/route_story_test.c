/* Routers in whole runs: what they see of the World, and what comes of it. */
#include "tests/models/story.h"

#include <stdio.h>
#include <string.h>

/* How many attempts were sent to each replica of `service`, in all or from `from_s` on. */
static void count_sent(const StoryRun *run, const char *service, double from_s, uint32_t *counts,
                       uint32_t count) {
    char mark[80];
    size_t size = (size_t)snprintf(mark, sizeof mark, "sent to %s[", service);
    memset(counts, 0, count * sizeof *counts);
    for (const char *line = run->text; *line != 0; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n'), *at = strstr(line, mark);
        if (at != NULL && at < end && atof(line) >= from_s) {
            uint32_t replica = (uint32_t)atoi(at + size);
            ck_assert_uint_lt(replica, count);
            counts[replica]++;
        }
    }
}

/* Two long requests and a short one, a second apart, so that each router sees where the others
 * went; then a burst, which finds one replica idle and two busy until 9 s. */
static const TraceArrival burst[] = {
    {.at_s = 0.1, .input_tokens = 9000}, {.at_s = 1.1, .input_tokens = 9000},
    {.at_s = 2.1, .input_tokens = 1},    {.at_s = 3.1, .input_tokens = 100},
    {.at_s = 3.11, .input_tokens = 100}, {.at_s = 3.12, .input_tokens = 100},
    {.at_s = 3.13, .input_tokens = 100}, {.at_s = 3.14, .input_tokens = 100},
    {.at_s = 3.15, .input_tokens = 100}, {.at_s = 3.16, .input_tokens = 100},
};

static void run_burst(const char *route, uint32_t counts[3]) {
    char yaml[1000];
    snprintf(yaml, sizeof yaml,
             "run: {duration: 60s}\n"
             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
             "services: {api: {replicas: 3, route: %s, server: {batch: {max_batch_size: 1, step:"
             " {linear: {base: 0s, per_input_token: 1ms}}}}}}\n",
             route);
    StoryRun run = story_run(yaml, STORY_TRACE(burst));
    count_sent(&run, "api", 3, counts, 3);
    story_free(&run);
}

/* 4 x waiting + running is 1 at the busy replicas and 0 at the idle one. Fresh numbers: the idle
 * one takes one request, then all have 1, then 5 and so on. Old ones: everybody runs to where it
 * was idle a second ago, which is how a router makes an outage. */
START_TEST(old_numbers_send_a_whole_burst_to_one_replica) {
    uint32_t fresh[3], old[3], corrected[3];
    run_burst("least_loaded", fresh);
    run_burst("{least_loaded: {metrics_age: 500ms}}", old);
    run_burst("{least_loaded: {metrics_age: 500ms, counts_own: true}}", corrected);
    uint32_t most_fresh = 0, most_old = 0, most_corrected = 0;
    for (uint32_t i = 0; i < 3; i++) {
        most_fresh = fresh[i] > most_fresh ? fresh[i] : most_fresh;
        most_old = old[i] > most_old ? old[i] : most_old;
        most_corrected = corrected[i] > most_corrected ? corrected[i] : most_corrected;
    }
    ck_assert_uint_eq(most_fresh, 3);
    ck_assert_uint_eq(most_old, 7);
    ck_assert_uint_eq(most_corrected, 3);
}
END_TEST

/* Requests of 100 ms, 20 a second on 8 replicas, so that a quarter is busy. Who sees fresh numbers
 * finds an idle one nearly always; who goes by those of two seconds ago does worse than who does
 * not look at all and waits for one request in four. */
START_TEST(very_old_numbers_are_worse_than_none) {
    static const char *const routes[] = {"least_loaded", "random",
                                         "{least_loaded: {metrics_age: 2s}}"};
    double waited[3];
    for (int i = 0; i < 3; i++) {
        char yaml[500];
        snprintf(yaml, sizeof yaml,
                 "run: {duration: 400s}\n"
                 "clients: {web: {target: api, arrivals: {poisson: {rate: 20/s}}}}\n"
                 "services: {api: {replicas: 8, route: %s, work: 100ms}}\n",
                 routes[i]);
        StoryRun run = story_run(yaml, NULL);
        waited[i] = story_measure(&run, "api", METRIC_waited_ratio);
        story_free(&run);
    }
    ck_assert_double_lt(waited[0], 0.005);
    ck_assert_double_eq_tol(waited[1], 0.25, 0.03);
    ck_assert_double_gt(waited[2], 0.28);
}
END_TEST

START_TEST(weights_are_kept_and_a_stand_by_serves_when_the_others_are_known_to_be_down) {
    StoryRun run =
        story_run("run: {duration: 100s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 20/s}}}}\n"
                  "services: {api: {replicas: 3, route: {weighted: {weights: [3, 1, 0]}}}}\n"
                  "faults: [{at: 80s, crash: {service: api, replicas: 2, known: true}}]\n",
                  NULL);
    uint32_t all[3], late[3];
    count_sent(&run, "api", 0, all, 3);
    count_sent(&run, "api", 80.0001, late, 3);
    ck_assert_uint_eq(late[0] + late[1], 0);
    ck_assert_uint_ge(late[2], 398);
    ck_assert_uint_le(all[2] - late[2], 1); /* the one at 80 s itself, or not */
    /* 1600 draws at 1/4: six standard deviations are 104. */
    ck_assert_uint_gt(all[1], 400 - 104);
    ck_assert_uint_lt(all[1], 400 + 104);
    story_free(&run);
}
END_TEST

/* The user's calls are its session below the first service too. */
START_TEST(a_user_stays_with_a_replica_while_it_is_up_and_comes_back) {
    static const char yaml[] =
        "run: {duration: 9s}\n"
        "clients: {web: {target: gate, arrivals: {closed: {users: 1, think: 1s}}}}\n"
        "services:\n"
        "  gate: {calls: [{to: api}]}\n"
        "  api: {replicas: 5, route: session}\n"
        "faults: [{at: 3.5s, crash: {service: api, replicas: 5, known: true, restart: 2s}}]\n";
    StoryRun run = story_run(yaml, NULL);
    uint32_t counts[5], home = 5;
    count_sent(&run, "api", 0, counts, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert(counts[i] == 0 || home == 5);
        home = counts[i] > 0 ? i : home;
    }
    ck_assert_uint_lt(home, 5);
    ck_assert_uint_eq(counts[home], 6); /* of 8 rounds two met nobody */
    story_free(&run);
}
END_TEST

START_TEST(users_of_a_replica_that_is_down_are_taken_in_by_others_and_come_back) {
    static const char yaml[] =
        "run: {duration: 200s}\n"
        "clients: {web: {target: api, arrivals: {closed: {users: 60, think: 1s}}}}\n"
        "services: {api: {replicas: 4, route: session, server: {pool: {concurrency: 100}}}}\n"
        "faults: [{at: 50.5s, for: 50s, crash: {service: api, replicas: 1, known: true}}]\n";
    StoryRun run = story_run(yaml, NULL);
    uint32_t from_100[4], from_50[4], all[4];
    count_sent(&run, "api", 0, all, 4);
    count_sent(&run, "api", 50.501, from_50, 4);
    count_sent(&run, "api", 100.501, from_100, 4);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t before = all[i] - from_50[i], during = from_50[i] - from_100[i];
        ck_assert_uint_gt(before, 0);
        ck_assert_uint_eq(before % 50, 0); /* one request a second of each of its users */
        ck_assert_uint_eq(from_100[i] / 99, before / 50);
        ck_assert(i == 0 ? during == 0 : during >= before);
    }
    story_free(&run);
}
END_TEST

static uint64_t fingerprint_with(const char *yaml, WorldOptions options) {
    Model *model = story_compile(yaml);
    World *world = world_create(model, &options);
    world_run(world);
    uint64_t fingerprint = world->fingerprint;
    world_destroy(world);
    model_destroy(model);
    return fingerprint;
}

/* So many wait that replicas run dozens of steps ahead of their events, and so few blocks that each
 * of these steps takes some from the cache. */
START_TEST(what_is_cached_does_not_depend_on_how_many_steps_an_event_takes) {
    static const char yaml[] =
        "run: {duration: 60s}\n"
        "clients: {web: {target: llm, arrivals: {sessions: {rate: 12/s, think: 1s}},\n"
        "  input_tokens: {lognormal: {mean: 300, p99: 900}}, output_tokens: 200,\n"
        "  shared_prefix: {tokens: 200, count: 5}}}\n"
        "services: {llm: {replicas: 3, route: {prefix_affinity: {threshold: 0.05}}, server:\n"
        "  {inference: {kv_blocks: 400, max_num_seqs: 8, step: {linear: {base: 5ms}}}}}}\n";
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t ours = fingerprint_with(yaml, (WorldOptions){.seed = seed});
        WorldOptions stepwise = {.seed = seed, .is_stepwise = true};
        WorldOptions unmeasured = {.seed = seed, .is_unmeasured = true};
        ck_assert(ours == fingerprint_with(yaml, stepwise));
        ck_assert(ours == fingerprint_with(yaml, unmeasured));
    }
}
END_TEST

TEST_SUITE("models/route_story", old_numbers_send_a_whole_burst_to_one_replica,
           very_old_numbers_are_worse_than_none,
           weights_are_kept_and_a_stand_by_serves_when_the_others_are_known_to_be_down,
           a_user_stays_with_a_replica_while_it_is_up_and_comes_back,
           users_of_a_replica_that_is_down_are_taken_in_by_others_and_come_back,
           what_is_cached_does_not_depend_on_how_many_steps_an_event_takes)
