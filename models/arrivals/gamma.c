#include "models/arrivals/arrivals.h"
#include "sim/check.h"

typedef struct GammaParams {
    double rate_per_s;
    double cv;
} GammaParams;

typedef struct GammaState {
    Dist gap; /* seconds; solved once when the World starts */
} GammaState;

static void gamma_start(const void *params, void *state, Source *source) {
    const GammaParams *p = params;
    GammaState *s = state;
    CHECK(source != NULL && p->cv > 0);
    size_t law = dist_law_find("gamma");
    const DistLaw *gamma = dist_law(law);
    size_t mean = dist_param_find(gamma, "mean"), cv = dist_param_find(gamma, "cv");
    DistSpec spec = {.law = law, .given = 1u << mean | 1u << cv};
    spec.values[mean] = 1 / p->rate_per_s;
    spec.values[cv] = p->cv;
    bool is_solved = dist_solve(&spec, &s->gap, NULL);
    CHECK(is_solved);
}

static bool gamma_next(const void *params, void *state, Source *source, Arrival *out) {
    GammaState *s = state;
    CHECK(params != NULL);
    out->at = source_after(source, dist_draw(&s->gap, source->stream));
    return out->at != SIM_TIME_NEVER;
}

static const Param gamma_params[] = {
    {"rate", PARAM_RATE, offsetof(GammaParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Mean arrivals per second."},
    {"cv", PARAM_NUMBER, offsetof(GammaParams, cv), .min = 0.01, .max = 100,
     .doc = "Coefficient of variation of the gaps: 1 is Poisson, above 1 comes in bursts."},
};

static const ArrivalOps gamma_ops = {.start = gamma_start, .next = gamma_next};

const Kind arrivals_gamma = {
    .family = FAMILY_ARRIVALS,
    .name = "gamma",
    .doc = "Independent gaps with a gamma law: smoother or burstier than Poisson by its cv.",
    .params = gamma_params,
    .param_count = PARAM_COUNT_OF(gamma_params),
    .params_size = sizeof(GammaParams),
    .state_size = sizeof(GammaState),
    .ops = &gamma_ops,
};
