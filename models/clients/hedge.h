/* Hedging: another attempt goes out although one is still out; the first good answer counts, and
 * the caller gives the others up.
 *
 * What kinds share: how many hedges a call may have, what a failure does, and a share of all calls
 * that hedges may not exceed. State belongs to one instance of the caller on one edge.
 */
#ifndef KNOCKON_MODELS_CLIENTS_HEDGE_H
#define KNOCKON_MODELS_CLIENTS_HEDGE_H

#include "models/clients/clients.h"
#include "models/clients/window.h"

/* The start of the parameters of every kind that hedges. */
typedef struct HedgeRules {
    double max_extra;
    bool has_max_extra, next_on_failure;
    uint32_t max;
} HedgeRules;

#define HEDGE_RULES_PARAMS                                                                         \
    {"max",                                                                                        \
     PARAM_COUNT,                                                                                  \
     offsetof(HedgeRules, max),                                                                    \
     .preset = "1",                                                                                \
     .min = 1,                                                                                     \
     .max = 20,                                                                                    \
     .doc = "Hedges that one call may have in all."},                                              \
        {"next_on_failure", PARAM_FLAG, offsetof(HedgeRules, next_on_failure), .preset = "true",   \
         .doc = "Whether a failure that `retry_on` names sends the next hedge at once, and any "   \
                "other "                                                                           \
                "ends the call (gRPC, Polly); otherwise only time sends hedges, and a failure "    \
                "counts "                                                                          \
                "when no other attempt is out (Finagle)."},                                        \
    {                                                                                              \
        "max_extra", PARAM_RATIO, offsetof(HedgeRules, max_extra),                                 \
            .above_min = true, .max = 1, .is_optional = true,                                      \
            .has_offset = offsetof(HedgeRules, has_max_extra),                                     \
            .doc = "Hedges of the last 10 s at most, as a share of the calls of the last 10 s; "   \
                   "left out: "                                                                    \
                   "no such limit."                                                                \
    }

/* The start of the state of every kind that hedges: calls and hedges of the last 10 s. */
enum { HEDGE_CALLS, HEDGE_SENT };
#define HEDGE_STATE_SIZE WINDOW_SIZE(WINDOW_SLICES)

typedef struct HedgeOps {
    /* How long after an attempt went out the next one does; SIM_TIME_NEVER: it is not known yet.
     * NULL: the kind does not hedge. */
    SimTime (*after)(const void *params, void *state, SimTime now);
    /* An attempt is over: how it went, or given up (OUTCOME_COUNT) after so long. NULL: nothing
     * is learnt from it. */
    void (*on_attempt)(const void *params, void *state, const AttemptResult *result);
} HedgeOps;

/* A call begins. */
void hedge_begin(const HedgeRules *rules, void *state, SimTime now);
/* May a hedge go out, as far as `max_extra` goes? Counts it when it may. */
bool hedge_take(const HedgeRules *rules, void *state, SimTime now);

#endif
