/* What the program's exit status says (docs/scenario.md section 4). When several hold, the first of
 * OUTPUT, BUDGET, OBJECTIVE, PICTURES is returned. Out of memory is 5, from sim/vec.c.
 */
#ifndef KNOCKON_EXPERIMENTS_EXIT_STATUS_H
#define KNOCKON_EXPERIMENTS_EXIT_STATUS_H

typedef enum ExitStatus {
    EXIT_FINE = 0,
    EXIT_INTERNAL = 1,      /* a bug of ours */
    EXIT_INPUT = 2,         /* the user's input */
    EXIT_OBJECTIVE = 3,     /* an objective was missed */
    EXIT_OUTPUT = 4,        /* output could not be written, or its directory is in use */
    EXIT_MEMORY = 5,        /* out of memory */
    EXIT_BUDGET = 6,        /* a budget was hit: results are marked truncated */
    EXIT_PICTURES = 7,      /* results are complete, pictures failed */
    EXIT_INTERRUPTED = 130, /* by SIGINT; what was finished is kept */
    EXIT_TERMINATED = 143,  /* by SIGTERM; as above */
} ExitStatus;

#endif
