/* `knockon run` from outside: files, exit status, and what goes wrong around it. */
#include <jansson.h>
#include <math.h>
#include <nettle/sha2.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <time.h>

#include "models/probe.h"
#include "tests/system/csv_check.h"

/* Falls in a spike and comes back, or not, by replication: every kind of row is written. */
static const char storm[] =
    "knockon: 1\n"
    "name: storm\n"
    "run: {duration: 4min, warmup: 10s, seed: 7, replications: 6}\n"
    "clients:\n"
    "  web:\n"
    "    target: gateway\n"
    "    arrivals: {poisson: {rate: 30/s}}\n"
    "    spikes: [{at: 60s, for: 20s, x: 2.5}]\n"
    "    call: {timeout: 2s, retry: {fixed: {max_attempts: 3, delay: 100ms}}}\n"
    "services:\n"
    "  gateway:\n"
    "    server: {pool: {concurrency: 64}}\n"
    "    work: 5ms\n"
    "    calls: [{to: model, timeout: 2s}]\n"
    "  model:\n"
    "    replicas: 4\n"
    "    server: {pool: {concurrency: 2}}\n"
    "    work: {lognormal: {mean: 200ms, p99: 800ms}}\n"
    "    queue: {limit: 40}\n"
    "faults:\n"
    "  - {at: 70s, for: 5s, slow: {service: model, x: 2}}\n"
    "verdict: {hold: 10s, settle: 5s, horizon: 60s}\n";

enum { COMPLAINT_SIZE = 4096 };

static void begin(const char *scenario) {
    command_enter_directory();
    file_put("a.yaml", scenario);
}

static int run(const char *const *arguments, char *complaint) {
    Command command = {{"run", "a.yaml"}};
    for (int i = 0; arguments[i] != NULL; i++) {
        command.arguments[i + 2] = arguments[i];
    }
    return command_run(&command, complaint, complaint == NULL ? 0 : COMPLAINT_SIZE);
}

#define RUN(complaint, ...) run((const char *const[]){__VA_ARGS__, NULL}, complaint)

static json_t *load_manifest(const char *directory_name) {
    char path[200];
    snprintf(path, sizeof path, "%s/manifest.json", directory_name);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(root != NULL, "%s is no JSON", path);
    return root;
}

static const char *own_text(const json_t *manifest, const char *key) {
    return json_string_value(json_object_get(json_object_get(manifest, "knockon"), key));
}

static void check_hash(const char *path, const char *expected) {
    size_t size = 0;
    char *text = file_text(path, &size), hex[2 * SHA256_DIGEST_SIZE + 8] = "sha256:";
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    sha256_update(&sha, size, (const uint8_t *)text);
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        sprintf(hex + 7 + 2 * i, "%02x", digest[i]);
    }
    ck_assert_str_eq(hex, expected);
    free(text);
}

/* Each file that the manifest names parses, and is what the manifest says; returns how many. */
static size_t check_results(const char *name) {
    json_t *manifest = load_manifest(name);
    const json_t *resources = json_object_get(manifest, "resources");
    size_t count = json_array_size(resources);
    for (size_t i = 0; i < count; i++) {
        const json_t *resource = json_array_get(resources, i);
        char path[200];
        snprintf(path, sizeof path, "%s/%s", name,
                 json_string_value(json_object_get(resource, "path")));
        long rows = csv_check(path);
        ck_assert_int_eq(rows, json_integer_value(json_object_get(resource, "row_count")));
        check_hash(path, json_string_value(json_object_get(resource, "hash")));
    }
    ck_assert_int_eq(file_count(name, ".csv"), (int)count);
    ck_assert_int_eq(file_count(name, ".tmp"), 0);
    json_decref(manifest);
    return count;
}

START_TEST(results_are_the_same_bytes_for_any_number_of_threads) {
    static const char *const jobs[] = {"1", "2", "7"};
    begin(storm);
    char *first = NULL;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(RUN(NULL, "-q", "--requests", "-j", jobs[i], "-o", "mine"), 0);
        char *report = file_text("mine/report.html", NULL);
        ck_assert_ptr_nonnull(report);
        ck_assert_int_eq(rename("mine", jobs[i]), 0);
        ck_assert(i == 0 ||
                  (directories_are_equal(jobs[0], jobs[i]) && strcmp(first, report) == 0));
        if (i == 0) {
            first = report;
        } else {
            free(report);
        }
    }
    free(first);
}
END_TEST

START_TEST(every_file_parses_and_is_what_the_manifest_says) {
    begin(storm);
    ck_assert_int_eq(RUN(NULL, "-q", "--requests", "-o", "all"), 0);
    ck_assert_uint_eq(check_results("all"), 5);
    ck_assert_int_eq(csv_check("all/outcome.csv"), 6);
    ck_assert_int_eq(csv_check("all/summary.csv"), 6 * 3);
    ck_assert_int_eq(csv_check("all/timeseries.csv"), 6 * 240 * 3);
    ck_assert_int_eq(RUN(NULL, "-q", "--set", "run.timeseries=average", "-o", "average"), 0);
    ck_assert_uint_eq(check_results("average"), 4);
    ck_assert_int_eq(csv_check("average/average.csv"), 240 * 3);
    ck_assert_int_eq(RUN(NULL, "-q", "--set", "run.timeseries=none", "-o", "none"), 0);
    ck_assert_uint_eq(check_results("none"), 3);
}
END_TEST

START_TEST(measures_of_the_other_kind_and_of_tokens_are_empty) {
    begin(storm);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "1", "-o", "all"), 0);
    char *text = file_text("all/summary.csv", NULL);
    CsvRow *header = malloc(sizeof *header), *row = malloc(sizeof *row);
    const char *at = text;
    ck_assert(csv_row(&at, header));
    while (csv_row(&at, row)) {
        bool is_client = strcmp(row->cells[csv_find(header, "kind")], "client") == 0;
        for (uint32_t i = 0; i < METRIC_COUNT; i++) {
            const MetricInfo *info = metric_info(i);
            const char *cell = row->cells[csv_find(header, info->column)];
            bool is_of = info->who & (is_client ? METRIC_OF_CLIENT : METRIC_OF_SERVICE);
            if (!is_of || (info->who & METRIC_OF_TOKENS)) {
                ck_assert_msg(cell[0] == 0, "%s is '%s'", info->column, cell);
            }
        }
        ck_assert_str_ne(row->cells[csv_find(header, "goodput_per_s")], "");
    }
    free(header);
    free(row);
    free(text);
}
END_TEST

/* The mean and the interval of one cell, worked out from timeseries.csv: t(0.975; 5) = 2.5706. */
START_TEST(the_average_is_the_mean_over_replications_with_students_interval) {
    begin(storm);
    ck_assert_int_eq(RUN(NULL, "-q", "-o", "all"), 0);
    ck_assert_int_eq(RUN(NULL, "-q", "-o", "average", "--set", "run.timeseries=average"), 0);
    CsvRow *header = malloc(sizeof *header), *row = malloc(sizeof *row);
    char *text = file_text("all/timeseries.csv", NULL);
    const char *at = text;
    double sum = 0, squares = 0;
    for (csv_row(&at, header); csv_row(&at, row);) {
        if (strcmp(row->cells[1], "70") == 0 && strcmp(row->cells[2], "model") == 0) {
            double value = strtod(row->cells[csv_find(header, "queue_mean")], NULL);
            sum += value;
            squares += value * value;
        }
    }
    free(text);
    double mean = sum / 6, half = 2.570582 * sqrt((squares - sum * mean) / 5 / 6);
    ck_assert_double_gt(half, 0.1);
    text = file_text("average/average.csv", NULL);
    at = text;
    int found = 0;
    for (csv_row(&at, header); csv_row(&at, row);) {
        if (strcmp(row->cells[0], "70") == 0 && strcmp(row->cells[1], "model") == 0) {
            int column = csv_find(header, "queue_mean");
            ck_assert_str_eq(header->cells[column + 1], "queue_mean_ci_low");
            ck_assert_double_eq_tol(strtod(row->cells[column], NULL), mean, 1e-6);
            ck_assert_double_eq_tol(strtod(row->cells[column + 1], NULL), mean - half, 1e-4);
            ck_assert_double_eq_tol(strtod(row->cells[column + 2], NULL), mean + half, 1e-4);
            found++;
        }
    }
    ck_assert_int_eq(found, 1);
    free(text);
    free(header);
    free(row);
}
END_TEST

START_TEST(results_of_another_scenario_or_seed_are_refused_and_kept) {
    begin(storm);
    char complaint[COMPLAINT_SIZE];
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "-o", "mine"), 0);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "-o", "copy"), 0);
    ck_assert_int_eq(RUN(complaint, "-q", "--set", "services.model.replicas=5", "-o", "mine"), 2);
    ck_assert_ptr_nonnull(strstr(complaint, "another scenario"));
    ck_assert_int_eq(RUN(complaint, "-q", "--seed", "8", "-o", "mine"), 2);
    ck_assert_ptr_nonnull(strstr(complaint, "another seed"));
    ck_assert(directories_are_equal("mine", "copy"));
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "-o", "mine"), 0);
    ck_assert(directories_are_equal("mine", "copy"));
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "--seed", "8", "--force", "-o", "mine"), 0);
    check_results("mine");
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "--seed", "8", "-o", "mine"), 0);
}
END_TEST

START_TEST(a_users_own_files_are_not_replaced) {
    begin(storm);
    char complaint[COMPLAINT_SIZE];
    ck_assert_int_eq(mkdir("mine", 0777), 0);
    file_put("mine/summary.csv", "precious\n");
    for (int i = 0; i < 2; i++) { /* the refusal leaves nothing that would allow the second try */
        ck_assert_int_eq(RUN(complaint, "-q", "-r", "1", "-o", "mine"), 2);
        ck_assert_ptr_nonnull(strstr(complaint, "not from knockon"));
    }
    char *text = file_text("mine/summary.csv", NULL);
    ck_assert_str_eq(text, "precious\n");
    free(text);
    file_put("mine/manifest.json", "{\"name\": \"yours\"}\n");
    ck_assert_int_eq(RUN(complaint, "-q", "-r", "1", "-o", "mine"), 2);
    ck_assert_ptr_nonnull(strstr(complaint, "manifest"));
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "1", "--force", "-o", "mine"), 0);
    check_results("mine");
}
END_TEST

START_TEST(a_limit_on_file_size_exits_4_and_leaves_no_half_file) {
    begin(storm);
    char complaint[COMPLAINT_SIZE];
    for (size_t limit = 1; limit <= 1 << 18; limit *= 8) {
        Command command = {{"run", "a.yaml", "-q", "-o", "mine"}, .file_size_max = limit};
        ck_assert_int_eq(command_run(&command, complaint, sizeof complaint), 4);
        ck_assert_ptr_nonnull(strstr(complaint, "File too large"));
        ck_assert_int_eq(file_count("mine", ".csv"), 0);
        ck_assert_int_eq(file_count("mine", ".tmp"), 0);
        ck_assert(!file_is_there("mine/manifest.json"));
    }
    /* The tables fit and the manifest does not: they go again. */
    Command command = {{"run", "a.yaml", "-q", "-o", "mine", "--set", "run.timeseries=none"},
                       .file_size_max = 12000};
    ck_assert_int_eq(command_run(&command, complaint, sizeof complaint), 4);
    ck_assert_ptr_nonnull(strstr(complaint, "manifest.json"));
    ck_assert_int_eq(file_count("mine", ".csv"), 0);
    ck_assert_int_eq(RUN(NULL, "-q", "-o", "mine"), 0);
    check_results("mine");
}
END_TEST

/* Needs the right to mount; where there is none the test above has to do. */
START_TEST(a_full_disk_exits_4_and_leaves_no_half_file) {
    begin(storm);
    char complaint[COMPLAINT_SIZE];
    ck_assert_int_eq(mkdir("disk", 0777), 0);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "disk", "tmpfs", 0, "size=256k") != 0) {
        return;
    }
    ck_assert_int_eq(RUN(complaint, "-q", "-o", "disk/mine"), 4);
    ck_assert_ptr_nonnull(strstr(complaint, "No space left"));
    ck_assert_int_eq(file_count("disk/mine", ".csv"), 0);
    ck_assert_int_eq(file_count("disk/mine", ".tmp"), 0);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "1", "--set", "run.timeseries=none", "-o", "disk/mine"),
                     0);
    check_results("disk/mine");
    umount("disk");
}
END_TEST

/* Sends a signal when the first replication is finished, as --progress tells. */
static int interrupt_run(int number, const char *name) {
    Command command = {{"run", "a.yaml", "-r", "100000", "--set", "run.duration=40min",
                        "--progress", "json", "-o", name}};
    Process process = command_start(&command);
    char byte;
    ck_assert_int_eq(read(process.error, &byte, 1), 1);
    kill(process.pid, number);
    return command_wait(&process, NULL, 0);
}

static void check_interrupted(const char *name) {
    json_t *manifest = load_manifest(name);
    const json_t *own = json_object_get(manifest, "knockon");
    json_int_t finished = json_integer_value(json_object_get(own, "replications_finished"));
    char path[200];
    snprintf(path, sizeof path, "%s/outcome.csv", name);
    ck_assert_str_eq(own_text(manifest, "status"), "interrupted");
    ck_assert_int_gt(finished, 0);
    ck_assert_int_lt(finished, 100000);
    ck_assert_int_eq(csv_check(path), finished);
    snprintf(path, sizeof path, "%s/timeseries.csv", name);
    ck_assert_int_eq(csv_check(path), finished * 2400 * 3); /* not a part of a replication */
    check_results(name);
    json_decref(manifest);
}

START_TEST(an_interrupt_keeps_what_was_finished) {
    begin(storm);
    ck_assert_int_eq(interrupt_run(SIGINT, "int"), 130);
    check_interrupted("int");
    ck_assert_int_eq(interrupt_run(SIGTERM, "term"), 143);
    check_interrupted("term");
}
END_TEST

START_TEST(a_second_interrupt_ends_the_program_at_once) {
    begin(storm);
    gnuplot_replace("cd ../..; touch drawing; sleep 8");
    Command command = {{"run", "a.yaml", "-r", "2", "-o", "mine"}};
    Process process = command_start(&command);
    while (!file_is_there("drawing")) {
        usleep(10000);
    }
    time_t began = time(NULL);
    kill(process.pid, SIGINT);
    usleep(100000);
    kill(process.pid, SIGINT);
    ck_assert_int_eq(command_wait(&process, NULL, 0), 130);
    ck_assert_int_lt(time(NULL) - began, 6);
    check_results("mine");
}
END_TEST

START_TEST(a_killed_run_leaves_no_half_file_and_the_same_command_goes_on) {
    begin(storm);
    ck_assert_int_eq(RUN(NULL, "-q", "-o", "whole"), 0);
    for (int i = 0; i < 12; i++) {
        Command command = {{"run", "a.yaml", "-q", "-o", "mine"}};
        Process process = command_start(&command);
        usleep((unsigned)(i * i * 1500));
        kill(process.pid, SIGKILL);
        command_wait(&process, NULL, 0);
        if (file_is_there("mine/manifest.json")) {
            check_results("mine");
        }
    }
    ck_assert_int_eq(RUN(NULL, "-q", "-o", "mine"), 0);
    ck_assert(directories_are_equal("whole", "mine"));
    check_results("mine");
}
END_TEST

START_TEST(lost_output_exits_4_and_the_files_are_kept) {
    begin(storm);
    Command no_reader = {{"run", "a.yaml", "-r", "2", "-o", "one"}, .has_no_reader = true};
    ck_assert_int_eq(command_run(&no_reader, NULL, 0), 4);
    check_results("one");
    Command no_json = {{"run", "a.yaml", "-r", "2", "--json", "-o", "one"}, .has_no_reader = true};
    ck_assert_int_eq(command_run(&no_json, NULL, 0), 4);
    check_results("one");
    Command closed = {{"run", "a.yaml", "-r", "40", "--progress", "plain", "-o", "two"},
                      .has_closed_output = true};
    ck_assert_int_eq(command_run(&closed, NULL, 0), 4);
    check_results("two"); /* no message went into a file */
}
END_TEST

START_TEST(a_missed_objective_exits_3_and_a_budget_6) {
    char scenario[sizeof storm + 100], complaint[COMPLAINT_SIZE];
    snprintf(scenario, sizeof scenario, "%sobjectives: {web: {p99: '<= 700ms'}}\n", storm);
    begin(scenario);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "-o", "missed"), 3);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "-o", "kept", "--set", "objectives.web.p99=<= 70s"),
                     0);
    ck_assert_int_eq(RUN(complaint, "-q", "-r", "2", "-o", "cut", "--set", "run.max_in_flight=200"),
                     6);
    ck_assert_ptr_nonnull(strstr(complaint, "2 of 2 replications hit a budget"));
    json_t *manifest = load_manifest("cut");
    ck_assert_str_eq(own_text(manifest, "status"), "truncated");
    json_decref(manifest);
    check_results("cut");
}
END_TEST

START_TEST(pictures_that_fail_cost_7_and_nothing_else) {
    char scenario[sizeof storm + 100], complaint[COMPLAINT_SIZE];
    snprintf(scenario, sizeof scenario, "%sobjectives: {web: {p99: '<= 70s'}}\n", storm);
    begin(scenario);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "2", "-o", "mine"), 0);
    ck_assert(file_is_there("mine/load.svg") && file_is_there("mine/report.html"));
    gnuplot_replace("echo no terminal >&2; exit 1");
    ck_assert_int_eq(RUN(complaint, "-q", "-r", "2", "-o", "mine"), 7);
    ck_assert_ptr_nonnull(strstr(complaint, "no terminal"));
    ck_assert_ptr_nonnull(strstr(complaint, "knockon report mine"));
    ck_assert(!file_is_there("mine/load.svg") && file_is_there("mine/report.html"));
    check_results("mine");
    ck_assert_int_eq(RUN(NULL, "-q", "-o", "missed", "--set", "objectives.web.p99=<= 700ms"), 3);
}
END_TEST

/* Runs storm once and looks for rows of events.csv, which stand in the order of time. */
START_TEST(events_tell_the_trigger_the_fault_and_the_verdict_in_order) {
    static const char *const expected[] = {"trigger_begins", "fault_begins", "fault_ends",
                                           "trigger_ends", "verdict"};
    begin(storm);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "1", "-o", "mine"), 0);
    CsvRow *row = malloc(sizeof *row);
    char *text = file_text("mine/events.csv", NULL);
    const char *at = text;
    double before_s = 0;
    size_t found = 0;
    for (csv_row(&at, row); csv_row(&at, row);) {
        double time_s = strtod(row->cells[1], NULL);
        ck_assert_double_ge(time_s, before_s);
        before_s = time_s;
        found += found < 5 && strcmp(row->cells[3], expected[found]) == 0;
    }
    ck_assert_uint_eq(found, 5);
    ck_assert_double_eq(before_s, 240);
    free(text);
    text = file_text("mine/outcome.csv", NULL);
    ck_assert_ptr_nonnull(strstr(text, "\n0,7,metastable,"));
    free(text);
    free(row);
}
END_TEST

START_TEST(every_request_has_a_row_and_the_unfinished_no_latency) {
    begin(storm);
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "1", "--requests", "-o", "mine"), 0);
    CsvRow *row = malloc(sizeof *row);
    char *text = file_text("mine/requests.csv", NULL);
    const char *at = text;
    int unfinished = 0, answered = 0;
    for (csv_row(&at, row); csv_row(&at, row);) {
        bool is_unfinished = strcmp(row->cells[4], "unfinished") == 0;
        ck_assert(is_unfinished == (row->cells[5][0] == 0));
        unfinished += is_unfinished;
        answered += strcmp(row->cells[4], "ok") == 0 && strtod(row->cells[3], NULL) >= 10;
    }
    free(text);
    text = file_text("mine/summary.csv", NULL);
    at = text;
    csv_row(&at, row);
    int answered_at = csv_find(row, "answered_count");
    int unfinished_at = csv_find(row, "unfinished_count");
    csv_row(&at, row);
    ck_assert_int_gt(unfinished, 0);
    ck_assert_int_eq(unfinished, atoi(row->cells[unfinished_at]));
    ck_assert_int_eq(answered, atoi(row->cells[answered_at]));
    free(text);
    free(row);
}
END_TEST

/* Steps of 10 ms: 20 tokens are computed in one, and 7 come, one a step. */
START_TEST(an_answer_of_tokens_has_times_to_the_first_and_between) {
    begin("knockon: 1\n"
          "name: tokens\n"
          "run: {duration: 60s}\n"
          "clients:\n"
          "  web: {target: llm, arrivals: {trace: {file: t.csv}}, call: {timeout: 50ms}}\n"
          "services:\n"
          "  llm: {server: {inference: {kv_blocks: 1000, step: {linear: {base: 10ms}}}}}\n");
    file_put("t.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,20,4\n1.5,20,1\n"
                      "2.5,20,7\n59.995,20,7\n");
    ck_assert_int_eq(RUN(NULL, "-q", "-r", "1", "--requests", "-o", "mine"), 0);
    char *text = file_text("mine/requests.csv", NULL);
    ck_assert_str_eq(strchr(text, '\n'), "\n0,0,web,0.5,ok,0.04,0.01,1,20,4,0.01\n"
                                         "0,1,web,1.5,ok,0.01,0.01,1,20,1,\n"
                                         "0,2,web,2.5,timeout,0.05,,1,20,7,\n"
                                         "0,3,web,59.995,unfinished,,,1,20,7,\n");
    free(text);
    text = file_text("mine/inference.svg", NULL);
    ck_assert_int_eq(strncmp(text, "<svg", 4), 0);
    free(text);
    text = file_text("mine/report.html", NULL);
    ck_assert_ptr_nonnull(strstr(text, "<h2>Inference</h2>"));
    ck_assert_ptr_nonnull(strstr(text, "aria-labelledby=\"inference-title inference-desc\""));
    free(text);
    /* 4 + 1 + 7 tokens in a minute: who has timed out is served all the same. */
    char program[4096], command[4200];
    program_path(program);
    snprintf(command, sizeof command, "'%s' run a.yaml -r 1 -o shown >screen.txt", program);
    ck_assert_int_eq(system(command), 0);
    text = file_text("screen.txt", NULL);
    ck_assert_ptr_nonnull(
        strstr(text, "\ninference        KV use     tokens out /s      ttft p95 s     preemptions\n"
                     "llm"));
    ck_assert_ptr_nonnull(strstr(text, "%               0.2            0.01               0\n"));
    free(text);
    snprintf(command, sizeof command, "'%s' run a.yaml -r 1 -o shown --json >out.json", program);
    ck_assert_int_eq(system(command), 0);
    text = file_text("out.json", NULL);
    ck_assert_ptr_nonnull(strstr(text, "\"output_tokens_per_s\""));
    free(text);
}
END_TEST

/* Its KV cache is full with a few of its 256 slots in use; the gateway's one slot is busy for a
 * tenth of the time. */
START_TEST(the_screen_has_plain_numbers_and_offers_more_of_the_service_that_is_full) {
    begin("knockon: 1\n"
          "name: full\n"
          "run: {duration: 3min}\n"
          "clients:\n"
          "  web:\n"
          "    target: gateway\n"
          "    arrivals: {poisson: {rate: 50/s}}\n"
          "    input_tokens: {lognormal: {mean: 300, cv: 1}}\n"
          "    output_tokens: {lognormal: {mean: 300, cv: 1}}\n"
          "    call: {timeout: 5s}\n"
          "services:\n"
          "  gateway: {work: 2ms, calls: [{to: llm}]}\n"
          "  llm: {server: {inference: {kv_blocks: 500, step: {linear: {base: 10ms}}}}}\n");
    char program[4096], command[4200];
    program_path(program);
    snprintf(command, sizeof command, "'%s' run a.yaml -r 3 >screen.txt", program);
    ck_assert_int_eq(system(command), 0);
    char *text = file_text("screen.txt", NULL);
    ck_assert_msg(strstr(text, "e+0") == NULL && strstr(text, "e-0") == NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "\nverdict    overloaded  3 of 3"));
    ck_assert_ptr_nonnull(strstr(text, " --set services.llm.replicas=2 "));
    free(text);
}
END_TEST

START_TEST(a_malformed_trace_is_named_by_line_and_nothing_is_written) {
    begin("knockon: 1\n"
          "name: replay\n"
          "run: {duration: 60s, replications: 2}\n"
          "clients:\n"
          "  web: {target: s, arrivals: {trace: {file: t.csv}}}\n"
          "services:\n"
          "  s: {work: 10ms}\n");
    char complaint[COMPLAINT_SIZE];
    file_put("t.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,10,20\n1.5,7,x\n");
    ck_assert_int_eq(RUN(complaint, "-q", "-o", "mine"), 2);
    ck_assert_ptr_nonnull(strstr(complaint, "t.csv:3"));
    ck_assert_int_eq(file_count("mine", ".csv"), 0);
    file_put("t.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,10,20\n1.5,7,9\n");
    ck_assert_int_eq(RUN(NULL, "-q", "--requests", "-o", "mine"), 0);
    char *text = file_text("mine/requests.csv", NULL);
    ck_assert_ptr_nonnull(strstr(text, "\n0,0,web,0.5,ok,0.01,,1,10,20,\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n1,1,web,1.5,ok,0.01,,1,7,9,\n"));
    free(text);
    file_put("t.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,10,20\n");
    ck_assert_int_eq(RUN(complaint, "-q", "-o", "mine"), 2); /* another trace, another scenario */
    ck_assert_ptr_nonnull(strstr(complaint, "another scenario"));
}
END_TEST

TEST_SUITE("system/run", results_are_the_same_bytes_for_any_number_of_threads,
           every_file_parses_and_is_what_the_manifest_says,
           measures_of_the_other_kind_and_of_tokens_are_empty,
           the_average_is_the_mean_over_replications_with_students_interval,
           results_of_another_scenario_or_seed_are_refused_and_kept,
           a_users_own_files_are_not_replaced, a_limit_on_file_size_exits_4_and_leaves_no_half_file,
           a_full_disk_exits_4_and_leaves_no_half_file, an_interrupt_keeps_what_was_finished,
           a_killed_run_leaves_no_half_file_and_the_same_command_goes_on,
           lost_output_exits_4_and_the_files_are_kept, a_missed_objective_exits_3_and_a_budget_6,
           pictures_that_fail_cost_7_and_nothing_else,
           events_tell_the_trigger_the_fault_and_the_verdict_in_order,
           every_request_has_a_row_and_the_unfinished_no_latency,
           a_second_interrupt_ends_the_program_at_once,
           an_answer_of_tokens_has_times_to_the_first_and_between,
           the_screen_has_plain_numbers_and_offers_more_of_the_service_that_is_full,
           a_malformed_trace_is_named_by_line_and_nothing_is_written)
