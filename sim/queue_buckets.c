#include "sim/queue_buckets.h"

#include <string.h>

#include "sim/check.h"
#include "sim/queue.h"

enum {
    BUCKETS_OPEN_KEYS = 60, /* a bucket with more is dealt out */
    BUCKETS_HEAP_KEYS = 512 /* with fewer than this left, a plain heap is faster */
};

static QueueBucket bucket_empty(void) {
    return (QueueBucket){.chunk = CHUNK_NONE, .fill = CHUNK_KEYS};
}

void buckets_init(QueueBuckets *buckets) {
    CHECK(buckets != NULL);
    *buckets = (QueueBuckets){.limit = UINT64_MAX};
    chunks_init(&buckets->chunks);
    for (size_t i = 0; i < BUCKETS_LEVELS * BUCKETS_DIGITS; i++) {
        buckets->buckets[i] = bucket_empty();
    }
}

void buckets_free(QueueBuckets *buckets) {
    CHECK(buckets != NULL);
    chunks_free(&buckets->chunks);
    *buckets = (QueueBuckets){0};
}

void buckets_copy(QueueBuckets *to, const QueueBuckets *from) {
    CHECK(to != from);
    *to = *from;
    chunks_copy(&to->chunks, &from->chunks);
}

void buckets_extend(QueueBuckets *buckets, size_t level, size_t digit) {
    CHECK(level < BUCKETS_LEVELS && digit < BUCKETS_DIGITS);
    QueueBucket *bucket = &buckets->buckets[level * BUCKETS_DIGITS + digit];
    bucket->chunk = chunk_take(&buckets->chunks, bucket->chunk);
    bucket->fill = 1;
    buckets->used_levels |= UINT32_C(1) << level;
    buckets->used_digits[level] |= UINT32_C(1) << digit;
}

/* Empties a bucket without touching its chunks, which are the caller's then. */
static QueueBucket bucket_take(QueueBuckets *buckets, size_t level, size_t digit) {
    CHECK(level < BUCKETS_LEVELS && digit < BUCKETS_DIGITS);
    QueueBucket *bucket = &buckets->buckets[level * BUCKETS_DIGITS + digit];
    QueueBucket taken = *bucket;
    *bucket = bucket_empty();
    buckets->used_digits[level] &= ~(UINT32_C(1) << digit);
    if (buckets->used_digits[level] == 0) {
        buckets->used_levels &= ~(UINT32_C(1) << level);
    }
    return taken;
}

/* Takes the first chunk of a bucket that bucket_take gave: copies its keys out, returns how many.
 */
static size_t bucket_next_chunk(QueueBuckets *buckets, QueueBucket *taken,
                                QueueKey keys[CHUNK_KEYS]) {
    uint32_t chunk = taken->chunk;
    CHECK(taken->fill > 1 && taken->fill <= CHUNK_KEYS);
    size_t count = taken->fill - 1;
    memcpy(keys, &chunk_keys(&buckets->chunks, chunk)[1], count * sizeof *keys);
    *taken = (QueueBucket){.chunk = chunk_next(&buckets->chunks, chunk), .fill = CHUNK_KEYS};
    chunk_give(&buckets->chunks, chunk);
    CHECK(buckets->count >= count);
    buckets->count -= count;
    return count;
}

static uint64_t bucket_earliest(QueueBuckets *buckets, QueueBucket bucket) {
    CHECK(bucket.chunk != CHUNK_NONE);
    uint64_t earliest = UINT64_MAX;
    while (bucket.chunk != CHUNK_NONE) {
        const QueueKey *keys = chunk_keys(&buckets->chunks, bucket.chunk);
        for (size_t i = 1; i < bucket.fill; i++) {
            earliest = keys[i].time < earliest ? keys[i].time : earliest;
        }
        bucket = (QueueBucket){chunk_next(&buckets->chunks, bucket.chunk), CHUNK_KEYS};
    }
    return earliest;
}

/* Puts the keys of a taken bucket where they belong now; `heap` may be NULL when none is before the
 * limit. Returns how many dead keys were dropped. */
static size_t bucket_deal(QueueBuckets *buckets, QueueBucket taken, QueueHeap *heap,
                          const QueueRecord *records) {
    size_t dropped = 0;
    while (taken.chunk != CHUNK_NONE) {
        QueueKey keys[CHUNK_KEYS];
        size_t count = bucket_next_chunk(buckets, &taken, keys);
        size_t kept = records != NULL ? keys_keep_live(keys, count, records) : count;
        dropped += count - kept;
        for (size_t i = 0; i < kept; i++) {
            if (keys[i].time >= buckets->limit) {
                buckets_push(buckets, keys[i].time, keys[i].tag);
            } else {
                CHECK(heap != NULL);
                heap_push(heap, keys[i].time, keys[i].tag);
            }
        }
    }
    return dropped;
}

bool buckets_open(QueueBuckets *buckets, QueueHeap *heap, const QueueRecord *records,
                  size_t *dropped) {
    CHECK(heap->end == HEAP_ROOT && !heap->has_hole);
    bool is_last = buckets->count <= BUCKETS_HEAP_KEYS;
    while (buckets->used_levels != 0) {
        size_t level = (size_t)__builtin_ctz(buckets->used_levels);
        size_t digit = (size_t)__builtin_ctz(buckets->used_digits[level]);
        QueueBucket bucket = buckets->buckets[level * BUCKETS_DIGITS + digit];
        size_t count = bucket.fill - 1;
        bool is_small =
            chunk_next(&buckets->chunks, bucket.chunk) == CHUNK_NONE && count <= BUCKETS_OPEN_KEYS;
        if (heap_count(heap) > 0 && !is_last &&
            (!is_small || heap_count(heap) + count > BUCKETS_OPEN_KEYS)) {
            return true;
        }
        unsigned shift = (unsigned)level * BUCKETS_DIGIT_BITS;
        bucket = bucket_take(buckets, level, digit);
        if (is_small || is_last) {
            uint64_t above = buckets->base >> shift >> BUCKETS_DIGIT_BITS;
            buckets->limit = (above << BUCKETS_DIGIT_BITS | digit) + 1;
            buckets->limit <<= shift;
        } else {
            buckets->base = bucket_earliest(buckets, bucket);
            buckets->limit = buckets->base + 1;
        }
        *dropped += bucket_deal(buckets, bucket, heap, records);
    }
    CHECK(buckets->count == 0);
    buckets->limit = UINT64_MAX;
    return heap_count(heap) > 0;
}

void buckets_spill(QueueBuckets *buckets, QueueHeap *heap) {
    CHECK(heap_count(heap) > 0 && !heap->has_hole);
    uint64_t earliest = heap->keys[HEAP_ROOT].time;
    /* What was scheduled before the base, which is rare, stays in the heap. */
    buckets->base = buckets->count == 0 || earliest > buckets->base ? earliest : buckets->base;
    buckets->limit = buckets->base + 1;
    size_t end = HEAP_ROOT;
    for (size_t i = HEAP_ROOT; i < heap->end; i++) {
        QueueKey key = heap->keys[i];
        if (key.time >= buckets->limit) {
            buckets_push(buckets, key.time, key.tag);
        } else {
            heap->keys[end++] = key;
        }
    }
    CHECK(end > HEAP_ROOT); /* the earliest key has stayed */
    heap_rebuild(heap, end);
}

size_t buckets_sweep(QueueBuckets *buckets, const QueueRecord *records) {
    CHECK(records != NULL);
    size_t before = buckets->count;
    size_t dropped = 0;
    for (size_t i = 0; i < BUCKETS_LEVELS * BUCKETS_DIGITS; i++) {
        if (buckets->buckets[i].chunk != CHUNK_NONE) {
            QueueBucket taken = bucket_take(buckets, i / BUCKETS_DIGITS, i % BUCKETS_DIGITS);
            dropped += bucket_deal(buckets, taken, NULL, records);
        }
    }
    CHECK(before - buckets->count == dropped);
    return dropped;
}
