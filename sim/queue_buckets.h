/* The far future inside the event queue: a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, "Faster
 * algorithms for the shortest path problem", JACM 37 (1990)) in base 16. Only sim/queue*.c use it.
 *
 * A heap of 10^6 keys misses the cache on each level; buckets stream. A key goes to the bucket of
 * the highest hexadecimal digit in which its time differs from `base`, an instant at or before all
 * keys here, and of that digit's value. The first bucket that is not empty holds the earliest keys:
 * when it is small its keys go to the heap; when not it is dealt out to lower digits, with its
 * earliest time as the new base. A key moves about once for each digit that tells it from its
 * neighbours: 3 to 4 times for 10^6 keys. Each bucket is a list of chunks of 1 KiB, so memory is 16
 * bytes a key.
 *
 * Everything earlier than `limit` is in the heap, so the heap's root is the earliest of all as long
 * as the heap has one.
 */
#ifndef KNOCKON_SIM_QUEUE_BUCKETS_H
#define KNOCKON_SIM_QUEUE_BUCKETS_H

#include "sim/queue_chunks.h"

enum {
    BUCKETS_DIGIT_BITS = 4,
    BUCKETS_DIGITS = 1 << BUCKETS_DIGIT_BITS,
    BUCKETS_LEVELS = 64 / BUCKETS_DIGIT_BITS,
};

typedef struct QueueBucket {
    uint32_t chunk; /* the chunk being filled; the chunks behind it are full */
    uint32_t fill;  /* where in it the next key goes; CHUNK_KEYS when full or when there is none */
} QueueBucket;

typedef struct QueueBuckets {
    uint64_t limit; /* UINT64_MAX while everything is in the heap */
    uint64_t base;
    size_t count;         /* keys in all buckets */
    QueueChunks chunks;   /* timer classes borrow from it */
    uint32_t used_levels; /* one bit each */
    uint32_t used_digits[BUCKETS_LEVELS];
    QueueBucket buckets[BUCKETS_LEVELS * BUCKETS_DIGITS];
} QueueBuckets;

void buckets_init(QueueBuckets *buckets);
void buckets_free(QueueBuckets *buckets);
void buckets_copy(QueueBuckets *to, const QueueBuckets *from); /* `to` holds nothing before */

/* Moves the earliest keys to the heap, which is empty. False when there are none: then everything
 * goes to the heap from now on. `records`, unless NULL, tell which keys are dead: those may be
 * dropped on the way and are added to `dropped`. */
bool buckets_open(QueueBuckets *buckets, QueueHeap *heap, const struct QueueRecord *records,
                  size_t *dropped);

/* Moves all but the earliest keys from the heap to the buckets: for a heap that has become large.
 */
void buckets_spill(QueueBuckets *buckets, QueueHeap *heap);

/* Drops all dead keys and returns how many there were. */
size_t buckets_sweep(QueueBuckets *buckets, const struct QueueRecord *records);

/* Puts another chunk in front of a bucket's full one. */
void buckets_extend(QueueBuckets *buckets, size_t level, size_t digit);

/* Adds a key whose time is not before `limit`. */
static inline void buckets_push(QueueBuckets *buckets, uint64_t time, uint64_t tag) {
    DCHECK(time >= buckets->limit && time > buckets->base);
    unsigned top = 63 - (unsigned)__builtin_clzll(time ^ buckets->base);
    size_t level = top / BUCKETS_DIGIT_BITS;
    size_t digit = (time >> (level * BUCKETS_DIGIT_BITS)) % BUCKETS_DIGITS;
    QueueBucket *bucket = &buckets->buckets[level * BUCKETS_DIGITS + digit];
    if (__builtin_expect(bucket->fill == CHUNK_KEYS, 0)) {
        buckets_extend(buckets, level, digit);
    }
    QueueKey *place = &chunk_keys(&buckets->chunks, bucket->chunk)[bucket->fill++];
    place->time = time;
    place->tag = tag;
    buckets->count++;
}

#endif
