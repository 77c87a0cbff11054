#include "sim/ziggurat.h"

#include "sim/math.h"

/* Between the inner part and the curve: accepts x with the share of its column that is below the
 * curve, where height_low and height_high are the curve at the layer's edges. */
static bool ziggurat_accept(Rng *rng, double height_low, double height_high, double height) {
    DCHECK(height_low <= height_high);
    return height_low + rng_uniform(rng) * (height_high - height_low) < height;
}

double ziggurat_exponential_rest(Rng *rng, uint64_t word) {
    CHECK(rng != NULL);
    double beyond = 0;
    for (;;) {
        unsigned layer = word & (ZIGGURAT_LAYERS - 1);
        const double *edge = &ZIGGURAT_EXPONENTIAL[layer];
        double x = (double)(word >> 11) * 0x1p-53 * edge[0];
        DCHECK(x >= 0 && x < edge[0]);
        if (x < edge[1]) {
            return beyond + x;
        }
        if (layer == 0) {
            /* The tail of an exponential is an exponential again. */
            beyond += ZIGGURAT_EXPONENTIAL[1];
        } else if (ziggurat_accept(rng, math_exp(-edge[0]), math_exp(-edge[1]), math_exp(-x))) {
            return beyond + x;
        }
        word = rng_next(rng);
    }
}

/* The tail beyond r: Marsaglia, "Generating a variable from the tail of the normal distribution",
 * Technometrics 6 (1964). */
static double ziggurat_normal_tail(Rng *rng) {
    const double r = ZIGGURAT_NORMAL[1];
    DCHECK(rng != NULL);
    for (;;) {
        double x = ziggurat_exponential(rng) / r;
        if (2 * ziggurat_exponential(rng) > x * x) {
            return r + x;
        }
    }
}

double ziggurat_normal_rest(Rng *rng, uint64_t word) {
    CHECK(rng != NULL);
    for (;;) {
        unsigned layer = word & (ZIGGURAT_LAYERS - 1);
        const double *edge = &ZIGGURAT_NORMAL[layer];
        double x = (double)(word >> 11) * 0x1p-53 * edge[0];
        bool is_in = x < edge[1];
        if (!is_in && layer == 0) {
            x = ziggurat_normal_tail(rng);
            is_in = true;
        } else if (!is_in) {
            is_in = ziggurat_accept(rng, math_exp(-0.5 * edge[0] * edge[0]),
                                    math_exp(-0.5 * edge[1] * edge[1]), math_exp(-0.5 * x * x));
        }
        if (is_in) {
            return ziggurat_signed(x, word);
        }
        word = rng_next(rng);
    }
}
