/* `objectives`: bounds that a run must keep, by component and measure. */
#include <stdio.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/nearest.h"
#include "experiments/quantity.h"
#include "models/probe.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* The measure behind a short key or a column's name; METRIC_COUNT when there is none. */
static uint32_t find_metric(const char *key) {
    for (size_t i = 0; i < objective_key_count(); i++) {
        if (strcmp(objective_key(i)->key, key) == 0) {
            return metric_find(objective_key(i)->column);
        }
    }
    return metric_find(key);
}

static void report_unknown_metric(Compiler *compiler, const char *owner, const DocNode *key) {
    Nearest nearest = nearest_begin(key->text, key->count);
    char known[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < objective_key_count(); i++) {
        if (metric_find(objective_key(i)->column) < METRIC_COUNT) {
            nearest_offer(&nearest, objective_key(i)->key);
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                     used == 0 ? "" : ", ", objective_key(i)->key);
            CHECK(used < sizeof known);
        }
    }
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        nearest_offer(&nearest, metric_info(i)->column);
    }
    if (nearest.best != NULL) {
        diag_error(compiler->reader.diagnostics, key, "%s has no measure '%s': did you mean '%s'?",
                   owner, key->text, nearest.best);
    } else {
        diag_error(compiler->reader.diagnostics, key,
                   "%s has no measure '%s'; it is one of: %s, or a column of summary.csv", owner,
                   key->text, known);
    }
}

Dimension compile_metric_dimension(uint32_t metric) {
    const MetricInfo *info = metric_info(metric);
    size_t size = strlen(info->column);
    if (strcmp(info->unit, "s") == 0) {
        return DIMENSION_DURATION;
    }
    if (strcmp(info->unit, "1/s") == 0) {
        return DIMENSION_RATE;
    }
    return size > 6 && strcmp(info->column + size - 6, "_ratio") == 0 ? DIMENSION_RATIO
                                                                      : DIMENSION_NUMBER;
}

/* ">= 99%" into a direction and a bound. */
static bool read_bound(Compiler *compiler, const DocNode *value, Dimension dimension,
                       Objective *out) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    if (value->kind != DOC_SCALAR) {
        diag_error(diagnostics, value, "a bound is one value, for example '\">= 99%%\"'");
        return false;
    }
    resolved_add(compiler->reader.resolved, value);
    bool is_least = strncmp(value->text, ">=", 2) == 0;
    if (!is_least && strncmp(value->text, "<=", 2) != 0) {
        diag_error(diagnostics, value, "a bound begins with '>=' or '<=', for example '\"<= %s\"'",
                   dimension_example(dimension));
        return false;
    }
    const char *number = value->text + 2;
    number += strspn(number, " ");
    Error error;
    if (!quantity_parse(number, dimension, &out->bound, &error)) {
        diag_error(diagnostics, value, "%s", error.text);
        return false;
    }
    out->at_least = is_least;
    return true;
}

/* Whether requests of the client come to a server with tokens, at its target or below. */
static bool reaches_tokens(const Model *model, uint32_t client) {
    bool *is_reached = mem_zalloc(model_component_count(model), sizeof *is_reached);
    bool has_tokens = false, has_grown = true;
    is_reached[client] = true;
    while (has_grown) {
        has_grown = false;
        for (uint32_t i = 0; i < model->edge_count; i++) {
            const Edge *edge = &model->edges[i];
            bool *to = &is_reached[model_service_component(model, edge->to)];
            has_grown |= is_reached[edge->caller] && !*to;
            has_tokens |=
                is_reached[edge->caller] && service_has_tokens(&model->services[edge->to]);
            *to |= is_reached[edge->caller];
        }
    }
    mem_free(is_reached);
    return has_tokens;
}

/* Whether the component may have a value of the measure; otherwise says why it never will. */
static bool is_measured(Compiler *compiler, uint32_t component, uint32_t metric,
                        const DocNode *key) {
    const Model *model = compiler->model;
    bool is_client = model_component_is_client(model, component);
    unsigned who = metric_info(metric)->who;
    if (!(who & (is_client ? METRIC_OF_CLIENT : METRIC_OF_SERVICE))) {
        diag_error(compiler->reader.diagnostics, key, "'%s' is measured for a %s only", key->text,
                   is_client ? "service" : "client");
        return false;
    }
    if (!(who & METRIC_OF_TOKENS) || !compiler->is_sound ||
        (is_client ? reaches_tokens(model, component)
                   : service_has_tokens(&model->services[component - model->client_count]))) {
        return true;
    }
    diag_error(compiler->reader.diagnostics, key,
               is_client ? "'%s' needs tokens, and no request of '%s' comes to an inference server"
                         : "'%s' needs tokens, and the server of '%s' is not 'inference'",
               key->text, model_component_name(model, component));
    return false;
}

uint32_t compile_metric(Compiler *compiler, const char *owner, uint32_t component,
                        const DocNode *word) {
    uint32_t metric = find_metric(word->text);
    if (metric == METRIC_COUNT) {
        report_unknown_metric(compiler, owner, word);
        return METRIC_COUNT;
    }
    return is_measured(compiler, component, metric, word) ? metric : METRIC_COUNT;
}

static void compile_objective(Compiler *compiler, uint32_t component, const DocPair *pair,
                              Objective *out) {
    const Model *model = compiler->model;
    uint32_t metric = compile_metric(compiler, "an objective", component, pair->key);
    if (metric == METRIC_COUNT) {
        return;
    }
    Objective objective = {.component = component, .metric = metric};
    if (!read_bound(compiler, pair->value, compile_metric_dimension(metric), &objective)) {
        return;
    }
    char text[200];
    snprintf(text, sizeof text, "%s %s %s", model_component_name(model, component), pair->key->text,
             pair->value->text);
    objective.text = model_copy_text(compiler->model, text);
    *out = objective;
}

/* How many bounds there are under all components. */
static uint32_t count_objectives(const DocNode *map) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        count += map->pairs[i].value->kind == DOC_MAP ? map->pairs[i].value->count : 0;
    }
    return count;
}

void compile_objectives(Compiler *compiler) {
    SchemaReader *reader = &compiler->reader;
    Model *model = compiler->model;
    const DocNode *map = doc_find(compiler->root, "objectives");
    if (map == NULL || !schema_expect_map(reader, map, "'objectives'")) {
        return;
    }
    model->objectives = model_alloc(model, count_objectives(map), sizeof *model->objectives);
    size_t outer = resolved_enter(reader->resolved, "objectives");
    for (uint32_t i = 0; i < map->count; i++) {
        const DocPair *pair = &map->pairs[i];
        uint32_t component = schema_read_component(reader, pair->key);
        if (component == NONE || !schema_expect_map(reader, pair->value, "an objective")) {
            continue;
        }
        size_t middle = resolved_enter(reader->resolved, pair->key->text);
        for (uint32_t k = 0; k < pair->value->count; k++) {
            const DocPair *bound = &pair->value->pairs[k];
            size_t mark = resolved_enter(reader->resolved, bound->key->text);
            compile_objective(compiler, component, bound,
                              &model->objectives[model->objective_count++]);
            resolved_leave(reader->resolved, mark);
        }
        resolved_leave(reader->resolved, middle);
    }
    resolved_leave(reader->resolved, outer);
}
