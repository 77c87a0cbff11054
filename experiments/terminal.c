#include "experiments/terminal.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/next_command.h"
#include "experiments/quantity.h"
#include "sim/check.h"

enum { CELL_SIZE = 48, WRAP_COLUMN = 78 };

typedef struct Screen {
    FILE *out;
    bool has_colour, has_utf8;
    const char *plus_minus, *dash;
} Screen;

typedef enum Paint { PAINT_PLAIN, PAINT_GOOD, PAINT_BAD, PAINT_DOUBTFUL, PAINT_BOLD } Paint;

static bool environment_has_utf8(void) {
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != 0) {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

static void screen_init(Screen *screen, FILE *out) {
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    *screen = (Screen){.out = out, .has_utf8 = environment_has_utf8()};
    screen->has_colour =
        isatty(fileno(out)) && !is_dumb && (no_colour == NULL || no_colour[0] == 0);
    screen->plus_minus = screen->has_utf8 ? "±" : "+-";
    screen->dash = screen->has_utf8 ? "–" : "-";
}

static void print_painted(const Screen *screen, Paint paint, int width, const char *text) {
    static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[1m"};
    bool is_painted = screen->has_colour && paint != PAINT_PLAIN;
    fprintf(screen->out, "%s%-*s%s", is_painted ? codes[paint] : "", width, text,
            is_painted ? "\033[0m" : "");
}

static void print_label(const Screen *screen, const char *label) {
    print_painted(screen, PAINT_BOLD, 11, label);
}

/* ---- Numbers in three digits */

static void print_number(char text[CELL_SIZE], double value) {
    if (!isfinite(value)) {
        snprintf(text, CELL_SIZE, "-");
    } else {
        snprintf(text, CELL_SIZE, fabs(value) >= 1000 ? "%.0f" : "%.3g", value);
    }
}

/* Two digits of a number that stands beside `mean`, without an exponent that `mean` has not. */
static void print_half_width(char text[CELL_SIZE], double value, const char *mean) {
    const char *point = strchr(mean, '.');
    int decimals = point == NULL ? 0 : (int)strlen(point + 1);
    CHECK(!(value < 0));
    snprintf(text, CELL_SIZE, "%.2g", value);
    if (strchr(text, 'e') != NULL && strchr(mean, 'e') == NULL) {
        snprintf(text, CELL_SIZE, "%.*f", decimals, value);
    }
}

/* "23.1 ± 1.2", in the unit that is `scale` of the value's. */
static void print_mean(const Screen *screen, char text[CELL_SIZE], const Running *running,
                       double scale) {
    char mean[CELL_SIZE], half[CELL_SIZE];
    if (running->count == 0) {
        snprintf(text, CELL_SIZE, "-");
        return;
    }
    print_number(mean, running->mean * scale);
    Interval interval = interval_mean(running, 0.95);
    if (isnan(interval.high)) {
        snprintf(text, CELL_SIZE, "%.20s", mean);
        return;
    }
    print_half_width(half, (interval.high - running->mean) * scale, mean);
    snprintf(text, CELL_SIZE, "%.20s %s %.20s", mean, screen->plus_minus, half);
}

/* As wide as it looks: the sign of UTF-8 is two bytes and one column. One that is too wide stays
 * apart from the one before. */
static void print_cell(const Screen *screen, const char *text, int width) {
    int extra = screen->has_utf8 && strstr(text, "±") != NULL ? 1 : 0;
    fprintf(screen->out, " %*s", width - 1 + extra, text);
}

/* A sentence in lines of WRAP_COLUMN, each behind `indent` blanks; the first line is begun. */
static void print_wrapped(const Screen *screen, const char *text, int indent) {
    int column = indent;
    while (*text != 0) {
        int size = (int)strcspn(text, " ");
        if (column > indent && column + 1 + size > WRAP_COLUMN) {
            fprintf(screen->out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(screen->out, "%s%.*s", column > indent ? " " : "", size, text);
        text += size;
        text += strspn(text, " ");
    }
    fputc('\n', screen->out);
}

/* ---- The parts of the screen */

static Paint verdict_paint(VerdictKind kind) {
    switch (kind) {
    case VERDICT_OVERLOADED:
    case VERDICT_SPONTANEOUS:
    case VERDICT_METASTABLE:
        return PAINT_BAD;
    case VERDICT_HEALTHY:
    case VERDICT_RECOVERED:
        return PAINT_GOOD;
    case VERDICT_NONE:
    case VERDICT_UNFINISHED:
    case VERDICT_DEGRADED:
    case VERDICT_COUNT:
        break;
    }
    return PAINT_DOUBTFUL;
}

static void print_head(const Screen *screen, const RunReport *report) {
    const Model *model = report->overview->model;
    char duration[QUANTITY_TEXT_SIZE];
    quantity_print(duration, time_to_s(model->run.duration), DIMENSION_DURATION);
    print_painted(screen, PAINT_BOLD, 0, model->name);
    fprintf(screen->out, ": %u replication%s of %s, %llu events in %.2f s\n\n",
            report->overview->count, report->overview->count == 1 ? "" : "s", duration,
            (unsigned long long)report->overview->event_count, report->elapsed_s);
}

static void print_verdicts(const Screen *screen, const Overview *overview) {
    const char *label = "verdict";
    for (uint32_t i = 0; i < VERDICT_COUNT; i++) {
        if (overview->verdicts[i] == 0) {
            continue;
        }
        Interval share = interval_wilson(overview->verdicts[i], overview->count, 0.95);
        print_label(screen, label);
        print_painted(screen, verdict_paint((VerdictKind)i), 12, verdict_name((VerdictKind)i));
        fprintf(screen->out, "%u of %u, %.0f %% (95 %% interval %.0f %s %.0f %%)\n",
                overview->verdicts[i], overview->count,
                100.0 * overview->verdicts[i] / overview->count, share.low * 100, screen->dash,
                share.high * 100);
        label = "";
    }
    print_label(screen, "why");
    print_wrapped(screen, overview->why[overview_verdict(overview)], 11);
}

static void print_first_to_fail(const Screen *screen, const Overview *overview) {
    uint32_t most = 0, component_count = model_component_count(overview->model);
    for (uint32_t i = 0; i < component_count; i++) {
        most = overview->first_to_fail[i] > overview->first_to_fail[most] ? i : most;
    }
    if (overview->first_to_fail[most] > 0) {
        fprintf(screen->out, "; first %s (in %u)", model_component_name(overview->model, most),
                overview->first_to_fail[most]);
    }
}

static void print_times(const Screen *screen, Overview *overview) {
    size_t fell = overview->collapse_at_s.count, back = overview->recovered_at_s.count;
    if (fell > 0) {
        print_label(screen, "fell");
        fprintf(screen->out, "at %.4g s (median of %zu)",
                overview_median(overview->collapse_at_s.items, fell), fell);
        print_first_to_fail(screen, overview);
        fputc('\n', screen->out);
    }
    size_t detected = overview->detected_at_s.count;
    if (detected > 0) {
        print_label(screen, "detected");
        fprintf(screen->out, "at %.4g s (median of %zu)\n",
                overview_median(overview->detected_at_s.items, detected), detected);
    }
    if (back > 0) {
        print_label(screen, "came back");
        fprintf(screen->out, "at %.4g s (median of %zu)\n",
                overview_median(overview->recovered_at_s.items, back), back);
    }
}

static void print_clients(const Screen *screen, const Overview *overview) {
    enum { CLIENTS_SHOWN = 8 };
    const Model *model = overview->model;
    char text[CELL_SIZE];
    fputc('\n', screen->out);
    print_label(screen, "client");
    fprintf(screen->out, "%12s%18s%16s%16s\n", "answered", "goodput /s", "p50 s", "p99 s");
    for (uint32_t i = 0; i < model->client_count && i < CLIENTS_SHOWN; i++) {
        double offered = overview_metric(overview, i, METRIC_offered)->mean;
        double answered = overview_metric(overview, i, METRIC_answered)->mean;
        fprintf(screen->out, "%-10.20s ", model->clients[i].name);
        if (offered > 0) {
            snprintf(text, sizeof text, "%.4g %%", 100 * answered / offered);
        } else {
            snprintf(text, sizeof text, "-");
        }
        print_cell(screen, text, 12);
        print_mean(screen, text, overview_metric(overview, i, METRIC_goodput), 1);
        print_cell(screen, text, 18);
        print_mean(screen, text, overview_metric(overview, i, METRIC_latency_p50), 1);
        print_cell(screen, text, 16);
        print_mean(screen, text, overview_metric(overview, i, METRIC_latency_p99), 1);
        print_cell(screen, text, 16);
        fputc('\n', screen->out);
    }
    if (model->client_count > CLIENTS_SHOWN) {
        fprintf(screen->out, "%11s%u more in summary.csv\n", "",
                model->client_count - CLIENTS_SHOWN);
    }
}

static void print_inference(const Screen *screen, const Overview *overview) {
    enum { SERVICES_SHOWN = 8 };
    const Model *model = overview->model;
    char text[CELL_SIZE];
    uint32_t count = 0;
    for (uint32_t i = model->client_count; i < model_component_count(model); i++) {
        const Running *kv_use = overview_metric(overview, i, METRIC_kv_use);
        if (overview_metric(overview, i, METRIC_output_tokens)->count == 0 ||
            count++ >= SERVICES_SHOWN) {
            continue;
        }
        if (count == 1) {
            fputc('\n', screen->out);
            print_label(screen, "inference");
            fprintf(screen->out, "%12s%18s%16s%16s\n", "KV use", "tokens out /s", "ttft p95 s",
                    "preemptions");
        }
        fprintf(screen->out, "%-10.20s ", model_component_name(model, i));
        snprintf(text, sizeof text, kv_use->count > 0 ? "%.3g %%" : "-", 100 * kv_use->mean);
        print_cell(screen, text, 12);
        print_mean(screen, text, overview_metric(overview, i, METRIC_output_tokens), 1);
        print_cell(screen, text, 18);
        print_mean(screen, text, overview_metric(overview, i, METRIC_ttft_p95), 1);
        print_cell(screen, text, 16);
        print_mean(screen, text, overview_metric(overview, i, METRIC_preemptions), 1);
        print_cell(screen, text, 16);
        fputc('\n', screen->out);
    }
    if (count > SERVICES_SHOWN) {
        fprintf(screen->out, "%11s%u more in summary.csv\n", "", count - SERVICES_SHOWN);
    }
}

static void print_objectives(const Screen *screen, const Overview *overview) {
    const Model *model = overview->model;
    if (model->objective_count > 0) {
        fputc('\n', screen->out);
    }
    for (uint32_t i = 0; i < model->objective_count; i++) {
        bool is_kept = overview_objective_is_kept(overview, i);
        const ObjectiveResult *result = &overview->objectives[i];
        const char *unit = metric_info(model->objectives[i].metric)->unit;
        char text[CELL_SIZE];
        print_label(screen, i == 0 ? "objectives" : "");
        print_painted(screen, is_kept ? PAINT_GOOD : PAINT_BAD, 8, is_kept ? "kept" : "missed");
        print_mean(screen, text, &result->values, 1);
        fprintf(screen->out, "%s: %s%s%s", model->objectives[i].text, text,
                strcmp(unit, "1") == 0 ? "" : " ", strcmp(unit, "1") == 0 ? "" : unit);
        if (result->missed_count > 0) {
            fprintf(screen->out, "; missed in %u of %u", result->missed_count, overview->count);
        }
        fputc('\n', screen->out);
    }
}

static void print_tail(const Screen *screen, const RunReport *report) {
    fputc('\n', screen->out);
    print_label(screen, "results");
    fprintf(screen->out, "%s%s\n", report->out_path, report->has_report ? "/report.html" : "");
    char *command = next_command(report);
    if (command != NULL) {
        print_label(screen, "next");
        fprintf(screen->out, "%s\n", command);
        free(command);
    }
}

void terminal_print(const RunReport *report, FILE *out) {
    CHECK(report->overview->count > 0);
    Screen screen;
    screen_init(&screen, out);
    print_head(&screen, report);
    if (!report->overview->model->verdict.is_off) {
        print_verdicts(&screen, report->overview);
        print_times(&screen, report->overview);
    }
    fputc('\n', out);
    terminal_plot(report->overview, screen.has_utf8, out);
    print_clients(&screen, report->overview);
    print_inference(&screen, report->overview);
    print_objectives(&screen, report->overview);
    print_tail(&screen, report);
}
