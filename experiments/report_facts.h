/* What the first screen of a report says, worked out from the files of a run. */
#ifndef KNOCKON_EXPERIMENTS_REPORT_FACTS_H
#define KNOCKON_EXPERIMENTS_REPORT_FACTS_H

#include "experiments/run_files.h"
#include "sim/interval.h"

/* A verdict, in how many replications, and Wilson's 95 % interval for its share. */
typedef struct VerdictShare {
    const char *verdict; /* a text of RunFiles */
    size_t count;
    Interval share;
} VerdictShare;

/* A number over the replications that have it; with count 0 the rest is NaN. */
typedef struct Spread {
    size_t count;
    double median, low, high;
} Spread;

/* A component that broke. */
typedef struct CascadeStep {
    uint32_t component;
    size_t count;       /* replications in which it broke */
    size_t own_count;   /* of these, with a fault of its own */
    size_t first_count; /* of these, before all others */
    double mean_rank;   /* 1: always the first */
    Spread at_s;
} CascadeStep;

/* An order in which components broke: breaks[begin .. begin + length) of the first replication that
 * had it, and in how many replications it was so. */
typedef struct CascadePath {
    size_t begin, length, count;
} CascadePath;

/* A bound of `objectives`, judged as the exit status is: by the mean over replications. */
typedef struct ReportObjective {
    char text[160]; /* "web: p99 <= 2s" */
    const char *unit;
    Running values;
    bool is_kept;
} ReportObjective;

typedef struct ReportFacts {
    VEC(VerdictShare) verdicts; /* the most frequent first */
    Spread collapse_s, recovery_s, attempts_max, goodput_min;
    double offered_count, failed_count; /* of all clients, means over replications */
    VEC(CascadeStep) cascade;           /* in the order in which they broke on average */
    VEC(CascadePath) paths;             /* the most frequent first */
    VEC(ReportObjective) objectives;
} ReportFacts;

ReportFacts report_facts_make(const RunFiles *files);
void report_facts_free(ReportFacts *facts);

#endif
