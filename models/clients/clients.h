/* What a caller does about failure: retry policies and the budgets that limit them.
 *
 * Both only decide. A policy says how long to wait before the next attempt; a budget says whether
 * it may go out, and hears how calls went.
 */
#ifndef KNOCKON_MODELS_CLIENTS_CLIENTS_H
#define KNOCKON_MODELS_CLIENTS_CLIENTS_H

#include "models/model.h"
#include "sim/rng.h"

/* What a policy sees of a call whose attempt has failed. */
typedef struct RetryView {
    uint32_t tries;     /* made so far, 1 or more; hedges do not count */
    Outcome failure;    /* of the latest */
    SimTime last_delay; /* the wait before the latest try; 0 when that was the first */
    /* Random numbers that belong to (request, edge, try): the same for the same try whenever they
     * are asked for. */
    Rng (*draw)(const struct RetryView *view, uint32_t number);
    const void *key; /* for `draw` */
    uint64_t request;
    uint32_t path;
} RetryView;

typedef struct RetryOps {
    /* Tries in all, the first included; COUNT_UNLIMITED. NULL: one. */
    uint32_t (*max_attempts)(const void *params);
    /* The wait before the next try, from the failure on. */
    SimTime (*delay)(const void *params, const RetryView *view);
} RetryOps;

/* How an attempt went, as its caller saw it. */
typedef struct AttemptResult {
    SimTime now, took; /* from its sending */
    Outcome outcome;   /* OUTCOME_COUNT: given up for another reason than time */
    bool is_retryable; /* a failure that `retry_on` names */
} AttemptResult;

/* Somebody asks for a retry. */
typedef struct BudgetAsk {
    SimTime now;
    Outcome failure;   /* of the attempt before; OUTCOME_OK: none, it is a hedge */
    uint32_t active;   /* attempts of this instance that are out */
    uint32_t retrying; /* its calls that wait for a retry or have one out */
} BudgetAsk;

/* All NULL: no limit. State belongs to one instance of the caller on one edge. */
typedef struct BudgetOps {
    void (*start)(const void *params, void *state);
    void (*on_begin)(const void *params, void *state, SimTime now); /* a call begins */
    /* A call succeeded; the failure after which its latest retry was allowed, OUTCOME_OK when there
     * was none. */
    void (*on_success)(const void *params, void *state, Outcome retried_after);
    void (*on_attempt)(const void *params, void *state, const AttemptResult *result);
    /* May it go out? Takes what it costs when it may. */
    bool (*take)(const void *params, void *state, const BudgetAsk *ask);
    /* Whether it needs on_attempt, retried_after or the counts of BudgetAsk. NULL: no. */
    bool (*watches)(const void *params);
} BudgetOps;

#endif
