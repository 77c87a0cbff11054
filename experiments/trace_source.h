/* The trace files of a model's clients, opened for one World.
 *
 * The whole of every file is checked once before a run, so that a run meets no mistake in it;
 * should a file change under a run, its replication fails and says where. One thread at a time.
 */
#ifndef KNOCKON_EXPERIMENTS_TRACE_SOURCE_H
#define KNOCKON_EXPERIMENTS_TRACE_SOURCE_H

#include "experiments/trace_in.h"
#include "models/model.h"

typedef struct TraceReader {
    TraceIn *in; /* NULL for a client that replays nothing */
    bool has_failed;
    Error error; /* set when has_failed */
} TraceReader;

typedef struct TraceSources {
    uint32_t client_count;
    TraceReader *readers; /* by client; they do not move */
    TraceSource *sources; /* for WorldOptions.traces; NULL when no client replays a trace */
} TraceSources;

/* Reads every trace of the model through. */
bool trace_sources_check(const Model *model, Error *error);

/* Opens all of them at their beginning; nothing is open on failure. */
bool trace_sources_open(const Model *model, TraceSources *out, Error *error);
void trace_sources_close(TraceSources *sources);

/* The first failure while reading, or NULL. */
const Error *trace_sources_failure(const TraceSources *sources);

#endif
