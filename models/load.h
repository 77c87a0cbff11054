/* The load curve: a factor on a client's rate over time, f(t) >= 0.
 *
 * It is piecewise linear, with jumps. Products of ramps and sine waves are cut into pieces so fine
 * that the error is below 2e-5 of the amplitude (load_curve_add_sine). An arrival process runs on
 * an operational clock that advances at f(t): exact time change, so that a Poisson process stays
 * Poisson (rate x f(t)) and a spike adds arrivals without new random numbers. Outside the pieces f
 * keeps the last value. Cursors make advancing O(1) on average.
 */
#ifndef KNOCKON_MODELS_LOAD_H
#define KNOCKON_MODELS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/clock.h"

typedef struct LoadPiece {
    double from_s;       /* start of the piece */
    double value, slope; /* f(t) = value + slope * (t - from_s) until the next piece begins */
} LoadPiece;

typedef struct LoadCurve {
    LoadPiece *pieces; /* sorted, the first from 0; owned by the model */
    uint32_t piece_count;
    bool is_one; /* f = 1 everywhere: no time change needed */
    double max;  /* the largest value of f */
} LoadCurve;

typedef struct LoadCursor {
    uint32_t piece; /* index of the piece that holds the last time asked for */
} LoadCursor;

double load_value(const LoadCurve *curve, LoadCursor *cursor, double at_s);

/* The time at which the operational clock has advanced by `amount` (>= 0) beyond `from_s`;
 * infinity-like SIM_TIME_S_MAX when f is 0 for ever. `from_s` must not go backwards between calls
 * on one cursor. */
double load_advance(const LoadCurve *curve, LoadCursor *cursor, double from_s, double amount);

/* How far the operational clock advances in [from_s, to_s]. */
double load_between(const LoadCurve *curve, LoadCursor cursor, double from_s, double to_s);

/* The first time at or after `from_s` at which f is above `level`; SIM_TIME_S_MAX if never. */
double load_first_above(const LoadCurve *curve, LoadCursor cursor, double from_s, double level);

#endif
