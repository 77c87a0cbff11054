/* Faults, and the objectives that a run must keep. */
#include <stdio.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/nearest.h"
#include "experiments/quantity.h"
#include "models/faults/fault.h"
#include "models/probe.h"
#include "models/registry.h"
#include "sim/check.h"

/* The row of a kind's parameter of that name and type, or NULL. */
const Param *compile_find_param(const Kind *kind, const char *name, ParamType type) {
    for (uint32_t i = 0; i < kind->param_count; i++) {
        if (strcmp(kind->params[i].name, name) == 0 && kind->params[i].type == type) {
            return &kind->params[i];
        }
    }
    return NULL;
}

/* Exponential, with that mean. */
static Dist exponential(SimTime mean) {
    DistSpec spec = {.law = dist_law_find("exponential")};
    size_t at = dist_param_find(dist_law(spec.law), "mean");
    spec.given = 1u << at;
    spec.values[at] = time_to_s(mean);
    Dist dist;
    bool is_solved = dist_solve(&spec, &dist, NULL);
    CHECK(is_solved);
    return dist;
}

/* `mtbf` and `mttr` are other words for exponential laws of `every` and `for`. */
static void resolve_means(Compiler *compiler, Fault *fault, const DocNode *map) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    if (fault->has_mtbf && fault->is_recurring) {
        diag_error(diagnostics, doc_find_pair(map, "mtbf")->key,
                   "'every' and 'mtbf' both say when it comes again: leave one out");
    } else if (fault->has_mtbf) {
        fault->is_recurring = true;
        fault->every = exponential(fault->mtbf);
    }
    if (fault->has_mttr && fault->has_lasts) {
        diag_error(diagnostics, doc_find_pair(map, "mttr")->key,
                   "'for' and 'mttr' both say how long this lasts: leave one out");
    } else if (fault->has_mttr) {
        fault->has_lasts = true;
        fault->lasts = exponential(fault->mttr);
    }
}

static void check_fault_times(Compiler *compiler, const Fault *fault, const DocNode *map,
                              const DocPair *kind) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    const FaultOps *ops = fault->fault.kind->ops;
    SimTime own = ops->lasts == NULL ? SIM_TIME_NEVER : ops->lasts(fault->fault.params);
    const DocPair *lasts = doc_find_pair(map, fault->has_mttr ? "mttr" : "for");
    if (!fault->has_at && !fault->is_recurring) {
        diag_error(diagnostics, map, "a fault needs 'at', or 'every' for one that recurs");
    } else if (fault->has_lasts && own != SIM_TIME_NEVER) {
        diag_error(diagnostics, lasts->key,
                   "'%s' and '%s' both say how long this lasts: leave one out", lasts->key->text,
                   doc_find(kind->value, "restart") != NULL ? "restart" : "spread");
    } else if (fault->is_recurring && !fault->has_lasts && own == SIM_TIME_NEVER) {
        diag_error(diagnostics, kind->key, "a fault that recurs must end: say how long with 'for'");
    } else if (fault->has_lasts && !fault->is_recurring && !dist_is_constant(&fault->lasts)) {
        diag_error(diagnostics, lasts->value,
                   "only a fault that recurs ('every') may last a random time");
    } else if (fault->has_lasts && dist_mean(&fault->lasts) * 1e9 < 1) {
        diag_error(diagnostics, lasts->value, "'for' of a fault must be above 0s");
    } else if (fault->has_at && compiler->model->run.duration > 0 &&
               fault->at >= compiler->model->run.duration) {
        diag_warning(diagnostics, map, "this fault begins after the run has ended");
    }
}

/* Which replicas the fault befalls: a pointer into its parameters, which begin with it; NULL when
 * it is no fault of replicas. */
static FaultPlace *place_of(const Fault *fault) {
    const FaultOps *ops = fault->fault.kind->ops;
    return ops->is_at == fault_place_is_at ? (FaultPlace *)(uintptr_t)fault->fault.params : NULL;
}

static void check_fault_place(Compiler *compiler, const Fault *fault, const DocPair *pair) {
    const Model *model = compiler->model;
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    const FaultPlace *place = place_of(fault);
    if (place == NULL || model->services[place->service].replica_count == 0) {
        return; /* or how many there are could not be read */
    }
    const Service *service = &model->services[place->service];
    const char *plural = service->replica_count == 1 ? "" : "s";
    const DocNode *first = doc_find(pair->value, "first");
    const DocNode *replicas = doc_find(pair->value, "replicas");
    const DocPair *share = doc_find_pair(pair->value, "share");
    if (place->first >= service->replica_count) {
        diag_error(diagnostics, first, "'%s' has %u replica%s: 'first' counts from 0 to %u",
                   service->name, service->replica_count, plural, service->replica_count - 1);
    } else if (place->has_replicas && place->replicas > service->replica_count - place->first) {
        diag_error(diagnostics, replicas,
                   place->first == 0
                       ? "'%s' has %u replica%s, not %u"
                       : "'%s' has %u replica%s, not %u from the one that 'first' names",
                   service->name, service->replica_count - place->first,
                   service->replica_count - place->first == 1 ? "" : "s", place->replicas);
    } else if (share != NULL && (replicas != NULL || place->first > 0)) {
        diag_error(diagnostics, share->key,
                   "'share' draws replicas at random, '%s' names them: leave one out",
                   replicas != NULL ? "replicas" : "first");
    }
}

/* What a restart ends must be of replicas, and has no life of its own: that a restart ends anyway,
 * or does not. */
static void check_cure(Compiler *compiler, const Fault *fault, const DocNode *map,
                       const DocPair *pair) {
    const FaultOps *ops = fault->fault.kind->ops;
    if (fault->cured_by != CURED_BY_NONE && (place_of(fault) == NULL || ops->has_replicas)) {
        diag_error(compiler->reader.diagnostics, doc_find(map, "cured_by"),
                   "a restart does not cure '%s'", pair->key->text);
    }
}

static void check_each(Compiler *compiler, const Fault *fault, const DocNode *map,
                       const DocPair *pair) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    const FaultPlace *place = place_of(fault);
    const DocPair *each = doc_find_pair(map, "each");
    if (fault->each == EACH_NONE) {
        return;
    }
    if (place == NULL) {
        diag_error(diagnostics, each->value, "'%s' does not befall replicas one by one",
                   pair->key->text);
    } else if (!fault->is_recurring) {
        diag_error(diagnostics, each->key,
                   "'each' is for a fault that recurs ('every' or 'mtbf'): one at a given time "
                   "befalls all replicas at once");
    } else if (place->has_share) {
        diag_error(diagnostics, doc_find_pair(pair->value, "share")->key,
                   "'share' draws some replicas, 'each: replica' means each of them: leave one "
                   "out");
    }
}

/* Which messages the fault befalls: a pointer into its parameters, which begin with it; NULL when
 * it is no fault of messages. */
static const EdgePlace *edge_place_of(const Fault *fault) {
    const FaultOps *ops = fault->fault.kind->ops;
    return ops->is_at == edge_place_is_at ? fault->fault.params : NULL;
}

/* It must be on the way of some message; one that is lost on a call that waits for ever is warned
 * of. */
static void check_edge_place(Compiler *compiler, const Fault *fault, const DocPair *pair) {
    const Model *model = compiler->model;
    const EdgePlace *place = edge_place_of(fault);
    const FaultOps *ops = fault->fault.kind->ops;
    if (place == NULL) {
        return;
    }
    bool has_edge = false, loses = ops->loses != NULL && ops->loses(fault->fault.params);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        const Edge *edge = &model->edges[i];
        if (!edge_place_has(place, &(Passage){model, i, false}) &&
            !edge_place_has(place, &(Passage){model, i, true})) {
            continue;
        }
        has_edge = true;
        if (loses && edge->timeout.items[0] == SIM_TIME_NEVER && edge->deadline == SIM_TIME_NEVER) {
            diag_warning(compiler->reader.diagnostics, pair->key,
                         "'%s' calls '%s' without timeout or deadline: what is lost on the way "
                         "waits until the end of the run",
                         model_component_name(model, edge->caller), model->services[edge->to].name);
        }
    }
    if (!has_edge) {
        diag_error(compiler->reader.diagnostics, pair->key,
                   "no call goes that way, so there is nothing to disturb");
    }
}

static void print_names(const Model *model, const char *before, const CountList *list, char *text,
                        size_t size) {
    size_t used = strlen(text);
    for (uint32_t i = 0; i < list->count && used + 80 < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s %s", i == 0 ? before : "",
                                 model_component_name(model, list->items[i]));
    }
}

/* "slow vector-db", "partition gateway llm", "latency from gateway to llm". */
char *compile_fault_label(Compiler *compiler, const Fault *fault) {
    const Model *model = compiler->model;
    const Kind *kind = fault->fault.kind;
    const Param *service_param = compile_find_param(kind, "service", PARAM_SERVICE);
    const Param *client_param = compile_find_param(kind, "client", PARAM_CLIENT);
    const EdgePlace *place = edge_place_of(fault);
    char text[200];
    int used = snprintf(text, sizeof text, "%s", kind->name);
    uint32_t index;
    if (service_param != NULL) {
        memcpy(&index, (const char *)fault->fault.params + service_param->offset, sizeof index);
        snprintf(text + used, sizeof text - (size_t)used, " %s", model->services[index].name);
    } else if (client_param != NULL) {
        memcpy(&index, (const char *)fault->fault.params + client_param->offset, sizeof index);
        snprintf(text + used, sizeof text - (size_t)used, " %s", model->clients[index].name);
    } else if (place != NULL) {
        print_names(model, "", &place->between, text, sizeof text);
        print_names(model, "", &place->edge, text, sizeof text);
        print_names(model, " from", &place->from, text, sizeof text);
        print_names(model, " to", &place->to, text, sizeof text);
    }
    return model_copy_text(compiler->model, text);
}

static void add_fault(Compiler *compiler, const Fault *fault, const DocNode *at) {
    if (compiler->faults.count == COMPILE_FAULTS_MAX) {
        diag_error(compiler->reader.diagnostics, at,
                   "there may be %d faults, those of single replicas counted one by one",
                   COMPILE_FAULTS_MAX);
    }
    if (compiler->faults.count <= COMPILE_FAULTS_MAX) {
        vec_push(&compiler->faults, *fault);
    }
}

/* A fault for each replica that it may befall: they differ in their place and name only. */
static void add_fault_of_each(Compiler *compiler, const Fault *fault, const DocNode *at) {
    const FaultPlace *place = place_of(fault);
    const Kind *kind = fault->fault.kind;
    uint32_t end = place->has_replicas ? place->first + place->replicas
                                       : compiler->model->services[place->service].replica_count;
    for (uint32_t i = place->first; i < end; i++) {
        Fault single = *fault;
        void *params = model_alloc(compiler->model, 1, kind->params_size);
        memcpy(params, fault->fault.params, kind->params_size);
        single.fault.params = params;
        FaultPlace *own = place_of(&single);
        own->first = i;
        own->replicas = 1;
        own->has_replicas = true;
        char label[240];
        snprintf(label, sizeof label, "%s[%u]", fault->label, i);
        single.label = model_copy_text(compiler->model, label);
        add_fault(compiler, &single, at);
    }
}

/* The rows say when and how long. */
static void replay_file(Compiler *compiler, const Fault *fault, const DocNode *map,
                        const DocPair *pair) {
    const FaultOps *ops = fault->fault.kind->ops;
    for (uint32_t i = 0; i < map->count; i++) {
        const DocNode *key = map->pairs[i].key;
        if (key != pair->key && strcmp(key->text, "at") != 0) {
            diag_error(compiler->reader.diagnostics, key,
                       "the rows of the file say when and where: a replay takes 'at' only, which "
                       "is added to their times");
            return;
        }
    }
    compile_replay(compiler, ops->file(fault->fault.params), fault->at,
                   doc_find(pair->value, "file"));
}

void compile_fault(Compiler *compiler, const DocNode *map) {
    SchemaReader *reader = &compiler->reader;
    Fault fault = {0};
    uint32_t before = diag_count(reader->diagnostics);
    if (!schema_expect_map(reader, map, "a fault")) {
        return;
    }
    static const CompileKind fault_kind = {
        FAMILY_FAULT, &schema_fault, "a fault",
        "a fault says what breaks, for example 'crash: {service: llm}'"};
    const DocPair *pair = compile_find_kind(compiler, &fault_kind, (SchemaKeys){0}, map);
    if (pair == NULL) {
        return;
    }
    schema_read(reader, &schema_fault, map, map, KEYS(pair->key->text), &fault);
    compile_read_kind(compiler, FAMILY_FAULT, pair, &fault.fault);
    if (diag_count(reader->diagnostics) > before) {
        return;
    }
    if (((const FaultOps *)fault.fault.kind->ops)->file != NULL) {
        replay_file(compiler, &fault, map, pair);
        return;
    }
    resolve_means(compiler, &fault, map);
    check_fault_times(compiler, &fault, map, pair);
    check_fault_place(compiler, &fault, pair);
    check_each(compiler, &fault, map, pair);
    check_cure(compiler, &fault, map, pair);
    const FaultOps *ops = fault.fault.kind->ops;
    Error error;
    if (compiler->is_sound && ops->check != NULL &&
        !ops->check(fault.fault.params, compiler->model, &error)) {
        diag_error(reader->diagnostics, pair->key, "%s", error.text);
    }
    if (compiler->is_sound) {
        check_edge_place(compiler, &fault, pair);
    }
    fault.label = compile_fault_label(compiler, &fault);
    if (diag_count(reader->diagnostics) > before) {
        return;
    }
    if (fault.each == EACH_REPLICA) {
        add_fault_of_each(compiler, &fault, pair->key);
    } else {
        add_fault(compiler, &fault, pair->key);
    }
}

void compile_faults(Compiler *compiler) {
    SchemaReader *reader = &compiler->reader;
    const DocNode *list = doc_find(compiler->root, "faults");
    if (list == NULL || !schema_expect_list(reader, list, "faults")) {
        return;
    }
    size_t outer = resolved_enter(reader->resolved, "faults");
    for (uint32_t i = 0; i < list->count; i++) {
        size_t mark = resolved_enter_item(reader->resolved, i);
        compile_fault(compiler, list->items[i]);
        resolved_leave(reader->resolved, mark);
    }
    resolved_leave(reader->resolved, outer);
    Model *model = compiler->model;
    model->fault_count = (uint32_t)compiler->faults.count;
    model->faults = model_alloc(model, model->fault_count, sizeof *model->faults);
    if (model->fault_count > 0) {
        memcpy(model->faults, compiler->faults.items, model->fault_count * sizeof *model->faults);
    }
}
