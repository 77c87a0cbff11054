/* `monitors` and `actions`: who looks, and what is done when an alert fires. */
#include <stdio.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/nearest.h"
#include "experiments/verdict.h"
#include "models/faults/fault.h"
#include "models/monitors/monitor.h"
#include "sim/check.h"

/* ---- Actions */

/* One that acts like a fault, from when somebody does it on; its index, or NONE after a message. */
static uint32_t add_action(Compiler *compiler, const DocNode *name, const DocNode *value) {
    SchemaReader *reader = &compiler->reader;
    Fault action = {0};
    Error error;
    uint32_t before = diag_count(reader->diagnostics);
    schema_read_kind(reader, FAMILY_ACTION, value, &action.fault);
    if (diag_count(reader->diagnostics) > before) {
        return NONE;
    }
    const FaultOps *ops = action.fault.kind->ops;
    if (compiler->is_sound && ops->check != NULL &&
        !ops->check(action.fault.params, compiler->model, &error)) {
        diag_error(reader->diagnostics, value->kind == DOC_MAP ? value->pairs[0].key : value, "%s",
                   error.text);
        return NONE;
    }
    char *label = compile_fault_label(compiler, &action);
    action.label = name == NULL ? label : model_copy_text(compiler->model, name->text);
    vec_push(&compiler->actions, action);
    vec_push(&compiler->action_names, name);
    return (uint32_t)compiler->actions.count - 1;
}

/* The map of names under a key of the scenario, or NULL. */
static const DocNode *top_map(Compiler *compiler, const char *key) {
    const DocNode *map = doc_find(compiler->root, key);
    char owner[32];
    snprintf(owner, sizeof owner, "'%s'", key);
    return map == NULL || schema_is_empty(map) || !schema_expect_map(&compiler->reader, map, owner)
               ? NULL
               : map;
}

static bool check_name(Compiler *compiler, const DocNode *key) {
    if (!compile_is_name(key->text)) {
        diag_error(compiler->reader.diagnostics, key,
                   "'%s' cannot be a name: it takes 1 to 64 letters, digits, '.', '_' and '-', and "
                   "begins with a letter or digit",
                   key->text);
        return false;
    }
    return true;
}

static void compile_actions(Compiler *compiler) {
    const DocNode *map = top_map(compiler, "actions");
    Resolved *resolved = compiler->reader.resolved;
    if (map == NULL) {
        return;
    }
    size_t outer = resolved_enter(resolved, "actions");
    for (uint32_t i = 0; i < map->count; i++) {
        const DocPair *pair = &map->pairs[i];
        size_t mark = resolved_enter(resolved, pair->key->text);
        if (check_name(compiler, pair->key)) {
            add_action(compiler, pair->key, pair->value);
        }
        resolved_leave(resolved, mark);
    }
    resolved_leave(resolved, outer);
}

/* ---- What is done */

static uint32_t find_action(Compiler *compiler, const DocNode *name) {
    Nearest nearest = nearest_begin(name->text, name->count);
    for (size_t i = 0; i < compiler->actions.count; i++) {
        const DocNode *known = compiler->action_names.items[i];
        if (known != NULL && strcmp(known->text, name->text) == 0) {
            return (uint32_t)i;
        }
        if (known != NULL) {
            nearest_offer(&nearest, known->text);
        }
    }
    if (nearest.best != NULL) {
        diag_error(compiler->reader.diagnostics, name,
                   "there is no action '%s': did you mean '%s'?", name->text, nearest.best);
    } else {
        diag_error(compiler->reader.diagnostics, name, "there is no action '%s' under 'actions'",
                   name->text);
    }
    return NONE;
}

/* A name, or an action written here. */
static uint32_t read_action(Compiler *compiler, const DocNode *value) {
    if (value->kind != DOC_SCALAR) {
        return add_action(compiler, NULL, value);
    }
    resolved_add(compiler->reader.resolved, value);
    return find_action(compiler, value);
}

/* {page: {after: 5min, action: …}} */
static void read_page(Compiler *compiler, const DocNode *page, Response *response) {
    SchemaReader *reader = &compiler->reader;
    if (!schema_expect_map(reader, page, "a page")) {
        return;
    }
    schema_read(reader, &schema_page, page, page, KEYS("action"), response);
    const DocNode *action = doc_find(page, "action");
    if (action == NULL) {
        diag_error(reader->diagnostics, page, "a page needs 'action': what is done");
        return;
    }
    size_t mark = resolved_enter(reader->resolved, "action");
    response->action = read_action(compiler, action);
    resolved_leave(reader->resolved, mark);
}

/* An item of `then`: a page, or an action that is done at once. */
static void read_response(Compiler *compiler, uint32_t monitor, const DocNode *item) {
    SchemaReader *reader = &compiler->reader;
    Response response = {.monitor = monitor, .action = NONE, .even_if_resolved = true};
    const DocNode *page = doc_find(item, "page");
    uint32_t before = diag_count(reader->diagnostics);
    if (page != NULL && item->count == 1) {
        size_t mark = resolved_enter(reader->resolved, "page");
        read_page(compiler, page, &response);
        resolved_leave(reader->resolved, mark);
    } else {
        response.action = read_action(compiler, item);
        schema_read_dist(reader, "after", "s", doc_default(reader->doc, item, "0s"),
                         &response.after);
    }
    if (diag_count(reader->diagnostics) == before) {
        vec_push(&compiler->responses, response);
        vec_push(&compiler->response_places, item);
    }
}

static void read_responses(Compiler *compiler, uint32_t index, const DocNode *list) {
    SchemaReader *reader = &compiler->reader;
    Monitor *monitor = &compiler->model->monitors[index];
    monitor->response_first = (uint32_t)compiler->responses.count;
    if (list == NULL || !schema_expect_list(reader, list, "responses ('then')")) {
        return;
    }
    size_t outer = resolved_enter(reader->resolved, "then");
    for (uint32_t i = 0; i < list->count; i++) {
        size_t mark = resolved_enter_item(reader->resolved, i);
        read_response(compiler, index, list->items[i]);
        resolved_leave(reader->resolved, mark);
    }
    resolved_leave(reader->resolved, outer);
    monitor->response_count = (uint32_t)compiler->responses.count - monitor->response_first;
}

/* ---- Monitors */

/* The measure by its name, and the bound in its unit: what the kind's own table cannot read. */
static void resolve_metric(Compiler *compiler, const DocNode *map, MonitorMetric *metric) {
    Error error;
    metric->metric =
        compile_metric(compiler, "a monitor", metric->component, doc_find(map, "metric"));
    const char *bound = metric->above != NULL ? metric->above : metric->below;
    if (metric->metric < METRIC_COUNT && bound != NULL &&
        !quantity_parse(bound, compile_metric_dimension(metric->metric), &metric->bound, &error)) {
        diag_error(compiler->reader.diagnostics,
                   doc_find(map, metric->above != NULL ? "above" : "below"), "%s", error.text);
    }
}

static void check_monitor(Compiler *compiler, const Monitor *monitor, const DocPair *pair) {
    const MonitorOps *ops = monitor->monitor.kind->ops;
    if (ops->window == NULL) {
        return;
    }
    double scrapes = (double)ops->window(monitor->monitor.params) / (double)monitor->interval;
    if (scrapes > COMPILE_SCRAPES_MAX) {
        diag_error(compiler->reader.diagnostics, pair->key,
                   "its window holds %.0f scrapes, and may hold %d: take a longer 'interval'",
                   scrapes, COMPILE_SCRAPES_MAX);
    }
}

static void compile_monitor(Compiler *compiler, uint32_t index, const DocPair *named) {
    static const CompileKind slot = {
        FAMILY_MONITOR, &schema_monitor, "a monitor",
        "a monitor says when its alert fires, for example 'burn_rate: {client: web, objective: "
        "99.9%}'"};
    SchemaReader *reader = &compiler->reader;
    Monitor *monitor = &compiler->model->monitors[index];
    uint32_t before = diag_count(reader->diagnostics);
    if (!check_name(compiler, named->key) ||
        !schema_expect_map(reader, named->value, "a monitor")) {
        return;
    }
    const DocPair *pair = compile_find_kind(compiler, &slot, KEYS("then"), named->value);
    if (pair == NULL) {
        return;
    }
    schema_read(reader, &schema_monitor, named->value, named->value, KEYS("then", pair->key->text),
                monitor);
    compile_read_kind(compiler, FAMILY_MONITOR, pair, &monitor->monitor);
    monitor->name = model_copy_text(compiler->model, named->key->text);
    if (diag_count(reader->diagnostics) > before) {
        return;
    }
    const Kind *kind = monitor->monitor.kind;
    if (compile_find_param(kind, "metric", PARAM_TEXT) != NULL) {
        resolve_metric(compiler, pair->value, (MonitorMetric *)(uintptr_t)monitor->monitor.params);
    }
    const MonitorOps *ops = kind->ops;
    monitor->component = ops->component(monitor->monitor.params);
    check_monitor(compiler, monitor, pair);
    read_responses(compiler, index, doc_find(named->value, "then"));
}

/* Actions behind faults, and responses that know where. */
static void keep_actions(Compiler *compiler) {
    Model *model = compiler->model;
    Fault *faults =
        model_alloc(model, model->fault_count + compiler->actions.count, sizeof *faults);
    if (model->fault_count > 0) {
        memcpy(faults, model->faults, model->fault_count * sizeof *faults);
    }
    for (size_t i = 0; i < compiler->actions.count; i++) {
        faults[model->fault_count + i] = compiler->actions.items[i];
    }
    model->faults = faults;
    model->action_count = (uint32_t)compiler->actions.count;
    model->response_count = (uint32_t)compiler->responses.count;
    model->responses = model_alloc(model, model->response_count, sizeof *model->responses);
    for (uint32_t i = 0; i < model->response_count; i++) {
        model->responses[i] = compiler->responses.items[i];
        model->responses[i].action += model->fault_count;
    }
}

void compile_monitors(Compiler *compiler) {
    Model *model = compiler->model;
    Resolved *resolved = compiler->reader.resolved;
    compile_actions(compiler);
    const DocNode *map = top_map(compiler, "monitors");
    if (map != NULL) {
        if (map->count > COMPILE_MONITORS_MAX) {
            diag_error(compiler->reader.diagnostics, map, "there may be %d monitors, not %u",
                       COMPILE_MONITORS_MAX, map->count);
            return;
        }
        model->monitors = model_alloc(model, map->count, sizeof *model->monitors);
        model->monitor_count = map->count;
        compiler->monitors = model_alloc(model, map->count, sizeof *compiler->monitors);
        size_t outer = resolved_enter(resolved, "monitors");
        for (uint32_t i = 0; i < map->count; i++) {
            size_t mark = resolved_enter(resolved, map->pairs[i].key->text);
            compiler->monitors[i] = &map->pairs[i];
            compile_monitor(compiler, i, &map->pairs[i]);
            resolved_leave(resolved, mark);
        }
        resolved_leave(resolved, outer);
    }
    keep_actions(compiler);
}

/* ---- Warnings */

void compile_lint_monitors(Compiler *compiler) {
    const Model *model = compiler->model;
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    char first[QUANTITY_TEXT_SIZE], second[QUANTITY_TEXT_SIZE];
    for (uint32_t i = 0; i < model->monitor_count; i++) {
        const Monitor *monitor = &model->monitors[i];
        const MonitorOps *ops = monitor->monitor.kind->ops;
        SimTime window = ops->window == NULL ? 0 : ops->window(monitor->monitor.params);
        if (window > model->run.duration) {
            quantity_print(first, time_to_s(window), DIMENSION_DURATION);
            quantity_print(second, time_to_s(model->run.duration), DIMENSION_DURATION);
            diag_warning(diagnostics, compiler->monitors[i]->key,
                         "it looks back %s, which is longer than the run of %s: what lies before "
                         "the run counts as served well",
                         first, second);
        }
    }
    for (uint32_t i = 0; i < model->response_count && model->has_trigger && !model->verdict.is_off;
         i++) {
        double after_s = dist_mean(&model->responses[i].after);
        double horizon_s = time_to_s(verdict_horizon(model));
        if (after_s > horizon_s) {
            quantity_print(first, after_s, DIMENSION_DURATION);
            quantity_print(second, horizon_s, DIMENSION_DURATION);
            diag_warning(diagnostics, compiler->response_places.items[i],
                         "this is done %s after the alert, and the verdict's horizon is %s: it "
                         "comes too late to change the verdict",
                         first, second);
        }
    }
    CHECK(compiler->responses.count == model->response_count);
}
