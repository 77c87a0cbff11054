/* manifest.json: what a directory of results is, as a Frictionless data package.
 *
 * Files with their columns, row counts and SHA-256; and under "knockon" the version, the command,
 * the resolved scenario with the origin of each value, its hash, and the seed. Nothing in it
 * depends on the machine, the clock or the number of threads: that goes to run.log.
 */
#ifndef KNOCKON_EXPERIMENTS_MANIFEST_H
#define KNOCKON_EXPERIMENTS_MANIFEST_H

#include "experiments/resolved.h"
#include "experiments/run_out.h"

#define MANIFEST_NAME "manifest.json"

enum { MANIFEST_HASH_SIZE = 2 * SHA256_DIGEST_SIZE + 1 };

typedef struct Manifest {
    const Model *model;
    const Resolved *resolved;
    const Diagnostics *diagnostics;
    const char *command;        /* as it could be typed again */
    const char *status;         /* "complete", "truncated" or "interrupted" */
    uint32_t replication_count; /* finished */
    char hash[MANIFEST_HASH_SIZE];
} Manifest;

/* SHA-256 over path and value of every line of the resolved scenario, but for the seed and the
 * number of replications, and over the content of every trace it replays, in lower-case hex. */
bool manifest_hash_scenario(const Model *model, const Resolved *resolved,
                            char hash[MANIFEST_HASH_SIZE], Error *error);

/* Writes it for the files of a finished run. */
bool manifest_write(const Manifest *manifest, const RunOut *run, Error *error);

/* Whether results of this scenario, seed and version may go to `path`: it holds results of the
 * same, or no file of a result's name. To be asked before the directory is opened (opening leaves a
 * lock, by which directories of ours are known). */
bool manifest_allows(const Manifest *manifest, const char *path, Error *error);

#endif
