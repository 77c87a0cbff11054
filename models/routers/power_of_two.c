#include "models/routers/router.h"
#include "sim/check.h"

/* Mitzenmacher, "The power of two choices in randomized load balancing" (2001). */
static uint32_t power_of_two_pick(const void *params, void *state, const RouterView *view) {
    CHECK(view->replica_count > 0 && params == NULL && state == NULL);
    uint32_t first = rng_below(view->rng, view->replica_count);
    if (view->replica_count == 1) {
        return view->replicas[first];
    }
    uint32_t second = rng_below(view->rng, view->replica_count - 1);
    second += second >= first;
    uint32_t a = view->replicas[first], b = view->replicas[second];
    /* Both orders are equally likely, so the first may win ties. */
    return view->outstanding[b] < view->outstanding[a] ? b : a;
}

static const RouterOps power_of_two_ops = {.pick = power_of_two_pick};

const Kind route_power_of_two = {
    .family = FAMILY_ROUTE,
    .name = "power_of_two",
    .doc = "Of two distinct replicas at random the one with fewer attempts outstanding.",
    .ops = &power_of_two_ops,
};
