#include "models/monitors/monitor.h"
#include "sim/check.h"

typedef struct BurnRateParams {
    uint32_t client;
    double objective;
    SimTime long_window, short_window;
    double above;
} BurnRateParams;

/* Requests that ended between two scrapes. */
typedef struct BurnSlot {
    uint32_t ended, failed;
} BurnSlot;

typedef struct BurnRateState {
    uint64_t ended[2], failed[2]; /* over the long window and the short one */
    uint32_t scrape_count;
    BurnSlot slots[]; /* a ring over the long window */
} BurnRateState;

static uint32_t burn_rate_slots(SimTime window, SimTime interval) {
    CHECK(interval > 0);
    return (uint32_t)((window + interval - 1) / interval);
}

static uint32_t burn_rate_component(const void *params) {
    const BurnRateParams *p = params;
    CHECK(p->objective < 1);
    return p->client;
}

static size_t burn_rate_state_size(const void *params, SimTime interval) {
    const BurnRateParams *p = params;
    CHECK(p->long_window >= p->short_window);
    return sizeof(BurnRateState) + burn_rate_slots(p->long_window, interval) * sizeof(BurnSlot);
}

static SimTime burn_rate_window(const void *params) {
    const BurnRateParams *p = params;
    CHECK(p->long_window > 0);
    return p->long_window;
}

/* The share of the ended that failed, over the budget. What lies before the run counts as served
 * well at the same rate: an alert is no faster because a run has just begun. */
static double burn_rate_of(const BurnRateParams *p, const BurnRateState *state, uint32_t which,
                           uint32_t slots) {
    uint32_t seen = state->scrape_count < slots ? state->scrape_count : slots;
    double ended = (double)state->ended[which] * slots / seen;
    CHECK(seen > 0 && state->failed[which] <= state->ended[which]);
    return ended > 0 ? (double)state->failed[which] / ended / (1 - p->objective) : 0;
}

/* Both windows must burn: the long one so that it matters, the short one so that it still goes on
 * (Google, The Site Reliability Workbook, chapter 5). */
static bool burn_rate_fires(const void *params, void *state_void, const Scrape *scrape) {
    const BurnRateParams *p = params;
    BurnRateState *state = state_void;
    const uint32_t slots[2] = {burn_rate_slots(p->long_window, scrape->interval),
                               burn_rate_slots(p->short_window, scrape->interval)};
    const double *values = scrape->values;
    BurnSlot now = {0};
    if (values != NULL) {
        double failed = values[METRIC_timeouts] + values[METRIC_refused] + values[METRIC_errors];
        now = (BurnSlot){(uint32_t)(values[METRIC_answered] + failed), (uint32_t)failed};
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (state->scrape_count >= slots[i]) {
            BurnSlot gone = state->slots[(state->scrape_count - slots[i]) % slots[0]];
            CHECK(state->ended[i] >= gone.ended && state->failed[i] >= gone.failed);
            state->ended[i] -= gone.ended;
            state->failed[i] -= gone.failed;
        }
        state->ended[i] += now.ended;
        state->failed[i] += now.failed;
    }
    state->slots[state->scrape_count++ % slots[0]] = now;
    if (values == NULL) {
        return scrape->has_fired;
    }
    return burn_rate_of(p, state, 0, slots[0]) > p->above &&
           burn_rate_of(p, state, 1, slots[1]) > p->above;
}

static bool burn_rate_check(const void *params, Error *error) {
    const BurnRateParams *p = params;
    return p->short_window <= p->long_window ||
           error_set(error, "the 'short' window is longer than the 'long' one");
}

static const Param burn_rate_params[] = {
    {"client", PARAM_CLIENT, offsetof(BurnRateParams, client), .doc = "Whose requests count."},
    {"objective", PARAM_RATIO, offsetof(BurnRateParams, objective), .max = 0.9999999,
     .doc = "The share of requests that is to be answered well; the rest is the error budget."},
    {"long", PARAM_DURATION, offsetof(BurnRateParams, long_window), .preset = "1h",
     .above_min = true, .max = 7776000,
     .doc = "Over so long the budget must burn too fast, so that it matters."},
    {"short", PARAM_DURATION, offsetof(BurnRateParams, short_window), .preset = "5min",
     .above_min = true, .max = 7776000,
     .doc = "And over so long, so that the alert resolves soon after it is over."},
    {"above", PARAM_NUMBER, offsetof(BurnRateParams, above), .preset = "14.4", .above_min = true,
     .max = 1e9,
     .doc = "How many times faster than the budget allows; 14.4 over 1h are 2% of a month's."},
};

#define SRE_WORKBOOK                                                                               \
    "Google, The Site Reliability Workbook, chapter 5, table 5-8", "CC-BY-NC-ND-4.0"

static const Preset burn_rate_presets[] = {
    {"page-fast", "long: 1h\nshort: 5min\nabove: 14.4\n", SRE_WORKBOOK,
     "Fires when 2% of a month's budget are gone."},
    {"page-slow", "long: 6h\nshort: 30min\nabove: 6\n", SRE_WORKBOOK,
     "Fires when 5% of a month's budget are gone."},
    {"ticket", "long: 3d\nshort: 6h\nabove: 1\n", SRE_WORKBOOK,
     "Fires when 10% of a month's budget are gone: nobody is woken for it."},
};

static const MonitorOps burn_rate_ops = {.component = burn_rate_component,
                                         .state_size = burn_rate_state_size,
                                         .fires = burn_rate_fires,
                                         .window = burn_rate_window};

const Kind monitor_burn_rate = {
    .family = FAMILY_MONITOR,
    .name = "burn_rate",
    .doc = "Fires while a client's error budget burns too fast, over a long window and a short "
           "one.",
    .params = burn_rate_params,
    .param_count = PARAM_COUNT_OF(burn_rate_params),
    .params_size = sizeof(BurnRateParams),
    .ops = &burn_rate_ops,
    .presets = burn_rate_presets,
    .preset_count = sizeof burn_rate_presets / sizeof burn_rate_presets[0],
    .check = burn_rate_check,
};
