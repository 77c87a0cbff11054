#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

typedef struct DnsParams {
    EdgePlace place;
    Dist ttl; /* seconds */
} DnsParams;

/* What the caller's cache still knows when the fault begins it knows for so long; nothing new is
 * learnt before the end. Its age is its own: of each instance of the caller and each of its calls.
 */
static const char *dns_stops(World *world, uint32_t fault, const Call *call) {
    const DnsParams *p = fault_params(world, fault);
    const FaultState *state = &world->faults[fault];
    Passage passage = {.model = world->model, .edge = call->edge};
    CHECK(world->now >= state->begun_at);
    if (!edge_place_has(&p->place, &passage)) {
        return NULL;
    }
    Rng rng = drawn_by(&state->key, (uint64_t)call->edge << 32 | call->instance, state->begun_count,
                       DRAW_CALLER);
    return world->now - state->begun_at >= time_from_s(dist_draw(&p->ttl, &rng))
               ? "its name does not resolve"
               : NULL;
}

static const Param dns_params[] = {
    EDGE_PLACE_PARAMS,
    {"ttl", PARAM_DIST, offsetof(DnsParams, ttl), .unit = "s", .preset = "0s",
     .doc = "For how long callers still know the answer that they have in their cache; drawn for "
            "each call and each of its caller's `instances`."},
};

static const FaultOps dns_ops = {
    .apply = edge_place_apply, .is_at = edge_place_is_at, .stops = dns_stops};

const Kind fault_dns = {
    .family = FAMILY_FAULT,
    .name = "dns",
    .doc = "Names do not resolve while it is on: when a caller's cache has expired its requests "
           "are refused before they are sent.",
    .params = dns_params,
    .param_count = PARAM_COUNT_OF(dns_params),
    .params_size = sizeof(DnsParams),
    .ops = &dns_ops,
    .check = edge_place_check,
};
