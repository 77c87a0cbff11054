/* A histogram of non-negative int64 (nanoseconds, tokens, counts) with logarithmic buckets.
 *
 * A bucket is an exponent and the 6 bits below the top bit. Values below 128 are exact; a larger
 * one is reported as the middle of its bucket, at most 1/128 (0.79 %) off. Counts are integers, so
 * merging is exact and its order does not matter: the same quantiles for any number of threads.
 * That is the guarantee which a P-square or t-digest estimate does not give on the two-humped data
 * of an outage (DDSketch, VLDB 2019, has the argument). Count, sum, minimum and maximum are exact.
 *
 * A Hist is a plain struct of 29 KiB that owns nothing: copy it with `=`; zeroed memory is an empty
 * one. Recording costs about 2 ns and never allocates. Pages of buckets that no value reaches are
 * never touched, so a thousand of them in fresh zeroed memory cost little. Its alignment is 16, as
 * that of any struct with an __int128.
 */
#ifndef KNOCKON_SIM_HIST_H
#define KNOCKON_SIM_HIST_H

#include <stdint.h>

#include "sim/check.h"

enum {
    HIST_MANTISSA_BITS = 6,
    HIST_EXACT_BELOW = 2 << HIST_MANTISSA_BITS,
    HIST_BUCKET_COUNT = (62 - HIST_MANTISSA_BITS + 2) << HIST_MANTISSA_BITS
};

/* The largest relative error of a reported quantile: half a bucket's width over its lower end. */
#define HIST_RELATIVE_ERROR (1.0 / HIST_EXACT_BELOW)

typedef struct Hist {
    unsigned __int128 sum; /* cannot overflow: 2^64 values below 2^63 */
    uint64_t count;
    int64_t max;
    int64_t min_from_top; /* INT64_MAX - minimum: so that zeroed memory is an empty histogram */
    uint64_t buckets[HIST_BUCKET_COUNT];
} Hist;

/* The bucket of a value: below 128 the value itself, else 64 buckets for each power of two. */
static inline uint32_t hist_bucket(int64_t value) {
    DCHECK(value >= 0);
    uint64_t bits = (uint64_t)value;
    int shift = (63 - HIST_MANTISSA_BITS) - __builtin_clzll(bits | (HIST_EXACT_BELOW / 2));
    return ((uint32_t)shift << HIST_MANTISSA_BITS) + (uint32_t)(bits >> shift);
}

/* Records one value, 0 or more, whose bucket is known. */
static inline void hist_record_in(Hist *hist, uint32_t bucket, int64_t value) {
    CHECK(value >= 0);
    DCHECK(bucket == hist_bucket(value));
    hist->buckets[bucket]++;
    hist->count++;
    hist->sum += (uint64_t)value;
    int64_t from_top = INT64_MAX - value;
    hist->max = value > hist->max ? value : hist->max;
    hist->min_from_top = from_top > hist->min_from_top ? from_top : hist->min_from_top;
}

/* Records the same value `count` times, 1 or more. */
static inline void hist_record_many_in(Hist *hist, uint32_t bucket, int64_t value, uint64_t count) {
    CHECK(value >= 0);
    DCHECK(bucket == hist_bucket(value) && count > 0);
    hist->buckets[bucket] += count;
    hist->count += count;
    hist->sum += (unsigned __int128)(uint64_t)value * count;
    int64_t from_top = INT64_MAX - value;
    hist->max = value > hist->max ? value : hist->max;
    hist->min_from_top = from_top > hist->min_from_top ? from_top : hist->min_from_top;
}

/* Records one value, 0 or more. */
static inline void hist_record(Hist *hist, int64_t value) {
    hist_record_in(hist, hist_bucket(value), value);
}

/* The smallest value of a bucket, and the number of values that share it. */
int64_t hist_bucket_low(uint32_t bucket);
int64_t hist_bucket_width(uint32_t bucket);

/* Exact extremes; 0 when nothing was recorded. */
int64_t hist_min(const Hist *hist);
int64_t hist_max(const Hist *hist);

/* The exact sum, rounded once, over the count; NaN when nothing was recorded. */
double hist_mean(const Hist *hist);

/* The quantile of probability p in [0, 1] by nearest rank: the value of rank ceil(p x count), at
 * least 1. Within HIST_RELATIVE_ERROR of the true one and within [min, max]; 0 when empty. A
 * product that only rounding lifts above a whole number counts as that number. */
int64_t hist_quantile(const Hist *hist, double p);

/* The value of a rank, 1 (the minimum) to count (the maximum), with the same error. */
int64_t hist_at_rank(const Hist *hist, uint64_t rank);

/* Adds what `other` recorded. */
void hist_merge(Hist *hist, const Hist *other);

/* Forgets everything; costs as much as the range that was used. */
void hist_clear(Hist *hist);

#endif
