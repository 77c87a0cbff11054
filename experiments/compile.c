#include "experiments/compile.h"

#include <stdio.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "models/arrivals/arrivals.h"
#include "sim/check.h"

static const char *const top_keys[] = {"knockon",    "name",     "about",   "run",
                                       "clients",    "services", "network", "faults",
                                       "objectives", "verdict",  "trigger"};
enum { TOP_KEYS = sizeof top_keys / sizeof top_keys[0] };

bool compile_is_name(const char *text) {
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool is_word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_word && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
            return false;
        }
    }
    return size >= 1 && size <= 64;
}

static void report_bad_name(Compiler *compiler, const DocNode *at) {
    diag_error(
        compiler->reader.diagnostics, at,
        "'%s' cannot be a name: it takes 1 to 64 letters, digits, '.', '_' and '-', and begins "
        "with a letter or digit",
        at->text);
}

/* The map of names under a key, or NULL. */
static const DocNode *named_map(Compiler *compiler, const char *key) {
    const DocNode *map = doc_find(compiler->root, key);
    char owner[32];
    snprintf(owner, sizeof owner, "'%s'", key);
    if (map == NULL || schema_is_empty(map) || !schema_expect_map(&compiler->reader, map, owner)) {
        return NULL;
    }
    return map;
}

static void add_name(Compiler *compiler, const DocPair *pair, uint32_t component, char **out) {
    const DocNode *key = pair->key;
    if (!compile_is_name(key->text)) {
        report_bad_name(compiler, key);
    }
    *out = model_copy_text(compiler->model, key->text);
    compiler->components[component] = pair;
}

void compile_names(Compiler *compiler) {
    Model *model = compiler->model;
    const DocNode *clients = named_map(compiler, "clients");
    const DocNode *services = named_map(compiler, "services");
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    uint32_t client_count = clients == NULL ? 0 : clients->count;
    uint32_t service_count = services == NULL ? 0 : services->count;
    if (client_count + service_count > COMPILE_COMPONENTS_MAX) {
        diag_error(diagnostics, compiler->root, "there may be %d clients and services, not %u",
                   COMPILE_COMPONENTS_MAX, client_count + service_count);
        return;
    }
    if (service_count == 0 && diag_count(diagnostics) == 0) {
        diag_error(diagnostics, services == NULL ? compiler->root : services,
                   "a scenario needs 'services'");
    }
    compiler->components =
        model_alloc(model, client_count + service_count, sizeof *compiler->components);
    model->clients = model_alloc(model, client_count, sizeof *model->clients);
    model->services = model_alloc(model, service_count, sizeof *model->services);
    for (uint32_t i = 0; i < client_count; i++) {
        add_name(compiler, &clients->pairs[i], i, &model->clients[i].name);
    }
    for (uint32_t i = 0; i < service_count; i++) {
        const DocPair *pair = &services->pairs[i];
        const DocPair *client = doc_find_pair(clients, pair->key->text);
        if (client != NULL) {
            diag_error(diagnostics, pair->key, "'%s' is a client already: names must differ",
                       pair->key->text);
            diag_note(diagnostics, client->key, "the client is named here");
        }
        add_name(compiler, pair, client_count + i, &model->services[i].name);
    }
    model->client_count = client_count;
    model->service_count = service_count;
}

/* The scalar under a top-level key, or NULL; kept among the resolved values. */
static const DocNode *top_scalar(Compiler *compiler, const char *key, const char *preset) {
    const DocNode *value = doc_find(compiler->root, key);
    if (value == NULL && preset != NULL) {
        value = doc_default(compiler->reader.doc, compiler->root, preset);
    }
    if (value == NULL || value->kind != DOC_SCALAR) {
        if (value != NULL) {
            diag_error(compiler->reader.diagnostics, value, "'%s' takes one value, not a %s", key,
                       value->kind == DOC_MAP ? "map" : "list");
        }
        return NULL;
    }
    size_t mark = resolved_enter(compiler->reader.resolved, key);
    resolved_add(compiler->reader.resolved, value);
    resolved_leave(compiler->reader.resolved, mark);
    return value;
}

/* The file's name without directory and ending, if that is a name; else "scenario". */
static void default_name(const Compiler *compiler, char text[65]) {
    const char *source =
        compiler->reader.diagnostics->sources.items[compiler->root->place.file].name;
    const char *slash = strrchr(source, '/');
    const char *base = slash == NULL ? source : slash + 1;
    snprintf(text, 65, "%.*s", (int)strcspn(base, "."), base);
    if (!compile_is_name(text)) {
        snprintf(text, 65, "scenario");
    }
}

static void compile_head(Compiler *compiler) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    const DocNode *version = top_scalar(compiler, "knockon", NULL);
    if (version == NULL && doc_find(compiler->root, "knockon") == NULL) {
        diag_error(diagnostics, compiler->root,
                   "a scenario begins with the version of its language: 'knockon: 1'");
    } else if (version != NULL && strcmp(version->text, "1") != 0) {
        diag_error(diagnostics, version, "this program reads version 1 of the language, not '%s'",
                   version->text);
    }
    char preset[65];
    default_name(compiler, preset);
    const DocNode *name = top_scalar(compiler, "name", preset);
    if (name != NULL && !compile_is_name(name->text)) {
        report_bad_name(compiler, name);
    }
    const DocNode *about = top_scalar(compiler, "about", "");
    compiler->model->name = model_copy_text(compiler->model, name == NULL ? "" : name->text);
    compiler->model->about = model_copy_text(compiler->model, about == NULL ? "" : about->text);
}

static void compile_network(Compiler *compiler) {
    SchemaReader *reader = &compiler->reader;
    const DocNode *network = doc_find(compiler->root, "network");
    const DocNode *standard = NULL;
    if (network != NULL && !schema_is_empty(network) &&
        schema_expect_map(reader, network, "'network'")) {
        schema_check_keys(reader, &(Schema){.name = "'network'"}, network, KEYS("default"));
        standard = doc_find(network, "default");
    }
    size_t outer = resolved_enter(reader->resolved, "network");
    size_t inner = resolved_enter(reader->resolved, "default");
    schema_read(reader, &schema_network, standard, compiler->root, (SchemaKeys){0},
                &compiler->network);
    resolved_leave(reader->resolved, inner);
    resolved_leave(reader->resolved, outer);
    if (!compiler->network.has_reply_latency) {
        compiler->network.reply_latency = compiler->network.latency;
    }
}

/* Hands the edges to the model, fallbacks last: from now on they do not move. */
static void keep_edges(Compiler *compiler) {
    Model *model = compiler->model;
    uint32_t fallback_first = (uint32_t)compiler->edges.count;
    for (size_t i = 0; i < compiler->fallbacks.count; i++) {
        vec_push(&compiler->edges, compiler->fallbacks.items[i]);
        vec_push(&compiler->edge_places, compiler->fallback_places.items[i]);
    }
    for (size_t i = 0; i < compiler->edges.count; i++) {
        uint32_t *fallback = &compiler->edges.items[i].fallback;
        *fallback = *fallback == NONE ? NONE : fallback_first + *fallback;
    }
    model->edge_count = (uint32_t)compiler->edges.count;
    model->edges = model_alloc(model, compiler->edges.count, sizeof *model->edges);
    if (compiler->edges.count > 0) {
        memcpy(model->edges, compiler->edges.items, compiler->edges.count * sizeof *model->edges);
    }
}

static bool limit_kept(Compiler *compiler, double count, double most, const char *what) {
    if (count > most) {
        diag_error(compiler->reader.diagnostics, compiler->root, "%s may be %.0f in all, not %.0f",
                   what, most, count);
    }
    return count <= most;
}

/* What would take memory beyond reason is refused before a run asks for it. */
static bool limits_kept(Compiler *compiler) {
    const Model *model = compiler->model;
    double replicas = 0, users = 0, initial = 0, instances = 0, timers = 0, policy_bytes = 0;
    for (uint32_t i = 0; i < model->service_count; i++) {
        replicas += model->services[i].replica_count;
        initial += model->services[i].initial;
    }
    for (uint32_t i = 0; i < model->client_count; i++) {
        const Client *client = &model->clients[i];
        const ArrivalOps *ops = client->arrivals.kind->ops;
        if (ops->user_count != NULL) {
            users += ops->user_count(client->arrivals.params, client->load.max);
        }
    }
    for (uint32_t i = 0; i < model->edge_count; i++) {
        instances += model->edges[i].instances;
        policy_bytes += (double)edge_state_size(&model->edges[i]) * model->edges[i].instances;
        timers += model->edges[i].timeout.count + 1;
    }
    double in_flight = model->run.max_in_flight;
    double samples = (double)model->run.duration / (double)model->run.sample_every;
    bool fits = limit_kept(compiler, replicas, COMPILE_REPLICAS_MAX, "replicas");
    fits &= limit_kept(compiler, users, in_flight, "users ('max_in_flight' of run)");
    fits &= limit_kept(compiler, initial, in_flight, "initial requests ('max_in_flight' of run)");
    fits &= limit_kept(compiler, instances, COMPILE_INSTANCES_MAX, "instances of callers");
    fits &= limit_kept(compiler, policy_bytes, COMPILE_POLICY_BYTES_MAX,
                       "bytes that the policies of all instances of callers keep");
    fits &= limit_kept(compiler, timers, COMPILE_TIMERS_MAX, "timeouts and deadlines");
    fits &= limit_kept(compiler, samples * model_component_count(model), COMPILE_SAMPLES_MAX,
                       "samples of all components (take a longer 'sample_every')");
    return fits;
}

static void compile_all(Compiler *compiler) {
    schema_check_keys(&compiler->reader, &(Schema){.name = "a scenario"}, compiler->root,
                      (SchemaKeys){top_keys, TOP_KEYS});
    compile_head(compiler);
    compile_names(compiler);
    compile_run(compiler);
    compile_network(compiler);
    compile_clients(compiler);
    compile_services(compiler);
    keep_edges(compiler);
    compiler->is_sound = compile_check_graph(compiler);
    compile_faults(compiler);
    compile_objectives(compiler);
    if (diag_count(compiler->reader.diagnostics) == 0 && limits_kept(compiler)) {
        model_finish(compiler->model);
        compile_lint(compiler);
    }
}

Model *compile_scenario(Doc *doc, Diagnostics *diagnostics, Resolved *resolved) {
    if (doc->root == NULL) {
        CHECK(diag_count(diagnostics) > 0);
        return NULL;
    }
    Model *model = model_create();
    Compiler compiler = {
        .reader = {doc, diagnostics, model, resolved}, .model = model, .root = doc->root};
    if (schema_expect_map(&compiler.reader, doc->root, "a scenario")) {
        compile_all(&compiler);
    }
    vec_free(&compiler.edges);
    vec_free(&compiler.edge_places);
    vec_free(&compiler.fallbacks);
    vec_free(&compiler.fallback_places);
    if (diag_count(diagnostics) > 0) {
        model_destroy(model);
        return NULL;
    }
    return model;
}

Model *compile_file(const char *path, char *const *sets, size_t set_count, Doc *doc,
                    Diagnostics *diagnostics, Resolved *resolved) {
    doc_load_file(doc, path, diagnostics);
    for (size_t i = 0; i < set_count && doc->root != NULL; i++) {
        doc_set(doc, sets[i], diagnostics);
    }
    return compile_scenario(doc, diagnostics, resolved);
}
