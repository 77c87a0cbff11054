/* timeseries.csv: a row a replication, sample and component; the interval [time_s, time_s +
 * sample). This is nearly all that a run writes: some 40 ns a cell. */
#include "experiments/tables.h"

static const Column columns[] = {
    {"replication", "integer", "1", "From 0."},
    {"time_s", "number", "s", "Where the interval begins."},
    {"component", "string", "", "Name of the client or service."},
};

static void timeseries_add(CsvOut *csv, const Model *model, const Result *result, void *state) {
    (void)state;
    const double *cell = result->series;
    for (uint32_t sample = 0; sample < result->sample_count; sample++) {
        double time_s = time_to_s((SimTime)sample * model->run.sample_every);
        for (uint32_t i = 0; i < result->component_count; i++) {
            csv_out_count(csv, result->replication);
            csv_out_double(csv, time_s);
            write_component(csv, model, i);
            for (uint32_t k = 0; k < SERIES_WIDTH; k++) {
                csv_out_double(csv, *cell++);
            }
            csv_out_end_row(csv);
        }
    }
}

const Table table_timeseries = {
    .file = "timeseries.csv",
    .doc = "Each replication over time, by component: measures over an interval.",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .measures = TABLE_MEASURES,
    .has_in_system = true,
    .add = timeseries_add,
};
