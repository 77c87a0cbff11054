#include "sim/ziggurat.h"

#include "tests/sim/judge.h"
#include "tests/test.h"

enum { DRAW_COUNT = 200000, TAIL_TRY_COUNT = 6000000, TAIL_MAX = 20000 };

static Rng rng_of(const char *purpose) {
    RngKey key = rng_key(31, 4, "ziggurat_test", purpose);
    Rng rng;
    rng_stream(&rng, &key);
    return rng;
}

static double curve_exponential(double x) {
    return exp(-x);
}

static double curve_normal(double x) {
    return exp(-0.5 * x * x);
}

/* All layers have one area, and the last ends at the top of the curve: that defines the table. */
static void check_table(const double *edge, double (*curve)(double), double tail) {
    double area = edge[1] * curve(edge[1]) + tail;
    ck_assert_double_eq_tol(edge[0] * curve(edge[1]) / area, 1, 1e-14);
    for (int i = 1; i < ZIGGURAT_LAYERS; i++) {
        ck_assert_double_lt(edge[i + 1], edge[i]);
        double layer = edge[i] * (curve(edge[i + 1]) - curve(edge[i]));
        ck_assert_double_eq_tol(layer / area, 1, 1e-12);
    }
    ck_assert(edge[ZIGGURAT_LAYERS] == 0);
}

START_TEST(the_layers_of_the_exponential_have_equal_areas) {
    check_table(ZIGGURAT_EXPONENTIAL, curve_exponential, exp(-ZIGGURAT_EXPONENTIAL[1]));
}
END_TEST

START_TEST(the_layers_of_the_normal_have_equal_areas) {
    double tail = sqrt(2 * M_PI) * gsl_cdf_ugaussian_Q(ZIGGURAT_NORMAL[1]);
    check_table(ZIGGURAT_NORMAL, curve_normal, tail);
}
END_TEST

static double cdf_exponential(double x, const double *params) {
    return gsl_cdf_exponential_P(x, params[0]);
}

static double cdf_normal(double x, const double *params) {
    return gsl_cdf_gaussian_P(x, params[0]);
}

START_TEST(exponentials_have_their_distribution) {
    static double sample[DRAW_COUNT];
    Rng rng = rng_of("exponential");
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sample[i] = ziggurat_exponential(&rng);
    }
    ck_assert_double_lt(judge_ks(sample, DRAW_COUNT, cdf_exponential, (double[]){1}),
                        JUDGE_KS_LIMIT);
    ck_assert_double_gt(judge_ks(sample, DRAW_COUNT, cdf_exponential, (double[]){1.025}),
                        JUDGE_KS_LIMIT);
}
END_TEST

START_TEST(normals_have_their_distribution) {
    static double sample[DRAW_COUNT];
    Rng rng = rng_of("normal");
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sample[i] = ziggurat_normal(&rng);
    }
    ck_assert_double_lt(judge_ks(sample, DRAW_COUNT, cdf_normal, (double[]){1}), JUDGE_KS_LIMIT);
    ck_assert_double_gt(judge_ks(sample, DRAW_COUNT, cdf_normal, (double[]){1.04}), JUDGE_KS_LIMIT);
}
END_TEST

/* Beyond the last layer another algorithm draws, too rarely for the tests above to see it. */
START_TEST(the_tail_of_the_exponential_has_its_weight_and_shape) {
    static double excess[TAIL_MAX];
    const double r = ZIGGURAT_EXPONENTIAL[1];
    Rng rng = rng_of("exponential tail");
    size_t count = 0;
    for (int i = 0; i < TAIL_TRY_COUNT && count < TAIL_MAX; i++) {
        double x = ziggurat_exponential(&rng);
        if (x > r) {
            excess[count++] = x - r;
        }
    }
    ck_assert(judge_share((double)count, TAIL_TRY_COUNT, exp(-r)));
    ck_assert_double_lt(judge_ks(excess, count, cdf_exponential, (double[]){1}), JUDGE_KS_LIMIT);
}
END_TEST

static double cdf_normal_tail(double x, const double *params) {
    return 1 - gsl_cdf_ugaussian_Q(x) / gsl_cdf_ugaussian_Q(params[0]);
}

START_TEST(the_tail_of_the_normal_has_its_weight_and_shape) {
    static double size[TAIL_MAX];
    const double r = ZIGGURAT_NORMAL[1];
    Rng rng = rng_of("normal tail");
    size_t count = 0;
    double positive_count = 0;
    for (int i = 0; i < TAIL_TRY_COUNT && count < TAIL_MAX; i++) {
        double x = ziggurat_normal(&rng);
        if (fabs(x) > r) {
            size[count++] = fabs(x);
            positive_count += x > 0;
        }
    }
    ck_assert(judge_share((double)count, TAIL_TRY_COUNT, 2 * gsl_cdf_ugaussian_Q(r)));
    ck_assert(judge_share(positive_count, (double)count, 0.5));
    ck_assert_double_lt(judge_ks(size, count, cdf_normal_tail, &r), JUDGE_KS_LIMIT);
}
END_TEST

/* Between the inner part of a layer and the curve a third algorithm draws, in 2 % of cases: the
 * share of draws in each layer's own strip [edge i+1, edge i] must be the curve's. */
static void check_strips(const double *edge, double (*draw)(Rng *), const double *mass, Rng *rng) {
    double found[ZIGGURAT_LAYERS] = {0};
    double expected[ZIGGURAT_LAYERS];
    for (int i = 0; i < TAIL_TRY_COUNT / 3; i++) {
        double x = fabs(draw(rng));
        size_t low = 0;
        size_t high = ZIGGURAT_LAYERS;
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            *(x < edge[middle] ? &low : &high) = middle;
        }
        found[low]++;
    }
    for (size_t i = 0; i < ZIGGURAT_LAYERS; i++) {
        expected[i] = mass[i] * (TAIL_TRY_COUNT / 3);
    }
    ck_assert(judge_counts(found, expected, ZIGGURAT_LAYERS));
}

static double draw_exponential(Rng *rng) {
    return ziggurat_exponential(rng);
}

static double draw_normal(Rng *rng) {
    return ziggurat_normal(rng);
}

START_TEST(every_strip_between_two_edges_has_its_weight) {
    double mass[ZIGGURAT_LAYERS];
    Rng rng = rng_of("strips");
    const double *edge = ZIGGURAT_EXPONENTIAL;
    for (size_t i = 0; i < ZIGGURAT_LAYERS; i++) {
        mass[i] = exp(-edge[i + 1]) - (i == 0 ? 0 : exp(-edge[i]));
    }
    check_strips(edge, draw_exponential, mass, &rng);
    edge = ZIGGURAT_NORMAL;
    for (size_t i = 0; i < ZIGGURAT_LAYERS; i++) {
        mass[i] =
            2 * (gsl_cdf_ugaussian_Q(edge[i + 1]) - (i == 0 ? 0 : gsl_cdf_ugaussian_Q(edge[i])));
    }
    check_strips(edge, draw_normal, mass, &rng);
}
END_TEST

START_TEST(bits_are_the_same_everywhere) {
    Rng rng = rng_of("bits");
    uint64_t digest = 0;
    for (int i = 0; i < DRAW_COUNT; i++) {
        digest = judge_digest(digest, ziggurat_exponential(&rng));
        digest = judge_digest(digest, ziggurat_normal(&rng));
    }
    ck_assert_msg(digest == UINT64_C(0x00aa147ea330af4b), "digest is now 0x%016llx",
                  (unsigned long long)digest);
}
END_TEST

TEST_SUITE("sim/ziggurat", the_layers_of_the_exponential_have_equal_areas,
           the_layers_of_the_normal_have_equal_areas, exponentials_have_their_distribution,
           normals_have_their_distribution, the_tail_of_the_exponential_has_its_weight_and_shape,
           the_tail_of_the_normal_has_its_weight_and_shape,
           every_strip_between_two_edges_has_its_weight, bits_are_the_same_everywhere)
