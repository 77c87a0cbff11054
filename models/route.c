/* Asks the router of a service which replica gets an attempt, and answers what it asks back. */
#include "models/flow_parts.h"
#include "models/prompt.h"
#include "models/routers/router.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* Whose requests should meet the same replica: those of one session or user, where there are any.
 */
static uint64_t route_affinity_key(const World *world, const Call *call) {
    uint64_t session;
    CHECK(call->user == NONE || call->client != NONE);
    if (prompt_session(world, call, &session)) {
        return session;
    }
    return call->user == NONE
               ? call->key
               : world->clients[call->client].key_base + world->users[call->user].index;
}

static RouterLoad route_load(const RouterView *view, uint32_t replica_index) {
    const World *world = view->world;
    const Replica *replica = &world->replicas[replica_index];
    CHECK(replica_index < world->model->replica_count);
    return (RouterLoad){.waiting = replica->queue_count, .running = replica->busy};
}

/* Each service, and each replication, has an order of its own for the same key. */
static uint64_t route_affinity(const RouterView *view) {
    const World *world = view->world;
    const Call *call = view->call;
    uint32_t service = world->model->edges[call->edge].to;
    CHECK(service < world->model->service_count);
    return route_affinity_key(world, call) ^ world->services[service].key.k[0];
}

static uint32_t route_prompt_tokens(const RouterView *view) {
    CHECK(view->call != NULL);
    return ((const Call *)view->call)->input_tokens;
}

static uint32_t route_cached_tokens(const RouterView *view, uint32_t replica) {
    World *world = view->world;
    const ServerOps *ops = server_ops(world, &world->replicas[replica]);
    CHECK(ops->cached_tokens != NULL);
    return ops->cached_tokens(world, replica, view->call);
}

static const RouterAnswers route_answers = {.load = route_load,
                                            .affinity = route_affinity,
                                            .prompt_tokens = route_prompt_tokens,
                                            .cached_tokens = route_cached_tokens};

size_t route_state_size(const Service *service) {
    const Kind *kind = service->route.kind;
    const RouterOps *ops = kind->ops;
    CHECK(kind->family == FAMILY_ROUTE && kind->state_size_of == NULL);
    return kind->state_size + (size_t)ops->state_size_per_replica * service->replica_count;
}

uint32_t route_among(World *world, const Call *call, const Attempt *attempt) {
    const Edge *edge = &world->model->edges[call->edge];
    const Service *service = &world->model->services[edge->to];
    const ServiceState *state = &world->services[edge->to];
    CHECK(state->routable_count > 1);
    Rng rng = drawn_by(&world->edges[call->edge].key, call->key, attempt->path, DRAW_ROUTE);
    RouterView view = {.replicas = &world->routable[service->replica_first],
                       .outstanding = world->outstanding,
                       .replica_count = state->routable_count,
                       .rng = &rng,
                       .first = service->replica_first,
                       .all_count = service->replica_count,
                       .now = world->now,
                       .answers = &route_answers,
                       .world = world,
                       .call = call};
    const RouterOps *ops = service->route.kind->ops;
    void *route_state =
        service->route.kind->state_size > 0 ? world_state(world, state->route_state) : NULL;
    uint32_t picked = ops->pick(service->route.params, route_state, &view);
    CHECK(picked < world->model->replica_count);
    return picked;
}
