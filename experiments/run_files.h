/* What an output directory of `knockon run` says, read back from its files: manifest.json,
 * outcome.csv, summary.csv and events.csv. Pictures and the report are made from these alone, so
 * that they can be made again from a directory that was copied here from elsewhere.
 *
 * Nothing of it is believed: a file that is missing, cut off or not ours is an error with its name
 * and line, and texts are whatever someone wrote into a scenario. The time series is not held here:
 * plot_data.h streams it. RunFiles owns everything; run_files_free ends it.
 */
#ifndef KNOCKON_EXPERIMENTS_RUN_FILES_H
#define KNOCKON_EXPERIMENTS_RUN_FILES_H

#include <jansson.h>

#include "models/probe.h"
#include "sim/stats.h"
#include "sim/vec.h"

/* A row of outcome.csv. Missing numbers are NaN, missing texts "". */
typedef struct RunOutcome {
    uint64_t replication;
    char *seed, *verdict, *stopped_by, *first_to_fail;
    double collapse_at_s, recovered_at_s, stopped_at_s;
    double cascade_depth, amplification_max, goodput_ratio_min;
} RunOutcome;

/* A client or service: its rows of summary.csv over the replications. */
typedef struct RunComponent {
    char *name, *kind;
    bool is_client;
    Running metrics[METRIC_COUNT]; /* over the replications that have a value */
    Running failed_count;          /* timed out, refused or in error */
} RunComponent;

/* Whether it is an inference server, of which KV blocks in use say more than slots in use. */
static inline bool run_component_has_blocks(const RunComponent *component) {
    return component->metrics[METRIC_kv_use].count > 0;
}

/* A fault or spike, or, where neither is known, the trigger; of one that did not end, end_s is NaN.
 */
typedef struct RunWindow {
    double begin_s, end_s;
    bool is_spike;
    char *component, *label;
} RunWindow;

/* One component's breaking in one replication, and whether a fault of its own was on. */
typedef struct RunBreak {
    uint64_t replication;
    double at_s;
    uint32_t component;
    bool is_own_fault;
} RunBreak;

typedef struct RunFiles {
    json_t *manifest;
    VEC(RunOutcome) outcomes;
    VEC(RunComponent) components;
    VEC(RunWindow) windows; /* faults of the first replication, and spikes, by their begin */
    double trigger_begin_s, trigger_end_s; /* NaN: no trigger, or not ended */
    VEC(RunBreak) breaks;
    char *why;                /* what the verdict said of the first replication that had it … */
    uint64_t why_replication; /* … with the most frequent verdict */
} RunFiles;

/* `path` is the output directory. On failure there is nothing to free. */
bool run_files_read(RunFiles *files, const char *path, Error *error);
void run_files_free(RunFiles *files);

/* The index of a component; NONE when there is none of this name. O(components), O(1) when `hint`
 * is the component before it, as in files that list them in order. */
uint32_t run_files_component(const RunFiles *files, const char *name, uint32_t hint);

/* A text at the top level of the manifest, or under "knockon"; "" when it is not there. */
const char *run_files_text(const RunFiles *files, const char *key);
const char *run_files_own_text(const RunFiles *files, const char *key);

/* The resolved scenario: how many values it has, and each one's path, value and origin. */
typedef struct RunValue {
    const char *path, *value, *origin;
} RunValue;
size_t run_files_value_count(const RunFiles *files);
RunValue run_files_value(const RunFiles *files, size_t index);

/* "DIR/NAME"; the caller's to free. */
char *path_join(const char *directory, const char *name);

/* The value that a share `p` of the sorted values lies at or below (nearest rank); NaN of none. */
double sorted_quantile(const double *values, size_t count, double p);
int compare_doubles(const void *a, const void *b);

#endif
