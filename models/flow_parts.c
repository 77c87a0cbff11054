#include "models/flow_parts.h"

#include "models/routers/router.h"
#include "models/servers/server.h"
#include "sim/check.h"

uint32_t route_among(World *world, const Call *call, const Attempt *attempt) {
    const Edge *edge = &world->model->edges[call->edge];
    const Service *service = &world->model->services[edge->to];
    const ServiceState *state = &world->services[edge->to];
    const uint32_t *routable = &world->routable[service->replica_first];
    CHECK(state->routable_count > 1);
    Rng rng = drawn_by(&world->edges[call->edge].key, call->key, attempt->path, DRAW_ROUTE);
    RouterView view = {.replicas = routable,
                       .outstanding = world->outstanding,
                       .replica_count = state->routable_count,
                       .rng = &rng};
    const RouterOps *ops = service->route.kind->ops;
    void *route_state =
        service->route.kind->state_size > 0 ? world_state(world, state->route_state) : NULL;
    uint32_t picked = ops->pick(service->route.params, route_state, &view);
    CHECK(picked < world->model->replica_count);
    return picked;
}

void queue_append(World *world, Replica *replica, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_QUEUED);
    attempt->prev = replica->queue_tail;
    attempt->next = NONE;
    if (replica->queue_tail == NONE) {
        replica->queue_head = slot;
    } else {
        world_attempt(world, replica->queue_tail)->next = slot;
    }
    replica->queue_tail = slot;
    replica->queue_count++;
}

void queue_unlink(World *world, Replica *replica, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(replica->queue_count > 0);
    if (attempt->prev == NONE) {
        replica->queue_head = attempt->next;
    } else {
        world_attempt(world, attempt->prev)->next = attempt->next;
    }
    if (attempt->next == NONE) {
        replica->queue_tail = attempt->prev;
    } else {
        world_attempt(world, attempt->next)->prev = attempt->prev;
    }
    attempt->next = NONE;
    attempt->prev = NONE;
    replica->queue_count--;
}

void record_wait(World *world, uint32_t slot, SimTime waited) {
    const Attempt *attempt = world_attempt(world, slot);
    bool is_measured = world_call(world, attempt->call)->is_measured;
    uint32_t component = service_component(world, attempt->replica);
    CHECK(waited >= 0);
    probe_record(&world->probe, component, RECORDED_WAIT, is_measured, waited);
    probe_add(&world->probe, component, COUNT_WAITED, is_measured, waited > 0);
}

void leave_queue(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_QUEUED);
    unset(world, &attempt->event);
    queue_unlink(world, &world->replicas[attempt->replica], slot);
    probe_level(&world->probe, service_component(world, attempt->replica), LEVEL_WAITING,
                world->now, -1);
    record_wait(world, slot, world->now - attempt->entered_at);
    leave_system(world, slot);
}

void leave_system(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    ServiceState *service = &world->services[world->replicas[attempt->replica].service];
    CHECK(service->in_system > 0);
    service->in_system--;
    probe_level(&world->probe, service_component(world, attempt->replica), LEVEL_IN_SYSTEM,
                world->now, -1);
    if (!attempt->is_awaited) {
        count_orphan(world, attempt, -1);
    }
    const RunDef *run = &world->model->run;
    if (run->stop_service == world->replicas[attempt->replica].service &&
        service->in_system == run->stop_in_system) {
        world_stop(world, STOP_WHEN);
    }
}

void release_slot(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state != ATTEMPT_FREE);
    if (attempt->holds_slot) {
        attempt->holds_slot = false;
        flow_change_busy(world, attempt->replica, -1);
    }
}

void count_failure(World *world, uint32_t slot, Count count) {
    const Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->replica != NONE);
    probe_count(&world->probe, service_component(world, attempt->replica), count,
                world_call(world, attempt->call)->is_measured);
}

void stop_waiting(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    Call *call = world_call(world, attempt->call);
    CHECK(attempt->is_awaited);
    attempt->is_awaited = false;
    unset(world, &attempt->timeout);
    if (attempt->replica != NONE) {
        world->outstanding[attempt->replica]--;
    }
    /* Hedged calls have two or three attempts in flight; most have one. */
    uint32_t *link = &call->in_flight;
    while (*link != slot) {
        CHECK(*link != NONE);
        link = &world_attempt(world, *link)->sibling;
    }
    *link = attempt->sibling;
}

void lose(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state != ATTEMPT_FREE);
    attempt->event = (EventId){0};
    attempt->state = ATTEMPT_LOST;
    if (!attempt->is_awaited) {
        drop(world, slot, false);
    }
}

void drop(World *world, uint32_t slot, bool is_used) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t call_slot = attempt->call;
    CHECK(!attempt->is_awaited && !attempt->holds_slot && attempt->state != ATTEMPT_FREE);
    if (!is_used && attempt->work > 0) {
        probe_add(&world->probe, service_component(world, attempt->replica), COUNT_WASTED,
                  world_call(world, call_slot)->is_measured, (uint64_t)attempt->work);
    }
    attempt->state = ATTEMPT_FREE;
    pool_give(&world->attempts, slot);
    release_call(world, call_slot);
}

void release_call(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    CHECK(call->holders > 0);
    if (--call->holders == 0) {
        CHECK(!call->is_open);
        pool_give(&world->calls, call_slot);
    }
}

void unlink_child(World *world, uint32_t parent, uint32_t call_slot) {
    uint32_t *link = &world_attempt(world, parent)->child;
    while (*link != call_slot) {
        CHECK(*link != NONE);
        link = &world_call(world, *link)->sibling;
    }
    *link = world_call(world, call_slot)->sibling;
}

Rng flow_rng_of_work(const World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    const ServiceState *service = &world->services[world->replicas[attempt->replica].service];
    CHECK(attempt->state == ATTEMPT_SERVING);
    uint32_t path = world->model->run.work_draw == WORK_DRAW_REQUEST ? 0 : attempt->path;
    return drawn_by(&service->key, world_call(world, attempt->call)->key, path, DRAW_WORK);
}

double flow_draw_work_s(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    const Dist *work = &world_service_of(world, &world->replicas[attempt->replica])->work;
    CHECK(attempt->state == ATTEMPT_SERVING);
    if (dist_is_constant(work)) {
        return dist_mean(work);
    }
    Rng rng = flow_rng_of_work(world, slot);
    return dist_draw(work, &rng);
}

bool flow_fails_early(const World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SERVING);
    return attempt->outcome == OUTCOME_ERROR &&
           world->replicas[attempt->replica].levers.error_after != SIM_TIME_NEVER;
}

void flow_count_batch(World *world, uint32_t replica, uint32_t size, bool is_full) {
    bool is_measured = world->now >= world->model->run.warmup;
    uint32_t component = service_component(world, replica);
    CHECK(size > 0);
    probe_count(&world->probe, component, COUNT_BATCHES, is_measured);
    probe_add(&world->probe, component, COUNT_BATCHED, is_measured, size);
    probe_add(&world->probe, component, COUNT_FULL_BATCHES, is_measured, is_full);
}

void flow_use_slot(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(!attempt->holds_slot);
    attempt->holds_slot = true;
    flow_change_busy(world, attempt->replica, 1);
}

void flow_change_busy(World *world, uint32_t replica_index, int32_t change) {
    Replica *replica = &world->replicas[replica_index];
    CHECK(change > 0 || replica->busy > 0);
    replica->busy += (uint32_t)change;
    probe_level(&world->probe, service_component(world, replica_index), LEVEL_BUSY, world->now,
                change);
}

void flow_work_for(World *world, uint32_t slot, SimTime duration) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SERVING);
    if (flow_fails_early(world, slot)) {
        duration = world->replicas[attempt->replica].levers.error_after;
    }
    attempt->ends_at = world->now + duration;
    attempt->event = push(world, duration, EVENT_served, slot);
}

void note_tell(World *world, uint32_t slot, const char *what, const char *detail) {
    const Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    bool has_replica = attempt->replica != NONE;
    const Service *service = &world->model->services[world->model->edges[call->edge].to];
    CHECK(world->options.on_note != NULL);
    Note note = {.at = world->now,
                 .what = what,
                 .component = world->model->client_count + world->model->edges[call->edge].to,
                 .replica = has_replica ? attempt->replica - service->replica_first : NONE,
                 .client = call->client,
                 .attempt = attempt->number,
                 .detail = detail};
    note.request = call->client == NONE ? 0 : call->key - world->clients[call->client].key_base;
    world->options.on_note(world->options.context, &note);
}
