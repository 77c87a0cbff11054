#include "models/flow.h"
#include "models/servers/server.h"
#include "sim/check.h"

typedef struct PoolParams {
    uint32_t concurrency;
    bool hold_while_calling;
    SimTime work_per_in_flight;
} PoolParams;

static uint32_t pool_slots(const void *params) {
    const PoolParams *p = params;
    CHECK(p->concurrency > 0);
    return p->concurrency;
}

static bool pool_holds_while_calling(const void *params) {
    const PoolParams *p = params;
    CHECK(p != NULL);
    return p->hold_while_calling;
}

static void pool_pump(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    const PoolParams *p = world_service_of(world, replica)->server.params;
    CHECK(p->concurrency > 0);
    if (__builtin_expect(replica->suspended_count > 0, 0)) {
        flow_resume_suspended(world, replica_index);
    }
    while (replica->busy < replica->levers.slots) {
        uint32_t attempt = flow_take(world, replica_index);
        if (attempt == NONE) {
            return;
        }
        flow_use_slot(world, attempt);
        double work_s = flow_draw_work_s(world, attempt);
        if (p->work_per_in_flight > 0) {
            work_s += time_to_s(p->work_per_in_flight) * replica->busy;
        }
        flow_work_for(world, attempt, time_from_s(work_s * replica->levers.work_x));
    }
}

static const Param pool_params[] = {
    {"concurrency", PARAM_COUNT, offsetof(PoolParams, concurrency), .preset = "1", .min = 1,
     .max = 4e9, .may_be_unlimited = true,
     .doc = "Slots of one replica: threads, workers, connections."},
    {"hold_while_calling", PARAM_FLAG, offsetof(PoolParams, hold_while_calling), .preset = "false",
     .doc = "Whether an attempt keeps its slot while it waits for the services it calls, as a "
            "thread per request does."},
    {"work_per_in_flight", PARAM_DURATION, offsetof(PoolParams, work_per_in_flight), .preset = "0s",
     .max = 3600,
     .doc = "Added to the work for every attempt then in service at the replica, itself "
            "included: contention."},
};

static const ServerOps pool_ops = {
    .slots = pool_slots,
    .pump = pool_pump,
    .holds_while_calling = pool_holds_while_calling,
    .uses_work = true,
    .can_suspend = true,
    .can_kill = true,
};

const Kind server_pool = {
    .family = FAMILY_SERVER,
    .name = "pool",
    .doc = "A number of slots, each serving one attempt at a time.",
    .params = pool_params,
    .param_count = PARAM_COUNT_OF(pool_params),
    .params_size = sizeof(PoolParams),
    .ops = &pool_ops,
};
