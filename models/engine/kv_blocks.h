/* The KV blocks of one replica, and what of them can be found again: vLLM's block pool
 * (vllm/v1/core/block_pool.py and kv_cache_manager.py; docs/inference.md section 1).
 *
 * A block is free or in use. What was computed in it stays readable after it is freed until it is
 * taken anew: free blocks form a list, the longest free first, from whose front blocks are taken. A
 * block whose content others may look for is *published* under a key that names the whole prefix up
 * to its end; its predecessor is remembered, so that who holds the last block of a prefix holds
 * them all. Blocks that nobody can look for are *private* and interchangeable: a sequence only
 * counts its own.
 *
 * Everything lies in one block of memory of kv_blocks_size bytes and refers to itself by index.
 * Zeroed memory with kv_blocks_init is a pool whose blocks are all free and empty; blocks that were
 * never used are not touched. Taking, giving and finding are O(1), some 5 to 20 ns.
 */
#ifndef KNOCKON_MODELS_ENGINE_KV_BLOCKS_H
#define KNOCKON_MODELS_ENGINE_KV_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KV_NONE UINT32_MAX

typedef struct KvBlock {
    uint64_t key;        /* 0: not published */
    uint32_t parent;     /* of a published block: the one before it in its prefix; KV_NONE */
    uint32_t chain;      /* next published block of the same hash bucket */
    uint32_t next, prev; /* neighbours among the free; `next` of a private block in use: another */
    uint32_t holders;    /* sequences that hold a published block; 0: it is free */
} KvBlock;

typedef struct KvBlocks {
    uint32_t block_count;
    uint32_t free_count;
    uint32_t fresh;          /* blocks from here on were never used; they are taken first */
    uint32_t oldest, newest; /* of the free that were used; KV_NONE */
    uint32_t private_top;    /* a private block in use; KV_NONE */
    uint32_t bucket_mask;    /* buckets of the table of keys, less 1; 0: nothing is kept */
    size_t buckets_offset;   /* of the table from the start of this struct, in bytes */
} KvBlocks;

/* Bytes for `block_count` blocks; without a cache only their number is kept. */
size_t kv_blocks_size(uint32_t block_count, bool has_cache);
void kv_blocks_init(KvBlocks *kv, uint32_t block_count, bool has_cache);

/* Takes free blocks as private ones, the longest free first; what was published in them is lost. */
void kv_take(KvBlocks *kv, uint32_t count);

/* Private blocks are free again. */
void kv_give(KvBlocks *kv, uint32_t count);

/* The published block of a key, free or held; KV_NONE. */
uint32_t kv_find(const KvBlocks *kv, uint64_t key);

static inline KvBlock *kv_block(const KvBlocks *kv, uint32_t block) {
    return (KvBlock *)(uintptr_t)(kv + 1) + block;
}

/* One more sequence holds a published block; it may have been free. */
void kv_hold(KvBlocks *kv, uint32_t block);

/* Makes one private block the published one of `key`, held once, and returns it. When the key is
 * published already that block is held instead and the private one is free again. */
uint32_t kv_publish(KvBlocks *kv, uint64_t key, uint32_t parent);

/* Lets go of a published block and all before it, the last first: so the start of a prefix stays
 * longest. KV_NONE: of nothing. */
void kv_release(KvBlocks *kv, uint32_t last);

/* All blocks are free and empty: a restart. */
void kv_clear(KvBlocks *kv);

/* The counts agree with the lists; CHECKs, O(n). */
void kv_check(const KvBlocks *kv);

#endif
