#include "experiments/plot_data.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/plot_series.h"
#include "experiments/utf8.h"
#include "sim/check.h"

enum {
    LABEL_CHARACTERS_MAX = 36, /* more does not fit beside another */
    LANES = 3,                 /* of labels, above each other */
    WIDTH_CHARACTERS = 145,    /* of the plot, in characters of a label */
    LABELS_MAX = 24,
    WINDOWS_SHOWN_MAX = 400,
};

const char *const plot_files[PLOT_FILES] = {
    "load.tsv",          "runs.tsv",      "clients.tsv",         "latency.tsv", "services.tsv",
    "service_names.tsv", "inference.tsv", "inference_names.tsv", "windows.tsv", "labels.tsv"};

/* The header of a curve: its mean and its band. */
#define BAND(name) "\t" name "\t" name "_low\t" name "_high"

/* A tab-separated file in progress. */
typedef struct Table {
    FILE *file;
    char *path;
    bool is_row_begun;
} Table;

static bool table_open(Table *table, const char *directory, const char *name, const char *header,
                       Error *error) {
    *table = (Table){.path = path_join(directory, name)};
    table->file = fopen(table->path, "wxe");
    if (table->file == NULL) {
        error_set(error, "cannot write '%s': %s", table->path, strerrordesc_np(errno));
        mem_free(table->path);
        return false;
    }
    fprintf(table->file, "%s\n", header);
    return true;
}

static bool table_close(Table *table, Error *error) {
    bool is_fine = !ferror(table->file);
    is_fine = fclose(table->file) == 0 && is_fine;
    if (!is_fine) {
        error_set(error, "cannot write '%s': %s", table->path, strerrordesc_np(errno));
    }
    mem_free(table->path);
    return is_fine;
}

static void table_separate(Table *table) {
    if (table->is_row_begun) {
        fputc('\t', table->file);
    }
    table->is_row_begun = true;
}

/* A hundred thousandth is finer than a pixel. */
static void table_number(Table *table, double value) {
    table_separate(table);
    fprintf(table->file, isnan(value) ? "NaN" : "%.6g", value);
}

/* A text fit for a cell and for a picture: one line of UTF-8, cut to some characters. */
static void table_text(Table *table, const char *text) {
    const char *end = text + strlen(text);
    table_separate(table);
    if (text == end) {
        fputc(' ', table->file);
    }
    for (size_t count = 0; text < end; count++) {
        uint32_t code = 0;
        size_t size = utf8_decode(text, end, &code);
        if (count == LABEL_CHARACTERS_MAX) {
            fputs("…", table->file);
            return;
        }
        if (size == 0) {
            fputc('?', table->file);
        } else if (utf8_is_control(code) || code == '\\' || code == '"') {
            fputc(code == '"' ? '\'' : ' ', table->file);
        } else {
            fwrite(text, 1, size, table->file);
        }
        text += size == 0 ? 1 : size;
    }
}

static void table_end_row(Table *table) {
    fputc('\n', table->file);
    table->is_row_begun = false;
}

/* Two blank lines begin gnuplot's next `index`. */
static void table_end_block(Table *table) {
    fputs("\n\n", table->file);
}

/* Of a single point a line is made, as long as its interval: a point would be no line. */
static uint32_t row_count(const Panel *panel) {
    return panel->point_count == 1 ? 2 : panel->point_count;
}

static double row_time_s(const PlotSeries *series, const Panel *panel, uint32_t row) {
    return panel->point_count == 1 ? row * series->interval_s * (double)series->sample_count
                                   : plot_series_time_s(series, panel, row);
}

/* Whether nothing has a value around a point for longer than a line should be drawn over: when
 * nobody is answered there are no times, and the last ones do not hold on. */
static bool is_in_gap(const Panel *panel, uint32_t curve, uint32_t point) {
    enum { BRIDGED_POINTS = 3 };
    const uint64_t *counts = panel->curves[curve].counts;
    uint32_t first = point, end = point;
    CHECK(point < panel->point_count);
    while (first > 0 && counts[first - 1] == 0 && point - first < BRIDGED_POINTS) {
        first--;
    }
    while (end < panel->point_count && counts[end] == 0 && end - point <= BRIDGED_POINTS) {
        end++;
    }
    return counts[point] == 0 && end - first > BRIDGED_POINTS;
}

/* Curves from `log_from` on are drawn on a logarithmic axis, where 0 is no place: the line ends. */
static void table_panel(Table *table, const PlotSeries *series, const Panel *panel,
                        uint32_t log_from) {
    for (uint32_t row = 0; row < row_count(panel); row++) {
        uint32_t point = panel->point_count == 1 ? 0 : row;
        table_number(table, row_time_s(series, panel, row));
        for (uint32_t curve = 0; curve < panel->curve_count; curve++) {
            PlotPoint at = {0};
            if (curve < log_from || !is_in_gap(panel, curve, point)) {
                at = plot_series_point(series, panel, curve, point);
            }
            table_number(table, at.mean);
            table_number(table, at.low);
            table_number(table, at.high);
        }
        table_end_row(table);
    }
    table_end_block(table);
}

/* A little above the largest value, so that its line is whole; 1 where there is only nothing. Bands
 * may be cut off by it: one wild replication would press the rest flat. */
static double axis_top(double largest) {
    return largest > 0 ? largest * 1.1 : 1;
}

/* 1, 2 or 5 times a power of ten that divides an axis into two to five. */
static double axis_step(double top) {
    double power = pow(10, floor(log10(top)));
    double ratio = top / power;
    return ratio < 2 ? power / 2 : ratio < 5 ? power : 2 * power;
}

static double panel_top(const PlotSeries *series, const Panel *panel, uint32_t curve) {
    double top = 0;
    for (uint32_t point = 0; point < panel->point_count; point++) {
        PlotPoint at = plot_series_point(series, panel, curve, point);
        top = fmax(top, at.mean);
    }
    return top;
}

static bool write_load(const PlotSeries *series, const char *to, PlotFacts *facts, Error *error) {
    Table table;
    if (!table_open(&table, to, "load.tsv",
                    "time_s" BAND("offered") BAND("attempts") BAND("goodput") BAND("failed"),
                    error)) {
        return false;
    }
    table_panel(&table, series, &series->load, LOAD_CURVES);
    double top = 0;
    for (uint32_t curve = 0; curve < LOAD_CURVES; curve++) {
        top = fmax(top, panel_top(series, &series->load, curve));
    }
    facts->load_top = axis_top(top);
    return table_close(&table, error);
}

/* Goodput of the first replications, one block each: a mean hides that some fell and others did
 * not. Four points of the mean make one. */
static bool write_runs(const PlotSeries *series, const char *to, Error *error) {
    enum { MERGED = 4 };
    const Panel *panel = &series->load;
    const Curve *goodput = &panel->curves[LOAD_GOODPUT];
    uint32_t merged = panel->point_count > PLOT_SMALL_POINTS_MAX ? MERGED : 1;
    Table table;
    if (!table_open(&table, to, "runs.tsv", "time_s\tgoodput", error)) {
        return false;
    }
    for (uint32_t run = 0; run < series->band_count && run < PLOT_RUNS_MAX; run++) {
        size_t base = (size_t)run * panel->point_count;
        for (uint32_t point = 0; point < panel->point_count; point += merged) {
            double sum = 0;
            uint32_t count = 0;
            for (; count < merged && point + count < panel->point_count; count++) {
                size_t at = base + point + count;
                sum += ((double)goodput->lows[at] + (double)goodput->highs[at]) / 2;
            }
            table_number(&table, plot_series_time_s(series, panel, point + count / 2));
            table_number(&table, sum / count);
            table_end_row(&table);
        }
        table_end_block(&table);
    }
    return table_close(&table, error);
}

/* What a logarithmic axis has to show. */
typedef struct Range {
    double low, high;
} Range;

static const Range RANGE_EMPTY = {INFINITY, 0};

static void range_widen(Range *range, const PlotSeries *series, const Panel *panel, uint32_t low,
                        uint32_t high) {
    for (uint32_t point = 0; point < panel->point_count; point++) {
        double least = plot_series_point(series, panel, low, point).mean;
        range->low = least > 0 ? fmin(range->low, least) : range->low;
        range->high = fmax(range->high, plot_series_point(series, panel, high, point).mean);
    }
}

/* From one power of ten to another. */
static Range range_axis(const Range *range) {
    bool is_empty = !(range->low <= range->high);
    return (Range){is_empty ? 0.1 : pow(10, floor(log10(range->low) - 0.01)),
                   is_empty ? 10 : pow(10, ceil(log10(range->high) + 0.01))};
}

static void latency_range(const PlotSeries *series, PlotFacts *facts) {
    Range range = RANGE_EMPTY;
    for (size_t i = 0; i < series->clients.count; i++) {
        range_widen(&range, series, &series->clients.items[i], LATENCY_P50, LATENCY_P99);
    }
    Range axis = range_axis(&range);
    facts->latency_low_s = axis.low;
    facts->latency_high_s = axis.high;
}

static bool write_clients(const RunFiles *files, const PlotSeries *series, const char *to,
                          PlotFacts *facts, Error *error) {
    Table curves, names;
    if (!table_open(&curves, to, "latency.tsv", "time_s" BAND("p50") BAND("p99"), error)) {
        return false;
    }
    for (size_t i = 0; i < series->clients.count; i++) {
        table_panel(&curves, series, &series->clients.items[i], LATENCY_P50);
    }
    latency_range(series, facts);
    if (!table_close(&curves, error) || !table_open(&names, to, "clients.tsv", "name", error)) {
        return false;
    }
    for (size_t i = 0; i < series->clients.count; i++) {
        table_text(&names, files->components.items[series->clients.items[i].component].name);
        table_end_row(&names);
    }
    return table_close(&names, error);
}

static void table_axis(Table *table, double top) {
    table_number(table, axis_top(top));
    table_number(table, axis_step(axis_top(top)));
}

static void table_log_axis(Table *table, const PlotSeries *series, const Panel *panel, uint32_t low,
                           uint32_t high) {
    Range range = RANGE_EMPTY;
    range_widen(&range, series, panel, low, high);
    range = range_axis(&range);
    table_number(table, range.low);
    table_number(table, range.high);
}

static double panel_top_of_two(const PlotSeries *series, const Panel *panel, uint32_t a,
                               uint32_t b) {
    return fmax(panel_top(series, panel, a), panel_top(series, panel, b));
}

static bool write_services(const RunFiles *files, const PlotSeries *series, const char *to,
                           Error *error) {
    Table curves, names;
    if (!table_open(&curves, to, "services.tsv",
                    "time_s" BAND("queue") BAND("utilization") BAND("in_system") BAND("orphaned"),
                    error)) {
        return false;
    }
    for (size_t i = 0; i < series->services.count; i++) {
        table_panel(&curves, series, &series->services.items[i], SERVICE_CURVES);
    }
    if (!table_close(&curves, error) ||
        !table_open(&names, to, "service_names.tsv", "top\tstep\tname\tshare", error)) {
        return false;
    }
    for (size_t i = 0; i < series->services.count; i++) {
        const Panel *panel = &series->services.items[i];
        const RunComponent *service = &files->components.items[panel->component];
        table_axis(&names, panel_top_of_two(series, panel, SERVICE_QUEUE, SERVICE_IN_SYSTEM));
        table_text(&names, service->name);
        table_text(&names, run_component_has_blocks(service) ? "KV blocks in use" : "utilization");
        table_end_row(&names);
    }
    return table_close(&names, error);
}

static bool write_inference(const RunFiles *files, const PlotSeries *series, const char *to,
                            Error *error) {
    Table curves, names;
    if (!table_open(&curves, to, "inference.tsv",
                    "time_s" BAND("running") BAND("waiting") BAND("kv_use") BAND("preemptions")
                        BAND("input") BAND("output") BAND("ttft_p50") BAND("ttft_p95")
                            BAND("itl_p50") BAND("itl_p99"),
                    error)) {
        return false;
    }
    for (size_t i = 0; i < series->inference.count; i++) {
        table_panel(&curves, series, &series->inference.items[i], INFERENCE_TTFT_P50);
    }
    if (!table_close(&curves, error) ||
        !table_open(&names, to, "inference_names.tsv",
                    "sequences_high\ttokens_top\ttokens_step\tpreemptions_top\tpreemptions_step\t"
                    "ttft_low\tttft_high\titl_low\titl_high\tname",
                    error)) {
        return false;
    }
    for (size_t i = 0; i < series->inference.count; i++) {
        const Panel *panel = &series->inference.items[i];
        /* Dozens run where thousands wait: from 1 on, in powers of ten. */
        double sequences = panel_top_of_two(series, panel, INFERENCE_RUNNING, INFERENCE_WAITING);
        table_number(&names, pow(10, ceil(log10(fmax(sequences, 1)) + 0.01)));
        table_axis(&names, panel_top_of_two(series, panel, INFERENCE_INPUT, INFERENCE_OUTPUT));
        table_axis(&names, panel_top(series, panel, INFERENCE_PREEMPTIONS));
        table_log_axis(&names, series, panel, INFERENCE_TTFT_P50, INFERENCE_TTFT_P95);
        table_log_axis(&names, series, panel, INFERENCE_ITL_P50, INFERENCE_ITL_P99);
        table_text(&names, files->components.items[panel->component].name);
        table_end_row(&names);
    }
    return table_close(&names, error);
}

static bool write_windows(const RunFiles *files, const char *to, double duration_s, Error *error) {
    Table table;
    if (!table_open(&table, to, "windows.tsv", "begin_s\tend_s\tis_spike", error)) {
        return false;
    }
    for (size_t i = 0; i < files->windows.count && i < WINDOWS_SHOWN_MAX; i++) {
        const RunWindow *window = &files->windows.items[i];
        table_number(&table, fmin(window->begin_s, duration_s));
        table_number(&table, isnan(window->end_s) ? duration_s : fmin(window->end_s, duration_s));
        table_number(&table, window->is_spike);
        table_end_row(&table);
    }
    return table_close(&table, error);
}

/* Labels stand in lanes above the panels, each in the first lane with room at its place. */
typedef struct Labels {
    Table *table;
    double duration_s;
    double free_from_s[LANES]; /* where the last label of a lane ends */
    uint32_t count, lane_count;
} Labels;

typedef enum LabelKind { LABEL_FAULT, LABEL_SPIKE, LABEL_COLLAPSE, LABEL_RECOVERY } LabelKind;

typedef struct Label {
    double at_s; /* of what it names */
    LabelKind kind;
    char text[160];
} Label;

static int label_compare(const void *a, const void *b) {
    return compare_doubles(&((const Label *)a)->at_s, &((const Label *)b)->at_s);
}

static size_t text_width(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count > LABEL_CHARACTERS_MAX ? LABEL_CHARACTERS_MAX + 1 : count;
}

/* A collapse or recovery is also a line over the panels, which a label that finds no room does not
 * take away: it is written without text then. */
static void labels_put(Labels *labels, const Label *label) {
    double width_s = (double)(text_width(label->text) + 2) / WIDTH_CHARACTERS * labels->duration_s;
    double from_s = fmin(fmax(label->at_s - width_s / 2, 0), labels->duration_s - width_s);
    uint32_t lane = 0;
    while (lane < LANES && labels->free_from_s[lane] > from_s) {
        lane++;
    }
    bool has_room = lane < LANES && labels->count < LABELS_MAX;
    table_number(labels->table, label->at_s);
    table_number(labels->table, fmax(from_s, 0) + width_s / 2);
    table_number(labels->table, has_room ? lane : 0);
    table_number(labels->table, label->kind);
    table_text(labels->table, has_room ? label->text : " ");
    table_end_row(labels->table);
    if (has_room) {
        labels->free_from_s[lane] = from_s + width_s;
        labels->count++;
        labels->lane_count = lane < labels->lane_count ? labels->lane_count : lane + 1;
    }
}

/* The median of a time of the outcomes, and how many have it. */
static size_t outcome_median(const RunFiles *files, bool is_recovery, double *median_s) {
    VEC(double) times = {0};
    for (size_t i = 0; i < files->outcomes.count; i++) {
        const RunOutcome *outcome = &files->outcomes.items[i];
        double at_s = is_recovery ? outcome->recovered_at_s : outcome->collapse_at_s;
        if (!isnan(at_s)) {
            vec_push(&times, at_s);
        }
    }
    size_t count = times.count;
    if (count > 0) {
        qsort(times.items, count, sizeof(double), compare_doubles);
        *median_s = sorted_quantile(times.items, count, 0.5);
    }
    vec_free(&times);
    return count;
}

static bool write_labels(const RunFiles *files, const char *to, PlotFacts *facts, Error *error) {
    VEC(Label) found = {0};
    for (size_t i = 0; i < files->windows.count && i < WINDOWS_SHOWN_MAX; i++) {
        const RunWindow *window = &files->windows.items[i];
        double end_s = isnan(window->end_s) ? facts->duration_s : window->end_s;
        Label label = {.at_s = (window->begin_s + end_s) / 2,
                       .kind = window->is_spike ? LABEL_SPIKE : LABEL_FAULT};
        snprintf(label.text, sizeof label.text, "%s", window->label);
        vec_push(&found, label);
    }
    for (int is_recovery = 0; is_recovery <= 1; is_recovery++) {
        Label label = {.kind = is_recovery ? LABEL_RECOVERY : LABEL_COLLAPSE};
        size_t count = outcome_median(files, is_recovery, &label.at_s);
        const char *word = is_recovery ? "recovery" : "collapse";
        if (files->outcomes.count == 1) {
            snprintf(label.text, sizeof label.text, "%s", word);
        } else {
            snprintf(label.text, sizeof label.text, "%s (median of %zu)", word, count);
        }
        if (count > 0) {
            vec_push(&found, label);
        }
    }
    Table table;
    bool is_open = table_open(&table, to, "labels.tsv", "at_s\ttext_at_s\tlane\tkind\ttext", error);
    if (is_open && found.count > 0) {
        Labels labels = {.table = &table, .duration_s = facts->duration_s};
        qsort(found.items, found.count, sizeof(Label), label_compare);
        for (size_t i = 0; i < found.count; i++) {
            labels_put(&labels, &found.items[i]);
        }
        facts->lane_count = labels.lane_count;
    }
    vec_free(&found);
    return is_open && table_close(&table, error);
}

static uint32_t count_with_tokens(const RunFiles *files) {
    uint32_t count = 0;
    for (size_t i = 0; i < files->components.count; i++) {
        count += files->components.items[i].metrics[METRIC_output_tokens].count > 0;
    }
    return count;
}

static uint32_t count_of(const RunFiles *files, bool is_client) {
    uint32_t count = 0;
    for (size_t i = 0; i < files->components.count; i++) {
        count += files->components.items[i].is_client == is_client;
    }
    return count;
}

static void facts_fill(PlotFacts *facts, const RunFiles *files, const PlotSeries *series) {
    static const struct {
        double unit_s;
        const char *name;
    } UNITS[] = {{1, "s"}, {60, "min"}, {3600, "h"}, {86400, "d"}};
    size_t unit = 0;
    *facts = (PlotFacts){.has_samples = series->sample_count > 0,
                         .duration_s = (double)series->sample_count * series->interval_s,
                         .client_count = (uint32_t)series->clients.count,
                         .service_count = (uint32_t)series->services.count,
                         .inference_count = (uint32_t)series->inference.count,
                         .replication_count = files->outcomes.count,
                         .has_bands = !series->is_average,
                         .sample_count = series->sample_count};
    while (unit + 1 < sizeof UNITS / sizeof UNITS[0] &&
           facts->duration_s >= 5 * UNITS[unit + 1].unit_s) {
        unit++;
    }
    facts->unit_s = UNITS[unit].unit_s;
    facts->unit = UNITS[unit].name;
    facts->clients_left = count_of(files, true) - facts->client_count;
    facts->services_left = count_of(files, false) - facts->service_count;
    facts->inference_left = count_with_tokens(files) - facts->inference_count;
}

bool plot_data_write(const RunFiles *files, const char *from, const char *to, PlotFacts *facts,
                     Error *error) {
    PlotSeries series;
    PlotFacts told;
    if (!plot_series_read(&series, files, from, error)) {
        return false;
    }
    facts_fill(&told, files, &series);
    bool is_fine =
        !told.has_samples ||
        (write_load(&series, to, &told, error) && write_runs(&series, to, error) &&
         write_clients(files, &series, to, &told, error) &&
         write_services(files, &series, to, error) && write_inference(files, &series, to, error) &&
         write_windows(files, to, told.duration_s, error) && write_labels(files, to, &told, error));
    plot_series_free(&series);
    if (is_fine) {
        *facts = told;
    }
    return is_fine;
}
