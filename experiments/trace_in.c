#include "experiments/trace_in.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "experiments/csv_in.h"
#include "experiments/date_parse.h"
#include "experiments/line_in.h"
#include "experiments/number_parse.h"
#include "sim/check.h"
#include "sim/vec.h"

/* What a CSV format calls its columns. The second of a trace of rates is the rate. */
typedef struct TraceColumns {
    const char *time, *input, *output;
} TraceColumns;

typedef struct TraceFormatInfo {
    const char *name;
    TraceColumns columns;
} TraceFormatInfo;

static const TraceFormatInfo FORMATS[] = {
    [TRACE_AUTO] = {"auto", {0}},
    [TRACE_AZURE_LLM] = {"azure-llm", {"TIMESTAMP", "ContextTokens", "GeneratedTokens"}},
    [TRACE_BURSTGPT] = {"burstgpt", {"Timestamp", "Request tokens", "Response tokens"}},
    [TRACE_VIDUR] = {"vidur", {"arrived_at", "num_prefill_tokens", "num_decode_tokens"}},
    [TRACE_RATE] = {"rate", {"t_s", "rate_rps", NULL}},
    [TRACE_COLUMNS] = {"columns", {0}},
    [TRACE_MOONCAKE] = {"mooncake", {0}},
};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof FORMATS[0], NO_COLUMN = -1 };

typedef enum TraceClock { CLOCK_UNKNOWN, CLOCK_DATES, CLOCK_NUMBERS } TraceClock;

struct TraceIn {
    TraceFormat format;
    CsvIn *csv;             /* NULL for JSON lines */
    LineIn lines;           /* of JSON lines */
    VEC(uint64_t) hash_ids; /* of the record read last */
    size_t time_index;
    ptrdiff_t input_index, output_index; /* NO_COLUMN: the trace has none */
    TraceClock clock;
    double unit_ns;
    bool has_record;
    int64_t origin; /* of dates: the first record */
    SimTime last_at;
};

const char *trace_format_name(TraceFormat format) {
    CHECK((unsigned)format < FORMAT_COUNT);
    return FORMATS[format].name;
}

bool trace_format_find(const char *name, TraceFormat *format) {
    for (unsigned i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(FORMATS[i].name, name) == 0) {
            *format = (TraceFormat)i;
            return true;
        }
    }
    return false;
}

TraceFormat trace_in_format(const TraceIn *trace) {
    return trace->format;
}

/* Where the columns are. */

static bool trace_find_optional(const CsvIn *csv, const char *name, ptrdiff_t *index,
                                Error *error) {
    size_t found;
    if (name == NULL) {
        *index = NO_COLUMN;
        return true;
    }
    if (!csv_in_find(csv, name, &found, error)) {
        return false;
    }
    *index = (ptrdiff_t)found;
    return true;
}

static bool trace_find_columns(TraceIn *trace, TraceColumns columns, Error *error) {
    return csv_in_find(trace->csv, columns.time, &trace->time_index, error) &&
           trace_find_optional(trace->csv, columns.input, &trace->input_index, error) &&
           trace_find_optional(trace->csv, columns.output, &trace->output_index, error);
}

static bool trace_header_unknown(const CsvIn *csv, Error *error) {
    char found[200] = "";
    size_t used = 0;
    size_t count = csv_in_column_count(csv);
    size_t i = 0;
    for (; i < count && used < sizeof found - 70; i++) {
        const char *name = csv_in_column(csv, i);
        used += (size_t)snprintf(found + used, sizeof found - used, "%s'%s'", i == 0 ? "" : ", ",
                                 text_shown(name, strlen(name)).text);
    }
    return csv_in_error(csv, 1, error,
                        "no known trace format has the columns %s%s; give format, or columns: "
                        "{time: NAME, input_tokens: NAME, output_tokens: NAME}",
                        found, i < count ? " ..." : "");
}

/* The format whose columns the header has; others may be there as well. */
static bool trace_detect_columns(TraceIn *trace, Error *error) {
    for (unsigned i = 0; i < FORMAT_COUNT; i++) {
        TraceColumns columns = FORMATS[i].columns;
        if (columns.time != NULL && csv_in_has(trace->csv, columns.time) &&
            csv_in_has(trace->csv, columns.input) &&
            (columns.output == NULL || csv_in_has(trace->csv, columns.output))) {
            trace->format = (TraceFormat)i;
            return true;
        }
    }
    return trace_header_unknown(trace->csv, error);
}

static bool trace_open_csv(TraceIn *trace, const TraceSpec *spec, Error *error) {
    trace->csv = csv_in_open(spec->path, error);
    if (trace->csv == NULL) {
        return false;
    }
    if (trace->format == TRACE_AUTO && !trace_detect_columns(trace, error)) {
        return false;
    }
    TraceColumns columns = FORMATS[trace->format].columns;
    if (trace->format == TRACE_COLUMNS) {
        CHECK(spec->time_column != NULL);
        columns = (TraceColumns){spec->time_column, spec->input_column, spec->output_column};
        trace->unit_ns = spec->time_unit == 0 ? 1e9 : (double)spec->time_unit;
    } else {
        trace->clock = trace->format == TRACE_AZURE_LLM ? CLOCK_DATES : CLOCK_NUMBERS;
        trace->unit_ns = 1e9;
    }
    return trace_find_columns(trace, columns, error);
}

static bool line_is_blank(const char *text, size_t size) {
    while (size > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        size--;
    }
    return size == 0;
}

/* The next line that holds something; NULL at the end. */
static bool trace_next_line(LineIn *lines, const char **text, size_t *size, Error *error) {
    do {
        if (!line_in_next(lines, text, size, error)) {
            return false;
        }
    } while (*text != NULL && line_is_blank(*text, *size));
    return true;
}

/* JSON lines begin with a brace, which no header does. */
static bool trace_detect_json(const TraceSpec *spec, TraceFormat *format, Error *error) {
    LineIn lines;
    if (!line_in_open(&lines, spec->path, error)) {
        return false;
    }
    const char *text;
    size_t size;
    bool is_read = trace_next_line(&lines, &text, &size, error);
    if (is_read && text != NULL && text[strspn(text, " \t")] == '{') {
        *format = TRACE_MOONCAKE;
    }
    line_in_close(&lines);
    return is_read;
}

static bool trace_open_any(TraceIn *trace, const TraceSpec *spec, Error *error) {
    trace->format = spec->format;
    if (spec->format == TRACE_AUTO && spec->time_column != NULL) {
        trace->format = TRACE_COLUMNS;
    } else if (spec->format == TRACE_AUTO && !trace_detect_json(spec, &trace->format, error)) {
        return false;
    }
    if (trace->format != TRACE_MOONCAKE) {
        return trace_open_csv(trace, spec, error);
    }
    trace->clock = CLOCK_NUMBERS;
    trace->unit_ns = 1e6;
    return line_in_open(&trace->lines, spec->path, error);
}

TraceIn *trace_in_open(const TraceSpec *spec, Error *error) {
    TraceIn *trace = mem_zalloc(1, sizeof *trace);
    trace->lines.fd = -1;
    if (!trace_open_any(trace, spec, error)) {
        trace_in_close(trace);
        return NULL;
    }
    return trace;
}

void trace_in_close(TraceIn *trace) {
    if (trace->csv != NULL) {
        csv_in_close(trace->csv);
    }
    if (trace->lines.fd >= 0) {
        line_in_close(&trace->lines);
    }
    vec_free(&trace->hash_ids);
    mem_free(trace);
}

bool trace_in_rewind(TraceIn *trace, Error *error) {
    trace->has_record = false;
    trace->last_at = 0;
    return trace->csv != NULL ? csv_in_rewind(trace->csv, error)
                              : line_in_rewind(&trace->lines, error);
}

/* From cells to records. */

static bool trace_accept_time(TraceIn *trace, SimTime at) {
    if (trace->has_record && at < trace->last_at) {
        return false;
    }
    trace->has_record = true;
    trace->last_at = at;
    return true;
}

static bool trace_read_date(TraceIn *trace, CsvCell cell, uint64_t line, SimTime *at,
                            Error *error) {
    int64_t date;
    if (!date_parse(cell.text, cell.size, &date)) {
        return csv_in_error(trace->csv, line, error,
                            "'%s' is not a time stamp; write for example 2023-11-16 "
                            "18:17:03.9799600",
                            text_shown(cell.text, cell.size).text);
    }
    trace->origin = trace->has_record ? trace->origin : date;
    *at = date - trace->origin;
    return true;
}

static bool trace_number_to_time(const TraceIn *trace, double number, SimTime *at) {
    double ns = number * trace->unit_ns;
    if (!(ns >= 0 && ns <= SIM_TIME_S_MAX * 1e9)) {
        return false;
    }
    *at = (SimTime)(ns + 0.5);
    return true;
}

static bool trace_read_time(TraceIn *trace, CsvCell cell, uint64_t line, SimTime *at,
                            Error *error) {
    double number;
    bool is_number = trace->clock != CLOCK_DATES && number_parse(cell.text, cell.size, &number);
    if (trace->clock == CLOCK_UNKNOWN) {
        int64_t date;
        trace->clock =
            !is_number && date_parse(cell.text, cell.size, &date) ? CLOCK_DATES : CLOCK_NUMBERS;
    }
    if (trace->clock == CLOCK_DATES) {
        if (!trace_read_date(trace, cell, line, at, error)) {
            return false;
        }
    } else if (!is_number || !trace_number_to_time(trace, number, at)) {
        return csv_in_error(trace->csv, line, error,
                            "'%s' is not a time: a number, 0 or more, within 100 years, was "
                            "expected",
                            text_shown(cell.text, cell.size).text);
    }
    if (!trace_accept_time(trace, *at)) {
        return csv_in_error(trace->csv, line, error, "the time goes backwards: '%s'",
                            text_shown(cell.text, cell.size).text);
    }
    return true;
}

static bool trace_read_tokens(TraceIn *trace, const CsvRow *row, ptrdiff_t index, uint32_t *tokens,
                              Error *error) {
    if (index == NO_COLUMN) {
        *tokens = TRACE_TOKENS_UNKNOWN;
        return true;
    }
    CsvCell cell = row->cells[index];
    uint64_t count;
    if (!number_parse_count(cell.text, cell.size, TRACE_TOKENS_UNKNOWN - 1, &count)) {
        return csv_in_error(
            trace->csv, row->line, error, "'%s' in column '%s' is not a number of tokens",
            text_shown(cell.text, cell.size).text, csv_in_column(trace->csv, (size_t)index));
    }
    *tokens = (uint32_t)count;
    return true;
}

static bool trace_read_rate(TraceIn *trace, const CsvRow *row, double *rate_per_s, Error *error) {
    CsvCell cell = row->cells[trace->input_index];
    if (!number_parse(cell.text, cell.size, rate_per_s) || *rate_per_s < 0) {
        return csv_in_error(trace->csv, row->line, error,
                            "'%s' is not a rate: a number of requests per second, 0 or more, was "
                            "expected",
                            text_shown(cell.text, cell.size).text);
    }
    return true;
}

static bool trace_next_csv(TraceIn *trace, TraceRecord *record, Error *error) {
    CsvRow row;
    if (!csv_in_next(trace->csv, &row, error)) {
        return false;
    }
    if (row.cells == NULL) {
        record->at = SIM_TIME_NEVER;
        return true;
    }
    if (!trace_read_time(trace, row.cells[trace->time_index], row.line, &record->at, error)) {
        return false;
    }
    if (trace->format == TRACE_RATE) {
        return trace_read_rate(trace, &row, &record->rate_per_s, error);
    }
    return trace_read_tokens(trace, &row, trace->input_index, &record->input_tokens, error) &&
           trace_read_tokens(trace, &row, trace->output_index, &record->output_tokens, error);
}

/* JSON lines. */

static bool trace_json_tokens(const json_t *object, const char *key, uint32_t *tokens) {
    const json_t *value = json_object_get(object, key);
    json_int_t count = json_is_integer(value) ? json_integer_value(value) : -1;
    if (count < 0 || count >= TRACE_TOKENS_UNKNOWN) {
        return false;
    }
    *tokens = (uint32_t)count;
    return true;
}

/* hash_ids say what a prompt begins with; they may be left out. A line has at most 2^19 of them. */
static bool trace_json_hash_ids(TraceIn *trace, const json_t *list, TraceRecord *record) {
    trace->hash_ids.count = 0;
    size_t i;
    json_t *id;
    json_array_foreach(list, i, id) {
        if (!json_is_integer(id)) {
            return false;
        }
        vec_push(&trace->hash_ids, (uint64_t)json_integer_value(id));
    }
    record->hash_ids = trace->hash_ids.items;
    record->hash_count = (uint32_t)trace->hash_ids.count;
    return list == NULL || json_is_array(list);
}

static bool trace_read_object(TraceIn *trace, const json_t *object, TraceRecord *record,
                              Error *error) {
    const LineIn *lines = &trace->lines;
    const json_t *time = json_object_get(object, "timestamp");
    if (!json_is_object(object)) {
        return line_in_error(lines, lines->line, error, "a JSON object was expected");
    }
    if (!json_is_number(time) ||
        !trace_number_to_time(trace, json_number_value(time), &record->at)) {
        return line_in_error(lines, lines->line, error,
                             "'timestamp' is not a time: a number of ms, 0 or more, was expected");
    }
    if (!trace_json_tokens(object, "input_length", &record->input_tokens) ||
        !trace_json_tokens(object, "output_length", &record->output_tokens)) {
        return line_in_error(lines, lines->line, error,
                             "'input_length' and 'output_length' must be numbers of tokens");
    }
    if (!trace_json_hash_ids(trace, json_object_get(object, "hash_ids"), record)) {
        return line_in_error(lines, lines->line, error,
                             "'hash_ids' is not a list of whole numbers");
    }
    if (!trace_accept_time(trace, record->at)) {
        return line_in_error(lines, lines->line, error, "the time goes backwards");
    }
    return true;
}

static bool trace_next_json(TraceIn *trace, TraceRecord *record, Error *error) {
    const char *text;
    size_t size;
    if (!trace_next_line(&trace->lines, &text, &size, error)) {
        return false;
    }
    if (text == NULL) {
        record->at = SIM_TIME_NEVER;
        return true;
    }
    json_error_t problem;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (object == NULL) {
        return line_in_error(&trace->lines, trace->lines.line, error, "not JSON: %s",
                             text_shown(problem.text, strlen(problem.text)).text);
    }
    bool is_read = trace_read_object(trace, object, record, error);
    json_decref(object);
    return is_read;
}

bool trace_in_next(TraceIn *trace, TraceRecord *out, Error *error) {
    TraceRecord record = {.input_tokens = TRACE_TOKENS_UNKNOWN,
                          .output_tokens = TRACE_TOKENS_UNKNOWN};
    bool is_read = trace->csv != NULL ? trace_next_csv(trace, &record, error)
                                      : trace_next_json(trace, &record, error);
    if (is_read) {
        *out = record;
    }
    return is_read;
}

bool trace_in_check(const TraceSpec *spec, TraceFacts *facts, Error *error) {
    TraceIn *trace = trace_in_open(spec, error);
    if (trace == NULL) {
        return false;
    }
    TraceFacts found = {.format = trace->format};
    TraceRecord record;
    bool is_read;
    while ((is_read = trace_in_next(trace, &record, error)) && record.at != SIM_TIME_NEVER) {
        found.record_count++;
        found.last_at = record.at;
        found.has_input_tokens = record.input_tokens != TRACE_TOKENS_UNKNOWN;
        found.has_output_tokens = record.output_tokens != TRACE_TOKENS_UNKNOWN;
    }
    trace_in_close(trace);
    if (is_read && found.record_count == 0) {
        return error_set(error, "%s: the trace has no records", spec->path);
    }
    if (is_read) {
        *facts = found;
    }
    return is_read;
}
