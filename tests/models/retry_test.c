/* Backoffs against their formulas: the kinds alone. */
#include "models/clients/clients.h"
#include "tests/models/story.h"

#include <math.h>
#include <stdio.h>

enum { DRAWS = 20000 };

/* A model whose client has the policy; free it after use of its params. */
static Model *model_of(const char *call) {
    char yaml[600];
    snprintf(yaml, sizeof yaml,
             "clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}, call: {%s}}}\n"
             "services: {api: {work: 1ms}}\n",
             call);
    return story_compile(yaml);
}

/* The extremes and the mean of many draws, in seconds. */
typedef struct Draws {
    double min_s, max_s, mean_s;
} Draws;

static Rng draw_for_try(const RetryView *view, uint32_t number) {
    Rng rng;
    rng_keyed(&rng, view->key, view->request, number);
    return rng;
}

static double delay_s_of(const Model *model, const RetryView *view) {
    const Component *retry = &model->edges[0].retry;
    const RetryOps *ops = retry->kind->ops;
    return time_to_s(ops->delay(retry->params, view));
}

static Draws draw_after(const Model *model, Outcome failure, uint32_t tries, double last_s) {
    RngKey key = rng_key(1, 0, "retry", "test");
    Draws draws = {.min_s = 1e300};
    for (uint64_t i = 0; i < DRAWS; i++) {
        RetryView view = {tries, failure, time_from_s(last_s), draw_for_try, &key, i, 0};
        double delay_s = delay_s_of(model, &view);
        draws.min_s = fmin(draws.min_s, delay_s);
        draws.max_s = fmax(draws.max_s, delay_s);
        draws.mean_s += delay_s / DRAWS;
    }
    return draws;
}

static Draws draw(const Model *model, uint32_t tries, double last_s) {
    return draw_after(model, OUTCOME_TIMEOUT, tries, last_s);
}

/* Uniform in [low, high]: the mean is normal with a deviation of (high - low) / sqrt(12 n), and an
 * extreme is further than 14 / n of the width from its end once in 10^6 (e^-14 = 8e-7). */
static void is_uniform(Draws draws, double low_s, double high_s) {
    double width_s = high_s - low_s, slack_s = 2e-9;
    ck_assert_double_ge(draws.min_s, low_s - slack_s);
    ck_assert_double_le(draws.max_s, high_s + slack_s);
    ck_assert_double_le(draws.min_s, low_s + width_s * 14 / DRAWS + slack_s);
    ck_assert_double_ge(draws.max_s, high_s - width_s * 14 / DRAWS - slack_s);
    ck_assert_double_eq_tol(draws.mean_s, (low_s + high_s) / 2,
                            4.892 * width_s / sqrt(12.0 * DRAWS) + slack_s);
}

#define EXPONENTIAL(jitter)                                                                        \
    "retry: {exponential: {max_attempts: 9, base: 130ms, multiplier: 2.5, max: 1.7s, "             \
    "jitter: " jitter "}}"

/* min(1.7, 0.13 x 2.5^(n - 1)) */
static const double caps_s[] = {0.13, 0.325, 0.8125, 1.7, 1.7};

START_TEST(without_jitter_the_backoff_is_the_cap) {
    Model *model = model_of(EXPONENTIAL("none"));
    for (uint32_t n = 1; n <= 5; n++) {
        is_uniform(draw(model, n, 0), caps_s[n - 1], caps_s[n - 1]);
    }
    model_destroy(model);
}
END_TEST

START_TEST(full_jitter_is_uniform_from_0_to_the_cap) {
    Model *model = model_of(EXPONENTIAL("full"));
    for (uint32_t n = 1; n <= 5; n++) {
        is_uniform(draw(model, n, 0), 0, caps_s[n - 1]);
    }
    model_destroy(model);
}
END_TEST

START_TEST(equal_jitter_is_uniform_from_half_the_cap_to_the_cap) {
    Model *model = model_of(EXPONENTIAL("equal"));
    for (uint32_t n = 1; n <= 5; n++) {
        is_uniform(draw(model, n, 0), caps_s[n - 1] / 2, caps_s[n - 1]);
    }
    model_destroy(model);
}
END_TEST

START_TEST(decorrelated_jitter_is_uniform_from_base_to_three_times_the_last_one) {
    Model *model = model_of(EXPONENTIAL("decorrelated"));
    is_uniform(draw(model, 1, 0), 0.13, 3 * 0.13);
    is_uniform(draw(model, 2, 0.2), 0.13, 0.6);
    is_uniform(draw(model, 3, 0.5), 0.13, 1.5);
    Draws capped = draw(model, 4, 1.6);
    ck_assert_double_eq_tol(capped.max_s, 1.7, 2e-9);
    ck_assert_double_ge(capped.min_s, 0.13);
    model_destroy(model);
}
END_TEST

START_TEST(proportional_jitter_goes_to_both_sides_of_the_cap_and_minus_below_it) {
    Model *model = model_of(EXPONENTIAL("proportional, jitter_ratio: 20%"));
    is_uniform(draw(model, 1, 0), 0.8 * 0.13, 1.2 * 0.13);
    is_uniform(draw(model, 4, 0), 0.8 * 1.7, 1.2 * 1.7);
    model_destroy(model);
    model = model_of(EXPONENTIAL("minus"));
    is_uniform(draw(model, 2, 0), 0.75 * 0.325, 0.325);
    model_destroy(model);
}
END_TEST

START_TEST(a_sum_grows_as_in_envoy) {
    Model *model = model_of("retry: {exponential: {max_attempts: 9, base: 25ms, max: 250ms, "
                            "growth: sum, jitter: full}}");
    static const double most_s[] = {0.025, 0.075, 0.175, 0.25, 0.25}; /* 25 ms x (2^n - 1) */
    for (uint32_t n = 1; n <= 5; n++) {
        is_uniform(draw(model, n, 0), 0, most_s[n - 1]);
    }
    model_destroy(model);
}
END_TEST

START_TEST(a_refusal_may_have_a_first_backoff_of_its_own) {
    Model *model = model_of("retry: {exponential: {base: 100ms, refused_base: 700ms}}");
    is_uniform(draw_after(model, OUTCOME_TIMEOUT, 2, 0), 0.2, 0.2);
    is_uniform(draw_after(model, OUTCOME_ERROR, 2, 0), 0.2, 0.2);
    is_uniform(draw_after(model, OUTCOME_REFUSED, 2, 0), 1.4, 1.4);
    model_destroy(model);
}
END_TEST

START_TEST(a_linear_backoff_grows_by_its_step_up_to_its_limit) {
    Model *model = model_of("retry: {linear: {base: 0.7s, step: 1.3s, max: 3s}}");
    static const double exact_s[] = {0.7, 2, 3, 3};
    for (uint32_t n = 1; n <= 4; n++) {
        is_uniform(draw(model, n, 0), exact_s[n - 1], exact_s[n - 1]);
    }
    model_destroy(model);
    model = model_of("retry: {linear: {base: 2s, step: 2s, jitter_ratio: 25%}}");
    is_uniform(draw(model, 3, 0), 4.5, 7.5);
    model_destroy(model);
}
END_TEST

/* Polly's own words: the sum of the first n delays is f(n - 1 + U(0, 1)) x base / 1.4. */
START_TEST(decorrelated_v2_follows_its_formula_draw_by_draw) {
    Model *model = model_of("retry: {exponential: {max_attempts: unlimited, base: 230ms, max: "
                            "40s, jitter: decorrelated_v2}}");
    RngKey key = rng_key(3, 0, "retry", "test");
    for (uint64_t request = 0; request < 500; request++) {
        double sum_s = 0;
        for (uint32_t n = 1; n <= 7; n++) {
            RetryView view = {n, OUTCOME_ERROR, 0, draw_for_try, &key, request, 0};
            Rng rng = draw_for_try(&view, n);
            double t = n - 1 + rng_uniform(&rng);
            sum_s += delay_s_of(model, &view);
            ck_assert_double_eq_tol(sum_s, exp2(t) * tanh(sqrt(4 * t)) * 0.23 / 1.4, 1e-8);
        }
    }
    RetryView late = {200, OUTCOME_ERROR, 0, draw_for_try, &key, 1, 0};
    ck_assert_double_eq(delay_s_of(model, &late), 40);
    late.tries = 40;
    ck_assert_double_eq(delay_s_of(model, &late), 40);
    model_destroy(model);
}
END_TEST

START_TEST(a_fixed_delay_may_be_a_distribution) {
    Model *model = model_of("retry: {fixed: {delay: {uniform: {min: 20ms, max: 70ms}}}}");
    is_uniform(draw(model, 1, 0), 0.02, 0.07);
    is_uniform(draw(model, 2, 0.05), 0.02, 0.07);
    model_destroy(model);
}
END_TEST

START_TEST(max_attempts_counts_the_first_and_may_be_unlimited) {
    static const struct {
        const char *call;
        uint32_t expected;
    } cases[] = {{"retry: {fixed: {max_attempts: 4}}", 4},
                 {"retry: {exponential: {max_attempts: unlimited}}", COUNT_UNLIMITED},
                 {"retry: {exponential: {}}", 3},
                 {"retry: fixed", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Model *model = model_of(cases[i].call);
        const RetryOps *ops = model->edges[0].retry.kind->ops;
        ck_assert_uint_eq(ops->max_attempts(model->edges[0].retry.params), cases[i].expected);
        model_destroy(model);
    }
}
END_TEST

TEST_SUITE("models/retry", without_jitter_the_backoff_is_the_cap,
           full_jitter_is_uniform_from_0_to_the_cap,
           equal_jitter_is_uniform_from_half_the_cap_to_the_cap,
           decorrelated_jitter_is_uniform_from_base_to_three_times_the_last_one,
           proportional_jitter_goes_to_both_sides_of_the_cap_and_minus_below_it,
           a_sum_grows_as_in_envoy, a_refusal_may_have_a_first_backoff_of_its_own,
           a_linear_backoff_grows_by_its_step_up_to_its_limit,
           decorrelated_v2_follows_its_formula_draw_by_draw, a_fixed_delay_may_be_a_distribution,
           max_attempts_counts_the_first_and_may_be_unlimited)
