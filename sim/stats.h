/* Running statistics in constant memory: moments, levels over time, batch means.
 *
 * All three are plain structs that own nothing and are copied with `=`. Recording is O(1), without
 * libm, and gives equal bits for every compiler; merge in the order of the replications, because
 * sums of doubles depend on it. Intervals for these are in sim/interval.h.
 */
#ifndef KNOCKON_SIM_STATS_H
#define KNOCKON_SIM_STATS_H

#include <stdint.h>

#include "sim/check.h"
#include "sim/clock.h"

/* Count, mean and spread by Welford's recurrence (Technometrics 4, 1962), which does not cancel as
 * a sum of squares does. Zeroed memory is an empty one. */
typedef struct Running {
    uint64_t count;
    double mean;     /* 0 when empty */
    double squares;  /* sum of squared distances from the mean */
    double min, max; /* 0 when empty */
} Running;

/* Records one finite value. */
static inline void running_record(Running *running, double value) {
    DCHECK(value - value == 0);
    running->min = running->count == 0 || value < running->min ? value : running->min;
    running->max = running->count == 0 || value > running->max ? value : running->max;
    running->count++;
    double distance = value - running->mean;
    running->mean += distance / (double)running->count;
    running->squares += distance * (value - running->mean);
    DCHECK(!(running->squares < 0));
}

/* Adds what `other` recorded (Chan, Golub and LeVeque 1979). */
void running_merge(Running *running, const Running *other);

/* Sample variance and its square root; NaN below two values. */
double running_variance(const Running *running);
double running_deviation(const Running *running);

/* A whole number that changes at instants: requests in a system, slots that are busy. Its integral
 * over time is an exact integer (level x nanoseconds), so that Little's law holds without
 * tolerance.
 */
typedef struct Level {
    __int128 moment; /* minus the sum of change x time: the integral is value x t plus this */
    int64_t value;   /* now; never negative */
    SimTime start;   /* where the measurement began */
    SimTime since;   /* of the last change */
    SimTime at_zero; /* time spent at 0 from `start` to `since` */
} Level;

/* Begins to measure at `now` with `value`. */
void level_init(Level *level, SimTime now, int64_t value);

/* Forgets the past and keeps the value: the end of a warm-up. */
void level_restart(Level *level, SimTime now);

/* The level changes by `delta` and is 0 or more after it; time never goes backwards. Adding the
 * moment of the change instead of an area, and no branch on what chance decides, halve the cost. */
static inline void level_add(Level *level, SimTime now, int64_t delta) {
    SimTime held = now - level->since;
    level->at_zero += level->value == 0 ? held : 0;
    level->since = now;
    level->value += delta;
    level->moment -= (__int128)delta * now;
    CHECK(held >= 0 && level->value >= 0);
}

/* The same when changes come in any order, of parts that each keep their own time: `at` may lie
 * before a change made already, but not before `start`. The integral is linear in the changes, so
 * it is exact from the latest of them on; the time at zero is not known for such a level. */
static inline void level_add_at(Level *level, SimTime at, int64_t delta) {
    CHECK(at >= level->start);
    level->since = at > level->since ? at : level->since;
    level->value += delta;
    level->moment -= (__int128)delta * at;
    CHECK(level->value >= 0);
}

/* The level becomes `value`, 0 or more. */
static inline void level_set(Level *level, SimTime now, int64_t value) {
    DCHECK(value >= 0);
    level_add(level, now, value - level->value);
}

/* From `start` to `now`, which is not before the last change: the exact integral in level x ns, the
 * time at zero in ns, and the time average (NaN when no time has passed). */
__int128 level_integral(const Level *level, SimTime now);
SimTime level_time_at_zero(const Level *level, SimTime now);
double level_mean(const Level *level, SimTime now);

/* Means of consecutive batches of a correlated series, for an interval from one long run. The batch
 * size doubles whenever BATCH_MEANS_MAX batches are full, so that from the 20th value on there are
 * 20 to 39 batches, whatever the length: the range in which the interval holds (validation.md 6).
 * Zeroed memory is an empty one. */
enum { BATCH_MEANS_MAX = 40 };

typedef struct BatchMeans {
    double sums[BATCH_MEANS_MAX]; /* of the full batches */
    double open_sum;              /* of the batch being filled */
    uint64_t size_log2;           /* a batch is 2^size_log2 values */
    uint64_t open_count;
    uint32_t count; /* full batches */
} BatchMeans;

/* Records the next value of the series. */
void batch_means_record(BatchMeans *batches, double value);

/* Mean and spread of the means of the full batches; the values of an open batch are left out. */
Running batch_means_running(const BatchMeans *batches);

/* Correlation of neighbouring batch means. Well above 0 (say 0.3) the run is too short for its
 * interval. NaN below three full batches, or when all are equal. */
double batch_means_lag1(const BatchMeans *batches);

#endif
