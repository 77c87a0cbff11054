#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/report_parts.h"
#include "sim/check.h"

enum { WINDOWS_TOLD_MAX = 6, PATHS_TOLD_MAX = 4 };

/* What a verdict says, and how good that is. */
typedef struct VerdictWords {
    const char *verdict, *tone, *sentence;
} VerdictWords;

static const VerdictWords VERDICT_WORDS[] = {
    {"metastable", "bad",
     "It fell, and it stayed down long after what had pushed it was over: it does not come back by "
     "itself."},
    {"overloaded", "bad", "Capacity is too small: it would have failed without any trigger."},
    {"spontaneous", "bad", "It fell without being pushed: no trigger had begun."},
    {"degraded", "doubt",
     "Goodput came back, but not the price of it: more attempts or longer waits than in the same "
     "run without the trigger."},
    {"unfinished", "doubt", "The run ends too early to tell."},
    {"recovered", "good", "It fell, and came back by itself once the trigger was over."},
    {"healthy", "good", "It never fell."},
    {"none", "doubt", "No verdict was asked for."},
    {"", "doubt", "This verdict is not known to this version."}};

static const VerdictWords *verdict_words(const char *verdict) {
    const VerdictWords *words = VERDICT_WORDS;
    while (words->verdict[0] != '\0' && strcmp(words->verdict, verdict) != 0) {
        words++;
    }
    return words;
}

/* ---- Name, about, what was run */

void report_write_head(Text *page, const ReportData *data) {
    const RunFiles *files = data->files;
    const char *title = run_files_text(files, "title");
    const char *status = run_files_own_text(files, "status");
    html_raw(page, "<header><h1>");
    html_text(page, title[0] != '\0' ? title : run_files_text(files, "name"));
    html_raw(page, "</h1>\n<p class=\"about\">");
    html_text(page, run_files_text(files, "description"));
    html_raw(page, "</p>\n<p class=\"soft\">");
    html_textf(page, "%zu replication%s", files->outcomes.count,
               files->outcomes.count == 1 ? "" : "s");
    for (size_t i = 0; i < run_files_value_count(files); i++) {
        RunValue value = run_files_value(files, i);
        if (strcmp(value.path, "run.duration") == 0) {
            html_textf(page, " of %s", value.value);
        } else if (strcmp(value.path, "run.warmup") == 0) {
            html_textf(page, ", measured after a warm-up of %s", value.value);
        }
    }
    const json_t *own = json_object_get(files->manifest, "knockon");
    html_textf(page, "; seed %" JSON_INTEGER_FORMAT "; knockon %s",
               json_integer_value(json_object_get(own, "seed")),
               run_files_own_text(files, "version"));
    html_raw(page, "</p>");
    if (status[0] != '\0' && strcmp(status, "complete") != 0) {
        html_raw(page, "<p class=\"missed\">These results are ");
        html_text(page, status);
        html_raw(page, ": not every replication ran to its end.</p>");
    }
    html_raw(page, "</header>\n");
}

/* ---- The verdict */

/* A bar for the share with its interval as a line, drawn without styles, which CSP forbids. */
static void write_bar(Text *page, const VerdictShare *share, size_t count) {
    enum { WIDTH = 220 };
    char text[400];
    double ratio = (double)share->count / (double)count;
    snprintf(text, sizeof text,
             "<svg width=\"%d\" height=\"12\" viewBox=\"0 0 %d 12\" aria-hidden=\"true\">"
             "<rect class=\"rail\" width=\"%d\" height=\"12\"/>"
             "<rect width=\"%.1f\" height=\"12\"/>"
             "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"6\" y2=\"6\" stroke-width=\"2\"/></svg>",
             WIDTH, WIDTH, WIDTH, WIDTH * ratio, WIDTH * share->share.low,
             WIDTH * share->share.high);
    html_raw(page, text);
}

static void write_shares(Text *page, const ReportData *data) {
    size_t count = data->files->outcomes.count;
    html_raw(page, "<table class=\"shares\">");
    for (size_t i = 0; i < data->facts->verdicts.count; i++) {
        const VerdictShare *share = &data->facts->verdicts.items[i];
        html_raw(page, "<tr><td>");
        html_text(page, share->verdict);
        html_raw(page, "</td><td>");
        write_bar(page, share, count);
        html_raw(page, "</td><td>");
        html_textf(page, "%zu of %zu, %s", share->count, count,
                   words_percent((double)share->count / (double)count).text);
        html_textf(page, " (95 %% interval %s to %s)", words_percent(share->share.low).text,
                   words_percent(share->share.high).text);
        html_raw(page, "</td></tr>\n");
    }
    html_raw(page, "</table>");
}

void report_write_verdict(Text *page, const ReportData *data) {
    const RunFiles *files = data->files;
    const ReportFacts *facts = data->facts;
    if (facts->verdicts.count == 0) {
        html_raw(page, "<p class=\"missed\">There is no replication here.</p>");
        return;
    }
    const VerdictShare *most = &facts->verdicts.items[0];
    const VerdictWords *words = verdict_words(most->verdict);
    html_raw(page, "<section class=\"panel verdict ");
    html_raw(page, words->tone);
    html_raw(page, "\"><strong>");
    if (strcmp(most->verdict, "none") == 0) {
        html_raw(page, "No verdict");
    } else if (files->outcomes.count == 1) {
        html_textf(page, "Verdict: %s", most->verdict);
    } else {
        html_textf(page, "Verdict: %s in %zu of %zu replications", most->verdict, most->count,
                   files->outcomes.count);
    }
    html_raw(page, "</strong><p>");
    html_text(page, words->sentence);
    html_raw(page, "</p>");
    if (files->why[0] != '\0') {
        html_raw(page, "<p class=\"soft\">");
        html_textf(page, "In replication %llu: %s.", (unsigned long long)files->why_replication,
                   files->why);
        html_raw(page, "</p>");
    }
    if (files->outcomes.count > 1) {
        write_shares(page, data);
    }
    html_raw(page, "</section>\n");
}

/* ---- Five numbers */

static void begin_fact(Text *page, const char *name) {
    html_raw(page, "<div class=\"panel\"><dt>");
    html_raw(page, name);
    html_raw(page, "</dt><dd>");
}

static void end_fact(Text *page) {
    html_raw(page, "</dd></div>\n");
}

/* "10 of 12 replications, 5 min 4 s to 6 min" */
static void write_spread(Text *page, const Spread *spread, size_t all, Words (*words)(double)) {
    if (spread->count < 2) {
        return;
    }
    html_textf(page, "; median of %zu", spread->count);
    if (spread->count < all) {
        html_textf(page, " of %zu", all);
    }
    if (spread->low < spread->high) {
        html_textf(page, ", %s to %s", words(spread->low).text, words(spread->high).text);
    }
}

static void write_fell(Text *page, const ReportData *data) {
    const Spread *collapse = &data->facts->collapse_s;
    double after_s = collapse->median - data->files->trigger_begin_s;
    begin_fact(page, "It fell at");
    if (collapse->count == 0) {
        html_raw(page, "never<small>goodput stayed near that of the run without the trigger");
    } else {
        html_text(page, words_time(collapse->median).text);
        html_raw(page, "<small>into the run, ");
        if (isnan(after_s)) {
            html_raw(page, "no trigger");
        } else {
            html_textf(page, "%s %s the trigger began", words_time(fabs(after_s)).text,
                       after_s < 0 ? "before" : "after");
        }
        write_spread(page, collapse, data->files->outcomes.count, words_time);
    }
    html_raw(page, "</small>");
    end_fact(page);
}

static void write_worst(Text *page, const ReportData *data) {
    const Spread *worst = &data->facts->goodput_min;
    begin_fact(page, "Goodput, at worst");
    html_text(page, words_percent(worst->median).text);
    html_raw(page, "<small>of what it was expected to answer");
    write_spread(page, worst, data->files->outcomes.count, words_percent);
    html_raw(page, "</small>");
    end_fact(page);
}

static void write_attempts(Text *page, const ReportData *data) {
    const Spread *attempts = &data->facts->attempts_max;
    begin_fact(page, "Attempts per request, worst");
    html_text(page, words_number(attempts->median).text);
    html_raw(page, "<small>1 is no retry");
    write_spread(page, attempts, data->files->outcomes.count, words_number);
    html_raw(page, "</small>");
    end_fact(page);
}

static void write_failed(Text *page, const ReportData *data) {
    const ReportFacts *facts = data->facts;
    begin_fact(page, "Requests that failed");
    html_text(page, words_percent(facts->failed_count / facts->offered_count).text);
    html_raw(page, "<small>");
    html_textf(page, "%s of %s measured%s", words_number(facts->failed_count).text,
               words_number(facts->offered_count).text,
               data->files->outcomes.count > 1 ? ", mean" : "");
    html_raw(page, "</small>");
    end_fact(page);
}

static void write_back(Text *page, const ReportData *data) {
    const Spread *recovery = &data->facts->recovery_s;
    const Spread *collapse = &data->facts->collapse_s;
    double after_s = recovery->median - data->files->trigger_end_s;
    begin_fact(page, "It came back at");
    if (collapse->count == 0) {
        html_raw(page, "–<small>it never fell");
    } else if (recovery->count == 0) {
        html_raw(page, "never<small>within the run");
    } else {
        html_text(page, words_time(recovery->median).text);
        html_raw(page, "<small>");
        html_textf(page, "into the run, in %zu of the %zu that fell", recovery->count,
                   collapse->count);
        if (!isnan(after_s)) {
            html_textf(page, "; %s %s the trigger ended", words_time(fabs(after_s)).text,
                       after_s < 0 ? "before" : "after");
        }
        write_spread(page, recovery, recovery->count, words_time);
    }
    html_raw(page, "</small>");
    end_fact(page);
}

static void write_first(Text *page, const ReportData *data) {
    const CascadeStep *first = NULL;
    for (size_t i = 0; i < data->facts->cascade.count; i++) {
        const CascadeStep *step = &data->facts->cascade.items[i];
        first = first == NULL || step->first_count > first->first_count ? step : first;
    }
    begin_fact(page, "Broke first");
    if (first == NULL) {
        html_raw(page, "nothing<small>every service kept serving its callers</small>");
    } else {
        html_text(page, data->files->components.items[first->component].name);
        html_raw(page, "<small>");
        html_textf(page, "in %zu of %zu replication%s; %zu component%s broke in all",
                   first->first_count, data->files->outcomes.count,
                   data->files->outcomes.count == 1 ? "" : "s", data->facts->cascade.count,
                   data->facts->cascade.count == 1 ? "" : "s");
        html_raw(page, "</small>");
    }
    end_fact(page);
}

/* "What pushed it: web load x 2.5 from 5 min to 6 min; slow db from …" */
static void write_windows(Text *page, const ReportData *data) {
    const RunFiles *files = data->files;
    if (files->windows.count == 0) {
        return;
    }
    html_raw(page, "<p>What happened to it: ");
    for (size_t i = 0; i < files->windows.count && i < WINDOWS_TOLD_MAX; i++) {
        const RunWindow *window = &files->windows.items[i];
        html_raw(page, i == 0 ? "<b>" : "; <b>");
        html_text(page, window->label);
        html_raw(page, "</b>");
        html_textf(page, " from %s", words_time(window->begin_s).text);
        if (isnan(window->end_s)) {
            html_raw(page, " to the end");
        } else {
            html_textf(page, " to %s", words_time(window->end_s).text);
        }
    }
    if (files->windows.count > WINDOWS_TOLD_MAX) {
        html_textf(page, "; and %zu more, see events.csv", files->windows.count - WINDOWS_TOLD_MAX);
    }
    html_raw(page, ".</p>\n");
}

void report_write_facts(Text *page, const ReportData *data) {
    write_windows(page, data);
    html_raw(page, "<dl class=\"facts\">\n");
    write_fell(page, data);
    write_worst(page, data);
    write_attempts(page, data);
    write_failed(page, data);
    write_back(page, data);
    write_first(page, data);
    html_raw(page, "</dl>\n");
}

/* ---- Pictures */

/* The caption is the picture's own description, escaped already. */
static void write_caption(Text *page, const Text *picture) {
    const char *begin = memmem(picture->items, picture->count, "<desc", 5);
    size_t left = begin == NULL ? 0 : picture->count - (size_t)(begin - picture->items);
    const char *text = begin == NULL ? NULL : memchr(begin, '>', left);
    const char *end = begin == NULL ? NULL : memmem(begin, left, "</desc>", 7);
    if (text != NULL && end != NULL && text < end) {
        html_raw(page, "<figcaption>");
        text_append(page, text + 1, (size_t)(end - text) - 1);
        html_raw(page, "</figcaption>");
    }
}

void report_write_picture(Text *page, const ReportData *data, Picture picture,
                          const char *heading) {
    CHECK(picture < PICTURE_COUNT);
    const Text *svg = &data->pictures[picture];
    if (heading != NULL) {
        html_raw(page, "<h2>");
        html_raw(page, heading);
        html_raw(page, "</h2>\n");
    }
    if (svg->count > 0) {
        html_raw(page, "<figure>");
        text_append(page, svg->items, svg->count);
        write_caption(page, svg);
        html_raw(page, "</figure>\n");
    } else if (data->no_pictures != NULL) {
        html_raw(page, "<p class=\"missed\">");
        html_text(page, data->no_pictures);
        html_raw(page, "</p>\n");
    } else {
        html_raw(page, "<p class=\"soft\">There is no picture: the run kept no time series "
                       "(run.timeseries).</p>\n");
    }
}

/* ---- What broke, objectives */

/* "gateway → model in 7 of 12": what broke after what, the most frequent order first. */
static void write_path(Text *page, const ReportData *data, const CascadePath *path) {
    html_raw(page, "<li>");
    for (size_t i = 0; i < path->length; i++) {
        const RunBreak *at = &data->files->breaks.items[path->begin + i];
        html_raw(page, i == 0 ? "<b>" : " → <b>");
        html_text(page, data->files->components.items[at->component].name);
        html_raw(page, "</b>");
    }
    html_textf(page, ", in %zu of %zu replication%s", path->count, data->files->outcomes.count,
               data->files->outcomes.count == 1 ? "" : "s");
    html_raw(page, "</li>\n");
}

static void write_step(Text *page, const ReportData *data, const CascadeStep *step) {
    html_raw(page, "<li><b>");
    html_text(page, data->files->components.items[step->component].name);
    html_raw(page, "</b>");
    html_textf(page, " at %s", words_time(step->at_s.median).text);
    write_spread(page, &step->at_s, data->files->outcomes.count, words_time);
    if (step->own_count == 0) {
        html_raw(page, "; without a fault of its own");
    } else if (step->own_count == step->count) {
        html_raw(page, "; with a fault of its own");
    } else {
        html_textf(page, "; with a fault of its own in %zu of %zu", step->own_count, step->count);
    }
    html_raw(page, "</li>\n");
}

void report_write_cascade(Text *page, const ReportData *data) {
    const ReportFacts *facts = data->facts;
    if (facts->cascade.count == 0) {
        return;
    }
    html_raw(page, "<h2>What broke, in which order</h2>\n<ul>");
    for (size_t i = 0; i < facts->paths.count && i < PATHS_TOLD_MAX; i++) {
        write_path(page, data, &facts->paths.items[i]);
    }
    html_raw(page, "</ul>\n");
    if (facts->paths.count > PATHS_TOLD_MAX) {
        html_raw(page, "<p class=\"note\">");
        html_textf(page, "%zu more orders in other replications; see events.csv.",
                   facts->paths.count - PATHS_TOLD_MAX);
        html_raw(page, "</p>\n");
    }
    html_raw(page, "<ul class=\"soft\">");
    for (size_t i = 0; i < facts->cascade.count; i++) {
        write_step(page, data, &facts->cascade.items[i]);
    }
    html_raw(page, "</ul>\n<p class=\"note\">A component breaks when it stops serving its callers; "
                   "those that break without a fault of their own are a cascade.</p>\n");
}

void report_write_objectives(Text *page, const ReportData *data) {
    const ReportFacts *facts = data->facts;
    if (facts->objectives.count == 0) {
        return;
    }
    html_raw(page, "<h2>Objectives</h2>\n<ul>");
    for (size_t i = 0; i < facts->objectives.count; i++) {
        const ReportObjective *objective = &facts->objectives.items[i];
        Interval interval = interval_mean(&objective->values, 0.95);
        html_raw(page, objective->is_kept ? "<li><span class=\"kept\">✓ kept</span> "
                                          : "<li><span class=\"missed\">✗ missed</span> ");
        html_text(page, objective->text);
        html_raw(page, " <span class=\"soft\">");
        if (objective->values.count == 0) {
            html_raw(page, "(it has no value)");
        } else {
            const char *unit = strcmp(objective->unit, "1") == 0 ? "" : objective->unit;
            html_textf(page, "(it was %s%s%s", words_number(objective->values.mean).text,
                       unit[0] == '\0' ? "" : " ", unit);
            if (!isnan(interval.low)) {
                html_textf(page, ", 95 %% interval %s to %s", words_number(interval.low).text,
                           words_number(interval.high).text);
            }
            html_raw(page, ")");
        }
        html_raw(page, "</span></li>\n");
    }
    html_raw(page, "</ul>\n");
    if (facts->failed_count > 0.01 * facts->offered_count) {
        html_raw(page, "<p class=\"note\">");
        html_textf(page,
                   "Latency is that of answered requests: %s failed, and have none. An objective "
                   "for goodput or failures sees them.",
                   words_percent(facts->failed_count / facts->offered_count).text);
        html_raw(page, "</p>\n");
    }
}
