/* Everything that must be true of a World between two events, found again from the records alone:
 * what is kept as a count is counted, what is kept as a list is walked. One pass over both pools,
 * then one over replicas, components and calls. */
#include "models/clients/breaker.h"
#include "models/flow_parts.h"
#include "models/policies.h"
#include "models/prompt.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* What the pools say, to be held against what is kept. */
typedef struct Census {
    uint32_t *holders;     /* by call: attempts that refer to it */
    uint32_t *awaited;     /* by call: attempts that its caller waits for */
    uint32_t *children;    /* by attempt: open calls that it made */
    uint32_t *outstanding; /* by replica: attempts awaited that were routed there */
    uint32_t *queued, *serving, *suspended, *calling; /* by replica */
    uint32_t *slots;                                  /* by replica: held, or used by batches */
    uint32_t *orphaned;   /* by replica: attempts in it that nobody waits for */
    uint64_t *requests;   /* by client, twice: open requests, by whether they are measured */
    uint64_t *in_backoff; /* by component: calls between two attempts */
    CallerState *callers; /* by instance on a watched edge */
    uint64_t event_count; /* that belong to a call or an attempt */
} Census;

static void census_init(Census *census, const World *world) {
    const Model *model = world->model;
    uint32_t replicas = model->replica_count;
    CHECK(replicas > 0);
    *census = (Census){
        .holders = mem_zalloc(pool_slot_end(&world->calls) + 1u, sizeof(uint32_t)),
        .awaited = mem_zalloc(pool_slot_end(&world->calls) + 1u, sizeof(uint32_t)),
        .children = mem_zalloc(pool_slot_end(&world->attempts) + 1u, sizeof(uint32_t)),
        .outstanding = mem_zalloc(replicas, sizeof(uint32_t)),
        .queued = mem_zalloc(replicas, sizeof(uint32_t)),
        .serving = mem_zalloc(replicas, sizeof(uint32_t)),
        .suspended = mem_zalloc(replicas, sizeof(uint32_t)),
        .calling = mem_zalloc(replicas, sizeof(uint32_t)),
        .slots = mem_zalloc(replicas, sizeof(uint32_t)),
        .orphaned = mem_zalloc(replicas, sizeof(uint32_t)),
        .requests = mem_zalloc(2 * (size_t)model->client_count, sizeof(uint64_t)),
        .in_backoff = mem_zalloc(model_component_count(model), sizeof(uint64_t)),
        .callers = mem_zalloc(model->watched_instances, sizeof(CallerState)),
    };
}

static void census_free(Census *census) {
    CHECK(census->holders != NULL);
    mem_free(census->holders);
    mem_free(census->awaited);
    mem_free(census->children);
    mem_free(census->outstanding);
    mem_free(census->queued);
    mem_free(census->serving);
    mem_free(census->suspended);
    mem_free(census->calling);
    mem_free(census->slots);
    mem_free(census->orphaned);
    mem_free(census->requests);
    mem_free(census->in_backoff);
    mem_free(census->callers);
}

/* ---- The pools */

static void check_attempt_place(const World *world, Census *census, const Attempt *attempt) {
    uint32_t replica = attempt->replica;
    const ServerOps *ops = server_ops(world, &world->replicas[replica]);
    bool is_batched = ops->on_batch != NULL;
    switch ((AttemptState)attempt->state) {
    case ATTEMPT_QUEUED:
        CHECK(!attempt->holds_slot);
        census->queued[replica]++;
        break;
    case ATTEMPT_SERVING:
        CHECK(attempt->started_at <= world->now && attempt->entered_at <= world->now);
        CHECK(attempt->holds_slot != is_batched || ops->has_tokens);
        census->serving[replica]++;
        /* The first member of a batch holds its end, and stands for the slot that it takes. */
        census->slots[replica] += is_batched && event_is_set(attempt->event);
        break;
    case ATTEMPT_SUSPENDED:
        CHECK(!attempt->holds_slot && !event_is_set(attempt->event) && attempt->ends_at >= 0);
        census->suspended[replica]++;
        break;
    case ATTEMPT_CALLING:
        CHECK(!event_is_set(attempt->event) && attempt->work >= 0);
        census->calling[replica]++;
        break;
    case ATTEMPT_TRAVELLING:
    case ATTEMPT_REPLYING:
        CHECK(!attempt->holds_slot && event_is_set(attempt->event));
        break;
    case ATTEMPT_LOST:
        CHECK(!attempt->holds_slot && !event_is_set(attempt->event) && attempt->is_awaited);
        break;
    case ATTEMPT_FREE:
        CHECK(!"an attempt in use");
    }
}

static void check_attempt(const World *world, Census *census, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->call < pool_slot_end(&world->calls));
    CHECK(attempt->replica < world->model->replica_count);
    CHECK(attempt->outcome < OUTCOME_COUNT && attempt->number > 0);
    const Call *call = world_call(world, attempt->call);
    CHECK(world->model->edges[call->edge].to == world->replicas[attempt->replica].service);
    CHECK(attempt->number <= call->attempt_count);
    CHECK(attempt->is_awaited || !event_is_set(attempt->timeout));
    census->holders[attempt->call]++;
    census->awaited[attempt->call] += attempt->is_awaited;
    census->outstanding[attempt->replica] += attempt->is_awaited;
    if (call->is_watched) {
        CHECK(attempt_track(world, slot)->sent_at <= world->now);
        census->callers[caller_of(world, call) - world->callers].active += attempt->is_awaited;
    }
    census->slots[attempt->replica] += attempt->holds_slot;
    census->orphaned[attempt->replica] += attempt_is_in_system(attempt) && !attempt->is_awaited;
    census->event_count += event_is_set(attempt->event) + event_is_set(attempt->timeout);
    check_attempt_place(world, census, attempt);
}

static void check_attempts(const World *world, Census *census) {
    uint32_t live_count = 0;
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        if (world_attempt(world, slot)->state != ATTEMPT_FREE) {
            live_count++;
            check_attempt(world, census, slot);
        }
    }
    CHECK(live_count == pool_live_count(&world->attempts));
}

/* Somebody always acts for an open call: an attempt is out, or its backoff runs. */
static void check_open_call(const World *world, Census *census, uint32_t slot) {
    const Call *call = world_call(world, slot);
    const Edge *edge = &world->model->edges[call->edge];
    CHECK((call->in_flight != NONE) != call->is_in_backoff);
    CHECK(event_is_set(call->retry_timer) == call->is_in_backoff || edge->has_hedge);
    CHECK(event_is_set(call->retry_timer) || !call->is_in_backoff);
    CHECK(event_is_set(call->deadline_timer) == (edge->deadline != SIM_TIME_NEVER) ||
          edge->inherits_deadline || (edge->has_fallback && call->is_in_backoff));
    census->event_count += event_is_set(call->retry_timer) + event_is_set(call->deadline_timer);
    census->in_backoff[edge->caller] += call->is_in_backoff;
    if (call->is_watched) {
        census->callers[caller_of(world, call) - world->callers].retrying +=
            call_track(world, slot)->is_retrying;
    }
    if (call->parent != NONE) {
        CHECK(call->parent < pool_slot_end(&world->attempts));
        CHECK(world_attempt(world, call->parent)->state == ATTEMPT_CALLING);
        census->children[call->parent]++;
    } else {
        CHECK(call->client < world->model->client_count && edge->caller == call->client);
        census->requests[2 * (size_t)call->client + call->is_measured]++;
    }
    uint32_t last_number = UINT32_MAX, listed_count = 0;
    for (uint32_t at = call->in_flight; at != NONE; at = world_attempt(world, at)->sibling) {
        const Attempt *attempt = world_attempt(world, at);
        CHECK(attempt->state != ATTEMPT_FREE && attempt->is_awaited && attempt->call == slot);
        CHECK(attempt->number < last_number);
        last_number = attempt->number;
        listed_count++;
    }
    CHECK(listed_count == census->awaited[slot]);
}

/* A call that is free has no holders: pool_give leaves that field alone. */
static void check_calls(const World *world, Census *census) {
    uint32_t live_count = 0;
    for (uint32_t slot = 0; slot < pool_slot_end(&world->calls); slot++) {
        const Call *call = world_call(world, slot);
        CHECK(call->holders == census->holders[slot] + (call->holders > 0 && call->is_open));
        if (call->holders == 0) {
            continue;
        }
        live_count++;
        CHECK(call->began_at <= world->now);
        if (call->edge < world->model->edge_count) {
            CHECK(call->attempt_count <= (uint64_t)world->edges[call->edge].max_attempts +
                                             hedge_most(&world->model->edges[call->edge]));
        } else {
            CHECK(call->client == NONE && !call->is_open);
        }
        if (call->is_open) {
            check_open_call(world, census, slot);
        } else {
            CHECK(call->in_flight == NONE && census->awaited[slot] == 0 && !call->is_in_backoff);
        }
    }
    CHECK(live_count == pool_live_count(&world->calls));
}

/* The calls that each attempt waits for are in its list, and are as many as it counts. */
static void check_children(const World *world, const Census *census) {
    CHECK(census->children != NULL);
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        const Attempt *attempt = world_attempt(world, slot);
        if (attempt->state != ATTEMPT_CALLING) {
            CHECK(census->children[slot] == 0);
            continue;
        }
        uint32_t listed_count = 0;
        for (uint32_t at = attempt->child; at != NONE; at = world_call(world, at)->sibling) {
            CHECK(world_call(world, at)->is_open && world_call(world, at)->parent == slot);
            listed_count++;
        }
        CHECK(listed_count > 0 && listed_count == attempt->pending);
        CHECK(listed_count == census->children[slot]);
    }
}

/* ---- Replicas */

static void check_queue_list(const World *world, uint32_t index) {
    const Replica *replica = &world->replicas[index];
    bool by_priority = world_service_of(world, replica)->queue.order == QUEUE_PRIORITY;
    uint32_t before = NONE, listed_count = 0;
    SimTime entered_at = 0;
    for (uint32_t at = replica->queue_head; at != NONE; at = world_attempt(world, at)->next) {
        const Attempt *attempt = world_attempt(world, at);
        CHECK(attempt->state == ATTEMPT_QUEUED && attempt->replica == index);
        CHECK(attempt->prev == before && (by_priority || attempt->entered_at >= entered_at));
        listed_count++;
        CHECK(listed_count <= replica->queue_count);
        entered_at = attempt->entered_at;
        before = at;
    }
    CHECK(before == replica->queue_tail && listed_count == replica->queue_count);
}

static void check_replica(const World *world, const Census *census, uint32_t index) {
    const Replica *replica = &world->replicas[index];
    const Service *service = world_service_of(world, replica);
    CHECK(replica->queue_count == census->queued[index]);
    CHECK(replica->suspended_count == census->suspended[index]);
    CHECK(replica->busy == census->slots[index] && replica->busy <= service->slots);
    CHECK(world->outstanding[index] == census->outstanding[index]);
    check_queue_list(world, index);
    /* Who finds room enters although the limit is 0, and a batch may let that one wait. */
    uint32_t limit = service->queue.limit > 0 ? service->queue.limit : 1;
    const ServerOps *ops = server_ops(world, replica);
    CHECK(replica->queue_count <= limit || service->initial > 0 || ops->has_tokens);
    if (!replica->levers.is_up) {
        CHECK(replica->queue_count == 0 && replica->busy == 0 && replica->suspended_count == 0);
        CHECK(census->calling[index] == 0);
    } else if (ops->on_batch == NULL && ops->on_step == NULL) {
        /* Nobody waits beside a free slot; only who is batched is held back. */
        CHECK(replica->queue_count + replica->suspended_count == 0 ||
              replica->busy >= replica->levers.slots);
    }
    if (ops->check != NULL) {
        ops->check(world, index);
    }
}

static void check_service(const World *world, const Census *census, uint32_t index) {
    const Service *service = &world->model->services[index];
    const ServiceState *state = &world->services[index];
    uint32_t in_system = 0, routable_count = 0;
    for (uint32_t i = 0; i < service->replica_count; i++) {
        uint32_t replica = service->replica_first + i;
        const ReplicaLevers *levers = &world->replicas[replica].levers;
        check_replica(world, census, replica);
        in_system += census->queued[replica] + census->serving[replica] +
                     census->suspended[replica] + census->calling[replica];
        routable_count += levers->is_up || !levers->is_known_down;
        CHECK(levers->work_x > 0 && levers->error_ratio >= 0 && levers->error_ratio <= 1);
    }
    CHECK(state->in_system == in_system && state->routable_count == routable_count);
}

/* ---- What the probe has taken */

static uint64_t count_both(const ComponentProbe *probe, Count count) {
    CHECK(count < COUNT_KIND_COUNT);
    return probe->counts[0][count] + probe->counts[1][count];
}

/* Whether some call of the client may end without an attempt that was sent. */
static bool may_send_nothing(const Model *model, uint32_t client) {
    bool is_guarded = false;
    CHECK(client < model->client_count);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        is_guarded |= model->edges[i].caller == client && model->edges[i].is_guarded;
    }
    return is_guarded;
}

static void check_client_probe(const World *world, const Census *census, uint32_t client) {
    const ComponentProbe *probe = &world->probe.components[client];
    uint64_t open_count = 0;
    for (uint32_t is_measured = 0; is_measured < 2; is_measured++) {
        const uint64_t *counts = probe->counts[is_measured];
        uint64_t open = census->requests[2 * (size_t)client + is_measured];
        CHECK(counts[COUNT_OFFERED] == counts[COUNT_ANSWERED] + counts[COUNT_TIMEOUT] +
                                           counts[COUNT_REFUSED] + counts[COUNT_ERROR] + open);
        CHECK(counts[COUNT_ATTEMPTS] >= counts[COUNT_OFFERED] ||
              may_send_nothing(world->model, client));
        open_count += open;
    }
    CHECK((uint64_t)probe->levels[LEVEL_IN_SYSTEM].value == open_count);
    CHECK(count_both(probe, COUNT_OFFERED) == world->clients[client].request_count);
}

/* What was lost in silence (a partition, a black hole) is the only thing that no count holds. */
static void check_service_probe(const World *world, const Census *census, uint32_t index) {
    const Service *service = &world->model->services[index];
    uint32_t component = model_service_component(world->model, index);
    const ComponentProbe *probe = &world->probe.components[component];
    uint64_t waiting = 0, busy = 0, slots = 0, down = 0, orphaned = 0;
    for (uint32_t i = 0; i < service->replica_count; i++) {
        const Replica *replica = &world->replicas[service->replica_first + i];
        waiting += replica->queue_count;
        busy += replica->busy;
        slots += replica->levers.slots == COUNT_UNLIMITED ? 0 : replica->levers.slots;
        down += !replica->levers.is_up;
        orphaned += census->orphaned[service->replica_first + i];
    }
    CHECK((uint64_t)probe->levels[LEVEL_WAITING].value == waiting);
    CHECK((uint64_t)probe->levels[LEVEL_BUSY].value == busy);
    CHECK((uint64_t)probe->levels[LEVEL_SLOTS].value == slots);
    CHECK((uint64_t)probe->levels[LEVEL_DOWN].value == down);
    CHECK((uint64_t)probe->levels[LEVEL_ORPHANED].value == orphaned);
    CHECK(probe->levels[LEVEL_IN_SYSTEM].value == world->services[index].in_system);
    CHECK(count_both(probe, COUNT_OFFERED) + service->initial >=
          count_both(probe, COUNT_ANSWERED) + count_both(probe, COUNT_LATE) +
              count_both(probe, COUNT_REFUSED) + count_both(probe, COUNT_ERROR) +
              count_both(probe, COUNT_ABANDONED) + world->services[index].in_system);
    CHECK(count_both(probe, COUNT_WASTED) <= count_both(probe, COUNT_WORK));
    CHECK(count_both(probe, COUNT_BATCHED) >= count_both(probe, COUNT_BATCHES));
}

/* The breakers that are open, of all instances and of all edges of a component. */
static uint64_t count_open_breakers(const World *world, uint32_t component) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < world->model->edge_count; i++) {
        const Edge *edge = &world->model->edges[i];
        for (uint32_t k = 0; edge->is_guarded && edge->caller == component && k < edge->instances;
             k++) {
            const Breaker *breaker = span_state(world, &world->edges[i].breaker, k);
            bool is_any = ((const BreakerOps *)edge->breaker.kind->ops)->admits != NULL;
            CHECK(!is_any || breaker->phase <= BREAKER_HALF_OPEN);
            count += is_any && breaker->phase == BREAKER_OPEN;
        }
    }
    return count;
}

static void check_probe(const World *world, const Census *census) {
    const Model *model = world->model;
    CHECK(!world->probe.is_off);
    for (uint32_t i = 0; i < model->client_count; i++) {
        check_client_probe(world, census, i);
    }
    for (uint32_t i = 0; i < model->service_count; i++) {
        check_service_probe(world, census, i);
    }
    for (uint32_t i = 0; i < model_component_count(model); i++) {
        const Level *backoff = &world->probe.components[i].levels[LEVEL_BACKOFF];
        CHECK((uint64_t)backoff->value == census->in_backoff[i]);
        CHECK((uint64_t)world->probe.components[i].levels[LEVEL_OPEN_BREAKERS].value ==
              count_open_breakers(world, i));
    }
}

static void check_callers(const World *world, const Census *census) {
    for (uint32_t i = 0; i < world->model->watched_instances; i++) {
        CHECK(world->callers[i].active == census->callers[i].active);
        CHECK(world->callers[i].retrying == census->callers[i].retrying);
    }
}

/* Besides those of calls and attempts an event may be pending for each client, user, session, fault
 * and replica, and one for the warm-up. The run ends with taking an event that lies beyond its end.
 */
static void check_events(const World *world, const Census *census) {
    const Model *model = world->model;
    uint64_t pending_count = queue_count(&world->queue);
    CHECK(pending_count + 1 >= census->event_count);
    for (uint32_t i = 0; i < model->service_count; i++) {
        if (((const ServerOps *)model->services[i].server.kind->ops)->on_step != NULL) {
            return; /* late events of runs that were cut may be pending */
        }
    }
    CHECK(pending_count <= census->event_count + model->client_count + model->user_count +
                               pool_live_count(&world->sessions) + model->fault_count +
                               model->replica_count + 1);
}

void world_check(World *world) {
    /* A run that ran out of records was cut off in the middle of an event. */
    if (world->stop_reason == STOP_IN_FLIGHT) {
        return;
    }
    CHECK(world->now >= 0 && world->now <= world->model->run.duration);
    Census census;
    census_init(&census, world);
    check_attempts(world, &census);
    check_calls(world, &census);
    check_children(world, &census);
    check_callers(world, &census);
    for (uint32_t i = 0; i < world->model->service_count; i++) {
        check_service(world, &census, i);
    }
    if (!world->probe.is_off) {
        check_probe(world, &census);
    }
    check_events(world, &census);
    prompts_check(world);
    sessions_check(world);
    census_free(&census);
}
