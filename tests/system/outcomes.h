/* What the tests of whole scenarios share: a file is compiled and replicated as the command does
 * it, and what its replications came to is kept.
 */
#ifndef KNOCKON_TESTS_SYSTEM_OUTCOMES_H
#define KNOCKON_TESTS_SYSTEM_OUTCOMES_H

#include "experiments/result.h"

enum { OUTCOMES_MAX = 50 };

/* One replication. */
typedef struct Seen {
    Verdict verdict;
    double *summary; /* [component][METRIC_COUNT] over the measured run */
    double *trigger; /* the same, summed over the samples within the trigger: for counts only */
} Seen;

typedef struct Outcomes {
    Model *model;
    Seen runs[OUTCOMES_MAX];
    uint32_t run_count;
    uint32_t verdict_counts[VERDICT_COUNT];
} Outcomes;

/* A path below the project's root, which KNOCKON_DATA names (or the directory of the test run);
 * static until the next call. */
const char *project_path(const char *name);

/* Runs a file with assignments (NULL ends the list), 1 to OUTCOMES_MAX replications. An error ends
 * the test. */
Outcomes outcomes_of(const char *path, const char *const *sets, uint32_t replications);
/* The same of a shipped scenario by its name. */
Outcomes outcomes_of_shipped(const char *name, const char *const *sets, uint32_t replications);
void outcomes_free(Outcomes *outcomes);

#define EACH_RUN(outcomes, seen)                                                                   \
    for (const Seen *seen = (outcomes).runs; seen < (outcomes).runs + (outcomes).run_count; seen++)

/* Ends the test unless all replications have this verdict. */
void outcomes_are(const Outcomes *outcomes, VerdictKind kind);

/* Ends the test unless in each replication just these services broke, in this order: "rag gateway".
 */
void outcomes_broke(const Outcomes *outcomes, const char *names);

/* A metric of a component by name, of one replication. */
double seen_metric(const Outcomes *outcomes, const Seen *seen, const char *component,
                   uint32_t metric);
double seen_in_trigger(const Outcomes *outcomes, const Seen *seen, const char *component,
                       uint32_t metric);

#endif
