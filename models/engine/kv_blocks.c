#include "models/engine/kv_blocks.h"

#include <string.h>

#include "sim/check.h"
#include "sim/rng.h"

/* Shaped for runs of several blocks; should each have one, buckets hold four of them. */
static uint32_t bucket_count_for(uint32_t block_count) {
    uint32_t count = 256;
    while (count < block_count / 4) {
        count *= 2;
    }
    CHECK(count > 0);
    return count;
}

size_t kv_blocks_size(uint32_t block_count, bool has_cache) {
    CHECK(block_count < KV_NONE);
    if (!has_cache) {
        return sizeof(KvBlocks);
    }
    return sizeof(KvBlocks) + block_count * sizeof(KvRun) +
           bucket_count_for(block_count) * sizeof(uint32_t);
}

static KvRun *run_at(const KvBlocks *kv, uint32_t run) {
    DCHECK(run < kv->record_end);
    return (KvRun *)(uintptr_t)(kv + 1) + run;
}

/* ---- Records: there are never more than blocks, because each that is in use has one or more */

static uint32_t record_take(KvBlocks *kv) {
    uint32_t record = kv->unused;
    if (record == KV_NONE) {
        CHECK(kv->record_end < kv->block_count);
        return kv->record_end++;
    }
    kv->unused = run_at(kv, record)->next;
    return record;
}

static void record_give(KvBlocks *kv, uint32_t record) {
    CHECK(run_at(kv, record)->count == 0);
    run_at(kv, record)->next = kv->unused;
    kv->unused = record;
}

/* ---- The row of the free */

static void free_append(KvBlocks *kv, uint32_t run) {
    KvRun *at = run_at(kv, run);
    at->next = KV_NONE;
    at->prev = kv->newest;
    if (kv->newest == KV_NONE) {
        kv->oldest = run;
    } else {
        run_at(kv, kv->newest)->next = run;
    }
    kv->newest = run;
    kv->free_count += at->count;
    CHECK(at->count > 0 && kv->free_count <= kv->block_count);
}

static void free_unlink(KvBlocks *kv, uint32_t run) {
    const KvRun *at = run_at(kv, run);
    if (at->prev == KV_NONE) {
        kv->oldest = at->next;
    } else {
        run_at(kv, at->prev)->next = at->next;
    }
    if (at->next == KV_NONE) {
        kv->newest = at->prev;
    } else {
        run_at(kv, at->next)->prev = at->prev;
    }
    CHECK(kv->free_count >= at->count);
    kv->free_count -= at->count;
}

/* ---- The table of names: each run is found by that of its first block */

/* Buckets hold a run's index plus 1, so that zeroed memory is an empty table. */
static uint32_t *bucket_of(const KvBlocks *kv, uint64_t owner, uint32_t first) {
    DCHECK(kv->bucket_mask > 0);
    uint32_t *buckets = (uint32_t *)(uintptr_t)((const char *)kv + kv->buckets_offset);
    return &buckets[rng_mix(owner + first) & kv->bucket_mask];
}

static void name_add(KvBlocks *kv, uint32_t run) {
    KvRun *at = run_at(kv, run);
    uint32_t *bucket = bucket_of(kv, at->owner, at->first);
    CHECK(at->first != KV_NONE);
    at->chain = *bucket;
    *bucket = run + 1;
}

static void name_remove(KvBlocks *kv, uint32_t run) {
    const KvRun *at = run_at(kv, run);
    uint32_t *link = bucket_of(kv, at->owner, at->first);
    while (*link != run + 1) {
        CHECK(*link != 0);
        link = &run_at(kv, *link - 1)->chain;
    }
    *link = at->chain;
}

/* The run that begins with this block; KV_NONE. */
static uint32_t find(const KvBlocks *kv, uint64_t owner, uint32_t first) {
    uint32_t link = *bucket_of(kv, owner, first);
    while (link != 0) {
        const KvRun *at = run_at(kv, link - 1);
        if (at->owner == owner && at->first == first) {
            break;
        }
        link = at->chain;
    }
    CHECK(link <= kv->record_end);
    return link - 1; /* 0 becomes KV_NONE */
}

/* ---- Private blocks */

/* They come without names: one record if the latest to be freed had none either. */
static void append_nameless(KvBlocks *kv, uint32_t count) {
    CHECK(count > 0);
    if (kv->newest != KV_NONE && run_at(kv, kv->newest)->first == KV_NONE) {
        run_at(kv, kv->newest)->count += count;
        kv->free_count += count;
        return;
    }
    uint32_t run = record_take(kv);
    *run_at(kv, run) = (KvRun){.first = KV_NONE, .count = count, .before = KV_NONE};
    free_append(kv, run);
}

void kv_blocks_init(KvBlocks *kv, uint32_t block_count, bool has_cache) {
    CHECK(block_count > 0 && block_count < KV_NONE);
    *kv = (KvBlocks){
        .block_count = block_count, .oldest = KV_NONE, .newest = KV_NONE, .unused = KV_NONE};
    if (has_cache) {
        kv->bucket_mask = bucket_count_for(block_count) - 1;
        kv->buckets_offset = sizeof(KvBlocks) + block_count * sizeof(KvRun);
        append_nameless(kv, block_count);
    } else {
        kv->free_count = block_count;
    }
}

/* Of a run the last blocks are taken first, which its name survives. */
static void take_oldest(KvBlocks *kv, uint32_t count) {
    uint32_t run = kv->oldest;
    KvRun *at = run_at(kv, run);
    CHECK(count <= at->count);
    if (count < at->count) {
        at->count -= count;
        kv->free_count -= count;
        return;
    }
    free_unlink(kv, run);
    if (at->first != KV_NONE) {
        name_remove(kv, run);
    }
    at->count = 0;
    record_give(kv, run);
}

void kv_take(KvBlocks *kv, uint32_t count) {
    CHECK(count <= kv->free_count);
    if (kv->bucket_mask == 0) {
        kv->free_count -= count;
        return;
    }
    while (count > 0) {
        uint32_t there = run_at(kv, kv->oldest)->count;
        uint32_t part = count < there ? count : there;
        take_oldest(kv, part);
        count -= part;
    }
}

void kv_give(KvBlocks *kv, uint32_t count) {
    CHECK(count <= kv->block_count - kv->free_count);
    if (kv->bucket_mask == 0) {
        kv->free_count += count;
    } else if (count > 0) {
        append_nameless(kv, count);
    }
}

/* ---- Published blocks */

uint32_t kv_match(const KvBlocks *kv, PromptRun blocks, uint32_t *free_count) {
    uint32_t found = 0;
    CHECK(kv->bucket_mask > 0);
    while (found < blocks.count) {
        uint32_t run = find(kv, blocks.owner, blocks.first + found);
        if (run == KV_NONE) {
            break;
        }
        const KvRun *at = run_at(kv, run);
        uint32_t left = blocks.count - found;
        uint32_t part = at->count < left ? at->count : left;
        *free_count += at->holders == 0 ? part : 0;
        found += part;
    }
    return found;
}

/* Makes the first blocks of a run one of their own. It is not in the row of the free, although its
 * blocks may be: the caller holds it. Who holds the run goes on holding it last. */
static uint32_t split_off(KvBlocks *kv, uint32_t run, uint32_t count) {
    uint32_t head = record_take(kv);
    KvRun *at = run_at(kv, run);
    CHECK(count > 0 && count < at->count);
    name_remove(kv, run);
    *run_at(kv, head) = *at;
    run_at(kv, head)->count = count;
    at->first += count;
    at->count -= count;
    at->before = head;
    name_add(kv, head);
    name_add(kv, run);
    return head;
}

/* Holds up to `count` first blocks of a run; returns the run that consists of them. */
static uint32_t hold_first(KvBlocks *kv, uint32_t run, uint32_t count, uint32_t before) {
    bool is_free = run_at(kv, run)->holders == 0;
    if (count < run_at(kv, run)->count) {
        run = split_off(kv, run, count);
        kv->free_count -= is_free ? count : 0;
    } else if (is_free) {
        free_unlink(kv, run);
    }
    CHECK(run_at(kv, run)->before == before);
    run_at(kv, run)->holders++;
    return run;
}

uint32_t kv_hold(KvBlocks *kv, PromptRun blocks, uint32_t before) {
    while (blocks.count > 0) {
        uint32_t run = find(kv, blocks.owner, blocks.first);
        CHECK(run != KV_NONE);
        before = hold_first(kv, run, blocks.count, before);
        blocks.first += run_at(kv, before)->count;
        blocks.count -= run_at(kv, before)->count;
    }
    return before;
}

uint32_t kv_publish(KvBlocks *kv, PromptRun blocks, uint32_t before) {
    CHECK(kv->bucket_mask > 0 && blocks.count <= kv->block_count - kv->free_count);
    uint32_t none = 0;
    uint32_t there = kv_match(kv, blocks, &none);
    if (there > 0) {
        before = kv_hold(kv, (PromptRun){blocks.owner, blocks.first, there}, before);
        append_nameless(kv, there);
    }
    if (there == blocks.count) {
        return before;
    }
    uint32_t run = record_take(kv);
    *run_at(kv, run) = (KvRun){.owner = blocks.owner,
                               .first = blocks.first + there,
                               .count = blocks.count - there,
                               .before = before,
                               .holders = 1};
    name_add(kv, run);
    return run;
}

void kv_release(KvBlocks *kv, uint32_t last) {
    while (last != KV_NONE) {
        KvRun *at = run_at(kv, last);
        uint32_t before = at->before;
        CHECK(at->holders > 0);
        if (--at->holders == 0) {
            free_append(kv, last);
        }
        last = before;
    }
}

void kv_clear(KvBlocks *kv) {
    bool has_cache = kv->bucket_mask > 0;
    CHECK(kv->block_count > 0);
    if (has_cache) {
        memset((char *)kv + kv->buckets_offset, 0,
               ((size_t)kv->bucket_mask + 1) * sizeof(uint32_t));
    }
    kv_blocks_init(kv, kv->block_count, has_cache);
}

/* ---- Invariants */

static uint32_t check_row(const KvBlocks *kv) {
    uint32_t run_count = 0, block_count = 0, before = KV_NONE;
    for (uint32_t run = kv->oldest; run != KV_NONE; run = run_at(kv, run)->next) {
        const KvRun *at = run_at(kv, run);
        CHECK(at->prev == before && at->holders == 0 && at->count > 0);
        run_count++;
        CHECK(run_count <= kv->record_end);
        block_count += at->count;
        before = run;
    }
    CHECK(before == kv->newest && block_count == kv->free_count);
    return run_count;
}

uint64_t kv_held_by(const KvBlocks *kv, uint32_t last) {
    uint64_t count = 0;
    for (; last != KV_NONE; last = run_at(kv, last)->before) {
        CHECK(run_at(kv, last)->holders > 0);
        count += run_at(kv, last)->count;
    }
    return count;
}

KvCensus kv_check(const KvBlocks *kv) {
    KvCensus census = {.private_count = kv->block_count - kv->free_count};
    CHECK(kv->free_count <= kv->block_count);
    if (kv->bucket_mask == 0) {
        return census;
    }
    uint32_t free_runs = check_row(kv);
    uint64_t block_count = 0;
    for (uint32_t run = 0; run < kv->record_end; run++) {
        const KvRun *at = run_at(kv, run);
        if (at->count > 0) {
            CHECK(at->first == KV_NONE || find(kv, at->owner, at->first) == run);
            CHECK(at->holders == 0 || at->before == KV_NONE ||
                  run_at(kv, at->before)->holders >= at->holders);
            block_count += at->count;
            free_runs -= at->holders == 0;
            census.private_count -= at->holders > 0 ? at->count : 0;
            census.held_count += (uint64_t)at->holders * at->count;
        }
    }
    CHECK(free_runs == 0 && block_count <= kv->block_count);
    return census;
}
