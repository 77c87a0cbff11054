/* The parts of the language that are read in experiments/: the top of a scenario and the small maps
 * whose values end up inside other structs. Described by the same tables as everything else, so
 * that the manual and the JSON schema know them.
 */
#ifndef KNOCKON_EXPERIMENTS_LANGUAGE_H
#define KNOCKON_EXPERIMENTS_LANGUAGE_H

#include "models/load_build.h"

typedef struct StopWhen {
    uint32_t service, in_system;
} StopWhen;

typedef struct Trigger {
    SimTime from, to;
} Trigger;

typedef enum Interpolate { INTERPOLATE_HOLD, INTERPOLATE_LINEAR } Interpolate;

extern const Schema schema_load_point; /* LoadPoint */
extern const Schema schema_spike;      /* LoadSpike */
extern const Schema schema_sine;       /* LoadSpec */
extern const Schema schema_load;       /* uint8_t: Interpolate */
extern const Schema schema_initial;    /* uint32_t */
extern const Schema schema_stop_when;  /* StopWhen */
extern const Schema schema_trigger;    /* Trigger */
extern const Schema schema_target;     /* uint32_t: the service that a client calls */

/* What stands under a key that no table describes by itself. */
typedef enum PartForm {
    PART_TEXT,        /* one scalar */
    PART_MAP,         /* a map by `schema` */
    PART_MAP_OR_NONE, /* the same, or `none` */
    PART_NAMED,       /* a map of names, each a map by `schema` */
    PART_LIST,        /* a list of maps by `schema` */
    PART_CALLS,       /* a service's calls */
    PART_FALLBACK,    /* a call without what belongs to the one that it stands in for */
    PART_FAULTS,      /* a list of maps by `schema` with one kind of fault each */
    PART_MONITORS,    /* a map of names, each a map by `schema` with one kind of monitor */
    PART_ACTIONS,     /* a map of names, each one action */
    PART_THEN,        /* a list of names of actions, actions and pages */
    PART_ACTION,      /* the name of an action, or an action */
    PART_LOAD,        /* a list of points, or a map */
    PART_OBJECTIVES,  /* a map of names, each a map of bounds */
} PartForm;

/* One key that is no Param. `place` is the schema it belongs to, NULL for the top of a scenario. */
typedef struct LanguagePart {
    const Schema *place;
    const char *name;
    PartForm form;
    const Schema *schema; /* of what stands there, or NULL */
    bool is_required;
    const char *doc;
} LanguagePart;

size_t language_part_count(void);
const LanguagePart *language_part(size_t index);

/* A measure that an objective may name: the short key and the column of models/metrics.def. */
typedef struct ObjectiveKey {
    const char *key, *column;
} ObjectiveKey;

size_t objective_key_count(void);
const ObjectiveKey *objective_key(size_t index);

#endif
