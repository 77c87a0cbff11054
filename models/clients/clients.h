/* What a caller does about failure: retry policies and the budgets that limit them.
 *
 * Both only decide. A policy says how long to wait before the next attempt; a budget says whether
 * it may go out, and hears how calls went.
 */
#ifndef KNOCKON_MODELS_CLIENTS_CLIENTS_H
#define KNOCKON_MODELS_CLIENTS_CLIENTS_H

#include "models/model.h"
#include "sim/rng.h"

typedef struct RetryOps {
    /* Attempts in all, the first included; COUNT_UNLIMITED. NULL: one. */
    uint32_t (*max_attempts)(const void *params);
    /* The wait before attempt `attempts_made` + 1, from the failure on. `last_delay` is the wait
     * before the latest attempt, 0 when that was the first. `rng` belongs to (request, edge,
     * attempt). */
    SimTime (*delay)(const void *params, uint32_t attempts_made, SimTime last_delay, Rng *rng);
} RetryOps;

/* All NULL: no limit. State belongs to one instance of the caller on one edge. */
typedef struct BudgetOps {
    void (*start)(const void *params, void *state);
    void (*on_begin)(const void *params, void *state);   /* a call begins */
    void (*on_success)(const void *params, void *state); /* a call succeeded */
    /* May a retry go out after this failure? Takes what it costs when it may. */
    bool (*take)(const void *params, void *state, Outcome failure);
} BudgetOps;

#endif
