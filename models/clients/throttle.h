/* Client-side throttling: a caller sends less by itself when its attempts are turned away. State
 * belongs to one instance of the caller on one edge; zeroed it has seen nothing.
 */
#ifndef KNOCKON_MODELS_CLIENTS_THROTTLE_H
#define KNOCKON_MODELS_CLIENTS_THROTTLE_H

#include "models/clients/clients.h"

typedef struct ThrottleAsk {
    SimTime now;
    double luck;   /* uniform in [0, 1): belongs to (request, edge, attempt) */
    bool may_wait; /* otherwise it goes out now or not at all */
} ThrottleAsk;

typedef struct ThrottleOps {
    /* How long the attempt waits before it goes out: 0: not at all; SIM_TIME_NEVER: it is refused.
     * NULL: nothing is throttled. */
    SimTime (*wait)(const void *params, void *state, const ThrottleAsk *ask);
    void (*hears)(const void *params, void *state, const AttemptResult *result);
} ThrottleOps;

#endif
