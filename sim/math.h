/* Logarithm, exponential, power and their kin with equal bits on every machine, for the event path.
 *
 * glibc chooses its own by processor at run time, so that the same binary gives other last bits
 * elsewhere (hundreds of differing results in 10^6 calls with and without FMA). These use only
 * + - * / and comparisons of IEEE doubles; with -ffp-contract=off gcc and clang agree at every
 * level of optimisation. About 6 ns a call, as libm.
 */
#ifndef KNOCKON_SIM_MATH_H
#define KNOCKON_SIM_MATH_H

#if __FLT_EVAL_METHOD__ != 0
#error "knockon needs doubles that are evaluated as doubles: build with SSE2, not x87"
#endif

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Natural logarithm, within 1 ulp. 0 gives -infinity; a negative number or NaN gives NaN. */
double math_log(double x);

/* e to the x, within 1 ulp. Above 709.78 infinity, below -745.13 zero; NaN gives NaN. */
double math_exp(double x);

/* x to the y for x >= 0. For whole y up to 64 in size it multiplies, so that exact powers come out
 * exactly and others within |y| ulp; otherwise exp(y log x), within 2 + 2 |y log x| ulp. */
double math_pow(double x, double y);

/* Hyperbolic tangent, within 3 ulp. NaN gives NaN. */
double math_tanh(double x);

/* Cube root, within 1 ulp for |x| from 2^-1000 to 2^1000; 0 gives 0. */
double math_cbrt(double x);

/* Square root, correctly rounded as IEEE 754 asks, so that any way of computing it has equal bits;
 * the intrinsic keeps the C library out of it at -O0 too. */
static inline double math_sqrt(double x) {
#ifdef __SSE2__
    return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x)));
#else
    return __builtin_sqrt(x);
#endif
}

#endif
