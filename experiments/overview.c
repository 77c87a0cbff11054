#include "experiments/overview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

void overview_init(Overview *overview, const Model *model) {
    uint32_t component_count = model_component_count(model);
    *overview = (Overview){.model = model};
    overview->first_to_fail = mem_zalloc(component_count, sizeof *overview->first_to_fail);
    overview->metrics =
        mem_zalloc((size_t)component_count * METRIC_COUNT, sizeof *overview->metrics);
    overview->objectives = mem_zalloc(model->objective_count, sizeof *overview->objectives);
}

void overview_free(Overview *overview) {
    mem_free(overview->first_to_fail);
    mem_free(overview->metrics);
    mem_free(overview->objectives);
    vec_free(&overview->collapse_at_s);
    vec_free(&overview->recovered_at_s);
    vec_free(&overview->detected_at_s);
    vec_free(&overview->offered);
    vec_free(&overview->goodput);
}

static bool keeps(const Objective *objective, double value) {
    return objective->at_least ? value >= objective->bound : value <= objective->bound;
}

static void add_verdict(Overview *overview, const Verdict *verdict) {
    if (overview->verdicts[verdict->kind]++ == 0) {
        memcpy(overview->why[verdict->kind], verdict->why, sizeof verdict->why);
    }
    if (verdict->first_to_fail != NONE) {
        overview->first_to_fail[verdict->first_to_fail]++;
    }
    if (!isnan(verdict->collapse_at_s)) {
        vec_push(&overview->collapse_at_s, verdict->collapse_at_s);
    }
    if (!isnan(verdict->recovered_at_s)) {
        vec_push(&overview->recovered_at_s, verdict->recovered_at_s);
    }
}

static void add_objectives(Overview *overview, const Result *result) {
    for (uint32_t i = 0; i < overview->model->objective_count; i++) {
        const Objective *objective = &overview->model->objectives[i];
        ObjectiveResult *out = &overview->objectives[i];
        double value =
            result->summary[(size_t)objective->component * METRIC_COUNT + objective->metric];
        if (isfinite(value)) {
            running_record(&out->values, value);
        }
        out->missed_count += !keeps(objective, value); /* so is what is missing */
    }
}

static void add_curves(Overview *overview, const Result *result) {
    double sample_s = time_to_s(overview->model->run.sample_every);
    if (result->sample_count > overview->offered.count) {
        vec_resize(&overview->offered, result->sample_count);
        vec_resize(&overview->goodput, result->sample_count);
    }
    for (uint32_t sample = 0; sample < result->sample_count; sample++) {
        for (uint32_t i = 0; i < overview->model->client_count; i++) {
            const double *row =
                result->series + ((size_t)sample * result->component_count + i) * SERIES_WIDTH;
            overview->offered.items[sample] += row[METRIC_offered] / sample_s;
            overview->goodput.items[sample] += row[METRIC_answered] / sample_s;
        }
    }
}

void overview_add(Overview *overview, const Result *result) {
    overview->count++;
    overview->truncated_count += stop_reason_truncates(result->stop_reason);
    overview->event_count += result->event_count;
    add_verdict(overview, &result->verdict);
    double detected_at_s = result_detected_at_s(overview->model, result);
    if (!isnan(detected_at_s)) {
        vec_push(&overview->detected_at_s, detected_at_s);
    }
    size_t cells = (size_t)result->component_count * METRIC_COUNT;
    for (size_t i = 0; i < cells; i++) {
        if (isfinite(result->summary[i])) {
            running_record(&overview->metrics[i], result->summary[i]);
        }
    }
    add_objectives(overview, result);
    add_curves(overview, result);
}

VerdictKind overview_verdict(const Overview *overview) {
    VerdictKind most = VERDICT_NONE;
    for (uint32_t i = 0; i < VERDICT_COUNT; i++) {
        most = overview->verdicts[i] > overview->verdicts[most] ? (VerdictKind)i : most;
    }
    return most;
}

bool overview_objective_is_kept(const Overview *overview, uint32_t objective) {
    CHECK(objective < overview->model->objective_count);
    const Running *values = &overview->objectives[objective].values;
    return values->count == overview->count && values->count > 0 &&
           keeps(&overview->model->objectives[objective], values->mean);
}

bool overview_objectives_are_kept(const Overview *overview) {
    bool are_kept = true;
    for (uint32_t i = 0; i < overview->model->objective_count; i++) {
        are_kept = are_kept && overview_objective_is_kept(overview, i);
    }
    return are_kept;
}

const Running *overview_metric(const Overview *overview, uint32_t component, uint32_t metric) {
    CHECK(metric < METRIC_COUNT && component < model_component_count(overview->model));
    return &overview->metrics[(size_t)component * METRIC_COUNT + metric];
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double overview_median(double *values, size_t count) {
    if (count == 0) {
        return NAN;
    }
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
