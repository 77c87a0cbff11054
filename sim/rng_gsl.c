#include "sim/rng_gsl.h"

static void rng_gsl_set(void *state, unsigned long seed) {
    CHECK(state != NULL);
    RngKey key = rng_key(seed, 0, "gsl", "");
    rng_stream(state, &key);
}

static unsigned long rng_gsl_get(void *state) {
    CHECK(state != NULL);
    return (unsigned long)(rng_next(state) >> 32);
}

static double rng_gsl_get_double(void *state) {
    CHECK(state != NULL);
    return rng_uniform(state);
}

static const gsl_rng_type RNG_GSL_TYPE = {
    .name = "xoshiro256++",
    .max = 0xffffffffUL,
    .min = 0,
    .size = sizeof(Rng),
    .set = rng_gsl_set,
    .get = rng_gsl_get,
    .get_double = rng_gsl_get_double,
};

const gsl_rng_type *rng_gsl_type(void) {
    return &RNG_GSL_TYPE;
}

gsl_rng *rng_gsl_create(const RngKey *key) {
    CHECK(key != NULL);
    gsl_rng *rng = gsl_rng_alloc(&RNG_GSL_TYPE);
    /* GSL's default handler has ended the program already when memory is out. */
    CHECK(rng != NULL);
    rng_stream(rng->state, key);
    return rng;
}
