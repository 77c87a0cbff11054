#include "tests/sim/dist_spec.h"
#include "tests/sim/judge.h"

#include <gsl/gsl_sf_gamma.h>

enum { DRAW_COUNT = 200000 };

/* What a law must meet; NAN where it was not asked. */
typedef struct Wanted {
    DistSpec spec;
    double mean, cv, p50, p99;
} Wanted;

static double gamma_shape(const Dist *dist) {
    return dist->u.gamma.boost > 0 ? 1 / dist->u.gamma.boost : dist->u.gamma.d + 1.0 / 3;
}

/* The quantile of a compiled law, by GSL. */
static double quantile(const Dist *dist, double p) {
    switch (dist->sampler) {
    case DIST_CONSTANT:
        return dist->scale;
    case DIST_EXPONENTIAL:
        return gsl_cdf_exponential_Pinv(p, dist->scale);
    case DIST_GAMMA:
        return gsl_cdf_gamma_Pinv(p, gamma_shape(dist), dist->scale);
    case DIST_LOGNORMAL:
        return gsl_cdf_lognormal_Pinv(p, log(dist->scale), dist->u.lognormal.sigma);
    default:
        ck_abort_msg("no quantile is asked of sampler %d", (int)dist->sampler);
        return 0;
    }
}

/* Mean and cv of a compiled law from its compiled parameters, not from dist_mean. */
static void moments(const Dist *dist, double *mean, double *cv) {
    double a = dist->u.power.inverse_shape;
    double square = dist->u.lognormal.sigma * dist->u.lognormal.sigma;
    double lower = dist->count == 2 ? dist->table[0] : 0;
    double second = 0;
    switch (dist->sampler) {
    case DIST_CONSTANT:
        *mean = dist->scale;
        *cv = 0;
        return;
    case DIST_EXPONENTIAL:
        *mean = dist->scale;
        *cv = 1;
        return;
    case DIST_UNIFORM:
        *mean = dist->u.uniform.min + 0.5 * dist->u.uniform.span;
        *cv = dist->u.uniform.span / sqrt(12) / *mean;
        return;
    case DIST_GAMMA:
        *mean = gamma_shape(dist) * dist->scale;
        *cv = 1 / sqrt(gamma_shape(dist));
        return;
    case DIST_LOGNORMAL:
        *mean = dist->scale * exp(0.5 * square);
        *cv = sqrt(expm1(square));
        return;
    case DIST_WEIBULL:
        *mean = dist->scale * tgamma(1 + a);
        *cv = sqrt(expm1(gsl_sf_lngamma(1 + 2 * a) - 2 * gsl_sf_lngamma(1 + a)));
        return;
    case DIST_PARETO:
        *mean = dist->scale / (1 - a);
        *cv = sqrt(a * a / (1 - 2 * a));
        return;
    case DIST_HYPEREXPONENTIAL:
        *mean = lower * dist->table[1] + (1 - lower) * dist->table[3];
        second = 2 * (lower * dist->table[1] * dist->table[1] +
                      (1 - lower) * dist->table[3] * dist->table[3]);
        *cv = sqrt(second / (*mean * *mean) - 1);
        return;
    default:
        ck_abort_msg("no moments are asked of sampler %d", (int)dist->sampler);
    }
}

static bool meets(double found, double wanted) {
    return isnan(wanted) || fabs(found - wanted) <= 1e-7 * fabs(wanted);
}

/* The law meets what was asked: by GSL's quantiles, and by the share of draws below them. */
static void check_wanted(const Wanted *wanted) {
    Dist dist = solved(wanted->spec);
    const char *name = dist_law(wanted->spec.law)->name;
    double mean = 0;
    double cv = 0;
    moments(&dist, &mean, &cv);
    ck_assert_msg(meets(mean, wanted->mean), "%s: mean %.12g", name, mean);
    ck_assert_msg(meets(dist_mean(&dist), mean), "%s: dist_mean %.12g", name, dist_mean(&dist));
    ck_assert_msg(meets(cv, wanted->cv), "%s: cv %.12g", name, cv);
    RngKey key = rng_key(77, 0, name, "solve");
    Rng rng;
    rng_stream(&rng, &key);
    double below_p50 = 0;
    double below_p99 = 0;
    for (int i = 0; i < DRAW_COUNT; i++) {
        double x = dist_draw(&dist, &rng);
        below_p50 += x <= wanted->p50;
        below_p99 += x <= wanted->p99;
    }
    if (!isnan(wanted->p50) && !dist_is_constant(&dist)) {
        ck_assert_msg(meets(quantile(&dist, 0.5), wanted->p50), "%s: p50", name);
        ck_assert(judge_share(below_p50, DRAW_COUNT, 0.5));
    }
    if (!isnan(wanted->p99) && !dist_is_constant(&dist)) {
        ck_assert_msg(meets(quantile(&dist, 0.99), wanted->p99), "%s: p99 %.12g", name,
                      quantile(&dist, 0.99));
        ck_assert(judge_share(below_p99, DRAW_COUNT, 0.99));
    }
    dist_free(&dist);
}

static const double SAMPLE[] = {0.5, 2.75};
static const double ONE_P[] = {0.2};

START_TEST(every_accepted_set_of_parameters_is_met) {
    DistSpec phases = spec_of("hyperexponential", NULL);
    spec_list(&phases, "p", ONE_P, 1);
    spec_list(&phases, "means", SAMPLE, 2);
    const Wanted rows[] = {
        {spec_of("constant", "value", 2.385, NULL), 2.385, 0, 2.385, 2.385},
        {spec_of("uniform", "min", 0.7, "max", 2.9, NULL), 1.8, 2.2 / sqrt(12) / 1.8, NAN, NAN},
        {spec_of("exponential", "mean", 0.37, NULL), 0.37, 1, 0.37 * M_LN2, 0.37 * log(100)},
        {spec_of("erlang", "k", 7.0, "mean", 0.37, NULL), 0.37, 1 / sqrt(7), NAN, NAN},
        {spec_of("gamma", "mean", 12e-3, "cv", 0.6, NULL), 12e-3, 0.6, NAN, NAN},
        {spec_of("gamma", "mean", 12e-3, "p99", 34e-3, NULL), 12e-3, NAN, NAN, 34e-3},
        {spec_of("lognormal", "mean", 211.0, "p50", 143.0, NULL), 211, NAN, 143, NAN},
        {spec_of("lognormal", "mean", 1155.0, "p99", 4142.0, NULL), 1155, NAN, NAN, 4142},
        {spec_of("lognormal", "mean", 1.3, "cv", 1.9, NULL), 1.3, 1.9, NAN, NAN},
        {spec_of("lognormal", "mean", 1.3, "sigma", 0.9, NULL), 1.3, sqrt(expm1(0.81)), NAN, NAN},
        {spec_of("lognormal", "p50", 1.3, "p99", 8.1, NULL), NAN, NAN, 1.3, 8.1},
        {spec_of("lognormal", "p50", 1.3, "cv", 0.4, NULL), NAN, 0.4, 1.3, NAN},
        {spec_of("lognormal", "p50", 1.3, "sigma", 0.4, NULL), NAN, sqrt(expm1(0.16)), 1.3, NAN},
        {spec_of("lognormal", "p99", 8.1, "cv", 0.4, NULL), NAN, 0.4, NAN, 8.1},
        {spec_of("lognormal", "p99", 8.1, "sigma", 1.4, NULL), NAN, sqrt(expm1(1.96)), NAN, 8.1},
        {spec_of("weibull", "mean", 0.83, "shape", 2.0, NULL), 0.83, sqrt(4 / M_PI - 1), NAN, NAN},
        {spec_of("weibull", "mean", 0.83, "cv", 2.7, NULL), 0.83, 2.7, NAN, NAN},
        {spec_of("pareto", "mean", 0.83, "shape", 2.5, NULL), 0.83, sqrt(0.8), NAN, NAN},
        {spec_of("pareto", "min", 0.83, "shape", 3.0, NULL), 1.245, sqrt(1.0 / 3), NAN, NAN},
        {phases, 2.3, sqrt(2 * (0.2 * 0.25 + 0.8 * 7.5625) / 5.29 - 1), NAN, NAN},
        {spec_of("hyperexponential", "mean", 0.83, "cv", 3.1, NULL), 0.83, 3.1, NAN, NAN},
    };
    size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++) {
        check_wanted(&rows[i]);
    }
    for (size_t law = 0; law < dist_law_count(); law++) {
        bool is_elsewhere = strcmp(dist_law(law)->name, "zipf") == 0 ||
                            strcmp(dist_law(law)->name, "empirical") == 0;
        for (size_t set = 0; set < dist_law(law)->set_count; set++) {
            bool is_covered = is_elsewhere;
            for (size_t i = 0; i < count; i++) {
                is_covered |=
                    rows[i].spec.law == law && rows[i].spec.given == dist_law(law)->sets[set];
            }
            ck_assert_msg(is_covered, "%s set %zu", dist_law(law)->name, set);
        }
    }
}
END_TEST

START_TEST(solutions_hold_over_the_whole_accepted_range) {
    for (double ratio = 1.003; ratio <= 25; ratio = ratio < 1.1 ? ratio + 3.1e-4 : ratio * 1.0043) {
        Dist dist = solved(spec_of("gamma", "mean", 3.0, "p99", 3 * ratio, NULL));
        ck_assert_double_eq_tol(gsl_cdf_gamma_Q(3 * ratio, gamma_shape(&dist), dist.scale), 0.01,
                                1e-8);
        ck_assert_double_eq_tol(gamma_shape(&dist) * dist.scale / 3, 1, 1e-9);
    }
    for (double cv = 0.01; cv <= 100; cv *= 1.3) {
        Dist dist = solved(spec_of("weibull", "mean", 3.0, "cv", cv, NULL));
        double mean = 0;
        double found = 0;
        moments(&dist, &mean, &found);
        ck_assert_double_eq_tol(mean / 3, 1, 1e-7);
        ck_assert_double_eq_tol(found / cv, 1, 1e-6);
    }
    for (double ratio = 1.001; ratio < 14.9; ratio *= 1.1) {
        Dist dist = solved(spec_of("lognormal", "mean", 3.0, "p99", 3 * ratio, NULL));
        ck_assert_double_eq_tol(quantile(&dist, 0.99) / (3 * ratio), 1, 1e-12);
        ck_assert_double_le(dist.u.lognormal.sigma, 2.3263478740408408);
    }
}
END_TEST

START_TEST(the_limits_of_a_law_are_simpler_laws) {
    const DistSpec constants[] = {
        spec_of("uniform", "min", 1.7, "max", 1.7, NULL),
        spec_of("gamma", "mean", 1.7, "cv", 0.0, NULL),
        spec_of("lognormal", "mean", 1.7, "cv", 0.0, NULL),
        spec_of("lognormal", "p50", 1.7, "p99", 1.7, NULL),
        spec_of("lognormal", "mean", 1.7, "p50", 1.7, NULL),
        spec_of("lognormal", "mean", 1.7, "p99", 1.7, NULL),
        spec_of("lognormal", "p99", 1.7, "sigma", 0.0, NULL),
        spec_of("weibull", "mean", 1.7, "cv", 0.0, NULL),
        spec_of("constant", "value", 1.7, NULL),
    };
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        Dist dist = solved(constants[i]);
        ck_assert(dist_is_constant(&dist) && dist_mean(&dist) == 1.7);
    }
    const double same[] = {1.7, 1.7, 1.7};
    DistSpec sample = spec_of("empirical", NULL);
    spec_list(&sample, "values", same, 3);
    Dist dist = solved(sample);
    ck_assert(dist_is_constant(&dist) && dist_mean(&dist) == 1.7);
    dist = solved(spec_of("zipf", "count", 1.0, "s", 0.9, NULL));
    ck_assert(dist_is_constant(&dist) && dist_mean(&dist) == 1);
    dist = solved(spec_of("gamma", "mean", 1.7, "cv", 1.0, NULL));
    ck_assert_int_eq(dist.sampler, DIST_EXPONENTIAL);
    dist = solved(spec_of("weibull", "mean", 1.7, "shape", 1.0, NULL));
    ck_assert_int_eq(dist.sampler, DIST_EXPONENTIAL);
    dist = solved(spec_of("pareto", "min", 1.7, "shape", 1.0, NULL));
    ck_assert(dist_mean(&dist) == INFINITY);
}
END_TEST

/* The law is refused with exactly this sentence, and nothing is written. */
static void check_refused(DistSpec spec, const char *text) {
    Dist before;
    memset(&before, 0x5a, sizeof before);
    Dist dist;
    memcpy(&dist, &before, sizeof dist);
    Error error = {""};
    ck_assert_msg(!dist_solve(&spec, &dist, &error), "accepted, not refused with: %s", text);
    ck_assert_str_eq(error.text, text);
    ck_assert_mem_eq(&dist, &before, sizeof dist);
    ck_assert(!dist_solve(&spec, &dist, NULL));
}

START_TEST(a_wrong_set_of_parameters_is_refused_with_the_right_ones) {
    check_refused(spec_of("gamma", "mean", 1.0, NULL),
                  "gamma takes {mean, cv} or {mean, p99}; found {mean}");
    check_refused(spec_of("gamma", "mean", 1.0, "cv", 1.0, "p99", 2.0, NULL),
                  "gamma takes {mean, cv} or {mean, p99}; found {mean, cv, p99}");
    check_refused(spec_of("exponential", NULL), "exponential takes {mean}; found {}");
    check_refused(
        spec_of("lognormal", "cv", 1.0, "sigma", 0.8, NULL),
        "lognormal takes {mean, p50}, {mean, p99}, {mean, cv}, {mean, sigma}, {p50, p99}, "
        "{p50, cv}, {p50, sigma}, {p99, cv} or {p99, sigma}; found {cv, sigma}");
}
END_TEST

START_TEST(numbers_out_of_range_are_refused) {
    check_refused(spec_of("constant", "value", -0.5, NULL),
                  "constant: value must be from 0 to 1e+18; found -0.5");
    check_refused(spec_of("constant", "value", (double)NAN, NULL),
                  "constant: value must be from 0 to 1e+18; found nan");
    check_refused(spec_of("exponential", "mean", (double)INFINITY, NULL),
                  "exponential: mean must be from 0 to 1e+18; found inf");
    check_refused(spec_of("exponential", "mean", 0.0, NULL),
                  "exponential: mean must be above 0; found 0");
    check_refused(spec_of("uniform", "min", 2.0, "max", 1.5, NULL),
                  "uniform: max must be at least min; found min 2, max 1.5");
    check_refused(spec_of("erlang", "k", 2.5, "mean", 1.0, NULL),
                  "erlang: k must be a whole number; found 2.5");
    check_refused(spec_of("erlang", "k", 0.0, "mean", 1.0, NULL),
                  "erlang: k must be from 1 to 1000000; found 0");
    check_refused(spec_of("erlang", "k", 2.0, "mean", 0.0, NULL),
                  "erlang: mean must be above 0; found 0");
    check_refused(spec_of("gamma", "mean", 0.0, "cv", 1.0, NULL),
                  "gamma: mean must be above 0; found 0");
    check_refused(spec_of("gamma", "mean", 1.0, "cv", -0.3, NULL),
                  "gamma: cv must be 0, or from 1e-06 to 100; found -0.3");
    check_refused(spec_of("weibull", "mean", 0.0, "cv", 1.0, NULL),
                  "weibull: mean must be above 0; found 0");
    check_refused(spec_of("weibull", "mean", 1.0, "cv", 101.0, NULL),
                  "weibull: cv must be 0, or from 0.01 to 100; found 101");
    check_refused(spec_of("weibull", "mean", 1.0, "shape", 0.05, NULL),
                  "weibull: shape must be from 0.1 to 1000; found 0.05");
    check_refused(spec_of("zipf", "count", 0.0, "s", 1.0, NULL),
                  "zipf: count must be from 1 to 1000000000; found 0");
    check_refused(spec_of("zipf", "count", (double)NAN, "s", 1.0, NULL),
                  "zipf: count must be a whole number; found nan");
    check_refused(spec_of("zipf", "count", 9.0, "s", -1.0, NULL),
                  "zipf: s must be from 0 to 100; found -1");
}
END_TEST

START_TEST(pairs_that_contradict_each_other_are_refused) {
    check_refused(
        spec_of("gamma", "mean", 2.0, "p99", 1.0, NULL),
        "gamma: p99 must be from 1.003 to 25 times the mean; found 0.5 times: constant is "
        "steadier, pareto and hyperexponential vary more");
    check_refused(spec_of("gamma", "mean", 2.0, "p99", 52.0, NULL),
                  "gamma: p99 must be from 1.003 to 25 times the mean; found 26 times: constant is "
                  "steadier, pareto and hyperexponential vary more");
    check_refused(
        spec_of("lognormal", "p50", 2.0, "p99", 1.5, NULL),
        "lognormal: p99 must be at least p50 (they are equal for a constant); found p50 2, "
        "p99 1.5");
    check_refused(
        spec_of("lognormal", "mean", 2.0, "p99", 1.5, NULL),
        "lognormal: p99 must be at least mean (they are equal for a constant); found mean 2, "
        "p99 1.5");
    check_refused(
        spec_of("lognormal", "mean", 1.5, "p50", 2.0, NULL),
        "lognormal: mean must be at least p50 (they are equal for a constant); found p50 2, "
        "mean 1.5");
    check_refused(spec_of("lognormal", "mean", 2.0, "p99", 31.0, NULL),
                  "lognormal: p99 is at most 14.97 times the mean, whatever the spread; found 15.5 "
                  "times: give p50 and p99, or a law with a heavier tail (pareto)");
    check_refused(spec_of("lognormal", "p50", 1e-9, "p99", 1e9, NULL),
                  "lognormal: sigma must be at most 10; these values ask for 17.82");
    check_refused(spec_of("lognormal", "p50", 1e-320, "mean", 1e9, NULL),
                  "lognormal: sigma must be at most 10; these values ask for inf");
    check_refused(spec_of("lognormal", "p50", 0.0, "p99", 1.0, NULL),
                  "lognormal: p50 must be above 0; found 0");
    check_refused(spec_of("lognormal", "p50", 1.0, "sigma", 11.0, NULL),
                  "lognormal: sigma must be from 0 to 10; found 11");
    check_refused(spec_of("lognormal", "p50", 1.0, "cv", -1.0, NULL),
                  "lognormal: cv must be 0, or from 1e-06 to 1000000; found -1");
    check_refused(
        spec_of("pareto", "mean", 2.0, "shape", 1.0, NULL),
        "pareto: the mean is infinite for a shape up to 1; found shape 1: give min instead "
        "of mean, or a shape above 1");
    check_refused(spec_of("pareto", "min", 0.0, "shape", 2.0, NULL),
                  "pareto: min must be above 0; found 0");
    check_refused(spec_of("pareto", "min", 1.0, "shape", 0.05, NULL),
                  "pareto: shape must be from 0.1 to 1000; found 0.05");
    check_refused(spec_of("hyperexponential", "mean", 1.0, "cv", 0.9, NULL),
                  "hyperexponential: cv must be from 1 to 10000; found 0.9");
    check_refused(spec_of("hyperexponential", "mean", 0.0, "cv", 2.0, NULL),
                  "hyperexponential: mean must be above 0; found 0");
}
END_TEST

static void check_phases_refused(const double *p, size_t p_count, const double *means,
                                 size_t mean_count, const char *text) {
    DistSpec spec = spec_of("hyperexponential", NULL);
    spec_list(&spec, "p", p, p_count);
    spec_list(&spec, "means", means, mean_count);
    check_refused(spec, text);
}

START_TEST(lists_that_do_not_fit_are_refused) {
    const double means[] = {1, 2, 0};
    check_phases_refused((double[]){0.5, 0.4}, 2, means, 2,
                         "hyperexponential: the p must add up to 1; found a sum of 0.9");
    check_phases_refused((double[]){1.5}, 1, means, 2,
                         "hyperexponential: p must be from 0 to 1; found 1.5");
    check_phases_refused((double[]){NAN, 1}, 2, means, 2,
                         "hyperexponential: p must be from 0 to 1; found nan");
    check_phases_refused((double[]){0.5, 0.3, 0.2}, 3, means, 3,
                         "hyperexponential: means must be above 0; found 0");
    check_phases_refused((double[]){0.5, 0.5}, 2, (double[]){1, -2}, 2,
                         "hyperexponential: means must be from 0 to 1e+18; found -2");
    check_phases_refused(
        (double[]){0.5, 0.5}, 2, means, 3,
        "hyperexponential: give one p for each of 1 to 1000 means, or one p for two "
        "means; found 2 p and 3 means");
    check_phases_refused(
        NULL, 0, NULL, 0,
        "hyperexponential: give one p for each of 1 to 1000 means, or one p for two "
        "means; found 0 p and 0 means");
    DistSpec spec = spec_of("empirical", NULL);
    spec_list(&spec, "values", NULL, 0);
    check_refused(spec, "empirical: needs 1 to 4294967295 values; found 0");
    const double values[] = {1, NAN};
    spec_list(&spec, "values", values, 2);
    check_refused(spec, "empirical: values must be from 0 to 1e+18; found nan");
}
END_TEST

START_TEST(every_row_of_the_table_can_be_documented_and_parsed) {
    ck_assert_uint_eq(dist_law_count(), 11);
    for (size_t i = 0; i < dist_law_count(); i++) {
        const DistLaw *law = dist_law(i);
        ck_assert_uint_eq(dist_law_find(law->name), i);
        ck_assert_int_eq(law->doc[strlen(law->doc) - 1], '.');
        uint32_t all = 0;
        for (size_t set = 0; set < law->set_count; set++) {
            ck_assert_uint_ne(law->sets[set], 0);
            all |= law->sets[set];
        }
        ck_assert_uint_eq(all, (1u << law->param_count) - 1);
        for (size_t param = 0; param < law->param_count; param++) {
            ck_assert_uint_eq(dist_param_find(law, law->params[param].name), param);
            ck_assert_int_ne(law->params[param].doc[strlen(law->params[param].doc) - 1], '.');
        }
        ck_assert_uint_eq(dist_param_find(law, "nonsense"), law->param_count);
    }
    ck_assert_uint_eq(dist_law_find("normal"), dist_law_count());
}
END_TEST

TEST_SUITE("sim/dist_solve", every_accepted_set_of_parameters_is_met,
           solutions_hold_over_the_whole_accepted_range, the_limits_of_a_law_are_simpler_laws,
           a_wrong_set_of_parameters_is_refused_with_the_right_ones,
           numbers_out_of_range_are_refused, pairs_that_contradict_each_other_are_refused,
           lists_that_do_not_fit_are_refused, every_row_of_the_table_can_be_documented_and_parsed)
