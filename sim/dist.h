/* Probability laws: described for a language, solved from what a user knows, compiled for the event
 * path.
 *
 * dist.def has a row for each law, which a loader reads generically (dist_law). A DistSpec says
 * which parameters were given; dist_solve makes it a Dist or refuses it with a sentence. dist_draw
 * takes 1 to 40 ns, calls no libm, and gives equal bits on every machine; draws are finite and
 * never negative. Multiplying all quantities by a power of two multiplies every draw by it, to the
 * bit.
 *
 * A Dist is a plain struct. Only empirical and hyperexponential laws own a table: copies share it,
 * and exactly one of them is freed. A Dist is constant after dist_solve, so threads may share it.
 */
#ifndef KNOCKON_SIM_DIST_H
#define KNOCKON_SIM_DIST_H

#include "sim/error.h"
#include "sim/rng.h"
#include "sim/ziggurat.h"

#include <stddef.h>

enum { DIST_PARAM_MAX = 5, DIST_SET_MAX = 9 };

/* The largest quantity or mean that is accepted. */
#define DIST_QUANTITY_MAX 1e18

typedef enum DistParamKind {
    DIST_PARAM_QUANTITY,      /* has the unit of what is drawn */
    DIST_PARAM_NUMBER,        /* a pure number */
    DIST_PARAM_COUNT,         /* a whole number */
    DIST_PARAM_RATIO_LIST,    /* numbers from 0 to 1; one number stands for a list of one */
    DIST_PARAM_QUANTITY_LIST, /* a list in the unit of what is drawn; one stands for a list of one
                               */
    DIST_PARAM_SAMPLE,        /* a QUANTITY_LIST that a language may read from a file's column */
} DistParamKind;

typedef struct DistParam {
    const char *name;
    DistParamKind kind;
    const char *doc; /* a phrase without a full stop */
} DistParam;

typedef struct DistLaw {
    const char *name;
    const char *doc; /* one sentence */
    size_t param_count;
    DistParam params[DIST_PARAM_MAX];
    size_t set_count;
    uint32_t sets[DIST_SET_MAX]; /* exactly one must be given; bit i is params[i] */
} DistLaw;

/* The laws in the order of dist.def; an index is valid below dist_law_count(). */
size_t dist_law_count(void);
const DistLaw *dist_law(size_t index);

/* The index of the law or parameter of that name; dist_law_count() or param_count if there is none.
 */
size_t dist_law_find(const char *name);
size_t dist_param_find(const DistLaw *law, const char *name);

/* True if parameters of that kind are given as a list. */
bool dist_param_is_list(DistParamKind kind);

typedef struct DistList {
    const double *items; /* the caller's; dist_solve copies what it keeps */
    size_t count;
} DistList;

/* What a user wrote, in base units (s, tokens, …). */
typedef struct DistSpec {
    size_t law;
    uint32_t given;                 /* bit i: parameter i of the law is given */
    double values[DIST_PARAM_MAX];  /* by parameter; unused where it is a list */
    DistList lists[DIST_PARAM_MAX]; /* by parameter; unused where it is not */
} DistSpec;

typedef enum DistSampler {
    DIST_CONSTANT,
    DIST_UNIFORM,
    DIST_EXPONENTIAL,
    DIST_GAMMA,
    DIST_LOGNORMAL,
    DIST_WEIBULL,
    DIST_PARETO,
    DIST_HYPEREXPONENTIAL,
    DIST_EMPIRICAL,
    DIST_ZIPF,
} DistSampler;

/* Members are private to dist.c and dist_solve.c. */
typedef struct Dist {
    DistSampler sampler;
    uint32_t count; /* of values, phases or ranks */
    double mean;
    double scale; /* the constant, or what multiplies the unit law */
    union {
        struct {
            double min, max, span;
        } uniform;
        struct {
            double d, c;  /* of a shape of 1 or more */
            double boost; /* 1 / shape where the shape is below 1; else 0 */
        } gamma;
        struct {
            double sigma;
        } lognormal;
        struct {
            double inverse_shape;
        } power; /* weibull and pareto */
        struct {
            double s;          /* the exponent */
            double low, width; /* where the integral of the hat begins, and its length */
            double sure;       /* this far below a rank nothing is rejected */
        } zipf;
    } u;
    double *table; /* owned: the sorted sample, or (cumulative chance, mean) of each phase */
} Dist;

/* A law from its parameters. False with an error if they do not go together; *out is untouched
 * then. Parameters that have no closed form (gamma by p99, weibull) are met within 1e-7, all others
 * to rounding. */
bool dist_solve(const DistSpec *spec, Dist *out, Error *error);

/* Laws for the program's own defaults; value >= 0, mean > 0, both finite. No need to free them. */
Dist dist_constant(double value);
Dist dist_exponential(double mean);

/* Frees the table if there is one; the Dist may not be drawn from any more. */
void dist_free(Dist *dist);

/* The draws that dist_draw does not make inline. */
double dist_draw_other(const Dist *dist, Rng *rng);

/* True if every draw is the same. */
static inline bool dist_is_constant(const Dist *dist) {
    DCHECK((unsigned)dist->sampler <= DIST_ZIPF);
    return dist->sampler == DIST_CONSTANT;
}

/* One draw: finite, >= 0. Constants take no random number. */
static inline double dist_draw(const Dist *dist, Rng *rng) {
    DCHECK(dist->scale >= 0);
    if (dist->sampler == DIST_EXPONENTIAL) {
        return dist->scale * ziggurat_exponential(rng);
    }
    return dist->sampler == DIST_CONSTANT ? dist->scale : dist_draw_other(dist, rng);
}

/* The one draw of (key, a, b), as rng_keyed and dist_draw; free of cost for constants. */
static inline double dist_draw_keyed(const Dist *dist, const RngKey *key, uint64_t a, uint64_t b) {
    DCHECK(dist->scale >= 0);
    if (dist_is_constant(dist)) {
        return dist->scale;
    }
    Rng rng;
    rng_keyed(&rng, key, a, b);
    return dist_draw(dist, &rng);
}

/* The exact mean of the law as compiled; infinite for pareto with a shape of 1 or less. */
static inline double dist_mean(const Dist *dist) {
    CHECK(dist->mean >= 0);
    return dist->mean;
}

#endif
