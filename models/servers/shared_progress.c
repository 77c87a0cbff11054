#include "models/servers/shared_progress.h"

#include "models/flow.h"
#include "sim/check.h"

/* ---- The heap */

/* Makes the root with the later end the first child of the other. */
static uint32_t shared_meld(World *world, uint32_t a, uint32_t b) {
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
static uint32_t shared_meld_siblings(World *world, uint32_t first) {
    uint32_t paired = NONE;
    while (first != NONE) {
        uint32_t second = world_attempt(world, first)->next;
        uint32_t rest = second == NONE ? NONE : world_attempt(world, second)->next;
        uint32_t pair = shared_meld(world, first, second);
        world_attempt(world, pair)->next = paired;
        paired = pair;
        first = rest;
    }
    uint32_t heap = NONE;
    while (paired != NONE) {
        uint32_t before = world_attempt(world, paired)->next;
        world_attempt(world, paired)->next = NONE;
        heap = shared_meld(world, heap, paired);
        paired = before;
    }
    CHECK(heap == NONE || world_attempt(world, heap)->next == NONE);
    return heap;
}

static void shared_remove(World *world, SharedProgress *s, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    CHECK(s->count > 0);
    s->count--;
    uint32_t orphans = shared_meld_siblings(world, attempt->child);
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
        s->root = shared_meld(world, s->root, orphans);
    }
    if (s->root != NONE) {
        world_attempt(world, s->root)->prev = NONE;
    }
    attempt->child = NONE;
    attempt->next = NONE;
    attempt->prev = NONE;
}

/* ---- Progress */

static double shared_slowdown(const SharedSpeed *speed, uint32_t count) {
    double slowdown = speed->base + speed->per_request * count;
    CHECK(slowdown > 0);
    return slowdown;
}

static void shared_update(const World *world, SharedProgress *s, const SharedSpeed *speed) {
    CHECK(world->now >= s->updated_at);
    if (s->count > 0) {
        s->progress_s += time_to_s(world->now - s->updated_at) / shared_slowdown(speed, s->count);
    } else {
        s->progress_s = 0; /* an empty server starts afresh, so that precision never fades */
    }
    CHECK(s->progress_s >= 0);
    s->updated_at = world->now;
}

static void shared_set_timer(World *world, uint32_t replica, SharedProgress *s,
                             const SharedSpeed *speed) {
    queue_cancel(&world->queue, s->timer);
    s->timer = (EventId){0};
    if (s->count > 0) {
        double left_s = world_attempt(world, s->root)->virtual_end - s->progress_s;
        double slowdown = shared_slowdown(speed, s->count);
        SimTime at = world->now + time_from_s((left_s > 0 ? left_s : 0) * slowdown);
        CHECK(at >= world->now);
        s->timer = queue_push(&world->queue, at, EVENT_server, replica);
    }
}

void shared_progress_pump(World *world, uint32_t replica_index, SharedProgress *s,
                          const SharedSpeed *speed,
                          double (*work_s)(const World *world, uint32_t attempt)) {
    Replica *replica = &world->replicas[replica_index];
    if (replica->queue_count == 0 || replica->busy >= replica->levers.slots) {
        return;
    }
    shared_update(world, s, speed);
    while (replica->busy < replica->levers.slots) {
        uint32_t slot = flow_take(world, replica_index);
        if (slot == NONE) {
            break;
        }
        flow_use_slot(world, slot);
        double left_s = flow_fails_early(world, slot) ? time_to_s(replica->levers.error_after)
                                                      : work_s(world, slot);
        CHECK(left_s >= 0);
        world_attempt(world, slot)->virtual_end = s->progress_s + left_s;
        s->root = shared_meld(world, s->count == 0 ? NONE : s->root, slot);
        s->count++;
    }
    shared_set_timer(world, replica_index, s, speed);
}

uint32_t shared_progress_finish(World *world, uint32_t replica, SharedProgress *s,
                                const SharedSpeed *speed) {
    CHECK(s->count > 0);
    s->timer = (EventId){0};
    shared_update(world, s, speed);
    uint32_t slot = s->root;
    s->progress_s = world_attempt(world, slot)->virtual_end;
    shared_remove(world, s, slot);
    shared_set_timer(world, replica, s, speed);
    return slot;
}

void shared_progress_take_out(World *world, uint32_t slot, SharedProgress *s,
                              const SharedSpeed *speed) {
    uint32_t replica = world_attempt(world, slot)->replica;
    CHECK(s->count > 0);
    shared_update(world, s, speed);
    shared_remove(world, s, slot);
    shared_set_timer(world, replica, s, speed);
}
