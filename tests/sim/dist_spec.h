/* Specs of laws by the names of their parameters, for tests. */
#ifndef KNOCKON_TESTS_SIM_DIST_SPEC_H
#define KNOCKON_TESTS_SIM_DIST_SPEC_H

#include "sim/check.h"
#include "sim/dist.h"
#include "tests/test.h"

#include <stdarg.h>

/* The law of that name with number parameters as name, value pairs, ended by NULL. */
static inline DistSpec spec_of(const char *law_name, ...) {
    DistSpec spec = {.law = dist_law_find(law_name)};
    const DistLaw *law = dist_law(spec.law);
    va_list pairs;
    va_start(pairs, law_name);
    for (const char *name = va_arg(pairs, const char *); name != NULL;
         name = va_arg(pairs, const char *)) {
        size_t i = dist_param_find(law, name);
        CHECK(i < law->param_count && !dist_param_is_list(law->params[i].kind));
        spec.given |= 1u << i;
        spec.values[i] = va_arg(pairs, double);
    }
    va_end(pairs);
    return spec;
}

/* Adds a parameter that is a list; the items stay the caller's. */
static inline void spec_list(DistSpec *spec, const char *name, const double *items, size_t count) {
    const DistLaw *law = dist_law(spec->law);
    size_t i = dist_param_find(law, name);
    CHECK(i < law->param_count && dist_param_is_list(law->params[i].kind));
    spec->given |= 1u << i;
    spec->lists[i] = (DistList){items, count};
}

/* The solved law; fails the test with the refusal if there is one. */
static inline Dist solved(DistSpec spec) {
    Dist dist;
    Error error;
    if (!dist_solve(&spec, &dist, &error)) {
        ck_abort_msg("refused: %s", error.text);
    }
    return dist;
}

#endif
