/* Batches: requests gather in the queue until a batch may start, and finish together. The rules are
 * those of Triton's dynamic batcher, without which it is a static one (docs/inference.md section
 * 5). */
#include "models/flow.h"
#include "models/servers/server.h"
#include "models/steps/step.h"
#include "sim/check.h"

typedef struct BatchParams {
    uint32_t max_batch_size, min_batch_size, instances;
    bool has_min;
    CountList preferred;
    SimTime max_queue_delay;
    Component step;
} BatchParams;

typedef struct BatchState {
    EventId timer; /* when the oldest has waited max_queue_delay */
    SimTime timer_at;
} BatchState;

static uint32_t batch_slots(const void *params) {
    const BatchParams *p = params;
    CHECK(p->instances > 0);
    return p->instances;
}

/* Of the sizes that are preferred, the largest that can be made; 0 when none can. */
static uint32_t batch_preferred_size(const BatchParams *p, uint32_t waiting) {
    uint32_t best = 0;
    for (uint32_t i = 0; i < p->preferred.count; i++) {
        uint32_t size = p->preferred.items[i];
        CHECK(size > 0);
        best = size <= waiting && size > best ? size : best;
    }
    return best;
}

/* How many of those waiting may start now; 0: wait for more. `is_overdue`: the oldest has waited as
 * long as it may. */
static uint32_t batch_size_now(const BatchParams *p, uint32_t waiting, bool is_overdue) {
    uint32_t at_most = waiting < p->max_batch_size ? waiting : p->max_batch_size;
    CHECK(p->max_batch_size > 0);
    if (waiting >= p->max_batch_size || is_overdue) {
        return at_most;
    }
    if (p->preferred.count > 0) {
        uint32_t preferred = batch_preferred_size(p, at_most);
        return preferred > 0 || p->max_queue_delay > 0 ? preferred : at_most;
    }
    uint32_t enough = p->has_min               ? p->min_batch_size
                      : p->max_queue_delay > 0 ? p->max_batch_size
                                               : 1;
    return waiting >= enough ? at_most : 0;
}

/* The rule's own share of a batch's members: its start, its length, its draws. */
static void batch_start(World *world, uint32_t replica_index, uint32_t size) {
    Replica *replica = &world->replicas[replica_index];
    const BatchParams *p = world_service_of(world, replica)->server.params;
    uint32_t head = NONE, tail = NONE;
    StepBatch batch = {0};
    while (batch.size < size) {
        uint32_t slot = flow_take(world, replica_index);
        if (slot == NONE) {
            break; /* the rest was shed */
        }
        const Call *call = world_call(world, world_attempt(world, slot)->call);
        batch.size++;
        batch.input_tokens += call->input_tokens;
        batch.output_tokens += call->output_tokens;
        if (tail == NONE) {
            head = slot;
        } else {
            world_attempt(world, tail)->next = slot;
        }
        tail = slot;
    }
    if (head == NONE) {
        return;
    }
    CHECK(batch.size <= p->max_batch_size);
    Rng rng = flow_rng_of_work(world, head);
    batch.rng = &rng;
    const StepOps *step = p->step.kind->ops;
    SimTime duration =
        time_from_s(step->duration_s(p->step.params, &batch) * replica->levers.work_x);
    flow_count_batch(world, replica_index, batch.size, batch.size == p->max_batch_size);
    flow_change_busy(world, replica_index, 1);
    world_attempt(world, head)->event =
        queue_push(&world->queue, world->now + duration, EVENT_batch, head);
}

/* Keeps one timer, for the attempt that has waited longest. */
static void batch_set_timer(World *world, uint32_t replica_index, SimTime at) {
    BatchState *s = world_state(world, world->replicas[replica_index].server_state);
    CHECK(at >= world->now);
    if (s->timer_at == at && event_is_set(s->timer)) {
        return;
    }
    queue_cancel(&world->queue, s->timer);
    s->timer_at = at;
    s->timer = at == SIM_TIME_NEVER ? (EventId){0}
                                    : queue_push(&world->queue, at, EVENT_server, replica_index);
}

static void batch_pump(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    const BatchParams *p = world_service_of(world, replica)->server.params;
    SimTime timer_at = SIM_TIME_NEVER;
    while (replica->queue_count > 0 && replica->busy < replica->levers.slots) {
        SimTime due_at = SIM_TIME_NEVER;
        if (p->max_queue_delay > 0) {
            due_at = world_attempt(world, replica->queue_head)->entered_at + p->max_queue_delay;
        }
        uint32_t size = batch_size_now(p, replica->queue_count, due_at <= world->now);
        if (size == 0) {
            timer_at = due_at;
            break;
        }
        batch_start(world, replica_index, size);
    }
    CHECK(timer_at > world->now);
    batch_set_timer(world, replica_index, timer_at);
}

static void batch_on_timer(World *world, uint32_t replica_index) {
    BatchState *s = world_state(world, world->replicas[replica_index].server_state);
    CHECK(s->timer_at == world->now);
    s->timer = (EventId){0};
    batch_pump(world, replica_index);
}

static void batch_on_batch(World *world, uint32_t head) {
    uint32_t replica_index = world_attempt(world, head)->replica;
    SimTime took = world->now - world_attempt(world, head)->started_at;
    uint32_t size = 0;
    for (uint32_t slot = head; slot != NONE; slot = world_attempt(world, slot)->next) {
        size++;
    }
    CHECK(size > 0);
    flow_change_busy(world, replica_index, -1);
    world->replicas[replica_index].is_held = true; /* all answer before the next batch starts */
    for (uint32_t slot = head, next; slot != NONE; slot = next) {
        next = world_attempt(world, slot)->next;
        world_attempt(world, slot)->next = NONE;
        flow_work_done(world, slot, took / size);
    }
    world->replicas[replica_index].is_held = false;
    batch_pump(world, replica_index);
}

/* A batch cannot let one of its members go: it is computed with the others. */
static bool batch_take_out(World *world, uint32_t slot) {
    CHECK(world_attempt(world, slot)->state == ATTEMPT_SERVING);
    return !world->replicas[world_attempt(world, slot)->replica].levers.is_up;
}

static void batch_reset(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    CHECK(!replica->levers.is_up);
    batch_set_timer(world, replica_index, SIM_TIME_NEVER);
    if (replica->busy > 0) {
        flow_change_busy(world, replica_index, -(int32_t)replica->busy);
    }
}

static bool batch_check(const void *params, Error *error) {
    const BatchParams *p = params;
    if (p->has_min && p->min_batch_size > p->max_batch_size) {
        return error_set(error, "min_batch_size (%u) is above max_batch_size (%u)",
                         p->min_batch_size, p->max_batch_size);
    }
    for (uint32_t i = 0; i < p->preferred.count; i++) {
        if (p->preferred.items[i] == 0 || p->preferred.items[i] > p->max_batch_size) {
            return error_set(error,
                             "preferred_batch_size %u is not between 1 and max_batch_size "
                             "(%u)",
                             p->preferred.items[i], p->max_batch_size);
        }
    }
    return true;
}

static const Param batch_params[] = {
    {"max_batch_size", PARAM_COUNT, offsetof(BatchParams, max_batch_size), .preset = "8", .min = 1,
     .max = 1e6, .may_be_unlimited = true, .doc = "The most requests in one batch."},
    {"preferred_batch_size", PARAM_COUNTS, offsetof(BatchParams, preferred), .preset = "[]",
     .min = 1, .max = 1e6,
     .doc = "Sizes that start at once when they can be made, the largest first (Triton)."},
    {"min_batch_size", PARAM_COUNT, offsetof(BatchParams, min_batch_size), .min = 1, .max = 1e6,
     .is_optional = true, .has_offset = offsetof(BatchParams, has_min),
     .doc = "The fewest that start before max_queue_delay has passed; left out: 1, or a full batch "
            "when there is a max_queue_delay. With no max_queue_delay fewer never start."},
    {"max_queue_delay", PARAM_DURATION, offsetof(BatchParams, max_queue_delay), .preset = "0s",
     .max = 86400,
     .doc = "After the oldest has waited so long, what is there starts; 0s: nothing is delayed."},
    {"instances", PARAM_COUNT, offsetof(BatchParams, instances), .preset = "1", .min = 1,
     .max = 1e6, .may_be_unlimited = true, .doc = "Batches that one replica computes at a time."},
    {"step", PARAM_KIND, offsetof(BatchParams, step), .family = FAMILY_STEP,
     .doc = "How long one batch takes."},
};

static const ServerOps batch_ops = {
    .slots = batch_slots,
    .pump = batch_pump,
    .on_timer = batch_on_timer,
    .on_batch = batch_on_batch,
    .take_out = batch_take_out,
    .reset = batch_reset,
};

const Kind server_batch = {
    .family = FAMILY_SERVER,
    .name = "batch",
    .doc = "Requests are computed together, in static batches or as Triton's dynamic batcher "
           "forms them.",
    .params = batch_params,
    .param_count = PARAM_COUNT_OF(batch_params),
    .params_size = sizeof(BatchParams),
    .state_size = sizeof(BatchState),
    .ops = &batch_ops,
    .check = batch_check,
};
