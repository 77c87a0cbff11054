#include "experiments/verdict_windows.h"

#include <math.h>

#include "sim/check.h"
#include "sim/vec.h"

static double or_zero(double value) {
    return isnan(value) ? 0 : value;
}

void sums_init(Sums *sums, const SeriesView *view, uint32_t first, uint32_t end) {
    size_t count = (size_t)view->sample_count + 1;
    *sums = (Sums){.offered = mem_zalloc(count, sizeof(double)),
                   .answered = mem_zalloc(count, sizeof(double)),
                   .failed = mem_zalloc(count, sizeof(double)),
                   .attempts = mem_zalloc(count, sizeof(double)),
                   .in_system = mem_zalloc(count, sizeof(double)),
                   .sample_count = view->sample_count};
    CHECK(first <= end && end <= view->component_count);
    for (uint32_t i = 0; i < view->sample_count; i++) {
        sums->offered[i + 1] = sums->offered[i];
        sums->answered[i + 1] = sums->answered[i];
        sums->failed[i + 1] = sums->failed[i];
        sums->attempts[i + 1] = sums->attempts[i];
        sums->in_system[i + 1] = sums->in_system[i];
        for (uint32_t k = first; k < end; k++) {
            const double *row =
                view->values + ((size_t)i * view->component_count + k) * SERIES_WIDTH;
            sums->offered[i + 1] += or_zero(row[METRIC_offered]);
            sums->answered[i + 1] += or_zero(row[METRIC_answered]);
            sums->failed[i + 1] += or_zero(row[METRIC_timeouts]) + or_zero(row[METRIC_refused]) +
                                   or_zero(row[METRIC_errors]);
            sums->attempts[i + 1] += or_zero(row[METRIC_attempts]);
            sums->in_system[i + 1] += or_zero(row[METRIC_in_system_mean]);
        }
    }
}

void sums_free(Sums *sums) {
    mem_free(sums->offered);
    mem_free(sums->answered);
    mem_free(sums->failed);
    mem_free(sums->attempts);
    mem_free(sums->in_system);
}

/* How many samples an answer lags behind its arrival, by Little's law. */
static uint32_t lag_of(const Sums *calm, uint32_t from, uint32_t to) {
    double offered = sums_over(calm->offered, from, to);
    double lag = offered > 0 ? ceil(sums_over(calm->in_system, from, to) / offered) : 0;
    return lag < from ? (uint32_t)lag : from;
}

/* How many arrivals the answers in samples [from, to) can be held against. Without a twin the lag
 * is the run's own, and no longer than the window. */
static double arrivals_for(const Sums *run, const Sums *twin, uint32_t from, uint32_t to) {
    uint32_t lag = lag_of(twin != NULL ? twin : run, from, to);
    if (twin == NULL && lag > to - from) {
        lag = to - from < from ? to - from : from;
    }
    return fmin(sums_over(run->offered, from, to), sums_over(run->offered, from - lag, to - lag));
}

double expected_answers(const Sums *run, const Sums *twin, uint32_t from, uint32_t to) {
    CHECK(from <= to);
    double offered = arrivals_for(run, twin, from, to);
    if (twin == NULL) {
        return offered;
    }
    double twin_offered = sums_over(twin->offered, from, to);
    double twin_answered = sums_over(twin->answered, from, to);
    double share = twin_offered > 0 ? twin_answered / twin_offered : 1;
    return fmin(twin_answered, offered * fmin(share, 1));
}

bool is_short(const Sums *run, const Sums *twin, uint32_t from, uint32_t to, double healthy) {
    CHECK(from < to);
    const Sums *calm = twin != NULL ? twin : run;
    double expected = expected_answers(run, twin, from, to);
    double answered = sums_over(run->answered, from, to);
    /* Without a twin the run's own backlog must not excuse it: at most a tenth of what arrived. */
    double in_system = sums_over(calm->in_system, from, to) / (to - from);
    double slack = fmin(3 * sqrt(2 * in_system), twin != NULL ? expected / 2 : expected / 10);
    return expected > 0 && answered < healthy * expected - slack;
}

bool is_failing(const Sums *run, uint32_t from, uint32_t to, double healthy) {
    CHECK(from < to);
    double answered = sums_over(run->answered, from, to);
    double ended = answered + sums_over(run->failed, from, to);
    return answered < healthy * ended - 3 * sqrt(ended * healthy * (1 - healthy));
}
