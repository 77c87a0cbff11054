/* The project's generator as a gsl_rng, for GSL's rarer laws outside the event path (they call
 * libm, so their last bits differ between machines).
 *
 * 32 bits a call, as GSL's ziggurats expect; gsl_rng_uniform has 53. Whoever allocates it frees it
 * with gsl_rng_free. gsl_rng_set(r, seed) starts the stream of (seed, 0, "gsl", "").
 */
#ifndef KNOCKON_SIM_RNG_GSL_H
#define KNOCKON_SIM_RNG_GSL_H

#include "sim/rng.h"

#include <gsl/gsl_rng.h>

/* xoshiro256++ for gsl_rng_alloc. */
const gsl_rng_type *rng_gsl_type(void);

/* A new gsl_rng at the start of the key's stream; free it with gsl_rng_free. */
gsl_rng *rng_gsl_create(const RngKey *key);

#endif
