#include "experiments/commands.h"

#include <string.h>

const Command commands[] = {
    {"run", cmd_run, "FILE", 1, 1, OPTION_SET | OPTION_RUNNING | OPTION_QUIET | OPTION_JSON,
     "Runs the replications of a scenario: verdict, tables, pictures, report."},
    {"check", cmd_check, "FILE", 1, 1, OPTION_SET | OPTION_QUIET | OPTION_RESOLVED,
     "Checks a scenario without running it, and warns of what usually goes wrong."},
    {"kinds", cmd_kinds, "[FAMILY|KIND]", 0, 1, OPTION_KINDS,
     "Prints the manual of everything that a scenario may name."},
    {"init", cmd_init, "[TEMPLATE]", 0, 1, 0, "Prints a commented scenario to start from."},
    {"graph", cmd_graph, "FILE", 1, 1, OPTION_SET,
     "Prints a scenario's dependencies in Graphviz's DOT language."},
    {"report", cmd_report, "DIR", 1, 1, OPTION_QUIET,
     "Makes the pictures and the report of a run again, from its files."},
};

size_t command_count(void) {
    return sizeof commands / sizeof commands[0];
}

const Command *command_find(const char *name) {
    for (size_t i = 0; i < command_count(); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}
