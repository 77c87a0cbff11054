/* The commands, one file each (cmd_NAME.c). Each returns an ExitStatus. */
#ifndef KNOCKON_EXPERIMENTS_COMMANDS_H
#define KNOCKON_EXPERIMENTS_COMMANDS_H

#include "experiments/options.h"

int cmd_run(const Options *options);
int cmd_check(const Options *options);
int cmd_kinds(const Options *options);
int cmd_init(const Options *options);
int cmd_graph(const Options *options);
int cmd_report(const Options *options);

/* The table of main.c, so that tests see what users see. */
extern const Command commands[];
size_t command_count(void);
const Command *command_find(const char *name);

#endif
