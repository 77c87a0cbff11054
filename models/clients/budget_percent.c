#include "models/clients/clients.h"
#include "sim/check.h"

typedef struct PercentParams {
    double percent;
    uint32_t min_concurrency;
} PercentParams;

static bool percent_take(const void *params, void *state, const BudgetAsk *ask) {
    const PercentParams *p = params;
    CHECK(state != NULL && p->percent >= 0);
    double share = p->percent * ask->active;
    uint32_t most = share < UINT32_MAX ? (uint32_t)share : UINT32_MAX;
    return ask->retrying < (most > p->min_concurrency ? most : p->min_concurrency);
}

static bool percent_watches(const void *params) {
    CHECK(params != NULL);
    return true;
}

static const Param percent_params[] = {
    {"percent", PARAM_RATIO, offsetof(PercentParams, percent), .preset = "20%", .max = 1,
     .doc = "Retries under way, those in a backoff included, as a share of the attempts that are "
            "out."},
    {"min_concurrency", PARAM_COUNT, offsetof(PercentParams, min_concurrency), .preset = "3",
     .max = 1e6, .doc = "So many may always be under way."},
};

static const BudgetOps percent_ops = {.take = percent_take, .watches = percent_watches};

const Kind budget_percent = {
    .family = FAMILY_RETRY_BUDGET,
    .name = "percent",
    .doc = "At most so many retries at once as a share of the attempts that are out (Envoy's and "
           "Istio's retry_budget).",
    .params = percent_params,
    .param_count = PARAM_COUNT_OF(percent_params),
    .params_size = sizeof(PercentParams),
    .ops = &percent_ops,
};
