/* Routers: which replica of a service gets an attempt. A router sees what a load balancer sees: the
 * replicas it believes to be up, for each the attempts it has sent there that are neither answered
 * nor given up, and what replicas report of themselves. Its state belongs to the service.
 */
#ifndef KNOCKON_MODELS_ROUTERS_ROUTER_H
#define KNOCKON_MODELS_ROUTERS_ROUTER_H

#include "models/model.h"
#include "sim/rng.h"

typedef struct RouterView RouterView;

typedef struct RouterLoad {
    uint32_t waiting, running;
} RouterLoad;

/* What may be asked beyond the view's own fields. models/route.c answers for a World. */
typedef struct RouterAnswers {
    RouterLoad (*load)(const RouterView *view, uint32_t replica);
    /* The same for all requests that should meet the same replica, different for others. */
    uint64_t (*affinity)(const RouterView *view);
    uint32_t (*prompt_tokens)(const RouterView *view);
    /* Of the prompt, those in the replica's prefix cache; its server has one: RouterSite. */
    uint32_t (*cached_tokens)(const RouterView *view, uint32_t replica);
} RouterAnswers;

struct RouterView {
    const uint32_t *replicas;    /* those believed to be up; at least one */
    const uint32_t *outstanding; /* by replica, as named in `replicas` */
    uint32_t replica_count;
    Rng *rng; /* belongs to (request, service, attempt) */
    uint32_t first,
        all_count; /* the service's replicas, up or not, are all_count from `first` on */
    SimTime now;
    const RouterAnswers *answers;
    void *world;      /* for the answers, which may catch up with what replicas have done … */
    const void *call; /* … and this too */
};

/* The service that a router is chosen for. */
typedef struct RouterSite {
    uint32_t replica_count;
    const char *server; /* its kind's name, for messages */
    bool has_prefix_cache;
} RouterSite;

typedef struct RouterOps {
    uint32_t (*pick)(const void *params, void *state,
                     const RouterView *view); /* of view->replicas */
    /* Bytes of state for each replica of the service, behind the kind's own. */
    uint32_t state_size_per_replica;
    /* Whether the router can work there; NULL: anywhere. */
    bool (*fits)(const void *params, const RouterSite *site, Error *error);
} RouterOps;

#endif
