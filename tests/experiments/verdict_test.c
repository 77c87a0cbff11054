/* Each rule of the verdict, provoked on series made by hand: 20 requests a second, samples of 1 s.
 */
#include <math.h>

#include "experiments/verdict.h"
#include "models/probe.h"
#include "sim/rng.h"
#include "sim/vec.h"
#include "tests/experiments/compile_test.h"

/* The trigger ends at 360 s, so the last look is at 360 + 10 + 600 = 970 s. */
static const char with_trigger[] =
    "knockon: 1\n"
    "run: {duration: 20min, warmup: 1min}\n"
    "clients: {web: {target: gateway, arrivals: {poisson: {rate: 20/s}}}}\n"
    "services:\n"
    "  gateway: {calls: [{to: model}]}\n"
    "  model: {server: {batch: {max_batch_size: 8, step: 100ms}}}\n"
    "faults: [{at: 5min, for: 1min, slow: {service: model, x: 4}}]\n";
static const char without_trigger[] =
    "knockon: 1\n"
    "run: {duration: 20min, warmup: 1min}\n"
    "clients: {web: {target: gateway, arrivals: {poisson: {rate: 20/s}}}}\n"
    "services:\n"
    "  gateway: {calls: [{to: model}]}\n"
    "  model: {server: {batch: {max_batch_size: 8, step: 100ms}}}\n";

enum { WEB, GATEWAY, MODEL, COMPONENT_COUNT };

typedef struct Play {
    Compiled compiled;
    uint32_t sample_count;
    double *run, *twin; /* the same array when there is no trigger */
    Verdict verdict;
} Play;

static double *cell(double *series, uint32_t sample, uint32_t component, uint32_t metric) {
    return &series[((size_t)sample * COMPONENT_COUNT + component) * SERIES_WIDTH + metric];
}

/* All is well: a latency of 0.2 s, half of the slots in use. */
static double *calm_series(uint32_t sample_count) {
    double *series = calloc((size_t)sample_count * COMPONENT_COUNT * SERIES_WIDTH, sizeof *series);
    for (uint32_t i = 0; i < sample_count; i++) {
        for (uint32_t k = 0; k < COMPONENT_COUNT; k++) {
            *cell(series, i, k, METRIC_offered) = 20;
            *cell(series, i, k, METRIC_answered) = 20;
            *cell(series, i, k, METRIC_attempts) = 20;
            *cell(series, i, k, METRIC_in_system_mean) = 4;
            *cell(series, i, k, METRIC_latency_p50) = 0.2;
            *cell(series, i, k, METRIC_utilization) = k == WEB ? NAN : 0.5;
        }
    }
    return series;
}

/* A model and two calm series; `set` changes the scenario, or is NULL. */
static Play play_begin(const char *scenario, const char *set) {
    Play play = {.compiled = compiled(scenario, set)};
    const Model *model = play.compiled.model;
    ck_assert_msg(model != NULL, "%s", play.compiled.messages);
    play.sample_count = (uint32_t)(model->run.duration / model->run.sample_every);
    play.run = calm_series(play.sample_count);
    play.twin = model->has_trigger ? calm_series(play.sample_count) : play.run;
    return play;
}

/* Sets a metric of a component over samples [from, to). */
static void play_set(double *series, uint32_t component, uint32_t metric, const uint32_t from_to[2],
                     double value) {
    for (uint32_t i = from_to[0]; i < from_to[1]; i++) {
        *cell(series, i, component, metric) = value;
    }
}
#define OVER(from, to) ((const uint32_t[2]){from, to})

/* Nobody is answered, and all who ask fail after their second. */
static void play_outage(double *series, uint32_t from, uint32_t to) {
    play_set(series, WEB, METRIC_answered, OVER(from, to), 0);
    play_set(series, WEB, METRIC_timeouts, OVER(from, to), 20);
}

static void play_judge(Play *play) {
    SeriesView run = {play->run, play->sample_count, COMPONENT_COUNT};
    SeriesView twin = {play->twin, play->sample_count, COMPONENT_COUNT};
    verdict_judge(play->compiled.model, &run, &twin, &play->verdict);
}

static void play_free(Play *play) {
    verdict_free(&play->verdict);
    if (play->twin != play->run) {
        free(play->twin);
    }
    free(play->run);
    compiled_free(&play->compiled);
}

static void play_ends(Play *play, VerdictKind kind, const char *why) {
    play_judge(play);
    ck_assert_msg(play->verdict.kind == kind, "%s and not %s: %s", verdict_name(play->verdict.kind),
                  verdict_name(kind), play->verdict.why);
    ck_assert_str_eq(play->verdict.why, why);
    play_free(play);
}

/* ---- One test a rule */

START_TEST(healthy_is_a_run_like_its_twin) {
    Play play = play_begin(with_trigger, NULL);
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the twin's");
    play = play_begin(without_trigger, NULL);
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the requests that ended");
}
END_TEST

START_TEST(a_dip_shorter_than_the_window_can_show_is_healthy) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 300, 301); /* a thirtieth of the window */
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the twin's");
}
END_TEST

START_TEST(metastable_is_below_at_the_horizons_end) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 305, 1200);
    play_judge(&play);
    ck_assert_double_eq(play.verdict.collapse_at_s, 305);
    ck_assert_double_nan(play.verdict.recovered_at_s);
    ck_assert_double_eq(play.verdict.goodput_ratio_min, 0);
    ck_assert_double_eq(play.verdict.amplification_max, 1);
    verdict_free(&play.verdict);
    play_ends(&play, VERDICT_METASTABLE,
              "goodput fell below 95 % of the twin's at 305 s and was still there at 970 s, long "
              "after the trigger had ended at 360 s");
}
END_TEST

START_TEST(recovered_is_back_before_the_horizons_end) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 305, 417);
    play_judge(&play);
    ck_assert_double_eq(play.verdict.recovered_at_s, 417);
    verdict_free(&play.verdict);
    play_ends(&play, VERDICT_RECOVERED,
              "goodput fell below 95 % of the twin's at 305 s and was back at 417 s");
}
END_TEST

/* The window of 30 s that ends at 970 s decides. */
START_TEST(recovery_must_have_held_for_a_window_by_then) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 305, 939);
    play_ends(&play, VERDICT_RECOVERED,
              "goodput fell below 95 % of the twin's at 305 s and was back at 939 s");
    play = play_begin(with_trigger, NULL);
    play_outage(play.run, 305, 945);
    play_ends(&play, VERDICT_METASTABLE,
              "goodput fell below 95 % of the twin's at 305 s and was still there at 970 s, long "
              "after the trigger had ended at 360 s");
}
END_TEST

/* In the window that ends with it a single bad sample is one too many, and in the next one not. */
START_TEST(a_short_fall_is_not_over_before_it_began) {
    Play play = play_begin(with_trigger, NULL);
    play_set(play.run, WEB, METRIC_answered, OVER(290, 320), 19);
    play_outage(play.run, 305, 306);
    play_judge(&play);
    ck_assert_int_eq(play.verdict.kind, VERDICT_RECOVERED);
    ck_assert_msg(play.verdict.recovered_at_s > play.verdict.collapse_at_s, "%s", play.verdict.why);
    play_free(&play);
}
END_TEST

START_TEST(degraded_is_well_at_twice_the_attempts) {
    Play play = play_begin(with_trigger, NULL);
    play_set(play.run, WEB, METRIC_attempts, OVER(305, 1200), 40);
    play_ends(
        &play, VERDICT_DEGRADED,
        "goodput never fell, but with 2 attempts per request (twin 1) and a median latency of "
        "0.2 s (twin 0.2 s) from 670 to 970 s");
}
END_TEST

START_TEST(degraded_is_back_but_slower) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 305, 400);
    play_set(play.run, WEB, METRIC_latency_p50, OVER(305, 1200), 0.31);
    play_ends(&play, VERDICT_DEGRADED,
              "goodput is back, but with 1 attempts per request (twin 1) and a median latency of "
              "0.31 s (twin 0.2 s) from 670 to 970 s");
}
END_TEST

START_TEST(a_little_slower_with_a_few_attempts_more_is_healthy) {
    Play play = play_begin(with_trigger, NULL);
    play_set(play.run, WEB, METRIC_latency_p50, OVER(305, 1200), 0.2 * 1.09);
    play_set(play.run, WEB, METRIC_attempts, OVER(305, 1200), 20.8);
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the twin's");
    play = play_begin(with_trigger, "verdict={attempts: 1.01}");
    play_set(play.run, WEB, METRIC_attempts, OVER(305, 1200), 20.8);
    play_ends(
        &play, VERDICT_DEGRADED,
        "goodput never fell, but with 1.04 attempts per request (twin 1) and a median latency "
        "of 0.2 s (twin 0.2 s) from 670 to 970 s");
}
END_TEST

START_TEST(unfinished_says_how_much_longer) {
    Play play = play_begin(with_trigger, "run.duration=15min");
    play_outage(play.run, 305, 900);
    play_ends(&play, VERDICT_UNFINISHED,
              "the run ends 70 s too early: the trigger ends at 360 s, settle is 10 s and the "
              "horizon 600 s; make the duration 970 s");
    play = play_begin(with_trigger, "run.duration=970s");
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the twin's");
    play = play_begin(without_trigger, "run.duration=80s");
    play_ends(&play, VERDICT_UNFINISHED,
              "after the warm-up there is less than one window of 30 s to look at");
}
END_TEST

/* Ten times the trigger when that is more than ten minutes; what is written goes before. */
START_TEST(the_horizon_grows_with_the_trigger) {
    Play play = play_begin(with_trigger, "faults[0].for=2min");
    play_ends(&play, VERDICT_UNFINISHED,
              "the run ends 430 s too early: the trigger ends at 420 s, settle is 10 s and the "
              "horizon 1200 s; make the duration 1630 s");
    play = play_begin(with_trigger, "verdict={horizon: 50s, settle: 0s}");
    play_outage(play.run, 305, 500);
    play_ends(&play, VERDICT_METASTABLE,
              "goodput fell below 95 % of the twin's at 305 s and was still there at 410 s, long "
              "after the trigger had ended at 360 s");
}
END_TEST

START_TEST(spontaneous_is_a_fall_without_a_trigger_and_with_capacity_to_spare) {
    Play play = play_begin(without_trigger, NULL);
    play_outage(play.run, 712, 1200);
    play_judge(&play);
    ck_assert_double_eq(play.verdict.collapse_at_s, 712);
    verdict_free(&play.verdict);
    play_ends(&play, VERDICT_SPONTANEOUS,
              "without any trigger goodput fell below 95 % of the offered load at about 712 s and "
              "stayed there, although the fullest service was only 50 % full before");
}
END_TEST

START_TEST(a_pause_in_the_traffic_is_no_recovery) {
    Play play = play_begin(without_trigger, NULL);
    play_outage(play.run, 712, 1200);
    play_set(play.run, WEB, METRIC_offered, OVER(900, 960), 0);
    play_set(play.run, WEB, METRIC_timeouts, OVER(900, 960), 0);
    play_ends(&play, VERDICT_SPONTANEOUS,
              "without any trigger goodput fell below 95 % of the offered load at about 712 s and "
              "stayed there, although the fullest service was only 50 % full before");
}
END_TEST

START_TEST(a_fall_without_a_trigger_that_is_back_is_recovered) {
    Play play = play_begin(without_trigger, NULL);
    play_outage(play.run, 712, 800);
    play_ends(&play, VERDICT_RECOVERED,
              "goodput fell below 95 % of the requests that ended at 712 s and was back at 800 s");
}
END_TEST

START_TEST(spontaneous_is_also_a_fall_before_the_trigger) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 207, 1200);
    play_ends(&play, VERDICT_SPONTANEOUS,
              "goodput fell below 95 % of the twin's at 207 s, before the trigger at 300 s, and is "
              "not back at the end");
}
END_TEST

START_TEST(overloaded_is_a_twin_that_never_was_well) {
    Play play = play_begin(with_trigger, NULL);
    play_outage(play.run, 0, 1200);
    play_outage(play.twin, 0, 1200);
    play_ends(&play, VERDICT_OVERLOADED,
              "even without a trigger goodput at the end is below 95 % of the offered load, and it "
              "never was above: capacity is too small");
}
END_TEST

START_TEST(overloaded_is_a_fall_of_a_saturated_service) {
    Play play = play_begin(without_trigger, NULL);
    play_outage(play.run, 712, 1200);
    play_set(play.run, GATEWAY, METRIC_utilization, OVER(0, 1200), 0.99);
    play_ends(&play, VERDICT_OVERLOADED,
              "even without a trigger goodput at the end is below 95 % of the offered load, and a "
              "service was saturated from the start: capacity is too small");
}
END_TEST

/* Nobody fails when nobody stops waiting: the queue alone grows. */
START_TEST(overloaded_is_a_queue_that_grows_without_anybody_failing) {
    Play play = play_begin(without_trigger, NULL);
    play_set(play.run, WEB, METRIC_answered, OVER(60, 1200), 16);
    for (uint32_t i = 60; i < 1200; i++) {
        *cell(play.run, i, WEB, METRIC_in_system_mean) = 4 * (i - 60);
    }
    play_ends(&play, VERDICT_OVERLOADED,
              "even without a trigger goodput at the end is below 95 % of the offered load, and it "
              "never was above: capacity is too small");
}
END_TEST

/* It always works on some batch, but its batches are small. */
START_TEST(a_batching_server_is_not_full_because_it_is_busy) {
    Play play = play_begin(without_trigger, NULL);
    play_outage(play.run, 712, 1200);
    play_set(play.run, MODEL, METRIC_utilization, OVER(0, 1200), 1);
    play_set(play.run, MODEL, METRIC_batches, OVER(0, 1200), 10);
    play_set(play.run, MODEL, METRIC_full_batch_ratio, OVER(0, 1200), 0.6);
    play_ends(&play, VERDICT_SPONTANEOUS,
              "without any trigger goodput fell below 95 % of the offered load at about 712 s and "
              "stayed there, although the fullest service was only 60 % full before");
}
END_TEST

/* Its KV cache has no room, and of its sequences there are few. */
START_TEST(an_inference_server_is_full_when_its_steps_have_no_room) {
    static const char set[] = "services.model.server={inference: {kv_blocks: 99, step: {linear: "
                              "{base: 7ms}}}}";
    for (uint32_t is_full = 0; is_full < 2; is_full++) {
        Play play = play_begin(without_trigger, set);
        play_outage(play.run, 712, 1200);
        play_set(play.run, MODEL, METRIC_utilization, OVER(0, 1200), 0.03);
        play_set(play.run, MODEL, METRIC_idle_ratio, OVER(0, 1200), 0.004);
        play_set(play.run, MODEL, METRIC_batches, OVER(0, 1200), 10);
        play_set(play.run, MODEL, METRIC_full_batch_ratio, OVER(0, 1200), is_full ? 0.99 : 0.6);
        play_set(play.run, GATEWAY, METRIC_utilization, OVER(0, 1200), 0.1);
        play_judge(&play);
        ck_assert_int_eq(play.verdict.kind, is_full ? VERDICT_OVERLOADED : VERDICT_SPONTANEOUS);
        play_free(&play);
    }
}
END_TEST

START_TEST(no_verdict_when_it_is_off) {
    Play play = play_begin(with_trigger, "verdict=none");
    play_outage(play.run, 305, 1200);
    play_ends(&play, VERDICT_NONE, "");
}
END_TEST

/* ---- Chance */

enum { NOISE_S = 10100 };

/* Fills in what a crowd of independent servers would: arrivals at a rate, each answered after an
 * exponential time. The arrivals are those of `seed`, the times those of `seed` and `turn`. */
static void play_crowd(double *series, double rate, double latency_s, uint64_t turn) {
    RngKey arrivals_key = rng_key(7, 0, "web", "arrivals");
    RngKey times_key = rng_key(7, turn, "web", "times");
    Rng arrivals, times;
    rng_stream(&arrivals, &arrivals_key);
    rng_stream(&times, &times_key);
    for (uint32_t i = 0; i < NOISE_S; i++) {
        *cell(series, i, WEB, METRIC_offered) = 0;
        *cell(series, i, WEB, METRIC_answered) = 0;
        *cell(series, i, WEB, METRIC_attempts) = 0;
        *cell(series, i, WEB, METRIC_in_system_mean) = rate * latency_s;
    }
    double now = -20 * latency_s;
    while (now < NOISE_S) {
        now -= log(1 - rng_uniform(&arrivals)) / rate;
        double done = now - log(1 - rng_uniform(&times)) * latency_s;
        if (now >= 0 && now < NOISE_S) {
            *cell(series, (uint32_t)now, WEB, METRIC_offered) += 1;
            *cell(series, (uint32_t)now, WEB, METRIC_attempts) += 1;
        }
        if (done >= 0 && done < NOISE_S) {
            *cell(series, (uint32_t)done, WEB, METRIC_answered) += 1;
        }
    }
}

/* Ten thousand windows, from a busy fast service to a rare slow one. */
START_TEST(chance_is_no_outage) {
    static const double cases[][2] = {{20, 0.2}, {200, 0.05}, {2, 3}, {0.5, 10}, {5, 20}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Play play = play_begin(with_trigger, "run.duration=10100s");
        play_set(play.run, WEB, METRIC_latency_p50, OVER(0, NOISE_S), 0.2);
        play_crowd(play.run, cases[i][0], cases[i][1], 1);
        play_crowd(play.twin, cases[i][0], cases[i][1], 2);
        play_judge(&play);
        ck_assert_msg(play.verdict.kind == VERDICT_HEALTHY, "at %g/s and %g s: %s", cases[i][0],
                      cases[i][1], play.verdict.why);
        play_free(&play);
        play = play_begin(without_trigger, "run.duration=10100s");
        play_crowd(play.run, cases[i][0], cases[i][1], 1);
        play_judge(&play);
        ck_assert_msg(play.verdict.kind == VERDICT_HEALTHY, "alone, at %g/s and %g s: %s",
                      cases[i][0], cases[i][1], play.verdict.why);
        play_free(&play);
    }
}
END_TEST

/* The allowance must not hide what it is there to show: a tenth of the requests lost. */
START_TEST(a_tenth_lost_is_seen_through_the_noise) {
    Play play = play_begin(with_trigger, "run.duration=10100s");
    play_crowd(play.run, 20, 0.2, 1);
    play_crowd(play.twin, 20, 0.2, 2);
    for (uint32_t i = 305; i < NOISE_S; i++) {
        *cell(play.run, i, WEB, METRIC_answered) *= 0.9;
    }
    play_judge(&play);
    ck_assert_int_eq(play.verdict.kind, VERDICT_METASTABLE);
    ck_assert_double_eq_tol(play.verdict.collapse_at_s, 320, 20);
    play_free(&play);
}
END_TEST

/* Two of the fifteen that end in a window are more than a twentieth, and may be chance; eight are
 * not. */
START_TEST(two_of_fifteen_may_fail_by_chance) {
    for (uint32_t failed_count = 2; failed_count <= 8; failed_count += 6) {
        Play play = play_begin(without_trigger, NULL);
        for (uint32_t i = 0; i < 1200; i++) {
            *cell(play.run, i, WEB, METRIC_offered) = i % 2;
            *cell(play.run, i, WEB, METRIC_answered) = i % 2;
        }
        for (uint32_t i = 0; i < failed_count; i++) {
            *cell(play.run, 701 + 2 * i, WEB, METRIC_answered) = 0;
            *cell(play.run, 701 + 2 * i, WEB, METRIC_errors) = 1;
        }
        play_judge(&play);
        ck_assert_int_eq(play.verdict.kind,
                         failed_count == 2 ? VERDICT_HEALTHY : VERDICT_RECOVERED);
        play_free(&play);
    }
}
END_TEST

/* A burst of recorded traffic makes answers late, and nobody fails. */
START_TEST(a_crowd_that_is_only_late_is_healthy) {
    Play play = play_begin(without_trigger, NULL);
    play_set(play.run, WEB, METRIC_offered, OVER(500, 505), 100);
    play_set(play.run, WEB, METRIC_answered, OVER(520, 540), 40);
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the requests that ended");
}
END_TEST

START_TEST(a_clump_at_the_end_of_the_run_is_healthy) {
    Play play = play_begin(without_trigger, NULL);
    play_set(play.run, WEB, METRIC_offered, OVER(1190, 1195), 36);
    play_ends(&play, VERDICT_HEALTHY, "goodput never fell below 95 % of the requests that ended");
}
END_TEST

/* ---- Cascades */

static void play_break(Play *play, uint32_t component, uint32_t from) {
    play_set(play->run, component, METRIC_answered, OVER(from, 1200), 0);
}

static void play_broke(Play *play, const uint32_t *expected, uint32_t count, uint32_t depth) {
    play_outage(play->run, 310, 1200);
    play_judge(play);
    ck_assert_uint_eq(play->verdict.breakage_count, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(play->verdict.breakages[i].component, expected[i]);
    }
    ck_assert_uint_eq(play->verdict.first_to_fail, count > 0 ? expected[0] : NONE);
    ck_assert_uint_eq(play->verdict.cascade_depth, depth);
    play_free(play);
}

START_TEST(what_stops_answering_first_breaks_first) {
    Play play = play_begin(with_trigger, NULL);
    play_break(&play, GATEWAY, 305);
    play_break(&play, MODEL, 309);
    play_broke(&play, (const uint32_t[]){GATEWAY, MODEL}, 2, 1);
}
END_TEST

START_TEST(of_two_in_one_second_the_called_breaks_first) {
    Play play = play_begin(with_trigger, "faults[0].slow.service=gateway");
    play_break(&play, GATEWAY, 305);
    play_broke(&play, (const uint32_t[]){GATEWAY}, 1, 0);
    play = play_begin(without_trigger, "clients.web.spikes=[{at: 5min, for: 1min, x: 2}]");
    play_break(&play, GATEWAY, 305);
    play_break(&play, MODEL, 305);
    play_broke(&play, (const uint32_t[]){MODEL, GATEWAY}, 2, 1);
}
END_TEST

START_TEST(of_two_in_one_second_the_one_with_the_fault_breaks_first) {
    Play play = play_begin(with_trigger, "faults[0].slow.service=gateway");
    play_break(&play, GATEWAY, 305);
    play_break(&play, MODEL, 305);
    play_broke(&play, (const uint32_t[]){GATEWAY, MODEL}, 2, 1);
}
END_TEST

/* Fifty who were held up elsewhere arrive in the last second of a window and are answered in the
 * next. */
START_TEST(a_crowd_at_the_end_of_a_window_breaks_nobody) {
    Play play = play_begin(with_trigger, NULL);
    play_set(play.run, MODEL, METRIC_offered, OVER(300, 360), 8);
    play_set(play.run, MODEL, METRIC_answered, OVER(300, 360), 8);
    play_set(play.run, MODEL, METRIC_offered, OVER(360, 361), 58);
    play_set(play.run, MODEL, METRIC_answered, OVER(361, 362), 70);
    play_break(&play, GATEWAY, 305);
    play_broke(&play, (const uint32_t[]){GATEWAY}, 1, 0);
}
END_TEST

TEST_SUITE("experiments/verdict", healthy_is_a_run_like_its_twin,
           a_dip_shorter_than_the_window_can_show_is_healthy,
           metastable_is_below_at_the_horizons_end, recovered_is_back_before_the_horizons_end,
           recovery_must_have_held_for_a_window_by_then, a_short_fall_is_not_over_before_it_began,
           degraded_is_well_at_twice_the_attempts, degraded_is_back_but_slower,
           a_little_slower_with_a_few_attempts_more_is_healthy, unfinished_says_how_much_longer,
           the_horizon_grows_with_the_trigger,
           spontaneous_is_a_fall_without_a_trigger_and_with_capacity_to_spare,
           a_pause_in_the_traffic_is_no_recovery, two_of_fifteen_may_fail_by_chance,
           a_fall_without_a_trigger_that_is_back_is_recovered,
           spontaneous_is_also_a_fall_before_the_trigger, overloaded_is_a_twin_that_never_was_well,
           overloaded_is_a_fall_of_a_saturated_service,
           overloaded_is_a_queue_that_grows_without_anybody_failing,
           a_batching_server_is_not_full_because_it_is_busy,
           an_inference_server_is_full_when_its_steps_have_no_room, no_verdict_when_it_is_off,
           chance_is_no_outage, a_tenth_lost_is_seen_through_the_noise,
           a_crowd_that_is_only_late_is_healthy, a_clump_at_the_end_of_the_run_is_healthy,
           what_stops_answering_first_breaks_first, of_two_in_one_second_the_called_breaks_first,
           of_two_in_one_second_the_one_with_the_fault_breaks_first,
           a_crowd_at_the_end_of_a_window_breaks_nobody)
