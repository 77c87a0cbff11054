#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "sim/check.h"

#include <string.h>

typedef struct RollBackParams {
    const char *fault;
} RollBackParams;

static bool roll_back_means(const RollBackParams *p, const Fault *fault) {
    CHECK(p->fault != NULL);
    return fault->name != NULL && strcmp(fault->name, p->fault) == 0;
}

static SimTime roll_back_lasts(const void *params) {
    CHECK(params != NULL);
    return 0;
}

static void roll_back_turn(World *world, uint32_t action) {
    const RollBackParams *p = fault_params(world, action);
    CHECK(action >= world->model->fault_count);
    for (uint32_t i = 0; i < world->model->fault_count && world->faults[action].is_on; i++) {
        if (world->faults[i].is_on && roll_back_means(p, &world->model->faults[i])) {
            fault_end(world, i);
        }
    }
}

static bool roll_back_check(const void *params, const Model *model, Error *error) {
    const RollBackParams *p = params;
    for (uint32_t i = 0; i < model->fault_count; i++) {
        if (roll_back_means(p, &model->faults[i])) {
            return true;
        }
    }
    CHECK(p->fault != NULL);
    return error_set(error, "no fault has the name '%s': give it one with 'name'", p->fault);
}

static const Param roll_back_params[] = {
    {"fault", PARAM_TEXT, offsetof(RollBackParams, fault),
     .doc = "The `name` of the fault that ends now."},
};

static const FaultOps roll_back_ops = {
    .lasts = roll_back_lasts, .on_turn = roll_back_turn, .check = roll_back_check};

const Kind action_roll_back = {
    .family = FAMILY_ACTION,
    .name = "roll_back",
    .doc = "Ends a fault: a change is taken back, a cable is plugged in.",
    .params = roll_back_params,
    .param_count = PARAM_COUNT_OF(roll_back_params),
    .params_size = sizeof(RollBackParams),
    .ops = &roll_back_ops,
};
