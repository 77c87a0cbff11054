#include "sim/stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_rstat.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

#include "sim/interval.h"
#include "sim/vec.h"
#include "tests/test.h"

#define ASSERT_NEAR(found, expected, tolerance)                                                    \
    ck_assert_double_le(fabs((found) - (expected)), (tolerance))

START_TEST(running_moments_agree_with_gsl) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    enum { COUNT = 10000 };
    double values[COUNT];
    Running running = {0};
    for (int i = 0; i < COUNT; i++) {
        values[i] = 1e6 + gsl_ran_gaussian(rng, 0.01); /* a sum of squares would cancel here */
        running_record(&running, values[i]);
    }
    ASSERT_NEAR(running.mean, gsl_stats_mean(values, 1, COUNT), 1e-8);
    ASSERT_NEAR(running_variance(&running) / gsl_stats_variance(values, 1, COUNT), 1, 1e-6);
    ck_assert_double_eq(running.min, gsl_stats_min(values, 1, COUNT));
    ck_assert_double_eq(running.max, gsl_stats_max(values, 1, COUNT));
    ck_assert_double_eq(running_deviation(&running), sqrt(running_variance(&running)));
    gsl_rng_free(rng);
}
END_TEST

START_TEST(merged_parts_equal_the_whole) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    Running whole = {0}, merged = {0}, parts[4] = {{0}}; /* the last part stays empty */
    for (int i = 0; i < 5000; i++) {
        double value = gsl_ran_exponential(rng, 3.7) - 1;
        running_record(&whole, value);
        running_record(&parts[i % 7 % 3], value);
    }
    for (int i = 3; i >= 0; i--) {
        running_merge(&merged, &parts[i]);
    }
    ck_assert_uint_eq(merged.count, whole.count);
    ASSERT_NEAR(merged.mean, whole.mean, 1e-12);
    ASSERT_NEAR(running_variance(&merged) / running_variance(&whole), 1, 1e-12);
    ck_assert_double_eq(merged.min, whole.min);
    ck_assert_double_eq(merged.max, whole.max);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(one_value_has_a_mean_and_no_variance) {
    Running running = {0};
    ck_assert(isnan(running_variance(&running)));
    running_record(&running, -2.385);
    ck_assert_double_eq(running.mean, -2.385);
    ck_assert_double_eq(running.min, -2.385);
    ck_assert_double_eq(running.max, -2.385);
    ck_assert(isnan(running_variance(&running)));
}
END_TEST

START_TEST(a_level_integrates_exactly) {
    /* 2 for 3 ns, 5 for 7 ns, 0 for 11 ns, 1 for 13 ns. */
    Level level;
    level_init(&level, 100, 2);
    level_add(&level, 103, 3);
    level_set(&level, 110, 0);
    level_add(&level, 121, 1);
    ck_assert(level_integral(&level, 134) == 2 * 3 + 5 * 7 + 0 + 13);
    ck_assert_int_eq(level_time_at_zero(&level, 134), 11);
    ck_assert_double_eq(level_mean(&level, 134), 54.0 / 34);
    level_set(&level, 134, 0);
    ck_assert_int_eq(level_time_at_zero(&level, 140), 17);
}
END_TEST

START_TEST(the_integral_does_not_depend_on_the_order_of_changes) {
    /* Two parts, each in its own order: 3 from 107 to 119 and 2 from 119 on; 5 from 103 to 131. */
    static const struct {
        SimTime at;
        int64_t change;
    } one[] = {{107, 3}, {119, -1}}, two[] = {{103, 5}, {131, -5}};
    Level by_time, by_part;
    level_init(&by_time, 100, 1);
    level_init(&by_part, 100, 1);
    level_add(&by_time, 103, 5);
    level_add(&by_time, 107, 3);
    level_add(&by_time, 119, -1);
    level_add(&by_time, 131, -5);
    for (int i = 0; i < 2; i++) {
        level_add_at(&by_part, two[i].at, two[i].change);
    }
    for (int i = 0; i < 2; i++) {
        level_add_at(&by_part, one[i].at, one[i].change);
    }
    ck_assert(level_integral(&by_part, 137) == 37 + 3 * 12 + 2 * 18 + 5 * 28);
    ck_assert(level_integral(&by_part, 137) == level_integral(&by_time, 137));
    ck_assert_int_eq(by_part.value, 3);
    ck_assert_double_eq(level_mean(&by_part, 137), level_mean(&by_time, 137));
    level_restart(&by_part, 137); /* and so it is after a warm-up */
    level_add_at(&by_part, 149, 2);
    level_add_at(&by_part, 141, -3);
    ck_assert(level_integral(&by_part, 151) == 3 * 4 + 0 * 8 + 2 * 2);
}
END_TEST

START_TEST(a_restart_keeps_the_value_and_forgets_the_past) {
    Level level;
    level_init(&level, 0, 0);
    level_set(&level, 10, 9);
    level_set(&level, 20, 4);
    level_restart(&level, 30);
    ck_assert(isnan(level_mean(&level, 30)));
    ck_assert(level_integral(&level, 35) == 20);
    ck_assert_int_eq(level_time_at_zero(&level, 35), 0);
    ck_assert_double_eq(level_mean(&level, 35), 4);
}
END_TEST

START_TEST(a_level_holds_a_century_of_millions) {
    /* 3e9 in system for 100 years of nanoseconds is far beyond 64 bits, and still exact. */
    Level level;
    level_init(&level, 0, INT64_C(3000000000));
    SimTime century = time_from_s(SIM_TIME_S_MAX);
    ck_assert(level_integral(&level, century) == (__int128)INT64_C(3000000000) * century);
    ck_assert_double_eq(level_mean(&level, century), 3e9);
}
END_TEST

START_TEST(littles_law_holds_without_tolerance) {
    /* A queue served in order: the integral of the level is the sum of the sojourns, exactly. */
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    enum { COUNT = 3000 };
    SimTime arrived[COUNT], left[COUNT];
    SimTime now = 0, server_free = 0;
    __int128 sojourns = 0;
    for (int i = 0; i < COUNT; i++) {
        now += time_from_s(gsl_ran_exponential(rng, 1));
        arrived[i] = now;
        server_free =
            (server_free > now ? server_free : now) + time_from_s(gsl_ran_exponential(rng, 0.9));
        left[i] = server_free;
        sojourns += left[i] - arrived[i];
    }
    Level level;
    level_init(&level, 0, 0);
    for (int in = 0, out = 0; out < COUNT;) {
        if (in < COUNT && arrived[in] <= left[out]) {
            level_add(&level, arrived[in++], 1);
        } else {
            level_add(&level, left[out++], -1);
        }
    }
    ck_assert(level_integral(&level, level.since) == sojourns);
    ck_assert_int_eq(level.value, 0);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(batch_means_fold_pairs_and_keep_the_mean) {
    BatchMeans batches = {0};
    Running running = {0};
    for (int i = 0; i < 40 * 8 + 5;
         i++) { /* 320 values in 20 batches of 16, and 5 in an open one */
        batch_means_record(&batches, i * i);
        if (i < 320) {
            running_record(&running, i * i);
        }
    }
    Running means = batch_means_running(&batches);
    ck_assert_uint_eq(means.count, 20);
    ck_assert_uint_eq(batches.size_log2, 4);
    ck_assert_uint_eq(batches.open_count, 5);
    ASSERT_NEAR(means.mean, running.mean, 1e-9);
    ck_assert_double_eq(means.min, 15.0 * 16 * 31 / 6 / 16); /* mean of 0, 1, 4 ... 225 */
}
END_TEST

START_TEST(batch_means_stay_between_20_and_39) {
    BatchMeans batches = {0};
    for (int i = 1; i <= 100000; i++) {
        batch_means_record(&batches, i);
        if (i >= 20) {
            ck_assert(batches.count >= 20 && batches.count < BATCH_MEANS_MAX);
        }
    }
}
END_TEST

START_TEST(lag1_tells_a_correlated_series_from_an_independent_one) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    BatchMeans independent = {0}, correlated = {0};
    ck_assert(isnan(batch_means_lag1(&independent)));
    double state = 0;
    for (int i = 0; i < 40 * 64 - 1; i++) {
        batch_means_record(&independent, gsl_ran_gaussian(rng, 1));
        state = 0.999 * state + gsl_ran_gaussian(rng, 1);
        batch_means_record(&correlated, state);
    }
    double means[BATCH_MEANS_MAX];
    for (uint32_t i = 0; i < correlated.count; i++) {
        means[i] = correlated.sums[i];
    }
    /* GSL's recurrence is the same estimate. */
    ASSERT_NEAR(batch_means_lag1(&correlated),
                gsl_stats_lag1_autocorrelation(means, 1, correlated.count), 1e-12);
    ck_assert_double_gt(batch_means_lag1(&correlated), 0.5);
    ck_assert_double_lt(fabs(batch_means_lag1(&independent)), 0.5);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(wilson_interval_meets_published_values) {
    Interval interval = interval_wilson(8, 10, 0.95);
    ASSERT_NEAR(interval.low, 0.4901625, 1e-6);
    ASSERT_NEAR(interval.high, 0.9433178, 1e-6);
    interval = interval_wilson(0, 20, 0.95); /* z^2 / (n + z^2) */
    ck_assert_double_eq(interval.low, 0);
    ASSERT_NEAR(interval.high, 0.1611251, 1e-6);
    interval = interval_wilson(20, 20, 0.95);
    ASSERT_NEAR(interval.low, 1 - 0.1611251, 1e-6);
    ck_assert_double_eq(interval.high, 1);
    interval = interval_wilson(0, 0, 0.95);
    ck_assert_double_eq(interval.low, 0);
    ck_assert_double_eq(interval.high, 1);
}
END_TEST

START_TEST(newcombe_interval_meets_its_papers_examples) {
    Interval interval =
        interval_proportions((const uint64_t[]){56, 48}, (const uint64_t[]){70, 80}, 0.95);
    ASSERT_NEAR(interval.low, 0.0524, 5e-5);
    ASSERT_NEAR(interval.high, 0.3339, 5e-5);
    interval = interval_proportions((const uint64_t[]){10, 0}, (const uint64_t[]){10, 20}, 0.95);
    ASSERT_NEAR(interval.low, 0.6791, 5e-5);
    ASSERT_NEAR(interval.high, 1, 1e-12);
    interval = interval_proportions((const uint64_t[]){1, 0}, (const uint64_t[]){2, 0}, 0.95);
    ck_assert(isnan(interval.low) && isnan(interval.high));
}
END_TEST

START_TEST(mean_interval_is_students) {
    /* t(31) at 1e-4 two-sided is 4.461 and t(3) at 0.05 is 3.18245. */
    Running running = {0};
    ck_assert(isnan(interval_mean(&running, 0.95).low));
    running_record(&running, 3);
    running_record(&running, 5);
    ck_assert(!isnan(interval_mean(&running, 0.95).low));
    running_record(&running, 7);
    running_record(&running, 10);
    Interval interval = interval_mean(&running, 0.95);
    double half = 3.182446305 * sqrt(26.75 / 3 / 4);
    ASSERT_NEAR(interval.low, 6.25 - half, 1e-8);
    ASSERT_NEAR(interval.high, 6.25 + half, 1e-8);
}
END_TEST

START_TEST(mean_interval_covers_as_often_as_it_says) {
    /* 2,000 experiments of 10 exponentials' means each of 50: the accepted range is that of
     * validation.md section 7, three standard deviations of the binomial; the seed is fixed. */
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    int covered = 0;
    for (int i = 0; i < 2000; i++) {
        Running running = {0};
        for (int j = 0; j < 10; j++) {
            running_record(&running, gsl_ran_gamma(rng, 50, 0.02));
        }
        Interval interval = interval_mean(&running, 0.95);
        covered += interval.low <= 1 && 1 <= interval.high;
    }
    ck_assert_int_ge(covered, 1870);
    ck_assert_int_le(covered, 1930);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(batch_means_interval_covers_a_correlated_mean) {
    /* An autoregression with a correlation time of about 10 and runs of 10^4: at least 92 % of 500
     * nominal 95 % intervals, against 40 % when the values are taken for independent. */
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    int covered = 0;
    for (int i = 0; i < 500; i++) {
        BatchMeans batches = {0};
        double state = gsl_ran_gaussian(rng, 1 / sqrt(1 - 0.81));
        for (int j = 0; j < 10000; j++) {
            state = 0.9 * state + gsl_ran_gaussian_ziggurat(rng, 1);
            batch_means_record(&batches, state);
        }
        Interval interval = interval_batch_means(&batches, 0.95);
        covered += interval.low <= 0 && 0 <= interval.high;
    }
    ck_assert_int_ge(covered, 460);
    ck_assert_int_le(covered, 490);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(quantile_ranks_meet_the_measured_ones) {
    RankInterval ranks = interval_quantile_ranks(10000, 0.99, 0.95);
    ck_assert_uint_eq(ranks.low, 9880);
    ck_assert_uint_eq(ranks.high, 9920);
    ranks = interval_quantile_ranks(10000, 0.999, 0.95);
    ck_assert_uint_eq(ranks.low, 9983);
    ck_assert_uint_eq(ranks.high, 9997);
    /* Ten values say nothing about what is above the p99; none say nothing at all. */
    ranks = interval_quantile_ranks(10, 0.99, 0.95);
    ck_assert_uint_eq(ranks.high, 11);
    ranks = interval_quantile_ranks(0, 0.99, 0.95);
    ck_assert_uint_eq(ranks.low, 0);
    ck_assert_uint_eq(ranks.high, 1);
}
END_TEST

START_TEST(quantile_ranks_invert_the_binomial_law) {
    static const unsigned COUNTS[] = {1, 7, 59, 1000, 123457};
    static const double QUANTILES[] = {0.001, 0.5, 0.95, 0.999};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 4; j++) {
            double p = QUANTILES[j];
            RankInterval ranks = interval_quantile_ranks(COUNTS[i], p, 0.99);
            unsigned low = (unsigned)ranks.low, high = (unsigned)ranks.high - 1;
            ck_assert_double_ge(gsl_cdf_binomial_P(low, p, COUNTS[i]), 0.005);
            ck_assert_double_ge(gsl_cdf_binomial_P(high, p, COUNTS[i]), 0.995);
            ck_assert(low == 0 || gsl_cdf_binomial_P(low - 1, p, COUNTS[i]) < 0.005);
            ck_assert(high == 0 || gsl_cdf_binomial_P(high - 1, p, COUNTS[i]) < 0.995);
        }
    }
}
END_TEST

START_TEST(quantile_ranks_of_large_counts_go_on_where_exact_ones_end) {
    /* GSL's own inverse by search is right at 2e6; at 10^12 the law is normal to many digits. */
    static const double QUANTILES[] = {0.001, 0.1, 0.5, 0.95, 0.999};
    for (size_t i = 0; i < 5; i++) {
        double p = QUANTILES[i];
        const unsigned count = 2000000;
        RankInterval ranks = interval_quantile_ranks(count, p, 0.95);
        unsigned low = (unsigned)ranks.low, high = (unsigned)ranks.high - 1;
        ck_assert_double_ge(gsl_cdf_binomial_P(low + 1, p, count), 0.025);
        ck_assert_double_lt(gsl_cdf_binomial_P(low - 2, p, count), 0.025);
        ck_assert_double_ge(gsl_cdf_binomial_P(high + 1, p, count), 0.975);
        ck_assert_double_lt(gsl_cdf_binomial_P(high - 2, p, count), 0.975);
        ranks = interval_quantile_ranks(UINT64_C(1000000000000), p, 0.95);
        double deviation = sqrt(1e12 * p * (1 - p));
        ASSERT_NEAR(((double)ranks.low - 1e12 * p) / deviation, -1.959964, 1e-4);
        ASSERT_NEAR(((double)ranks.high - 1e12 * p) / deviation, 1.959964, 1e-4);
    }
    /* Far in the tail of many: a handful of values, a Poisson law. */
    RankInterval ranks = interval_quantile_ranks(100000000, 1 - 1e-7, 0.95);
    ck_assert_uint_eq(100000000 - ranks.low, 17);
    ck_assert_uint_eq(100000001 - ranks.high, 4);
}
END_TEST

START_TEST(quantile_interval_covers_the_median_of_independent_values) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    Hist *hist = mem_zalloc(1, sizeof *hist);
    int covered = 0;
    for (int i = 0; i < 1000; i++) {
        hist_clear(hist);
        for (int j = 0; j < 201; j++) {
            hist_record(hist, (int64_t)gsl_ran_exponential(rng, 1e9));
        }
        Interval interval = interval_quantile(hist, 0.5, 0.95);
        covered += interval.low <= M_LN2 * 1e9 && M_LN2 * 1e9 <= interval.high;
    }
    ck_assert_int_ge(covered, 930);
    hist_clear(hist);
    hist_record(hist, 5);
    ck_assert(isnan(interval_quantile(hist, 0.5, 0.95).low));
    ck_assert(isnan(interval_quantile(hist, 0.5, 0.95).high));
    mem_free(hist);
    gsl_rng_free(rng);
}
END_TEST

TEST_SUITE("sim/stats", running_moments_agree_with_gsl, merged_parts_equal_the_whole,
           one_value_has_a_mean_and_no_variance, a_level_integrates_exactly,
           the_integral_does_not_depend_on_the_order_of_changes,
           a_restart_keeps_the_value_and_forgets_the_past, a_level_holds_a_century_of_millions,
           littles_law_holds_without_tolerance, batch_means_fold_pairs_and_keep_the_mean,
           batch_means_stay_between_20_and_39,
           lag1_tells_a_correlated_series_from_an_independent_one,
           wilson_interval_meets_published_values, newcombe_interval_meets_its_papers_examples,
           mean_interval_is_students, mean_interval_covers_as_often_as_it_says,
           batch_means_interval_covers_a_correlated_mean, quantile_ranks_meet_the_measured_ones,
           quantile_ranks_invert_the_binomial_law,
           quantile_ranks_of_large_counts_go_on_where_exact_ones_end,
           quantile_interval_covers_the_median_of_independent_values)
