/* Traces: recorded arrivals, or recorded rates, one record at a time and never held whole.
 *
 * Formats by their columns (docs: scenario, "Trace formats"): azure-llm, burstgpt, vidur, rate and
 * any other CSV by `columns`; mooncake as JSON lines. The format is found from the header when it
 * is not given. Time must not go backwards. CSV at some 200 MB/s, 5 million records a second. A
 * TraceIn belongs to one thread; each World opens its own on the same file.
 */
#ifndef KNOCKON_EXPERIMENTS_TRACE_IN_H
#define KNOCKON_EXPERIMENTS_TRACE_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/clock.h"
#include "sim/error.h"

typedef enum TraceFormat {
    TRACE_AUTO, /* by the header; `columns` when a time column is given */
    TRACE_AZURE_LLM,
    TRACE_BURSTGPT,
    TRACE_VIDUR,
    TRACE_RATE,
    TRACE_COLUMNS,
    TRACE_MOONCAKE
} TraceFormat;

typedef struct TraceSpec {
    const char *path;
    TraceFormat format;
    const char *time_column, *input_column,
        *output_column; /* TRACE_COLUMNS; the last two or NULL */
    SimTime time_unit;  /* of a time column of numbers; 0 means one second */
} TraceSpec;

enum { TRACE_TOKENS_UNKNOWN = UINT32_MAX };

typedef struct TraceRecord {
    SimTime
        at; /* since the first record where the file has dates, else as written; NEVER: the end */
    uint32_t input_tokens, output_tokens; /* TRACE_TOKENS_UNKNOWN where the trace has none */
    double rate_per_s;                    /* TRACE_RATE: from `at` on; else 0 */
    const uint64_t *hash_ids; /* of the prompt (models/prompt.h); good until the next record */
    uint32_t hash_count;
} TraceRecord;

typedef struct TraceIn TraceIn;

/* The format's name in a scenario, and the format of a name; false when there is none. */
const char *trace_format_name(TraceFormat format);
bool trace_format_find(const char *name, TraceFormat *format);

/* Opens a trace and finds its columns; NULL when that fails. Nothing of `spec` is kept. */
TraceIn *trace_in_open(const TraceSpec *spec, Error *error);
void trace_in_close(TraceIn *trace);
TraceFormat trace_in_format(const TraceIn *trace); /* never TRACE_AUTO */

/* The next record; at the end out->at is SIM_TIME_NEVER. False for a malformed line, named as
 * FILE:LINE with what was found; do not read on then. */
bool trace_in_next(TraceIn *trace, TraceRecord *out, Error *error);

/* Back to the first record. */
bool trace_in_rewind(TraceIn *trace, Error *error);

/* Reads a whole trace once, so that a run meets no mistake in it later. A trace without any record
 * is a mistake. */
typedef struct TraceFacts {
    TraceFormat format;
    uint64_t record_count;
    SimTime last_at;
    bool has_input_tokens, has_output_tokens;
} TraceFacts;
bool trace_in_check(const TraceSpec *spec, TraceFacts *facts, Error *error);

#endif
