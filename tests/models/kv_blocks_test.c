/* The pool of KV blocks, which keeps runs, against one that keeps every block by itself: sequences
 * with common prefixes come, grow and go in any order, and after each move both have the same
 * blocks free and find the same blocks again. */
#include "models/engine/kv_blocks.h"

#include <string.h>

#include "sim/rng.h"
#include "sim/vec.h"
#include "tests/test.h"

enum { BLOCKS = 60, SEQUENCES = 9, LENGTH_MAX = 24, OWNERS = 12, MOVES = 4000, POOLS = 150 };

/* ---- One record a block: in the row of the free, or held, or private to a sequence */

typedef struct Block {
    uint64_t owner; /* 0: without a name */
    uint32_t place;
    uint32_t holders;
    uint64_t freed_at; /* while it is free: the order of the row */
} Block;

typedef struct Plain {
    Block blocks[BLOCKS];
    bool is_private[BLOCKS];
    uint64_t clock;
} Plain;

static void plain_init(Plain *plain) {
    memset(plain, 0, sizeof *plain);
}

static bool is_free(const Plain *plain, uint32_t i) {
    return plain->blocks[i].holders == 0 && !plain->is_private[i];
}

static uint32_t plain_free_count(const Plain *plain) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        count += is_free(plain, i);
    }
    return count;
}

static void plain_free(Plain *plain, uint32_t i) {
    plain->is_private[i] = false;
    plain->blocks[i].freed_at = ++plain->clock;
}

static void plain_take(Plain *plain, uint32_t count) {
    for (; count > 0; count--) {
        uint32_t oldest = BLOCKS;
        for (uint32_t i = 0; i < BLOCKS; i++) {
            if (is_free(plain, i) &&
                (oldest == BLOCKS || plain->blocks[i].freed_at < plain->blocks[oldest].freed_at)) {
                oldest = i;
            }
        }
        CHECK(oldest < BLOCKS);
        plain->blocks[oldest] = (Block){0};
        plain->is_private[oldest] = true;
    }
}

static uint32_t plain_private(const Plain *plain) {
    uint32_t i = 0;
    while (!plain->is_private[i]) {
        i++;
    }
    return i;
}

static void plain_give(Plain *plain, uint32_t count) {
    for (; count > 0; count--) {
        plain_free(plain, plain_private(plain));
    }
}

static Block *plain_find(Plain *plain, uint64_t owner, uint32_t place) {
    for (uint32_t i = 0; i < BLOCKS; i++) {
        if (plain->blocks[i].owner == owner && plain->blocks[i].place == place) {
            return &plain->blocks[i];
        }
    }
    return NULL;
}

static void plain_publish(Plain *plain, uint64_t owner, uint32_t place) {
    Block *there = plain_find(plain, owner, place);
    uint32_t own = plain_private(plain);
    if (there != NULL) {
        there->holders++;
        plain_free(plain, own);
    } else {
        plain->is_private[own] = false;
        plain->blocks[own] = (Block){.owner = owner, .place = place, .holders = 1};
    }
}

static void plain_release(Plain *plain, uint64_t owner, uint32_t place) {
    Block *block = plain_find(plain, owner, place);
    CHECK(block != NULL && block->holders > 0);
    if (--block->holders == 0) {
        block->freed_at = ++plain->clock;
    }
}

/* ---- Prompts: a template, then a session's own, then the request's own */

typedef struct Prompt3 {
    uint64_t owners[3];
    uint32_t ends[3];
} Prompt3;

static PromptRun run_from(const Prompt3 *prompt, uint32_t first, uint32_t most) {
    uint32_t part = 0;
    while (first >= prompt->ends[part]) {
        part++;
    }
    uint32_t left = prompt->ends[part] - first;
    return (PromptRun){prompt->owners[part], first, left < most ? left : most};
}

/* Of few owners, so that sequences meet. A name stands for all that comes before, as names do. */
static Prompt3 draw_prompt(Rng *rng) {
    uint64_t template = 1 + rng_below(rng, 2);
    uint32_t template_end = (uint32_t)rng_below(rng, 3) * 4; /* cut by a short prompt */
    uint64_t session = rng_mix(template + 3 * template_end + 100 * rng_below(rng, OWNERS));
    uint32_t session_end = template_end + (uint32_t)rng_below(rng, 8);
    uint64_t request = rng_mix(session + session_end + 100 * rng_below(rng, OWNERS));
    return (Prompt3){.owners = {template, session, request},
                     .ends = {template_end, session_end, LENGTH_MAX}};
}

/* ---- Sequences in both */

typedef struct Sequence2 {
    bool is_there;
    Prompt3 prompt;
    uint32_t published, private_count, last;
} Sequence2;

typedef struct Both {
    KvBlocks *kv;
    Plain plain;
    Sequence2 sequences[SEQUENCES];
    Rng rng;
    uint32_t hits, evictions, doubles; /* so that a test of nothing is noticed */
} Both;

static uint32_t match_in_both(Both *both, const Prompt3 *prompt, uint32_t limit) {
    uint32_t found = 0, asked = 0, free_count = 0, plain_found = 0, plain_free_hits = 0;
    while (found == asked && found < limit) {
        PromptRun run = run_from(prompt, found, limit - found);
        asked += run.count;
        found += kv_match(both->kv, run, &free_count);
    }
    for (; plain_found < limit; plain_found++) {
        PromptRun run = run_from(prompt, plain_found, 1);
        const Block *block = plain_find(&both->plain, run.owner, run.first);
        if (block == NULL) {
            break;
        }
        plain_free_hits += block->holders == 0;
    }
    CHECK(found == plain_found && free_count == plain_free_hits);
    return found;
}

static void take_in_both(Both *both, Sequence2 *sequence, uint32_t count) {
    kv_take(both->kv, count);
    plain_take(&both->plain, count);
    sequence->private_count += count;
}

static void come(Both *both, Sequence2 *sequence) {
    *sequence = (Sequence2){.is_there = true, .prompt = draw_prompt(&both->rng), .last = KV_NONE};
    uint32_t limit = (uint32_t)rng_below(&both->rng, LENGTH_MAX + 1);
    uint32_t hit = match_in_both(both, &sequence->prompt, limit);
    while (sequence->published < hit) {
        PromptRun run = run_from(&sequence->prompt, sequence->published, hit - sequence->published);
        sequence->last = kv_hold(both->kv, run, sequence->last);
        for (uint32_t i = 0; i < run.count; i++) {
            plain_find(&both->plain, run.owner, run.first + i)->holders++;
        }
        sequence->published += run.count;
    }
    both->hits += hit;
}

static void publish(Both *both, Sequence2 *sequence, uint32_t count) {
    while (count > 0) {
        PromptRun run = run_from(&sequence->prompt, sequence->published, count);
        for (uint32_t i = 0; i < run.count; i++) {
            both->doubles += plain_find(&both->plain, run.owner, run.first + i) != NULL;
            plain_publish(&both->plain, run.owner, run.first + i);
        }
        sequence->last = kv_publish(both->kv, run, sequence->last);
        sequence->published += run.count;
        sequence->private_count -= run.count;
        count -= run.count;
    }
}

/* Some new blocks, of which some, or some of before, are published. */
static void grow(Both *both, Sequence2 *sequence) {
    uint32_t held = sequence->published + sequence->private_count;
    uint32_t most =
        LENGTH_MAX - held < both->kv->free_count ? LENGTH_MAX - held : both->kv->free_count;
    uint32_t count = (uint32_t)rng_below(&both->rng, most + 1);
    uint32_t names = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        names += both->plain.blocks[i].owner != 0;
    }
    take_in_both(both, sequence, count);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        names -= both->plain.blocks[i].owner != 0;
    }
    both->evictions += names;
    publish(both, sequence, (uint32_t)rng_below(&both->rng, sequence->private_count + 1));
}

static void leave(Both *both, Sequence2 *sequence) {
    if (rng_below(&both->rng, 2) == 0) {
        publish(both, sequence, sequence->private_count);
    }
    kv_give(both->kv, sequence->private_count);
    kv_release(both->kv, sequence->last);
    plain_give(&both->plain, sequence->private_count);
    while (sequence->published > 0) {
        PromptRun run = run_from(&sequence->prompt, --sequence->published, 1);
        plain_release(&both->plain, run.owner, run.first);
    }
    sequence->is_there = false;
}

static void move(Both *both) {
    Sequence2 *sequence = &both->sequences[rng_below(&both->rng, SEQUENCES)];
    if (!sequence->is_there) {
        come(both, sequence);
    } else if (rng_below(&both->rng, 3) > 0) {
        grow(both, sequence);
    } else {
        leave(both, sequence);
    }
    Prompt3 prompt = draw_prompt(&both->rng);
    match_in_both(both, &prompt, LENGTH_MAX);
    CHECK(both->kv->free_count == plain_free_count(&both->plain));
    kv_check(both->kv);
}

START_TEST(runs_are_taken_found_and_freed_as_their_blocks_would_be) {
    Both *both = mem_zalloc(1, sizeof *both);
    uint32_t hits = 0, evictions = 0, doubles = 0;
    for (uint32_t pool = 0; pool < POOLS; pool++) {
        *both = (Both){.kv = mem_zalloc(1, kv_blocks_size(BLOCKS, true)),
                       .rng = {.s = {pool + 1, 59, 61, 67}}};
        kv_blocks_init(both->kv, BLOCKS, true);
        plain_init(&both->plain);
        for (uint32_t i = 0; i < MOVES; i++) {
            if (i % 1000 == 999) {
                kv_clear(both->kv);
                plain_init(&both->plain);
                memset(both->sequences, 0, sizeof both->sequences);
            }
            move(both);
        }
        hits += both->hits;
        evictions += both->evictions;
        doubles += both->doubles;
        mem_free(both->kv);
    }
    mem_free(both);
    ck_assert_uint_gt(hits, 100 * POOLS);
    ck_assert_uint_gt(evictions, 100 * POOLS);
    ck_assert_uint_gt(doubles, 100 * POOLS);
}
END_TEST

/* ---- Small cases by hand */

static KvBlocks *pool_of(uint32_t block_count) {
    KvBlocks *kv = mem_zalloc(1, kv_blocks_size(block_count, true));
    kv_blocks_init(kv, block_count, true);
    return kv;
}

/* Computes and publishes the first blocks of an owner; the last run of them. */
static uint32_t compute(KvBlocks *kv, uint64_t owner, uint32_t count) {
    kv_take(kv, count);
    return kv_publish(kv, (PromptRun){owner, 0, count}, KV_NONE);
}

static void finds(const KvBlocks *kv, uint64_t owner, uint32_t found, uint32_t free_count) {
    uint32_t counted = 0;
    ck_assert_uint_eq(kv_match(kv, (PromptRun){owner, 0, 10}, &counted), found);
    ck_assert_uint_eq(counted, free_count);
    kv_check(kv);
}

START_TEST(what_is_free_can_be_found_until_it_is_taken_its_end_first) {
    KvBlocks *kv = pool_of(4);
    kv_release(kv, compute(kv, 17, 3));
    finds(kv, 17, 3, 3);
    kv_take(kv, 1); /* the one that was never used */
    finds(kv, 17, 3, 3);
    for (uint32_t left = 3; left-- > 0;) {
        kv_take(kv, 1);
        finds(kv, 17, left, left);
    }
    ck_assert_uint_eq(kv->free_count, 0);
    mem_free(kv);
}
END_TEST

START_TEST(who_has_been_free_for_longest_is_taken_first) {
    KvBlocks *kv = pool_of(6);
    uint32_t a = compute(kv, 17, 3), b = compute(kv, 23, 3);
    kv_release(kv, b);
    kv_release(kv, a);
    kv_take(kv, 2);
    finds(kv, 23, 1, 1);
    finds(kv, 17, 3, 3);
    /* Use makes young again, as far as it goes: the third of 17 is the oldest now. */
    kv_release(kv, kv_hold(kv, (PromptRun){23, 0, 1}, KV_NONE));
    kv_release(kv, kv_hold(kv, (PromptRun){17, 0, 2}, KV_NONE));
    kv_take(kv, 1);
    finds(kv, 17, 2, 2);
    kv_take(kv, 1);
    finds(kv, 23, 0, 0);
    finds(kv, 17, 2, 2);
    mem_free(kv);
}
END_TEST

START_TEST(what_is_held_stays_until_nobody_holds_it) {
    KvBlocks *kv = pool_of(4);
    uint32_t all = compute(kv, 17, 3), first = kv_hold(kv, (PromptRun){17, 0, 1}, KV_NONE);
    finds(kv, 17, 3, 0);
    kv_release(kv, all);
    finds(kv, 17, 3, 2);
    kv_take(kv, 3);
    finds(kv, 17, 1, 0);
    kv_give(kv, 3);
    kv_release(kv, first);
    finds(kv, 17, 1, 1);
    ck_assert_uint_eq(kv->free_count, 4);
    mem_free(kv);
}
END_TEST

START_TEST(what_is_published_again_is_held_twice_and_not_kept_twice) {
    KvBlocks *kv = pool_of(9);
    uint32_t old = compute(kv, 17, 2);
    uint32_t new = compute(kv, 17, 3);
    ck_assert_uint_eq(kv->free_count, 6);
    kv_release(kv, old);
    finds(kv, 17, 3, 0);
    kv_release(kv, new);
    finds(kv, 17, 3, 3);
    ck_assert_uint_eq(kv->free_count, 9);
    /* Both private blocks were freed before: what stands last in the row is the prefix. */
    kv_take(kv, 6);
    finds(kv, 17, 3, 3);
    mem_free(kv);
}
END_TEST

START_TEST(after_a_restart_nothing_is_found_or_held) {
    KvBlocks *kv = pool_of(5);
    compute(kv, 17, 3);
    kv_take(kv, 1);
    kv_clear(kv);
    ck_assert_uint_eq(kv->free_count, 5);
    finds(kv, 17, 0, 0);
    kv_release(kv, compute(kv, 17, 5));
    finds(kv, 17, 5, 5);
    mem_free(kv);
}
END_TEST

START_TEST(without_a_cache_blocks_are_only_counted) {
    KvBlocks kv;
    ck_assert_uint_eq(kv_blocks_size(17600, false), sizeof kv);
    kv_blocks_init(&kv, 17600, false);
    kv_take(&kv, 17599);
    ck_assert_uint_eq(kv.free_count, 1);
    kv_give(&kv, 391);
    ck_assert_uint_eq(kv.free_count, 392);
    kv_check(&kv);
    kv_clear(&kv);
    ck_assert_uint_eq(kv.free_count, 17600);
}
END_TEST

TEST_SUITE("models/kv_blocks", runs_are_taken_found_and_freed_as_their_blocks_would_be,
           what_is_free_can_be_found_until_it_is_taken_its_end_first,
           who_has_been_free_for_longest_is_taken_first, what_is_held_stays_until_nobody_holds_it,
           what_is_published_again_is_held_twice_and_not_kept_twice,
           after_a_restart_nothing_is_found_or_held, without_a_cache_blocks_are_only_counted)
