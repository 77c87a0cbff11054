#include "models/routers/router.h"
#include "sim/check.h"

/* Rendezvous hashing: Thaler, Ravishankar, "Using name-based mappings to increase hit rates"
 * (1998). Each session has an order of its own among all replicas and goes to the first that is
 * there, so a replica that leaves moves only its own sessions, evenly, and takes them back when it
 * returns. */
static uint32_t session_pick(const void *params, void *state, const RouterView *view) {
    CHECK(view->replica_count > 0 && params == NULL && state == NULL);
    uint64_t session = view->answers->affinity(view), most = 0;
    uint32_t best = view->replicas[0];
    for (uint32_t i = 0; i < view->replica_count; i++) {
        uint64_t rank = rng_mix(session + rng_mix(view->replicas[i] - view->first + 1));
        if (rank > most) {
            most = rank;
            best = view->replicas[i];
        }
    }
    return best;
}

static const RouterOps session_ops = {.pick = session_pick};

const Kind route_session = {
    .family = FAMILY_ROUTE,
    .name = "session",
    .doc =
        "The same replica for all requests of a session, by rendezvous hashing; another one only "
        "while that is believed to be down. Requests of one of `sessions`, or of a closed "
        "client's user, belong together; each other request is a session of its own.",
    .ops = &session_ops,
};
