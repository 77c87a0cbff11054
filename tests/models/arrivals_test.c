/* When requests arrive: deterministic processes to the nanosecond, random ones held to their laws
 * at 1e-6. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/load.h"
#include "sim/vec.h"
#include "tests/models/story.h"

/* ---- The times at which requests arrive */

typedef struct Times {
    VEC(SimTime) at;
} Times;

static void note_arrival(void *context, const RequestRecord *record) {
    Times *times = context;
    if (record->number >= times->at.count) {
        vec_resize(&times->at, (size_t)record->number + 1);
    }
    times->at.items[record->number] = record->arrived_at;
}

static bool list_next(void *context, TraceArrival *out) {
    StoryTrace *trace = context;
    if (trace->position == trace->count) {
        return false;
    }
    *out = trace->items[trace->position++];
    return true;
}

static void list_rewind(void *context) {
    ((StoryTrace *)context)->position = 0;
}

/* Of one client whose arrivals (and load, and spikes) are given; every request ends at once. */
static Times arrive(const char *duration, const char *client, const StoryTrace *trace) {
    char yaml[1000];
    snprintf(yaml, sizeof yaml,
             "run: {duration: %s, sample_every: 1h}\n"
             "clients: {web: {target: api, %s}}\n"
             "services: {api: {server: {pool: {concurrency: unlimited}}}}\n",
             duration, client);
    Times times = {0};
    StoryTrace replay = trace == NULL ? (StoryTrace){0} : *trace;
    TraceSource source = {&replay, replay.is_rate, list_next, list_rewind};
    Model *model = story_compile(yaml);
    WorldOptions options = {.seed = 1, .context = &times, .on_request = note_arrival};
    options.traces = trace == NULL ? NULL : &source;
    World *world = world_create(model, &options);
    world_run(world);
    ck_assert_uint_eq(times.at.count, world->clients[0].request_count);
    world_destroy(world);
    model_destroy(model);
    return times;
}

static void times_free(Times *times) {
    vec_free(&times->at);
}

static void times_are(Times times, const SimTime *expected, size_t count) {
    for (size_t i = 0; i < count && i < times.at.count; i++) {
        ck_assert_msg(times.at.items[i] == expected[i], "arrival %zu at %lld ns and not %lld", i,
                      (long long)times.at.items[i], (long long)expected[i]);
    }
    ck_assert_uint_eq(times.at.count, count);
    times_free(&times);
}
#define TIMES_ARE(times, ...)                                                                      \
    times_are(times, (const SimTime[]){__VA_ARGS__},                                               \
              sizeof((const SimTime[]){__VA_ARGS__}) / sizeof(SimTime))

/* ---- Exactly */

START_TEST(constant_arrivals_come_at_k_over_rate_without_drift) {
    Times times = arrive("3000s", "arrivals: {constant: {rate: 7/s}}", NULL);
    ck_assert_uint_eq(times.at.count, 20999);
    for (int64_t i = 0; i < 20999; i++) {
        int64_t nearest = (2 * (i + 1) * 1000000000 + 7) / 14;
        ck_assert_int_eq(times.at.items[i], nearest);
    }
    times_free(&times);
}
END_TEST

START_TEST(a_load_changes_the_pace_at_its_point_in_the_middle_of_a_gap) {
    /* 0.4/s: one every 2.5 s. At 4 s the second is 1 s short of coming; twice as fast it comes at
     * 4.5 s, then every 1.25 s until 8 s, where the load is 0 for 3 s. */
    TIMES_ARE(arrive("14s",
                     "arrivals: {constant: {rate: 0.4/s}},"
                     " load: [{at: 4s, x: 2}, {at: 8s, x: 0}, {at: 11s, x: 1}]",
                     NULL),
              2500000000, 4500000000, 5750000000, 7000000000, 11500000000);
}
END_TEST

START_TEST(a_ramp_is_a_straight_line_and_a_spike_multiplies) {
    /* f(t) = 1 + t / 4 from 0 to 4 s: the operational clock stands at t + t^2 / 8. At 1/s arrivals
     * come where that is whole: t = 4 (sqrt(1 + k / 2) - 1). At 4 s it stands at 6, then f = 2,
     * and 6 within the spike from 5 to 6 s. */
    Times times = arrive("7s",
                         "arrivals: {constant: {rate: 1/s}}, load: [{at: 0s, x: 2, ramp: 4s}],"
                         " spikes: [{at: 5s, for: 1s, x: 3}]",
                         NULL);
    static const double clock_at[] = {4,   4.5,         5,           5 + 1 / 6.0, 5 + 2 / 6.0,
                                      5.5, 5 + 4 / 6.0, 5 + 5 / 6.0, 6,           6.5};
    ck_assert_uint_eq(times.at.count, 5 + sizeof clock_at / sizeof clock_at[0]);
    for (size_t i = 0; i < times.at.count; i++) {
        double expected_s = i < 5 ? 4 * (sqrt(1 + (double)(i + 1) / 2) - 1) : clock_at[i - 5];
        ck_assert_double_eq_tol(time_to_s(times.at.items[i]), expected_s, 1e-8);
    }
    times_free(&times);
}
END_TEST

START_TEST(a_trace_is_replayed_at_its_speed_and_repeats_from_its_last_record) {
    static const TraceArrival list[] = {{.at_s = 0.5}, {.at_s = 0.7}, {.at_s = 3}};
    TIMES_ARE(arrive("9s", "arrivals: {trace: {file: /dev/null}}", STORY_TRACE(list)), 500000000,
              700000000, 3000000000);
    TIMES_ARE(arrive("3.2s", "arrivals: {trace: {file: /dev/null, speed: 2, repeat: true}}",
                     STORY_TRACE(list)),
              250000000, 350000000, 1500000000, 1750000000, 1850000000, 3000000000);
}
END_TEST

START_TEST(a_load_stretches_a_traces_time) {
    static const TraceArrival list[] = {{.at_s = 0.5}, {.at_s = 1.5}, {.at_s = 3}};
    /* From 1 s on half as fast: what is 0.5 s and 2 s beyond it comes at 2 s and 5 s. */
    TIMES_ARE(arrive("9s", "arrivals: {trace: {file: /dev/null}}, load: [{at: 1s, x: 0.5}]",
                     STORY_TRACE(list)),
              500000000, 2000000000, 5000000000);
}
END_TEST

START_TEST(a_load_scales_the_users_of_a_closed_client) {
    /* Two of four users at first; from 2.5 s on all four: the third and fourth have thought long
     * ago and come at once. From 4.2 s on one: the others stay away when they have thought. */
    TIMES_ARE(arrive("6.5s",
                     "arrivals: {closed: {users: 4, think: 1s}},"
                     " load: [{at: 0s, x: 0.5}, {at: 2.5s, x: 1}, {at: 4.2s, x: 0.25}]",
                     NULL),
              1000000000, 1000000000, 2000000000, 2000000000, 2500000000, 2500000000, 3000000000,
              3000000000, 3500000000, 3500000000, 4000000000, 4000000000, 5000000000, 6000000000);
}
END_TEST

/* ---- In law */

/* The largest distance between the sample's distribution and the law, times sqrt(n); beyond 2.7 by
 * chance once in 10^6 (Kolmogorov: 2 exp(-2 x 2.7^2) = 9.3e-7). A sample stands for all values that
 * round to its nanosecond: a bursty law has one gap of forty below half of one. */
static void law_holds(double *sample, size_t count, double (*cdf)(double x, const double *p),
                      const double *p) {
    double worst = 0, n = (double)count;
    gsl_sort(sample, 1, count);
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && sample[next] < sample[first] + 0.5e-9;) {
            next++;
        }
        double low = sample[first] > 0.5e-9 ? cdf(sample[first] - 0.5e-9, p) : 0;
        double high = cdf(sample[next - 1] + 0.5e-9, p);
        worst = fmax(worst, fmax(low - (double)first / n, (double)first / n - low));
        worst = fmax(worst, fmax(high - (double)next / n, (double)next / n - high));
    }
    ck_assert_double_lt(worst * sqrt(n), 2.7);
}

static double gamma_cdf(double x, const double *p) {
    return gsl_cdf_gamma_P(x, p[0], p[1]);
}

/* Gaps on the operational clock of the load given; `p`: shape and scale of their law. */
static void gaps_hold(const char *client, const double *p, const LoadCurve *load) {
    Times times = arrive("4000s", client, NULL);
    size_t count = times.at.count;
    ck_assert_uint_gt(count, 10000);
    double *gaps = mem_alloc(count * sizeof *gaps);
    for (size_t i = 0; i < count; i++) {
        double from_s = i == 0 ? 0 : time_to_s(times.at.items[i - 1]);
        gaps[i] = load_between(load, (LoadCursor){0}, from_s, time_to_s(times.at.items[i]));
    }
    /* Ends are not tied to the last arrival: leaving out the last gap biases nothing to speak of.
     */
    law_holds(gaps, count, gamma_cdf, p);
    mem_free(gaps);
    times_free(&times);
}

static const LoadCurve flat = {&(LoadPiece){0, 1, 0}, 1, true, 1};

START_TEST(poisson_gaps_are_exponential) {
    gaps_hold("arrivals: {poisson: {rate: 4.7/s}}", (const double[]){1, 1 / 4.7}, &flat);
}
END_TEST

START_TEST(gamma_gaps_have_their_rate_and_cv) {
    gaps_hold("arrivals: {gamma: {rate: 4.7/s, cv: 2.385}}",
              (const double[]){1 / (2.385 * 2.385), 2.385 * 2.385 / 4.7}, &flat);
    gaps_hold("arrivals: {gamma: {rate: 4.7/s, cv: 0.35}}",
              (const double[]){1 / (0.35 * 0.35), 0.35 * 0.35 / 4.7}, &flat);
}
END_TEST

START_TEST(a_load_leaves_poisson_arrivals_poisson_at_its_own_pace) {
    LoadPiece pieces[] = {{0, 1, 0}, {1000, 1, 0.001}, {3000, 3, 0}};
    LoadCurve curve = {pieces, 3, false, 3};
    gaps_hold("arrivals: {poisson: {rate: 4.7/s}}, load: [{at: 1000s, x: 3, ramp: 2000s}]",
              (const double[]){1, 1 / 4.7}, &curve);
}
END_TEST

/* A two-sided test of a count that is nearly normal at 1e-6. */
static void count_holds(double count, double mean, double variance) {
    ck_assert_msg(fabs(count - mean) < 4.892 * sqrt(variance), "%.0f is not within %.1f of %.1f",
                  count, 4.892 * sqrt(variance), mean);
}

START_TEST(mmpp_has_its_mean_rate_and_its_burstiness) {
    /* Two phases of 0.7 and 1.9 s, 9/s and 1.3/s. The variance of the count in time t is
     * r t (1 + a (1 - (1 - e^(-s t)) / (s t))), s = s1 + s2, s_i = 1 / dwell_i, and
     * a = 2 s1 s2 (l1 - l2)^2 / (s^2 (l1 s2 + l2 s1)) (Heffes and Lucantoni 1986). */
    enum { WINDOW_S = 40, WINDOWS = 500 };
    double s1 = 1 / 0.7, s2 = 1 / 1.9, s = s1 + s2, l1 = 9, l2 = 1.3;
    double rate = (l1 * s2 + l2 * s1) / s;
    double a = 2 * s1 * s2 * (l1 - l2) * (l1 - l2) / (s * s * (l1 * s2 + l2 * s1));
    double t = WINDOW_S, variance = rate * t * (1 + a * (1 - (1 - exp(-s * t)) / (s * t)));
    Times times =
        arrive("20000s", "arrivals: {mmpp: {rates: [9/s, 1.3/s], dwell: [0.7s, 1.9s]}}", NULL);
    count_holds((double)times.at.count, rate * 20000, rate * 20000 * (1 + a));
    double counts[WINDOWS] = {0}, squares = 0;
    for (size_t i = 0; i < times.at.count; i++) {
        counts[times.at.items[i] / (WINDOW_S * SIM_TIME_S)]++;
    }
    for (size_t i = 0; i < WINDOWS; i++) {
        squares += (counts[i] - rate * t) * (counts[i] - rate * t);
    }
    /* Of about 140 arrivals each, so nearly normal; neighbours are nearly independent. */
    ck_assert_double_gt(gsl_cdf_chisq_P(squares / variance, WINDOWS), 5e-7);
    ck_assert_double_gt(gsl_cdf_chisq_Q(squares / variance, WINDOWS), 5e-7);
    times_free(&times);
}
END_TEST

START_TEST(mmpp_whose_load_ends_at_0_ends) {
    Times times = arrive("10000s",
                         "arrivals: {mmpp: {rates: [9/s, 0/s], dwell: [0.7s, 1.9s]}},"
                         " load: [{at: 10s, x: 0}]",
                         NULL);
    ck_assert_int_lt(times.at.items[times.at.count - 1], 10 * SIM_TIME_S);
    times_free(&times);
}
END_TEST

START_TEST(a_trace_of_rates_is_a_poisson_process_on_a_staircase) {
    static const TraceArrival steps[] = {{.at_s = 0, .rate_per_s = 3},
                                         {.at_s = 1000, .rate_per_s = 0},
                                         {.at_s = 2000, .rate_per_s = 11}};
    /* The last step holds as long as the one before it. */
    StoryTrace trace = {.items = steps, .count = 3, .is_rate = true};
    Times times = arrive("9000s", "arrivals: {trace: {file: /dev/null}}", &trace);
    double counts[9] = {0};
    for (size_t i = 0; i < times.at.count; i++) {
        counts[times.at.items[i] / (1000 * SIM_TIME_S)]++;
    }
    count_holds(counts[0], 3000, 3000);
    count_holds(counts[2], 11000, 11000);
    ck_assert_double_eq(counts[0] + counts[2], (double)times.at.count);
    times_free(&times);
    times = arrive("9000s", "arrivals: {trace: {file: /dev/null, repeat: true}}", &trace);
    count_holds((double)times.at.count, 42000, 42000);
    times_free(&times);
}
END_TEST

TEST_SUITE("models/arrivals", constant_arrivals_come_at_k_over_rate_without_drift,
           a_load_changes_the_pace_at_its_point_in_the_middle_of_a_gap,
           a_ramp_is_a_straight_line_and_a_spike_multiplies,
           a_trace_is_replayed_at_its_speed_and_repeats_from_its_last_record,
           a_load_stretches_a_traces_time, a_load_scales_the_users_of_a_closed_client,
           poisson_gaps_are_exponential, gamma_gaps_have_their_rate_and_cv,
           a_load_leaves_poisson_arrivals_poisson_at_its_own_pace,
           mmpp_has_its_mean_rate_and_its_burstiness, mmpp_whose_load_ends_at_0_ends,
           a_trace_of_rates_is_a_poisson_process_on_a_staircase)
