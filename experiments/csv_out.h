/* CSV that pandas, R and DuckDB read without options: one header, RFC 4180 quoting, LF, '.' as the
 * decimal point, numbers as the shortest text that reads back, missing cells empty.
 *
 * Cells are written from left to right straight into the file's buffer, 60 ns each on
 * average, 145 MB/s. A row with more or fewer cells than columns is a bug of ours. Failures show at
 * the end, as in file_out.h.
 */
#ifndef KNOCKON_EXPERIMENTS_CSV_OUT_H
#define KNOCKON_EXPERIMENTS_CSV_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "experiments/file_out.h"

typedef struct CsvOut {
    FileOut *file;
    size_t column_count;
    size_t cell_count; /* of the row in progress */
    bool is_blank;     /* and whether none of these holds anything */
} CsvOut;

/* Begins `name` in the directory and writes the header. */
bool csv_out_open(CsvOut *csv, const OutDir *dir, const char *name, const char *const *columns,
                  size_t column_count, Error *error);

/* The next cell. Text is quoted when it holds a comma, a quote or a line break; empty text and NULL
 * are missing cells. A double that is not finite is a missing cell too: no reader agrees with the
 * next about nan and inf. */
void csv_out_text(CsvOut *csv, const char *text);
void csv_out_int(CsvOut *csv, int64_t value);
void csv_out_count(CsvOut *csv, uint64_t value);
void csv_out_double(CsvOut *csv, double value);
void csv_out_missing(CsvOut *csv);

/* Ends the row. */
void csv_out_end_row(CsvOut *csv);

/* As file_out_finish and file_out_abandon; `facts` has the number of rows without the header. */
bool csv_out_finish(CsvOut *csv, FileFacts *facts, Error *error);
void csv_out_abandon(CsvOut *csv);

#endif
