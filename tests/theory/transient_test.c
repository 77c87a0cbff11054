/* How numbers in a system move with time, over many runs of one scenario: a loss of capacity by
 * Kolmogorov's equations, and a sinusoidal load with infinitely many servers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>

#include "sim/vec.h"
#include "tests/theory/formulas.h"
#include "tests/theory/theory.h"

enum { INSTANTS_MAX = 16, COMPONENT_DESK = 1, COPIES = 64 /* paths of a run */ };

/* What is looked at, and how often: the instants, ascending; the runs of each of 32 groups, of
 * which the means are the values of the protocol; the numbers printed elsewhere, the integral last,
 * or NULL for parameters of our own. */
typedef struct Plan {
    const char *id;
    const double *times_s;
    uint32_t count, each;
    const char *const *printed;
} Plan;

/* A run holds COPIES paths at once, as replicas among which Poisson arrivals are spread at random:
 * these are independent, and a World costs more than a path. */
typedef struct Paths {
    const Plan *plan;
    const Model *model;
    uint32_t each, sample_s;
    double expected[INSTANTS_MAX]; /* E N(t) */
    double expected_integral;      /* of E N up to the last instant */
    bool is_noisy[INSTANTS_MAX];   /* precise enough only with KNOCKON_LONG */
    bool is_poisson;               /* N(t) is: then its variance is known too */
    double mean[INSTANTS_MAX][THEORY_REPLICATIONS];
    double spread[INSTANTS_MAX][THEORY_REPLICATIONS]; /* mean of (N - E N)^2 over paths */
    double integral[THEORY_REPLICATIONS];
} Paths;

static uint32_t sample_at(const Paths *paths, uint32_t instant) {
    return (uint32_t)(paths->plan->times_s[instant] / paths->sample_s);
}

static void run_group(void *context, uint32_t group) {
    Paths *paths = context;
    double share = 1.0 / COPIES / paths->each;
    for (uint32_t i = 0; i < paths->each; i++) {
        WorldOptions options = {.seed = THEORY_SEED, .replication = group * paths->each + i};
        World *world = world_create(paths->model, &options);
        world_run(world);
        for (uint32_t k = 0; k < paths->plan->count; k++) {
            double n =
                probe_series(&world->probe, sample_at(paths, k), COMPONENT_DESK, SERIES_IN_SYSTEM);
            double away = n - COPIES * paths->expected[k];
            paths->mean[k][group] += n * share;
            paths->spread[k][group] += away * away * share;
        }
        for (uint32_t k = 0; k < sample_at(paths, paths->plan->count - 1); k++) {
            paths->integral[group] +=
                paths->sample_s * share *
                probe_series(&world->probe, k, COMPONENT_DESK, METRIC_in_system_mean);
        }
        world_destroy(world);
    }
}

static void check_printed(const Paths *paths) {
    const Plan *plan = paths->plan;
    for (uint32_t k = 0; plan->printed != NULL && k < plan->count; k++) {
        theory_check_number(plan->id, paths->expected[k], plan->printed[k]);
    }
    if (plan->printed != NULL) {
        theory_check_number(plan->id, paths->expected_integral, plan->printed[plan->count]);
    }
}

/* Runs all paths and holds the groups' means to what is expected; frees both. */
static void check_paths(Paths *paths, char *scenario) {
    const char *id = paths->plan->id;
    check_printed(paths);
    Model *model = theory_compile(scenario, NULL, 0);
    double customers_x = theory_customers_x(paths->plan->printed != NULL);
    paths->model = model;
    paths->each = (uint32_t)ceil(paths->plan->each * customers_x);
    theory_for_each(THEORY_REPLICATIONS, run_group, paths);
    TheoryMetric whole = {"integral of N", "desk", METRIC_in_system_mean, paths->expected_integral};
    bool passes = theory_judge(id, &whole, paths->integral, customers_x);
    for (uint32_t k = 0; k < paths->plan->count; k++) {
        char name[32];
        snprintf(name, sizeof name, "N@%g", paths->plan->times_s[k]);
        TheoryMetric mean = {name, "desk", METRIC_in_system_mean, paths->expected[k]};
        mean.gate = paths->is_noisy[k] && !theory_is_long() ? GATE_T : GATE_FULL;
        passes &= theory_judge(id, &mean, paths->mean[k], customers_x);
        snprintf(name, sizeof name, "Var N@%g", paths->plan->times_s[k]);
        TheoryMetric spread = {name, "desk", METRIC_in_system_mean, paths->expected[k], GATE_T};
        passes &= !paths->is_poisson || theory_judge(id, &spread, paths->spread[k], customers_x);
    }
    fflush(stdout);
    model_destroy(model);
    mem_free(paths);
    free(scenario);
    ck_assert_msg(passes, "%s is not what theory says", id);
}

/* ---- A loss of capacity */

/* M/M/c(t)/200 with work of mean 1: c servers, but `left` of them from `from` to `to`. The last
 * component is the integral of E N. */
typedef struct Outage {
    double lambda, c, left, from, to;
    double servers; /* now */
} Outage;

enum { STATES = 201 };

static int kolmogorov(double t, const double p[], double change[], void *context) {
    (void)t;
    const Outage *q = context;
    change[STATES] = 0;
    for (int n = 0; n < STATES; n++) {
        double up = n + 1 < STATES ? q->lambda : 0;
        change[n] = -p[n] * (up + fmin(n, q->servers));
        change[n] += n > 0 ? p[n - 1] * q->lambda : 0;
        change[n] += n + 1 < STATES ? p[n + 1] * fmin(n + 1, q->servers) : 0;
        change[STATES] += n * p[n];
    }
    return GSL_SUCCESS;
}

/* E N at each of the times, which ascend, and the integral up to the last. Steps end where the
 * number of servers changes. */
static double solve_outage(Outage q, const double *times, uint32_t count, double *expected) {
    double p[STATES + 1] = {1}, t = 0;
    gsl_odeiv2_system system = {kolmogorov, NULL, STATES + 1, &q};
    gsl_odeiv2_driver *driver =
        gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rk8pd, 1e-3, 1e-13, 1e-11);
    for (uint32_t k = 0; k < count; k++) {
        while (t < times[k]) {
            double next = t < q.from ? q.from : t < q.to ? q.to : times[k];
            q.servers = t >= q.from && t < q.to ? q.left : q.c;
            gsl_odeiv2_driver_reset(driver);
            int status = gsl_odeiv2_driver_apply(driver, &t, fmin(next, times[k]), p);
            ck_assert_int_eq(status, GSL_SUCCESS);
        }
        expected[k] = 0;
        for (int n = 0; n < STATES; n++) {
            expected[k] += n * p[n];
        }
    }
    gsl_odeiv2_driver_free(driver);
    return p[STATES];
}

static void check_outage(const Plan *plan, Outage q) {
    enum { SAMPLE_S = 2 };
    Paths *paths = mem_zalloc(1, sizeof *paths);
    *paths = (Paths){.plan = plan, .sample_s = SAMPLE_S};
    paths->expected_integral = solve_outage(q, plan->times_s, plan->count, paths->expected);
    for (uint32_t k = 0; k < plan->count; k++) {
        paths->is_noisy[k] = plan->times_s[k] > 2 * q.to - q.from;
    }
    char *scenario =
        theory_text("knockon: 1\n"
                    "run: {duration: %.17gs, sample_every: %ds}\n"
                    "clients:\n"
                    "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                    "services:\n"
                    "  desk:\n"
                    "    replicas: %u\n"
                    "    route: random\n"
                    "    server: {pool: {concurrency: %g}}\n"
                    "    work: {exponential: {mean: 1s}}\n"
                    "    queue: {limit: %g}\n"
                    "faults:\n"
                    "  - {at: %.17gs, for: %.17gs, capacity: {service: desk, to: %g}}\n",
                    plan->times_s[plan->count - 1] + SAMPLE_S, SAMPLE_S, q.lambda * COPIES, COPIES,
                    q.c, STATES - 1 - q.c, q.from, q.to - q.from, q.left);
    check_paths(paths, scenario);
}

START_TEST(an_outage_follows_kolmogorovs_equations) {
    static const double times_s[] = {20, 24, 28, 30, 32, 36, 40, 50};
    static const char *const a21[] = {"9.588187027", "33.58979343", "57.58979362",
                                      "69.58979362", "65.58979462", "57.59107709",
                                      "49.62951463", "31.49099362", "1567.924852"};
    static const double other_s[] = {8, 10, 14, 18, 24};
    check_outage(&(Plan){"A21", times_s, 8, 46, a21}, (Outage){8, 10, 2, 20, 30, 0});
    check_outage(&(Plan){"A21-other", other_s, 5, 48, NULL}, (Outage){6, 8, 0, 8, 14, 0});
}
END_TEST

/* ---- A sinusoidal load */

/* Eick, Massey and Whitt (Management Science 39, 1993): from empty, N(t) is Poisson with mean m(t),
 * here for a rate of average + swing sin(omega t). Constant work d, for t >= d: average d + swing
 * (cos omega (t - d) - cos omega t) / omega. Exponential work of mean 1: the solution of m' =
 * rate - m. */
typedef struct Sine {
    double average, swing, omega;
    double d; /* constant work; 0: exponential of mean 1 */
} Sine;

static double sine_mean(const Sine *q, double t) {
    double w = q->omega;
    if (q->d == 0) {
        return q->average * (1 - exp(-t)) +
               q->swing * (sin(w * t) - w * cos(w * t) + w * exp(-t)) / (1 + w * w);
    }
    double since = t > q->d ? t - q->d : 0;
    return q->average * (t - since) + q->swing * (cos(w * since) - cos(w * t)) / w;
}

/* Of m from 0, by Simpson's rule. */
static double sine_integral(const Sine *q, double to) {
    enum { STEPS = 200000 };
    double sum = 0, width = to / STEPS;
    for (int i = 0; i < STEPS; i++) {
        sum += width / 6 *
               (sine_mean(q, i * width) + 4 * sine_mean(q, (i + 0.5) * width) +
                sine_mean(q, (i + 1) * width));
    }
    return sum;
}

static void check_sine(const Plan *plan, Sine q, const char *work) {
    Paths *paths = mem_zalloc(1, sizeof *paths);
    *paths = (Paths){.plan = plan, .sample_s = 1, .is_poisson = true};
    for (uint32_t k = 0; k < plan->count; k++) {
        paths->expected[k] = sine_mean(&q, plan->times_s[k]);
    }
    paths->expected_integral = sine_integral(&q, plan->times_s[plan->count - 1]);
    char *scenario = theory_text("knockon: 1\n"
                                 "run: {duration: %.17gs, sample_every: 1s}\n"
                                 "clients:\n"
                                 "  web:\n"
                                 "    target: desk\n"
                                 "    arrivals: {poisson: {rate: %.17g/s}}\n"
                                 "    load: {sine: {amplitude: %.17g%%, period: %.17gs}}\n"
                                 "services:\n"
                                 "  desk:\n"
                                 "    replicas: %u\n"
                                 "    route: random\n"
                                 "    server: {pool: {concurrency: unlimited}}\n"
                                 "    work: %s\n",
                                 plan->times_s[plan->count - 1] + 1, q.average * COPIES,
                                 100 * q.swing / q.average, 2 * M_PI / q.omega, COPIES, work);
    check_paths(paths, scenario);
}

START_TEST(a_sinusoidal_load_gives_a_moving_poisson_law) {
    static const double times_s[] = {20, 22, 25};
    static const char *const a22[] = {"18.84706028", "6.504044367", "11.76810367", ""};
    static const double other_s[] = {5, 9, 12};
    check_sine(&(Plan){"A22", times_s, 3, 34, a22}, (Sine){10, 8, 0.5, 2}, "2s");
    check_sine(&(Plan){"A22-other", other_s, 3, 32, NULL}, (Sine){12, 5, 1.1, 0},
               "{exponential: {mean: 1s}}");
}
END_TEST

THEORY_SUITE("theory/transient", an_outage_follows_kolmogorovs_equations,
             a_sinusoidal_load_gives_a_moving_poisson_law)
