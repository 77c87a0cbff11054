#include "models/arrivals/arrivals.h"
#include "sim/check.h"

typedef struct MmppParams {
    NumberList rates_per_s;
    DurationList dwell;
} MmppParams;

typedef struct MmppState {
    uint32_t phase;
    SimTime phase_ends_at;
} MmppState;

/* How long the process stays in its phase: exponential with the phase's mean dwell. */
static SimTime mmpp_draw_dwell(const MmppParams *p, uint32_t phase, Rng *stream) {
    CHECK(phase < p->dwell.count);
    return time_from_s(ziggurat_exponential(stream) * time_to_s(p->dwell.items[phase]));
}

/* Starts in the long-run mix of phases: one that is dwelt in longer is the more likely one. */
static void mmpp_start(const void *params, void *state, Source *source) {
    const MmppParams *p = params;
    MmppState *s = state;
    double total_s = 0;
    for (uint32_t i = 0; i < p->dwell.count; i++) {
        total_s += time_to_s(p->dwell.items[i]);
    }
    CHECK(total_s > 0);
    double left_s = rng_uniform(source->stream) * total_s;
    while (s->phase + 1 < p->dwell.count && left_s >= time_to_s(p->dwell.items[s->phase])) {
        left_s -= time_to_s(p->dwell.items[s->phase]);
        s->phase++;
    }
    s->phase_ends_at = mmpp_draw_dwell(p, s->phase, source->stream);
}

/* Within a phase arrivals are Poisson, so a gap that reaches beyond the phase's end is drawn anew
 * from there: exact, because exponential gaps have no memory. The load curve stretches gaps, not
 * dwells. */
static bool mmpp_next(const void *params, void *state, Source *source, Arrival *out) {
    const MmppParams *p = params;
    MmppState *s = state;
    CHECK(s->phase < p->rates_per_s.count);
    for (;;) {
        double rate_per_s = p->rates_per_s.items[s->phase];
        SimTime at = SIM_TIME_NEVER;
        if (rate_per_s > 0) {
            LoadCursor before = *source->cursor;
            at = source_after(source, ziggurat_exponential(source->stream) / rate_per_s);
            if (at >= s->phase_ends_at) {
                *source->cursor = before;
            }
        }
        if (at < s->phase_ends_at) {
            out->at = at;
            return true;
        }
        if (s->phase_ends_at >= source->ends_at) {
            return false; /* the load may be 0 for ever */
        }
        source->now = s->phase_ends_at;
        s->phase = (s->phase + 1) % p->rates_per_s.count;
        s->phase_ends_at += mmpp_draw_dwell(p, s->phase, source->stream);
    }
}

static bool mmpp_check(const void *params, Error *error) {
    const MmppParams *p = params;
    double rate_per_s_max = 0;
    for (uint32_t i = 0; i < p->rates_per_s.count; i++) {
        double rate_per_s = p->rates_per_s.items[i];
        rate_per_s_max = rate_per_s > rate_per_s_max ? rate_per_s : rate_per_s_max;
    }
    if (p->rates_per_s.count != p->dwell.count || p->dwell.count < 2) {
        return error_set(error, "mmpp needs two rates or more and as many dwells, not %u and %u",
                         p->rates_per_s.count, p->dwell.count);
    }
    return rate_per_s_max > 0 || error_set(error, "mmpp needs at least one rate above 0/s");
}

static const Param mmpp_params[] = {
    {"rates", PARAM_RATES, offsetof(MmppParams, rates_per_s), .max = 1e9,
     .doc = "Arrivals per second in each phase; the phases follow each other in a ring."},
    {"dwell", PARAM_DURATIONS, offsetof(MmppParams, dwell), .above_min = true,
     .max = SIM_TIME_S_MAX, .doc = "Mean time spent in each phase, exponentially distributed."},
};

static const ArrivalOps mmpp_ops = {.start = mmpp_start, .next = mmpp_next};

const Kind arrivals_mmpp = {
    .family = FAMILY_ARRIVALS,
    .name = "mmpp",
    .doc = "Markov-modulated Poisson: quiet and busy phases of random length.",
    .params = mmpp_params,
    .param_count = PARAM_COUNT_OF(mmpp_params),
    .params_size = sizeof(MmppParams),
    .state_size = sizeof(MmppState),
    .ops = &mmpp_ops,
    .check = mmpp_check,
};
