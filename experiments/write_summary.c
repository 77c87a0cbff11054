/* summary.csv: a row a replication and component, measured from the end of the warm-up. */
#include "experiments/tables.h"

static const Column columns[] = {
    {"replication", "integer", "1", "From 0."},
    {"component", "string", "", "Name of the client or service."},
    {"kind", "string", "", "client or service."},
};

static void summary_add(CsvOut *csv, const Model *model, const Result *result, void *state) {
    (void)state;
    for (uint32_t i = 0; i < result->component_count; i++) {
        csv_out_count(csv, result->replication);
        write_component(csv, model, i);
        csv_out_text(csv, model_component_is_client(model, i) ? "client" : "service");
        for (uint32_t k = 0; k < METRIC_COUNT; k++) {
            csv_out_double(csv, result->summary[(size_t)i * METRIC_COUNT + k]);
        }
        csv_out_end_row(csv);
    }
}

const Table table_summary = {
    .file = "summary.csv",
    .doc = "The measured part of each replication, by component.",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .measures = TABLE_MEASURES,
    .add = summary_add,
};
