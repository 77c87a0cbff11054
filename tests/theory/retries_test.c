/* Retries: independent failures, and loss systems whose refused customers come again. */
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_linalg.h>

#include "tests/theory/formulas.h"
#include "tests/theory/theory.h"

/* A millisecond stands for one unit of time. */
static const double unit_s = 1e-3;

/* Attempts fail independently with probability p: (1 - p^n) / (1 - p) attempts of at most n. */
static void check_failures(const TheoryCase *test, double p, uint32_t attempts, double base,
                           double multiplier, double work) {
    double success = 0, latency = 0, elapsed = 0, reached = 1, backoff = base;
    for (uint32_t k = 0; k < attempts; k++) {
        elapsed += work;
        success += reached * (1 - p);
        latency += reached * (1 - p) * elapsed;
        reached *= p;
        elapsed += k + 1 < attempts ? backoff : 0;
        backoff *= multiplier;
    }
    TheoryMetric metrics[] = {
        {"E_attempts", "web", METRIC_attempts, (1 - pow(p, attempts)) / (1 - p), .has_over = true,
         .over = METRIC_offered},
        {"P_success", "web", METRIC_answered, success, .has_over = true, .over = METRIC_offered},
        {"E_lat | success", "web", METRIC_latency_mean, latency / success},
        {"E_lat | failure", "web", METRIC_failed_latency, elapsed},
        {"P_error", "web", METRIC_errors, reached, GATE_T, .has_over = true,
         .over = METRIC_offered},
    };
    TheoryModel model = {
        theory_text("knockon: 1\n"
                    "clients:\n"
                    "  web:\n"
                    "    target: desk\n"
                    "    arrivals: {poisson: {rate: 1000/s}}\n"
                    "    call:\n"
                    "      retry:\n"
                    "        exponential: {max_attempts: %u, base: %.17gms, multiplier: %.17g,\n"
                    "                      jitter: none}\n"
                    "services:\n"
                    "  desk:\n"
                    "    server: {pool: {concurrency: unlimited}}\n"
                    "    work: {exponential: {mean: %.17gms}}\n"
                    "faults: [{at: 0s, errors: {service: desk, ratio: %.17g%%}}]\n",
                    attempts, base, multiplier, work, 100 * p),
        unit_s, 1, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(failures_that_are_independent_are_retried_to_a_geometric_law) {
    static const char *const a25[] = {"1.417", "0.9919", "1.233592096", "9", NULL};
    check_failures(&(TheoryCase){"A25", 2e6, a25}, 0.3, 4, 1, 2, 0.5);
    check_failures(&(TheoryCase){"A25-other", 2e6, NULL}, 0.5, 3, 0.5, 3, 1);
}
END_TEST

/* A loss system whose refused customers come again after an exponential time: the chain of (busy,
 * in orbit), state orbit x (c + 1) + busy. */
typedef struct Retrial {
    double lambda, nu;
    uint32_t c;
    bool once; /* who is refused a second time is lost */
} Retrial;

enum { ORBIT_MAX = 200 };

static Chain retrial_chain(const Retrial *q, uint32_t orbits) {
    uint32_t width = q->c + 1;
    Chain chain = chain_create(orbits * width, width);
    for (uint32_t orbit = 0; orbit < orbits; orbit++) {
        for (uint32_t busy = 0; busy <= q->c; busy++) {
            uint32_t at = orbit * width + busy;
            if (busy < q->c) {
                chain_add(&chain, at, at + 1, q->lambda);
            } else if (orbit + 1 < orbits) {
                chain_add(&chain, at, at + width, q->lambda);
            }
            if (busy > 0) {
                chain_add(&chain, at, at - 1, busy);
            }
            if (orbit > 0 && busy < q->c) {
                chain_add(&chain, at, at - width + 1, orbit * q->nu);
            } else if (orbit > 0 && q->once) {
                chain_add(&chain, at, at - width, orbit * q->nu);
            }
        }
    }
    return chain;
}

/* What the chain says: the probability that all are busy, and means. */
typedef struct RetrialAnswer {
    double all_busy, orbit, busy;
} RetrialAnswer;

static RetrialAnswer solve_retrial(const Retrial *q) {
    Chain chain = retrial_chain(q, ORBIT_MAX);
    double *p = malloc(chain.count * sizeof *p);
    chain_solve(&chain, p);
    RetrialAnswer answer = {0};
    for (uint32_t i = 0; i < chain.count; i++) {
        uint32_t busy = i % (q->c + 1);
        answer.all_busy += busy == q->c ? p[i] : 0;
        answer.orbit += p[i] * (i / (q->c + 1));
        answer.busy += p[i] * busy;
    }
    chain_free(&chain);
    free(p);
    return answer;
}

static char *retrial_scenario(const Retrial *q) {
    char *attempts = q->once ? theory_text("2") : theory_text("unlimited");
    char *text = theory_text("knockon: 1\n"
                             "clients:\n"
                             "  web:\n"
                             "    target: desk\n"
                             "    arrivals: {poisson: {rate: %.17g/s}}\n"
                             "    call:\n"
                             "      retry_on: [refused]\n"
                             "      retry:\n"
                             "        fixed: {max_attempts: %s,\n"
                             "                delay: {exponential: {mean: %.17gms}}}\n"
                             "services:\n"
                             "  desk:\n"
                             "    server: {pool: {concurrency: %u}}\n"
                             "    work: {exponential: {mean: 1ms}}\n"
                             "    queue: {limit: 0}\n",
                             q->lambda / unit_s, attempts, 1 / q->nu, q->c);
    free(attempts);
    return text;
}

/* Each retry ends one stay in orbit, so their rate is nu E[orbit]. The probability of being refused
 * at first is not measured by itself; with one retry at most it is the retries per customer. */
static void check_retrial(const TheoryCase *test, const Retrial *q) {
    RetrialAnswer answer = solve_retrial(q);
    double retries = q->nu * answer.orbit / q->lambda;
    theory_check_number("Pblock_first", answer.all_busy, test->also[0]);
    theory_check_number("retry_rate", q->nu * answer.orbit, test->also[1]);
    TheoryMetric metrics[] = {
        {"amplification", "web", METRIC_attempts, 1 + retries, .has_over = true,
         .over = METRIC_offered},
        {"E_orbit", "web", METRIC_retry_waiting, answer.orbit},
        {"E_busy", "desk", METRIC_busy, answer.busy},
        {"success_rate", "web", METRIC_goodput, answer.busy},
        {"refused attempts", "desk", METRIC_refused, 1 - answer.busy / (q->lambda * (1 + retries)),
         .has_over = true, .over = METRIC_offered},
        {"Ploss", "web", METRIC_refused, 1 - answer.busy / q->lambda, .has_over = true,
         .over = METRIC_offered},
    };
    TheoryModel model = {retrial_scenario(q), unit_s, q->lambda, THEORY_METRICS(metrics)};
    model.metric_count -= q->once ? 0 : 1; /* otherwise nobody is lost */
    theory_check(test, &model);
}

START_TEST(one_retry_after_a_refusal_follows_its_chain) {
    static const char *const a11[] = {
        "1.472827091", "2.836962547", "2.232544999", "2.232544999", "", "0.2558183336", NULL};
    check_retrial(&(TheoryCase){"A11", 6e6, a11, {"0.4728270912", "1.418481274"}},
                  &(Retrial){3, 0.5, 3, true});
    check_retrial(&(TheoryCase){"A11-other", 4e6, NULL}, &(Retrial){1.5, 2, 2, true});
}
END_TEST

START_TEST(persistent_retries_follow_their_chain) {
    static const char *const a31[] = {"1.97966096", "4.114576032", "2.1", "2.1", NULL};
    check_retrial(&(TheoryCase){"A31", 3.6e7, a31, {"0.4225367826", "2.057288016"}},
                  &(Retrial){2.1, 0.5, 3, false});
    check_retrial(&(TheoryCase){"A31-other", 1.4e7, NULL}, &(Retrial){1, 1, 2, false});
}
END_TEST

/* The elimination without subtraction against GSL's LU decomposition of a small chain. */
START_TEST(chains_are_solved_as_by_lu) {
    const Retrial q = {3, 0.5, 3, true};
    Chain chain = retrial_chain(&q, 30);
    size_t n = chain.count;
    gsl_matrix *equations = gsl_matrix_calloc(n, n);
    gsl_vector *right = gsl_vector_calloc(n), *solution = gsl_vector_alloc(n);
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            if (from != to && from + chain.band >= to && to + chain.band >= from) {
                double rate = chain.rates[from * (2 * chain.band + 1) + to + chain.band - from];
                *gsl_matrix_ptr(equations, to, from) += rate;
                *gsl_matrix_ptr(equations, from, from) -= rate;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        gsl_matrix_set(equations, n - 1, i, 1);
    }
    gsl_vector_set(right, n - 1, 1);
    gsl_permutation *order = gsl_permutation_alloc(n);
    int sign;
    gsl_linalg_LU_decomp(equations, order, &sign);
    gsl_linalg_LU_solve(equations, order, right, solution);
    double *p = malloc(n * sizeof *p);
    chain_solve(&chain, p);
    for (size_t i = 0; i < n; i++) {
        ck_assert_double_eq_tol(p[i], gsl_vector_get(solution, i), 1e-14);
    }
    free(p);
    chain_free(&chain);
    gsl_permutation_free(order);
    gsl_vector_free(solution);
    gsl_vector_free(right);
    gsl_matrix_free(equations);
}
END_TEST

THEORY_SUITE("theory/retries", chains_are_solved_as_by_lu,
             failures_that_are_independent_are_retried_to_a_geometric_law,
             one_retry_after_a_refusal_follows_its_chain, persistent_retries_follow_their_chain)
