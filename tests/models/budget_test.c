/* Retry budgets step by step against the words of the products that they are from: the kinds alone.
 */
#include <stdio.h>

#include "models/clients/clients.h"
#include "tests/models/story.h"

typedef struct Budget {
    Model *model;
    const BudgetOps *ops;
    const void *params;
    double state[64];
} Budget;

static void budget_open(Budget *budget, const char *kind) {
    char yaml[600];
    snprintf(yaml, sizeof yaml,
             "clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}, call: {retry: fixed, "
             "retry_budget: {%s}}}}\n"
             "services: {api: {work: 1ms}}\n",
             kind);
    *budget = (Budget){.model = story_compile(yaml)};
    const Component *component = &budget->model->edges[0].budget;
    ck_assert_uint_le(component->kind->state_size, sizeof budget->state);
    budget->ops = component->kind->ops;
    budget->params = component->params;
    if (budget->ops->start != NULL) {
        budget->ops->start(budget->params, budget->state);
    }
}

static bool ask(Budget *budget, double at_s, Outcome failure, uint32_t active, uint32_t retrying) {
    BudgetAsk question = {time_from_s(at_s), failure, active, retrying};
    return budget->ops->take(budget->params, budget->state, &question);
}

/* How many retries in a row it pays for. */
static uint32_t take_all(Budget *budget, double at_s, Outcome failure) {
    uint32_t count = 0;
    while (ask(budget, at_s, failure, 0, 0)) {
        count++;
        ck_assert_uint_lt(count, 100000);
    }
    return count;
}

static void begin(Budget *budget, double at_s, uint32_t calls) {
    for (uint32_t i = 0; i < calls; i++) {
        budget->ops->on_begin(budget->params, budget->state, time_from_s(at_s));
    }
}

static void succeed(Budget *budget, Outcome retried_after) {
    budget->ops->on_success(budget->params, budget->state, retried_after);
}

static void hear(Budget *budget, double at_s, Outcome outcome, bool is_retryable) {
    AttemptResult result = {time_from_s(at_s), 0, outcome, is_retryable};
    budget->ops->on_attempt(budget->params, budget->state, &result);
}

START_TEST(a_token_bucket_starts_full_and_a_success_pays_back_up_to_its_capacity) {
    Budget bucket;
    budget_open(&bucket, "token_bucket: {capacity: 17, cost: 5, refund: 2}");
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), 3); /* 2 are left */
    succeed(&bucket, OUTCOME_OK);
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), 0);
    succeed(&bucket, OUTCOME_OK); /* 6 */
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), 1);
    for (uint32_t i = 0; i < 1000; i++) {
        succeed(&bucket, OUTCOME_OK);
        begin(&bucket, 0, 1);
    }
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), 3);
    model_destroy(bucket.model);
}
END_TEST

START_TEST(a_retry_after_a_timeout_or_a_refusal_may_cost_something_else) {
    static const struct {
        const char *costs;
        uint32_t counts[OUTCOME_COUNT]; /* after nothing (a hedge), a timeout, error, refusal */
    } cases[] = {
        {"cost: 5, timeout_cost: 10", {6, 3, 6, 6}},
        {"cost: 5", {6, 6, 6, 6}},
        {"cost: 15, refused_cost: 3", {2, 2, 2, 10}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            Budget bucket;
            char kind[200];
            snprintf(kind, sizeof kind, "token_bucket: {capacity: 30, %s}", cases[i].costs);
            budget_open(&bucket, kind);
            ck_assert_uint_eq(take_all(&bucket, 0, (Outcome)outcome), cases[i].counts[outcome]);
            model_destroy(bucket.model);
        }
    }
}
END_TEST

START_TEST(each_call_may_pay_in_when_it_begins) {
    Budget bucket;
    budget_open(&bucket, "token_bucket: {capacity: 1, cost: 1, refund: 0, deposit: 0.25}");
    take_all(&bucket, 0, OUTCOME_ERROR);
    for (uint32_t i = 0; i < 8; i++) {
        begin(&bucket, 0, 1);
        succeed(&bucket, OUTCOME_OK);
        ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), i % 4 == 3);
    }
    model_destroy(bucket.model);
}
END_TEST

/* botocore's standard mode: a success without a retry adds 1, one after a retry what it took. */
START_TEST(a_success_after_a_retry_may_put_back_what_the_retry_took) {
    Budget bucket;
    budget_open(&bucket, "token_bucket: {capacity: 30, cost: 5, timeout_cost: 10, refund: 1, "
                         "refunds_cost: true}");
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_TIMEOUT), 3);
    succeed(&bucket, OUTCOME_TIMEOUT); /* 10 */
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), 2);
    succeed(&bucket, OUTCOME_ERROR); /* 5 */
    succeed(&bucket, OUTCOME_OK);    /* 6 */
    ck_assert_uint_eq(take_all(&bucket, 0, OUTCOME_ERROR), 1);
    ck_assert(bucket.model->edges[0].is_watched);
    model_destroy(bucket.model);
    budget_open(&bucket, "token_bucket: {}");
    ck_assert(!bucket.model->edges[0].is_watched);
    model_destroy(bucket.model);
}
END_TEST

/* Envoy: active retries below max(min_retry_concurrency, budget_percent x active). */
START_TEST(a_percentage_of_what_is_out_may_be_retried_and_three_always) {
    static const struct {
        uint32_t active, most;
    } cases[] = {{0, 3}, {5, 3}, {19, 3}, {20, 4}, {24, 4}, {25, 5}, {1000, 200}};
    Budget budget;
    budget_open(&budget, "percent: {}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(ask(&budget, 0, OUTCOME_ERROR, cases[i].active, cases[i].most - 1));
        ck_assert(!ask(&budget, 0, OUTCOME_ERROR, cases[i].active, cases[i].most));
    }
    ck_assert(budget.model->edges[0].is_watched);
    model_destroy(budget.model);
    budget_open(&budget, "percent: {percent: 0%, min_concurrency: 0}");
    ck_assert(!ask(&budget, 0, OUTCOME_ERROR, 1000, 0));
    model_destroy(budget.model);
}
END_TEST

/* Finagle: 10/s x 10 s in reserve, 0.2 for each call of the last 10 s, each retry costs 1 as long.
 */
START_TEST(a_ratio_has_a_reserve_and_forgets_after_its_ttl) {
    Budget budget;
    budget_open(&budget, "ratio: {}");
    ck_assert_uint_eq(take_all(&budget, 0.5, OUTCOME_ERROR), 100);
    begin(&budget, 3.5, 50);
    ck_assert_uint_eq(take_all(&budget, 4.2, OUTCOME_ERROR), 10);
    ck_assert_uint_eq(take_all(&budget, 9.9, OUTCOME_ERROR), 0);
    ck_assert_uint_eq(take_all(&budget, 10.1, OUTCOME_ERROR), 100); /* the first have expired */
    /* At 13.1 the calls have, at 14.1 the ten retries that they paid for. */
    ck_assert_uint_eq(take_all(&budget, 13.1, OUTCOME_ERROR), 0);
    ck_assert_uint_eq(take_all(&budget, 14.1, OUTCOME_ERROR), 0);
    ck_assert_uint_eq(take_all(&budget, 20.1, OUTCOME_ERROR), 100);
    ck_assert_uint_eq(take_all(&budget, 2000, OUTCOME_ERROR), 100);
    model_destroy(budget.model);
    budget_open(&budget, "ratio: {min_per_s: 0/s, percent: 10%}");
    begin(&budget, 1, 9);
    ck_assert_uint_eq(take_all(&budget, 1, OUTCOME_ERROR), 0);
    begin(&budget, 1, 1);
    ck_assert_uint_eq(take_all(&budget, 1, OUTCOME_ERROR), 1);
    model_destroy(budget.model);
}
END_TEST

/* The example of gRPC A6: maxTokens 10, tokenRatio 0.1; retries above 5. */
START_TEST(a_throttle_allows_retries_above_half_of_its_tokens) {
    Budget budget;
    budget_open(&budget, "throttle: {}");
    for (uint32_t i = 0; i < 4; i++) {
        hear(&budget, 0, OUTCOME_ERROR, true);
        ck_assert(ask(&budget, 0, OUTCOME_ERROR, 0, 0));
    }
    hear(&budget, 0, OUTCOME_ERROR, false); /* one that is not retryable costs nothing */
    ck_assert(ask(&budget, 0, OUTCOME_ERROR, 0, 0));
    hear(&budget, 0, OUTCOME_TIMEOUT, true); /* 5 */
    ck_assert(!ask(&budget, 0, OUTCOME_ERROR, 0, 0));
    hear(&budget, 0, OUTCOME_OK, false); /* 5.1 */
    ck_assert(ask(&budget, 0, OUTCOME_ERROR, 0, 0));
    for (uint32_t i = 0; i < 30; i++) {
        hear(&budget, 0, OUTCOME_ERROR, true); /* 0 at least */
    }
    for (uint32_t i = 0; i < 50; i++) {
        hear(&budget, 0, OUTCOME_OK, false);
        ck_assert(!ask(&budget, 0, OUTCOME_ERROR, 0, 0));
    }
    hear(&budget, 0, OUTCOME_OK, false);
    ck_assert(ask(&budget, 0, OUTCOME_ERROR, 0, 0));
    model_destroy(budget.model);
}
END_TEST

START_TEST(a_failure_ratio_of_attempts_stops_retries_while_too_many_fail) {
    Budget budget;
    budget_open(&budget, "failure_ratio: {below: 10%, window: 2s}");
    ck_assert(!ask(&budget, 0, OUTCOME_ERROR, 0, 0)); /* nothing is known */
    for (uint32_t i = 0; i < 9; i++) {
        hear(&budget, 0.1, OUTCOME_OK, false);
    }
    hear(&budget, 0.9, OUTCOME_TIMEOUT, true);
    ck_assert(!ask(&budget, 0.9, OUTCOME_ERROR, 0, 0)); /* 1 of 10 is not below */
    hear(&budget, 0.9, OUTCOME_OK, false);
    ck_assert(ask(&budget, 0.9, OUTCOME_ERROR, 0, 0));
    ck_assert(ask(&budget, 1.99, OUTCOME_ERROR, 0, 0));
    ck_assert(!ask(&budget, 2.1, OUTCOME_ERROR, 0, 0)); /* 1 of 2 */
    ck_assert(!ask(&budget, 9, OUTCOME_ERROR, 0, 0));
    model_destroy(budget.model);
}
END_TEST

START_TEST(a_failure_ratio_of_calls_may_look_back_to_the_start) {
    Budget budget;
    budget_open(&budget, "failure_ratio: {below: 10%, window: none, of: calls}");
    begin(&budget, 0, 11);
    hear(&budget, 1, OUTCOME_ERROR, true);
    ck_assert(ask(&budget, 1e6, OUTCOME_ERROR, 0, 0));
    hear(&budget, 1, OUTCOME_OK, true);
    hear(&budget, 1, OUTCOME_ERROR, true);
    ck_assert(!ask(&budget, 1e6, OUTCOME_ERROR, 0, 0)); /* 2 of 11, whatever came well */
    begin(&budget, 1e6, 10);
    ck_assert(ask(&budget, 1e6, OUTCOME_ERROR, 0, 0));
    model_destroy(budget.model);
}
END_TEST

TEST_SUITE("models/budget", a_token_bucket_starts_full_and_a_success_pays_back_up_to_its_capacity,
           a_retry_after_a_timeout_or_a_refusal_may_cost_something_else,
           each_call_may_pay_in_when_it_begins,
           a_success_after_a_retry_may_put_back_what_the_retry_took,
           a_percentage_of_what_is_out_may_be_retried_and_three_always,
           a_ratio_has_a_reserve_and_forgets_after_its_ttl,
           a_throttle_allows_retries_above_half_of_its_tokens,
           a_failure_ratio_of_attempts_stops_retries_while_too_many_fail,
           a_failure_ratio_of_calls_may_look_back_to_the_start)
