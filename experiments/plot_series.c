#include "experiments/plot_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "experiments/line_in.h"
#include "experiments/number_parse.h"
#include "sim/check.h"

/* More samples than any scenario may have: beyond it the file is not ours. */
#define SAMPLES_MAX 1e8

/* A column of the file by what it holds; the rest is not looked at. */
typedef enum Wanted {
    WANTED_REPLICATION,
    WANTED_TIME,
    WANTED_COMPONENT,
    WANTED_OFFERED,
    WANTED_ANSWERED,
    WANTED_GOODPUT,
    WANTED_TIMEOUTS,
    WANTED_REFUSED,
    WANTED_ERRORS,
    WANTED_ATTEMPTS,
    WANTED_P50,
    WANTED_P99,
    WANTED_QUEUE,
    WANTED_UTILIZATION,
    WANTED_IN_SYSTEM,
    WANTED_ORPHANED,
    WANTED_RUNNING,
    WANTED_WAITING,
    WANTED_KV_USE,
    WANTED_PREEMPTIONS,
    WANTED_INPUT,
    WANTED_OUTPUT,
    WANTED_TTFT_P50,
    WANTED_TTFT_P95,
    WANTED_ITL_P50,
    WANTED_ITL_P99,
    WANTED_COUNT
} Wanted;

static const char *const WANTED_COLUMNS[WANTED_COUNT] = {
    "replication",        "time_s",
    "component",          "offered_count",
    "answered_count",     "goodput_per_s",
    "timeout_count",      "refused_count",
    "error_count",        "attempt_count",
    "latency_s_p50",      "latency_s_p99",
    "queue_mean",         "utilization_ratio",
    "in_system",          "orphaned_mean",
    "busy_mean",          "queue_mean",
    "kv_use_ratio",       "preemption_count",
    "input_tokens_per_s", "output_tokens_per_s",
    "ttft_s_p50",         "ttft_s_p95",
    "itl_s_p50",          "itl_s_p99"};

/* Files of a version that knew no tokens and no orphans lack these columns. */
static bool may_be_absent(size_t wanted) {
    return wanted == WANTED_ORPHANED || wanted >= WANTED_KV_USE;
}

#define ABSENT SIZE_MAX /* the place of a column that is not there */

/* The file being read, and its row. */
typedef struct Reader {
    CsvIn *csv;
    bool has_replication; /* average.csv has none */
    size_t places[WANTED_COUNT];
    CsvRow row;
    double cells[WANTED_COUNT]; /* as numbers; of the component its index */
} Reader;

static bool reader_open(Reader *reader, const char *directory, Error *error) {
    static const char *const NAMES[] = {"timeseries.csv", "average.csv"};
    *reader = (Reader){0};
    for (size_t i = 0; i < 2 && reader->csv == NULL; i++) {
        char *path = path_join(directory, NAMES[i]);
        if (access(path, F_OK) == 0 && (reader->csv = csv_in_open(path, error)) == NULL) {
            mem_free(path);
            return false;
        }
        mem_free(path);
    }
    if (reader->csv == NULL) {
        return true;
    }
    reader->has_replication = csv_in_has(reader->csv, "replication");
    for (size_t i = reader->has_replication ? 0 : 1; i < WANTED_COUNT; i++) {
        if (may_be_absent(i) && !csv_in_has(reader->csv, WANTED_COLUMNS[i])) {
            reader->places[i] = ABSENT;
        } else if (!csv_in_find(reader->csv, WANTED_COLUMNS[i], &reader->places[i], error)) {
            csv_in_close(reader->csv);
            return false;
        }
    }
    return true;
}

/* The next row's numbers; `row.cells` is NULL at the end. */
static bool reader_next(Reader *reader, const RunFiles *files, Error *error) {
    if (!csv_in_next(reader->csv, &reader->row, error)) {
        return false;
    }
    if (reader->row.cells == NULL) {
        return true;
    }
    for (size_t i = reader->has_replication ? 0 : 1; i < WANTED_COUNT; i++) {
        double *value = &reader->cells[i];
        if (reader->places[i] == ABSENT) {
            *value = NAN;
            continue;
        }
        const CsvCell *cell = &reader->row.cells[reader->places[i]];
        if (i == WANTED_COMPONENT) {
            double before = reader->cells[i];
            uint32_t index = run_files_component(files, cell->text, (uint32_t)before);
            if (index == NONE) {
                return csv_in_error(reader->csv, reader->row.line, error,
                                    "the component '%s' is not in summary.csv",
                                    text_shown(cell->text, cell->size).text);
            }
            *value = index;
        } else if (cell->size == 0) {
            *value = NAN;
        } else if (!number_parse(cell->text, cell->size, value)) {
            return csv_in_error(reader->csv, reader->row.line, error,
                                "'%s' is not a number (column '%s')",
                                text_shown(cell->text, cell->size).text, WANTED_COLUMNS[i]);
        }
    }
    double time_s = reader->cells[WANTED_TIME];
    return time_s >= 0 && !isnan(reader->cells[WANTED_REPLICATION])
               ? true
               : csv_in_error(reader->csv, reader->row.line, error,
                              "a row needs a replication and a time of 0 or more");
}

/* First reading: how long an interval is, how many there are, how many replications. A single
 * sample has no neighbour: its length is then answers over answers per second. */
static bool series_measure(PlotSeries *series, const RunFiles *files, Reader *reader,
                           Error *error) {
    double interval_s = INFINITY, span_s = NAN, end_s = -1, before_s = 0, replication = NAN;
    while (true) {
        if (!reader_next(reader, files, error)) {
            return false;
        }
        if (reader->row.cells == NULL) {
            break;
        }
        const double *cells = reader->cells;
        if (cells[WANTED_REPLICATION] != replication) {
            replication = cells[WANTED_REPLICATION];
            series->replication_count++;
        } else if (cells[WANTED_TIME] > before_s) {
            interval_s = fmin(interval_s, cells[WANTED_TIME] - before_s);
        }
        before_s = cells[WANTED_TIME];
        end_s = fmax(end_s, before_s);
        if (cells[WANTED_GOODPUT] > 0 && cells[WANTED_ANSWERED] > 0) {
            span_s = cells[WANTED_ANSWERED] / cells[WANTED_GOODPUT];
        }
    }
    series->is_average = !reader->has_replication;
    series->interval_s = isinf(interval_s) ? (span_s > 0 ? span_s : 1) : interval_s;
    if (end_s / series->interval_s >= SAMPLES_MAX) {
        return csv_in_error(reader->csv, reader->row.line, error,
                            "the times of the rows are not those of a run");
    }
    series->sample_count = end_s < 0 ? 0 : (uint64_t)llround(end_s / series->interval_s) + 1;
    series->band_count = series->replication_count < PLOT_REPLICATIONS_MAX
                             ? (uint32_t)series->replication_count
                             : PLOT_REPLICATIONS_MAX;
    return true;
}

static Panel panel_make(const PlotSeries *series, uint32_t component, uint32_t curve_count,
                        uint32_t points_max) {
    Panel panel = {.component = component, .curve_count = curve_count};
    panel.samples_per_point = (series->sample_count + points_max - 1) / points_max;
    panel.point_count =
        (uint32_t)((series->sample_count + panel.samples_per_point - 1) / panel.samples_per_point);
    size_t band_size = (size_t)panel.point_count * series->band_count;
    for (uint32_t i = 0; i < curve_count; i++) {
        Curve *curve = &panel.curves[i];
        curve->sums = mem_zalloc(panel.point_count, sizeof *curve->sums);
        curve->counts = mem_zalloc(panel.point_count, sizeof *curve->counts);
        curve->lows = mem_alloc(band_size * sizeof *curve->lows);
        curve->highs = mem_alloc(band_size * sizeof *curve->highs);
        for (size_t j = 0; j < band_size; j++) {
            curve->lows[j] = curve->highs[j] = NAN;
        }
    }
    return panel;
}

static void panel_free(Panel *panel) {
    for (uint32_t i = 0; i < panel->curve_count; i++) {
        mem_free(panel->curves[i].sums);
        mem_free(panel->curves[i].counts);
        mem_free(panel->curves[i].lows);
        mem_free(panel->curves[i].highs);
    }
}

static void panel_record(const PlotSeries *series, Panel *panel, uint64_t replication,
                         uint64_t sample, const double *values) {
    uint64_t point = sample / panel->samples_per_point;
    CHECK(point < panel->point_count);
    for (uint32_t i = 0; i < panel->curve_count; i++) {
        Curve *curve = &panel->curves[i];
        if (isnan(values[i])) {
            continue;
        }
        curve->sums[point] += values[i];
        curve->counts[point]++;
        if (replication < series->band_count) {
            size_t at = replication * panel->point_count + point;
            curve->lows[at] = fminf(curve->lows[at], (float)values[i]);
            curve->highs[at] = fmaxf(curve->highs[at], (float)values[i]);
        }
    }
}

/* Which components are worth a panel: those that broke, in most replications first, then the
 * busiest. */
typedef struct Candidate {
    uint32_t component;
    double weight;
} Candidate;

static int candidate_compare(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight)
                                  : (x->component > y->component) - (x->component < y->component);
}

static int candidate_compare_place(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    return (x->component > y->component) - (x->component < y->component);
}

static double component_weight(const RunFiles *files, uint32_t component) {
    const RunComponent *at = &files->components.items[component];
    double broken_count = 0;
    for (size_t i = 0; i < files->breaks.count; i++) {
        broken_count += files->breaks.items[i].component == component;
    }
    uint32_t share = run_component_has_blocks(at) ? METRIC_kv_use : METRIC_utilization;
    double busy =
        at->is_client ? at->metrics[METRIC_offered].mean : fmin(at->metrics[share].mean, 0.999);
    return at->is_client ? busy : broken_count + busy;
}

/* What a row of panels is about. */
typedef struct PanelPlan {
    bool is_client, has_tokens;
    uint32_t count_max, curve_count;
} PanelPlan;

static bool plan_takes(const PanelPlan *plan, const RunComponent *component) {
    return component->is_client == plan->is_client &&
           (!plan->has_tokens || component->metrics[METRIC_output_tokens].count > 0);
}

static void series_choose(const PlotSeries *series, const RunFiles *files, PanelPlan plan,
                          Panels *out) {
    VEC(Candidate) candidates = {0};
    for (uint32_t i = 0; i < files->components.count; i++) {
        if (plan_takes(&plan, &files->components.items[i])) {
            vec_push(&candidates, ((Candidate){i, component_weight(files, i)}));
        }
    }
    size_t count = candidates.count < plan.count_max ? candidates.count : plan.count_max;
    if (count > 0) {
        qsort(candidates.items, candidates.count, sizeof(Candidate), candidate_compare);
        qsort(candidates.items, count, sizeof(Candidate), candidate_compare_place);
    }
    uint32_t points = count > 4                      ? PLOT_LEAST_POINTS_MAX
                      : count > 1 || !plan.is_client ? PLOT_SMALL_POINTS_MAX
                                                     : PLOT_POINTS_MAX;
    for (size_t i = 0; i < count; i++) {
        vec_push(out, panel_make(series, candidates.items[i].component, plan.curve_count, points));
    }
    vec_free(&candidates);
}

/* Second reading. The clients' rows of one sample are summed until the next sample begins. */
typedef struct Sum {
    bool is_open;
    double replication;
    uint64_t replication_index, sample;
    double values[LOAD_CURVES];
} Sum;

static void sum_close(PlotSeries *series, Sum *sum) {
    if (sum->is_open) {
        panel_record(series, &series->load, sum->replication_index, sum->sample, sum->values);
    }
}

static void sum_add(PlotSeries *series, Sum *sum, const double *cells) {
    double per_s = 1 / series->interval_s;
    sum->values[LOAD_OFFERED] += cells[WANTED_OFFERED] * per_s;
    sum->values[LOAD_ATTEMPTS] += cells[WANTED_ATTEMPTS] * per_s;
    sum->values[LOAD_GOODPUT] += cells[WANTED_GOODPUT];
    sum->values[LOAD_FAILED] +=
        (cells[WANTED_TIMEOUTS] + cells[WANTED_REFUSED] + cells[WANTED_ERRORS]) * per_s;
}

/* Records the values in the component's panel, if it has one. */
static void panels_record(const PlotSeries *series, const Panels *panels, uint32_t component,
                          const Sum *sum, const double *values) {
    for (size_t i = 0; i < panels->count; i++) {
        if (panels->items[i].component == component) {
            panel_record(series, &panels->items[i], sum->replication_index, sum->sample, values);
        }
    }
}

static void series_take(PlotSeries *series, const RunFiles *files, Sum *sum, const double *cells) {
    uint64_t sample = (uint64_t)llround(cells[WANTED_TIME] / series->interval_s);
    uint32_t component = (uint32_t)cells[WANTED_COMPONENT];
    if (!sum->is_open || sum->sample != sample || sum->replication != cells[WANTED_REPLICATION]) {
        sum_close(series, sum);
        bool is_next = sum->is_open && sum->replication != cells[WANTED_REPLICATION];
        *sum = (Sum){.is_open = true,
                     .replication = cells[WANTED_REPLICATION],
                     .replication_index = sum->replication_index + is_next,
                     .sample = sample};
    }
    if (files->components.items[component].is_client) {
        sum_add(series, sum, cells);
    }
    panels_record(series, &series->clients, component, sum, &cells[WANTED_P50]);
    double service[SERVICE_CURVES];
    memcpy(service, &cells[WANTED_QUEUE], sizeof service);
    if (run_component_has_blocks(&files->components.items[component])) {
        service[SERVICE_UTILIZATION] = cells[WANTED_KV_USE];
    }
    panels_record(series, &series->services, component, sum, service);
    double inference[INFERENCE_CURVES];
    memcpy(inference, &cells[WANTED_RUNNING], sizeof inference);
    inference[INFERENCE_PREEMPTIONS] /= series->interval_s;
    panels_record(series, &series->inference, component, sum, inference);
}

static bool series_fill(PlotSeries *series, const RunFiles *files, Reader *reader, Error *error) {
    Sum sum = {0};
    series->load = panel_make(series, NONE, LOAD_CURVES, PLOT_POINTS_MAX);
    series_choose(series, files, (PanelPlan){true, false, PLOT_CLIENTS_MAX, LATENCY_CURVES},
                  &series->clients);
    series_choose(series, files, (PanelPlan){false, false, PLOT_SERVICES_MAX, SERVICE_CURVES},
                  &series->services);
    series_choose(series, files, (PanelPlan){false, true, PLOT_INFERENCE_MAX, INFERENCE_CURVES},
                  &series->inference);
    if (!csv_in_rewind(reader->csv, error)) {
        return false;
    }
    while (reader_next(reader, files, error)) {
        if (reader->row.cells == NULL) {
            sum_close(series, &sum);
            return true;
        }
        series_take(series, files, &sum, reader->cells);
    }
    return false;
}

bool plot_series_read(PlotSeries *series, const RunFiles *files, const char *directory,
                      Error *error) {
    Reader reader;
    PlotSeries read = {0};
    if (!reader_open(&reader, directory, error)) {
        return false;
    }
    bool is_fine = true;
    if (reader.csv != NULL) {
        is_fine = series_measure(&read, files, &reader, error) &&
                  (read.sample_count == 0 || series_fill(&read, files, &reader, error));
        csv_in_close(reader.csv);
    }
    if (!is_fine) {
        plot_series_free(&read);
        return false;
    }
    *series = read;
    return true;
}

static void panels_free(Panels *panels) {
    for (size_t i = 0; i < panels->count; i++) {
        panel_free(&panels->items[i]);
    }
    vec_free(panels);
}

void plot_series_free(PlotSeries *series) {
    panel_free(&series->load);
    panels_free(&series->clients);
    panels_free(&series->services);
    panels_free(&series->inference);
    *series = (PlotSeries){0};
}

double plot_series_time_s(const PlotSeries *series, const Panel *panel, uint32_t point) {
    double first = (double)(point * panel->samples_per_point);
    double end = fmin(first + (double)panel->samples_per_point, (double)series->sample_count);
    return (first + end) / 2 * series->interval_s;
}

/* With `count` values the band leaves out a tenth of them, rounded down, on either side. */
static double band_edge(const float *values, uint32_t stride, uint32_t count, bool is_high) {
    double sorted[PLOT_REPLICATIONS_MAX];
    size_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        float value = values[(size_t)i * stride];
        if (!isnan(value)) {
            sorted[kept++] = (double)value;
        }
    }
    if (kept == 0) {
        return NAN;
    }
    qsort(sorted, kept, sizeof sorted[0], compare_doubles);
    return is_high ? sorted[kept - 1 - kept / 10] : sorted[kept / 10];
}

PlotPoint plot_series_point(const PlotSeries *series, const Panel *panel, uint32_t curve,
                            uint32_t point) {
    CHECK(curve < panel->curve_count && point < panel->point_count);
    const Curve *at = &panel->curves[curve];
    return (PlotPoint){
        .mean = at->counts[point] == 0 ? NAN : at->sums[point] / (double)at->counts[point],
        .low = band_edge(at->lows + point, panel->point_count, series->band_count, false),
        .high = band_edge(at->highs + point, panel->point_count, series->band_count, true)};
}
