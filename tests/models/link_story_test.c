/* The server `link`: transfers that share a bandwidth, with times worked out by hand. At 1 MB/s and
 * 1 kB a token, a transfer of n tokens takes n ms alone. */
#include "tests/models/story.h"

#define LINK(parameters)                                                                           \
    "run: {duration: 60s}\n"                                                                       \
    "clients:\n"                                                                                   \
    "  web: {target: wire, arrivals: {trace: {file: /dev/null}}}\n"                                \
    "services:\n"                                                                                  \
    "  wire: {server: {link: {bandwidth: 1MB/s, bytes_per_input_token: 1kB" parameters "}}}\n"

static const TraceArrival one[] = {
    {.at_s = 0.1, .input_tokens = 500, .output_tokens = 70},
};
static const TraceArrival two[] = {
    {.at_s = 0.1, .input_tokens = 600},
    {.at_s = 0.3, .input_tokens = 200},
};
static const TraceArrival three[] = {
    {.at_s = 0.1, .input_tokens = 600},
    {.at_s = 0.3, .input_tokens = 200},
    {.at_s = 0.5, .input_tokens = 500},
};

START_TEST(a_transfer_alone_has_the_whole_bandwidth_and_then_the_latency) {
    story_with_trace_is(LINK(", latency: 20ms"), STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
                        "0.100 s  web #0 attempt 1: started by wire[0]\n"
                        "0.620 s  web #0 attempt 1: served by wire[0]\n"
                        "0.620 s  web #0 attempt 1: reply from wire[0]\n"
                        "0.620 s  web #0 is answered\n");
}
END_TEST

START_TEST(tokens_of_the_answer_are_carried_if_they_have_bytes) {
    StoryRun run = story_run(LINK(", bytes_per_output_token: 3kB"), STORY_TRACE(one));
    ck_assert_double_eq(story_measure(&run, "web", METRIC_latency_max), 0.5 + 3 * 0.07);
    story_free(&run);
}
END_TEST

/* Until 0.3 s the first has 0.2 of its 0.6 s behind it. Then each has half of the bandwidth: the
 * second takes 0.4 s for its 0.2, and the first has 0.2 left when it is alone again. */
START_TEST(two_transfers_have_half_of_the_bandwidth_each) {
    story_with_trace_is(LINK(""), STORY_TRACE(two),
                        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
                        "0.100 s  web #0 attempt 1: started by wire[0]\n"
                        "0.300 s  web #1 attempt 1: sent to wire[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at wire[0]\n"
                        "0.300 s  web #1 attempt 1: started by wire[0]\n"
                        "0.700 s  web #1 attempt 1: served by wire[0]\n"
                        "0.700 s  web #1 attempt 1: reply from wire[0]\n"
                        "0.700 s  web #1 is answered\n"
                        "0.900 s  web #0 attempt 1: served by wire[0]\n"
                        "0.900 s  web #0 attempt 1: reply from wire[0]\n"
                        "0.900 s  web #0 is answered\n");
}
END_TEST

/* At 0.5 s there are left 0.3 (first), 0.1 (second) and 0.5 (third), each at a third of the speed:
 * the second's last byte leaves at 0.8 s. Then 0.2 and 0.4 at half: the first's at 1.2 s, the
 * third's at 1.4 s. On their way for another 30 ms they take nothing of the bandwidth. */
START_TEST(three_transfers_have_a_third_of_the_bandwidth_each) {
    story_with_trace_is(LINK(", latency: 30ms"), STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
                        "0.100 s  web #0 attempt 1: started by wire[0]\n"
                        "0.300 s  web #1 attempt 1: sent to wire[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at wire[0]\n"
                        "0.300 s  web #1 attempt 1: started by wire[0]\n"
                        "0.500 s  web #2 attempt 1: sent to wire[0]\n"
                        "0.500 s  web #2 attempt 1: arrived at wire[0]\n"
                        "0.500 s  web #2 attempt 1: started by wire[0]\n"
                        "0.830 s  web #1 attempt 1: served by wire[0]\n"
                        "0.830 s  web #1 attempt 1: reply from wire[0]\n"
                        "0.830 s  web #1 is answered\n"
                        "1.230 s  web #0 attempt 1: served by wire[0]\n"
                        "1.230 s  web #0 attempt 1: reply from wire[0]\n"
                        "1.230 s  web #0 is answered\n"
                        "1.430 s  web #2 attempt 1: served by wire[0]\n"
                        "1.430 s  web #2 attempt 1: reply from wire[0]\n"
                        "1.430 s  web #2 is answered\n");
}
END_TEST

START_TEST(a_limit_lets_transfers_wait) {
    StoryRun run = story_run(LINK(", limit: 1, latency: 30ms"), STORY_TRACE(three));
    /* 0.1-0.73, then 0.73-0.96, then 0.96-1.49: the latency holds the place. */
    ck_assert_double_eq_tol(story_measure(&run, "wire", METRIC_busy), (0.63 + 0.23 + 0.53) / 60,
                            1e-12);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_latency_max), 1.49 - 0.5);
    ck_assert_double_eq_tol(story_measure(&run, "wire", METRIC_queue), (0.43 + 0.46) / 60, 1e-12);
    story_free(&run);
}
END_TEST

static const TraceArrival empty[] = {
    {.at_s = 0.1, .input_tokens = 600},
    {.at_s = 0.3, .input_tokens = 0},
};

START_TEST(nothing_to_carry_takes_the_latency_alone) {
    story_with_trace_is(LINK(", latency: 30ms"), STORY_TRACE(empty),
                        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
                        "0.100 s  web #0 attempt 1: started by wire[0]\n"
                        "0.300 s  web #1 attempt 1: sent to wire[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at wire[0]\n"
                        "0.300 s  web #1 attempt 1: started by wire[0]\n"
                        "0.330 s  web #1 attempt 1: served by wire[0]\n"
                        "0.330 s  web #1 attempt 1: reply from wire[0]\n"
                        "0.330 s  web #1 is answered\n"
                        "0.730 s  web #0 attempt 1: served by wire[0]\n"
                        "0.730 s  web #0 attempt 1: reply from wire[0]\n"
                        "0.730 s  web #0 is answered\n");
}
END_TEST

/* Of the three, the second starts while the link is slow and has 0.7 s of work. At 0.5 s there are
 * left 0.3, 0.6 and 0.5, so that the first ends at 1.4 s, the third with 0.2 more at 1.8 s and the
 * second with another 0.1 at 1.9 s. */
START_TEST(a_slow_link_slows_the_transfers_that_start_meanwhile) {
    story_with_trace_is(LINK("") "faults: [{at: 0.2s, for: 0.2s, slow: {service: wire, x: 3.5}}]\n",
                        STORY_TRACE(three),
                        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
                        "0.100 s  web #0 attempt 1: started by wire[0]\n"
                        "0.200 s  fault begins: slow wire\n"
                        "0.300 s  web #1 attempt 1: sent to wire[0]\n"
                        "0.300 s  web #1 attempt 1: arrived at wire[0]\n"
                        "0.300 s  web #1 attempt 1: started by wire[0]\n"
                        "0.400 s  fault ends: slow wire\n"
                        "0.500 s  web #2 attempt 1: sent to wire[0]\n"
                        "0.500 s  web #2 attempt 1: arrived at wire[0]\n"
                        "0.500 s  web #2 attempt 1: started by wire[0]\n"
                        "1.400 s  web #0 attempt 1: served by wire[0]\n"
                        "1.400 s  web #0 attempt 1: reply from wire[0]\n"
                        "1.400 s  web #0 is answered\n"
                        "1.800 s  web #2 attempt 1: served by wire[0]\n"
                        "1.800 s  web #2 attempt 1: reply from wire[0]\n"
                        "1.800 s  web #2 is answered\n"
                        "1.900 s  web #1 attempt 1: served by wire[0]\n"
                        "1.900 s  web #1 attempt 1: reply from wire[0]\n"
                        "1.900 s  web #1 is answered\n");
}
END_TEST

static const TraceArrival pair[] = {
    {.at_s = 0.1, .input_tokens = 600},
    {.at_s = 0.3, .input_tokens = 100},
};

/* At 0.55 s the second is on its way, after its last byte left at 0.5 s; the first is not half
 * done. */
START_TEST(a_crash_loses_what_is_sent_and_what_is_on_its_way) {
    story_with_trace_is(
        LINK(", latency: 100ms") "faults: [{at: 0.55s, for: 1s, crash: {service: wire}}]\n",
        STORY_TRACE(pair),
        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
        "0.100 s  web #0 attempt 1: started by wire[0]\n"
        "0.300 s  web #1 attempt 1: sent to wire[0]\n"
        "0.300 s  web #1 attempt 1: arrived at wire[0]\n"
        "0.300 s  web #1 attempt 1: started by wire[0]\n"
        "0.550 s  fault begins: crash wire\n"
        "0.550 s  web #0 attempt 1: failed at wire[0]: the replica crashed\n"
        "0.550 s  web #0 attempt 1: reply from wire[0]: an error\n"
        "0.550 s  web #0 has failed\n"
        "0.550 s  web #1 attempt 1: failed at wire[0]: the replica crashed\n"
        "0.550 s  web #1 attempt 1: reply from wire[0]: an error\n"
        "0.550 s  web #1 has failed\n"
        "1.550 s  fault ends: crash wire\n");
}
END_TEST

static const TraceArrival long_and_short[] = {
    {.at_s = 0.1, .input_tokens = 900},
    {.at_s = 0.4, .input_tokens = 300},
};

/* At its timeout at 0.6 s the first leaves; the second has had 0.1 of its 0.3 s and goes on alone.
 */
START_TEST(a_transfer_that_is_cancelled_leaves_its_part_to_the_others) {
    story_with_trace_is(
        "run: {duration: 60s}\n"
        "clients:\n"
        "  web: {target: wire, arrivals: {trace: {file: /dev/null}}, call: {timeout: 0.5s}}\n"
        "services:\n"
        "  wire:\n"
        "    cancel_on_timeout: anywhere\n"
        "    server: {link: {bandwidth: 1MB/s, bytes_per_input_token: 1kB, latency: 10ms}}\n",
        STORY_TRACE(long_and_short),
        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
        "0.100 s  web #0 attempt 1: started by wire[0]\n"
        "0.400 s  web #1 attempt 1: sent to wire[0]\n"
        "0.400 s  web #1 attempt 1: arrived at wire[0]\n"
        "0.400 s  web #1 attempt 1: started by wire[0]\n"
        "0.600 s  web #0 attempt 1: timeout, waiting for wire[0]\n"
        "0.600 s  web #0 attempt 1: cancelled at wire[0]\n"
        "0.600 s  web #0 has timed out\n"
        "0.810 s  web #1 attempt 1: served by wire[0]\n"
        "0.810 s  web #1 attempt 1: reply from wire[0]\n"
        "0.810 s  web #1 is answered\n");
}
END_TEST

START_TEST(a_transfer_that_fails_early_takes_the_faults_time_and_no_latency) {
    story_with_trace_is(
        LINK(", latency: 100ms") "faults: [{at: 0s, errors: {service: wire, after: 50ms}}]\n",
        STORY_TRACE(one),
        "0.000 s  fault begins: errors wire\n"
        "0.100 s  web #0 attempt 1: sent to wire[0]\n"
        "0.100 s  web #0 attempt 1: arrived at wire[0]\n"
        "0.100 s  web #0 attempt 1: started by wire[0]\n"
        "0.150 s  web #0 attempt 1: served by wire[0]: in vain: an error\n"
        "0.150 s  web #0 attempt 1: reply from wire[0]: an error\n"
        "0.150 s  web #0 has failed\n");
}
END_TEST

/* Prefill, then the cache of its 500 tokens over the link, then decode. */
START_TEST(a_link_moves_a_cache_from_prefill_to_decode) {
    story_with_trace_is("run: {duration: 60s}\n"
                        "clients:\n"
                        "  web: {target: gate, arrivals: {trace: {file: /dev/null}}}\n"
                        "services:\n"
                        "  gate: {calls: [{to: prefill}, {to: decode}]}\n"
                        "  prefill: {work: 0.2s, calls: [{to: wire}]}\n"
                        "  wire: {server: {link: {bandwidth: 8Mbit/s, bytes_per_input_token:"
                        " 1kB}}}\n"
                        "  decode: {work: 0.3s}\n",
                        STORY_TRACE(one),
                        "0.100 s  web #0 attempt 1: sent to gate[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at gate[0]\n"
                        "0.100 s  web #0 attempt 1: started by gate[0]\n"
                        "0.100 s  web #0 attempt 1: served by gate[0]\n"
                        "0.100 s  web #0 attempt 1: sent to prefill[0]\n"
                        "0.100 s  web #0 attempt 1: arrived at prefill[0]\n"
                        "0.100 s  web #0 attempt 1: started by prefill[0]\n"
                        "0.300 s  web #0 attempt 1: served by prefill[0]\n"
                        "0.300 s  web #0 attempt 1: sent to wire[0]\n"
                        "0.300 s  web #0 attempt 1: arrived at wire[0]\n"
                        "0.300 s  web #0 attempt 1: started by wire[0]\n"
                        "0.800 s  web #0 attempt 1: served by wire[0]\n"
                        "0.800 s  web #0 attempt 1: reply from wire[0]\n"
                        "0.800 s  web #0 attempt 1: reply from prefill[0]\n"
                        "0.800 s  web #0 attempt 1: sent to decode[0]\n"
                        "0.800 s  web #0 attempt 1: arrived at decode[0]\n"
                        "0.800 s  web #0 attempt 1: started by decode[0]\n"
                        "1.100 s  web #0 attempt 1: served by decode[0]\n"
                        "1.100 s  web #0 attempt 1: reply from decode[0]\n"
                        "1.100 s  web #0 attempt 1: reply from gate[0]\n"
                        "1.100 s  web #0 is answered\n");
}
END_TEST

START_TEST(a_slow_link_is_slow_on_the_way_too) {
    StoryRun run = story_run(LINK(", latency: 0.25s") "faults: [{at: 0s, slow: {service: wire, x: "
                                                      "4}}]\n",
                             STORY_TRACE(one));
    measure_is(&run, "web", METRIC_latency_mean, 4 * (0.5 + 0.25));
    story_free(&run);
}
END_TEST

TEST_SUITE("models/link_story", a_transfer_alone_has_the_whole_bandwidth_and_then_the_latency,
           tokens_of_the_answer_are_carried_if_they_have_bytes,
           two_transfers_have_half_of_the_bandwidth_each,
           three_transfers_have_a_third_of_the_bandwidth_each, a_limit_lets_transfers_wait,
           nothing_to_carry_takes_the_latency_alone,
           a_slow_link_slows_the_transfers_that_start_meanwhile,
           a_crash_loses_what_is_sent_and_what_is_on_its_way,
           a_transfer_that_is_cancelled_leaves_its_part_to_the_others,
           a_transfer_that_fails_early_takes_the_faults_time_and_no_latency,
           a_link_moves_a_cache_from_prefill_to_decode, a_slow_link_is_slow_on_the_way_too)
