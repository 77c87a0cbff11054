/* The command line: one table drives getopt_long, --help and the messages.
 *
 * An option that only writes a key of the scenario (--seed, --replications) becomes an assignment
 * in `sets`, in the order given, so that the schema checks it and the manifest shows where it came
 * from. Options own the texts they made; other pointers are argv's.
 */
#ifndef KNOCKON_EXPERIMENTS_OPTIONS_H
#define KNOCKON_EXPERIMENTS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/error.h"
#include "sim/vec.h"

typedef enum Progress { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE } Progress;

typedef struct Options {
    VEC(char *) sets;            /* "path=value", owned */
    VEC(const char *) operands;  /* files and names, in order */
    uint32_t jobs;               /* threads; 0: one a processor */
    const char *out;             /* directory; NULL: out/NAME */
    uint8_t progress;            /* Progress */
    bool is_quiet;               /* no summary on stdout */
    bool is_json;                /* the summary as JSON */
    bool is_forced;              /* an existing directory of another run is overwritten */
    bool has_requests;           /* write requests.csv */
    bool is_stepwise;            /* inference servers take every step by itself */
    bool has_trace;              /* print every event */
    bool is_resolved;            /* check: print every value and where it came from */
    bool is_schema, is_markdown; /* kinds: in which form */
    bool wants_help;
    bool in_colour; /* messages: stderr is a terminal and NO_COLOR is not set */
} Options;

/* Which options a command takes, as bits. */
enum {
    OPTION_SET = 1 << 0,
    OPTION_RUNNING = 1 << 1, /* jobs, out, progress, force, requests, trace, seed, replications */
    OPTION_QUIET = 1 << 2,
    OPTION_JSON = 1 << 3,
    OPTION_RESOLVED = 1 << 4,
    OPTION_KINDS = 1 << 5, /* schema, markdown */
};

typedef struct Command {
    const char *name;
    int (*run)(const Options *options);
    const char *operands; /* for --help: "FILE" */
    uint32_t operands_min, operands_max;
    uint32_t options; /* OPTION_… */
    const char *doc;  /* one sentence */
} Command;

/* Reads argv, whose first word is the command's name. False with a sentence that names the word at
 * fault. With --help operands are not asked for. */
bool options_parse(const Command *command, int argc, char **argv, Options *out, Error *error);
void options_free(Options *options);

/* What --help prints. */
void options_print_help(const Command *command, FILE *out);

#endif
