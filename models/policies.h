/* What the policies of a call do to it: retries, hedges, budgets, circuit breakers. Shared by
 * flow.c, where calls begin and end, and retries.c, hedges.c and callers.c. The kinds only decide
 * (models/clients/); who asks them, keeps what they need and acts on it is here.
 */
#ifndef KNOCKON_MODELS_POLICIES_H
#define KNOCKON_MODELS_POLICIES_H

#include "models/clients/clients.h"
#include "models/flow_parts.h"

/* The state of a policy that belongs to this instance of the caller. */
static inline void *span_state(const World *world, const StateSpan *span, uint32_t instance) {
    DCHECK(span->first + instance * span->stride <= world->states_size);
    return world_state(world, span->first + instance * span->stride);
}

/* Whether `retry_on` names the failure. */
static inline bool is_retryable(const Edge *edge, Outcome failure) {
    DCHECK(failure < OUTCOME_COUNT);
    return failure != OUTCOME_OK && (edge->retry_on & 1u << (failure - OUTCOME_TIMEOUT)) != 0;
}

/* ---- Retries, models/retries.c */

/* The caller has lost an attempt: tries again or ends the call. The failure asks for so long a wait
 * (0: for nothing; RETRY_AFTER_NEVER_MS). */
void failed(World *world, uint32_t call, Outcome failure, uint32_t retry_after_ms);
/* Whether the failure asks for that, and the caller listens. */
bool asks_for_no_retry(const Edge *edge, uint32_t retry_after_ms);
/* The backoff of the policy after what the failure asks for. */
SimTime heed(const Edge *edge, SimTime delay, uint32_t retry_after_ms);
/* Takes from the retry budget; OUTCOME_OK: for a hedge. */
bool budget_allows(World *world, uint32_t call, Outcome failure);
void begin_backoff(World *world, uint32_t call);
void end_backoff(World *world, Call *call);
void on_retry(World *world, uint32_t call);

/* ---- Hedges, models/hedges.c */

void hedge_call_begins(World *world, const Call *call);
/* An attempt goes out: when the next one does. */
void hedge_arm(World *world, uint32_t call);
/* Whether a failure sends a hedge or ends the call, so that nothing else is to be done about it. */
bool hedge_instead(World *world, uint32_t call, Outcome failure, uint32_t retry_after_ms);
void hedge_hears(World *world, const Call *call, const AttemptResult *result);
void on_hedge(World *world, uint32_t call);

/* ---- Fallbacks, models/fallbacks.c */

/* Whether something stands in for a call that has failed and is closed. */
bool falls_back(World *world, uint32_t call);
void on_own_answer(World *world, uint32_t call);

/* ---- What callers keep of watched edges, models/callers.c */

CallerState *caller_of(const World *world, const Call *call);
void track_call(World *world, uint32_t call);
/* A call that may carry or inherit a deadline begins: false when the deadline has passed. */
bool keep_deadline(World *world, uint32_t call);
void track_attempt(World *world, uint32_t attempt);
/* Tries of the call: attempts without hedges. */
uint32_t tries_of(const World *world, uint32_t call);
/* A retry was allowed after this failure (a hedge: OUTCOME_OK) … */
void track_retry(World *world, uint32_t call, Outcome failure);
/* … and has ended, if there was one. */
void track_retry_over(World *world, uint32_t call);
/* Sends the call's next attempt unless its caller holds it back: then it goes out later, or has
 * failed. */
void launch_guarded(World *world, uint32_t call);
void on_held(World *world, uint32_t call);
/* Whether it is held back, which goes out now or not at all. */
bool is_held_back(World *world, uint32_t call);
/* The caller of the attempt knows how it went (or FATE_UNKNOWN): its policies hear of it. */
void hear(World *world, uint32_t attempt, Outcome fate);

#endif
