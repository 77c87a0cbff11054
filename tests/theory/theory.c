#include "tests/theory/theory.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "experiments/compile.h"
#include "sim/vec.h"

/* The quantile of Student's t with 31 degrees of freedom that is exceeded once in 10^4, two-sided
 * (docs: validation, section 1). */
static const double t_max = 4.461;
static const double standard_error_max = 0.0016;

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value != NULL && strcmp(value, "1") == 0;
}

bool theory_is_long(void) {
    return is_set("KNOCKON_LONG");
}

bool theory_is_short(void) {
    return is_set("KNOCKON_SHORT");
}

char *theory_text(const char *format, ...) {
    va_list list;
    char *text = NULL;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    ck_assert_int_ge(length, 0);
    return text;
}

Model *theory_compile(const char *scenario, char *const *sets, size_t set_count) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    doc_load_text(&doc, "theory.yaml", scenario, strlen(scenario), &diagnostics);
    for (size_t i = 0; i < set_count && doc.root != NULL; i++) {
        doc_set(&doc, sets[i], &diagnostics);
    }
    Model *model = compile_scenario(&doc, &diagnostics, NULL);
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
    }
    doc_free(&doc);
    diag_free(&diagnostics);
    ck_assert_msg(model != NULL, "the scenario does not compile:\n%s", scenario);
    return model;
}

/* ---- Threads */

typedef struct Share {
    atomic_uint next;
    uint32_t count;
    void (*one)(void *context, uint32_t index);
    void *context;
} Share;

static void *work_on(void *argument) {
    Share *share = argument;
    for (;;) {
        uint32_t index = atomic_fetch_add(&share->next, 1);
        if (index >= share->count) {
            return NULL;
        }
        share->one(share->context, index);
    }
}

void theory_for_each(uint32_t count, void (*one)(void *context, uint32_t index), void *context) {
    Share share = {.count = count, .one = one, .context = context};
    pthread_t second;
    bool has_second = pthread_create(&second, NULL, work_on, &share) == 0;
    work_on(&share);
    if (has_second) {
        pthread_join(second, NULL);
    }
}

Estimate theory_estimate(const double *values, size_t count) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        mean += values[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    double n = (double)count;
    return (Estimate){mean, count > 1 ? sqrt(squares / (n - 1) / n) : NAN};
}

void theory_measure(const World *world, const char *component, double *values) {
    uint32_t index = model_find_component(world->model, component);
    if (index == NONE) {
        fprintf(stderr, "no component '%s'\n", component);
        abort();
    }
    probe_measure(&world->probe, index, world->now, values);
}

/* ---- Replications of a case */

typedef struct Batch {
    const TheoryModel *theory;
    const Model *model;
    uint64_t seed;
    double values[THEORY_METRICS_MAX][THEORY_REPLICATIONS];
    StopReason reasons[THEORY_REPLICATIONS];
} Batch;

/* From simulated seconds to the case's unit of time. */
static double in_own_unit(Metric metric, double value, double unit_s) {
    const char *unit = metric_info(metric)->unit;
    return strcmp(unit, "s") == 0     ? value / unit_s
           : strcmp(unit, "1/s") == 0 ? value * unit_s
                                      : value;
}

static void replicate(void *context, uint32_t index) {
    Batch *batch = context;
    const TheoryModel *theory = batch->theory;
    WorldOptions options = {.seed = batch->seed, .replication = index};
    World *world = world_create(batch->model, &options);
    world_run(world);
    world_check(world);
    batch->reasons[index] = world->stop_reason;
    for (uint32_t i = 0; i < theory->metric_count; i++) {
        const TheoryMetric *metric = &theory->metrics[i];
        double values[METRIC_COUNT];
        theory_measure(world, metric->component, values);
        double value = in_own_unit(metric->metric, values[metric->metric], theory->unit_s);
        batch->values[i][index] = metric->has_over ? value / values[metric->over] : value;
    }
    world_destroy(world);
}

bool theory_judge(const char *id, const TheoryMetric *metric, const double *values,
                  double customers_x) {
    Estimate e = theory_estimate(values, THEORY_REPLICATIONS);
    double beyond = fabs(e.mean - metric->theta) - metric->slack * fabs(metric->theta);
    double share = e.standard_error / fabs(metric->theta);
    bool fits = beyond <= t_max * e.standard_error;
    bool is_precise = share <= standard_error_max / sqrt(customers_x) || metric->gate == GATE_T;
    printf("%-10s %-18s theta %-13.10g estimate %-13.10g t %6.2f  SE %.3f %%  %s\n", id,
           metric->name, metric->theta, e.mean, (e.mean - metric->theta) / e.standard_error,
           100 * share,
           !fits        ? "FAIL"
           : is_precise ? "PASS"
                        : "FAIL: too few customers");
    return fits && is_precise;
}

static bool run_case(const TheoryCase *test, const TheoryModel *theory, double customers_x,
                     uint64_t seed) {
    ck_assert(theory->metric_count <= THEORY_METRICS_MAX);
    double each = test->customers * customers_x / THEORY_REPLICATIONS, warmup = 0.05 * each + 1000;
    double one_s = theory->unit_s / theory->rate;
    char *sets[] = {theory_text("run.duration=%.9fs", (each + warmup) * one_s),
                    theory_text("run.warmup=%.9fs", warmup * one_s),
                    theory_text("run.sample_every=1h"), theory_text("verdict=none")};
    Model *model = theory_compile(theory->scenario, sets, sizeof sets / sizeof sets[0]);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        free(sets[i]);
    }
    Batch *batch = mem_zalloc(1, sizeof *batch);
    *batch = (Batch){.theory = theory, .model = model, .seed = seed};
    theory_for_each(THEORY_REPLICATIONS, replicate, batch);
    bool passes = true;
    for (uint32_t i = 0; i < theory->metric_count; i++) {
        passes &= theory_judge(test->id, &theory->metrics[i], batch->values[i], customers_x);
    }
    for (uint32_t i = 0; i < THEORY_REPLICATIONS; i++) {
        ck_assert_msg(batch->reasons[i] == STOP_AT_END, "%s: a run was cut off", test->id);
    }
    mem_free(batch);
    model_destroy(model);
    return passes;
}

/* ---- Printed numbers */

/* Half a unit of the last digit of a number as printed, and a little for its own rounding. */
static double half_last_digit(const char *printed) {
    const char *point = strchr(printed, '.');
    const char *exponent = strpbrk(printed, "eE");
    size_t end = exponent == NULL ? strlen(printed) : (size_t)(exponent - printed);
    double decimals = point == NULL ? 0 : (double)(end - (size_t)(point - printed) - 1);
    double scale = exponent == NULL ? 0 : strtod(exponent + 1, NULL);
    return 0.5001 * pow(10, scale - decimals);
}

void theory_check_number(const char *name, double value, const char *printed) {
    if (printed == NULL || printed[0] == '\0') {
        return;
    }
    double expected = strtod(printed, NULL);
    ck_assert_msg(fabs(value - expected) <= half_last_digit(printed),
                  "%s by formula is %.15g, printed is %s", name, value, printed);
}

double theory_customers_x(bool is_printed) {
    return (theory_is_short() ? 1.0 / 64 : theory_is_long() ? 4 : 1) * (is_printed ? 1 : 0.25);
}

void theory_check(const TheoryCase *test, const TheoryModel *theory) {
    for (uint32_t i = 0; test->printed != NULL && test->printed[i] != NULL; i++) {
        ck_assert_uint_lt(i, theory->metric_count);
        theory_check_number(theory->metrics[i].name, theory->metrics[i].theta, test->printed[i]);
    }
    double customers_x = test->is_long_only ? 1 : theory_customers_x(test->printed != NULL);
    uint64_t seed = test->seed == 0 ? THEORY_SEED : test->seed;
    bool passes = true;
    if (test->is_long_only && !theory_is_long()) {
        printf("%-10s is left to KNOCKON_LONG=1\n", test->id);
    } else {
        passes = run_case(test, theory, customers_x, seed);
        if (!passes) {
            printf("%s once more, with four times the customers\n", test->id);
            passes = run_case(test, theory, 4 * customers_x, seed + 1);
        }
    }
    fflush(stdout);
    free(theory->scenario);
    ck_assert_msg(passes, "%s is not what theory says", test->id);
}

/* ---- The program */

static double cpu_time_s(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int theory_main(const char *name, const TTest *const *tests, size_t count) {
    Suite *suite = suite_create(name);
    TCase *group = tcase_create(name);
    tcase_set_timeout(group, 0);
    for (size_t i = 0; i < count; i++) {
        tcase_add_test(group, tests[i]);
    }
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    printf("%s: %.1f s of CPU time\n", name, cpu_time_s(RUSAGE_CHILDREN) + cpu_time_s(RUSAGE_SELF));
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
