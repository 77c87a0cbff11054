/* The command line: what is understood, and every refusal in full. */
#include "experiments/options.h"

#include <string.h>

#include "experiments/commands.h"
#include "tests/test.h"

static int run_nothing(const Options *options) {
    (void)options;
    return 0;
}

static const Command running = {
    "go",   run_nothing, "FILE", 1, 2, OPTION_SET | OPTION_RUNNING | OPTION_QUIET | OPTION_JSON,
    "Goes."};
static const Command bare = {"stay", run_nothing, "", 0, 0, 0, "Stays."};

/* Splits at spaces; words live in `copy`. */
static int split(char *copy, char **argv) {
    int argc = 0;
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return argc;
}

static bool parse(const Command *command, const char *line, Options *out, Error *error) {
    static char copy[300];
    char *argv[32];
    snprintf(copy, sizeof copy, "%s %s", command->name, line);
    int argc = split(copy, argv);
    return options_parse(command, argc, argv, out, error);
}

START_TEST(options_may_stand_anywhere_and_be_short) {
    Options options;
    Error error;
    ck_assert_msg(
        parse(&running,
              "a.yaml --set x.y=2 -j 3 --seed=7 -q -o here --progress json -r 5 --force b",
              &options, &error),
        "%s", error.text);
    ck_assert_uint_eq(options.operands.count, 2);
    ck_assert_str_eq(options.operands.items[0], "a.yaml");
    ck_assert_str_eq(options.operands.items[1], "b");
    ck_assert_uint_eq(options.sets.count, 3);
    ck_assert_str_eq(options.sets.items[0], "x.y=2");
    ck_assert_str_eq(options.sets.items[1], "run.seed=7");
    ck_assert_str_eq(options.sets.items[2], "run.replications=5");
    ck_assert_uint_eq(options.jobs, 3);
    ck_assert_str_eq(options.out, "here");
    ck_assert_uint_eq(options.progress, PROGRESS_JSON);
    ck_assert(options.is_quiet && options.is_forced && !options.is_json && !options.has_trace);
    options_free(&options);
}
END_TEST

START_TEST(what_is_not_given_is_left_to_the_command) {
    Options options;
    Error error;
    ck_assert(parse(&running, "a", &options, &error));
    ck_assert_uint_eq(options.jobs, 0);
    ck_assert_ptr_null(options.out);
    ck_assert_uint_eq(options.progress, PROGRESS_AUTO);
    ck_assert_uint_eq(options.sets.count, 0);
    ck_assert(!options.is_quiet && !options.is_forced && !options.wants_help);
    options_free(&options);
}
END_TEST

START_TEST(an_option_may_be_shortened_while_it_is_clear) {
    Options options;
    Error error;
    ck_assert(parse(&running, "a --repl 4", &options, &error));
    ck_assert_str_eq(options.sets.items[0], "run.replications=4");
    options_free(&options);
    ck_assert(!parse(&running, "a --re 4", &options, &error));
    ck_assert_str_eq(error.text, "go has no option '--re'; see knockon go --help");
}
END_TEST

START_TEST(a_word_after_two_dashes_is_an_operand) {
    Options options;
    Error error;
    ck_assert(parse(&running, "-q -- --set", &options, &error));
    ck_assert_str_eq(options.operands.items[0], "--set");
    options_free(&options);
}
END_TEST

START_TEST(every_refusal_says_what_would_do) {
    static const struct {
        const Command *command;
        const char *line, *expected;
    } cases[] = {
        {&running, "", "go needs FILE; see knockon go --help"},
        {&running, "a b c", "go takes FILE, so 'c' is too much"},
        {&bare, "a", "stay takes no operand, so 'a' is too much"},
        {&bare, "--set a=b", "stay has no option '--set'; see knockon stay --help"},
        {&running, "a --sett b=c", "go has no option '--sett': did you mean '--set'?"},
        {&running, "a --job=3x", "--jobs takes a whole number from 1 to 1024, not '3x'"},
        {&running, "a -j 0", "--jobs takes a whole number from 1 to 1024, not '0'"},
        {&running, "a -j -1", "--jobs takes a whole number from 1 to 1024, not '-1'"},
        {&running, "a -j 99999999999999999999",
         "--jobs takes a whole number from 1 to 1024, not '99999999999999999999'"},
        {&running, "a --progress loud", "--progress takes one of auto|plain|json|none, not 'loud'"},
        {&running, "a --out=", "--out takes DIR, not an empty text"},
        {&running, "a --quiet=no", "--quiet takes no value"},
        {&running, "a --set", "--set needs PATH=VALUE"},
        {&running, "a -s", "--set needs PATH=VALUE"},
        {&running, "a -qz", "go has no option '-z'; see knockon go --help"},
        {&running, "a --resolved", "go has no option '--resolved'; see knockon go --help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Options options;
        Error error = {""};
        ck_assert_msg(!parse(cases[i].command, cases[i].line, &options, &error), "%s",
                      cases[i].line);
        ck_assert_str_eq(error.text, cases[i].expected);
    }
}
END_TEST

static char *help_of(const Command *command) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    options_print_help(command, out);
    fclose(out);
    return text;
}

START_TEST(help_shows_the_options_of_its_command_only) {
    char *text = help_of(&bare);
    ck_assert_str_eq(text, "usage: knockon stay [options]\n\nStays.\n\noptions:\n"
                           "  -h, --help              Print this and stop.\n");
    free(text);
    text = help_of(&running);
    ck_assert_ptr_nonnull(strstr(text, "  -j, --jobs N            Threads;"));
    ck_assert_ptr_nonnull(strstr(text, "      --progress auto|plain|json|none\n"));
    ck_assert_ptr_null(strstr(text, "--resolved"));
    free(text);
}
END_TEST

START_TEST(help_is_given_without_operands) {
    Options options;
    Error error;
    ck_assert(parse(&running, "--help", &options, &error));
    ck_assert(options.wants_help);
    options_free(&options);
}
END_TEST

TEST_SUITE("experiments/options", options_may_stand_anywhere_and_be_short,
           what_is_not_given_is_left_to_the_command, an_option_may_be_shortened_while_it_is_clear,
           a_word_after_two_dashes_is_an_operand, every_refusal_says_what_would_do,
           help_shows_the_options_of_its_command_only, help_is_given_without_operands)
