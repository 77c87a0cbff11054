#include "sim/dist.h"

#include "sim/check.h"
#include "sim/dist_zipf.h"
#include "sim/math.h"
#include "sim/vec.h"

#include <string.h>

#define P(place) (1u << (place))
#define SETS(...)                                                                                  \
    .set_count = sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), .sets = {__VA_ARGS__}
#define PARAM(param_name, param_kind, param_doc)                                                   \
    { .name = #param_name, .kind = DIST_PARAM_##param_kind, .doc = param_doc }
#define PARAMS(...)                                                                                \
    .param_count = sizeof((const DistParam[]){__VA_ARGS__}) / sizeof(DistParam),                   \
    .params = {__VA_ARGS__}
#define LAW(law_name, law_doc, law_sets, law_params)                                               \
    {.name = #law_name, .doc = law_doc, law_sets, law_params},

static const DistLaw LAWS[] = {
#include "sim/dist.def"
};

size_t dist_law_count(void) {
    return sizeof LAWS / sizeof LAWS[0];
}

const DistLaw *dist_law(size_t index) {
    CHECK(index < dist_law_count());
    return &LAWS[index];
}

size_t dist_law_find(const char *name) {
    CHECK(name != NULL);
    size_t i = 0;
    while (i < dist_law_count() && strcmp(LAWS[i].name, name) != 0) {
        i++;
    }
    return i;
}

size_t dist_param_find(const DistLaw *law, const char *name) {
    CHECK(law != NULL && name != NULL);
    size_t i = 0;
    while (i < law->param_count && strcmp(law->params[i].name, name) != 0) {
        i++;
    }
    return i;
}

bool dist_param_is_list(DistParamKind kind) {
    switch (kind) {
    case DIST_PARAM_QUANTITY:
    case DIST_PARAM_NUMBER:
    case DIST_PARAM_COUNT:
        return false;
    case DIST_PARAM_RATIO_LIST:
    case DIST_PARAM_QUANTITY_LIST:
    case DIST_PARAM_SAMPLE:
        return true;
    }
    CHECK(!"a parameter's kind is one of those above");
    return false;
}

Dist dist_constant(double value) {
    CHECK(value >= 0 && value <= DIST_QUANTITY_MAX);
    return (Dist){.sampler = DIST_CONSTANT, .mean = value, .scale = value};
}

Dist dist_exponential(double mean) {
    CHECK(mean > 0 && mean <= DIST_QUANTITY_MAX);
    return (Dist){.sampler = DIST_EXPONENTIAL, .mean = mean, .scale = mean};
}

void dist_free(Dist *dist) {
    CHECK(dist != NULL);
    mem_free(dist->table);
    dist->table = NULL;
    dist->count = 0;
}

/* Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000), with
 * scale 1; shapes below 1 by their section 6, the power of a uniform taken as exp(-exponential /
 * shape). Accepts at least 95 % of tries. */
static double draw_gamma(const Dist *dist, Rng *rng) {
    double d = dist->u.gamma.d;
    double c = dist->u.gamma.c;
    DCHECK(d > 0 && c > 0);
    for (;;) {
        double x = ziggurat_normal(rng);
        double v = 1 + c * x;
        if (v <= 0) {
            continue;
        }
        v = v * v * v;
        double u = rng_uniform_open(rng);
        double square = x * x;
        if (u < 1 - 0.0331 * square * square ||
            math_log(u) < 0.5 * square + d * (1 - v + math_log(v))) {
            double boost = dist->u.gamma.boost;
            return boost > 0 ? d * v * math_exp(-boost * ziggurat_exponential(rng)) : d * v;
        }
    }
}

static double draw_hyperexponential(const Dist *dist, Rng *rng) {
    const double *phase = dist->table;
    DCHECK(phase != NULL);
    double u = rng_uniform(rng);
    /* The last cumulative chance is 1, so the search ends. */
    while (u >= phase[0]) {
        phase += 2;
    }
    return phase[1] * ziggurat_exponential(rng);
}

/* Rejection-inversion of Hörmann and Derflinger, "Rejection-inversion to generate variates from
 * monotone discrete distributions", ACM TOMACS 6 (1996): exact, no table whatever the number of
 * ranks, at most 1.02 tries on average. An alias table of 10^6 ranks would be 16 MB and a cache
 * miss a draw. */
static double draw_zipf(const Dist *dist, Rng *rng) {
    double s = dist->u.zipf.s;
    double count = dist->count;
    DCHECK(count > 1 && dist->u.zipf.width > 0);
    for (;;) {
        double u = dist->u.zipf.low + rng_uniform_open(rng) * dist->u.zipf.width;
        double x = zipf_hat_inverse(u, s);
        double rank = x < count ? (double)(int64_t)(x + 0.5) : count;
        rank = rank < 1 ? 1 : rank;
        DCHECK(rank <= count);
        if (rank - x <= dist->u.zipf.sure || u >= zipf_hat(rank + 0.5, s) - zipf_weight(rank, s)) {
            return rank;
        }
    }
}

double dist_draw_other(const Dist *dist, Rng *rng) {
    CHECK(dist != NULL && rng != NULL);
    switch (dist->sampler) {
    case DIST_CONSTANT:
        return dist->scale;
    case DIST_EXPONENTIAL:
        return dist->scale * ziggurat_exponential(rng);
    case DIST_UNIFORM: {
        double x = dist->u.uniform.min + dist->u.uniform.span * rng_uniform(rng);
        return x < dist->u.uniform.max ? x : dist->u.uniform.max;
    }
    case DIST_GAMMA:
        return dist->scale * draw_gamma(dist, rng);
    case DIST_LOGNORMAL:
        return dist->scale * math_exp(dist->u.lognormal.sigma * ziggurat_normal(rng));
    case DIST_WEIBULL:
        return dist->scale *
               math_exp(dist->u.power.inverse_shape * math_log(ziggurat_exponential(rng)));
    case DIST_PARETO:
        return dist->scale * math_exp(dist->u.power.inverse_shape * ziggurat_exponential(rng));
    case DIST_HYPEREXPONENTIAL:
        return draw_hyperexponential(dist, rng);
    case DIST_EMPIRICAL:
        return dist->table[rng_below(rng, dist->count)];
    case DIST_ZIPF:
        return draw_zipf(dist, rng);
    }
    CHECK(!"a sampler is one of those above");
    return 0;
}
