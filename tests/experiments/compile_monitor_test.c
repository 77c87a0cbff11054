/* Every message about monitors, what is done about alerts, and actions, in full. */
#include "tests/experiments/compile_test.h"

START_TEST(monitors_are_checked) {
    static const Case cases[] = {
        {"monitors=3", "1:10: 'monitors' is written as a map, {key: value}, not as one value"},
        {"monitors={a b: {absence: {component: web, metric: p99}}}",
         "1:11: 'a b' cannot be a name: it takes 1 to 64 letters, digits, '.', '_' and '-', and "
         "begins with a letter or digit"},
        {"monitors={a: 3}", "1:14: a monitor is written as a map, {key: value}, not as one value"},
        {"monitors={a: {interval: 3s}}",
         "1:14: a monitor says when its alert fires, for example 'burn_rate: {client: web, "
         "objective: 99.9%}'"},
        {"monitors={a: {absense: {component: web, metric: p99}}}",
         "1:15: a monitor has no key 'absense': did you mean 'absence'?"},
        {"monitors={a: {intervall: 1s, absence: {component: web, metric: p99}}}",
         "1:15: a monitor has no key 'intervall': did you mean 'interval'?"},
        {"monitors={a: {page: 1s, absence: {component: web, metric: p99}}}",
         "1:15: a monitor has no key 'page'; it is one of: burn_rate, threshold, absence"},
        {"monitors={a: {burn_rate: {client: web, objective: 99%}, absence: {component: web, "
         "metric: p99}}}",
         "1:57: a monitor is of one kind: this one is 'burn_rate' already"},
        {"monitors={a: {burn_rate: {client: web, objective: 100%}}}",
         "1:51: 'objective' of 'burn_rate' must be from 0% to 99.99999%, not 100%"},
        {"monitors={a: {burn_rate: {client: web, objective: 99%, long: 1min}}}",
         "1:15: the 'short' window is longer than the 'long' one"},
        {"monitors={a: {interval: 10ms, burn_rate: {client: web, objective: 99%, long: 3h}}}",
         "1:31: its window holds 1080000 scrapes, and may hold 1000000: take a longer 'interval'"},
        {"monitors={a: {burn_rate: {preset: page-quick, client: web, objective: 99%}}}",
         "1:35: 'burn_rate' has no preset 'page-quick'; 'knockon kinds presets' lists them"},
        {"monitors={a: {threshold: {component: web, metric: p99}}}",
         "1:15: give one of 'above' and 'below'"},
        {"monitors={a: {threshold: {component: web, metric: p99, above: 3}}}",
         "1:63: '3' has no unit; write for example '3s'"},
        {"monitors={a: {threshold: {component: web, metric: p98, above: 3s}}}",
         "1:51: a monitor has no measure 'p98': did you mean 'p95'?"},
        {"monitors={a: {threshold: {component: web, metric: utilization, above: 3%}}}",
         "1:51: 'utilization' is measured for a service only"},
        {"monitors={a: {threshold: {component: wbe, metric: p99, above: 3s}}}",
         "1:38: there is no client or service 'wbe': did you mean 'web'?"},
        {"monitors={a: {depends_on: web, threshold: {component: web, metric: p99, above: 3s}}}",
         "1:27: 'web' is a client; a service is needed here"},
        {"monitors={a: {interval: 1min, delay: 30s, depends_on: gateway, threshold: {component: "
         "model, metric: utilization, above: 95%, for: 5min}},"
         " b: {absence: {component: web, metric: goodput}},"
         " c: {burn_rate: {client: web, objective: 99%, long: 5min, short: 30s}}}",
         ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

#define ALERT(then) "monitors={a: {absence: {component: web, metric: goodput}, then: " then "}}"

START_TEST(what_is_done_is_checked) {
    static const Case cases[] = {
        {ALERT("3"), "1:65: responses ('then') are written as a list, [first, second], not as one "
                     "value"},
        {ALERT("[half]"), "1:66: there is no action 'half' under 'actions'"},
        {ALERT("[{page: 3}]"), "1:73: a page is written as a map, {key: value}, not as one value"},
        {ALERT("[{page: {after: 3s}}]"), "1:73: a page needs 'action': what is done"},
        {ALERT("[{page: {afer: 3s, action: {flush_queue: {service: model}}}}]"),
         "1:74: a page has no key 'afer': did you mean 'after'?"},
        {ALERT("[{flush: {service: model}}]"),
         "1:67: 'actions' has no kind 'flush'; its kinds are: shed_load, limit_rate, scale_load, "
         "restart, flush_queue, flush_caches, roll_back"},
        {ALERT("[{flush_caches: {service: model}}]"),
         "1:67: 'model' has no cache: its server is 'pool'"},
        {ALERT("[{roll_back: {fault: bad}}]"),
         "1:67: no fault has the name 'bad': give it one with 'name'"},
        {ALERT("[{restart: {service: model, order: [1, 2]}}]"),
         "1:67: 'order' names replica 2, but 'model' has 2 of them, from 0 on"},
        {ALERT("[{shed_load: {client: web, share: 0%}}]"),
         "1:99: 'share' of 'shed_load' must be above 0% and at most 100%, not 0%"},
        {ALERT("[{flush_queue: {service: model}}, {page: {after: {exponential: {mean: 3min}}, for: "
               "3min, action: {restart: {service: model}}}}]"),
         ""},
        {"actions=3", "1:9: 'actions' is written as a map, {key: value}, not as one value"},
        {"actions={a b: {flush_queue: {service: model}}}",
         "1:10: 'a b' cannot be a name: it takes 1 to 64 letters, digits, '.', '_' and '-', and "
         "begins with a letter or digit"},
        {"knockon: 1\n"
         "clients: {web: {target: api, arrivals: {closed: {users: 3, think: 1s}}}}\n"
         "services: {api: {}}\n"
         "actions:\n"
         "  half: {shed_load: {client: web, share: 50%}}\n"
         "  less: {scale_load: {client: web, x: 0.5}}\n"
         "monitors:\n"
         "  a: {absence: {component: web, metric: goodput}, then: [hlaf]}\n",
         "6:10: 'web' is a closed client: its load is that of its users\n"
         "8:58: there is no action 'hlaf': did you mean 'half'?"},
        {"faults=[{at: 1s, cured_by: restart, memory_leak: {service: model, capacity: 3GB, per_s: "
         "1MB}}]",
         "1:28: a restart does not cure 'memory_leak'"},
        {"faults=[{at: 1s, cured_by: restart, partition: {from: web}}]",
         "1:28: a restart does not cure 'partition'"},
        {"faults=[{at: 1s, cured_by: restart, crash: {service: model}}]", ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(alerts_that_come_too_late_are_warned_of) {
    static const Case cases[] = {
        {"monitors={a: {burn_rate: {client: web, objective: 99%}}}",
         "1:11: warning: it looks back 1h, which is longer than the run of 10min: what lies before "
         "the run counts as served well"},
        {ALERT("[{page: {after: 30min, action: {flush_queue: {service: model}}}}]"),
         "1:66: warning: this is done 30min after the alert, and the verdict's horizon is 10min: "
         "it comes too late to change the verdict"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_monitor", monitors_are_checked, what_is_done_is_checked,
           alerts_that_come_too_late_are_warned_of)
