/* The command that a user would most likely want to type after this run. */
#ifndef KNOCKON_EXPERIMENTS_NEXT_COMMAND_H
#define KNOCKON_EXPERIMENTS_NEXT_COMMAND_H

#include "experiments/terminal.h"

/* From malloc, for free; NULL when there is nothing to suggest. */
char *next_command(const RunReport *report);

#endif
