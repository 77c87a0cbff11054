#include "sim/queue.h"

#include "sim/check.h"
#include "sim/rng.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

/* Pops everything and writes "time:target " for each. */
static void pop_trace(EventQueue *queue, char *text, size_t size) {
    size_t length = 0;
    Event event;
    text[0] = '\0';
    while (queue_pop(queue, &event)) {
        length += (size_t)snprintf(text + length, size - length, "%lld:%u ", (long long)event.time,
                                   event.target);
        ck_assert_uint_lt(length, size);
    }
}

static void assert_trace(EventQueue *queue, const char *expected) {
    char text[1000];
    pop_trace(queue, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

START_TEST(equal_times_leave_in_the_order_scheduled) {
    EventQueue queue;
    queue_init(&queue);
    static const SimTime times[] = {7, 3, 7, 0, 3, 7, 12, 0};
    for (uint32_t i = 0; i < 8; i++) {
        queue_push(&queue, times[i], 1, i);
    }
    ck_assert_int_eq(queue_next_time(&queue), 0);
    assert_trace(&queue, "0:3 0:7 3:1 3:4 7:0 7:2 7:5 12:6 ");
    ck_assert_int_eq(queue_next_time(&queue), SIM_TIME_NEVER);
    queue_free(&queue);
}
END_TEST

START_TEST(an_event_comes_back_as_it_was_pushed) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t timer = queue_add_timer(&queue, 1000);
    EventId a = queue_push(&queue, SIM_TIME_NEVER - 1, 65535, UINT32_MAX);
    EventId b = queue_push_timer(&queue, 17, timer, 517, 100003);
    Event event;
    ck_assert(queue_pop(&queue, &event));
    ck_assert_int_eq(event.time, 1017);
    ck_assert_uint_eq(event.kind, 517);
    ck_assert_uint_eq(event.target, 100003);
    ck_assert_mem_eq(&event.id, &b, sizeof b);
    ck_assert(queue_pop(&queue, &event));
    ck_assert_int_eq(event.time, SIM_TIME_NEVER - 1);
    ck_assert_uint_eq(event.kind, 65535);
    ck_assert_uint_eq(event.target, UINT32_MAX);
    ck_assert_mem_eq(&event.id, &a, sizeof a);
    ck_assert(!queue_pop(&queue, &event));
    queue_free(&queue);
}
END_TEST

START_TEST(a_cancel_is_true_once_and_takes_only_its_event) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t timer = queue_add_timer(&queue, 5);
    EventId ids[6];
    for (uint32_t i = 0; i < 6; i++) {
        ids[i] =
            i % 2 == 0 ? queue_push(&queue, 5, 1, i) : queue_push_timer(&queue, 0, timer, 1, i);
    }
    ck_assert(queue_cancel(&queue, ids[2]));
    ck_assert(!queue_cancel(&queue, ids[2]));
    ck_assert(queue_cancel(&queue, ids[1]));
    ck_assert(!queue_cancel(&queue, ids[1]));
    ck_assert(!queue_cancel(&queue, (EventId){0}));
    ck_assert_uint_eq(queue_count(&queue), 4);
    assert_trace(&queue, "5:0 5:3 5:4 5:5 ");
    ck_assert(!queue_cancel(&queue, ids[0]));
    ck_assert(!queue_cancel(&queue, ids[3]));
    queue_free(&queue);
}
END_TEST

START_TEST(a_stale_id_never_takes_the_event_that_has_its_slot_now) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t timer = queue_add_timer(&queue, 5);
    EventId stale = queue_push(&queue, 3, 1, 0);
    ck_assert(queue_cancel(&queue, stale));
    for (uint32_t i = 0; i < 1000; i++) {
        EventId id =
            i % 3 == 0 ? queue_push_timer(&queue, i, timer, 1, i) : queue_push(&queue, i + 5, 1, i);
        ck_assert(!queue_cancel(&queue, stale));
        Event event;
        ck_assert(queue_pop(&queue, &event));
        ck_assert_uint_eq(event.target, i);
        ck_assert(!queue_cancel(&queue, id));
        stale = id;
    }
    ck_assert(!queue_cancel(&queue, (EventId){.slot = UINT32_MAX, .stamp = UINT32_MAX}));
    queue_free(&queue);
}
END_TEST

START_TEST(timers_keep_their_place_among_other_events) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t ten = queue_add_timer(&queue, 10), four = queue_add_timer(&queue, 4);
    queue_push_timer(&queue, 0, ten, 1, 0);  /* at 10 */
    queue_push(&queue, 10, 1, 1);            /* at 10 */
    queue_push_timer(&queue, 6, four, 1, 2); /* at 10 */
    queue_push_timer(&queue, 0, ten, 1, 3);  /* at 10 */
    queue_push(&queue, 9, 1, 4);
    queue_push_timer(&queue, 7, four, 1, 5); /* at 11 */
    EventId six = queue_push_timer(&queue, 1, ten, 1, 6);
    queue_push(&queue, 11, 1, 7);
    queue_push_timer(&queue, 1, ten, 1, 8); /* at 11 */
    ck_assert(queue_cancel(&queue, six));
    assert_trace(&queue, "9:4 10:0 10:1 10:2 10:3 11:5 11:7 11:8 ");
    queue_free(&queue);
}
END_TEST

/* 10^3 timers and events far ahead are cancelled; the clock must stay where the last event was. */
START_TEST(a_cancelled_event_never_moves_the_clock) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t timer = queue_add_timer(&queue, 30 * SIM_TIME_S);
    static EventId ids[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        ids[i] = i % 2 == 0 ? queue_push_timer(&queue, 0, timer, 1, i)
                            : queue_push(&queue, 20 * SIM_TIME_S, 1, i);
    }
    queue_push(&queue, 17, 1, 7);
    Event event;
    ck_assert(queue_pop(&queue, &event));
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert(queue_cancel(&queue, ids[i]));
    }
    ck_assert_int_eq(queue_next_time(&queue), SIM_TIME_NEVER);
    ck_assert(!queue_pop(&queue, &event));
    ck_assert_uint_eq(queue_count(&queue), 0);
    queue_push(&queue, 18, 1, 8);
    queue_push_timer(&queue, 18, timer, 1, 9);
    queue_push(&queue, 17, 1, 10);
    assert_trace(&queue, "17:10 18:8 30000000018:9 ");
    queue_free(&queue);
}
END_TEST

/* After looking ahead over cancelled events, what is scheduled earlier still comes first. */
START_TEST(what_is_pushed_after_a_look_ahead_comes_in_order) {
    EventQueue queue;
    queue_init(&queue);
    enum { FAR = 5000 };
    static EventId ids[FAR];
    for (uint32_t i = 0; i < FAR; i++) {
        ids[i] = queue_push(&queue, SIM_TIME_S + (SimTime)i * 7919, 1, i);
    }
    for (uint32_t i = 0; i < FAR / 5; i++) {
        CHECK(queue_cancel(&queue, ids[i]));
    }
    CHECK(queue_next_time(&queue) == SIM_TIME_S + (SimTime)(FAR / 5) * 7919);
    for (uint32_t i = 0; i < FAR; i++) {
        queue_push(&queue, (SimTime)(i * UINT32_C(2654435761) % 1000000), 2, i);
    }
    SimTime latest = 0;
    Event event;
    for (uint32_t i = 0; i < FAR; i++) {
        CHECK(queue_pop(&queue, &event));
        CHECK(event.kind == 2);
        CHECK(event.time >= latest);
        latest = event.time;
    }
    for (uint32_t i = FAR / 5; i < FAR; i++) {
        CHECK(queue_pop(&queue, &event));
        CHECK(event.target == i);
    }
    CHECK(!queue_pop(&queue, &event));
    queue_free(&queue);
}
END_TEST

START_TEST(many_equal_times_leave_in_the_order_scheduled) {
    enum { COUNT = 200000 };
    EventQueue queue;
    queue_init(&queue);
    for (uint32_t i = 0; i < COUNT; i++) {
        queue_push(&queue, 123456789 + (i % 2) * SIM_TIME_S, 1, i);
    }
    Event event;
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK(queue_pop(&queue, &event));
        CHECK(event.target == (i < COUNT / 2 ? 2 * i : 2 * (i - COUNT / 2) + 1));
    }
    CHECK(!queue_pop(&queue, &event));
    queue_free(&queue);
}
END_TEST

typedef struct Warmed {
    uint64_t calls;
    uint64_t wrong;
} Warmed;

/* The targets below are 3 times the kind. */
static void warm_count(const void *context, uint16_t kind, uint32_t target) {
    Warmed *warmed = *(Warmed *const *)context;
    warmed->calls++;
    warmed->wrong += target != 3u * kind;
}

START_TEST(the_prefetch_hook_is_told_of_the_events_to_come_and_no_copy_has_it) {
    enum { COUNT = 20000 };
    static EventId ids[COUNT];
    EventQueue queue, copy;
    queue_init(&queue);
    queue_init(&copy);
    Warmed warmed = {0};
    Warmed *context = &warmed;
    queue_set_warm(&queue, warm_count, &context);
    for (uint32_t i = 0; i < COUNT; i++) {
        ids[i] = queue_push(&queue, (SimTime)(i * UINT32_C(2654435761)), (uint16_t)i, 3 * i);
    }
    uint16_t timer = queue_add_timer(&queue, 1000000);
    queue_push_timer(&queue, 0, timer, 17, 51);
    for (uint32_t i = 0; i < COUNT / 10; i++) {
        CHECK(queue_cancel(&queue, ids[10 * i]));
    }
    queue_copy(&copy, &queue);
    Event event;
    while (queue_pop(&copy, &event)) {
        CHECK(event.target == 3u * event.kind);
    }
    ck_assert_uint_eq(warmed.calls, 0);
    while (queue_pop(&queue, &event)) {
    }
    ck_assert_uint_ge(warmed.calls, COUNT / 10 * 9 - 2);
    ck_assert_uint_le(warmed.calls, COUNT / 10 * 9);
    ck_assert_uint_eq(warmed.wrong, 0);
    queue_free(&queue);
    queue_free(&copy);
}
END_TEST

START_TEST(a_late_event_comes_after_all_others_of_its_time_in_the_order_of_targets) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t ten = queue_add_timer(&queue, 10);
    queue_push_late(&queue, 10, 1, 7);
    queue_push_late(&queue, 10, 1, 0);
    queue_push_late(&queue, 9, 1, 3);
    queue_push(&queue, 10, 1, 900);
    queue_push_timer(&queue, 0, ten, 1, 901);
    queue_push_late(&queue, 10, 1, QUEUE_LATE_TARGET_END - 1);
    queue_push_late(&queue, 10, 1, 2);
    queue_push(&queue, 10, 1, 902);
    queue_push(&queue, 11, 1, 1);
    ck_assert_uint_eq(queue_count(&queue), 9);
    assert_trace(&queue, "9:3 10:900 10:901 10:902 10:0 10:2 10:7 10:2147483647 11:1 ");
    queue_free(&queue);
}
END_TEST

/* What is pushed at this very instant, within a late event of it, has its turn like all others. */
START_TEST(late_events_wait_for_what_others_of_their_like_push) {
    EventQueue queue;
    queue_init(&queue);
    uint16_t now = queue_add_timer(&queue, 0);
    Event event;
    for (uint32_t i = 1; i <= 3; i++) {
        queue_push_late(&queue, 17, 1, 10 * i);
    }
    ck_assert(queue_pop(&queue, &event));
    ck_assert_uint_eq(event.target, 10);
    queue_push_late(&queue, 17, 1, 25);
    queue_push_late(&queue, 17, 1, 5);
    queue_push(&queue, 17, 1, 800);
    queue_push_timer(&queue, 17, now, 1, 801);
    assert_trace(&queue, "17:800 17:801 17:5 17:20 17:25 17:30 ");
    queue_free(&queue);
}
END_TEST

START_TEST(each_pending_late_event_of_a_target_has_an_id_of_its_own) {
    EventQueue queue;
    queue_init(&queue);
    EventId ids[2] = {queue_push_late(&queue, 5, 1, 4), queue_push_late(&queue, 8, 1, 4)};
    ck_assert_mem_ne(&ids[0], &ids[1], sizeof ids[0]);
    for (size_t i = 0; i < 2; i++) {
        Event event;
        ck_assert(queue_pop(&queue, &event));
        ck_assert_mem_eq(&event.id, &ids[i], sizeof ids[i]);
    }
    queue_free(&queue);
}
END_TEST

/* In what runs millions of times CHECK stands for ck_assert, which writes to a pipe each time.
 *
 * The oracle: a plain binary heap of every push, with its own count of them. Late events have
 * targets of their own, a permutation of the numbers below QUEUE_LATE_TARGET_END. */
typedef struct Expected {
    SimTime time;
    uint64_t order; /* among those of the same time */
    uint64_t sequence;
    EventId id;
    uint32_t target;
    uint16_t kind;
} Expected;

enum { FUZZ_STEPS = 1000000, FUZZ_SEEDS = 5, FUZZ_CLASSES = 5, FUZZ_EPOCH_STEPS = 25000 };

typedef enum Pending { PENDING_NO, PENDING_YES, PENDING_LATE } Pending;

typedef struct Fuzz {
    Rng rng;
    VEC(Expected) heap;
    VEC(uint8_t) pending; /* Pending, by sequence */
    VEC(EventId) ids;     /* by sequence */
    size_t live;
    SimTime now;
    SimTime delays[FUZZ_CLASSES];
    uint16_t classes[FUZZ_CLASSES];
    unsigned time_bits; /* how far ahead events are scheduled in this epoch */
    unsigned push_percent;
    unsigned cancel_percent;
} Fuzz;

static bool expected_is_before(const Expected *a, const Expected *b) {
    return a->time < b->time || (a->time == b->time && a->order < b->order);
}

static void oracle_push(Fuzz *fuzz, Expected item) {
    vec_push(&fuzz->heap, item);
    Expected *heap = fuzz->heap.items;
    size_t i = fuzz->heap.count - 1;
    for (; i > 0 && expected_is_before(&item, &heap[(i - 1) / 2]); i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[i] = item;
}

static Expected oracle_take(Fuzz *fuzz) {
    Expected *heap = fuzz->heap.items;
    Expected first = heap[0], item = heap[--fuzz->heap.count];
    size_t i = 0, count = fuzz->heap.count;
    for (;;) {
        size_t child = 2 * i + 1;
        child += child + 1 < count && expected_is_before(&heap[child + 1], &heap[child]);
        if (child >= count || !expected_is_before(&heap[child], &item)) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = item;
    return first;
}

/* The earliest pending one, or NULL. */
static const Expected *oracle_first(Fuzz *fuzz) {
    while (fuzz->heap.count > 0 &&
           fuzz->pending.items[fuzz->heap.items[0].sequence] == PENDING_NO) {
        oracle_take(fuzz);
    }
    return fuzz->heap.count > 0 ? &fuzz->heap.items[0] : NULL;
}

static void fuzz_push(Fuzz *fuzz, EventQueue *queue) {
    Pending pending = PENDING_YES;
    Expected item = {.order = fuzz->ids.count,
                     .sequence = fuzz->ids.count,
                     .target = (uint32_t)rng_next(&fuzz->rng),
                     .kind = (uint16_t)rng_next(&fuzz->rng)};
    uint32_t class = rng_below(&fuzz->rng, 4 * FUZZ_CLASSES);
    if (class < FUZZ_CLASSES) {
        item.time = fuzz->now + fuzz->delays[class];
        item.id = queue_push_timer(queue, fuzz->now, fuzz->classes[class], item.kind, item.target);
    } else {
        item.time = fuzz->now + (SimTime)(rng_next(&fuzz->rng) >> (64 - fuzz->time_bits));
        if (class < 3 * FUZZ_CLASSES) {
            item.id = queue_push(queue, item.time, item.kind, item.target);
        } else {
            pending = PENDING_LATE;
            item.target = (uint32_t)item.sequence * UINT32_C(2654435761) % QUEUE_LATE_TARGET_END;
            item.order = UINT64_C(1) << 63 | item.target;
            item.id = queue_push_late(queue, item.time, item.kind, item.target);
        }
    }
    oracle_push(fuzz, item);
    vec_push(&fuzz->ids, item.id);
    vec_push(&fuzz->pending, (uint8_t)pending);
    fuzz->live++;
}

static void fuzz_cancel(Fuzz *fuzz, EventQueue *queue) {
    size_t count = fuzz->ids.count;
    if (count == 0) {
        return;
    }
    /* Mostly a recent one, which is likely to be pending. */
    uint32_t recent = count < 3000 ? (uint32_t)count : 3000;
    uint32_t back = rng_below(&fuzz->rng, rng_below(&fuzz->rng, 4) == 0 ? (uint32_t)count : recent);
    size_t i = count - 1 - back;
    if (fuzz->pending.items[i] == PENDING_LATE) {
        return; /* it cannot be cancelled */
    }
    bool is_pending = fuzz->pending.items[i] == PENDING_YES;
    CHECK(queue_cancel(queue, fuzz->ids.items[i]) == is_pending);
    fuzz->live -= is_pending;
    fuzz->pending.items[i] = PENDING_NO;
}

static void assert_event(const Event *event, const Expected *expected) {
    CHECK(event->time == expected->time);
    CHECK(event->target == expected->target);
    CHECK(event->kind == expected->kind);
    CHECK(memcmp(&event->id, &expected->id, sizeof expected->id) == 0);
}

static void fuzz_pop(Fuzz *fuzz, EventQueue *queue) {
    const Expected *first = oracle_first(fuzz);
    Event event;
    if (first == NULL) {
        CHECK(!queue_pop(queue, &event));
        return;
    }
    CHECK(queue_pop(queue, &event));
    assert_event(&event, first);
    fuzz->now = first->time;
    fuzz->pending.items[first->sequence] = PENDING_NO;
    fuzz->live--;
}

/* A new mixture: growing or shrinking, ties everywhere or none, few or many cancels. */
static void fuzz_begin_epoch(Fuzz *fuzz) {
    static const unsigned TIME_BITS[] = {1, 4, 12, 20, 30, 30, 40};
    fuzz->time_bits = TIME_BITS[rng_below(&fuzz->rng, 7)];
    fuzz->cancel_percent = rng_below(&fuzz->rng, 35);
    fuzz->push_percent = 25 + rng_below(&fuzz->rng, 60);
}

static void fuzz_step(Fuzz *fuzz, EventQueue *queue) {
    uint32_t dice = rng_below(&fuzz->rng, 100);
    if (dice < fuzz->push_percent) {
        fuzz_push(fuzz, queue);
    } else if (dice < fuzz->push_percent + fuzz->cancel_percent) {
        fuzz_cancel(fuzz, queue);
    } else if (dice % 8 == 0) {
        const Expected *first = oracle_first(fuzz);
        CHECK(queue_next_time(queue) == (first != NULL ? first->time : SIM_TIME_NEVER));
    } else {
        fuzz_pop(fuzz, queue);
    }
    CHECK(queue_count(queue) == fuzz->live);
}

static void fuzz_run(uint64_t seed, size_t steps) {
    Fuzz fuzz = {.delays = {0, 3, 1000, 30 * SIM_TIME_S, 1 << 20}};
    RngKey key = rng_key(seed, 0, "queue_test", "");
    rng_stream(&fuzz.rng, &key);
    EventQueue queue;
    queue_init(&queue);
    for (size_t i = 0; i < FUZZ_CLASSES; i++) {
        fuzz.classes[i] = queue_add_timer(&queue, fuzz.delays[i]);
    }
    for (size_t step = 0; step < steps; step++) {
        if (step % FUZZ_EPOCH_STEPS == 0) {
            fuzz_begin_epoch(&fuzz);
            EventQueue copy;
            queue_init(&copy);
            queue_copy(&copy, &queue);
            queue_free(&queue);
            queue = copy; /* queues hold no addresses of themselves */
        }
        fuzz_step(&fuzz, &queue);
    }
    while (fuzz.live > 0) {
        fuzz_pop(&fuzz, &queue);
    }
    fuzz_pop(&fuzz, &queue); /* nothing is left */
    queue_free(&queue);
    vec_free(&fuzz.heap);
    vec_free(&fuzz.pending);
    vec_free(&fuzz.ids);
}

START_TEST(a_million_random_calls_agree_with_a_binary_heap) {
    for (uint64_t seed = 1; seed <= FUZZ_SEEDS; seed++) {
        fuzz_run(seed, FUZZ_STEPS / FUZZ_SEEDS);
    }
}
END_TEST

/* The digest of pops with pushes and cancels in between, drawn from `seed`. */
static uint64_t play_on(EventQueue *queue, uint64_t seed, size_t pops) {
    RngKey key = rng_key(seed, 0, "queue_test", "play");
    Rng rng;
    rng_stream(&rng, &key);
    uint64_t digest = 0;
    EventId last = {0};
    for (size_t i = 0; i < pops; i++) {
        Event event;
        CHECK(queue_pop(queue, &event));
        digest = (digest ^ (uint64_t)event.time ^ event.target) * UINT64_C(0x9E3779B97F4A7C15);
        SimTime ahead = (SimTime)(rng_next(&rng) >> 34);
        EventId id = i % 4 == 0 ? queue_push_timer(queue, event.time, 1, 1, (uint32_t)i)
                                : queue_push(queue, event.time + ahead, 1, (uint32_t)i);
        if (i % 3 == 0) {
            digest += queue_cancel(queue, last);
            queue_push_late(queue, event.time + 5, 1, (uint32_t)(3 * i % 101));
        }
        last = id;
        digest = (digest ^ id.slot ^ (uint64_t)id.stamp << 32) * UINT64_C(0x9E3779B97F4A7C15);
    }
    return digest;
}

START_TEST(a_copy_goes_on_identically_and_apart) {
    for (uint32_t count = 10; count <= 100000; count *= 100) {
        EventQueue queue, copy;
        queue_init(&queue);
        queue_init(&copy);
        queue_push(&copy, 3, 1, 1); /* is dropped */
        ck_assert_uint_eq(queue_add_timer(&queue, 1 << 29), 1);
        for (uint32_t i = 0; i < count; i++) {
            queue_push(&queue, (SimTime)(i * UINT32_C(2654435761) % (1u << 30)), 1, i);
        }
        play_on(&queue, 1, 3 * count);
        queue_copy(&copy, &queue);
        ck_assert_uint_eq(queue_count(&copy), queue_count(&queue));
        uint64_t digest = play_on(&queue, 2, 5 * count);
        queue_free(&queue);
        ck_assert_uint_eq(play_on(&copy, 2, 5 * count), digest);
        queue_free(&copy);
    }
}
END_TEST

START_TEST(two_hundred_thousand_events_fit_with_and_without_a_reserve) {
    enum { COUNT = 200000 };
    for (int reserves = 0; reserves < 2; reserves++) {
        EventQueue queue;
        queue_init(&queue);
        if (reserves) {
            queue_reserve(&queue, COUNT);
        }
        for (uint32_t i = 0; i < COUNT; i++) {
            queue_push(&queue, (SimTime)(i * UINT64_C(2654435761) % 1000003) * 1000, 1, i);
        }
        CHECK(queue_count(&queue) == COUNT);
        SimTime latest = -1;
        Event event;
        for (uint32_t i = 0; i < COUNT; i++) {
            CHECK(queue_pop(&queue, &event));
            CHECK(event.time > latest);
            CHECK(event.time == (SimTime)(event.target * UINT64_C(2654435761) % 1000003) * 1000);
            latest = event.time;
        }
        CHECK(!queue_pop(&queue, &event));
        queue_free(&queue);
    }
}
END_TEST

/* Nine in ten events are cancelled; the keys they leave must not pile up. */
START_TEST(cancelled_events_do_not_pile_up) {
    EventQueue queue;
    queue_init(&queue);
    static EventId ids[1000];
    size_t most = 0;
    for (uint32_t i = 0; i < 300000; i++) {
        queue_cancel(&queue, ids[i % 1000]);
        ids[i % 1000] = queue_push(&queue, (SimTime)(i * UINT64_C(7919)) + SIM_TIME_S, 1, i);
        size_t keys = queue.buckets.count + heap_count(&queue.heap);
        most = keys > most ? keys : most;
    }
    ck_assert_uint_eq(queue_count(&queue), 1000);
    ck_assert_uint_le(most, 3500);
    ck_assert_uint_le(queue.record_count, 1001);
    queue_free(&queue);
}
END_TEST

TEST_SUITE("sim/queue", equal_times_leave_in_the_order_scheduled,
           an_event_comes_back_as_it_was_pushed, a_cancel_is_true_once_and_takes_only_its_event,
           a_stale_id_never_takes_the_event_that_has_its_slot_now,
           timers_keep_their_place_among_other_events, a_cancelled_event_never_moves_the_clock,
           what_is_pushed_after_a_look_ahead_comes_in_order,
           many_equal_times_leave_in_the_order_scheduled,
           a_late_event_comes_after_all_others_of_its_time_in_the_order_of_targets,
           late_events_wait_for_what_others_of_their_like_push,
           each_pending_late_event_of_a_target_has_an_id_of_its_own,
           the_prefetch_hook_is_told_of_the_events_to_come_and_no_copy_has_it,
           a_million_random_calls_agree_with_a_binary_heap, a_copy_goes_on_identically_and_apart,
           two_hundred_thousand_events_fit_with_and_without_a_reserve,
           cancelled_events_do_not_pile_up)
