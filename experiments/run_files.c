#include "experiments/run_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/csv_in.h"
#include "experiments/line_in.h"
#include "experiments/number_parse.h"
#include "experiments/quantity.h"
#include "sim/check.h"

enum { COLUMNS_MAX = 16 };

char *path_join(const char *directory, const char *name) {
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double sorted_quantile(const double *values, size_t count, double p) {
    CHECK(p >= 0 && p <= 1);
    if (count == 0) {
        return NAN;
    }
    size_t rank = (size_t)ceil(p * (double)count);
    return values[rank == 0 ? 0 : rank - 1];
}

/* A cell that is a number or missing. */
static bool cell_number(const CsvIn *csv, const CsvRow *row, size_t column, double *value,
                        Error *error) {
    const CsvCell *cell = &row->cells[column];
    *value = NAN;
    if (cell->size == 0 || number_parse(cell->text, cell->size, value)) {
        return true;
    }
    return csv_in_error(csv, row->line, error, "'%s' is not a number (column '%s')",
                        text_shown(cell->text, cell->size).text, csv_in_column(csv, column));
}

static bool cell_replication(const CsvIn *csv, const CsvRow *row, size_t column, uint64_t *value,
                             Error *error) {
    const CsvCell *cell = &row->cells[column];
    if (number_parse_count(cell->text, cell->size, UINT32_MAX, value)) {
        return true;
    }
    return csv_in_error(csv, row->line, error, "'%s' is not the number of a replication",
                        text_shown(cell->text, cell->size).text);
}

/* Opens DIR/NAME and finds its columns. */
static CsvIn *file_open(const char *path, const char *name, const char *const *columns,
                        size_t *places, Error *error) {
    char *full = path_join(path, name);
    CsvIn *csv = csv_in_open(full, error);
    mem_free(full);
    for (size_t i = 0; csv != NULL && columns[i] != NULL; i++) {
        CHECK(i < COLUMNS_MAX);
        if (!csv_in_find(csv, columns[i], &places[i], error)) {
            csv_in_close(csv);
            return NULL;
        }
    }
    return csv;
}

/* Calls `take` for each row. */
typedef bool (*TakeRow)(RunFiles *files, const CsvIn *csv, const CsvRow *row, const size_t *places,
                        Error *error);

static bool file_read(RunFiles *files, CsvIn *csv, const size_t *places, TakeRow take,
                      Error *error) {
    CsvRow row;
    bool is_fine;
    while ((is_fine = csv_in_next(csv, &row, error)) && row.cells != NULL) {
        if (!take(files, csv, &row, places, error)) {
            is_fine = false;
            break;
        }
    }
    csv_in_close(csv);
    return is_fine;
}

/* outcome.csv */

static const char *const OUTCOME_COLUMNS[] = {"replication",       "seed",
                                              "verdict",           "stopped_by",
                                              "first_to_fail",     "collapse_at_s",
                                              "recovered_at_s",    "stopped_at_s",
                                              "cascade_depth",     "amplification_max",
                                              "goodput_ratio_min", NULL};

static bool outcome_take(RunFiles *files, const CsvIn *csv, const CsvRow *row, const size_t *places,
                         Error *error) {
    RunOutcome outcome = {0};
    double *const numbers[] = {&outcome.collapse_at_s,     &outcome.recovered_at_s,
                               &outcome.stopped_at_s,      &outcome.cascade_depth,
                               &outcome.amplification_max, &outcome.goodput_ratio_min};
    if (!cell_replication(csv, row, places[0], &outcome.replication, error)) {
        return false;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!cell_number(csv, row, places[5 + i], numbers[i], error)) {
            return false;
        }
    }
    outcome.seed = mem_copy_text(row->cells[places[1]].text);
    outcome.verdict = mem_copy_text(row->cells[places[2]].text);
    outcome.stopped_by = mem_copy_text(row->cells[places[3]].text);
    outcome.first_to_fail = mem_copy_text(row->cells[places[4]].text);
    vec_push(&files->outcomes, outcome);
    return true;
}

/* summary.csv: the metric columns follow the keys, and are found by name. */

static const char *const SUMMARY_COLUMNS[] = {"replication", "component", "kind", NULL};

uint32_t run_files_component(const RunFiles *files, const char *name, uint32_t hint) {
    uint32_t count = (uint32_t)files->components.count;
    for (uint32_t tried = 0; tried < count; tried++) {
        uint32_t index = (uint32_t)(((uint64_t)hint + 1 + tried) % count);
        if (strcmp(files->components.items[index].name, name) == 0) {
            return index;
        }
    }
    return NONE;
}

static RunComponent *summary_component(RunFiles *files, const char *name, const char *kind) {
    uint32_t index = run_files_component(files, name, 0);
    if (index == NONE) {
        vec_push(&files->components, ((RunComponent){.name = mem_copy_text(name),
                                                     .kind = mem_copy_text(kind),
                                                     .is_client = strcmp(kind, "client") == 0}));
        index = (uint32_t)files->components.count - 1;
    }
    return &files->components.items[index];
}

static bool summary_take(RunFiles *files, const CsvIn *csv, const CsvRow *row, const size_t *places,
                         Error *error) {
    const CsvCell *cells = row->cells;
    RunComponent *component =
        summary_component(files, cells[places[1]].text, cells[places[2]].text);
    double failed_count = 0;
    for (size_t i = 0; i < csv_in_column_count(csv); i++) {
        uint32_t metric = metric_find(csv_in_column(csv, i));
        double value;
        if (metric == METRIC_COUNT) {
            continue;
        }
        if (!cell_number(csv, row, i, &value, error)) {
            return false;
        }
        if (!isnan(value)) {
            running_record(&component->metrics[metric], value);
        }
        if (metric == METRIC_timeouts || metric == METRIC_refused || metric == METRIC_errors) {
            failed_count += value;
        }
    }
    if (!isnan(failed_count)) {
        running_record(&component->failed_count, failed_count);
    }
    return true;
}

/* events.csv: only what is shown is kept, because a breaker may open a million times. */

static const char *const EVENT_COLUMNS[] = {"replication", "time_s", "component",
                                            "event",       "detail", NULL};
enum { WINDOWS_MAX = 100000 };

static void window_add(RunFiles *files, double begin_s, double end_s, bool is_spike,
                       const char *component, const char *label) {
    if (files->windows.count < WINDOWS_MAX) {
        vec_push(&files->windows, ((RunWindow){.begin_s = begin_s,
                                               .end_s = end_s,
                                               .is_spike = is_spike,
                                               .component = mem_copy_text(component),
                                               .label = mem_copy_text(label)}));
    }
}

static int window_compare(const void *a, const void *b) {
    const RunWindow *x = a, *y = b;
    int order = compare_doubles(&x->begin_s, &y->begin_s);
    return order != 0 ? order : strcmp(x->label, y->label);
}

/* Ends the oldest open window of the same name. */
static void window_end(RunFiles *files, double at_s, const char *component, const char *label) {
    for (size_t i = 0; i < files->windows.count; i++) {
        RunWindow *window = &files->windows.items[i];
        if (isnan(window->end_s) && strcmp(window->component, component) == 0 &&
            strcmp(window->label, label) == 0) {
            window->end_s = at_s;
            return;
        }
    }
}

static bool event_take(RunFiles *files, const CsvIn *csv, const CsvRow *row, const size_t *places,
                       Error *error) {
    const char *component = row->cells[places[2]].text, *event = row->cells[places[3]].text;
    const char *detail = row->cells[places[4]].text;
    uint64_t replication;
    double at_s;
    if (!cell_replication(csv, row, places[0], &replication, error) ||
        !cell_number(csv, row, places[1], &at_s, error)) {
        return false;
    }
    bool is_first =
        files->outcomes.count > 0 && replication == files->outcomes.items[0].replication;
    if (is_first && strcmp(event, "fault_begins") == 0) {
        window_add(files, at_s, NAN, false, component, detail);
    } else if (is_first && strcmp(event, "fault_ends") == 0) {
        window_end(files, at_s, component, detail);
    } else if (is_first && strcmp(event, "trigger_begins") == 0) {
        files->trigger_begin_s = at_s;
    } else if (is_first && strcmp(event, "trigger_ends") == 0) {
        files->trigger_end_s = at_s;
    } else if (strcmp(event, "broken") == 0) {
        uint32_t index = run_files_component(files, component, 0);
        if (index != NONE) {
            vec_push(&files->breaks,
                     ((RunBreak){.replication = replication,
                                 .at_s = at_s,
                                 .component = index,
                                 .is_own_fault = strcmp(detail, "own fault") == 0}));
        }
    } else if (strcmp(event, "verdict") == 0 && replication == files->why_replication) {
        mem_free(files->why);
        files->why = mem_copy_text(detail);
    }
    return true;
}

/* The first replication with the verdict that most have: its reason is the one to show. */
static uint64_t typical_replication(const RunFiles *files) {
    size_t best = 0, best_count = 0;
    for (size_t i = 0; i < files->outcomes.count; i++) {
        size_t count = 0;
        for (size_t j = 0; j < files->outcomes.count && j < 1000; j++) {
            count +=
                strcmp(files->outcomes.items[i].verdict, files->outcomes.items[j].verdict) == 0;
        }
        if (count > best_count) {
            best = i;
            best_count = count;
        }
        if (i >= 1000) {
            break;
        }
    }
    return files->outcomes.count == 0 ? 0 : files->outcomes.items[best].replication;
}

static bool manifest_read(RunFiles *files, const char *path, Error *error) {
    char *full = path_join(path, "manifest.json");
    json_error_t failure;
    files->manifest = json_load_file(full, JSON_REJECT_DUPLICATES, &failure);
    if (files->manifest == NULL) {
        error_set(error, "%s: %s; is '%s' an output directory of knockon run?", full, failure.text,
                  path);
    }
    mem_free(full);
    return files->manifest != NULL;
}

/* Spikes stand in no file of events, but in the scenario: clients.NAME.spikes[I].KEY. */

static double duration_read(const char *text) {
    double value;
    Error error;
    return quantity_parse(text, DIMENSION_DURATION, &value, &error) ? value : NAN;
}

/* The values of one spike stand one after another; `at` begins it. */
static void spikes_read(RunFiles *files) {
    static const char CLIENTS[] = "clients.";
    const char *x = "";
    double at_s = NAN, for_s = NAN;
    for (size_t i = 0; i < run_files_value_count(files); i++) {
        RunValue value = run_files_value(files, i);
        const char *spikes = strstr(value.path, ".spikes[");
        const char *key = spikes == NULL ? NULL : strchr(spikes + 1, '.');
        if (key == NULL || strncmp(value.path, CLIENTS, sizeof CLIENTS - 1) != 0) {
            continue;
        }
        if (strcmp(key, ".at") == 0) {
            at_s = duration_read(value.value);
        } else if (strcmp(key, ".for") == 0) {
            for_s = duration_read(value.value);
        } else if (strcmp(key, ".x") == 0) {
            x = value.value;
        }
        if (!isnan(at_s) && !isnan(for_s) && x[0] != '\0') {
            char label[160];
            const char *name = value.path + sizeof CLIENTS - 1;
            int size = (int)(spikes - name);
            snprintf(label, sizeof label, "%.*s load x %s", size < 100 ? size : 100, name, x);
            window_add(files, at_s, at_s + for_s, true, "", label);
            at_s = for_s = NAN;
            x = "";
        }
    }
}

bool run_files_read(RunFiles *files, const char *path, Error *error) {
    static const struct {
        const char *name;
        const char *const *columns;
        TakeRow take;
    } TABLES[] = {{"outcome.csv", OUTCOME_COLUMNS, outcome_take},
                  {"summary.csv", SUMMARY_COLUMNS, summary_take},
                  {"events.csv", EVENT_COLUMNS, event_take}};
    RunFiles read = {.why = mem_copy_text(""), .trigger_begin_s = NAN, .trigger_end_s = NAN};
    bool is_fine = manifest_read(&read, path, error);
    for (size_t i = 0; is_fine && i < sizeof TABLES / sizeof TABLES[0]; i++) {
        size_t places[COLUMNS_MAX];
        read.why_replication = typical_replication(&read);
        CsvIn *csv = file_open(path, TABLES[i].name, TABLES[i].columns, places, error);
        is_fine = csv != NULL && file_read(&read, csv, places, TABLES[i].take, error);
    }
    if (is_fine) {
        spikes_read(&read);
        if (read.windows.count == 0 && !isnan(read.trigger_begin_s)) {
            window_add(&read, read.trigger_begin_s, read.trigger_end_s, true, "", "trigger");
        }
        if (read.windows.count > 0) {
            qsort(read.windows.items, read.windows.count, sizeof(RunWindow), window_compare);
        }
    }
    if (!is_fine) {
        run_files_free(&read);
        return false;
    }
    *files = read;
    return true;
}

void run_files_free(RunFiles *files) {
    json_decref(files->manifest);
    for (size_t i = 0; i < files->outcomes.count; i++) {
        RunOutcome *outcome = &files->outcomes.items[i];
        mem_free(outcome->seed);
        mem_free(outcome->verdict);
        mem_free(outcome->stopped_by);
        mem_free(outcome->first_to_fail);
    }
    for (size_t i = 0; i < files->components.count; i++) {
        mem_free(files->components.items[i].name);
        mem_free(files->components.items[i].kind);
    }
    for (size_t i = 0; i < files->windows.count; i++) {
        mem_free(files->windows.items[i].component);
        mem_free(files->windows.items[i].label);
    }
    vec_free(&files->outcomes);
    vec_free(&files->components);
    vec_free(&files->windows);
    vec_free(&files->breaks);
    mem_free(files->why);
    *files = (RunFiles){0};
}

static const char *json_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

const char *run_files_text(const RunFiles *files, const char *key) {
    return json_text(files->manifest, key);
}

const char *run_files_own_text(const RunFiles *files, const char *key) {
    return json_text(json_object_get(files->manifest, "knockon"), key);
}

static const json_t *scenario_of(const RunFiles *files) {
    return json_object_get(json_object_get(files->manifest, "knockon"), "scenario");
}

size_t run_files_value_count(const RunFiles *files) {
    return json_array_size(scenario_of(files));
}

RunValue run_files_value(const RunFiles *files, size_t index) {
    const json_t *value = json_array_get(scenario_of(files), index);
    return (RunValue){json_text(value, "path"), json_text(value, "value"),
                      json_text(value, "origin")};
}
