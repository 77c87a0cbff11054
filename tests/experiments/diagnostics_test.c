/* How messages look, what is escaped, what is only counted, and which name is nearest. */
#include "tests/test.h"

#include "experiments/diagnostics.h"
#include "experiments/nearest.h"
#include "experiments/utf8.h"

#include <stdio.h>
#include <string.h>

static void check_printed(const Diagnostics *diagnostics, bool in_colour, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diag_print(diagnostics, out, in_colour);
    fclose(out);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(a_message_shows_file_line_column_and_a_caret) {
    Diagnostics diagnostics = {0};
    static const char text[] = "calls:\n  - to: llm\n        timout: 2h\n";
    uint32_t file = diag_add_source(&diagnostics, "scen.yaml", text, strlen(text));
    diag_at(&diagnostics, DIAG_ERROR, (Place){file, 3, 9, 6},
            "a call has no key '%s': did you mean '%s'?", "timout", "timeout");
    diag_at(&diagnostics, DIAG_NOTE, (Place){file, 1, 1, 5}, "in this list");
    diag_at(&diagnostics, DIAG_WARNING, (Place){file, 2, 100, 9}, "beyond the line");
    diag_at(&diagnostics, DIAG_WARNING, (Place){file, 99, 1, 1}, "beyond the file");
    diag_at(&diagnostics, DIAG_ERROR, (Place){file, 2, 0, 0}, "a whole line");
    diag_at(&diagnostics, DIAG_ERROR, (Place){.file = file}, "a whole file");
    check_printed(&diagnostics, false,
                  "scen.yaml:3:9: error: a call has no key 'timout': did you mean 'timeout'?\n"
                  "    3 |         timout: 2h\n"
                  "      |         ^~~~~~\n"
                  "scen.yaml:1:1: note: in this list\n"
                  "    1 | calls:\n"
                  "      | ^~~~~\n"
                  "scen.yaml:2:100: warning: beyond the line\n"
                  "    2 |   - to: llm\n"
                  "      |            ^\n"
                  "scen.yaml:99:1: warning: beyond the file\n"
                  "scen.yaml:2: error: a whole line\n"
                  "    2 |   - to: llm\n"
                  "scen.yaml: error: a whole file\n");
    ck_assert_uint_eq(diag_count(&diagnostics), 3);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(a_row_of_a_streamed_file_needs_only_its_number) {
    Diagnostics diagnostics = {0};
    uint32_t file = diag_add_source(&diagnostics, "trace.csv", NULL, 0);
    diag_at(&diagnostics, DIAG_ERROR, (Place){.file = file, .line = 1234567},
            "time runs backwards");
    check_printed(&diagnostics, false, "trace.csv:1234567: error: time runs backwards\n");
    diag_free(&diagnostics);
}
END_TEST

START_TEST(colour_is_there_only_when_asked_for) {
    Diagnostics diagnostics = {0};
    uint32_t file = diag_add_source(&diagnostics, "t.yaml", "abc\n", 4);
    diag_at(&diagnostics, DIAG_ERROR, (Place){file, 1, 2, 2}, "no");
    check_printed(&diagnostics, true,
                  "\033[1mt.yaml:1:2:\033[0m \033[1;31merror:\033[0m no\n"
                  "    1 | abc\n"
                  "      |  \033[1;31m^~\033[0m\n");
    check_printed(&diagnostics, false, "t.yaml:1:2: error: no\n    1 | abc\n      |  ^~\n");
    diag_free(&diagnostics);
}
END_TEST

START_TEST(nothing_of_the_users_acts_on_the_terminal) {
    Diagnostics diagnostics = {0};
    static const char text[] = "\x1B[31m\tgröße \xC2\x9B \xE2\x80\xAE \xFF\x7F fast\n";
    uint32_t file = diag_add_source(&diagnostics, "a\x1B]0;b\n.yaml", text, strlen(text));
    diag_at(&diagnostics, DIAG_ERROR, (Place){file, 1, 20, 4}, "no '%s'", "\r\x1B[2J\xC3");
    check_printed(&diagnostics, false,
                  "a\\x1B]0;b\\n.yaml:1:20: error: no '\\r\\x1B[2J\\xC3'\n"
                  "    1 | \\x1B[31m\\tgröße \\u009B \\u202E \\xFF\\x7F fast\n"
                  "      |                                        ^~~~\n");
    diag_free(&diagnostics);
}
END_TEST

START_TEST(a_long_line_is_cut_around_the_caret) {
    Diagnostics diagnostics = {0};
    char text[1001], expected[512], left[61], right[61];
    memset(text, 'x', sizeof text - 1);
    text[1000] = '\0';
    memcpy(text + 499, "HERE", 4);
    uint32_t file = diag_add_source(&diagnostics, "t", text, 1000);
    diag_at(&diagnostics, DIAG_ERROR, (Place){file, 1, 500, 4}, "no");
    memset(left, 'x', 60), left[60] = '\0';
    memset(right, 'x', 56), right[56] = '\0';
    snprintf(expected, sizeof expected,
             "t:1:500: error: no\n    1 | ...%sHERE%s...\n      | %63s^~~~\n", left, right, "");
    check_printed(&diagnostics, false, expected);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(twenty_are_shown_and_the_rest_is_counted) {
    Diagnostics diagnostics = {0};
    uint32_t file = diag_add_source(&diagnostics, "t", NULL, 0);
    char expected[4096] = "";
    for (uint32_t i = 1; i <= 23; i++) {
        ck_assert_int_eq(diag_is_full(&diagnostics), i > 20);
        diag_at(&diagnostics, DIAG_WARNING, (Place){.file = file, .line = i}, "odd");
        diag_at(&diagnostics, DIAG_ERROR, (Place){.file = file, .line = i}, "wrong");
        diag_at(&diagnostics, DIAG_NOTE, (Place){.file = file, .line = i}, "why");
        if (i <= 20) {
            sprintf(expected + strlen(expected), "t:%u: error: wrong\nt:%u: note: why\n", i, i);
        }
    }
    strcat(expected, "3 more errors are not shown\n23 more warnings are not shown\n");
    check_printed(&diagnostics, false, expected);
    ck_assert_uint_eq(diag_count(&diagnostics), 23);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(warnings_take_the_room_that_errors_leave) {
    Diagnostics diagnostics = {0};
    uint32_t file = diag_add_source(&diagnostics, "t", NULL, 0);
    char expected[4096] = "t: error: wrong\n";
    diag_at(&diagnostics, DIAG_ERROR, (Place){.file = file}, "wrong");
    for (uint32_t i = 1; i <= 20; i++) {
        diag_at(&diagnostics, DIAG_WARNING, (Place){.file = file, .line = i}, "odd");
        if (i <= 19) {
            sprintf(expected + strlen(expected), "t:%u: warning: odd\n", i);
        }
    }
    strcat(expected, "1 more warning is not shown\n");
    check_printed(&diagnostics, false, expected);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(the_same_message_at_the_same_place_counts_once) {
    Diagnostics diagnostics = {0};
    uint32_t file = diag_add_source(&diagnostics, "t", NULL, 0);
    for (int i = 0; i < 3; i++) {
        diag_at(&diagnostics, DIAG_ERROR, (Place){file, 1, 2, 3}, "wrong");
        diag_at(&diagnostics, DIAG_NOTE, (Place){file, 1, 1, 1}, "why");
    }
    check_printed(&diagnostics, false, "t:1:2: error: wrong\nt:1:1: note: why\n");
    ck_assert_uint_eq(diag_count(&diagnostics), 1);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(a_near_name_is_within_two_or_one_when_short) {
    static const char *const names[] = {"timeout", "deadline", "retry",    "retry_on", "hedge",
                                        "to",      "call",     "timeouts", "x"};
    static const char *const cases[][2] = {
        {"timout", "timeout"},
        {"tiemout", "timeout"},
        {"timeoutt", "timeout"},
        {"tmeot", "timeout"},
        {"tmot", NULL},
        {"tieoumt", "timeout"},
        {"deadlien", "deadline"},
        {"retryon", "retry_on"},
        {"retyr", "retry"},
        {"ot", "to"},
        {"cal", "call"},
        {"cl", NULL},
        {"clal", "call"},
        {"y", NULL},
        {"", NULL},
        {"HEDGE", NULL},
        {"hedgeee", "hedge"},
        {"ab", NULL},
        {"timeuts", "timeouts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = nearest_name(cases[i][0], names, sizeof names / sizeof names[0]);
        ck_assert_msg(found == NULL ? cases[i][1] == NULL
                                    : cases[i][1] != NULL && strcmp(found, cases[i][1]) == 0,
                      "'%s' gives '%s'", cases[i][0], found == NULL ? "nothing" : found);
    }
    char long_word[100];
    memset(long_word, 'a', 99), long_word[99] = '\0';
    const char *one = long_word;
    ck_assert_ptr_null(nearest_name(long_word, &one, 1));
}
END_TEST

/* The textbook recurrence over the whole table. */
static unsigned plain_distance(const char *a, const char *b) {
    unsigned table[16][16];
    size_t a_size = strlen(a), b_size = strlen(b);
    for (size_t i = 0; i <= a_size; i++) {
        for (size_t j = 0; j <= b_size; j++) {
            unsigned cell = i == 0 ? (unsigned)j : j == 0 ? (unsigned)i : 99;
            if (i > 0 && j > 0) {
                unsigned options[] = {table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
                                      table[i - 1][j] + 1, table[i][j - 1] + 1,
                                      i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]
                                          ? table[i - 2][j - 2] + 1
                                          : 99};
                for (int k = 0; k < 4; k++) {
                    cell = options[k] < cell ? options[k] : cell;
                }
            }
            table[i][j] = cell;
        }
    }
    return table[a_size][b_size];
}

START_TEST(the_band_finds_what_the_whole_table_finds) {
    uint32_t state = 12345;
    for (int round = 0; round < 200000; round++) {
        char words[2][12];
        for (int w = 0; w < 2; w++) {
            size_t size = (state = state * 1664525 + 1013904223) >> 24 & 7;
            for (size_t i = 0; i < size; i++) {
                words[w][i] = (char)('a' + ((state = state * 1664525 + 1013904223) >> 28) % 3);
            }
            words[w][size] = '\0';
        }
        const char *name = words[1];
        size_t size = strlen(words[0]);
        unsigned limit = size < 2 ? 0 : size < 5 ? 1 : 2;
        bool is_near = plain_distance(words[0], words[1]) <= limit;
        ck_assert_msg((nearest_name(words[0], &name, 1) != NULL) == is_near, "%s %s", words[0],
                      words[1]);
    }
}
END_TEST

START_TEST(utf8_is_read_strictly) {
    static const struct {
        const char *text;
        unsigned size;
        uint32_t code;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xC3\xB6", 2, 0xF6},
        {"\xE4\xB8\xAD", 3, 0x4E2D},
        {"\xF0\x9F\x98\x80", 4, 0x1F600},
        {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
        {"\xC0\x80", 0, 0},
        {"\xC1\xBF", 0, 0},
        {"\xE0\x9F\xBF", 0, 0},
        {"\xF0\x8F\xBF\xBF", 0, 0},
        {"\xED\xA0\x80", 0, 0},
        {"\xF4\x90\x80\x80", 0, 0},
        {"\xF5\x80\x80\x80", 0, 0},
        {"\x80", 0, 0},
        {"\xE4\xB8", 0, 0},
        {"\xE4\xB8x", 0, 0},
        {"\xFF", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code = 0;
        const char *end = cases[i].text + strlen(cases[i].text);
        ck_assert_uint_eq(utf8_decode(cases[i].text, end, &code), cases[i].size);
        ck_assert_uint_eq(code, cases[i].code);
    }
    ck_assert_uint_eq(utf8_cut("gr\xC3\xB6\xC3\x9F"
                               "e",
                               3),
                      2);
    ck_assert_uint_eq(utf8_cut("gr\xC3\xB6\xC3\x9F"
                               "e",
                               4),
                      4);
    ck_assert_uint_eq(utf8_cut("abc", 99), 3);
}
END_TEST

TEST_SUITE("experiments/diagnostics", a_message_shows_file_line_column_and_a_caret,
           a_row_of_a_streamed_file_needs_only_its_number, colour_is_there_only_when_asked_for,
           nothing_of_the_users_acts_on_the_terminal, a_long_line_is_cut_around_the_caret,
           twenty_are_shown_and_the_rest_is_counted, warnings_take_the_room_that_errors_leave,
           the_same_message_at_the_same_place_counts_once,
           a_near_name_is_within_two_or_one_when_short, the_band_finds_what_the_whole_table_finds,
           utf8_is_read_strictly)
