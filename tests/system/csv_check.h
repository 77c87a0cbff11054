/* Reads a CSV file strictly by RFC 4180, as little as a test of our own files needs. In loops over
 * cells plain ifs: each ck_assert sends a message to the parent process. */
#ifndef KNOCKON_TESTS_SYSTEM_CSV_CHECK_H
#define KNOCKON_TESTS_SYSTEM_CSV_CHECK_H

#include <string.h>

#include "tests/system/command.h"

enum { CSV_CELLS_MAX = 256, CSV_CELL_SIZE = 512 };

typedef struct CsvRow {
    int count;
    char cells[CSV_CELLS_MAX][CSV_CELL_SIZE];
} CsvRow;

/* The next row from *at; false at the end. Fails the test when the text is no CSV. */
static inline bool csv_row(const char **at, CsvRow *row) {
    const char *c = *at;
    row->count = 0;
    if (*c == 0) {
        return false;
    }
    for (;;) {
        if (row->count == CSV_CELLS_MAX) {
            ck_abort_msg("too many cells: %.80s", *at);
        }
        char *cell = row->cells[row->count++];
        size_t size = 0;
        bool is_quoted = *c == '"';
        for (c += is_quoted;; c++) {
            if (is_quoted && c[0] == '"' && c[1] == '"') {
                c++;
            } else if (is_quoted ? *c == '"' : strchr(",\n\"\r", *c) != NULL) {
                break;
            }
            if (*c == 0 || size == CSV_CELL_SIZE - 1) {
                ck_abort_msg("a cell does not end: %.80s", cell);
            }
            cell[size++] = *c;
        }
        cell[size] = 0;
        c += is_quoted;
        if (*c != ',' && *c != '\n') {
            ck_abort_msg("after a cell stands '%c'", *c);
        }
        if (*c++ == '\n') {
            *at = c;
            return true;
        }
    }
}

static inline int csv_find(const CsvRow *header, const char *name) {
    for (int i = 0; i < header->count; i++) {
        if (strcmp(header->cells[i], name) == 0) {
            return i;
        }
    }
    ck_abort_msg("no column %s", name);
    return -1;
}

/* Checks that every row has the header's columns and no cell says nan or inf; returns the rows. */
static inline long csv_check(const char *path) {
    char *text = file_text(path, NULL);
    ck_assert_msg(text != NULL, "%s is missing", path);
    CsvRow *header = malloc(sizeof *header), *row = malloc(sizeof *row);
    const char *at = text;
    ck_assert(csv_row(&at, header));
    long count = 0;
    for (; csv_row(&at, row); count++) {
        if (row->count != header->count) {
            ck_abort_msg("%s: row %ld has %d cells, not %d", path, count, row->count,
                         header->count);
        }
        for (int i = 0; i < row->count; i++) {
            const char *word = row->cells[i] + (row->cells[i][0] == '-');
            if (strncasecmp(word, "nan", 3) == 0 || strncasecmp(word, "inf", 3) == 0) {
                ck_abort_msg("%s: %s is '%s'", path, header->cells[i], row->cells[i]);
            }
        }
    }
    free(header);
    free(row);
    free(text);
    return count;
}

#endif
