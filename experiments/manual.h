/* The manual of the language, made of the tables that read it: for the terminal and as markdown.
 */
#ifndef KNOCKON_EXPERIMENTS_MANUAL_H
#define KNOCKON_EXPERIMENTS_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

#include "experiments/language.h"

/* The described parts of a scenario, in the order of the manual. The name is the key ("call"). */
size_t manual_part_count(void);
const char *manual_part_name(size_t index);
const Schema *manual_part_schema(size_t index); /* NULL for the top of a scenario */

/* A list of what there is, for `knockon kinds`. */
void manual_print_overview(FILE *out);

/* Everything of that name: a family, a kind, a law, a part. False when there is none; *nearest is
 * then the nearest name or NULL. */
bool manual_print(const char *name, FILE *out, const char **nearest);

/* The whole chapter. */
void manual_print_markdown(FILE *out);

#endif
