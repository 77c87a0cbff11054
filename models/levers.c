#include "models/levers.h"

#include <string.h>

#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "models/servers/server.h"
#include "sim/check.h"

void levers_init(Levers *levers, const Model *model) {
    CHECK(model->replica_count > 0);
    levers->model = model;
    levers->replicas = mem_zalloc(model->replica_count, sizeof *levers->replicas);
    levers->client_x = mem_zalloc(model->client_count, sizeof *levers->client_x);
    levers->edge_is_disturbed = mem_zalloc(model->edge_count, sizeof *levers->edge_is_disturbed);
}

void levers_free(Levers *levers) {
    CHECK(levers->model != NULL);
    mem_free(levers->replicas);
    mem_free(levers->edge_is_disturbed);
    mem_free(levers->client_x);
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
    for (uint32_t i = 0; i < model->client_count; i++) {
        levers->client_x[i] = 1;
    }
    memset(levers->edge_is_disturbed, 0, model->edge_count * sizeof *levers->edge_is_disturbed);
}

void levers_disturb_caller(Levers *levers, uint32_t component) {
    CHECK(component < model_component_count(levers->model));
    for (uint32_t i = 0; i < levers->model->edge_count; i++) {
        levers->edge_is_disturbed[i] |= levers->model->edges[i].caller == component;
    }
}

static SimTime load_time(const World *world, const Replica *replica) {
    const Service *service = world_service_of(world, replica);
    const ServerOps *ops = service->server.kind->ops;
    CHECK(ops != NULL);
    return ops->load_time == NULL ? 0 : ops->load_time(service->server.params);
}

void levers_break(World *world, uint32_t index, Breakdown breakdown, const char *why) {
    Replica *replica = &world->replicas[index];
    CHECK(breakdown.restart > 0);
    if (world->now < replica->down_until) {
        return;
    }
    bool returns = breakdown.restart < SIM_TIME_NEVER - world->now;
    replica->down_until = returns ? world->now + breakdown.restart : SIM_TIME_NEVER;
    replica->is_known_broken = breakdown.is_known;
    note_change(world, replica->component, index, "crash", why);
    queue_push(&world->queue, world->now, EVENT_levers, index);
    if (returns) {
        queue_push(&world->queue, replica->down_until, EVENT_levers, index);
    }
}

void levers_restart(World *world, uint32_t index, SimTime lasts, const char *why) {
    Replica *replica = &world->replicas[index];
    CHECK(lasts > 0);
    faults_cure(world, index);
    replica->down_until = lasts < SIM_TIME_NEVER - world->now ? world->now + lasts : SIM_TIME_NEVER;
    replica->is_known_broken = true;
    note_change(world, replica->component, index, "restart", why);
    queue_push(&world->queue, world->now, EVENT_levers, index);
    queue_push(&world->queue, replica->down_until, EVENT_levers, index);
}

/* What crashed by itself is down whatever the faults say, and a process that begins has to load
 * first. Who is known to be down stays so until it serves, as one does that begins the run by
 * loading. */
static void levers_hold_down(World *world) {
    CHECK(world->levers.replicas != NULL);
    for (uint32_t i = 0; i < world->model->replica_count; i++) {
        Replica *replica = &world->replicas[i];
        ReplicaLevers *levers = &world->levers.replicas[i];
        bool has_process = levers->is_up && world->now >= replica->down_until;
        SimTime lasts = has_process && !replica->has_process ? load_time(world, replica) : 0;
        if (lasts > 0) {
            replica->loaded_at = world->now + lasts;
            queue_push(&world->queue, replica->loaded_at, EVENT_levers, i);
            note_change(world, replica->component, i, "loading", "");
        }
        bool begins = has_process && !replica->has_process;
        replica->has_process = has_process;
        if (begins) {
            faults_see_process(world, i);
        }
        if (levers->is_up && (!has_process || world->now < replica->loaded_at)) {
            levers->is_up = false;
            levers->is_known_down = replica->levers.is_up ? has_process || replica->is_known_broken
                                                          : replica->levers.is_known_down;
        } else if (levers->is_up && !replica->levers.is_up && world->now > 0 &&
                   world->now == replica->loaded_at) {
            note_change(world, world->replicas[i].component, i, "loaded", "");
        }
    }
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
        world->edges[i].is_disturbed = world->levers.edge_is_disturbed[i];
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
            faults_see_down(world, i);
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
    for (uint32_t i = 0; i < model_influence_count(world->model); i++) {
        if (world->faults[i].is_on) {
            fault_apply(world, i);
        }
    }
    levers_hold_down(world);
    levers_commit(world);
}
