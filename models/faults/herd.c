#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"
#include "sim/math.h"

typedef struct HerdParams {
    uint32_t client;
    uint32_t requests;
    SimTime spread;
    bool has_every;
    SimTime every;
} HerdParams;

typedef struct HerdState {
    SimTime began_at; /* this herd */
    uint32_t sent;    /* of its requests */
    double position;  /* of the last of them within the spread, from 0 to 1 */
} HerdState;

static SimTime herd_lasts(const void *params) {
    const HerdParams *p = params;
    CHECK(p->spread >= 0);
    return p->has_every ? SIM_TIME_NEVER : p->spread;
}

static bool herd_is_organic(const void *params) {
    const HerdParams *p = params;
    CHECK(p->requests > 0);
    return p->has_every;
}

/* The next of n times that are uniform over what is left of the spread: the least of n uniform
 * numbers is 1 - U^(1/n). */
static void herd_wait(World *world, uint32_t fault) {
    const HerdParams *p = fault_params(world, fault);
    HerdState *state = fault_state(world, fault, 0);
    double left = (double)(p->requests - state->sent);
    double u = rng_uniform_open(&world->faults[fault].stream);
    CHECK(left >= 1);
    state->position += (1 - state->position) * (1 - math_exp(math_log(u) / left));
    SimTime at = state->began_at + (SimTime)((double)p->spread * state->position);
    fault_wake_at(world, fault, 0, at > world->now ? at : world->now);
}

/* One herd at the clock's stroke, at once or spread. */
static void herd_begin(World *world, uint32_t fault) {
    const HerdParams *p = fault_params(world, fault);
    HerdState *state = fault_state(world, fault, 0);
    *state = (HerdState){.began_at = world->now};
    CHECK(p->requests > 0);
    if (p->spread > 0) {
        herd_wait(world, fault);
        return;
    }
    for (; state->sent < p->requests && !world->is_stopping; state->sent++) {
        source_request(world, p->client);
    }
    if (p->has_every) {
        fault_wake_at(world, fault, 0, state->began_at + p->every);
    }
}

static void herd_turn(World *world, uint32_t fault) {
    CHECK(world->model->faults[fault].place_count == 1);
    if (world->faults[fault].is_on) {
        herd_begin(world, fault);
    }
}

static void herd_timer(World *world, uint32_t fault, uint32_t place) {
    const HerdParams *p = fault_params(world, fault);
    HerdState *state = fault_state(world, fault, place);
    CHECK(place == 0);
    if (state->sent == p->requests) {
        herd_begin(world, fault);
        return;
    }
    state->sent++;
    if (state->sent < p->requests) {
        herd_wait(world, fault);
    } else if (p->has_every) {
        fault_wake_at(world, fault, place, state->began_at + p->every);
    }
    source_request(world, p->client);
}

static bool herd_is_at(const void *params, const Model *model, uint32_t component) {
    const HerdParams *p = params;
    CHECK(component < model_component_count(model));
    return p->client == component;
}

static bool herd_check(const void *params, Error *error) {
    const HerdParams *p = params;
    return !p->has_every || p->spread < p->every ||
           error_set(error, "the 'spread' of a herd must be below 'every': the next would begin "
                            "before this one is over");
}

static const Param herd_params[] = {
    {"client", PARAM_CLIENT, offsetof(HerdParams, client), .doc = "Who sends the requests."},
    {"requests", PARAM_COUNT, offsetof(HerdParams, requests), .min = 1, .max = 1e6,
     .doc = "How many, besides those that arrive anyway."},
    {"spread", PARAM_DURATION, offsetof(HerdParams, spread), .preset = "0s", .max = SIM_TIME_S_MAX,
     .doc = "Over which time, uniformly: the jitter of a job's start; 0s: all at one instant."},
    {"every", PARAM_DURATION, offsetof(HerdParams, every), .above_min = true, .max = SIM_TIME_S_MAX,
     .is_optional = true, .has_offset = offsetof(HerdParams, has_every),
     .doc = "By the clock, from `at` on: again after each such time. Such a herd belongs to "
            "everyday life and is no trigger; left out: once."},
};

static const FaultOps herd_ops = {.lasts = herd_lasts,
                                  .is_at = herd_is_at,
                                  .is_organic = herd_is_organic,
                                  .on_turn = herd_turn,
                                  .on_timer = herd_timer};

const Kind fault_herd = {
    .family = FAMILY_FAULT,
    .name = "herd",
    .doc = "Requests that come together because a clock says so: cron jobs on the hour, tokens "
           "that are refreshed and caches that expire when they all began at once.",
    .params = herd_params,
    .param_count = PARAM_COUNT_OF(herd_params),
    .params_size = sizeof(HerdParams),
    .state_size = sizeof(HerdState),
    .ops = &herd_ops,
    .check = herd_check,
};
