#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct PartitionParams {
    CountList between; /* components */
} PartitionParams;

static bool partition_has(const PartitionParams *p, uint32_t component) {
    CHECK(p->between.count > 0);
    for (uint32_t i = 0; i < p->between.count; i++) {
        if (p->between.items[i] == component) {
            return true;
        }
    }
    return false;
}

static void partition_apply(const void *params, Levers *levers) {
    const PartitionParams *p = params;
    const Model *model = levers->model;
    CHECK(p->between.count >= 2);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        const Edge *edge = &model->edges[i];
        if (partition_has(p, edge->caller) &&
            partition_has(p, model_service_component(model, edge->to))) {
            levers->edge_is_cut[i] = true;
        }
    }
}

static bool partition_is_at(const void *params, const Model *model, uint32_t component) {
    CHECK(component < model_component_count(model));
    return partition_has(params, component);
}

static bool partition_check(const void *params, Error *error) {
    const PartitionParams *p = params;
    return p->between.count >= 2 ||
           error_set(error, "a partition is between two components or more: write for example "
                            "'between: [gateway, llm]'");
}

static const Param partition_params[] = {
    {"between", PARAM_COMPONENTS, offsetof(PartitionParams, between),
     .doc = "Components that cannot reach each other; messages are lost both ways, in silence."},
};

static const FaultOps partition_ops = {.apply = partition_apply, .is_at = partition_is_at};

const Kind fault_partition = {
    .family = FAMILY_FAULT,
    .name = "partition",
    .doc = "The network between components loses every message sent while it is on.",
    .params = partition_params,
    .param_count = PARAM_COUNT_OF(partition_params),
    .params_size = sizeof(PartitionParams),
    .ops = &partition_ops,
    .check = partition_check,
};
