/* The verdict on one replication: it compares the run with its twin, the same scenario and random
 * numbers without the triggers. The rules are those of docs/manual: in their order the first that
 * holds is the verdict, and `why` names what decided, with its numbers.
 */
#ifndef KNOCKON_EXPERIMENTS_VERDICT_H
#define KNOCKON_EXPERIMENTS_VERDICT_H

#include "models/model.h"
#include "models/probe.h"

typedef enum VerdictKind {
    VERDICT_NONE, /* switched off, or the run was cut off before anything could be said */
    VERDICT_OVERLOADED,
    VERDICT_SPONTANEOUS,
    VERDICT_UNFINISHED,
    VERDICT_HEALTHY,
    VERDICT_METASTABLE,
    VERDICT_DEGRADED,
    VERDICT_RECOVERED,
    VERDICT_COUNT
} VerdictKind;

/* The samples of one replication: [sample][component][SERIES_WIDTH]. */
typedef struct SeriesView {
    const double *values;
    uint32_t sample_count;
    uint32_t component_count;
} SeriesView;

/* A component that stopped serving its callers although no fault was its own, or with one. */
typedef struct Breakage {
    uint32_t component;
    double at_s;          /* the start of the sample */
    uint32_t calls_below; /* depth of what it calls: of two in one sample the deeper broke first */
    bool is_own_fault;
} Breakage;

enum { VERDICT_TEXT_SIZE = 320 };

typedef struct Verdict {
    VerdictKind kind;
    double collapse_at_s;     /* goodput went below `healthy` for `hold`; NaN: it never did */
    double recovered_at_s;    /* and was back for `hold`; NaN: it was not, or never fell */
    uint32_t first_to_fail;   /* component; NONE */
    uint32_t cascade_depth;   /* how many calls the furthest broken component is from the first; 0
                                 when   only one broke */
    double amplification_max; /* attempts per request over `hold` */
    double goodput_ratio_min; /* goodput over `hold` against the twin's */
    Breakage *breakages;      /* in the order in which they broke; owned, verdict_free */
    uint32_t breakage_count;
    char why[VERDICT_TEXT_SIZE]; /* one sentence */
} Verdict;

const char *verdict_name(VerdictKind kind);

/* How long after the trigger's end a system may stay down before it counts as metastable. */
SimTime verdict_horizon(const Model *model);

/* Judges a run against its twin; `twin` may be the run itself when there is no trigger. */
void verdict_judge(const Model *model, const SeriesView *run, const SeriesView *twin, Verdict *out);
void verdict_free(Verdict *verdict);

#endif
