/* What a pluggable kind tells the program about itself.
 *
 * A kind is one file ending in one `const Kind` and one row in models/registry.def. From its table
 * of parameters come parsing, units, bounds, error texts, --set paths, `knockon kinds`, the manual,
 * the resolved scenario and the conformance test. The fixed parts of a scenario (a call, a queue, a
 * service) are described by the same tables, so that the language has one reader.
 *
 * Parameters are const after compile and shared by all Worlds. State belongs to one World, is
 * declared by size and zeroed by it. Kinds never allocate, know no other kind, and return what they
 * decide.
 */
#ifndef KNOCKON_MODELS_KIND_H
#define KNOCKON_MODELS_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "models/preset.h"
#include "sim/check.h"
#include "sim/clock.h"
#include "sim/dist.h"
#include "sim/error.h"

typedef enum Family {
#define FAMILY(id, key, doc) FAMILY_##id,
#include "models/families.def"
#undef FAMILY
    FAMILY_COUNT
} Family;

/* What a parameter's value is in C, and which texts the language accepts for it. */
typedef enum ParamType {
    PARAM_DURATION,    /* SimTime; "250ms" */
    PARAM_PICOSECONDS, /* int64_t; a duration kept to the picosecond, "19.7972us" */
    PARAM_DURATIONS,   /* DurationList; one duration or a list */
    PARAM_RATE,        /* double, per second; "120/s" */
    PARAM_RATES,       /* NumberList; a list of rates */
    PARAM_RATIO,       /* double; "30%" or 0.3 */
    PARAM_NUMBER,      /* double; a pure number */
    PARAM_NUMBERS,     /* NumberList; one number or a list */
    PARAM_BYTES,       /* double; whole bytes, "128KiB" */
    PARAM_BANDWIDTH,   /* double, bytes per second; "20GB/s" */
    PARAM_COUNT,       /* uint32_t; "4k"; "unlimited" = COUNT_UNLIMITED where allowed */
    PARAM_COUNTS,      /* CountList; one count or a list */
    PARAM_FLAG,        /* bool; true or false */
    PARAM_CHOICE,      /* uint8_t; the index of one of `choices` */
    PARAM_CHOICES,     /* uint8_t; a bit per named choice; one word or a list */
    PARAM_DIST,        /* Dist; a quantity in `unit`, or {law: {parameters}} */
    PARAM_SERVICE,     /* uint32_t; index of the service that is named */
    PARAM_CLIENT,      /* uint32_t; index of the client that is named */
    PARAM_COMPONENT,   /* uint32_t; index of the client or service that is named */
    PARAM_COMPONENTS,  /* CountList; indices of the components (clients, services) that are named */
    PARAM_TEXT,        /* const char *; as written */
    PARAM_FILE,        /* const char *; a path, relative to the file that names it */
    PARAM_PROFILE,     /* const StepProfile *; a directory, relative to the file that names it */
    PARAM_KIND,        /* Component; a kind of `family` */
    PARAM_PART,        /* the struct that `part` describes; a map of its own */
} ParamType;

#define COUNT_UNLIMITED UINT32_MAX

typedef struct DurationList {
    SimTime *items;
    uint32_t count;
} DurationList;

typedef struct NumberList {
    double *items;
    uint32_t count;
} NumberList;

typedef struct CountList {
    uint32_t *items;
    uint32_t count;
} CountList;

typedef struct Param {
    const char *name;
    ParamType type;
    size_t offset;       /* of the value in the parameters' struct */
    const char *preset;  /* the default as a user would write it; NULL: must be given */
    const char *doc;     /* one sentence */
    const char *choices; /* PARAM_CHOICE(S): "fifo|lifo", in the order of the values */
    /* PARAM_DIST: "s", or the word for what is counted ("tok"); PARAM_NUMBER: a word for the manual
     * or NULL. */
    const char *unit;
    double min, max; /* in seconds, per second, or pure; checked when min < max or exclusive */
    bool above_min;  /* min itself is refused */
    bool may_be_unlimited;     /* COUNT: `unlimited`; DURATION: `none`, which is SIM_TIME_NEVER */
    const char *never_word;    /* DURATION: what is written instead of `none`; NULL: `none` */
    Family family;             /* PARAM_KIND */
    const struct Schema *part; /* PARAM_PART; offsets in it count from the part's start */
    bool is_optional;          /* may be left out without a preset; then the value stays zero … */
    size_t has_offset;         /* … and the bool here tells whether it was given */
} Param;

/* No upper bound for `max`. */
#define PARAM_NO_MAX 1e300

typedef struct Kind {
    Family family;
    const char *name;
    const char *doc; /* one sentence or two */
    const Param *params;
    uint32_t param_count;
    uint32_t params_size; /* bytes of the parameters' struct; 0 when there are none */
    uint32_t state_size;  /* bytes of state in a World, for each place where the kind is used */
    /* The same where it depends on the parameters (the blocks of a KV cache); NULL: state_size. */
    size_t (*state_size_of)(const void *params);
    const void *ops; /* the family's operations: ArrivalOps, RouterOps, … */
    /* The value may stand for the kind's first parameter: `step: 20ms` or `step: {gamma: …}`
     * instead of `step: {distribution: {time: …}}`. At most one kind of a family. */
    bool stands_bare;
    /* What `preset: NAME` beside its own keys may name; NULL: it has none. */
    const Preset *presets;
    uint32_t preset_count;
    /* Finds contradictions between parameters that single bounds cannot; NULL: none possible. */
    bool (*check)(const void *params, Error *error);
} Kind;

/* A kind chosen in a scenario, with its parameters. */
typedef struct Component {
    const Kind *kind;
    const void *params; /* NULL when the kind has none */
} Component;

/* A described struct that is not a kind: a call, a queue, the run. */
typedef struct Schema {
    const char *name; /* with its article, for messages: "a call" */
    const Param *params;
    uint32_t param_count;
    uint32_t size;
    const Preset *presets; /* as of a Kind */
    uint32_t preset_count;
} Schema;

#define PARAM_COUNT_OF(table) ((uint32_t)(sizeof(table) / sizeof((table)[0])))

/* For a message: "a batch server", "an inference server". */
static inline const char *kind_article(const char *name) {
    DCHECK(name[0] != 0);
    return strchr("aeiou", name[0]) != NULL ? "an" : "a";
}

#endif
