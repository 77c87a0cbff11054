/* average.csv: the mean over replications of what timeseries.csv shows, with its interval.
 *
 * A cell that a replication lacks does not take part. Memory: 40 bytes a cell of one replication,
 * whatever their number.
 */
#include <math.h>

#include "experiments/tables.h"
#include "sim/check.h"
#include "sim/interval.h"
#include "sim/stats.h"

static const Column columns[] = {
    {"time_s", "number", "s", "Where the interval begins."},
    {"component", "string", "", "Name of the client or service."},
};

typedef struct Average {
    Running *cells; /* as Result.series */
    uint32_t sample_count, component_count, replication_count;
} Average;

/* A run that was cut off has fewer samples than others. */
static void average_reserve(Average *average, const Result *result) {
    CHECK(average->cells == NULL || average->component_count == result->component_count);
    average->component_count = result->component_count;
    average->replication_count++;
    if (result->sample_count <= average->sample_count) {
        return;
    }
    size_t row = (size_t)result->component_count * SERIES_WIDTH;
    size_t before = average->sample_count * row, after = result->sample_count * row;
    average->cells = mem_resize(average->cells, after * sizeof *average->cells);
    for (size_t i = before; i < after; i++) {
        average->cells[i] = (Running){0};
    }
    average->sample_count = result->sample_count;
}

static void average_add(CsvOut *csv, const Model *model, const Result *result, void *state) {
    (void)csv;
    (void)model;
    Average *average = state;
    average_reserve(average, result);
    size_t count = (size_t)result->sample_count * result->component_count * SERIES_WIDTH;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(result->series[i])) {
            running_record(&average->cells[i], result->series[i]);
        }
    }
}

/* Half the width of the interval for the mean of n values whose variance is 1. Student's quantile
 * costs microseconds and there are few different n. */
static double *unit_halves(uint32_t count_max) {
    double *halves = mem_alloc(((size_t)count_max + 1) * sizeof *halves);
    for (uint32_t n = 0; n <= count_max; n++) {
        Running unit = {.count = n, .squares = n > 0 ? n - 1.0 : 0};
        halves[n] = interval_mean(&unit, 0.95).high;
    }
    return halves;
}

static void write_cell(CsvOut *csv, const Running *cell, const double *halves) {
    if (cell->count == 0) {
        csv_out_missing(csv);
        csv_out_missing(csv);
        csv_out_missing(csv);
        return;
    }
    csv_out_double(csv, cell->mean);
    double half = halves[cell->count] * running_deviation(cell);
    csv_out_double(csv, cell->mean - half);
    csv_out_double(csv, cell->mean + half);
}

static void average_end(CsvOut *csv, const Model *model, const void *state) {
    const Average *average = state;
    double *halves = unit_halves(average->replication_count);
    const Running *cell = average->cells;
    for (uint32_t sample = 0; sample < average->sample_count; sample++) {
        for (uint32_t i = 0; i < average->component_count; i++) {
            csv_out_double(csv, time_to_s((SimTime)sample * model->run.sample_every));
            write_component(csv, model, i);
            for (uint32_t k = 0; k < SERIES_WIDTH; k++) {
                write_cell(csv, cell++, halves);
            }
            csv_out_end_row(csv);
        }
    }
    mem_free(halves);
}

static void average_drop(void *state) {
    Average *average = state;
    mem_free(average->cells);
}

const Table table_average = {
    .file = "average.csv",
    .doc = "The mean over replications, over time and by component, with 95 % intervals.",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .measures = TABLE_INTERVALS,
    .has_in_system = true,
    .add = average_add,
    .end = average_end,
    .drop = average_drop,
    .state_size = sizeof(Average),
};
