/* The result of a run on one screen, for people (terminal.c) and for programs (summary_json.c). */
#ifndef KNOCKON_EXPERIMENTS_TERMINAL_H
#define KNOCKON_EXPERIMENTS_TERMINAL_H

#include <stdio.h>

#include "experiments/manifest.h"
#include "experiments/overview.h"

/* What the screen tells beside the numbers. */
typedef struct RunReport {
    const Manifest *manifest;
    Overview *overview;   /* its times are sorted */
    const char *scenario; /* the file, for the next command to try */
    const char *out_path;
    double elapsed_s;
    bool has_report; /* report.html is there */
} RunReport;

/* Sorts out by itself whether `out` takes colour and UTF-8. */
void terminal_print(const RunReport *report, FILE *out);

/* The plot alone: rates per second over time, goodput as bars and the offered load as a line. */
void terminal_plot(const Overview *overview, bool has_utf8, FILE *out);

/* The same as one JSON object on the standard output. */
bool summary_json_print(const RunReport *report, Error *error);

#endif
