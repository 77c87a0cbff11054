#include "sim/pool.h"

#include "sim/rng.h"
#include "tests/test.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Item {
    uint64_t link; /* the pool's while the record is free */
    uint64_t value;
    unsigned char filling[112];
} Item;

static Item *item_at(const Pool *pool, uint32_t slot) {
    return (Item *)pool_at(pool, slot);
}

START_TEST(the_slot_given_last_is_taken_first_and_holds_what_it_held) {
    Pool pool;
    pool_init(&pool, sizeof(Item), 100);
    uint32_t a = pool_take(&pool), b = pool_take(&pool), c = pool_take(&pool);
    ck_assert(a != b && b != c && a != c);
    ck_assert_uint_eq(item_at(&pool, c)->value, 0);
    item_at(&pool, a)->value = 17;
    item_at(&pool, b)->value = 23;
    pool_give(&pool, a);
    pool_give(&pool, b);
    ck_assert_uint_eq(pool_take(&pool), b);
    ck_assert_uint_eq(item_at(&pool, b)->value, 23);
    ck_assert_uint_eq(pool_take(&pool), a);
    ck_assert_uint_eq(item_at(&pool, a)->value, 17);
    pool_free(&pool);
}
END_TEST

START_TEST(a_pool_is_full_at_its_limit_and_only_there) {
    enum { LIMIT = 1000, SIZE = 12 };
    Pool pool;
    pool_init(&pool, SIZE, LIMIT);
    for (uint32_t i = 0; i < LIMIT; i++) {
        ck_assert_uint_eq(pool_take(&pool), i);
        memset(pool_at(&pool, i), (int)(i % 251), SIZE);
    }
    ck_assert_uint_eq(pool_take(&pool), POOL_FULL);
    ck_assert_uint_eq(pool_live_count(&pool), LIMIT);
    for (uint32_t i = 0; i < LIMIT; i++) {
        unsigned char expected[SIZE];
        memset(expected, (int)(i % 251), SIZE);
        ck_assert_mem_eq(pool_at(&pool, i), expected, SIZE);
    }
    pool_give(&pool, 617);
    ck_assert_uint_eq(pool_take(&pool), 617);
    ck_assert_uint_eq(pool_take(&pool), POOL_FULL);
    pool_free(&pool);
}
END_TEST

START_TEST(the_slot_end_is_the_most_that_lived_at_once) {
    Pool pool;
    pool_init(&pool, sizeof(Item), 5000);
    for (uint32_t count = 300; count > 0; count -= 100) {
        uint32_t slots[300];
        for (uint32_t i = 0; i < count; i++) {
            slots[i] = pool_take(&pool);
        }
        ck_assert_uint_eq(pool_live_count(&pool), count);
        for (uint32_t i = 0; i < count; i++) {
            pool_give(&pool, slots[i]);
        }
    }
    ck_assert_uint_eq(pool_live_count(&pool), 0);
    ck_assert_uint_eq(pool_slot_end(&pool), 300);
    pool_free(&pool);
}
END_TEST

START_TEST(records_stay_where_they_are_however_many_are_taken) {
    enum { COUNT = 200000 };
    Pool pool;
    pool_init(&pool, sizeof(Item), COUNT);
    Item *first = item_at(&pool, pool_take(&pool));
    ck_assert_uint_eq((uintptr_t)first % 64, 0);
    first->value = 5;
    for (uint32_t i = 1; i < COUNT; i++) {
        item_at(&pool, pool_take(&pool))->value = i + 5;
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        sum += item_at(&pool, i)->value == i + 5;
    }
    ck_assert_uint_eq(sum, COUNT);
    ck_assert_ptr_eq(item_at(&pool, 0), first);
    pool_free(&pool);
}
END_TEST

/* Takes and gives at random against a plain array of what is alive; a copy that is made half-way
 * must go on as the original does. */
START_TEST(random_use_never_mixes_records_and_a_copy_goes_on_identically) {
    enum { LIVE_MAX = 700, STEPS = 100000 };
    static uint32_t slots[LIVE_MAX];
    static uint64_t values[LIVE_MAX];
    RngKey key = rng_key(3, 0, "pool_test", "");
    Rng rng;
    rng_stream(&rng, &key);
    Pool pool, copy;
    pool_init(&pool, sizeof(Item), LIVE_MAX);
    pool_init(&copy, sizeof(Item), LIVE_MAX);
    uint32_t live = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step == STEPS / 2) {
            pool_copy(&copy, &pool);
        }
        bool has_copy = step >= STEPS / 2;
        if (live == 0 || (live < LIVE_MAX && rng_below(&rng, 100) < 51)) {
            slots[live] = pool_take(&pool);
            values[live] = rng_next(&rng);
            item_at(&pool, slots[live])->value = values[live];
            if (has_copy) {
                CHECK(pool_take(&copy) == slots[live]);
                item_at(&copy, slots[live])->value = values[live];
            }
            live++;
        } else {
            uint32_t i = rng_below(&rng, live);
            CHECK(item_at(&pool, slots[i])->value == values[i]);
            pool_give(&pool, slots[i]);
            if (has_copy) {
                CHECK(item_at(&copy, slots[i])->value == values[i]);
                item_at(&copy, slots[i])->value = 0; /* must not be seen in the original */
                pool_give(&copy, slots[i]);
            }
            slots[i] = slots[--live];
            values[i] = values[live];
        }
        CHECK(pool_live_count(&pool) == live);
    }
    ck_assert_uint_eq(pool_live_count(&copy), live);
    ck_assert_uint_eq(pool_slot_end(&copy), pool_slot_end(&pool));
    pool_free(&pool);
    pool_free(&copy);
}
END_TEST

TEST_SUITE("sim/pool", the_slot_given_last_is_taken_first_and_holds_what_it_held,
           a_pool_is_full_at_its_limit_and_only_there, the_slot_end_is_the_most_that_lived_at_once,
           records_stay_where_they_are_however_many_are_taken,
           random_use_never_mixes_records_and_a_copy_goes_on_identically)
