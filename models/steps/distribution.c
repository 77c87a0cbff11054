#include "models/steps/step.h"
#include "sim/check.h"

typedef struct DistributionParams {
    Dist time;
} DistributionParams;

static double distribution_duration_s(const void *params, const StepBatch *batch) {
    const DistributionParams *p = params;
    CHECK(batch->size > 0);
    return dist_draw(&p->time, batch->rng);
}

static const Param distribution_params[] = {
    {"time", PARAM_DIST, offsetof(DistributionParams, time), .unit = "s",
     .doc = "How long a batch takes, whatever its size."},
};

static const StepOps distribution_ops = {.duration_s = distribution_duration_s};

const Kind step_distribution = {
    .family = FAMILY_STEP,
    .name = "distribution",
    .doc = "Every batch takes a time of its own, whatever its size; a bare duration or "
           "distribution means this kind.",
    .params = distribution_params,
    .param_count = PARAM_COUNT_OF(distribution_params),
    .params_size = sizeof(DistributionParams),
    .ops = &distribution_ops,
    .stands_bare = true,
};
