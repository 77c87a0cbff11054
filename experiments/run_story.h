/* knockon run --trace: the story of the first replication on the standard output, a line a step,
 * and no files. */
#ifndef KNOCKON_EXPERIMENTS_RUN_STORY_H
#define KNOCKON_EXPERIMENTS_RUN_STORY_H

#include "models/model.h"
#include "sim/error.h"

/* An ExitStatus; for EXIT_INPUT `error` says why. */
int run_story(const Model *model, Error *error);

#endif
