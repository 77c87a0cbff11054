#include "models/load_build.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/math.h"
#include "sim/vec.h"

/* The largest error of a chord of a product, as a share of the product. */
#define CHORD_ERROR 2e-5

#define TWO_PI 6.283185307179586

/* Later than the end of any spike or ramp: each begins and lasts at most SIM_TIME_S_MAX. */
#define FACTOR_END_S (3 * SIM_TIME_S_MAX)

typedef VEC(LoadPiece) Pieces;

bool load_spec_check(const LoadSpec *spec, uint32_t *index, Error *error) {
    CHECK(spec->point_count == 0 || spec->points != NULL);
    for (uint32_t i = 0; i < spec->point_count; i++) {
        const LoadPoint *point = &spec->points[i];
        *index = i;
        if (spec->is_linear && point->ramp > 0) {
            return error_set(error, "'interpolate: linear' joins the points, so a point takes no "
                                    "'ramp'");
        }
        if (i > 0 && point->at <= point[-1].at) {
            return error_set(error, "points must be in the order of time: this one is not after "
                                    "the one before");
        }
        if (i > 0 && point->at < point[-1].at + point[-1].ramp) {
            return error_set(error, "this point begins before the ramp of the one before has "
                                    "ended");
        }
    }
    for (uint32_t i = 0; i < spec->spike_count; i++) {
        *index = i;
        if (spec->spikes[i].ramp > spec->spikes[i].lasts / 2) {
            return error_set(error, "a spike rises and falls within 'for', so 'ramp' may be half "
                                    "of it at most");
        }
    }
    return true;
}

/* Adds a piece that goes in a straight line from one value to another. */
static void pieces_add(Pieces *pieces, double from_s, double to_s, double first, double last) {
    CHECK(from_s <= to_s);
    if (from_s == to_s) {
        return;
    }
    CHECK(first > -1e-9 && last > -1e-9); /* a sine may end a rounding error below 0 */
    LoadPiece piece = {from_s, first, (last - first) / (to_s - from_s)};
    if (pieces->count > 0 && piece.slope == 0) {
        const LoadPiece *before = &pieces->items[pieces->count - 1];
        if (before->slope == 0 && before->value == piece.value) {
            return;
        }
    }
    vec_push(pieces, piece);
}

/* Each factor is pieces over [0, FACTOR_END_S). */
static void factor_of_points(const LoadSpec *spec, Pieces *out) {
    CHECK(spec->point_count > 0);
    double at_s = 0;
    double x = spec->is_linear ? spec->points[0].x : 1;
    for (uint32_t i = 0; i < spec->point_count; i++) {
        const LoadPoint *point = &spec->points[i];
        double begin_s = time_to_s(point->at);
        double ramp_end_s = time_to_s(point->at + point->ramp);
        pieces_add(out, at_s, begin_s, x, spec->is_linear ? point->x : x);
        pieces_add(out, begin_s, ramp_end_s, x, point->x);
        x = point->x;
        at_s = ramp_end_s;
    }
    pieces_add(out, at_s, FACTOR_END_S, x, x);
}

static void factor_of_spike(const LoadSpike *spike, Pieces *out) {
    CHECK(spike->lasts >= 0 && spike->ramp <= spike->lasts / 2);
    double times_s[4] = {time_to_s(spike->at), time_to_s(spike->at + spike->ramp),
                         time_to_s(spike->at + spike->lasts - spike->ramp),
                         time_to_s(spike->at + spike->lasts)};
    pieces_add(out, 0, times_s[0], 1, 1);
    pieces_add(out, times_s[0], times_s[1], 1, spike->x);
    pieces_add(out, times_s[1], times_s[2], spike->x, spike->x);
    pieces_add(out, times_s[2], times_s[3], spike->x, 1);
    pieces_add(out, times_s[3], FACTOR_END_S, 1, 1);
}

/* The sine by its Taylor series on [-pi/2, pi/2]: the 12 terms leave an error below 2^-60. */
static double sine(double turns) {
    turns -= __builtin_floor(turns);
    double x = turns <= 0.25 ? turns : turns <= 0.75 ? 0.5 - turns : turns - 1;
    CHECK(x >= -0.25 && x <= 0.25);
    x *= TWO_PI;
    double sum = 0;
    for (int k = 23; k >= 3; k -= 2) {
        sum = (1 + sum) * (-x * x / (double)(k * (k - 1)));
    }
    return x * (1 + sum);
}

static bool factor_of_sine(const LoadSpec *spec, double horizon_s, Pieces *out, Error *error) {
    double period_s = time_to_s(spec->sine_period);
    CHECK(period_s > 0);
    CHECK(spec->sine_amplitude >= 0 && spec->sine_amplitude <= 1);
    double needed = horizon_s / period_s * LOAD_SINE_CHORDS;
    if (needed > LOAD_PIECES_MAX) {
        return error_set(error,
                         "a sine of this period would be cut into %.0f pieces over the run; at "
                         "most %d are possible, so take a period of %.3gs or more",
                         needed, LOAD_PIECES_MAX, horizon_s * LOAD_SINE_CHORDS / LOAD_PIECES_MAX);
    }
    double values[LOAD_SINE_CHORDS + 1];
    for (int i = 0; i < LOAD_SINE_CHORDS; i++) {
        double turns = (double)i / LOAD_SINE_CHORDS + spec->sine_phase / TWO_PI;
        values[i] = 1 + spec->sine_amplitude * sine(turns);
    }
    values[LOAD_SINE_CHORDS] = values[0];
    double at_s = 0;
    for (uint64_t k = 0; at_s <= horizon_s; k++) {
        double end_s = (double)(k + 1) * period_s / LOAD_SINE_CHORDS;
        size_t i = (size_t)(k % LOAD_SINE_CHORDS);
        pieces_add(out, at_s, end_s, values[i], values[i + 1]);
        at_s = end_s;
    }
    return true;
}

typedef struct Factors {
    Pieces *items;
    size_t count;
} Factors;

static int compare_times(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    CHECK(x >= 0 && y >= 0);
    return (x > y) - (x < y);
}

typedef VEC(double) Times;

/* The sorted times at which any factor changes its slope or jumps, from 0 to the horizon. */
static Times factors_breaks(const Factors *factors, double horizon_s) {
    Times all = {0};
    for (size_t f = 0; f < factors->count; f++) {
        for (size_t i = 0; i < factors->items[f].count; i++) {
            if (factors->items[f].items[i].from_s < horizon_s) {
                vec_push(&all, factors->items[f].items[i].from_s);
            }
        }
    }
    vec_push(&all, 0.0);
    vec_push(&all, horizon_s);
    qsort(all.items, all.count, sizeof(double), compare_times);
    size_t kept = 1;
    for (size_t i = 1; i < all.count; i++) {
        if (all.items[i] > all.items[kept - 1]) {
            all.items[kept++] = all.items[i];
        }
    }
    all.count = kept;
    CHECK(all.items[0] == 0 && all.items[kept - 1] == horizon_s);
    return all;
}

static double factor_value(const LoadPiece *piece, double at_s) {
    CHECK(at_s >= piece->from_s);
    return piece->value + piece->slope * (at_s - piece->from_s);
}

/* In how many chords the product is cut over one interval. With the factors' changes d and largest
 * values m, the product's second derivative is at most sum over pairs of 2 |d_i d_j| prod m of the
 * others, and a chord over 1/n of the interval misses by an eighth of that over n^2. */
static double product_chords(const Factors *factors, const LoadPiece *const *now, double from_s,
                             double to_s) {
    CHECK(from_s < to_s);
    double sum = 0, sum_of_squares = 0;
    for (size_t f = 0; f < factors->count; f++) {
        double first = factor_value(now[f], from_s), last = factor_value(now[f], to_s);
        double most = first > last ? first : last;
        double change = most > 0 ? (last - first) / most : 0;
        change = change < 0 ? -change : change;
        sum += change;
        sum_of_squares += change * change;
    }
    double pairs = (sum * sum - sum_of_squares) / 2;
    double chords = math_sqrt((pairs > 0 ? pairs : 0) * 2 / 8 / CHORD_ERROR);
    return chords <= 1 ? 1 : __builtin_floor(chords) + 1;
}

static double product_value(const Factors *factors, const LoadPiece *const *now, double at_s) {
    double product = 1;
    for (size_t f = 0; f < factors->count; f++) {
        double value = factor_value(now[f], at_s);
        product *= value > 0 ? value : 0;
    }
    return product;
}

/* Multiplies the factors into `out`; false when that would take too many pieces. */
static bool factors_multiply(const Factors *factors, const Times *breaks, Pieces *out) {
    const LoadPiece **now = mem_zalloc(factors->count, sizeof *now);
    size_t *index = mem_zalloc(factors->count, sizeof *index);
    CHECK(factors->count > 0);
    bool fits = true;
    for (size_t i = 0; fits && i + 1 < breaks->count; i++) {
        double from_s = breaks->items[i], to_s = breaks->items[i + 1];
        for (size_t f = 0; f < factors->count; f++) {
            const Pieces *pieces = &factors->items[f];
            while (index[f] + 1 < pieces->count && pieces->items[index[f] + 1].from_s <= from_s) {
                index[f]++;
            }
            now[f] = &pieces->items[index[f]];
        }
        double chords = product_chords(factors, now, from_s, to_s);
        fits = (double)out->count + chords <= LOAD_PIECES_MAX;
        double first = product_value(factors, now, from_s);
        for (uint32_t k = 1; fits && k <= (uint32_t)chords; k++) {
            double begin_s = from_s + (to_s - from_s) * (k - 1) / chords;
            double end_s = k == chords ? to_s : from_s + (to_s - from_s) * k / chords;
            double last = product_value(factors, now, end_s);
            pieces_add(out, begin_s, end_s, first, last);
            first = last;
        }
    }
    mem_free(now);
    mem_free(index);
    return fits;
}

/* Ends the curve with a constant and hands it to the model. */
static void curve_finish(Model *model, Pieces *pieces, double horizon_s, LoadCurve *out) {
    CHECK(pieces->count > 0);
    const LoadPiece *end = &pieces->items[pieces->count - 1];
    double last = factor_value(end, horizon_s);
    pieces_add(pieces, horizon_s, FACTOR_END_S, last > 0 ? last : 0, last > 0 ? last : 0);
    out->piece_count = (uint32_t)pieces->count;
    out->pieces = model_alloc(model, pieces->count, sizeof *out->pieces);
    memcpy(out->pieces, pieces->items, pieces->count * sizeof *out->pieces);
    out->is_one = out->piece_count == 1 && out->pieces[0].value == 1 && out->pieces[0].slope == 0;
    CHECK(out->pieces[0].from_s == 0);
    out->max = 0;
    for (uint32_t i = 0; i < out->piece_count; i++) {
        const LoadPiece *piece = &out->pieces[i];
        double end_s = i + 1 < out->piece_count ? piece[1].from_s : piece->from_s;
        double highest = piece->slope > 0 ? factor_value(piece, end_s) : piece->value;
        out->max = highest > out->max ? highest : out->max;
    }
}

bool load_build(Model *model, const LoadSpec *spec, bool with_spikes, SimTime horizon,
                LoadCurve *out, Error *error) {
    CHECK(horizon > 0);
    double horizon_s = time_to_s(horizon);
    Factors factors = {mem_zalloc((size_t)spec->spike_count + 2, sizeof(Pieces)), 1};
    pieces_add(&factors.items[0], 0, FACTOR_END_S, 1, 1);
    if (spec->point_count > 0) {
        factors.items[0].count = 0;
        factor_of_points(spec, &factors.items[0]);
    }
    for (uint32_t i = 0; with_spikes && i < spec->spike_count; i++) {
        factor_of_spike(&spec->spikes[i], &factors.items[factors.count++]);
    }
    bool fits = true;
    if (spec->sine_amplitude > 0) {
        fits = factor_of_sine(spec, horizon_s, &factors.items[factors.count++], error);
    }
    Pieces product = {0};
    if (fits) {
        Times breaks = factors_breaks(&factors, horizon_s);
        fits = factors_multiply(&factors, &breaks, &product);
        if (!fits) {
            error_set(error,
                      "this load would be cut into more than %d pieces; take fewer points "
                      "or a longer period",
                      LOAD_PIECES_MAX);
        } else {
            curve_finish(model, &product, horizon_s, out);
        }
        vec_free(&breaks);
    }
    vec_free(&product);
    for (size_t f = 0; f < factors.count; f++) {
        vec_free(&factors.items[f]);
    }
    mem_free(factors.items);
    return fits;
}
