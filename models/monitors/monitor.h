/* Monitors: what looks at the measures of a component now and then, as Prometheus does, and says
 * whether its alert should fire. A monitor sees what the probe has counted, nothing else.
 */
#ifndef KNOCKON_MODELS_MONITORS_MONITOR_H
#define KNOCKON_MODELS_MONITORS_MONITOR_H

#include "models/probe.h"

/* What one scrape brings. */
typedef struct Scrape {
    const double *values; /* by Metric, since the scrape before; NULL: nothing came */
    SimTime interval;
    bool has_fired; /* by the scrape before */
} Scrape;

typedef struct MonitorOps {
    /* The component that it looks at. */
    uint32_t (*component)(const void *params);
    /* Bytes that it keeps between scrapes, zeroed at the start. */
    size_t (*state_size)(const void *params, SimTime interval);
    /* Whether the alert should fire by what is known now. */
    bool (*fires)(const void *params, void *state, const Scrape *scrape);
    /* How far it looks back; more than the run is warned of. NULL: no further than its scrape. */
    SimTime (*window)(const void *params);
} MonitorOps;

/* The start of the parameters of those that look at one measure. The texts are as written;
 * experiments/ reads them and fills in the rest, because a bound has the measure's own unit. */
typedef struct MonitorMetric {
    uint32_t component;
    const char *name;
    const char *above, *below; /* NULL */
    uint32_t metric;           /* Metric */
    double bound;
    SimTime lasts; /* `for` */
} MonitorMetric;

/* For how long a condition has held, scrape by scrape. */
typedef struct MonitorHeld {
    SimTime held; /* at the latest scrape; a first one counts as 0 */
    bool is_held;
} MonitorHeld;

/* Whether it has held for `lasts`, now that it holds or not. */
static inline bool monitor_held(MonitorHeld *state, bool holds, SimTime interval, SimTime lasts) {
    state->held = holds && state->is_held ? state->held + interval : 0;
    state->is_held = holds;
    DCHECK(state->held >= 0);
    return holds && state->held >= lasts;
}

#endif
