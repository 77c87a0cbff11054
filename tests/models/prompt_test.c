/* Keys of prompts against the texts that they stand for: two keys are equal just when the texts
 * are, up to the block's end. */
#include "models/prompt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "experiments/trace_in.h"
#include "experiments/trace_source.h"
#include "sim/vec.h"
#include "tests/models/sent.h"

#ifndef KNOCKON_TRACES
#define KNOCKON_TRACES "../shared/data/traces/"
#endif

START_TEST(the_mixer_is_that_of_splitmix64) {
    /* Its first three outputs from seed 0. */
    ck_assert_uint_eq(rng_mix(PROMPT_INCREMENT), UINT64_C(0xe220a8397b1dcdaf));
    ck_assert_uint_eq(rng_mix(2 * PROMPT_INCREMENT), UINT64_C(0x6e789e6aa1b965f4));
    ck_assert_uint_eq(rng_mix(3 * PROMPT_INCREMENT), UINT64_C(0x06c45d188009454f));
}
END_TEST

/* ---- Texts: a token is told by who owns it, whose it is, and its place */

typedef enum Owner { OWNER_TEMPLATE = 1, OWNER_HASH, OWNER_SESSION, OWNER_REQUEST } Owner;

enum { TEXT_MAX = 700, TEXTS = 60, IDS_MAX = 64, BRANCHES = 3, TOKENS_PER_HASH = 37 };

typedef struct Text {
    Call call;
    uint64_t owners[TEXT_MAX]; /* by token */
} Text;

static uint64_t owner_of(Owner owner, uint64_t whose) {
    return rng_mix((uint64_t)owner << 56 ^ rng_mix(whose));
}

static void own(Text *text, uint32_t from, uint64_t to, uint64_t owner) {
    for (uint32_t i = from; i < to && i < TEXT_MAX; i++) {
        text->owners[i] = owner;
    }
}

static World *two_clients(Model **model) {
    *model = story_compile(
        "run: {duration: 10s}\n"
        "clients:\n"
        "  a: {target: s, arrivals: {trace: {file: /dev/null}}, shared_prefix: {tokens: 53, count:"
        " 2}}\n"
        "  b: {target: s, arrivals: {trace: {file: /dev/null}}, shared_prefix: {tokens: 90, count:"
        " 3, s: 0}}\n"
        "services: {s: {}}\n");
    return world_create(*model, &(WorldOptions){.seed = 3});
}

/* The owner of the client's template that this key draws. */
static uint64_t template_owner(const World *world, uint32_t client, uint64_t key) {
    double rank = dist_draw_keyed(&world->model->clients[client].prefix_law,
                                  &world->clients[client].prefix_key, key, 0);
    return owner_of(OWNER_TEMPLATE, client * 100 + (uint64_t)rank);
}

/* Ids of a tree, so that an id stands for all before it: child `branch` of id i is 3 i + branch +
 * 1, and the choice among children is mostly the first. */
static uint32_t draw_ids(Rng *rng, uint64_t ids[IDS_MAX]) {
    uint32_t count = 1 + rng_below(rng, 17);
    uint64_t id = 0;
    for (uint32_t i = 0; i < count; i++) {
        id = BRANCHES * id + (rng_uniform(rng) < 0.8 ? 0 : rng_below(rng, BRANCHES)) + 1;
        ids[i] = id;
    }
    return count;
}

static void make_hashed(World *world, Rng *rng, Text *text) {
    uint64_t ids[IDS_MAX];
    Arrival arrival = {
        .hash_ids = ids, .hash_count = draw_ids(rng, ids), .tokens_per_hash = TOKENS_PER_HASH};
    text->call.prompt = prompt_of_hashes(world, text->call.client, &arrival);
    for (uint32_t i = 0; i < arrival.hash_count; i++) {
        uint32_t from = i * TOKENS_PER_HASH, to = from + TOKENS_PER_HASH;
        own(text, from, to < text->call.input_tokens ? to : text->call.input_tokens,
            owner_of(OWNER_HASH, ids[i]));
    }
}

/* A turn of one of a few sessions; `history` is what it has said so far. */
static void make_turn(World *world, uint64_t session, Text *text) {
    Call *call = &text->call;
    uint64_t key = world->clients[call->client].session_base + session;
    uint32_t prefix = world->model->clients[call->client].shared_prefix.tokens;
    call->prompt = prompt_of_session(world, call->client, key);
    call->input_tokens = prefix + call->input_tokens / 2;
    own(text, 0, prefix, template_owner(world, call->client, key));
    own(text, prefix, (uint64_t)call->input_tokens + call->output_tokens,
        owner_of(OWNER_SESSION, call->client * 100 + session));
}

static void make_plain(World *world, Text *text) {
    Call *call = &text->call;
    uint32_t prefix = world->model->clients[call->client].shared_prefix.tokens;
    call->prompt = prompt_of_request(world, call->client, call->key);
    own(text, 0, prefix < call->input_tokens ? prefix : call->input_tokens,
        template_owner(world, call->client, call->key));
}

/* One of every kind in turn. */
static void make_text(World *world, Rng *rng, uint32_t index, Text *text) {
    uint32_t client = rng_below(rng, 2);
    text->call = (Call){.key = world->clients[client].key_base + index,
                        .client = client,
                        .prompt = NONE,
                        .input_tokens = rng_below(rng, 500),
                        .output_tokens = rng_below(rng, 80)};
    own(text, 0, TEXT_MAX, owner_of(OWNER_REQUEST, text->call.key));
    switch (index % 4) {
    case 0:
        make_hashed(world, rng, text);
        break;
    case 1:
        make_turn(world, rng_below(rng, 3), text);
        break;
    case 2:
        make_plain(world, text);
        break;
    default:
        break;
    }
}

static bool texts_agree(const Text *a, const Text *b, uint64_t end) {
    return memcmp(a->owners, b->owners, (size_t)end * sizeof a->owners[0]) == 0;
}

/* No two blocks of one request have the same key. */
static void check_distinct(const World *world, const Text *text, uint32_t block_size) {
    uint64_t keys[TEXT_MAX];
    PromptCursor cursor = prompt_cursor(world, &text->call, 0, block_size);
    for (uint32_t i = 0; i < TEXT_MAX / block_size; i++) {
        keys[i] = next_key(&cursor);
        for (uint32_t k = 0; k < i; k++) {
            CHECK(keys[i] != keys[k]); /* ck_assert writes to a file, also when all is well */
        }
    }
}

/* Blocks in common, counted so that a test of nothing is noticed. */
static uint32_t check_pair(const World *world, const Text *a, const Text *b, uint32_t block_size) {
    PromptCursor first = prompt_cursor(world, &a->call, 0, block_size);
    PromptCursor second = prompt_cursor(world, &b->call, 0, block_size);
    uint32_t common = 0;
    for (uint64_t end = block_size; end <= TEXT_MAX; end += block_size) {
        bool is_equal = next_key(&first) == next_key(&second);
        if (is_equal != texts_agree(a, b, end)) {
            ck_abort_msg("calls %llu and %llu, blocks of %u: the one that ends at %llu",
                         (unsigned long long)a->call.key, (unsigned long long)b->call.key,
                         block_size, (unsigned long long)end);
        }
        common += is_equal;
    }
    return common;
}

START_TEST(keys_are_equal_just_when_all_text_up_to_the_blocks_end_is) {
    static const uint32_t block_sizes[] = {1, 7, 16, 37, 53, 111};
    Model *model;
    World *world = two_clients(&model);
    Text *texts = mem_zalloc(TEXTS, sizeof *texts);
    Rng rng = {.s = {11, 13, 17, 19}};
    for (uint32_t i = 0; i < TEXTS; i++) {
        make_text(world, &rng, i, &texts[i]);
        if (i % 8 == 7) {
            texts[i] = texts[i - 4]; /* the same request once more */
        }
    }
    for (uint32_t i = 0; i < sizeof block_sizes / sizeof block_sizes[0]; i++) {
        uint32_t common = 0;
        for (uint32_t a = 0; a < TEXTS; a++) {
            check_distinct(world, &texts[a], block_sizes[i]);
            for (uint32_t b = a + 1; b < TEXTS; b++) {
                common += check_pair(world, &texts[a], &texts[b], block_sizes[i]);
            }
        }
        ck_assert_uint_gt(common * block_sizes[i], 8000);
    }
    mem_free(texts);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

START_TEST(a_cursor_may_begin_at_any_block) {
    Model *model;
    World *world = two_clients(&model);
    Rng rng = {.s = {23, 29, 31, 37}};
    static Text text;
    for (uint32_t i = 0; i < TEXTS; i++) {
        make_text(world, &rng, i, &text);
        PromptCursor whole = prompt_cursor(world, &text.call, 0, 16);
        for (uint32_t first = 0; first < 50; first++) {
            PromptCursor part = prompt_cursor(world, &text.call, first, 16);
            ck_assert_uint_eq(next_key(&part), next_key(&whole));
            PromptCursor from_here = whole;
            ck_assert_uint_eq(next_key(&part), next_key(&from_here));
        }
    }
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* Runs of up to `most` blocks, held against blocks one by one. */
static void check_runs(const World *world, const Text *text, uint32_t block_size, uint32_t most) {
    PromptCursor by_run = prompt_cursor(world, &text->call, 0, block_size);
    PromptCursor by_block = by_run;
    uint64_t owner_before = 0;
    uint32_t place = 0, left = 0;
    while (place < TEXT_MAX / block_size) {
        PromptRun run = prompt_next_run(&by_run, most);
        CHECK(run.first == place && run.count > 0 && run.count <= most);
        CHECK(left == 0 || run.owner != owner_before); /* the one before was as long as could be */
        for (uint32_t i = 0; i < run.count; i++) {
            PromptRun block = prompt_next_run(&by_block, 1);
            CHECK(block.owner == run.owner && block.first == place++ && block.count == 1);
        }
        owner_before = run.owner;
        left = most - run.count;
    }
}

START_TEST(a_run_is_all_blocks_of_one_owner_that_follow_each_other) {
    static const uint32_t block_sizes[] = {1, 7, 16, 37, 53, 111};
    Model *model;
    World *world = two_clients(&model);
    Rng rng = {.s = {41, 43, 47, 53}};
    static Text text;
    for (uint32_t i = 0; i < TEXTS; i++) {
        make_text(world, &rng, i, &text);
        for (uint32_t k = 0; k < sizeof block_sizes / sizeof block_sizes[0]; k++) {
            check_runs(world, &text, block_sizes[k], 1 + (uint32_t)rng_below(&rng, 9));
            check_runs(world, &text, block_sizes[k], TEXT_MAX);
        }
    }
    world_destroy(world);
    model_destroy(model);
}
END_TEST

START_TEST(the_block_with_the_border_belongs_to_the_later_owner) {
    /* 53 tokens of template: three blocks of 16 are common to two requests, four of 13, and the
     * fourth of 16 (49 to 64) is each one's own. */
    Model *model;
    World *world = two_clients(&model);
    Text *texts = mem_zalloc(40, sizeof *texts);
    uint32_t checked = 0;
    for (uint32_t i = 0; i < 40; i++) {
        texts[i].call =
            (Call){.key = world->clients[0].key_base + i, .client = 0, .input_tokens = 200};
        texts[i].call.prompt = prompt_of_request(world, 0, texts[i].call.key);
        own(&texts[i], 0, TEXT_MAX, owner_of(OWNER_REQUEST, i));
        own(&texts[i], 0, 53, template_owner(world, 0, texts[i].call.key));
        if (texts[i].owners[0] == texts[0].owners[0] && i > 0) {
            ck_assert_uint_eq(check_pair(world, &texts[0], &texts[i], 16), 3);
            ck_assert_uint_eq(check_pair(world, &texts[0], &texts[i], 13), 4);
            ck_assert_uint_eq(check_pair(world, &texts[0], &texts[i], 53), 1);
            ck_assert_uint_eq(check_pair(world, &texts[0], &texts[i], 54), 0);
            checked++;
        }
    }
    ck_assert_uint_gt(checked, 3);
    mem_free(texts);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

START_TEST(repetitions_of_a_request_have_its_keys) {
    Model *model;
    World *world = two_clients(&model);
    Call call = {.key = 4711, .prompt = NONE, .input_tokens = 90, .edge = 0};
    Call again = call, other = call;
    again.edge = 1;
    again.path = 77;
    other.key++;
    PromptCursor a = prompt_cursor(world, &call, 0, 16), b = prompt_cursor(world, &again, 0, 16),
                 c = prompt_cursor(world, &other, 0, 16);
    for (int i = 0; i < 20; i++) {
        uint64_t key = next_key(&a);
        ck_assert_uint_eq(next_key(&b), key);
        ck_assert_uint_ne(next_key(&c), key);
    }
    world_destroy(world);
    model_destroy(model);
}
END_TEST

/* ---- Who may look for the same blocks */

static bool shares(const char *yaml) {
    Model *model = story_compile(yaml);
    World *world = world_create(model, &(WorldOptions){.seed = 1});
    bool is_shared = prompt_is_shared(world, &(Call){.prompt = NONE});
    world_destroy(world);
    model_destroy(model);
    return is_shared;
}

#define WEB "clients: {web: {target: gate, arrivals: {poisson: {rate: 1/s}}, call: {timeout: 1s, "

START_TEST(a_prompt_of_its_own_is_shared_only_where_calls_are_repeated) {
    ck_assert(!shares(WEB "}}}\nservices: {gate: {calls: [{to: llm}, {to: guard}]}, llm: {},"
                          " guard: {}}\n"));
    ck_assert(shares(WEB "retry: {fixed: {max_attempts: 2}}}}}\nservices: {gate: {}}\n"));
    ck_assert(!shares(WEB "retry: {fixed: {max_attempts: 1}}}}}\nservices: {gate: {}}\n"));
    ck_assert(shares(WEB "}}}\nservices: {gate: {calls: [{to: llm, retry: {exponential: {}}}]},"
                         " llm: {}}\n"));
    /* Twice in a row, and once each by two services. */
    ck_assert(shares(WEB "}}}\nservices: {gate: {calls: [{to: llm}, {to: llm}]}, llm: {}}\n"));
    ck_assert(shares(WEB "}}}\nservices: {gate: {calls: [{to: llm}, {to: guard}]}, llm: {},"
                         " guard: {calls: [{to: llm}]}}\n"));
    /* A fallback elsewhere, and one that leads back. */
    ck_assert(!shares(WEB "fallback: {to: b}}}}\nservices: {gate: {}, b: {}}\n"));
    ck_assert(
        shares(WEB "fallback: {to: b, fallback: {to: gate}}}}}\nservices: {gate: {}, b: {}}\n"));
    ck_assert(shares(WEB "fallback: {to: b}}}}\nservices: {gate: {calls: [{to: b}]}, b: {}}\n"));
    /* Two clients of one service make different requests. */
    ck_assert(!shares("clients:\n"
                      "  a: {target: llm, arrivals: {poisson: {rate: 1/s}}}\n"
                      "  b: {target: llm, arrivals: {poisson: {rate: 1/s}}}\n"
                      "services: {llm: {}}\n"));
}
END_TEST

/* ---- In a run */

START_TEST(two_replays_of_a_file_share_and_two_files_do_not) {
    static const uint64_t ids[] = {0, 1, 2, 7};
    static const TraceArrival list[] = {
        {.at_s = 1, .input_tokens = 1800, .output_tokens = 99, .hash_ids = ids, .hash_count = 4},
        {.at_s = 2, .input_tokens = 1500, .hash_ids = ids, .hash_count = 3}};
    StoryTrace trace = {.items = list, .count = 2}, traces[] = {trace, trace, trace};
    SentRun run;
    sent_run(&run,
             "run: {duration: 10s}\n"
             "clients:\n"
             "  a: {target: s, arrivals: {trace: {file: /dev/null}}}\n"
             "  b: {target: s, arrivals: {trace: {file: /dev/null}}}\n"
             "  c: {target: s, arrivals: {trace: {file: /dev/zero}}}\n"
             "services: {s: {work: 3s, server: {pool: {concurrency: 9}}}}\n",
             traces, 128);
    ck_assert_uint_eq(run.sent.count, 6);
    const Sent *sent = run.sent.items;
    /* In order: a b c at 1 s, then at 2 s. 14 whole blocks lie within the prompt of 1800 tokens,
     * 11 within that of 1500; answers are no two requests' own. */
    ck_assert_uint_eq(sent_common(&sent[0], &sent[1]), 14);
    ck_assert_uint_eq(sent[0].key_count, 14);
    ck_assert_uint_eq(sent_common(&sent[0], &sent[3]), 11);
    ck_assert_uint_eq(sent_common(&sent[4], &sent[0]), 11);
    ck_assert_uint_eq(sent_common(&sent[0], &sent[2]), 0);
    ck_assert_uint_eq(sent_common(&sent[5], &sent[2]), 11);
    ck_assert(sent[0].is_shared);
    ck_assert_uint_eq(pool_live_count(&run.world->prompts), 0);
    ck_assert_uint_eq(pool_live_count(&run.world->hash_chunks), 0);
    sent_free(&run);
}
END_TEST

START_TEST(tokens_per_hash_says_how_far_an_id_reaches) {
    static const uint64_t ids[] = {5, 6}, others[] = {5, 9};
    static const TraceArrival list[] = {
        {.at_s = 1, .input_tokens = 90, .hash_ids = ids, .hash_count = 2},
        {.at_s = 2, .input_tokens = 90, .hash_ids = others, .hash_count = 2}};
    StoryTrace trace = {.items = list, .count = 2};
    SentRun run;
    sent_run(
        &run,
        "run: {duration: 10s}\n"
        "clients: {a: {target: s, arrivals: {trace: {file: /dev/null, tokens_per_hash: 48}}}}\n"
        "services: {s: {}}\n",
        &trace, 16);
    ck_assert_uint_eq(sent_common(&run.sent.items[0], &run.sent.items[1]), 3);
    sent_free(&run);
}
END_TEST

START_TEST(an_id_that_comes_back_after_another_one_is_another_text) {
    /* Some traces hash the blocks by themselves: what stands before counts all the same. */
    static const uint64_t lists[3][3] = {{5, 6, 7}, {5, 9, 7}, {7, 6, 5}};
    static const TraceArrival list[] = {
        {.at_s = 1, .input_tokens = 99, .hash_ids = lists[0], .hash_count = 3},
        {.at_s = 2, .input_tokens = 99, .hash_ids = lists[1], .hash_count = 3},
        {.at_s = 3, .input_tokens = 99, .hash_ids = lists[2], .hash_count = 3}};
    StoryTrace trace = {.items = list, .count = 3}, traces[] = {trace, trace};
    SentRun run;
    sent_run(&run,
             "run: {duration: 10s}\n"
             "clients:\n"
             "  a: {target: s, arrivals: {trace: {file: /dev/null, tokens_per_hash: 33}}}\n"
             "  b: {target: s, arrivals: {trace: {file: /dev/null, tokens_per_hash: 34}}}\n"
             "services: {s: {}}\n",
             traces, 11);
    const Sent *sent = run.sent.items;
    ck_assert_uint_eq(sent_common(&sent[0], &sent[2]), 3);
    ck_assert_uint_eq(sent_common(&sent[0], &sent[4]), 0);
    ck_assert_uint_eq(sent_common(&sent[2], &sent[4]), 0);
    /* Of 34 tokens each the same ids are other texts. */
    ck_assert_uint_eq(sent_common(&sent[0], &sent[1]), 0);
    sent_free(&run);
}
END_TEST

START_TEST(requests_share_their_template_in_the_end_result) {
    SentRun run;
    sent_run(&run,
             "run: {duration: 30s}\n"
             "clients: {a: {target: s, arrivals: {constant: {rate: 10/s}}, input_tokens: {uniform:"
             " {min: 20, max: 900}}, shared_prefix: {tokens: 500, count: 3}}}\n"
             "services: {s: {work: 5s, replicas: 60}}\n",
             NULL, 16);
    uint32_t in_common[2] = {0};
    for (size_t i = 1; i < run.sent.count; i++) {
        const Sent *a = &run.sent.items[i - 1], *b = &run.sent.items[i];
        uint32_t least = a->input_tokens < b->input_tokens ? a->input_tokens : b->input_tokens;
        uint32_t common = sent_common(a, b);
        ck_assert_uint_lt(b->input_tokens, 901);
        ck_assert(common == 0 || common == (least < 500 ? least : 500) / 16);
        in_common[common > 0]++;
    }
    /* Popularities 1 : 1/2 : 1/3 over 11/6: neighbours have the same one in 49/121 of cases. */
    ck_assert_uint_gt(in_common[0], 100);
    ck_assert_uint_gt(in_common[1], 60);
    sent_free(&run);
}
END_TEST

START_TEST(late_work_and_retries_keep_a_prompt_until_the_last_is_done) {
    /* The first attempt works on for nobody when the second is answered: world_check counts, after
     * every event, who holds the prompt. */
    static const uint64_t ids[40] = {3, 4};
    static const TraceArrival list[] = {
        {.at_s = 1, .input_tokens = 20000, .hash_ids = ids, .hash_count = 40}};
    StoryTrace trace = {.items = list, .count = 1};
    SentRun run;
    sent_run(&run,
             "run: {duration: 20s}\n"
             "clients: {a: {target: g, arrivals: {trace: {file: /dev/null}}, call: {timeout: 1s,"
             " retry: {fixed: {max_attempts: 3}}}}}\n"
             "services:\n"
             "  g: {replicas: 3, route: round_robin, calls: [{to: s}]}\n"
             "  s: {replicas: 3, route: round_robin, work: {hyperexponential: {p: 50%, means: [4s,"
             " 0.1s]}}}\n",
             &trace, 16);
    ck_assert_uint_eq(run.sent.count, 1);
    ck_assert_uint_eq(pool_slot_end(&run.world->prompts), 1);
    ck_assert_uint_eq(pool_slot_end(&run.world->hash_chunks), 3);
    ck_assert_uint_eq(pool_live_count(&run.world->prompts), 0);
    ck_assert_uint_eq(pool_live_count(&run.world->hash_chunks), 0);
    sent_free(&run);
}
END_TEST

START_TEST(ids_beyond_the_limit_end_the_run) {
    /* For a single request in flight there are 4 + 65536 chunks of 15. */
    enum { COUNT = 15 * (4 + 65536) + 1 };
    uint64_t *ids = mem_zalloc(COUNT, sizeof *ids);
    TraceArrival list[] = {{.at_s = 1, .hash_ids = ids, .hash_count = COUNT - 1},
                           {.at_s = 9, .hash_ids = ids, .hash_count = COUNT}};
    StoryTrace trace = {.items = list, .count = 2};
    SentRun run;
    sent_run(&run,
             "run: {duration: 10s, max_in_flight: 1}\n"
             "clients: {a: {target: s, arrivals: {trace: {file: /dev/null}}}}\n"
             "services: {s: {}}\n",
             &trace, 16);
    ck_assert_int_eq(run.world->stop_reason, STOP_IN_FLIGHT);
    ck_assert_int_eq(run.world->now, 1 * SIM_TIME_S);
    sent_free(&run);
    mem_free(ids);
}
END_TEST

/* ---- Against a real trace: keys of blocks as large as an id's share stand for ids one to one */

typedef struct Pair {
    uint64_t id, key;
} Pair;

static int compare_pairs(const void *a, const void *b) {
    const Pair *x = a, *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id)
                          : (x->key > y->key) - (x->key < y->key);
}

static int compare_keys(const void *a, const void *b) {
    uint64_t x = ((const Pair *)a)->key, y = ((const Pair *)b)->key;
    return (x > y) - (x < y);
}

/* Whole ids of the records, with the keys that a World makes of them. */
static size_t pair_up(World *world, const char *path, Pair *pairs, size_t size) {
    TraceIn *trace = trace_in_open(&(TraceSpec){.path = path}, NULL);
    TraceRecord record;
    size_t count = 0;
    for (uint64_t number = 0; trace_in_next(trace, &record, NULL) && record.at != SIM_TIME_NEVER;
         number++) {
        Arrival arrival = {
            .hash_ids = record.hash_ids, .hash_count = record.hash_count, .tokens_per_hash = 512};
        Call call = {.key = number, .input_tokens = record.input_tokens};
        call.prompt = prompt_of_hashes(world, 0, &arrival);
        PromptCursor cursor = prompt_cursor(world, &call, 0, 512);
        for (uint32_t i = 0; i < record.input_tokens / 512; i++) {
            CHECK(count < size);
            pairs[count++] = (Pair){record.hash_ids[i], next_key(&cursor)};
        }
        prompt_drop(world, call.prompt);
    }
    trace_in_close(trace);
    return count;
}

START_TEST(keys_of_the_mooncake_trace_are_its_ids) {
    static const char path[] = KNOCKON_TRACES "mooncake-conversation.jsonl";
    enum { PAIRS_MAX = 300000 };
    if (access(path, R_OK) != 0) {
        fputs("skipped: no traces in " KNOCKON_TRACES "\n", stderr);
        return;
    }
    Model *model;
    World *world = two_clients(&model);
    Pair *pairs = mem_alloc(PAIRS_MAX * sizeof *pairs);
    size_t count = pair_up(world, path, pairs, PAIRS_MAX), ids = 0, keys = 0;
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        bool is_new = i == 0 || pairs[i].id != pairs[i - 1].id;
        CHECK(is_new || pairs[i].key == pairs[i - 1].key);
        ids += is_new;
    }
    qsort(pairs, count, sizeof *pairs, compare_keys);
    for (size_t i = 0; i < count; i++) {
        keys += i == 0 || pairs[i].key != pairs[i - 1].key;
    }
    ck_assert_uint_eq(ids, keys);
    ck_assert_uint_eq(count, 276491);
    ck_assert_uint_eq(keys, 170899);
    ck_assert_uint_eq(pool_live_count(&world->hash_chunks), 0);
    mem_free(pairs);
    world_destroy(world);
    model_destroy(model);
}
END_TEST

START_TEST(an_endless_cache_finds_what_the_mooncake_trace_repeats) {
    /* Figures of a program of ten lines: for each record in turn, leading blocks of 16 whose id and
     * place an earlier one had, at most all tokens but one. */
    if (access(KNOCKON_TRACES "mooncake-conversation.jsonl", R_OK) != 0) {
        fputs("skipped: no traces in " KNOCKON_TRACES "\n", stderr);
        return;
    }
    Model *model = story_compile(
        "run: {duration: 1h, sample_every: 1h}\n"
        "clients: {chat: {target: llm, arrivals: {trace: {file: " KNOCKON_TRACES
        "mooncake-conversation.jsonl}}}}\n"
        "services: {llm: {server: {inference: {kv_blocks: 7M, max_num_batched_tokens: 100k, step:"
        " {linear: {base: 1us}}}}}}\n");
    TraceSources traces;
    ck_assert(trace_sources_open(model, &traces, NULL));
    World *world = world_create(model, &(WorldOptions){.seed = 1, .traces = traces.sources});
    world_run(world);
    world_check(world);
    const uint64_t *counts = world->probe.components[1].counts[true];
    ck_assert_uint_eq(counts[COUNT_PREFIX_QUERIED], 144793823);
    ck_assert_uint_eq(counts[COUNT_PREFIX_HIT], 54097440);
    ck_assert_uint_eq(pool_live_count(&world->prompts), 0);
    ck_assert_uint_eq(pool_live_count(&world->hash_chunks), 0);
    world_destroy(world);
    trace_sources_close(&traces);
    model_destroy(model);
}
END_TEST

TEST_SUITE("models/prompt", the_mixer_is_that_of_splitmix64,
           keys_are_equal_just_when_all_text_up_to_the_blocks_end_is,
           a_cursor_may_begin_at_any_block, a_run_is_all_blocks_of_one_owner_that_follow_each_other,
           the_block_with_the_border_belongs_to_the_later_owner,
           repetitions_of_a_request_have_its_keys,
           a_prompt_of_its_own_is_shared_only_where_calls_are_repeated,
           two_replays_of_a_file_share_and_two_files_do_not,
           tokens_per_hash_says_how_far_an_id_reaches,
           an_id_that_comes_back_after_another_one_is_another_text,
           requests_share_their_template_in_the_end_result,
           late_work_and_retries_keep_a_prompt_until_the_last_is_done,
           ids_beyond_the_limit_end_the_run, keys_of_the_mooncake_trace_are_its_ids,
           an_endless_cache_finds_what_the_mooncake_trace_repeats)
