#include "sim/rng.h"

#include "sim/rng_gsl.h"
#include "tests/sim/judge.h"
#include "tests/test.h"

#include <gsl/gsl_randist.h>

enum { DRAW_COUNT = 200000, BIN_COUNT = 64 };

static Rng rng_of(const char *name, const char *purpose) {
    RngKey key = rng_key(7, 3, name, purpose);
    Rng rng;
    rng_stream(&rng, &key);
    return rng;
}

static bool keys_equal(RngKey a, RngKey b) {
    return a.k[0] == b.k[0] && a.k[1] == b.k[1];
}

/* The three answers of Random123 1.14, tests/kat_vectors, "philox4x64 10". */
START_TEST(philox_gives_the_known_answers) {
    static const struct {
        uint64_t counter[4];
        RngKey key;
        uint64_t answer[4];
    } rows[] = {
        {{0, 0, 0, 0},
         {{0, 0}},
         {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
         {{UINT64_MAX, UINT64_MAX}},
         {0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}},
        {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
         {{0x452821e638d01377, 0xbe5466cf34e90c6c}},
         {0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t block[4];
        rng_philox(rows[i].counter, &rows[i].key, block);
        ck_assert_mem_eq(block, rows[i].answer, sizeof block);
    }
}
END_TEST

/* The same, "philox2x64 10". */
START_TEST(philox2_gives_the_known_answers) {
    static const struct {
        uint64_t counter[2], key, answer[2];
    } rows[] = {
        {{0, 0}, 0, {0xca00a0459843d731, 0x66c24222c9a845b5}},
        {{UINT64_MAX, UINT64_MAX}, UINT64_MAX, {0x65b021d60cd8310f, 0x4d02f3222f86df20}},
        {{0x243f6a8885a308d3, 0x13198a2e03707344},
         0xa4093822299f31d0,
         {0x0a5e742c2997341c, 0xb0f883d38000de5d}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t block[2];
        rng_philox2(rows[i].counter[0], rows[i].counter[1], rows[i].key, block);
        ck_assert_mem_eq(block, rows[i].answer, sizeof block);
    }
}
END_TEST

/* The first ten outputs of the authors' C code from state 1, 2, 3, 4. */
START_TEST(xoshiro_gives_the_known_answers) {
    static const uint64_t answers[] = {41943041u,
                                       58720359u,
                                       3588806011781223u,
                                       3591011842654386u,
                                       9228616714210784205u,
                                       9973669472204895162u,
                                       14011001112246962877u,
                                       12406186145184390807u,
                                       15849039046786891736u,
                                       10450023813501588000u};
    Rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        ck_assert_uint_eq(rng_next(&rng), answers[i]);
    }
}
END_TEST

START_TEST(a_key_depends_on_each_of_its_four_parts) {
    RngKey keys[] = {
        rng_key(1, 0, "web", "arrivals"),
        rng_key(2, 0, "web", "arrivals"),
        rng_key(0, 1, "web", "arrivals"),
        rng_key(1, 1, "web", "arrivals"),
        rng_key(1, 0, "wea", "arrivals"),
        rng_key(1, 0, "web", "arrival"),
        rng_key(1, 0, "arrivals", "web"),
        rng_key(1, 0, "weba", "rrivals"),
        rng_key(1, 0, "", "webarrivals"),
        rng_key(1, 0, "webarrivals", ""),
        rng_key(1, 0, "", ""),
    };
    size_t count = sizeof keys / sizeof keys[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert(!keys_equal(keys[i], keys[j]));
            Rng a;
            Rng b;
            rng_stream(&a, &keys[i]);
            rng_stream(&b, &keys[j]);
            ck_assert_uint_ne(rng_next(&a), rng_next(&b));
        }
    }
    ck_assert(keys_equal(keys[0], rng_key(1, 0, "web", "arrivals")));
}
END_TEST

START_TEST(keys_and_first_draws_never_change) {
    RngKey key = rng_key(1, 2, "llm", "work");
    ck_assert_uint_eq(key.k[0], UINT64_C(0xc8444d2a7dc79012));
    ck_assert_uint_eq(key.k[1], UINT64_C(0x84e6ecbf4b99ccc7));
    Rng rng;
    rng_stream(&rng, &key);
    ck_assert_uint_eq(rng_next(&rng), UINT64_C(0x959c887a1003a33d));
    rng_keyed(&rng, &key, 5, 1);
    ck_assert_uint_eq(rng_next(&rng), UINT64_C(0x2e0347e248be3404));
}
END_TEST

START_TEST(keyed_draws_do_not_depend_on_their_order) {
    RngKey key = rng_key(1, 0, "llm", "work");
    double forward[100];
    Rng rng;
    for (uint64_t i = 0; i < 100; i++) {
        rng_keyed(&rng, &key, i, 1);
        forward[i] = rng_uniform(&rng);
    }
    for (uint64_t i = 100; i-- > 0;) {
        for (uint64_t other = 0; other < i % 3; other++) {
            rng_keyed(&rng, &key, i + 1000, other);
            rng_next(&rng);
        }
        rng_keyed(&rng, &key, i, 1);
        ck_assert(rng_uniform(&rng) == forward[i]);
    }
}
END_TEST

/* Each of the 128 bits of (a, b), flipped, changes each bit of the first word with a chance of 1/2.
 */
START_TEST(one_flipped_bit_of_a_keyed_counter_changes_half_of_the_output) {
    RngKey key = rng_key(1, 0, "llm", "work");
    enum { TRIAL_COUNT = 400 };
    for (int bit = 0; bit < 128; bit++) {
        double changed[64] = {0};
        double total = 0;
        for (uint64_t trial = 0; trial < TRIAL_COUNT; trial++) {
            Rng base;
            Rng flipped;
            rng_keyed(&base, &key, trial, 1);
            rng_keyed(&flipped, &key, trial ^ (bit < 64 ? UINT64_C(1) << bit : 0),
                      1 ^ (bit < 64 ? 0 : UINT64_C(1) << (bit - 64)));
            uint64_t difference = rng_next(&base) ^ rng_next(&flipped);
            for (int out = 0; out < 64; out++) {
                changed[out] += (double)(difference >> out & 1);
                total += (double)(difference >> out & 1);
            }
        }
        ck_assert(judge_share(total, 64 * TRIAL_COUNT, 0.5));
        double farthest = 0;
        for (int out = 0; out < 64; out++) {
            farthest = fmax(farthest, fabs(changed[out] - 0.5 * TRIAL_COUNT));
        }
        /* 8192 comparisons: +-6.5 standard deviations keep the false alarms below 10^-6. */
        ck_assert_double_le(farthest, 6.5 * sqrt(0.25 * TRIAL_COUNT));
    }
}
END_TEST

/* Counts pairs (first draw of key i, first draw of its neighbour) in an 8 by 8 grid. */
static bool neighbours_fit(uint64_t step_a, uint64_t step_b, bool next_draw) {
    RngKey key = rng_key(9, 1, "gateway", "luck");
    double found[BIN_COUNT] = {0};
    double expected[BIN_COUNT];
    for (uint64_t i = 0; i < DRAW_COUNT; i++) {
        Rng here;
        Rng there;
        rng_keyed(&here, &key, 2 * i, 1);
        rng_keyed(&there, &key, 2 * i + step_a, 1 + step_b);
        unsigned row = rng_below(&here, 8);
        unsigned column = next_draw ? rng_below(&here, 8) : rng_below(&there, 8);
        found[8 * row + column]++;
    }
    for (size_t i = 0; i < BIN_COUNT; i++) {
        expected[i] = (double)DRAW_COUNT / BIN_COUNT;
    }
    return judge_counts(found, expected, BIN_COUNT);
}

START_TEST(neighbouring_keys_draw_independently) {
    ck_assert(neighbours_fit(1, 0, false));
    ck_assert(neighbours_fit(0, 1, false));
    ck_assert(neighbours_fit(0, 0, true));
    ck_assert_msg(!neighbours_fit(0, 0, false), "the judge must see a draw that is repeated");
}
END_TEST

START_TEST(a_stream_shares_no_draw_with_the_keyed_ones) {
    RngKey key = rng_key(1, 0, "web", "arrivals");
    Rng stream;
    Rng keyed;
    rng_stream(&stream, &key);
    rng_keyed(&keyed, &key, 0, 0);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_ne(rng_next(&stream), rng_next(&keyed));
    }
}
END_TEST

static double cdf_uniform(double x, const double *bounds) {
    return gsl_cdf_flat_P(x, bounds[0], bounds[1]);
}

START_TEST(uniforms_are_uniform_and_stay_in_range) {
    static double sample[DRAW_COUNT];
    Rng rng = rng_of("uniform", "");
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sample[i] = rng_uniform(&rng);
    }
    ck_assert_double_lt(judge_ks(sample, DRAW_COUNT, cdf_uniform, (double[]){0, 1}),
                        JUDGE_KS_LIMIT);
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        sample[i] = rng_uniform_open(&rng);
    }
    ck_assert_double_lt(judge_ks(sample, DRAW_COUNT, cdf_uniform, (double[]){0, 1}),
                        JUDGE_KS_LIMIT);
    ck_assert_double_gt(judge_ks(sample, DRAW_COUNT, cdf_uniform, (double[]){0, 1.02}),
                        JUDGE_KS_LIMIT);
}
END_TEST

/* States whose next word is all zeros and all ones. */
START_TEST(the_extreme_words_stay_in_range) {
    const Rng zeros = {{0, 1, 1, 0}};
    const Rng ones = {{UINT64_MAX, 1, 1, 1}};
    Rng rng = zeros;
    ck_assert_uint_eq(rng_next(&rng), 0);
    rng = ones;
    ck_assert_uint_eq(rng_next(&rng), UINT64_MAX);
    rng = zeros;
    ck_assert(rng_uniform(&rng) == 0);
    rng = ones;
    ck_assert(rng_uniform(&rng) == 1 - 0x1p-53);
    rng = zeros;
    ck_assert(rng_uniform_open(&rng) == 0x1p-53);
    rng = ones;
    ck_assert(rng_uniform_open(&rng) == 1 - 0x1p-53);
    rng = ones;
    ck_assert_uint_eq(rng_below(&rng, 12345), 12344);
}
END_TEST

START_TEST(whole_numbers_are_fair_where_scaling_alone_is_not) {
    /* With n = 3/4 of 2^32, scaling 32 bits without rejection would hit one value in three twice as
     * often as the others. */
    const uint32_t n = 3u << 30;
    Rng rng = rng_of("below", "");
    int over_count = 0;
    double found[3] = {0};
    double expected[3] = {DRAW_COUNT / 3.0, DRAW_COUNT / 3.0, DRAW_COUNT / 3.0};
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        uint32_t k = rng_below(&rng, n);
        over_count += k >= n;
        found[k % 3]++;
    }
    ck_assert_int_eq(over_count, 0);
    ck_assert(judge_counts(found, expected, 3));
    double small[5] = {0};
    double fair[5];
    for (size_t i = 0; i < DRAW_COUNT; i++) {
        small[rng_below(&rng, 5)]++;
        fair[i % 5] = DRAW_COUNT / 5.0;
    }
    ck_assert(judge_counts(small, fair, 5));
    ck_assert_uint_eq(rng_below(&rng, 1), 0);
    ck_assert_uint_lt(rng_below(&rng, UINT32_MAX), UINT32_MAX);
}
END_TEST

START_TEST(the_state_that_xoshiro_never_leaves_is_never_entered) {
    Rng rng = {{0, 0, 0, 0}};
    rng_guard(&rng);
    ck_assert_uint_ne(rng.s[0], 0);
    Rng other = {{0, 0, 0, 8}};
    rng_guard(&other);
    ck_assert_uint_eq(other.s[0], 0);
}
END_TEST

START_TEST(the_gsl_view_is_the_same_stream) {
    RngKey key = rng_key(11, 0, "calibrate", "bootstrap");
    gsl_rng *view = rng_gsl_create(&key);
    Rng rng;
    rng_stream(&rng, &key);
    ck_assert_str_eq(gsl_rng_name(view), "xoshiro256++");
    for (int i = 0; i < 10; i++) {
        ck_assert_uint_eq(gsl_rng_get(view), rng_next(&rng) >> 32);
        ck_assert(gsl_rng_uniform(view) == rng_uniform(&rng));
    }
    gsl_rng *clone = gsl_rng_clone(view);
    ck_assert_uint_eq(gsl_rng_get(view), gsl_rng_get(clone));
    gsl_rng_set(view, 5);
    gsl_rng *other = gsl_rng_alloc(rng_gsl_type());
    ck_assert_uint_ne(gsl_rng_get(view), gsl_rng_get(clone));
    gsl_rng_set(view, 5);
    gsl_rng_set(other, 5);
    ck_assert_uint_eq(gsl_rng_get(view), gsl_rng_get(other));
    gsl_rng_free(other);
    gsl_rng_free(clone);
    gsl_rng_free(view);
}
END_TEST

static double cdf_beta(double x, const double *params) {
    return gsl_cdf_beta_P(x, params[0], params[1]);
}

START_TEST(a_law_of_gsl_on_the_view_has_its_distribution) {
    static double sample[DRAW_COUNT / 4];
    RngKey key = rng_key(12, 0, "gsl", "beta");
    gsl_rng *view = rng_gsl_create(&key);
    for (size_t i = 0; i < DRAW_COUNT / 4; i++) {
        sample[i] = gsl_ran_beta(view, 2.5, 1.25);
    }
    gsl_rng_free(view);
    ck_assert_double_lt(judge_ks(sample, DRAW_COUNT / 4, cdf_beta, (double[]){2.5, 1.25}),
                        JUDGE_KS_LIMIT);
}
END_TEST

TEST_SUITE("sim/rng", philox_gives_the_known_answers, philox2_gives_the_known_answers,
           xoshiro_gives_the_known_answers, a_key_depends_on_each_of_its_four_parts,
           keys_and_first_draws_never_change, keyed_draws_do_not_depend_on_their_order,
           one_flipped_bit_of_a_keyed_counter_changes_half_of_the_output,
           neighbouring_keys_draw_independently, a_stream_shares_no_draw_with_the_keyed_ones,
           uniforms_are_uniform_and_stay_in_range, the_extreme_words_stay_in_range,
           whole_numbers_are_fair_where_scaling_alone_is_not,
           the_state_that_xoshiro_never_leaves_is_never_entered, the_gsl_view_is_the_same_stream,
           a_law_of_gsl_on_the_view_has_its_distribution)
