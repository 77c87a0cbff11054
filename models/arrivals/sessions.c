#include "models/arrivals/arrivals.h"
#include "sim/check.h"

typedef struct SessionsParams {
    double rate_per_s;
    Dist turns, think;
    uint32_t max_context_tokens;
} SessionsParams;

static bool sessions_next(const void *params, void *state, Source *source, Arrival *out) {
    const SessionsParams *p = params;
    CHECK(state == NULL || p->rate_per_s > 0);
    out->at = source_after(source, ziggurat_exponential(source->stream) / p->rate_per_s);
    return out->at != SIM_TIME_NEVER;
}

/* By (session, turn): nobody thinks before turn 0, so that number is free for how many there are.
 */
static double sessions_draw(const Dist *law, const Source *source, uint64_t session,
                            uint32_t turn) {
    CHECK(source->key != NULL);
    return dist_draw_keyed(law, source->key, session, turn);
}

static SessionPlan sessions_plan(const void *params, Source *source, uint64_t session) {
    const SessionsParams *p = params;
    double turns = sessions_draw(&p->turns, source, session, 0) + 0.5;
    CHECK(turns >= 0);
    return (SessionPlan){.turn_count = turns < 1     ? 1
                                       : turns < 1e9 ? (uint32_t)turns
                                                     : 1000000000u,
                         .max_context_tokens = p->max_context_tokens};
}

static SimTime sessions_think(const void *params, Source *source, uint64_t session, uint32_t turn) {
    const SessionsParams *p = params;
    CHECK(turn > 0);
    return time_from_s(sessions_draw(&p->think, source, session, turn));
}

/* The preset's mean, rounded and at least 1, is 1 + e^(-1.5/2.4) / (1 - e^(-1/2.4)) = 2.57 turns;
 * WildChat has 2.54 (Zhao et al., ICLR 2024, table 1), LMSYS-Chat-1M 2.02, ShareGPT 3.51. */
static const Param sessions_params[] = {
    {"rate", PARAM_RATE, offsetof(SessionsParams, rate_per_s), .above_min = true, .max = 1e9,
     .doc = "Mean sessions begun per second; the load stretches it."},
    {"turns", PARAM_DIST, offsetof(SessionsParams, turns), .preset = "{exponential: {mean: 2.4}}",
     .unit = "turns",
     .doc = "Requests of a session, rounded, at least 1; the default makes 2.6 on average, as many "
            "as public chats have."},
    {"think", PARAM_DIST, offsetof(SessionsParams, think), .unit = "s",
     .doc = "Time between an answer and the session's next request."},
    {"max_context", PARAM_COUNT, offsetof(SessionsParams, max_context_tokens), .preset = "128k",
     .min = 1, .max = 1e9,
     .doc = "Longest prompt in tokens: older history is cut to keep it, the oldest first, so that "
            "caches know nothing of what is left but the shared prefix."},
};

static const ArrivalOps sessions_ops = {
    .next = sessions_next, .think = sessions_think, .plan_session = sessions_plan};

const Kind arrivals_sessions = {
    .family = FAMILY_ARRIVALS,
    .name = "sessions",
    .doc = "Conversations that begin at random: each prompt is all that was said before and a new "
           "message. A session whose request fails for good ends: its user gives up.",
    .params = sessions_params,
    .param_count = PARAM_COUNT_OF(sessions_params),
    .params_size = sizeof(SessionsParams),
    .ops = &sessions_ops,
};
