/* Monitors: when alerts fire and resolve, what blinds them, and who acts on them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/models/story.h"

/* The lines of a story that tell of alerts and what is done. */
static char *changes_of(const StoryRun *run) {
    static const char *const words[] = {"alert ", "action ", "fault ", "monitor ", "restart "};
    char *lines = calloc(strlen(run->text) + 1, 1), line[200];
    size_t used = 0;
    for (const char *at = run->text; *at != 0; at += strcspn(at, "\n") + 1) {
        snprintf(line, sizeof line, "%.*s\n", (int)strcspn(at, "\n"), at);
        bool is_change = false;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            is_change |= strstr(line, words[i]) != NULL;
        }
        if (is_change && strchr(line, '#') == NULL) { /* of no request */
            memcpy(lines + used, line, strlen(line));
            used += strlen(line);
        }
    }
    return lines;
}

static void changes_are(const char *yaml, const char *expected) {
    StoryRun run = story_run(yaml, NULL);
    char *lines = changes_of(&run);
    ck_assert_msg(strcmp(lines, expected) == 0, "expected\n%s\nbut it was\n%s", expected, lines);
    free(lines);
    story_free(&run);
}

/* ---- Burn rates */

/* Ten requests a second, of which all fail from some time on: the budget of 1 % burns ten times too
 * fast over ten minutes after one minute, also when the run has just begun; it burns less over one
 * minute when 54 s of that were well. (The first second has nine requests, not ten.) */
#define BURN(at, lasts)                                                                            \
    "run: {duration: 30min}\n"                                                                     \
    "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"                          \
    "services: {api: {work: 1ms}}\n"                                                               \
    "faults: [{at: " at ", for: " lasts ", errors: {service: api}}]\n"                             \
    "monitors: {burn: {interval: 1s, burn_rate: {client: web, objective: 99%, long: 10min, "       \
    "short: 1min, above: 10}}}\n"

START_TEST(a_burn_rate_fires_and_resolves_when_theory_says) {
    changes_are(BURN("15min", "100s"), "900.000 s  fault begins: errors api\n"
                                       "961.000 s  alert fires for web: burn\n"
                                       "1000.000 s  fault ends: errors api\n"
                                       "1054.000 s  alert resolves for web: burn\n");
    changes_are(BURN("30s", "100s"), "30.000 s  fault begins: errors api\n"
                                     "90.000 s  alert fires for web: burn\n"
                                     "130.000 s  fault ends: errors api\n"
                                     "184.000 s  alert resolves for web: burn\n");
    changes_are(BURN("15min", "59s"), "900.000 s  fault begins: errors api\n"
                                      "959.000 s  fault ends: errors api\n");
}
END_TEST

/* A share of 3 % fails: the budget of 0.1 % burns 30 times too fast. 14.4 over an hour is reached
 * after 3600 s x 14.4 / 30 = 1728 s, and is there over 5 min at once; 6 over 6 h after 4320 s; 1
 * over 3 d after 8640 s. */
START_TEST(the_presets_of_the_sre_workbook_detect_when_they_should) {
    StoryRun run =
        story_run("run: {duration: 3h, sample_every: 1min}\n"
                  "clients: {web: {target: api, arrivals: {constant: {rate: 100/s}}}}\n"
                  "services: {api: {work: 1ms}}\n"
                  "faults: [{at: 0s, errors: {service: api, ratio: 3%}}]\n"
                  "monitors:\n"
                  "  fast: {burn_rate: {preset: page-fast, client: web, objective: 99.9%}}\n"
                  "  slow: {burn_rate: {preset: page-slow, client: web, objective: 99.9%}}\n"
                  "  ticket: {burn_rate: {preset: ticket, client: web, objective: 99.9%}}\n",
                  NULL);
    static const struct {
        const char *name;
        double after_s;
    } cases[] = {{"fast", 1728}, {"slow", 4320}, {"ticket", 8640}};
    for (size_t i = 0; i < 3; i++) {
        char line[60];
        snprintf(line, sizeof line, "alert fires for web: %s\n", cases[i].name);
        const char *at = strstr(run.text, line);
        ck_assert_ptr_nonnull(at);
        while (at > run.text && at[-1] != '\n') {
            at--;
        }
        /* 5200 failures +- 72 after 1728 s; and up to a scrape of 15 s. */
        ck_assert_double_eq_tol(strtod(at, NULL), cases[i].after_s, cases[i].after_s * 0.07 + 15);
    }
    story_free(&run);
}
END_TEST

/* ---- Thresholds and absence */

START_TEST(a_threshold_must_hold_for_its_time_and_is_known_after_the_delay) {
    /* Scrapes every 5 s; the one at 65 s sees the first slow answers, and it has held for 10 s at
     * 75 s. The one at 105 s sees none above any more. */
    changes_are("run: {duration: 200s}\n"
                "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"
                "services: {api: {work: 10ms, server: {pool: {concurrency: unlimited}}}}\n"
                "faults: [{at: 60s, for: 40s, slow: {service: api, x: 30}}]\n"
                "monitors: {late: {interval: 5s, delay: 3s, threshold: {component: web, metric: "
                "p50, above: 250ms, for: 10s}}}\n",
                "60.000 s  fault begins: slow api\n"
                "78.000 s  alert fires for web: late\n"
                "100.000 s  fault ends: slow api\n"
                "108.000 s  alert resolves for web: late\n");
    changes_are(
        "run: {duration: 200s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"
        "services: {api: {work: 10ms}}\n"
        "faults: [{at: 60s, for: 7s, errors: {service: api}}]\n"
        "monitors: {bad: {interval: 5s, threshold: {component: web, metric: success, below: "
        "90%}}}\n",
        "60.000 s  fault begins: errors api\n"
        "65.000 s  alert fires for web: bad\n"
        "67.000 s  fault ends: errors api\n"
        "75.000 s  alert resolves for web: bad\n");
}
END_TEST

START_TEST(absence_fires_when_nothing_comes_and_when_nothing_is_seen) {
    changes_are("run: {duration: 200s}\n"
                "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"
                "services: {api: {work: 10ms}, metrics: {replicas: 2}}\n"
                "faults: [{at: 61s, for: 20s, crash: {service: api}},\n"
                "  {at: 121s, for: 20s, crash: {service: metrics}}]\n"
                "monitors: {dead: {interval: 5s, depends_on: metrics, absence: {component: web, "
                "metric: goodput, for: 5s}}}\n",
                "61.000 s  fault begins: crash api\n"
                "75.000 s  alert fires for web: dead\n"
                "81.000 s  fault ends: crash api\n"
                "85.000 s  alert resolves for web: dead\n"
                "121.000 s  fault begins: crash metrics\n"
                "125.000 s  a monitor does not see web: dead\n"
                "130.000 s  alert fires for web: dead\n"
                "141.000 s  fault ends: crash metrics\n"
                "145.000 s  a monitor sees again web: dead\n"
                "145.000 s  alert resolves for web: dead\n");
}
END_TEST

START_TEST(a_monitor_that_sees_nothing_neither_fires_nor_resolves) {
    /* It fires before what it depends on fails too, and stays; a second outage is never seen. */
    changes_are("run: {duration: 300s}\n"
                "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}},\n"
                "  agent: {target: metrics, arrivals: {constant: {rate: 10/s}}}}\n"
                "services: {api: {work: 10ms}, metrics: {work: 1ms}}\n"
                "faults: [{at: 61s, for: 20s, errors: {service: api}},\n"
                "  {at: 71s, for: 50s, errors: {service: metrics}},\n"
                "  {at: 91s, for: 20s, errors: {service: api}}]\n"
                "monitors: {bad: {interval: 5s, depends_on: metrics, threshold: {component: web, "
                "metric: success, below: 90%}}}\n",
                "61.000 s  fault begins: errors api\n"
                "65.000 s  alert fires for web: bad\n"
                "71.000 s  fault begins: errors metrics\n"
                "75.000 s  a monitor does not see web: bad\n"
                "81.000 s  fault ends: errors api\n"
                "91.000 s  fault begins: errors api\n"
                "111.000 s  fault ends: errors api\n"
                "121.000 s  fault ends: errors metrics\n"
                "125.000 s  a monitor sees again web: bad\n"
                "125.000 s  alert resolves for web: bad\n");
}
END_TEST

/* ---- Who acts */

#define ERRORS(lasts, monitors)                                                                    \
    "run: {duration: 300s}\n"                                                                      \
    "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"                          \
    "services: {api: {work: 10ms}}\n"                                                              \
    "faults: [{at: 60s, for: " lasts ", name: bad, errors: {service: api}}]\n"                     \
    "actions: {half: {shed_load: {client: web, share: 5%}}, undo: {roll_back: {fault: bad}}}\n"    \
    "monitors: {alert: {interval: 5s, threshold: {component: web, metric: success, below: 90%}, "  \
    "then: " monitors "}}\n"

START_TEST(a_page_is_answered_after_its_time_unless_the_alert_has_resolved) {
    changes_are(ERRORS("100s", "[{page: {after: 30s, for: 40s, action: half}}]"),
                "60.000 s  fault begins: errors api\n"
                "65.000 s  alert fires for web: alert\n"
                "95.000 s  action begins: half\n"
                "135.000 s  action ends: half\n"
                "160.000 s  fault ends: errors api\n"
                "165.000 s  alert resolves for web: alert\n");
    changes_are(ERRORS("20s", "[{page: {after: 30s, for: 40s, action: half}}]"),
                "60.000 s  fault begins: errors api\n"
                "65.000 s  alert fires for web: alert\n"
                "80.000 s  fault ends: errors api\n"
                "85.000 s  alert resolves for web: alert\n");
    changes_are(ERRORS("20s", "[{page: {after: 30s, for: 4s, even_if_resolved: true, action: "
                              "half}}]"),
                "60.000 s  fault begins: errors api\n"
                "65.000 s  alert fires for web: alert\n"
                "80.000 s  fault ends: errors api\n"
                "85.000 s  alert resolves for web: alert\n"
                "95.000 s  action begins: half\n"
                "99.000 s  action ends: half\n");
}
END_TEST

START_TEST(automation_acts_at_once_and_several_may_act_on_one_alert) {
    changes_are(ERRORS("100s", "[undo, {page: {after: 1s, even_if_resolved: true, action: "
                               "{limit_rate: {client: web, rate: 5/s}}}}]"),
                "60.000 s  fault begins: errors api\n"
                "65.000 s  alert fires for web: alert\n"
                "65.000 s  action begins: undo\n"
                "65.000 s  fault ends: errors api\n"
                "65.000 s  action ends: undo\n"
                "66.000 s  action begins: limit_rate web\n");
}
END_TEST

/* A human's time has a law and a stream of his own. */
START_TEST(a_random_delay_is_drawn_anew_for_each_replication) {
    double times[2];
    for (uint32_t i = 0; i < 2; i++) {
        Model *model = story_compile(
            ERRORS("200s", "[{page: {after: {exponential: {mean: 40s}}, action: half}}]"));
        World *world = world_create(model, &(WorldOptions){.seed = 1, .replication = i});
        world_run(world);
        times[i] = time_to_s(world->faults[1].begun_at);
        ck_assert_double_gt(times[i], 65);
        world_destroy(world);
        model_destroy(model);
    }
    ck_assert_double_ne(times[0], times[1]);
}
END_TEST

START_TEST(the_twin_has_its_own_monitors) {
    /* An organic fault: twin and run alike see it, and act. */
    Model *model = story_compile(
        "run: {duration: 300s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}}}\n"
        "services: {api: {work: 10ms}}\n"
        "faults: [{every: 60s, for: 10s, errors: {service: api}}]\n"
        "monitors: {alert: {interval: 5s, threshold: {component: web, metric: success, below: "
        "90%}, then: [{shed_load: {client: web, share: 50%}}]}}\n");
    ck_assert(!model->has_trigger);
    World *world = world_create(model, &(WorldOptions){.seed = 1, .is_twin = true});
    world_run(world);
    ck_assert_uint_eq(world->faults[1].begun_count, 1);
    ck_assert_int_eq(world->faults[1].begun_at, 65 * SIM_TIME_S);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* ---- What is done */

/* One alert at 10 s, one action. */
#define DONE(services, action)                                                                     \
    "run: {duration: 110s, sample_every: 5s}\n"                                                    \
    "clients: {web: {target: api, arrivals: {constant: {rate: 100/s}}}}\n"                         \
    "services: {api: {" services "}}\n"                                                            \
    "monitors: {alert: {interval: 10s, threshold: {component: web, metric: goodput, above: 0/s}, " \
    "then: [{" action "}]}}\n"

START_TEST(load_is_shed_by_request_and_trying_again_does_not_help) {
    StoryRun run = story_run(
        "run: {duration: 110s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 100/s}}, call: {retry_on: "
        "refused, retry: {fixed: {max_attempts: 3}}}}}\n"
        "services: {api: {work: 1ms}}\n"
        "monitors: {alert: {interval: 10s, threshold: {component: web, metric: goodput, above: "
        "0/s}, then: [{shed_load: {client: web, share: 30%}}]}}\n",
        NULL);
    /* Of the 10000 after the first scrape 3000 +- 46 are refused, after three attempts each. */
    double refused = story_measure(&run, "web", METRIC_refused);
    ck_assert_double_eq_tol(refused, 3000, 5 * 46);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_attempts), 10999 + 2 * refused);
    ck_assert_ptr_nonnull(strstr(run.text, "refused by api: shed by an operator"));
    story_free(&run);
}
END_TEST

START_TEST(a_client_may_be_limited_to_a_rate) {
    StoryRun run =
        story_run(DONE("work: 1ms", "limit_rate: {client: web, rate: 40/s, burst: 10}"), NULL);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_answered), 1000 + 10 + 4000, 3);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_refused), 6000 - 10, 3);
    story_free(&run);
}
END_TEST

START_TEST(load_that_is_sent_elsewhere_is_not_offered) {
    StoryRun run = story_run(DONE("work: 1ms", "scale_load: {client: web, x: 0.3}"), NULL);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_offered), 1000 + 3000, 5 * 46);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_success), 1);
    story_free(&run);
    run = story_run(DONE("work: 1ms", "scale_load: {client: web, x: 2.5}"), NULL);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_offered), 1000 + 25000, 5 * 50);
    story_free(&run);
    run = story_run(DONE("work: 1ms", "scale_load: {client: web, x: 0}"), NULL);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_offered), 1000, 1);
    story_free(&run);
}
END_TEST

START_TEST(replicas_are_restarted_in_order_at_a_rate) {
    changes_are(DONE("work: 1ms, replicas: 3",
                     "restart: {service: api, order: [2, 0], rate: 3/min, down: 7s}"),
                "10.000 s  alert fires for web: alert\n"
                "10.000 s  action begins: restart api\n"
                "10.000 s  restart of api[2]: restart api\n"
                "30.000 s  restart of api[0]: restart api\n"
                "50.000 s  action ends: restart api\n");
    StoryRun run = story_run(DONE("work: 1ms, replicas: 3",
                                  "restart: {service: api, order: [2, 0], rate: 3/min, down: "
                                  "7s}"),
                             NULL);
    ck_assert_double_eq(story_measure(&run, "api", METRIC_outages), 2);
    ck_assert_double_eq_tol(story_measure(&run, "api", METRIC_availability), 1 - 14.0 / 330, 1e-6);
    story_free(&run);
}
END_TEST

START_TEST(a_restart_cures_what_a_restart_cures) {
    /* Ten replicas are down for good; the operator is called at 20 s and brings back one every 5 s,
     * each 2 s later: recovery is as long as the fleet is large. */
    StoryRun run = story_run(
        "run: {duration: 100s, sample_every: 5s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 100/s}}}}\n"
        "services: {api: {work: 1ms, replicas: 10}}\n"
        "faults: [{at: 1s, cured_by: restart, crash: {service: api, known: true}}]\n"
        "monitors: {alert: {interval: 10s, threshold: {component: web, metric: success, below: "
        "50%}, then: [{page: {after: 10s, action: {restart: {service: api, rate: 12/min, down: "
        "2s}}}}]}}\n",
        NULL);
    for (uint32_t i = 0; i < 20; i++) {
        double up = probe_series(&run.world->probe, i, 1, METRIC_availability);
        double expected = i == 0 ? 0.2 : i < 4 ? 0 : i < 14 ? (i - 4) * 0.1 + 0.06 : 1;
        ck_assert_double_eq_tol(up, expected, 1e-9);
    }
    story_free(&run);
    /* Without `cured_by` a restart changes nothing. */
    run = story_run("run: {duration: 100s}\n"
                    "clients: {web: {target: api, arrivals: {constant: {rate: 100/s}}}}\n"
                    "services: {api: {work: 1ms, replicas: 10}}\n"
                    "faults: [{at: 1s, crash: {service: api}}]\n"
                    "monitors: {alert: {interval: 10s, threshold: {component: web, metric: "
                    "success, below: 50%}, then: [{restart: {service: api, down: 2s}}]}}\n",
                    NULL);
    ck_assert_double_eq_tol(story_measure(&run, "web", METRIC_success), 0.01, 0.001);
    story_free(&run);
}
END_TEST

START_TEST(who_waits_in_a_queue_that_is_flushed_is_refused) {
    /* 20 arrive at 9 s and take 1 s each: one is served, one is done, and 18 wait at 10 s. */
    StoryRun run = story_run(
        "run: {duration: 60s}\n"
        "clients: {web: {target: api, arrivals: {constant: {rate: 1/h}}},\n"
        "  app: {target: other, arrivals: {constant: {rate: 1/s}}}}\n"
        "services: {api: {work: 1s}, other: {work: 1ms}}\n"
        "faults: [{at: 8.5s, herd: {client: web, requests: 20}}]\n"
        "monitors: {alert: {interval: 10s, threshold: {component: app, metric: goodput, above: "
        "0/s}, then: [{flush_queue: {service: api}}]}}\n",
        NULL);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_answered), 2);
    ck_assert_double_eq(story_measure(&run, "web", METRIC_refused), 18);
    ck_assert_ptr_nonnull(strstr(run.text, "10.000 s  web #2 attempt 1: refused by api[0]: flushed "
                                           "by an operator"));
    story_free(&run);
}
END_TEST

START_TEST(a_cache_that_is_flushed_is_cold) {
    /* One prompt of 1600 tokens again and again: 99 of its 100 blocks are found but the first time
     * and after the flush at 10 s. */
    StoryRun run = story_run(
        "run: {duration: 20s}\n"
        "clients: {web: {target: llm, arrivals: {constant: {rate: 2/s}}, input_tokens: 1600, "
        "output_tokens: 4, shared_prefix: {tokens: 1600}}}\n"
        "services: {llm: {server: {inference: {kv_blocks: 1000, step: {linear: {base: 1ms, "
        "per_prefill_token: 10us}}}}}}\n"
        "monitors: {alert: {interval: 10.3s, threshold: {component: web, metric: goodput, above: "
        "0/s}, then: [{flush_caches: {service: llm}}]}}\n",
        NULL);
    double hits = story_measure(&run, "llm", METRIC_prefix_hits);
    double count = story_measure(&run, "llm", METRIC_offered);
    ck_assert_double_eq(count, 39);
    ck_assert_double_eq_tol(hits * count / 0.99, count - 2, 0.01);
    story_free(&run);
}
END_TEST

/* ---- What is looked at */

START_TEST(a_watch_sees_what_happened_since_it_last_looked_whatever_the_samples) {
    static const char yaml[] = "run: {duration: 60s, warmup: 11s, sample_every: 1s}\n"
                               "clients: {web: {target: api, arrivals: {poisson: {rate: 30/s}}}}\n"
                               "services: {api: {work: {exponential: {mean: 20ms}}}}\n";
    StoryRun plain = story_run(yaml, NULL);
    Model *model = story_compile(yaml);
    World *world = world_create(model, &(WorldOptions){.seed = (uint64_t)model->run.seed});
    uint32_t whole = probe_watch(&world->probe, 0), odd = probe_watch(&world->probe, 0);
    double values[METRIC_COUNT];
    model->run.duration = 3700 * (SIM_TIME_S / 1000); /* until there */
    world_run(world);
    probe_look(&world->probe, odd, world->now, values);
    double first = values[METRIC_answered];
    ck_assert_double_gt(first, 0);
    ck_assert_double_ge(values[METRIC_latency_p99], values[METRIC_latency_p50]);
    /* Nothing was recorded since. */
    probe_look(&world->probe, odd, world->now + 1, values);
    ck_assert_double_eq(values[METRIC_answered], 0);
    ck_assert(isnan(values[METRIC_latency_mean]));
    /* The other has not looked yet, and sees all of it. */
    probe_look(&world->probe, whole, world->now + 1, values);
    ck_assert_double_eq(values[METRIC_answered], first);
    /* The series does not know of any of this. */
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t k = 0; k < METRIC_COUNT; k++) {
            double a = probe_series(&world->probe, i, 0, k);
            double b = probe_series(&plain.world->probe, i, 0, k);
            ck_assert((isnan(a) && isnan(b)) || a == b);
        }
    }
    world_destroy(world);
    model_destroy(model);
    story_free(&plain);
}
END_TEST

/* Looking in the middle of intervals, and over the end of the warm-up, changes no number. */
START_TEST(monitors_change_no_number_of_what_they_look_at) {
#define WATCHED(monitors)                                                                          \
    "run: {duration: 60s, warmup: 11s, sample_every: 1s}\n"                                        \
    "clients: {web: {target: api, arrivals: {poisson: {rate: 30/s}}}}\n"                           \
    "services: {api: {work: {exponential: {mean: 30ms}}}}\n" monitors
    StoryRun plain = story_run(WATCHED(""), NULL);
    StoryRun watched = story_run(
        WATCHED("monitors: {a: {interval: 0.7s, threshold: {component: web, metric: p99, above: "
                "1h}}, b: {interval: 13s, depends_on: api, absence: {component: api, metric: "
                "utilization}}, c: {interval: 1s, threshold: {component: api, metric: goodput, "
                "above: 1000/s}}}\n"),
        NULL);
    ck_assert_str_eq(plain.text, watched.text);
    const Probe *ours = &plain.world->probe, *theirs = &watched.world->probe;
    ck_assert_uint_eq(ours->series.count, theirs->series.count);
    ck_assert_int_eq(memcmp(ours->series.items, theirs->series.items,
                            ours->series.count * sizeof *ours->series.items),
                     0);
    for (uint32_t i = 0; i < 2; i++) {
        double a[METRIC_COUNT], b[METRIC_COUNT];
        probe_measure(ours, i, plain.world->now, a);
        probe_measure(theirs, i, watched.world->now, b);
        ck_assert_int_eq(memcmp(a, b, sizeof a), 0);
    }
    story_free(&plain);
    story_free(&watched);
}
END_TEST

START_TEST(a_trigger_is_over_when_people_have_ended_its_faults) {
    StoryRun run = story_run(ERRORS("200s", "[{page: {after: 30s, action: undo}}]"), NULL);
    ck_assert_int_eq(run.model->trigger_to, 260 * SIM_TIME_S);
    ck_assert_int_eq(world_trigger_to(run.world), 95 * SIM_TIME_S);
    story_free(&run);
    run = story_run(ERRORS("20s", "[{page: {after: 30s, action: undo}}]"), NULL);
    ck_assert_int_eq(world_trigger_to(run.world), 80 * SIM_TIME_S);
    story_free(&run);
    /* The last of three replicas is restarted at 10 s + 40 s; a spike lasts until 70 s. */
    static const char *const spikes[] = {"", ", spikes: [{at: 60s, for: 10s, x: 2}]"};
    for (int i = 0; i < 2; i++) {
        char yaml[800];
        snprintf(yaml, sizeof yaml,
                 "run: {duration: 100s}\n"
                 "clients: {web: {target: api, arrivals: {constant: {rate: 10/s}}%s}}\n"
                 "services: {api: {work: 1ms, replicas: 4}}\n"
                 "faults: [{at: 1s, cured_by: restart, crash: {service: api, first: 1}}]\n"
                 "monitors: {alert: {interval: 10s, threshold: {component: web, metric: success, "
                 "below: 90%%}, then: [{restart: {service: api, order: [3, 1, 2], rate: "
                 "3/min}}]}}\n",
                 spikes[i]);
        run = story_run(yaml, NULL);
        ck_assert_int_eq(world_trigger_to(run.world), (i == 0 ? 50 : 70) * SIM_TIME_S);
        story_free(&run);
    }
}
END_TEST

TEST_SUITE("models/monitor", a_burn_rate_fires_and_resolves_when_theory_says,
           the_presets_of_the_sre_workbook_detect_when_they_should,
           a_threshold_must_hold_for_its_time_and_is_known_after_the_delay,
           absence_fires_when_nothing_comes_and_when_nothing_is_seen,
           a_monitor_that_sees_nothing_neither_fires_nor_resolves,
           a_page_is_answered_after_its_time_unless_the_alert_has_resolved,
           automation_acts_at_once_and_several_may_act_on_one_alert,
           a_random_delay_is_drawn_anew_for_each_replication, the_twin_has_its_own_monitors,
           load_is_shed_by_request_and_trying_again_does_not_help,
           a_client_may_be_limited_to_a_rate, load_that_is_sent_elsewhere_is_not_offered,
           replicas_are_restarted_in_order_at_a_rate, a_restart_cures_what_a_restart_cures,
           who_waits_in_a_queue_that_is_flushed_is_refused, a_cache_that_is_flushed_is_cold,
           a_watch_sees_what_happened_since_it_last_looked_whatever_the_samples,
           monitors_change_no_number_of_what_they_look_at,
           a_trigger_is_over_when_people_have_ended_its_faults)
