#include "models/clients/throttle.h"

static const ThrottleOps none_ops = {0};

const Kind throttle_none = {
    .family = FAMILY_CLIENT_THROTTLE,
    .name = "none",
    .doc = "The caller sends as much as it is asked to.",
    .ops = &none_ops,
};
