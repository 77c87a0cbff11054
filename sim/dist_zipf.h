/* The hat function of the zipf sampler, shared by dist.c, which draws, and dist_solve.c, which sets
 * up.
 *
 * zipf_hat is the integral of t^-s from 1 to x, (x^(1-s) - 1) / (1 - s) or log x for s = 1, written
 * so that nothing cancels near s = 1.
 */
#ifndef KNOCKON_SIM_DIST_ZIPF_H
#define KNOCKON_SIM_DIST_ZIPF_H

#include "sim/check.h"
#include "sim/math.h"

/* log(1 + t) / t for t > -1, near 1 for small t: dividing by what 1 + t was rounded to cancels the
 * rounding (Kahan's log1p). */
static inline double zipf_log_ratio(double t) {
    DCHECK(t > -1);
    double u = 1 + t;
    return u == 1 ? 1 : math_log(u) / (u - 1);
}

/* (e^t - 1) / t, likewise. */
static inline double zipf_exp_ratio(double t) {
    DCHECK(t == t);
    double u = math_exp(t);
    if (t < -0.5 || t > 0.5) {
        return (u - 1) / t;
    }
    return u == 1 ? 1 : (u - 1) / math_log(u);
}

/* The weight of a rank, or of x in between: x^-s. */
static inline double zipf_weight(double x, double s) {
    DCHECK(x > 0);
    return math_exp(-s * math_log(x));
}

/* The integral of the weight from 1 to x > 0. */
static inline double zipf_hat(double x, double s) {
    DCHECK(x > 0);
    double log_x = math_log(x);
    return log_x * zipf_exp_ratio((1 - s) * log_x);
}

/* The x at which zipf_hat is h; infinite where rounding put h at or beyond the limit of the
 * integral. */
static inline double zipf_hat_inverse(double h, double s) {
    DCHECK(h == h && s >= 0);
    double t = h * (1 - s);
    return t > -1 ? math_exp(h * zipf_log_ratio(t)) : __builtin_inf();
}

#endif
