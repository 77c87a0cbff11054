/* The heap inside the event queue: an implicit 4-ary heap of keys. Only sim/queue*.c use it.
 *
 * The root is at index 3 and the children of i at 4 (i - 2) and the three after it, so that in an
 * array aligned to 64 bytes four siblings are one cache line. All keys from `end` to the capacity
 * are the largest key, so that a family is always complete. The smallest of four is chosen without
 * a branch, because which child wins is as good as random: a branch costs a misprediction a level.
 * Measured with 10^4 events: 48 ns a hold, 74 with what gcc makes of plain C. Going down stops by a
 * branch nevertheless: always going down to the leaves, without one, took 64.
 */
#ifndef KNOCKON_SIM_QUEUE_HEAP_H
#define KNOCKON_SIM_QUEUE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/check.h"

enum { HEAP_ROOT = 3, HEAP_ARITY = 4 };

/* The order of events: time first, then the tag, whose upper 40 bits are the sequence number. */
typedef struct QueueKey {
    uint64_t time;
    uint64_t tag; /* sequence << QUEUE_SLOT_BITS | slot; never 0 */
} QueueKey;

typedef struct QueueHeap {
    QueueKey *keys;
    size_t end;      /* the keys are at HEAP_ROOT ... end - 1 */
    size_t capacity; /* a multiple of HEAP_ARITY */
    bool has_hole;   /* the root was taken and nothing has filled its place yet */
} QueueHeap;

#define HEAP_LAST_KEY ((QueueKey){.time = UINT64_MAX, .tag = UINT64_MAX})

void heap_init(QueueHeap *heap);
void heap_free(QueueHeap *heap);
void heap_copy(QueueHeap *to, const QueueHeap *from); /* `to` holds nothing before */
void heap_reserve(QueueHeap *heap, size_t count);

/* Makes a heap of the unordered keys at HEAP_ROOT ... end - 1 and forgets those behind. */
void heap_rebuild(QueueHeap *heap, size_t end);

__extension__ typedef unsigned __int128 KeyNumber;

static inline bool key_is_before(uint64_t time, uint64_t tag, uint64_t other_time,
                                 uint64_t other_tag) {
    return ((KeyNumber)time << 64 | tag) < ((KeyNumber)other_time << 64 | other_tag);
}

/* A key on its way up and the index it comes from. */
typedef struct HeapChoice {
    uint64_t time;
    uint64_t tag;
    size_t at;
} HeapChoice;

/* The smaller of two. gcc makes branches of every way to say this in C. */
static inline HeapChoice heap_choose(HeapChoice a, HeapChoice b) {
#if defined(__x86_64__) && defined(__GNUC__)
    uint64_t scratch = b.time;
    __asm__(
        "cmpq %[a_tag], %[b_tag]\n\t"
        "sbbq %[a_time], %[scratch]\n\t"
        "cmovcq %[b_time], %[a_time]\n\t"
        "cmovcq %[b_tag], %[a_tag]\n\t"
        "cmovcq %[b_at], %[a_at]"
        : [a_time] "+&r"(a.time), [a_tag] "+&r"(a.tag), [a_at] "+&r"(a.at), [scratch] "+&r"(scratch)
        : [b_time] "r"(b.time), [b_tag] "r"(b.tag), [b_at] "r"(b.at)
        : "cc");
    return a;
#else
    bool is_second = b.time < a.time || (b.time == a.time && b.tag < a.tag);
    return is_second ? b : a;
#endif
}

static inline size_t heap_count(const QueueHeap *heap) {
    DCHECK(heap->end >= HEAP_ROOT);
    return heap->end - HEAP_ROOT;
}

static inline size_t heap_children(size_t at) {
    DCHECK(at >= HEAP_ROOT);
    return HEAP_ARITY * (at - 2);
}

static inline size_t heap_parent(size_t at) {
    DCHECK(at > HEAP_ROOT);
    return at / HEAP_ARITY + 2;
}

static inline HeapChoice heap_first_of_four(const QueueKey *keys, size_t child) {
    DCHECK(child % HEAP_ARITY == 0);
    const QueueKey *k = &keys[child];
    HeapChoice left = heap_choose((HeapChoice){k[0].time, k[0].tag, child},
                                  (HeapChoice){k[1].time, k[1].tag, child + 1});
    HeapChoice right = heap_choose((HeapChoice){k[2].time, k[2].tag, child + 2},
                                   (HeapChoice){k[3].time, k[3].tag, child + 3});
    return heap_choose(left, right);
}

/* Puts `key` into the empty place `at`, moving smaller keys up from below. The
 * functions take a key as two numbers: gcc passes the struct through memory, where a 16-byte load
 * of two 8-byte stores waits for both: 4 ns of each hold. */
static inline void heap_sift_down(QueueKey *keys, size_t end, size_t at, uint64_t time,
                                  uint64_t tag) {
    DCHECK(at >= HEAP_ROOT && at < end);
    for (;;) {
        size_t child = heap_children(at);
        if (child >= end) {
            break;
        }
        HeapChoice first = heap_first_of_four(keys, child);
        if (key_is_before(time, tag, first.time, first.tag)) {
            break;
        }
        keys[at].time = first.time;
        keys[at].tag = first.tag;
        at = first.at;
    }
    keys[at].time = time;
    keys[at].tag = tag;
}

/* Puts `key` into the empty place `at`, which has nothing below, moving larger keys down. */
static inline void heap_sift_up(QueueKey *keys, size_t at, uint64_t time, uint64_t tag) {
    DCHECK(at >= HEAP_ROOT);
    while (at > HEAP_ROOT) {
        size_t parent = heap_parent(at);
        if (!key_is_before(time, tag, keys[parent].time, keys[parent].tag)) {
            break;
        }
        keys[at] = keys[parent];
        at = parent;
    }
    keys[at].time = time;
    keys[at].tag = tag;
}

static inline void heap_push(QueueHeap *heap, uint64_t time, uint64_t tag) {
    DCHECK(tag != 0 && heap->end <= heap->capacity);
    if (heap->has_hole) {
        heap->has_hole = false;
        heap_sift_down(heap->keys, heap->end, HEAP_ROOT, time, tag);
        return;
    }
    if (__builtin_expect(heap->end == heap->capacity, 0)) {
        heap_reserve(heap, heap_count(heap) + 1);
    }
    heap_sift_up(heap->keys, heap->end++, time, tag);
}

/* Fills the root's hole with the last key. */
static inline void heap_close_hole(QueueHeap *heap) {
    DCHECK(heap->end > HEAP_ROOT);
    heap->has_hole = false;
    size_t end = --heap->end;
    QueueKey key = heap->keys[end];
    heap->keys[end] = HEAP_LAST_KEY;
    if (end > HEAP_ROOT) {
        heap_sift_down(heap->keys, end, HEAP_ROOT, key.time, key.tag);
    }
}

#endif
