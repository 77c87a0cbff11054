#include "sim/queue_heap.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/vec.h"

enum { HEAP_FIRST_CAPACITY = 64, HEAP_LINE_SIZE = 64 };

static QueueKey *heap_alloc(size_t capacity) {
    CHECK(capacity % HEAP_ARITY == 0 && capacity < SIZE_MAX / sizeof(QueueKey));
    void *keys = aligned_alloc(HEAP_LINE_SIZE, capacity * sizeof(QueueKey));
    if (keys == NULL) {
        mem_out();
    }
    return keys;
}

void heap_init(QueueHeap *heap) {
    CHECK(heap != NULL);
    *heap = (QueueHeap){.end = HEAP_ROOT, .capacity = HEAP_FIRST_CAPACITY};
    heap->keys = heap_alloc(heap->capacity);
    memset(heap->keys, 0xff, heap->capacity * sizeof *heap->keys);
}

void heap_free(QueueHeap *heap) {
    CHECK(heap != NULL);
    mem_free(heap->keys);
    *heap = (QueueHeap){0};
}

void heap_copy(QueueHeap *to, const QueueHeap *from) {
    CHECK(to != from);
    *to = *from;
    to->keys = heap_alloc(from->capacity);
    memcpy(to->keys, from->keys, from->capacity * sizeof *to->keys);
}

void heap_reserve(QueueHeap *heap, size_t count) {
    CHECK(heap->capacity > 0);
    size_t grown = heap->capacity;
    while (grown < HEAP_ROOT + count) {
        grown *= 2;
    }
    if (grown == heap->capacity) {
        return;
    }
    QueueKey *keys = heap_alloc(grown);
    memcpy(keys, heap->keys, heap->end * sizeof *keys);
    memset(&keys[heap->end], 0xff, (grown - heap->end) * sizeof *keys);
    mem_free(heap->keys);
    heap->keys = keys;
    heap->capacity = grown;
}

void heap_rebuild(QueueHeap *heap, size_t end) {
    CHECK(end >= HEAP_ROOT && end <= heap->end);
    if (end < heap->end) {
        memset(&heap->keys[end], 0xff, (heap->end - end) * sizeof *heap->keys);
    }
    heap->end = end;
    heap->has_hole = false;
    if (end <= HEAP_ROOT + 1) {
        return;
    }
    for (size_t at = heap_parent(end - 1); at >= HEAP_ROOT; at--) {
        QueueKey key = heap->keys[at];
        heap_sift_down(heap->keys, end, at, key.time, key.tag);
    }
}
