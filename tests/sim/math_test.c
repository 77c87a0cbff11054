#include "sim/math.h"

#include "sim/rng.h"
#include "tests/sim/judge.h"
#include "tests/test.h"

#include <float.h>

enum { POINT_COUNT = 300000 };

static Rng math_rng(const char *purpose) {
    RngKey key = rng_key(20, 0, "math_test", purpose);
    Rng rng;
    rng_stream(&rng, &key);
    return rng;
}

/* The distance in units of the last place of the true value, which is at least DBL_TRUE_MIN. */
static double ulps(double found, long double truth) {
    int exponent;
    frexpl(truth, &exponent);
    long double unit = fmaxl(ldexpl(1, exponent - 53), (long double)DBL_TRUE_MIN);
    return (double)(fabsl((long double)found - truth) / unit);
}

/* A positive double of any exponent, subnormal ones included. */
static double any_positive(Rng *rng) {
    uint64_t bits = rng_next(rng) % (UINT64_C(0x7ff) << 52);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

START_TEST(log_is_within_one_ulp_for_every_exponent_and_near_one) {
    Rng rng = math_rng("log");
    double worst = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = any_positive(&rng);
        worst = fmax(worst, ulps(math_log(x), logl(x)));
        x = 0.5 + 1.5 * rng_uniform(&rng);
        worst = fmax(worst, ulps(math_log(x), logl(x)));
        x = 1 + (rng_uniform(&rng) - 0.5) * 0x1p-20;
        worst = fmax(worst, ulps(math_log(x), logl(x)));
    }
    ck_assert_double_lt(worst, 1);
    ck_assert_double_gt(worst, 0.5);
}
END_TEST

START_TEST(exp_is_within_one_ulp_from_the_smallest_to_the_largest_double) {
    Rng rng = math_rng("exp");
    double worst = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = -745.2 + rng_uniform(&rng) * (709.78 + 745.2);
        worst = fmax(worst, ulps(math_exp(x), expl(x)));
        x = (rng_uniform(&rng) - 0.5) * 4;
        worst = fmax(worst, ulps(math_exp(x), expl(x)));
        x = -708 - 37 * rng_uniform(&rng);
        worst = fmax(worst, ulps(math_exp(x), expl(x)));
    }
    ck_assert_double_lt(worst, 1);
    ck_assert_double_gt(worst, 0.5);
}
END_TEST

START_TEST(limits_are_those_of_ieee_754) {
    ck_assert(math_log(0) == -INFINITY);
    ck_assert(math_log(-0.0) == -INFINITY);
    ck_assert(isnan(math_log(-1.5)));
    ck_assert(isnan(math_log(NAN)));
    ck_assert(math_log(INFINITY) == INFINITY);
    ck_assert(math_log(1) == 0 && !signbit(math_log(1)));
    ck_assert(math_log(DBL_TRUE_MIN) == -0x1.74385446d71c3p+9);
    ck_assert(math_log(DBL_MAX) == 0x1.62e42fefa39efp+9);
    ck_assert(math_exp(0) == 1 && math_exp(-0.0) == 1);
    ck_assert(math_exp(INFINITY) == INFINITY && math_exp(709.79) == INFINITY);
    ck_assert(math_exp(-INFINITY) == 0 && math_exp(-745.14) == 0);
    ck_assert(math_exp(-745.13) == DBL_TRUE_MIN);
    ck_assert(isfinite(math_exp(709.782712893383973)));
    ck_assert(isnan(math_exp(NAN)));
}
END_TEST

START_TEST(whole_powers_that_are_doubles_are_exact) {
    double power = 1;
    for (int n = 0; n <= 64; n++, power *= 2) {
        ck_assert(math_pow(2, n) == power);
        ck_assert(math_pow(2, -n) == 1 / power);
    }
    ck_assert(math_pow(10, 22) == 1e22);
    ck_assert(math_pow(3, 33) == 5559060566555523.0);
    ck_assert(math_pow(1.5, 20) == 3486784401.0 / 1048576.0);
    ck_assert(math_pow(0, 0) == 1 && math_pow(0, 3) == 0 && math_pow(0, -2) == INFINITY);
    ck_assert(math_pow(0, 0.5) == 0 && math_pow(1, 1e300) == 1 && math_pow(0, -0.5) == INFINITY);
}
END_TEST

START_TEST(powers_keep_their_stated_error) {
    Rng rng = math_rng("pow");
    double worst = 0;
    double worst_whole = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = exp((rng_uniform(&rng) - 0.5) * 20);
        double y = (rng_uniform(&rng) - 0.5) * 60;
        double limit = 2 + 2 * fabs(y * log(x));
        worst = fmax(worst, ulps(math_pow(x, y), powl(x, y)) / limit);
        double whole = floor(y);
        worst_whole =
            fmax(worst_whole, ulps(math_pow(x, whole), powl(x, whole)) / (fabs(whole) + 0.5));
    }
    ck_assert_double_le(worst, 1);
    ck_assert_double_le(worst_whole, 1);
}
END_TEST

START_TEST(square_roots_are_correctly_rounded) {
    Rng rng = math_rng("sqrt");
    double worst = 0;
    int unlike_count = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = any_positive(&rng);
        unlike_count += math_sqrt(x) != sqrt(x);
        worst = fmax(worst, ulps(math_sqrt(x), sqrtl(x)));
    }
    ck_assert_int_eq(unlike_count, 0);
    ck_assert_double_le(worst, 0.5 + 1e-3);
    ck_assert(math_sqrt(0) == 0 && math_sqrt(INFINITY) == INFINITY && isnan(math_sqrt(-1)));
}
END_TEST

START_TEST(tanh_and_cbrt_keep_their_stated_error) {
    Rng rng = math_rng("tanh");
    double worst_tanh = 0, worst_cbrt = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = (rng_uniform(&rng) - 0.5) * (i % 2 == 0 ? 2.2 : 50);
        worst_tanh = fmax(worst_tanh, ulps(math_tanh(x), tanhl(x)));
        x *= 0x1p-30;
        worst_tanh = fmax(worst_tanh, ulps(math_tanh(x), tanhl(x)));
        x = (rng_uniform(&rng) - 0.5) * exp((rng_uniform(&rng) - 0.5) * 1300);
        worst_cbrt = fmax(worst_cbrt, ulps(math_cbrt(x), cbrtl(x)));
    }
    ck_assert_double_le(worst_tanh, 3);
    ck_assert_double_le(worst_cbrt, 1);
    ck_assert(math_tanh(0) == 0 && math_tanh(INFINITY) == 1 && math_tanh(-800) == -1);
    ck_assert(isnan(math_tanh(NAN)) && isnan(math_cbrt(NAN)) && math_cbrt(0) == 0);
    ck_assert(math_cbrt(27) == 3 && math_cbrt(-0.125) == -0.5);
}
END_TEST

START_TEST(tanh_and_cbrt_have_the_same_bits_everywhere) {
    Rng rng = math_rng("more bits");
    uint64_t digest = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = any_positive(&rng);
        digest = judge_digest(digest, math_tanh((rng_uniform(&rng) - 0.5) * 20));
        digest = judge_digest(digest, math_cbrt(x));
    }
    ck_assert_msg(digest == UINT64_C(0x87353ec9ce033181), "digest is now 0x%016llx",
                  (unsigned long long)digest);
}
END_TEST

/* Holds compilers, levels of optimisation and processors together. */
START_TEST(bits_are_the_same_everywhere) {
    Rng rng = math_rng("bits");
    uint64_t digest = 0;
    for (int i = 0; i < POINT_COUNT; i++) {
        double x = any_positive(&rng);
        double y = (rng_uniform(&rng) - 0.5) * 1480;
        digest = judge_digest(digest, math_log(x));
        digest = judge_digest(digest, math_exp(y));
        digest = judge_digest(digest, math_pow(1 + rng_uniform(&rng), y));
        digest = judge_digest(digest, math_sqrt(x));
    }
    ck_assert_msg(digest == UINT64_C(0xc09afbbd12713ed4), "digest is now 0x%016llx",
                  (unsigned long long)digest);
}
END_TEST

TEST_SUITE("sim/math", log_is_within_one_ulp_for_every_exponent_and_near_one,
           exp_is_within_one_ulp_from_the_smallest_to_the_largest_double,
           limits_are_those_of_ieee_754, whole_powers_that_are_doubles_are_exact,
           powers_keep_their_stated_error, square_roots_are_correctly_rounded,
           bits_are_the_same_everywhere, tanh_and_cbrt_keep_their_stated_error,
           tanh_and_cbrt_have_the_same_bits_everywhere)
