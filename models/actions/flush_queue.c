#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "models/servers/server.h"
#include "sim/check.h"

typedef struct FlushQueueParams {
    uint32_t service;
} FlushQueueParams;

static SimTime flush_queue_lasts(const void *params) {
    CHECK(params != NULL);
    return 0;
}

/* All who wait now are refused; a caller who comes again at once waits behind them. */
static void flush_replica(World *world, uint32_t index) {
    Replica *replica = &world->replicas[index];
    uint32_t count = replica->queue_count;
    bool was_held = replica->is_held;
    replica->is_held = true;
    for (uint32_t i = 0; i < count && replica->queue_count > 0; i++) {
        uint32_t slot = replica->queue_head;
        CHECK(world_attempt(world, slot)->state == ATTEMPT_QUEUED);
        leave_queue(world, slot);
        refuse(world, slot, "flushed by an operator");
    }
    replica->is_held = was_held;
    server_pump(world, index);
}

static void flush_queue_turn(World *world, uint32_t action) {
    const FlushQueueParams *p = fault_params(world, action);
    const Service *service = &world->model->services[p->service];
    CHECK(p->service < world->model->service_count);
    for (uint32_t i = 0; i < service->replica_count && world->faults[action].is_on; i++) {
        flush_replica(world, service->replica_first + i);
    }
}

static const Param flush_queue_params[] = {
    {"service", PARAM_SERVICE, offsetof(FlushQueueParams, service), .doc = "Whose replicas'."},
};

static const FaultOps flush_queue_ops = {.lasts = flush_queue_lasts, .on_turn = flush_queue_turn};

const Kind action_flush_queue = {
    .family = FAMILY_ACTION,
    .name = "flush_queue",
    .doc = "Drops all that wait in the queues of a service: their callers are refused.",
    .params = flush_queue_params,
    .param_count = PARAM_COUNT_OF(flush_queue_params),
    .params_size = sizeof(FlushQueueParams),
    .ops = &flush_queue_ops,
};
