#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

typedef struct ShedLoadParams {
    uint32_t client;
    double share;
} ShedLoadParams;

static void shed_load_apply(const void *params, Levers *levers) {
    const ShedLoadParams *p = params;
    CHECK(p->client < levers->model->client_count);
    levers_disturb_caller(levers, p->client);
}

/* Whom it hits is drawn by the request: trying again does not help. */
static const char *shed_load_stops(World *world, uint32_t action, const Call *call) {
    const ShedLoadParams *p = fault_params(world, action);
    CHECK(p->share > 0);
    if (world->model->edges[call->edge].caller != p->client) {
        return NULL;
    }
    Rng rng = drawn_by(&world->faults[action].key, call->key, 0, DRAW_LUCK);
    return rng_uniform(&rng) < p->share ? "shed by an operator" : NULL;
}

static const Param shed_load_params[] = {
    {"client", PARAM_CLIENT, offsetof(ShedLoadParams, client), .doc = "Whose requests."},
    {"share", PARAM_RATIO, offsetof(ShedLoadParams, share), .above_min = true, .max = 1,
     .doc = "Share of its requests that is refused; who is refused is so however often he tries."},
};

static const FaultOps shed_load_ops = {.apply = shed_load_apply, .stops = shed_load_stops};

const Kind action_shed_load = {
    .family = FAMILY_ACTION,
    .name = "shed_load",
    .doc = "Refuses a share of a client's requests before they are sent.",
    .params = shed_load_params,
    .param_count = PARAM_COUNT_OF(shed_load_params),
    .params_size = sizeof(ShedLoadParams),
    .ops = &shed_load_ops,
};
