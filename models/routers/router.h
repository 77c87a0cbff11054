/* Routers: which replica of a service gets an attempt. A router sees what a load balancer sees: the
 * replicas it believes to be up, and for each the attempts it has sent there that are neither
 * answered nor given up. Its state belongs to the service.
 */
#ifndef KNOCKON_MODELS_ROUTERS_ROUTER_H
#define KNOCKON_MODELS_ROUTERS_ROUTER_H

#include "models/model.h"
#include "sim/rng.h"

typedef struct RouterView {
    const uint32_t *replicas;    /* those believed to be up; at least one */
    const uint32_t *outstanding; /* by replica, as named in `replicas` */
    uint32_t replica_count;
    Rng *rng; /* belongs to (request, service, attempt) */
} RouterView;

typedef struct RouterOps {
    uint32_t (*pick)(const void *params, void *state,
                     const RouterView *view); /* of view->replicas */
} RouterOps;

#endif
