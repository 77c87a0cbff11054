/* The parameters of a replayed trace, shared with the reader in experiments/ that opens the file.
 */
#ifndef KNOCKON_MODELS_ARRIVALS_TRACE_H
#define KNOCKON_MODELS_ARRIVALS_TRACE_H

#include "models/arrivals/arrivals.h"

#define TRACE_FORMATS "auto|azure-llm|burstgpt|mooncake|vidur|rate|columns"

/* Which columns to read of a file with a format of its own. */
typedef struct TraceColumnNames {
    const char *time;
    bool has_input_tokens, has_output_tokens;
    const char *input_tokens, *output_tokens;
} TraceColumnNames;

typedef struct TraceParams {
    const char *file;
    uint8_t format;    /* index into TRACE_FORMATS */
    uint8_t time_unit; /* index into "s|ms|us|ns" */
    double speed;
    uint32_t tokens_per_hash;
    bool repeat;
    bool has_columns;
    TraceColumnNames columns;
} TraceParams;

#endif
