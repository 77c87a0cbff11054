#include "experiments/csv_in.h"

#include <csv.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "experiments/line_in.h"
#include "experiments/nearest.h"
#include "sim/check.h"
#include "sim/vec.h"

enum { ROW_SIZE_MAX = LINE_SIZE_MAX };

/* Fields are gathered in `text` while libcsv delivers them, by offset because it grows; a row's
 * cells are addressed when it is complete. libcsv is fed whole lines, so that at most one row ends
 * in each and the line of every event is known. */
struct CsvIn {
    LineIn lines;
    struct csv_parser parser;
    VEC(char) text;
    VEC(CsvCell) cells;  /* of the row in progress; `text` is filled in at its end */
    uint64_t row_line;   /* where the row in progress begins */
    uint64_t quote_line; /* where the last quote opened */
    bool is_row_complete, is_too_big;
    bool has_cells_behind_row; /* a carriage return alone ended the row within a line */
    char **columns;
    size_t column_count;
};

/* Spaces are data: libcsv would trim them. */
static int csv_in_no_space(unsigned char c) {
    (void)c;
    return 0;
}

/* libcsv grows a field without limit; refusing stops it with CSV_ENOMEM. */
static void *csv_in_resize(void *block, size_t size) {
    return size > ROW_SIZE_MAX + 1 ? NULL : mem_resize(block, size);
}

static void csv_in_on_field(void *field, size_t size, void *context) {
    CsvIn *csv = context;
    if (csv->is_row_complete) {
        csv->has_cells_behind_row = true;
        return;
    }
    if (csv->text.count + size + 1 > ROW_SIZE_MAX) {
        csv->is_too_big = true;
        return;
    }
    size_t offset = csv->text.count;
    vec_resize(&csv->text, offset + size + 1);
    memcpy(csv->text.items + offset, field, size);
    csv->text.items[offset + size] = '\0';
    vec_push(&csv->cells, ((CsvCell){.size = size}));
}

static void csv_in_on_row(int terminator, void *context) {
    (void)terminator;
    CsvIn *csv = context;
    csv->is_row_complete = true;
}

static void csv_in_begin_row(CsvIn *csv) {
    csv->text.count = 0;
    csv->cells.count = 0;
    csv->quote_line = 0;
    csv->is_row_complete = csv->is_too_big = csv->has_cells_behind_row = false;
}

static void csv_in_address_cells(CsvIn *csv) {
    const char *text = csv->text.items;
    for (size_t i = 0; i < csv->cells.count; i++) {
        csv->cells.items[i].text = text;
        text += csv->cells.items[i].size + 1;
    }
}

bool csv_in_error(const CsvIn *csv, uint64_t line, Error *error, const char *format, ...) {
    char sentence[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return line_in_error(&csv->lines, line, error, "%s", sentence);
}

/* What libcsv or the callbacks refused in the line that was fed last. */
static bool csv_in_refused(CsvIn *csv, Error *error) {
    uint64_t line = csv->lines.line;
    if (csv->is_too_big || csv_error(&csv->parser) == CSV_ENOMEM) {
        return csv->quote_line != 0 && csv->quote_line < line
                   ? csv_in_error(csv, csv->quote_line, error,
                                  "this row grows beyond 1 MiB; is the quote here never closed?")
                   : csv_in_error(csv, line, error, "a row of more than 1 MiB");
    }
    if (csv->has_cells_behind_row) {
        return csv_in_error(csv, line, error, "a carriage return without a line feed");
    }
    return csv_in_error(csv, line, error,
                        "a quote out of place: a field that holds one is quoted as a whole, and "
                        "the quotes in it are doubled");
}

/* Feeds one line to libcsv. */
static bool csv_in_feed(CsvIn *csv, const char *text, size_t size, Error *error) {
    bool was_quoted = csv->parser.quoted != 0;
    size_t cell_count = csv->cells.count;
    size_t used = csv_parse(&csv->parser, text, size, csv_in_on_field, csv_in_on_row, csv);
    if (csv->parser.quoted != 0 && (!was_quoted || csv->cells.count != cell_count)) {
        csv->quote_line = csv->lines.line;
    }
    if (used != size || csv->is_too_big || csv->has_cells_behind_row) {
        return csv_in_refused(csv, error);
    }
    return true;
}

/* The end of the file ends the last row, unless a quote is open. */
static bool csv_in_finish(CsvIn *csv, Error *error) {
    if (csv_fini(&csv->parser, csv_in_on_field, csv_in_on_row, csv) != 0) {
        return csv_in_error(csv, csv->quote_line, error,
                            "the quote that opens in this line is never closed");
    }
    return csv->is_too_big || csv->has_cells_behind_row ? csv_in_refused(csv, error) : true;
}

/* Reads lines until a row is complete; at the end of the file it may stay incomplete. */
static bool csv_in_read_row(CsvIn *csv, Error *error) {
    csv_in_begin_row(csv);
    while (!csv->is_row_complete) {
        const char *text;
        size_t size;
        if (!line_in_next(&csv->lines, &text, &size, error)) {
            return false;
        }
        if (text == NULL) {
            return csv_in_finish(csv, error);
        }
        if (csv->cells.count == 0 && csv->parser.quoted == 0) {
            csv->row_line = csv->lines.line;
        }
        if (!csv_in_feed(csv, text, size, error)) {
            return false;
        }
    }
    return true;
}

bool csv_in_next(CsvIn *csv, CsvRow *row, Error *error) {
    if (!csv_in_read_row(csv, error)) {
        return false;
    }
    size_t count = csv->cells.count;
    if (csv->is_row_complete && count != csv->column_count) {
        return csv_in_error(
            csv, csv->row_line, error, "%zu cell%s where the header has %zu column%s", count,
            count == 1 ? "" : "s", csv->column_count, csv->column_count == 1 ? "" : "s");
    }
    csv_in_address_cells(csv);
    *row = (CsvRow){.cells = csv->is_row_complete ? csv->cells.items : NULL, .line = csv->row_line};
    return true;
}

static void csv_in_init_parser(CsvIn *csv) {
    CHECK(csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) == 0);
    csv_set_space_func(&csv->parser, csv_in_no_space);
    csv_set_realloc_func(&csv->parser, csv_in_resize);
    csv_set_free_func(&csv->parser, mem_free);
    csv_set_blk_size(&csv->parser, 4096);
}

static bool csv_in_read_header(CsvIn *csv, Error *error) {
    if (!csv_in_read_row(csv, error)) {
        return false;
    }
    if (!csv->is_row_complete) {
        return csv_in_error(csv, 1, error, "the file is empty; a header was expected");
    }
    csv_in_address_cells(csv);
    csv->columns = mem_zalloc(csv->cells.count, sizeof *csv->columns);
    for (size_t i = 0; i < csv->cells.count; i++) {
        csv->columns[i] = mem_copy_text(csv->cells.items[i].text);
    }
    csv->column_count = csv->cells.count;
    return true;
}

CsvIn *csv_in_open(const char *path, Error *error) {
    CsvIn *csv = mem_zalloc(1, sizeof *csv);
    if (!line_in_open(&csv->lines, path, error)) {
        mem_free(csv);
        return NULL;
    }
    csv_in_init_parser(csv);
    if (!csv_in_read_header(csv, error)) {
        csv_in_close(csv);
        return NULL;
    }
    return csv;
}

void csv_in_close(CsvIn *csv) {
    for (size_t i = 0; i < csv->column_count; i++) {
        mem_free(csv->columns[i]);
    }
    mem_free(csv->columns);
    vec_free(&csv->text);
    vec_free(&csv->cells);
    csv_free(&csv->parser);
    line_in_close(&csv->lines);
    mem_free(csv);
}

bool csv_in_rewind(CsvIn *csv, Error *error) {
    if (!line_in_rewind(&csv->lines, error)) {
        return false;
    }
    csv_free(&csv->parser);
    csv_in_init_parser(csv);
    return csv_in_read_row(csv, error); /* the header, which is known */
}

size_t csv_in_column_count(const CsvIn *csv) {
    return csv->column_count;
}

const char *csv_in_column(const CsvIn *csv, size_t index) {
    CHECK(index < csv->column_count);
    return csv->columns[index];
}

static size_t csv_in_search(const CsvIn *csv, const char *name, size_t from) {
    while (from < csv->column_count && strcmp(csv->columns[from], name) != 0) {
        from++;
    }
    return from;
}

bool csv_in_has(const CsvIn *csv, const char *name) {
    return csv_in_search(csv, name, 0) < csv->column_count;
}

bool csv_in_find(const CsvIn *csv, const char *name, size_t *index, Error *error) {
    size_t found = csv_in_search(csv, name, 0);
    if (found == csv->column_count) {
        const char *near = nearest_name(name, (const char *const *)csv->columns, csv->column_count);
        return near == NULL
                   ? csv_in_error(csv, 1, error, "there is no column '%s'", name)
                   : csv_in_error(csv, 1, error, "there is no column '%s'; did you mean '%s'?",
                                  name, text_shown(near, strlen(near)).text);
    }
    if (csv_in_search(csv, name, found + 1) < csv->column_count) {
        return csv_in_error(csv, 1, error, "the column '%s' is there twice", name);
    }
    *index = found;
    return true;
}
