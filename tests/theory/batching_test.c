/* Batches: embedded chains of what is left after each, and a timer with infinitely many servers. */
#include <math.h>
#include <stdlib.h>

#include "tests/theory/formulas.h"
#include "tests/theory/theory.h"

/* A millisecond stands for one unit of time. */
static const double unit_s = 1e-3;

static char *batches(double lambda, const char *server) {
    return theory_text("knockon: 1\n"
                       "clients:\n"
                       "  web: {target: desk, arrivals: {poisson: {rate: %.17g/s}}}\n"
                       "services:\n"
                       "  desk: {server: {batch: %s}}\n",
                       lambda / unit_s, server);
}

/* Means over the cycles between the ends of two batches. */
typedef struct Cycle {
    double length, busy;    /* of the cycle, and of the batch in it */
    double served, is_full; /* requests in the batch; whether it is of the largest size */
    double waiting;         /* integral of the number that waits */
    double serving;         /* integral of the number in service */
} Cycle;

/* Adds a cycle that begins with `left` waiting and whose batch takes `size` of them in `busy`. With
 * none waiting, one is waited for. */
static void add_cycle(Cycle *cycle, double lambda, double p, uint32_t left, uint32_t size,
                      double busy) {
    uint32_t kept = left > size ? left - size : 0;
    cycle->length += p * (busy + (left == 0 ? 1 / lambda : 0));
    cycle->busy += p * busy;
    cycle->served += p * size;
    cycle->waiting += p * busy * (kept + lambda * busy / 2);
    cycle->serving += p * busy * size;
}

/* Renewal reward on a cycle, against a simulation. */
/* `scenario` is freed. */
static void check_cycle(const TheoryCase *test, const Cycle *cycle, double lambda, char *scenario) {
    double queue = cycle->waiting / cycle->length;
    double in_system = queue + cycle->serving / cycle->length;
    TheoryMetric metrics[] = {
        {"mean_batch", "desk", METRIC_batch_size, cycle->served},
        {"util", "desk", METRIC_utilization, cycle->busy / cycle->length},
        {"Lq", "desk", METRIC_queue, queue, GATE_T},
        {"Wq", "desk", METRIC_queue_wait_mean, queue / lambda},
        {"W", "web", METRIC_latency_mean, in_system / lambda},
        {"L", "desk", METRIC_in_system_mean, in_system},
        {"P_full", "desk", METRIC_full_batch_ratio, cycle->is_full},
    };
    TheoryModel model = {scenario, unit_s, lambda, THEORY_METRICS(metrics)};
    model.metric_count -= cycle->is_full > 0 ? 0 : 1;
    theory_check(test, &model);
}

/* M/D^[1,b]/1: as many as wait, at most b, in a time of 1 whatever their number. The chain of those
 * left at the end of a batch. */
static void check_bulk(const TheoryCase *test, double lambda, uint32_t b) {
    enum { N = 500, BAND = 60 };
    Chain chain = chain_create(N, BAND);
    for (uint32_t left = 0; left < N; left++) {
        uint32_t kept = left > b ? left - b : 0;
        for (uint32_t k = 0; kept + k < N && kept + k <= left + BAND; k++) {
            chain_add(&chain, left, kept + k, poisson_at(k, lambda));
        }
    }
    double p[N];
    chain_solve(&chain, p);
    chain_free(&chain);
    Cycle cycle = {0};
    for (uint32_t left = 0; left < N; left++) {
        add_cycle(&cycle, lambda, p[left], left, left == 0 ? 1 : left < b ? left : b, 1);
        cycle.is_full += left >= b || (left == 0 && b == 1) ? p[left] : 0;
    }
    char *server = theory_text("{max_batch_size: %u, step: 1ms}", b);
    check_cycle(test, &cycle, lambda, batches(lambda, server));
    free(server);
}

START_TEST(bulk_service_follows_its_embedded_chain) {
    static const char *const a13[] = {"3.033756183", "0.9888731392", "2.27528187",   "0.7584272899",
                                      "1.75842729",  "5.27528187",   "0.4904372251", NULL};
    check_bulk(&(TheoryCase){"A13", 6.5e6, a13}, 3, 4);
    check_bulk(&(TheoryCase){"A13-other", 2.6e7, NULL}, 5, 8);
}
END_TEST

/* All who wait are taken, and b of them need alpha b + tau (Inoue, Performance Evaluation 147,
 * 2021). The chain of batch sizes. */
static void check_take_all(const TheoryCase *test, double lambda, double alpha, double tau) {
    enum { N = 200 };
    Chain chain = chain_create(N, N - 1); /* state i: i are left at the end of a batch */
    for (uint32_t left = 0; left < N; left++) {
        double mean = lambda * (alpha * (left == 0 ? 1 : left) + tau);
        for (uint32_t next = 0; next < N; next++) {
            chain_add(&chain, left, next, poisson_at(next, mean));
        }
    }
    double p[N];
    chain_solve(&chain, p);
    chain_free(&chain);
    Cycle cycle = {0};
    for (uint32_t left = 0; left < N; left++) {
        uint32_t size = left == 0 ? 1 : left;
        add_cycle(&cycle, lambda, p[left], left, size, alpha * size + tau);
    }
    double bound = 1.5 * tau / (1 - lambda * alpha) +
                   alpha / 2 * (lambda * alpha + 2) / (1 - lambda * lambda * alpha * alpha);
    double w = (cycle.waiting + cycle.serving) / cycle.length / lambda;
    ck_assert_double_le(w, bound); /* Inoue's upper bound, close for large batches */
    ck_assert_double_ge(w, 0.99 * bound);
    char *server = theory_text(
        "{max_batch_size: unlimited, step: {linear: {base: %.17gms, per_request: %.17gms}}}", tau,
        alpha);
    check_cycle(test, &cycle, lambda, batches(lambda, server));
    free(server);
}

START_TEST(dynamic_batches_follow_inoue) {
    static const char *const a14[] = {"5.024771101", "0.9975351015", "2.662558503", "0.5325117005",
                                      "1.665023401", "8.325117005",  NULL};
    check_take_all(&(TheoryCase){"A14", 3e6, a14}, 5, 0.1, 0.5);
    check_take_all(&(TheoryCase){"A14-other", 3e6, NULL}, 4.5, 0.12, 0.4);
}
END_TEST

/* A batch opens at its first request and is released at b of them or `t` after the first; it takes
 * no time, so that only the timer is seen. The time for which it is open is E[min(b - 1, N)] /
 * lambda, N Poisson with mean lambda t; the integral of those in it is the sum over k < b - 1 of
 * (k + 1) P(Gamma(k + 1, lambda) < t) / lambda. */
static void check_former(const TheoryCase *test, double lambda, uint32_t b, double t) {
    double joins = 0, waiting = 0, expected = lambda * t;
    for (uint32_t k = 0; k + 1 < b; k++) {
        double more = 1 - poisson_up_to(k, expected); /* more than k join within t */
        joins += more;
        waiting += (k + 1) * more / lambda;
    }
    double is_full = 1 - poisson_up_to(b - 2, expected), open = joins / lambda;
    double rate = 1 / (1 / lambda + open);
    theory_check_number("E_open", open, test->also[0]);
    theory_check_number("batch_rate", rate, test->also[1]);
    TheoryMetric metrics[] = {
        {"mean_batch", "desk", METRIC_batch_size, 1 + joins},
        {"P_full", "desk", METRIC_full_batch_ratio, is_full},
        {"E_wait", "desk", METRIC_queue_wait_mean, waiting / (1 + joins)},
        {"P(open)", "desk", METRIC_idle_ratio, 1 - rate * open},
    };
    char *server = theory_text("{max_batch_size: %u, max_queue_delay: %.17gms, "
                               "instances: unlimited, step: 0s}",
                               b, t);
    TheoryModel model = {batches(lambda, server), unit_s, lambda, THEORY_METRICS(metrics)};
    free(server);
    theory_check(test, &model);
}

START_TEST(a_batch_is_released_when_full_or_overdue) {
    static const char *const a15[] = {"3.327874577", "0.5768099189", "0.428937053", NULL};
    check_former(&(TheoryCase){"A15", 2e6, a15, {"0.7759581923", "0.9014762818"}}, 3, 4, 1);
    check_former(&(TheoryCase){"A15-other", 4.5e6, NULL}, 6, 10, 1.5);
}
END_TEST

THEORY_SUITE("theory/batching", bulk_service_follows_its_embedded_chain,
             dynamic_batches_follow_inoue, a_batch_is_released_when_full_or_overdue)
