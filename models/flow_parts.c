#include "models/flow_parts.h"

#include "models/policies.h"
#include "models/prompt.h"
#include "models/servers/server.h"
#include "models/shed/shed.h"
#include "sim/check.h"

/* ---- The queue of a replica: in the order of arrival, by priority first if the service says so */

static uint32_t rank_of(const World *world, uint32_t slot) {
    DCHECK(world_attempt(world, slot)->call < pool_slot_end(&world->calls));
    return world_call(world, world_attempt(world, slot)->call)->rank;
}

/* Of a queue by priority: the last that waits of a rank; NONE. */
static uint32_t *rank_tail(const World *world, const Replica *replica, uint32_t rank) {
    CHECK(rank < world->model->rank_count);
    size_t index = (size_t)(replica - world->replicas);
    return &world->rank_tails[index * world->model->rank_count + rank];
}

static bool is_by_priority(const World *world, const Replica *replica) {
    DCHECK(replica->service < world->model->service_count);
    return world->model->services[replica->service].queue.order == QUEUE_PRIORITY;
}

/* Who waits behind all of the ranks before `rank`: the last of them; NONE. */
static uint32_t last_before_rank(const World *world, const Replica *replica, uint32_t rank) {
    uint32_t last = NONE;
    CHECK(is_by_priority(world, replica));
    while (rank > 0 && last == NONE) {
        last = *rank_tail(world, replica, --rank);
    }
    return last;
}

/* Between `prev` (NONE: at the head) and whoever follows it. */
static void queue_insert(World *world, Replica *replica, uint32_t slot, uint32_t prev) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_QUEUED);
    uint32_t next = prev == NONE ? replica->queue_head : world_attempt(world, prev)->next;
    attempt->prev = prev;
    attempt->next = next;
    *(prev == NONE ? &replica->queue_head : &world_attempt(world, prev)->next) = slot;
    *(next == NONE ? &replica->queue_tail : &world_attempt(world, next)->prev) = slot;
    replica->queue_count++;
    if (is_by_priority(world, replica)) {
        uint32_t *tail = rank_tail(world, replica, rank_of(world, slot));
        *tail = *tail == prev || *tail == NONE ? slot : *tail;
    }
}

void queue_append(World *world, Replica *replica, uint32_t slot) {
    uint32_t prev = replica->queue_tail;
    DCHECK(slot != prev);
    if (is_by_priority(world, replica)) {
        prev = last_before_rank(world, replica, rank_of(world, slot) + 1);
    }
    queue_insert(world, replica, slot, prev);
}

/* Before all others, of its rank in a queue by priority: of one rank, servers give back who came
 * last first, and none who waits of it came before. */
static void queue_prepend(World *world, Replica *replica, uint32_t slot) {
    uint32_t prev = NONE;
    if (is_by_priority(world, replica)) {
        prev = last_before_rank(world, replica, rank_of(world, slot));
    }
    CHECK(prev != slot);
    queue_insert(world, replica, slot, prev);
}

void queue_unlink(World *world, Replica *replica, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(replica->queue_count > 0);
    if (is_by_priority(world, replica) &&
        *rank_tail(world, replica, rank_of(world, slot)) == slot) {
        bool is_alone =
            attempt->prev == NONE || rank_of(world, attempt->prev) != rank_of(world, slot);
        *rank_tail(world, replica, rank_of(world, slot)) = is_alone ? NONE : attempt->prev;
    }
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
    if (!attempt->is_returned) {
        record_wait(world, slot, world->now - attempt->entered_at);
    }
    leave_system(world, slot);
    const ServerOps *ops = server_ops(world, &world->replicas[attempt->replica]);
    if (ops->on_leave != NULL) {
        ops->on_leave(world, attempt->replica);
    }
}

void flow_put_back(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SERVING);
    release_slot(world, slot);
    attempt->state = ATTEMPT_QUEUED;
    attempt->is_returned = true;
    queue_prepend(world, &world->replicas[attempt->replica], slot);
    probe_level(&world->probe, service_component(world, attempt->replica), LEVEL_WAITING,
                world->now, 1);
    note_attempt(world, slot, "preempted", "");
}

void flow_work_lost(World *world, uint32_t slot, SimTime work) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SERVING && work >= 0);
    attempt->work += work;
    probe_add(&world->probe, service_component(world, attempt->replica), COUNT_WORK,
              world_call(world, attempt->call)->is_measured, (uint64_t)work);
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

void release_memory(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state != ATTEMPT_FREE);
    if (__builtin_expect(attempt->holds_memory, 0)) {
        server_ops(world, &world->replicas[attempt->replica])->let_go(world, slot);
    }
}

void count_failure(World *world, uint32_t slot, Count count) {
    const Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->replica != NONE);
    probe_count(&world->probe, service_component(world, attempt->replica), count,
                world_call(world, attempt->call)->is_measured);
}

void stop_waiting(World *world, uint32_t slot, Outcome fate) {
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
    if (call->is_watched) {
        hear(world, slot, fate);
    }
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
        if (call->prompt != NONE) {
            prompt_drop(world, call->prompt);
        }
        pool_give(&world->calls, call_slot);
    }
}

/* Nobody waits for the call any more, however it went; what is still out works for nobody. */
void close_call(World *world, uint32_t call_slot, Outcome fate) {
    Call *call = world_call(world, call_slot);
    CHECK(call->is_open);
    call->is_open = false;
    if (call->is_watched) {
        track_retry_over(world, call_slot);
    }
    unset(world, &call->deadline_timer);
    unset(world, &call->retry_timer);
    if (call->is_in_backoff) {
        end_backoff(world, call);
    }
    while (call->in_flight != NONE) {
        abandon(world, call->in_flight, fate);
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

void tell(World *world, const Call *call, Note *note) {
    CHECK(world->options.on_note != NULL);
    note->at = world->now;
    note->client = call->client;
    note->request = call->client == NONE ? 0 : call->key - world->clients[call->client].key_base;
    world->options.on_note(world->options.context, note);
}

void note_call(World *world, uint32_t call_slot, const char *what, const char *detail) {
    const Call *call = world_call(world, call_slot);
    CHECK(call->holders > 0);
    if (world->options.on_note != NULL) {
        Note note = {.what = what,
                     .component = NONE,
                     .replica = NONE,
                     .attempt = call->attempt_count,
                     .detail = detail};
        tell(world, call, &note);
    }
}

void ask_to_wait(const Service *service, Attempt *attempt) {
    const ShedOps *shed = service->shed.kind->ops;
    CHECK(attempt->state != ATTEMPT_FREE);
    SimTime wait = shed->retry_after == NULL ? 0 : shed->retry_after(service->shed.params);
    attempt->retry_after_ms = wait == 0 ? 0 : retry_after_ms(wait);
}

/* Luck belongs to (request, service, attempt): the same attempt fails in every scenario. */
bool is_unlucky(World *world, const Attempt *attempt, const Replica *replica) {
    const Call *call = world_call(world, attempt->call);
    Rng rng = drawn_by(&world->services[replica->service].key, call->key, attempt->path, DRAW_LUCK);
    CHECK(replica->levers.error_ratio >= 0);
    return rng_uniform(&rng) < replica->levers.error_ratio;
}

/* A call that is not made at all takes no part in its group. */
bool is_made(World *world, uint32_t edge_index, const Attempt *attempt) {
    const Edge *edge = &world->model->edges[edge_index];
    if (edge->probability >= 1) {
        return true;
    }
    uint64_t request = world_call(world, attempt->call)->key;
    Rng rng = drawn_by(&world->edges[edge_index].key, request, attempt->path, DRAW_MADE);
    CHECK(edge->probability >= 0);
    return rng_uniform(&rng) < edge->probability;
}

/* What can never be served is answered with an error at once. */
bool is_rejected(World *world, uint32_t slot, const Replica *replica) {
    const ServerOps *ops = server_ops(world, replica);
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_TRAVELLING);
    const char *why = ops->rejects == NULL
                          ? NULL
                          : ops->rejects(world, attempt->replica, world_call(world, attempt->call));
    if (why == NULL) {
        return false;
    }
    note_attempt(world, slot, "failed", why);
    count_failure(world, slot, COUNT_UNSERVABLE);
    count_failure(world, slot, COUNT_ERROR);
    attempt->outcome = OUTCOME_ERROR;
    reply(world, slot);
    return true;
}

/* A good answer is of use, or it comes when nobody waits any more. */
void count_answer(World *world, const Attempt *attempt, const Call *call, bool is_used) {
    uint32_t caller = world->model->edges[call->edge].caller;
    uint32_t service = service_component(world, attempt->replica);
    CHECK(attempt->outcome == OUTCOME_OK);
    probe_count(&world->probe, service, is_used ? COUNT_ANSWERED : COUNT_LATE, call->is_measured);
    if (!is_used && caller < world->model->client_count) {
        probe_count(&world->probe, caller, COUNT_LATE, call->is_measured);
    }
}

/* Whether a good answer to an attempt that was given up still completes its call. */
bool late_reply_counts(const World *world, const Call *call) {
    LateReply policy = (LateReply)world->model->edges[call->edge].late_reply;
    CHECK(policy <= LATE_COUNTS_WHILE_IN_FLIGHT);
    return call->is_open && policy != LATE_IGNORED &&
           (policy == LATE_COUNTS || call->in_flight != NONE);
}

Rng flow_rng_of_work(const World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    const ServiceState *service = &world->services[world->replicas[attempt->replica].service];
    CHECK(attempt->state == ATTEMPT_SERVING);
    uint32_t path = world->model->run.work_draw == WORK_DRAW_REQUEST ? 0 : attempt->path;
    return drawn_by(&service->key, world_call(world, attempt->call)->key, path, DRAW_WORK);
}

double flow_draw_work_s(const World *world, uint32_t slot) {
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
    Note note = {.what = what,
                 .component = world->model->client_count + world->model->edges[call->edge].to,
                 .replica = has_replica ? attempt->replica - service->replica_first : NONE,
                 .attempt = attempt->number,
                 .detail = detail};
    CHECK(attempt->state != ATTEMPT_FREE);
    tell(world, call, &note);
}
