/* What callers do about failure, against closed forms: retries and their budgets, hedges, circuit
 * breakers and throttling of their own.
 *
 * Retries and budgets are those of docs: metastability, section D (M. Brooker's retry_sim), hedges
 * those of docs: validation, section 2.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/hist.h"
#include "tests/theory/theory.h"

/* A millisecond stands for one unit of time. */
static const double unit_s = 1e-3;

/* Requests of rate 1 whose attempts fail with probability f at once. */
static TheoryModel failing(double f, const char *call, TheoryMetric *metrics, uint32_t count) {
    char *text = theory_text("knockon: 1\n"
                             "clients:\n"
                             "  web:\n"
                             "    target: desk\n"
                             "    arrivals: {poisson: {rate: 1000/s}}\n"
                             "    call: {retry_on: [error, refused], %s}\n"
                             "services: {desk: {server: {pool: {concurrency: unlimited}}}}\n"
                             "faults: [{at: 0s, errors: {service: desk, ratio: %.17g%%}}]\n",
                             call, 100 * f);
    return (TheoryModel){text, unit_s, 1, metrics, count};
}

#define OVER_OFFERED .has_over = true, .over = METRIC_offered

/* Attempts per call, and the share of calls that succeed: (1 - f) of all attempts do. */
static void check_attempts(const TheoryCase *test, double f, const char *call, double attempts) {
    TheoryMetric metrics[] = {
        {"attempts", "web", METRIC_attempts, attempts, OVER_OFFERED},
        {"success", "web", METRIC_answered, attempts * (1 - f), OVER_OFFERED},
    };
    TheoryModel model = failing(f, call, metrics, 2);
    theory_check(test, &model);
}

START_TEST(n_retries_make_a_geometric_number_of_attempts) {
    static const char *const half[] = {"1.875", "0.9375", NULL};
    static const char three[] = "retry: {fixed: {max_attempts: 4, delay: 0s}}";
    check_attempts(&(TheoryCase){"D three", 1e6, half}, 0.5, three, (1 - pow(0.5, 4)) / 0.5);
    check_attempts(&(TheoryCase){"D three-other", 2e6, NULL}, 0.75, three,
                   (1 - pow(0.75, 4)) / 0.25);
}
END_TEST

/* With more failures than the budget has deposits every deposit is spent: 1 + deposit attempts. */
START_TEST(a_budget_of_a_tenth_allows_a_tenth) {
    static const char *const tenth[] = {"1.1", "0.55", NULL};
    static const char adaptive[] =
        "retry: {fixed: {max_attempts: unlimited, delay: 0s}}, retry_budget: {token_bucket: "
        "{capacity: 5, cost: 1, refund: 0, deposit: 0.1}}";
    check_attempts(&(TheoryCase){"D adaptive", 2e6, tenth}, 0.5, adaptive, 1.1);
    check_attempts(&(TheoryCase){"D adaptive-other", 2e6, NULL}, 0.3,
                   "retry: {fixed: {max_attempts: unlimited, delay: 0s}}, retry_budget: {ratio: "
                   "{ttl: 1s, min_per_s: 50/s, percent: 20%}}",
                   1.25);
}
END_TEST

/* The bucket of each of very many clients is full at its first and only call, and its four tokens
 * make that n retries again. */
START_TEST(a_budget_spread_over_many_clients_is_none) {
    check_attempts(&(TheoryCase){"D spread", 1.6e6, NULL}, 0.5,
                   "instances: 100k, retry: {fixed: {max_attempts: unlimited, delay: 0s}}, "
                   "retry_budget: {token_bucket: {capacity: 4, cost: 1, refund: 0, deposit: 0.1}}",
                   (1 - pow(0.5, 5)) / 0.5);
}
END_TEST

/* Failed attempts over calls, from the start: with retries they are f + f^2 + … of the calls, which
 * must be below a tenth; without they are f. */
START_TEST(a_breaker_of_retries_allows_all_or_none) {
    static const char breaker[] =
        "retry: {fixed: {max_attempts: 4, delay: 0s}}, retry_budget: {failure_ratio: {below: 10%, "
        "window: none, of: calls}}";
    check_attempts(&(TheoryCase){"D breaker", 3e6, NULL}, 0.05, breaker, (1 - pow(0.05, 4)) / 0.95);
    check_attempts(&(TheoryCase){"D breaker-other", 3e6, NULL}, 0.3, breaker, 1);
}
END_TEST

/* A hedge d after each attempt, work exponential with mean 1, no queue: the time is the least of
 * copies that begin d apart. */
static void check_hedge(const TheoryCase *test, double d, uint32_t hedges) {
    double mean = 0, attempts = 0, before = 1; /* P(T > k d) */
    for (uint32_t k = 0; k <= hedges; k++) {
        attempts += before;
        double after = before * exp(-(double)(k + 1) * d);
        mean += (before - (k < hedges ? after : 0)) / (k + 1);
        before = after;
    }
    /* Beyond the start of the last copy P(T > t) = e^-(n t - d n (n - 1) / 2) with n copies. */
    double n = hedges + 1, p99 = (log(100) + d * n * (n - 1) / 2) / n;
    ck_assert_double_gt(p99, hedges * d);
    TheoryMetric metrics[] = {
        {"E_latency", "web", METRIC_latency_mean, mean},
        {"E_attempts", "web", METRIC_attempts, attempts, OVER_OFFERED},
        {"p99", "web", METRIC_latency_p99, p99, GATE_T, HIST_RELATIVE_ERROR},
    };
    TheoryModel model = {theory_text("knockon: 1\n"
                                     "clients:\n"
                                     "  web:\n"
                                     "    target: desk\n"
                                     "    arrivals: {poisson: {rate: 1000/s}}\n"
                                     "    call: {hedge: {fixed: {after: %.17gms, max: %u}}}\n"
                                     "services:\n"
                                     "  desk:\n"
                                     "    server: {pool: {concurrency: unlimited}}\n"
                                     "    work: {exponential: {mean: 1ms}}\n",
                                     d, hedges),
                         unit_s, 1, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(a_hedge_is_the_least_of_two_that_begin_apart) {
    static const char *const half[] = {"0.696734670144", "1.606530660", "2.552585093", NULL};
    check_hedge(&(TheoryCase){"hedge", 2e6, half}, 0.5, 1);
    check_hedge(&(TheoryCase){"hedge-other", 4e6, NULL}, 0.3, 2);
}
END_TEST

/* Poisson attempts of rate 1 that fail with probability f at once; the breaker opens after k
 * failures in a row and for a time `open`. An open period holds back `open` of them and ends with a
 * probe; with probability 1 - f that closes it, and then (f^-k - 1) / (1 - f) go out until it opens
 * again. So each open period has 1 / f^k attempts that go out. */
static void check_breaker(const TheoryCase *test, double f, uint32_t k, double open) {
    double sent = pow(f, -(double)k), closed = sent - 1;
    char *call =
        theory_text("circuit_breaker: {consecutive: {failures: %u, open: %.17gms}}", k, open);
    TheoryMetric metrics[] = {
        {"held back", "web", METRIC_held_back, open / (open + sent), OVER_OFFERED},
        {"open", "web", METRIC_open_breakers, (open + 1) / (open + 1 + closed)},
        {"success", "web", METRIC_answered, (1 - f) * sent / (open + sent), OVER_OFFERED},
    };
    TheoryModel model = failing(f, call, metrics, 3);
    theory_check(test, &model);
    free(call);
}

START_TEST(a_breaker_is_open_as_a_renewal_process_says) {
    check_breaker(&(TheoryCase){"breaker", 6e6, NULL}, 0.3, 1, 2.5);
    check_breaker(&(TheoryCase){"breaker-other", 9e6, NULL}, 0.5, 2, 3);
}
END_TEST

/* Of 100/s a service takes 10/s: p = (requests - K accepts) / (requests + 1) lets K x 10/s through,
 * and one more in a window, which is 54 to 60 s long. */
START_TEST(an_adaptive_throttle_sends_k_times_what_is_accepted) {
    TheoryMetric metrics[] = {
        {"sent", "web", METRIC_attempts, 0.2 + 0.01 / 57, OVER_OFFERED},
        {"held back", "web", METRIC_held_back, 0.8 - 0.01 / 57, OVER_OFFERED},
        {"answered", "web", METRIC_answered, 0.1, OVER_OFFERED},
    };
    TheoryModel model = {
        theory_text("knockon: 1\n"
                    "clients:\n"
                    "  web:\n"
                    "    target: desk\n"
                    "    arrivals: {poisson: {rate: 100/s}}\n"
                    "    call: {client_throttle: {adaptive: {window: 1min}}}\n"
                    "services: {desk: {server: {pool: {concurrency: unlimited}}, shed: "
                    "{token_bucket: {rate: 10/s, burst: 50}}}}\n"),
        1, 100, THEORY_METRICS(metrics)};
    theory_check(&(TheoryCase){"throttle", 6e6, NULL}, &model);
}
END_TEST

THEORY_SUITE("theory/policies", n_retries_make_a_geometric_number_of_attempts,
             a_budget_of_a_tenth_allows_a_tenth, a_budget_spread_over_many_clients_is_none,
             a_breaker_of_retries_allows_all_or_none, a_hedge_is_the_least_of_two_that_begin_apart,
             a_breaker_is_open_as_a_renewal_process_says,
             an_adaptive_throttle_sends_k_times_what_is_accepted)
