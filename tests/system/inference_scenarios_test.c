/* The shipped scenarios of inference servers do what their comments say, each over 50 seeds. What
 * the comments tell the reader to try is tried in scenarios_test.c. */
#include <math.h>

#include "tests/system/outcomes.h"
#include "tests/test.h"

enum { SEEDS = OUTCOMES_MAX, TRIED_SEEDS = 10 };

static Outcomes shipped(const char *name) {
    return outcomes_of_shipped(name, (const char *const[]){NULL}, SEEDS);
}

static Outcomes tried(const char *name, const char *set) {
    return outcomes_of_shipped(name, (const char *const[]){set, NULL}, TRIED_SEEDS);
}

static const char *first_to_fail(const Outcomes *outcomes, const Seen *seen) {
    return model_component_name(outcomes->model, seen->verdict.first_to_fail);
}

START_TEST(llm_retry_storm_works_for_nobody_for_ever) {
    Outcomes outcomes = shipped("llm-retry-storm");
    outcomes_are(&outcomes, VERDICT_METASTABLE);
    EACH_RUN(outcomes, seen) {
        ck_assert_str_eq(first_to_fail(&outcomes, seen), "llm");
        ck_assert_double_eq(seen->verdict.goodput_ratio_min, 0);
        ck_assert_double_gt(seen->verdict.amplification_max, 2.9);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "llm", METRIC_wasted_ratio), 0.85);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "llm", METRIC_kv_use), 0.85);
        /* 17 answers of 500 tokens a second, and twice what is asked for. */
        double tokens = seen_metric(&outcomes, seen, "llm", METRIC_output_tokens);
        ck_assert(tokens > 16 * 500 && tokens < 18 * 500);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(llm_retry_storm_ends_when_vllm_is_told_who_has_gone) {
    Outcomes outcomes = shipped("llm-retry-storm-cancel");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert(seen->verdict.recovered_at_s > 300 && seen->verdict.recovered_at_s < 400);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(kv_preemption_keeps_itself_going_without_retries) {
    Outcomes outcomes = shipped("kv-preemption");
    outcomes_are(&outcomes, VERDICT_METASTABLE);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(seen->verdict.amplification_max, 1);
        /* Tokens in prefill, most of which have been computed before: 117 us each, in 21 minutes.
         */
        double input = seen_metric(&outcomes, seen, "llm", METRIC_input_tokens) * 21 * 60;
        double again = seen_metric(&outcomes, seen, "llm", METRIC_recomputed_tokens);
        ck_assert_double_gt(again, 0.7 * input);
        ck_assert_double_gt(again * 116.8e-6, 0.3 * 21 * 60);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "llm", METRIC_preemptions), 6000);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "llm", METRIC_utilization), 0.9);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(kv_preemption_does_not_begin_where_all_that_may_run_fits) {
    Outcomes outcomes = tried("kv-preemption", "services.llm.server.inference.max_num_seqs=192");
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(seen_metric(&outcomes, seen, "llm", METRIC_preemptions), 200);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(stale_routing_falls_by_itself_with_room_to_spare) {
    Outcomes outcomes = shipped("stale-routing");
    outcomes_are(&outcomes, VERDICT_SPONTANEOUS);
    outcomes_free(&outcomes);
    outcomes = tried("stale-routing", "services.llm.route.least_loaded.metrics_age=1s");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(seen_metric(&outcomes, seen, "llm", METRIC_kv_use), 0.35);
    }
    outcomes_free(&outcomes);
}
END_TEST

static double timeout_share(const Outcomes *outcomes, const Seen *seen) {
    return seen_in_trigger(outcomes, seen, "llm", METRIC_timeouts) /
           seen_in_trigger(outcomes, seen, "llm", METRIC_offered);
}

START_TEST(slow_replica_costs_its_share_with_a_router_that_does_not_look) {
    Outcomes outcomes = shipped("slow-replica");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(timeout_share(&outcomes, seen), 0.15);
        ck_assert_double_lt(timeout_share(&outcomes, seen), 0.3);
        ck_assert_double_gt(seen->verdict.recovered_at_s, 400);
    }
    outcomes_free(&outcomes);
    outcomes = tried("slow-replica", "services.llm.route=least_requests");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(timeout_share(&outcomes, seen), 0.08);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(poison_takes_as_many_replicas_as_there_are_tries) {
    Outcomes outcomes = shipped("poison");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(seen_metric(&outcomes, seen, "llm", METRIC_outages), 4);
        ck_assert_double_eq(seen->verdict.goodput_ratio_min, 0);
        ck_assert(seen->verdict.recovered_at_s > 265 && seen->verdict.recovered_at_s < 290);
    }
    outcomes_free(&outcomes);
    outcomes = tried("poison", "services.gateway.calls[0].retry=none");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(seen_metric(&outcomes, seen, "llm", METRIC_outages), 1);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(small_model_fallback_leaves_nobody_without_an_answer) {
    Outcomes outcomes = shipped("small-model-fallback");
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen_metric(&outcomes, seen, "web", METRIC_success), 0.99);
        ck_assert_double_gt(seen->verdict.goodput_ratio_min, 0.8);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "gateway", METRIC_fallbacks), 500);
    }
    outcomes_free(&outcomes);
    outcomes = tried("small-model-fallback", "services.gateway.calls[0]={to: llm, timeout: 20s}");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_eq(seen->verdict.goodput_ratio_min, 0);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(disaggregated_falls_at_the_link_and_the_front_is_late_for_a_while) {
    Outcomes outcomes = shipped("disaggregated");
    outcomes_are(&outcomes, VERDICT_RECOVERED);
    EACH_RUN(outcomes, seen) {
        ck_assert_str_eq(first_to_fail(&outcomes, seen), "kv-link");
        ck_assert_double_gt(seen->verdict.recovered_at_s, 330);
        /* Full for two to three of the ten minutes, and empty for the rest. */
        double kv_use = seen_metric(&outcomes, seen, "prefill", METRIC_kv_use);
        ck_assert(kv_use > 0.19 && kv_use < 0.25);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "decode", METRIC_kv_use), 0.13);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(disaggregated_is_well_with_the_link_when_few_may_wait) {
    Outcomes outcomes = tried("disaggregated", "services.prefill.queue.limit=20");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(seen->verdict.recovered_at_s, 315);
    }
    outcomes_free(&outcomes);
    outcomes = tried("disaggregated", "services.prefill.cancel_on_timeout=anywhere");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen->verdict.recovered_at_s, 345);
    }
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(gpu_crash_cold_is_never_again_what_it_was) {
    Outcomes outcomes = shipped("gpu-crash-cold");
    EACH_RUN(outcomes, seen) {
        ck_assert(seen->verdict.kind == VERDICT_METASTABLE ||
                  seen->verdict.kind == VERDICT_DEGRADED);
        ck_assert(seen->verdict.collapse_at_s >= 300 && seen->verdict.collapse_at_s < 310);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "llm", METRIC_prefix_hits), 0.75);
    }
    ck_assert_uint_ge(outcomes.verdict_counts[VERDICT_METASTABLE], 30);
    outcomes_free(&outcomes);
}
END_TEST

START_TEST(gpu_crash_cold_is_over_soon_where_the_cache_holds_all_sessions) {
    static const char *const sets[] = {"services.llm.server.inference.kv_blocks=60902",
                                       "faults[0].crash.replicas=2"};
    for (size_t i = 0; i < 2; i++) {
        Outcomes outcomes = tried("gpu-crash-cold", sets[i]);
        outcomes_are(&outcomes, VERDICT_RECOVERED);
        EACH_RUN(outcomes, seen) {
            ck_assert_double_gt(seen_metric(&outcomes, seen, "llm", METRIC_prefix_hits), 0.8);
        }
        outcomes_free(&outcomes);
    }
}
END_TEST

START_TEST(prefix_affinity_finds_most_of_each_prompt) {
    Outcomes outcomes = shipped("prefix-affinity");
    outcomes_are(&outcomes, VERDICT_HEALTHY);
    EACH_RUN(outcomes, seen) {
        ck_assert_double_gt(seen_metric(&outcomes, seen, "llm", METRIC_prefix_hits), 0.8);
        ck_assert_double_lt(seen_metric(&outcomes, seen, "chat", METRIC_ttft_p95), 0.3);
    }
    outcomes_free(&outcomes);
    outcomes = tried("prefix-affinity", "services.llm.route=random");
    EACH_RUN(outcomes, seen) {
        ck_assert_double_lt(seen_metric(&outcomes, seen, "llm", METRIC_prefix_hits), 0.5);
        ck_assert_double_gt(seen_metric(&outcomes, seen, "chat", METRIC_ttft_p95), 0.5);
    }
    outcomes_free(&outcomes);
}
END_TEST

TEST_SUITE("system/inference_scenarios", llm_retry_storm_works_for_nobody_for_ever,
           llm_retry_storm_ends_when_vllm_is_told_who_has_gone,
           kv_preemption_keeps_itself_going_without_retries,
           kv_preemption_does_not_begin_where_all_that_may_run_fits,
           stale_routing_falls_by_itself_with_room_to_spare,
           slow_replica_costs_its_share_with_a_router_that_does_not_look,
           poison_takes_as_many_replicas_as_there_are_tries,
           small_model_fallback_leaves_nobody_without_an_answer,
           disaggregated_falls_at_the_link_and_the_front_is_late_for_a_while,
           disaggregated_is_well_with_the_link_when_few_may_wait,
           gpu_crash_cold_is_never_again_what_it_was,
           gpu_crash_cold_is_over_soon_where_the_cache_holds_all_sessions,
           prefix_affinity_finds_most_of_each_prompt)
