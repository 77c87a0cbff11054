/* Faults: what breaks, and how.
 *
 * A fault acts by moving levers, so it needs no undoing. What chance decides about a message or a
 * piece of work it is asked for where that happens, and returns what it decides. A few faults have
 * a life of their own while they are on: leaked memory fills up, a crash pulls down its neighbour.
 * These keep state, wake up by a timer, and crash replicas by levers_break.
 */
#ifndef KNOCKON_MODELS_FAULTS_FAULT_H
#define KNOCKON_MODELS_FAULTS_FAULT_H

#include "models/world.h"

/* A message on its way: a request, or its reply. */
typedef struct Passage {
    const Model *model;
    uint32_t edge;
    bool is_reply;
} Passage;

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
    const char *(*stops)(World *world, uint32_t fault, const Call *call);
    /* Whether messages may be lost for good, so that callers wait until their timeouts. NULL: no.
     */
    bool (*loses)(const void *params);
    /* A file whose rows are the faults that are meant: it is none itself. NULL: it is one. */
    const char *(*file)(const void *params);

    /* ---- A life of its own. State is Kind.state_size bytes, zeroed each time it begins: for each
     * replica of the service that its parameters begin with, if `has_replicas`; otherwise once. A
     * place is the number of a replica within the service, or 0. */
    bool has_replicas;
    /* The twin has it too although it has an `at`: it belongs to everyday life. NULL: no. */
    bool (*is_organic)(const void *params);
    /* It has begun, or has ended (FaultState.is_on); its timers are off. NULL: nothing to do. */
    void (*on_turn)(World *world, uint32_t fault);
    /* A timer that it has set is due. */
    void (*on_timer)(World *world, uint32_t fault, uint32_t place);
    /* While it is on: a process of the service begins, or a replica has gone down. NULL: both are
     * nothing to it. */
    void (*on_process)(World *world, uint32_t fault, uint32_t place);
    void (*on_down)(World *world, uint32_t fault, uint32_t place);
    /* While it is on, at replicas that `apply` marks as watched: why an attempt that arrives is
     * refused (NULL: it is not), and whether one that starts fails. NULL: none does. */
    const char *(*refuses)(World *world, uint32_t fault, uint32_t attempt);
    bool (*fails)(World *world, uint32_t fault, uint32_t attempt);
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
    const uint8_t *cured;    /* those with 1 are spared; NULL: none is */
    Rng rng;
} FaultWalk;

FaultWalk fault_walk(const FaultPlace *place, const Levers *levers);
/* NULL at the end. */
ReplicaLevers *fault_walk_next(FaultWalk *walk);
/* The place that was returned last. */
static inline uint32_t fault_walk_place(const FaultWalk *walk) {
    DCHECK(walk->next > 0);
    return walk->next - 1;
}

bool fault_place_is_at(const void *params, const Model *model, uint32_t component);

/* ---- For those with a life of their own (models/fault_life.c) */

static inline const void *fault_params(const World *world, uint32_t fault) {
    DCHECK(fault < model_influence_count(world->model));
    return world->model->faults[fault].fault.params;
}

static inline void *fault_state(const World *world, uint32_t fault, uint32_t place) {
    DCHECK(place < world->model->faults[fault].place_count);
    return world_state(world, world->faults[fault].state +
                                  place * world->model->faults[fault].fault.kind->state_size);
}

/* The replica of a place among all, of a fault that has replicas. */
static inline uint32_t fault_replica(const World *world, uint32_t fault, uint32_t place) {
    const FaultPlace *at = fault_params(world, fault);
    DCHECK(place < world->model->services[at->service].replica_count);
    return world->model->services[at->service].replica_first + place;
}

/* The place of the attempt's replica. */
static inline uint32_t fault_place_of(const World *world, uint32_t fault, uint32_t attempt) {
    uint32_t replica = world_attempt(world, attempt)->replica;
    DCHECK(replica >= fault_replica(world, fault, 0));
    return replica - fault_replica(world, fault, 0);
}

/* A walk over the replicas that it befalls this time, outside of `apply`. */
FaultWalk fault_walk_now(const World *world, uint32_t fault);
/* on_timer comes at that time, and not at the one that was set before for the place. */
void fault_wake_at(World *world, uint32_t fault, uint32_t place, SimTime at);
bool fault_will_wake(const World *world, uint32_t fault, uint32_t place);
/* The replica of a place crashes, if it is up or loads. */
void fault_break(World *world, uint32_t fault, uint32_t place, Breakdown breakdown);

#endif
