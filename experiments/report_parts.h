/* The sections of report.html, each written by one function; report.c puts them together. */
#ifndef KNOCKON_EXPERIMENTS_REPORT_PARTS_H
#define KNOCKON_EXPERIMENTS_REPORT_PARTS_H

#include "experiments/html.h"
#include "experiments/pictures.h"
#include "experiments/report_facts.h"

typedef struct ReportData {
    const RunFiles *files;
    const ReportFacts *facts;
    const char *out_path;
    const char *no_pictures;      /* why there are none, or NULL */
    Text pictures[PICTURE_COUNT]; /* empty: not there */
} ReportData;

/* report_first.c: what is seen first. */
void report_write_head(Text *page, const ReportData *data);
void report_write_verdict(Text *page, const ReportData *data);
void report_write_facts(Text *page, const ReportData *data);
void report_write_picture(Text *page, const ReportData *data, Picture picture, const char *heading);
void report_write_cascade(Text *page, const ReportData *data);
void report_write_objectives(Text *page, const ReportData *data);

/* report_tables.c: what is looked up. */
/* Nothing when no inference server answered. */
void report_write_inference(Text *page, const ReportData *data);
void report_write_components(Text *page, const ReportData *data);
void report_write_replications(Text *page, const ReportData *data);
void report_write_scenario(Text *page, const ReportData *data);
void report_write_rules(Text *page);
void report_write_files(Text *page, const ReportData *data);

#endif
