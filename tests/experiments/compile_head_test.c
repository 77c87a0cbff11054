/* Every message about the top of a scenario, its run, verdict, trigger and network, in full. */
#include "tests/experiments/compile_test.h"

START_TEST(what_stands_at_the_top_is_checked) {
    static const Case cases[] = {
        {"knockon=2", "1:9: this program reads version 1 of the language, not '2'"},
        {"name=../x", "1:6: '../x' cannot be a name: it takes 1 to 64 letters, digits, '.', '_' "
                      "and '-', and begins with a letter or digit"},
        {"name={a: b}", "1:6: 'name' takes one value, not a map"},
        {"name=ok", ""},
        {"zones=3", "1:1: 'zones' is not available in this version"},
        {"sweep=1", "1:1: 'sweep' is not available in this version"},
        {"servces={}", "1:1: a scenario has no key 'servces': did you mean 'services'?"},
        {"foo=1", "1:1: a scenario has no key 'foo'; its keys are: knockon, name, about, run, "
                  "clients, services, network, faults, objectives, verdict, trigger"},
        {"\n", "1:1: the file is empty"},
        {"clients: {web: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services: {a: {}}\n",
         "1:1: a scenario begins with the version of its language: 'knockon: 1'"},
        {"knockon: 1\n", "1:1: a scenario needs 'services'\n"
                         "1:1: a scenario needs 'clients' (or 'initial' requests under 'run')"},
        {"knockon: 1\n"
         "services: {}\n",
         "2:11: a scenario needs 'services'\n"
         "1:1: a scenario needs 'clients' (or 'initial' requests under 'run')"},
        {"knockon: 1\n"
         "services: {a: {}}\n",
         "1:1: a scenario needs 'clients' (or 'initial' requests under 'run')"},
        {"knockon: 1\n"
         "services: [a]\n"
         "clients: 3\n",
         "3:10: 'clients' is written as a map, {key: value}, not as one value\n"
         "2:11: 'services' is written as a map, {key: value}, not as a list"},
        {"knockon: 1\n"
         "clients: {a: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services: {a: {}}\n",
         "3:12: 'a' is a client already: names must differ\n"
         "2:11: note: the client is named here\n"
         "2:23: 'a' is a client; a service is needed here"},
        {"knockon: 1\n"
         "clients: {-w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
         "services: {a: {}}\n",
         "2:11: '-w' cannot be a name: it takes 1 to 64 letters, digits, '.', '_' and '-', and "
         "begins with a letter or digit"},
        {"[1, 2]\n", "1:1: a scenario is written as a map, {key: value}, not as a list"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(a_run_is_checked) {
    static const Case cases[] = {
        {"run=5", "1:5: run is written as a map, {key: value}, not as one value"},
        {"run.warmup=10min", "1:12: a warmup of 10min leaves nothing of a duration of 10min"},
        {"run.warmup=1", "1:12: '1' has no unit; write for example '1s'"},
        {"run.duration=0s", "1:14: 'duration' of run must be above 0s and at most 36525d, not 0s"},
        {"run.seed=1.5", "1:10: 'seed' of run must be a whole number, not 1.5"},
        {"run.seed=-1", "1:10: 'seed' of run must be from 0 to 9007199254740991, not -1"},
        {"run.replications=0", "1:18: 'replications' of run must be from 1 to 1M, not 0"},
        {"run.replications=1.5", "1:18: '1.5' is not a whole number"},
        {"run.sample_every=1ms", ""},
        {"run.sample_every=0.1ns", "1:18: 'sample_every' of run must be from 1ms to 1h, not 0.1ns"},
        {"run.durration=3s", "1:5: run has no key 'durration': did you mean 'duration'?"},
        {"run.work_draw=atempt", "1:15: 'work_draw' cannot be 'atempt': did you mean 'attempt'?"},
        {"run.work_draw=none",
         "1:15: 'work_draw' cannot be 'none'; it is one of: attempt, request"},
        {"run.work_draw=[attempt]", "1:15: 'work_draw' of run takes one value, not a list"},
        {"run.timeseries=maybe",
         "1:16: 'timeseries' cannot be 'maybe'; it is one of: all, average, none"},
        {"run.initial=3", "1:13: 'initial' is written as a map, {key: value}, not as one value"},
        {"run.initial.modle.in_system=3",
         "1:13: there is no service 'modle': did you mean 'model'?"},
        {"run.initial.web.in_system=3", "1:13: 'web' is a client; a service is needed here"},
        {"run.initial.model={}", "1:19: an initial state needs 'in_system'"},
        {"run.initial.model.in_system=5M",
         "1:29: 'in_system' of an initial state must be from 0 to 1M, not 5M"},
        {"run.initial={model: {in_system: 1M}, gateway: {in_system: 900k}}", ""},
        {"run.max_in_flight=10", ""},
        {"run.stop_when={service: model}", "1:15: 'stop_when' needs 'in_system'"},
        {"run.stop_when={service: model, in_system: 0}", ""},
        {"run.stop_when.service=nothing", "1:23: there is no service 'nothing'\n"
                                          "1:5: 'stop_when' needs 'in_system'"},
        {"run.duration=200d", "1:1: samples of all components (take a longer 'sample_every') may "
                              "be 4000000 in all, not 51840000"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(a_verdict_and_a_trigger_are_checked) {
    static const Case cases[] = {
        {"verdict=none", ""},
        {"verdict=some", "1:9: verdict is written as a map, {key: value}, not as one value"},
        {"verdict.healthy=120%",
         "1:17: 'healthy' of verdict must be above 0% and at most 100%, not 120%"},
        {"verdict.healthy=0%",
         "1:17: 'healthy' of verdict must be above 0% and at most 100%, not 0%"},
        {"verdict.hold=0s", "1:14: 'hold' of verdict must be above 0s and at most 36525d, not 0s"},
        {"verdict.attempts=0.5", "1:18: 'attempts' of verdict must be 1 or more, not 0.5"},
        {"verdict.sweep=true", "1:9: 'sweep' is not available in this version"},
        {"trigger={from: 2min}", "1:9: 'trigger' needs 'to'"},
        {"trigger={from: 2min, to: 1min}",
         "1:9: 'trigger' must end after it begins: 'from' before 'to'"},
        {"trigger={from: 2min, to: 11min}", "1:9: 'trigger' must end before the run does"},
        {"trigger=3", "1:9: 'trigger' is written as a map, {key: value}, not as one value"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(a_network_is_checked) {
    static const Case cases[] = {
        {"network.cross_zone=3ms", "1:9: 'cross_zone' is not available in this version"},
        {"network.default.latency=3", "1:25: '3' has no unit; write for example '3s'"},
        {"network.default.latency={lognormal: {mean: 3ms}}",
         "1:26: lognormal takes {mean, p50}, {mean, p99}, {mean, cv}, {mean, sigma}, {p50, p99}, "
         "{p50, cv}, {p50, sigma}, {p99, cv} or {p99, sigma}; found {mean}"},
        {"network.default=3ms",
         "1:17: a network is written as a map, {key: value}, not as one value"},
        {"network.defaul=3ms", "1:9: 'network' has no key 'defaul': did you mean 'default'?"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_head", what_stands_at_the_top_is_checked, a_run_is_checked,
           a_verdict_and_a_trigger_are_checked, a_network_is_checked)
