#include "models/load.h"

#include <stddef.h>

#include "sim/check.h"
#include "sim/math.h"

/* The end of a piece; the last one never ends. */
static double piece_end_s(const LoadCurve *curve, uint32_t piece) {
    CHECK(piece < curve->piece_count);
    return piece + 1 < curve->piece_count ? curve->pieces[piece + 1].from_s : SIM_TIME_S_MAX;
}

static double piece_value(const LoadCurve *curve, uint32_t piece, double at_s) {
    const LoadPiece *p = &curve->pieces[piece];
    double value = p->value + p->slope * (at_s - p->from_s);
    /* A ramp down to 0 may end a rounding error below it. */
    return value > 0 ? value : 0;
}

/* Moves the cursor to the piece that holds the time. It looks backwards too: who rounds to whole
 * nanoseconds may come back by half of one. */
static uint32_t cursor_seek(const LoadCurve *curve, LoadCursor *cursor, double at_s) {
    CHECK(curve->piece_count > 0 && at_s >= 0);
    uint32_t piece = cursor->piece < curve->piece_count ? cursor->piece : 0;
    while (piece + 1 < curve->piece_count && curve->pieces[piece + 1].from_s <= at_s) {
        piece++;
    }
    while (piece > 0 && curve->pieces[piece].from_s > at_s) {
        piece--;
    }
    cursor->piece = piece;
    return piece;
}

double load_value(const LoadCurve *curve, LoadCursor *cursor, double at_s) {
    return piece_value(curve, cursor_seek(curve, cursor, at_s), at_s);
}

/* How long a piece that starts at `value` with `slope` takes to cover `area`. The usual root of the
 * quadratic loses all digits when the slope is small; this form of it does not. */
static double segment_time_s(double value, double slope, double area) {
    CHECK(value >= 0 && area > 0);
    double square = value * value + 2 * slope * area;
    double below = value + math_sqrt(square > 0 ? square : 0);
    CHECK(below > 0);
    return 2 * area / below;
}

double load_advance(const LoadCurve *curve, LoadCursor *cursor, double from_s, double amount) {
    CHECK(amount >= 0);
    uint32_t piece = cursor_seek(curve, cursor, from_s);
    double at_s = from_s;
    while (amount > 0) {
        double end_s = piece_end_s(curve, piece);
        double first = piece_value(curve, piece, at_s);
        double last = piece_value(curve, piece, end_s);
        double area = (end_s - at_s) * (first + last) / 2;
        if (amount <= area) {
            double found_s = at_s + segment_time_s(first, curve->pieces[piece].slope, amount);
            return found_s < end_s ? found_s : end_s;
        }
        if (piece + 1 == curve->piece_count) {
            return SIM_TIME_S_MAX;
        }
        amount -= area;
        at_s = end_s;
        piece++;
    }
    return at_s;
}

double load_between(const LoadCurve *curve, LoadCursor cursor, double from_s, double to_s) {
    CHECK(from_s <= to_s);
    uint32_t piece = cursor_seek(curve, &cursor, from_s);
    double sum = 0;
    while (from_s < to_s) {
        double end_s = piece_end_s(curve, piece);
        if (end_s > to_s || piece + 1 == curve->piece_count) {
            end_s = to_s;
        }
        sum += (end_s - from_s) *
               (piece_value(curve, piece, from_s) + piece_value(curve, piece, end_s)) / 2;
        from_s = end_s;
        piece++;
    }
    return sum;
}

/* The first whole nanosecond in [from_s, end_s) of a rising piece at which it is above the level;
 * end_s if there is none. Where f only equals the level, a caller who looks again would find
 * nothing changed, so the step doubles until the difference shows. */
static double piece_first_above(const LoadCurve *curve, uint32_t piece, double from_s,
                                double level) {
    double end_s = piece_end_s(curve, piece);
    const LoadPiece *p = &curve->pieces[piece];
    CHECK(p->slope > 0);
    double cross_s = p->from_s + (level - p->value) / p->slope;
    if (!(cross_s < end_s)) {
        return end_s;
    }
    SimTime step = 1;
    for (SimTime at = time_from_s(cross_s > from_s ? cross_s : from_s);; at += step, step *= 2) {
        double at_s = time_to_s(at);
        if (at_s >= end_s || (at_s >= from_s && piece_value(curve, piece, at_s) > level)) {
            return at_s < end_s ? at_s : end_s;
        }
    }
}

double load_first_above(const LoadCurve *curve, LoadCursor cursor, double from_s, double level) {
    CHECK(level >= 0);
    uint32_t piece = cursor_seek(curve, &cursor, from_s);
    double at_s = from_s;
    for (;;) {
        if (piece_value(curve, piece, at_s) > level) {
            return at_s;
        }
        double end_s = piece_end_s(curve, piece);
        if (curve->pieces[piece].slope > 0) {
            double found_s = piece_first_above(curve, piece, at_s, level);
            if (found_s < end_s) {
                return found_s;
            }
        }
        if (piece + 1 == curve->piece_count) {
            return SIM_TIME_S_MAX;
        }
        at_s = end_s;
        piece++;
    }
}
