/* Damaged and hostile texts: a tree or a message, at once, never a crash. */
#include "tests/experiments/doc_test.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char sample[] = SAMPLE;

/* A text of `size` bytes that repeats a pattern. */
static char *repeat(const char *pattern, size_t size) {
    char *text = mem_alloc(size + 1);
    size_t length = strlen(pattern);
    for (size_t i = 0; i < size; i++) {
        text[i] = pattern[i % length];
    }
    text[size] = '\0';
    return text;
}

START_TEST(what_would_be_costly_is_refused_in_time) {
    static const struct {
        const char *pattern, *expected; /* the first line */
        size_t size;
    } cases[] = {
        {"[", "t.yaml:1:65: error: more than 64 levels deep", 100000},
        {"{a: ", "t.yaml:1:257: error: more than 64 levels deep", 400000},
        {"- ", "t.yaml:1:129: error: more than 64 levels deep", 400000},
        {"? ", "t.yaml:1:3: error: a key must be a word, not a map or a list", 400000},
        {"- a\n",
         "t.yaml:200000:3: error: more than 200000 values, each use of an alias counted in "
         "full",
         4000000},
        {"- &a x\n- *a\n",
         "t.yaml:200000:3: error: more than 200000 values, each use of an alias "
         "counted in full",
         4000000},
        {"a", "t.yaml: error: the file is larger than 4 MiB", (4 << 20) + 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = repeat(cases[i].pattern, cases[i].size);
        Diagnostics diagnostics = {0};
        Doc doc = {0};
        clock_t from = clock();
        ck_assert(!doc_load_text(&doc, "t.yaml", text, cases[i].size, &diagnostics));
        ck_assert_double_le((double)(clock() - from) / CLOCKS_PER_SEC, 2.0);
        char *said = printed(&diagnostics);
        *strchrnul(said, '\n') = '\0';
        ck_assert_str_eq(said, cases[i].expected);
        free(said);
        mem_free(text);
        doc_free(&doc);
        diag_free(&diagnostics);
    }
}
END_TEST

START_TEST(hostile_files_end_at_once_with_a_tree_or_a_message) {
    static const char *const first_lines[][2] = {
        {"bad1.yaml", ":3:2: error: a ',' or ']' is missing before this"},
        {"bad2.yaml", ":2:4: error: a ':' is not allowed here: indent the line right, or quote a "
                      "text that holds ': '"},
        {"deep1000.yaml", ":1:65: error: more than 64 levels deep"},
        {"dup.yaml", ":2:1: error: key 'a' is given twice"},
        {"iss223.yaml", ":1:1: error: a key is expected here: is the line indented right?"},
        {"latin1.yaml", ":2:7: error: byte 0xE9 is not UTF-8: save the file as UTF-8"},
        {"laughs.yaml",
         ":6:14: error: more than 200000 values, each use of an alias counted in full"},
        {"mergeself.yaml", ":2:7: error: '*a' is used inside itself"},
        {"mlaughs.yaml", ":2:14: error: '<<' takes one map, such as '<<: *defaults'"},
        {"noanch.yaml", ":1:4: error: no '&nope' stands before this"},
        {"nul2.yaml", ":2:5: error: a NUL byte: this is not a text file"},
        {"scen.yaml", ""},
        {"selfref.yaml", ":1:8: error: '*a' is used inside itself"},
        {"tab.yaml", ":2:1: error: a tab cannot indent a line: use spaces"},
        {"utf8bad.yaml", ":1:4: error: byte 0xFF is not UTF-8: save the file as UTF-8"},
    };
    static const char directory[] = "../shared/data/hostile-yaml";
    if (access(directory, R_OK) != 0) {
        printf("skipped: %s is not here\n", directory);
        return;
    }
    for (size_t i = 0; i < sizeof first_lines / sizeof first_lines[0]; i++) {
        char path[128], expected[256] = "";
        snprintf(path, sizeof path, "%s/%s", directory, first_lines[i][0]);
        if (*first_lines[i][1] != '\0') {
            snprintf(expected, sizeof expected, "%s%s", path, first_lines[i][1]);
        }
        Diagnostics diagnostics = {0};
        Doc doc = {0};
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        clock_t from = clock();
        bool is_loaded = doc_load_file(&doc, path, &diagnostics);
        ck_assert_double_le((double)(clock() - from) / CLOCKS_PER_SEC, 0.2);
        getrusage(RUSAGE_SELF, &after);
        ck_assert_int_le(after.ru_maxrss - before.ru_maxrss, 20 * 1024);
        ck_assert_int_eq(is_loaded, *expected == '\0');
        char *said = printed(&diagnostics);
        *strchrnul(said, '\n') = '\0';
        ck_assert_str_eq(said, expected);
        free(said);
        doc_free(&doc);
        diag_free(&diagnostics);
    }
}
END_TEST

/* Loads a damaged text: it is a tree without a message, or there is a message. */
static void load_damaged(const char *text, size_t size) {
    Diagnostics diagnostics = {0};
    Doc doc = {0};
    bool is_loaded = doc_load_text(&doc, "/nonexistent/t.yaml", text, size, &diagnostics);
    ck_assert_int_eq(is_loaded, diag_count(&diagnostics) == 0);
    ck_assert(!is_loaded || doc.root != NULL);
    if (doc.root != NULL && diag_count(&diagnostics) == 0) {
        doc_set(&doc, "services.llm.queue.limit=7", &diagnostics);
    }
    free(printed(&diagnostics));
    doc_free(&doc);
    diag_free(&diagnostics);
}

START_TEST(a_text_cut_at_any_byte_is_a_tree_or_a_message) {
    for (size_t size = 0; size < sizeof sample; size++) {
        load_damaged(sample, size);
    }
}
END_TEST

START_TEST(a_text_with_any_byte_changed_is_a_tree_or_a_message) {
    static const char *const replacements[] = {"",  "\xFF", "\r", "\t", "\xEF\xBB\xBF", "&",
                                               "*", "[",    "{",  "\n", "\"",           ":"};
    size_t size = sizeof sample - 1;
    char text[sizeof sample + 8];
    for (size_t at = 0; at < size; at++) {
        for (int bit = 0; bit < 9; bit++) { /* the last: a NUL */
            memcpy(text, sample, size);
            text[at] = bit < 8 ? (char)(text[at] ^ (1 << bit)) : '\0';
            load_damaged(text, size);
        }
        for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
            size_t length = strlen(replacements[i]);
            memcpy(text, sample, at);
            memcpy(text + at, replacements[i], length);
            memcpy(text + at + length, sample + at + 1, size - at - 1);
            load_damaged(text, size + length - 1);
        }
        memcpy(text, sample, at + 1); /* doubled */
        memcpy(text + at + 1, sample + at, size - at);
        load_damaged(text, size + 1);
    }
}
END_TEST

TEST_SUITE("experiments/doc_damage", what_would_be_costly_is_refused_in_time,
           hostile_files_end_at_once_with_a_tree_or_a_message,
           a_text_cut_at_any_byte_is_a_tree_or_a_message,
           a_text_with_any_byte_changed_is_a_tree_or_a_message)
