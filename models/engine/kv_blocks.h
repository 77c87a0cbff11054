/* The KV blocks of one replica, and what of them can be found again: vLLM's block pool
 * (vllm/v1/core/block_pool.py and kv_cache_manager.py; docs/inference.md section 1).
 *
 * A block is free or in use. What was computed in it stays readable after it is freed until it is
 * taken anew: the free stand in a row, the longest free first, from whose front blocks are taken. A
 * block whose content others may look for is *published* under its name (models/prompt.h), which
 * stands for the whole prefix up to its end. Blocks that nobody can look for are *private* and
 * interchangeable: a sequence only counts its own.
 *
 * There are no records of blocks but of runs of them: published blocks that follow each other, have
 * one owner and the same holders; or neighbours in the row of the free that have no names. A run is
 * split where somebody holds only its beginning. Who holds the last run of a prefix holds all
 * before it and lets go of all at once; the last block is then the first in the row, and the first
 * to be taken. Therefore, where a block is not there none behind it is.
 *
 * Everything lies in one block of memory of kv_blocks_size bytes and refers to itself by index;
 * what was never used of it is not touched. An operation costs 5 to 20 ns for each run, and a
 * prompt of thousands of tokens is two or three runs, or one for each hash id.
 */
#ifndef KNOCKON_MODELS_ENGINE_KV_BLOCKS_H
#define KNOCKON_MODELS_ENGINE_KV_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/prompt.h"

#define KV_NONE UINT32_MAX

typedef struct KvRun {
    uint64_t owner;
    uint32_t first;      /* of its blocks, as the owner counts them; KV_NONE: they have no names */
    uint32_t count;      /* of blocks; 0: the record is not in use */
    uint32_t before;     /* the run before it in its prefix; KV_NONE */
    uint32_t chain;      /* next run of the same hash bucket, counted from 1; 0: none */
    uint32_t next, prev; /* neighbours in the row of the free; `next` of records not in use */
    uint32_t holders;    /* sequences that hold it; 0: it is free */
} KvRun;

typedef struct KvBlocks {
    uint32_t block_count;
    uint32_t free_count;
    uint32_t oldest, newest; /* runs of the free; KV_NONE */
    uint32_t record_end;     /* records from here on were never used */
    uint32_t unused;         /* record that is used no more, first of a list; KV_NONE */
    uint32_t bucket_mask;    /* buckets of the table of names, less 1; 0: nothing is kept */
    size_t buckets_offset;   /* of the table from the start of this struct, in bytes */
} KvBlocks;

/* Bytes for `block_count` blocks; without a cache only their number is kept. */
size_t kv_blocks_size(uint32_t block_count, bool has_cache);

/* All blocks are free and empty. In zeroed memory. */
void kv_blocks_init(KvBlocks *kv, uint32_t block_count, bool has_cache);

/* Takes free blocks as private ones, the longest free first; what was published in them is lost. */
void kv_take(KvBlocks *kv, uint32_t count);

/* Private blocks are free again. */
void kv_give(KvBlocks *kv, uint32_t count);

/* How many of the blocks, from the first on, are published; those of them that are free are added
 * to `free_count`. */
uint32_t kv_match(const KvBlocks *kv, PromptRun blocks, uint32_t *free_count);

/* One more sequence, which holds `before` last (KV_NONE: nothing), holds these blocks, which are
 * published. Returns what it then holds last. */
uint32_t kv_hold(KvBlocks *kv, PromptRun blocks, uint32_t before);

/* The same for blocks that it has computed in as many private ones. Those that are published
 * already are held instead, and as many private ones are free again. */
uint32_t kv_publish(KvBlocks *kv, PromptRun blocks, uint32_t before);

/* Lets go of all that a sequence holds, by the last. KV_NONE: of nothing. */
void kv_release(KvBlocks *kv, uint32_t last);

/* All blocks are free and empty: a restart. */
void kv_clear(KvBlocks *kv);

/* What others should know better: how many blocks in use are private, and how many published ones
 * are held, counted once for each who holds them. */
typedef struct KvCensus {
    uint64_t private_count, held_count;
} KvCensus;

/* The counts agree with the records; CHECKs, O(n). Without a cache all blocks are private. */
KvCensus kv_check(const KvBlocks *kv);

/* Blocks that who holds this run last holds; KV_NONE: 0. */
uint64_t kv_held_by(const KvBlocks *kv, uint32_t last);

#endif
