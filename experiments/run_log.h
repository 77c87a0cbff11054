/* run.log: what depends on the clock and the machine, and so is in no other file. */
#ifndef KNOCKON_EXPERIMENTS_RUN_LOG_H
#define KNOCKON_EXPERIMENTS_RUN_LOG_H

#include "experiments/file_out.h"

typedef struct RunLog {
    const OutDir *dir;
    const char *command, *status;
    uint32_t jobs, replication_count;
    uint64_t event_count;
    double elapsed_s;
} RunLog;

bool run_log_write(const RunLog *log, Error *error);

#endif
