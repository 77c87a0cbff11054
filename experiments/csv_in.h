/* CSV (RFC 4180) with a header, read by libcsv, one row at a time and never held whole.
 *
 * Accepted: LF or CR LF, quoted fields with commas, quotes and line breaks in them, a byte order
 * mark, blank lines (skipped), no line feed at the end. Spaces are data. Refused with file and
 * line: rows with more or fewer cells than the header, quotes out of place, a quote that is never
 * closed (named where it opened), a row or field of more than 1 MiB, NUL bytes, carriage returns
 * alone.
 */
#ifndef KNOCKON_EXPERIMENTS_CSV_IN_H
#define KNOCKON_EXPERIMENTS_CSV_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/error.h"

typedef struct CsvIn CsvIn;

typedef struct CsvCell {
    const char *text; /* ends in a zero that `size` does not count */
    size_t size;
} CsvCell;

/* A row, valid until the next call. At the end of the file `cells` is NULL. */
typedef struct CsvRow {
    const CsvCell *cells; /* as many as the header has */
    uint64_t line;        /* where it begins, from 1 */
} CsvRow;

/* Opens a file and reads its header; NULL when there is none or it is broken. */
CsvIn *csv_in_open(const char *path, Error *error);
void csv_in_close(CsvIn *csv);

/* The header. */
size_t csv_in_column_count(const CsvIn *csv);
const char *csv_in_column(const CsvIn *csv, size_t index);

/* Finds a column by its exact name. False when it is missing (with the nearest name) or there
 * twice. */
bool csv_in_find(const CsvIn *csv, const char *name, size_t *index, Error *error);
bool csv_in_has(const CsvIn *csv, const char *name);

/* The next row. False when the file is broken there; do not read on then. */
bool csv_in_next(CsvIn *csv, CsvRow *row, Error *error);

/* Back to the first row. */
bool csv_in_rewind(CsvIn *csv, Error *error);

/* Fills the error with "FILE:LINE: " and the sentence, and returns false. */
bool csv_in_error(const CsvIn *csv, uint64_t line, Error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
