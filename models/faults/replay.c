#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct ReplayParams {
    const char *file;
} ReplayParams;

static const char *replay_file(const void *params) {
    const ReplayParams *p = params;
    CHECK(p->file != NULL);
    return p->file;
}

static bool replay_is_at(const void *params, const Model *model, uint32_t component) {
    CHECK(params != NULL && component < model_component_count(model));
    return false;
}

static const Param replay_params[] = {
    {"file", PARAM_FILE, offsetof(ReplayParams, file),
     .doc = "A CSV file with a row for each fault: `time`, `kind`, and if given `until` or `for`, "
            "in seconds or with a unit; every other column is a parameter of the kinds "
            "(`service`, `replicas`, `x`), empty where it is left out."},
};

static const FaultOps replay_ops = {.is_at = replay_is_at, .file = replay_file};

const Kind fault_replay = {
    .family = FAMILY_FAULT,
    .name = "replay",
    .doc = "Faults as they were recorded, each row of a file one of the other kinds; `at` is "
           "added to their times.",
    .params = replay_params,
    .param_count = PARAM_COUNT_OF(replay_params),
    .params_size = sizeof(ReplayParams),
    .ops = &replay_ops,
};
