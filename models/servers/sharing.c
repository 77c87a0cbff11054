/* Processor sharing: everything in progress advances together, the slower the more there is.
 *
 * With n in progress each advances at 1 / (base + per_request x n) of full speed. `progress` is the
 * work that one of them, there from the start, would have had done; an attempt that enters at
 * progress P with work w is finished when progress reaches P + w. So only the earliest end matters,
 * kept in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) through the attempts
 * themselves: `child` is its first child, `next` its next sibling, `prev` its previous sibling or
 * its parent. O(log n) amortised. */
#include "models/flow.h"
#include "models/servers/server.h"
#include "sim/check.h"

typedef struct SharingParams {
    double base, per_request;
    uint32_t limit;
} SharingParams;

typedef struct SharingState {
    double progress_s;
    SimTime updated_at;
    EventId timer;  /* the earliest end */
    uint32_t root;  /* the attempt with the earliest end; meaningless while count is 0 */
    uint32_t count; /* in progress */
} SharingState;

static SharingState *sharing_state(World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_state(world, world->replicas[replica].server_state);
}

static const SharingParams *sharing_params(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world_service_of(world, &world->replicas[replica])->server.params;
}

/* ---- The heap */

/* Makes the root with the later end the first child of the other. */
static uint32_t sharing_meld(World *world, uint32_t a, uint32_t b) {
    if (a == NONE || b == NONE) {
        return a == NONE ? b : a;
    }
    if (world_attempt(world, b)->virtual_end < world_attempt(world, a)->virtual_end) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    Attempt *top = world_attempt(world, a), *below = world_attempt(world, b);
    CHECK(a != b);
    below->next = top->child;
    below->prev = a;
    if (top->child != NONE) {
        world_attempt(world, top->child)->prev = b;
    }
    top->child = b;
    top->next = NONE;
    top->prev = NONE;
    return a;
}

/* Melds a list of siblings into one heap: in pairs from the front, then all from the back. */
static uint32_t sharing_meld_siblings(World *world, uint32_t first) {
    uint32_t paired = NONE;
    while (first != NONE) {
        uint32_t second = world_attempt(world, first)->next;
        uint32_t rest = second == NONE ? NONE : world_attempt(world, second)->next;
        uint32_t pair = sharing_meld(world, first, second);
        world_attempt(world, pair)->next = paired;
        paired = pair;
        first = rest;
    }
    uint32_t heap = NONE;
    while (paired != NONE) {
        uint32_t before = world_attempt(world, paired)->next;
        world_attempt(world, paired)->next = NONE;
        heap = sharing_meld(world, heap, paired);
        paired = before;
    }
    CHECK(heap == NONE || world_attempt(world, heap)->next == NONE);
    return heap;
}

static void sharing_remove(World *world, SharingState *s, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(s->count > 0);
    s->count--;
    uint32_t orphans = sharing_meld_siblings(world, attempt->child);
    if (slot == s->root) {
        s->root = orphans;
    } else {
        Attempt *before = world_attempt(world, attempt->prev);
        if (before->child == slot) {
            before->child = attempt->next;
        } else {
            before->next = attempt->next;
        }
        if (attempt->next != NONE) {
            world_attempt(world, attempt->next)->prev = attempt->prev;
        }
        s->root = sharing_meld(world, s->root, orphans);
    }
    if (s->root != NONE) {
        world_attempt(world, s->root)->prev = NONE;
    }
    attempt->child = NONE;
    attempt->next = NONE;
    attempt->prev = NONE;
}

/* ---- Progress */

static double sharing_slowdown(const SharingParams *p, uint32_t count) {
    double slowdown = p->base + p->per_request * count;
    CHECK(slowdown > 0);
    return slowdown;
}

static void sharing_update(World *world, uint32_t replica) {
    SharingState *s = sharing_state(world, replica);
    CHECK(world->now >= s->updated_at);
    if (s->count > 0) {
        s->progress_s += time_to_s(world->now - s->updated_at) /
                         sharing_slowdown(sharing_params(world, replica), s->count);
    } else {
        s->progress_s = 0; /* an empty server starts afresh, so that precision never fades */
    }
    CHECK(s->progress_s >= 0);
    s->updated_at = world->now;
}

static void sharing_set_timer(World *world, uint32_t replica) {
    SharingState *s = sharing_state(world, replica);
    queue_cancel(&world->queue, s->timer);
    s->timer = (EventId){0};
    if (s->count > 0) {
        double left_s = world_attempt(world, s->root)->virtual_end - s->progress_s;
        double slowdown = sharing_slowdown(sharing_params(world, replica), s->count);
        SimTime at = world->now + time_from_s((left_s > 0 ? left_s : 0) * slowdown);
        CHECK(at >= world->now);
        s->timer = queue_push(&world->queue, at, EVENT_server, replica);
    }
}

static void sharing_pump(World *world, uint32_t replica_index) {
    Replica *replica = &world->replicas[replica_index];
    SharingState *s = sharing_state(world, replica_index);
    if (replica->queue_count == 0 || replica->busy >= replica->levers.slots) {
        return;
    }
    sharing_update(world, replica_index);
    while (replica->busy < replica->levers.slots) {
        uint32_t slot = flow_take(world, replica_index);
        if (slot == NONE) {
            break;
        }
        flow_use_slot(world, slot);
        Attempt *attempt = world_attempt(world, slot);
        double work_s = flow_draw_work_s(world, slot) * replica->levers.work_x;
        if (flow_fails_early(world, slot)) {
            work_s = time_to_s(replica->levers.error_after);
        }
        CHECK(work_s >= 0);
        attempt->virtual_end = s->progress_s + work_s;
        s->root = sharing_meld(world, s->count == 0 ? NONE : s->root, slot);
        s->count++;
    }
    sharing_set_timer(world, replica_index);
}

static void sharing_on_timer(World *world, uint32_t replica) {
    SharingState *s = sharing_state(world, replica);
    CHECK(s->count > 0);
    s->timer = (EventId){0};
    sharing_update(world, replica);
    uint32_t slot = s->root;
    s->progress_s = world_attempt(world, slot)->virtual_end;
    sharing_remove(world, s, slot);
    sharing_set_timer(world, replica);
    flow_work_done(world, slot, world->now - world_attempt(world, slot)->started_at);
}

static bool sharing_take_out(World *world, uint32_t slot) {
    uint32_t replica = world_attempt(world, slot)->replica;
    SharingState *s = sharing_state(world, replica);
    CHECK(world_attempt(world, slot)->state == ATTEMPT_SERVING);
    sharing_update(world, replica);
    sharing_remove(world, s, slot);
    sharing_set_timer(world, replica);
    return true;
}

static uint32_t sharing_slots(const void *params) {
    const SharingParams *p = params;
    CHECK(p->limit > 0);
    return p->limit;
}

static bool sharing_check(const void *params, Error *error) {
    const SharingParams *p = params;
    return p->base + p->per_request > 0 ||
           error_set(error, "base and per_request are both 0: work would take no time at all");
}

static const Param sharing_params_table[] = {
    {"base", PARAM_NUMBER, offsetof(SharingParams, base), .preset = "0", .max = 1e9,
     .doc = "Part of the slowdown that does not depend on how many are in progress."},
    {"per_request", PARAM_NUMBER, offsetof(SharingParams, per_request), .preset = "1", .max = 1e9,
     .doc =
         "Part of the slowdown for each request in progress: with base 0 and per_request 1 it is "
         "plain processor sharing."},
    {"limit", PARAM_COUNT, offsetof(SharingParams, limit), .preset = "unlimited", .min = 1,
     .max = 4e9, .may_be_unlimited = true, .doc = "The most in progress; more wait in the queue."},
};

static const ServerOps sharing_ops = {
    .slots = sharing_slots,
    .pump = sharing_pump,
    .on_timer = sharing_on_timer,
    .take_out = sharing_take_out,
    .uses_work = true,
    .can_kill = true,
};

const Kind server_sharing = {
    .family = FAMILY_SERVER,
    .name = "sharing",
    .doc = "All in progress share the replica: with n of them, work w takes w x (base + "
           "per_request x n).",
    .params = sharing_params_table,
    .param_count = PARAM_COUNT_OF(sharing_params_table),
    .params_size = sizeof(SharingParams),
    .state_size = sizeof(SharingState),
    .ops = &sharing_ops,
    .check = sharing_check,
};
