#include "models/routers/loads.h"
#include "sim/check.h"

/* SGLang gateway, policy cache_aware (sgl-router/src/policies/cache_aware.rs), defaults included.
 * It guesses what is cached from the prompts it has sent; here the replicas themselves are asked.
 */
typedef struct PrefixAffinityParams {
    double threshold;
    double balance_rel;
    SimTime metrics_age;
    uint32_t balance_abs;
} PrefixAffinityParams;

static uint32_t prefix_affinity_load(const RouterView *view, uint32_t replica) {
    DCHECK(replica >= view->first);
    return view->outstanding[replica];
}

static bool prefix_affinity_is_balanced(const PrefixAffinityParams *p, const LoadsSeen *seen,
                                        const RouterView *view) {
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < view->replica_count; i++) {
        uint32_t load = loads_of(seen, view, view->replicas[i]);
        least = load < least ? load : least;
        most = load > most ? load : most;
    }
    CHECK(least <= most);
    return most - least <= p->balance_abs || most <= p->balance_rel * least;
}

/* The replica that has most of the prompt; of those that have as much, `least` if it is one of
 * them, otherwise the one with the least load. */
static uint32_t prefix_affinity_longest(const LoadsSeen *seen, const RouterView *view,
                                        uint32_t least, uint32_t *tokens) {
    uint32_t best = least, most = view->answers->cached_tokens(view, least);
    for (uint32_t i = 0; i < view->replica_count; i++) {
        uint32_t replica = view->replicas[i];
        uint32_t cached = view->answers->cached_tokens(view, replica);
        if (cached > most ||
            (cached == most && loads_of(seen, view, replica) < loads_of(seen, view, best))) {
            most = cached;
            best = replica;
        }
    }
    CHECK(best != NONE);
    *tokens = most;
    return best;
}

static uint32_t prefix_affinity_pick(const void *params, void *state, const RouterView *view) {
    const PrefixAffinityParams *p = params;
    LoadsSeen *seen = state;
    loads_refresh(seen, view, p->metrics_age, prefix_affinity_load);
    uint32_t least = loads_pick_least(seen, view), cached = 0;
    CHECK(least != NONE);
    if (!prefix_affinity_is_balanced(p, seen, view)) {
        return least;
    }
    uint32_t longest = prefix_affinity_longest(seen, view, least, &cached);
    return cached > p->threshold * view->answers->prompt_tokens(view) ? longest : least;
}

static bool prefix_affinity_fits(const void *params, const RouterSite *site, Error *error) {
    CHECK(params != NULL);
    return site->has_prefix_cache ||
           error_set(error, "%s %s server has no prefix cache; take 'session' or 'least_loaded'",
                     kind_article(site->server), site->server);
}

static const Param prefix_affinity_params[] = {
    {"threshold", PARAM_NUMBER, offsetof(PrefixAffinityParams, threshold), .preset = "0.3",
     .max = 1,
     .doc = "The share of the prompt that must be cached at the replica that has most of it; "
            "otherwise the least loaded replica gets the request."},
    {"balance_abs", PARAM_COUNT, offsetof(PrefixAffinityParams, balance_abs), .preset = "64",
     .max = 4e9,
     .doc = "Out of balance is when the most loaded has more than this many outstanding attempts "
            "above the least loaded, and more than balance_rel times as many."},
    {"balance_rel", PARAM_NUMBER, offsetof(PrefixAffinityParams, balance_rel), .preset = "1.5",
     .min = 1, .max = 1e9, .doc = "The ratio of the two that is out of balance: see balance_abs."},
    {"metrics_age", PARAM_DURATION, offsetof(PrefixAffinityParams, metrics_age), .preset = "0s",
     .max = SIM_TIME_S_MAX,
     .doc = "How old the numbers of outstanding attempts may become before they are taken anew; "
            "what is cached is always fresh."},
};

static const RouterOps prefix_affinity_ops = {.pick = prefix_affinity_pick,
                                              .state_size_per_replica = sizeof(uint32_t),
                                              .fits = prefix_affinity_fits};

const Kind route_prefix_affinity = {
    .family = FAMILY_ROUTE,
    .name = "prefix_affinity",
    .doc = "The replica that has most of the prompt in its prefix cache, unless that is too little "
           "or the load is out of balance: then the one with the fewest attempts outstanding. "
           "Decides as the SGLang gateway's cache_aware, but knows what is cached where SGLang "
           "guesses it from what it has sent.",
    .params = prefix_affinity_params,
    .param_count = PARAM_COUNT_OF(prefix_affinity_params),
    .params_size = sizeof(PrefixAffinityParams),
    .state_size = sizeof(LoadsSeen),
    .ops = &prefix_affinity_ops,
};
