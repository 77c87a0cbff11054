#include "models/clients/call_presets.h"

#define ALL_FAILURES "retry_on: [timeout, error, refused]\n"

/* delay = rand(0, 1) x min(base x 2^i, 20 s); 3 attempts; a quota of 500 tokens. */
#define AWS_STANDARD                                                                               \
    "retry: {exponential: {max_attempts: 3, base: 100ms, refused_base: 500ms, max: 20s, jitter: "  \
    "full}}\n" ALL_FAILURES "retry_after: at_least\n"                                              \
    "retry_budget: {token_bucket: {capacity: 500, cost: 5, timeout_cost: 10, refund: 1, "          \
    "refunds_cost: true}}\n"

/* delay = min(0.5 s x 2^n, 8 s) x (1 - 0.25 rand). */
#define OPENAI_BACKOFF                                                                             \
    "retry: {exponential: {max_attempts: 3, base: 500ms, max: 8s, jitter: minus, jitter_ratio: "   \
    "25%}}\n" ALL_FAILURES "retry_after: replaces\n"

/* U(0, min(25 ms x (2^n - 1), 10 x 25 ms)). */
#define ENVOY_BACKOFF "base: 25ms, max: 250ms, growth: sum, jitter: full"

const Preset call_presets[CALL_PRESET_COUNT] = {
    {"aws-sdk/standard", AWS_STANDARD, "botocore and smithy-typescript, retry mode standard",
     "Apache-2.0",
     "A retry costs 5 tokens, after a timeout 10; a success puts back what its latest retry took, "
     "otherwise 1. The first backoff after throttling is smithy's. No timeout is set."},
    {"aws-sdk/adaptive", AWS_STANDARD "client_throttle: adaptive_rate\n",
     "botocore and smithy-typescript, retry mode adaptive", "Apache-2.0",
     "As standard, and a rate limit of the client's own that begins with the first refusal."},
    {"aws-sdk/2026",
     "retry: {exponential: {max_attempts: 3, base: 50ms, refused_base: 1s, max: 20s, jitter: "
     "full}}\n" ALL_FAILURES "retry_after: at_least\nretry_after_max: 5s\n"
     "retry_budget: {token_bucket: {capacity: 500, cost: 14, refused_cost: 5, refund: 1, "
     "refunds_cost: true}}\n",
     "the AWS SDKs with AWS_NEW_RETRIES_2026=true", "Apache-2.0",
     "A retry costs 14 tokens, after throttling 5; a wait that is asked for counts within 5 s of "
     "the backoff. DynamoDB's 4 attempts from 25 ms and long polling are not in it."},
    {"openai-sdk", "timeout: 600s\n" OPENAI_BACKOFF, "npm openai 6.49", "Apache-2.0",
     "Two retries, no retry budget and no breaker. Streams are not retried once they have begun, "
     "which the simulator does not tell apart."},
    {"anthropic-sdk", "timeout: 600s\n" OPENAI_BACKOFF, "npm @anthropic-ai/sdk 1.12", "MIT",
     "The same generator as openai-sdk, with the same numbers."},
    {"litellm", OPENAI_BACKOFF "retry_after_max: 60s\n",
     "LiteLLM, DEFAULT_MAX_RETRIES and _calculate_retry_after", "MIT",
     "Two retries; the backoff is the OpenAI SDK's, recalled and not read. Its cooldown of a "
     "deployment is no part of a call."},
    {"vercel-ai",
     "retry: {exponential: {max_attempts: 3, base: 2s, multiplier: 2, max: 1min}}\n" ALL_FAILURES
     "retry_after: replaces\nretry_after_max: 60s\n",
     "npm ai, retryWithExponentialBackoff", "Apache-2.0",
     "Two retries after 2 s and 4 s, without jitter. No timeout is set."},
    {"grpc",
     "retry: {exponential: {max_attempts: 4, base: 100ms, multiplier: 2, max: 1s, jitter: "
     "proportional, jitter_ratio: 20%}}\n"
     "retry_on: [error, refused]\nretry_after: replaces\n"
     "retry_budget: {throttle: {max_tokens: 10, token_ratio: 0.1}}\n",
     "gRPC proposal A6, its example of a service config", "Apache-2.0",
     "gRPC retries only what a service config says; these are the numbers of the proposal. Its "
     "deadline is the whole call's: write `deadline` and `propagate`."},
    {"envoy",
     "deadline: 15s\nretry: {exponential: {max_attempts: 2, " ENVOY_BACKOFF "}}\n" ALL_FAILURES
     "retry_budget: {percent: {percent: 0%, min_concurrency: 3}}\n",
     "Envoy, RetryPolicy, RouteAction and CircuitBreakers", "Apache-2.0",
     "One retry, at most max_retries = 3 at once, 15 s for the whole route; retry_on is what "
     "'5xx' means."},
    {"istio", "retry: {exponential: {max_attempts: 3, " ENVOY_BACKOFF "}}\nretry_on: [refused]\n",
     "Istio, mesh defaults", "Apache-2.0",
     "Two retries on connect-failure, refused-stream, unavailable and cancelled; neither a timeout "
     "nor a limit of retries. The two is recalled."},
    {"resilience4j",
     "retry: {fixed: {max_attempts: 3, delay: 500ms}}\n" ALL_FAILURES
     "circuit_breaker: {count_window: {size: 100, min_calls: 100, failure_rate: 50%, slow_rate: "
     "100%, slow_after: 60s, open: 60s, half_open: 10}}\n",
     "resilience4j, RetryConfig and CircuitBreakerConfig", "Apache-2.0",
     "A Retry around a CircuitBreaker, which is its own order: a refusal by the breaker is tried "
     "again too. The TimeLimiter of 1 s is left out."},
    {"polly",
     "timeout: 30s\nretry: {fixed: {max_attempts: 4, delay: 2s}}\n" ALL_FAILURES
     "circuit_breaker: {time_window: {window: 30s, slices: 10, min_calls: 100, failure_rate: 10%, "
     "slow_after: none, open: 5s, half_open: 1}}\n",
     "Polly 8, RetryStrategyOptions, CircuitBreakerStrategyOptions, TimeoutStrategyOptions",
     "BSD-3-Clause",
     "Three retries 2 s apart without jitter, around a breaker, around a timeout. With UseJitter "
     "and an exponential backoff take `jitter: decorrelated_v2`."},
    {"finagle",
     "retry: {fixed: {max_attempts: 21, delay: 0s}}\nretry_on: [refused]\n"
     "retry_budget: {ratio: {ttl: 10s, min_per_s: 10/s, percent: 20%}}\n",
     "Finagle, RequeueFilter and RetryBudget", "Apache-2.0",
     "Refusals are sent again at once while the budget lasts, at most with a fifth of its reserve "
     "for one request. Failure accrual belongs to the balancer and is not in it."},
    {"sglang-gateway",
     "timeout: 600s\n"
     "retry: {exponential: {max_attempts: 5, base: 50ms, multiplier: 1.5, max: 30s, jitter: "
     "proportional, jitter_ratio: 20%}}\n" ALL_FAILURES
     "circuit_breaker: {consecutive: {failures: 5, open: 30s, half_open: 2, probes: unlimited}}\n",
     "SGLang, sgl-model-gateway: RetryConfig and circuit_breaker.rs", "Apache-2.0",
     "Five attempts in all. There the breaker is each worker's; here it is the call's. Its window "
     "of 60 s is not used there either."},
};
