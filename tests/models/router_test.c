/* Routers alone: whom they pick, and how often. */
#include "models/routers/router.h"

#include <gsl/gsl_cdf.h>
#include <string.h>

#include "models/registry.h"
#include "tests/test.h"

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
        RouterView view = {replicas, outstanding, replica_count, &rng};
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
    RouterView view = {all, outstanding, 4, NULL};
    for (uint32_t i = 0; i < 7; i++) {
        ck_assert_uint_eq(ops->pick(NULL, state, &view), i % 4);
    }
    view = (RouterView){fewer, outstanding, 2, NULL};
    ck_assert_uint_eq(ops->pick(NULL, state, &view), 0);
    ck_assert_uint_eq(ops->pick(NULL, state, &view), 3);
    ck_assert_uint_eq(ops->pick(NULL, state, &view), 0);
}
END_TEST

TEST_SUITE("models/router", random_picks_each_replica_as_often,
           least_requests_breaks_ties_at_random, power_of_two_picks_the_lesser_of_two_distinct_ones,
           routers_pick_among_the_replicas_they_are_shown,
           round_robin_goes_on_when_its_list_becomes_shorter)
