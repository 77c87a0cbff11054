#include "sim/math.h"

#include "sim/check.h"

#include <stdint.h>
#include <string.h>

/* math_log and math_exp follow the algorithms and coefficients of fdlibm 5.3 (e_log.c, e_exp.c):
 *
 *     Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved.
 *     Developed at SunPro, a Sun Microsystems, Inc. business.
 *     Permission to use, copy, modify, and distribute this software is freely granted, provided
 *     that this notice is preserved.
 */

/* ln 2 in two parts: the first has trailing zeros, so that k times it is exact for |k| < 2^20. */
static const double LN2_HIGH = 0x1.62e42feep-1;
static const double LN2_LOW = 0x1.a39ef35793c76p-33;

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2); with s = f / (2 + f) is
 * log(1 + f) = f - s (f - R(s^2)), R the fdlibm polynomial with an error below 2^-58. */
double math_log(double x) {
    int k = 0;
    uint64_t bits = bits_of(x);
    if (!(x > 0)) {
        return x == 0 ? -__builtin_inf() : __builtin_nan("");
    }
    if (bits >= UINT64_C(0x7ff0000000000000)) {
        return x;
    }
    if (bits < UINT64_C(0x0010000000000000)) {
        bits = bits_of(x * 0x1p54);
        k = -54;
    }
    /* Adding the distance from sqrt(1/2) to 1 moves the exponent up exactly when 1 + f would exceed
     * sqrt(2). */
    uint64_t shifted = bits + (UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e00000000));
    k += (int)(shifted >> 52) - 1023;
    double f =
        double_of((shifted & UINT64_C(0x000fffffffffffff)) + UINT64_C(0x3fe6a09e00000000)) - 1;
    DCHECK(f > -0.2929 && f < 0.4143);
    double s = f / (2 + f);
    double z = s * s;
    double w = z * z;
    double even =
        w * (0x1.999999997fa04p-2 + w * (0x1.c71c51d8e78afp-3 + w * 0x1.39a09d078c69fp-3));
    double odd =
        z * (0x1.5555555555593p-1 +
             w * (0x1.2492494229359p-2 + w * (0x1.7466496cb03dep-3 + w * 0x1.2f112df3e5244p-3)));
    double half_square = 0.5 * f * f;
    return k * LN2_HIGH - ((half_square - (s * (half_square + (even + odd)) + k * LN2_LOW)) - f);
}

/* x = k ln 2 + r with |r| <= ln(2) / 2; e^r = 1 + r + r c / (2 - c) with the fdlibm polynomial
 * c(r). */
double math_exp(double x) {
    if (!(x <= 709.782712893383973096)) {
        return x != x ? x : __builtin_inf();
    }
    if (x < -745.13321910194110842) {
        return 0;
    }
    /* Adding 1.5 x 2^52 rounds to a whole number without a branch on the sign, which is random. */
    double k = x * 0x1.71547652b82fep0 + 0x1.8p52 - 0x1.8p52;
    double high = x - k * LN2_HIGH;
    double low = k * LN2_LOW;
    double r = high - low;
    DCHECK(r > -0.3466 && r < 0.3466);
    double t = r * r;
    double c = r - t * (0x1.555555555553ep-3 +
                        t * (-0x1.6c16c16bebd93p-9 +
                             t * (0x1.1566aaf25de2cp-14 +
                                  t * (-0x1.bbd41c5d26bf1p-20 + t * 0x1.6376972bea4dp-25))));
    double y = 1 + (r * c / (2 - c) - low + high);
    int exponent = (int)k;
    if (exponent >= -1021 && exponent <= 1022) {
        return double_of(bits_of(y) + ((uint64_t)exponent << 52));
    }
    /* Two factors, because neither 2^1024 nor 2^-1075 is a double. */
    int half = exponent / 2;
    return y * double_of((uint64_t)(1023 + half) << 52) *
           double_of((uint64_t)(1023 + exponent - half) << 52);
}

double math_pow(double x, double y) {
    CHECK(!(x < 0));
    if (y >= -64 && y <= 64 && y == (int)y) {
        double power = 1;
        double square = x;
        for (unsigned n = (unsigned)(y < 0 ? -y : y); n > 0; n >>= 1) {
            power = (n & 1) != 0 ? power * square : power;
            square *= square;
        }
        return y < 0 ? 1 / power : power;
    }
    return x == 1 ? 1 : math_exp(y * math_log(x));
}

/* Below 1 by Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + …))), whose eleventh level
 * is below half an ulp there; above, 1 - 2 / (e^2x + 1) loses nothing. */
double math_tanh(double x) {
    double size = x < 0 ? -x : x;
    if (!(size < 1)) {
        double tanh_size = size != size ? size : 1 - 2 / (math_exp(2 * size) + 1);
        return x < 0 ? -tanh_size : tanh_size;
    }
    double square = x * x, fraction = 21;
    for (int odd = 19; odd >= 1; odd -= 2) {
        fraction = odd + square / fraction;
    }
    DCHECK(fraction >= 1);
    return x / fraction;
}

/* e^(log(x) / 3) is off by as many ulp as its exponent is large; a step of Newton mends that. */
double math_cbrt(double x) {
    if (x == 0 || x != x) {
        return x;
    }
    double size = x < 0 ? -x : x;
    double root = math_exp(math_log(size) / 3);
    root -= (root - size / (root * root)) / 3;
    DCHECK(root > 0);
    return x < 0 ? -root : root;
}
