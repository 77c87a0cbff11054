/* What every test program shares: Check, and a main that runs one suite.
 *
 * A file tests/ROOM/NAME_test.c is one program. It ends in TEST_SUITE("room/name", test_a,
 * test_b…). CK_FORK is left as Check sets it: a crash in one test is then that test's failure.
 */
#ifndef KNOCKON_TESTS_TEST_H
#define KNOCKON_TESTS_TEST_H

#include <check.h>
#include <stdlib.h>

/* Seconds that one test may take before it counts as hung; KNOCKON_TEST_SLOW (sanitizers, valgrind)
 * multiplies it through CK_TIMEOUT_MULTIPLIER, which Check reads itself. */
enum { TEST_TIMEOUT_S = 120 };

static inline int test_run(const char *name, const TTest *const *tests, size_t count) {
    Suite *suite = suite_create(name);
    TCase *group = tcase_create(name);
    tcase_set_timeout(group, TEST_TIMEOUT_S);
    for (size_t i = 0; i < count; i++) {
        tcase_add_test(group, tests[i]);
    }
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define TEST_SUITE(name, ...)                                                                      \
    int main(void) {                                                                               \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return test_run(name, tests, sizeof tests / sizeof tests[0]);                              \
    }

#endif
