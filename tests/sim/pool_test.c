#include "sim/pool.h"

#include "sim/rng.h"
#include "tests/test.h"

#include <stdint.h>
#include <string.h>

typedef struct Item {
    uint64_t value;
    unsigned char filling[120];
} Item;

static Item *item_at(const Pool *pool, uint32_t slot) {
    return (Item *)pool_at(pool, slot);
}

START_TEST(the_slot_given_last_is_taken_first_and_holds_what_it_held) {
    Pool pool;
    pool_init(&pool, sizeof(Item), 100);
    uint32_t a = pool_take(&pool), b = pool_take(&pool), c = pool_take(&pool);
    ck_assert(a != b && b != c && a != c);
    item_at(&pool, a)->value = 17;
    item_at(&pool, b)->value = 23;
    pool_give(&pool, a);
    pool_give(&pool, b);
    ck_assert_uint_eq(pool_take(&pool), b);
    ck_assert_uint_eq(item_at(&pool, b)->value, 23);
    ck_assert_uint_eq(pool_take_cleared(&pool), a);
    ck_assert_uint_eq(item_at(&pool, a)->value, 0);
    pool_free(&pool);
}
END_TEST

START_TEST(a_stale_id_looks_up_as_null_even_if_the_slot_lives_again) {
    Pool pool;
    pool_init(&pool, sizeof(Item), 100);
    ck_assert_ptr_null(pool_find(&pool, (PoolId){0}));
    uint32_t slot = pool_take(&pool);
    PoolId first = pool_id(&pool, slot);
    ck_assert_ptr_eq(pool_find(&pool, first), pool_at(&pool, slot));
    ck_assert_ptr_null(pool_find(&pool, (PoolId){0}));
    pool_give(&pool, slot);
    ck_assert(!pool_is_live(&pool, slot));
    ck_assert_ptr_null(pool_find(&pool, first));
    ck_assert_uint_eq(pool_take(&pool), slot);
    ck_assert_ptr_null(pool_find(&pool, first));
    ck_assert_ptr_eq(pool_find(&pool, pool_id(&pool, slot)), pool_at(&pool, slot));
    ck_assert_ptr_null(pool_find(&pool, (PoolId){.slot = 4000000000, .generation = 1}));
    pool_free(&pool);
}
END_TEST

START_TEST(a_pool_is_full_at_its_limit_and_only_there) {
    enum { LIMIT = 1000 };
    Pool pool;
    pool_init(&pool, 3, LIMIT);
    for (uint32_t i = 0; i < LIMIT; i++) {
        ck_assert_uint_eq(pool_take(&pool), i);
        memset(pool_at(&pool, i), (int)(i % 251), 3);
    }
    ck_assert_uint_eq(pool_take(&pool), POOL_FULL);
    ck_assert_uint_eq(pool_take_cleared(&pool), POOL_FULL);
    ck_assert_uint_eq(pool_live_count(&pool), LIMIT);
    for (uint32_t i = 0; i < LIMIT; i++) {
        unsigned char expected[3];
        memset(expected, (int)(i % 251), 3);
        ck_assert_mem_eq(pool_at(&pool, i), expected, 3);
    }
    pool_give(&pool, 617);
    ck_assert_uint_eq(pool_take(&pool), 617);
    ck_assert_uint_eq(pool_take(&pool), POOL_FULL);
    pool_free(&pool);
}
END_TEST

START_TEST(the_high_water_mark_is_the_most_that_lived_at_once) {
    Pool pool;
    pool_init(&pool, sizeof(Item), 5000);
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t slots[300];
        uint32_t count = 300 - 100 * round;
        for (uint32_t i = 0; i < count; i++) {
            slots[i] = pool_take(&pool);
        }
        ck_assert_uint_eq(pool_live_count(&pool), count);
        for (uint32_t i = 0; i < count; i++) {
            pool_give(&pool, slots[i]);
        }
    }
    ck_assert_uint_eq(pool_live_count(&pool), 0);
    ck_assert_uint_eq(pool_high_water(&pool), 300);
    pool_free(&pool);
}
END_TEST

START_TEST(records_of_whole_lines_are_aligned_to_lines_however_the_pool_grows) {
    Pool pool;
    pool_init(&pool, sizeof(Item), 200000);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t slot = pool_take(&pool);
        ck_assert_uint_eq(item_at(&pool, slot)->value, 0);
        item_at(&pool, slot)->value = i + 5;
        if ((i & (i - 1)) == 0) {
            ck_assert_uint_eq((uintptr_t)pool_at(&pool, slot) % 64, 0);
        }
    }
    for (uint32_t i = 0; i < 200000; i++) {
        ck_assert_uint_eq(item_at(&pool, i)->value, i + 5);
    }
    pool_free(&pool);
}
END_TEST

/* Takes and gives at random against a plain array of what is alive, and a copy that is made
 * half-way must go on as the original does. */
START_TEST(random_use_never_mixes_records_and_a_copy_goes_on_identically) {
    enum { LIVE_MAX = 700, STEPS = 200000 };
    static PoolId ids[LIVE_MAX];
    static uint64_t values[LIVE_MAX];
    RngKey key = rng_key(3, 0, "pool_test", "");
    Rng rng;
    rng_stream(&rng, &key);
    Pool pool, copy;
    pool_init(&pool, sizeof(Item), LIVE_MAX);
    pool_init(&copy, 8, 1);
    uint32_t live = 0;
    PoolId given = {0};
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step == STEPS / 2) {
            pool_copy(&copy, &pool);
            ck_assert_ptr_ne(copy.records, pool.records);
        }
        bool takes = live == 0 || (live < LIVE_MAX && rng_below(&rng, 100) < 51);
        if (takes) {
            uint32_t slot = pool_take(&pool);
            values[live] = rng_next(&rng);
            item_at(&pool, slot)->value = values[live];
            ids[live++] = pool_id(&pool, slot);
            if (step >= STEPS / 2) {
                ck_assert_uint_eq(pool_take(&copy), slot);
                item_at(&copy, slot)->value = values[live - 1];
            }
        } else {
            uint32_t i = rng_below(&rng, live);
            Item *item = pool_find(&pool, ids[i]);
            ck_assert_ptr_nonnull(item);
            ck_assert_uint_eq(item->value, values[i]);
            if (step >= STEPS / 2) {
                Item *twin = pool_find(&copy, ids[i]);
                ck_assert_ptr_nonnull(twin);
                ck_assert_uint_eq(twin->value, values[i]);
                pool_give(&copy, ids[i].slot);
            }
            given = ids[i];
            pool_give(&pool, ids[i].slot);
            ids[i] = ids[--live];
            values[i] = values[live];
        }
        ck_assert_ptr_null(pool_find(&pool, given));
        ck_assert_uint_eq(pool_live_count(&pool), live);
    }
    pool_free(&pool);
    pool_free(&copy);
}
END_TEST

TEST_SUITE("sim/pool", the_slot_given_last_is_taken_first_and_holds_what_it_held,
           a_stale_id_looks_up_as_null_even_if_the_slot_lives_again,
           a_pool_is_full_at_its_limit_and_only_there,
           the_high_water_mark_is_the_most_that_lived_at_once,
           records_of_whole_lines_are_aligned_to_lines_however_the_pool_grows,
           random_use_never_mixes_records_and_a_copy_goes_on_identically)
