#include "models/arrivals/arrivals.h"
#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct ScaleLoadParams {
    uint32_t client;
    double x;
} ScaleLoadParams;

static void scale_load_apply(const void *params, Levers *levers) {
    const ScaleLoadParams *p = params;
    CHECK(p->client < levers->model->client_count);
    levers->client_x[p->client] *= p->x;
}

static bool scale_load_check(const void *params, const Model *model, Error *error) {
    const ScaleLoadParams *p = params;
    const Client *client = &model->clients[p->client];
    CHECK(client->arrivals.kind != NULL);
    return ((const ArrivalOps *)client->arrivals.kind->ops)->user_count == NULL ||
           error_set(error, "'%s' is a closed client: its load is that of its users", client->name);
}

static const Param scale_load_params[] = {
    {"client", PARAM_CLIENT, offsetof(ScaleLoadParams, client), .doc = "Whose load."},
    {"x", PARAM_NUMBER, offsetof(ScaleLoadParams, x), .max = 1000,
     .doc = "What its arrivals are multiplied by: each comes so many times, by chance where that "
            "is no whole number; 0: nobody comes."},
};

static const FaultOps scale_load_ops = {.apply = scale_load_apply, .check = scale_load_check};

const Kind action_scale_load = {
    .family = FAMILY_ACTION,
    .name = "scale_load",
    .doc = "Sends a part of a client's load elsewhere (what is not sent here is not offered, and "
           "fails nobody), or brings more.",
    .params = scale_load_params,
    .param_count = PARAM_COUNT_OF(scale_load_params),
    .params_size = sizeof(ScaleLoadParams),
    .ops = &scale_load_ops,
};
