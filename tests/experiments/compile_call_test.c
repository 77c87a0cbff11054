/* Messages about call policies, and what their presets resolve to. */
#include "models/clients/call_presets.h"
#include "tests/experiments/compile_test.h"

START_TEST(policies_of_a_call_are_checked) {
    static const Case cases[] = {
        {"clients.web.call.retry={exponential: {base: 3s, max: 1s}}",
         "1:25: the first backoff 'base' (3 s) is above its limit 'max' (1 s)"},
        {"clients.web.call.retry={exponential: {refused_base: 3s, max: 1s}}",
         "1:25: the first backoff after a refusal 'refused_base' (3 s) is above its limit 'max' (1 "
         "s)"},
        {"clients.web.call.retry={exponential: {jitter: full, jitter_ratio: 10%}}",
         "1:25: 'jitter_ratio' is for a jitter that is proportional or minus"},
        {"clients.web.call.retry={exponential: {jitter: decorrelated_v2, multiplier: 3}}",
         "1:25: 'jitter: decorrelated_v2' grows by a law of its own: leave out 'multiplier' and "
         "'growth'"},
        {"clients.web.call.retry={exponential: {jitter: decorrelated_v2, growth: sum}}",
         "1:25: 'jitter: decorrelated_v2' grows by a law of its own: leave out 'multiplier' and "
         "'growth'"},
        {"clients.web.call.retry={exponential: {jitter: proportionl}}",
         "1:47: 'jitter' cannot be 'proportionl': did you mean 'proportional'?"},
        {"clients.web.call.retry={linear: {base: 2min}}",
         "1:25: the first backoff 'base' (120 s) is above its limit 'max' (60 s)"},
        {"clients.web.call.retry_after=replace",
         "1:30: 'retry_after' cannot be 'replace': did you mean 'replaces'?"},
        {"clients.web.call.retry_budget={token_bucket: {cost: 600}}",
         "1:32: a retry costs 600 tokens but the bucket holds only 500: none could ever be sent; "
         "write 'max_attempts: 1' if that is meant"},
        {"clients.web.call.retry_budget={failure_ratio: {window: 0s}}",
         "1:56: 'window' of 'failure_ratio' must be from 1ms to 36525d, not 0s"},
        {"clients.web.call.circuit_breaker={count_window: {size: 9, min_calls: 10}}",
         "1:35: 'min_calls' (10) is above 'size' (9): so many results are never in the window"},
        {"clients.web.call.circuit_breaker={count_window: {size: 9}}",
         "1:35: 'half_open' (10) is above 'size' (9): it would take more probes to close than "
         "results to open"},
        {"clients.web.call.circuit_breaker={count_window: {size: 10}}", ""},
        {"clients.web.call.circuit_breaker={count_window: {failure_rate: 0%}}",
         "1:64: 'failure_rate' of 'count_window' must be above 0% and at most 100%, not 0%"},
        {"clients.web.call.circuit_breaker={time_window: {window: 9us, slices: 10}}",
         "1:35: a window of 9e-06 s cannot be cut into 10 slices of a microsecond or more"},
        {"clients.web.call.circuit_breaker={consecutive: {half_open: 3, probes: 2}}",
         "1:35: 'half_open' asks for 3 good answers but only 2 'probes' are let through: it would "
         "never close"},
        {"clients.web.call.circuit_breaker={consecutive: {half_open: 0}}",
         "1:60: 'half_open' of 'consecutive' must be from 1 to 1M, not 0"},
        {"clients.web.call.hedge={fixed: {max: 0}}",
         "1:38: 'max' of 'fixed' must be from 1 to 20, not 0"},
        {"clients.web.call.hedge={quantile: {after: p96}}",
         "1:43: 'after' cannot be 'p96': did you mean 'p90'?"},
        {"clients.web.call.hedge={fixed: {max_extra: 0%}}",
         "1:44: 'max_extra' of 'fixed' must be above 0% and at most 100%, not 0%"},
        {"clients.web.call.client_throttle={adaptive: {k: 0.5}}",
         "1:49: 'k' of 'adaptive' must be from 1 to 1000, not 0.5"},
        {"clients.web.call.propagate=true",
         "1:28: 'propagate' carries the deadline along: it needs 'deadline'"},
        {"clients.web.call={deadline: 9s, propagate: true}", ""},
        {"faults[0].errors={service: model, retry_after: 1us}",
         "1:11: a fault is of one kind: this one is 'slow' already"},
        {"faults[0]={at: 1s, errors: {service: model, retry_after: 1us}}",
         "1:58: 'retry_after' of 'errors' must be from 1ms to 1000000s, not 1us"},
        {"faults[0]={at: 1s, errors: {service: model, retry_after: never}}", ""},
        {"services.model.shed={token_bucket: {rate: 99/s, retry_after: 1.5s}}", ""},
        {"services.gateway.calls[0].fallback={value: 1ms}", ""},
        {"services.gateway.calls[0].fallback={stale_cache: {hit_ratio: 80%, time: 1ms}}", ""},
        {"services.gateway.calls[0].fallback={value: 1ms, stale_cache: {}}",
         "1:36: a fallback is a 'value' or a 'stale_cache', not both"},
        {"services.gateway.calls[0].fallback={value: 1ms, to: model}",
         "1:49: a fallback has no key 'to'; its keys are: value, stale_cache"},
        {"services.gateway.calls[0].fallback={stale_cache: {hit_ratio: 180%}}",
         "1:62: 'hit_ratio' of 'stale_cache' must be from 0% to 100%, not 180%"},
        {"services.gateway.calls=[&c {to: model, instances: 100k, hedge: quantile}, *c]",
         "1:1: bytes that the policies of all instances of callers keep may be 536870912 in all, "
         "not 956800000"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(combinations_that_harm_are_warned_of) {
    static const Case cases[] = {
        {"clients.web.call={timeout: 1s, hedge: fixed, retry: {fixed: {max_attempts: 3}}}",
         "5:13: warning: this call hedges and retries without a 'retry_budget': when 'gateway' is "
         "slow, one call may become 4 attempts"},
        {"clients.web.call={timeout: 1s, hedge: fixed, retry: {fixed: {max_attempts: unlimited}}}",
         "5:13: warning: this call hedges and retries without a 'retry_budget': when 'gateway' is "
         "slow, one call may become any number of attempts"},
        {"clients.web.call={timeout: 1s, hedge: fixed, retry: fixed, retry_budget: percent}", ""},
        {"clients.web.call={timeout: 1s, hedge: fixed}", ""},
        {"clients.web.call={timeout: [1s, 2s, 3s], retry: {fixed: {max_attempts: 2}}}",
         "5:13: warning: 'timeout' lists 3 times for 2 tries: the last are never used"},
        {"clients.web.call={timeout: 1s, instances: 1000, circuit_breaker: time_window}",
         "5:13: warning: each of the 1000 instances sends 72/h: its circuit breaker does not see "
         "the 100 results that it needs to open"},
        {"clients.web.call={timeout: 1s, instances: 10, circuit_breaker: time_window}", ""},
        {"clients.web.call={timeout: 1s, instances: 1000, circuit_breaker: count_window}",
         "5:13: warning: each of the 1000 instances sends 72/h: its circuit breaker does not see "
         "the 100 results that it needs to open"},
        {"clients.web.call={timeout: 1s, instances: 100, circuit_breaker: count_window}", ""},
        {"services.gateway.calls[0]={to: model, timeout: 1s, instances: 10000, circuit_breaker: "
         "consecutive}",
         "1:32: warning: each of the 10000 instances sends 7.2/h: its circuit breaker does not see "
         "the 5 results that it needs to open"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(every_preset_of_a_call_can_be_taken_as_it_is) {
    for (int i = 0; i < CALL_PRESET_COUNT; i++) {
        char set[100];
        snprintf(set, sizeof set, "clients.web.call={preset: %s}", call_presets[i].name);
        Compiled result = compiled(base_scenario, set);
        ck_assert_msg(strcmp(result.messages, "") == 0, "%s\nsays\n%s", set, result.messages);
        ck_assert_ptr_nonnull(result.model);
        const Edge *edge = &result.model->edges[0];
        ck_assert_str_ne(edge->retry.kind->name, "none");
        compiled_free(&result);
    }
}
END_TEST

/* What is resolved below clients.web.call, without what is a default. */
static void resolves_to(const char *set, const char *expected) {
    Compiled result = compiled(base_scenario, set);
    ck_assert_str_eq(result.messages, "");
    char *text = NULL, *line, *state = NULL, found[4000] = "";
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    resolved_print(&result.resolved, &result.diagnostics, out);
    fclose(out);
    for (line = strtok_r(text, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state)) {
        static const char prefix[] = "clients.web.call.";
        if (strncmp(line, prefix, sizeof prefix - 1) == 0 && strstr(line, "# default") == NULL) {
            strcat(strcat(found, line + sizeof prefix - 1), "\n");
        }
    }
    ck_assert_str_eq(found, expected);
    free(text);
    compiled_free(&result);
}

START_TEST(each_part_of_a_preset_can_be_overridden) {
    resolves_to("clients.web.call={preset: openai-sdk}",
                "timeout: 600s  # preset openai-sdk\n"
                "retry.exponential.max_attempts: 3  # preset openai-sdk\n"
                "retry.exponential.base: 500ms  # preset openai-sdk\n"
                "retry.exponential.max: 8s  # preset openai-sdk\n"
                "retry.exponential.jitter: minus  # preset openai-sdk\n"
                "retry.exponential.jitter_ratio: 25%  # preset openai-sdk\n"
                "retry_on[0]: timeout  # preset openai-sdk\n"
                "retry_on[1]: error  # preset openai-sdk\n"
                "retry_on[2]: refused  # preset openai-sdk\n"
                "retry_after: replaces  # preset openai-sdk\n");
    resolves_to("clients.web.call={preset: openai-sdk, timeout: 8s, retry: {exponential: "
                "{max_attempts: 6}}, retry_on: [timeout]}",
                "timeout: 8s  # --set clients.web.call\n"
                "retry.exponential.max_attempts: 6  # --set clients.web.call\n"
                "retry.exponential.base: 500ms  # preset openai-sdk\n"
                "retry.exponential.max: 8s  # preset openai-sdk\n"
                "retry.exponential.jitter: minus  # preset openai-sdk\n"
                "retry.exponential.jitter_ratio: 25%  # preset openai-sdk\n"
                "retry_on[0]: timeout  # --set clients.web.call\n"
                "retry_after: replaces  # preset openai-sdk\n");
    resolves_to("clients.web.call={preset: grpc, retry: none, retry_budget: {throttle: "
                "{max_tokens: 30}}}",
                "retry: none  # --set clients.web.call\n"
                "retry_on[0]: error  # preset grpc\n"
                "retry_on[1]: refused  # preset grpc\n"
                "retry_after: replaces  # preset grpc\n"
                "retry_budget.throttle.max_tokens: 30  # --set clients.web.call\n"
                "retry_budget.throttle.token_ratio: 0.1  # preset grpc\n");
}
END_TEST

START_TEST(a_preset_is_named_beside_the_target_and_in_a_fallback) {
    static const Case cases[] = {
        {"services.gateway.calls[0]={to: model, preset: envoy}", ""},
        {"services.gateway.calls[0].fallback={to: model, preset: polly}", ""},
        {"services.gateway.calls[0]={to: model, preset: envoi}",
         "1:47: a call has no preset 'envoi': did you mean 'envoy'?"},
        {"clients.web.call={preset: aws-sdk}",
         "1:27: a call has no preset 'aws-sdk': did you mean 'aws-sdk/standard'?"},
        {"clients.web.call={preset: go}",
         "1:27: a call has no preset 'go'; 'knockon kinds presets' lists them"},
        {"clients.web.call={prest: grpc}",
         "1:19: a call has no key 'prest': did you mean 'preset'?"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_call", policies_of_a_call_are_checked,
           combinations_that_harm_are_warned_of, every_preset_of_a_call_can_be_taken_as_it_is,
           each_part_of_a_preset_can_be_overridden,
           a_preset_is_named_beside_the_target_and_in_a_fallback)
