#include "models/engine/kv_blocks.h"

#include <string.h>

#include "sim/check.h"

static uint32_t bucket_count_for(uint32_t block_count) {
    uint32_t count = 1024;
    while (count < block_count && count < UINT32_C(1) << 31) {
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
    return sizeof(KvBlocks) + block_count * sizeof(KvBlock) +
           bucket_count_for(block_count) * sizeof(uint32_t);
}

/* Buckets hold a block's index plus 1, so that zeroed memory is an empty table. */
static uint32_t *kv_bucket(const KvBlocks *kv, uint64_t key) {
    DCHECK(kv->bucket_mask > 0 && key != 0);
    uint32_t *buckets = (uint32_t *)(uintptr_t)((const char *)kv + kv->buckets_offset);
    return &buckets[key & kv->bucket_mask];
}

void kv_blocks_init(KvBlocks *kv, uint32_t block_count, bool has_cache) {
    CHECK(block_count > 0 && block_count < KV_NONE);
    *kv = (KvBlocks){.block_count = block_count,
                     .free_count = block_count,
                     .oldest = KV_NONE,
                     .newest = KV_NONE,
                     .private_top = KV_NONE};
    if (has_cache) {
        kv->bucket_mask = bucket_count_for(block_count) - 1;
        kv->buckets_offset = sizeof(KvBlocks) + block_count * sizeof(KvBlock);
    }
}

/* ---- The list of free blocks */

static void free_append(KvBlocks *kv, uint32_t block) {
    KvBlock *at = kv_block(kv, block);
    at->next = KV_NONE;
    at->prev = kv->newest;
    if (kv->newest == KV_NONE) {
        kv->oldest = block;
    } else {
        kv_block(kv, kv->newest)->next = block;
    }
    kv->newest = block;
    kv->free_count++;
    DCHECK(kv->free_count <= kv->block_count);
}

static void free_unlink(KvBlocks *kv, uint32_t block) {
    const KvBlock *at = kv_block(kv, block);
    CHECK(kv->free_count > 0);
    if (at->prev == KV_NONE) {
        kv->oldest = at->next;
    } else {
        kv_block(kv, at->prev)->next = at->next;
    }
    if (at->next == KV_NONE) {
        kv->newest = at->prev;
    } else {
        kv_block(kv, at->next)->prev = at->prev;
    }
    kv->free_count--;
}

/* ---- The table of keys */

static void unpublish(KvBlocks *kv, uint32_t block) {
    KvBlock *at = kv_block(kv, block);
    CHECK(at->key != 0 && at->holders == 0);
    uint32_t *link = kv_bucket(kv, at->key);
    while (*link != block + 1) {
        CHECK(*link != 0);
        link = &kv_block(kv, *link - 1)->chain;
    }
    *link = at->chain;
    at->key = 0;
}

uint32_t kv_find(const KvBlocks *kv, uint64_t key) {
    DCHECK(key != 0);
    if (kv->bucket_mask == 0) {
        return KV_NONE;
    }
    uint32_t at = *kv_bucket(kv, key);
    while (at != 0 && kv_block(kv, at - 1)->key != key) {
        at = kv_block(kv, at - 1)->chain;
    }
    return at - 1; /* 0 becomes KV_NONE */
}

/* ---- Private blocks */

static uint32_t take_one(KvBlocks *kv) {
    if (kv->fresh < kv->block_count) {
        kv->free_count--;
        return kv->fresh++;
    }
    uint32_t block = kv->oldest;
    CHECK(block != KV_NONE);
    free_unlink(kv, block);
    if (kv_block(kv, block)->key != 0) {
        unpublish(kv, block);
    }
    return block;
}

void kv_take(KvBlocks *kv, uint32_t count) {
    CHECK(count <= kv->free_count);
    if (kv->bucket_mask == 0) {
        kv->free_count -= count;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t block = take_one(kv);
        kv_block(kv, block)->next = kv->private_top;
        kv->private_top = block;
    }
}

static uint32_t private_pop(KvBlocks *kv) {
    uint32_t block = kv->private_top;
    CHECK(block != KV_NONE);
    kv->private_top = kv_block(kv, block)->next;
    return block;
}

void kv_give(KvBlocks *kv, uint32_t count) {
    CHECK(count <= kv->block_count - kv->free_count);
    if (kv->bucket_mask == 0) {
        kv->free_count += count;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        free_append(kv, private_pop(kv));
    }
}

/* ---- Published blocks */

void kv_hold(KvBlocks *kv, uint32_t block) {
    KvBlock *at = kv_block(kv, block);
    CHECK(at->key != 0);
    if (at->holders == 0) {
        free_unlink(kv, block);
    }
    at->holders++;
}

uint32_t kv_publish(KvBlocks *kv, uint64_t key, uint32_t parent) {
    uint32_t there = kv_find(kv, key);
    uint32_t block = private_pop(kv);
    CHECK(kv->bucket_mask > 0);
    if (there != KV_NONE) {
        kv_hold(kv, there);
        free_append(kv, block);
        return there;
    }
    uint32_t *bucket = kv_bucket(kv, key);
    *kv_block(kv, block) = (KvBlock){.key = key, .parent = parent, .chain = *bucket, .holders = 1};
    *bucket = block + 1;
    return block;
}

void kv_release(KvBlocks *kv, uint32_t last) {
    while (last != KV_NONE) {
        KvBlock *at = kv_block(kv, last);
        uint32_t parent = at->parent;
        CHECK(at->holders > 0);
        if (--at->holders == 0) {
            free_append(kv, last);
        }
        last = parent;
    }
}

void kv_clear(KvBlocks *kv) {
    bool has_cache = kv->bucket_mask > 0;
    CHECK(kv->block_count > 0);
    if (has_cache) {
        memset(kv + 1, 0, kv->fresh * sizeof(KvBlock));
        memset((char *)kv + kv->buckets_offset, 0,
               ((size_t)kv->bucket_mask + 1) * sizeof(uint32_t));
    }
    kv_blocks_init(kv, kv->block_count, has_cache);
}

void kv_check(const KvBlocks *kv) {
    CHECK(kv->free_count <= kv->block_count);
    if (kv->bucket_mask == 0) {
        return;
    }
    uint32_t listed_count = kv->block_count - kv->fresh, before = KV_NONE;
    for (uint32_t at = kv->oldest; at != KV_NONE; at = kv_block(kv, at)->next) {
        CHECK(kv_block(kv, at)->prev == before && kv_block(kv, at)->holders == 0);
        CHECK(kv_block(kv, at)->key == 0 || kv_find(kv, kv_block(kv, at)->key) == at);
        CHECK(++listed_count <= kv->free_count);
        before = at;
    }
    CHECK(before == kv->newest && listed_count == kv->free_count);
}
