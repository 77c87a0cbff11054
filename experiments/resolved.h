/* The resolved scenario: every scalar that was used, under its path, and who gave it.
 *
 * The schema's reader fills it on the way, in the order of its tables, so that two files which say
 * the same differ only in `origin` and place; a preset's name is therefore an origin and no value.
 * Owns its texts. A NULL Resolved is allowed everywhere
 * and keeps nothing.
 */
#ifndef KNOCKON_EXPERIMENTS_RESOLVED_H
#define KNOCKON_EXPERIMENTS_RESOLVED_H

#include <stdbool.h>
#include <stdio.h>

#include "experiments/doc.h"

typedef struct ResolvedValue {
    char *path;     /* "services.llm.server.pool.concurrency" */
    char *value;    /* as written, or the preset's text */
    uint8_t origin; /* DocOrigin */
    Place place;    /* where it was written; of a default, the map that lacks it */
} ResolvedValue;

typedef struct Resolved { /* {0} is ready for use */
    VEC(ResolvedValue) values;
    VEC(char) path; /* of what is being read now, no NUL */
} Resolved;

void resolved_free(Resolved *resolved);

/* Goes one key deeper; returns what resolved_leave needs. An empty key adds nothing. */
size_t resolved_enter(Resolved *resolved, const char *key);
size_t resolved_enter_item(Resolved *resolved, uint32_t index);
void resolved_leave(Resolved *resolved, size_t mark);

/* Keeps a scalar under the path of now. */
void resolved_add(Resolved *resolved, const DocNode *scalar);

/* "scen.yaml:12", "--set run.seed=7", "preset qwen3-14b/h100-tp1" or "default". */
void resolved_print_origin(const ResolvedValue *value, const Diagnostics *diagnostics, FILE *out);

/* One line a value: path, value, origin. */
void resolved_print(const Resolved *resolved, const Diagnostics *diagnostics, FILE *out);

#endif
