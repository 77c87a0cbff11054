#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct DnsParams {
    EdgePlace place;
    Dist ttl; /* seconds */
} DnsParams;

/* What the caller's cache still knows when the fault begins it knows for so long; nothing new is
 * learnt before the end. */
static const char *dns_stops(const void *params, const Departure *departure) {
    const DnsParams *p = params;
    Passage passage = {.model = departure->model, .edge = departure->edge};
    Rng rng = departure->rng;
    CHECK(departure->since_begin >= 0);
    return edge_place_has(&p->place, &passage) &&
                   departure->since_begin >= time_from_s(dist_draw(&p->ttl, &rng))
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
