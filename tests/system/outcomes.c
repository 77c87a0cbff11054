#include "tests/system/outcomes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/compile.h"
#include "experiments/replicate.h"
#include "tests/test.h"

const char *project_path(const char *name) {
    static char path[4096];
    const char *root = getenv("KNOCKON_DATA");
    snprintf(path, sizeof path, "%s/%s", root != NULL ? root : ".", name);
    return path;
}

static double *sum_trigger(const Model *model, const Result *result) {
    double *sums = calloc((size_t)result->component_count * METRIC_COUNT, sizeof *sums);
    SimTime every = model->run.sample_every;
    for (uint32_t i = 0; model->has_trigger && i < result->sample_count; i++) {
        if (i * every < model->trigger_from || (i + 1) * every > model->trigger_to) {
            continue;
        }
        for (uint32_t k = 0; k < result->component_count; k++) {
            const double *row =
                result->series + ((size_t)i * result->component_count + k) * SERIES_WIDTH;
            for (uint32_t m = 0; m < METRIC_COUNT; m++) {
                sums[k * METRIC_COUNT + m] += isnan(row[m]) ? 0 : row[m];
            }
        }
    }
    return sums;
}

static bool keep(void *context, const Result *result) {
    Outcomes *outcomes = context;
    Seen *seen = &outcomes->runs[outcomes->run_count++];
    size_t count = (size_t)result->component_count * METRIC_COUNT;
    seen->verdict = result->verdict;
    seen->verdict.breakages =
        malloc((result->verdict.breakage_count + 1) * sizeof *seen->verdict.breakages);
    for (uint32_t i = 0; i < result->verdict.breakage_count; i++) {
        seen->verdict.breakages[i] = result->verdict.breakages[i];
    }
    seen->summary = malloc(count * sizeof *seen->summary);
    memcpy(seen->summary, result->summary, count * sizeof *seen->summary);
    seen->trigger = sum_trigger(outcomes->model, result);
    outcomes->verdict_counts[result->verdict.kind]++;
    return true;
}

static Model *compile(const char *path, const char *const *sets) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    char *texts[16] = {NULL};
    size_t count = 0;
    while (sets[count] != NULL) {
        ck_assert_uint_lt(count, 16);
        texts[count] = strdup(sets[count]);
        count++;
    }
    Model *model = compile_file(path, texts, count, &doc, &diagnostics, NULL);
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
        ck_abort_msg("%s does not compile", path);
    }
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    doc_free(&doc);
    diag_free(&diagnostics);
    return model;
}

Outcomes outcomes_of(const char *path, const char *const *sets, uint32_t replications) {
    Outcomes outcomes = {.model = compile(path, sets)};
    ck_assert(replications > 0 && replications <= OUTCOMES_MAX);
    outcomes.model->run.replications = replications;
    Replicate job = {.model = outcomes.model, .jobs = 1, .context = &outcomes, .take = keep};
    Error error;
    ck_assert_msg(replicate_run(&job, &error), "%s", error.text);
    ck_assert_uint_eq(outcomes.run_count, replications);
    return outcomes;
}

Outcomes outcomes_of_shipped(const char *name, const char *const *sets, uint32_t replications) {
    char path[200];
    snprintf(path, sizeof path, "experiments/scenarios/%s.yaml", name);
    Outcomes outcomes = outcomes_of(project_path(path), sets, replications);
    ck_assert_str_eq(outcomes.model->name, name);
    return outcomes;
}

void outcomes_free(Outcomes *outcomes) {
    for (uint32_t i = 0; i < outcomes->run_count; i++) {
        free(outcomes->runs[i].verdict.breakages);
        free(outcomes->runs[i].summary);
        free(outcomes->runs[i].trigger);
    }
    model_destroy(outcomes->model);
}

void outcomes_are(const Outcomes *outcomes, VerdictKind kind) {
    for (uint32_t i = 0; i < outcomes->run_count; i++) {
        const Verdict *verdict = &outcomes->runs[i].verdict;
        ck_assert_msg(verdict->kind == kind, "%s: replication %u is %s and not %s: %s",
                      outcomes->model->name, i, verdict_name(verdict->kind), verdict_name(kind),
                      verdict->why);
    }
}

void outcomes_broke(const Outcomes *outcomes, const char *names) {
    for (uint32_t i = 0; i < outcomes->run_count; i++) {
        const Verdict *verdict = &outcomes->runs[i].verdict;
        char text[400] = "";
        for (uint32_t k = 0; k < verdict->breakage_count; k++) {
            const char *name =
                model_component_name(outcomes->model, verdict->breakages[k].component);
            size_t size = strlen(text);
            snprintf(text + size, sizeof text - size, "%s%s", k > 0 ? " " : "", name);
        }
        ck_assert_msg(strcmp(text, names) == 0, "%s: in replication %u '%s' broke, not '%s'",
                      outcomes->model->name, i, text, names);
    }
}

static double metric_of(const Outcomes *outcomes, const double *values, const char *component,
                        uint32_t metric) {
    uint32_t index = model_find_component(outcomes->model, component);
    ck_assert_msg(index != NONE, "there is no %s", component);
    return values[(size_t)index * METRIC_COUNT + metric];
}

double seen_metric(const Outcomes *outcomes, const Seen *seen, const char *component,
                   uint32_t metric) {
    return metric_of(outcomes, seen->summary, component, metric);
}

double seen_in_trigger(const Outcomes *outcomes, const Seen *seen, const char *component,
                       uint32_t metric) {
    return metric_of(outcomes, seen->trigger, component, metric);
}
