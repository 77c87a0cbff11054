#include "experiments/trace_source.h"

#include <stdio.h>
#include <string.h>

#include "models/arrivals/trace.h"
#include "sim/check.h"
#include "sim/vec.h"

static const SimTime time_units[] = {SIM_TIME_S, SIM_TIME_S / 1000, SIM_TIME_S / 1000000, 1};

/* TRACE_FORMATS lists the formats in the order of TraceFormat, but for names: look them up. */
static TraceFormat find_format(uint8_t index) {
    const char *word = TRACE_FORMATS;
    for (; index > 0; index--) {
        word = strchr(word, '|') + 1;
    }
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "|"), word);
    TraceFormat format = TRACE_AUTO;
    CHECK(trace_format_find(name, &format));
    return format;
}

/* False when the client replays no trace. */
static bool find_spec(const Client *client, TraceSpec *out) {
    const ArrivalOps *ops = client->arrivals.kind->ops;
    if (ops->trace_file == NULL) {
        return false;
    }
    const TraceParams *params = client->arrivals.params;
    CHECK(params->time_unit < sizeof time_units / sizeof time_units[0]);
    *out = (TraceSpec){.path = ops->trace_file(params),
                       .format = find_format(params->format),
                       .time_unit = time_units[params->time_unit]};
    const TraceColumnNames *columns = &params->columns;
    out->time_column = params->has_columns ? columns->time : NULL;
    out->input_column = columns->has_input_tokens ? columns->input_tokens : NULL;
    out->output_column = columns->has_output_tokens ? columns->output_tokens : NULL;
    return true;
}

bool trace_sources_check(const Model *model, Error *error) {
    for (uint32_t i = 0; i < model->client_count; i++) {
        TraceSpec spec;
        TraceFacts facts;
        if (find_spec(&model->clients[i], &spec) && !trace_in_check(&spec, &facts, error)) {
            return false;
        }
    }
    return true;
}

static uint32_t tokens_or_none(uint32_t tokens) {
    return tokens == TRACE_TOKENS_UNKNOWN ? 0 : tokens;
}

static bool reader_next(void *context, TraceArrival *out) {
    TraceReader *reader = context;
    TraceRecord record;
    if (reader->has_failed) {
        return false;
    }
    if (!trace_in_next(reader->in, &record, &reader->error)) {
        reader->has_failed = true;
        return false;
    }
    if (record.at == SIM_TIME_NEVER) {
        return false;
    }
    *out = (TraceArrival){.at_s = time_to_s(record.at),
                          .input_tokens = tokens_or_none(record.input_tokens),
                          .output_tokens = tokens_or_none(record.output_tokens),
                          .rate_per_s = record.rate_per_s,
                          .hash_ids = record.hash_ids,
                          .hash_count = record.hash_count};
    return true;
}

static void reader_rewind(void *context) {
    TraceReader *reader = context;
    if (!reader->has_failed && !trace_in_rewind(reader->in, &reader->error)) {
        reader->has_failed = true;
    }
}

bool trace_sources_open(const Model *model, TraceSources *out, Error *error) {
    TraceSources sources = {.client_count = model->client_count};
    sources.readers = mem_zalloc(model->client_count, sizeof *sources.readers);
    for (uint32_t i = 0; i < model->client_count; i++) {
        TraceSpec spec;
        if (!find_spec(&model->clients[i], &spec)) {
            continue;
        }
        TraceReader *reader = &sources.readers[i];
        reader->in = trace_in_open(&spec, error);
        if (reader->in == NULL) {
            trace_sources_close(&sources);
            return false;
        }
        if (sources.sources == NULL) {
            sources.sources = mem_zalloc(model->client_count, sizeof *sources.sources);
        }
        sources.sources[i] = (TraceSource){.context = reader,
                                           .is_rate = trace_in_format(reader->in) == TRACE_RATE,
                                           .next = reader_next,
                                           .rewind = reader_rewind};
    }
    *out = sources;
    return true;
}

void trace_sources_close(TraceSources *sources) {
    for (uint32_t i = 0; i < sources->client_count; i++) {
        if (sources->readers[i].in != NULL) {
            trace_in_close(sources->readers[i].in);
        }
    }
    mem_free(sources->readers);
    mem_free(sources->sources);
    *sources = (TraceSources){0};
}

const Error *trace_sources_failure(const TraceSources *sources) {
    for (uint32_t i = 0; i < sources->client_count; i++) {
        if (sources->readers[i].has_failed) {
            return &sources->readers[i].error;
        }
    }
    return NULL;
}
