/* Exponential and normal deviates by the ziggurat of Marsaglia and Tsang (J. Stat. Software 5(8),
 * 2000), 256 layers, with layer, sign and 53 bits of the value from one 64-bit word: the original's
 * shared bits are correlated (Doornik 2005).
 *
 * About 2.7 ns either: one word, one multiplication, one comparison in 97.8 % and 98.5 % of draws.
 * The rest needs math_exp, and costs more words, so the count of words per deviate varies.
 */
#ifndef KNOCKON_SIM_ZIGGURAT_H
#define KNOCKON_SIM_ZIGGURAT_H

#include "sim/rng.h"

#include <stdbool.h>
#include <string.h>

enum { ZIGGURAT_LAYERS = 256 };

/* Edges of the layers; see ziggurat_tables.c. */
extern const double ZIGGURAT_EXPONENTIAL[ZIGGURAT_LAYERS + 1];
extern const double ZIGGURAT_NORMAL[ZIGGURAT_LAYERS + 1];

/* What the fast paths below leave over: the word missed the inner part of its layer. */
double ziggurat_exponential_rest(Rng *rng, uint64_t word);
double ziggurat_normal_rest(Rng *rng, uint64_t word);

/* x with the sign that a bit of the word says: by bits, because a branch would be mispredicted
 * every other time. x must be >= 0. */
static inline double ziggurat_signed(double x, uint64_t word) {
    DCHECK(x >= 0);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits |= (word & ZIGGURAT_LAYERS) << 55;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Exponential with mean 1: >= 0, finite. */
static inline double ziggurat_exponential(Rng *rng) {
    uint64_t word = rng_next(rng);
    unsigned layer = word & (ZIGGURAT_LAYERS - 1);
    double x = (double)(word >> 11) * 0x1p-53 * ZIGGURAT_EXPONENTIAL[layer];
    if (__builtin_expect(x < ZIGGURAT_EXPONENTIAL[layer + 1], 1)) {
        return x;
    }
    return ziggurat_exponential_rest(rng, word);
}

/* Normal with mean 0 and standard deviation 1. */
static inline double ziggurat_normal(Rng *rng) {
    uint64_t word = rng_next(rng);
    unsigned layer = word & (ZIGGURAT_LAYERS - 1);
    double x = (double)(word >> 11) * 0x1p-53 * ZIGGURAT_NORMAL[layer];
    if (__builtin_expect(x < ZIGGURAT_NORMAL[layer + 1], 1)) {
        return ziggurat_signed(x, word);
    }
    return ziggurat_normal_rest(rng, word);
}

#endif
