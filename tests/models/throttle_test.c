/* Client-side throttling: Google's law request by request, the AWS SDKs' rate limiter against its
 * own arithmetic, and both in the flow. */
#include <math.h>
#include <stdio.h>

#include "models/clients/throttle.h"
#include "tests/models/story.h"

typedef struct Subject {
    Model *model;
    const ThrottleOps *ops;
    const void *params;
    void *state;
} Subject;

static Subject subject_open(const char *kind) {
    char yaml[600];
    snprintf(yaml, sizeof yaml,
             "clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}, call: "
             "{client_throttle: %s}}}\n"
             "services: {api: {work: 1ms}}\n",
             kind);
    Subject subject = {.model = story_compile(yaml)};
    const Component *component = &subject.model->edges[0].throttle;
    subject.ops = component->kind->ops;
    subject.params = component->params;
    subject.state = calloc(1, component->kind->state_size);
    return subject;
}

static void subject_free(Subject *subject) {
    free(subject->state);
    model_destroy(subject->model);
}

/* Seconds; infinity when it is refused. */
static double wait_s(Subject *subject, double at_s, double luck, bool may_wait) {
    ThrottleAsk ask = {time_from_s(at_s), luck, may_wait};
    SimTime wait = subject->ops->wait(subject->params, subject->state, &ask);
    return wait == SIM_TIME_NEVER ? INFINITY : time_to_s(wait);
}

static void hear(Subject *subject, double at_s, Outcome outcome) {
    AttemptResult result = {time_from_s(at_s), 0, outcome, false};
    subject->ops->hears(subject->params, subject->state, &result);
}

/* Whether one with this luck goes out. */
static bool goes(Subject *subject, double at_s, double luck) {
    return wait_s(subject, at_s, luck, true) == 0;
}

START_TEST(requests_are_refused_by_the_law_of_the_sre_book) {
    Subject s = subject_open("adaptive");
    ck_assert(goes(&s, 0, 0));       /* 0 of 0: max(0, 0 / 1) */
    ck_assert(!goes(&s, 1, 0.4999)); /* 1 request, no accept: 1 / 2 */
    ck_assert(!goes(&s, 1, 0.6666)); /* the refused one counts: 2 / 3 */
    ck_assert(goes(&s, 1, 0.7501));  /* 3 / 4 */
    hear(&s, 1, OUTCOME_OK);         /* 4 requests, 1 accept: (4 - 2) / 5 */
    ck_assert(!goes(&s, 1, 0.3999));
    ck_assert(goes(&s, 1, 0.5001)); /* 5: 3 / 6 */
    hear(&s, 1, OUTCOME_ERROR);     /* no accept */
    hear(&s, 1, OUTCOME_TIMEOUT);
    hear(&s, 1, OUTCOME_REFUSED);
    ck_assert(!goes(&s, 1, 4.0 / 7 - 1e-9));
    for (int i = 0; i < 3; i++) {
        hear(&s, 1, OUTCOME_OK); /* 7 requests, 4 accepts: below 0 */
    }
    ck_assert(goes(&s, 1, 0));
    ck_assert(goes(&s, 1, 0));         /* 8 of 4: just 0 */
    ck_assert(!goes(&s, 1, 0.0999));   /* 9: 1 / 10 */
    ck_assert(!goes(&s, 107, 0.1818)); /* 10: 2 / 11 */
    ck_assert(!goes(&s, 121, 0.4999)); /* what came at 107 s alone is left: 1 / 2 */
    subject_free(&s);
}
END_TEST

START_TEST(a_window_protection_and_a_largest_share_may_be_set) {
    Subject s = subject_open("{adaptive: {k: 1.5, window: 10s, max_reject: 75%, protection: 5}}");
    for (int i = 0; i < 6; i++) {
        ck_assert(goes(&s, 0, 0));
    }
    ck_assert(!goes(&s, 0, 1.0 / 7 - 1e-9)); /* (6 - 5) / 7 */
    for (int i = 0; i < 100; i++) {
        goes(&s, 1, 0);
    }
    ck_assert(!goes(&s, 1, 0.7499));
    ck_assert(goes(&s, 1, 0.75));
    ck_assert(goes(&s, 12, 0)); /* all forgotten */
    subject_free(&s);
}
END_TEST

/* botocore's and smithy-typescript's arithmetic, written out again in plain steps. */
typedef struct Limiter {
    double fill, capacity, tokens, filled_at, sent, bucket_at, count, max, refused_at;
    bool is_on;
} Limiter;

static void limiter_fill(Limiter *l, double t) {
    l->tokens = fmin(l->capacity, l->tokens + (t - l->filled_at) * l->fill);
    l->filled_at = t;
}

static void limiter_hears(Limiter *l, double t, bool is_throttled) {
    double bucket = floor(t * 2) / 2, rate;
    l->count++;
    if (bucket > l->bucket_at) {
        l->sent = l->count / (bucket - l->bucket_at) * 0.8 + l->sent * 0.2;
        l->count = 0;
        l->bucket_at = bucket;
    }
    if (is_throttled) {
        l->max = l->is_on ? fmin(l->sent, l->fill) : l->sent;
        l->refused_at = t;
        rate = l->max * 0.7;
        l->is_on = true;
    } else {
        double window = cbrt(l->max * 0.3 / 0.4);
        rate = 0.4 * pow(t - l->refused_at - window, 3) + l->max;
    }
    rate = fmin(rate, 2 * l->sent);
    limiter_fill(l, t);
    l->fill = fmax(rate, 0.5);
    l->capacity = fmax(rate, 1);
    l->tokens = fmin(l->tokens, l->capacity);
}

START_TEST(the_rate_limiter_does_what_the_aws_sdks_do) {
    Subject s = subject_open("adaptive_rate");
    Limiter l = {0};
    double longest = 0;
    for (int i = 0; i < 4000; i++) {
        double t = i * 0.0317 + 0.007 * (i % 3);
        double wait = wait_s(&s, t, 0.5, true), expected = 0;
        if (l.is_on) {
            limiter_fill(&l, t);
            l.tokens -= 1;
            expected = l.tokens >= 0 ? 0 : -l.tokens / l.fill;
        }
        ck_assert_double_eq_tol(wait, expected, 1e-6 * (1 + expected));
        longest = fmax(longest, wait);
        bool is_throttled = i > 700 && i % 211 < 3;
        hear(&s, t + 0.001,
             is_throttled ? OUTCOME_REFUSED : (Outcome)(i % 3)); /* others are no throttling */
        limiter_hears(&l, t + 0.001, is_throttled);
    }
    ck_assert_double_gt(longest, 0.1);
    subject_free(&s);
}
END_TEST

START_TEST(the_rate_limiter_is_off_until_the_first_refusal_and_refuses_who_may_not_wait) {
    Subject s = subject_open("adaptive_rate");
    for (int i = 0; i < 1000; i++) {
        ck_assert(wait_s(&s, i * 0.01, 0.5, true) == 0);
        hear(&s, i * 0.01, i % 2 == 0 ? OUTCOME_OK : OUTCOME_ERROR);
    }
    hear(&s, 10, OUTCOME_REFUSED);
    uint32_t tokens = 0;
    while (wait_s(&s, 10, 0.5, false) == 0) {
        tokens++;
    }
    ck_assert_uint_ge(tokens, 69); /* 100/s were sent: a second of 70/s */
    ck_assert_uint_le(tokens, 70);
    ck_assert(isinf(wait_s(&s, 10, 0.5, false))); /* takes none */
    double first = wait_s(&s, 10, 0.5, true), second = wait_s(&s, 10, 0.5, true);
    ck_assert_double_eq_tol(second - first, 1.0 / 70, 1e-3);
    subject_free(&s);
}
END_TEST

#define CLIENT(call)                                                                               \
    "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {" call "}}}\n"

START_TEST(who_is_throttled_is_refused_without_being_sent) {
    TraceArrival twelve[12];
    for (int i = 0; i < 12; i++) {
        twelve[i] = (TraceArrival){.at_s = 0.1 + 0.1 * i};
    }
    StoryRun run = story_run(
        "run: {duration: 9s}\n" CLIENT(
            "client_throttle: {adaptive: {k: 1, window: 1min}}, retry_on: refused, retry: {fixed: "
            "{max_attempts: 9, delay: 0.01s}}") "services: {api: {work: 5s}}\n",
        STORY_TRACE(twelve));
    /* Nothing is answered before 5.1 s: most tries are held back. */
    ck_assert_ptr_nonnull(strstr(run.text, ": held back: its caller throttles itself\n"));
    double held_back = story_measure(&run, "web", METRIC_held_back);
    ck_assert_double_ge(held_back, 9);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts),
                        story_measure(&run, "api", METRIC_offered));
    story_free(&run);
}
END_TEST

START_TEST(who_waits_for_a_token_goes_out_later_and_its_deadline_runs) {
    /* A rate limit of two at once and then almost none: the third is refused, and from then on the
     * caller sends at a rate that nothing is left of. */
    static const TraceArrival five[] = {
        {.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.7}, {.at_s = 0.8}, {.at_s = 0.9}};
    StoryRun run = story_run(
        "run: {duration: 30s}\n" CLIENT(
            "client_throttle: adaptive_rate, deadline: 3s") "services: {api: {work: 10ms, shed: "
                                                            "{token_bucket: {rate: 0.001/s, burst: "
                                                            "2}}}}\n",
        STORY_TRACE(five));
    /* 3 answers in half a second, of weight 0.8: 4.8/s, times 0.7: 3.36/s. Before that 0.295 tokens
     * had come together at the lowest rate of 0.5/s. */
    ck_assert_ptr_nonnull(
        strstr(run.text, "0.800 s  web #3 attempt 1: waits: its caller limits its rate\n"));
    ck_assert_ptr_nonnull(strstr(run.text, "0.910 s  web #3 attempt 1: sent to api[0]\n"));
    ck_assert_ptr_nonnull(strstr(run.text, "1.207 s  web #4 attempt 1: sent to api[0]\n"));
    story_free(&run);
    run = story_run(
        "run: {duration: 30s}\n" CLIENT(
            "client_throttle: {adaptive_rate: {beta: 0.01, min_fill_rate: 0.01/s}}, "
            "deadline: 3s") "services: {api: {work: 10ms, shed: {token_bucket: {rate: 0.001/s, "
                            "burst: 2}}}}\n",
        STORY_TRACE(five));
    ck_assert_ptr_nonnull(strstr(run.text, "3.800 s  web #3 has timed out\n"));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 3);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/throttle", requests_are_refused_by_the_law_of_the_sre_book,
           a_window_protection_and_a_largest_share_may_be_set,
           the_rate_limiter_does_what_the_aws_sdks_do,
           the_rate_limiter_is_off_until_the_first_refusal_and_refuses_who_may_not_wait,
           who_is_throttled_is_refused_without_being_sent,
           who_waits_for_a_token_goes_out_later_and_its_deadline_runs)
