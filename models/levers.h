/* Levers: everything that faults (and later controllers) may move.
 *
 * Levers are declared, not undone: whenever a fault begins or ends all levers go back to normal and
 * every fault that is on applies itself again, in the order of the scenario. So overlapping faults
 * compose and leave nothing behind. levers_commit then compares with what was in force and lets the
 * World act on what changed: a replica that went down, slots that were lost.
 */
#ifndef KNOCKON_MODELS_LEVERS_H
#define KNOCKON_MODELS_LEVERS_H

#include "models/model.h"
#include "sim/rng.h"

/* How a replica goes down by itself. */
typedef struct Breakdown {
    SimTime restart; /* its process is back after this; SIM_TIME_NEVER: it is not */
    bool is_known;   /* routers know until it serves again */
} Breakdown;

typedef struct ReplicaLevers {
    double work_x;                 /* multiplies work that starts now */
    double error_ratio;            /* share of attempts that fail */
    SimTime error_after;           /* how long a failing one takes; SIM_TIME_NEVER: its full work */
    uint32_t error_retry_after_ms; /* what its failure asks for: Attempt.retry_after_ms */
    uint32_t slots;                /* what it can do at once; COUNT_UNLIMITED */
    bool is_up;
    bool is_blackhole;     /* while down: silent instead of refusing */
    bool is_known_down;    /* while down: routers know */
    bool is_hung;          /* accepts, but nothing moves */
    bool is_watched;       /* some fault looks at what arrives or starts there */
    double kv_ratio;       /* share of its KV blocks that there is */
    bool breaks_when_full; /* crashes instead of preempting … */
    Breakdown when_full;   /* … and how */
} ReplicaLevers;

typedef struct Levers {
    const Model *model;
    ReplicaLevers *replicas; /* by replica, all services' */
    bool *edge_is_disturbed; /* by edge: faults have a say in its messages */
    double *client_x;        /* by client: what its arrivals are multiplied by */
    /* While a fault applies itself: what chance decides about it, the same each time until it
     * begins anew. */
    Rng draw;
    const void *states;   /* what it keeps, for each replica of its service or once */
    const uint8_t *cured; /* by replica of its service: 1 where a restart has ended it; NULL */
} Levers;

struct World;

void levers_init(Levers *levers, const Model *model);
void levers_free(Levers *levers);

/* Applies all faults that are on and acts on the differences. */
void levers_recompute(struct World *world);

/* The replica crashes by itself at this instant, after what is going on. */
void levers_break(struct World *world, uint32_t replica, Breakdown breakdown, const char *why);

/* Somebody restarts the replica: its process ends now and is back after `lasts`, above 0; what a
 * restart cures is over there. */
void levers_restart(struct World *world, uint32_t replica, SimTime lasts, const char *why);

/* Messages of all calls of the component are disturbed: for `apply`. */
void levers_disturb_caller(Levers *levers, uint32_t component);

#endif
