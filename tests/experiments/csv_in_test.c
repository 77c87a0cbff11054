#include "experiments/csv_in.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/line_in.h"
#include "experiments/number_parse.h"
#include "tests/test.h"

static const char PATH[] = "t.csv";
static char scratch[64];

static void enter_scratch(void) {
    snprintf(scratch, sizeof scratch, "/tmp/knockon-csv-in-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
}

static void leave_scratch(void) {
    unlink(PATH);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(scratch), 0);
}

static void put(const void *data, size_t size) {
    FILE *file = fopen(PATH, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* Writes a file and reads it back as "line:cell|cell;line:cell|cell;" or as its error. */
static const char *read_back(const char *data, size_t size) {
    static char found[4096];
    put(data, size);
    Error error;
    found[0] = '\0';
    CsvIn *csv = csv_in_open(PATH, &error);
    if (csv == NULL) {
        return strcpy(found, error.text);
    }
    CsvRow row;
    size_t used = 0;
    for (;;) {
        if (!csv_in_next(csv, &row, &error)) {
            strcpy(found, error.text);
            break;
        }
        if (row.cells == NULL) {
            break;
        }
        used += (size_t)sprintf(found + used, "%d:", (int)row.line);
        for (size_t i = 0; i < csv_in_column_count(csv); i++) {
            ck_assert_uint_eq(strlen(row.cells[i].text), row.cells[i].size);
            used += (size_t)sprintf(found + used, i == 0 ? "%s" : "|%s", row.cells[i].text);
        }
        used += (size_t)sprintf(found + used, ";");
    }
    csv_in_close(csv);
    return found;
}

#define ASSERT_READS(data, expected) ck_assert_str_eq(read_back(data, sizeof data - 1), expected)

START_TEST(rows_arrive_with_their_lines) {
    enter_scratch();
    ASSERT_READS("a,b\n1,2\n3,4\n", "2:1|2;3:3|4;");
    ASSERT_READS("a,b\n1,2\n3,4", "2:1|2;3:3|4;");
    ASSERT_READS("a,b\r\n1,2\r\n3,4\r\n", "2:1|2;3:3|4;");
    ASSERT_READS("a,b\r\n1,2\r\n3,4\r", "2:1|2;3:3|4;");
    ASSERT_READS("\xEF\xBB\xBF"
                 "a,b\n1,2\n",
                 "2:1|2;");
    ASSERT_READS("a,b\n\n\n1,2\n\n3,4\n\n", "4:1|2;6:3|4;");
    ASSERT_READS("a,b\n", "");
    ASSERT_READS("a,b\n,\n", "2:|;");
    leave_scratch();
}
END_TEST

START_TEST(quotes_protect_commas_quotes_and_line_breaks) {
    enter_scratch();
    ASSERT_READS("a,b\n\"1,\"\"x\"\"\",\"2\n3\"\n4,5\n", "2:1,\"x\"|2\n3;4:4|5;");
    ASSERT_READS("a,b\n\"1\r\n2\n\",\"\"\n4,5\n", "2:1\r\n2\n|;5:4|5;");
    ASSERT_READS("\"a\n1\",b\n4,\"5\"", "3:4|5;");
    leave_scratch();
}
END_TEST

START_TEST(spaces_are_data) {
    enter_scratch();
    ASSERT_READS("a,b\n 1 ,\t2 \n", "2: 1 |\t2 ;");
    leave_scratch();
}
END_TEST

START_TEST(ragged_rows_are_refused) {
    enter_scratch();
    ASSERT_READS("a,b\n1,2\n3\n", "t.csv:3: 1 cell where the header has 2 columns");
    ASSERT_READS("a,b\n1,2,3\n", "t.csv:2: 3 cells where the header has 2 columns");
    ASSERT_READS("a\n1,2\n", "t.csv:2: 2 cells where the header has 1 column");
    ASSERT_READS("a,b\n \n", "t.csv:2: 1 cell where the header has 2 columns");
    leave_scratch();
}
END_TEST

START_TEST(an_open_quote_is_named_by_the_line_where_it_opened) {
    enter_scratch();
    static const char CLAIM[] = "the quote that opens in this line is never closed";
    char expected[128];
    snprintf(expected, sizeof expected, "t.csv:3: %s", CLAIM);
    ASSERT_READS("a,b\n1,2\n3,\"4\n5,6\n7,8\n", expected);
    ASSERT_READS("a,b\n1,\"2\n\",\"4\n5,6\n", expected);
    snprintf(expected, sizeof expected, "t.csv:1: %s", CLAIM);
    ASSERT_READS("a,\"b\n1,2\n", expected);
    leave_scratch();
}
END_TEST

START_TEST(a_quote_out_of_place_is_refused) {
    enter_scratch();
    static const char EXPECTED[] =
        "t.csv:2: a quote out of place: a field that holds one is quoted "
        "as a whole, and the quotes in it are doubled";
    ASSERT_READS("a,b\n1\"2,3\n", EXPECTED);
    ASSERT_READS("a,b\n\"1\"2,3\n", EXPECTED);
    ASSERT_READS("a,b\n \"1\",3\n", EXPECTED);
    leave_scratch();
}
END_TEST

START_TEST(a_carriage_return_alone_is_refused) {
    enter_scratch();
    ASSERT_READS("a,b\r1,2\r3,4\r", "t.csv:1: a carriage return without a line feed");
    ASSERT_READS("a,b\n1,2\r3,4\n", "t.csv:2: a carriage return without a line feed");
    ASSERT_READS("a,b\n1,2\r3,4", "t.csv:2: a carriage return without a line feed");
    leave_scratch();
}
END_TEST

START_TEST(nul_bytes_and_other_encodings_are_refused) {
    enter_scratch();
    ASSERT_READS("a,b\n1,\0002\n", "t.csv:2: a NUL byte: the file is not UTF-8 text");
    ASSERT_READS("\xFF\xFE"
                 "a\0,\0b\0\n\0",
                 "t.csv:1: a NUL byte: the file is not UTF-8 text");
    leave_scratch();
}
END_TEST

START_TEST(empty_files_are_refused) {
    enter_scratch();
    ASSERT_READS("", "t.csv:1: the file is empty; a header was expected");
    ASSERT_READS("\n\r\n", "t.csv:1: the file is empty; a header was expected");
    ASSERT_READS("\xEF\xBB\xBF", "t.csv:1: the file is empty; a header was expected");
    leave_scratch();
}
END_TEST

/* A file of `prefix`, `count` times `unit`, and `suffix`. */
static const char *read_back_repeated(const char *prefix, const char *unit, size_t count) {
    size_t prefix_size = strlen(prefix);
    size_t unit_size = strlen(unit);
    char *data = malloc(prefix_size + unit_size * count);
    memcpy(data, prefix, prefix_size);
    for (size_t i = 0; i < count; i++) {
        memcpy(data + prefix_size + i * unit_size, unit, unit_size);
    }
    const char *found = read_back(data, prefix_size + unit_size * count);
    free(data);
    return found;
}

START_TEST(what_is_too_big_is_refused_and_not_swallowed) {
    enter_scratch();
    ck_assert_str_eq(read_back_repeated("a,b\n1,", "x", 3 << 20),
                     "t.csv:2: a line longer than 1 MiB");
    ck_assert_str_eq(read_back_repeated("", "a,", 1000000), "t.csv:1: a line longer than 1 MiB");
    /* An open quote that would swallow 8 MB; in the second case the row's fields are small. */
    ck_assert_str_eq(read_back_repeated("a,b\n1,2\n1,\"", "3,4\n", 2 << 20),
                     "t.csv:3: this row grows beyond 1 MiB; is the quote here never closed?");
    ck_assert_str_eq(read_back_repeated("a,b\n\"", "\n\",\"", 600000),
                     "t.csv:524290: this row grows beyond 1 MiB; is the quote here never closed?");
    leave_scratch();
}
END_TEST

START_TEST(a_row_of_one_mebibyte_in_many_cells_is_refused) {
    enter_scratch();
    /* Commas alone: the line is short enough, the cells with their ends are not. */
    char *line = malloc(LINE_SIZE_MAX);
    memset(line, ',', LINE_SIZE_MAX);
    ck_assert_str_eq(read_back(line, LINE_SIZE_MAX), "t.csv:1: a row of more than 1 MiB");
    free(line);
    leave_scratch();
}
END_TEST

START_TEST(lines_across_the_ends_of_buffers_stay_whole) {
    enter_scratch();
    enum { ROWS = 30000 };
    char *data = malloc(ROWS * 32);
    size_t size = (size_t)sprintf(data, "a,b\n");
    for (int i = 0; i < ROWS; i++) {
        size += (size_t)sprintf(data + size, "%d,\"%.*s\"\r\n", i, i % 19, "abcdefghijklmnopqrs");
    }
    put(data, size);
    free(data);
    Error error;
    CsvIn *csv = csv_in_open(PATH, &error);
    for (int round = 0; round < 2; round++) {
        CsvRow row;
        for (int i = 0; i < ROWS; i++) {
            ck_assert_msg(csv_in_next(csv, &row, &error), "%s", error.text);
            uint64_t value;
            ck_assert(number_parse_count(row.cells[0].text, row.cells[0].size, ROWS, &value));
            ck_assert_uint_eq(value, (uint64_t)i);
            ck_assert_uint_eq(row.cells[1].size, (size_t)(i % 19));
            ck_assert_uint_eq(row.line, (uint64_t)i + 2);
        }
        ck_assert(csv_in_next(csv, &row, &error));
        ck_assert_ptr_null(row.cells);
        ck_assert(csv_in_rewind(csv, &error));
    }
    csv_in_close(csv);
    leave_scratch();
}
END_TEST

START_TEST(columns_are_found_by_name) {
    enter_scratch();
    put("time,tokens,twice,twice\n", 24);
    Error error;
    CsvIn *csv = csv_in_open(PATH, &error);
    size_t index;
    ck_assert(csv_in_find(csv, "tokens", &index, &error));
    ck_assert_uint_eq(index, 1);
    ck_assert_str_eq(csv_in_column(csv, 1), "tokens");
    ck_assert(csv_in_has(csv, "time") && !csv_in_has(csv, "Time"));
    ck_assert(!csv_in_find(csv, "tokns", &index, &error));
    ck_assert_str_eq(error.text, "t.csv:1: there is no column 'tokns'; did you mean 'tokens'?");
    ck_assert(!csv_in_find(csv, "latency", &index, &error));
    ck_assert_str_eq(error.text, "t.csv:1: there is no column 'latency'");
    ck_assert(!csv_in_find(csv, "twice", &index, &error));
    ck_assert_str_eq(error.text, "t.csv:1: the column 'twice' is there twice");
    csv_in_close(csv);
    leave_scratch();
}
END_TEST

START_TEST(what_is_not_a_regular_file_is_refused_without_hanging) {
    enter_scratch();
    Error error;
    ck_assert_ptr_null(csv_in_open("missing.csv", &error));
    ck_assert_str_eq(error.text, "missing.csv: cannot open: No such file or directory");
    ck_assert_ptr_null(csv_in_open(".", &error));
    ck_assert_str_eq(error.text, ".: is not a regular file");
    ck_assert_int_eq(mkfifo(PATH, 0600), 0);
    ck_assert_ptr_null(csv_in_open(PATH, &error));
    ck_assert_str_eq(error.text, "t.csv: is not a regular file");
    leave_scratch();
}
END_TEST

START_TEST(every_cut_and_every_changed_byte_ends_in_rows_or_a_message) {
    enter_scratch();
    static const char DATA[] = "\xEF\xBB\xBFt,\"a b\"\r\n1,\"x\"\"y\"\r\n\r\n2.5,\"p\nq\"\r\n3,z";
    static const char OTHERS[] = {'\0', '"', ',', '\r', '\n', '\xFF', '7'};
    for (size_t size = 0; size < sizeof DATA; size++) {
        read_back(DATA, size);
        for (size_t i = 0; i < sizeof OTHERS; i++) {
            char changed[sizeof DATA];
            memcpy(changed, DATA, sizeof DATA);
            changed[size] = OTHERS[i];
            const char *found = read_back(changed, sizeof DATA - 1);
            ck_assert(strstr(found, "t.csv:") == found || strchr(found, ':') != NULL);
        }
    }
    leave_scratch();
}
END_TEST

static double parse(const char *text) {
    double value;
    return number_parse(text, strlen(text), &value) ? value : NAN;
}

START_TEST(numbers_are_correctly_rounded) {
    static const char *const TEXTS[] = {"0",
                                        "-0",
                                        "1",
                                        "+1",
                                        "2.385",
                                        "-1155.25",
                                        ".5",
                                        "5.",
                                        "1e3",
                                        "1E-3",
                                        "1.5e+22",
                                        "1e23",
                                        "9007199254740993",
                                        "0.1",
                                        "123456789012345678",
                                        "1234567890123456789012345",
                                        "1e-22",
                                        "2.2250738585072014e-308",
                                        "4.9e-324",
                                        "1.7976931348623157e308",
                                        "0.000000001",
                                        "212.78",
                                        "179.69833",
                                        "0e999999",
                                        "9007199254740992e22",
                                        "7.2057594037927933e16",
                                        "3.518437208883201171875e13",
                                        "62.5364939768271845828",
                                        "1e0000000001"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        double expected = strtod(TEXTS[i], NULL);
        ck_assert_msg(parse(TEXTS[i]) == expected, "%s: %.17g", TEXTS[i], parse(TEXTS[i]));
        ck_assert(signbit(parse(TEXTS[i])) == signbit(expected));
    }
    uint64_t bits = 88172645463325252;
    for (int i = 0; i < 200000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        char text[64];
        snprintf(text, sizeof text, i % 2 == 0 ? "%.*f" : "%.*e", (int)(bits % 20),
                 (double)(bits >> 20) / (double)(1 + (bits & 0xFFFFF)));
        ck_assert_msg(parse(text) == strtod(text, NULL), "%s", text);
    }
}
END_TEST

START_TEST(texts_that_are_no_numbers_are_refused) {
    static const char *const TEXTS[] = {"",
                                        " ",
                                        " 1",
                                        "1 ",
                                        "1e5 ",
                                        "nan",
                                        "inf",
                                        "-inf",
                                        "infinity",
                                        "1e309",
                                        "-1e309",
                                        "1e-400",
                                        "0x1p3",
                                        "0x10",
                                        "1_000",
                                        "1,5",
                                        "1.2.3",
                                        "--1",
                                        "+-1",
                                        "e5",
                                        ".",
                                        "-",
                                        "+.",
                                        "1e",
                                        "1e+",
                                        "1e5x",
                                        "\xD9\xA3",
                                        "1d5",
                                        "99999e999999999999",
                                        "1e-99999999999"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        ck_assert_msg(isnan(parse(TEXTS[i])), "'%s'", TEXTS[i]);
    }
    char longest[502];
    memset(longest, '1', sizeof longest);
    double value;
    ck_assert(!number_parse(longest, 501, &value));
    memset(longest, '0', 490);
    ck_assert(number_parse(longest, 500, &value) && value == 1111111111);
}
END_TEST

START_TEST(counts_are_digits_within_their_limit) {
    uint64_t value;
    ck_assert(number_parse_count("007", 3, 10, &value) && value == 7);
    ck_assert(number_parse_count("4294967295", 10, UINT32_MAX, &value) && value == UINT32_MAX);
    ck_assert(number_parse_count("18446744073709551615", 20, UINT64_MAX, &value));
    ck_assert_uint_eq(value, UINT64_MAX);
    static const char *const TEXTS[] = {"",    "-1", "+1",         "1.0",
                                        "1e3", " 1", "4294967296", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        ck_assert_msg(!number_parse_count(TEXTS[i], strlen(TEXTS[i]), UINT32_MAX, &value), "%s",
                      TEXTS[i]);
    }
    ck_assert(!number_parse_count("18446744073709551616", 20, UINT64_MAX, &value));
    ck_assert(!number_parse_count("3", 1, 2, &value));
}
END_TEST

START_TEST(shown_text_is_short_and_harmless) {
    ck_assert_str_eq(text_shown("plain \xC3\xA4", 8).text, "plain \xC3\xA4");
    ck_assert_str_eq(text_shown("\x1B[31m\n\xFF", 7).text, "\\x1B[31m\\x0A\\xFF");
    char longest[200];
    memset(longest, 'x', sizeof longest);
    ck_assert_uint_eq(strlen(text_shown(longest, sizeof longest).text), 43);
    /* The worst: a control code point of three bytes when 39 are used, then more. */
    memcpy(longest + 39, "\xE2\x80\xAE", 3);
    ck_assert_uint_eq(strlen(text_shown(longest, sizeof longest).text), 39 + 12 + 3);
}
END_TEST

TEST_SUITE("experiments/csv_in", rows_arrive_with_their_lines,
           quotes_protect_commas_quotes_and_line_breaks, spaces_are_data, ragged_rows_are_refused,
           an_open_quote_is_named_by_the_line_where_it_opened, a_quote_out_of_place_is_refused,
           a_carriage_return_alone_is_refused, nul_bytes_and_other_encodings_are_refused,
           empty_files_are_refused, what_is_too_big_is_refused_and_not_swallowed,
           a_row_of_one_mebibyte_in_many_cells_is_refused,
           lines_across_the_ends_of_buffers_stay_whole, columns_are_found_by_name,
           what_is_not_a_regular_file_is_refused_without_hanging,
           every_cut_and_every_changed_byte_ends_in_rows_or_a_message,
           numbers_are_correctly_rounded, texts_that_are_no_numbers_are_refused,
           counts_are_digits_within_their_limit, shown_text_is_short_and_harmless)
