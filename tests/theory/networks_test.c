/* Several services: fork and join, a closed network, the shortest of two queues. */
#include <math.h>
#include <stdlib.h>

#include "tests/theory/formulas.h"
#include "tests/theory/theory.h"

/* A millisecond stands for one unit of time. */
static const double unit_s = 1e-3;

/* Two M/M/1 queues that get a part of each request at once; the request waits for both (Nelson and
 * Tantawi 1988): R = (12 - rho) / 8 / (mu - lambda). */
static void check_fork_join(const TheoryCase *test, double lambda) {
    TheoryMetric metrics[] = {
        {"R", "web", METRIC_latency_mean, (12 - lambda) / 8 / (1 - lambda)},
        {"W of a part", "left", METRIC_latency_mean, 1 / (1 - lambda), GATE_T},
        {"W of the other", "right", METRIC_latency_mean, 1 / (1 - lambda), GATE_T},
        {"in system", "fork", METRIC_in_system_mean, lambda * (12 - lambda) / 8 / (1 - lambda),
         GATE_T},
    };
    TheoryModel model = {theory_text("knockon: 1\n"
                                     "clients:\n"
                                     "  web: {target: fork, arrivals: {poisson: {rate: %.17g/s}}}\n"
                                     "services:\n"
                                     "  fork:\n"
                                     "    server: {pool: {concurrency: unlimited}}\n"
                                     "    calls: [{parallel: [{to: left}, {to: right}]}]\n"
                                     "  left: {work: {exponential: {mean: 1ms}}}\n"
                                     "  right: {work: {exponential: {mean: 1ms}}}\n",
                                     lambda / unit_s),
                         unit_s, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(a_request_waits_for_the_slower_of_two_parts) {
    static const char *const a19[] = {"4.708333333", NULL};
    check_fork_join(&(TheoryCase){"A19", 1.4e7, a19}, 0.7);
    check_fork_join(&(TheoryCase){"A19-other", 2e6, NULL}, 0.4);
}
END_TEST

/* Exact mean value analysis (Reiser and Lavenberg 1980): users who think, and three queues with
 * exponential work in a row. */
static void check_closed(const TheoryCase *test, uint32_t users, double think,
                         const double work[3]) {
    double queue[3] = {0}, through = 0, answer = 0;
    for (uint32_t n = 1; n <= users; n++) {
        double stay[3];
        answer = 0;
        for (int i = 0; i < 3; i++) {
            stay[i] = work[i] * (1 + queue[i]);
            answer += stay[i];
        }
        through = n / (think + answer);
        for (int i = 0; i < 3; i++) {
            queue[i] = through * stay[i];
        }
    }
    TheoryMetric metrics[] = {
        {"X", "web", METRIC_goodput, through},
        {"R", "web", METRIC_latency_mean, answer},
        {"Q1", "first", METRIC_in_system_mean, queue[0]},
        {"Q2", "second", METRIC_in_system_mean, queue[1]},
        {"Q3", "third", METRIC_in_system_mean, queue[2]},
        {"util 1", "first", METRIC_utilization, through * work[0]},
        {"asking", "web", METRIC_in_system_mean, through * answer},
    };
    TheoryModel model = {
        theory_text("knockon: 1\n"
                    "clients:\n"
                    "  web:\n"
                    "    target: door\n"
                    "    arrivals: {closed: {users: %u, think: {exponential: {mean: %.17gms}}}}\n"
                    "services:\n"
                    "  door:\n"
                    "    server: {pool: {concurrency: unlimited}}\n"
                    "    calls: [{to: first}, {to: second}, {to: third}]\n"
                    "  first: {work: {exponential: {mean: %.17gms}}}\n"
                    "  second: {work: {exponential: {mean: %.17gms}}}\n"
                    "  third: {work: {exponential: {mean: %.17gms}}}\n",
                    users, think, work[0], work[1], work[2]),
        unit_s, through, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(users_of_a_closed_network_meet_its_mean_values) {
    static const char *const a20[] = {"0.835204538",  "4.367738026",  "2.716113259",
                                      "0.6726940779", "0.2591472836", NULL};
    check_closed(&(TheoryCase){"A20", 2.8e6, a20}, 12, 10, (const double[]){1, 0.5, 0.25});
    check_closed(&(TheoryCase){"A20-other", 6e6, NULL}, 30, 20, (const double[]){0.4, 0.7, 0.5});
}
END_TEST

/* An arrival joins the shorter of two queues, a tie is broken evenly. The chain of (shorter,
 * difference): state m x (D + 1) + d. */
static double shortest_of_two(double lambda, double *p_idle) {
    enum { M = 250, D = 40 };
    Chain chain = chain_create(M * (D + 1), D + 2);
    for (uint32_t m = 0; m < M; m++) {
        for (uint32_t d = 0; d <= D; d++) {
            uint32_t at = m * (D + 1) + d;
            if (d == 0) {
                chain_add(&chain, at, at + 1, lambda);
            } else if (m + 1 < M) {
                chain_add(&chain, at, at + D, lambda); /* the shorter grows: m + 1, d - 1 */
            }
            if (d > 0) {
                chain_add(&chain, at, at - 1, 1); /* the longer one serves */
            }
            if (m > 0 && d < D) {
                chain_add(&chain, at, at - D, d == 0 ? 2 : 1); /* a shorter one serves */
            }
        }
    }
    static double p[M * (D + 1)];
    double in_system = 0, empty = 0;
    chain_solve(&chain, p);
    for (uint32_t m = 0; m < M; m++) {
        for (uint32_t d = 0; d <= D; d++) {
            in_system += (2 * m + d) * p[m * (D + 1) + d];
            empty += m > 0 ? 0 : d == 0 ? p[d] : 0;
        }
    }
    chain_free(&chain);
    *p_idle = empty;
    return in_system;
}

static void check_shortest(const TheoryCase *test, double lambda_each) {
    double lambda = 2 * lambda_each, empty;
    double in_system = shortest_of_two(lambda, &empty);
    TheoryMetric metrics[] = {
        {"W", "web", METRIC_latency_mean, in_system / lambda},
        {"L", "desk", METRIC_in_system_mean, in_system, GATE_T},
        {"util", "desk", METRIC_utilization, lambda_each},
        {"both empty", "desk", METRIC_idle_ratio, empty, GATE_T},
    };
    TheoryModel model = {theory_text("knockon: 1\n"
                                     "clients:\n"
                                     "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                                     "services:\n"
                                     "  desk:\n"
                                     "    replicas: 2\n"
                                     "    route: least_requests\n"
                                     "    work: {exponential: {mean: 1ms}}\n",
                                     lambda / unit_s),
                         unit_s, lambda, THEORY_METRICS(metrics)};
    theory_check(test, &model);
}

START_TEST(the_shorter_of_two_queues_is_joined) {
    static const char *const a29[] = {"2.955736618", "4.729178588", "0.8", NULL};
    check_shortest(&(TheoryCase){"A29", 4.5e7, a29}, 0.8);
    check_shortest(&(TheoryCase){"A29-other", 6e6, NULL}, 0.5);
}
END_TEST

THEORY_SUITE("theory/networks", a_request_waits_for_the_slower_of_two_parts,
             users_of_a_closed_network_meet_its_mean_values, the_shorter_of_two_queues_is_joined)
