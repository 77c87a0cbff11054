/* Confidence intervals, by GSL and libm: for reports and stopping rules, never in the event path.
 *
 * `confidence` is in (0, 1), 0.95 for example. A bound that the data cannot give is NaN, which the
 * writers leave empty. Constant cost unless said.
 */
#ifndef KNOCKON_SIM_INTERVAL_H
#define KNOCKON_SIM_INTERVAL_H

#include <stdint.h>

#include "sim/hist.h"
#include "sim/stats.h"

typedef struct Interval {
    double low, high;
} Interval;

/* A share by Wilson's score interval (JASA 22, 1927): honest at 0 of n and n of n, where the plain
 * normal interval has no width. 0 of 0 is [0, 1]. 8 of 10 at 0.95: [0.4902, 0.9433]. */
Interval interval_wilson(uint64_t successes, uint64_t trials, double confidence);

/* The difference of two independent shares, first minus second, by Newcombe's hybrid of two Wilson
 * intervals (Statistics in Medicine 17, 1998, method 10). They differ when 0 is outside.
 * 56/70 and 48/80 at 0.95: [0.0524, 0.3339], his example. */
Interval interval_proportions(const uint64_t successes[2], const uint64_t trials[2],
                              double confidence);

/* The mean of independent values, one for each replication, by Student's t: mean -+ t s / sqrt(n).
 * For a paired comparison record the differences. NaN below two values. */
Interval interval_mean(const Running *running, double confidence);

/* The mean of one long series from its batch means; NaN below two full batches. */
Interval interval_batch_means(const BatchMeans *batches, double confidence);

/* The ranks, 1 to count, between which the quantile p of independent values lies: the order
 * statistics Bin^-1(alpha/2; count, p) and Bin^-1(1 - alpha/2; count, p) + 1. Rank 0 or count + 1
 * means that the data have no such bound. O(log count). */
typedef struct RankInterval {
    uint64_t low, high;
} RankInterval;
RankInterval interval_quantile_ranks(uint64_t count, double p, double confidence);

/* The same as values. Only for independent values: latencies of one run are correlated, so take one
 * value from each replication then. Adds the histogram's own error to each bound. */
Interval interval_quantile(const Hist *hist, double p, double confidence);

#endif
