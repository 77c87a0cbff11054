/* Every message about clients, their calls, loads and laws, in full. */
#include "tests/experiments/compile_test.h"

START_TEST(a_client_and_its_call_are_checked) {
    static const Case cases[] = {
        {"clients.web.target=modl", "1:20: there is no service 'modl': did you mean 'model'?"},
        {"clients.web.target=web", "1:20: 'web' is a client; a service is needed here"},
        {"clients.web.target=[model]", "1:20: 'target' of a client takes one value, not a list"},
        {"clients.web=3", "1:13: a client is written as a map, {key: value}, not as one value"},
        {"knockon: 1\n"
         "clients: {w: {arrivals: {poisson: {rate: 1/s}}}}\n"
         "services: {a: {}}\n",
         "2:11: a client needs 'target'"},
        {"knockon: 1\n"
         "clients: {w: {target: a}}\n"
         "services: {a: {}}\n",
         "2:14: a client needs 'arrivals'"},
        {"knockon: 1\n"
         "clients: {w: }\n"
         "services: {a: {}}\n",
         "2:11: a client needs 'arrivals'\n"
         "2:11: a client needs 'target'"},
        {"clients.web.arrivals=poisson", "1:22: 'poisson' needs 'rate'"},
        {"clients.web.arrivals={poisson: {rate: 1/s}, gamma: {}}",
         "1:22: 'arrivals' is written {KIND: {parameters}}, with one kind"},
        {"clients.web.arrivals=[poisson]",
         "1:22: 'arrivals' is written {KIND: {parameters}}, with one kind"},
        {"clients.web.arrivals=hawkes", "1:22: 'hawkes' is not available in this version"},
        {"clients.web.arrivals=sine", "1:22: 'arrivals' has no kind 'sine'; its kinds are: "
                                      "poisson, constant, gamma, mmpp, trace, closed, sessions"},
        {"clients.web.arrivals={poisson: 3/s}",
         "1:32: 'poisson' is written as a map, {key: value}, not as one value"},
        {"clients.web.arrivals.poisson.rate=3", "1:35: '3' has no unit; write for example '3/s'"},
        {"clients.web.arrivals.poisson.rate=", "1:35: 'rate' of 'poisson' is empty"},
        {"clients.web.arrivals.poisson.rte=3/s",
         "1:30: 'poisson' has no key 'rte': did you mean 'rate'?"},
        {"clients.web.arrivals={trace: {file: nothere.csv}}",
         "1:37: cannot read 'nothere.csv': No such file or directory"},
        {"clients.web.arrivals={closed: {users: 1M, think: 1s}}", ""},
        {"clients.web.arrivals={sessions: {rate: 1/s}}", "1:33: 'sessions' needs 'think'"},
        {"clients.web.arrivals={sessions: {rate: 1/s, turns: 5s, think: 1s}}",
         "1:52: '5s' is not a number; write for example '1.5'"},
        {"clients.web.arrivals={sessions: {rate: 1/s, think: 1s, max_context: 0}}",
         "1:69: 'max_context' of 'sessions' must be from 1 to 1000M, not 0"},
        {"clients.web.arrivals={trace: {file: /dev/null, tokens_per_hash: 0}}",
         "1:65: 'tokens_per_hash' of 'trace' must be from 1 to 1M, not 0"},
        {"clients.web.call.to=model",
         "1:18: 'to' does not belong here: the client's 'target' says whom it calls"},
        {"clients.web.call.retry_on=refusd",
         "1:27: 'retry_on' cannot be 'refusd': did you mean 'refused'?"},
        {"clients.web.call.retry_on=[timeout, never]",
         "1:37: 'retry_on' cannot be 'never'; it is one of: timeout, error, refused"},
        {"clients.web.call.retry_on=[]", ""},
        {"clients.web.call.probability=101%",
         "1:30: 'probability' of a call must be from 0% to 100%, not 101%"},
        {"clients.web.call.zones=1", "1:18: 'zones' is not available in this version"},
        {"clients.web.call.timeout=[]", "1:26: 'timeout' of a call is an empty list"},
        {"clients.web.call.timeout=[1s, none, 2s]",
         "5:13: warning: 'timeout' lists 3 times for 1 try: the last are never used"},
        {"clients.web.call.timeout={a: b}", "1:26: 'timeout' of a call takes one value, not a map"},
        {"clients.web.call.timeout=[[1s]]",
         "1:27: 'timeout' of a call takes one value, not a list"},
        {"clients.web.call.retry={exponential: {max_attempts: 0}}",
         "1:53: 'max_attempts' of 'exponential' must be from 1 to 60k, not 0"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(shared_prefixes_are_checked) {
    static const Case cases[] = {
        {"clients.web.shared_prefix=500",
         "1:27: a shared prefix is written as a map, {key: value}, not as one value\n"
         "1:13: a shared prefix is part of a prompt: it needs 'input_tokens'"},
        {"clients.web.shared_prefix.tokens=500",
         "1:13: a shared prefix is part of a prompt: it needs 'input_tokens'"},
        {"clients.web={target: gateway, arrivals: {closed: {users: 1, think: 1s}}, shared_prefix: "
         "{tokens: 9}}",
         "1:74: a shared prefix is part of a prompt: it needs 'input_tokens'"},
        {"clients.web={target: gateway, arrivals: {poisson: {rate: 1/s}}, input_tokens: 900, "
         "shared_prefix: {tokens: 500, count: 20, s: 1.1}}",
         ""},
        {"clients.web={target: gateway, arrivals: {sessions: {rate: 1/s, think: 1s}}, "
         "shared_prefix: {tokens: 500}}",
         ""},
        {"clients.web={target: gateway, arrivals: {trace: {file: /dev/null}}, shared_prefix: "
         "{tokens: 500}}",
         ""},
        {"clients.web={target: gateway, arrivals: {poisson: {rate: 1/s}}, input_tokens: 900, "
         "shared_prefix: {count: 0, s: -1, size: 3}}",
         "1:117: a shared prefix has no key 'size'; its keys are: tokens, count, s\n"
         "1:99: a shared prefix needs 'tokens'\n"
         "1:107: 'count' of a shared prefix must be from 1 to 1000M, not 0\n"
         "1:113: 's' of a shared prefix must be from 0 to 100, not -1"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(priorities_are_whole_numbers_near_0) {
    static const Case cases[] = {
        {"clients.web.priority=-1000", ""},
        {"clients.web.priority=1000", ""},
        {"clients.web.priority=-0", ""},
        {"clients.web.priority=1.5",
         "1:22: 'priority' of a client must be a whole number, not 1.5"},
        {"clients.web.priority=1001",
         "1:22: 'priority' of a client must be from -1000 to 1000, not 1001"},
        {"clients.web.priority=-1001",
         "1:22: 'priority' of a client must be from -1000 to 1000, not -1001"},
        {"clients.web.priority=high", "1:22: 'high' is not a number; write for example '1.5'"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(there_may_be_256_priorities_and_no_more) {
    for (int count = 256; count <= 257; count++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        fprintf(out, "knockon: 1\nservices: {a: {}}\nclients:\n");
        for (int i = 0; i < count; i++) {
            fprintf(out, "  c%d: {target: a, arrivals: {poisson: {rate: 1/s}}, priority: %d}\n", i,
                    3 * i - 300);
        }
        fclose(out);
        Compiled result = compiled(text, NULL);
        ck_assert_str_eq(result.messages,
                         count == 256 ? ""
                                      : "260:3: clients may have 256 different priorities in all");
        ck_assert(count == 257 ||
                  (result.model->rank_count == 256 && result.model->clients[255].rank == 255));
        compiled_free(&result);
        free(text);
    }
}
END_TEST

START_TEST(loads_and_spikes_are_checked) {
    static const Case cases[] = {
        {"clients.web.load=3",
         "1:18: points of a load are written as a list, [first, second], not as one value"},
        {"clients.web.load=[{at: 1min}]", "1:19: a point of the load needs 'x'"},
        {"clients.web.load=[{at: 1min, x: 2}, {at: 1min, x: 3}]",
         "1:37: points must be in the order of time: this one is not after the one before"},
        {"clients.web.load=[{at: 1min, x: 2, ramp: 2min}, {at: 2min, x: 3}]",
         "1:49: this point begins before the ramp of the one before has ended"},
        {"clients.web.load={points: [{at: 1min, x: 2, ramp: 2min}], interpolate: linear}",
         "1:28: 'interpolate: linear' joins the points, so a point takes no 'ramp'"},
        {"clients.web.load={sine: {amplitude: 50%, period: 1ms}}",
         "1:18: a sine of this period would be cut into 307200000 pieces over the run; at most "
         "1000000 are possible, so take a period of 0.307s or more"},
        {"clients.web.load={sine: {amplitude: 150%, period: 1h}}",
         "1:37: 'amplitude' of a sine must be from 0% to 100%, not 150%"},
        {"clients.web.load={sin: {amplitude: 150%, period: 1h}}",
         "1:19: a load has no key 'sin': did you mean 'sine'?"},
        {"clients.web.load=[{at: 1min, x: -2}]",
         "1:33: 'x' of a point of the load must be from 0 to 1000000, not -2"},
        {"clients.web.spikes={at: 1min, for: 1s, x: 2}",
         "1:20: spikes are written as a list, [first, second], not as a map"},
        {"clients.web.spikes=[{at: 1min, for: 1s, x: 2, ramp: 1s}]",
         "1:21: a spike rises and falls within 'for', so 'ramp' may be half of it at most"},
        {"clients.web.spikes=[{at: 1h, for: 1s, x: 2}]",
         "1:21: warning: this spike begins after the run has ended"},
        {"clients.web.spikes=[{at: 1h, fr: 1s, x: 2}]",
         "1:30: a spike has no key 'fr': did you mean 'for'?\n"
         "1:21: a spike needs 'for'"},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

START_TEST(distributions_are_checked) {
    static const Case cases[] = {
        {"clients.web.call.retry={fixed: {delay: {gama: {mean: 1s}}}}",
         "1:41: 'delay' takes no law 'gama': did you mean 'gamma'?"},
        {"clients.web.call.retry={fixed: {delay: {gamma: {mean: 1s, cc: 3}}}}",
         "1:59: 'gamma' has no key 'cc': did you mean 'cv'?"},
        {"clients.web.call.retry={fixed: {delay: {gamma: {mean: 1s, shape: 3}}}}",
         "1:59: 'gamma' has no key 'shape'; its keys are: mean, cv, p99"},
        {"clients.web.call.retry={fixed: {delay: {gamma: {mean: [1s], cv: 1}}}}",
         "1:55: a duration is one value, not a list"},
        {"clients.web.call.retry={fixed: {delay: {gamma: 3s}}}",
         "1:48: gamma is written as a map, {key: value}, not as one value"},
        {"clients.web.call.retry={fixed: {delay: {one: 3s, two: 3s}}}",
         "1:40: 'delay' is a quantity or {LAW: {parameters}}, with one law"},
        {"clients.web.call.retry={fixed: {delay: -3s}}",
         "1:40: '-3s' is negative: a duration is not"},
        {"clients.web.input_tokens=-3", "1:26: 'input_tokens' must be from 0 to 1e+18, not -3"},
        {"clients.web.input_tokens={empirical: {values: [1, 2k, 3]}}", ""},
        {"clients.web.input_tokens={empirical: {file: no.csv}}",
         "1:38: empirical takes values, or a file and the column to read of it"},
        {"clients.web.input_tokens={empirical: {file: no.csv, column: a}}",
         "1:45: cannot read 'no.csv': No such file or directory"},
        {"clients.web.input_tokens={empirical: {file: no.csv, column: a, values: 3}}",
         "1:38: empirical takes values or a file, not both"},
        {"clients.web.input_tokens={zipf: {count: 1.5, s: 1}}",
         "1:41: '1.5' is not a whole number"},
        {"clients.web.input_tokens=4k", ""},
        {"clients.web.input_tokens=4q", "1:26: '4q' is not a number; write for example '1.5'"},
        {"clients.web.input_tokens={empirical: {values: [1, -2, x]}}",
         "1:55: 'x' is not a number; write for example '1.5'"},
        {"clients.web.input_tokens={hyperexponential: {p: 40%, means: [3, 5]}}", ""},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

TEST_SUITE("experiments/compile_client", a_client_and_its_call_are_checked,
           shared_prefixes_are_checked, priorities_are_whole_numbers_near_0,
           there_may_be_256_priorities_and_no_more, loads_and_spikes_are_checked,
           distributions_are_checked)
