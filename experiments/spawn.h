/* Runs another program and waits for it, no longer than it is allowed to take.
 *
 * No shell: the words of argv reach the program as they are. It gets a clean environment (PATH and
 * a UTF-8 locale), nothing to read, its own process group, no file of ours, and its standard error
 * is captured: the first line is kept, whatever follows is read and dropped, so that it cannot
 * block. Past the limit, or when it leaves children behind, the whole group is killed.
 */
#ifndef KNOCKON_EXPERIMENTS_SPAWN_H
#define KNOCKON_EXPERIMENTS_SPAWN_H

#include <stdbool.h>

#include "sim/error.h"

typedef struct Spawn {
    const char *const *argv; /* argv[0] is looked for in PATH; ends in NULL */
    const char *directory;   /* where it runs */
    double limit_s;
} Spawn;

/* True when it ended with status 0. Otherwise one sentence that begins with its name: it could not
 * be started, was killed, took too long, or failed, with the first line it complained with. */
bool spawn_run(const Spawn *spawn, Error *error);

#endif
