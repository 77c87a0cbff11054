/* Lists of keys inside the event queue, in chunks of 1 KiB from one array. Only sim/queue*.c use
 * it.
 *
 * A chunk is 63 keys after a link to another chunk. Keys are written and read in a stream, which is
 * what makes the far future cheap: 16 bytes a key and no cache miss worth the name. A chunk given
 * back is taken first, while it is in the cache.
 */
#ifndef KNOCKON_SIM_QUEUE_CHUNKS_H
#define KNOCKON_SIM_QUEUE_CHUNKS_H

#include "sim/check.h"
#include "sim/queue_heap.h"

enum { CHUNK_KEYS = 64 };

#define CHUNK_NONE UINT32_MAX

typedef struct QueueChunks {
    QueueKey *keys;
    uint32_t count; /* chunks ever taken */
    uint32_t capacity;
    uint32_t first_free;
} QueueChunks;

/* Keys in the order of their times: what a timer class is. */
typedef struct QueueFifo {
    size_t count;         /* keys, dead ones included */
    uint32_t first_chunk; /* CHUNK_NONE before the first push */
    uint32_t first_at;    /* of the first key in its chunk */
    uint32_t last_chunk;
    uint32_t last_fill; /* where in it the next key goes; CHUNK_KEYS when it is full */
} QueueFifo;

struct QueueRecord;

void chunks_init(QueueChunks *chunks);
void chunks_free(QueueChunks *chunks);
void chunks_copy(QueueChunks *to, const QueueChunks *from); /* `to` holds nothing before */
void chunks_reserve(QueueChunks *chunks, size_t keys);

/* Takes a chunk that links to `next`. */
uint32_t chunk_take(QueueChunks *chunks, uint32_t next);
void chunk_give(QueueChunks *chunks, uint32_t chunk);

static inline QueueKey *chunk_keys(const QueueChunks *chunks, uint32_t chunk) {
    DCHECK(chunk < chunks->count);
    return &chunks->keys[(size_t)chunk * CHUNK_KEYS];
}

static inline uint32_t chunk_next(const QueueChunks *chunks, uint32_t chunk) {
    DCHECK(chunk_keys(chunks, chunk)->time <= CHUNK_NONE);
    return (uint32_t)chunk_keys(chunks, chunk)->time;
}

/* Moves the keys whose event is pending to the front and returns how many they are. */
size_t keys_keep_live(QueueKey *keys, size_t count, const struct QueueRecord *records);

void fifo_init(QueueFifo *fifo);

/* Makes room behind a full chunk: for fifo_push alone. */
void fifo_extend(QueueFifo *fifo, QueueChunks *chunks);

/* Leaves a chunk that has been read: for fifo_drop alone. */
void fifo_leave_chunk(QueueFifo *fifo, QueueChunks *chunks);

/* Drops all dead keys. */
void fifo_sweep(QueueFifo *fifo, QueueChunks *chunks, const struct QueueRecord *records);

static inline void fifo_push(QueueFifo *fifo, QueueChunks *chunks, uint64_t time, uint64_t tag) {
    DCHECK(fifo->last_fill >= 1 && fifo->last_fill <= CHUNK_KEYS);
    if (__builtin_expect(fifo->last_fill == CHUNK_KEYS, 0)) {
        fifo_extend(fifo, chunks);
    }
    QueueKey *place = &chunk_keys(chunks, fifo->last_chunk)[fifo->last_fill++];
    place->time = time;
    place->tag = tag;
    fifo->count++;
}

/* The first key; there must be one. */
static inline QueueKey fifo_first(const QueueFifo *fifo, const QueueChunks *chunks) {
    DCHECK(fifo->count > 0 && fifo->first_at < CHUNK_KEYS);
    return chunk_keys(chunks, fifo->first_chunk)[fifo->first_at];
}

/* Removes the first key. */
static inline void fifo_drop(QueueFifo *fifo, QueueChunks *chunks) {
    DCHECK(fifo->count > 0);
    fifo->first_at++;
    fifo->count--;
    if (__builtin_expect(fifo->first_at == CHUNK_KEYS || fifo->count == 0, 0)) {
        fifo_leave_chunk(fifo, chunks);
    }
}

#endif
