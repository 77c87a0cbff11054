#include "models/faults/fault.h"

#include "models/servers/server.h"
#include "sim/check.h"

FaultWalk fault_walk(const FaultPlace *place, const Levers *levers) {
    CHECK(place->service < levers->model->service_count);
    const Service *service = &levers->model->services[place->service];
    uint32_t count = service->replica_count;
    FaultWalk walk = {.replicas = &levers->replicas[service->replica_first],
                      .next = place->first < count ? place->first : count,
                      .end = count,
                      .cured = levers->cured};
    walk.left = count - walk.next;
    if (place->has_share) {
        uint32_t share = (uint32_t)(place->share * walk.left + 0.5);
        walk.left = share > 0 ? share : 1;
        walk.is_drawn = true;
        walk.rng = levers->draw;
    } else if (place->has_replicas && place->replicas < walk.left) {
        walk.left = place->replicas;
    }
    return walk;
}

/* Each of those that are left is as likely to be meant: Knuth's algorithm S (TAOCP 2, 3.4.2). */
ReplicaLevers *fault_walk_next(FaultWalk *walk) {
    CHECK(walk->left <= walk->end - walk->next);
    while (walk->left > 0) {
        uint32_t at = walk->next++;
        if (!walk->is_drawn || rng_below(&walk->rng, walk->end - at) < walk->left) {
            walk->left--;
            if (walk->cured == NULL || walk->cured[at] == 0) {
                return &walk->replicas[at];
            }
        }
    }
    return NULL;
}

bool fault_place_has_tokens(const void *params, const Model *model, Error *error) {
    const FaultPlace *place = params;
    const Service *service = &model->services[place->service];
    CHECK(service->server.kind != NULL);
    return ((const ServerOps *)service->server.kind->ops)->has_tokens ||
           error_set(error, "'%s' has no KV cache: this befalls inference servers only",
                     service->name);
}

bool fault_place_is_at(const void *params, const Model *model, uint32_t component) {
    const FaultPlace *place = params;
    CHECK(component < model_component_count(model));
    return model_service_component(model, place->service) == component;
}

static bool list_has(const CountList *list, uint32_t item) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i] == item) {
            return true;
        }
    }
    return false;
}

bool edge_place_has(const EdgePlace *place, const Passage *passage) {
    const Edge *edge = &passage->model->edges[passage->edge];
    uint32_t callee = model_service_component(passage->model, edge->to);
    uint32_t sender = passage->is_reply ? callee : edge->caller;
    uint32_t receiver = passage->is_reply ? edge->caller : callee;
    CHECK(edge->caller != callee);
    if (place->between.count > 0) {
        return list_has(&place->between, sender) && list_has(&place->between, receiver);
    }
    if (place->edge.count > 0) {
        return place->edge.items[0] == edge->caller && place->edge.items[1] == callee;
    }
    return (place->from.count == 0 || list_has(&place->from, sender)) &&
           (place->to.count == 0 || list_has(&place->to, receiver));
}

void edge_place_apply(const void *params, Levers *levers) {
    const EdgePlace *place = params;
    CHECK(levers->model != NULL);
    for (uint32_t i = 0; i < levers->model->edge_count; i++) {
        for (int is_reply = 0; is_reply < 2; is_reply++) {
            Passage passage = {.model = levers->model, .edge = i, .is_reply = is_reply};
            levers->edge_is_disturbed[i] |= edge_place_has(place, &passage);
        }
    }
}

bool edge_place_is_at(const void *params, const Model *model, uint32_t component) {
    const EdgePlace *place = params;
    CHECK(component < model_component_count(model));
    return list_has(&place->between, component) || list_has(&place->edge, component) ||
           list_has(&place->from, component) || list_has(&place->to, component);
}

bool edge_place_check(const void *params, Error *error) {
    const EdgePlace *place = params;
    bool has_way = place->from.count > 0 || place->to.count > 0;
    uint32_t ways = (place->between.count > 0) + (place->edge.count > 0) + has_way;
    CHECK(error != NULL);
    if (ways != 1) {
        return error_set(error, ways == 0
                                    ? "where? Write for example 'between: [gateway, llm]', 'edge: "
                                      "[gateway, llm]', or 'from' and 'to'"
                                    : "'between', 'edge', and 'from' and 'to' are three ways to "
                                      "say where: take one");
    }
    if (place->between.count == 1) {
        return error_set(error, "'between' takes two components or more: write for example "
                                "'between: [gateway, llm]'");
    }
    return place->edge.count == 0 || place->edge.count == 2 ||
           error_set(error, "an edge is a caller and whom it calls: write for example 'edge: "
                            "[gateway, llm]'");
}
