#include "models/faults/fault.h"
#include "models/servers/server.h"
#include "sim/check.h"

typedef struct HangParams {
    FaultPlace place;
} HangParams;

static void hang_apply(const void *params, Levers *levers) {
    const HangParams *p = params;
    FaultWalk walk = fault_walk(&p->place, levers);
    CHECK(walk.left > 0);
    for (ReplicaLevers *at; (at = fault_walk_next(&walk)) != NULL;) {
        at->is_hung = true;
        at->slots = 0;
    }
}

/* Work in progress has to stop where it is. */
static bool hang_check(const void *params, const Model *model, Error *error) {
    const HangParams *p = params;
    const Service *service = &model->services[p->place.service];
    const ServerOps *ops = service->server.kind->ops;
    CHECK(ops != NULL);
    return ops->can_suspend || ops->has_tokens ||
           error_set(error, "'%s' cannot hang: %s %s server cannot stop what it has begun",
                     service->name, kind_article(service->server.kind->name),
                     service->server.kind->name);
}

static const Param hang_params[] = {FAULT_PLACE_PARAMS};

static const FaultOps hang_ops = {
    .apply = hang_apply, .is_at = fault_place_is_at, .check = hang_check};

const Kind fault_hang = {
    .family = FAMILY_FAULT,
    .name = "hang",
    .doc = "Replicas accept requests and never answer: work in progress stops, and goes on when it "
           "is over; only the answers of services that they have called already pass through.",
    .params = hang_params,
    .param_count = PARAM_COUNT_OF(hang_params),
    .params_size = sizeof(HangParams),
    .ops = &hang_ops,
};
