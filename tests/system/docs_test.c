/* The documents keep what they promise: commands run, examples compile, tables are complete. */

#include "experiments/exit_status.h"
#include "experiments/tables.h"
#include "tests/system/command.h"
#include "tests/system/outcomes.h"

enum { TEXT_SIZE = 200000 };

/* The whole of a file; owned by the caller. */
static char *text_of(const char *path) {
    char *text = calloc(TEXT_SIZE, 1);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    size_t size = fread(text, 1, TEXT_SIZE, file);
    ck_assert_msg(size > 0 && size < TEXT_SIZE, "%s has %zu bytes or more", path, size);
    fclose(file);
    return text;
}

static char *document(const char *name) {
    return text_of(project_path(name));
}

/* The next block that begins with the line "```KIND"; NULL after the last. Owned by the caller. */
static char *next_block(const char **at, const char *kind) {
    char fence[40];
    int size = snprintf(fence, sizeof fence, "\n```%s\n", kind);
    const char *start = strstr(*at, fence);
    if (start == NULL) {
        return NULL;
    }
    start += size;
    const char *end = strstr(start, "\n```");
    ck_assert_ptr_nonnull(end);
    *at = end + 1;
    return strndup(start, (size_t)(end + 1 - start));
}

/* Runs a line of shell, with `knockon` being the program under test; returns the exit status. */
static int shell(const char *line, char *output) {
    char program[4096], text[12000];
    program_path(program);
    snprintf(text, sizeof text, "knockon() { '%s' \"$@\"; }\n%s", program, line);
    FILE *pipe = popen(text, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t size = fread(output, 1, TEXT_SIZE - 1, pipe);
    output[size] = 0;
    int status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A directory of its own in which the project's scenarios are found as they are in the project. */
static void enter_project_like_directory(void) {
    char root[4096], target[4200];
    ck_assert_ptr_nonnull(realpath(project_path(""), root));
    setenv("KNOCKON_DATA", root, 1);
    command_enter_directory();
    snprintf(target, sizeof target, "%s/experiments", root);
    ck_assert_int_eq(symlink(target, "experiments"), 0);
}

/* ---- Commands */

static bool is_verdict(const char *word) {
    for (uint32_t kind = 0; kind < VERDICT_COUNT; kind++) {
        if (strcmp(word, verdict_name((VerdictKind)kind)) == 0) {
            return true;
        }
    }
    return false;
}

/* Runs one documented line with fewer replications, and holds it to the verdict in its comment. */
static void check_line(const char *line, char *output) {
    char command[1000], word[100] = "";
    const char *arguments = strstr(line, "knockon ");
    int length = (int)strcspn(arguments, "#");
    sscanf(arguments + length, "# %99[a-z]", word);
    bool is_run = strncmp(arguments, "knockon run", 11) == 0;
    bool is_story = strstr(arguments, "--trace") != NULL;
    snprintf(command, sizeof command, "%.*s %s", length, arguments,
             is_story ? "2>/dev/null | head -n 5"
             : is_run ? "-r 5 --set run.timeseries=none --progress none"
                      : "");
    int status = shell(command, output);
    ck_assert_msg(status == 0, "'%s' exits with %d: %s", command, status, output);
    if (is_verdict(word)) {
        char verdict[100] = "";
        const char *at = strstr(output, "\nverdict ");
        ck_assert_msg(at != NULL && sscanf(at, " verdict %99s", verdict) == 1, "%s", output);
        ck_assert_msg(strcmp(verdict, word) == 0, "'%s' is %s", line, verdict);
    }
}

/* Returns how many lines there were. */
static uint32_t check_commands(const char *name) {
    char *text = document(name), *output = malloc(TEXT_SIZE), *block;
    const char *at = text;
    uint32_t count = 0;
    while ((block = next_block(&at, "sh")) != NULL) {
        char *rest = NULL;
        for (char *line = strtok_r(block, "\n", &rest); line != NULL;
             line = strtok_r(NULL, "\n", &rest)) {
            if (strncmp(line, "knockon ", 8) == 0 || strncmp(line, "build/gcc/knockon ", 18) == 0) {
                check_line(line, output);
                count++;
            } else {
                ck_assert_msg(strncmp(line, "make ", 5) == 0, "%s: nobody tries '%s'", name, line);
            }
        }
        free(block);
    }
    free(text);
    free(output);
    return count;
}

START_TEST(every_command_of_the_readme_does_what_it_says) {
    enter_project_like_directory();
    ck_assert_uint_ge(check_commands("README.md"), 7);
}
END_TEST

START_TEST(every_command_of_the_manual_works) {
    enter_project_like_directory();
    ck_assert_uint_ge(check_commands("docs/manual.md"), 9);
}
END_TEST

/* ---- Examples */

/* The first example is whole; the others are laid over it, one at a time. */
START_TEST(every_example_of_the_manual_compiles) {
    enter_project_like_directory();
    char *text = document("docs/manual.md"), *output = malloc(TEXT_SIZE);
    const char *at = text;
    char *block = next_block(&at, "yaml");
    file_put("base.yaml", block);
    ck_assert_int_eq(shell("knockon check base.yaml 2>&1", output), 0);
    free(block);
    uint32_t count = 1;
    for (; (block = next_block(&at, "yaml")) != NULL; count++) {
        char piece[5000];
        snprintf(piece, sizeof piece, "include: base.yaml\n%s", block);
        file_put("piece.yaml", piece);
        int status = shell("knockon check piece.yaml 2>&1", output);
        ck_assert_msg(status == 0, "%s\n%s", piece, output);
        free(block);
    }
    ck_assert_uint_ge(count, 9);
    free(output);
    free(text);
}
END_TEST

START_TEST(the_messages_of_the_manual_are_the_programs_own) {
    enter_project_like_directory();
    char *text = document("docs/manual.md"), *output = malloc(TEXT_SIZE);
    const char *at = text;
    char *bad = next_block(&at, "yaml bad"), *said = next_block(&at, "text bad");
    file_put("bad.yaml", bad);
    ck_assert_int_eq(shell("knockon check bad.yaml 2>&1", output), EXIT_INPUT);
    ck_assert_str_eq(output, said);
    free(bad);
    free(said);
    free(output);
    free(text);
}
END_TEST

/* ---- Tables */

START_TEST(the_chapter_of_kinds_is_what_the_program_prints) {
    enter_project_like_directory();
    char *text = document("docs/kinds.md"), *output = malloc(TEXT_SIZE);
    ck_assert_int_eq(shell("knockon kinds --markdown", output), 0);
    ck_assert_msg(strcmp(text, output) == 0, "docs/kinds.md is old: make docs");
    free(text);
    free(output);
}
END_TEST

static void check_word(const char *text, const char *format, const char *word) {
    char quoted[200];
    snprintf(quoted, sizeof quoted, format, word);
    ck_assert_msg(strstr(text, quoted) != NULL, "the manual does not have %s", quoted);
}

START_TEST(the_manual_names_every_file_column_verdict_and_status) {
    char *text = document("docs/manual.md");
    TableColumns *columns = malloc(sizeof *columns);
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        check_word(text, "| `%s` |", tables[i]->file);
        table_columns(tables[i], columns);
        for (uint32_t k = 0; k < columns->count && tables[i] != &table_average; k++) {
            check_word(text, "`%s`", columns->columns[k].name);
        }
    }
    for (uint32_t metric = 0; metric < METRIC_COUNT; metric++) {
        check_word(text, "\n| `%s` |", metric_info(metric)->column);
        check_word(text, "| %s |\n", metric_info(metric)->doc);
    }
    for (uint32_t kind = 0; kind < VERDICT_COUNT; kind++) {
        check_word(text, "\n| `%s` |", verdict_name((VerdictKind)kind));
    }
    for (int status = EXIT_FINE; status <= EXIT_PICTURES; status++) {
        char number[16];
        snprintf(number, sizeof number, "%d", status);
        check_word(text, "\n| %s |", number);
    }
    free(columns);
    free(text);
}
END_TEST

/* ---- Links */

static void check_links(const char *name) {
    char *text = document(name);
    const char *slash = strrchr(name, '/');
    int directory_size = slash == NULL ? 0 : (int)(slash + 1 - name);
    for (const char *at = text; (at = strstr(at, "](")) != NULL;) {
        at += 2;
        int size = (int)strcspn(at, "#)");
        char path[300];
        if (size == 0 || strncmp(at, "https://", 8) == 0) {
            continue;
        }
        snprintf(path, sizeof path, "%.*s%.*s", directory_size, name, size, at);
        ck_assert_msg(access(project_path(path), R_OK) == 0, "%s links to %s", name, path);
    }
    free(text);
}

START_TEST(every_link_leads_somewhere) {
    check_links("README.md");
    check_links("CHANGELOG.md");
    check_links("CONTRIBUTING.md");
    check_links("docs/manual.md");
}
END_TEST

TEST_SUITE("system/docs", every_command_of_the_readme_does_what_it_says,
           every_command_of_the_manual_works, every_example_of_the_manual_compiles,
           the_messages_of_the_manual_are_the_programs_own,
           the_chapter_of_kinds_is_what_the_program_prints,
           the_manual_names_every_file_column_verdict_and_status, every_link_leads_somewhere)
