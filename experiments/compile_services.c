/* Services: how they work, who waits, whom they call; and the graph of all calls. */
#include <string.h>

#include "experiments/compile_parts.h"
#include "models/routers/router.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* A service's calls made at once may be this many: an attempt counts them in 16 bits. */
enum { PARALLEL_MAX = 1000 };

/* One item of `calls`: a call, or {parallel: [calls]}. */
static CallGroup compile_group(Compiler *compiler, const DocNode *item, uint32_t caller) {
    SchemaReader *reader = &compiler->reader;
    CallGroup group = {(uint32_t)compiler->edges.count, 0};
    const DocNode *parallel = doc_find(item, "parallel");
    if (parallel == NULL) {
        compile_call(compiler, item, item, caller, NULL);
        group.edge_count = 1;
        return group;
    }
    schema_check_keys(reader, &(Schema){.name = "'parallel'"}, item, KEYS("parallel"));
    if (!schema_expect_list(reader, parallel, "calls in parallel")) {
        return group;
    }
    if (parallel->count == 0 || parallel->count > PARALLEL_MAX) {
        diag_error(reader->diagnostics, parallel, "'parallel' takes 1 to %d calls, not %u",
                   PARALLEL_MAX, parallel->count);
        return group;
    }
    size_t outer = resolved_enter(reader->resolved, "parallel");
    for (uint32_t i = 0; i < parallel->count; i++) {
        size_t mark = resolved_enter_item(reader->resolved, i);
        compile_call(compiler, parallel->items[i], parallel->items[i], caller, NULL);
        resolved_leave(reader->resolved, mark);
    }
    resolved_leave(reader->resolved, outer);
    group.edge_count = parallel->count;
    return group;
}

static void compile_calls(Compiler *compiler, Service *service, const DocNode *calls,
                          uint32_t caller) {
    SchemaReader *reader = &compiler->reader;
    if (calls == NULL || !schema_expect_list(reader, calls, "calls")) {
        return;
    }
    service->groups = model_alloc(compiler->model, calls->count, sizeof *service->groups);
    service->group_count = calls->count;
    size_t outer = resolved_enter(reader->resolved, "calls");
    for (uint32_t i = 0; i < calls->count && compiler->edges.count < COMPILE_EDGES_MAX; i++) {
        size_t mark = resolved_enter_item(reader->resolved, i);
        service->groups[i] = compile_group(compiler, calls->items[i], caller);
        resolved_leave(reader->resolved, mark);
    }
    resolved_leave(reader->resolved, outer);
}

static const Param *service_param(const char *name) {
    for (uint32_t i = 0; i < schema_service.param_count; i++) {
        if (strcmp(schema_service.params[i].name, name) == 0) {
            return &schema_service.params[i];
        }
    }
    CHECK(!"a service has this key");
    return NULL;
}

/* A key of which the server decides whether it applies, or what is its default. */
static void read_late(Compiler *compiler, const Param *param, const DocNode *value,
                      Service *service) {
    size_t mark = resolved_enter(compiler->reader.resolved, param->name);
    schema_read_value(&compiler->reader, schema_service.name, param, value, service);
    resolved_leave(compiler->reader.resolved, mark);
}

/* `work` is for servers that use it; for others it would be a value that nobody looks at. */
static void compile_work(Compiler *compiler, Service *service, const DocNode *map,
                         const DocNode *at) {
    const Kind *kind = service->server.kind;
    const DocPair *work = doc_find_pair(map, "work");
    const Param *param = service_param("work");
    if (kind != NULL && !((const ServerOps *)kind->ops)->uses_work) {
        if (work != NULL) {
            diag_error(compiler->reader.diagnostics, work->key,
                       "'work' does not apply: %s %s server takes its time from its own parameters",
                       kind_article(kind->name), kind->name);
        }
        return;
    }
    read_late(compiler, param,
              work != NULL ? work->value : doc_default(compiler->reader.doc, at, param->preset),
              service);
}

/* Where work cannot be suspended the default is to let it finish; asking for more is a mistake. */
static void compile_capacity_loss(Compiler *compiler, Service *service, const DocNode *map,
                                  const DocNode *at) {
    const Kind *kind = service->server.kind;
    const DocNode *loss = doc_find(map, "on_capacity_loss");
    const Param *param = service_param("on_capacity_loss");
    const ServerOps *ops = kind == NULL ? NULL : kind->ops;
    bool can_suspend = ops == NULL || ops->can_suspend, can_kill = ops == NULL || ops->can_kill;
    const char *preset = can_suspend ? param->preset : "drain";
    read_late(compiler, param, loss != NULL ? loss : doc_default(compiler->reader.doc, at, preset),
              service);
    if (loss != NULL && service->on_capacity_loss == LOSS_SUSPEND && !can_suspend) {
        diag_error(compiler->reader.diagnostics, loss, "%s %s server cannot suspend work; take %s",
                   kind_article(kind->name), kind->name,
                   can_kill ? "'drain' or 'kill'" : "'drain'");
    } else if (loss != NULL && service->on_capacity_loss == LOSS_KILL && !can_kill) {
        diag_error(compiler->reader.diagnostics, loss,
                   "%s %s server finishes what it has begun; take 'drain'",
                   kind_article(kind->name), kind->name);
    }
}

/* Whether the router can do its work in front of these replicas. */
static void check_route(Compiler *compiler, const Service *service, const DocNode *map,
                        const DocNode *at) {
    const RouterOps *router = service->route.kind->ops;
    const ServerOps *server = service->server.kind->ops;
    RouterSite site = {.replica_count = service->replica_count,
                       .server = service->server.kind->name,
                       .has_prefix_cache = server->cached_tokens != NULL};
    const DocNode *route = doc_find(map, "route");
    if (route != NULL) {
        at = route->kind == DOC_MAP ? route->pairs[0].key : route;
    }
    Error error;
    if (router->fits != NULL && !router->fits(service->route.params, &site, &error)) {
        diag_error(compiler->reader.diagnostics, at, "%s", error.text);
    }
}

/* Some servers know by themselves who is served next. */
static void compile_order(Compiler *compiler, Service *service, const DocNode *queue) {
    const Kind *kind = service->server.kind;
    const ServerOps *ops = kind == NULL ? NULL : kind->ops;
    const DocPair *order = doc_find_pair(queue, "order");
    if (ops == NULL || ops->is_by_priority == NULL) {
        return;
    }
    if (order != NULL) {
        diag_error(compiler->reader.diagnostics, order->key,
                   "'order' does not apply: %s %s server takes its order from scheduling_policy",
                   kind_article(kind->name), kind->name);
    } else if (ops->is_by_priority(service->server.params)) {
        service->queue.order = QUEUE_PRIORITY;
    }
}

/* What is there at time 0 is at replicas that are up. */
static void check_initial(Compiler *compiler, const Service *service, const DocPair *pair) {
    const Kind *kind = service->server.kind;
    const ServerOps *ops = kind == NULL ? NULL : kind->ops;
    if (service->initial > 0 && ops != NULL && ops->is_loaded != NULL &&
        !ops->is_loaded(service->server.params)) {
        diag_error(compiler->reader.diagnostics, pair->key,
                   "'initial' of run puts %u requests into '%s', whose replicas are still loading "
                   "at time 0; set 'loaded: true'",
                   service->initial, service->name);
    }
}

static void compile_service(Compiler *compiler, uint32_t index) {
    SchemaReader *reader = &compiler->reader;
    Model *model = compiler->model;
    Service *service = &model->services[index];
    uint32_t component = model_service_component(model, index);
    const DocPair *pair = compiler->components[component];
    uint32_t before = diag_count(reader->diagnostics);
    schema_read(reader, &schema_service, pair->value, pair->key,
                KEYS("queue", "calls", "work", "on_capacity_loss"), service);
    const DocNode *map = pair->value->kind == DOC_MAP ? pair->value : NULL;
    if (diag_count(reader->diagnostics) == before) {
        check_route(compiler, service, map, pair->key);
    }
    compile_work(compiler, service, map, pair->key);
    compile_capacity_loss(compiler, service, map, pair->key);
    size_t mark = resolved_enter(reader->resolved, "queue");
    schema_read(reader, &schema_queue, doc_find(map, "queue"), pair->key, (SchemaKeys){0},
                &service->queue);
    resolved_leave(reader->resolved, mark);
    compile_order(compiler, service, doc_find(map, "queue"));
    if (diag_count(reader->diagnostics) == 0) {
        check_initial(compiler, service, pair);
    }
    compile_calls(compiler, service, doc_find(map, "calls"), component);
}

void compile_services(Compiler *compiler) {
    Model *model = compiler->model;
    size_t outer = resolved_enter(compiler->reader.resolved, "services");
    for (uint32_t i = 0; i < model->service_count; i++) {
        size_t mark = resolved_enter(compiler->reader.resolved, model->services[i].name);
        compile_service(compiler, i);
        resolved_leave(compiler->reader.resolved, mark);
    }
    resolved_leave(compiler->reader.resolved, outer);
}

/* A walk in depth through the services. Recursion would be as deep as the longest chain. */
typedef struct Walk {
    const Model *model;
    EdgesByCaller calls;
    uint32_t *next;  /* by service: how far its edges have been walked */
    uint32_t *depth; /* by service: the longest chain from it, once finished */
    uint8_t *state;  /* by service */
    uint32_t *path;  /* services now being walked */
    uint32_t path_count;
} Walk;

enum { WALK_NEW, WALK_OPEN, WALK_DONE };

EdgesByCaller compile_edges_by_caller(Model *model) {
    uint32_t services = model->service_count;
    EdgesByCaller calls = {model_alloc(model, (size_t)services + 2, sizeof *calls.first),
                           model_alloc(model, model->edge_count, sizeof *calls.edges)};
    /* One place further on than they belong: filling moves each to its service's end. */
    uint32_t *end = calls.first + 1;
    for (uint32_t i = 0; i < model->edge_count; i++) {
        uint32_t caller = model->edges[i].caller;
        if (caller >= model->client_count) {
            end[caller - model->client_count + 1]++;
        }
    }
    for (uint32_t i = 0; i < services; i++) {
        end[i + 1] += end[i];
    }
    for (uint32_t i = 0; i < model->edge_count; i++) {
        uint32_t caller = model->edges[i].caller;
        if (caller >= model->client_count) {
            calls.edges[end[caller - model->client_count]++] = i;
        }
    }
    CHECK(calls.first[0] == 0);
    return calls;
}

static void walk_prepare(Compiler *compiler, Walk *walk) {
    Model *model = compiler->model;
    uint32_t services = model->service_count;
    *walk = (Walk){
        .model = model,
        .calls = compile_edges_by_caller(model),
        .next = model_alloc(model, services, sizeof(uint32_t)),
        .depth = model_alloc(model, services, sizeof(uint32_t)),
        .state = model_alloc(model, services, 1),
        .path = model_alloc(model, services, sizeof(uint32_t)),
    };
}

/* "a -> b -> c -> a", from where the circle is entered. */
static void report_cycle(Compiler *compiler, const Walk *walk, uint32_t edge) {
    const Model *model = walk->model;
    uint32_t to = model->edges[edge].to;
    uint32_t from = 0;
    while (walk->path[from] != to) {
        from++;
        CHECK(from < walk->path_count);
    }
    VEC(char) text = {0};
    for (uint32_t i = from; i <= walk->path_count; i++) {
        uint32_t service = i < walk->path_count ? walk->path[i] : to;
        const char *name = model->services[service].name;
        for (const char *c = i == from ? "" : " -> "; *c != 0; c++) {
            vec_push(&text, *c);
        }
        for (const char *c = name; *c != 0; c++) {
            vec_push(&text, *c);
        }
    }
    vec_push(&text, 0);
    diag_error(compiler->reader.diagnostics, compiler->edge_places.items[edge],
               "calls go in a circle: %s", text.items);
    vec_free(&text);
}

/* Walks from one service; false after a message. */
static bool walk_from(Compiler *compiler, Walk *walk, uint32_t root) {
    const Model *model = walk->model;
    walk->path_count = 0;
    walk->path[walk->path_count++] = root;
    walk->state[root] = WALK_OPEN;
    while (walk->path_count > 0) {
        uint32_t service = walk->path[walk->path_count - 1];
        uint32_t at = walk->calls.first[service] + walk->next[service];
        if (at == walk->calls.first[service + 1]) {
            walk->state[service] = WALK_DONE;
            walk->depth[service]++;
            walk->path_count--;
            uint32_t *above =
                walk->path_count == 0 ? NULL : &walk->depth[walk->path[walk->path_count - 1]];
            if (above != NULL && *above < walk->depth[service]) {
                *above = walk->depth[service];
            }
            continue;
        }
        walk->next[service]++;
        uint32_t edge = walk->calls.edges[at];
        uint32_t to = model->edges[edge].to;
        if (walk->state[to] == WALK_OPEN) {
            report_cycle(compiler, walk, edge);
            return false;
        }
        if (walk->state[to] == WALK_NEW) {
            walk->state[to] = WALK_OPEN;
            walk->path[walk->path_count++] = to;
        } else if (walk->depth[service] < walk->depth[to]) {
            walk->depth[service] = walk->depth[to];
        }
    }
    return true;
}

bool compile_check_graph(Compiler *compiler) {
    Model *model = compiler->model;
    if (diag_count(compiler->reader.diagnostics) > 0) {
        return false;
    }
    Walk walk;
    walk_prepare(compiler, &walk);
    for (uint32_t i = 0; i < model->service_count; i++) {
        if (walk.state[i] == WALK_NEW && !walk_from(compiler, &walk, i)) {
            return false;
        }
        if (walk.depth[i] > COMPILE_DEPTH_MAX) {
            uint32_t component = model_service_component(model, i);
            diag_error(compiler->reader.diagnostics, compiler->components[component]->key,
                       "calls go %u services deep from here; %d is the most", walk.depth[i],
                       COMPILE_DEPTH_MAX);
            return false;
        }
    }
    return true;
}
