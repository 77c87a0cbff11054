/* Which services stopped serving their callers, in which order: part of the verdict. */
#ifndef KNOCKON_EXPERIMENTS_VERDICT_CASCADE_H
#define KNOCKON_EXPERIMENTS_VERDICT_CASCADE_H

#include "experiments/verdict.h"

/* Fills in the breakages, the first to fail and the depth. A service is broken when over `hold` it
 * answers less than `healthy` of what its twin would have answered of the attempts that reached it.
 */
void cascade_find(const Model *model, const SeriesView *run, const SeriesView *twin,
                  Verdict *verdict);

#endif
