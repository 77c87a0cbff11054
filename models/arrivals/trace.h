/* The parameters of a replayed trace, shared with the reader in experiments/ that opens the file.
 */
#ifndef KNOCKON_MODELS_ARRIVALS_TRACE_H
#define KNOCKON_MODELS_ARRIVALS_TRACE_H

#include "models/arrivals/arrivals.h"

#define TRACE_FORMATS "auto|azure-llm|burstgpt|mooncake|vidur|rate|columns"

typedef struct TraceParams {
    const char *file;
    uint8_t format;    /* index into TRACE_FORMATS */
    uint8_t time_unit; /* index into "s|ms|us|ns" */
    double speed;
    bool repeat;
    bool has_time_column, has_input_column, has_output_column;
    const char *time_column, *input_column, *output_column;
} TraceParams;

#endif
