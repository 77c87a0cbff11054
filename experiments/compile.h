/* From a scenario's tree to a Model: every mistake of the user's is found here.
 *
 * Names are collected first, so that references may go forwards; then each part is read by its
 * table; then what tables cannot say is checked (cycles, contradictions), and at last what is legal
 * but usually a mistake is warned of. All errors of a file are reported, not only the first.
 */
#ifndef KNOCKON_EXPERIMENTS_COMPILE_H
#define KNOCKON_EXPERIMENTS_COMPILE_H

#include "experiments/doc.h"
#include "experiments/resolved.h"
#include "models/model.h"

enum {
    COMPILE_COMPONENTS_MAX = 4096, /* clients and services */
    COMPILE_EDGES_MAX = 16384,
    COMPILE_DEPTH_MAX = 32,    /* services that call each other in a chain */
    COMPILE_SPIKES_MAX = 1000, /* of one client */
    COMPILE_REPLICAS_MAX = 1000000,
    COMPILE_INSTANCES_MAX = 1000000,      /* of callers, over all calls */
    COMPILE_POLICY_BYTES_MAX = 512 << 20, /* state of callers' policies, over all instances */
    COMPILE_TIMERS_MAX = 30000,    /* timeouts and deadlines; sim/queue.h has classes for each */
    COMPILE_SAMPLES_MAX = 4000000, /* rows of a replication's series: samples x components */
};

/* NULL when there was an error (of `doc` or here): see `diagnostics`. `resolved` may be NULL. The
 * Model is the caller's, and needs none of the others any more. */
Model *compile_scenario(Doc *doc, Diagnostics *diagnostics, Resolved *resolved);

/* Loads a file, carries out the assignments and compiles: what every command that takes FILE does.
 */
Model *compile_file(const char *path, char *const *sets, size_t set_count, Doc *doc,
                    Diagnostics *diagnostics, Resolved *resolved);

#endif
