#include "models/model.h"

#include <stdio.h>
#include <string.h>

#include "models/arrivals/arrivals.h"
#include "models/faults/fault.h"
#include "models/servers/server.h"
#include "sim/check.h"
#include "sim/vec.h"

/* One block an allocation: a model is made once and holds a few thousand at most. */
struct ModelArena {
    VEC(void *) blocks;
    VEC(Dist) dists;
    VEC(SimTime) timers;
    VEC(const char *) files;
};

Model *model_create(void) {
    Model *model = mem_zalloc(1, sizeof *model);
    model->arena = mem_zalloc(1, sizeof *model->arena);
    model->run.stop_service = NONE;
    model->verdict.trigger_from = SIM_TIME_NEVER;
    model->verdict.trigger_to = SIM_TIME_NEVER;
    return model;
}

void model_destroy(Model *model) {
    if (model == NULL) {
        return;
    }
    struct ModelArena *arena = model->arena;
    CHECK(arena != NULL);
    for (size_t i = 0; i < arena->blocks.count; i++) {
        mem_free(arena->blocks.items[i]);
    }
    for (size_t i = 0; i < arena->dists.count; i++) {
        dist_free(&arena->dists.items[i]);
    }
    vec_free(&arena->blocks);
    vec_free(&arena->dists);
    vec_free(&arena->timers);
    vec_free(&arena->files);
    mem_free(arena);
    mem_free(model);
}

void *model_alloc(Model *model, size_t count, size_t size) {
    CHECK(model->arena != NULL);
    void *block = mem_zalloc(count, size);
    vec_push(&model->arena->blocks, block);
    return block;
}

char *model_copy_text(Model *model, const char *text) {
    CHECK(text != NULL);
    size_t size = strlen(text) + 1;
    return memcpy(model_alloc(model, size, 1), text, size);
}

void model_add_file(Model *model, const char *path) {
    CHECK(path != NULL);
    vec_push(&model->arena->files, path);
    model->files = model->arena->files.items;
    model->file_count++;
}

void model_own_dist(Model *model, const Dist *dist) {
    CHECK(model->arena != NULL);
    if (dist->table != NULL) {
        vec_push(&model->arena->dists, *dist);
    }
}

TimerClass model_add_timer(Model *model, SimTime length) {
    CHECK(length >= 0);
    if (length == SIM_TIME_NEVER) {
        return TIMER_NONE;
    }
    for (uint32_t i = 0; i < model->timer_count; i++) {
        if (model->timers[i] == length) {
            return (TimerClass)i;
        }
    }
    CHECK(model->timer_count < QUEUE_TIMER_CLASSES_MAX);
    vec_push(&model->arena->timers, length);
    model->timers = model->arena->timers.items;
    return (TimerClass)model->timer_count++;
}

size_t component_state_size(const Component *component) {
    const Kind *kind = component->kind;
    CHECK(kind != NULL);
    return kind->state_size_of != NULL ? kind->state_size_of(component->params) : kind->state_size;
}

uint32_t model_component_count(const Model *model) {
    return model->client_count + model->service_count;
}

const char *model_component_name(const Model *model, uint32_t component) {
    CHECK(component < model_component_count(model));
    return component < model->client_count ? model->clients[component].name
                                           : model->services[component - model->client_count].name;
}

bool model_component_is_client(const Model *model, uint32_t component) {
    CHECK(component < model_component_count(model));
    return component < model->client_count;
}

uint32_t model_find_component(const Model *model, const char *name) {
    CHECK(name != NULL);
    for (uint32_t i = 0; i < model_component_count(model); i++) {
        if (strcmp(model_component_name(model, i), name) == 0) {
            return i;
        }
    }
    return NONE;
}

uint32_t model_find_service(const Model *model, const char *name) {
    uint32_t component = model_find_component(model, name);
    return component == NONE || component < model->client_count ? NONE
                                                                : component - model->client_count;
}

void model_add_trigger(Model *model, SimTime from, SimTime to) {
    CHECK(from >= 0 && from <= to);
    if (!model->has_trigger || from < model->trigger_from) {
        model->trigger_from = from;
    }
    if (!model->has_trigger || to > model->trigger_to) {
        model->trigger_to = to;
    }
    model->has_trigger = true;
}

/* A Zipf law over the client's prefixes; its bounds are checked by its table. */
static void finish_prefix(Client *client) {
    const SharedPrefix *prefix = &client->shared_prefix;
    if (prefix->tokens == 0) {
        return;
    }
    DistSpec spec = {.law = dist_law_find("zipf")};
    const DistLaw *zipf = dist_law(spec.law);
    size_t count = dist_param_find(zipf, "count"), s = dist_param_find(zipf, "s");
    spec.given = 1u << count | 1u << s;
    spec.values[count] = prefix->count;
    spec.values[s] = prefix->s;
    bool is_solved = dist_solve(&spec, &client->prefix_law, NULL);
    CHECK(is_solved);
}

static void finish_clients(Model *model) {
    model->user_count = 0;
    for (uint32_t i = 0; i < model->client_count; i++) {
        Client *client = &model->clients[i];
        CHECK(client->arrivals.kind != NULL && client->load.piece_count > 0);
        const ArrivalOps *ops = client->arrivals.kind->ops;
        client->user_count = ops->user_count == NULL
                                 ? 0
                                 : ops->user_count(client->arrivals.params, client->load.max);
        client->user_first = model->user_count;
        model->user_count += client->user_count;
        finish_prefix(client);
    }
}

/* What nobody sends has the rank of the first: there is one always. */
static void finish_ranks(Model *model) {
    bool is_used[2 * PRIORITY_MAX + 1] = {false};
    uint8_t ranks[2 * PRIORITY_MAX + 1];
    for (uint32_t i = 0; i < model->client_count; i++) {
        double priority = model->clients[i].priority;
        CHECK(priority >= -PRIORITY_MAX && priority <= PRIORITY_MAX);
        is_used[(int)priority + PRIORITY_MAX] = true;
    }
    model->rank_count = 0;
    for (int i = 0; i <= 2 * PRIORITY_MAX; i++) {
        ranks[i] = (uint8_t)model->rank_count;
        model->rank_count += is_used[i];
    }
    model->rank_count += model->client_count == 0;
    CHECK(model->rank_count > 0 && model->rank_count <= RANKS_MAX);
    for (uint32_t i = 0; i < model->client_count; i++) {
        model->clients[i].rank = ranks[(int)model->clients[i].priority + PRIORITY_MAX];
    }
}

static void finish_services(Model *model) {
    model->replica_count = 0;
    for (uint32_t i = 0; i < model->service_count; i++) {
        Service *service = &model->services[i];
        CHECK(service->server.kind != NULL && service->replica_count > 0);
        const ServerOps *ops = service->server.kind->ops;
        service->slots = ops->slots(service->server.params);
        service->replica_first = model->replica_count;
        model->replica_count += service->replica_count;
    }
}

/* "gateway->llm"; a second edge between the two is "gateway->llm#2", a fallback "gateway->llm
 * fallback": streams are keyed by it. */
static char *edge_name(Model *model, uint32_t index) {
    const Edge *edge = &model->edges[index];
    CHECK(index < model->edge_count);
    uint32_t number = 1;
    for (uint32_t i = 0; i < index; i++) {
        number += model->edges[i].caller == edge->caller && model->edges[i].to == edge->to &&
                  model->edges[i].is_fallback == edge->is_fallback;
    }
    const char *from = model_component_name(model, edge->caller);
    const char *to = model->services[edge->to].name;
    size_t size = strlen(from) + strlen(to) + 32;
    char *name = model_alloc(model, size, 1);
    int length = snprintf(name, size, "%s->%s%s", from, to, edge->is_fallback ? " fallback" : "");
    if (number > 1) {
        snprintf(name + length, size - (size_t)length, "#%u", number);
    }
    return name;
}

static void finish_edges(Model *model) {
    for (uint32_t i = 0; i < model->edge_count; i++) {
        Edge *edge = &model->edges[i];
        CHECK(edge->to < model->service_count);
        CHECK(i >= model->client_count || edge->caller == i);
        CHECK(edge->fallback == NONE || (model->edges[edge->fallback].is_fallback &&
                                         model->edges[edge->fallback].caller == edge->caller));
        edge->has_fallback = edge->fallback != NONE || edge->own_answer.has_value ||
                             edge->own_answer.has_stale_cache;
        edge->name = edge_name(model, i);
        edge->timeout_timer = model_alloc(model, edge->timeout.count, sizeof *edge->timeout_timer);
        for (uint32_t k = 0; k < edge->timeout.count; k++) {
            edge->timeout_timer[k] = model_add_timer(model, edge->timeout.items[k]);
        }
        edge->deadline_timer = model_add_timer(model, edge->deadline);
        edge->is_guarded = edge_is_guarded(edge);
        edge->has_hedge = edge_has_hedge(edge);
        edge->is_watched = edge->is_guarded || edge->has_hedge || edge_is_watched(edge);
        model->watched_instances += edge->is_watched ? edge->instances : 0;
    }
}

/* A call is made on behalf of one whose deadline is carried along when its caller is called so, or
 * inherits one itself. Each pass goes a layer deeper. */
static void finish_deadlines(Model *model) {
    bool *carries = mem_zalloc(model->service_count, sizeof *carries); /* services that know one */
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (uint32_t i = 0; i < model->edge_count; i++) {
            Edge *edge = &model->edges[i];
            CHECK(!edge->propagates || edge->deadline != SIM_TIME_NEVER);
            bool is_called = edge->caller >= model->client_count;
            edge->inherits_deadline = is_called && carries[edge->caller - model->client_count];
            if ((edge->propagates || edge->inherits_deadline) && !carries[edge->to]) {
                carries[edge->to] = true;
                has_changed = true;
            }
        }
    }
    mem_free(carries);
}

static void add_edges_of_nobody(Model *model) {
    Edge *edges =
        model_alloc(model, (size_t)model->edge_count + model->service_count, sizeof *edges);
    if (model->edge_count > 0) {
        memcpy(edges, model->edges, model->edge_count * sizeof *edges);
    }
    model->edges = edges;
    for (uint32_t i = 0; i < model->service_count; i++) {
        edges[model_edge_of_nobody(model, i)] = (Edge){.caller = model_service_component(model, i),
                                                       .to = i,
                                                       .deadline = SIM_TIME_NEVER,
                                                       .fallback = NONE};
    }
    CHECK(model->edge_count < NONE - model->service_count);
}

uint32_t model_edge_of_nobody(const Model *model, uint32_t service) {
    CHECK(service < model->service_count);
    return model->edge_count + service;
}

SimTime model_fault_lasts(const Model *model, const Fault *fault) {
    CHECK(fault->fault.kind != NULL);
    if (fault->has_lasts) {
        return time_from_s(dist_mean(&fault->lasts));
    }
    const FaultOps *ops = fault->fault.kind->ops;
    SimTime lasts = ops->lasts == NULL ? SIM_TIME_NEVER : ops->lasts(fault->fault.params);
    return lasts == SIM_TIME_NEVER ? model->run.duration : lasts;
}

/* Nothing after the end of the run can be told from its end. */
static void finish_trigger(Model *model) {
    const VerdictDef *verdict = &model->verdict;
    if (verdict->trigger_from != SIM_TIME_NEVER) {
        model_add_trigger(model, verdict->trigger_from, verdict->trigger_to);
    }
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const Fault *fault = &model->faults[i];
        model->has_marks |= ((const FaultOps *)fault->fault.kind->ops)->marks != NULL;
        if (!fault->is_recurring && fault->at < model->run.duration) {
            SimTime left = model->run.duration - fault->at;
            SimTime lasts = model_fault_lasts(model, fault);
            CHECK(lasts >= 0);
            model_add_trigger(model, fault->at, fault->at + (lasts < left ? lasts : left));
        }
    }
}

void model_finish(Model *model) {
    CHECK(model->edge_count >= model->client_count);
    finish_services(model);
    finish_clients(model);
    finish_ranks(model);
    finish_deadlines(model);
    finish_edges(model);
    add_edges_of_nobody(model);
    finish_trigger(model);
}
