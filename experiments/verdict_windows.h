/* Goodput over a moving window, of all clients together or of one service: what the verdict looks
 * at.
 *
 * A window holds the last `hold` worth of samples. Answers lag behind arrivals, so the count of
 * answers in a window scatters by what is in progress at its two ends, about sqrt(2 L) with L in
 * the system (Little). A shortage of no more than 3 of these deviations is not called a shortage.
 */
#ifndef KNOCKON_EXPERIMENTS_VERDICT_WINDOWS_H
#define KNOCKON_EXPERIMENTS_VERDICT_WINDOWS_H

#include "experiments/verdict.h"

/* Running sums over samples, so that any window is a difference: element i is the sum of samples
 * 0 … i - 1. */
typedef struct Sums {
    double *offered, *answered, *failed, *attempts, *in_system;
    uint32_t sample_count;
} Sums;

/* The sums over components [first, end). Free with sums_free. */
void sums_init(Sums *sums, const SeriesView *view, uint32_t first, uint32_t end);
void sums_free(Sums *sums);

/* Samples [from, to). */
static inline double sums_over(const double *sums, uint32_t from, uint32_t to) {
    return sums[to] - sums[from];
}

/* What the twin would have made of the run's own arrivals in samples [from, to), at most what it
 * made of its own: after a spike the two do not see the same requests. Those that arrive in the
 * window or those that arrive earlier by the mean latency, whichever are fewer: a crowd at the
 * window's end cannot have been answered yet. `twin` NULL: all that arrived. */
double expected_answers(const Sums *run, const Sums *twin, uint32_t from, uint32_t to);

/* Whether the answers in samples [from, to) fall short of `healthy` times what is expected. */
bool is_short(const Sums *run, const Sums *twin, uint32_t from, uint32_t to, double healthy);

/* Whether of the requests that ended in samples [from, to) more failed than `healthy` and chance
 * allow: 3 standard deviations of a binomial count. A run is looked at by itself: a crowd that is
 * only late has failed nobody. */
bool is_failing(const Sums *run, uint32_t from, uint32_t to, double healthy);

#endif
