/* The heap inside the event queue, for sim/queue.c alone: an implicit 4-ary heap of keys.
 *
 * The root is at index 3 and the children of i at 4 (i - 2) and the three after it, so that in an
 * array aligned to 64 bytes four siblings are one cache line. All keys from `end` to the capacity
 * are the largest key, so that a family is always complete. The smallest of four is chosen without
 * a branch, because which child wins is as good as random: a branch costs a misprediction a level.
 */
#ifndef KNOCKON_SIM_QUEUE_HEAP_H
#define KNOCKON_SIM_QUEUE_HEAP_H

#include "sim/queue.h"

enum { HEAP_ROOT = 3, HEAP_ARITY = 4 };

#define HEAP_LAST_KEY ((QueueKey){.time = UINT64_MAX, .tag = UINT64_MAX})

static inline bool key_is_before(QueueKey a, QueueKey b) {
    return ((unsigned __int128)a.time << 64 | a.tag) < ((unsigned __int128)b.time << 64 | b.tag);
}

static inline size_t heap_children(size_t at) {
    return HEAP_ARITY * (at - 2);
}

static inline size_t heap_parent(size_t at) {
    return at / HEAP_ARITY + 2;
}

/* Index of the smallest of the four keys at `family`, counted from there. */
static inline size_t heap_first_of_four(const QueueKey *family) {
    size_t left = (size_t)key_is_before(family[1], family[0]);
    size_t right = 2 + (size_t)key_is_before(family[3], family[2]);
    size_t is_right = (size_t)key_is_before(family[right], family[left]);
    return left + ((right - left) & (0 - is_right));
}

/* Puts `key` into the empty place `at`, moving smaller keys up from below. */
static inline void heap_sift_down(QueueKey *keys, size_t end, size_t at, QueueKey key) {
    for (;;) {
        size_t child = heap_children(at);
        if (child >= end) {
            break;
        }
        child += heap_first_of_four(&keys[child]);
        if (key_is_before(key, keys[child])) {
            break;
        }
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = key;
}

/* Puts `key` into the empty place `at`, which has nothing below, moving larger keys down. */
static inline void heap_sift_up(QueueKey *keys, size_t at, QueueKey key) {
    while (at > HEAP_ROOT) {
        size_t parent = heap_parent(at);
        if (!key_is_before(key, keys[parent])) {
            break;
        }
        keys[at] = keys[parent];
        at = parent;
    }
    keys[at] = key;
}

#endif
