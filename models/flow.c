/* The life of a request, top to bottom.
 *
 *   begin        a call begins: its deadline starts to run
 *   launch       one attempt: its timeout is armed, a router picks a replica, the network has it
 *   on_deliver   it reaches the replica: refused, or queued
 *   flow_take    its turn has come: shed, or into service
 *   on_served    its own work is done: calls others (begin, for each), then answers
 *   on_reply     the answer reaches the caller, who may have stopped waiting
 *   failed       another attempt after a backoff, or the end: models/retries.c
 *   end          the call ends: its parent attempt goes on, or the client's request is over; or a
 *                fallback begins in its place
 *
 * Without network latency a message is delivered at once, without an event; the recursion is
 * bounded by the depth of the dependency graph, because a retry always takes an event. Slots are
 * re-read after any call that may free them. A server is not told of a timeout unless the scenario
 * says so: work done for nobody is a result, and it is what keeps an outage alive.
 */
#include "models/flow.h"

#include "models/flow_parts.h"
#include "models/policies.h"
#include "models/prompt.h"
#include "models/servers/server.h"
#include "models/shed/shed.h"
#include "sim/check.h"

static void advance(World *world, uint32_t slot);
static void answer(World *world, uint32_t slot);

/* ---- A call begins */

void flow_begin(World *world, uint32_t edge_index, uint32_t parent, const Origin *origin) {
    uint32_t slot = pool_take(&world->calls);
    if (slot == POOL_FULL) {
        world_stop(world, STOP_IN_FLIGHT);
        return;
    }
    const Edge *edge = &world->model->edges[edge_index];
    EdgeState *state = &world->edges[edge_index];
    Call *call = world_call(world, slot);
    *call = (Call){.key = origin->key,
                   .began_at = origin->began_at,
                   .attempts_before = origin->attempts_before,
                   .edge = edge_index,
                   .parent = parent,
                   .sibling = NONE,
                   .in_flight = NONE,
                   .client = origin->client,
                   .user = origin->user,
                   .input_tokens = origin->input_tokens,
                   .output_tokens = origin->output_tokens,
                   .prompt = origin->prompt,
                   .mark = origin->mark,
                   .rank = origin->rank,
                   .path = path_below(origin->path, state->path_salt),
                   .holders = 1,
                   .is_open = true,
                   .is_measured = origin->is_measured,
                   .is_watched = edge->is_watched};
    if (call->prompt != NONE) {
        prompt_hold(world, call->prompt);
    }
    if (parent != NONE) {
        Attempt *caller = world_attempt(world, parent);
        call->sibling = caller->child;
        caller->child = slot;
    }
    if (edge->deadline != SIM_TIME_NEVER) {
        call->deadline_timer = push_timer(world, edge->deadline_timer, EVENT_deadline, slot);
    }
    if (edge->instances > 1) {
        call->instance = state->turn;
        state->turn = (state->turn + 1) % edge->instances;
    }
    const BudgetOps *budget = edge->budget.kind->ops;
    if (budget->on_begin != NULL) {
        budget->on_begin(edge->budget.params, span_state(world, &state->budget, call->instance),
                         world->now);
    }
    if (edge->is_watched) {
        track_call(world, slot);
        if (!keep_deadline(world, slot)) {
            flow_end(world, slot, OUTCOME_TIMEOUT, NO_TOKENS);
            return;
        }
    }
    launch(world, slot);
}

/* ---- One attempt */

static void arm_timeout(World *world, const Edge *edge, uint32_t call_slot, uint32_t slot) {
    if (edge->timeout.count == 0) {
        return;
    }
    uint32_t last = edge->timeout.count - 1, tries = tries_of(world, call_slot);
    CHECK(tries > 0);
    uint32_t index = tries - 1 < last ? tries - 1 : last;
    if (edge->timeout.items[index] != SIM_TIME_NEVER) {
        world_attempt(world, slot)->timeout =
            push_timer(world, edge->timeout_timer[index], EVENT_timeout, slot);
    }
}

void launch(World *world, uint32_t call_slot) {
    Call *call = world_call(world, call_slot);
    call->attempt_count++;
    if (world->model->edges[call->edge].is_guarded) {
        launch_guarded(world, call_slot);
    } else {
        send_attempt(world, call_slot);
    }
}

void send_attempt(World *world, uint32_t call_slot) {
    uint32_t slot = pool_take(&world->attempts);
    if (slot == POOL_FULL) {
        world_stop(world, STOP_IN_FLIGHT);
        return;
    }
    Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    Attempt *attempt = world_attempt(world, slot);
    *attempt = (Attempt){.call = call_slot,
                         .next = NONE,
                         .prev = NONE,
                         .sibling = call->in_flight,
                         .child = NONE,
                         .path = path_below(call->path, call->attempt_count),
                         .number = call->attempt_count,
                         .state = ATTEMPT_TRAVELLING,
                         .outcome = OUTCOME_OK,
                         .is_awaited = true};
    call->in_flight = slot;
    call->holders++;
    probe_count(&world->probe, edge->caller, COUNT_ATTEMPTS, call->is_measured);
    arm_timeout(world, edge, call_slot, slot);
    if (edge->is_watched) {
        track_attempt(world, slot);
    }
    if (edge->has_hedge) {
        hedge_arm(world, call_slot);
    }
    const char *why = stops(world, call);
    attempt->replica = why == NULL ? pick_replica(world, call, attempt) : NONE;
    if (attempt->replica == NONE) {
        note_attempt(world, slot, "refused", why == NULL ? "no replica is known to be up" : why);
        attempt->outcome = OUTCOME_REFUSED;
        on_reply(world, slot);
        return;
    }
    world->outstanding[attempt->replica]++;
    note_attempt(world, slot, "sent", "");
    send(world, slot);
}

/* ---- At the replica */

static ShedView shed_view(const World *world, const Replica *replica, SimTime waited) {
    CHECK(waited >= 0);
    return (ShedView){.now = world->now,
                      .waited = waited,
                      .waiting = replica->queue_count,
                      .busy = replica->busy,
                      .slots = replica->levers.slots};
}

/* Why an attempt may not enter, or NULL. An attempt that finds a free slot never waits, so a limit
 * of 0 is a loss system. */
static const char *refusal(World *world, uint32_t slot, const Replica *replica) {
    const Service *service = world_service_of(world, replica);
    CHECK(replica->levers.is_up);
    if (__builtin_expect(replica->levers.is_watched, 0)) {
        const char *why = faults_see_arrival(world, slot);
        if (why != NULL) {
            return why;
        }
    }
    bool has_room = replica->queue_count == 0 && replica->busy < replica->levers.slots;
    if (!has_room && replica->queue_count >= service->queue.limit) {
        return "the queue is full";
    }
    const ShedOps *shed = service->shed.kind->ops;
    if (shed->refuses_arrival != NULL) {
        ShedView view = shed_view(world, replica, 0);
        if (shed->refuses_arrival(service->shed.params, world_state(world, replica->shed_state),
                                  &view)) {
            ask_to_wait(service, world_attempt(world, slot));
            return "shed on arrival";
        }
    }
    return NULL;
}

void enter(World *world, uint32_t slot, Replica *replica) {
    Attempt *attempt = world_attempt(world, slot);
    const Service *service = world_service_of(world, replica);
    CHECK(attempt->state == ATTEMPT_TRAVELLING);
    attempt->state = ATTEMPT_QUEUED;
    attempt->entered_at = world->now;
    attempt->event = (EventId){0};
    queue_append(world, replica, slot);
    world->services[replica->service].in_system++;
    uint32_t component = service_component(world, attempt->replica);
    probe_level(&world->probe, component, LEVEL_IN_SYSTEM, world->now, 1);
    probe_level(&world->probe, component, LEVEL_WAITING, world->now, 1);
    if (!attempt->is_awaited) {
        count_orphan(world, attempt, 1); /* given up on its way */
    }
    if (service->queue.has_timeout) {
        const Call *call = world_call(world, attempt->call);
        Rng rng = drawn_by(&world->services[replica->service].key, call->key, attempt->path,
                           DRAW_PATIENCE);
        attempt->event = push(world, time_from_s(dist_draw(&service->queue.timeout, &rng)),
                              EVENT_impatience, slot);
    }
}

void on_deliver(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    Replica *replica = &world->replicas[attempt->replica];
    const Call *call = world_call(world, attempt->call);
    uint32_t component = service_component(world, attempt->replica);
    CHECK(attempt->state == ATTEMPT_TRAVELLING);
    probe_count(&world->probe, component, COUNT_OFFERED, call->is_measured);
    if (!replica->levers.is_up && replica->levers.is_blackhole) {
        note_attempt(world, slot, "lost", "the replica is silent");
        lose(world, slot);
        return;
    }
    if (replica->levers.is_up && is_rejected(world, slot, replica)) {
        return;
    }
    const char *why = replica->levers.is_up ? refusal(world, slot, replica) : "the replica is down";
    if (why != NULL) {
        refuse(world, slot, why);
        return;
    }
    enter(world, slot, replica);
    note_attempt(world, slot, "arrived", "");
    server_pump(world, attempt->replica);
}

static void begin_service(World *world, uint32_t slot, Replica *replica, SimTime waited) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_QUEUED);
    if (!attempt->is_returned) {
        record_wait(world, slot, waited);
    }
    attempt->state = ATTEMPT_SERVING;
    attempt->started_at = world->now;
    attempt->event = (EventId){0};
    if (replica->levers.error_ratio > 0 && is_unlucky(world, attempt, replica)) {
        attempt->outcome = OUTCOME_ERROR;
        attempt->retry_after_ms = replica->levers.error_retry_after_ms;
    }
    if (__builtin_expect(replica->levers.is_watched, 0)) {
        faults_see_start(world, slot);
    }
    note_attempt(world, slot, "started", "");
    if (__builtin_expect(world_call(world, attempt->call)->mark != 0, 0)) {
        strike(world, slot);
    }
}

static inline uint32_t take_next(World *world, uint32_t replica_index, FlowFits *fits) {
    Replica *replica = &world->replicas[replica_index];
    const Service *service = world_service_of(world, replica);
    const ShedOps *shed = service->shed.kind->ops;
    while (replica->queue_count > 0) {
        uint32_t slot =
            service->queue.order == QUEUE_LIFO ? replica->queue_tail : replica->queue_head;
        Attempt *attempt = world_attempt(world, slot);
        if (fits != NULL && !fits(world, replica_index, slot)) {
            return NONE;
        }
        CHECK(attempt->state == ATTEMPT_QUEUED);
        SimTime waited = world->now - attempt->entered_at;
        unset(world, &attempt->event);
        queue_unlink(world, replica, slot);
        probe_level(&world->probe, service_component(world, replica_index), LEVEL_WAITING,
                    world->now, -1);
        if (shed->refuses_waiting != NULL && !attempt->is_returned) {
            ShedView view = shed_view(world, replica, waited);
            if (shed->refuses_waiting(service->shed.params, world_state(world, replica->shed_state),
                                      &view)) {
                record_wait(world, slot, waited);
                leave_system(world, slot);
                ask_to_wait(service, attempt);
                bool was_held = replica->is_held;
                replica->is_held = true;
                refuse(world, slot, "shed after waiting");
                replica->is_held = was_held;
                continue;
            }
        }
        begin_service(world, slot, replica, waited);
        return slot;
    }
    return NONE;
}

uint32_t flow_take(World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return take_next(world, replica, NULL);
}

uint32_t flow_take_if(World *world, uint32_t replica, FlowFits *fits) {
    CHECK(fits != NULL);
    return take_next(world, replica, fits);
}

/* ---- Its own work is done */

void flow_work_done(World *world, uint32_t slot, SimTime work) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t replica_index = attempt->replica;
    Replica *replica = &world->replicas[replica_index];
    const Service *service = world_service_of(world, replica);
    CHECK(attempt->state == ATTEMPT_SERVING && work >= 0);
    attempt->state = ATTEMPT_CALLING;
    attempt->event = (EventId){0};
    attempt->work += work;
    probe_add(&world->probe, service_component(world, replica_index), COUNT_WORK,
              world_call(world, attempt->call)->is_measured, (uint64_t)work);
    bool calls = service->group_count > 0 && attempt->outcome == OUTCOME_OK;
    const ServerOps *ops = service->server.kind->ops;
    if (!calls || ops->holds_while_calling == NULL ||
        !ops->holds_while_calling(service->server.params)) {
        release_slot(world, slot);
    }
    note_attempt(world, slot, "served", attempt->outcome == OUTCOME_OK ? "" : "in vain: an error");
    if (calls) {
        advance(world, slot);
    } else {
        answer(world, slot);
    }
    server_pump(world, replica_index);
}

/* Where work is counted in tokens this is one that failed early: it has computed none. */
static void on_served(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    bool has_tokens = server_ops(world, &world->replicas[attempt->replica])->has_tokens;
    flow_work_done(world, slot, has_tokens ? 0 : world->now - attempt->started_at);
}

/* Makes the calls of one group, all at once. */
static void call_group(World *world, uint32_t slot, const CallGroup *group) {
    Attempt *attempt = world_attempt(world, slot);
    const Call *call = world_call(world, attempt->call);
    CHECK(attempt->state == ATTEMPT_CALLING);
    Origin origin = origin_like(world, call, attempt->path);
    for (uint32_t i = 0; i < group->edge_count; i++) {
        if (is_made(world, group->first_edge + i, attempt)) {
            attempt->pending++;
            flow_begin(world, group->first_edge + i, slot, &origin);
        }
    }
}

/* Goes on with the service's calls until one of them takes time, and answers after the last. While
 * a group is being made `pending` is one too high, so that a call that ends at once does not come
 * back here. */
static void advance(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t replica_index = attempt->replica;
    const Service *service = world_service_of(world, &world->replicas[replica_index]);
    CHECK(attempt->state == ATTEMPT_CALLING && attempt->pending == 0);
    while (attempt->outcome == OUTCOME_OK && attempt->group < service->group_count) {
        attempt->pending = 1;
        call_group(world, slot, &service->groups[attempt->group++]);
        if (--attempt->pending > 0) {
            return;
        }
    }
    bool held = attempt->holds_slot || attempt->holds_memory;
    release_slot(world, slot);
    release_memory(world, slot);
    answer(world, slot);
    if (held) {
        server_pump(world, replica_index);
    }
}

static void answer(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    bool is_measured = world_call(world, attempt->call)->is_measured;
    CHECK(attempt->state == ATTEMPT_CALLING && !attempt->holds_slot);
    leave_system(world, slot);
    if (attempt->outcome == OUTCOME_OK) {
        probe_record(&world->probe, service_component(world, attempt->replica), RECORDED_LATENCY,
                     is_measured, world->now - attempt->entered_at);
    } else {
        count_failure(world, slot, COUNT_ERROR);
    }
    reply(world, slot);
}

void refuse(World *world, uint32_t slot, const char *why) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_TRAVELLING || attempt->state == ATTEMPT_QUEUED);
    note_attempt(world, slot, "refused", why);
    count_failure(world, slot, COUNT_REFUSED);
    attempt->outcome = OUTCOME_REFUSED;
    reply(world, slot);
}

/* ---- Back to the caller */

void on_reply(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t call_slot = attempt->call;
    Call *call = world_call(world, call_slot);
    Outcome outcome = (Outcome)attempt->outcome;
    /* One that its call is about to give up may be answered while others are taken out. */
    bool was_awaited = attempt->is_awaited, is_expected = was_awaited && call->is_open;
    CHECK(attempt->state == ATTEMPT_REPLYING || outcome == OUTCOME_REFUSED);
    bool is_used = is_expected || (outcome == OUTCOME_OK && late_reply_counts(world, call));
    if (outcome == OUTCOME_OK) {
        count_answer(world, attempt, call, is_used);
    }
    note_attempt(world, slot, is_used ? "reply" : "late reply",
                 outcome == OUTCOME_OK      ? ""
                 : outcome == OUTCOME_ERROR ? "an error"
                                            : "refused");
    if (was_awaited) {
        stop_waiting(world, slot, outcome);
    }
    Answer answer = {attempt->first_token_at, attempt->produced};
    uint32_t retry_after_ms = attempt->retry_after_ms;
    drop(world, slot, is_used);
    if (is_used && outcome == OUTCOME_OK) {
        flow_end(world, call_slot, OUTCOME_OK, answer);
    } else if (is_expected) {
        failed(world, call_slot, outcome, retry_after_ms);
    }
}

static void on_timeout(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t call_slot = attempt->call;
    Call *call = world_call(world, call_slot);
    CHECK(attempt->is_awaited && call->is_open);
    attempt->timeout = (EventId){0};
    note_attempt(world, slot, "timeout", "");
    bool has_others = call->in_flight != slot || attempt->sibling != NONE;
    call->holders += has_others;
    abandon(world, slot, OUTCOME_TIMEOUT);
    /* The place that it leaves may be taken by another attempt of the same call, and that may be
     * refused: then the call has gone on already. */
    if (!has_others || (call->is_open && !call->is_in_backoff)) {
        failed(world, call_slot, OUTCOME_TIMEOUT, 0);
    }
    if (has_others) {
        release_call(world, call_slot);
    }
}

/* ---- The end (or another attempt: models/retries.c) */

/* The attempt that made the call goes on when all calls of the group have ended. */
static void resume(World *world, uint32_t slot, const Edge *edge, Outcome outcome) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_CALLING && attempt->pending > 0);
    if (outcome != OUTCOME_OK && edge->on_failure == ON_FAILURE_FAIL) {
        attempt->outcome = OUTCOME_ERROR;
    }
    if (--attempt->pending == 0) {
        advance(world, slot);
    }
}

void flow_end(World *world, uint32_t call_slot, Outcome outcome, Answer answer) {
    Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    close_call(world, call_slot, outcome == OUTCOME_TIMEOUT ? OUTCOME_TIMEOUT : FATE_UNKNOWN);
    if (outcome != OUTCOME_OK && edge->has_fallback && falls_back(world, call_slot)) {
        return;
    }
    if (outcome == OUTCOME_OK) {
        const BudgetOps *budget = edge->budget.kind->ops;
        if (budget->on_success != NULL) {
            budget->on_success(edge->budget.params,
                               span_state(world, &world->edges[call->edge].budget, call->instance),
                               edge->is_watched
                                   ? (Outcome)call_track(world, call_slot)->retried_after
                                   : OUTCOME_OK);
        }
    }
    flow_finish(world, call_slot, outcome, answer);
}

/* An answer may have fewer tokens than were asked for. The call itself does not change: attempts
 * that nobody waits for may still work on it. */
static void tell_source(World *world, const Call *call, Outcome outcome, Answer answer) {
    CHECK(call->parent == NONE);
    if (answer.first_token_at == 0 || answer.tokens == call->output_tokens) {
        source_request_ends(world, call, outcome, answer.first_token_at);
    } else {
        Call cut = *call;
        cut.output_tokens = answer.tokens;
        source_request_ends(world, &cut, outcome, answer.first_token_at);
    }
}

void flow_finish(World *world, uint32_t call_slot, Outcome outcome, Answer answer) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    uint32_t parent = call->parent;
    CHECK(!call->is_open);
    if (parent == NONE) {
        tell_source(world, call, outcome, answer);
        release_call(world, call_slot);
    } else {
        if (answer.first_token_at != 0) {
            /* What the parent streams is the answer of its last call that has tokens. */
            Attempt *caller = world_attempt(world, parent);
            caller->first_token_at = answer.first_token_at;
            caller->produced = answer.tokens;
        }
        unlink_child(world, parent, call_slot);
        release_call(world, call_slot);
        resume(world, parent, edge, outcome);
    }
}

static void on_deadline(World *world, uint32_t call_slot) {
    CHECK(world_call(world, call_slot)->is_open);
    world_call(world, call_slot)->deadline_timer = (EventId){0};
    flow_end(world, call_slot, OUTCOME_TIMEOUT, NO_TOKENS);
}

/* ---- The events */

static void on_server(World *world, uint32_t replica) {
    const ServerOps *ops = server_ops(world, &world->replicas[replica]);
    CHECK(ops->on_timer != NULL);
    ops->on_timer(world, replica);
}

static void on_batch(World *world, uint32_t slot) {
    const ServerOps *ops = server_ops(world, &world->replicas[world_attempt(world, slot)->replica]);
    CHECK(ops->on_batch != NULL);
    ops->on_batch(world, slot);
}

/* Late events know more than their target: world_run hands them on itself. */
static void on_step(World *world, uint32_t replica) {
    CHECK(replica < world->model->replica_count && !"a late event");
}

static void on_warmup(World *world, uint32_t target) {
    CHECK(target == 0);
    world_settle(world, world->now);
    probe_end_warmup(&world->probe, world->now);
}

void flow_handle(World *world, const Event *event) {
    switch ((EventKind)event->kind) {
#define EVENT(id, what, doc)                                                                       \
    case EVENT_##id:                                                                               \
        on_##id(world, event->target);                                                             \
        return;
#include "models/events.def"
#undef EVENT
    case EVENT_KIND_COUNT:
        break;
    }
    CHECK(!"an event of models/events.def");
}
