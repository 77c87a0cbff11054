/* Shedding: which attempts a replica refuses although its queue has room. A policy only decides;
 * its state belongs to one replica.
 */
#ifndef KNOCKON_MODELS_SHED_SHED_H
#define KNOCKON_MODELS_SHED_SHED_H

#include "models/model.h"
#include "sim/rng.h"

typedef struct ShedView {
    SimTime now;
    SimTime waited;   /* of the attempt in question; 0 when it arrives */
    uint32_t waiting; /* in the queue, without the attempt in question */
    uint32_t busy, slots;
} ShedView;

/* Both may be NULL: nothing is refused there. */
typedef struct ShedOps {
    bool (*refuses_arrival)(const void *params, void *state, const ShedView *view);
    bool (*refuses_waiting)(const void *params, void *state,
                            const ShedView *view); /* at its turn */
    /* What a refusal asks its caller to wait before a retry; SIM_TIME_NEVER: not to retry; 0: it
     * asks for nothing. NULL: the same. */
    SimTime (*retry_after)(const void *params);
} ShedOps;

#endif
