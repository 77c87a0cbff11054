/* Makes load curves of what a scenario says: points, spikes and a sine wave, multiplied.
 *
 * Points: before the first the factor is 1; at a point's time it starts to move to its x, in a
 * straight line over its ramp (0: a jump), and holds it until the next. With is_linear it moves
 * straight from point to point and holds the first x before the first and the last x after the
 * last. A spike rises to x within [at, at + ramp] and falls back within the last `ramp` of its
 * length. The sine wave is 1 + amplitude sin(2 pi t / period + phase), cut into 512 chords a
 * period: they miss it by less than (2 pi / 512)^2 / 8 = 1.9e-5 of the amplitude. Where factors
 * that all move are multiplied, the product is cut so that chords miss it by less than 2e-5 of its
 * size. No libm: equal bits everywhere.
 */
#ifndef KNOCKON_MODELS_LOAD_BUILD_H
#define KNOCKON_MODELS_LOAD_BUILD_H

#include "models/model.h"

/* Beyond this many pieces a curve is refused. */
enum { LOAD_PIECES_MAX = 1000000, LOAD_SINE_CHORDS = 512 };

typedef struct LoadPoint {
    SimTime at;
    double x;
    SimTime ramp;
} LoadPoint;

typedef struct LoadSpike {
    SimTime at, lasts;
    double x;
    SimTime ramp;
} LoadSpike;

typedef struct LoadSpec {
    LoadPoint *points;
    uint32_t point_count;
    bool is_linear;
    LoadSpike *spikes;
    uint32_t spike_count;
    double sine_amplitude; /* 0 to 1; 0: no sine */
    SimTime sine_period;   /* above 0 when there is an amplitude */
    double sine_phase;     /* radians */
} LoadSpec;

/* What is wrong with the spec, such as points out of order; *index is the point or spike at fault.
 */
bool load_spec_check(const LoadSpec *spec, uint32_t *index, Error *error);

/* The curve of a spec that passed load_spec_check, over [0, horizon]; pieces live in the model.
 * False when there would be more than LOAD_PIECES_MAX. */
bool load_build(Model *model, const LoadSpec *spec, bool with_spikes, SimTime horizon,
                LoadCurve *out, Error *error);

#endif
