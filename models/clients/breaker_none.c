#include "models/clients/breaker.h"

static const BreakerOps none_ops = {0};

const Kind breaker_none = {
    .family = FAMILY_CIRCUIT_BREAKER,
    .name = "none",
    .doc = "Attempts go out whatever became of others.",
    .ops = &none_ops,
};
