#include "sim/hist.h"

#include <math.h>
#include <string.h>

int64_t hist_bucket_low(uint32_t bucket) {
    CHECK(bucket < HIST_BUCKET_COUNT);
    if (bucket < HIST_EXACT_BELOW) {
        return bucket;
    }
    uint32_t shift = (bucket >> HIST_MANTISSA_BITS) - 1;
    return (int64_t)(bucket - (shift << HIST_MANTISSA_BITS)) << shift;
}

int64_t hist_bucket_width(uint32_t bucket) {
    CHECK(bucket < HIST_BUCKET_COUNT);
    return bucket < HIST_EXACT_BELOW ? 1 : INT64_C(1) << ((bucket >> HIST_MANTISSA_BITS) - 1);
}

int64_t hist_min(const Hist *hist) {
    CHECK(hist->min_from_top >= 0);
    return hist->count == 0 ? 0 : INT64_MAX - hist->min_from_top;
}

int64_t hist_max(const Hist *hist) {
    CHECK(hist->max >= 0);
    return hist->max;
}

double hist_mean(const Hist *hist) {
    CHECK(hist->count > 0 || hist->sum == 0);
    return hist->count == 0 ? NAN : (double)hist->sum / (double)hist->count;
}

int64_t hist_at_rank(const Hist *hist, uint64_t rank) {
    CHECK(rank >= 1 && rank <= hist->count);
    int64_t min = hist_min(hist);
    uint32_t bucket = hist_bucket(min);
    for (uint64_t passed = hist->buckets[bucket]; passed < rank; passed += hist->buckets[bucket]) {
        bucket++;
        CHECK(bucket < HIST_BUCKET_COUNT);
    }
    CHECK(min <= hist->max);
    int64_t middle = hist_bucket_low(bucket) + (hist_bucket_width(bucket) - 1) / 2;
    return middle < min ? min : middle > hist->max ? hist->max : middle;
}

/* ceil(p x count) without libm. p is a rounded decimal and the product is rounded once more, so
 * 0.07 x 100 comes out as 7.000000000000001: what is that close above a whole number is that one.
 */
static uint64_t hist_rank(uint64_t count, double p) {
    const double slack = 4 * 0x1p-52;
    double product = p * (double)count * (1 - slack);
    if (product >= (double)count) {
        return count;
    }
    uint64_t whole = (uint64_t)product;
    CHECK(whole < count);
    uint64_t rank = (double)whole < product ? whole + 1 : whole;
    return rank < 1 ? 1 : rank > count ? count : rank;
}

int64_t hist_quantile(const Hist *hist, double p) {
    CHECK(p >= 0 && p <= 1);
    return hist->count == 0 ? 0 : hist_at_rank(hist, hist_rank(hist->count, p));
}

void hist_merge(Hist *hist, const Hist *other) {
    CHECK(hist != other);
    if (other->count == 0) {
        return;
    }
    uint32_t last = hist_bucket(other->max);
    for (uint32_t bucket = hist_bucket(hist_min(other)); bucket <= last; bucket++) {
        hist->buckets[bucket] += other->buckets[bucket];
    }
    CHECK(hist->count <= UINT64_MAX - other->count);
    hist->sum += other->sum;
    hist->count += other->count;
    hist->max = other->max > hist->max ? other->max : hist->max;
    hist->min_from_top =
        other->min_from_top > hist->min_from_top ? other->min_from_top : hist->min_from_top;
}

void hist_clear(Hist *hist) {
    CHECK(hist->max >= 0);
    if (hist->count == 0) {
        return; /* nor is a page touched that holds nothing */
    }
    uint32_t first = hist_bucket(hist_min(hist));
    uint32_t count = hist_bucket(hist->max) - first + 1;
    memset(&hist->buckets[first], 0, count * sizeof hist->buckets[0]);
    hist->sum = 0;
    hist->count = 0;
    hist->max = 0;
    hist->min_from_top = 0;
}
