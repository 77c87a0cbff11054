/* Reference values: closed forms, and finite Markov chains solved without subtraction. */
#ifndef KNOCKON_TESTS_THEORY_FORMULAS_H
#define KNOCKON_TESTS_THEORY_FORMULAS_H

#include <stdint.h>

/* Erlang's loss and delay probabilities for `servers` and an offered load of `load` (A. K. Erlang
 * 1917). The recursion B(k) = a B(k-1) / (k + a B(k-1)) is stable for any size. */
double erlang_b(uint32_t servers, double load);
double erlang_c(uint32_t servers, double load); /* load < servers */

/* Probability of `count` events, and of `count` or fewer, when `mean` are expected. */
double poisson_at(uint32_t count, double mean);
double poisson_up_to(uint32_t count, double mean);

/* P(wait <= t) in M/D/1 with service `d`: Erlang's sum
 * (1 - rho) sum_k (-lambda (t - k d))^k / k! exp(lambda (t - k d)). Alternating: use it for t up to
 * some 20 d. And the wait that a share `p` does not exceed. */
double md1_wait_within(double lambda, double d, double t);
double md1_wait_quantile(double lambda, double d, double p);

/* The root of `function` in [low, high] by Brent's method, to 1e-15 relative. */
double find_root(double (*function)(double, void *), void *context, double low, double high);

/* A Markov chain on states 0 to count - 1 whose transitions change the state by at most `band`. */
typedef struct Chain {
    uint32_t count, band;
    double *rates; /* [count][2 band + 1] */
} Chain;

Chain chain_create(uint32_t count, uint32_t band);
void chain_free(Chain *chain);

/* Adds to the rate (or probability) of from -> to. A transition from a state to itself is left
 * out: it does not matter. */
void chain_add(Chain *chain, uint32_t from, uint32_t to, double rate);

/* The stationary probabilities, by the elimination of Grassmann, Taksar and Heyman (Operations
 * Research 33, 1985), which never subtracts and so keeps full relative precision. State 0 must be
 * reachable. Destroys the rates. */
void chain_solve(Chain *chain, double *probabilities);

#endif
