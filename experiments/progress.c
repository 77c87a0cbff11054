#include "experiments/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sim/check.h"

static double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

void meter_begin(Meter *meter, Progress mode, bool is_quiet, uint32_t total) {
    CHECK(total > 0);
    bool is_silent = mode == PROGRESS_AUTO && (is_quiet || !isatty(STDERR_FILENO));
    *meter = (Meter){.mode = is_silent ? PROGRESS_NONE : (uint8_t)mode, .total = total};
    meter->began_s = meter->shown_s = now_s();
}

double meter_elapsed_s(const Meter *meter) {
    return now_s() - meter->began_s;
}

/* From the pace so far; negative while there is none. */
static double left_s(const Meter *meter, double elapsed_s) {
    return meter->done == 0 ? -1 : elapsed_s / meter->done * (meter->total - meter->done);
}

static void show_text(Meter *meter, double elapsed_s) {
    char left[32] = "";
    double seconds = left_s(meter, elapsed_s);
    if (seconds >= 120) {
        snprintf(left, sizeof left, ", %.0f min left", seconds / 60);
    } else if (seconds >= 0) {
        snprintf(left, sizeof left, ", %.0f s left", seconds);
    }
    bool is_terminal = meter->mode == PROGRESS_AUTO;
    fprintf(stderr, "%s%u of %u replications%s%s", is_terminal ? "\r\033[K" : "", meter->done,
            meter->total, left, is_terminal ? "" : "\n");
    meter->is_shown = is_terminal;
}

static void show_json(const Meter *meter, double elapsed_s) {
    double seconds = left_s(meter, elapsed_s);
    fprintf(stderr, "{\"done\": %u, \"total\": %u, \"elapsed_s\": %.1f, \"left_s\": ", meter->done,
            meter->total, elapsed_s);
    if (seconds < 0) {
        fputs("null}\n", stderr);
    } else {
        fprintf(stderr, "%.1f}\n", seconds);
    }
}

void meter_show(Meter *meter, uint32_t done) {
    meter->done = done;
    double at_s = now_s();
    bool is_news = meter->mode == PROGRESS_AUTO || done != meter->shown_done;
    if (meter->mode == PROGRESS_NONE || at_s - meter->shown_s < 0.1 || !is_news) {
        return;
    }
    meter->shown_s = at_s;
    meter->shown_done = done;
    if (meter->mode == PROGRESS_JSON) {
        show_json(meter, at_s - meter->began_s);
    } else {
        show_text(meter, at_s - meter->began_s);
    }
}

void meter_end(Meter *meter) {
    if (meter->is_shown) {
        fputs("\r\033[K", stderr);
        meter->is_shown = false;
    }
}
