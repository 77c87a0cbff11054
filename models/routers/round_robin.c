#include "models/routers/router.h"
#include "sim/check.h"

typedef struct RoundRobinState {
    uint32_t turn;
} RoundRobinState;

static uint32_t round_robin_pick(const void *params, void *state, const RouterView *view) {
    RoundRobinState *s = state;
    CHECK(view->replica_count > 0 && params == NULL);
    /* The list may have become shorter since the last turn. */
    uint32_t turn = s->turn < view->replica_count ? s->turn : 0;
    s->turn = turn + 1;
    return view->replicas[turn];
}

static const RouterOps round_robin_ops = {.pick = round_robin_pick};

const Kind route_round_robin = {
    .family = FAMILY_ROUTE,
    .name = "round_robin",
    .doc = "One replica after the other.",
    .state_size = sizeof(RoundRobinState),
    .ops = &round_robin_ops,
};
