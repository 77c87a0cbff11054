#include "experiments/tables.h"

#include <stdio.h>

#include "sim/check.h"

const Table *const tables[TABLE_COUNT] = {&table_outcome, &table_summary, &table_timeseries,
                                          &table_average, &table_events,  &table_requests};

static const Column in_system_column = {
    "in_system", "number", "1",
    "In progress when the interval began; of a service: at its replicas."};

static void add_column(TableColumns *out, const Column *column, const char *suffix) {
    CHECK(out->count < TABLE_COLUMNS_MAX);
    char *name = out->names[out->count];
    int size = snprintf(name, COLUMN_NAME_SIZE, "%s%s", column->name, suffix);
    CHECK(size < COLUMN_NAME_SIZE);
    out->columns[out->count] = *column;
    out->columns[out->count++].name = name;
}

static void add_measure(TableColumns *out, const Column *column, TableMeasures measures) {
    add_column(out, column, "");
    if (measures == TABLE_INTERVALS) {
        Column bound = *column;
        bound.doc = "Lower end of the 95 % interval for the mean over replications (Student's t).";
        add_column(out, &bound, "_ci_low");
        bound.doc = "Upper end of the same.";
        add_column(out, &bound, "_ci_high");
    }
}

void table_columns(const Table *table, TableColumns *out) {
    out->count = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        add_column(out, &table->columns[i], "");
    }
    for (uint32_t i = 0; i < METRIC_COUNT && table->measures != TABLE_OWN_COLUMNS; i++) {
        const MetricInfo *info = metric_info(i);
        Column column = {info->column, "number", info->unit, info->doc};
        add_measure(out, &column, table->measures);
    }
    if (table->has_in_system) {
        add_measure(out, &in_system_column, table->measures);
    }
}

void write_component(CsvOut *csv, const Model *model, uint32_t component) {
    csv_out_text(csv, component == NONE ? NULL : model_component_name(model, component));
}
