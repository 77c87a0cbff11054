/* Circuit breakers state by state, against the words of the products that they are from: the kinds
 * alone. A history is a text: what the breaker is asked and told, and what it answers. */
#include <stdio.h>

#include "models/clients/breaker.h"
#include "tests/models/story.h"

typedef struct Subject {
    Model *model;
    const BreakerOps *ops;
    const void *params;
    Breaker *breaker;
    double now_s;
} Subject;

static Subject subject_open(const char *kind) {
    char yaml[600];
    snprintf(yaml, sizeof yaml,
             "clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}, call: "
             "{circuit_breaker: %s}}}\n"
             "services: {api: {work: 1ms}}\n",
             kind);
    Subject subject = {.model = story_compile(yaml)};
    const Component *component = &subject.model->edges[0].breaker;
    subject.ops = component->kind->ops;
    subject.params = component->params;
    size_t size = component->kind->state_size_of == NULL
                      ? component->kind->state_size
                      : component->kind->state_size_of(component->params);
    subject.breaker = calloc(1, size);
    ck_assert(subject.model->edges[0].is_guarded && subject.model->edges[0].is_watched);
    return subject;
}

static void subject_free(Subject *subject) {
    free(subject->breaker);
    model_destroy(subject->model);
}

static void hear(Subject *subject, Outcome outcome, double took_s) {
    AttemptResult result = {time_from_s(subject->now_s), time_from_s(took_s), outcome, false};
    subject->ops->hears(subject->params, subject->breaker, &result);
}

static void hear_many(Subject *subject, Outcome outcome, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        hear(subject, outcome, 0.1);
    }
}

static bool admits(Subject *subject) {
    return subject->ops->admits(subject->params, subject->breaker, time_from_s(subject->now_s));
}

/* How many attempts in a row it lets through, of a hundred. */
static uint32_t count_admitted(Subject *subject) {
    uint32_t count = 0;
    for (int i = 0; i < 100; i++) {
        count += admits(subject);
    }
    return count;
}

static void phase_is(const Subject *subject, BreakerPhase phase) {
    ck_assert_int_eq(subject->breaker->phase, (int)phase);
}

/* happy-sim and the SGLang gateway: 5 failures, 30 s, 2 successes. */
START_TEST(consecutive_failures_open_and_consecutive_probes_close) {
    Subject s = subject_open("{consecutive: {half_open: 2}}");
    hear_many(&s, OUTCOME_ERROR, 4);
    hear(&s, OUTCOME_OK, 0);
    hear_many(&s, OUTCOME_TIMEOUT, 4);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_REFUSED, 0);
    phase_is(&s, BREAKER_OPEN);
    hear_many(&s, OUTCOME_OK, 50); /* late results change nothing */
    s.now_s = 29.999;
    ck_assert_uint_eq(count_admitted(&s), 0);
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 30;
    ck_assert_uint_eq(count_admitted(&s), 2);
    phase_is(&s, BREAKER_HALF_OPEN);
    hear(&s, OUTCOME_OK, 0);
    phase_is(&s, BREAKER_HALF_OPEN);
    ck_assert_uint_eq(count_admitted(&s), 0);
    hear(&s, OUTCOME_OK, 0);
    phase_is(&s, BREAKER_CLOSED);
    ck_assert_uint_eq(count_admitted(&s), 100);
    hear_many(&s, OUTCOME_ERROR, 4);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_ERROR, 0);
    phase_is(&s, BREAKER_OPEN);
    subject_free(&s);
}
END_TEST

START_TEST(one_failed_probe_opens_again_for_the_whole_time) {
    Subject s = subject_open("{consecutive: {failures: 1, open: 7s, half_open: 3}}");
    hear(&s, OUTCOME_ERROR, 0);
    s.now_s = 7;
    ck_assert(admits(&s));
    s.now_s = 8.5;
    hear(&s, OUTCOME_TIMEOUT, 0);
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 15.4;
    ck_assert(!admits(&s));
    s.now_s = 15.5;
    ck_assert(admits(&s));
    subject_free(&s);
}
END_TEST

START_TEST(a_probe_without_a_result_makes_room_for_another) {
    Subject s = subject_open("{consecutive: {failures: 1, open: 7s}}");
    breaker_gets_back(s.breaker); /* closed: nothing is given back */
    hear(&s, OUTCOME_ERROR, 0);
    breaker_gets_back(s.breaker);
    s.now_s = 7;
    ck_assert_uint_eq(count_admitted(&s), 1);
    breaker_gets_back(s.breaker);
    breaker_gets_back(s.breaker);
    ck_assert_uint_eq(count_admitted(&s), 1);
    subject_free(&s);
}
END_TEST

/* resilience4j's defaults: 100 results, 50 %, 60 s, 10 probes. */
START_TEST(a_count_window_has_the_defaults_of_resilience4j) {
    Subject s = subject_open("count_window");
    hear_many(&s, OUTCOME_ERROR, 99);
    phase_is(&s, BREAKER_CLOSED); /* below minimumNumberOfCalls */
    subject_free(&s);
    s = subject_open("count_window");
    hear_many(&s, OUTCOME_OK, 51);
    hear_many(&s, OUTCOME_ERROR, 49);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_ERROR, 0); /* it takes the place of a success: 50 of 100 */
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 59.9;
    ck_assert_uint_eq(count_admitted(&s), 0);
    s.now_s = 60;
    ck_assert_uint_eq(count_admitted(&s), 10);
    hear_many(&s, OUTCOME_OK, 5);
    hear_many(&s, OUTCOME_ERROR, 4);
    phase_is(&s, BREAKER_HALF_OPEN);
    hear(&s, OUTCOME_ERROR, 0); /* 5 of 10 */
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 120;
    ck_assert_uint_eq(count_admitted(&s), 10);
    hear_many(&s, OUTCOME_ERROR, 4);
    hear_many(&s, OUTCOME_OK, 6);
    phase_is(&s, BREAKER_CLOSED);
    hear_many(&s, OUTCOME_ERROR, 99); /* the window has begun anew */
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_ERROR, 0);
    phase_is(&s, BREAKER_OPEN);
    subject_free(&s);
}
END_TEST

START_TEST(a_count_window_forgets_the_oldest_result) {
    Subject s = subject_open("{count_window: {size: 5, failure_rate: 60%, half_open: 1}}");
    hear_many(&s, OUTCOME_ERROR, 2);
    hear_many(&s, OUTCOME_OK, 3); /* 2 of 5 */
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_ERROR, 0); /* still 2 */
    hear(&s, OUTCOME_ERROR, 0);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_ERROR, 0);
    phase_is(&s, BREAKER_OPEN);
    subject_free(&s);
}
END_TEST

START_TEST(slow_attempts_open_though_they_succeed) {
    Subject s = subject_open("{count_window: {size: 4, slow_rate: 75%, slow_after: 2s, half_open: "
                             "2}}");
    hear(&s, OUTCOME_OK, 2); /* not longer than 2 s */
    hear(&s, OUTCOME_OK, 2.1);
    hear(&s, OUTCOME_OK, 9);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_OK, 9);
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 60;
    ck_assert_uint_eq(count_admitted(&s), 2);
    hear(&s, OUTCOME_OK, 9);
    hear(&s, OUTCOME_OK, 9);
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 120;
    ck_assert_uint_eq(count_admitted(&s), 2);
    hear(&s, OUTCOME_OK, 9);
    hear(&s, OUTCOME_OK, 1); /* 1 of 2 is below 75 % */
    phase_is(&s, BREAKER_CLOSED);
    subject_free(&s);
}
END_TEST

START_TEST(fewer_results_than_probes_may_decide) {
    Subject s = subject_open("{count_window: {size: 9, min_calls: 3, half_open: 5}}");
    hear_many(&s, OUTCOME_ERROR, 3);
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 60;
    ck_assert_uint_eq(count_admitted(&s), 5);
    hear_many(&s, OUTCOME_OK, 2);
    phase_is(&s, BREAKER_HALF_OPEN);
    hear(&s, OUTCOME_OK, 0);
    phase_is(&s, BREAKER_CLOSED);
    subject_free(&s);
}
END_TEST

/* Polly 8: 10 % of at least 100 in 30 s, open for 5 s, one probe. */
START_TEST(a_time_window_as_polly_has_it) {
    Subject s = subject_open("{time_window: {preset: polly}}");
    hear_many(&s, OUTCOME_ERROR, 9);
    s.now_s = 20;
    hear_many(&s, OUTCOME_OK, 90);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_OK, 1000); /* 9 of 100; nothing is slow */
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_ERROR, 0); /* 10 of 101 */
    phase_is(&s, BREAKER_CLOSED);
    hear_many(&s, OUTCOME_ERROR, 1); /* 11 of 102 */
    phase_is(&s, BREAKER_OPEN);
    s.now_s = 24.9;
    ck_assert_uint_eq(count_admitted(&s), 0);
    s.now_s = 25;
    ck_assert_uint_eq(count_admitted(&s), 1);
    hear(&s, OUTCOME_OK, 0);
    phase_is(&s, BREAKER_CLOSED);
    subject_free(&s);
}
END_TEST

START_TEST(a_time_window_forgets_what_is_too_old) {
    Subject s = subject_open("{time_window: {window: 10s, slices: 10, min_calls: 4}}");
    s.now_s = 0.5;
    hear_many(&s, OUTCOME_ERROR, 3);
    s.now_s = 9.9;
    hear_many(&s, OUTCOME_OK, 1); /* 3 of 4, too late: judged with the result */
    phase_is(&s, BREAKER_OPEN);
    subject_free(&s);
    s = subject_open("{time_window: {window: 10s, slices: 10, min_calls: 4}}");
    s.now_s = 0.5;
    hear_many(&s, OUTCOME_ERROR, 3);
    s.now_s = 10;
    hear_many(&s, OUTCOME_ERROR, 3); /* the first three are forgotten */
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_OK, 0);
    phase_is(&s, BREAKER_OPEN);
    subject_free(&s);
    s = subject_open("time_window");
    hear_many(&s, OUTCOME_ERROR, 50);
    s.now_s = 99.9;
    hear_many(&s, OUTCOME_OK, 49);
    phase_is(&s, BREAKER_CLOSED);
    hear(&s, OUTCOME_OK, 0); /* 50 of 100: resilience4j, TIME_BASED */
    phase_is(&s, BREAKER_OPEN);
    subject_free(&s);
}
END_TEST

TEST_SUITE("models/breaker", consecutive_failures_open_and_consecutive_probes_close,
           one_failed_probe_opens_again_for_the_whole_time,
           a_probe_without_a_result_makes_room_for_another,
           a_count_window_has_the_defaults_of_resilience4j,
           a_count_window_forgets_the_oldest_result, slow_attempts_open_though_they_succeed,
           fewer_results_than_probes_may_decide, a_time_window_as_polly_has_it,
           a_time_window_forgets_what_is_too_old)
