/* A measured profile: how long the layers of one model take on one GPU, by the number of tokens and
 * of sequences in a step, and its attention, by what the batch attends to.
 *
 * experiments/profile_in reads it from three files and fills it in; the Model's arena owns it and
 * it is const from then on. All times are picoseconds, held as doubles: whole numbers, so that
 * their sums are exact (below 2^53 ps, 2.5 hours) in any order and on any machine.
 *
 * Between two measured points time is linear: of the kernels' own cost that is true (decoding reads
 * the KV cache once), and interpolating in log space, as the doubling grid suggests, overshoots by
 * up to 6 % an axis (LLMServingSim, MIT, whose profiles these are, measured 2.3 to 3.7 % error for
 * linear and 12 to 14 % for logarithmic by leaving points out). Below the first point time is the
 * first point's: a kernel has a least time. Beyond the last point it grows as between the last two,
 * but never falls below the last.
 */
#ifndef KNOCKON_MODELS_INFERENCE_STEPS_PROFILE_H
#define KNOCKON_MODELS_INFERENCE_STEPS_PROFILE_H

#include <stdint.h>

/* What a step pays once (embedding, sampling) and what each transformer layer pays. */
typedef struct ProfileCost {
    double once_ps, per_layer_ps;
} ProfileCost;

/* All layers that depend on one number, summed into one curve with a value for every whole number:
 * a look-up is one load. */
typedef struct ProfileCurve {
    const ProfileCost *costs; /* for 0 … last */
    uint32_t last;
    ProfileCost rise; /* for each one beyond `last`; 0 or more */
} ProfileCurve;

enum { PROFILE_AXES_MAX = 4, PROFILE_BIT_LENGTHS = 33 };

/* The measured values of one coordinate of attention, ascending, two or more. */
typedef struct ProfileAxis {
    const double *points;
    uint32_t count;
    /* Where to begin the search for a number of so many bits: at the last point that is not above
     * the least such number, or the first. Grids that double need one step from there. */
    uint32_t starts[PROFILE_BIT_LENGTHS];
} ProfileAxis;

/* Attention of one kind of batch, at every combination of its axes' points; the last axis runs
 * fastest. Without axes: it was not measured. */
typedef struct ProfileGrid {
    ProfileAxis axes[PROFILE_AXES_MAX];
    uint32_t strides[PROFILE_AXES_MAX];
    uint32_t axis_count;
    const double *times_ps;
} ProfileGrid;

typedef struct StepProfile {
    ProfileCurve tokens, sequences;
    ProfileGrid prefill; /* by prefill_chunk, kv_prefill */
    ProfileGrid decode;  /* by n_decode, kv_decode */
    ProfileGrid mixed;   /* by all four in that order; may have no axes */
} StepProfile;

ProfileCost profile_curve_at(const ProfileCurve *curve, uint32_t number);

/* One coordinate for each axis, from 0 to 2^32 - 1; in ps. */
double profile_grid_at(const ProfileGrid *grid, const double *coordinates);

#endif
