#include "models/clients/clients.h"

static const RetryOps none_ops = {0};

const Kind retry_none = {
    .family = FAMILY_RETRY,
    .name = "none",
    .doc = "A failed attempt is not tried again.",
    .ops = &none_ops,
};
