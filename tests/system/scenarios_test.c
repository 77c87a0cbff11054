/* The shipped scenarios do what their comments say, each over 20 seeds; those of inference servers
 * are in inference_scenarios_test.c. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/system/outcomes.h"
#include "tests/test.h"

/* All 20 seeds of a scenario as it ships. */
static Outcomes shipped(const char *name) {
    return outcomes_of_shipped(name, (const char *const[]){NULL}, 20);
}

static double success(const Outcomes *outcomes, const Seen *seen) {
    return seen_metric(outcomes, seen, "web", METRIC_success);
}

START_TEST(healthy_answers_everybody) {
    Outcomes outcomes = shipped("healthy");
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    outcomes_broke(&outcomes, "");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(success(&outcomes, seen), 1);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "web", METRIC_latency_p99), 0.7);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(retry_storm_never_comes_back) {
    Outcomes outcomes = shipped("retry-storm");
    outcomes_are(&outcomes, VERDICT_METASTABLE);
    outcomes_broke(&outcomes, "model gateway");
    EACH_RUN(outcomes, seen) {
        ck_assert(seen->verdict.collapse_at_s >= 180 && seen->verdict.collapse_at_s < 190);
        ck_assert(isnan(seen->verdict.recovered_at_s));
        ck_assert_double_eq(seen->verdict.goodput_ratio_min, 0);
        ck_assert_double_gt(seen->verdict.amplification_max, 2.9);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "model", METRIC_wasted_ratio), 0.8);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(retry_storm_with_a_budget_recovers_within_minutes) {
    Outcomes outcomes = shipped("retry-storm-budget");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    outcomes_broke(&outcomes, "model gateway");
    EACH_RUN(outcomes, seen) {
        ck_assert(seen->verdict.recovered_at_s > 360 && seen->verdict.recovered_at_s < 540);
        ck_assert_double_lt(seen->verdict.amplification_max, 1.2);
    }
    outcomes_free(&outcomes);
}
END_TEST

/* The alert is there a minute after the spike has begun, and the operator five minutes later. */
START_TEST(retry_storm_ends_when_an_operator_sheds_load_and_empties_the_queues) {
    Outcomes outcomes = shipped("retry-storm-operator");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert(seen->verdict.recovered_at_s > 540 && seen->verdict.recovered_at_s < 660);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(thread_pool_exhaustion_takes_down_those_who_do_not_need_the_slow_service) {
    Outcomes outcomes = shipped("thread-pool-exhaustion");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    outcomes_broke(&outcomes, "vector-db gateway");
    EACH_RUN(outcomes, seen) {
        /* 70 % of the requests do not need the vector database, and nobody is served. */
        ck_assert_double_lt(seen->verdict.goodput_ratio_min, 0.02);
        ck_assert_double_lt(seen->verdict.recovered_at_s, 245);
        ck_assert_double_gt(seen_in_trigger(&outcomes, seen, "gateway", METRIC_refused), 1000);
    }
    outcomes_free(&outcomes);
    const char *const sets[] = {"services.gateway.server.pool.hold_while_calling=false", NULL};
    outcomes = outcomes_of_shipped("thread-pool-exhaustion", sets, 5);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen->verdict.goodput_ratio_min, 0.55);
        ck_assert_double_eq(seen_in_trigger(&outcomes, seen, "gateway", METRIC_refused), 0);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(stale_queue_serves_nobody_for_minutes_after_the_cause_has_gone) {
    Outcomes outcomes = shipped("stale-queue");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    outcomes_broke(&outcomes, "model gateway");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(seen->verdict.goodput_ratio_min, 0);
        ck_assert_double_gt(seen->verdict.recovered_at_s, 240 + 90);
        ck_assert_double_eq(seen->verdict.amplification_max, 1);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(stale_queue_with_a_limit_is_over_when_its_cause_is) {
    Outcomes outcomes = shipped("stale-queue-limit");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen->verdict.goodput_ratio_min, 0.5);
        ck_assert_double_le(seen->verdict.recovered_at_s, 241);
        ck_assert_double_gt(seen_in_trigger(&outcomes, seen, "model", METRIC_refused), 500);
        /* Nine of ten who get in while it is slow are served in time. */
        double late = seen_in_trigger(&outcomes, seen, "model", METRIC_timeouts);
        double answered = seen_in_trigger(&outcomes, seen, "model", METRIC_answered);
        ck_assert_double_lt(late, answered / 9);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(batch_spike_is_absorbed_by_larger_batches) {
    Outcomes outcomes = shipped("batch-spike");
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    outcomes_broke(&outcomes, "");
    EACH_RUN(outcomes, seen) {
        double offered = seen_in_trigger(&outcomes, seen, "model", METRIC_offered);
        double batches = seen_in_trigger(&outcomes, seen, "model", METRIC_batches);
        ck_assert_double_gt(offered / batches, 8);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "model", METRIC_batch_size), 5);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "web", METRIC_latency_p99), 1);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(sinkhole_is_sent_nearly_everything_and_fails_it) {
    Outcomes outcomes = shipped("sinkhole");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    outcomes_broke(&outcomes, "model gateway");
    EACH_RUN(outcomes, seen) {
        /* Whatever the broken replica gets is an error, and nothing else is: its share of traffic.
         */
        double errors = seen_in_trigger(&outcomes, seen, "model", METRIC_errors);
        double offered = seen_in_trigger(&outcomes, seen, "model", METRIC_offered);
        ck_assert_double_gt(errors / offered, 0.85);
        double failed = seen_in_trigger(&outcomes, seen, "web", METRIC_errors);
        double asked = seen_in_trigger(&outcomes, seen, "web", METRIC_offered);
        ck_assert(failed / asked > 0.8 && failed / asked < 0.9);
        ck_assert_double_le(seen->verdict.recovered_at_s, 242);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(sinkhole_loses_its_pull_with_a_router_that_does_not_look) {
    const char *const sets[] = {"services.model.route=round_robin", NULL};
    Outcomes outcomes = outcomes_of_shipped("sinkhole", sets, 5);
    EACH_RUN(outcomes, seen) {
        double errors = seen_in_trigger(&outcomes, seen, "model", METRIC_errors);
        double offered = seen_in_trigger(&outcomes, seen, "model", METRIC_offered);
        ck_assert_double_eq_tol(errors / offered, 0.25, 0.001);
        double failed = seen_in_trigger(&outcomes, seen, "web", METRIC_errors);
        double asked = seen_in_trigger(&outcomes, seen, "web", METRIC_offered);
        ck_assert_double_lt(failed / asked, 0.1);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(crash_n_1_costs_what_was_just_being_done) {
    Outcomes outcomes = shipped("crash-n-1");
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    outcomes_broke(&outcomes, "");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(success(&outcomes, seen), 0.999);
        ck_assert_double_le(seen_in_trigger(&outcomes, seen, "model", METRIC_errors), 8);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(overload_needs_no_trigger) {
    Outcomes outcomes = shipped("overload");
    outcomes_are(&outcomes, VERDICT_OVERLOADED);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(success(&outcomes, seen), 0.2);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "model", METRIC_utilization), 0.99);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(bursty_falls_by_itself) {
    Outcomes outcomes = shipped("bursty");
    outcomes_are(&outcomes, VERDICT_SPONTANEOUS);
    EACH_RUN(outcomes, seen) {
        ck_assert(seen->verdict.collapse_at_s > 120 && seen->verdict.collapse_at_s < 1200);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(three_tier_falls_in_the_middle_first) {
    Outcomes outcomes = shipped("three-tier");
    outcomes_are(&outcomes, VERDICT_METASTABLE);
    outcomes_broke(&outcomes, "rag gateway");
    EACH_RUN(outcomes, seen) {
        ck_assert_str_eq(model_component_name(outcomes.model, seen->verdict.first_to_fail), "rag");
        ck_assert_uint_eq(seen->verdict.cascade_depth, 1);
        ck_assert(!seen->verdict.breakages[0].is_own_fault);
        ck_assert_double_le(seen->verdict.breakages[0].at_s, seen->verdict.breakages[1].at_s);
        ck_assert_double_eq(seen_metric(&outcomes, seen, "model", METRIC_success), 1);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(demo_stays_down_after_the_burst) {
    Outcomes outcomes = shipped("demo");
    outcomes_are(&outcomes, VERDICT_METASTABLE);
    outcomes_broke(&outcomes, "llm gateway");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(seen_metric(&outcomes, seen, "llm", METRIC_success), 0.1);
        ck_assert_double_eq(seen_metric(&outcomes, seen, "vector-db", METRIC_success), 1);
    }
    outcomes_free(&outcomes);
}
END_TEST

/* ---- What each comment tells the reader to try */

typedef struct Try {
    const char *name;
    const char *set;
    const char *verdicts; /* all of those that occur */
} Try;

static const Try tries[] = {
    {"healthy", "clients.web.spikes[0].x=6", "recovered"},
    {"retry-storm", "clients.web.call.retry=none", "recovered"},
    {"retry-storm", "services.model.queue.limit=15", "healthy recovered"},
    {"retry-storm", "services.model.cancel_on_timeout=queued", "metastable"},
    {"retry-storm-budget", "clients.web.call.retry_budget.token_bucket.cost=0", "metastable"},
    {"retry-storm-operator", "monitors.burn.then[0].page.after=1h", "metastable"},
    {"retry-storm-operator", "monitors.burn.then[1].page.after=1h", "metastable"},
    {"retry-storm-operator", "monitors.burn.then[0].page.action.shed_load.share=20%",
     "metastable recovered"},
    {"thread-pool-exhaustion", "services.gateway.calls[0].timeout=100ms", "healthy"},
    {"thread-pool-exhaustion", "services.gateway.server.pool.hold_while_calling=false",
     "recovered"},
    {"stale-queue", "services.model.queue.order=lifo", "recovered"},
    {"stale-queue", "services.model.cancel_on_timeout=queued", "recovered"},
    {"stale-queue-limit", "services.model.queue.limit=200", "recovered"},
    {"batch-spike", "services.model.server.batch.max_batch_size=4", "metastable"},
    {"sinkhole", "services.model.route=round_robin", "recovered"},
    {"sinkhole", "faults[0].errors.after=work", "recovered"},
    {"crash-n-1", "clients.web.arrivals.poisson.rate=42/s", "metastable"},
    {"crash-n-1", "faults[0].crash.known=false", "recovered"},
    {"overload", "services.model.replicas=5", "healthy"},
    {"bursty", "clients.web.arrivals={poisson: {rate: 24.8/s}}", "healthy"},
    {"three-tier", "services.rag.server.pool.concurrency=200", "healthy"},
    {"demo", "clients.web.call.retry_budget={token_bucket: {capacity: 100, cost: 5}}", "recovered"},
    {"demo", "services.llm.queue.limit=40", "healthy"},
    {"demo", "services.llm.replicas=4", "healthy"},
    {"llm-retry-storm", "clients.web.call.retry=none", "healthy recovered"},
    {"llm-retry-storm", "services.llm.queue.limit=20", "healthy"},
    {"llm-retry-storm-cancel", "services.llm.cancel_on_timeout=queued", "metastable"},
    {"kv-preemption", "services.llm.server.inference.max_num_seqs=192", "healthy"},
    {"stale-routing", "services.llm.route.least_loaded.metrics_age=1s", "healthy"},
    {"stale-routing", "services.llm.route=least_requests", "healthy"},
    {"slow-replica", "services.llm.route=least_requests", "healthy"},
    {"slow-replica",
     "faults[0]={at: 3min, for: 4min, crash: {service: llm, replicas: 1, known: true}}", "healthy"},
    {"poison", "services.gateway.calls[0].retry.exponential.max_attempts=2", "healthy recovered"},
    {"poison", "services.gateway.calls[0].retry=none", "healthy"},
    {"small-model-fallback", "services.llm-small.replicas=1", "healthy recovered"},
    {"small-model-fallback", "services.gateway.calls[0]={to: llm, timeout: 20s}", "recovered"},
    {"disaggregated", "services.prefill.queue.limit=20", "recovered"},
    {"disaggregated", "services.prefill.cancel_on_timeout=anywhere", "recovered"},
    {"gpu-crash-cold", "services.llm.server.inference.kv_blocks=60902", "recovered"},
    {"gpu-crash-cold", "services.llm.replicas=3", "healthy recovered"},
    {"gpu-crash-cold", "faults[0].crash.replicas=2", "recovered"},
    {"prefix-affinity", "services.llm.route=random", "healthy"},
    {"prefix-affinity", "services.llm.route=session", "healthy"},
};
enum { TRY_COUNT = sizeof tries / sizeof tries[0], TRY_REPLICATIONS = 5 };

static void check_try(const Try *try) {
    Outcomes outcomes =
        outcomes_of_shipped(try->name, (const char *const[]){try->set, NULL}, TRY_REPLICATIONS);
    char seen[200] = "";
    for (uint32_t kind = 0; kind < VERDICT_COUNT; kind++) {
        if (outcomes.verdict_counts[kind] > 0) {
            strcat(strcat(seen, seen[0] == 0 ? "" : " "), verdict_name(kind));
        }
    }
    ck_assert_msg(strcmp(seen, try->verdicts) == 0, "%s with %s is %s and not %s", try->name,
                  try->set, seen, try->verdicts);
    outcomes_free(&outcomes);
}

START_TEST(what_the_comments_say_to_try_turns_out_as_they_say) {
    for (size_t i = 0; i < TRY_COUNT; i++) {
        check_try(&tries[i]);
    }
}
END_TEST

/* The stale queue's two cures: back when the model is, and not minutes later. */
START_TEST(stale_queue_is_cured_by_serving_the_latest_or_dropping_the_gone) {
    const char *const sets[] = {"services.model.queue.order=lifo",
                                "services.model.cancel_on_timeout=queued"};
    for (size_t i = 0; i < 2; i++) {
        Outcomes outcomes = outcomes_of_shipped("stale-queue", (const char *const[]){sets[i], NULL},
                                                TRY_REPLICATIONS);
        EACH_RUN(outcomes, seen) {
            ck_assert_double_le(seen->verdict.recovered_at_s, 245);
        }
        outcomes_free(&outcomes);
    }
    const char *const too_long[] = {"services.model.queue.limit=200", NULL};
    Outcomes outcomes = outcomes_of_shipped("stale-queue-limit", too_long, TRY_REPLICATIONS);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen->verdict.recovered_at_s, 240 + 60);
    }
    outcomes_free(&outcomes);
}
END_TEST

/* ---- The files themselves */

static char *text_of(const char *path) {
    enum { SIZE_MAX_HERE = 10000 };
    char *text = calloc(SIZE_MAX_HERE, 1);
    FILE *file = fopen(project_path(path), "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    ck_assert_uint_gt(fread(text, 1, SIZE_MAX_HERE - 1, file), 0);
    ck_assert_msg(feof(file) || getc(file) == EOF, "%s is too long", path);
    fclose(file);
    return text;
}

static bool is_tried(const char *name, const char *set) {
    for (size_t i = 0; i < TRY_COUNT; i++) {
        if (strcmp(tries[i].name, name) == 0 && strcmp(tries[i].set, set) == 0) {
            return true;
        }
    }
    return false;
}

/* Each `knockon run NAME.yaml --set …` of the comment is a row above; returns how many. */
static uint32_t check_commands(const char *name, const char *text) {
    static const char prefix[] = "#   knockon run ";
    uint32_t count = 0;
    for (const char *at = text; (at = strstr(at, prefix)) != NULL; count++) {
        at += strlen(prefix);
        char file[100], set[200];
        int fields = sscanf(at, "%99[^.].yaml --set %199[^\n]", file, set);
        ck_assert_msg(fields == 2, "%s: %.60s", name, at);
        ck_assert_str_eq(file, name);
        char *start = set[0] == '\'' ? set + 1 : set;
        start[strcspn(start, "'")] = 0;
        ck_assert_msg(is_tried(name, start), "%s: nobody has tried %s", name, start);
    }
    return count;
}

START_TEST(every_scenario_says_what_it_shows_and_what_to_try) {
    DIR *directory = opendir(project_path("experiments/scenarios"));
    ck_assert_ptr_nonnull(directory);
    uint32_t file_count = 0, command_count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[300], path[400];
        snprintf(name, sizeof name, "%s", entry->d_name);
        char *dot = strstr(name, ".yaml");
        if (dot == NULL) {
            continue;
        }
        *dot = 0;
        snprintf(path, sizeof path, "experiments/scenarios/%s.yaml", name);
        char *text = text_of(path);
        ck_assert_msg(strncmp(text, "# What it shows: ", 17) == 0, "%s", path);
        ck_assert_msg(strstr(text, "\n# Change to see it differently: ") != NULL, "%s", path);
        const char *about = strstr(text, "\nabout: ");
        ck_assert_msg(about != NULL && about[strcspn(about + 1, "\n")] == '.', "%s", path);
        command_count += check_commands(name, text);
        file_count++;
        free(text);
    }
    closedir(directory);
    ck_assert_uint_ge(file_count, 23);
    ck_assert_uint_eq(command_count, TRY_COUNT);
}
END_TEST

START_TEST(traffic_is_what_its_script_makes) {
    char command[4200];
    snprintf(command, sizeof command, "sh '%s'",
             project_path("experiments/scenarios/traffic/generate.sh"));
    FILE *made = popen(command, "r");
    ck_assert_ptr_nonnull(made);
    FILE *shipped_file = fopen(project_path("experiments/scenarios/traffic/burst.csv"), "r");
    ck_assert_ptr_nonnull(shipped_file);
    long count = 0;
    for (int a, b; (a = getc(made)) == (b = getc(shipped_file)) && a != EOF;) {
        count++;
    }
    ck_assert_msg(feof(made) && feof(shipped_file), "they differ at byte %ld", count);
    ck_assert_int_gt(count, 100000);
    ck_assert_int_lt(count, 300000);
    fclose(shipped_file);
    ck_assert_int_eq(pclose(made), 0);
}
END_TEST

TEST_SUITE("system/scenarios", healthy_answers_everybody, retry_storm_never_comes_back,
           retry_storm_ends_when_an_operator_sheds_load_and_empties_the_queues,
           retry_storm_with_a_budget_recovers_within_minutes,
           thread_pool_exhaustion_takes_down_those_who_do_not_need_the_slow_service,
           stale_queue_serves_nobody_for_minutes_after_the_cause_has_gone,
           stale_queue_with_a_limit_is_over_when_its_cause_is,
           batch_spike_is_absorbed_by_larger_batches,
           sinkhole_is_sent_nearly_everything_and_fails_it,
           sinkhole_loses_its_pull_with_a_router_that_does_not_look,
           crash_n_1_costs_what_was_just_being_done, overload_needs_no_trigger,
           bursty_falls_by_itself, three_tier_falls_in_the_middle_first,
           demo_stays_down_after_the_burst, what_the_comments_say_to_try_turns_out_as_they_say,
           stale_queue_is_cured_by_serving_the_latest_or_dropping_the_gone,
           every_scenario_says_what_it_shows_and_what_to_try, traffic_is_what_its_script_makes)
