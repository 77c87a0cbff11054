#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

typedef struct LimitRateParams {
    uint32_t client;
    double rate_per_s, burst;
} LimitRateParams;

/* What is missing from a full bucket, so that zeroed state is a full one. */
typedef struct LimitRateState {
    double missing;
    SimTime updated_at;
} LimitRateState;

static void limit_rate_apply(const void *params, Levers *levers) {
    const LimitRateParams *p = params;
    CHECK(p->client < levers->model->client_count);
    levers_disturb_caller(levers, p->client);
}

static void limit_rate_turn(World *world, uint32_t action) {
    LimitRateState *state = fault_state(world, action, 0);
    CHECK(state->missing == 0);
    state->updated_at = world->now;
}

static const char *limit_rate_stops(World *world, uint32_t action, const Call *call) {
    const LimitRateParams *p = fault_params(world, action);
    LimitRateState *state = fault_state(world, action, 0);
    if (world->model->edges[call->edge].caller != p->client) {
        return NULL;
    }
    CHECK(world->now >= state->updated_at);
    double missing = state->missing - time_to_s(world->now - state->updated_at) * p->rate_per_s;
    state->missing = missing > 0 ? missing : 0;
    state->updated_at = world->now;
    if (state->missing + 1 > p->burst) {
        return "limited by an operator";
    }
    state->missing += 1;
    return NULL;
}

static const Param limit_rate_params[] = {
    {"client", PARAM_CLIENT, offsetof(LimitRateParams, client), .doc = "Whose attempts."},
    {"rate", PARAM_RATE, offsetof(LimitRateParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Attempts that are let through per second; the rest is refused before it is sent."},
    {"burst", PARAM_NUMBER, offsetof(LimitRateParams, burst), .preset = "1", .min = 1, .max = 1e9,
     .doc = "Attempts that are let through at once after a pause."},
};

static const FaultOps limit_rate_ops = {
    .apply = limit_rate_apply, .on_turn = limit_rate_turn, .stops = limit_rate_stops};

const Kind action_limit_rate = {
    .family = FAMILY_ACTION,
    .name = "limit_rate",
    .doc = "Lets through so many of a client's attempts per second.",
    .params = limit_rate_params,
    .param_count = PARAM_COUNT_OF(limit_rate_params),
    .params_size = sizeof(LimitRateParams),
    .state_size = sizeof(LimitRateState),
    .ops = &limit_rate_ops,
};
