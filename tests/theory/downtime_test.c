/* A short downtime and what retries make of it: the simulation behind "Good retry, bad retry"
 * (docs: metastability, section F). 3000 requests a second, work of 10 ms on so many processors, a
 * timeout of 100 ms; for a while all work fails. Every seed must show the published shape.
 */
#include <math.h>
#include <stdlib.h>

#include "tests/theory/theory.h"

enum { SEEDS = 6 };

typedef struct Downtime {
    uint32_t cpus;
    double lasts_s; /* from 1 s on */
    const char *call;
} Downtime;

/* Sums of the client's and the service's measures between two instants. */
typedef struct Span {
    double offered, attempts, answered, served;
} Span;

typedef struct Outage {
    const Downtime *downtime;
    World *worlds[SEEDS];
    Model *model;
} Outage;

static void run_one(void *context, uint32_t index) {
    Outage *outage = context;
    outage->worlds[index] = world_create(outage->model, &(WorldOptions){.seed = index + 1});
    world_run(outage->worlds[index]);
}

/* Work is lognormal with a median of 10 ms and sigma 0.25: a mean of 10.317 ms. */
static Outage run_outage(const Downtime *downtime) {
    char *text = theory_text(
        "knockon: 1\n"
        "run: {duration: 6s, sample_every: 100ms}\n"
        "verdict: none\n"
        "clients:\n"
        "  web:\n"
        "    target: api\n"
        "    arrivals: {poisson: {rate: 3000/s}}\n"
        "    call: {timeout: 100ms, latency: {exponential: {mean: 5ms}}, reply_latency: 0s, %s}\n"
        "services:\n"
        "  api: {server: {pool: {concurrency: %u}}, work: {lognormal: {p50: 10ms, sigma: 0.25}}}\n"
        "faults:\n"
        "  - {at: 0s, errors: {service: api, ratio: 0.5%%}}\n"
        "  - {at: 1s, for: %.17gs, errors: {service: api}}\n",
        downtime->call, downtime->cpus, downtime->lasts_s);
    Outage outage = {.downtime = downtime, .model = theory_compile(text, NULL, 0)};
    free(text);
    theory_for_each(SEEDS, run_one, &outage);
    return outage;
}

static void outage_free(Outage *outage) {
    for (uint32_t i = 0; i < SEEDS; i++) {
        world_destroy(outage->worlds[i]);
    }
    model_destroy(outage->model);
}

static Span span_of(const Outage *outage, uint32_t seed, double from_s, double to_s) {
    const Probe *probe = &outage->worlds[seed]->probe;
    Span span = {0};
    for (uint32_t i = (uint32_t)(from_s * 10 + 0.5); i < (uint32_t)(to_s * 10 + 0.5); i++) {
        span.offered += probe_series(probe, i, 0, METRIC_offered);
        span.attempts += probe_series(probe, i, 0, METRIC_attempts);
        span.answered += probe_series(probe, i, 0, METRIC_answered);
        span.served += probe_series(probe, i, 1, METRIC_answered) +
                       probe_series(probe, i, 1, METRIC_late) +
                       probe_series(probe, i, 1, METRIC_errors);
    }
    return span;
}

#define RETRIES(count) "retry: {fixed: {max_attempts: " count ", delay: 0s}}"

START_TEST(with_capacity_to_spare_even_three_retries_do_no_lasting_harm) {
    Outage outage = run_outage(&(Downtime){123, 0.7, RETRIES("4")});
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        Span down = span_of(&outage, seed, 1.3, 1.7), after = span_of(&outage, seed, 2.5, 4);
        ck_assert_double_ge(down.attempts / down.offered, 3.0);
        ck_assert_double_le(after.attempts / after.offered, 1.03);
        ck_assert_double_ge(after.answered / after.offered, 0.99);
    }
    outage_free(&outage);
}
END_TEST

/* At half of that capacity it never comes back, and serves min(1 + r, 1 / utilization) attempts for
 * each request: the general law of a stuck system. */
START_TEST(at_half_the_capacity_retries_keep_it_down_for_good) {
    static const struct {
        uint32_t cpus;
        const char *call;
        double retries;
    } cases[] = {{61, RETRIES("4"), 3}, {66, RETRIES("3"), 2}};
    for (size_t i = 0; i < 2; i++) {
        Outage outage = run_outage(&(Downtime){cases[i].cpus, 1.0, cases[i].call});
        double utilization = 3000 * 0.010 * exp(0.25 * 0.25 / 2) / cases[i].cpus;
        double law = fmin(1 + cases[i].retries, 1 / utilization);
        for (uint32_t seed = 0; seed < SEEDS; seed++) {
            Span late = span_of(&outage, seed, 4, 6);
            ck_assert_double_eq_tol(late.served / late.offered, law, 0.04 * law);
            ck_assert_double_ge(late.attempts / late.offered, 1.5);
            ck_assert_double_le(late.answered / late.offered, 0.6);
        }
        outage_free(&outage);
    }
}
END_TEST

/* The same, with a budget of a tenth, with retries that stop when a tenth fails, and without
 * retries: it is back at once. The published amplifications are 1.14 and 1.19 at most. */
START_TEST(a_budget_or_a_breaker_of_retries_lets_it_recover_at_once) {
    static const struct {
        const char *call;
        double amplification_max; /* over half a second */
    } cases[] = {
        {RETRIES("3") ", retry_budget: {token_bucket: {capacity: 30, cost: 1, refund: 0.1}}", 1.14},
        {RETRIES("3") ", retry_budget: {failure_ratio: {below: 10%, window: 1s}}", 1.19},
        {"retry: none", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Outage outage = run_outage(&(Downtime){66, 0.5, cases[i].call});
        for (uint32_t seed = 0; seed < SEEDS; seed++) {
            Span down = span_of(&outage, seed, 1, 1.5), after = span_of(&outage, seed, 1.7, 2.7);
            ck_assert_double_le(down.attempts / down.offered, cases[i].amplification_max);
            ck_assert_double_ge(after.answered / after.offered, 0.97);
            ck_assert_double_le(after.attempts / after.offered, 1.02);
        }
        outage_free(&outage);
    }
}
END_TEST

THEORY_SUITE("theory/downtime", with_capacity_to_spare_even_three_retries_do_no_lasting_harm,
             at_half_the_capacity_retries_keep_it_down_for_good,
             a_budget_or_a_breaker_of_retries_lets_it_recover_at_once)
