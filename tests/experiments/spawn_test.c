#include "experiments/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/test.h"

static char scratch[64];

/* A directory with a program `fake`, a shell script, that is found before all others. */
static void make_fake(const char *script) {
    char path[128];
    snprintf(scratch, sizeof scratch, "/tmp/knockon-spawn-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
    FILE *file = fopen("fake", "w");
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    ck_assert_int_eq(chmod("fake", 0755), 0);
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", scratch);
    ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

static void remove_fake(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static bool run(double limit_s, Error *error) {
    static const char *const argv[] = {"fake", "a b", "$(touch x)", "", "*", NULL};
    Spawn spawn = {.argv = argv, .directory = scratch, .limit_s = limit_s};
    *error = (Error){0};
    return spawn_run(&spawn, error);
}

static void check_fails(const char *script, double limit_s, const char *sentence) {
    Error error;
    make_fake(script);
    ck_assert(!run(limit_s, &error));
    ck_assert_str_eq(error.text, sentence);
    remove_fake();
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check_file(const char *path, const char *expected) {
    char found[512] = "";
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(found, expected);
}

START_TEST(words_reach_the_program_as_they_are) {
    Error error;
    make_fake("printf '[%s]' \"$@\" >words");
    ck_assert(run(10, &error));
    check_file("words", "[a b][$(touch x)][][*]");
    remove_fake();
}
END_TEST

START_TEST(the_environment_and_the_input_are_clean) {
    Error error;
    setenv("GNUPLOT_LIB", "/tmp/evil", 1);
    setenv("LD_PRELOAD_X", "1", 1);
    signal(SIGPIPE, SIG_IGN);
    make_fake("{ env -u PWD -u OLDPWD -u SHLVL -u _ -u PATH; cat; pwd; "
              "grep SigIgn /proc/self/status | tail -c 8; } >seen"); /* signals 1 to 28 */
    char expected[256];
    snprintf(expected, sizeof expected, "LC_ALL=C.UTF-8\n%s\n0000000\n", scratch);
    ck_assert(run(10, &error));
    check_file("seen", expected);
    remove_fake();
}
END_TEST

START_TEST(a_program_that_is_not_there_is_named) {
    Error error;
    make_fake("true");
    ck_assert_int_eq(unlink("fake"), 0);
    ck_assert(!run(10, &error));
    ck_assert_str_eq(error.text, "fake is not there (not in PATH)");
    remove_fake();
}
END_TEST

START_TEST(a_failure_is_told_with_its_first_line) {
    check_fails("exit 3", 10, "fake failed with status 3");
    check_fails("printf '\\n  \"x.gp\", line 7:\\033[2J\\tbad\\nmore\\n' >&2; exit 1", 10,
                "fake failed with status 1: \"x.gp\", line 7:?[2J?bad");
}
END_TEST

START_TEST(a_program_that_is_killed_is_told_with_its_signal) {
    check_fails("kill -KILL $$", 10, "fake was killed by signal 9 (KILL)");
}
END_TEST

START_TEST(a_program_that_hangs_is_stopped_with_its_children) {
    double begin_s = now_s();
    check_fails("sleep 611 & sleep 612", 0.3, "fake took more than 0.3 s and was stopped");
    ck_assert_double_lt(now_s() - begin_s, 5);
    ck_assert_int_ne(system("pgrep -f '^sleep 61[12]$' >/dev/null"), 0);
}
END_TEST

START_TEST(a_child_left_behind_holds_nobody_up) {
    Error error;
    double begin_s = now_s();
    make_fake("sleep 613 & exit 0");
    ck_assert(run(20, &error));
    ck_assert_double_lt(now_s() - begin_s, 5);
    ck_assert_int_ne(system("pgrep -f '^sleep 613$' >/dev/null"), 0);
    remove_fake();
}
END_TEST

START_TEST(a_flood_of_complaints_does_not_block) {
    static const char HEAD[] = "fake failed with status 4: ";
    char expected[sizeof HEAD + 199];
    memcpy(expected, HEAD, sizeof HEAD - 1);
    memset(expected + sizeof HEAD - 1, 'y', 199);
    expected[sizeof HEAD + 198] = '\0';
    check_fails("head -c 20000000 /dev/zero | tr '\\0' 'y' >&2; exit 4", 60, expected);
}
END_TEST

TEST_SUITE("experiments/spawn", words_reach_the_program_as_they_are,
           the_environment_and_the_input_are_clean, a_program_that_is_not_there_is_named,
           a_failure_is_told_with_its_first_line, a_program_that_is_killed_is_told_with_its_signal,
           a_program_that_hangs_is_stopped_with_its_children, a_child_left_behind_holds_nobody_up,
           a_flood_of_complaints_does_not_block)
