/* Arrivals: when a client's requests come.
 *
 * An open process names one arrival at a time; the World asks for the next when the last has come.
 * It runs on the operational clock of the load curve (models/load.h): gaps are drawn at the
 * process's own rate and stretched by the curve. A closed process has users who think between
 * requests; in an open process of sessions each arrival begins one, which then thinks likewise.
 */
#ifndef KNOCKON_MODELS_ARRIVALS_ARRIVALS_H
#define KNOCKON_MODELS_ARRIVALS_ARRIVALS_H

#include "models/model.h"
#include "sim/rng.h"

/* What a process may use when it decides. */
typedef struct Source {
    const LoadCurve *load;
    LoadCursor *cursor;
    Rng *stream;              /* the client's own, for open processes */
    const RngKey *key;        /* for draws that belong to one user or session */
    const TraceSource *trace; /* NULL unless the kind replays a trace */
    SimTime now;              /* the arrival before, or 0 */
    SimTime ends_at;          /* of the run: nobody arrives then or later */
    /* In a twin: the burst of a trace that it is spared. SIM_TIME_NEVER: none. */
    SimTime calm_from, calm_to;
} Source;

typedef struct Arrival {
    SimTime at;
    bool has_tokens; /* the process knows the lengths */
    uint32_t input_tokens, output_tokens;
    /* What the prompt is made of: each id stands for so many tokens and all before them. Good until
     * the process is asked again. */
    const uint64_t *hash_ids;
    uint32_t hash_count, tokens_per_hash;
} Arrival;

/* What a session is going to be. */
typedef struct SessionPlan {
    uint32_t turn_count;         /* requests, 1 or more, if none of them fails */
    uint32_t max_context_tokens; /* of a prompt; older history is cut */
} SessionPlan;

typedef struct ArrivalOps {
    /* Before the first arrival; NULL: nothing to prepare. */
    void (*start)(const void *params, void *state, Source *source);
    /* Open: the next arrival at or after source->now; false when there is none. */
    bool (*next)(const void *params, void *state, Source *source, Arrival *out);
    /* Closed: the number of users when the curve is at `load`. NULL: the process is open. */
    uint32_t (*user_count)(const void *params, double load);
    /* Closed: the load above which user `user` takes part. */
    double (*load_for_user)(const void *params, uint32_t user);
    /* Closed, sessions: how long user or session `user` thinks before request `turn`, counted from
     * 0; a session does not before its first. */
    SimTime (*think)(const void *params, Source *source, uint64_t user, uint32_t turn);
    /* Sessions: what the client's session `session`, counted from 0, will be. NULL: an arrival is a
     * single request. */
    SessionPlan (*plan_session)(const void *params, Source *source, uint64_t session);
    /* The file to be replayed, when the process is a trace; NULL otherwise. */
    const char *(*trace_file)(const void *params);
} ArrivalOps;

/* The time at which the operational clock is `gap_s` further than at `now`; SIM_TIME_NEVER when the
 * load stays 0. */
SimTime source_after(Source *source, double gap_s);

#endif
