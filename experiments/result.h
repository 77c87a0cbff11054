/* What one replication leaves behind: its numbers, moved out of the World.
 *
 * A Result owns what it points to, except that its Notes and Verdict name parts of the Model, which
 * outlives it. The series is moved, not copied; it is nearly all of the memory: 270 bytes a sample
 * and component.
 */
#ifndef KNOCKON_EXPERIMENTS_RESULT_H
#define KNOCKON_EXPERIMENTS_RESULT_H

#include "experiments/verdict.h"
#include "models/world.h"

typedef struct Result {
    uint32_t replication; /* from 0; files count from 0 too */
    uint32_t component_count, sample_count;
    double *summary; /* [component][METRIC_COUNT] */
    double *series;  /* [sample][component][SERIES_WIDTH]; NULL when there is no sample */
    VEC(Note) changes;
    VEC(RequestRecord) requests; /* in the order in which they ended, the unfinished last */
    uint64_t event_count, tie_count, fingerprint;
    StopReason stop_reason;
    SimTime stopped_at;
    SimTime trigger_to; /* when the trigger was over, if there was one */
    Verdict verdict;
} Result;

/* Takes a finished run's numbers; `world` can only be destroyed after that. `changes` and
 * `requests` are filled during the run by whoever listens, so `out` keeps what it has of them. */
void result_take(World *world, Result *out);
void result_free(Result *result);

SeriesView result_series(const Result *result);

/* When the first alert fired that the trigger may have caused, in seconds; NaN: none did. */
double result_detected_at_s(const Model *model, const Result *result);

/* The word of outcome.csv: "end", "stop_when", "max_events" … */
const char *stop_reason_name(StopReason reason);

/* A budget of the run was hit: its numbers are those of a part of the run. */
bool stop_reason_truncates(StopReason reason);

#endif
