#include "sim/pool.h"

#include <string.h>
#include <sys/mman.h>

#include "sim/vec.h"

void pool_init(Pool *pool, size_t record_size, uint32_t limit) {
    CHECK(record_size > 0 && record_size % sizeof(uint32_t) == 0 && limit > 0 && limit < POOL_FULL);
    *pool = (Pool){.record_size = record_size, .limit = limit, .first_free = POOL_FULL};
    void *records = mmap(NULL, record_size * limit, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (records == MAP_FAILED) {
        mem_out();
    }
    pool->records = records;
}

void pool_free(Pool *pool) {
    CHECK(pool->records != NULL);
    munmap(pool->records, pool->record_size * pool->limit);
    pool->records = NULL;
}

void pool_copy(Pool *to, const Pool *from) {
    CHECK(to->record_size == from->record_size && to->limit == from->limit);
    unsigned char *records = to->records;
    CHECK(records != NULL && records != from->records);
    memcpy(records, from->records, from->record_size * from->slot_end);
    *to = *from;
    to->records = records;
}
