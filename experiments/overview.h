/* What all replications say together: for the terminal, --json and the exit status.
 *
 * Results are added one by one, in order. Memory does not grow with their number but for two
 * doubles each: the times at which they fell and came back.
 */
#ifndef KNOCKON_EXPERIMENTS_OVERVIEW_H
#define KNOCKON_EXPERIMENTS_OVERVIEW_H

#include "experiments/result.h"
#include "sim/interval.h"
#include "sim/stats.h"

/* An objective is kept when the mean over replications keeps its bound and none lacks the value. */
typedef struct ObjectiveResult {
    Running values;
    uint32_t missed_count; /* replications that miss it by themselves */
} ObjectiveResult;

typedef struct Overview {
    const Model *model;
    uint32_t count; /* replications */
    uint32_t truncated_count;
    uint32_t verdicts[VERDICT_COUNT];
    char why[VERDICT_COUNT][VERDICT_TEXT_SIZE]; /* of the first replication with that verdict */
    uint32_t *first_to_fail; /* by component: replications in which it broke first */
    VEC(double) collapse_at_s, recovered_at_s, detected_at_s;
    Running *metrics; /* [component][METRIC_COUNT]; missing values take no part */
    ObjectiveResult *objectives;
    VEC(double) offered, goodput; /* by sample: per second, all clients, summed over replications */
    uint64_t event_count;
} Overview;

void overview_init(Overview *overview, const Model *model);
void overview_free(Overview *overview);
void overview_add(Overview *overview, const Result *result);

/* The verdict of most replications; the first in order of the table among equals. */
VerdictKind overview_verdict(const Overview *overview);

bool overview_objective_is_kept(const Overview *overview, uint32_t objective);
bool overview_objectives_are_kept(const Overview *overview);

const Running *overview_metric(const Overview *overview, uint32_t component, uint32_t metric);

/* The median; NaN of nothing. Sorts. */
double overview_median(double *values, size_t count);

#endif
