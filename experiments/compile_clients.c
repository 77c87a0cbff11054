/* Clients: whom they call, when their requests come, how the load moves. */
#include <string.h>

#include "experiments/compile_parts.h"
#include "models/arrivals/arrivals.h"
#include "sim/check.h"

/* A list of maps by one schema into an array of structs. */
static uint32_t read_list(Compiler *compiler, const Schema *schema, const char *what,
                          const DocNode *list, void **out) {
    SchemaReader *reader = &compiler->reader;
    if (!schema_expect_list(reader, list, what)) {
        return 0;
    }
    char *items = model_alloc(compiler->model, list->count, schema->size);
    for (uint32_t i = 0; i < list->count; i++) {
        size_t mark = resolved_enter_item(reader->resolved, i);
        schema_read(reader, schema, list->items[i], list->items[i], (SchemaKeys){0},
                    items + (size_t)i * schema->size);
        resolved_leave(reader->resolved, mark);
    }
    *out = items;
    return list->count;
}

static void read_points(Compiler *compiler, const DocNode *list, LoadSpec *spec) {
    void *items = NULL;
    spec->point_count = read_list(compiler, &schema_load_point, "points of a load", list, &items);
    spec->points = items;
}

static void read_load(Compiler *compiler, const DocNode *load, LoadSpec *spec) {
    SchemaReader *reader = &compiler->reader;
    size_t mark = resolved_enter(reader->resolved, "load");
    if (load->kind != DOC_MAP) {
        read_points(compiler, load, spec);
        resolved_leave(reader->resolved, mark);
        return;
    }
    uint8_t interpolate = INTERPOLATE_HOLD;
    schema_read(reader, &schema_load, load, load, KEYS("points", "sine"), &interpolate);
    const DocNode *points = doc_find(load, "points"), *sine = doc_find(load, "sine");
    if (points != NULL) {
        size_t inner = resolved_enter(reader->resolved, "points");
        read_points(compiler, points, spec);
        resolved_leave(reader->resolved, inner);
    }
    spec->is_linear = interpolate == INTERPOLATE_LINEAR && spec->point_count > 0;
    if (sine != NULL) {
        size_t inner = resolved_enter(reader->resolved, "sine");
        schema_read(reader, &schema_sine, sine, sine, (SchemaKeys){0}, spec);
        resolved_leave(reader->resolved, inner);
    }
    resolved_leave(reader->resolved, mark);
}

static void read_spikes(Compiler *compiler, const DocNode *list, LoadSpec *spec) {
    void *items = NULL;
    size_t mark = resolved_enter(compiler->reader.resolved, "spikes");
    spec->spike_count = read_list(compiler, &schema_spike, "spikes", list, &items);
    spec->spikes = items;
    resolved_leave(compiler->reader.resolved, mark);
    if (spec->spike_count > COMPILE_SPIKES_MAX) {
        diag_error(compiler->reader.diagnostics, list, "a client may have %d spikes, not %u",
                   COMPILE_SPIKES_MAX, spec->spike_count);
    }
}

/* The node to blame when load_spec_check names point or spike `index`. */
static const DocNode *blame(const DocNode *load, const DocNode *spikes, uint32_t index,
                            bool is_spike) {
    const DocNode *points = load != NULL && load->kind == DOC_MAP ? doc_find(load, "points") : load;
    const DocNode *list = is_spike ? spikes : points;
    CHECK(list != NULL && index < list->count);
    return list->items[index];
}

static void build_load(Compiler *compiler, Client *client, const LoadSpec *spec,
                       const DocNode *load, const DocNode *spikes) {
    Model *model = compiler->model;
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    Error error;
    uint32_t index = 0;
    LoadSpec points_only = *spec;
    points_only.spike_count = 0;
    bool points_fit = load_spec_check(&points_only, &index, &error);
    if (!points_fit || !load_spec_check(spec, &index, &error)) {
        diag_error(diagnostics, blame(load, spikes, index, points_fit), "%s", error.text);
        return;
    }
    SimTime horizon = model->run.duration;
    if (!load_build(model, spec, true, horizon, &client->load, &error) ||
        !load_build(model, spec, false, horizon, &client->load_organic, &error)) {
        diag_error(diagnostics, load != NULL ? load : spikes, "%s", error.text);
    }
    client->has_spikes = spec->spike_count > 0;
    for (uint32_t i = 0; i < spec->spike_count; i++) {
        const LoadSpike *spike = &spec->spikes[i];
        SimTime end = spike->at + spike->lasts;
        if (spike->at >= horizon) {
            diag_warning(diagnostics, spikes->items[i],
                         "this spike begins after the run has ended");
        } else {
            model_add_trigger(model, spike->at, end < horizon ? end : horizon);
        }
    }
}

static void compile_load(Compiler *compiler, Client *client, const DocNode *map) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    const DocNode *load = doc_find(map, "load"), *spikes = doc_find(map, "spikes");
    LoadSpec spec = {0};
    uint32_t before = diag_count(diagnostics);
    if (load != NULL) {
        read_load(compiler, load, &spec);
    }
    if (spikes != NULL) {
        read_spikes(compiler, spikes, &spec);
    }
    if (diag_count(diagnostics) == before && compiler->model->run.duration > 0) {
        build_load(compiler, client, &spec, load, spikes);
    }
}

/* A trace may know the lengths of prompts, and a session's prompt begins with the prefix anyway. */
static bool has_prompts(const Client *client) {
    CHECK(client->arrivals.kind != NULL);
    const ArrivalOps *ops = client->arrivals.kind->ops;
    return client->has_input_tokens || ops->trace_file != NULL || ops->plan_session != NULL;
}

static void compile_prefix(Compiler *compiler, Client *client, const DocNode *map) {
    SchemaReader *reader = &compiler->reader;
    const DocPair *pair = doc_find_pair(map, "shared_prefix");
    if (pair == NULL) {
        return;
    }
    size_t mark = resolved_enter(reader->resolved, "shared_prefix");
    schema_read(reader, &schema_shared_prefix, pair->value, pair->key, (SchemaKeys){0},
                &client->shared_prefix);
    resolved_leave(reader->resolved, mark);
    if (client->arrivals.kind != NULL && !has_prompts(client)) {
        diag_error(reader->diagnostics, pair->key,
                   "a shared prefix is part of a prompt: it needs 'input_tokens'");
    }
}

static void check_priority(Compiler *compiler, const Client *client, const DocNode *map) {
    if (client->priority != (double)(int)client->priority) {
        const DocNode *priority = doc_find(map, "priority");
        CHECK(priority != NULL);
        diag_error(compiler->reader.diagnostics, priority,
                   "'priority' of a client must be a whole number, not %s", priority->text);
    }
}

/* Ranks are bytes: the first priority too many is named. */
static void check_priorities(Compiler *compiler) {
    const Model *model = compiler->model;
    bool is_used[2 * PRIORITY_MAX + 1] = {false};
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->client_count; i++) {
        bool *used = &is_used[(int)model->clients[i].priority + PRIORITY_MAX];
        count += !*used;
        *used = true;
        if (count > RANKS_MAX) {
            diag_error(compiler->reader.diagnostics, compiler->components[i]->key,
                       "clients may have %d different priorities in all", RANKS_MAX);
            return;
        }
    }
}

static void compile_client(Compiler *compiler, uint32_t index) {
    SchemaReader *reader = &compiler->reader;
    Client *client = &compiler->model->clients[index];
    const DocPair *pair = compiler->components[index];
    const DocNode *map = pair->value;
    SchemaKeys others = KEYS("target", "call", "shared_prefix", "load", "spikes");
    schema_read(reader, &schema_client, map, pair->key, others, client);
    if (map->kind != DOC_MAP) {
        map = NULL;
    }
    const DocNode *target = doc_find(map, "target");
    uint32_t to = 0;
    if (target == NULL && (map != NULL || schema_is_empty(pair->value))) {
        diag_error(reader->diagnostics, pair->key, "a client needs 'target'");
    } else if (target != NULL) {
        size_t mark = resolved_enter(reader->resolved, "target");
        schema_read_value(reader, "a client", &schema_target.params[0], target, &to);
        resolved_leave(reader->resolved, mark);
    }
    size_t mark = resolved_enter(reader->resolved, "call");
    client->edge = compile_call(compiler, doc_find(map, "call"), pair->key, index,
                                target == NULL ? pair->key : target);
    resolved_leave(reader->resolved, mark);
    compiler->edges.items[client->edge].to = to;
    compile_prefix(compiler, client, map);
    check_priority(compiler, client, map);
    compile_load(compiler, client, map);
}

void compile_clients(Compiler *compiler) {
    Model *model = compiler->model;
    size_t outer = resolved_enter(compiler->reader.resolved, "clients");
    bool has_initial = false;
    for (uint32_t i = 0; i < model->service_count; i++) {
        has_initial |= model->services[i].initial > 0;
    }
    const DocNode *clients = doc_find(compiler->root, "clients");
    bool is_misread = clients != NULL && clients->kind != DOC_MAP && !schema_is_empty(clients);
    if (model->client_count == 0 && !has_initial && !is_misread) {
        diag_error(compiler->reader.diagnostics, compiler->root,
                   "a scenario needs 'clients' (or 'initial' requests under 'run')");
    }
    for (uint32_t i = 0; i < model->client_count; i++) {
        size_t mark = resolved_enter(compiler->reader.resolved, model->clients[i].name);
        compile_client(compiler, i);
        resolved_leave(compiler->reader.resolved, mark);
    }
    check_priorities(compiler);
    resolved_leave(compiler->reader.resolved, outer);
}
