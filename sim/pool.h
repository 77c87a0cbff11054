/* Pools of records of one size, addressed by 32-bit slot.
 *
 * Address space for the whole limit is reserved at the start and touched only as far as it is used,
 * so taking a record never moves the others: a pointer is good until its slot is given back, and
 * the hot loop allocates nothing. Slots are reused last in, first out, which keeps what is in use
 * close together and warm in the cache. Taking and giving are O(1). A record is not cleared when it
 * is taken; the first bytes of a free one hold the list of free slots, all others stay as they were
 * left.
 */
#ifndef KNOCKON_SIM_POOL_H
#define KNOCKON_SIM_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "sim/check.h"

#define POOL_FULL UINT32_MAX

typedef struct Pool {
    unsigned char *records;
    size_t record_size;
    uint32_t limit;
    uint32_t slot_end;   /* slots used so far: those in use are below */
    uint32_t first_free; /* POOL_FULL: none below slot_end */
    uint32_t live_count;
} Pool;

/* Room for `limit` records (below 2^32 - 1) of `record_size` bytes, a multiple of 4. */
void pool_init(Pool *pool, size_t record_size, uint32_t limit);
void pool_free(Pool *pool);

/* Makes `to`, an initialised pool of the same size and limit, the equal of `from`. */
void pool_copy(Pool *to, const Pool *from);

static inline void *pool_at(const Pool *pool, uint32_t slot) {
    DCHECK(slot < pool->slot_end);
    return pool->records + (size_t)slot * pool->record_size;
}

/* A slot, or POOL_FULL at the limit. */
static inline uint32_t pool_take(Pool *pool) {
    uint32_t slot = pool->first_free;
    if (slot != POOL_FULL) {
        pool->first_free = *(const uint32_t *)pool_at(pool, slot);
        DCHECK(pool->first_free == POOL_FULL || pool->first_free < pool->slot_end);
    } else if (pool->slot_end < pool->limit) {
        slot = pool->slot_end++;
    } else {
        return POOL_FULL;
    }
    pool->live_count++;
    return slot;
}

/* Gives a slot back; it must be in use. */
static inline void pool_give(Pool *pool, uint32_t slot) {
    CHECK(pool->live_count > 0 && slot < pool->slot_end);
    *(uint32_t *)pool_at(pool, slot) = pool->first_free;
    pool->first_free = slot;
    pool->live_count--;
}

static inline uint32_t pool_live_count(const Pool *pool) {
    DCHECK(pool->live_count <= pool->slot_end);
    return pool->live_count;
}

/* All slots that were ever in use are below this: the most that were in use at one time. */
static inline uint32_t pool_slot_end(const Pool *pool) {
    DCHECK(pool->slot_end <= pool->limit);
    return pool->slot_end;
}

#endif
