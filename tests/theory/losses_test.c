/* Loss and impatience: full queues, patience, clients' timeouts and what is cancelled then. */
#include <math.h>
#include <stdlib.h>

#include "tests/theory/formulas.h"
#include "tests/theory/theory.h"

/* A millisecond stands for one unit of time. */
static const double unit_s = 1e-3;

/* M/M/c with at most `limit` waiting: a birth-death chain. */
static void check_finite(const TheoryCase *test, double lambda, uint32_t c, uint32_t limit) {
    double weight = 1, sum = 1, in_system = 0, busy = 0, full = 1;
    for (uint32_t n = 1; n <= c + limit; n++) {
        weight *= lambda / (n < c ? n : c);
        sum += weight;
        in_system += n * weight;
        busy += (n < c ? n : c) * weight;
        full = weight;
    }
    in_system /= sum;
    busy /= sum;
    full /= sum;
    double through = lambda * (1 - full);
    TheoryMetric metrics[] = {
        {"Pblock", "web", METRIC_refused, full, .has_over = true, .over = METRIC_offered},
        {"throughput", "web", METRIC_goodput, through},
        {"L", "desk", METRIC_in_system_mean, in_system},
        {"Lq", "desk", METRIC_queue, in_system - busy},
        {"W", "web", METRIC_latency_mean, in_system / through},
        {"Wq", "desk", METRIC_queue_wait_mean, (in_system - busy) / through},
        {"util", "desk", METRIC_utilization, busy / c},
    };
    TheoryModel model = {theory_text("knockon: 1\n"
                                     "clients:\n"
                                     "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                                     "services:\n"
                                     "  desk:\n"
                                     "    server: {pool: {concurrency: %u}}\n"
                                     "    work: {exponential: {mean: 1ms}}\n"
                                     "    queue: {limit: %u}\n",
                                     lambda / unit_s, c, limit),
                         unit_s, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(a_full_queue_refuses_as_the_birth_death_chain_says) {
    static const char *const a03[] = {"0.2213948853", "1.946512787", "7.117288456",  "5.170775669",
                                      "3.656430363",  "2.656430363", "0.9732563934", NULL};
    check_finite(&(TheoryCase){"A03", 1.8e7, a03}, 2.5, 2, 8);
    check_finite(&(TheoryCase){"A03-other", 2.2e7, NULL}, 3.5, 4, 3);
}
END_TEST

/* M/M/c whose waiting customers leave: the probabilities of waiting and of leaving, the wait of
 * all, and how many are served. */
typedef struct Impatience {
    double waits, leaves, wait_of_all;
} Impatience;

/* Erlang-A: patience is exponential with rate theta; a birth-death chain. */
static Impatience erlang_a(double lambda, uint32_t c, double theta) {
    double weight = 1, sum = 1, waiting = 0, all_busy = 0;
    for (uint32_t n = 1; n < 2000 && weight > 1e-300; n++) {
        weight *= lambda / (n <= c ? n : c + theta * (n - c));
        sum += weight;
        waiting += n > c ? (n - c) * weight : 0;
        all_busy += n >= c ? weight : 0;
    }
    return (Impatience){all_busy / sum, theta * waiting / sum / lambda, waiting / sum / lambda};
}

/* Patience is exactly `d` (Baccelli and Hebuterne 1981; Zeltyn and Mandelbaum 2005): with
 * k = c mu - lambda and J = (1 - exp(-k d)) / k + exp(-k d) / (c mu), P(leaves) =
 * (1 + (lambda - c mu) J) / (epsilon + lambda J), P(waits) = lambda J / (epsilon + lambda J). The
 * wait of all: E[min(V, d)] = P(leaves) d + E[V; V < d], V the work in front with density
 * proportional to exp(-k t). */
static Impatience fixed_patience(double lambda, uint32_t c, double d) {
    double k = c - lambda, gone = exp(-k * d), term = 1, epsilon = 0;
    double j = (1 - gone) / k + gone / c;
    for (uint32_t n = c; n-- > 0;) {
        epsilon += term; /* (a^n / n!) / (a^(c-1) / (c-1)!) */
        term *= n / lambda;
    }
    double leaves = (1 - k * j) / (epsilon + lambda * j);
    /* Density of V on (0, d): lambda exp(-k t) / (epsilon + lambda J). */
    double early = (1 - gone * (1 + k * d)) / (k * k) * lambda / (epsilon + lambda * j);
    return (Impatience){lambda * j / (epsilon + lambda * j), leaves, early + leaves * d};
}

static void check_impatience(const TheoryCase *test, double lambda, uint32_t c,
                             const char *patience, Impatience expected) {
    TheoryMetric metrics[] = {
        {"Pwait", "desk", METRIC_waited_ratio, expected.waits},
        {"Pab", "desk", METRIC_abandoned, expected.leaves, .has_over = true,
         .over = METRIC_offered},
        {"E_wait_all", "desk", METRIC_queue_wait_mean, expected.wait_of_all},
        {"Lq", "desk", METRIC_queue, lambda * expected.wait_of_all},
        {"throughput", "web", METRIC_goodput, lambda * (1 - expected.leaves)},
        {"util", "desk", METRIC_utilization, lambda * (1 - expected.leaves) / c},
        {"Prefused", "web", METRIC_refused, expected.leaves, .has_over = true,
         .over = METRIC_offered},
    };
    TheoryModel model = {theory_text("knockon: 1\n"
                                     "clients:\n"
                                     "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                                     "services:\n"
                                     "  desk:\n"
                                     "    server: {pool: {concurrency: %u}}\n"
                                     "    work: {exponential: {mean: 1ms}}\n"
                                     "    queue: {timeout: %s}\n",
                                     lambda / unit_s, c, patience),
                         unit_s, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(impatient_customers_leave_as_erlang_a_says) {
    static const char *const a07[] = {"0.8503849479", "0.195655944",  "0.391311888", "4.695742656",
                                      "9.652128672",  "0.9652128672", NULL};
    check_impatience(&(TheoryCase){"A07", 2.2e7, a07}, 12, 10, "{exponential: {mean: 2ms}}",
                     erlang_a(12, 10, 0.5));
    check_impatience(&(TheoryCase){"A07-other", 8e6, NULL}, 3, 3, "{exponential: {mean: 0.5ms}}",
                     erlang_a(3, 3, 2));
}
END_TEST

START_TEST(a_timeout_of_the_queue_acts_while_queued) {
    static const char *const a08[] = {"0.8302658065", "0.1995542107", "0.2833068341",
                                      "3.399682009",  "9.605349472",  NULL};
    check_impatience(&(TheoryCase){"A08", 1.2e7, a08}, 12, 10, "0.5ms",
                     fixed_patience(12, 10, 0.5));
    check_impatience(&(TheoryCase){"A08-other", 1.1e7, NULL}, 6, 5, "0.7ms",
                     fixed_patience(6, 5, 0.7));
}
END_TEST

/* One server, a client that waits at most `d`, and three meanings of that. */
static char *client_deadline(double lambda, double d, const char *cancel) {
    return theory_text("knockon: 1\n"
                       "clients:\n"
                       "  web:\n"
                       "    target: desk\n"
                       "    arrivals: {poisson: {rate: %.17g/s}}\n"
                       "    call: {timeout: %.17gms}\n"
                       "services:\n"
                       "  desk:\n"
                       "    work: {exponential: {mean: 1ms}}\n"
                       "    cancel_on_timeout: %s\n",
                       lambda / unit_s, d, cancel);
}

/* The server is not told: P(sojourn > d) of M/M/1. */
static void check_untold(const TheoryCase *test, double lambda, double d) {
    double late = exp(-(1 - lambda) * d);
    TheoryMetric metrics[] = {
        {"Ptimeout", "web", METRIC_timeouts, late, .has_over = true, .over = METRIC_offered},
        {"Plate", "desk", METRIC_late, late, GATE_T, .has_over = true, .over = METRIC_offered},
        {"W of all", "desk", METRIC_latency_mean, 1 / (1 - lambda), GATE_T},
        {"util", "desk", METRIC_utilization, lambda},
    };
    TheoryModel model = {client_deadline(lambda, d, "never"), unit_s, lambda,
                         THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

/* Removed from the queue only: leaving as with a timeout of the queue, and P(served, but late) =
 * P0 exp(-mu d) (1 + (exp(lambda d) - 1)). */
static void check_told_in_queue(const TheoryCase *test, double lambda, double d) {
    Impatience queue = fixed_patience(lambda, 1, d);
    double idle = 1 - queue.waits, late = idle * exp(-d) * (1 + (exp(lambda * d) - 1));
    TheoryMetric metrics[] = {
        {"Pab", "desk", METRIC_abandoned, queue.leaves, .has_over = true, .over = METRIC_offered},
        {"E_wait_all", "desk", METRIC_queue_wait_mean, queue.wait_of_all},
        {"P0", "desk", METRIC_idle_ratio, idle},
        {"Plate", "desk", METRIC_late, late, .has_over = true, .over = METRIC_offered},
        {"Ptimeout", "web", METRIC_timeouts, queue.leaves + late, .has_over = true,
         .over = METRIC_offered},
    };
    TheoryModel model = {client_deadline(lambda, d, "queued"), unit_s, lambda,
                         THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

/* Removed anywhere: P(timeout) = P0 exp(-(mu - lambda) d), P0 by level crossing. */
static void check_told_anywhere(const TheoryCase *test, double lambda, double d) {
    double k = 1 - lambda, gone = exp(-k * d);
    double idle = 1 / (1 + lambda * (1 - gone) / k);
    TheoryMetric metrics[] = {
        {"P0", "desk", METRIC_idle_ratio, idle},
        {"Ptimeout", "web", METRIC_timeouts, idle * gone, .has_over = true, .over = METRIC_offered},
        {"throughput", "web", METRIC_goodput, lambda * (1 - idle * gone)},
    };
    TheoryModel model = {client_deadline(lambda, d, "anywhere"), unit_s, lambda,
                         THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(a_clients_timeout_means_what_cancellation_says) {
    static const char *const a[] = {"0.3678794412", NULL};
    static const char *const b[] = {"0.0769866713", "1.767386532", "0.261589337", "0.09623333913",
                                    NULL};
    static const char *const c[] = {"0.2834079735", "0.1042599669", "0.7165920265", NULL};
    check_untold(&(TheoryCase){"A09-A", 2.8e7, a}, 0.8, 5);
    check_told_in_queue(&(TheoryCase){"A09-B", 2.4e7, b}, 0.8, 5);
    check_told_anywhere(&(TheoryCase){"A09-C", 1.8e7, c}, 0.8, 5);
    check_untold(&(TheoryCase){"A09-A-oth", 4e6, NULL}, 0.6, 2);
    check_told_in_queue(&(TheoryCase){"A09-B-oth", 8e6, NULL}, 0.6, 2);
    check_told_anywhere(&(TheoryCase){"A09-C-oth", 6e6, NULL}, 0.6, 2);
}
END_TEST

THEORY_SUITE("theory/losses", a_full_queue_refuses_as_the_birth_death_chain_says,
             impatient_customers_leave_as_erlang_a_says, a_timeout_of_the_queue_acts_while_queued,
             a_clients_timeout_means_what_cancellation_says)
