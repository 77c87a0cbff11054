#include "experiments/run_out.h"

#include <unistd.h>

#include "experiments/manifest.h"
#include "experiments/pictures.h"
#include "sim/vec.h"

static bool is_written(const Table *table, const Model *model, bool has_requests) {
    if (table == &table_timeseries) {
        return model->run.timeseries == TIMESERIES_ALL;
    }
    if (table == &table_average) {
        return model->run.timeseries == TIMESERIES_AVERAGE;
    }
    return table != &table_requests || has_requests;
}

static bool open_table(RunOut *out, const Table *table, Error *error) {
    TableColumns *columns = mem_alloc(sizeof *columns);
    table_columns(table, columns);
    const char *names[TABLE_COLUMNS_MAX];
    for (uint32_t i = 0; i < columns->count; i++) {
        names[i] = columns->columns[i].name;
    }
    OpenTable *open = &out->open[out->open_count];
    *open = (OpenTable){.table = table};
    bool is_open = csv_out_open(&open->csv, out->dir, table->file, names, columns->count, error);
    mem_free(columns);
    if (is_open) {
        open->state = table->state_size == 0 ? NULL : mem_zalloc(1, table->state_size);
        out->open_count++;
    }
    return is_open;
}

bool run_out_open(RunOut *out, const Model *model, const OutDir *dir, bool has_requests,
                  Error *error) {
    *out = (RunOut){.model = model, .dir = dir};
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        if (is_written(tables[i], model, has_requests) && !open_table(out, tables[i], error)) {
            run_out_close(out);
            return false;
        }
    }
    return true;
}

bool run_out_add(RunOut *out, const Result *result) {
    bool is_fine = true;
    for (uint32_t i = 0; i < out->open_count; i++) {
        OpenTable *open = &out->open[i];
        open->table->add(&open->csv, out->model, result, open->state);
        is_fine = is_fine && !file_out_failed(open->csv.file);
    }
    return is_fine;
}

/* Those that were finished have no file any more. */
void run_out_close(RunOut *out) {
    for (uint32_t i = 0; i < out->open_count; i++) {
        OpenTable *open = &out->open[i];
        if (open->table->drop != NULL) {
            open->table->drop(open->state);
        }
        mem_free(open->state);
        if (open->csv.file != NULL) {
            csv_out_abandon(&open->csv);
        }
    }
    out->open_count = 0;
}

void run_out_remove(const RunOut *out) {
    for (uint32_t i = 0; i < out->open_count; i++) {
        unlinkat(out->dir->fd, out->open[i].table->file, 0);
    }
}

/* What an earlier run left and this one does not write would be taken for this run's. */
static void remove_stale(const RunOut *out) {
    for (uint32_t i = 0; i < PICTURE_COUNT; i++) {
        unlinkat(out->dir->fd, picture_file((Picture)i), 0);
    }
    unlinkat(out->dir->fd, "report.html", 0);
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        bool is_ours = false;
        for (uint32_t k = 0; k < out->open_count; k++) {
            is_ours = is_ours || out->open[k].table == tables[i];
        }
        if (!is_ours) {
            unlinkat(out->dir->fd, tables[i]->file, 0);
        }
    }
}

/* Writes the rows that come last and empties the buffers; the first file that failed, or
 * open_count. */
static uint32_t write_rest(RunOut *out) {
    uint32_t failed = out->open_count;
    for (uint32_t i = 0; i < out->open_count; i++) {
        OpenTable *open = &out->open[i];
        if (open->table->end != NULL) {
            open->table->end(&open->csv, out->model, open->state);
        }
        file_out_flush(open->csv.file);
        if (file_out_failed(open->csv.file) && failed == out->open_count) {
            failed = i;
        }
    }
    return failed;
}

bool run_out_finish(RunOut *out, Error *error) {
    uint32_t failed = write_rest(out);
    if (failed < out->open_count) {
        csv_out_finish(&out->open[failed].csv, NULL, error);
        run_out_close(out);
        return false;
    }
    unlinkat(out->dir->fd, MANIFEST_NAME, 0);
    remove_stale(out);
    for (uint32_t i = 0; i < out->open_count; i++) {
        if (!csv_out_finish(&out->open[i].csv, &out->facts[i], error)) {
            run_out_remove(out);
            run_out_close(out);
            return false;
        }
    }
    return true;
}
