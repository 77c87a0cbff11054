#include "models/clients/clients.h"

static const BudgetOps none_ops = {0};

const Kind budget_none = {
    .family = FAMILY_RETRY_BUDGET,
    .name = "none",
    .doc = "Retries are limited by their policy alone.",
    .ops = &none_ops,
};
