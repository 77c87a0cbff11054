/* Circuit breakers: a caller stops sending for a while when too much fails.
 *
 * CLOSED: attempts go out and results are counted. OPEN: attempts are refused at once, by the
 * caller itself. The first attempt after `open` makes it HALF_OPEN: so many attempts are let
 * through as probes, others are refused, and their results decide between OPEN and CLOSED. No timer
 * is needed: without a call nobody can tell open from half-open. Results that arrive in OPEN change
 * nothing; those of attempts from before count in HALF_OPEN like any (as in resilience4j).
 */
#ifndef KNOCKON_MODELS_CLIENTS_BREAKER_H
#define KNOCKON_MODELS_CLIENTS_BREAKER_H

#include "models/clients/clients.h"

typedef enum BreakerPhase { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN } BreakerPhase;

/* Results since something began. */
typedef struct BreakerTally {
    uint32_t heard, failed, slow;
} BreakerTally;

/* The start of every breaker's state; zeroed it is closed. */
typedef struct Breaker {
    SimTime opened_at;
    uint32_t permits; /* half-open: probes that may still go out … */
    uint32_t probes;  /* … of so many in all */
    BreakerTally probed;
    uint8_t phase; /* BreakerPhase */
} Breaker;

typedef struct BreakerOps {
    /* May an attempt go out now? NULL: there is no breaker. */
    bool (*admits)(const void *params, void *state, SimTime now);
    void (*hears)(const void *params, void *state, const AttemptResult *result);
    /* The results that it takes to open, and within what time; SIM_TIME_NEVER: in any. */
    uint32_t (*needs)(const void *params);
    SimTime (*looks_back)(const void *params);
} BreakerOps;

/* The state machine around what a kind counts while closed. */
bool breaker_admits(Breaker *breaker, SimTime open, uint32_t half_open, SimTime now);
void breaker_opens(Breaker *breaker, SimTime now);
/* BreakerOps.looks_back of one that counts results and no time. */
SimTime breaker_looks_back_for_ever(const void *params);
void breaker_closes(Breaker *breaker);

/* An attempt that was let through ends without a result: another may be probed instead. */
void breaker_gets_back(Breaker *breaker);

/* ---- For kinds that look at rates, with resilience4j's rules */

typedef struct BreakerRates {
    double failure_rate, slow_rate;
    SimTime slow_after, open;
    uint32_t min_calls, half_open;
    bool has_min_calls;
} BreakerRates;

/* The parameters of a BreakerRates that is the first member of `Struct`. */
#define BREAKER_RATES_PARAMS(min_calls_doc)                                                        \
    {"min_calls",                                                                                  \
     PARAM_COUNT,                                                                                  \
     offsetof(BreakerRates, min_calls),                                                            \
     .min = 1,                                                                                     \
     .max = 1e6,                                                                                   \
     .is_optional = true,                                                                          \
     .has_offset = offsetof(BreakerRates, has_min_calls),                                          \
     .doc = min_calls_doc},                                                                        \
        {"failure_rate",                                                                           \
         PARAM_RATIO,                                                                              \
         offsetof(BreakerRates, failure_rate),                                                     \
         .preset = "50%",                                                                          \
         .above_min = true,                                                                        \
         .max = 1,                                                                                 \
         .doc = "It opens when failures are such a share, or more."},                              \
        {"slow_rate",                                                                              \
         PARAM_RATIO,                                                                              \
         offsetof(BreakerRates, slow_rate),                                                        \
         .preset = "100%",                                                                         \
         .above_min = true,                                                                        \
         .max = 1,                                                                                 \
         .doc = "It opens when slow attempts are such a share, or more."},                         \
        {"slow_after",                                                                             \
         PARAM_DURATION,                                                                           \
         offsetof(BreakerRates, slow_after),                                                       \
         .preset = "1min",                                                                         \
         .max = SIM_TIME_S_MAX,                                                                    \
         .may_be_unlimited = true,                                                                 \
         .doc = "An attempt that takes longer is slow, whether it fails or not."},                 \
        {"open",           PARAM_DURATION,        offsetof(BreakerRates, open),                    \
         .preset = "1min", .max = SIM_TIME_S_MAX, .doc = "How long it stays open."},               \
    {                                                                                              \
        "half_open", PARAM_COUNT, offsetof(BreakerRates, half_open),                               \
            .preset = "10", .min = 1, .max = 1e6,                                                  \
            .doc = "Probes that are let through when it is half open."                             \
    }

void breaker_count(BreakerTally *tally, const BreakerRates *rates, const AttemptResult *result);
bool breaker_is_bad(const BreakerRates *rates, const BreakerTally *tally);

/* A result while the breaker is not closed: the last probe decides. True when it has closed. */
bool breaker_hears_probe(Breaker *breaker, const BreakerRates *rates, uint32_t min_calls,
                         const AttemptResult *result);

#endif
