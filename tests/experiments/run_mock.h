/* A made-up output directory of `knockon run`, for the tests of pictures and report: its numbers
 * are known, and its names may be anything. */
#ifndef KNOCKON_TESTS_EXPERIMENTS_RUN_MOCK_H
#define KNOCKON_TESTS_EXPERIMENTS_RUN_MOCK_H

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/probe.h"
#include "tests/test.h"

typedef struct Mock {
    const char *title, *about, *client, *service, *fault;
    unsigned replications, samples;
    unsigned metastable; /* the first of them fall for good at 3/10 of the run */
    unsigned services;   /* named SERVICE, then SERVICE2 … */
    bool has_tokens;     /* the services are inference servers */
} Mock;

static const Mock MOCK = {.title = "storm",
                          .about = "A spike meets retries.",
                          .client = "web",
                          .service = "llm",
                          .fault = "slow llm",
                          .replications = 4,
                          .samples = 100,
                          .metastable = 3,
                          .services = 1};

/* Each test runs in a process and a directory of its own; what is written to /tmp/… by a hostile
 * name would be found in it, because it is the working directory as well. */
static char scratch[64];

static inline void enter_scratch(void) {
    snprintf(scratch, sizeof scratch, "/tmp/knockon-mock-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
    ck_assert_int_eq(mkdir("run", 0777), 0);
}

static inline void leave_scratch(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static inline FILE *mock_open(const char *name) {
    char path[64];
    snprintf(path, sizeof path, "run/%s", name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    return file;
}

/* Always in quotes, which any text may be. */
static inline void mock_cell(FILE *file, const char *text) {
    fputc('"', file);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
    }
    fputc('"', file);
}

static inline void mock_head(FILE *file, const char *keys, const char *tail) {
    fputs(keys, file);
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        fprintf(file, ",%s", metric_info(i)->column);
    }
    fprintf(file, "%s\n", tail);
}

/* A client is offered 20 a second; once down it answers 1 of them and sends 60 attempts. A service
 * has all the rest. */
static inline double mock_value(uint32_t metric, bool is_client, bool is_down, double scale) {
    switch (metric) {
    case METRIC_offered:
        return 20 * scale;
    case METRIC_answered:
        return (is_down ? 1 : 20) * scale;
    case METRIC_goodput:
        return is_down ? 1 : 20;
    case METRIC_timeouts:
        return (is_down ? 19 : 0) * scale;
    case METRIC_refused:
    case METRIC_errors:
        return 0;
    case METRIC_attempts:
        return (is_down ? 60 : 20) * scale;
    case METRIC_latency_p50:
        return is_client ? 0.25 : NAN;
    case METRIC_latency_p99:
        return is_client ? (is_down ? 9 : 1.5) : NAN;
    case METRIC_queue:
        return is_client ? NAN : is_down ? 700 : 2;
    case METRIC_utilization:
        return is_client ? NAN : is_down ? 1 : 0.5;
    case METRIC_orphaned:
        return is_client ? NAN : is_down ? 600 : 0;
    default:
        return NAN;
    }
}

static inline double mock_tokens(uint32_t metric, bool is_client, bool is_down, double scale) {
    switch (metric) {
    case METRIC_ttft_mean:
    case METRIC_ttft_p50:
        return is_down ? 40 : 0.25;
    case METRIC_ttft_p95:
        return is_down ? 70 : 0.5;
    case METRIC_busy:
        return is_client ? NAN : is_down ? 48 : 16;
    case METRIC_kv_use:
        return is_client ? NAN : is_down ? 1 : 0.25;
    case METRIC_preemptions:
        return is_client ? NAN : (is_down ? 4 : 0) * scale;
    case METRIC_input_tokens:
        return is_client ? NAN : is_down ? 6000 : 4000;
    case METRIC_output_tokens:
        return is_client ? NAN : is_down ? 600 : 1000;
    case METRIC_itl_p50:
        return is_client ? NAN : 0.03125;
    case METRIC_itl_p99:
        return is_client ? NAN : is_down ? 2 : 0.125;
    default:
        return NAN;
    }
}

static inline void mock_values(FILE *file, const Mock *mock, bool is_client, bool is_down,
                               double scale) {
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        double value = mock_value(i, is_client, is_down, scale);
        if (isnan(value) && mock->has_tokens) {
            value = mock_tokens(i, is_client, is_down, scale);
        }
        fputc(',', file);
        if (!isnan(value)) {
            fprintf(file, "%g", value);
        }
    }
}

static inline void mock_component(FILE *file, const Mock *mock, unsigned index) {
    char name[256];
    snprintf(name, sizeof name, index < 2 ? "%s" : "%s%u",
             index == 0 ? mock->client : mock->service, index);
    mock_cell(file, name);
}

static inline void mock_timeseries(const Mock *mock) {
    FILE *file = mock_open("timeseries.csv");
    mock_head(file, "replication,time_s,component", ",in_system");
    for (unsigned r = 0; r < mock->replications; r++) {
        for (unsigned i = 0; i < mock->samples; i++) {
            bool is_down = r < mock->metastable && i >= mock->samples * 3 / 10;
            for (unsigned k = 0; k < 1 + mock->services; k++) {
                fprintf(file, "%u,%u,", r, i);
                mock_component(file, mock, k);
                mock_values(file, mock, k == 0, is_down, 1);
                fprintf(file, ",%u\n", is_down ? 705 : 5);
            }
        }
    }
    fclose(file);
}

static inline void mock_summary(const Mock *mock) {
    FILE *file = mock_open("summary.csv");
    mock_head(file, "replication,component,kind", "");
    for (unsigned r = 0; r < mock->replications; r++) {
        for (unsigned k = 0; k < 1 + mock->services; k++) {
            fprintf(file, "%u,", r);
            mock_component(file, mock, k);
            fprintf(file, ",%s", k == 0 ? "client" : "service");
            mock_values(file, mock, k == 0, r < mock->metastable, mock->samples);
            fputc('\n', file);
        }
    }
    fclose(file);
}

static inline void mock_outcome(const Mock *mock) {
    FILE *file = mock_open("outcome.csv");
    fputs("replication,seed,verdict,collapse_at_s,recovered_at_s,stopped_at_s,stopped_by,"
          "first_to_fail,cascade_depth,amplification_max,goodput_ratio_min,sustained_by,"
          "event_count,tie_count,fingerprint\n",
          file);
    for (unsigned r = 0; r < mock->replications; r++) {
        if (r < mock->metastable) {
            fprintf(file, "%u,1,metastable,%u,,%u,end,", r, mock->samples * 3 / 10, mock->samples);
            mock_cell(file, mock->service);
            fputs(",1,3,0.05,,100,0,x01\n", file);
        } else {
            fprintf(file, "%u,1,healthy,,,%u,end,,,1,0.98,,100,0,x02\n", r, mock->samples);
        }
    }
    fclose(file);
}

static inline void mock_events(const Mock *mock) {
    FILE *file = mock_open("events.csv");
    fputs("replication,time_s,component,event,detail\n", file);
    for (unsigned r = 0; r < mock->replications; r++) {
        unsigned from = mock->samples / 4, to = mock->samples / 2;
        fprintf(file, "%u,%u,,trigger_begins,\n%u,%u,", r, from, r, from);
        mock_cell(file, mock->service);
        fputs(",fault_begins,", file);
        mock_cell(file, mock->fault);
        if (r < mock->metastable) {
            fprintf(file, "\n%u,%u,", r, mock->samples * 3 / 10);
            mock_cell(file, mock->service);
            fprintf(file, ",broken,own fault\n%u,%u,", r, mock->samples * 3 / 10 + 1);
            mock_cell(file, mock->client);
            fputs(",broken,cascade", file);
        }
        fprintf(file, "\n%u,%u,", r, to);
        mock_cell(file, mock->service);
        fputs(",fault_ends,", file);
        mock_cell(file, mock->fault);
        fprintf(file, "\n%u,%u,,trigger_ends,\n%u,%u,,verdict,it was so\n", r, to, r,
                mock->samples);
    }
    fclose(file);
}

static inline void mock_scenario(json_t *values, const char *path, const char *value) {
    json_array_append_new(
        values, json_pack("{s:s,s:s,s:s}", "path", path, "value", value, "origin", "s.yaml:3"));
}

static inline void mock_manifest(const Mock *mock) {
    char path[300];
    json_t *values = json_array();
    mock_scenario(values, "run.duration", "100s");
    snprintf(path, sizeof path, "objectives.%s.p99", mock->client);
    mock_scenario(values, path, "<= 2s");
    snprintf(path, sizeof path, "objectives.%s.p50", mock->client);
    mock_scenario(values, path, "<= 300ms");
    json_t *manifest =
        json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s,s:i,s:o},s:[{s:s,s:s}]}", "name", "storm", "title",
                  mock->title, "description", mock->about, "knockon", "version", "0.1.0", "command",
                  "knockon run s.yaml", "status", "complete", "seed", 1, "scenario", values,
                  "resources", "path", "outcome.csv", "description", "How each replication ended.");
    ck_assert_ptr_nonnull(manifest);
    ck_assert_int_eq(json_dump_file(manifest, "run/manifest.json", 0), 0);
    json_decref(manifest);
}

static inline void mock_make(const Mock *mock) {
    mock_timeseries(mock);
    mock_summary(mock);
    mock_outcome(mock);
    mock_events(mock);
    mock_manifest(mock);
}

/* The whole of a file, with a zero behind it; the caller frees it. */
static inline char *slurp(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    char *text = malloc(8 << 20);
    *size = fread(text, 1, (8 << 20) - 1, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

/* How many names a directory has; one that begins with a dot is nobody's result. */
static inline int count_names(const char *path, bool with_dots) {
    int count = 0;
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += (entry->d_name[0] == '.') == with_dots;
    }
    closedir(directory);
    return with_dots ? count - 2 : count;
}

/* Texts that would do something where someone takes them for more than text. Each leaves a file in
 * the working directory if it is run. */
static const char *const HOSTILE[] = {
    "`touch pwned`",
    "$(touch pwned)",
    "<touch pwned",
    "|touch pwned",
    "'; system('touch pwned'); '",
    "\"; system(\"touch pwned\"); \"",
    "a\n!touch pwned\nb",
    "%s%n%1000000s",
    "</title><script>alert(1)</script><b>",
    "\" onload=\"alert(1)",
    "' onload='alert(1)",
    "{/=60 x}_a^b \\n @c &amp; &lt;",
    "]]><![CDATA[-->",
    "=cmd()\ttab",
    "\xff\xfe broken \xc3",
    "ünïcode → ✓ 字",
};
enum { HOSTILE_COUNT = sizeof HOSTILE / sizeof HOSTILE[0] };

#endif
