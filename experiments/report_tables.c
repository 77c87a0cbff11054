#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/file_out.h"
#include "experiments/report_parts.h"
#include "sim/check.h"

enum { REPLICATIONS_SHOWN_MAX = 200, COMPONENTS_SHOWN_MAX = 100, VALUES_SHOWN_MAX = 2000 };

static void write_more(Text *page, size_t count, size_t shown, const char *where) {
    if (count > shown) {
        html_raw(page, "<p class=\"note\">");
        html_textf(page, "%zu more rows in %s.", count - shown, where);
        html_raw(page, "</p>\n");
    }
}

static void write_heads(Text *page, const char *const *heads, size_t count, size_t text_count) {
    html_raw(page, "<div class=\"scroll panel\"><table><thead><tr>");
    for (size_t i = 0; i < count; i++) {
        html_raw(page, i < text_count ? "<th class=\"t\" scope=\"col\">" : "<th scope=\"col\">");
        html_raw(page, heads[i]);
        html_raw(page, "</th>");
    }
    html_raw(page, "</tr></thead>\n<tbody>");
}

static void end_table(Text *page) {
    html_raw(page, "</tbody></table></div>\n");
}

static void write_cell(Text *page, const char *text) {
    html_raw(page, "<td>");
    html_text(page, text);
    html_raw(page, "</td>");
}

static void write_name(Text *page, const char *text) {
    html_raw(page, "<td class=\"t\">");
    html_text(page, text);
    html_raw(page, "</td>");
}

/* ---- Components */

/* The mean and, from two replications on, half the width of its 95 % interval. */
static void write_mean(Text *page, const Running *running) {
    html_raw(page, "<td>");
    if (running->count > 0) {
        Interval interval = interval_mean(running, 0.95);
        html_text(page, words_number(running->mean).text);
        if (!isnan(interval.low)) {
            html_raw(page, " <small>");
            html_textf(page, "± %s", words_short((interval.high - interval.low) / 2).text);
            html_raw(page, "</small>");
        }
    }
    html_raw(page, "</td>");
}

void report_write_components(Text *page, const ReportData *data) {
    static const char *const HEADS[] = {"component",   "",        "offered",     "goodput per s",
                                        "failed",      "p50 s",   "p99 s",       "in system",
                                        "utilization", "waiting", "wasted work", "availability"};
    static const Metric METRICS[] = {METRIC_latency_p50, METRIC_latency_p99, METRIC_in_system_mean,
                                     METRIC_utilization, METRIC_queue,       METRIC_wasted_ratio,
                                     METRIC_availability};
    const RunFiles *files = data->files;
    html_raw(page, "<h2>Components</h2>\n");
    write_heads(page, HEADS, sizeof HEADS / sizeof HEADS[0], 2);
    for (size_t i = 0; i < files->components.count && i < COMPONENTS_SHOWN_MAX; i++) {
        const RunComponent *component = &files->components.items[i];
        html_raw(page, "<tr>");
        write_name(page, component->name);
        write_name(page, component->kind);
        write_mean(page, &component->metrics[METRIC_offered]);
        write_mean(page, &component->metrics[METRIC_goodput]);
        write_mean(page, &component->failed_count);
        for (size_t k = 0; k < sizeof METRICS / sizeof METRICS[0]; k++) {
            write_mean(page, &component->metrics[METRICS[k]]);
        }
        html_raw(page, "</tr>\n");
    }
    end_table(page);
    write_more(page, files->components.count, COMPONENTS_SHOWN_MAX, "summary.csv");
    html_raw(page, files->outcomes.count > 1
                       ? "<p class=\"note\">Means over the replications after the warm-up, ± half "
                         "of Student's 95 % interval. For a service, requests are attempts of its "
                         "callers. summary.csv has every measure of every replication.</p>\n"
                       : "<p class=\"note\">One replication, after the warm-up: there are no "
                         "intervals. summary.csv has every measure.</p>\n");
}

/* ---- Tokens */

/* A service that makes tokens, or a client that was answered with some. */
static bool has_tokens(const RunComponent *component) {
    return component->metrics[METRIC_output_tokens].count > 0 ||
           component->metrics[METRIC_ttft_mean].count > 0;
}

static void write_tokens(Text *page, const RunFiles *files) {
    static const struct {
        const char *head;
        Metric metric;
    } COLUMNS[] = {{"TTFT p50 s", METRIC_ttft_p50},
                   {"TTFT p95 s", METRIC_ttft_p95},
                   {"TPOT p50 s", METRIC_tpot_p50},
                   {"TPOT p95 s", METRIC_tpot_p95},
                   {"ITL p99 s", METRIC_itl_p99},
                   {"tokens in per s", METRIC_input_tokens},
                   {"tokens out per s", METRIC_output_tokens},
                   {"KV use", METRIC_kv_use},
                   {"prefix hits", METRIC_prefix_hits},
                   {"preemptions", METRIC_preemptions},
                   {"tokens recomputed", METRIC_recomputed_tokens},
                   {"tokens wasted", METRIC_wasted_tokens},
                   {"unservable", METRIC_unservable}};
    enum { COLUMN_COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };
    const char *heads[2 + COLUMN_COUNT] = {"component", ""};
    size_t count = 0;
    for (size_t k = 0; k < COLUMN_COUNT; k++) {
        heads[2 + k] = COLUMNS[k].head;
    }
    write_heads(page, heads, 2 + COLUMN_COUNT, 2);
    for (size_t i = 0; i < files->components.count; i++) {
        const RunComponent *component = &files->components.items[i];
        if (!has_tokens(component) || count++ >= COMPONENTS_SHOWN_MAX) {
            continue;
        }
        html_raw(page, "<tr>");
        write_name(page, component->name);
        write_name(page, component->kind);
        for (size_t k = 0; k < COLUMN_COUNT; k++) {
            write_mean(page, &component->metrics[COLUMNS[k].metric]);
        }
        html_raw(page, "</tr>\n");
    }
    end_table(page);
    write_more(page, count, COMPONENTS_SHOWN_MAX, "summary.csv");
}

void report_write_inference(Text *page, const ReportData *data) {
    const RunFiles *files = data->files;
    size_t i = 0;
    while (i < files->components.count && !has_tokens(&files->components.items[i])) {
        i++;
    }
    if (i == files->components.count) {
        return;
    }
    html_raw(page, "<h2>Inference</h2>\n");
    if (data->pictures[PICTURE_INFERENCE].count > 0) {
        report_write_picture(page, data, PICTURE_INFERENCE, NULL);
    }
    write_tokens(page, files);
    html_raw(page,
             "<p class=\"note\">TTFT is the time to the first token, TPOT the time per token "
             "after it, ITL the time between two tokens; of a client from its request on, of a "
             "service from an attempt's arrival on. Tokens are wasted when nobody waits for "
             "the answer any more.</p>\n");
}

/* ---- Replications */

void report_write_replications(Text *page, const ReportData *data) {
    static const char *const HEADS[] = {"replication",
                                        "verdict",
                                        "broke first",
                                        "fell",
                                        "came back",
                                        "cascade depth",
                                        "attempts per request, worst",
                                        "goodput, worst",
                                        "ended by"};
    const RunFiles *files = data->files;
    html_raw(page, "<h2>Replications</h2>\n");
    write_heads(page, HEADS, sizeof HEADS / sizeof HEADS[0], 3);
    for (size_t i = 0; i < files->outcomes.count && i < REPLICATIONS_SHOWN_MAX; i++) {
        const RunOutcome *outcome = &files->outcomes.items[i];
        html_raw(page, "<tr><td class=\"t\">");
        html_textf(page, "%llu", (unsigned long long)outcome->replication);
        html_raw(page, "</td>");
        write_name(page, outcome->verdict);
        write_name(page, outcome->first_to_fail);
        write_cell(page, words_time(outcome->collapse_at_s).text);
        write_cell(page, words_time(outcome->recovered_at_s).text);
        write_cell(page, words_number(outcome->cascade_depth).text);
        write_cell(page, words_number(outcome->amplification_max).text);
        write_cell(page, words_percent(outcome->goodput_ratio_min).text);
        write_cell(page, outcome->stopped_by);
        html_raw(page, "</tr>\n");
    }
    end_table(page);
    write_more(page, files->outcomes.count, REPLICATIONS_SHOWN_MAX, "outcome.csv");
}

/* ---- The scenario */

void report_write_scenario(Text *page, const ReportData *data) {
    static const char *const HEADS[] = {"path", "value", "given by"};
    size_t count = run_files_value_count(data->files);
    html_raw(page, "<h2>The scenario</h2>\n<details class=\"panel\"><summary>");
    html_textf(page, "Every value that was used, and who gave it (%zu)", count);
    html_raw(page, "</summary>");
    write_heads(page, HEADS, 3, 3);
    for (size_t i = 0; i < count && i < VALUES_SHOWN_MAX; i++) {
        RunValue value = run_files_value(data->files, i);
        html_raw(page, "<tr><td class=\"t\"><code>");
        html_text(page, value.path);
        html_raw(page, "</code></td><td class=\"w\">");
        html_text(page, value.value);
        html_raw(page, "</td>");
        write_name(page, value.origin);
        html_raw(page, "</tr>\n");
    }
    end_table(page);
    write_more(page, count, VALUES_SHOWN_MAX, "manifest.json");
    html_raw(page, "</details>\n");
}

/* ---- How to read it, files, again */

void report_write_rules(Text *page) {
    html_raw(
        page,
        "<h2>How the verdict is made</h2>\n<details class=\"panel\"><summary>Each run is compared "
        "with its twin: the same scenario and random numbers without the triggers</summary>"
        "<p>Goodput is good answers in time per second, over the window <code>hold</code>. The "
        "first that holds is the verdict:</p><ul>"
        "<li><b>overloaded</b>: the twin itself is below <code>healthy</code> x offered at its "
        "end; "
        "capacity is too small.</li>"
        "<li><b>spontaneous</b>: it falls below <code>healthy</code> without or before a trigger "
        "and is not back by the end.</li>"
        "<li><b>unfinished</b>: the run ends before <code>settle</code> + <code>horizon</code> "
        "after the trigger's end.</li>"
        "<li><b>metastable</b>: still below at the trigger's end + <code>settle</code> + "
        "<code>horizon</code>.</li>"
        "<li><b>degraded</b>: back, but with more attempts per request or a longer median latency "
        "than the twin's.</li>"
        "<li><b>recovered</b>: back for <code>hold</code>.</li>"
        "<li><b>healthy</b>: never below <code>healthy</code> x the twin's for <code>hold</code>."
        "</li></ul>"
        "<p>Shares of verdicts come with Wilson's interval, which is honest at 0 and at 100 %. The "
        "manual, docs/manual.md, has the rules in full; the keys and their "
        "defaults: <code>knockon kinds verdict</code>.</p></details>\n");
}

static void write_file(Text *page, const char *name, const char *about) {
    html_raw(page, "<li>");
    if (file_name_is_valid(name)) {
        html_raw(page, "<a href=\"");
        html_text(page, name);
        html_raw(page, "\">");
        html_text(page, name);
        html_raw(page, "</a>");
    } else {
        html_text(page, name);
    }
    html_textf(page, ": %s", about);
    html_raw(page, "</li>\n");
}

void report_write_files(Text *page, const ReportData *data) {
    size_t index;
    json_t *resource;
    html_raw(page, "<h2>Files and commands</h2>\n<ul>");
    json_array_foreach(json_object_get(data->files->manifest, "resources"), index, resource) {
        const char *name = json_string_value(json_object_get(resource, "path"));
        const char *about = json_string_value(json_object_get(resource, "description"));
        if (name != NULL) {
            write_file(page, name, about == NULL ? "" : about);
        }
    }
    write_file(page, "manifest.json",
               "what these files are, their columns, and the scenario as it was run.");
    html_raw(page, "</ul>\n<p>To run it again (same command, same bytes), and to make pictures and "
                   "this page again from the files:</p>\n<pre>");
    html_text(page, run_files_own_text(data->files, "command"));
    html_textf(page, "\nknockon report %s", data->out_path);
    html_raw(page, "</pre>\n");
}
