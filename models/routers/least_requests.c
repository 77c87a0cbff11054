#include "models/routers/router.h"
#include "sim/check.h"

/* Looks at all: cost grows with the number of replicas, 16 of them to a cache line. Ties are broken
 * at random by reservoir, so that no replica is favoured. */
static uint32_t least_requests_pick(const void *params, void *state, const RouterView *view) {
    CHECK(view->replica_count > 0 && params == NULL && state == NULL);
    uint32_t least = UINT32_MAX, best = NONE, tied_count = 0;
    for (uint32_t i = 0; i < view->replica_count; i++) {
        uint32_t outstanding = view->outstanding[view->replicas[i]];
        if (outstanding < least) {
            least = outstanding;
            best = view->replicas[i];
            tied_count = 1;
        } else if (outstanding == least) {
            tied_count++;
            if (rng_below(view->rng, tied_count) == 0) {
                best = view->replicas[i];
            }
        }
    }
    return best;
}

static const RouterOps least_requests_ops = {.pick = least_requests_pick};

const Kind route_least_requests = {
    .family = FAMILY_ROUTE,
    .name = "least_requests",
    .doc = "The replica with the fewest attempts outstanding, of all; ties at random.",
    .ops = &least_requests_ops,
};
