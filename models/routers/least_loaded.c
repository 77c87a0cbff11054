#include "models/routers/loads.h"
#include "sim/check.h"

typedef struct LeastLoadedParams {
    SimTime metrics_age;
    bool counts_own;
} LeastLoadedParams;

/* A request that waits weighs as much as four that run: vLLM, vllm/v1/engine/core_client.py,
 * DPLBAsyncMPClient.get_core_engine_for_request. */
enum { WAITING_WEIGHT = 4 };

static uint32_t least_loaded_score(const RouterView *view, uint32_t replica) {
    RouterLoad load = view->answers->load(view, replica);
    CHECK(load.waiting < UINT32_MAX / 8 && load.running < UINT32_MAX / 8);
    return load.waiting * WAITING_WEIGHT + load.running;
}

static uint32_t least_loaded_pick(const void *params, void *state, const RouterView *view) {
    const LeastLoadedParams *p = params;
    LoadsSeen *seen = state;
    loads_refresh(seen, view, p->metrics_age, least_loaded_score);
    uint32_t picked = loads_pick_least(seen, view);
    CHECK(picked >= view->first);
    if (p->counts_own) {
        seen->of[picked - view->first] += WAITING_WEIGHT;
    }
    return picked;
}

static bool least_loaded_check(const void *params, Error *error) {
    const LeastLoadedParams *p = params;
    return !p->counts_own || p->metrics_age > 0 ||
           error_set(error, "counts_own changes nothing while metrics_age is 0s: the numbers are "
                            "taken anew for each request");
}

static const Param least_loaded_params[] = {
    {"metrics_age", PARAM_DURATION, offsetof(LeastLoadedParams, metrics_age), .preset = "0s",
     .max = SIM_TIME_S_MAX,
     .doc = "How old the numbers may become before they are taken anew; until then every request "
            "is routed by the same ones. 0s: always fresh."},
    {"counts_own", PARAM_FLAG, offsetof(LeastLoadedParams, counts_own), .preset = "false",
     .doc = "Whether a request that was routed counts as waiting there until the numbers are taken "
            "anew, as in vLLM, which takes them every 100ms."},
};

static const RouterOps least_loaded_ops = {.pick = least_loaded_pick,
                                           .state_size_per_replica = sizeof(uint32_t)};

const Kind route_least_loaded = {
    .family = FAMILY_ROUTE,
    .name = "least_loaded",
    .doc = "The replica with the least waiting x 4 + running, as it reports them itself; ties at "
           "random.",
    .params = least_loaded_params,
    .param_count = PARAM_COUNT_OF(least_loaded_params),
    .params_size = sizeof(LeastLoadedParams),
    .state_size = sizeof(LoadsSeen),
    .ops = &least_loaded_ops,
    .check = least_loaded_check,
};
