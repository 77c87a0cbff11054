#include "models/world.h"

#include <stdio.h>
#include <string.h>

#include "models/clients/clients.h"
#include "models/flow_parts.h"
#include "models/policies.h"
#include "models/prompt.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* So many events without the clock moving mean that it never will. */
enum { EVENTS_AT_ONE_INSTANT_MAX = 5000000 };

/* A call and an attempt may be in use for each live attempt. */
static uint32_t pool_limit(const Model *model) {
    CHECK(model->run.max_in_flight > 0);
    return model->run.max_in_flight;
}

/* ---- Kinds' state: one block, each place where a kind is used at an offset */

static size_t state_reserve(World *world, size_t size) {
    enum { STATE_ALIGNMENT = 16 };
    size_t offset = world->states_size;
    world->states_size += (size + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT;
    CHECK(world->states_size >= offset);
    return offset;
}

/* Whether replicas begin the run by loading. */
static bool has_to_load(const Service *service) {
    const ServerOps *ops = service->server.kind->ops;
    CHECK(ops != NULL);
    return ops->is_loaded != NULL && !ops->is_loaded(service->server.params);
}

static void create_services(World *world) {
    const Model *model = world->model;
    CHECK(model->service_count > 0);
    for (uint32_t s = 0; s < model->service_count; s++) {
        const Service *service = &model->services[s];
        ServiceState *state = &world->services[s];
        state->key =
            rng_key(world->options.seed, world->options.replication, service->name, "service");
        state->route_state = state_reserve(world, route_state_size(service));
        for (uint32_t i = 0; i < service->replica_count; i++) {
            Replica *replica = &world->replicas[service->replica_first + i];
            *replica = (Replica){.service = s,
                                 .component = model_service_component(model, s),
                                 .queue_head = NONE,
                                 .queue_tail = NONE};
            replica->server_state = state_reserve(world, component_state_size(&service->server));
            replica->shed_state = state_reserve(world, component_state_size(&service->shed));
            replica->has_process = !has_to_load(service);
            replica->levers =
                (ReplicaLevers){.work_x = 1, .is_up = true, .slots = service->slots, .kv_ratio = 1};
        }
    }
}

static StateSpan reserve_span(World *world, const Component *component, uint32_t instances) {
    size_t stride = (component_state_size(component) + 7) / 8 * 8;
    CHECK(instances > 0);
    return (StateSpan){state_reserve(world, stride * instances), stride};
}

/* The salt comes from the edge's name, so that another component shifts nobody's draws. */
static void create_edges(World *world) {
    const Model *model = world->model;
    uint32_t caller_count = 0;
    CHECK(model->edge_count >= model->client_count);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        const Edge *edge = &model->edges[i];
        EdgeState *state = &world->edges[i];
        const RetryOps *retry = edge->retry.kind->ops;
        state->key = rng_key(world->options.seed, world->options.replication, edge->name, "edge");
        RngKey salt = rng_key(0, 0, edge->name, "path");
        state->path_salt = (uint32_t)salt.k[0];
        state->max_attempts =
            retry->max_attempts != NULL ? retry->max_attempts(edge->retry.params) : 1;
        state->budget = reserve_span(world, &edge->budget, edge->instances);
        state->breaker = reserve_span(world, &edge->breaker, edge->instances);
        state->throttle = reserve_span(world, &edge->throttle, edge->instances);
        state->hedge = reserve_span(world, &edge->hedge, edge->instances);
        state->caller_first = caller_count;
        caller_count += edge->is_watched ? edge->instances : 0;
    }
    CHECK(caller_count == model->watched_instances);
}

static void create_clients(World *world) {
    const Model *model = world->model;
    CHECK(world->clients != NULL);
    for (uint32_t i = 0; i < model->client_count; i++) {
        const Client *client = &model->clients[i];
        ClientState *state = &world->clients[i];
        state->key =
            rng_key(world->options.seed, world->options.replication, client->name, "request");
        RngKey arrivals =
            rng_key(world->options.seed, world->options.replication, client->name, "arrivals");
        rng_stream(&state->stream, &arrivals);
        state->key_base = rng_key(0, 0, client->name, "request").k[0];
        state->session_base = rng_key(0, 0, client->name, "session").k[0];
        state->arrivals_state = state_reserve(world, component_state_size(&client->arrivals));
        if (world->options.traces != NULL) {
            state->trace = world->options.traces[i];
        }
        source_init(world, i);
        for (uint32_t k = 0; k < client->user_count; k++) {
            world->users[client->user_first + k] = (UserState){.client = i, .index = k};
        }
    }
}

/* Faults alike are told apart by their order: they do not recur in step. */
static void create_faults(World *world) {
    const Fault *faults = world->model->faults;
    for (uint32_t i = 0; i < world->model->fault_count; i++) {
        CHECK(faults[i].label != NULL);
        uint32_t number = 1;
        for (uint32_t k = 0; k < i; k++) {
            number += strcmp(faults[k].label, faults[i].label) == 0;
        }
        char purpose[32];
        snprintf(purpose, sizeof purpose, "fault %u", number);
        RngKey key =
            rng_key(world->options.seed, world->options.replication, faults[i].label, purpose);
        rng_stream(&world->faults[i].stream, &key);
        world->faults[i].key = key;
    }
}

static void start_budgets(World *world) {
    for (uint32_t i = 0; i < world->model->edge_count; i++) {
        const Edge *edge = &world->model->edges[i];
        const BudgetOps *budget = edge->budget.kind->ops;
        CHECK(edge->instances > 0);
        for (uint32_t k = 0; budget->start != NULL && k < edge->instances; k++) {
            budget->start(edge->budget.params, span_state(world, &world->edges[i].budget, k));
        }
    }
}

World *world_create(const Model *model, const WorldOptions *options) {
    CHECK(model->service_count > 0);
    World *world = mem_zalloc(1, sizeof *world);
    world->model = model;
    world->options = *options;
    world->fingerprint = UINT64_C(0xcbf29ce484222325);
    world->stop_reason = STOP_AT_END;
    queue_init(&world->queue);
    pool_init(&world->calls, sizeof(Call), pool_limit(model));
    pool_init(&world->attempts, sizeof(Attempt), pool_limit(model));
    pool_init(&world->sessions, sizeof(Session), pool_limit(model));
    world->replicas = mem_zalloc(model->replica_count, sizeof *world->replicas);
    world->outstanding = mem_zalloc(model->replica_count, sizeof *world->outstanding);
    world->routable = mem_zalloc(model->replica_count, sizeof *world->routable);
    world->rank_tails =
        mem_alloc((size_t)model->replica_count * model->rank_count * sizeof *world->rank_tails);
    memset(world->rank_tails, 0xff,
           (size_t)model->replica_count * model->rank_count * sizeof *world->rank_tails);
    world->late_at = -1;
    world->services = mem_zalloc(model->service_count, sizeof *world->services);
    world->edges =
        mem_zalloc((size_t)model->edge_count + model->service_count, sizeof *world->edges);
    world->clients = mem_zalloc(model->client_count, sizeof *world->clients);
    world->users = mem_zalloc(model->user_count, sizeof *world->users);
    world->faults = mem_zalloc(model->fault_count, sizeof *world->faults);
    if (model->watched_instances > 0) {
        world->callers = mem_zalloc(model->watched_instances, sizeof *world->callers);
        pool_init(&world->call_tracks, sizeof(CallTrack), pool_limit(model));
        pool_init(&world->attempt_tracks, sizeof(AttemptTrack), pool_limit(model));
    }
    create_services(world);
    create_edges(world);
    create_clients(world);
    create_faults(world);
    prompts_init(world);
    world->states = mem_zalloc(world->states_size, 1);
    levers_init(&world->levers, model);
    probe_init(&world->probe, model, options->is_unmeasured);
    start_budgets(world);
    return world;
}

void world_destroy(World *world) {
    CHECK(world != NULL);
    queue_free(&world->queue);
    pool_free(&world->calls);
    pool_free(&world->attempts);
    pool_free(&world->sessions);
    prompts_free(world);
    levers_free(&world->levers);
    probe_free(&world->probe);
    mem_free(world->replicas);
    mem_free(world->outstanding);
    mem_free(world->routable);
    mem_free(world->rank_tails);
    mem_free(world->services);
    mem_free(world->edges);
    mem_free(world->clients);
    mem_free(world->users);
    mem_free(world->faults);
    if (world->callers != NULL) {
        pool_free(&world->call_tracks);
        pool_free(&world->attempt_tracks);
        mem_free(world->callers);
    }
    mem_free(world->states);
    mem_free(world);
}

void world_stop(World *world, StopReason reason) {
    CHECK(reason != STOP_AT_END);
    if (!world->is_stopping) {
        world->is_stopping = true;
        world->stop_reason = reason;
    }
}

void world_settle(World *world, SimTime at) {
    for (uint32_t i = 0; i < world->model->replica_count; i++) {
        const ServerOps *ops = server_ops(world, &world->replicas[i]);
        CHECK(at <= world->model->run.duration);
        if (ops->settle == NULL) {
            i = world_service_of(world, &world->replicas[i])->replica_first +
                world_service_of(world, &world->replicas[i])->replica_count - 1;
        } else if (world->replicas[i].levers.is_up) {
            /* A run may end within an instant: then what has had its turn there is over. */
            ops->settle(world, i, at + (at == world->now && world_late_has_passed(world, i)));
        }
    }
}

/* Closes the intervals that end up to `now`. */
static void take_sample(World *world, SimTime now) {
    Probe *probe = &world->probe;
    CHECK(!probe->is_off);
    while (probe->next_sample_at <= now) {
        world_settle(world, probe->next_sample_at);
        probe_sample(probe, probe->next_sample_at);
    }
}

/* Ends the run where it was stopped, or at its full duration, and closes the last interval. */
static void world_finish(World *world) {
    if (world->stop_reason == STOP_AT_END) {
        world->now = world->model->run.duration;
    }
    CHECK(world->now <= world->model->run.duration);
    if (!world->probe.is_off) {
        take_sample(world, world->now);
    }
    world_settle(world, world->now);
    sources_tell_unfinished(world);
}

static void start(World *world) {
    const Model *model = world->model;
    uint16_t last_class = 0;
    for (uint32_t i = 0; i < model->timer_count; i++) {
        last_class = queue_add_timer(&world->queue, model->timers[i]);
    }
    CHECK(last_class == model->timer_count); /* classes count from 1: push_timer */
    for (uint32_t i = 0; i < model->replica_count; i++) {
        const ServerOps *ops = server_ops(world, &world->replicas[i]);
        if (ops->start != NULL) {
            ops->start(world, i);
        }
    }
    losses_start(world);
    if (model->run.warmup > 0) {
        queue_push(&world->queue, model->run.warmup, EVENT_warmup, 0);
    }
    sources_start(world);
}

enum { LOOK_EVERY = 1 << 16 };

/* The count of events at which to look around next. */
static uint64_t world_look_next(const World *world) {
    uint64_t next = (world->event_count / LOOK_EVERY + 1) * LOOK_EVERY;
    uint32_t every = world->options.check_every;
    CHECK(next > world->event_count);
    if (every > 0) {
        uint64_t check = (world->event_count / every + 1) * every;
        next = check < next ? check : next;
    }
    return next;
}

typedef struct Look {
    uint64_t event_count; /* when last looked */
    SimTime progress_at;  /* the time when last asked whether there is any */
} Look;

/* Whether the count has reached a multiple of `every` since the last look. */
static bool has_crossed(const World *world, const Look *look, uint64_t every) {
    CHECK(every > 0);
    return look->event_count / every != world->event_count / every;
}

static void world_heed_interrupt(World *world) {
    CHECK(!world->is_stopping || world->stop_reason != STOP_AT_END);
    if (world->options.interrupt != NULL && *world->options.interrupt != 0) {
        world_stop(world, STOP_INTERRUPTED);
    }
}

/* What is looked at only now and then: budgets, interruption, a clock that stands still. */
static void world_look_around(World *world, Look *look) {
    CHECK(world->event_count > look->event_count);
    if (world->options.check_every > 0 && has_crossed(world, look, world->options.check_every)) {
        world_check(world);
    }
    if (has_crossed(world, look, LOOK_EVERY)) {
        if ((double)world->event_count >= world->model->run.max_events) {
            world_stop(world, STOP_EVENTS);
        }
        world_heed_interrupt(world);
    }
    if (has_crossed(world, look, EVENTS_AT_ONE_INSTANT_MAX)) {
        if (look->progress_at == world->now) {
            world_stop(world, STOP_NO_PROGRESS);
        }
        look->progress_at = world->now;
    }
    look->event_count = world->event_count;
}

void world_run(World *world) {
    CHECK(world->event_count == 0);
    start(world);
    SimTime duration = world->model->run.duration;
    Look look = {.progress_at = -1};
    uint64_t look_at = world_look_next(world);
    Event event;
    SimTime last_at = -1;
    uint32_t late_count = 0; /* there may be few other events: an interrupt is heeded */
    while (!world->is_stopping && queue_pop(&world->queue, &event) && event.time < duration) {
        if (event.time >= world->probe.next_sample_at) {
            take_sample(world, event.time);
        }
        world->now = event.time;
        if (event.kind == EVENT_step) {
            server_ops(world, &world->replicas[event.target])
                ->on_step(world, event.target, event.id);
            if (++late_count % LOOK_EVERY == 0) {
                world_heed_interrupt(world);
            }
        } else {
            world->tie_count += event.time == last_at;
            last_at = event.time;
            world_count_event(world, (EventKind)event.kind, event.target);
            flow_handle(world, &event);
        }
        if (world->event_count >= look_at) {
            world_look_around(world, &look);
            look_at = world_look_next(world);
        }
    }
    world_finish(world);
}
