/* Every message about services, their calls and the graph of them, in full. */
#include "tests/experiments/compile_test.h"

START_TEST(a_service_is_checked) {
    static const Case cases[] = {
        {"services.model.replicas=0",
         "1:25: 'replicas' of a service must be from 1 to 100k, not 0"},
        {"services.model.replicas=100001",
         "1:25: 'replicas' of a service must be from 1 to 100k, not 100001"},
        {"services.model.server=pol", "1:23: 'server' has no kind 'pol': did you mean 'pool'?"},
        {"services.model.server={cache: {}}", "1:24: 'cache' is not available in this version"},
        {"services.model.server={batch: {max_batch_size: 4, step: 20ms}}",
         "10:58: 'work' does not apply: a batch server takes its time from its own parameters"},
        {"services.gateway={server: {batch: {max_batch_size: 4, step: 20ms}}, on_capacity_loss: "
         "suspend, calls: [{to: model}]}",
         "1:87: a batch server cannot suspend work; take 'drain'"},
        {"services.gateway={server: sharing, on_capacity_loss: suspend, calls: [{to: model}]}",
         "1:54: a sharing server cannot suspend work; take 'drain' or 'kill'"},
        {"services.gateway={server: {batch: {step: 20ms}}, on_capacity_loss: kill, calls: [{to: "
         "model}]}",
         "1:68: a batch server finishes what it has begun; take 'drain'"},
        {"services.gateway={server: {batch: {max_batch_size: 4, step: {gamma: {mean: 20ms}}}}, "
         "calls: [{to: model}]}",
         "1:62: gamma takes {mean, cv} or {mean, p99}; found {mean}"},
        {"services.gateway={server: {batch: {max_batch_size: 4, step: {linar: {base: 20ms}}}}, "
         "calls: [{to: model}]}",
         "1:62: 'step' has no kind 'linar': did you mean 'linear'?"},
        {"services.gateway={server: {batch: {max_batch_size: 4, step: fast}}, calls: [{to: "
         "model}]}",
         "1:61: 'fast' is not a duration; write for example '250ms'"},
        {"services.gateway={server: {link: {bandwidth: 20GB, bytes_per_input_token: 128kB}}, "
         "calls: [{to: model}]}",
         "1:46: '20GB' is not a bandwidth: units are B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, "
         "GiB/s, TiB/s, Mbit/s, Gbit/s or Tbit/s; write for example '20GB/s'"},
        {"services.gateway={server: {link: {bandwidth: 20GB/s, bytes_per_input_token: 128}}, "
         "calls: [{to: model}]}",
         "1:77: '128' has no unit; write for example '128MiB'"},
        {"services.gateway={server: {link: {bandwidth: 20GB/s, bytes_per_input_token: 0B}}, "
         "calls: [{to: model}]}",
         "1:28: bytes_per_input_token and bytes_per_output_token are both 0: there is nothing to "
         "carry"},
        {"services.gateway={server: {link: {bandwidth: 0B/s, bytes_per_input_token: 1kB}}, "
         "calls: [{to: model}]}",
         "1:46: 'bandwidth' of 'link' must be above 0B/s and at most 1e18B/s, not 0B/s"},
        {"services.gateway={server: {link: {bandwidth: 20GB/s, bytes_per_input_token: 128kB}}, "
         "work: 1ms, on_capacity_loss: suspend, calls: [{to: model}]}",
         "1:86: 'work' does not apply: a link server takes its time from its own parameters\n"
         "1:115: a link server cannot suspend work; take 'drain' or 'kill'"},
        {"services.model.zones=[a, b]", "1:16: 'zones' is not available in this version"},
        {"services.model.work={by_client: {web: 3s}}",
         "1:22: 'by_client' is not available in this version"},
        {"services.model.shed=dagor", "1:21: 'dagor' is not available in this version"},
        {"services.model.queue.order=fair", "1:28: 'fair' is not available in this version"},
        {"services.model.queue.limit=none", "1:28: 'none' is not a count; write for example '4k'"},
        {"services.model.queue.limt=3", "1:22: a queue has no key 'limt': did you mean 'limit'?"},
        {"services.model.queue=3",
         "1:22: a queue is written as a map, {key: value}, not as one value"},
        {"services.model.server.pool.hold_while_calling=yes",
         "1:47: 'hold_while_calling' is true or false, not 'yes'"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(a_router_must_fit_its_service) {
    static const Case cases[] = {
        {"services.model.route={weighted: {weights: [3, 1]}}", ""},
        {"services.model.route={weighted: {weights: 3}}",
         "1:23: 1 weight for 2 replicas: each replica takes one, in order"},
        {"services.gateway.route={weighted: {weights: [3, 1]}}",
         "1:25: 2 weights for 1 replica: each replica takes one, in order"},
        {"services.model.route={weighted: {weights: [0, 0]}}",
         "1:23: all weights are 0: nobody would get a request"},
        {"services.model.route={weighted: {weights: [3, 1/s]}}",
         "1:47: '1/s' is not a number; write for example '1.5'"},
        {"services.model.route={weighted: {weights: []}}",
         "1:43: 'weights' of 'weighted' is an empty list"},
        {"services.model.route=prefix_affinity",
         "1:22: a pool server has no prefix cache; take 'session' or 'least_loaded'"},
        {"services.model.route={least_loaded: {counts_own: true}}",
         "1:23: counts_own changes nothing while metrics_age is 0s: the numbers are taken anew for "
         "each request"},
        {"services.model.route={least_loaded: {counts_own: true, metrics_age: 100ms}}", ""},
        {"services.model.route={least_requests: {metrics_age: 1s}}",
         "1:40: 'least_requests' has no key 'metrics_age': it takes no parameters"},
        {"services.model.route=envoy_least_request",
         "1:22: 'envoy_least_request' is not available in this version"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(calls_are_checked) {
    static const Case cases[] = {
        {"services.model.calls={to: gateway}",
         "1:22: calls are written as a list, [first, second], not as a map"},
        {"services.model.calls=[{to: gateway}]",
         "1:28: calls go in a circle: gateway -> model -> gateway"},
        {"services.model.calls=[{to: model}]", "1:28: calls go in a circle: model -> model"},
        {"services.gateway.calls[0].to=gatway",
         "1:30: there is no service 'gatway': did you mean 'gateway'?"},
        {"services.gateway.calls=[{timeout: 1s}]", "1:25: a call needs 'to'"},
        {"services.gateway.calls=[gateway]",
         "1:25: a call is written as a map, {key: value}, not as one value"},
        {"services.gateway.calls=[{parallel: []}]",
         "1:36: 'parallel' takes 1 to 1000 calls, not 0"},
        {"services.gateway.calls=[{parallel: {to: model}}]",
         "1:36: calls in parallel are written as a list, [first, second], not as a map"},
        {"services.gateway.calls=[{parallel: [{to: model}], timeout: 3s}]",
         "1:51: 'parallel' has no key 'timeout'; its keys are: parallel"},
        {"services.gateway.calls=[{parallel: [{to: model, timeout: 1s}, {to: model}]}]", ""},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services:\n"
         "  a: {calls: [{to: b}]}\n"
         "  b: {calls: [{to: d}, {to: c}]}\n"
         "  c: {calls: [{to: d}, {to: b}]}\n"
         "  d: {}\n",
         "6:29: calls go in a circle: b -> c -> b"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(a_fallback_is_checked) {
    static const Case cases[] = {
        {"services.gateway.calls[0].fallback=model",
         "1:36: a fallback is written as a map, {key: value}, not as one value"},
        {"services.gateway.calls[0].fallback={timeout: 1s}", "1:36: a fallback needs 'to'"},
        {"services.gateway.calls[0].fallback={to: modl}",
         "1:41: there is no service 'modl': did you mean 'model'?"},
        {"services.gateway.calls[0].fallback={to: model, probability: 50%, on_failure: ignore}",
         "1:48: 'probability' does not belong here: a fallback is made whenever its call has "
         "failed\n"
         "1:66: 'on_failure' does not belong here: it is that of the call which has failed"},
        {"services.gateway.calls[0].fallback={to: model, timout: 1s}",
         "1:48: a fallback has no key 'timout': did you mean 'timeout'?"},
        {"services.gateway.calls[0].fallback={to: gateway}",
         "1:41: calls go in a circle: gateway -> gateway"},
        {"clients.web.call={to: model}",
         "1:19: 'to' does not belong here: the client's 'target' says whom it calls"},
        {"clients.web.call.fallback={to: model, timeout: 50ms}",
         "1:32: warning: the timeout of 50ms is shorter than the work of 'model' itself (p99: "
         "100ms)"},
        /* Nothing falls back while nothing fails: 20/s of 10 s would be too much otherwise. */
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 20/s}}, call: {fallback: {to: c}}}}\n"
         "services:\n"
         "  a: {calls: [{to: b, fallback: {to: c}}]}\n"
         "  b: {}\n"
         "  c: {work: 10s}\n",
         ""},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}, call: &c {timeout: 1s, retry: "
         "{fixed: {max_attempts: 3}}}}}\n"
         "services:\n"
         "  a: {calls: [{to: b, fallback: {to: d, fallback: {to: c, <<: *c}}}]}\n"
         "  b: {calls: [{to: d}]}\n"
         "  c: {}\n"
         "  d: {}\n",
         "4:56: warning: retries multiply over layers: one request may become 9 attempts, w -> a "
         "(3) -> c (3)"},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services:\n"
         "  a: {calls: [{to: b}]}\n"
         "  b: {calls: [{to: c, fallback: {to: d, fallback: {to: a}}}]}\n"
         "  c: {}\n"
         "  d: {}\n",
         "5:56: calls go in a circle: a -> b -> a"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_service", a_service_is_checked, a_router_must_fit_its_service,
           calls_are_checked, a_fallback_is_checked)
