/* A hedge when an attempt takes longer than most have: Finagle's backup requests, after Dean and
 * Barroso, "The Tail at Scale", CACM 2013. Each instance learns the quantile from its own attempts
 * of the last `window`, in a histogram of 16 buckets an octave (3 % wide to both sides), and looks
 * at it again ten times a window, as Finagle does every 3 s of 30. */
#include <string.h>

#include "models/clients/hedge.h"
#include "sim/check.h"
#include "sim/hist.h"

typedef struct QuantileParams {
    HedgeRules rules;
    SimTime window;
    uint32_t min_samples;
    uint8_t after;
} QuantileParams;

/* Of microseconds, up to 2^40 of them. */
enum { QUANTILE_SHIFT = 2, QUANTILE_BUCKETS = (36 << HIST_MANTISSA_BITS) >> QUANTILE_SHIFT };

/* The last half window that is complete, and the one under way. */
typedef struct QuantileState {
    unsigned char rules[HEDGE_STATE_SIZE];
    SimTime half_began_at;
    SimTime estimate; /* 0: not known */
    SimTime estimated_at;
    uint32_t counts[2];
    uint32_t buckets[2][QUANTILE_BUCKETS];
} QuantileState;

static void quantile_forget(QuantileState *s, uint32_t half) {
    CHECK(half < 2);
    s->counts[half] = 0;
    memset(s->buckets[half], 0, sizeof s->buckets[half]);
}

static void quantile_turn(const QuantileParams *p, QuantileState *s, SimTime now) {
    SimTime half = p->window / 2;
    CHECK(half > 0 && now >= s->half_began_at);
    int64_t passed = (now - s->half_began_at) / half;
    if (passed == 0) {
        return;
    }
    if (passed == 1) {
        s->counts[0] = s->counts[1];
        memcpy(s->buckets[0], s->buckets[1], sizeof s->buckets[0]);
    } else {
        quantile_forget(s, 0);
    }
    quantile_forget(s, 1);
    s->half_began_at += passed * half;
}

static double quantile_p(const QuantileParams *p) {
    static const double levels[] = {0.5, 0.75, 0.9, 0.95, 0.99, 0.999};
    CHECK(p->after < sizeof levels / sizeof levels[0]);
    return levels[p->after];
}

static SimTime quantile_of(const QuantileState *s, double p) {
    double rank = p * ((double)s->counts[0] + s->counts[1]);
    double passed = 0;
    CHECK(rank > 0);
    for (uint32_t i = 0; i < QUANTILE_BUCKETS; i++) {
        passed += (double)s->buckets[0][i] + s->buckets[1][i];
        if (passed >= rank) {
            int64_t low = hist_bucket_low(i << QUANTILE_SHIFT);
            return (low + hist_bucket_low((i + 1) << QUANTILE_SHIFT)) * 500; /* middle; us to ns */
        }
    }
    CHECK(!"all ranks lie in buckets");
    return 0;
}

static SimTime quantile_after(const void *params, void *state, SimTime now) {
    const QuantileParams *p = params;
    QuantileState *s = state;
    CHECK(p->min_samples > 0);
    if (s->estimate == 0 || now - s->estimated_at >= p->window / 10) {
        quantile_turn(p, s, now);
        bool is_known = s->counts[0] + s->counts[1] >= p->min_samples;
        s->estimate = is_known ? quantile_of(s, quantile_p(p)) : 0;
        s->estimated_at = now;
    }
    return s->estimate == 0 ? SIM_TIME_NEVER : s->estimate;
}

/* An attempt that was given up has taken so long at least: leaving it out would make the quantile
 * fall the more hedges win. A failure says nothing of answers. */
static void quantile_on_attempt(const void *params, void *state, const AttemptResult *result) {
    const QuantileParams *p = params;
    QuantileState *s = state;
    CHECK(result->took >= 0);
    if (result->outcome == OUTCOME_ERROR || result->outcome == OUTCOME_REFUSED) {
        return;
    }
    quantile_turn(p, s, result->now);
    uint32_t bucket = hist_bucket(result->took / 1000) >> QUANTILE_SHIFT;
    s->buckets[1][bucket < QUANTILE_BUCKETS ? bucket : QUANTILE_BUCKETS - 1]++;
    s->counts[1]++;
}

static const Param quantile_params[] = {
    {"after", PARAM_CHOICE, offsetof(QuantileParams, after), .preset = "p95",
     .choices = "p50|p75|p90|p95|p99|p999",
     .doc = "A hedge goes out when an attempt takes longer than this share of the last ones."},
    {"window", PARAM_DURATION, offsetof(QuantileParams, window), .preset = "30s", .min = 0.001,
     .max = SIM_TIME_S_MAX, .doc = "How far back it looks (Finagle: 30s)."},
    {"min_samples", PARAM_COUNT, offsetof(QuantileParams, min_samples), .preset = "20", .min = 1,
     .max = 1e6, .doc = "Attempts in the window below which it does not hedge."},
    HEDGE_RULES_PARAMS,
};

static const HedgeOps quantile_ops = {.after = quantile_after, .on_attempt = quantile_on_attempt};

const Kind hedge_quantile = {
    .family = FAMILY_HEDGE,
    .name = "quantile",
    .doc = "A hedge after as long as most attempts take, learnt from the last ones (Finagle's "
           "backup requests).",
    .params = quantile_params,
    .param_count = PARAM_COUNT_OF(quantile_params),
    .params_size = sizeof(QuantileParams),
    .state_size = sizeof(QuantileState),
    .ops = &quantile_ops,
};
