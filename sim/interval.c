#include "sim/interval.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "sim/check.h"

/* The probability above one end of a two-sided interval. */
static double interval_tail(double confidence) {
    CHECK(confidence > 0 && confidence < 1);
    return (1 - confidence) / 2;
}

Interval interval_wilson(uint64_t successes, uint64_t trials, double confidence) {
    CHECK(successes <= trials);
    if (trials == 0) {
        return (Interval){0, 1};
    }
    double n = (double)trials;
    double share = (double)successes / n;
    double z = gsl_cdf_ugaussian_Qinv(interval_tail(confidence));
    double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    /* At 0 of n and n of n the bound is exactly 0 and 1; rounding must not say otherwise. */
    Interval interval = {successes == 0 ? 0 : fmax(0, centre - half),
                         successes == trials ? 1 : fmin(1, centre + half)};
    CHECK(interval.low <= share && share <= interval.high);
    return interval;
}

Interval interval_proportions(const uint64_t successes[2], const uint64_t trials[2],
                              double confidence) {
    CHECK(successes[0] <= trials[0] && successes[1] <= trials[1]);
    if (trials[0] == 0 || trials[1] == 0) {
        return (Interval){NAN, NAN};
    }
    double share[2];
    Interval own[2];
    for (int i = 0; i < 2; i++) {
        share[i] = (double)successes[i] / (double)trials[i];
        own[i] = interval_wilson(successes[i], trials[i], confidence);
    }
    double difference = share[0] - share[1];
    CHECK(difference >= -1 && difference <= 1);
    return (Interval){difference - hypot(share[0] - own[0].low, own[1].high - share[1]),
                      difference + hypot(own[0].high - share[0], share[1] - own[1].low)};
}

Interval interval_mean(const Running *running, double confidence) {
    double tail = interval_tail(confidence);
    if (running->count < 2) {
        return (Interval){NAN, NAN};
    }
    double n = (double)running->count;
    double half = gsl_cdf_tdist_Qinv(tail, n - 1) * sqrt(running_variance(running) / n);
    CHECK(!(half < 0));
    return (Interval){running->mean - half, running->mean + half};
}

Interval interval_batch_means(const BatchMeans *batches, double confidence) {
    Running running = batch_means_running(batches);
    return interval_mean(&running, confidence);
}

/* P(X <= k) of the binomial law through the beta law, which unlike gsl_cdf_binomial_P is not
 * limited to 32-bit counts. */
static double interval_binomial_p(uint64_t k, uint64_t count, double p) {
    CHECK(p > 0 && p < 1);
    return k >= count ? 1 : gsl_cdf_beta_Q(p, (double)k + 1, (double)(count - k));
}

/* For large counts, where GSL's beta law is wrong (seen from 10^7 on) and the binomial law is close
 * to a normal one: the normal quantile with the correction for skewness (Cornish and Fisher 1937).
 * Within one rank of the exact inverse where that can be computed. */
static uint64_t interval_normal_inverse(double count, double p, double probability) {
    double variance = count * p * (1 - p);
    CHECK(variance > 0);
    double z = gsl_cdf_ugaussian_Pinv(probability);
    double k = count * p + z * sqrt(variance) + (1 - 2 * p) * (z * z - 1) / 6 - 0.5;
    return k <= 0 ? 0 : k >= count ? (uint64_t)count : (uint64_t)ceil(k);
}

/* The smallest k with P(X <= k) >= probability; GSL inverts no discrete law, so bisect. */
static uint64_t interval_binomial_inverse(uint64_t count, double p, double probability) {
    CHECK(probability > 0 && probability < 1);
    const double exact_count_max = 1e6;
    const double normal_variance_min = 100;
    double n = (double)count;
    if (n > exact_count_max && n * p * (1 - p) > normal_variance_min) {
        return interval_normal_inverse(n, p, probability);
    }
    uint64_t low = 0;
    uint64_t high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (interval_binomial_p(middle, count, p) >= probability) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

RankInterval interval_quantile_ranks(uint64_t count, double p, double confidence) {
    CHECK(p > 0 && p < 1);
    double tail = interval_tail(confidence);
    RankInterval ranks = {interval_binomial_inverse(count, p, tail),
                          interval_binomial_inverse(count, p, 1 - tail) + 1};
    CHECK(ranks.low < ranks.high && ranks.high <= count + 1);
    return ranks;
}

/* The end of the values that the histogram may have reported as this one: below when sign is -1. */
static double interval_hist_bound(const Hist *hist, uint64_t rank, double sign) {
    CHECK(sign == 1 || sign == -1);
    double value = (double)hist_at_rank(hist, rank);
    return value < HIST_EXACT_BELOW ? value : value / (1 - sign * HIST_RELATIVE_ERROR);
}

Interval interval_quantile(const Hist *hist, double p, double confidence) {
    RankInterval ranks = interval_quantile_ranks(hist->count, p, confidence);
    Interval interval = {NAN, NAN};
    if (ranks.low >= 1) {
        interval.low = interval_hist_bound(hist, ranks.low, -1);
    }
    if (ranks.high <= hist->count) {
        interval.high = interval_hist_bound(hist, ranks.high, 1);
    }
    CHECK(!(interval.low > interval.high)); /* either may be NaN */
    return interval;
}
