/* A whole scenario becomes the model that it describes. */
#include "tests/experiments/compile_test.h"

#include "experiments/schema_read.h"
#include "experiments/templates.h"
#include "models/registry.h"

/* The scenario of docs/scenario.md section 1, without what this version does not have. */
static const char example[] =
    "knockon: 1                           # version of the language\n"
    "name: retry-storm\n"
    "about: A one-minute spike meets clients that retry three times without backing off.\n"
    "\n"
    "run: {duration: 30min, warmup: 2min, seed: 1, replications: 20, sample_every: 1s}\n"
    "\n"
    "clients:\n"
    "  web:\n"
    "    target: gateway\n"
    "    arrivals: {poisson: {rate: 40/s}}\n"
    "    load: [{at: 0s, x: 1}, {at: 20min, x: 1.2, ramp: 5min}]\n"
    "    spikes: [{at: 5min, for: 1min, x: 3, ramp: 10s}]\n"
    "    input_tokens:  {lognormal: {mean: 1155, p99: 4142}}\n"
    "    output_tokens: {lognormal: {mean: 211, p99: 601}}\n"
    "    call: &patient\n"
    "      timeout: 8s\n"
    "      deadline: 30s\n"
    "      retry: {exponential: {max_attempts: 4, base: 100ms, multiplier: 2, max: 20s, jitter: "
    "full}}\n"
    "      retry_on: [timeout, error]\n"
    "      late_reply: ignored\n"
    "      retry_budget: {token_bucket: {capacity: 500, cost: 5, refund: 1}}\n"
    "\n"
    "services:\n"
    "  gateway:\n"
    "    replicas: 4\n"
    "    server: {pool: {concurrency: 64, hold_while_calling: true}}\n"
    "    work: {lognormal: {mean: 4ms, p99: 20ms}}\n"
    "    queue: {order: fifo, limit: 1000}\n"
    "    shed: {codel: {target: 50ms, interval: 500ms}}\n"
    "    calls:\n"
    "      - {to: guard, timeout: 200ms, on_failure: ignore}\n"
    "      - parallel:\n"
    "          - {to: vector-db, timeout: 300ms, retry: {fixed: {max_attempts: 2, delay: 0s}}}\n"
    "          - {to: feature-store, timeout: 100ms, probability: 30%}\n"
    "      - {to: llm, <<: *patient}\n"
    "  llm:\n"
    "    replicas: 8\n"
    "    route: least_requests\n"
    "    server: {batch: {max_batch_size: 32, step: {linear: {base: 20ms, per_request: 1ms}}}}\n"
    "    cancel_on_timeout: never\n"
    "  vector-db:\n"
    "    server: {pool: {concurrency: 32}}\n"
    "    work: {gamma: {mean: 12ms, cv: 0.6}}\n"
    "  guard: {}\n"
    "  feature-store: {work: 2ms}\n"
    "\n"
    "network:\n"
    "  default: {latency: {lognormal: {mean: 0.5ms, p99: 2ms}}}\n"
    "\n"
    "faults:\n"
    "  - {at: 12min, for: 2min, slow: {service: vector-db, x: 10}}\n"
    "  - {at: 18min, crash: {service: llm, replicas: 3, restart: 90s}}\n"
    "\n"
    "objectives:\n"
    "  web: {p99: \"<= 10s\", success: \">= 99%\", attempts: \"<= 1.2\"}\n"
    "\n"
    "verdict: {healthy: 95%, hold: 30s, settle: 10s, horizon: 10min}\n";

static void check_example_client(const Model *model) {
    const Client *web = &model->clients[0];
    const Edge *edge = &model->edges[web->edge];
    ck_assert_str_eq(web->name, "web");
    ck_assert_ptr_eq(web->arrivals.kind, registry_find(FAMILY_ARRIVALS, "poisson"));
    ck_assert_double_eq_tol(dist_mean(&web->input_tokens), 1155, 1e-9);
    ck_assert(web->has_input_tokens && web->has_output_tokens && web->has_spikes);
    LoadCursor cursor = {0};
    ck_assert_double_eq(load_value(&web->load, &cursor, 330), 3);
    ck_assert_double_eq_tol(load_value(&web->load, &cursor, 1350), 1.1, 1e-12);
    cursor.piece = 0;
    ck_assert_double_eq(load_value(&web->load_organic, &cursor, 330), 1);
    ck_assert_uint_eq(edge->timeout.count, 1);
    ck_assert_int_eq(edge->timeout.items[0], 8 * SIM_TIME_S);
    ck_assert_int_eq(edge->deadline, 30 * SIM_TIME_S);
    ck_assert_int_eq(model->timers[edge->timeout_timer[0]], 8 * SIM_TIME_S);
    ck_assert_uint_eq(edge->retry_on, RETRY_ON_TIMEOUT | RETRY_ON_ERROR);
    ck_assert_double_eq_tol(dist_mean(&edge->reply_latency), 0.5e-3, 1e-15);
}

START_TEST(the_example_of_the_manual_becomes_its_model) {
    Compiled result = compiled(example, NULL);
    const Model *model = result.model;
    ck_assert_ptr_nonnull(model);
    ck_assert_str_eq(
        result.messages,
        "35:14: warning: retries multiply over layers: one request may become 16 attempts, "
        "web -> gateway (4) -> llm (4)\n"
        "33:18: warning: retries multiply over layers: one request may become 8 attempts, "
        "web -> gateway (4) -> vector-db (2)");
    check_example_client(model);
    static const char *const edges[] = {"web->gateway", "gateway->guard", "gateway->vector-db",
                                        "gateway->feature-store", "gateway->llm"};
    ck_assert_uint_eq(model->edge_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_str_eq(model->edges[i].name, edges[i]);
    }
    const Service *gateway = &model->services[0];
    ck_assert_uint_eq(gateway->group_count, 3);
    ck_assert_uint_eq(gateway->groups[1].first_edge, 2);
    ck_assert_uint_eq(gateway->groups[1].edge_count, 2);
    ck_assert_uint_eq(gateway->slots, 64);
    ck_assert_uint_eq(gateway->queue.limit, 1000);
    ck_assert_uint_eq(model->services[1].replica_first, 4);
    ck_assert_uint_eq(model->replica_count, 15);
    ck_assert_double_eq(model->edges[3].probability, 0.3);
    ck_assert_str_eq(model->faults[0].label, "slow vector-db");
    ck_assert_str_eq(model->objectives[0].text, "web p99 <= 10s");
    ck_assert_double_eq(model->objectives[1].bound, 0.99);
    ck_assert_double_eq(model->objectives[2].bound, 1.2);
    ck_assert(model->objectives[1].at_least && !model->objectives[0].at_least);
    ck_assert(model->has_trigger);
    ck_assert_int_eq(model->trigger_from, 300 * SIM_TIME_S);
    ck_assert_int_eq(model->trigger_to, (18 * 60 + 90) * SIM_TIME_S);
    compiled_free(&result);
}
END_TEST

/* Writes each resolved value again by --set: the value must arrive there, and from there. */
START_TEST(set_reaches_every_scalar) {
    Compiled before = compiled(example, NULL);
    size_t count = before.resolved.values.count;
    ck_assert_uint_gt(count, 150);
    for (size_t i = 0; i < count; i++) {
        const ResolvedValue *value = &before.resolved.values.items[i];
        char set[300];
        /* '>' would begin a block scalar. */
        const char *quote = value->value[0] == '>' ? "\"" : "";
        snprintf(set, sizeof set, "%s=%s%s%s", value->path, quote, value->value, quote);
        Compiled after = compiled(example, set);
        ck_assert_msg(after.model != NULL, "%s: %s", set, after.messages);
        bool is_found = false;
        bool is_list = value->value[0] == '[' &&
                       value->value[1] != ']'; /* then its items arrive, one by one */
        size_t path_size = strlen(value->path);
        for (size_t k = 0; k < after.resolved.values.count; k++) {
            const ResolvedValue *now = &after.resolved.values.items[k];
            if (strcmp(now->path, value->path) == 0) {
                is_found = strcmp(now->value, value->value) == 0 && now->origin == DOC_FROM_SET;
            } else if (is_list && strncmp(now->path, value->path, path_size) == 0 &&
                       strcmp(now->path + path_size, "[0]") == 0) {
                is_found = now->origin == DOC_FROM_SET;
            }
        }
        ck_assert_msg(is_found, "%s did not arrive", set);
        compiled_free(&after);
    }
    compiled_free(&before);
}
END_TEST

static int compare_values(const void *a, const void *b) {
    return strcmp(((const ResolvedValue *)a)->path, ((const ResolvedValue *)b)->path);
}

START_TEST(the_order_of_components_changes_nothing_but_their_numbers) {
    static const char there[] = "knockon: 1\n"
                                "clients: {u: {target: a, arrivals: {constant: {rate: 3/s}}},\n"
                                "          v: {target: b, arrivals: {poisson: {rate: 5/s}}}}\n"
                                "services: {a: {work: 7ms, calls: [{to: b}]}, b: {work: 11ms}}\n";
    static const char back[] = "services: {b: {work: 11ms}, a: {calls: [{to: b}], work: 7ms}}\n"
                               "clients: {v: {arrivals: {poisson: {rate: 5/s}}, target: b},\n"
                               "          u: {target: a, arrivals: {constant: {rate: 3/s}}}}\n"
                               "knockon: 1\n";
    Compiled first = compiled(there, NULL), second = compiled(back, NULL);
    ck_assert_ptr_nonnull(first.model);
    ck_assert_ptr_nonnull(second.model);
    ck_assert_uint_eq(first.resolved.values.count, second.resolved.values.count);
    qsort(first.resolved.values.items, first.resolved.values.count, sizeof(ResolvedValue),
          compare_values);
    qsort(second.resolved.values.items, second.resolved.values.count, sizeof(ResolvedValue),
          compare_values);
    for (size_t i = 0; i < first.resolved.values.count; i++) {
        ck_assert_str_eq(first.resolved.values.items[i].path, second.resolved.values.items[i].path);
        ck_assert_str_eq(first.resolved.values.items[i].value,
                         second.resolved.values.items[i].value);
    }
    compiled_free(&first);
    compiled_free(&second);
}
END_TEST

START_TEST(what_is_left_out_has_the_promised_default) {
    Compiled result = compiled("knockon: 1\n"
                               "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
                               "services: {a: {}}\n",
                               NULL);
    const Model *model = result.model;
    ck_assert_ptr_nonnull(model);
    ck_assert_str_eq(model->name, "scen");
    ck_assert_int_eq(model->edges[0].timeout.items[0], SIM_TIME_NEVER);
    ck_assert_uint_eq(model->edges[0].timeout_timer[0], TIMER_NONE);
    ck_assert_int_eq(model->edges[0].deadline, SIM_TIME_NEVER);
    ck_assert_uint_eq(model->edges[0].deadline_timer, TIMER_NONE);
    ck_assert_str_eq(model->edges[0].retry.kind->name, "none");
    ck_assert_uint_eq(model->edges[0].on_failure, ON_FAILURE_FAIL);
    ck_assert_uint_eq(model->services[0].replica_count, 1);
    ck_assert_uint_eq(model->services[0].slots, 1);
    ck_assert_uint_eq(model->services[0].queue.limit, COUNT_UNLIMITED);
    ck_assert_str_eq(model->services[0].shed.kind->name, "none");
    ck_assert_str_eq(model->services[0].route.kind->name, "least_requests");
    ck_assert_double_eq(dist_mean(&model->services[0].work), 0);
    ck_assert_double_eq(dist_mean(&model->edges[0].latency), 0);
    ck_assert(model->clients[0].load.is_one && !model->has_trigger);
    ck_assert_uint_eq(model->run.stop_service, NONE);
    ck_assert_int_eq(model->verdict.trigger_from, SIM_TIME_NEVER);
    compiled_free(&result);
}
END_TEST

START_TEST(two_calls_between_the_same_services_have_two_names) {
    Compiled result =
        compiled(base_scenario, "services.gateway.calls=[{to: model}, {to: model}, {to: model}]");
    ck_assert_ptr_nonnull(result.model);
    ck_assert_str_eq(result.model->edges[1].name, "gateway->model");
    ck_assert_str_eq(result.model->edges[2].name, "gateway->model#2");
    ck_assert_str_eq(result.model->edges[3].name, "gateway->model#3");
    compiled_free(&result);
}
END_TEST

/* Edges keep their places and names whether they have a fallback or not. */
START_TEST(fallbacks_stand_behind_all_other_calls_and_have_names_of_their_own) {
    Compiled result = compiled(
        "knockon: 1\n"
        "network: {default: {latency: 3ms}}\n"
        "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}, call: {fallback: {to: c,"
        " deadline: 5s}}}}\n"
        "services:\n"
        "  a: {calls: [{to: b, on_failure: ignore, fallback: {to: c, fallback: {to: c}}}, {to: c}]}"
        "\n"
        "  b: {}\n"
        "  c: {}\n",
        NULL);
    ck_assert_str_eq(result.messages, "");
    static const struct {
        const char *name;
        uint32_t fallback;
    } expected[] = {{"w->a", 3},
                    {"a->b", 5},
                    {"a->c", NONE},
                    {"w->c fallback", NONE},
                    {"a->c fallback", NONE},
                    {"a->c fallback#2", 4}};
    ck_assert_uint_eq(result.model->edge_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        const Edge *edge = &result.model->edges[i];
        ck_assert_str_eq(edge->name, expected[i].name);
        ck_assert_uint_eq(edge->fallback, expected[i].fallback);
        ck_assert(edge->is_fallback == (i >= 3));
        ck_assert(edge->has_latency && edge->probability == 1);
    }
    ck_assert_int_eq(result.model->edges[0].deadline, SIM_TIME_NEVER);
    ck_assert_int_eq(result.model->edges[3].deadline, 5 * SIM_TIME_S);
    ck_assert_uint_eq(result.model->edges[5].on_failure, ON_FAILURE_IGNORE);
    ck_assert_uint_eq(result.model->edges[4].on_failure, ON_FAILURE_IGNORE);
    compiled_free(&result);
}
END_TEST

START_TEST(a_call_has_the_latency_of_the_network_unless_it_says_otherwise) {
    Compiled result = compiled(
        "knockon: 1\n"
        "network: {default: {latency: 3ms, reply_latency: 5ms}}\n"
        "clients: {w: {target: a, arrivals: {poisson: {rate: 1/s}}}}\n"
        "services: {a: {calls: [{to: b, latency: 7ms}, {to: b, reply_latency: 9ms}]}, b: {}}\n",
        NULL);
    ck_assert_ptr_nonnull(result.model);
    const Edge *edges = result.model->edges;
    static const double expected[3][2] = {{3e-3, 5e-3}, {7e-3, 7e-3}, {3e-3, 9e-3}};
    for (int i = 0; i < 3; i++) {
        ck_assert_double_eq(dist_mean(&edges[i].latency), expected[i][0]);
        ck_assert_double_eq(dist_mean(&edges[i].reply_latency), expected[i][1]);
    }
    compiled_free(&result);
}
END_TEST

START_TEST(calls_may_go_32_services_deep_and_no_deeper) {
    for (int depth = 32; depth <= 33; depth++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        fputs("knockon: 1\nclients: {w: {target: s0, arrivals: {poisson: {rate: 1/s}}}}\n", out);
        fputs("services:\n", out);
        for (int i = 0; i + 1 < depth; i++) {
            fprintf(out, "  s%d: {calls: [{to: s%d}]}\n", i, i + 1);
        }
        fprintf(out, "  s%d: {}\n", depth - 1);
        fclose(out);
        Compiled result = compiled(text, NULL);
        ck_assert_str_eq(result.messages,
                         depth == 32 ? ""
                                     : "4:3: calls go 33 services deep from here; 32 is the most");
        compiled_free(&result);
        free(text);
    }
}
END_TEST

START_TEST(all_mistakes_of_a_file_are_told_at_once) {
    Compiled result = compiled("knockon: 1\n"
                               "run: {duration: fast}\n"
                               "clients: {w: {target: b, arrivals: {poisson: {rate: 1}}}}\n"
                               "services: {a: {replicas: 0, shed: codl}}\n"
                               "faults: [{at: 3, crash: {service: c}}]\n"
                               "objectives: {x: {p99: \"<= 3s\"}}\n",
                               NULL);
    ck_assert_str_eq(result.messages,
                     "2:17: 'fast' is not a duration; write for example '250ms'\n"
                     "3:53: '1' has no unit; write for example '1/s'\n"
                     "3:23: there is no service 'b'\n"
                     "4:26: 'replicas' of a service must be from 1 to 100k, not 0\n"
                     "4:35: 'shed' has no kind 'codl': did you mean 'codel'?\n"
                     "5:15: '3' has no unit; write for example '3s'\n"
                     "5:35: there is no service 'c'\n"
                     "6:14: there is no client or service 'x'");
    compiled_free(&result);
}
END_TEST

START_TEST(words_of_later_versions_are_refused_by_name) {
    static const char *const words[] = {
#define LATER(word) word,
#include "experiments/schema_later.def"
#undef LATER
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char set[64], expected[100];
        snprintf(set, sizeof set, "services.model.%s=1", words[i]);
        snprintf(expected, sizeof expected, "1:16: '%s' is not available in this version",
                 words[i]);
        const Case known = {set, expected};
        check_cases(&known, 1);
    }
}
END_TEST

START_TEST(the_built_in_template_compiles_without_a_word) {
    Compiled result = compiled(template_minimal, NULL);
    ck_assert_str_eq(result.messages, "");
    ck_assert_ptr_nonnull(result.model);
    ck_assert(result.model->has_trigger);
    compiled_free(&result);
}
END_TEST

TEST_SUITE("experiments/compile", the_example_of_the_manual_becomes_its_model,
           set_reaches_every_scalar, the_order_of_components_changes_nothing_but_their_numbers,
           what_is_left_out_has_the_promised_default,
           two_calls_between_the_same_services_have_two_names,
           fallbacks_stand_behind_all_other_calls_and_have_names_of_their_own,
           a_call_has_the_latency_of_the_network_unless_it_says_otherwise,
           calls_may_go_32_services_deep_and_no_deeper, all_mistakes_of_a_file_are_told_at_once,
           words_of_later_versions_are_refused_by_name,
           the_built_in_template_compiles_without_a_word)
