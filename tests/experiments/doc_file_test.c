/* Scenarios of several files. */
#include "tests/experiments/doc_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of its own for tests that include files; leave_directory goes back. */
static int enter_directory(char directory[]) {
    int home = open(".", O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(home, 0);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    return home;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void leave_directory(int home, const char *directory, const char *const *files) {
    for (; *files != NULL; files++) {
        ck_assert_int_eq(remove(*files), 0);
    }
    ck_assert_int_eq(fchdir(home), 0);
    close(home);
    ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(an_included_file_gives_what_the_including_one_does_not) {
    char directory[] = "/tmp/knockon-doc-XXXXXX";
    int home = enter_directory(directory);
    ck_assert_int_eq(mkdir("sub", 0700), 0);
    write_file("top.yaml", "include: sub/middle.yaml\nservices: {a: {replicas: 3}, z: {}}\n");
    write_file("sub/middle.yaml", "include: base.yaml\nname: middle\nservices: {b: [4]}\n");
    write_file("sub/base.yaml",
               "name: base\nservices:\n  a: {replicas: 1, work: 5ms}\n  b: [1, 2]\n");
    Diagnostics diagnostics = {0};
    Doc doc = {0};
    bool is_loaded = doc_load_file(&doc, "top.yaml", &diagnostics);
    check_printed(&diagnostics, "");
    ck_assert(is_loaded);
    check_tree(doc.root, "{name: middle, services: {a: {replicas: 3, work: 5ms}, b: [4], z: {}}}");
    const DocNode *a = doc_find(doc_find(doc.root, "services"), "a");
    check_place(doc_find(a, "replicas"), 2, 26, 1);
    ck_assert_str_eq(doc_origin_name(doc_find(a, "replicas")), "file");
    check_place(doc_find(a, "work"), 3, 26, 3);
    ck_assert_str_eq(doc_origin_name(doc_find(a, "work")), "include");
    diag_warning(&diagnostics, doc_find(a, "work"), "slow");
    check_printed(&diagnostics, "sub/base.yaml:3:26: warning: slow\n"
                                "    3 |   a: {replicas: 1, work: 5ms}\n"
                                "      |                          ^~~\n");
    doc_free(&doc);
    diag_free(&diagnostics);
    leave_directory(
        home, directory,
        (const char *const[]){"top.yaml", "sub/middle.yaml", "sub/base.yaml", "sub", NULL});
}
END_TEST

START_TEST(each_mistake_in_an_include_is_named) {
    static const char *const files[][2] = {
        {"self.yaml", "include: self.yaml\n"},
        {"two.yaml", "include: three.yaml\n"},
        {"three.yaml", "a: 1\ninclude: two.yaml\n"},
        {"list.yaml", "- 1\n"},
        {"of-list.yaml", "include: list.yaml\n"},
        {"wrong.yaml", "a: 1\na: 2\n"},
        {"of-wrong.yaml", "include: wrong.yaml\nb: 1\nb: 2\n"},
        {"of-directory.yaml", "include: directory\n"},
        {"of-pipe.yaml", "include: pipe\n"},
    };
    static const char *const expected[][2] = {
        {"self.yaml", "self.yaml:1:10: error: cannot include 'self.yaml': it includes itself\n"
                      "    1 | include: self.yaml\n"
                      "      |          ^~~~~~~~~\n"},
        {"two.yaml", "three.yaml:2:10: error: cannot include 'two.yaml': it includes itself\n"
                     "    2 | include: two.yaml\n"
                     "      |          ^~~~~~~~\n"},
        {"of-list.yaml", "list.yaml:1:1: error: an included file must be a map, keys with values\n"
                         "    1 | - 1\n"
                         "      | ^\n"},
        {"of-wrong.yaml", "of-wrong.yaml:3:1: error: key 'b' is given twice\n"
                          "    3 | b: 2\n"
                          "      | ^\n"
                          "of-wrong.yaml:2:1: note: first given here\n"
                          "    2 | b: 1\n"
                          "      | ^\n"
                          "wrong.yaml:2:1: error: key 'a' is given twice\n"
                          "    2 | a: 2\n"
                          "      | ^\n"
                          "wrong.yaml:1:1: note: first given here\n"
                          "    1 | a: 1\n"
                          "      | ^\n"},
        {"of-directory.yaml",
         "of-directory.yaml:1:10: error: cannot include 'directory': it is not a regular file\n"
         "    1 | include: directory\n"
         "      |          ^~~~~~~~~\n"},
        {"of-pipe.yaml",
         "of-pipe.yaml:1:10: error: cannot include 'pipe': it is not a regular file\n"
         "    1 | include: pipe\n"
         "      |          ^~~~\n"},
        {"chain1.yaml", "chain8.yaml:1:10: error: more than 8 files include each other\n"
                        "    1 | include: chain9.yaml\n"
                        "      |          ^~~~~~~~~~~\n"},
        {"none.yaml", "none.yaml: error: cannot be read: No such file or directory\n"},
        {"directory", "directory: error: cannot be read: Is a directory\n"},
    };
    char directory[] = "/tmp/knockon-doc-XXXXXX";
    int home = enter_directory(directory);
    ck_assert_int_eq(mkdir("directory", 0700), 0);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_file(files[i][0], files[i][1]);
    }
    for (int i = 1; i <= 9; i++) {
        char name[32], text[64];
        snprintf(name, sizeof name, "chain%d.yaml", i);
        snprintf(text, sizeof text, "include: chain%d.yaml\n", i + 1);
        write_file(name, text);
    }
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        Diagnostics diagnostics = {0};
        Doc doc = {0};
        ck_assert(!doc_load_file(&doc, expected[i][0], &diagnostics));
        check_printed(&diagnostics, expected[i][1]);
        doc_free(&doc);
        diag_free(&diagnostics);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ck_assert_int_eq(remove(files[i][0]), 0);
    }
    leave_directory(home, directory,
                    (const char *const[]){"directory", "pipe", "chain1.yaml", "chain2.yaml",
                                          "chain3.yaml", "chain4.yaml", "chain5.yaml",
                                          "chain6.yaml", "chain7.yaml", "chain8.yaml",
                                          "chain9.yaml", NULL});
}
END_TEST

TEST_SUITE("experiments/doc_file", an_included_file_gives_what_the_including_one_does_not,
           each_mistake_in_an_include_is_named)
