/* The CSV files of one run, begun together and put in place together.
 *
 * All are written under temporary names while the run goes on. At the end the old manifest goes
 * first and the new one comes last (manifest.h), so that a directory with a manifest is whole. When
 * a file cannot be written none of this run is left.
 */
#ifndef KNOCKON_EXPERIMENTS_RUN_OUT_H
#define KNOCKON_EXPERIMENTS_RUN_OUT_H

#include "experiments/tables.h"

typedef struct OpenTable {
    const Table *table;
    CsvOut csv;
    void *state;
} OpenTable;

typedef struct RunOut {
    const Model *model;
    const OutDir *dir;
    OpenTable open[TABLE_COUNT];
    uint32_t open_count;
    FileFacts facts[TABLE_COUNT]; /* once finished, in the order of `open` */
} RunOut;

/* Begins the files that the scenario asks for in a directory that outlives them. */
bool run_out_open(RunOut *out, const Model *model, const OutDir *dir, bool has_requests,
                  Error *error);

/* Adds one replication's rows. False when a file cannot be written any more: finish says why. */
bool run_out_add(RunOut *out, const Result *result);

/* Puts all files in place; on failure they are abandoned. */
bool run_out_finish(RunOut *out, Error *error);

/* Removes finished files again, when what belongs to them could not be written. */
void run_out_remove(const RunOut *out);

/* The last call in any case: frees, and removes what was not finished. */
void run_out_close(RunOut *out);

#endif
