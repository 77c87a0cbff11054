#include "sim/queue.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/queue_heap.h"

enum {
    QUEUE_FIRST_CAPACITY = 64,
    QUEUE_LINE_SIZE = 64,
    QUEUE_DEAD_ALLOWED = 64, /* below this a sweep is not worth its call */
};

#define QUEUE_SLOT_MASK ((UINT64_C(1) << QUEUE_SLOT_BITS) - 1)
#define QUEUE_SEQUENCE_END (UINT64_C(1) << QUEUE_SEQUENCE_BITS)
#define QUEUE_NO_SLOT UINT32_MAX

static QueueKey *heap_alloc(size_t capacity) {
    CHECK(capacity % HEAP_ARITY == 0);
    /* mem_alloc has no alignment to offer, and one malloc more or less per growth is nothing. */
    void *keys = aligned_alloc(QUEUE_LINE_SIZE, capacity * sizeof(QueueKey));
    return keys != NULL ? keys : mem_alloc(SIZE_MAX); /* mem_alloc says that memory is out */
}

static void heap_reserve(EventQueue *queue, size_t capacity) {
    if (capacity <= queue->heap_capacity) {
        return;
    }
    size_t grown = queue->heap_capacity * 2;
    while (grown < capacity) {
        grown *= 2;
    }
    QueueKey *keys = heap_alloc(grown);
    memcpy(keys, queue->heap, queue->heap_end * sizeof *keys);
    memset(&keys[queue->heap_end], 0xff, (grown - queue->heap_end) * sizeof *keys);
    mem_free(queue->heap);
    queue->heap = keys;
    queue->heap_capacity = grown;
}

static void heap_push(EventQueue *queue, QueueKey key) {
    if (queue->has_hole) {
        queue->has_hole = false;
        heap_sift_down(queue->heap, queue->heap_end, HEAP_ROOT, key);
        return;
    }
    if (queue->heap_end == queue->heap_capacity) {
        heap_reserve(queue, queue->heap_capacity + 1);
    }
    heap_sift_up(queue->heap, queue->heap_end++, key);
}

/* Fills the root's hole with the last key. */
static void heap_close_hole(EventQueue *queue) {
    CHECK(queue->has_hole && queue->heap_end > HEAP_ROOT);
    queue->has_hole = false;
    size_t end = --queue->heap_end;
    QueueKey key = queue->heap[end];
    queue->heap[end] = HEAP_LAST_KEY;
    if (end > HEAP_ROOT) {
        heap_sift_down(queue->heap, end, HEAP_ROOT, key);
    }
}

void queue_init(EventQueue *queue) {
    CHECK(queue != NULL);
    *queue = (EventQueue){.heap_end = HEAP_ROOT,
                          .heap_capacity = QUEUE_FIRST_CAPACITY,
                          .first_free = QUEUE_NO_SLOT,
                          .latest = -1};
    queue->heap = heap_alloc(QUEUE_FIRST_CAPACITY);
    memset(queue->heap, 0xff, QUEUE_FIRST_CAPACITY * sizeof *queue->heap);
}

void queue_free(EventQueue *queue) {
    CHECK(queue != NULL);
    mem_free(queue->heap);
    mem_free(queue->records);
    vec_free(&queue->classes);
    *queue = (EventQueue){0};
}

static void records_reserve(EventQueue *queue, size_t capacity) {
    CHECK(capacity <= QUEUE_SLOT_MASK + 1);
    size_t grown = queue->record_capacity == 0 ? QUEUE_FIRST_CAPACITY : queue->record_capacity;
    while (grown < capacity) {
        grown *= 2;
    }
    if (grown > queue->record_capacity) {
        queue->records = mem_resize(queue->records, grown * sizeof *queue->records);
        queue->record_capacity = (uint32_t)grown;
    }
}

void queue_reserve(EventQueue *queue, size_t count) {
    CHECK(count <= QUEUE_SLOT_MASK + 1);
    heap_reserve(queue, HEAP_ROOT + count);
    records_reserve(queue, count);
}

void queue_copy(EventQueue *to, const EventQueue *from) {
    CHECK(to != from);
    queue_free(to);
    *to = *from;
    to->heap = heap_alloc(from->heap_capacity);
    memcpy(to->heap, from->heap, from->heap_capacity * sizeof *to->heap);
    to->records = NULL;
    to->record_capacity = 0;
    records_reserve(to, from->record_capacity);
    if (from->record_count > 0) {
        memcpy(to->records, from->records, from->record_count * sizeof *to->records);
    }
    to->classes.items = NULL;
    to->classes.count = to->classes.capacity = 0;
    for (size_t i = 0; i < from->classes.count; i++) {
        vec_push(&to->classes, from->classes.items[i]);
    }
}

static uint32_t slot_take(EventQueue *queue) {
    uint32_t slot = queue->first_free;
    if (slot != QUEUE_NO_SLOT) {
        queue->first_free = queue->records[slot].target;
        return slot;
    }
    if (queue->record_count == queue->record_capacity) {
        records_reserve(queue, (size_t)queue->record_capacity + 1);
    }
    return queue->record_count++;
}

static void slot_give(EventQueue *queue, uint32_t slot) {
    queue->records[slot].tag = 0;
    queue->records[slot].target = queue->first_free;
    queue->first_free = slot;
}

/* Gives the next event a slot and a sequence number. */
static uint64_t tag_take(EventQueue *queue) {
    CHECK(++queue->sequence < QUEUE_SEQUENCE_END);
    queue->live++;
    return queue->sequence << QUEUE_SLOT_BITS | slot_take(queue);
}

static EventId id_of_tag(uint64_t tag) {
    return (EventId){.slot = (uint32_t)tag, .stamp = (uint32_t)(tag >> 32)};
}

EventId queue_push(EventQueue *queue, SimTime at, uint16_t kind, uint32_t target) {
    CHECK(at >= 0 && at >= queue->latest && at < SIM_TIME_NEVER);
    uint64_t tag = tag_take(queue);
    QueueRecord *record = &queue->records[tag & QUEUE_SLOT_MASK];
    record->tag = tag;
    record->target = target;
    record->kind = kind;
    record->timer_class = 0;
    heap_push(queue, (QueueKey){.time = (uint64_t)at, .tag = tag});
    return id_of_tag(tag);
}

uint16_t queue_add_timer(EventQueue *queue, SimTime delay) {
    CHECK(delay >= 0 && queue->classes.count < QUEUE_TIMER_CLASSES_MAX);
    QueueTimerClass class = {.delay = delay, .first = QUEUE_NO_SLOT, .last = QUEUE_NO_SLOT};
    class.entry = slot_take(queue);
    vec_push(&queue->classes, class);
    uint16_t number = (uint16_t)queue->classes.count;
    queue->records[class.entry] = (QueueRecord){.target = number, .timer_class = number};
    return number;
}

/* The key that stands in the heap for a list: the order of its first timer, the slot of the class.
 */
static QueueKey class_key(EventQueue *queue, const QueueTimerClass *class) {
    const QueueRecord *first = &queue->records[class->first];
    uint64_t tag = (first->tag & ~QUEUE_SLOT_MASK) | class->entry;
    queue->records[class->entry].tag = tag;
    return (QueueKey){.time = (uint64_t)first->time, .tag = tag};
}

EventId queue_push_timer(EventQueue *queue, SimTime now, uint16_t timer_class, uint16_t kind,
                         uint32_t target) {
    CHECK(timer_class > 0 && timer_class <= queue->classes.count);
    QueueTimerClass *class = &queue->classes.items[timer_class - 1];
    CHECK(now >= 0 && now < SIM_TIME_NEVER - class->delay);
    SimTime at = now + class->delay;
    CHECK(at >= queue->latest && at >= class->latest);
    uint64_t tag = tag_take(queue);
    uint32_t slot = (uint32_t)(tag & QUEUE_SLOT_MASK);
    queue->records[slot] = (QueueRecord){.tag = tag,
                                         .target = target,
                                         .kind = kind,
                                         .timer_class = timer_class,
                                         .time = at,
                                         .previous = class->last,
                                         .next = QUEUE_NO_SLOT};
    if (class->last == QUEUE_NO_SLOT) {
        class->first = slot;
    } else {
        queue->records[class->last].next = slot;
    }
    class->last = slot;
    class->latest = at;
    if (!class->has_entry) {
        class->has_entry = true;
        heap_push(queue, class_key(queue, class));
    }
    return id_of_tag(tag);
}

static void timer_unlink(EventQueue *queue, const QueueRecord *timer) {
    QueueTimerClass *class = &queue->classes.items[timer->timer_class - 1];
    if (timer->previous == QUEUE_NO_SLOT) {
        class->first = timer->next;
    } else {
        queue->records[timer->previous].next = timer->next;
    }
    if (timer->next == QUEUE_NO_SLOT) {
        class->last = timer->previous;
    } else {
        queue->records[timer->next].previous = timer->previous;
    }
}

/* Drops all dead keys from the heap: O(n), paid for by the cancels since the last time. */
static void queue_sweep(EventQueue *queue) {
    size_t end = HEAP_ROOT;
    for (size_t i = HEAP_ROOT + (size_t)queue->has_hole; i < queue->heap_end; i++) {
        QueueKey key = queue->heap[i];
        if (queue->records[key.tag & QUEUE_SLOT_MASK].tag == key.tag) {
            queue->heap[end++] = key;
        }
    }
    for (size_t i = end; i < queue->heap_end; i++) {
        queue->heap[i] = HEAP_LAST_KEY;
    }
    queue->heap_end = end;
    queue->has_hole = false;
    queue->dead = 0;
    if (end > HEAP_ROOT + 1) {
        for (size_t i = heap_parent(end - 1); i >= HEAP_ROOT; i--) {
            heap_sift_down(queue->heap, end, i, queue->heap[i]);
        }
    }
}

bool queue_cancel(EventQueue *queue, EventId id) {
    uint64_t tag = (uint64_t)id.stamp << 32 | id.slot;
    uint32_t slot = (uint32_t)(tag & QUEUE_SLOT_MASK);
    if (tag == 0 || slot >= queue->record_count || queue->records[slot].tag != tag) {
        return false;
    }
    CHECK(queue->live > 0);
    queue->live--;
    if (queue->records[slot].timer_class != 0) {
        timer_unlink(queue, &queue->records[slot]);
        slot_give(queue, slot);
        return true;
    }
    slot_give(queue, slot);
    if (++queue->dead > 2 * queue->live + QUEUE_DEAD_ALLOWED) {
        queue_sweep(queue);
    }
    return true;
}

/* Brings a pending event to the root: closes the hole, drops dead keys, and moves the entries of
 * timer classes whose first timer has gone to where the present first one belongs. False when
 * nothing is pending. */
static bool queue_settle(EventQueue *queue) {
    if (queue->has_hole) {
        heap_close_hole(queue);
    }
    while (queue->heap_end > HEAP_ROOT) {
        uint64_t tag = queue->heap[HEAP_ROOT].tag;
        const QueueRecord *record = &queue->records[tag & QUEUE_SLOT_MASK];
        if (record->tag != tag) {
            CHECK(queue->dead > 0);
            queue->dead--;
            queue->has_hole = true;
            heap_close_hole(queue);
            continue;
        }
        if (record->timer_class == 0) {
            return true;
        }
        QueueTimerClass *class = &queue->classes.items[record->target - 1];
        if (class->first == QUEUE_NO_SLOT) {
            class->has_entry = false;
            queue->has_hole = true;
            heap_close_hole(queue);
            continue;
        }
        QueueKey key = class_key(queue, class);
        if (key.tag == tag) {
            return true;
        }
        heap_sift_down(queue->heap, queue->heap_end, HEAP_ROOT, key);
    }
    return false;
}

SimTime queue_next_time(EventQueue *queue) {
    CHECK(queue != NULL);
    return queue_settle(queue) ? (SimTime)queue->heap[HEAP_ROOT].time : SIM_TIME_NEVER;
}

bool queue_pop(EventQueue *queue, Event *event) {
    if (!queue_settle(queue)) {
        CHECK(queue->live == 0);
        return false;
    }
    QueueKey key = queue->heap[HEAP_ROOT];
    uint32_t slot = (uint32_t)(key.tag & QUEUE_SLOT_MASK);
    if (queue->records[slot].timer_class != 0) {
        slot = queue->classes.items[queue->records[slot].target - 1].first;
        timer_unlink(queue, &queue->records[slot]);
        /* The entry stays where it is and is put right when it is next looked at. */
    } else {
        queue->has_hole = true;
    }
    const QueueRecord *record = &queue->records[slot];
    event->time = (SimTime)key.time;
    event->target = record->target;
    event->kind = record->kind;
    event->id = id_of_tag(record->tag);
    slot_give(queue, slot);
    queue->live--;
    queue->tie_count += (uint64_t)(event->time == queue->latest);
    queue->latest = event->time;
    return true;
}
