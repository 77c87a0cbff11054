/* A picture of a run in characters: goodput as bars with eight steps a line, offered load as dots
 * above them, and where the trigger was. */
#include <math.h>
#include <string.h>

#include "experiments/quantity.h"
#include "experiments/terminal.h"
#include "sim/check.h"

enum { PLOT_COLUMNS = 64, PLOT_LINES = 8, STEPS = 8 };

typedef struct Plot {
    double offered[PLOT_COLUMNS], goodput[PLOT_COLUMNS];
    uint32_t column_count;
    double top; /* of the axis */
    bool has_utf8;
} Plot;

/* The mean over the samples of one column. */
static double column_mean(const double *sums, size_t from, size_t to, uint32_t count) {
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        sum += sums[i];
    }
    return sum / (double)(to - from) / count;
}

/* The next of 1, 2, 5 x 10^k at or above a value. */
static double round_up(double value) {
    if (!(value > 0)) {
        return 1;
    }
    double power = pow(10, floor(log10(value)));
    double lead = value / power;
    return power * (lead <= 1     ? 1
                    : lead <= 1.5 ? 1.5
                    : lead <= 2   ? 2
                    : lead <= 3   ? 3
                    : lead <= 5   ? 5
                    : lead <= 7   ? 7
                                  : 10);
}

static void plot_init(Plot *plot, const Overview *overview, bool has_utf8) {
    size_t sample_count = overview->offered.count;
    *plot = (Plot){.has_utf8 = has_utf8};
    plot->column_count = sample_count < PLOT_COLUMNS ? (uint32_t)sample_count : PLOT_COLUMNS;
    for (uint32_t i = 0; i < plot->column_count; i++) {
        size_t from = sample_count * i / plot->column_count;
        size_t to = sample_count * (i + 1) / plot->column_count;
        plot->offered[i] = column_mean(overview->offered.items, from, to, overview->count);
        plot->goodput[i] = column_mean(overview->goodput.items, from, to, overview->count);
        plot->top = fmax(plot->top, fmax(plot->offered[i], plot->goodput[i]));
    }
    plot->top = round_up(plot->top);
}

/* Eighths of lines from the axis up to a value. */
static int height(const Plot *plot, double value) {
    return (int)lround(value / plot->top * PLOT_LINES * STEPS);
}

static const char *cell(const Plot *plot, uint32_t column, int line) {
    static const char *const blocks[STEPS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int filled = height(plot, plot->goodput[column]) - line * STEPS;
    int offered = height(plot, plot->offered[column]);
    int offered_line = offered > 0 ? (offered - 1) / STEPS : 0;
    if (filled <= 0) {
        return offered_line != line || offered == 0 ? " " : plot->has_utf8 ? "·" : "-";
    }
    if (!plot->has_utf8) {
        return filled * 2 >= STEPS ? "#" : offered_line == line ? "-" : "_";
    }
    return blocks[filled < STEPS ? filled : STEPS];
}

/* A line under the axis that shows where the trigger was. */
static void print_trigger(const Plot *plot, const Overview *overview, FILE *out) {
    const Model *model = overview->model;
    if (!model->has_trigger) {
        return;
    }
    double shown_s = (double)overview->offered.count * time_to_s(model->run.sample_every);
    uint32_t from = (uint32_t)(time_to_s(model->trigger_from) / shown_s * plot->column_count);
    uint32_t to = (uint32_t)(time_to_s(model->trigger_to) / shown_s * plot->column_count);
    if (from >= plot->column_count) {
        return;
    }
    fprintf(out, "%*s", 9 + (int)from, "");
    for (uint32_t i = from; i <= to && i < plot->column_count; i++) {
        fputc('^', out);
    }
    fputs(" trigger\n", out);
}

void terminal_plot(const Overview *overview, bool has_utf8, FILE *out) {
    CHECK(overview->count > 0);
    if (overview->offered.count == 0) {
        return;
    }
    Plot plot;
    plot_init(&plot, overview, has_utf8);
    fprintf(out, "%8s requests per second: %s goodput, %s offered; mean of all replications\n", "",
            has_utf8 ? "█" : "#", has_utf8 ? "·" : "-");
    for (int line = PLOT_LINES - 1; line >= 0; line--) {
        bool has_number = line == PLOT_LINES - 1 || line == PLOT_LINES / 2 - 1;
        if (has_number) {
            fprintf(out, "%7.4g %s", plot.top * (line + 1) / PLOT_LINES, has_utf8 ? "┤" : "|");
        } else {
            fprintf(out, "%8s%s", "", has_utf8 ? "│" : "|");
        }
        for (uint32_t i = 0; i < plot.column_count; i++) {
            fputs(cell(&plot, i, line), out);
        }
        fputc('\n', out);
    }
    char end[QUANTITY_TEXT_SIZE];
    double shown_s = (double)overview->offered.count * time_to_s(overview->model->run.sample_every);
    quantity_print(end, shown_s, DIMENSION_DURATION);
    fprintf(out, "%8s0%*s\n", "", (int)plot.column_count, end);
    print_trigger(&plot, overview, out);
}
