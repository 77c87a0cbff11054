#include "models/routers/router.h"
#include "sim/check.h"

static uint32_t random_pick(const void *params, void *state, const RouterView *view) {
    CHECK(view->replica_count > 0 && params == NULL && state == NULL);
    return view->replicas[rng_below(view->rng, view->replica_count)];
}

static const RouterOps random_ops = {.pick = random_pick};

const Kind route_random = {
    .family = FAMILY_ROUTE,
    .name = "random",
    .doc = "Any replica, each as likely as the others.",
    .ops = &random_ops,
};
