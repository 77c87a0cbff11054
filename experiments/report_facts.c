#include "experiments/report_facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/language.h"
#include "experiments/quantity.h"
#include "sim/check.h"

/* ---- Verdicts */

static int share_compare(const void *a, const void *b) {
    const VerdictShare *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : strcmp(x->verdict, y->verdict);
}

static void count_verdicts(ReportFacts *facts, const RunFiles *files) {
    for (size_t i = 0; i < files->outcomes.count; i++) {
        const char *verdict = files->outcomes.items[i].verdict;
        size_t k = 0;
        while (k < facts->verdicts.count &&
               strcmp(facts->verdicts.items[k].verdict, verdict) != 0) {
            k++;
        }
        if (k == facts->verdicts.count) {
            vec_push(&facts->verdicts, (VerdictShare){.verdict = verdict});
        }
        facts->verdicts.items[k].count++;
    }
    for (size_t k = 0; k < facts->verdicts.count; k++) {
        VerdictShare *share = &facts->verdicts.items[k];
        share->share = interval_wilson(share->count, files->outcomes.count, 0.95);
    }
    if (facts->verdicts.count > 0) {
        qsort(facts->verdicts.items, facts->verdicts.count, sizeof(VerdictShare), share_compare);
    }
}

/* ---- Numbers of outcome.csv */

typedef VEC(double) Values;

static Spread spread_of(Values *values) {
    Spread spread = {.count = values->count, .median = NAN, .low = NAN, .high = NAN};
    if (values->count > 0) {
        qsort(values->items, values->count, sizeof(double), compare_doubles);
        spread.median = sorted_quantile(values->items, values->count, 0.5);
        spread.low = values->items[0];
        spread.high = values->items[values->count - 1];
    }
    vec_free(values);
    return spread;
}

/* `offset` is that of a double of RunOutcome. */
static Spread outcome_spread(const RunFiles *files, size_t offset) {
    Values values = {0};
    for (size_t i = 0; i < files->outcomes.count; i++) {
        double value;
        memcpy(&value, (const char *)&files->outcomes.items[i] + offset, sizeof value);
        if (!isnan(value)) {
            vec_push(&values, value);
        }
    }
    return spread_of(&values);
}

static void sum_clients(ReportFacts *facts, const RunFiles *files) {
    for (size_t i = 0; i < files->components.count; i++) {
        const RunComponent *component = &files->components.items[i];
        if (component->is_client) {
            facts->offered_count += component->metrics[METRIC_offered].mean;
            facts->failed_count += component->failed_count.mean;
        }
    }
}

/* ---- The cascade */

static int step_compare(const void *a, const void *b) {
    const CascadeStep *x = a, *y = b;
    return x->mean_rank != y->mean_rank
               ? (x->mean_rank > y->mean_rank) - (x->mean_rank < y->mean_rank)
               : (x->component > y->component) - (x->component < y->component);
}

/* The breaks of a replication stand together, by time: events.csv is sorted so. */
static void count_breaks(const RunFiles *files, CascadeStep *steps, Values *times) {
    uint64_t replication = UINT64_MAX;
    uint32_t rank = 0;
    for (size_t i = 0; i < files->breaks.count; i++) {
        const RunBreak *at = &files->breaks.items[i];
        rank = at->replication == replication ? rank + 1 : 1;
        replication = at->replication;
        CascadeStep *step = &steps[at->component];
        step->count++;
        step->own_count += at->is_own_fault;
        step->first_count += rank == 1;
        step->mean_rank += rank;
        vec_push(&times[at->component], at->at_s);
    }
}

static void follow_cascade(ReportFacts *facts, const RunFiles *files) {
    size_t count = files->components.count;
    CascadeStep *steps = mem_zalloc(count, sizeof *steps);
    Values *times = mem_zalloc(count, sizeof *times);
    count_breaks(files, steps, times);
    for (uint32_t i = 0; i < count; i++) {
        if (steps[i].count > 0) {
            steps[i].component = i;
            steps[i].mean_rank /= (double)steps[i].count;
            steps[i].at_s = spread_of(&times[i]);
            vec_push(&facts->cascade, steps[i]);
        }
    }
    if (facts->cascade.count > 0) {
        qsort(facts->cascade.items, facts->cascade.count, sizeof(CascadeStep), step_compare);
    }
    mem_free(steps);
    mem_free(times);
}

static bool path_is(const RunFiles *files, const CascadePath *path, size_t begin, size_t length) {
    const RunBreak *breaks = files->breaks.items;
    bool is_same = path->length == length;
    for (size_t i = 0; i < length && is_same; i++) {
        is_same = breaks[path->begin + i].component == breaks[begin + i].component;
    }
    return is_same;
}

static int path_compare(const void *a, const void *b) {
    const CascadePath *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : (x->begin > y->begin) - (x->begin < y->begin);
}

static void count_paths(ReportFacts *facts, const RunFiles *files) {
    const RunBreak *breaks = files->breaks.items;
    size_t end;
    for (size_t begin = 0; begin < files->breaks.count; begin = end) {
        for (end = begin + 1;
             end < files->breaks.count && breaks[end].replication == breaks[begin].replication;) {
            end++;
        }
        size_t k = 0;
        while (k < facts->paths.count &&
               !path_is(files, &facts->paths.items[k], begin, end - begin)) {
            k++;
        }
        if (k == facts->paths.count) {
            vec_push(&facts->paths, ((CascadePath){begin, end - begin, 0}));
        }
        facts->paths.items[k].count++;
    }
    if (facts->paths.count > 0) {
        qsort(facts->paths.items, facts->paths.count, sizeof(CascadePath), path_compare);
    }
}

/* ---- Objectives: the scenario has the bounds, summary.csv the values */

static uint32_t objective_metric(const char *key) {
    for (size_t i = 0; i < objective_key_count(); i++) {
        if (strcmp(objective_key(i)->key, key) == 0) {
            return metric_find(objective_key(i)->column);
        }
    }
    return metric_find(key);
}

/* A bound carries its unit, so the first way in which it reads is the one that was meant. */
static bool bound_read(const char *text, double *bound) {
    static const Dimension DIMENSIONS[] = {DIMENSION_NUMBER, DIMENSION_DURATION, DIMENSION_RATE,
                                           DIMENSION_RATIO};
    Error error;
    for (size_t i = 0; i < sizeof DIMENSIONS / sizeof DIMENSIONS[0]; i++) {
        if (quantity_parse(text, DIMENSIONS[i], bound, &error)) {
            return true;
        }
    }
    return false;
}

/* "objectives.web.p99" and "<= 2s". What cannot be read is left out: it is not ours. */
static void objective_add(ReportFacts *facts, const RunFiles *files, const RunValue *value) {
    static const char PREFIX[] = "objectives.";
    const char *key = strrchr(value->path, '.');
    double bound;
    char name[128];
    if (strncmp(value->path, PREFIX, sizeof PREFIX - 1) != 0 ||
        key < value->path + sizeof PREFIX - 1) {
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(key - value->path - (ptrdiff_t)sizeof PREFIX + 1),
             value->path + sizeof PREFIX - 1);
    uint32_t component = run_files_component(files, name, 0);
    uint32_t metric = objective_metric(key + 1);
    bool is_least = strncmp(value->value, ">=", 2) == 0;
    if (component == NONE || metric == METRIC_COUNT ||
        (!is_least && strncmp(value->value, "<=", 2) != 0) ||
        !bound_read(value->value + 2 + strspn(value->value + 2, " "), &bound)) {
        return;
    }
    const Running *values = &files->components.items[component].metrics[metric];
    ReportObjective objective = {.unit = metric_info(metric)->unit, .values = *values};
    objective.is_kept = values->count > 0 && values->count == files->outcomes.count &&
                        (is_least ? values->mean >= bound : values->mean <= bound);
    snprintf(objective.text, sizeof objective.text, "%s: %s %s", name, key + 1, value->value);
    vec_push(&facts->objectives, objective);
}

ReportFacts report_facts_make(const RunFiles *files) {
    ReportFacts facts = {0};
    count_verdicts(&facts, files);
    facts.collapse_s = outcome_spread(files, offsetof(RunOutcome, collapse_at_s));
    facts.recovery_s = outcome_spread(files, offsetof(RunOutcome, recovered_at_s));
    facts.attempts_max = outcome_spread(files, offsetof(RunOutcome, amplification_max));
    facts.goodput_min = outcome_spread(files, offsetof(RunOutcome, goodput_ratio_min));
    sum_clients(&facts, files);
    follow_cascade(&facts, files);
    count_paths(&facts, files);
    for (size_t i = 0; i < run_files_value_count(files); i++) {
        RunValue value = run_files_value(files, i);
        objective_add(&facts, files, &value);
    }
    return facts;
}

void report_facts_free(ReportFacts *facts) {
    vec_free(&facts->verdicts);
    vec_free(&facts->cascade);
    vec_free(&facts->paths);
    vec_free(&facts->objectives);
}
