#include "sim/dist.h"

#include "tests/sim/dist_spec.h"
#include "tests/sim/judge.h"

enum { DRAW_COUNT = 200000 };

static const double PHASE_P[] = {0.07, 0.63, 0.3};
static const double PHASE_MEANS[] = {9.5, 0.41, 1.7};
static const double SAMPLE[] = {3.25, 0.5, 11.75, 0.5, 2.125, 7.0, 0};
enum { PHASE_COUNT = 3, SAMPLE_COUNT = 7 };

static Rng rng_of(const char *purpose) {
    RngKey key = rng_key(2024, 1, "dist_test", purpose);
    Rng rng;
    rng_stream(&rng, &key);
    return rng;
}

static DistSpec spec_phases(double scale, double means[PHASE_COUNT]) {
    DistSpec spec = spec_of("hyperexponential", NULL);
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        means[i] = scale * PHASE_MEANS[i];
    }
    spec_list(&spec, "p", PHASE_P, PHASE_COUNT);
    spec_list(&spec, "means", means, PHASE_COUNT);
    return spec;
}

static DistSpec spec_sample(double scale, double values[SAMPLE_COUNT]) {
    DistSpec spec = spec_of("empirical", NULL);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        values[i] = scale * SAMPLE[i];
    }
    spec_list(&spec, "values", values, SAMPLE_COUNT);
    return spec;
}

/* Every sampler and every way through it, with quantities times `scale`. The lists must outlive the
 * specs. */
enum { CASE_COUNT = 18 };
typedef struct Cases {
    DistSpec specs[CASE_COUNT];
    double means[PHASE_COUNT];
    double values[SAMPLE_COUNT];
} Cases;

static void cases_fill(Cases *cases, double scale) {
    DistSpec specs[CASE_COUNT] = {
        spec_of("constant", "value", 1.7 * scale, NULL),
        spec_of("uniform", "min", 0.3 * scale, "max", 1.9 * scale, NULL),
        spec_of("exponential", "mean", 0.7 * scale, NULL),
        spec_of("erlang", "k", 3.0, "mean", 2.1 * scale, NULL),
        spec_of("gamma", "mean", 1.3 * scale, "cv", 0.45, NULL),
        spec_of("gamma", "mean", 1.3 * scale, "cv", 1.8, NULL),
        spec_of("gamma", "mean", 1.3 * scale, "p99", 4.9 * scale, NULL),
        spec_of("lognormal", "mean", 1.1 * scale, "cv", 2.2, NULL),
        spec_of("lognormal", "p50", 1.1 * scale, "p99", 6.3 * scale, NULL),
        spec_of("lognormal", "mean", 1.1 * scale, "p99", 6.3 * scale, NULL),
        spec_of("weibull", "mean", 1.9 * scale, "shape", 1.6, NULL),
        spec_of("weibull", "mean", 1.9 * scale, "cv", 2.3, NULL),
        spec_of("pareto", "mean", 1.9 * scale, "shape", 4.5, NULL),
        spec_of("pareto", "min", 0.2 * scale, "shape", 0.8, NULL),
        spec_of("hyperexponential", "mean", 1.9 * scale, "cv", 2.7, NULL),
        spec_phases(scale, cases->means),
        spec_sample(scale, cases->values),
        spec_of("zipf", "count", 50.0, "s", 1.1, NULL),
    };
    memcpy(cases->specs, specs, sizeof specs);
}

/* Draws, compares with a CDF of GSL, and the mean of the draws with dist_mean, at +-4.892 standard
 * errors. Frees the law. */
static void check_law(const char *title, Dist dist, double (*cdf)(double, const double *),
                      const double *params) {
    static double sample[DRAW_COUNT];
    Rng rng = rng_of(title);
    double sum = 0;
    double sum_of_squares = 0;
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sample[i] = dist_draw(&dist, &rng);
        sum += sample[i];
        sum_of_squares += sample[i] * sample[i];
    }
    double mean = sum / DRAW_COUNT;
    double error = sqrt((sum_of_squares / DRAW_COUNT - mean * mean) / DRAW_COUNT);
    double distance = judge_ks(sample, DRAW_COUNT, cdf, params);
    ck_assert_msg(distance < JUDGE_KS_LIMIT, "%s: KS statistic %g", title, distance);
    ck_assert_msg(!isfinite(dist_mean(&dist)) || fabs(mean - dist_mean(&dist)) <= 4.892 * error,
                  "%s: mean %g, not %g +- %g", title, mean, dist_mean(&dist), error);
    dist_free(&dist);
}

static double cdf_uniform(double x, const double *p) {
    return gsl_cdf_flat_P(x, p[0], p[1]);
}

static double cdf_gamma(double x, const double *p) {
    return gsl_cdf_gamma_P(x, p[0], p[1]);
}

static double cdf_lognormal(double x, const double *p) {
    return x > 0 ? gsl_cdf_lognormal_P(x, p[0], p[1]) : 0;
}

static double cdf_weibull(double x, const double *p) {
    return gsl_cdf_weibull_P(x, p[0], p[1]);
}

static double cdf_pareto(double x, const double *p) {
    return gsl_cdf_pareto_P(x, p[0], p[1]);
}

static double cdf_phases(double x, const double *p) {
    (void)p;
    double sum = 0;
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        sum += PHASE_P[i] * gsl_cdf_exponential_P(x, PHASE_MEANS[i]);
    }
    return sum;
}

START_TEST(uniform_and_exponential_draws_have_their_distribution) {
    check_law("uniform", solved(spec_of("uniform", "min", 0.3, "max", 1.9, NULL)), cdf_uniform,
              (double[]){0.3, 1.9});
    check_law("exponential", solved(spec_of("exponential", "mean", 0.7, NULL)), cdf_gamma,
              (double[]){1, 0.7});
}
END_TEST

START_TEST(gamma_draws_have_their_distribution_above_and_below_a_shape_of_one) {
    check_law("erlang", solved(spec_of("erlang", "k", 3.0, "mean", 2.1, NULL)), cdf_gamma,
              (double[]){3, 0.7});
    check_law("erlang of one phase", solved(spec_of("erlang", "k", 1.0, "mean", 2.1, NULL)),
              cdf_gamma, (double[]){1, 2.1});
    check_law("gamma 0.45", solved(spec_of("gamma", "mean", 1.3, "cv", 0.45, NULL)), cdf_gamma,
              (double[]){1 / 0.2025, 1.3 * 0.2025});
    check_law("gamma 1.8", solved(spec_of("gamma", "mean", 1.3, "cv", 1.8, NULL)), cdf_gamma,
              (double[]){1 / 3.24, 1.3 * 3.24});
    check_law("gamma 0.01", solved(spec_of("gamma", "mean", 1.3, "cv", 0.01, NULL)), cdf_gamma,
              (double[]){1e4, 1.3e-4});
}
END_TEST

START_TEST(lognormal_weibull_and_pareto_draws_have_their_distribution) {
    check_law("lognormal", solved(spec_of("lognormal", "p50", 1.1, "sigma", 0.8, NULL)),
              cdf_lognormal, (double[]){log(1.1), 0.8});
    check_law("weibull 1.6", solved(spec_of("weibull", "mean", 1.9, "shape", 1.6, NULL)),
              cdf_weibull, (double[]){1.9 / tgamma(1 + 1 / 1.6), 1.6});
    check_law("weibull 0.7", solved(spec_of("weibull", "mean", 1.9, "shape", 0.7, NULL)),
              cdf_weibull, (double[]){1.9 / tgamma(1 + 1 / 0.7), 0.7});
    check_law("pareto by mean", solved(spec_of("pareto", "mean", 1.9, "shape", 4.5, NULL)),
              cdf_pareto, (double[]){4.5, 1.9 * 3.5 / 4.5});
    check_law("pareto by min", solved(spec_of("pareto", "min", 0.2, "shape", 0.8, NULL)),
              cdf_pareto, (double[]){0.8, 0.2});
}
END_TEST

START_TEST(hyperexponential_draws_have_their_distribution) {
    double means[PHASE_COUNT];
    check_law("three phases", solved(spec_phases(1, means)), cdf_phases, NULL);
}
END_TEST

START_TEST(the_judge_sees_a_law_that_is_one_percent_off) {
    static double sample[DRAW_COUNT];
    Dist dist = solved(spec_of("gamma", "mean", 1.3, "cv", 0.45, NULL));
    Rng rng = rng_of("off");
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sample[i] = dist_draw(&dist, &rng);
    }
    const double off[] = {1 / 0.2025, 1.01 * 1.3 * 0.2025};
    ck_assert_double_gt(judge_ks(sample, DRAW_COUNT, cdf_gamma, off), JUDGE_KS_LIMIT);
}
END_TEST

START_TEST(empirical_draws_are_values_of_the_sample_each_as_often) {
    double values[SAMPLE_COUNT];
    Dist dist = solved(spec_sample(1, values));
    double found[7] = {0};
    const double expected[] = {DRAW_COUNT / 7.0, 2 * DRAW_COUNT / 7.0, DRAW_COUNT / 7.0,
                               DRAW_COUNT / 7.0, DRAW_COUNT / 7.0,     DRAW_COUNT / 7.0};
    const double distinct[] = {0, 0.5, 2.125, 3.25, 7.0, 11.75};
    Rng rng = rng_of("empirical");
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        double x = dist_draw(&dist, &rng);
        size_t place = 0;
        while (place < 6 && distinct[place] != x) {
            place++;
        }
        found[place]++;
    }
    ck_assert(found[6] == 0);
    ck_assert(judge_counts(found, expected, 6));
    ck_assert_double_eq_tol(dist_mean(&dist), 25.125 / 7, 1e-15);
    dist_free(&dist);
}
END_TEST

START_TEST(the_order_of_an_empirical_sample_changes_no_draw) {
    double forward[] = {0.25, 1.5, 2.75, 9};
    double backward[] = {9, 2.75, 0.25, 1.5};
    DistSpec spec = spec_of("empirical", NULL);
    spec_list(&spec, "values", forward, 4);
    Dist a = solved(spec);
    spec_list(&spec, "values", backward, 4);
    Dist b = solved(spec);
    Rng rng = rng_of("order");
    for (int i = 0; i < 100; i++) {
        Rng same = rng;
        ck_assert(dist_draw(&a, &rng) == dist_draw(&b, &same));
    }
    dist_free(&a);
    dist_free(&b);
}
END_TEST

/* Chi-square of the ranks against k^-s, the rare ones from `pooled` on together. */
static void check_zipf(double count, double s, size_t pooled) {
    Dist dist = solved(spec_of("zipf", "count", count, "s", s, NULL));
    double found[64] = {0};
    double expected[64] = {0};
    double total = 0;
    double mean = 0;
    for (double k = count; k >= 1; k--) {
        total += pow(k, -s);
        mean += pow(k, 1 - s);
    }
    for (double k = 1; k <= count; k++) {
        expected[(size_t)fmin(k, (double)pooled) - 1] += DRAW_COUNT * pow(k, -s) / total;
    }
    Rng rng = rng_of("zipf");
    int bad_count = 0;
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        double rank = dist_draw(&dist, &rng);
        bad_count += !(rank >= 1 && rank <= count && rank == floor(rank));
        found[(size_t)fmin(rank, (double)pooled) - 1]++;
    }
    ck_assert_int_eq(bad_count, 0);
    ck_assert_msg(judge_counts(found, expected, pooled), "zipf %g %g", count, s);
    ck_assert_double_eq_tol(dist_mean(&dist) / (mean / total), 1, 1e-11);
}

START_TEST(zipf_ranks_have_their_weights_at_and_around_every_special_exponent) {
    check_zipf(2, 1, 2);
    check_zipf(10, 0, 10);
    check_zipf(50, 1, 50);
    check_zipf(50, 1 + 1e-9, 50);
    check_zipf(50, 0.4, 50);
    check_zipf(20, 3, 8);
    check_zipf(1e5, 0.9, 60);
    check_zipf(1e6, 2, 60);
}
END_TEST

START_TEST(an_uneven_zipf_law_beyond_any_table_keeps_its_mean) {
    Dist dist = solved(spec_of("zipf", "count", 1e9, "s", 0.5, NULL));
    Rng rng = rng_of("long zipf");
    double sum = 0;
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sum += dist_draw(&dist, &rng);
    }
    /* For s = 1/2 the mean is n / 3 and the standard deviation n sqrt(4 / 45), up to 1 / sqrt(n).
     */
    double error = 1e9 * sqrt(4.0 / 45 / DRAW_COUNT);
    ck_assert_double_eq_tol(dist_mean(&dist) / (1e9 / 3), 1, 1e-4);
    ck_assert_double_eq_tol(sum / DRAW_COUNT, dist_mean(&dist), 4.892 * error);
}
END_TEST

START_TEST(constants_draw_no_random_number) {
    Dist dist = dist_constant(2.385);
    Rng rng = rng_of("constant");
    Rng before = rng;
    ck_assert(dist_draw(&dist, &rng) == 2.385);
    ck_assert_mem_eq(&rng, &before, sizeof rng);
    ck_assert(dist_is_constant(&dist) && dist_mean(&dist) == 2.385);
    Dist other = dist_exponential(2.385);
    ck_assert(!dist_is_constant(&other) && dist_mean(&other) == 2.385);
}
END_TEST

START_TEST(a_keyed_draw_is_the_first_draw_of_the_keyed_state) {
    Cases cases;
    cases_fill(&cases, 1);
    RngKey key = rng_key(3, 0, "llm", "work");
    for (size_t i = 0; i < CASE_COUNT; i++) {
        Dist dist = solved(cases.specs[i]);
        for (uint64_t request = 0; request < 50; request++) {
            Rng rng;
            rng_keyed(&rng, &key, request, 2);
            ck_assert(dist_draw_keyed(&dist, &key, request, 2) == dist_draw(&dist, &rng));
        }
        dist_free(&dist);
    }
}
END_TEST

START_TEST(times_a_power_of_two_every_draw_scales_to_the_bit) {
    Cases plain;
    Cases scaled;
    cases_fill(&plain, 1);
    cases_fill(&scaled, 1024);
    for (size_t i = 0; i + 1 < CASE_COUNT; i++) {
        Dist small = solved(plain.specs[i]);
        Dist large = solved(scaled.specs[i]);
        Rng rng = rng_of("scale");
        Rng same = rng;
        int unlike_count = 0;
        for (int draw = 0; draw < 20000; draw++) {
            unlike_count += 1024 * dist_draw(&small, &rng) != dist_draw(&large, &same);
        }
        ck_assert_int_eq(unlike_count, 0);
        ck_assert(1024 * dist_mean(&small) == dist_mean(&large));
        dist_free(&small);
        dist_free(&large);
    }
}
END_TEST

/* Whatever is accepted: the largest spreads, and words that are all zeros or all ones. */
START_TEST(draws_are_finite_and_never_negative_at_every_limit) {
    const DistSpec specs[] = {
        spec_of("uniform", "min", 0.1, "max", 0.3, NULL),
        spec_of("exponential", "mean", 1e18, NULL),
        spec_of("erlang", "k", 1e6, "mean", 1e18, NULL),
        spec_of("gamma", "mean", 1e18, "cv", 100.0, NULL),
        spec_of("gamma", "mean", 1e18, "cv", 1e-6, NULL),
        spec_of("gamma", "mean", 1.0, "p99", 25.0, NULL),
        spec_of("lognormal", "p50", 1e18, "sigma", 10.0, NULL),
        spec_of("lognormal", "mean", 1e18, "cv", 1e6, NULL),
        spec_of("weibull", "mean", 1e18, "shape", 0.1, NULL),
        spec_of("weibull", "mean", 1e18, "cv", 100.0, NULL),
        spec_of("weibull", "mean", 1e18, "shape", 1000.0, NULL),
        spec_of("pareto", "min", 1e18, "shape", 0.1, NULL),
        spec_of("pareto", "mean", 1e18, "shape", 1000.0, NULL),
        spec_of("hyperexponential", "mean", 1e18, "cv", 1e4, NULL),
        spec_of("zipf", "count", 1e9, "s", 0.0, NULL),
        spec_of("zipf", "count", 1e9, "s", 100.0, NULL),
    };
    const Rng starts[] = {{{0, 1, 1, 0}}, {{UINT64_MAX, 1, 1, 1}}, rng_of("limits")};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        Dist dist = solved(specs[i]);
        double low = INFINITY;
        double high = -INFINITY;
        int nan_count = 0;
        for (size_t start = 0; start < 3; start++) {
            Rng rng = starts[start];
            for (int draw = 0; draw < 20000; draw++) {
                double x = dist_draw(&dist, &rng);
                low = fmin(low, x);
                high = fmax(high, x);
                nan_count += isnan(x);
            }
        }
        ck_assert_msg(low >= 0 && isfinite(high) && nan_count == 0, "row %zu: %g to %g", i, low,
                      high);
        ck_assert(i != 0 || (low >= 0.1 && high <= 0.3));
        dist_free(&dist);
    }
}
END_TEST

/* Holds compilers, levels of optimisation and processors together: first draws and a digest. */
START_TEST(bits_are_the_same_everywhere) {
    static const struct {
        double first;
        uint64_t digest;
    } golden[CASE_COUNT] = {
        {0x1.b333333333333p+0, UINT64_C(0x7f2f10e3f88fb0d4)},
        {0x1.6dc36f2fc04cdp+0, UINT64_C(0x1f80154ab576c4c1)},
        {0x1.265fa56f145b5p-1, UINT64_C(0xa481649ebcf3fa38)},
        {0x1.0904c20860f78p+0, UINT64_C(0xc944e5f2d033d5a8)},
        {0x1.90a4ed5adca0cp-1, UINT64_C(0xc207791751278ef3)},
        {0x1.72b273cd10497p-1, UINT64_C(0x515ed8b2f5dca084)},
        {0x1.960ebf3518f2bp-2, UINT64_C(0x8ed368db9e9ece64)},
        {0x1.23ecb68b678e3p-3, UINT64_C(0x9192e2006e7b4b42)},
        {0x1.24590e85f722ep-1, UINT64_C(0x8c7c84afd3a6d9db)},
        {0x1.3e51841e8d1fep-2, UINT64_C(0x142cb2cf3f693ed8)},
        {0x1.dfb8adf030531p+0, UINT64_C(0x4c80184cea682d77)},
        {0x1.39871fe0e47ebp-1, UINT64_C(0x7b2cd1c6309388ec)},
        {0x1.c6109fe56c063p+0, UINT64_C(0x0b5764161d83bba6)},
        {0x1.1de1e2a76d459p-1, UINT64_C(0x6a7d87a4bab4a127)},
        {0x1.b579f3348e3acp-2, UINT64_C(0x24ff0f9050705d71)},
        {0x1.6e30e35f6ad8fp-1, UINT64_C(0x06e2a1432bd36441)},
        {0x1.ap+1, UINT64_C(0x30235977adc22f1a)},
        {0x1.6p+3, UINT64_C(0xa3ba7dd7356a2cca)},
    };
    Cases cases;
    cases_fill(&cases, 1);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        Dist dist = solved(cases.specs[i]);
        Rng rng = rng_of("bits");
        double first = dist_draw(&dist, &rng);
        uint64_t digest = judge_digest(0, dist_mean(&dist));
        for (int draw = 0; draw < 20000; draw++) {
            digest = judge_digest(digest, dist_draw(&dist, &rng));
        }
        dist_free(&dist);
        ck_assert_msg(first == golden[i].first && digest == golden[i].digest,
                      "case %zu is now {%a, UINT64_C(0x%016llx)}", i, first,
                      (unsigned long long)digest);
    }
}
END_TEST

TEST_SUITE("sim/dist", uniform_and_exponential_draws_have_their_distribution,
           gamma_draws_have_their_distribution_above_and_below_a_shape_of_one,
           lognormal_weibull_and_pareto_draws_have_their_distribution,
           hyperexponential_draws_have_their_distribution,
           the_judge_sees_a_law_that_is_one_percent_off,
           empirical_draws_are_values_of_the_sample_each_as_often,
           the_order_of_an_empirical_sample_changes_no_draw,
           zipf_ranks_have_their_weights_at_and_around_every_special_exponent,
           an_uneven_zipf_law_beyond_any_table_keeps_its_mean, constants_draw_no_random_number,
           a_keyed_draw_is_the_first_draw_of_the_keyed_state,
           times_a_power_of_two_every_draw_scales_to_the_bit,
           draws_are_finite_and_never_negative_at_every_limit, bits_are_the_same_everywhere)
