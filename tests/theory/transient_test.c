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

enum { INSTANTS_MAX = 16, COMPONENT_DESK = 1 };

/* Runs in 32 groups; the mean over each group is one value of the protocol. A run holds several
 * paths at once, as replicas among which Poisson arrivals are spread at random: these are
 * independent, and a World costs more than a path. */
typedef struct Paths {
    const Model *model;
    uint32_t each;               /* runs of a group */
    uint32_t copies;             /* paths of a run */
    uint32_t count, last;        /* instants, and the sample of the latest one */
    const uint32_t *samples;     /* at the start of which the instants are */
    const double *expected;      /* E N(t) */
    bool is_noisy[INSTANTS_MAX]; /* precise enough only with KNOCKON_LONG */
    double mean[INSTANTS_MAX][THEORY_REPLICATIONS];
    double spread[INSTANTS_MAX][THEORY_REPLICATIONS]; /* mean of (N - E N)^2 over paths */
    double integral[THEORY_REPLICATIONS];             /* of N up to the latest instant */
} Paths;

static void run_group(void *context, uint32_t group) {
    Paths *paths = context;
    double width_s = time_to_s(paths->model->run.sample_every);
    double copies = paths->copies, share = 1 / copies / paths->each;
    for (uint32_t i = 0; i < paths->each; i++) {
        WorldOptions options = {.seed = THEORY_SEED, .replication = group * paths->each + i};
        World *world = world_create(paths->model, &options);
        world_run(world);
        for (uint32_t k = 0; k < paths->count; k++) {
            double n =
                probe_series(&world->probe, paths->samples[k], COMPONENT_DESK, SERIES_IN_SYSTEM);
            double away = n - copies * paths->expected[k];
            paths->mean[k][group] += n * share;
            paths->spread[k][group] += away * away * share;
        }
        for (uint32_t k = 0; k < paths->last; k++) {
            paths->integral[group] +=
                width_s * share *
                probe_series(&world->probe, k, COMPONENT_DESK, METRIC_in_system_mean);
        }
        world_destroy(world);
    }
}

/* Holds the groups' means to what is expected, and if `is_poisson` also their variances. */
static void check_paths(const char *id, const char *scenario, Paths *paths, const double *times,
                        double integral, bool is_poisson) {
    Model *model = theory_compile(scenario, NULL, 0);
    uint32_t factor = theory_is_long() ? 4 : 1;
    paths->model = model;
    paths->each *= factor;
    paths->last = paths->samples[paths->count - 1];
    theory_for_each(THEORY_REPLICATIONS, run_group, paths);
    bool passes = true;
    for (uint32_t k = 0; k < paths->count; k++) {
        char name[32];
        snprintf(name, sizeof name, "N@%g", times[k]);
        TheoryMetric mean = {name, "desk", METRIC_in_system_mean, paths->expected[k]};
        mean.gate = paths->is_noisy[k] && factor == 1 ? GATE_T : GATE_FULL;
        passes &= theory_judge(id, &mean, paths->mean[k], 1);
        snprintf(name, sizeof name, "Var N@%g", times[k]);
        TheoryMetric spread = {name, "desk", METRIC_in_system_mean, paths->expected[k], GATE_T};
        passes &= !is_poisson || theory_judge(id, &spread, paths->spread[k], 1);
    }
    TheoryMetric whole = {"integral of N", "desk", METRIC_in_system_mean, integral};
    passes &= theory_judge(id, &whole, paths->integral, 1);
    fflush(stdout);
    model_destroy(model);
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

static void check_outage(const char *id, Outage q, const double *times, uint32_t count,
                         uint32_t each, uint32_t copies, const char *const *printed) {
    enum { SAMPLE_S = 2 };
    double expected[INSTANTS_MAX];
    uint32_t samples[INSTANTS_MAX];
    Paths *paths = mem_zalloc(1, sizeof *paths);
    double integral = solve_outage(q, times, count, expected);
    for (uint32_t k = 0; k < count; k++) {
        samples[k] = (uint32_t)(times[k] / SAMPLE_S);
        paths->is_noisy[k] = times[k] > 2 * q.to - q.from;
        theory_check_number(id, expected[k], printed == NULL ? NULL : printed[k]);
    }
    theory_check_number(id, integral, printed == NULL ? NULL : printed[count]);
    paths->each = each;
    paths->copies = copies;
    paths->count = count;
    paths->samples = samples;
    paths->expected = expected;
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
                    times[count - 1] + SAMPLE_S, SAMPLE_S, q.lambda * copies, copies, q.c,
                    STATES - 1 - q.c, q.from, q.to - q.from, q.left);
    check_paths(id, scenario, paths, times, integral, false);
    free(scenario);
    mem_free(paths);
}

START_TEST(an_outage_follows_kolmogorovs_equations) {
    static const double times[] = {20, 24, 28, 30, 32, 36, 40, 50};
    static const char *const a21[] = {"9.588187027", "33.58979343", "57.58979362",
                                      "69.58979362", "65.58979462", "57.59107709",
                                      "49.62951463", "31.49099362", "1567.924852"};
    static const double other[] = {8, 10, 14, 18, 24};
    check_outage("A21", (Outage){8, 10, 2, 20, 30, 0}, times, 8, 110, 32, a21);
    check_outage("A21-other", (Outage){6, 8, 0, 8, 14, 0}, other, 5, 90, 32, NULL);
}
END_TEST

/* ---- A sinusoidal load */

/* Eick, Massey and Whitt (Management Science 39, 1993): from empty, N(t) is Poisson with mean m(t),
 * here for a rate of average + swing sin(omega t). Constant work d, for t >= d: average d + swing
 * (cos omega (t - d) - cos omega t) / omega. Exponential work of mean 1: the solution of m' = rate
 * - m. Integrals from 0 by Simpson's rule would do; these are exact. */
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

static void check_sine(const char *id, Sine q, const char *work, const double *times,
                       uint32_t count, uint32_t each, uint32_t copies, const char *const *printed) {
    double expected[INSTANTS_MAX];
    uint32_t samples[INSTANTS_MAX];
    Paths *paths = mem_zalloc(1, sizeof *paths);
    for (uint32_t k = 0; k < count; k++) {
        expected[k] = sine_mean(&q, times[k]);
        samples[k] = (uint32_t)times[k];
        theory_check_number(id, expected[k], printed == NULL ? NULL : printed[k]);
    }
    paths->each = each;
    paths->copies = copies;
    paths->count = count;
    paths->samples = samples;
    paths->expected = expected;
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
                                 times[count - 1] + 1, q.average * copies,
                                 100 * q.swing / q.average, 2 * M_PI / q.omega, copies, work);
    check_paths(id, scenario, paths, times, sine_integral(&q, times[count - 1]), true);
    free(scenario);
    mem_free(paths);
}

START_TEST(a_sinusoidal_load_gives_a_moving_poisson_law) {
    static const double times[] = {20, 22, 25};
    static const char *const a22[] = {"18.84706028", "6.504044367", "11.76810367"};
    static const double other[] = {5, 9, 12};
    check_sine("A22", (Sine){10, 8, 0.5, 2}, "2s", times, 3, 120, 32, a22);
    check_sine("A22-other", (Sine){12, 5, 1.1, 0}, "{exponential: {mean: 1s}}", other, 3, 60, 32,
               NULL);
}
END_TEST

THEORY_SUITE("theory/transient", an_outage_follows_kolmogorovs_equations,
             a_sinusoidal_load_gives_a_moving_poisson_law)
