/* Levers: faults compose in any order and leave nothing behind. */
#include "models/levers.h"

#include <string.h>

#include "models/flow_parts.h"
#include "tests/models/story.h"

enum { FAULTS = 7 };

static const char scenario[] =
    "clients: {web: {target: a, arrivals: {poisson: {rate: 1/s}}, call: {timeout: 1s}}}\n"
    "services:\n"
    "  a: {work: 1ms, replicas: 3, server: {pool: {concurrency: 5}}, calls: [{to: b, timeout: "
    "1s}]}\n"
    "  b: {work: 1ms, replicas: 2, server: {pool: {concurrency: unlimited}}}\n"
    "faults:\n"
    "  - {at: 1s, slow: {service: a, x: 3}}\n"
    "  - {at: 1s, slow: {service: a, replicas: 2, x: 0.7}}\n"
    "  - {at: 1s, errors: {service: b, ratio: 30%}}\n"
    "  - {at: 1s, errors: {service: b, replicas: 1, ratio: 50%, after: 10ms}}\n"
    "  - {at: 1s, capacity: {service: a, replicas: 1, to: 2}}\n"
    "  - {at: 1s, crash: {service: a, replicas: 2, mode: blackhole, known: true}}\n"
    "  - {at: 1s, partition: {between: [a, b]}}\n";

/* What each replica must be when the faults in `on` are, by the words of the manual. */
static ReplicaLevers expected(uint32_t on, uint32_t replica) {
    bool is_a = replica < 3;
    ReplicaLevers levers = {.work_x = 1,
                            .error_after = SIM_TIME_NEVER,
                            .slots = is_a ? 5 : COUNT_UNLIMITED,
                            .is_up = true};
    levers.work_x *= is_a && (on & 1) ? 3 : 1;
    levers.work_x *= replica < 2 && (on & 2) ? 0.7 : 1;
    double succeeds = 1;
    succeeds *= !is_a && (on & 4) ? 0.7 : 1;
    succeeds *= replica == 3 && (on & 8) ? 0.5 : 1;
    levers.error_ratio = 1 - succeeds;
    levers.error_after = replica == 3 && (on & 8) ? 10000000 : SIM_TIME_NEVER;
    levers.slots = replica == 0 && (on & 16) ? 2 : levers.slots;
    levers.is_up = !(replica < 2 && (on & 32));
    levers.is_blackhole = levers.is_known_down = !levers.is_up;
    return levers;
}

static void check_levers(const World *world, uint32_t on) {
    for (uint32_t i = 0; i < 5; i++) {
        ReplicaLevers is = world->replicas[i].levers, must = expected(on, i);
        ck_assert_double_eq_tol(is.work_x, must.work_x, 1e-15);
        ck_assert_double_eq_tol(is.error_ratio, must.error_ratio, 1e-15);
        ck_assert_int_eq(is.error_after, must.error_after);
        ck_assert_uint_eq(is.slots, must.slots);
        ck_assert_int_eq(is.is_up, must.is_up);
        ck_assert_int_eq(is.is_blackhole, must.is_blackhole);
        ck_assert_int_eq(is.is_known_down, must.is_known_down);
    }
    ck_assert_uint_eq(world->services[0].routable_count, on & 32 ? 1 : 3);
    ck_assert_int_eq(world->edges[0].is_disturbed, false);
    ck_assert_int_eq(world->edges[1].is_disturbed, (on & 64) != 0);
}

START_TEST(whatever_is_on_the_levers_are_what_those_faults_make_them) {
    Model *model = story_compile(scenario);
    World *world = world_create(model, &(WorldOptions){0});
    ck_assert_uint_eq(model->fault_count, FAULTS);
    losses_start(world);
    check_levers(world, 0);
    /* A Gray code turns on or off one fault after the other and meets every set of them. */
    for (uint32_t step = 1; step < 1u << FAULTS; step++) {
        uint32_t on = step ^ step >> 1;
        for (uint32_t i = 0; i < FAULTS; i++) {
            world->faults[i].is_on = on >> i & 1;
        }
        levers_recompute(world);
        check_levers(world, on);
        world_check(world);
    }
    memset(world->faults, 0, FAULTS * sizeof *world->faults);
    levers_recompute(world);
    check_levers(world, 0);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

START_TEST(capacity_above_what_there_is_changes_nothing) {
    Model *model = story_compile("clients: {web: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
                                 "services: {a: {work: 1ms, server: {pool: {concurrency: 5}}}}\n"
                                 "faults: [{at: 1s, capacity: {service: a, to: 9}}]\n");
    World *world = world_create(model, &(WorldOptions){0});
    world->faults[0].is_on = true;
    levers_recompute(world);
    ck_assert_uint_eq(world->replicas[0].levers.slots, 5);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

TEST_SUITE("models/levers", whatever_is_on_the_levers_are_what_those_faults_make_them,
           capacity_above_what_there_is_changes_nothing)
