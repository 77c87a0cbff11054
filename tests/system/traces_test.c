/* Published traces replayed whole. They are not shipped; where they are not, this is skipped. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/outcomes.h"
#include "tests/test.h"

enum { REPLICATIONS = 20 };

/* False, after saying so, when a trace is not on this machine. */
static bool is_here(const char *file) {
    char path[300];
    snprintf(path, sizeof path, "../shared/data/traces/%s", file);
    bool is_readable = access(project_path(path), R_OK) == 0;
    if (!is_readable) {
        printf("skipped: the trace %s is not here\n", path);
    }
    return is_readable;
}

static Outcomes replayed(const char *name, const char *set, uint32_t replications) {
    char path[100];
    snprintf(path, sizeof path, "tests/system/data/%s.yaml", name);
    return outcomes_of(project_path(path), (const char *const[]){set, NULL}, replications);
}

#define EACH_RUN(outcomes, seen)                                                                   \
    for (const Seen *seen = (outcomes).runs; seen < (outcomes).runs + (outcomes).run_count; seen++)

/* Every record after the warm-up is asked once, and ends once or is still unfinished. */
static void check_all_replayed(const Outcomes *outcomes, const char *client, double count) {
    EACH_RUN(*outcomes, seen) {
        double offered = seen_metric(outcomes, seen, client, METRIC_offered);
        ck_assert_double_eq(offered, count);
        double ended = seen_metric(outcomes, seen, client, METRIC_answered) +
                       seen_metric(outcomes, seen, client, METRIC_timeouts) +
                       seen_metric(outcomes, seen, client, METRIC_refused) +
                       seen_metric(outcomes, seen, client, METRIC_errors) +
                       seen_metric(outcomes, seen, client, METRIC_unfinished);
        ck_assert_double_eq(ended, count);
    }
}

START_TEST(azure_code_falls_in_its_burst_and_recovers_a_minute_later) {
    if (!is_here("azure-llm-2023-code.csv")) {
        return;
    }
    Outcomes outcomes = replayed("azure-code", NULL, REPLICATIONS);
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    outcomes_broke(&outcomes, "model gateway");
    check_all_replayed(&outcomes, "editors", 8756);
    EACH_RUN(outcomes, seen) {
        /* 429 requests in 12 s, of which the fleet could do about a third. */
        ck_assert_double_eq(seen_in_trigger(&outcomes, seen, "editors", METRIC_offered), 429);
        ck_assert(seen->verdict.collapse_at_s >= 855 && seen->verdict.collapse_at_s < 870);
        ck_assert(seen->verdict.recovered_at_s > 900 && seen->verdict.recovered_at_s < 960);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(azure_code_recovers_earlier_without_retries) {
    if (!is_here("azure-llm-2023-code.csv")) {
        return;
    }
    Outcomes outcomes = replayed("azure-code", "clients.editors.call.retry=none", 5);
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(seen->verdict.recovered_at_s, 890);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(azure_conv_has_no_burst_worth_the_name) {
    if (!is_here("azure-llm-2023-conv.csv")) {
        return;
    }
    Outcomes outcomes = replayed("azure-conv", NULL, REPLICATIONS);
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    check_all_replayed(&outcomes, "people", 18910);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(seen_metric(&outcomes, seen, "people", METRIC_success), 1);
    }
    outcomes_free(&outcomes);
}
END_TEST

/* Its arrivals come in clumps, which a verdict must not take for outages. */
START_TEST(mooncake_is_slow_and_loses_nobody) {
    if (!is_here("mooncake-conversation.jsonl")) {
        return;
    }
    Outcomes outcomes = replayed("mooncake", NULL, REPLICATIONS);
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    check_all_replayed(&outcomes, "people", 11692);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen_metric(&outcomes, seen, "people", METRIC_success), 0.999);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "people", METRIC_latency_p50), 2);
    }
    outcomes_free(&outcomes);
}
END_TEST

TEST_SUITE("system/traces", azure_code_falls_in_its_burst_and_recovers_a_minute_later,
           azure_code_recovers_earlier_without_retries, azure_conv_has_no_burst_worth_the_name,
           mooncake_is_slow_and_loses_nobody)
