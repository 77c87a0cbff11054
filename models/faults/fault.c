#include "models/faults/fault.h"

#include "models/servers/server.h"
#include "sim/check.h"

ReplicaLevers *fault_place_levers(const FaultPlace *place, Levers *levers, uint32_t *count) {
    CHECK(place->service < levers->model->service_count);
    *count = place->has_replicas ? place->replicas : COUNT_UNLIMITED;
    return levers_of(levers, place->service, count);
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
