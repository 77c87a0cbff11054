/* The event queue: who acts next. Events leave in the order of (time, sequence), so equal times
 * fire in the order in which they were scheduled, whatever the structure inside.
 *
 * Inside: keys {time, sequence and slot} of 16 bytes and one record of 16 bytes per pending event.
 * Up to 2000 keys are a 4-ary heap; beyond, only the next few dozen are, and the rest lies in radix
 * buckets. A hold (pop and push) costs 20 ns with 100 events, 35 with 10^4 and 60 with 10^6. Cancel
 * is O(1): it frees the record and leaves a dead key, which is dropped when it is met or in a sweep
 * when the dead outnumber the living two to one. A constant delay that is used again and again (a
 * timeout) should be a timer class: its events expire in the order in which they were set, so a
 * list is enough, and setting one is O(1); the list's first event competes with the others by its
 * own key, so the order stays exact. A cancelled event never moves the clock.
 *
 * The queue owns its arrays and refers to everything by index: queue_copy makes a second queue that
 * goes on identically. Limits: 2^24 events pending, 2^39 events in a run.
 *
 * A late event comes after all others of its time, whenever they were scheduled, and among its like
 * in the order of their targets: what happens at the end of an instant does not depend on when it
 * was foreseen.
 */
#ifndef KNOCKON_SIM_QUEUE_H
#define KNOCKON_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/check.h"
#include "sim/clock.h"
#include "sim/queue_buckets.h"
#include "sim/queue_heap.h"
#include "sim/vec.h"

/* Names one scheduled event for ever: it carries the event's sequence number. All zero is none. The
 * two numbers mean nothing to others. */
typedef struct EventId {
    uint32_t slot;
    uint32_t stamp;
} EventId;

typedef struct Event {
    SimTime time;
    uint32_t target; /* as given to queue_push */
    uint16_t kind;   /* as given to queue_push */
    EventId id;      /* as returned by queue_push; no longer pending */
} Event;

enum { QUEUE_SLOT_BITS = 24, QUEUE_SEQUENCE_BITS = 40, QUEUE_TIMER_CLASSES_MAX = 32767 };

#define QUEUE_LATE_TARGET_END (UINT32_C(1) << 31)
#define QUEUE_SLOT_MASK ((UINT64_C(1) << QUEUE_SLOT_BITS) - 1)

/* Told which pending event may be popped soon, for prefetching what its handler will touch. */
typedef void QueueWarm(const void *context, uint16_t kind, uint32_t target);

/* What is known of a pending event besides its key. */
typedef struct QueueRecord {
    uint64_t tag;    /* of the event that lives here; 0 when the slot is free */
    uint32_t target; /* next free slot when free; a timer class when its entry */
    uint16_t kind;
    uint16_t timer_class; /* 0 for an event whose own key is in the heap or the buckets */
} QueueRecord;

/* The timers of one constant delay. */
typedef struct QueueTimerClass {
    SimTime delay;
    SimTime latest; /* of the timers set so far: they must not go back */
    QueueFifo timers;
    size_t dead;    /* of them were cancelled */
    uint32_t entry; /* slot of the key that stands in the heap for the first of them */
    bool has_entry; /* whether it is there now */
} QueueTimerClass;

typedef struct EventQueue {
    QueueHeap heap;      /* everything before buckets.limit */
    size_t heap_end_max; /* a heap that ends beyond spills to the buckets */
    QueueRecord *records;
    uint32_t record_count;
    uint32_t record_capacity;
    uint32_t first_free;
    uint64_t sequence; /* of the latest push */
    SimTime latest;    /* time of the latest pop; -1 before the first */
    size_t live;       /* pending events */
    size_t dead;       /* keys in the heap and the buckets whose event was cancelled */
    VEC(QueueTimerClass) classes;
    QueueWarm *warm;
    const void *warm_context;
    QueueBuckets buckets;
} EventQueue;

void queue_init(EventQueue *queue);
void queue_free(EventQueue *queue);

/* Makes room for `count` pending events, so that no memory is asked for below that. */
void queue_reserve(EventQueue *queue, size_t count);

/* Makes `to`, an initialised queue whose contents are dropped, the equal of `from`: the same ids
 * are pending and the same calls give the same answers. */
void queue_copy(EventQueue *to, const EventQueue *from);

/* Sets the hook for prefetching, NULL for none. It pays above 10^4 events, and is called only
 * there. A copy has no hook: the context is the other owner's. */
void queue_set_warm(EventQueue *queue, QueueWarm *warm, const void *context);

/* Schedules an event at `at` ns, not before the event popped last and before SIM_TIME_NEVER. */
EventId queue_push(EventQueue *queue, SimTime at, uint16_t kind, uint32_t target);

/* Schedules a late event. It cannot be cancelled: who has changed his mind knows the id of the
 * event that he waits for and lets others pass. `target` is below QUEUE_LATE_TARGET_END. */
EventId queue_push_late(EventQueue *queue, SimTime at, uint16_t kind, uint32_t target);

/* Registers a constant delay in ns, 0 or more, and returns its class, 1 or more. */
uint16_t queue_add_timer(EventQueue *queue, SimTime delay);

/* Schedules an event at `now` + the delay of its class. `now` must not decrease between calls of
 * one class; it is otherwise bound as in queue_push. */
EventId queue_push_timer(EventQueue *queue, SimTime now, uint16_t timer_class, uint16_t kind,
                         uint32_t target);

/* Takes an event out. True when it was pending; false for none and for one that was popped or
 * cancelled before. */
bool queue_cancel(EventQueue *queue, EventId id);

/* Takes the earliest event; false when none is pending. */
bool queue_pop(EventQueue *queue, Event *event);

/* Time of the earliest pending event, SIM_TIME_NEVER when there is none. It may tidy up inside. */
SimTime queue_next_time(EventQueue *queue);

/* How many events are pending. */
static inline size_t queue_count(const EventQueue *queue) {
    DCHECK(queue->live <= queue->record_count);
    return queue->live;
}

#endif
