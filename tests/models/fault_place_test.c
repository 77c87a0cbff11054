/* Which replicas a fault befalls: the first ones, some in the middle, a share drawn at random, or
 * each by itself. */
#include <stdio.h>
#include <string.h>

#include "models/flow_parts.h"
#include "tests/models/story.h"

static uint32_t down_count(const World *world) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->model->replica_count; i++) {
        count += !world->replicas[i].levers.is_up;
    }
    return count;
}

#define FLEET(faults)                                                                              \
    "run: {duration: 100s}\n"                                                                      \
    "clients: {web: {target: api, arrivals: {constant: {rate: 1/min}}}}\n"                         \
    "services: {api: {work: 1ms, replicas: 10}}\n"                                                 \
    "faults: [" faults "]\n"

START_TEST(a_fault_may_befall_one_in_the_middle) {
    StoryRun run = story_run(FLEET("{at: 1s, crash: {service: api, first: 3, replicas: 1}}"), NULL);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_int_eq(run.world->replicas[i].levers.is_up, i != 3);
    }
    story_free(&run);
    run = story_run(FLEET("{at: 1s, crash: {service: api, first: 7}}"), NULL);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_int_eq(run.world->replicas[i].levers.is_up, i < 7);
    }
    story_free(&run);
}
END_TEST

START_TEST(a_share_is_so_many_replicas_and_one_at_least) {
    static const struct {
        const char *share;
        uint32_t count;
    } cases[] = {{"30%", 3}, {"34%", 3}, {"36%", 4}, {"100%", 10}, {"1%", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[400];
        snprintf(yaml, sizeof yaml, FLEET("{at: 1s, crash: {service: api, share: %s}}"),
                 cases[i].share);
        StoryRun run = story_run(yaml, NULL);
        ck_assert_uint_eq(down_count(run.world), cases[i].count);
        story_free(&run);
    }
}
END_TEST

/* Turned on 4000 times each replica is hit 1200 times on average, with a deviation of 29: 5 of them
 * are passed once in 10^6 tries. Pairs are hit 267 times, with a deviation of 16. */
START_TEST(a_share_is_drawn_anew_each_time_and_each_replica_is_as_likely) {
    enum { TIMES = 4000, REPLICAS = 10 };
    Model *model = story_compile(FLEET("{at: 1s, slow: {service: api, share: 30%, x: 2}}"));
    World *world = world_create(model, &(WorldOptions){.seed = 1});
    uint32_t hits[REPLICAS] = {0}, pairs = 0;
    world->faults[0].is_on = true;
    for (uint32_t t = 0; t < TIMES; t++) {
        world->faults[0].begun_count = t;
        levers_recompute(world);
        ReplicaLevers before[REPLICAS];
        for (uint32_t i = 0; i < REPLICAS; i++) {
            before[i] = world->replicas[i].levers;
            hits[i] += before[i].work_x == 2;
        }
        pairs += before[2].work_x == 2 && before[7].work_x == 2;
        levers_recompute(world);
        for (uint32_t i = 0; i < REPLICAS; i++) {
            ck_assert(world->replicas[i].levers.work_x == before[i].work_x);
        }
    }
    for (uint32_t i = 0; i < REPLICAS; i++) {
        ck_assert_uint_ge(hits[i], 1200 - 5 * 29);
        ck_assert_uint_le(hits[i], 1200 + 5 * 29);
    }
    ck_assert_uint_ge(pairs, 267 - 5 * 16);
    ck_assert_uint_le(pairs, 267 + 5 * 16);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* An alternating renewal process is up for MTBF / (MTBF + MTTR) of the time: 40 / 50. Ten replicas
 * over 100000 s have 20000 cycles in all; the deviation of the share is 0.8 x 0.2 x sqrt(2 / 20000)
 * = 0.0016, of the number of outages sqrt(20000 x (40^2 + 10^2) / 50^2) = 117. */
START_TEST(each_replica_is_up_for_its_mtbf_and_down_for_its_mttr) {
    StoryRun run =
        story_run("run: {duration: 100000s, sample_every: 1000s}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 1/min}}}}\n"
                  "services: {api: {work: 1ms, replicas: 10}, other: {replicas: 10}}\n"
                  "faults: [{mtbf: 40s, mttr: 10s, each: replica, crash: {service: api}},\n"
                  "  {mtbf: 40s, mttr: 10s, crash: {service: other}}]\n",
                  NULL);
    ck_assert_double_eq_tol(story_measure(&run, "api", METRIC_availability), 0.8, 5 * 0.0016);
    ck_assert_double_eq_tol(story_measure(&run, "api", METRIC_outages), 20000, 5 * 117);
    /* Independently: the share of time at which all are down is 0.2^10; in step it is 0.2. */
    ck_assert_double_eq_tol(story_measure(&run, "other", METRIC_availability), 0.8, 5 * 0.005);
    ck_assert_uint_eq(run.model->fault_count, 11);
    ck_assert_str_eq(run.model->faults[3].label, "crash api[3]");
    ck_assert(!run.model->has_trigger);
    ck_assert_ptr_nonnull(strstr(run.text, "fault begins: crash api[9]"));
    story_free(&run);
}
END_TEST

START_TEST(all_replicas_are_down_at_once_only_when_one_fault_is_all_of_theirs) {
    StoryRun run =
        story_run("run: {duration: 10000s, sample_every: 1000s}\n"
                  "clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}},\n"
                  "  app: {target: other, arrivals: {poisson: {rate: 1/s}}}}\n"
                  "services: {api: {work: 1ms, replicas: 8}, other: {work: 1ms, replicas: 8}}\n"
                  "faults: [{mtbf: 40s, mttr: 10s, each: replica, crash: {service: api, known: "
                  "true}},\n"
                  "  {mtbf: 40s, mttr: 10s, crash: {service: other, known: true}}]\n",
                  NULL);
    ck_assert_double_ge(story_measure(&run, "web", METRIC_success), 0.999);
    ck_assert_double_le(story_measure(&run, "app", METRIC_success), 0.9);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/fault_place", a_fault_may_befall_one_in_the_middle,
           a_share_is_so_many_replicas_and_one_at_least,
           a_share_is_drawn_anew_each_time_and_each_replica_is_as_likely,
           each_replica_is_up_for_its_mtbf_and_down_for_its_mttr,
           all_replicas_are_down_at_once_only_when_one_fault_is_all_of_theirs)
