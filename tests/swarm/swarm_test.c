/* What must hold for any scenario, held against random ones: everything is conserved, Little's law
 * is exact, measures are in their ranges, and what must not matter does not.
 *
 * A scenario that fails is printed with its seed; KNOCKON_SWARM_SEED=<seed> runs that one alone.
 * KNOCKON_LONG=1 runs ten times as many.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/compile.h"
#include "models/clients/clients.h"
#include "models/servers/server.h"
#include "models/world.h"
#include "tests/swarm/scenario.h"
#include "tests/test.h"

enum { SCENARIOS = 2000, SECONDS_MAX = 60, TRACE_COUNT = 120 };

/* ---- A scenario that is being looked at, for the report of a crash */

static struct {
    uint64_t seed;
    const char *text;
} at_work;

static void print_at_work(void) {
    fprintf(stderr, "\nKNOCKON_SWARM_SEED=%llu\n%s\n", (unsigned long long)at_work.seed,
            at_work.text == NULL ? "" : at_work.text);
}

static void on_signal(int number) {
    print_at_work();
    signal(number, SIG_DFL);
    raise(number);
}

#define SWARM_ASSERT(claim)                                                                        \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            print_at_work();                                                                       \
            ck_abort_msg("seed %llu: %s", (unsigned long long)at_work.seed, #claim);               \
        }                                                                                          \
    } while (0)

/* ---- Running it */

/* A trace of the test's own: bursts of arrivals at one instant, and gaps; two texts that part after
 * the fourth id. */
typedef struct Replay {
    uint32_t position;
} Replay;

static bool replay_next(void *context, TraceArrival *out) {
    Replay *replay = context;
    static const uint64_t ids[2][12] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
                                        {0, 1, 2, 3, 14, 15, 16, 17, 18, 19, 20, 21}};
    uint32_t k = replay->position++;
    *out = (TraceArrival){.at_s = 0.0173 * (k / 3),
                          .input_tokens = k % 97,
                          .output_tokens = k % 31,
                          .hash_ids = ids[k % 2],
                          .hash_count = (k % 97 + 7) / 8};
    return k < TRACE_COUNT;
}

static void replay_rewind(void *context) {
    Replay *replay = context;
    replay->position = 0;
}

/* What the requests' own records add up to. */
typedef struct Sojourns {
    __int128 by_client_ns[8];
    uint64_t count[8];
} Sojourns;

typedef struct Run {
    Model *model;
    World *world;
    Sojourns sojourns;
    Replay replays[8];
    TraceSource traces[8];
} Run;

/* The most attempts that a request may have: tries and hedges, of its call and of its fallbacks. */
static double most_attempts(const Model *model, uint32_t client) {
    double most = 0;
    for (uint32_t i = model->clients[client].edge; i != NONE; i = model->edges[i].fallback) {
        const Edge *edge = &model->edges[i];
        const RetryOps *retry = edge->retry.kind->ops;
        uint32_t tries = retry->max_attempts == NULL ? 1 : retry->max_attempts(edge->retry.params);
        most += tries == COUNT_UNLIMITED ? 1e300 : (double)tries + hedge_most(edge);
    }
    return most;
}

static void add_request(void *context, const RequestRecord *record) {
    Run *run = context;
    SWARM_ASSERT(record->client < 8 && record->ended_at >= record->arrived_at);
    SWARM_ASSERT(record->attempt_count <= most_attempts(run->model, record->client));
    run->sojourns.by_client_ns[record->client] += record->ended_at - record->arrived_at;
    run->sojourns.count[record->client]++;
}

static Model *compile(uint64_t seed, const SwarmChange *change) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    char *text = swarm_scenario(seed, change);
    at_work.seed = seed;
    at_work.text = text;
    doc_load_text(&doc, "swarm.yaml", text, strlen(text), &diagnostics);
    Model *model = compile_scenario(&doc, &diagnostics, NULL);
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
    }
    SWARM_ASSERT(model != NULL && model->client_count <= 8);
    doc_free(&doc);
    diag_free(&diagnostics);
    return model;
}

/* `change` NULL: the scenario as it is. The text stays in at_work until run_free. */
static void run_scenario(Run *run, uint64_t seed, const SwarmChange *change, WorldOptions options) {
    *run = (Run){.model = compile(seed, change == NULL ? &(SwarmChange){false} : change)};
    for (uint32_t i = 0; i < run->model->client_count; i++) {
        run->traces[i] = (TraceSource){&run->replays[i], false, replay_next, replay_rewind};
    }
    options.seed = seed;
    options.traces = run->traces;
    options.context = run;
    options.on_request = add_request;
    run->world = world_create(run->model, &options);
    world_run(run->world);
}

static void run_free(Run *run) {
    world_destroy(run->world);
    model_destroy(run->model);
    free((char *)(uintptr_t)at_work.text);
    at_work.text = NULL;
}

/* ---- What must hold of one run */

static double all_of(const ComponentProbe *probe, Count count) {
    return (double)(probe->counts[0][count] + probe->counts[1][count]);
}

/* A request's time in the system, added up over requests, is the number in the system, added up
 * over time; both are whole nanoseconds. */
static void check_little(const Run *run) {
    const World *world = run->world;
    for (uint32_t i = 0; i < run->model->client_count && run->model->run.warmup == 0; i++) {
        const ComponentProbe *probe = &world->probe.components[i];
        SWARM_ASSERT(level_integral(&probe->levels[LEVEL_IN_SYSTEM], world->now) ==
                     run->sojourns.by_client_ns[i]);
        SWARM_ASSERT(run->sojourns.count[i] == world->clients[i].request_count);
    }
}

/* Time waited and work given, of those who still wait or work. */
static void add_present(const World *world, uint32_t service, __int128 *waited, __int128 *work) {
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        const Attempt *attempt = world_attempt(world, slot);
        if (attempt->state == ATTEMPT_FREE ||
            world->replicas[attempt->replica].service != service) {
            continue;
        }
        *waited += attempt->state == ATTEMPT_QUEUED ? world->now - attempt->entered_at : 0;
        *work += attempt->state == ATTEMPT_SERVING     ? world->now - attempt->started_at
                 : attempt->state == ATTEMPT_SUSPENDED ? attempt->work
                                                       : 0;
    }
}

/* What is there at the start is not measured, nor what it calls. */
static bool is_all_measured(const Model *model) {
    uint64_t initial = 0;
    for (uint32_t i = 0; i < model->service_count; i++) {
        initial += model->services[i].initial;
    }
    return initial == 0 && model->run.warmup == 0;
}

/* The same of a queue, and of slots: time in use is work given. A batch divides its time among its
 * members and rounds; a slot that is held during calls is in use without work. */
static void check_service_little(const Run *run, uint32_t index) {
    const World *world = run->world;
    const Service *service = &run->model->services[index];
    const ServerOps *ops = service->server.kind->ops;
    const ComponentProbe *probe =
        &world->probe.components[model_service_component(run->model, index)];
    __int128 waited = 0, work = 0;
    if (ops->has_tokens) {
        return; /* who was preempted waits again, and work is counted in tokens */
    }
    add_present(world, index, &waited, &work);
    if (is_all_measured(run->model)) {
        waited += (__int128)probe->total[RECORDED_WAIT].sum;
        SWARM_ASSERT(level_integral(&probe->levels[LEVEL_WAITING], world->now) == waited);
    }
    bool holds = service->group_count > 0 && ops->holds_while_calling != NULL &&
                 ops->holds_while_calling(service->server.params);
    if (run->model->run.warmup == 0 && ops->on_batch == NULL && !holds) {
        work += probe->counts[0][COUNT_WORK] + probe->counts[1][COUNT_WORK];
        SWARM_ASSERT(level_integral(&probe->levels[LEVEL_BUSY], world->now) == work);
    }
}

/* Partitions and black holes swallow attempts without a word. */
static bool may_lose(const Model *model) {
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const char *name = model->faults[i].fault.kind->name;
        if (strcmp(name, "partition") == 0 || strcmp(name, "crash") == 0) {
            return true;
        }
    }
    return false;
}

/* Whatever reached a service left it in one of five ways, is there, or its answer is on its way. */
static void check_attempts(const Run *run, uint32_t index) {
    const World *world = run->world;
    const ComponentProbe *probe =
        &world->probe.components[model_service_component(run->model, index)];
    double answers_under_way = 0;
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        const Attempt *attempt = world_attempt(world, slot);
        answers_under_way += attempt->state == ATTEMPT_REPLYING && attempt->outcome == OUTCOME_OK &&
                             world->replicas[attempt->replica].service == index;
    }
    double left = all_of(probe, COUNT_ANSWERED) + all_of(probe, COUNT_LATE) +
                  all_of(probe, COUNT_REFUSED) + all_of(probe, COUNT_ERROR) +
                  all_of(probe, COUNT_ABANDONED);
    double came = all_of(probe, COUNT_OFFERED) + run->model->services[index].initial;
    double there = world->services[index].in_system + answers_under_way;
    SWARM_ASSERT(left + there <= came);
    SWARM_ASSERT(left + there == came || may_lose(run->model));
}

static bool has_capacity_fault(const Model *model) {
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const char *name = model->faults[i].fault.kind->name;
        if (strcmp(name, "capacity") == 0 || strcmp(name, "hang") == 0) {
            return true;
        }
    }
    return false;
}

/* NaN passes: it means that there is nothing to measure. */
static bool is_at_most(double a, double b) {
    return !(a > b * (1 + 1e-12));
}

static void check_measures(const Model *model, const double *values) {
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        SWARM_ASSERT(!(values[i] < 0) && !(values[i] > 1e15));
    }
    SWARM_ASSERT(is_at_most(values[METRIC_latency_p50], values[METRIC_latency_p95]));
    SWARM_ASSERT(is_at_most(values[METRIC_latency_p95], values[METRIC_latency_p99]));
    SWARM_ASSERT(is_at_most(values[METRIC_latency_p99], values[METRIC_latency_max]));
    SWARM_ASSERT(is_at_most(values[METRIC_latency_mean], values[METRIC_latency_max]));
    SWARM_ASSERT(is_at_most(values[METRIC_queue_wait_p95], values[METRIC_queue_wait_p99]));
    SWARM_ASSERT(is_at_most(values[METRIC_utilization], 1) || has_capacity_fault(model));
    SWARM_ASSERT(is_at_most(values[METRIC_idle_ratio], 1));
    SWARM_ASSERT(is_at_most(values[METRIC_wasted_ratio], 1));
    SWARM_ASSERT(is_at_most(values[METRIC_availability], 1));
    SWARM_ASSERT(is_at_most(values[METRIC_waited_ratio], 1));
    SWARM_ASSERT(is_at_most(values[METRIC_full_batch_ratio], 1));
}

/* The rows of the series add up to the whole, when the run ends with an interval. */
static void check_series(const Run *run, uint32_t component) {
    static const struct {
        Metric metric;
        Count count;
    } sums[] = {{METRIC_offered, COUNT_OFFERED},   {METRIC_answered, COUNT_ANSWERED},
                {METRIC_late, COUNT_LATE},         {METRIC_timeouts, COUNT_TIMEOUT},
                {METRIC_refused, COUNT_REFUSED},   {METRIC_errors, COUNT_ERROR},
                {METRIC_attempts, COUNT_ATTEMPTS}, {METRIC_fallbacks, COUNT_FALLBACKS},
                {METRIC_hedges, COUNT_HEDGES},     {METRIC_held_back, COUNT_HELD_BACK}};
    const Probe *probe = &run->world->probe;
    if (run->world->stop_reason != STOP_AT_END) {
        return;
    }
    SWARM_ASSERT(probe->sampled_at == run->world->now);
    for (uint32_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < probe->sample_count; k++) {
            sum += probe_series(probe, k, component, sums[i].metric);
        }
        SWARM_ASSERT(sum == all_of(&probe->components[component], sums[i].count));
    }
}

static double param_of(const Component *component, const char *name) {
    for (uint32_t i = 0; i < component->kind->param_count; i++) {
        const Param *param = &component->kind->params[i];
        if (strcmp(param->name, name) == 0) {
            const char *at = (const char *)component->params + param->offset;
            double value = 0;
            memcpy(&value, at, sizeof value);
            return param->type == PARAM_FLAG ? *(const bool *)at : value;
        }
    }
    ck_abort_msg("no parameter '%s'", name);
    return 0;
}

/* A bucket of tokens pays for no more retries and hedges than it held and was given; what it costs
 * after a refusal is the least here. */
static void check_budget(const Run *run, uint32_t client) {
    const Edge *edge = &run->model->edges[run->model->clients[client].edge];
    const Component *budget = &edge->budget;
    if (strcmp(budget->kind->name, "token_bucket") != 0 || edge->fallback != NONE) {
        return;
    }
    const ComponentProbe *probe = &run->world->probe.components[client];
    double cost = param_of(budget, "refused_cost"), given = param_of(budget, "refund");
    if (param_of(budget, "refunds_cost") != 0) {
        double most = param_of(budget, "timeout_cost");
        given = given > most ? given : most;
    }
    double offered = all_of(probe, COUNT_OFFERED);
    double tokens = edge->instances * param_of(budget, "capacity") +
                    given * all_of(probe, COUNT_ANSWERED) + param_of(budget, "deposit") * offered;
    double sent = all_of(probe, COUNT_ATTEMPTS) + all_of(probe, COUNT_HELD_BACK);
    SWARM_ASSERT(sent <= offered + tokens / cost + 1e-6);
}

static void check_run(const Run *run) {
    world_check(run->world);
    double values[METRIC_COUNT];
    for (uint32_t i = 0; i < model_component_count(run->model); i++) {
        probe_measure(&run->world->probe, i, run->world->now, values);
        check_measures(run->model, values);
        check_series(run, i);
    }
    if (run->world->stop_reason == STOP_IN_FLIGHT) {
        return; /* cut off in the middle of an event */
    }
    check_little(run);
    for (uint32_t i = 0; i < run->model->client_count; i++) {
        check_budget(run, i);
    }
    for (uint32_t i = 0; i < run->model->service_count; i++) {
        check_service_little(run, i);
        check_attempts(run, i);
    }
}

/* ---- What must not matter */

static void check_same_events(const Run *run, uint64_t seed, const SwarmChange *change,
                              WorldOptions options) {
    Run other;
    const char *text = at_work.text;
    run_scenario(&other, seed, change, options);
    SWARM_ASSERT(other.world->event_count == run->world->event_count);
    SWARM_ASSERT(other.world->fingerprint == run->world->fingerprint);
    run_free(&other);
    at_work.text = text;
}

/* Bit for bit the same measures of every component of the first run, found by name. */
static void check_same_measures(const Run *run, uint64_t seed, const SwarmChange *change) {
    Run other;
    const char *text = at_work.text;
    run_scenario(&other, seed, change, (WorldOptions){0});
    SWARM_ASSERT(other.world->event_count == run->world->event_count);
    for (uint32_t i = 0; i < model_component_count(run->model); i++) {
        double ours[METRIC_COUNT], theirs[METRIC_COUNT];
        uint32_t k = model_find_component(other.model, model_component_name(run->model, i));
        probe_measure(&run->world->probe, i, run->world->now, ours);
        probe_measure(&other.world->probe, k, other.world->now, theirs);
        SWARM_ASSERT(memcmp(ours, theirs, sizeof ours) == 0);
    }
    run_free(&other);
    at_work.text = text;
}

/* All that was measured is the same, bit for bit, though the steps were taken one by one. */
static void check_same_stepwise(const Run *run, uint64_t seed) {
    Run other;
    const char *text = at_work.text;
    run_scenario(&other, seed, NULL, (WorldOptions){.is_stepwise = true});
    const Probe *ours = &run->world->probe, *theirs = &other.world->probe;
    SWARM_ASSERT(other.world->event_count == run->world->event_count);
    SWARM_ASSERT(other.world->tie_count == run->world->tie_count);
    SWARM_ASSERT(other.world->fingerprint == run->world->fingerprint);
    SWARM_ASSERT(memcmp(&other.sojourns, &run->sojourns, sizeof run->sojourns) == 0);
    SWARM_ASSERT(theirs->series.count == ours->series.count);
    SWARM_ASSERT(ours->series.count == 0 ||
                 memcmp(theirs->series.items, ours->series.items,
                        ours->series.count * sizeof *ours->series.items) == 0);
    for (uint32_t i = 0; i < model_component_count(run->model); i++) {
        SWARM_ASSERT(memcmp(theirs->components[i].total, ours->components[i].total,
                            ours->recorded_count * sizeof(Hist)) == 0);
        SWARM_ASSERT(memcmp(theirs->components[i].counts, ours->components[i].counts,
                            sizeof ours->components[i].counts) == 0);
        double a[METRIC_COUNT], b[METRIC_COUNT];
        probe_measure(ours, i, run->world->now, a);
        probe_measure(theirs, i, other.world->now, b);
        SWARM_ASSERT(memcmp(a, b, sizeof a) == 0);
    }
    run_free(&other);
    at_work.text = text;
}

/* ---- The claims, each for a share of the seeds */

static void check_conserved(uint64_t seed) {
    Run run;
    run_scenario(&run, seed, NULL, (WorldOptions){.check_every = 1009});
    check_run(&run);
    run_free(&run);
}

static void check_unmeasured(uint64_t seed) {
    Run run;
    run_scenario(&run, seed, NULL, (WorldOptions){0});
    check_same_events(&run, seed, NULL, (WorldOptions){.is_unmeasured = true});
    run_free(&run);
}

static void check_late_fault(uint64_t seed) {
    Run run;
    run_scenario(&run, seed, NULL, (WorldOptions){0});
    check_same_events(&run, seed, &(SwarmChange){.has_late_fault = true}, (WorldOptions){0});
    run_free(&run);
}

static void check_spare_service(uint64_t seed) {
    Run run;
    run_scenario(&run, seed, NULL, (WorldOptions){0});
    check_same_measures(&run, seed, &(SwarmChange){.has_spare_service = true});
    run_free(&run);
}

static void check_one_attempt(uint64_t seed) {
    Run run;
    run_scenario(&run, seed, &(SwarmChange){.tries_once = true}, (WorldOptions){0});
    check_same_events(&run, seed, &(SwarmChange){.tries_never = true}, (WorldOptions){0});
    run_free(&run);
}

static void check_stepwise(uint64_t seed) {
    Run run;
    run_scenario(&run, seed, NULL, (WorldOptions){0});
    check_same_stepwise(&run, seed);
    run_free(&run);
}

/* Every `stride`-th seed, or the one that is asked for. */
static void for_seeds(uint64_t stride, void (*check)(uint64_t seed)) {
    const char *one = getenv("KNOCKON_SWARM_SEED"), *is_long = getenv("KNOCKON_LONG");
    signal(SIGABRT, on_signal);
    signal(SIGSEGV, on_signal);
    signal(SIGALRM, on_signal);
    if (one != NULL) {
        check(strtoull(one, NULL, 10));
        return;
    }
    uint64_t end = is_long != NULL && strcmp(is_long, "1") == 0 ? 10 * SCENARIOS : SCENARIOS;
    for (uint64_t seed = 1; seed <= end; seed += stride) {
        alarm(SECONDS_MAX); /* for each: one that hangs is reported like one that fails */
        check(seed);
    }
    alarm(0);
}

START_TEST(everything_is_conserved_and_every_measure_in_its_range) {
    for_seeds(1, check_conserved);
}
END_TEST

START_TEST(taking_no_numbers_changes_nothing) {
    for_seeds(2, check_unmeasured);
}
END_TEST

START_TEST(a_fault_after_the_end_changes_nothing) {
    for_seeds(3, check_late_fault);
}
END_TEST

START_TEST(a_service_that_nobody_calls_changes_no_measure_of_others) {
    for_seeds(3, check_spare_service);
}
END_TEST

START_TEST(a_retry_policy_of_one_attempt_is_none) {
    for_seeds(3, check_one_attempt);
}
END_TEST

START_TEST(several_steps_in_one_event_are_what_they_are_one_by_one) {
    for_seeds(1, check_stepwise);
}
END_TEST

TEST_SUITE("swarm/swarm", several_steps_in_one_event_are_what_they_are_one_by_one,
           everything_is_conserved_and_every_measure_in_its_range,
           taking_no_numbers_changes_nothing, a_fault_after_the_end_changes_nothing,
           a_service_that_nobody_calls_changes_no_measure_of_others,
           a_retry_policy_of_one_attempt_is_none)
