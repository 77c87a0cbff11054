/* Routers alone: whom they pick, and how often. */
#include "models/routers/router.h"

#include <gsl/gsl_cdf.h>
#include <string.h>

#include "experiments/schema_read.h"
#include "models/registry.h"
#include "tests/experiments/compile_test.h"

enum { PICKS = 60000, REPLICAS_MAX = 8 };

/* How often each of `replicas` is picked; replica k of the World has `outstanding[k]`. */
static void pick_many(const char *kind, const uint32_t *replicas, uint32_t replica_count,
                      const uint32_t *outstanding, double counts[REPLICAS_MAX]) {
    const Kind *route = registry_find(FAMILY_ROUTE, kind);
    ck_assert_ptr_nonnull(route);
    const RouterOps *ops = route->ops;
    RngKey key = rng_key(1, 0, kind, "test");
    memset(counts, 0, REPLICAS_MAX * sizeof *counts);
    for (uint64_t i = 0; i < PICKS; i++) {
        Rng rng;
        rng_keyed(&rng, &key, i, 0);
        RouterView view = {.replicas = replicas,
                           .outstanding = outstanding,
                           .replica_count = replica_count,
                           .rng = &rng};
        counts[ops->pick(NULL, NULL, &view)]++;
    }
}

/* Pearson's test at 1e-6; what should never happen must not. */
static void shares_are(const double *counts, const double *shares, uint32_t count) {
    double sum = 0, freedom = -1;
    for (uint32_t i = 0; i < count; i++) {
        double expected = shares[i] * PICKS;
        if (expected == 0) {
            ck_assert_double_eq(counts[i], 0);
            continue;
        }
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
        freedom++;
    }
    ck_assert_msg(freedom <= 0 || gsl_cdf_chisq_Q(sum, freedom) > 1e-6, "chi square %.1f", sum);
}

static const uint32_t all[] = {0, 1, 2, 3, 4};

START_TEST(random_picks_each_replica_as_often) {
    static const uint32_t outstanding[] = {9, 0, 3, 1, 0};
    double counts[REPLICAS_MAX];
    pick_many("random", all, 5, outstanding, counts);
    shares_are(counts, (const double[]){0.2, 0.2, 0.2, 0.2, 0.2}, 5);
}
END_TEST

START_TEST(least_requests_breaks_ties_at_random) {
    static const uint32_t outstanding[] = {2, 1, 3, 1, 1};
    double counts[REPLICAS_MAX];
    pick_many("least_requests", all, 5, outstanding, counts);
    shares_are(counts, (const double[]){0, 1 / 3.0, 0, 1 / 3.0, 1 / 3.0}, 5);
}
END_TEST

START_TEST(power_of_two_picks_the_lesser_of_two_distinct_ones) {
    /* Of the 10 pairs, the one of rank r (0 is the least) wins 4 - r. */
    static const uint32_t outstanding[] = {7, 2, 9, 4, 0};
    double counts[REPLICAS_MAX];
    pick_many("power_of_two", all, 5, outstanding, counts);
    shares_are(counts, (const double[]){0.1, 0.3, 0, 0.2, 0.4}, 5);
    static const uint32_t tied[] = {3, 3, 3, 3, 3};
    pick_many("power_of_two", all, 5, tied, counts);
    shares_are(counts, (const double[]){0.2, 0.2, 0.2, 0.2, 0.2}, 5);
}
END_TEST

START_TEST(routers_pick_among_the_replicas_they_are_shown) {
    static const uint32_t some[] = {1, 4}, outstanding[] = {0, 5, 0, 0, 5};
    double counts[REPLICAS_MAX];
    pick_many("least_requests", some, 2, outstanding, counts);
    shares_are(counts, (const double[]){0, 0.5, 0, 0, 0.5}, 5);
    pick_many("power_of_two", some, 2, outstanding, counts);
    shares_are(counts, (const double[]){0, 0.5, 0, 0, 0.5}, 5);
    pick_many("random", some, 2, outstanding, counts);
    shares_are(counts, (const double[]){0, 0.5, 0, 0, 0.5}, 5);
}
END_TEST

START_TEST(round_robin_goes_on_when_its_list_becomes_shorter) {
    const Kind *route = registry_find(FAMILY_ROUTE, "round_robin");
    const RouterOps *ops = route->ops;
    uint64_t state[4] = {0};
    ck_assert_uint_le(route->state_size, sizeof state);
    static const uint32_t outstanding[5] = {0}, fewer[] = {0, 3};
    RouterView view = {.replicas = all, .outstanding = outstanding, .replica_count = 4};
    for (uint32_t i = 0; i < 7; i++) {
        ck_assert_uint_eq(ops->pick(NULL, state, &view), i % 4);
    }
    view = (RouterView){.replicas = fewer, .outstanding = outstanding, .replica_count = 2};
    ck_assert_uint_eq(ops->pick(NULL, state, &view), 0);
    ck_assert_uint_eq(ops->pick(NULL, state, &view), 3);
    ck_assert_uint_eq(ops->pick(NULL, state, &view), 0);
}
END_TEST

/* ---- Routers that ask */

/* What a World would answer; replica k of the World is k - FIRST of the service. */
enum { FIRST = 3 };

typedef struct Scene {
    RouterLoad loads[REPLICAS_MAX];
    uint32_t outstanding[FIRST + REPLICAS_MAX];
    uint32_t cached_tokens[REPLICAS_MAX];
    uint32_t prompt_tokens;
    uint64_t affinity;
} Scene;

static RouterLoad scene_load(const RouterView *view, uint32_t replica) {
    return ((const Scene *)view->world)->loads[replica - FIRST];
}

static uint64_t scene_affinity(const RouterView *view) {
    return ((const Scene *)view->world)->affinity;
}

static uint32_t scene_prompt_tokens(const RouterView *view) {
    return ((const Scene *)view->world)->prompt_tokens;
}

static uint32_t scene_cached_tokens(const RouterView *view, uint32_t replica) {
    return ((const Scene *)view->world)->cached_tokens[replica - FIRST];
}

static const RouterAnswers scene_answers = {scene_load, scene_affinity, scene_prompt_tokens,
                                            scene_cached_tokens};
static const uint32_t after_first[] = {FIRST, FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4};

/* A view of the first `count` replicas of a service with five. */
static RouterView scene_view(const Scene *scene, uint32_t count, Rng *rng, SimTime now) {
    return (RouterView){.replicas = after_first,
                        .outstanding = scene->outstanding,
                        .replica_count = count,
                        .rng = rng,
                        .first = FIRST,
                        .all_count = 5,
                        .now = now,
                        .answers = &scene_answers,
                        .world = (void *)(uintptr_t)scene};
}

typedef struct Chosen {
    Compiled base;
    Component route;
    uint64_t state[16]; /* the router's */
} Chosen;

/* The router that `text` names, as a scenario would have it. */
static Chosen choose(const char *text) {
    Chosen chosen = {.base = compiled(base_scenario, NULL)};
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    ck_assert(doc_load_text(&doc, "route.yaml", text, strlen(text), &diagnostics));
    SchemaReader reader = {&doc, &diagnostics, chosen.base.model, NULL};
    schema_read_kind(&reader, FAMILY_ROUTE, doc.root, &chosen.route);
    ck_assert_uint_eq(diag_count(&diagnostics), 0);
    const RouterOps *ops = chosen.route.kind->ops;
    ck_assert_uint_le(chosen.route.kind->state_size + 5 * ops->state_size_per_replica,
                      sizeof chosen.state);
    doc_free(&doc);
    diag_free(&diagnostics);
    return chosen;
}

/* The router's pick, as the place within the service. */
static uint32_t pick(Chosen *chosen, const RouterView *view) {
    const RouterOps *ops = chosen->route.kind->ops;
    void *state = chosen->route.kind->state_size > 0 ? chosen->state : NULL;
    return ops->pick(chosen->route.params, state, view) - FIRST;
}

static void pick_in_scene(const char *text, const Scene *scene, uint32_t replica_count,
                          double counts[REPLICAS_MAX]) {
    Chosen chosen = choose(text);
    RngKey key = rng_key(1, 0, text, "test");
    memset(counts, 0, REPLICAS_MAX * sizeof *counts);
    for (uint64_t i = 0; i < PICKS; i++) {
        Rng rng;
        rng_keyed(&rng, &key, i, 0);
        RouterView view = scene_view(scene, replica_count, &rng, 0);
        counts[pick(&chosen, &view)]++;
    }
    compiled_free(&chosen.base);
}

START_TEST(least_loaded_weighs_one_that_waits_as_four_that_run) {
    /* 4 x waiting + running: 9, 8, 8, 9, 8; what the router itself has out does not count. */
    static const Scene scene = {.loads = {{0, 9}, {2, 0}, {1, 4}, {2, 1}, {0, 8}},
                                .outstanding = {0, 0, 0, 1, 9, 9, 1, 9}};
    double counts[REPLICAS_MAX];
    pick_in_scene("least_loaded", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 1 / 3.0, 1 / 3.0, 0, 1 / 3.0}, 5);
    pick_in_scene("least_loaded", &scene, 2, counts);
    shares_are(counts, (const double[]){0, 1}, 2);
}
END_TEST

START_TEST(old_numbers_are_kept_until_they_have_their_age) {
    Chosen chosen = choose("{least_loaded: {metrics_age: 50ms}}");
    Scene scene = {.loads = {{0, 9}, {0, 1}, {0, 3}, {0, 5}, {0, 7}}};
    SimTime ms = SIM_TIME_S / 1000;
    static const struct {
        SimTime at_ms;
        uint32_t picked; /* … after which that one has a hundred waiting */
    } steps[] = {{7, 1}, {7, 1}, {56, 1}, {57, 2}, {106, 2}, {107, 3}, {900, 4}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        RouterView view = scene_view(&scene, 5, NULL, steps[i].at_ms * ms);
        ck_assert_uint_eq(pick(&chosen, &view), steps[i].picked);
        scene.loads[steps[i].picked].waiting = 100;
    }
    compiled_free(&chosen.base);
}
END_TEST

START_TEST(what_was_sent_since_counts_as_waiting_if_it_is_to) {
    Chosen chosen = choose("{least_loaded: {metrics_age: 50ms, counts_own: true}}");
    const Scene scene = {.loads = {{0, 99}, {0, 1}, {0, 3}, {0, 6}, {0, 12}}};
    static const uint32_t picked[] = {1, 2, 1, 3, 2};
    for (size_t i = 0; i < sizeof picked / sizeof picked[0]; i++) {
        RouterView view = scene_view(&scene, 5, NULL, 7);
        ck_assert_uint_eq(pick(&chosen, &view), picked[i]);
    }
    RouterView later = scene_view(&scene, 5, NULL, SIM_TIME_S);
    ck_assert_uint_eq(pick(&chosen, &later), 1);
    compiled_free(&chosen.base);
}
END_TEST

START_TEST(weighted_picks_in_proportion_among_those_that_are_up) {
    static const Scene scene = {.prompt_tokens = 0};
    double counts[REPLICAS_MAX];
    const char *text = "{weighted: {weights: [3, 0, 0.5, 1.5, 5]}}";
    pick_in_scene(text, &scene, 5, counts);
    shares_are(counts, (const double[]){0.3, 0, 0.05, 0.15, 0.5}, 5);
    pick_in_scene(text, &scene, 3, counts);
    shares_are(counts, (const double[]){3 / 3.5, 0, 0.5 / 3.5}, 3);
    pick_in_scene("{weighted: {weights: [0, 0, 0, 1, 1]}}", &scene, 3, counts);
    shares_are(counts, (const double[]){1 / 3.0, 1 / 3.0, 1 / 3.0}, 3);
}
END_TEST

/* Sessions go in equal shares, and of those whose replica leaves, equal shares to all others, while
 * the rest stay where they were. */
START_TEST(session_moves_only_those_whose_replica_left) {
    Chosen chosen = choose("session");
    double counts[REPLICAS_MAX] = {0}, moved[REPLICAS_MAX] = {0};
    static const uint32_t without_two[] = {FIRST, FIRST + 1, FIRST + 3, FIRST + 4};
    for (uint64_t i = 0; i < PICKS; i++) {
        Scene scene = {.affinity = UINT64_C(0x51ed270b7a3c) + i};
        RouterView view = scene_view(&scene, 5, NULL, 0);
        uint32_t home = pick(&chosen, &view);
        ck_assert_uint_eq(pick(&chosen, &view), home);
        counts[home]++;
        view.replicas = without_two;
        view.replica_count = 4;
        uint32_t refuge = pick(&chosen, &view);
        ck_assert(home == 2 || refuge == home);
        moved[refuge] += home == 2 ? 5 : 0; /* a fifth of all */
    }
    shares_are(counts, (const double[]){0.2, 0.2, 0.2, 0.2, 0.2}, 5);
    for (uint32_t i = 0; i < 5; i++) { /* 12,000 moved, weighed back to what the test expects */
        moved[i] = moved[i] / 5 * PICKS / counts[2];
    }
    shares_are(moved, (const double[]){0.25, 0.25, 0, 0.25, 0.25}, 5);
    compiled_free(&chosen.base);
}
END_TEST

START_TEST(prefix_affinity_goes_where_most_is_cached_if_it_is_enough) {
    double counts[REPLICAS_MAX];
    Scene scene = {.outstanding = {0, 0, 0, 9, 2, 7, 8, 2},
                   .cached_tokens = {0, 16, 301, 300, 0},
                   .prompt_tokens = 1000};
    pick_in_scene("prefix_affinity", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 0, 1, 0, 0}, 5);
    scene.cached_tokens[2] = 300; /* just the threshold is too little: the least loaded */
    pick_in_scene("prefix_affinity", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 0.5, 0, 0, 0.5}, 5);
    pick_in_scene("{prefix_affinity: {threshold: 0.2}}", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 0, 1, 0, 0}, 5); /* as much: the less loaded */
    scene.cached_tokens[1] = scene.cached_tokens[4] = 500;  /* as much at two: either */
    pick_in_scene("prefix_affinity", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 0.5, 0, 0, 0.5}, 5);
    scene = (Scene){.outstanding = {0, 0, 0, 9, 2, 7, 8, 2}};
    pick_in_scene("prefix_affinity", &scene, 5, counts); /* no prompt: nothing is cached of it */
    shares_are(counts, (const double[]){0, 0.5, 0, 0, 0.5}, 5);
}
END_TEST

START_TEST(prefix_affinity_looks_at_the_load_when_it_is_out_of_balance) {
    double counts[REPLICAS_MAX];
    Scene scene = {.outstanding = {0, 0, 0, 164, 110, 100, 120, 130},
                   .cached_tokens = {900, 0, 0, 0, 0},
                   .prompt_tokens = 1000};
    pick_in_scene("prefix_affinity", &scene, 5, counts); /* 64 more, 1.64 times as many */
    shares_are(counts, (const double[]){1, 0, 0, 0, 0}, 5);
    scene.outstanding[FIRST] = 165;
    pick_in_scene("prefix_affinity", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 0, 1, 0, 0}, 5);
    pick_in_scene("{prefix_affinity: {balance_rel: 1.65}}", &scene, 5, counts);
    shares_are(counts, (const double[]){1, 0, 0, 0, 0}, 5);
    pick_in_scene("{prefix_affinity: {balance_abs: 0, balance_rel: 1}}", &scene, 5, counts);
    shares_are(counts, (const double[]){0, 0, 1, 0, 0}, 5);
}
END_TEST

START_TEST(prefix_affinity_sees_old_loads_but_what_is_cached_now) {
    Chosen chosen = choose("{prefix_affinity: {balance_abs: 5, metrics_age: 1s}}");
    Scene scene = {.outstanding = {0, 0, 0, 9, 9, 0, 9, 9}, .prompt_tokens = 100};
    RngKey key = rng_key(1, 0, "old loads", "test");
    Rng rng;
    rng_stream(&rng, &key);
    RouterView view = scene_view(&scene, 5, &rng, 0);
    ck_assert_uint_eq(pick(&chosen, &view), 2);
    scene.outstanding[FIRST + 2] = 500; /* seen as 0 */
    ck_assert_uint_eq(pick(&chosen, &view), 2);
    scene.outstanding[FIRST + 1] = 8;
    scene.outstanding[FIRST + 2] = 9;
    scene.cached_tokens[4] = 80;
    view.now = SIM_TIME_S - 1;
    ck_assert_uint_eq(pick(&chosen, &view), 2);
    view.now = SIM_TIME_S;
    ck_assert_uint_eq(pick(&chosen, &view), 4);
    scene.cached_tokens[4] = 0;
    ck_assert_uint_eq(pick(&chosen, &view), 1);
    compiled_free(&chosen.base);
}
END_TEST

TEST_SUITE("models/router", random_picks_each_replica_as_often,
           least_requests_breaks_ties_at_random, power_of_two_picks_the_lesser_of_two_distinct_ones,
           routers_pick_among_the_replicas_they_are_shown,
           round_robin_goes_on_when_its_list_becomes_shorter,
           least_loaded_weighs_one_that_waits_as_four_that_run,
           old_numbers_are_kept_until_they_have_their_age,
           what_was_sent_since_counts_as_waiting_if_it_is_to,
           weighted_picks_in_proportion_among_those_that_are_up,
           session_moves_only_those_whose_replica_left,
           prefix_affinity_goes_where_most_is_cached_if_it_is_enough,
           prefix_affinity_looks_at_the_load_when_it_is_out_of_balance,
           prefix_affinity_sees_old_loads_but_what_is_cached_now)
