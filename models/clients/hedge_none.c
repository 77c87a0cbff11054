#include "models/clients/hedge.h"

static const HedgeOps none_ops = {0};

const Kind hedge_none = {
    .family = FAMILY_HEDGE,
    .name = "none",
    .doc = "One attempt at a time.",
    .ops = &none_ops,
};
