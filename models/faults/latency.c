#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct LatencyParams {
    EdgePlace place;
    Dist add; /* seconds */
    bool is_one_way;
} LatencyParams;

static bool latency_carries(const void *params, const Passage *passage, Rng *rng, SimTime *delay) {
    const LatencyParams *p = params;
    CHECK(*delay >= 0);
    if (edge_place_has(&p->place, passage) && !(p->is_one_way && passage->is_reply)) {
        *delay += time_from_s(dist_draw(&p->add, rng));
    }
    return true;
}

static const Param latency_params[] = {
    EDGE_PLACE_PARAMS,
    {"add", PARAM_DIST, offsetof(LatencyParams, add), .unit = "s",
     .doc = "What is added to the latency of each message."},
    {"one_way", PARAM_FLAG, offsetof(LatencyParams, is_one_way), .preset = "false",
     .doc = "Whether only requests are late, not their replies."},
};

static const FaultOps latency_ops = {
    .apply = edge_place_apply, .is_at = edge_place_is_at, .carries = latency_carries};

const Kind fault_latency = {
    .family = FAMILY_FAULT,
    .name = "latency",
    .doc = "Messages that are sent while it is on take longer.",
    .params = latency_params,
    .param_count = PARAM_COUNT_OF(latency_params),
    .params_size = sizeof(LatencyParams),
    .ops = &latency_ops,
    .check = edge_place_check,
};
