/* Single queues without losses: M/M/c, M/G/1, D/M/1, M/D/c, processor sharing, breakdowns. */
#include <math.h>
#include <stdlib.h>

#include "sim/hist.h"
#include "tests/theory/formulas.h"
#include "tests/theory/theory.h"

/* A millisecond stands for one unit of time. */
static const double unit_s = 1e-3;

/* Gaps between arrivals, arrivals per second, server, work. */
static char *one_service(const char *arrivals, double rate, const char *server, const char *work) {
    return theory_text("knockon: 1\n"
                       "clients:\n"
                       "  web: {target: desk, arrivals: {%s: {rate: %.17g/s}}}\n"
                       "services:\n"
                       "  desk: {server: {%s}, work: %s}\n",
                       arrivals, rate / unit_s, server, work);
}

/* M/M/c: Erlang C, Wq = C / (c mu - lambda), P(Wq > t) = C exp(-(c mu - lambda) t). */
static void check_mmc(const TheoryCase *test, double lambda, uint32_t c) {
    double wait = erlang_c(c, lambda), spare = c - lambda, wq = wait / spare;
    double p95 = log(wait / 0.05) / spare, p99 = log(wait / 0.01) / spare;
    TheoryMetric metrics[] = {
        {"Pwait", "desk", METRIC_waited_ratio, wait},
        {"Wq", "desk", METRIC_queue_wait_mean, wq},
        {"W", "web", METRIC_latency_mean, wq + 1},
        {"Lq", "desk", METRIC_queue, lambda * wq, GATE_T},
        {"L", "desk", METRIC_in_system_mean, lambda * (wq + 1)},
        {"Wq_p95", "desk", METRIC_queue_wait_p95, p95, GATE_T, HIST_RELATIVE_ERROR},
        {"Wq_p99", "desk", METRIC_queue_wait_p99, p99, GATE_T, HIST_RELATIVE_ERROR},
        {"busy", "desk", METRIC_busy, lambda},
    };
    char *server = theory_text("pool: {concurrency: %u}", c);
    TheoryModel model = {one_service("poisson", lambda, server, "{exponential: {mean: 1ms}}"),
                         unit_s, lambda, THEORY_METRICS(metrics)};
    free(server);
    theory_check(test, &model);
}

START_TEST(waits_in_mmc_are_as_erlang_c_says) {
    static const char *const a01[] = {"0.8", "4", "5", "3.2", "4", "", "21.91013317", "0.8", NULL};
    static const char *const a02[] = {"0.5964324718", "0.7455405897", "1.74554059",
                                      "2.385729887",  "5.585729887",  "3.098678778",
                                      "5.110476168",  "3.2",          NULL};
    theory_check_number("A02 Erlang B", erlang_b(4, 3.2), "0.22814493");
    check_mmc(&(TheoryCase){"A01", 6e7, a01}, 0.8, 1);
    check_mmc(&(TheoryCase){"A02", 1.05e8, a02}, 3.2, 4);
    check_mmc(&(TheoryCase){"A02-other", 3.4e7, NULL}, 1.2, 2);
}
END_TEST

/* M/G/1: Pollaczek and Khinchine, with the second moment of a mean of 1. */
static void check_mg1(const TheoryCase *test, double lambda, const char *work,
                      double second_moment) {
    double wq = lambda * second_moment / 2 / (1 - lambda);
    bool is_md1 = second_moment == 1;
    double p95 = is_md1 ? md1_wait_quantile(lambda, 1, 0.95) : 1;
    double p99 = is_md1 ? md1_wait_quantile(lambda, 1, 0.99) : 1;
    TheoryMetric metrics[] = {
        {"Wq", "desk", METRIC_queue_wait_mean, wq},
        {"W", "web", METRIC_latency_mean, wq + 1},
        {"Lq", "desk", METRIC_queue, lambda * wq, GATE_T},
        {"L", "desk", METRIC_in_system_mean, lambda * (wq + 1)},
        {"idle", "desk", METRIC_idle_ratio, 1 - lambda},
        {"Wq_p95", "desk", METRIC_queue_wait_p95, p95, GATE_T, HIST_RELATIVE_ERROR},
        {"Wq_p99", "desk", METRIC_queue_wait_p99, p99, GATE_T, HIST_RELATIVE_ERROR},
    };
    TheoryModel model = {one_service("poisson", lambda, "pool: {}", work), unit_s, lambda,
                         THEORY_METRICS(metrics)};
    model.metric_count -= is_md1 ? 0 : 2; /* quantiles are known for constant work only */
    theory_check(test, &model);
}

START_TEST(waits_in_mg1_are_as_pollaczek_and_khinchine_say) {
    static const char *const a04[] = {"2",   "3",           "1.6",         "2.4",
                                      "0.2", "6.620324997", "10.35588679", NULL};
    theory_check_number("A04 p50", md1_wait_quantile(0.8, 1, 0.5), "1.275939873");
    theory_check_number("A04 p999", md1_wait_quantile(0.8, 1, 0.999), "15.70026819");
    check_mg1(&(TheoryCase){"A04", 4e7, a04}, 0.8, "1ms", 1);
    check_mg1(&(TheoryCase){"A04-other", 1.8e7, NULL}, 0.6, "{erlang: {k: 2, mean: 1ms}}", 1.5);
}
END_TEST

typedef struct Dm1 {
    double gap;
} Dm1;

/* sigma = A*(mu (1 - sigma)) with A*(s) = exp(-s gap). */
static double dm1_sigma_excess(double sigma, void *context) {
    const Dm1 *q = context;
    return exp(-(1 - sigma) * q->gap) - sigma;
}

static void check_dm1(const TheoryCase *test, double gap) {
    Dm1 q = {gap};
    double sigma = find_root(dm1_sigma_excess, &q, 0, 1 - 0.2 * (gap - 1));
    double wq = sigma / (1 - sigma), lambda = 1 / gap;
    double p99 = log(sigma / 0.01) / (1 - sigma), t_p99 = log(1 / 0.01) / (1 - sigma);
    TheoryMetric metrics[] = {
        {"Wq", "desk", METRIC_queue_wait_mean, wq},
        {"W", "web", METRIC_latency_mean, wq + 1},
        {"Lq", "desk", METRIC_queue, lambda * wq, GATE_T},
        {"L", "desk", METRIC_in_system_mean, lambda * (wq + 1)},
        {"Wq_p99", "desk", METRIC_queue_wait_p99, p99, GATE_T, HIST_RELATIVE_ERROR},
        {"T_p99", "web", METRIC_latency_p99, t_p99, GATE_T, HIST_RELATIVE_ERROR},
        {"Pwait", "desk", METRIC_waited_ratio, sigma},
    };
    TheoryModel model = {one_service("constant", lambda, "pool: {}", "{exponential: {mean: 1ms}}"),
                         unit_s, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(waits_after_even_gaps_follow_the_root_sigma) {
    static const char *const a06[] = {"1.69273084",       "2.69273084",  "1.354184672",
                                      "2.154184672",      "11.15048378", "12.40048378",
                                      "0.62862979649695", NULL};
    check_dm1(&(TheoryCase){"A06", 5e7, a06}, 1.25);
    check_dm1(&(TheoryCase){"A06-other", 2.8e7, NULL}, 1.5);
}
END_TEST

/* Processor sharing: W = E[S] / (1 - rho) whatever the law of S. */
static void check_sharing(const TheoryCase *test, double lambda, const char *work) {
    TheoryMetric metrics[] = {
        {"W", "web", METRIC_latency_mean, 1 / (1 - lambda)},
        {"L", "desk", METRIC_in_system_mean, lambda / (1 - lambda), GATE_T},
        {"idle", "desk", METRIC_idle_ratio, 1 - lambda},
    };
    TheoryModel model = {one_service("poisson", lambda, "sharing: {}", work), unit_s, lambda,
                         THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(shared_processors_are_insensitive_to_the_law_of_work) {
    static const char *const a16[] = {"5", "4", "0.2", NULL};
    check_sharing(&(TheoryCase){"A16", 1e8, a16, .is_long_only = true}, 0.8,
                  "{lognormal: {mean: 1ms, cv: 2}}");
    check_sharing(&(TheoryCase){"A16b", 4.6e7, a16}, 0.8, "{exponential: {mean: 1ms}}");
    check_sharing(&(TheoryCase){"A16-other", 1e7, NULL}, 0.5, "{lognormal: {mean: 1ms, cv: 2}}");
}
END_TEST

/* Cohen 1979: pi(n) is proportional to the product of lambda E[S] / r(k), r(n) = n / (base + per
 * n), n = 0 to the limit, whatever the law of S. */
static void check_continuous_batching(const TheoryCase *test, double lambda, const char *work) {
    enum { LIMIT = 16 };
    static const double base = 0.02, per_request = 0.004;
    double weight = 1, sum = 1, in_system = 0;
    for (int n = 1; n <= LIMIT; n++) {
        weight *= lambda * (base + per_request * n) / n;
        sum += weight;
        in_system += n * weight;
    }
    double blocked = weight / sum, through = lambda * (1 - blocked);
    TheoryMetric metrics[] = {
        {"Pblock", "web", METRIC_refused, blocked, theory_is_long() ? GATE_FULL : GATE_T,
         .has_over = true, .over = METRIC_offered},
        {"L", "desk", METRIC_in_system_mean, in_system / sum},
        {"W", "web", METRIC_latency_mean, in_system / sum / through},
        {"throughput", "web", METRIC_goodput, through},
    };
    TheoryModel model = {
        theory_text("knockon: 1\n"
                    "clients:\n"
                    "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                    "services:\n"
                    "  desk:\n"
                    "    server: {sharing: {base: 0.02, per_request: 0.004, limit: 16}}\n"
                    "    work: %s\n"
                    "    queue: {limit: 0}\n",
                    lambda, work),
        1, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(continuous_batching_with_loss_is_insensitive) {
    static const char *const a17[] = {"0.06054662542", "9.919445261", "0.06211024367",
                                      "159.7070737", NULL};
    check_continuous_batching(&(TheoryCase){"A17-exp", 8e6, a17}, 170, "{exponential: {mean: 1s}}");
    check_continuous_batching(&(TheoryCase){"A17-logn", 1e7, a17}, 170,
                              "{lognormal: {mean: 1s, cv: 2}}");
    check_continuous_batching(&(TheoryCase){"A17-const", 8e6, a17}, 170, "1s");
    check_continuous_batching(&(TheoryCase){"A17-other", 3e6, NULL}, 210,
                              "{gamma: {mean: 1s, cv: 1.5}}");
}
END_TEST

/* White and Christie, Avi-Itzhak and Naor: a server that fails at rate f and is repaired at rate r,
 * busy or not; work goes on where it stopped. */
static void check_breakdowns(const TheoryCase *test, double lambda, double f, double r) {
    double in_system = lambda * ((f + r) * (f + r) + f) / ((f + r) * (r - lambda * (f + r)));
    TheoryMetric metrics[] = {
        {"W", "web", METRIC_latency_mean, in_system / lambda},
        {"L", "desk", METRIC_in_system_mean, in_system, GATE_T},
        {"busy", "desk", METRIC_busy, lambda, GATE_T},
    };
    TheoryModel model = {
        theory_text("knockon: 1\n"
                    "clients:\n"
                    "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                    "services:\n"
                    "  desk: {work: {exponential: {mean: 1ms}}, on_capacity_loss: suspend}\n"
                    "faults:\n"
                    "  - every: {exponential: {mean: %.17gms}}\n"
                    "    for: {exponential: {mean: %.17gms}}\n"
                    "    capacity: {service: desk, to: 0}\n",
                    lambda / unit_s, 1 / f, 1 / r),
        unit_s, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

/* The formula against the chain of (number in system, up or down). */
static double breakdowns_by_chain(double lambda, double f, double r) {
    enum { N = 1000 };
    Chain chain = chain_create(2 * N, 2);
    for (uint32_t n = 0; n < N; n++) {
        for (uint32_t up = 0; up < 2; up++) {
            if (n + 1 < N) {
                chain_add(&chain, 2 * n + up, 2 * n + 2 + up, lambda);
            }
            if (n > 0 && up) {
                chain_add(&chain, 2 * n + 1, 2 * n - 1, 1);
            }
        }
        chain_add(&chain, 2 * n + 1, 2 * n, f);
        chain_add(&chain, 2 * n, 2 * n + 1, r);
    }
    double p[2 * N], in_system = 0;
    chain_solve(&chain, p);
    for (uint32_t i = 0; i < 2 * N; i++) {
        in_system += i / 2 * p[i];
    }
    chain_free(&chain);
    return in_system;
}

START_TEST(a_server_that_breaks_down_resumes_its_work) {
    static const char *const a24[] = {"5.476190476", "3.285714286", NULL};
    ck_assert_double_eq_tol(breakdowns_by_chain(0.6, 0.1, 0.5), 0.6 * 0.46 / 0.084, 1e-10);
    check_breakdowns(&(TheoryCase){"A24", 2.7e7, a24}, 0.6, 0.1, 0.5);
    check_breakdowns(&(TheoryCase){"A24-other", 2.4e7, NULL}, 0.4, 0.05, 0.2);
}
END_TEST

/* M/D/c (Crommelin 1932): the number in system at instants one service time apart is a chain, for
 * who is in service then has left a service time later and nobody else has. */
static void check_mdc(const TheoryCase *test, double lambda, uint32_t c) {
    enum { N = 600, BAND = 60 };
    Chain chain = chain_create(N, BAND);
    for (uint32_t n = 0; n < N; n++) {
        uint32_t left = n > c ? n - c : 0;
        for (uint32_t k = 0; left + k < N && left + k <= n + BAND; k++) {
            chain_add(&chain, n, left + k, poisson_at(k, lambda));
        }
    }
    double p[N], in_system = 0, wait = 1;
    chain_solve(&chain, p);
    for (uint32_t n = 0; n < N; n++) {
        in_system += n * p[n];
        wait -= n < c ? p[n] : 0;
    }
    chain_free(&chain);
    double wq = in_system / lambda - 1;
    TheoryMetric metrics[] = {
        {"Wq", "desk", METRIC_queue_wait_mean, wq},
        {"W", "web", METRIC_latency_mean, wq + 1},
        {"L", "desk", METRIC_in_system_mean, in_system},
        {"Lq", "desk", METRIC_queue, lambda * wq, GATE_T},
        {"Pwait", "desk", METRIC_waited_ratio, wait},
    };
    char *server = theory_text("pool: {concurrency: %u}", c);
    TheoryModel model = {one_service("poisson", lambda, server, "1ms"), unit_s, lambda,
                         THEORY_METRICS(metrics)};
    free(server);
    theory_check(test, &model);
}

START_TEST(waits_in_mdc_are_as_crommelin_says) {
    static const char *const a34[] = {"0.9032838794", "1.903283879",  "3.045254207",
                                      "1.445254207",  "0.7018983172", NULL};
    check_mdc(&(TheoryCase){"A34", 4.6e7, a34}, 1.6, 2);
    check_mdc(&(TheoryCase){"A34-other", 2.2e7, NULL}, 1.8, 3);
}
END_TEST

THEORY_SUITE("theory/queues", waits_in_mmc_are_as_erlang_c_says,
             waits_in_mg1_are_as_pollaczek_and_khinchine_say,
             waits_after_even_gaps_follow_the_root_sigma,
             shared_processors_are_insensitive_to_the_law_of_work,
             continuous_batching_with_loss_is_insensitive,
             a_server_that_breaks_down_resumes_its_work, waits_in_mdc_are_as_crommelin_says)
