/* What goes wrong with work: attempts that are given up, replicas that crash, slots that are lost,
 * and the faults that make it so. All of it is rare, so it may look through the whole pool. */
#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "models/servers/server.h"
#include "sim/check.h"

/* ---- Attempts that are taken out */

/* The calls that an attempt made end with it: nobody waits for them any more. */
static void close_children(World *world, uint32_t slot) {
    while (world_attempt(world, slot)->child != NONE) {
        uint32_t child = world_attempt(world, slot)->child;
        world_attempt(world, slot)->child = world_call(world, child)->sibling;
        CHECK(world_call(world, child)->parent == slot);
        close_call(world, child, FATE_UNKNOWN);
        release_call(world, child);
    }
}

/* Takes an attempt out of its replica, wherever it is there; false when its server cannot let go of
 * it. It keeps its record: the caller of this drops it, or answers. */
static bool take_out(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    const ServerOps *ops = server_ops(world, &world->replicas[attempt->replica]);
    AttemptState state = (AttemptState)attempt->state;
    CHECK(state >= ATTEMPT_QUEUED && state <= ATTEMPT_CALLING);
    if (state == ATTEMPT_QUEUED) {
        leave_queue(world, slot);
        return true;
    }
    if (state == ATTEMPT_SERVING && ops->take_out != NULL && !ops->take_out(world, slot)) {
        return false;
    }
    unset(world, &attempt->event);
    if (state == ATTEMPT_SERVING && !ops->has_tokens) {
        attempt->work = world->now - attempt->started_at;
    }
    if ((state == ATTEMPT_SERVING && !ops->has_tokens) || state == ATTEMPT_SUSPENDED) {
        probe_add(&world->probe, service_component(world, attempt->replica), COUNT_WORK,
                  world_call(world, attempt->call)->is_measured, (uint64_t)attempt->work);
    }
    if (state == ATTEMPT_SUSPENDED) {
        world->replicas[attempt->replica].suspended_count--;
    }
    close_children(world, slot);
    release_slot(world, slot);
    release_memory(world, slot);
    leave_system(world, slot);
    return true;
}

/* Where the service lets a cancellation act. */
static bool cancellation_reaches(const Attempt *attempt, CancelOnTimeout policy) {
    switch ((AttemptState)attempt->state) {
    case ATTEMPT_TRAVELLING:
    case ATTEMPT_QUEUED:
        return policy != CANCEL_NEVER;
    case ATTEMPT_SERVING:
    case ATTEMPT_SUSPENDED:
    case ATTEMPT_CALLING:
        return policy == CANCEL_ANYWHERE;
    case ATTEMPT_REPLYING:
    case ATTEMPT_LOST:
        return false;
    case ATTEMPT_FREE:
        break;
    }
    CHECK(!"an attempt in use");
    return false;
}

void on_impatience(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_QUEUED);
    attempt->event = (EventId){0};
    note_attempt(world, slot, "gave up", "waited too long");
    count_failure(world, slot, COUNT_ABANDONED);
    leave_queue(world, slot);
    attempt->outcome = OUTCOME_REFUSED;
    reply(world, slot);
}

static void cancel(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t replica_index = attempt->replica;
    CHECK(!attempt->is_awaited);
    if (attempt->state == ATTEMPT_TRAVELLING) {
        unset(world, &attempt->event);
    } else {
        if (!take_out(world, slot)) {
            return;
        }
        count_failure(world, slot, COUNT_ABANDONED);
    }
    note_attempt(world, slot, "cancelled", "");
    drop(world, slot, false);
    server_pump(world, replica_index);
}

void abandon(World *world, uint32_t slot, Outcome fate) {
    Attempt *attempt = world_attempt(world, slot);
    stop_waiting(world, slot, fate);
    if (attempt->replica == NONE) {
        return;
    }
    count_failure(world, slot, COUNT_TIMEOUT);
    const Service *service = world_service_of(world, &world->replicas[attempt->replica]);
    CHECK(attempt->state != ATTEMPT_FREE);
    if (attempt_is_in_system(attempt)) {
        count_orphan(world, attempt, 1);
    }
    if (attempt->state == ATTEMPT_LOST) {
        drop(world, slot, false);
    } else if (cancellation_reaches(attempt, (CancelOnTimeout)service->cancel_on_timeout)) {
        cancel(world, slot);
    }
}

/* The attempt fails where it is, because its replica let it down: an error at once, or silence. */
static void fail_in_place(World *world, uint32_t slot, bool is_silent, const char *why) {
    if (!take_out(world, slot)) {
        return;
    }
    Attempt *attempt = world_attempt(world, slot);
    note_attempt(world, slot, is_silent ? "lost" : "failed", why);
    attempt->outcome = OUTCOME_ERROR;
    CHECK(attempt->state != ATTEMPT_FREE);
    if (is_silent) {
        lose(world, slot);
    } else {
        count_failure(world, slot, COUNT_ERROR);
        reply(world, slot);
    }
}

/* ---- Crash */

static bool is_at_replica(const Attempt *attempt, uint32_t replica) {
    return attempt_is_in_system(attempt) && attempt->replica == replica;
}

void flow_crash(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    const ServerOps *ops = server_ops(world, replica);
    losses_count_slots(world, service_component(world, replica_index));
    probe_count(&world->probe, service_component(world, replica_index), COUNT_OUTAGES,
                world->now >= world->model->run.warmup);
    if (ops->reset != NULL) {
        ops->reset(world, replica_index);
    }
    /* The pool may grow while callers react; what they launch now finds the replica down. */
    uint32_t end = pool_slot_end(&world->attempts);
    for (uint32_t slot = 0; slot < end; slot++) {
        if (is_at_replica(world_attempt(world, slot), replica_index)) {
            fail_in_place(world, slot, replica->levers.is_blackhole, "the replica crashed");
        }
    }
    CHECK(replica->queue_count == 0 && replica->busy == 0 && replica->suspended_count == 0);
}

/* ---- Slots lost and found */

/* The attempt in the given state at the replica that started last (or first); NONE. */
static uint32_t find_started(World *world, uint32_t replica, AttemptState state, bool last) {
    uint32_t found = NONE;
    CHECK(state == ATTEMPT_SERVING || state == ATTEMPT_SUSPENDED);
    for (uint32_t slot = 0; slot < pool_slot_end(&world->attempts); slot++) {
        const Attempt *attempt = world_attempt(world, slot);
        if (attempt->state != state || attempt->replica != replica) {
            continue;
        }
        if (found == NONE ||
            (last ? attempt->started_at > world_attempt(world, found)->started_at
                  : attempt->started_at < world_attempt(world, found)->started_at)) {
            found = slot;
        }
    }
    return found;
}

static void suspend(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SERVING && attempt->holds_slot);
    unset(world, &attempt->event);
    attempt->work = world->now - attempt->started_at;
    attempt->ends_at -= world->now;
    attempt->state = ATTEMPT_SUSPENDED;
    release_slot(world, slot);
    world->replicas[attempt->replica].suspended_count++;
    note_attempt(world, slot, "suspended", "its slot was lost");
}

/* `started_at` moves, so that the time since then is the work done, without the pause. */
static void resume_suspended(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(attempt->state == ATTEMPT_SUSPENDED);
    SimTime left = attempt->ends_at;
    attempt->state = ATTEMPT_SERVING;
    attempt->started_at = world->now - attempt->work;
    attempt->work = 0;
    attempt->ends_at = world->now + left;
    flow_use_slot(world, slot);
    world->replicas[attempt->replica].suspended_count--;
    attempt->event = push(world, left, EVENT_served, slot);
    note_attempt(world, slot, "resumed", "");
}

void flow_resume_suspended(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    while (replica->suspended_count > 0 && replica->busy < replica->levers.slots) {
        uint32_t slot = find_started(world, replica_index, ATTEMPT_SUSPENDED, false);
        CHECK(slot != NONE);
        resume_suspended(world, slot);
    }
}

void flow_resize(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    const ServerOps *ops = server_ops(world, replica);
    const Service *service = world_service_of(world, replica);
    CHECK(replica->levers.is_up || replica->busy == 0);
    uint32_t component = service_component(world, replica_index);
    bool suspends =
        ops->can_suspend && (service->on_capacity_loss == LOSS_SUSPEND || replica->levers.is_hung);
    bool kills =
        service->on_capacity_loss == LOSS_KILL && ops->can_kill && !replica->levers.is_hung;
    while ((suspends || kills) && replica->busy > replica->levers.slots) {
        uint32_t slot = find_started(world, replica_index, ATTEMPT_SERVING, true);
        if (slot == NONE) {
            break; /* what holds the surplus slots waits for others and does no work itself */
        }
        if (suspends) {
            suspend(world, slot);
        } else {
            fail_in_place(world, slot, false, "its slot was lost");
        }
    }
    losses_count_slots(world, component);
    server_pump(world, replica_index);
}

void losses_count_slots(World *world, uint32_t component) {
    const Service *service = &world->model->services[component - world->model->client_count];
    uint64_t slots = 0;
    int64_t down = 0;
    for (uint32_t i = 0; i < service->replica_count; i++) {
        const ReplicaLevers *levers = &world->replicas[service->replica_first + i].levers;
        slots += levers->slots == COUNT_UNLIMITED ? 0 : levers->slots;
        down += !levers->is_up;
    }
    CHECK(slots <= INT64_MAX);
    if (!world->probe.is_off) {
        ComponentProbe *probe = &world->probe.components[component];
        level_set(&probe->levels[LEVEL_SLOTS], world->now, (int64_t)slots);
        level_set(&probe->levels[LEVEL_DOWN], world->now, down);
    }
}

/* ---- Faults */

void strike(World *world, uint32_t slot) {
    const Attempt *attempt = world_attempt(world, slot);
    uint32_t index = world_call(world, attempt->call)->mark - 1u;
    CHECK(index < world->model->fault_count);
    const Fault *fault = &world->model->faults[index];
    const FaultOps *ops = fault->fault.kind->ops;
    Breakdown breakdown;
    if (ops->breaks(fault->fault.params, world->replicas[attempt->replica].service, &breakdown)) {
        levers_break(world, attempt->replica, breakdown, fault->label);
    }
}

uint16_t mark_of_request(World *world, uint64_t key) {
    for (uint32_t i = 0; i < world->model->fault_count; i++) {
        const Fault *fault = &world->model->faults[i];
        const FaultOps *ops = fault->fault.kind->ops;
        FaultState *state = &world->faults[i];
        if (!state->is_on || ops->marks == NULL) {
            continue;
        }
        Rng rng = drawn_by(&state->key, key, 0, DRAW_MARK);
        if (ops->marks(fault->fault.params, state->touched_count, &rng)) {
            CHECK(i < UINT16_MAX);
            state->touched_count++;
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

void on_levers(World *world, uint32_t replica) {
    CHECK(replica < world->model->replica_count);
    levers_recompute(world);
}

static void schedule_fault(World *world, uint32_t index, SimTime delay) {
    CHECK(delay >= 0);
    if (delay < SIM_TIME_NEVER - world->now) {
        push(world, delay, EVENT_fault, index);
    }
}

static SimTime fault_lasts(World *world, uint32_t index) {
    const Fault *fault = &world->model->faults[index];
    const FaultOps *ops = fault->fault.kind->ops;
    SimTime own = ops->lasts != NULL ? ops->lasts(fault->fault.params) : SIM_TIME_NEVER;
    if (own != SIM_TIME_NEVER || !fault->has_lasts) {
        return own;
    }
    CHECK(fault->has_lasts);
    return time_from_s(dist_draw(&fault->lasts, &world->faults[index].stream));
}

void on_fault(World *world, uint32_t index) {
    const Fault *fault = &world->model->faults[index];
    FaultState *state = &world->faults[index];
    state->is_on = !state->is_on;
    if (world->options.on_change != NULL) {
        Note note = {.at = world->now,
                     .what = state->is_on ? "fault_begins" : "fault_ends",
                     .component = NONE,
                     .replica = NONE,
                     .client = NONE,
                     .detail = fault->label};
        world->options.on_change(world->options.context, &note);
    }
    levers_recompute(world);
    if (state->is_on) {
        SimTime lasts = fault_lasts(world, index);
        schedule_fault(world, index, lasts);
    } else if (fault->is_recurring) {
        schedule_fault(world, index, time_from_s(dist_draw(&fault->every, &state->stream)));
    }
    CHECK(fault->label != NULL);
}

void losses_start(World *world) {
    const Model *model = world->model;
    levers_recompute(world);
    for (uint32_t i = 0; i < model->service_count; i++) {
        losses_count_slots(world, model_service_component(model, i));
    }
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const Fault *fault = &model->faults[i];
        CHECK(fault->has_at || fault->is_recurring);
        if (world->options.is_twin && !fault->is_recurring) {
            continue;
        }
        SimTime at = fault->has_at
                         ? fault->at
                         : time_from_s(dist_draw(&fault->every, &world->faults[i].stream));
        schedule_fault(world, i, at);
    }
}
