/* Judges of random draws, for tests: Kolmogorov and Smirnov, chi-square, and a digest of bits.
 *
 * Every judgement has a false-alarm rate of 10^-6; seeds are fixed, so its outcome is too.
 */
#ifndef KNOCKON_TESTS_SIM_JUDGE_H
#define KNOCKON_TESTS_SIM_JUDGE_H

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline int judge_compare(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* sqrt(n) times the largest distance between the sample's distribution and `cdf`; sorts the sample.
 */
static inline double judge_ks(double *sample, size_t count, double (*cdf)(double, const double *),
                              const double *params) {
    qsort(sample, count, sizeof *sample, judge_compare);
    double distance = 0;
    for (size_t i = 0; i < count; i++) {
        double p = cdf(sample[i], params);
        distance = fmax(distance,
                        fmax(p - (double)i / (double)count, (double)(i + 1) / (double)count - p));
    }
    return distance * sqrt((double)count);
}

/* P(sqrt(n) D > 2.694) = 2 exp(-2 x 2.694^2) = 10^-6 (Kolmogorov's limit, large n). */
#define JUDGE_KS_LIMIT 2.694

/* True if the counts fit the expected numbers by chi-square; every expected number should be 5 or
 * more. */
static inline bool judge_counts(const double *found, const double *expected, size_t count) {
    double statistic = 0;
    for (size_t i = 0; i < count; i++) {
        statistic += (found[i] - expected[i]) * (found[i] - expected[i]) / expected[i];
    }
    return gsl_cdf_chisq_Q(statistic, (double)(count - 1)) > 1e-6;
}

/* True if a count of n trials of chance p lies within +-4.892 standard deviations (10^-6). */
static inline bool judge_share(double found, double n, double p) {
    return fabs(found - n * p) <= 4.892 * sqrt(n * p * (1 - p)) + 0.5;
}

/* Adds the bits of x to a digest: FNV-1a over 64-bit words. */
static inline uint64_t judge_digest(uint64_t digest, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    digest = (digest ^ bits) * UINT64_C(0x100000001b3);
    return digest ^ digest >> 29;
}

#endif
