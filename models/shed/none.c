#include "models/shed/shed.h"

static const ShedOps none_ops = {0};

const Kind shed_none = {
    .family = FAMILY_SHED,
    .name = "none",
    .doc = "Whoever finds room in the queue stays.",
    .ops = &none_ops,
};
