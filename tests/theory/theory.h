/* Models against exact theory: a scenario is compiled from its text, run in independent
 * replications, and its measures are held to a number known from elsewhere.
 *
 * The protocol is that of Student's t: 32 replications, a warm-up of 5 % and 1000 customers left
 * out of each, and a measure passes when
 *   |mean - theta| <= 4.461 s / sqrt(32) + slack x theta   (t with 31 degrees, 1e-4 a measure) and
 *   s / sqrt(32) <= 0.16 % of theta,
 * so that a bias of 1 % is found with a probability of 98 %. A case that fails is repeated once at
 * the next seed with four times the customers (and half the bound), and counts as failed when that
 * fails too. Seeds are fixed: a case that has passed once passes always.
 *
 * KNOCKON_LONG=1 (`make check-long`) multiplies the customers by 4 and halves the bound on the
 * standard error, and runs the cases that are too long for every day. KNOCKON_SHORT=1 (sanitizers)
 * runs a little of each and judges nothing. Worlds run on two threads,
 * each on its own World. One line is printed for each measure.
 */
#ifndef KNOCKON_TESTS_THEORY_THEORY_H
#define KNOCKON_TESTS_THEORY_THEORY_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/world.h"

enum {
    THEORY_REPLICATIONS = 32,
    THEORY_METRICS_MAX = 16,
    THEORY_SEED = 1,
};

/* How much a measure must fulfil. */
typedef enum TheoryGate {
    GATE_FULL, /* both conditions */
    GATE_T,    /* no bound on its standard error: noisier than a measure that says the same */
} TheoryGate;

/* A measure of one component, or the ratio of two, and what it must be. */
typedef struct TheoryMetric {
    const char *name;      /* as in the case's description */
    const char *component; /* of the scenario */
    Metric metric;
    double theta; /* in the case's own unit of time */
    TheoryGate gate;
    double slack; /* relative error allowed beyond chance: of a histogram's buckets */
    bool has_over;
    Metric over; /* if has_over: divided by this measure of the same component */
} TheoryMetric;

/* How a model is run, and numbers printed elsewhere that its thetas must equal: a text for each of
 * the first metrics, "" where none is known, ended by NULL. Without them the parameters are our
 * own, to show that theory and program agree for others too; then a quarter of the customers and
 * twice the bound must do. */
typedef struct TheoryCase {
    const char *id;
    double customers; /* of all replications together */
    const char *const *printed;
    const char *also[2]; /* printed numbers of what is not measured, for the test itself */
    bool is_long_only;
    uint64_t seed; /* 0: THEORY_SEED */
} TheoryCase;

/* A model with its parameters and what is known about it. */
typedef struct TheoryModel {
    char *scenario; /* YAML without `run`; freed by theory_check */
    double unit_s;  /* simulated seconds in one unit of the case's time */
    double rate;    /* customers per unit of time, which sets the duration */
    TheoryMetric *metrics;
    uint32_t metric_count;
} TheoryModel;

#define THEORY_METRICS(list) .metrics = (list), .metric_count = sizeof(list) / sizeof((list)[0])

/* Compares the thetas with what is printed, runs the case by the protocol and fails the test when a
 * measure does not pass. */
void theory_check(const TheoryCase *test, const TheoryModel *theory);

/* Fails the test unless a value equals a printed number to half a unit of the last digit printed;
 * NULL or "": nothing is known. */
void theory_check_number(const char *name, double value, const char *printed);

/* How many times the customers of the protocol are to be used: 4 if KNOCKON_LONG=1, 1/64 if
 * KNOCKON_SHORT=1; a quarter of that for other parameters. */
double theory_customers_x(bool is_printed);

/* Prints a line and says whether 32 independent values pass; the bound on their standard error is
 * that of the protocol divided by the root of `customers_x`. */
bool theory_judge(const char *id, const TheoryMetric *metric, const double *values,
                  double customers_x);

/* A printf that returns a text to be freed. */
char *theory_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Compiles a scenario after carrying out `key=value` settings; a mistake fails the test. */
Model *theory_compile(const char *scenario, char *const *sets, size_t set_count);

/* Calls `one` for index 0 to count - 1 on two threads, each index once. The context is shared; what
 * `one` writes there must belong to its index alone. It must not fail a test. */
void theory_for_each(uint32_t count, void (*one)(void *context, uint32_t index), void *context);

/* Mean and standard error of independent values. */
typedef struct Estimate {
    double mean, standard_error;
} Estimate;
Estimate theory_estimate(const double *values, size_t count);

bool theory_is_long(void);

/* KNOCKON_SHORT=1, for sanitizers: everything runs, but too little of it to be judged; says so. */
bool theory_is_short(void);

/* The measures of a World that has run, of the component named; METRIC_COUNT of them. */
void theory_measure(const World *world, const char *component, double *values);

/* Prints the CPU time that the program has used and runs the suite; no test has a time limit. */
int theory_main(const char *name, const TTest *const *tests, size_t count);

#define THEORY_SUITE(name, ...)                                                                    \
    int main(void) {                                                                               \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return theory_main(name, tests, sizeof tests / sizeof tests[0]);                           \
    }

#endif
