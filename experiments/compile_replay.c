/* Faults that stand in a CSV file: each row becomes the map that a user would have written, at its
 * line of the file, and goes the way of all faults. */
#include <stdio.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/csv_in.h"
#include "experiments/number_parse.h"
#include "experiments/quantity.h"
#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct Replay {
    Compiler *compiler;
    CsvIn *csv;
    Place place;       /* of the row */
    SimTime offset;    /* added to all times */
    size_t time, kind; /* columns */
} Replay;

static DocNode *new_text(const Replay *replay, const char *text) {
    DocNode *node = doc_new_scalar(replay->compiler->reader.doc, text, strlen(text), DOC_FROM_FILE);
    node->place = replay->place;
    return node;
}

static DocNode *new_map(const Replay *replay, const DocPair *pairs, size_t count) {
    Doc *doc = replay->compiler->reader.doc;
    DocPair *kept = doc_alloc(doc, (count > 0 ? count : 1) * sizeof *kept);
    if (count > 0) {
        memcpy(kept, pairs, count * sizeof *kept);
    }
    DocNode *map = doc_new(doc, DOC_MAP, DOC_FROM_FILE, replay->place);
    doc_fill_map(doc, map, kept, count);
    return map;
}

/* Seconds, bare or with a unit; false after a message. */
static bool read_seconds(const Replay *replay, const char *column, const CsvCell *cell,
                         double *out) {
    Error error;
    bool is_bare = number_parse(cell->text, cell->size, out);
    if (is_bare ? *out >= 0 : quantity_parse(cell->text, DIMENSION_DURATION, out, &error)) {
        return true;
    }
    if (is_bare) {
        error_set(&error, "%s seconds are below 0", cell->text);
    }
    diag_at(replay->compiler->reader.diagnostics, DIAG_ERROR, replay->place, "column '%s': %s",
            column, error.text);
    return false;
}

static DocPair new_time(const Replay *replay, const char *key, double seconds) {
    char text[64];
    snprintf(text, sizeof text, "%.9fs", seconds);
    return (DocPair){new_text(replay, key), new_text(replay, text)};
}

enum { COLUMNS_MAX = 40 };

/* The fault's own keys of a row; their number, or 0 after a message. */
static size_t read_times(const Replay *replay, const CsvRow *row, DocPair pairs[3]) {
    double at_s, value_s;
    size_t count = 1;
    if (!read_seconds(replay, "time", &row->cells[replay->time], &at_s)) {
        return 0;
    }
    pairs[0] = new_time(replay, "at", at_s + time_to_s(replay->offset));
    for (size_t i = 0; i < csv_in_column_count(replay->csv); i++) {
        const char *column = csv_in_column(replay->csv, i);
        bool is_until = strcmp(column, "until") == 0;
        if ((!is_until && strcmp(column, "for") != 0) || row->cells[i].size == 0) {
            continue;
        }
        if (!read_seconds(replay, column, &row->cells[i], &value_s)) {
            return 0;
        }
        if (count > 1 || (is_until && value_s <= at_s)) {
            diag_at(replay->compiler->reader.diagnostics, DIAG_ERROR, replay->place,
                    count > 1 ? "'until' and 'for' both say how long this lasts: leave one out"
                              : "this fault ends before it has begun");
            return 0;
        }
        pairs[count++] = new_time(replay, "for", is_until ? value_s - at_s : value_s);
    }
    return count;
}

static bool is_parameter(const Replay *replay, size_t column) {
    const char *name = csv_in_column(replay->csv, column);
    return column != replay->time && column != replay->kind && strcmp(name, "until") != 0 &&
           strcmp(name, "for") != 0;
}

static void compile_row(const Replay *replay, const CsvRow *row) {
    DocPair pairs[4], params[COLUMNS_MAX];
    size_t count = read_times(replay, row, pairs), param_count = 0;
    if (count == 0) {
        return;
    }
    if (strcmp(row->cells[replay->kind].text, "replay") == 0) {
        diag_at(replay->compiler->reader.diagnostics, DIAG_ERROR, replay->place,
                "a row cannot replay another file");
        return;
    }
    for (size_t i = 0; i < csv_in_column_count(replay->csv); i++) {
        if (is_parameter(replay, i) && row->cells[i].size > 0) {
            params[param_count++] = (DocPair){new_text(replay, csv_in_column(replay->csv, i)),
                                              new_text(replay, row->cells[i].text)};
        }
    }
    pairs[count++] = (DocPair){new_text(replay, row->cells[replay->kind].text),
                               new_map(replay, params, param_count)};
    compile_fault(replay->compiler, new_map(replay, pairs, count));
}

static bool compile_rows(Replay *replay, Error *error) {
    CsvRow row;
    uint64_t count = 0;
    if (!csv_in_find(replay->csv, "time", &replay->time, error) ||
        !csv_in_find(replay->csv, "kind", &replay->kind, error)) {
        return false;
    }
    if (csv_in_column_count(replay->csv) > COLUMNS_MAX) {
        return csv_in_error(replay->csv, 1, error, "more than %d columns", COLUMNS_MAX);
    }
    for (;; count++) {
        if (!csv_in_next(replay->csv, &row, error)) {
            return false;
        }
        if (row.cells == NULL) {
            return count > 0 || csv_in_error(replay->csv, 1, error, "no fault follows this header");
        }
        replay->place.line = (uint32_t)row.line;
        compile_row(replay, &row);
        if (diag_is_full(replay->compiler->reader.diagnostics)) {
            return true;
        }
    }
}

void compile_replay(Compiler *compiler, const char *path, SimTime offset, const DocNode *at) {
    SchemaReader *reader = &compiler->reader;
    Error error;
    Replay replay = {.compiler = compiler, .offset = offset, .csv = csv_in_open(path, &error)};
    Resolved *resolved = reader->resolved;
    bool is_read = replay.csv != NULL;
    CHECK(path != NULL);
    reader->resolved = NULL; /* what is in the file is no key that --set could reach */
    if (is_read) {
        replay.place.file = diag_add_source(reader->diagnostics, path, NULL, 0);
        is_read = compile_rows(&replay, &error);
        csv_in_close(replay.csv);
    }
    reader->resolved = resolved;
    if (!is_read) {
        diag_error(reader->diagnostics, at, "%s", error.text);
    }
}
