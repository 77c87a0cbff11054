/* Replications on several threads, their results in order.
 *
 * Each thread takes the next replication, runs it and, where the verdict needs one, its twin, and
 * hands the result over. The calling thread passes results to the sink strictly in the order of
 * replications, so that what is written does not depend on the number of threads. No thread runs
 * further ahead of the sink than twice the number of threads, which bounds the memory.
 */
#ifndef KNOCKON_EXPERIMENTS_REPLICATE_H
#define KNOCKON_EXPERIMENTS_REPLICATE_H

#include "experiments/result.h"
#include "sim/error.h"

typedef struct Replicate {
    const Model *model;
    uint32_t jobs;                 /* threads, at least 1 */
    bool has_requests;             /* keep a record of each request */
    bool is_stepwise;              /* inference servers take every step by itself */
    const volatile int *interrupt; /* stop soon when it is not 0; NULL */
    void *context;                 /* of the next two */
    /* Takes one result; it is freed afterwards. False: stop, the output is broken. */
    bool (*take)(void *context, const Result *result);
    /* Called at least ten times a second; NULL. */
    void (*tick)(void *context);
} Replicate;

/* False with a sentence when a trace could not be read. An interrupt, or a sink that wants no more,
 * ends it early and is no failure: what was complete has been taken, and nothing that was not. */
bool replicate_run(const Replicate *job, Error *error);

/* Runs one replication alone, with its twin if there is one. False as above; a run that was
 * interrupted has stop_reason STOP_INTERRUPTED. */
bool replicate_one(const Replicate *job, uint32_t replication, Result *out, Error *error);

/* The number of processors that this process may use. */
uint32_t replicate_processors(void);

#endif
