#include "sim/queue_chunks.h"

#include <string.h>

#include "sim/check.h"
#include "sim/queue.h"

enum { CHUNKS_FIRST_CAPACITY = 64 };

void chunks_init(QueueChunks *chunks) {
    CHECK(chunks != NULL);
    *chunks = (QueueChunks){.first_free = CHUNK_NONE};
}

void chunks_free(QueueChunks *chunks) {
    CHECK(chunks != NULL);
    mem_free(chunks->keys);
    *chunks = (QueueChunks){0};
}

static void chunks_set_capacity(QueueChunks *chunks, size_t count) {
    size_t grown = chunks->capacity == 0 ? CHUNKS_FIRST_CAPACITY : chunks->capacity;
    while (grown < count) {
        grown *= 2;
    }
    if (grown > chunks->capacity) {
        CHECK(grown < CHUNK_NONE);
        chunks->keys = mem_resize(chunks->keys, grown * CHUNK_KEYS * sizeof *chunks->keys);
        chunks->capacity = (uint32_t)grown;
    }
}

void chunks_copy(QueueChunks *to, const QueueChunks *from) {
    CHECK(to != from);
    *to = *from;
    to->keys = NULL;
    to->capacity = 0;
    if (from->count > 0) {
        chunks_set_capacity(to, from->count);
        memcpy(to->keys, from->keys, (size_t)from->count * CHUNK_KEYS * sizeof *to->keys);
    }
}

void chunks_reserve(QueueChunks *chunks, size_t keys) {
    CHECK(chunks != NULL);
    chunks_set_capacity(chunks, keys / (CHUNK_KEYS - 1) + 1);
}

uint32_t chunk_take(QueueChunks *chunks, uint32_t next) {
    uint32_t chunk = chunks->first_free;
    if (chunk != CHUNK_NONE) {
        chunks->first_free = chunk_next(chunks, chunk);
    } else {
        if (chunks->count == chunks->capacity) {
            chunks_set_capacity(chunks, (size_t)chunks->capacity + 1);
        }
        CHECK(chunks->count < chunks->capacity);
        chunk = chunks->count++;
    }
    chunk_keys(chunks, chunk)->time = next;
    return chunk;
}

void chunk_give(QueueChunks *chunks, uint32_t chunk) {
    CHECK(chunk < chunks->count);
    chunk_keys(chunks, chunk)->time = chunks->first_free;
    chunks->first_free = chunk;
}

/* Without a branch, for which key is dead is as good as random. */
size_t keys_keep_live(QueueKey *keys, size_t count, const QueueRecord *records) {
    CHECK(records != NULL);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        QueueKey key = keys[i];
        keys[kept] = key;
        kept += records[key.tag & QUEUE_SLOT_MASK].tag == key.tag;
    }
    return kept;
}

void fifo_init(QueueFifo *fifo) {
    CHECK(fifo != NULL);
    *fifo =
        (QueueFifo){.first_chunk = CHUNK_NONE, .last_chunk = CHUNK_NONE, .last_fill = CHUNK_KEYS};
}

void fifo_extend(QueueFifo *fifo, QueueChunks *chunks) {
    CHECK(fifo->last_fill == CHUNK_KEYS);
    uint32_t chunk = chunk_take(chunks, CHUNK_NONE);
    if (fifo->last_chunk == CHUNK_NONE) {
        fifo->first_chunk = chunk;
        fifo->first_at = 1;
    } else {
        chunk_keys(chunks, fifo->last_chunk)->time = chunk;
    }
    fifo->last_chunk = chunk;
    fifo->last_fill = 1;
}

void fifo_leave_chunk(QueueFifo *fifo, QueueChunks *chunks) {
    if (fifo->count == 0) {
        CHECK(fifo->first_chunk == fifo->last_chunk);
        fifo->first_at = fifo->last_fill = 1;
        return;
    }
    uint32_t chunk = fifo->first_chunk;
    fifo->first_chunk = chunk_next(chunks, chunk);
    fifo->first_at = 1;
    CHECK(fifo->first_chunk != CHUNK_NONE);
    chunk_give(chunks, chunk);
}

void fifo_sweep(QueueFifo *fifo, QueueChunks *chunks, const QueueRecord *records) {
    CHECK(fifo->count > 0);
    QueueFifo old = *fifo;
    fifo_init(fifo);
    for (uint32_t chunk = old.first_chunk; chunk != CHUNK_NONE;) {
        uint32_t first_at = chunk == old.first_chunk ? old.first_at : 1;
        uint32_t end = chunk == old.last_chunk ? old.last_fill : CHUNK_KEYS;
        QueueKey keys[CHUNK_KEYS];
        memcpy(keys, &chunk_keys(chunks, chunk)[first_at], (end - first_at) * sizeof *keys);
        uint32_t next = chunk_next(chunks, chunk);
        chunk_give(chunks, chunk);
        size_t kept = keys_keep_live(keys, end - first_at, records);
        for (size_t i = 0; i < kept; i++) {
            fifo_push(fifo, chunks, keys[i].time, keys[i].tag);
        }
        chunk = next;
    }
    CHECK(fifo->count < old.count);
}
