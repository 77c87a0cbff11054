#include "models/clients/breaker.h"

#include "sim/check.h"

void breaker_opens(Breaker *breaker, SimTime now) {
    CHECK(breaker->phase != BREAKER_OPEN);
    *breaker = (Breaker){.phase = BREAKER_OPEN, .opened_at = now};
}

void breaker_closes(Breaker *breaker) {
    CHECK(breaker->phase == BREAKER_HALF_OPEN);
    *breaker = (Breaker){.phase = BREAKER_CLOSED};
}

SimTime breaker_looks_back_for_ever(const void *params) {
    CHECK(params != NULL);
    return SIM_TIME_NEVER;
}

bool breaker_admits(Breaker *breaker, SimTime open, uint32_t half_open, SimTime now) {
    CHECK(half_open > 0 && now >= breaker->opened_at);
    if (breaker->phase == BREAKER_OPEN && now - breaker->opened_at >= open) {
        *breaker = (Breaker){.phase = BREAKER_HALF_OPEN,
                             .opened_at = breaker->opened_at,
                             .permits = half_open,
                             .probes = half_open};
    }
    if (breaker->phase != BREAKER_HALF_OPEN) {
        return breaker->phase == BREAKER_CLOSED;
    }
    if (breaker->permits == 0) {
        return false;
    }
    breaker->permits--;
    return true;
}

void breaker_gets_back(Breaker *breaker) {
    CHECK(breaker->permits <= breaker->probes);
    breaker->permits += breaker->permits < breaker->probes;
}

void breaker_count(BreakerTally *tally, const BreakerRates *rates, const AttemptResult *result) {
    CHECK(result->took >= 0);
    tally->heard++;
    tally->failed += result->outcome != OUTCOME_OK;
    tally->slow += result->took > rates->slow_after;
}

bool breaker_is_bad(const BreakerRates *rates, const BreakerTally *tally) {
    CHECK(tally->failed <= tally->heard && tally->slow <= tally->heard);
    return tally->failed >= rates->failure_rate * tally->heard ||
           tally->slow >= rates->slow_rate * tally->heard;
}

bool breaker_hears_probe(Breaker *breaker, const BreakerRates *rates, uint32_t min_calls,
                         const AttemptResult *result) {
    CHECK(breaker->phase != BREAKER_CLOSED);
    if (breaker->phase == BREAKER_OPEN) {
        return false;
    }
    breaker_count(&breaker->probed, rates, result);
    if (breaker->probed.heard < (min_calls < rates->half_open ? min_calls : rates->half_open)) {
        return false;
    }
    if (breaker_is_bad(rates, &breaker->probed)) {
        breaker_opens(breaker, result->now);
        return false;
    }
    breaker_closes(breaker);
    return true;
}
