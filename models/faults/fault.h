/* Faults: what breaks, and how. A fault acts by moving levers only, so it needs no undoing. */
#ifndef KNOCKON_MODELS_FAULTS_FAULT_H
#define KNOCKON_MODELS_FAULTS_FAULT_H

#include "models/levers.h"
#include "sim/rng.h"

/* A message on its way: a request, or its reply. */
typedef struct Passage {
    const Model *model;
    uint32_t edge;
    bool is_reply;
} Passage;

/* A caller about to send a request. */
typedef struct Departure {
    const Model *model;
    uint32_t edge;
    SimTime since_begin; /* of the fault */
    Rng rng; /* belongs to the caller's instance and this fault: the same for all its requests */
} Departure;

typedef struct FaultOps {
    /* Moves the levers; called whenever levers are recomputed while the fault is on. NULL: it moves
     * none. */
    void (*apply)(const void *params, Levers *levers);
    /* How long it lasts by itself; SIM_TIME_NEVER: as `for` says. NULL: the same. */
    SimTime (*lasts)(const void *params);
    /* Whether the fault is this component's own: then its failing is no cascade. */
    bool (*is_at)(const void *params, const Model *model, uint32_t component);
    /* Why it cannot befall this model: false and an error. NULL: it always can. */
    bool (*check)(const void *params, const Model *model, Error *error);
    /* Whether it marks a request that begins while it is on, after `count` others. NULL: none. */
    bool (*marks)(const void *params, uint64_t count, Rng *rng);
    /* Whether a marked request breaks a replica of the service where it starts, and how. Goes on
     * after the fault's end, as long as the request is tried again. */
    bool (*breaks)(const void *params, uint32_t service, Breakdown *breakdown);
    /* Whether a message gets through while it is on, and how much later; asked for on the edges
     * that `apply` marks as disturbed. NULL: all do. */
    bool (*carries)(const void *params, const Passage *passage, Rng *rng, SimTime *delay);
    /* Why a request cannot even be sent, on the same edges; NULL: it can. NULL: all can. */
    const char *(*stops)(const void *params, const Departure *departure);
    /* Whether messages may be lost for good, so that callers wait until their timeouts. NULL: no.
     */
    bool (*loses)(const void *params);
} FaultOps;

/* The start of the parameters of every fault that befalls replicas of one service. */
typedef struct FaultPlace {
    uint32_t service;
    uint32_t first;    /* within the service */
    uint32_t replicas; /* so many from there on; otherwise all from there on, or … */
    double share;      /* … so many of all, drawn anew each time that the fault begins */
    bool has_replicas, has_share;
} FaultPlace;

/* The parameters of a FaultPlace that is the first member of `Struct`. */
#define FAULT_PLACE_PARAMS                                                                           \
    {"service", PARAM_SERVICE, offsetof(FaultPlace, service), .doc = "Where."},                      \
        {"first",       PARAM_COUNT,  offsetof(FaultPlace, first),                                   \
         .preset = "0", .max = 99999, .doc = "Index of the first replica that it befalls, from 0."}, \
        {"replicas",                                                                                 \
         PARAM_COUNT,                                                                                \
         offsetof(FaultPlace, replicas),                                                             \
         .min = 1,                                                                                   \
         .max = 100000,                                                                              \
         .is_optional = true,                                                                        \
         .has_offset = offsetof(FaultPlace, has_replicas),                                           \
         .doc = "How many replicas, from `first` on; left out: all of them."},                       \
    {                                                                                                \
        "share", PARAM_RATIO, offsetof(FaultPlace, share),                                           \
            .above_min = true, .max = 1, .is_optional = true,                                        \
            .has_offset = offsetof(FaultPlace, has_share),                                           \
            .doc = "Instead: this share of the replicas, one at least, drawn at random each time "   \
                   "that it begins."                                                                 \
    }

/* The start of the parameters of every fault that befalls messages: one of four ways to say which.
 */
typedef struct EdgePlace {
    CountList between;  /* components: messages from one of these to another, … */
    CountList edge;     /* … or caller and callee: requests and replies of its calls, … */
    CountList from, to; /* … or messages from one of the first to one of the second; empty: any */
} EdgePlace;

#define EDGE_PLACE_PARAMS                                                                          \
    {"between", PARAM_COMPONENTS, offsetof(EdgePlace, between), .is_optional = true,               \
     .doc = "Clients and services: messages between any two of them, both ways."},                 \
        {"edge", PARAM_COMPONENTS, offsetof(EdgePlace, edge), .is_optional = true,                 \
         .doc = "Instead: a caller and whom it calls, both ways of these calls."},                 \
        {"from", PARAM_COMPONENTS, offsetof(EdgePlace, from), .is_optional = true,                 \
         .doc = "Instead: messages that these send, be they requests or replies."},                \
    {                                                                                              \
        "to", PARAM_COMPONENTS, offsetof(EdgePlace, to),                                           \
            .is_optional = true,                                                                   \
            .doc = "Messages that these get; with `from` too, only those from the ones to the "    \
                   "others."                                                                       \
    }

bool edge_place_has(const EdgePlace *place, const Passage *passage);
/* Marks the edges as disturbed: `apply`. */
void edge_place_apply(const void *params, Levers *levers);
bool edge_place_is_at(const void *params, const Model *model, uint32_t component);
/* Just one way to say where: `Kind.check`. */
bool edge_place_check(const void *params, Error *error);

/* For faults of inference servers: whether the place is one. */
bool fault_place_has_tokens(const void *params, const Model *model, Error *error);

/* A walk over the replicas of a place, in their order. */
typedef struct FaultWalk {
    ReplicaLevers *replicas; /* the service's */
    uint32_t next, end;      /* of those that have not been looked at */
    uint32_t left;           /* of these so many are meant */
    bool is_drawn;           /* chance says which */
    Rng rng;
} FaultWalk;

FaultWalk fault_walk(const FaultPlace *place, const Levers *levers);
/* NULL at the end. */
ReplicaLevers *fault_walk_next(FaultWalk *walk);

bool fault_place_is_at(const void *params, const Model *model, uint32_t component);

#endif
