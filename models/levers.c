#include "models/levers.h"

#include <string.h>

#include "models/faults/fault.h"
#include "models/flow.h"
#include "models/servers/server.h"
#include "sim/check.h"

void levers_init(Levers *levers, const Model *model) {
    CHECK(model->replica_count > 0);
    levers->model = model;
    levers->replicas = mem_zalloc(model->replica_count, sizeof *levers->replicas);
    levers->edge_is_cut = mem_zalloc(model->edge_count, sizeof *levers->edge_is_cut);
}

void levers_free(Levers *levers) {
    CHECK(levers->model != NULL);
    mem_free(levers->replicas);
    mem_free(levers->edge_is_cut);
}

ReplicaLevers *levers_of(Levers *levers, uint32_t service_index, uint32_t *count) {
    CHECK(service_index < levers->model->service_count);
    const Service *service = &levers->model->services[service_index];
    *count = *count < service->replica_count ? *count : service->replica_count;
    return &levers->replicas[service->replica_first];
}

static void levers_set_normal(Levers *levers) {
    const Model *model = levers->model;
    CHECK(model != NULL);
    for (uint32_t s = 0; s < model->service_count; s++) {
        const Service *service = &model->services[s];
        for (uint32_t i = 0; i < service->replica_count; i++) {
            levers->replicas[service->replica_first + i] =
                (ReplicaLevers){.work_x = 1,
                                .error_after = SIM_TIME_NEVER,
                                .slots = service->slots,
                                .is_up = true,
                                .kv_ratio = 1};
        }
    }
    memset(levers->edge_is_cut, 0, model->edge_count * sizeof *levers->edge_is_cut);
}

/* Routers send to the replicas that they do not know to be down. */
static void levers_commit_routes(World *world) {
    const Model *model = world->model;
    CHECK(world->routable != NULL);
    for (uint32_t s = 0; s < model->service_count; s++) {
        const Service *service = &model->services[s];
        uint32_t count = 0;
        for (uint32_t i = 0; i < service->replica_count; i++) {
            uint32_t replica = service->replica_first + i;
            const ReplicaLevers *now = &world->replicas[replica].levers;
            if (now->is_up || !now->is_known_down) {
                world->routable[service->replica_first + count++] = replica;
            }
        }
        world->services[s].routable_count = count;
    }
}

/* First everything is as it is now, then the World reacts: a caller who calls again at once meets
 * all replicas of one crash down. What was in force before waits where the new levers came from,
 * which the next recompute overwrites. */
static void levers_commit(World *world) {
    const Model *model = world->model;
    CHECK(model->replica_count > 0);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        world->edges[i].is_cut = world->levers.edge_is_cut[i];
    }
    for (uint32_t i = 0; i < model->replica_count; i++) {
        ReplicaLevers before = world->replicas[i].levers;
        world->replicas[i].levers = world->levers.replicas[i];
        world->levers.replicas[i] = before;
    }
    levers_commit_routes(world);
    for (uint32_t i = 0; i < model->replica_count; i++) {
        const ReplicaLevers *before = &world->levers.replicas[i];
        const ReplicaLevers *now = &world->replicas[i].levers;
        if (before->is_up && !now->is_up) {
            flow_crash(world, i);
        } else if (before->is_up != now->is_up || before->slots != now->slots) {
            flow_resize(world, i);
        }
        const ServerOps *ops = server_ops(world, &world->replicas[i]);
        if (ops->on_levers != NULL && now->is_up) {
            ops->on_levers(world, i);
            server_pump(world, i);
        }
    }
}

void levers_recompute(World *world) {
    Levers *levers = &world->levers;
    CHECK(levers->model == world->model);
    levers_set_normal(levers);
    for (uint32_t i = 0; i < world->model->fault_count; i++) {
        if (world->faults[i].is_on) {
            const Component *fault = &world->model->faults[i].fault;
            const FaultOps *ops = fault->kind->ops;
            ops->apply(fault->params, levers);
        }
    }
    levers_commit(world);
}
