#include "experiments/pictures.h"

#include "experiments/plot_data.h"
#include "tests/experiments/run_mock.h"

static bool make(double limit_s, Error *error) {
    *error = (Error){0};
    return pictures_make_within("run", limit_s, error);
}

/* A program of this name that is found instead of the real one. */
static void fake_gnuplot(const char *script) {
    char path[128];
    ck_assert_int_eq(mkdir("bin", 0777), 0);
    if (script != NULL) {
        FILE *file = fopen("bin/gnuplot", "w");
        fprintf(file, "#!/bin/sh\nPATH=/usr/bin:/bin\n%s\n", script);
        fclose(file);
        ck_assert_int_eq(chmod("bin/gnuplot", 0755), 0);
    }
    snprintf(path, sizeof path, "%s/bin", scratch);
    ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

/* The data stay, no picture does, also no old one, and nothing temporary. */
static void check_costs_only_pictures(const char *script, double limit_s, const char *why) {
    char expected[600];
    Error error;
    char *path_before = strdup(getenv("PATH"));
    enter_scratch();
    mock_make(&MOCK);
    put("run/load.svg", "<svg>of another run</svg>");
    fake_gnuplot(script);
    ck_assert(!make(limit_s, &error));
    snprintf(expected, sizeof expected, "no pictures: %s; to draw them: knockon report run", why);
    ck_assert_str_eq(error.text, expected);
    ck_assert_int_eq(setenv("PATH", path_before, 1), 0);
    free(path_before);
    ck_assert_int_eq(count_names("run", false), 5);
    ck_assert_int_eq(count_names("run", true), 0);
    leave_scratch();
}

START_TEST(a_gnuplot_that_is_missing_or_fails_costs_only_the_pictures) {
    check_costs_only_pictures(NULL, 10, "gnuplot is not there (not in PATH)");
    check_costs_only_pictures("echo 'line 3: oops' >&2; echo more >&2; exit 1", 10,
                              "gnuplot failed with status 1: line 3: oops");
    check_costs_only_pictures("kill -SEGV $$", 10, "gnuplot was killed by signal 11 (SEGV)");
}
END_TEST

START_TEST(a_gnuplot_that_hangs_is_stopped) {
    check_costs_only_pictures("sleep 600", 0.2, "gnuplot took more than 0.2 s and was stopped");
}
END_TEST

START_TEST(a_gnuplot_that_draws_nothing_or_half_is_caught) {
    check_costs_only_pictures("exit 0", 10, "gnuplot drew nothing");
    check_costs_only_pictures("echo '<svg viewBox=\"0 0 1 1\"><g ><path d=\"' >load.svg", 10,
                              "gnuplot left half a picture");
    check_costs_only_pictures("echo 'GIF89a' >load.svg", 10, "gnuplot left half a picture");
}
END_TEST

START_TEST(scripts_that_are_missing_are_named) {
    Error error;
    enter_scratch();
    mock_make(&MOCK);
    ck_assert_int_eq(setenv("KNOCKON_DATA", "/nowhere", 1), 0);
    ck_assert(!make(10, &error));
    ck_assert_str_eq(error.text, "no pictures: there are no plot scripts in '/nowhere/plots'; "
                                 "to draw them: knockon report run");
    leave_scratch();
}
END_TEST

static void check_picture(const char *path, size_t size_max) {
    size_t size;
    char *svg = slurp(path, &size);
    ck_assert_int_eq(strncmp(svg, "<svg xmlns=", 11), 0);
    ck_assert_str_eq(svg + size - 7, "</svg>\n");
    ck_assert_uint_lt(size, size_max);
    ck_assert_ptr_nonnull(strstr(svg, "role=\"img\""));
    ck_assert_ptr_nonnull(strstr(svg, "simulated time ("));
    ck_assert_ptr_null(strstr(svg, "Gnuplot"));
    ck_assert_ptr_null(strstr(svg, ".tsv"));
    free(svg);
}

static void check_pictures(const Mock *mock, size_t size_max) {
    Error error;
    enter_scratch();
    mock_make(mock);
    ck_assert_msg(make(60, &error), "%s", error.text);
    check_picture("run/load.svg", size_max);
    check_picture("run/latency.svg", size_max);
    check_picture("run/services.svg", size_max);
    ck_assert_int_eq(count_names("run", true), 0);
}

START_TEST(pictures_name_what_they_show) {
    size_t size;
    check_pictures(&MOCK, 100000);
    char *load = slurp("run/load.svg", &size), *services = slurp("run/services.svg", &size);
    ck_assert_ptr_nonnull(strstr(load, "<text>slow llm</text>"));
    ck_assert_ptr_nonnull(strstr(load, "<text>collapse (median of 3)</text>"));
    ck_assert_ptr_null(strstr(load, "recovery"));
    ck_assert_ptr_nonnull(strstr(services, "<text>llm: utilization</text>"));
    free(load);
    free(services);
    leave_scratch();
}
END_TEST

START_TEST(inference_servers_have_a_picture_and_others_have_none) {
    size_t size;
    Mock mock = MOCK;
    mock.has_tokens = true;
    mock.services = 4;
    check_pictures(&mock, 200000);
    check_picture("run/inference.svg", 400000);
    char *svg = slurp("run/inference.svg", &size);
    ck_assert_ptr_nonnull(strstr(svg, "<text>llm</text>"));
    ck_assert_ptr_nonnull(strstr(svg, "<text>llm3</text>"));
    ck_assert_ptr_null(strstr(svg, "<text>llm4</text>"));
    ck_assert_ptr_nonnull(strstr(svg, "Not shown: 1 more, see timeseries.csv."));
    ck_assert_ptr_nonnull(strstr(svg, "<text>preemptions per second</text>"));
    free(svg);
    /* Another run in the same place: the old picture would be taken for its own. */
    Error error;
    mock_make(&MOCK);
    ck_assert_msg(make(60, &error), "%s", error.text);
    ck_assert_int_eq(access("run/inference.svg", F_OK), -1);
    leave_scratch();
}
END_TEST

START_TEST(one_sample_of_an_inference_server_is_enough) {
    Mock mock = MOCK;
    mock.samples = mock.replications = 1;
    mock.has_tokens = true;
    check_pictures(&mock, 100000);
    check_picture("run/inference.svg", 100000);
    leave_scratch();
}
END_TEST

START_TEST(one_sample_is_enough) {
    Mock mock = MOCK;
    mock.samples = mock.replications = 1;
    check_pictures(&mock, 100000);
    leave_scratch();
}
END_TEST

START_TEST(twenty_thousand_samples_and_twelve_services_stay_small) {
    Mock mock = MOCK;
    size_t size;
    mock.samples = 20000;
    mock.replications = 1;
    mock.services = 12;
    check_pictures(&mock, 200000);
    char *svg = slurp("run/services.svg", &size);
    ck_assert_ptr_nonnull(strstr(svg, "Not shown: 4 more, see timeseries.csv."));
    free(svg);
    leave_scratch();
}
END_TEST

START_TEST(a_run_without_a_time_series_has_no_pictures_and_that_is_fine) {
    Error error;
    enter_scratch();
    mock_make(&MOCK);
    ck_assert_int_eq(unlink("run/timeseries.csv"), 0);
    ck_assert(make(60, &error));
    ck_assert_int_eq(count_names("run", false), 4);
    FILE *file = mock_open("timeseries.csv");
    mock_head(file, "replication,time_s,component", ",in_system");
    fclose(file);
    ck_assert(make(60, &error));
    ck_assert_int_eq(count_names("run", false), 5);
    leave_scratch();
}
END_TEST

/* average.csv has the same columns, with others among them, and no replications. */
START_TEST(the_average_alone_is_drawn_and_called_so) {
    Error error;
    size_t size;
    Mock mock = MOCK;
    mock.replications = 1;
    mock.metastable = 0;
    enter_scratch();
    mock_make(&mock);
    ck_assert_int_eq(system("cut -d, -f2- run/timeseries.csv >run/average.csv"), 0);
    ck_assert_int_eq(unlink("run/timeseries.csv"), 0);
    mock_outcome(&MOCK);
    ck_assert_msg(make(60, &error), "%s", error.text);
    char *svg = slurp("run/load.svg", &size);
    ck_assert_ptr_nonnull(strstr(svg, "Lines are means over 4 replications. Shaded"));
    free(svg);
    leave_scratch();
}
END_TEST

/* Every place to which a user's text can come: client, service, fault. */
static void draw_names(const char *client, const char *service, const char *fault) {
    Error error;
    Mock mock = MOCK;
    mock.samples = 20;
    mock.replications = 1;
    mock.client = client;
    mock.service = service;
    mock.fault = fault;
    mock.has_tokens = true;
    enter_scratch();
    mock_timeseries(&mock);
    mock_summary(&mock);
    mock_outcome(&mock);
    mock_events(&mock);
    put("run/manifest.json", "{}");
    ck_assert_msg(make(60, &error), "%s", error.text);
    ck_assert_int_eq(count_names(".", false), 1); /* run */
    ck_assert_int_eq(count_names("run", false), 5 + 4);
    ck_assert_int_eq(count_names("run", true), 0);
    leave_scratch();
}

START_TEST(no_name_is_ever_run) {
    for (int i = 0; i < HOSTILE_COUNT; i += 2) {
        draw_names(HOSTILE[i], HOSTILE[i + 1], HOSTILE[(i + 3) % HOSTILE_COUNT]);
    }
}
END_TEST

/* ---- The data files */

static void write_data_of_mock(PlotFacts *facts) {
    RunFiles files;
    Error error = {0};
    ck_assert_int_eq(mkdir("data", 0777), 0);
    ck_assert_msg(run_files_read(&files, "run", &error), "%s", error.text);
    ck_assert_msg(plot_data_write(&files, "run", "data", facts, &error), "%s", error.text);
    run_files_free(&files);
}

static void write_data(const Mock *mock, PlotFacts *facts) {
    enter_scratch();
    mock_make(mock);
    write_data_of_mock(facts);
}

/* Line `line` (0 is the header) of a file is this. */
static void check_line(const char *path, unsigned line, const char *expected) {
    size_t size;
    char *text = slurp(path, &size), *at = text;
    for (unsigned i = 0; i < line; i++) {
        at = strchr(at, '\n') + 1;
    }
    ck_assert_uint_eq(strcspn(at, "\n"), strlen(expected));
    ck_assert_int_eq(strncmp(at, expected, strlen(expected)), 0);
    free(text);
}

/* 3 of 4 replications are down: goodput (1 + 1 + 1 + 20) / 4, attempts (3 x 60 + 20) / 4, failures
 * 3 x 19 / 4; fewer than ten replications, so the bands hold all. */
START_TEST(lines_are_means_and_bands_hold_the_replications) {
    PlotFacts facts;
    write_data(&MOCK, &facts);
    check_line("data/load.tsv", 1, "0.5\t20\t20\t20\t20\t20\t20\t20\t20\t20\t0\t0\t0");
    check_line("data/load.tsv", 100, "99.5\t20\t20\t20\t50\t20\t60\t5.75\t1\t20\t14.25\t0\t19");
    check_line("data/latency.tsv", 100, "99.5\t0.25\t0.25\t0.25\t7.125\t1.5\t9");
    check_line("data/services.tsv", 100,
               "99.5\t525.5\t2\t700\t0.875\t0.5\t1\t530\t5\t705\t450\t0\t600");
    check_line("data/inference.tsv", 1, "");
    ck_assert_uint_eq(facts.inference_count, 0);
    check_line("data/windows.tsv", 1, "25\t50\t0");
    ck_assert_double_eq(facts.duration_s, 100);
    ck_assert_double_eq_tol(facts.load_top, 55, 1e-9);
    ck_assert_double_eq(facts.latency_low_s, 0.1);
    ck_assert_double_eq(facts.latency_high_s, 10);
    leave_scratch();
}
END_TEST

/* The same three of four; a sample is a second, so preemptions are as many as per second. */
START_TEST(an_inference_server_has_curves_and_axes_of_its_own) {
    PlotFacts facts;
    Mock mock = MOCK;
    mock.has_tokens = true;
    mock.services = 5;
    write_data(&mock, &facts);
    check_line("data/inference.tsv", 100,
               "99.5\t40\t16\t48\t525.5\t2\t700\t0.8125\t0.25\t1\t3\t0\t4\t5500\t4000\t6000\t"
               "700\t600\t1000\t30.0625\t0.25\t40\t52.625\t0.5\t70\t0.03125\t0.03125\t0.03125\t"
               "1.53125\t0.125\t2");
    check_line("data/services.tsv", 100,
               "99.5\t525.5\t2\t700\t0.8125\t0.25\t1\t530\t5\t705\t450\t0\t600");
    check_line("data/service_names.tsv", 1, "583\t200\tllm\tKV blocks in use");
    check_line("data/inference_names.tsv", 1, "1000\t6050\t2000\t3.3\t1\t0.1\t100\t0.01\t10\tllm");
    check_line("data/inference_names.tsv", 3, "1000\t6050\t2000\t3.3\t1\t0.1\t100\t0.01\t10\tllm3");
    ck_assert_uint_eq(facts.inference_count, 3);
    ck_assert_uint_eq(facts.inference_left, 2);
    leave_scratch();
}
END_TEST

/* Nobody is answered from 40 to 50 s, and for three seconds from 70 s. */
START_TEST(a_line_of_times_ends_where_nobody_is_answered_for_long) {
    PlotFacts facts;
    Mock mock = MOCK;
    mock.replications = 1;
    mock.metastable = 0;
    enter_scratch();
    mock_make(&mock);
    ck_assert_int_eq(system("awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }"
                            " NR > 1 && ($2 >= 40 && $2 < 50 || $2 >= 70 && $2 < 73) {"
                            " $at[\"latency_s_p50\"] = $at[\"latency_s_p99\"] = \"\" } 1'"
                            " run/timeseries.csv >gaps.csv && mv gaps.csv run/timeseries.csv"),
                     0);
    write_data_of_mock(&facts);
    check_line("data/latency.tsv", 40, "39.5\t0.25\t0.25\t0.25\t1.5\t1.5\t1.5");
    check_line("data/latency.tsv", 41, "40.5\t0\t0\t0\t0\t0\t0");
    check_line("data/latency.tsv", 50, "49.5\t0\t0\t0\t0\t0\t0");
    check_line("data/latency.tsv", 71, "70.5\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN");
    check_line("data/latency.tsv", 73, "72.5\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN");
    leave_scratch();
}
END_TEST

/* What version 0.1 wrote has no tokens and no orphans. */
START_TEST(files_without_the_newer_columns_are_drawn_as_they_are) {
    Error error;
    size_t size;
    enter_scratch();
    mock_make(&MOCK);
    ck_assert_int_eq(system("sed -i '1s/orphaned_mean/old_a/; 1s/kv_use_ratio/old_b/;"
                            " 1s/ttft_s_p50/old_c/' run/timeseries.csv run/summary.csv"),
                     0);
    ck_assert_msg(make(60, &error), "%s", error.text);
    char *svg = slurp("run/services.svg", &size);
    ck_assert_ptr_nonnull(strstr(svg, "<text>llm: utilization</text>"));
    free(svg);
    leave_scratch();
}
END_TEST

/* Twenty replications of which two are down: a tenth on either side lies outside the band. */
START_TEST(bands_leave_out_a_tenth_on_either_side) {
    PlotFacts facts;
    Mock mock = MOCK;
    mock.replications = 20;
    mock.metastable = 2;
    write_data(&mock, &facts);
    check_line("data/load.tsv", 100, "99.5\t20\t20\t20\t24\t20\t20\t18.1\t20\t20\t1.9\t0\t0");
    leave_scratch();
}
END_TEST

/* 1000 samples on at most 600 points: two share one. Goodput falls within sample 300, the first of
 * point 150, and one sample before it is well. */
START_TEST(a_dip_of_one_sample_stays_in_the_band) {
    PlotFacts facts;
    Mock mock = MOCK;
    mock.replications = 1;
    mock.metastable = 1;
    mock.samples = 1010; /* falls at 303: the second half of point 151 */
    write_data(&mock, &facts);
    check_line("data/load.tsv", 151, "301\t20\t20\t20\t20\t20\t20\t20\t20\t20\t0\t0\t0");
    check_line("data/load.tsv", 152, "303\t20\t20\t20\t40\t20\t60\t10.5\t1\t20\t9.5\t0\t19");
    ck_assert_uint_eq(facts.sample_count, 1010);
    leave_scratch();
}
END_TEST

START_TEST(a_broken_file_is_told_by_line) {
    RunFiles files;
    PlotFacts facts;
    Error error;
    enter_scratch();
    mock_make(&MOCK);
    ck_assert_int_eq(mkdir("data", 0777), 0);
    FILE *file = mock_open("timeseries.csv");
    mock_head(file, "replication,time_s,component", ",in_system");
    fputs("0,x,web,1\n", file);
    fclose(file);
    ck_assert(run_files_read(&files, "run", &error));
    ck_assert(!plot_data_write(&files, "run", "data", &facts, &error));
    char expected[100];
    snprintf(expected, sizeof expected,
             "run/timeseries.csv:2: 4 cells where the header has %d columns", METRIC_COUNT + 4);
    ck_assert_str_eq(error.text, expected);
    file = mock_open("timeseries.csv");
    fputs("replication,time_s,component\n", file);
    fclose(file);
    ck_assert(!plot_data_write(&files, "run", "data", &facts, &error));
    ck_assert_str_eq(error.text, "run/timeseries.csv:1: there is no column 'offered_count'");
    run_files_free(&files);
    leave_scratch();
}
END_TEST

TEST_SUITE("experiments/pictures", a_gnuplot_that_is_missing_or_fails_costs_only_the_pictures,
           a_gnuplot_that_hangs_is_stopped, a_gnuplot_that_draws_nothing_or_half_is_caught,
           scripts_that_are_missing_are_named, pictures_name_what_they_show, one_sample_is_enough,
           inference_servers_have_a_picture_and_others_have_none,
           one_sample_of_an_inference_server_is_enough,
           an_inference_server_has_curves_and_axes_of_its_own,
           a_line_of_times_ends_where_nobody_is_answered_for_long,
           files_without_the_newer_columns_are_drawn_as_they_are,
           twenty_thousand_samples_and_twelve_services_stay_small,
           a_run_without_a_time_series_has_no_pictures_and_that_is_fine, no_name_is_ever_run,
           the_average_alone_is_drawn_and_called_so,
           lines_are_means_and_bands_hold_the_replications, bands_leave_out_a_tenth_on_either_side,
           a_dip_of_one_sample_stays_in_the_band, a_broken_file_is_told_by_line)
