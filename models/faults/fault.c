#include "models/faults/fault.h"

#include "models/servers/server.h"
#include "sim/check.h"

FaultWalk fault_walk(const FaultPlace *place, const Levers *levers) {
    CHECK(place->service < levers->model->service_count);
    const Service *service = &levers->model->services[place->service];
    uint32_t count = service->replica_count;
    FaultWalk walk = {.replicas = &levers->replicas[service->replica_first],
                      .next = place->first < count ? place->first : count,
                      .end = count};
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
            return &walk->replicas[at];
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
