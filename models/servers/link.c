/* A network link or a store: it carries something in proportion to a request's tokens, such as the
 * KV cache from the replicas that prefill to those that decode. */
#include "models/flow.h"
#include "models/servers/server.h"
#include "models/servers/shared_progress.h"
#include "sim/check.h"

typedef struct LinkParams {
    double bandwidth_bytes_per_s;
    double bytes_per_input_token, bytes_per_output_token;
    SimTime latency;
    uint32_t limit;
} LinkParams;

/* Of n transfers each gets an n-th of the bandwidth. */
static const SharedSpeed link_speed = {.base = 0, .per_request = 1};

static const LinkParams *link_params(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_service_of(world, &world->replicas[replica])->server.params;
}

static SharedProgress *link_state(World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_state(world, world->replicas[replica].server_state);
}

static double link_work_s(const World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    const LinkParams *p = link_params(world, attempt->replica);
    double bytes = p->bytes_per_input_token * call->input_tokens +
                   p->bytes_per_output_token * call->output_tokens;
    CHECK(bytes >= 0 && p->bandwidth_bytes_per_s > 0);
    return bytes / p->bandwidth_bytes_per_s * world->replicas[attempt->replica].levers.work_x;
}

static void link_pump(World *world, uint32_t replica) {
    shared_progress_pump(world, replica, link_state(world, replica), &link_speed, link_work_s);
}

/* The last byte has left; it arrives after the latency. */
static void link_on_timer(World *world, uint32_t replica) {
    uint32_t slot = shared_progress_finish(world, replica, link_state(world, replica), &link_speed);
    double latency_s = time_to_s(link_params(world, replica)->latency);
    CHECK(latency_s >= 0);
    if (latency_s == 0 || flow_fails_early(world, slot)) {
        flow_work_done(world, slot, world->now - world_attempt(world, slot)->started_at);
    } else {
        flow_work_for(world, slot, time_from_s(latency_s * world->replicas[replica].levers.work_x));
    }
}

static bool link_take_out(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SERVING);
    if (!event_is_set(attempt->event)) { /* its last byte has not left */
        shared_progress_take_out(world, slot, link_state(world, attempt->replica), &link_speed);
    }
    return true;
}

static uint32_t link_slots(const void *params) {
    const LinkParams *p = params;
    CHECK(p->limit > 0);
    return p->limit;
}

static bool link_check(const void *params, Error *error) {
    const LinkParams *p = params;
    return p->bytes_per_input_token + p->bytes_per_output_token > 0 ||
           error_set(error, "bytes_per_input_token and bytes_per_output_token are both 0: there is "
                            "nothing to carry");
}

static const Param link_params_table[] = {
    {"bandwidth", PARAM_BANDWIDTH, offsetof(LinkParams, bandwidth_bytes_per_s), .above_min = true,
     .max = 1e18,
     .doc = "What one replica carries in all; the transfers in progress have equal parts of it."},
    {"bytes_per_input_token", PARAM_BYTES, offsetof(LinkParams, bytes_per_input_token), .max = 1e12,
     .doc = "Carried for each token of the prompt: the KV cache of an 8B model takes 128KiB a "
            "token, of a 70B model 320KiB (fp16)."},
    {"bytes_per_output_token", PARAM_BYTES, offsetof(LinkParams, bytes_per_output_token),
     .preset = "0B", .max = 1e12, .doc = "Carried for each token of the answer."},
    {"latency", PARAM_DURATION, offsetof(LinkParams, latency), .preset = "0s",
     .max = SIM_TIME_S_MAX,
     .doc = "From the last byte's leaving to its arrival; takes none of the bandwidth."},
    {"limit", PARAM_COUNT, offsetof(LinkParams, limit), .preset = "unlimited", .min = 1, .max = 4e9,
     .may_be_unlimited = true, .doc = "The most transfers at once; more wait in the queue."},
};

static const ServerOps link_ops = {
    .slots = link_slots,
    .pump = link_pump,
    .on_timer = link_on_timer,
    .take_out = link_take_out,
    .can_kill = true,
};

const Kind server_link = {
    .family = FAMILY_SERVER,
    .name = "link",
    .doc = "A network link or store that carries bytes in proportion to a request's tokens; all "
           "transfers in progress share its bandwidth equally.",
    .params = link_params_table,
    .param_count = PARAM_COUNT_OF(link_params_table),
    .params_size = sizeof(LinkParams),
    .state_size = sizeof(SharedProgress),
    .ops = &link_ops,
    .check = link_check,
};
