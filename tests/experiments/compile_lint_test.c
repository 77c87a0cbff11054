/* Every warning and every limit, in full. */
#include "tests/experiments/compile_test.h"

START_TEST(what_is_legal_but_unwise_is_warned_of) {
    static const Case cases[] = {
        {"services.model.work=1s", "10:3: warning: 'model' is offered 1.25 times what it can do, "
                                   "without any trigger: 20/s of 1s each, on 16 slots"},
        {"clients.web.arrivals.poisson.rate=200/s",
         "10:3: warning: 'model' is offered 1.25 times what it can do, without any trigger: 200/s "
         "of 100ms each, on 16 slots"},
        {"clients.web.arrivals={mmpp: {rates: [1/s, 900/s], dwell: [1s, 1s]}}", ""},
        {"clients.web.arrivals={sessions: {rate: 70/s, turns: 3, think: 1s}}",
         "10:3: warning: 'model' is offered 1.31 times what it can do, without any trigger: 210/s "
         "of 100ms each, on 16 slots"},
        {"clients.web.arrivals={sessions: {rate: 170/s, turns: 0, think: 1s}}",
         "10:3: warning: 'model' is offered 1.06 times what it can do, without any trigger: 170/s "
         "of 100ms each, on 16 slots"},
        {"clients.web.arrivals={sessions: {rate: 70/s, turns: {pareto: {min: 1, shape: 1}}, think: "
         "1s}}",
         ""},
        {"clients.web.call.deadline=1s",
         "5:13: warning: the deadline of 1s ends this call before its first timeout of 2s"},
        {"services.gateway.calls[0].timeout=50ms", "9:37: warning: the timeout of 50ms is shorter "
                                                   "than the work of 'model' itself (p99: 100ms)"},
        {"services.gateway.calls[0].timeout=100ms", ""},
        {"services.gateway.calls[0]={to: model, retry: {fixed: {max_attempts: 3}}, timeout: 1s}",
         ""},
        {"clients.web.call.retry={fixed: {max_attempts: 3}}", ""},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}, call: &c {timeout: 1s, retry: "
         "{fixed: {max_attempts: 3}}}}}\n"
         "services:\n"
         "  a: {calls: [{to: b, <<: *c}]}\n"
         "  b: {calls: [{to: c, <<: *c}]}\n"
         "  c: {}\n",
         "5:20: warning: retries multiply over layers: one request may become 27 attempts, w -> a "
         "(3) -> b (3) -> c (3)"},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}, call: &c {timeout: 1s, retry: "
         "{fixed: {max_attempts: unlimited}}}}}\n"
         "services:\n"
         "  a: {calls: [{to: b, <<: *c}]}\n"
         "  b: {}\n",
         "4:20: warning: retries multiply over layers: one request may become any number of "
         "attempts, w -> a (unlimited) -> b (unlimited)"},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services: {a: {}}\n"
         "faults: [{at: 1s, for: 1s, partition: {between: [w, a]}}]\n",
         "4:28: warning: 'w' calls 'a' without timeout or deadline: what is lost on the way waits "
         "until the end of the run"},
        {"knockon: 1\n"
         "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services: {a: {}}\n"
         "faults: [{at: 1s, for: 1s, packet_loss: {from: w, ratio: 1%, retransmit: 1s}}]\n",
         ""},
        {"services.model.work={exponential: {mean: 300ms}}",
         "9:37: warning: the timeout of 1s is shorter than the work of 'model' itself (p99: 1.3s)"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(what_would_not_fit_into_memory_is_refused) {
    static const Case cases[] = {
        {"run={max_in_flight: 10, initial: {model: {in_system: 11}}}",
         "1:1: initial requests ('max_in_flight' of run) may be 10 in all, not 11"},
        {"run.duration=200d", "1:1: samples of all components (take a longer 'sample_every') may "
                              "be 4000000 in all, not 51840000"},
        {"clients.web={target: gateway, arrivals: {closed: {users: 1M, think: 1s}}, load: [{at: "
         "0s, x: 5}]}",
         "1:1: users ('max_in_flight' of run) may be 4000000 in all, not 5000000"},
        {"services={gateway: {replicas: 100k}, b: {replicas: 100k}, c: {replicas: 100k}, d: "
         "{replicas: 100k}, e: {replicas: 100k}, f: {replicas: 100k}, g: {replicas: 100k}, h: "
         "{replicas: 100k}, i: {replicas: 100k}, j: {replicas: 100k}, model: {}}",
         "1:1: replicas may be 1000000 in all, not 1000001"},
        {"services.gateway.calls=[{parallel: [&c {to: model, instances: 100k}, *c, *c, *c, *c, *c, "
         "*c, *c, *c, *c]}, {to: model, instances: 5}]",
         "1:1: instances of callers may be 1000000 in all, not 1000006"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_lint", what_is_legal_but_unwise_is_warned_of,
           what_would_not_fit_into_memory_is_refused)
