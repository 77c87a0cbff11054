#include "sim/stats.h"

#include <math.h>

void running_merge(Running *running, const Running *other) {
    CHECK(running != other && !(other->squares < 0));
    if (other->count == 0) {
        return;
    }
    if (running->count == 0) {
        *running = *other;
        return;
    }
    double here = (double)running->count;
    double there = (double)other->count;
    double distance = other->mean - running->mean;
    running->mean += distance * (there / (here + there));
    running->squares += other->squares + distance * distance * (here * there / (here + there));
    running->count += other->count;
    running->min = other->min < running->min ? other->min : running->min;
    running->max = other->max > running->max ? other->max : running->max;
}

double running_variance(const Running *running) {
    CHECK(!(running->squares < 0));
    return running->count < 2 ? NAN : running->squares / (double)(running->count - 1);
}

double running_deviation(const Running *running) {
    return sqrt(running_variance(running));
}

void level_init(Level *level, SimTime now, int64_t value) {
    CHECK(value >= 0);
    *level = (Level){.moment = -(__int128)value * now, .value = value, .start = now, .since = now};
}

void level_restart(Level *level, SimTime now) {
    CHECK(now >= level->since);
    level_init(level, now, level->value);
}

__int128 level_integral(const Level *level, SimTime now) {
    CHECK(now >= level->since);
    return level->moment + (__int128)level->value * now;
}

SimTime level_time_at_zero(const Level *level, SimTime now) {
    CHECK(now >= level->since);
    return level->at_zero + (level->value == 0 ? now - level->since : 0);
}

double level_mean(const Level *level, SimTime now) {
    CHECK(now >= level->start);
    return now == level->start ? NAN
                               : (double)level_integral(level, now) / (double)(now - level->start);
}

/* Joins neighbours, which halves the number of batches and doubles their size. */
static void batch_means_fold(BatchMeans *batches) {
    CHECK(batches->count == BATCH_MEANS_MAX && batches->open_count == 0);
    for (uint32_t i = 0; i < BATCH_MEANS_MAX / 2; i++) {
        batches->sums[i] = batches->sums[2 * i] + batches->sums[2 * i + 1];
    }
    batches->count = BATCH_MEANS_MAX / 2;
    batches->size_log2++;
}

void batch_means_record(BatchMeans *batches, double value) {
    DCHECK(value - value == 0);
    batches->open_sum += value;
    batches->open_count++;
    if (batches->open_count < UINT64_C(1) << batches->size_log2) {
        return;
    }
    CHECK(batches->count < BATCH_MEANS_MAX);
    batches->sums[batches->count++] = batches->open_sum;
    batches->open_sum = 0;
    batches->open_count = 0;
    if (batches->count == BATCH_MEANS_MAX) {
        batch_means_fold(batches);
    }
}

static double batch_means_mean(const BatchMeans *batches, uint32_t batch) {
    CHECK(batch < batches->count);
    return batches->sums[batch] / (double)(UINT64_C(1) << batches->size_log2);
}

Running batch_means_running(const BatchMeans *batches) {
    CHECK(batches->count < BATCH_MEANS_MAX);
    Running running = {0};
    for (uint32_t i = 0; i < batches->count; i++) {
        running_record(&running, batch_means_mean(batches, i));
    }
    return running;
}

double batch_means_lag1(const BatchMeans *batches) {
    Running running = batch_means_running(batches);
    if (running.count < 3 || !(running.squares > 0)) {
        return NAN;
    }
    double products = 0;
    for (uint32_t i = 1; i < batches->count; i++) {
        products += (batch_means_mean(batches, i - 1) - running.mean) *
                    (batch_means_mean(batches, i) - running.mean);
    }
    double lag1 = products / running.squares;
    CHECK(lag1 > -1.001 && lag1 < 1.001); /* Cauchy and Schwarz; the rest is rounding */
    return lag1;
}
