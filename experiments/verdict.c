#include "experiments/verdict.h"

#include <math.h>
#include <stdio.h>

#include "experiments/verdict_cascade.h"
#include "experiments/verdict_windows.h"
#include "models/servers/server.h"
#include "sim/check.h"
#include "sim/vec.h"

/* A service fuller than this while all was well had too little capacity to begin with. */
#define SATURATED_RATIO 0.98

/* Requests that pile up although nobody fails are looked for over this many windows. */
enum { PILE_UP_WINDOWS = 4 };

static const char *const verdict_names[VERDICT_COUNT] = {"none",       "overloaded", "spontaneous",
                                                         "unfinished", "healthy",    "metastable",
                                                         "degraded",   "recovered"};

const char *verdict_name(VerdictKind kind) {
    CHECK(kind < VERDICT_COUNT);
    return verdict_names[kind];
}

/* What the rules look at. Windows are named by the sample after their last one. */
typedef struct Judge {
    const Model *model;
    const SeriesView *run_view, *twin_view;
    Sums run, twin;
    const Sums *calm; /* what the run is compared with: the twin, or NULL for its own arrivals */
    double sample_s, healthy;
    uint32_t width; /* samples in a window */
    uint32_t first; /* end of the first window after the warm-up */
    uint32_t end;   /* of the last window there is */
    uint32_t check; /* of the window at the trigger's end + settle + horizon */
    uint32_t fall,
        back; /* windows: the first one short, the first one after the last short one; 0 */
} Judge;

static uint32_t samples_in(const Judge *judge, SimTime time) {
    return (uint32_t)ceil(time_to_s(time) / judge->sample_s - 1e-9);
}

/* Below what is expected in samples [from, to): short against the twin, or, when there is none,
 * losing requests. */
static bool is_below_in(const Judge *judge, uint32_t from, uint32_t to) {
    return judge->calm != NULL ? is_short(&judge->run, judge->calm, from, to, judge->healthy)
                               : is_failing(&judge->run, from, to, judge->healthy);
}

static bool is_below(const Judge *judge, uint32_t end) {
    return is_below_in(judge, end - judge->width, end);
}

/* The first sample of [from, end) from which on it is (or is not) below by itself: where in a
 * window the change happened. */
static uint32_t find_moment(const Judge *judge, uint32_t from, uint32_t end, bool below) {
    CHECK(from < end);
    while (from + 1 < end && is_below_in(judge, from, from + 1) != below) {
        from++;
    }
    return from;
}

static uint32_t fall_sample(const Judge *judge) {
    CHECK(judge->fall >= judge->width);
    return find_moment(judge, judge->fall - judge->width, judge->fall, true);
}

/* Not before the fall: the window after the last one below may begin there when few were. */
static uint32_t back_sample(const Judge *judge) {
    uint32_t fall = fall_sample(judge), first = judge->back - judge->width;
    CHECK(judge->back > judge->fall);
    return find_moment(judge, first > fall ? first : fall + 1, judge->back, false);
}

SimTime verdict_horizon(const Model *model) {
    if (model->verdict.has_horizon) {
        return model->verdict.horizon;
    }
    SimTime ten_times = 10 * (model->trigger_to - model->trigger_from);
    SimTime ten_minutes = 600 * SIM_TIME_S;
    return ten_times > ten_minutes ? ten_times : ten_minutes;
}

static void judge_init(Judge *judge, const Model *model, const SeriesView *run,
                       const SeriesView *twin) {
    *judge = (Judge){.model = model,
                     .run_view = run,
                     .twin_view = twin,
                     .sample_s = time_to_s(model->run.sample_every),
                     .healthy = model->verdict.healthy};
    sums_init(&judge->run, run, 0, model->client_count);
    sums_init(&judge->twin, twin, 0, model->client_count);
    judge->calm = model->has_trigger ? &judge->twin : NULL;
    judge->width = samples_in(judge, model->verdict.hold);
    judge->first = samples_in(judge, model->run.warmup) + judge->width;
    judge->end = run->sample_count < twin->sample_count ? run->sample_count : twin->sample_count;
    CHECK(judge->width > 0);
    judge->check = judge->end;
    if (model->has_trigger) {
        SimTime at = model->trigger_to + model->verdict.settle + verdict_horizon(model);
        uint32_t check = samples_in(judge, at);
        judge->check = check < judge->end ? check : judge->end;
    }
}

/* Where the run first fell, and where it was back for good before the check. */
static void find_fall(Judge *judge) {
    uint32_t last_below = 0;
    for (uint32_t end = judge->first; end <= judge->check; end++) {
        if (is_below(judge, end)) {
            judge->fall = judge->fall == 0 ? end : judge->fall;
            last_below = end;
        }
    }
    CHECK(judge->check <= judge->end);
    judge->back = last_below > 0 && last_below < judge->check ? last_below + 1 : 0;
}

static void find_extremes(const Judge *judge, Verdict *out) {
    out->amplification_max = NAN;
    out->goodput_ratio_min = NAN;
    for (uint32_t end = judge->first; end <= judge->end; end++) {
        uint32_t from = end - judge->width;
        double offered = sums_over(judge->run.offered, from, end);
        double expected = expected_answers(&judge->run, judge->calm, from, end);
        if (offered > 0) {
            out->amplification_max =
                fmax(out->amplification_max, sums_over(judge->run.attempts, from, end) / offered);
        }
        if (expected > 0) {
            out->goodput_ratio_min =
                fmin(out->goodput_ratio_min, sums_over(judge->run.answered, from, end) / expected);
        }
    }
}

/* ---- The rules, in their order; each returns whether it holds and says why */

/* A server of batches is busy as long as anybody is there, and full when its batches are. An
 * inference server may be full of tokens with few of its slots in use. */
static double fullness(const double *row, bool has_tokens) {
    double busy = has_tokens ? 1 - row[METRIC_idle_ratio] : row[METRIC_utilization];
    double full = row[METRIC_batches] > 0 ? row[METRIC_full_batch_ratio] : !has_tokens;
    return isnan(busy) ? 0 : busy * full;
}

static double fullest_ratio(const Judge *judge, const SeriesView *view, uint32_t from,
                            uint32_t to) {
    const Model *model = judge->model;
    double fullest = 0;
    for (uint32_t k = model->client_count; k < view->component_count; k++) {
        bool has_tokens = service_has_tokens(&model->services[k - model->client_count]);
        double sum = 0;
        for (uint32_t i = from; i < to; i++) {
            const double *row =
                view->values + ((size_t)i * view->component_count + k) * SERIES_WIDTH;
            sum += fullness(row, has_tokens);
        }
        fullest = fmax(fullest, to > from ? sum / (to - from) : 0);
    }
    return fullest;
}

/* The twin does not answer what it is offered: it loses requests, or they pile up. The latter is
 * looked at over several windows, because traffic in clumps piles up for a while too. */
static bool is_twin_ill(const Judge *judge, uint32_t end) {
    uint32_t warmup = judge->first - judge->width;
    uint32_t from = end - warmup > PILE_UP_WINDOWS * judge->width
                        ? end - PILE_UP_WINDOWS * judge->width
                        : warmup;
    return is_failing(&judge->twin, end - judge->width, end, judge->healthy) ||
           is_short(&judge->twin, NULL, from, end, judge->healthy);
}

/* A window in which nobody asks and nobody is answered says nothing. */
static bool is_twin_well(const Judge *judge, uint32_t end) {
    uint32_t from = end - judge->width;
    bool is_empty = sums_over(judge->twin.offered, from, end) == 0 &&
                    sums_over(judge->twin.answered, from, end) == 0 &&
                    sums_over(judge->twin.failed, from, end) == 0;
    return !is_empty && !is_twin_ill(judge, end);
}

/* The first sample of a window in which the twin loses requests, or the window's start when they
 * only pile up. */
static double twin_loses_s(const Judge *judge, uint32_t end) {
    uint32_t first = end - judge->width, sample = first;
    while (sample < end && !is_failing(&judge->twin, sample, sample + 1, judge->healthy)) {
        sample++;
    }
    return (sample < end ? sample : first) * judge->sample_s;
}

/* Falls without a trigger: the twin is below at its end. Overloaded when a service was saturated
 * while all was still well, or it never was well; spontaneous when there was capacity to spare. */
static bool falls_by_itself(const Judge *judge, Verdict *out) {
    uint32_t warmup = judge->first - judge->width, fall = judge->end;
    if (!is_twin_ill(judge, judge->end)) {
        return false;
    }
    while (fall > judge->first && !is_twin_well(judge, fall - 1)) {
        fall--;
    }
    double full = fullest_ratio(judge, judge->twin_view, warmup, fall - judge->width);
    bool was_well = fall > judge->first;
    if (was_well && full < SATURATED_RATIO) {
        out->kind = VERDICT_SPONTANEOUS;
        out->collapse_at_s = twin_loses_s(judge, fall);
        snprintf(
            out->why, sizeof out->why,
            "without any trigger goodput fell below %g %% of the offered load at about %g s and "
            "stayed there, although the fullest service was only %.0f %% full before",
            judge->healthy * 100, out->collapse_at_s, full * 100);
    } else {
        out->kind = VERDICT_OVERLOADED;
        snprintf(
            out->why, sizeof out->why,
            "even without a trigger goodput at the end is below %g %% of the offered load, and "
            "%s: capacity is too small",
            judge->healthy * 100,
            was_well ? "a service was saturated from the start" : "it never was above");
    }
    return true;
}

/* The run falls before its trigger and is not back by the end. */
static bool falls_before_trigger(const Judge *judge, Verdict *out) {
    const Model *model = judge->model;
    if (!model->has_trigger || judge->fall == 0) {
        return false;
    }
    double fall_s = fall_sample(judge) * judge->sample_s;
    if (fall_s >= time_to_s(model->trigger_from) || !is_below(judge, judge->end)) {
        return false;
    }
    out->kind = VERDICT_SPONTANEOUS;
    snprintf(
        out->why, sizeof out->why,
        "goodput fell below %g %% of the twin's at %g s, before the trigger at %g s, and is not "
        "back at the end",
        judge->healthy * 100, fall_s, time_to_s(model->trigger_from));
    return true;
}

static bool is_unfinished(const Judge *judge, Verdict *out) {
    const Model *model = judge->model;
    if (!model->has_trigger) {
        return false;
    }
    SimTime needed = model->trigger_to + model->verdict.settle + verdict_horizon(model);
    double missing_s = time_to_s(needed) - judge->end * judge->sample_s;
    if (missing_s <= judge->sample_s / 2) {
        return false;
    }
    out->kind = VERDICT_UNFINISHED;
    snprintf(
        out->why, sizeof out->why,
        "the run ends %g s too early: the trigger ends at %g s, settle is %g s and the horizon "
        "%g s; make the duration %g s",
        missing_s, time_to_s(model->trigger_to), time_to_s(model->verdict.settle),
        time_to_s(verdict_horizon(model)), time_to_s(needed));
    return true;
}

static double mean_p50_s(const Judge *judge, const SeriesView *view, uint32_t from, uint32_t to) {
    double sum = 0, weight = 0;
    for (uint32_t i = from; i < to; i++) {
        for (uint32_t k = 0; k < judge->model->client_count; k++) {
            const double *row =
                view->values + ((size_t)i * view->component_count + k) * SERIES_WIDTH;
            if (row[METRIC_answered] > 0) {
                sum += row[METRIC_answered] * row[METRIC_latency_p50];
                weight += row[METRIC_answered];
            }
        }
    }
    return weight > 0 ? sum / weight : 0;
}

static double attempts_per_request(const Sums *sums, uint32_t from, uint32_t to) {
    double offered = sums_over(sums->offered, from, to);
    return offered > 0 ? sums_over(sums->attempts, from, to) / offered : 1;
}

/* Goodput is well but the price is not: looked at over the second half of the horizon. */
static bool is_degraded(const Judge *judge, Verdict *out) {
    const VerdictDef *rules = &judge->model->verdict;
    uint32_t half =
        judge->model->has_trigger ? samples_in(judge, verdict_horizon(judge->model) / 2) : 0;
    uint32_t to = judge->check,
             from = to > half && half > judge->width ? to - half : to - judge->width;
    if (from < judge->back) {
        from = judge->back < to ? judge->back : to - 1;
    }
    double attempts = attempts_per_request(&judge->run, from, to);
    double twin_attempts = attempts_per_request(&judge->twin, from, to);
    double p50_s = mean_p50_s(judge, judge->run_view, from, to);
    double twin_p50_s = mean_p50_s(judge, judge->twin_view, from, to);
    if (judge->calm == NULL ||
        (attempts <= rules->attempts * twin_attempts && p50_s <= rules->latency * twin_p50_s)) {
        return false;
    }
    out->kind = VERDICT_DEGRADED;
    snprintf(out->why, sizeof out->why,
             "goodput %s, but with %.3g attempts per request (twin %.3g) and a median latency "
             "of %.3g s (twin %.3g s) from %g to %g s",
             judge->fall > 0 ? "is back" : "never fell", attempts, twin_attempts, p50_s, twin_p50_s,
             from * judge->sample_s, to * judge->sample_s);
    return true;
}

static const char *calm_name(const Judge *judge) {
    return judge->calm != NULL ? "the twin's" : "the requests that ended";
}

static void fell_and_what_then(const Judge *judge, Verdict *out) {
    out->collapse_at_s = fall_sample(judge) * judge->sample_s;
    if (judge->back == 0) {
        CHECK(judge->calm != NULL); /* else it would have fallen by itself */
        out->kind = VERDICT_METASTABLE;
        snprintf(out->why, sizeof out->why,
                 "goodput fell below %g %% of the twin's at %g s and was still there at %g s, long "
                 "after the trigger had ended at %g s",
                 judge->healthy * 100, out->collapse_at_s, judge->check * judge->sample_s,
                 time_to_s(judge->model->trigger_to));
        return;
    }
    out->recovered_at_s = back_sample(judge) * judge->sample_s;
    if (!is_degraded(judge, out)) {
        out->kind = VERDICT_RECOVERED;
        snprintf(out->why, sizeof out->why,
                 "goodput fell below %g %% of %s at %g s and was back at %g s",
                 judge->healthy * 100, calm_name(judge), out->collapse_at_s, out->recovered_at_s);
    }
}

static void judge_by_rules(Judge *judge, Verdict *out) {
    if (judge->end < judge->first) {
        out->kind = VERDICT_UNFINISHED;
        snprintf(out->why, sizeof out->why,
                 "after the warm-up there is less than one window of %g s to look at",
                 time_to_s(judge->model->verdict.hold));
        return;
    }
    find_fall(judge);
    find_extremes(judge, out);
    if (judge->fall != 0) {
        out->collapse_at_s = fall_sample(judge) * judge->sample_s;
    }
    if (falls_by_itself(judge, out) || falls_before_trigger(judge, out) ||
        is_unfinished(judge, out)) {
        return;
    }
    if (judge->fall != 0) {
        fell_and_what_then(judge, out);
    } else if (!is_degraded(judge, out)) {
        out->kind = VERDICT_HEALTHY;
        snprintf(out->why, sizeof out->why, "goodput never fell below %g %% of %s",
                 judge->healthy * 100, calm_name(judge));
    }
}

void verdict_judge(const Model *model, const SeriesView *run, const SeriesView *twin,
                   Verdict *out) {
    *out = (Verdict){.kind = VERDICT_NONE,
                     .collapse_at_s = NAN,
                     .recovered_at_s = NAN,
                     .first_to_fail = NONE,
                     .amplification_max = NAN,
                     .goodput_ratio_min = NAN};
    if (model->verdict.is_off) {
        return;
    }
    Judge judge;
    judge_init(&judge, model, run, twin);
    judge_by_rules(&judge, out);
    if (out->kind != VERDICT_HEALTHY && judge.end >= judge.first) {
        cascade_find(model, run, twin, out);
    }
    sums_free(&judge.run);
    sums_free(&judge.twin);
}

void verdict_free(Verdict *verdict) {
    mem_free(verdict->breakages);
    verdict->breakages = NULL;
    verdict->breakage_count = 0;
}
