#include "experiments/csv_out.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "experiments/json_out.h"
#include "sim/vec.h"
#include "tests/test.h"

static char scratch[64];
static OutDir dir;

static void enter_scratch(void) {
    snprintf(scratch, sizeof scratch, "/tmp/knockon-csv-out-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
    ck_assert(out_dir_open(&dir, "out", NULL));
}

static void leave_scratch(void) {
    char command[128];
    out_dir_close(&dir);
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static char *read_all(const char *path) {
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    char *text = mem_zalloc(1, 1 << 20);
    ck_assert_uint_lt(fread(text, 1, (1 << 20) - 1, file), (1 << 20) - 1);
    fclose(file);
    return text;
}

static void assert_holds(const char *path, const char *expected) {
    char *found = read_all(path);
    ck_assert_str_eq(found, expected);
    mem_free(found);
}

START_TEST(cells_of_every_type_are_written) {
    enter_scratch();
    static const char *const COLUMNS[] = {"component", "count", "delta", "latency_s_p99", "detail"};
    CsvOut csv;
    ck_assert(csv_out_open(&csv, &dir, "a.csv", COLUMNS, 5, NULL));
    csv_out_text(&csv, "llm");
    csv_out_count(&csv, UINT64_MAX);
    csv_out_int(&csv, INT64_MIN);
    csv_out_double(&csv, 2.385);
    csv_out_missing(&csv);
    csv_out_end_row(&csv);
    csv_out_text(&csv, "say \"hi\", twice\n");
    csv_out_count(&csv, 0);
    csv_out_int(&csv, 42);
    csv_out_double(&csv, NAN);
    csv_out_text(&csv, "");
    csv_out_end_row(&csv);
    csv_out_text(&csv, NULL);
    csv_out_count(&csv, 7);
    csv_out_int(&csv, -7);
    csv_out_double(&csv, -INFINITY);
    csv_out_text(&csv, " space ");
    csv_out_end_row(&csv);
    FileFacts facts;
    ck_assert(csv_out_finish(&csv, &facts, NULL));
    ck_assert_uint_eq(facts.row_count, 3);
    assert_holds("out/a.csv", "component,count,delta,latency_s_p99,detail\n"
                              "llm,18446744073709551615,-9223372036854775808,2.385,\n"
                              "\"say \"\"hi\"\", twice\n\",0,42,,\n"
                              ",7,-7,, space \n");
    leave_scratch();
}
END_TEST

START_TEST(a_single_empty_cell_is_not_a_blank_line) {
    enter_scratch();
    static const char *const COLUMNS[] = {"detail"};
    CsvOut csv;
    ck_assert(csv_out_open(&csv, &dir, "a.csv", COLUMNS, 1, NULL));
    csv_out_double(&csv, NAN);
    csv_out_end_row(&csv);
    csv_out_double(&csv, 1);
    csv_out_end_row(&csv);
    csv_out_missing(&csv);
    csv_out_end_row(&csv);
    ck_assert(csv_out_finish(&csv, NULL, NULL));
    assert_holds("out/a.csv", "detail\n\"\"\n1\n\"\"\n");
    leave_scratch();
}
END_TEST

START_TEST(what_is_written_reads_back_the_same) {
    enter_scratch();
    static const char *const COLUMNS[] = {"i", "text", "value"};
    static const char *const TEXTS[] = {"a", "a,b", "\"", "\"\"", "x\r\ny", "\n", " ", "\xC3\xA4"};
    enum { ROWS = 20000 };
    CsvOut csv;
    ck_assert(csv_out_open(&csv, &dir, "a.csv", COLUMNS, 3, NULL));
    for (int i = 0; i < ROWS; i++) {
        csv_out_int(&csv, i);
        csv_out_text(&csv, TEXTS[i % 8]);
        csv_out_double(&csv, i / 7.0);
        csv_out_end_row(&csv);
    }
    ck_assert(csv_out_finish(&csv, NULL, NULL));
    CsvIn *in = csv_in_open("out/a.csv", NULL);
    CsvRow row;
    for (int i = 0; i < ROWS; i++) {
        Error error;
        ck_assert_msg(csv_in_next(in, &row, &error), "%s", error.text);
        ck_assert_int_eq(atoi(row.cells[0].text), i);
        ck_assert_str_eq(row.cells[1].text, TEXTS[i % 8]);
        ck_assert_double_eq(strtod(row.cells[2].text, NULL), i / 7.0);
    }
    ck_assert(csv_in_next(in, &row, NULL));
    ck_assert_ptr_null(row.cells);
    csv_in_close(in);
    leave_scratch();
}
END_TEST

START_TEST(a_text_longer_than_the_buffer_is_written_whole) {
    enter_scratch();
    static const char *const COLUMNS[] = {"text"};
    char *text = mem_zalloc(1, 3 * FILE_OUT_BUFFER_SIZE);
    memset(text, '"', 3 * FILE_OUT_BUFFER_SIZE - 1);
    CsvOut csv;
    ck_assert(csv_out_open(&csv, &dir, "a.csv", COLUMNS, 1, NULL));
    csv_out_text(&csv, text);
    csv_out_end_row(&csv);
    FileFacts facts;
    ck_assert(csv_out_finish(&csv, &facts, NULL));
    ck_assert_uint_eq(facts.size, 5 + 2 * (3 * FILE_OUT_BUFFER_SIZE - 1) + 3);
    CsvIn *in = csv_in_open("out/a.csv", NULL);
    CsvRow row;
    ck_assert(csv_in_next(in, &row, NULL));
    ck_assert_str_eq(row.cells[0].text, text);
    csv_in_close(in);
    mem_free(text);
    leave_scratch();
}
END_TEST

START_TEST(a_failed_write_is_reported_once_at_the_end) {
    enter_scratch();
    static const char *const COLUMNS[] = {"i"};
    CsvOut csv;
    ck_assert(csv_out_open(&csv, &dir, "a.csv", COLUMNS, 1, NULL));
    int full = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(dup2(full, csv.file->fd), 0);
    for (int i = 0; i < 50000; i++) {
        csv_out_int(&csv, i);
        csv_out_end_row(&csv);
    }
    ck_assert(file_out_failed(csv.file));
    Error error;
    ck_assert(!csv_out_finish(&csv, NULL, &error));
    ck_assert_str_eq(error.text, "cannot write 'out/a.csv': No space left on device");
    ck_assert_int_ne(access("out/a.csv", F_OK), 0);
    ck_assert(csv_out_open(&csv, &dir, "a.csv", COLUMNS, 1, NULL));
    csv_out_abandon(&csv);
    ck_assert_int_ne(access("out/a.csv", F_OK), 0);
    leave_scratch();
}
END_TEST

START_TEST(a_file_that_cannot_be_created_is_reported) {
    enter_scratch();
    static const char *const COLUMNS[] = {"i"};
    ck_assert_int_eq(mkdir("out/.a.csv.tmp", 0777), 0);
    CsvOut csv;
    JsonOut json;
    Error error;
    ck_assert(!csv_out_open(&csv, &dir, "a.csv", COLUMNS, 1, &error));
    ck_assert_str_eq(error.text, "cannot create 'out/a.csv': File exists");
    ck_assert(!json_out_open(&json, &dir, "a.csv", &error));
    leave_scratch();
}
END_TEST

START_TEST(json_is_written_in_order) {
    enter_scratch();
    JsonOut json;
    ck_assert(json_out_open(&json, &dir, "manifest.json", NULL));
    json_out_begin_object(&json, NULL);
    json_out_text(&json, "name", "retry-storm");
    json_out_begin_array(&json, "resources");
    json_out_begin_object(&json, NULL);
    json_out_int(&json, "rows", -3);
    json_out_double(&json, "share", 0.1);
    json_out_double(&json, "none", NAN);
    json_out_end_object(&json);
    json_out_bool(&json, NULL, true);
    json_out_end_array(&json);
    json_out_begin_array(&json, "empty");
    json_out_end_array(&json);
    json_out_null(&json, "null");
    json_out_text(&json, "missing", NULL);
    json_out_end_object(&json);
    ck_assert(json_out_finish(&json, NULL, NULL));
    assert_holds("out/manifest.json", "{\n"
                                      "  \"name\": \"retry-storm\",\n"
                                      "  \"resources\": [\n"
                                      "    {\n"
                                      "      \"rows\": -3,\n"
                                      "      \"share\": 0.1,\n"
                                      "      \"none\": null\n"
                                      "    },\n"
                                      "    true\n"
                                      "  ],\n"
                                      "  \"empty\": [],\n"
                                      "  \"null\": null,\n"
                                      "  \"missing\": null\n"
                                      "}\n");
    leave_scratch();
}
END_TEST

START_TEST(json_of_every_byte_is_valid_and_reads_back) {
    enter_scratch();
    JsonOut json;
    ck_assert(json_out_open(&json, &dir, "a.json", NULL));
    json_out_begin_array(&json, NULL);
    for (int byte = 1; byte < 256; byte++) {
        json_out_text(&json, NULL, (const char[]){'<', (char)byte, '>', '\0'});
    }
    json_out_text(&json, NULL, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    json_out_int(&json, NULL, INT64_MIN);
    json_out_double(&json, NULL, 1e300);
    json_out_end_array(&json);
    ck_assert(json_out_finish(&json, NULL, NULL));
    json_t *root = json_load_file("out/a.json", 0, NULL);
    ck_assert_ptr_nonnull(root);
    for (int byte = 1; byte < 256; byte++) {
        const char *found = json_string_value(json_array_get(root, (size_t)byte - 1));
        if (byte < 0x80) {
            ck_assert_str_eq(found, ((const char[]){'<', (char)byte, '>', '\0'}));
        } else {
            ck_assert_str_eq(found, "<\xEF\xBF\xBD>");
        }
    }
    ck_assert_str_eq(json_string_value(json_array_get(root, 255)),
                     "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    ck_assert(json_integer_value(json_array_get(root, 256)) == INT64_MIN);
    ck_assert_double_eq(json_real_value(json_array_get(root, 257)), 1e300);
    json_decref(root);
    ck_assert(json_out_open(&json, &dir, "b.json", NULL));
    json_out_abandon(&json);
    ck_assert_int_ne(access("out/b.json", F_OK), 0);
    leave_scratch();
}
END_TEST

TEST_SUITE("experiments/csv_out", cells_of_every_type_are_written,
           a_single_empty_cell_is_not_a_blank_line, what_is_written_reads_back_the_same,
           a_text_longer_than_the_buffer_is_written_whole,
           a_failed_write_is_reported_once_at_the_end, a_file_that_cannot_be_created_is_reported,
           json_is_written_in_order, json_of_every_byte_is_valid_and_reads_back)
