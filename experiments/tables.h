/* The CSV files of a run: what their columns are and how a replication's rows are written.
 *
 * A table is a const description, one in each write_NAME.c. Its columns drive the header, the
 * manifest's schema and the order of cells alike: own columns first, then, where it has them, the
 * measures of models/metrics.def in their order. Rows are added one replication at a time, in
 * order; only a table that averages keeps anything of them.
 */
#ifndef KNOCKON_EXPERIMENTS_TABLES_H
#define KNOCKON_EXPERIMENTS_TABLES_H

#include "experiments/csv_out.h"
#include "experiments/result.h"

typedef struct Column {
    const char *name;
    const char *type; /* of Frictionless: "integer", "number", "string" */
    const char *unit; /* as in metrics.def; "" for names and words */
    const char *doc;  /* one sentence */
} Column;

typedef enum TableMeasures {
    TABLE_OWN_COLUMNS, /* no measures */
    TABLE_MEASURES,    /* one column a measure */
    TABLE_INTERVALS,   /* three: mean, NAME_ci_low, NAME_ci_high */
} TableMeasures;

typedef struct Table {
    const char *file; /* "summary.csv" */
    const char *doc;
    const Column *columns;
    uint32_t column_count;
    TableMeasures measures;
    bool has_in_system; /* last column, after the measures */
    /* Cells of one replication. `state` is the table's own, zeroed; NULL when state_size is 0. */
    void (*add)(CsvOut *csv, const Model *model, const Result *result, void *state);
    /* Rows that need all replications; NULL: none. */
    void (*end)(CsvOut *csv, const Model *model, const void *state);
    void (*drop)(void *state); /* frees what the state holds; NULL: nothing */
    size_t state_size;
} Table;

extern const Table table_outcome, table_summary, table_timeseries, table_average, table_events,
    table_requests;

/* All of them, also those that a run does not write. */
enum { TABLE_COUNT = 6 };
extern const Table *const tables[TABLE_COUNT];

/* The columns of a table. `text` holds made-up names and lives as long as they are used. */
enum { TABLE_COLUMNS_MAX = 3 * SERIES_WIDTH + 32, COLUMN_NAME_SIZE = 64 };
typedef struct TableColumns {
    Column columns[TABLE_COLUMNS_MAX];
    uint32_t count;
    char names[TABLE_COLUMNS_MAX][COLUMN_NAME_SIZE];
} TableColumns;
void table_columns(const Table *table, TableColumns *out);

/* The cell of a component's name; empty for NONE. */
void write_component(CsvOut *csv, const Model *model, uint32_t component);

#endif
