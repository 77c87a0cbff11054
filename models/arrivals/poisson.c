#include "models/arrivals/arrivals.h"
#include "sim/check.h"
#include "sim/dist.h"

typedef struct PoissonParams {
    double rate_per_s;
} PoissonParams;

static bool poisson_next(const void *params, void *state, Source *source, Arrival *out) {
    const PoissonParams *p = params;
    CHECK(state == NULL || p->rate_per_s > 0);
    out->at = source_after(source, ziggurat_exponential(source->stream) / p->rate_per_s);
    return out->at != SIM_TIME_NEVER;
}

static const Param poisson_params[] = {
    {"rate", PARAM_RATE, offsetof(PoissonParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Mean arrivals per second."},
};

static const ArrivalOps poisson_ops = {.next = poisson_next};

const Kind arrivals_poisson = {
    .family = FAMILY_ARRIVALS,
    .name = "poisson",
    .doc = "Independent arrivals at a mean rate: many users who do not know of each other.",
    .params = poisson_params,
    .param_count = PARAM_COUNT_OF(poisson_params),
    .params_size = sizeof(PoissonParams),
    .ops = &poisson_ops,
};
