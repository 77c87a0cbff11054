#include "sim/hist.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

#include "sim/vec.h"
#include "tests/test.h"

static const double PROBABILITIES[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999};
enum { PROBABILITY_COUNT = sizeof PROBABILITIES / sizeof PROBABILITIES[0] };

START_TEST(buckets_tile_all_values_in_order) {
    int64_t next = 0;
    for (uint32_t bucket = 0; bucket < HIST_BUCKET_COUNT; bucket++) {
        int64_t low = hist_bucket_low(bucket);
        ck_assert_int_eq(low, next);
        int64_t last = low + (hist_bucket_width(bucket) - 1);
        ck_assert_uint_eq(hist_bucket(low), bucket);
        ck_assert_uint_eq(hist_bucket(last), bucket);
        /* Half a bucket over its lower end is the promised error. */
        ck_assert(low < HIST_EXACT_BELOW ||
                  (double)hist_bucket_width(bucket) / 2 <= HIST_RELATIVE_ERROR * (double)low);
        next = (int64_t)((uint64_t)last + 1);
    }
    ck_assert_uint_eq((uint64_t)next, UINT64_C(1) << 63);
    ck_assert(HIST_RELATIVE_ERROR <= 0.008);
}
END_TEST

START_TEST(small_values_are_exact) {
    static Hist hist;
    for (int64_t value = 0; value < HIST_EXACT_BELOW; value++) {
        hist_record(&hist, value);
    }
    for (uint64_t rank = 1; rank <= hist.count; rank++) {
        ck_assert_int_eq(hist_at_rank(&hist, rank), (int64_t)rank - 1);
    }
    ck_assert_int_eq(hist_quantile(&hist, 0.5), 63);
    ck_assert_double_eq(hist_mean(&hist), 63.5);
}
END_TEST

START_TEST(an_empty_histogram_has_no_mean_and_zero_quantiles) {
    static Hist hist;
    ck_assert(isnan(hist_mean(&hist)));
    ck_assert_int_eq(hist_quantile(&hist, 0.99), 0);
    ck_assert_int_eq(hist_min(&hist), 0);
    ck_assert_int_eq(hist_max(&hist), 0);
}
END_TEST

START_TEST(extremes_and_sum_are_exact_up_to_the_largest_value) {
    static Hist hist;
    hist_record(&hist, INT64_MAX);
    hist_record(&hist, INT64_MAX);
    hist_record(&hist, INT64_MAX - 1);
    ck_assert_int_eq(hist_min(&hist), INT64_MAX - 1);
    ck_assert_int_eq(hist_max(&hist), INT64_MAX);
    ck_assert(hist.sum == 3 * (unsigned __int128)INT64_MAX - 1);
    ck_assert_int_ge(hist_quantile(&hist, 0), INT64_MAX - 1);
    ck_assert_int_le(hist_quantile(&hist, 1), INT64_MAX);
    /* One value alone is reported exactly because reports stay within [min, max]. */
    static Hist one;
    hist_record(&one, 123456789);
    ck_assert_int_eq(hist_quantile(&one, 0.5), 123456789);
    ck_assert_int_eq(hist_quantile(&one, 0), 123456789);
    ck_assert_int_eq(hist_quantile(&one, 1), 123456789);
}
END_TEST

START_TEST(the_nearest_rank_is_not_moved_by_rounding_of_p) {
    /* 0.07 x 100 = 7.000000000000001 in doubles; the rank is 7 and not 8. */
    static Hist hist;
    for (int64_t value = 1; value <= 100; value++) {
        hist_record(&hist, value);
    }
    for (int percent = 1; percent <= 100; percent++) {
        ck_assert_int_eq(hist_quantile(&hist, percent / 100.0), percent);
        ck_assert_int_eq(hist_quantile(&hist, percent * 0.01), percent);
    }
    ck_assert_int_eq(hist_quantile(&hist, 0.071), 8);
    ck_assert_int_eq(hist_quantile(&hist, 0), 1);
}
END_TEST

/* Nanoseconds that look like the latencies of an outage: half fast, half at the timeout. */
static double draw_outage(const gsl_rng *rng) {
    double base = gsl_rng_uniform(rng) < 0.5 ? 0.1 : 5.0;
    return base * 1e9 * (1 + 0.05 * gsl_rng_uniform(rng));
}

static double draw_lognormal(const gsl_rng *rng) {
    return gsl_ran_lognormal(rng, log(0.2e9), 1.3);
}

/* Draws, records, and holds every quantile against the sorted values: nearest rank by definition
 * within the stated error, and GSL's interpolated quantile between the neighbours. */
static void compare_with_sorted(double (*draw)(const gsl_rng *), unsigned long seed, size_t count) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, seed);
    Hist *hist = mem_zalloc(1, sizeof *hist);
    double *values = mem_alloc(count * sizeof *values);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = floor(draw(rng));
        sum += values[i];
        hist_record(hist, (int64_t)values[i]);
    }
    gsl_sort(values, 1, count);
    for (size_t i = 0; i < PROBABILITY_COUNT; i++) {
        double p = PROBABILITIES[i];
        double reported = (double)hist_quantile(hist, p);
        size_t rank = (size_t)ceil(p * (double)count * (1 - 1e-15));
        ck_assert_double_le(fabs(reported / values[rank - 1] - 1), HIST_RELATIVE_ERROR);
        double golden = gsl_stats_quantile_from_sorted_data(values, 1, count, p);
        double low = values[rank >= 2 ? rank - 2 : 0] * (1 - HIST_RELATIVE_ERROR);
        double high = values[rank < count ? rank : count - 1] * (1 + HIST_RELATIVE_ERROR);
        ck_assert(reported >= low && reported <= high && golden >= low && golden <= high);
    }
    ck_assert_double_eq((double)hist_min(hist), values[0]);
    ck_assert_double_eq((double)hist_max(hist), values[count - 1]);
    ck_assert_double_le(fabs(hist_mean(hist) / (sum / (double)count) - 1), 1e-12);
    mem_free(values);
    mem_free(hist);
    gsl_rng_free(rng);
}

START_TEST(quantiles_agree_with_sorted_lognormal_latencies) {
    compare_with_sorted(draw_lognormal, 7, 200000);
    compare_with_sorted(draw_lognormal, 8, 1001);
    compare_with_sorted(draw_lognormal, 9, 3);
}
END_TEST

START_TEST(quantiles_agree_with_sorted_latencies_of_an_outage) {
    compare_with_sorted(draw_outage, 7, 200000);
    compare_with_sorted(draw_outage, 8, 1001);
    compare_with_sorted(draw_outage, 9, 3);
}
END_TEST

START_TEST(merging_is_exact_in_any_order) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    Hist *parts =
        mem_zalloc(5, sizeof *parts); /* the whole, three parts, and one that stays empty */
    for (int i = 0; i < 30000; i++) {
        int64_t value = (int64_t)draw_lognormal(rng);
        hist_record(&parts[0], value);
        hist_record(&parts[1 + gsl_rng_uniform_int(rng, 3)], value);
    }
    static const int ORDERS[][4] = {{1, 2, 3, 4}, {4, 3, 2, 1}, {2, 4, 1, 3}};
    for (size_t order = 0; order < sizeof ORDERS / sizeof ORDERS[0]; order++) {
        Hist *merged = mem_zalloc(1, sizeof *merged);
        for (int i = 0; i < 4; i++) {
            hist_merge(merged, &parts[ORDERS[order][i]]);
        }
        ck_assert_mem_eq(merged, &parts[0], sizeof *merged);
        mem_free(merged);
    }
    mem_free(parts);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(a_cleared_histogram_equals_a_new_one) {
    static Hist used;
    static const Hist fresh;
    for (int64_t value = 1; value < INT64_MAX / 5; value *= 5) {
        hist_record(&used, value);
    }
    hist_clear(&used);
    ck_assert_mem_eq(&used, &fresh, sizeof used);
    hist_clear(&used);
    hist_record(&used, 42);
    ck_assert_int_eq(hist_min(&used), 42);
}
END_TEST

TEST_SUITE("sim/hist", buckets_tile_all_values_in_order, small_values_are_exact,
           an_empty_histogram_has_no_mean_and_zero_quantiles,
           extremes_and_sum_are_exact_up_to_the_largest_value,
           the_nearest_rank_is_not_moved_by_rounding_of_p,
           quantiles_agree_with_sorted_lognormal_latencies,
           quantiles_agree_with_sorted_latencies_of_an_outage, merging_is_exact_in_any_order,
           a_cleared_histogram_equals_a_new_one)
