/* Faults: what breaks, and how. A fault acts by moving levers only, so it needs no undoing. */
#ifndef KNOCKON_MODELS_FAULTS_FAULT_H
#define KNOCKON_MODELS_FAULTS_FAULT_H

#include "models/levers.h"
#include "sim/rng.h"

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
} FaultOps;

/* The start of the parameters of every fault that befalls replicas of one service. */
typedef struct FaultPlace {
    uint32_t service;
    uint32_t replicas; /* the first so many */
    bool has_replicas; /* otherwise all */
} FaultPlace;

/* The parameters of a FaultPlace that is the first member of `Struct`. */
#define FAULT_PLACE_PARAMS                                                                         \
    {"service", PARAM_SERVICE, offsetof(FaultPlace, service), .doc = "Where."}, {                  \
        "replicas", PARAM_COUNT, offsetof(FaultPlace, replicas),                                   \
            .min = 1, .max = 100000, .is_optional = true,                                          \
            .has_offset = offsetof(FaultPlace, has_replicas),                                      \
            .doc = "How many replicas, the first ones; left out: all."                             \
    }

/* For faults of inference servers: whether the place is one. */
bool fault_place_has_tokens(const void *params, const Model *model, Error *error);

ReplicaLevers *fault_place_levers(const FaultPlace *place, Levers *levers, uint32_t *count);
bool fault_place_is_at(const void *params, const Model *model, uint32_t component);

#endif
