/* Processor sharing: everything in progress advances together, the slower the more there is. */
#include "models/flow.h"
#include "models/servers/server.h"
#include "models/servers/shared_progress.h"
#include "sim/check.h"

typedef struct SharingParams {
    SharedSpeed speed;
    uint32_t limit;
} SharingParams;

static SharedProgress *sharing_state(World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_state(world, world->replicas[replica].server_state);
}

static const SharedSpeed *sharing_speed(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    const SharingParams *p = world_service_of(world, &world->replicas[replica])->server.params;
    return &p->speed;
}

static double sharing_work_s(const World *world, uint32_t slot) {
    const Replica *replica = &world->replicas[world_attempt(world, slot)->replica];
    CHECK(replica->levers.work_x > 0);
    return flow_draw_work_s(world, slot) * replica->levers.work_x;
}

static void sharing_pump(World *world, uint32_t replica) {
    shared_progress_pump(world, replica, sharing_state(world, replica),
                         sharing_speed(world, replica), sharing_work_s);
}

static void sharing_on_timer(World *world, uint32_t replica) {
    uint32_t slot = shared_progress_finish(world, replica, sharing_state(world, replica),
                                           sharing_speed(world, replica));
    CHECK(world_attempt(world, slot)->replica == replica);
    flow_work_done(world, slot, world->now - world_attempt(world, slot)->started_at);
}

static bool sharing_take_out(World *world, uint32_t slot) {
    uint32_t replica = world_attempt(world, slot)->replica;
    CHECK(replica != NONE);
    shared_progress_take_out(world, slot, sharing_state(world, replica),
                             sharing_speed(world, replica));
    return true;
}

static uint32_t sharing_slots(const void *params) {
    const SharingParams *p = params;
    CHECK(p->limit > 0);
    return p->limit;
}

static bool sharing_check(const void *params, Error *error) {
    const SharingParams *p = params;
    return p->speed.base + p->speed.per_request > 0 ||
           error_set(error, "base and per_request are both 0: work would take no time at all");
}

static const Param sharing_params_table[] = {
    {"base", PARAM_NUMBER, offsetof(SharingParams, speed.base), .preset = "0", .max = 1e9,
     .doc = "Part of the slowdown that does not depend on how many are in progress."},
    {"per_request", PARAM_NUMBER, offsetof(SharingParams, speed.per_request), .preset = "1",
     .max = 1e9,
     .doc =
         "Part of the slowdown for each request in progress: with base 0 and per_request 1 it is "
         "plain processor sharing."},
    {"limit", PARAM_COUNT, offsetof(SharingParams, limit), .preset = "unlimited", .min = 1,
     .max = 4e9, .may_be_unlimited = true, .doc = "The most in progress; more wait in the queue."},
};

static const ServerOps sharing_ops = {
    .slots = sharing_slots,
    .pump = sharing_pump,
    .on_timer = sharing_on_timer,
    .take_out = sharing_take_out,
    .uses_work = true,
    .can_kill = true,
};

const Kind server_sharing = {
    .family = FAMILY_SERVER,
    .name = "sharing",
    .doc = "All in progress share the replica: with n of them, work w takes w x (base + "
           "per_request x n).",
    .params = sharing_params_table,
    .param_count = PARAM_COUNT_OF(sharing_params_table),
    .params_size = sizeof(SharingParams),
    .state_size = sizeof(SharedProgress),
    .ops = &sharing_ops,
    .check = sharing_check,
};
