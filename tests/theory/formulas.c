#include "tests/theory/formulas.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_roots.h>
#include <math.h>

#include "sim/check.h"
#include "sim/vec.h"

double erlang_b(uint32_t servers, double load) {
    double blocked = 1;
    for (uint32_t k = 1; k <= servers; k++) {
        blocked = load * blocked / (k + load * blocked);
    }
    return blocked;
}

double erlang_c(uint32_t servers, double load) {
    CHECK(load < servers);
    double blocked = erlang_b(servers, load);
    return blocked / (1 - load / servers * (1 - blocked));
}

double poisson_at(uint32_t count, double mean) {
    return gsl_ran_poisson_pdf(count, mean);
}

double poisson_up_to(uint32_t count, double mean) {
    return gsl_cdf_poisson_P(count, mean);
}

double md1_wait_within(double lambda, double d, double t) {
    long double sum = 0;
    CHECK(t >= 0);
    for (uint32_t k = 0; k * (long double)d <= t; k++) {
        long double x = lambda * (t - k * (long double)d), term = 1;
        for (uint32_t i = 1; i <= k; i++) {
            term *= -x / i;
        }
        sum += term * expl(x);
    }
    return (double)((1 - (long double)lambda * d) * sum);
}

typedef struct Md1 {
    double lambda, d, p;
} Md1;

static double md1_excess(double t, void *context) {
    const Md1 *q = context;
    return md1_wait_within(q->lambda, q->d, t) - q->p;
}

double md1_wait_quantile(double lambda, double d, double p) {
    Md1 q = {lambda, d, p};
    return find_root(md1_excess, &q, 0, 20 * d);
}

double find_root(double (*function)(double, void *), void *context, double low, double high) {
    gsl_function wrapped = {function, context};
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    gsl_root_fsolver_set(solver, &wrapped, low, high);
    int status = GSL_CONTINUE;
    for (int i = 0; i < 200 && status == GSL_CONTINUE; i++) {
        gsl_root_fsolver_iterate(solver);
        status = gsl_root_test_interval(gsl_root_fsolver_x_lower(solver),
                                        gsl_root_fsolver_x_upper(solver), 0, 1e-15);
    }
    double root = gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    return root;
}

Chain chain_create(uint32_t count, uint32_t band) {
    CHECK(count > 0 && band > 0);
    return (Chain){count, band, mem_zalloc((size_t)count * (2 * band + 1), sizeof(double))};
}

void chain_free(Chain *chain) {
    mem_free(chain->rates);
}

static double *rate_at(const Chain *chain, uint32_t from, uint32_t to) {
    CHECK(from < chain->count && to < chain->count);
    CHECK(to + chain->band >= from && from + chain->band >= to);
    return &chain->rates[(size_t)from * (2 * chain->band + 1) + (to + chain->band - from)];
}

void chain_add(Chain *chain, uint32_t from, uint32_t to, double rate) {
    CHECK(rate >= 0);
    if (from != to) {
        *rate_at(chain, from, to) += rate;
    }
}

void chain_solve(Chain *chain, double *probabilities) {
    uint32_t band = chain->band;
    for (uint32_t k = chain->count - 1; k > 0; k--) {
        uint32_t first = k > band ? k - band : 0;
        double out = 0;
        for (uint32_t j = first; j < k; j++) {
            out += *rate_at(chain, k, j);
        }
        CHECK(out > 0);
        for (uint32_t i = first; i < k; i++) {
            double share = *rate_at(chain, i, k) /= out;
            for (uint32_t j = first; share > 0 && j < k; j++) {
                if (i != j) {
                    *rate_at(chain, i, j) += share * *rate_at(chain, k, j);
                }
            }
        }
    }
    double sum = probabilities[0] = 1;
    for (uint32_t k = 1; k < chain->count; k++) {
        probabilities[k] = 0;
        for (uint32_t i = k > band ? k - band : 0; i < k; i++) {
            probabilities[k] += probabilities[i] * *rate_at(chain, i, k);
        }
        sum += probabilities[k];
    }
    for (uint32_t k = 0; k < chain->count; k++) {
        probabilities[k] /= sum;
    }
}
