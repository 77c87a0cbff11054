#include "models/routers/router.h"
#include "sim/check.h"

typedef struct WeightedParams {
    NumberList weights;
} WeightedParams;

static uint32_t weighted_pick(const void *params, void *state, const RouterView *view) {
    const NumberList *weights = &((const WeightedParams *)params)->weights;
    CHECK(weights->count == view->all_count && state == NULL);
    double total = 0;
    for (uint32_t i = 0; i < view->replica_count; i++) {
        total += weights->items[view->replicas[i] - view->first];
    }
    if (total == 0) { /* only stand-bys are left */
        return view->replicas[rng_below(view->rng, view->replica_count)];
    }
    double left = rng_uniform(view->rng) * total;
    uint32_t picked = NONE;
    for (uint32_t i = 0; i < view->replica_count && left >= 0; i++) {
        double weight = weights->items[view->replicas[i] - view->first];
        picked = weight > 0 ? view->replicas[i] : picked;
        left -= weight;
    }
    CHECK(picked != NONE);
    return picked;
}

static bool weighted_check(const void *params, Error *error) {
    const NumberList *weights = &((const WeightedParams *)params)->weights;
    for (uint32_t i = 0; i < weights->count; i++) {
        if (weights->items[i] > 0) {
            return true;
        }
    }
    return error_set(error, "all weights are 0: nobody would get a request");
}

static bool weighted_fits(const void *params, const RouterSite *site, Error *error) {
    uint32_t count = ((const WeightedParams *)params)->weights.count;
    CHECK(count > 0);
    return count == site->replica_count ||
           error_set(error, "%u weight%s for %u replica%s: each replica takes one, in order", count,
                     count == 1 ? "" : "s", site->replica_count,
                     site->replica_count == 1 ? "" : "s");
}

static const Param weighted_params[] = {
    {"weights", PARAM_NUMBERS, offsetof(WeightedParams, weights), .max = 1e9,
     .doc = "One for each replica, in order. A replica of weight 0 is a stand-by: it gets requests "
            "only when none with a weight is believed to be up."},
};

static const RouterOps weighted_ops = {.pick = weighted_pick, .fits = weighted_fits};

const Kind route_weighted = {
    .family = FAMILY_ROUTE,
    .name = "weighted",
    .doc = "Any replica, as likely as its weight among those believed to be up.",
    .params = weighted_params,
    .param_count = PARAM_COUNT_OF(weighted_params),
    .params_size = sizeof(WeightedParams),
    .ops = &weighted_ops,
    .check = weighted_check,
};
