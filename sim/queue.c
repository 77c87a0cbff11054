#include "sim/queue.h"

#include <string.h>

#include "sim/check.h"

enum {
    QUEUE_FIRST_CAPACITY = 64,
    QUEUE_HEAP_KEYS = 2048,  /* from here on buckets are faster than a plain heap */
    QUEUE_DEAD_ALLOWED = 64, /* below this a sweep is not worth its call */
};

/* The upper half of the sequence numbers is for late events: they come last. */
#define QUEUE_SEQUENCE_END (UINT64_C(1) << (QUEUE_SEQUENCE_BITS - 1))
#define QUEUE_NO_SLOT UINT32_MAX

void queue_init(EventQueue *queue) {
    CHECK(queue != NULL);
    *queue =
        (EventQueue){.heap_end_max = QUEUE_HEAP_KEYS, .first_free = QUEUE_NO_SLOT, .latest = -1};
    heap_init(&queue->heap);
    buckets_init(&queue->buckets);
}

void queue_free(EventQueue *queue) {
    CHECK(queue != NULL);
    heap_free(&queue->heap);
    buckets_free(&queue->buckets);
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
    heap_reserve(&queue->heap, count < QUEUE_HEAP_KEYS ? count : QUEUE_HEAP_KEYS);
    chunks_reserve(&queue->buckets.chunks, count);
    records_reserve(queue, count);
}

void queue_copy(EventQueue *to, const EventQueue *from) {
    CHECK(to != from);
    queue_free(to);
    *to = *from;
    to->warm = NULL;
    to->warm_context = NULL;
    CHECK(from->live <= from->record_count);
    heap_copy(&to->heap, &from->heap);
    buckets_copy(&to->buckets, &from->buckets);
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

void queue_set_warm(EventQueue *queue, QueueWarm *warm, const void *context) {
    CHECK(queue != NULL);
    queue->warm = warm;
    queue->warm_context = context;
}

static void queue_limit_heap(EventQueue *queue) {
    size_t end = 2 * queue->heap.end;
    queue->heap_end_max = end > QUEUE_HEAP_KEYS ? end : QUEUE_HEAP_KEYS;
    CHECK(queue->heap.end <= queue->heap_end_max);
}

static __attribute__((noinline)) void queue_spill(EventQueue *queue) {
    buckets_spill(&queue->buckets, &queue->heap);
    queue_limit_heap(queue);
}

static inline void key_push(EventQueue *queue, uint64_t time, uint64_t tag) {
    DCHECK(tag != 0);
    if (time >= queue->buckets.limit) {
        buckets_push(&queue->buckets, time, tag);
        return;
    }
    heap_push(&queue->heap, time, tag);
    if (__builtin_expect(queue->heap.end > queue->heap_end_max, 0)) {
        queue_spill(queue);
    }
}

/* Fills the empty heap with the events that come next, and has what they need fetched. */
static __attribute__((noinline)) bool queue_refill(EventQueue *queue) {
    CHECK(queue->heap.end == HEAP_ROOT);
    bool is_checking = queue->dead > queue->live / 4;
    size_t dropped = 0;
    bool found =
        buckets_open(&queue->buckets, &queue->heap, is_checking ? queue->records : NULL, &dropped);
    CHECK(queue->dead >= dropped);
    queue->dead -= dropped;
    queue_limit_heap(queue);
    for (size_t i = HEAP_ROOT; i < queue->heap.end; i++) {
        __builtin_prefetch(&queue->records[queue->heap.keys[i].tag & QUEUE_SLOT_MASK], 1);
    }
    if (queue->warm != NULL) {
        for (size_t i = HEAP_ROOT; i < queue->heap.end; i++) {
            uint64_t tag = queue->heap.keys[i].tag;
            const QueueRecord *record = &queue->records[tag & QUEUE_SLOT_MASK];
            if (record->tag == tag && record->timer_class == 0) {
                queue->warm(queue->warm_context, record->kind, record->target);
            }
        }
    }
    return found;
}

static __attribute__((noinline)) uint32_t slot_take_fresh(EventQueue *queue) {
    if (queue->record_count == queue->record_capacity) {
        records_reserve(queue, (size_t)queue->record_capacity + 1);
    }
    CHECK(queue->record_count < queue->record_capacity);
    return queue->record_count++;
}

static inline uint32_t slot_take(EventQueue *queue) {
    uint32_t slot = queue->first_free;
    if (__builtin_expect(slot == QUEUE_NO_SLOT, 0)) {
        return slot_take_fresh(queue);
    }
    DCHECK(slot < queue->record_count && queue->records[slot].tag == 0);
    queue->first_free = queue->records[slot].target;
    return slot;
}

static void slot_give(EventQueue *queue, uint32_t slot) {
    DCHECK(slot < queue->record_count && queue->records[slot].tag != 0);
    queue->records[slot].tag = 0;
    queue->records[slot].target = queue->first_free;
    queue->first_free = slot;
}

/* Gives an event its slot and records it. */
static inline uint64_t tag_of(EventQueue *queue, uint64_t sequence, uint16_t kind, uint32_t target,
                              uint16_t timer_class) {
    queue->live++;
    uint64_t tag = sequence << QUEUE_SLOT_BITS | slot_take(queue);
    QueueRecord *record = &queue->records[tag & QUEUE_SLOT_MASK];
    record->tag = tag;
    record->target = target;
    record->kind = kind;
    record->timer_class = timer_class;
    DCHECK(tag != 0);
    return tag;
}

/* The same with the next sequence number. */
static inline uint64_t tag_take(EventQueue *queue, uint16_t kind, uint32_t target,
                                uint16_t timer_class) {
    queue->sequence++;
    CHECK(queue->sequence < QUEUE_SEQUENCE_END);
    return tag_of(queue, queue->sequence, kind, target, timer_class);
}

static EventId id_of_tag(uint64_t tag) {
    DCHECK(tag != 0);
    return (EventId){.slot = (uint32_t)tag, .stamp = (uint32_t)(tag >> 32)};
}

EventId queue_push(EventQueue *queue, SimTime at, uint16_t kind, uint32_t target) {
    CHECK(at >= 0 && at >= queue->latest && at < SIM_TIME_NEVER);
    uint64_t tag = tag_take(queue, kind, target, 0);
    key_push(queue, (uint64_t)at, tag);
    return id_of_tag(tag);
}

/* Because it is never cancelled no dead key can have its tag, although the number comes again. */
EventId queue_push_late(EventQueue *queue, SimTime at, uint16_t kind, uint32_t target) {
    CHECK(at >= 0 && at >= queue->latest && at < SIM_TIME_NEVER && target < QUEUE_LATE_TARGET_END);
    uint64_t tag = tag_of(queue, QUEUE_SEQUENCE_END | target, kind, target, 0);
    key_push(queue, (uint64_t)at, tag);
    return id_of_tag(tag);
}

uint16_t queue_add_timer(EventQueue *queue, SimTime delay) {
    CHECK(delay >= 0 && queue->classes.count < QUEUE_TIMER_CLASSES_MAX);
    QueueTimerClass class = {.delay = delay, .entry = slot_take(queue)};
    fifo_init(&class.timers);
    vec_push(&queue->classes, class);
    uint16_t number = (uint16_t)queue->classes.count;
    CHECK(number > 0 && class.entry < queue->record_count);
    queue->records[class.entry] = (QueueRecord){.target = number, .timer_class = number};
    return number;
}

/* Pushes the key that stands for a class: the order of its first timer, the slot of the class. */
static void class_push_entry(EventQueue *queue, QueueTimerClass *class, QueueKey first) {
    DCHECK(first.time >= (uint64_t)queue->latest || queue->latest < 0);
    uint64_t tag = (first.tag & ~QUEUE_SLOT_MASK) | class->entry;
    queue->records[class->entry].tag = tag;
    class->has_entry = true;
    key_push(queue, first.time, tag);
}

EventId queue_push_timer(EventQueue *queue, SimTime now, uint16_t timer_class, uint16_t kind,
                         uint32_t target) {
    CHECK(timer_class > 0 && timer_class <= queue->classes.count);
    QueueTimerClass *class = &queue->classes.items[timer_class - 1];
    CHECK(now >= 0 && now < SIM_TIME_NEVER - class->delay);
    SimTime at = now + class->delay;
    CHECK(at >= queue->latest && at >= class->latest);
    class->latest = at;
    uint64_t tag = tag_take(queue, kind, target, timer_class);
    fifo_push(&class->timers, &queue->buckets.chunks, (uint64_t)at, tag);
    if (!class->has_entry) {
        class_push_entry(queue, class, (QueueKey){.time = (uint64_t)at, .tag = tag});
    }
    return id_of_tag(tag);
}

static inline bool key_is_live(const EventQueue *queue, uint64_t tag) {
    DCHECK((tag & QUEUE_SLOT_MASK) < queue->record_count);
    return queue->records[tag & QUEUE_SLOT_MASK].tag == tag;
}

/* Drops cancelled timers from the front of a class; false when nothing is left. */
static bool class_settle(EventQueue *queue, QueueTimerClass *class) {
    QueueChunks *chunks = &queue->buckets.chunks;
    while (class->timers.count > 0) {
        if (key_is_live(queue, fifo_first(&class->timers, chunks).tag)) {
            return true;
        }
        CHECK(class->dead > 0);
        class->dead--;
        fifo_drop(&class->timers, chunks);
    }
    return false;
}

static void class_cancel(EventQueue *queue, QueueTimerClass *class) {
    size_t dead = ++class->dead;
    CHECK(dead <= class->timers.count);
    if (dead > 2 * (class->timers.count - dead) + QUEUE_DEAD_ALLOWED) {
        size_t before = class->timers.count;
        fifo_sweep(&class->timers, &queue->buckets.chunks, queue->records);
        CHECK(before - class->timers.count == dead);
        class->dead = 0;
    }
}

/* Drops all dead keys: O(n), paid for by the cancels since the last time. */
static __attribute__((noinline)) void queue_sweep(EventQueue *queue) {
    QueueHeap *heap = &queue->heap;
    size_t end = HEAP_ROOT;
    for (size_t i = HEAP_ROOT + (size_t)heap->has_hole; i < heap->end; i++) {
        QueueKey key = heap->keys[i];
        if (key_is_live(queue, key.tag)) {
            heap->keys[end++] = key;
        } else {
            CHECK(queue->dead > 0);
            queue->dead--;
        }
    }
    heap_rebuild(heap, end);
    queue->dead -= buckets_sweep(&queue->buckets, queue->records);
    CHECK(queue->dead == 0);
}

bool queue_cancel(EventQueue *queue, EventId id) {
    uint64_t tag = (uint64_t)id.stamp << 32 | id.slot;
    uint32_t slot = (uint32_t)(tag & QUEUE_SLOT_MASK);
    if (tag == 0 || slot >= queue->record_count || queue->records[slot].tag != tag) {
        return false;
    }
    CHECK(queue->live > 0);
    queue->live--;
    uint16_t timer_class = queue->records[slot].timer_class;
    slot_give(queue, slot);
    if (timer_class != 0) {
        class_cancel(queue, &queue->classes.items[timer_class - 1]);
        return true;
    }
    if (++queue->dead > 2 * queue->live + QUEUE_DEAD_ALLOWED) {
        queue_sweep(queue);
    }
    return true;
}

/* Brings a pending event to the root: closes the hole, drops dead keys, and moves the entries of
 * timer classes whose first timer has gone to where the present first one belongs. False when
 * nothing is pending. */
static bool queue_settle(EventQueue *queue) {
    QueueHeap *heap = &queue->heap;
    if (heap->has_hole) {
        heap_close_hole(heap);
    }
    while (heap->end > HEAP_ROOT || queue_refill(queue)) {
        uint64_t tag = heap->keys[HEAP_ROOT].tag;
        DCHECK((tag & QUEUE_SLOT_MASK) < queue->record_count);
        const QueueRecord *record = &queue->records[tag & QUEUE_SLOT_MASK];
        if (record->tag != tag) {
            CHECK(queue->dead > 0);
            queue->dead--;
            heap_close_hole(heap);
            continue;
        }
        if (record->timer_class == 0) {
            return true;
        }
        QueueTimerClass *class = &queue->classes.items[record->target - 1];
        if (!class_settle(queue, class)) {
            class->has_entry = false;
            heap_close_hole(heap);
            continue;
        }
        QueueKey first = fifo_first(&class->timers, &queue->buckets.chunks);
        if (first.tag >> QUEUE_SLOT_BITS == tag >> QUEUE_SLOT_BITS) {
            return true;
        }
        heap->has_hole = true;
        class_push_entry(queue, class, first);
        if (heap->has_hole) {
            heap_close_hole(heap);
        }
    }
    return false;
}

SimTime queue_next_time(EventQueue *queue) {
    CHECK(queue != NULL);
    return queue_settle(queue) ? (SimTime)queue->heap.keys[HEAP_ROOT].time : SIM_TIME_NEVER;
}

bool queue_pop(EventQueue *queue, Event *event) {
    if (!queue_settle(queue)) {
        CHECK(queue->live == 0);
        return false;
    }
    QueueKey key = queue->heap.keys[HEAP_ROOT];
    uint32_t slot = (uint32_t)(key.tag & QUEUE_SLOT_MASK);
    if (queue->records[slot].timer_class != 0) {
        /* The entry stays where it is and is put right when it is next looked at. */
        QueueFifo *timers = &queue->classes.items[queue->records[slot].target - 1].timers;
        slot = (uint32_t)(fifo_first(timers, &queue->buckets.chunks).tag & QUEUE_SLOT_MASK);
        fifo_drop(timers, &queue->buckets.chunks);
    } else {
        queue->heap.has_hole = true;
    }
    const QueueRecord *record = &queue->records[slot];
    event->time = (SimTime)key.time;
    event->target = record->target;
    event->kind = record->kind;
    event->id = id_of_tag(record->tag);
    slot_give(queue, slot);
    queue->live--;
    CHECK(event->time >= queue->latest);
    queue->latest = event->time;
    return true;
}
