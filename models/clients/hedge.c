#include "models/clients/hedge.h"

#include "sim/check.h"

/* As long as Finagle's RetryBudget, which limits its backup requests in the same way. */
static const SimTime HEDGE_WINDOW = 10 * SIM_TIME_S;

void hedge_begin(const HedgeRules *rules, void *state, SimTime now) {
    CHECK(rules->max > 0);
    if (rules->has_max_extra) {
        window_turn(state, WINDOW_SLICES, HEDGE_WINDOW, now);
        window_add(state, WINDOW_SLICES, HEDGE_CALLS);
    }
}

bool hedge_take(const HedgeRules *rules, void *state, SimTime now) {
    const Window *window = state;
    CHECK(rules->max > 0);
    if (!rules->has_max_extra) {
        return true;
    }
    window_turn(state, WINDOW_SLICES, HEDGE_WINDOW, now);
    if (window->sums[HEDGE_SENT] + 1.0 > rules->max_extra * window->sums[HEDGE_CALLS]) {
        return false;
    }
    window_add(state, WINDOW_SLICES, HEDGE_SENT);
    return true;
}
