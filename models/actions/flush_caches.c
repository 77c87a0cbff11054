#include "models/faults/fault.h"
#include "models/servers/server.h"
#include "sim/check.h"

typedef struct FlushCachesParams {
    uint32_t service;
} FlushCachesParams;

static SimTime flush_caches_lasts(const void *params) {
    CHECK(params != NULL);
    return 0;
}

static void flush_caches_turn(World *world, uint32_t action) {
    const FlushCachesParams *p = fault_params(world, action);
    const Service *service = &world->model->services[p->service];
    const ServerOps *ops = service->server.kind->ops;
    CHECK(ops->flush != NULL);
    for (uint32_t i = 0; i < service->replica_count && world->faults[action].is_on; i++) {
        if (world->replicas[service->replica_first + i].levers.is_up) {
            ops->flush(world, service->replica_first + i);
        }
    }
}

static bool flush_caches_check(const void *params, const Model *model, Error *error) {
    const FlushCachesParams *p = params;
    const Service *service = &model->services[p->service];
    CHECK(service->server.kind != NULL);
    return ((const ServerOps *)service->server.kind->ops)->flush != NULL ||
           error_set(error, "'%s' has no cache: its server is '%s'", service->name,
                     service->server.kind->name);
}

static const Param flush_caches_params[] = {
    {"service", PARAM_SERVICE, offsetof(FlushCachesParams, service), .doc = "Whose replicas'."},
};

static const FaultOps flush_caches_ops = {
    .lasts = flush_caches_lasts, .on_turn = flush_caches_turn, .check = flush_caches_check};

const Kind action_flush_caches = {
    .family = FAMILY_ACTION,
    .name = "flush_caches",
    .doc = "Empties the caches of a service; what is in use stays.",
    .params = flush_caches_params,
    .param_count = PARAM_COUNT_OF(flush_caches_params),
    .params_size = sizeof(FlushCachesParams),
    .ops = &flush_caches_ops,
};
