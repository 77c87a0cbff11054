#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct PartitionParams {
    EdgePlace place;
} PartitionParams;

static bool partition_carries(const void *params, const Passage *passage, Rng *rng,
                              SimTime *delay) {
    const PartitionParams *p = params;
    CHECK(rng != NULL && delay != NULL);
    return !edge_place_has(&p->place, passage);
}

static bool partition_loses(const void *params) {
    CHECK(params != NULL);
    return true;
}

static const Param partition_params[] = {EDGE_PLACE_PARAMS};

static const FaultOps partition_ops = {.apply = edge_place_apply,
                                       .is_at = edge_place_is_at,
                                       .carries = partition_carries,
                                       .loses = partition_loses};

const Kind fault_partition = {
    .family = FAMILY_FAULT,
    .name = "partition",
    .doc = "The network loses every message that is sent there while it is on, in silence; with "
           "`from` and `to` one way only.",
    .params = partition_params,
    .param_count = PARAM_COUNT_OF(partition_params),
    .params_size = sizeof(PartitionParams),
    .ops = &partition_ops,
    .check = edge_place_check,
};
