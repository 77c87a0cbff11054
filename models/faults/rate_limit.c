#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct RateLimitParams {
    uint32_t service;
    double rate_per_s, burst;
    bool has_retry_after;
    SimTime retry_after;
} RateLimitParams;

/* What is missing from a full bucket, so that zeroed state is a full one. */
typedef struct RateLimitState {
    double missing;
    SimTime updated_at;
} RateLimitState;

static void rate_limit_apply(const void *params, Levers *levers) {
    const RateLimitParams *p = params;
    const Service *service = &levers->model->services[p->service];
    CHECK(p->rate_per_s > 0);
    for (uint32_t i = 0; i < service->replica_count; i++) {
        levers->replicas[service->replica_first + i].is_watched = true;
    }
}

static void rate_limit_turn(World *world, uint32_t fault) {
    RateLimitState *state = fault_state(world, fault, 0);
    CHECK(state->missing == 0);
    state->updated_at = world->now;
}

static const char *rate_limit_refuses(World *world, uint32_t fault, uint32_t attempt) {
    const RateLimitParams *p = fault_params(world, fault);
    RateLimitState *state = fault_state(world, fault, 0);
    CHECK(world->now >= state->updated_at && attempt < world->attempts.slot_end);
    double missing = state->missing - time_to_s(world->now - state->updated_at) * p->rate_per_s;
    state->missing = missing > 0 ? missing : 0;
    state->updated_at = world->now;
    if (state->missing + 1 > p->burst) {
        world_attempt(world, attempt)->retry_after_ms =
            p->has_retry_after ? retry_after_ms(p->retry_after) : 0;
        return "over its rate limit";
    }
    state->missing += 1;
    return NULL;
}

static bool rate_limit_is_at(const void *params, const Model *model, uint32_t component) {
    const RateLimitParams *p = params;
    return model_service_component(model, p->service) == component;
}

static const Param rate_limit_params[] = {
    {"service", PARAM_SERVICE, offsetof(RateLimitParams, service), .doc = "Where."},
    {"rate", PARAM_RATE, offsetof(RateLimitParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Attempts that it lets in per second, over all its replicas and callers."},
    {"burst", PARAM_NUMBER, offsetof(RateLimitParams, burst), .preset = "1", .min = 1, .max = 1e9,
     .doc = "Attempts that it lets in at once after a pause."},
    {"retry_after", PARAM_DURATION, offsetof(RateLimitParams, retry_after), .min = 0.001,
     .max = 1e6, .is_optional = true, .has_offset = offsetof(RateLimitParams, has_retry_after),
     .may_be_unlimited = true, .never_word = "never",
     .doc =
         "What a refusal asks its caller to wait before a retry (a Retry-After header), or never "
         "to retry; whoever listens: `retry_after` of a call. Left out: nothing."},
};

static const FaultOps rate_limit_ops = {.apply = rate_limit_apply,
                                        .is_at = rate_limit_is_at,
                                        .on_turn = rate_limit_turn,
                                        .refuses = rate_limit_refuses};

const Kind fault_rate_limit = {
    .family = FAMILY_FAULT,
    .name = "rate_limit",
    .doc = "A provider throttles: the service lets in so many attempts per second and refuses the "
           "rest at once.",
    .params = rate_limit_params,
    .param_count = PARAM_COUNT_OF(rate_limit_params),
    .params_size = sizeof(RateLimitParams),
    .state_size = sizeof(RateLimitState),
    .ops = &rate_limit_ops,
};
