/* Text becomes a tree: places, aliases, merges, settings. */
#include "tests/experiments/doc_test.h"

static const char sample[] = SAMPLE;

static const char sample_tree[] =
    "{knockon: 1, run: {duration: 30min, seed: 1}, clients: {web: {arrivals: {poisson: {rate: "
    "40/s}}, call: {timeout: 8s, retry_on: [timeout, 'error']}}}, services: {gpt-4.1: {replicas: "
    "'4', calls: [{to: llm, retry_on: [timeout, 'error'], timeout: 2s}, {größe: 'two\nlines\n'}]}, "
    "llm: {call: {timeout: 8s, retry_on: [timeout, 'error']}, queue: }}}";

START_TEST(text_becomes_a_tree_with_merges_and_aliases_carried_out) {
    Diagnostics diagnostics = {0};
    Doc doc = load(&diagnostics, sample);
    check_tree(doc.root, sample_tree);
    ck_assert_uint_eq(doc.root->weight, 59);
    doc_free(&doc);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(every_node_knows_where_it_was_written) {
    Diagnostics diagnostics = {0};
    Doc doc = load(&diagnostics, sample);
    const DocPair *knockon = doc_find_pair(doc.root, "knockon");
    check_place(knockon->key, 2, 1, 7);
    check_place(knockon->value, 2, 10, 1);
    check_place(doc_find(doc_find(doc.root, "run"), "seed"), 3, 30, 1);
    const DocNode *services = doc_find(doc.root, "services");
    const DocNode *calls = doc_find(doc_find(services, "gpt-4.1"), "calls");
    check_place(calls, 14, 7, 1);
    check_place(doc_find(calls->items[0], "timeout"), 14, 42, 2);
    check_place(doc_find(calls->items[0], "retry_on"), 9, 17, 1); /* merged: where it was written */
    check_place(doc_find_pair(calls->items[1], "größe")->key, 15, 9, 5);
    check_place(doc_find(doc_find(services, "llm"), "call"), 7, 11, 1);
    ck_assert_str_eq(doc_origin_name(doc_find(doc.root, "run")), "file");
    const DocNode *preset = doc_default(&doc, doc_find(doc.root, "run"), "60s");
    check_place(preset, 3, 6, 1);
    ck_assert_str_eq(doc_origin_name(preset), "default");
    ck_assert_ptr_null(doc_find(doc_find(doc.root, "knockon"), "x"));
    ck_assert_ptr_null(doc_find(NULL, "x"));
    doc_free(&doc);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(a_byte_order_mark_and_any_line_end_change_nothing) {
    static const char *const texts[] = {"a: 1\nb: 2\n", "\uFEFFa: 1\r\nb: 2\r\n", "a: 1\rb: 2",
                                        "---\na: 1\nb: 2\n...\n", "%YAML 1.2\n---\n{a: 1, b: 2}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Diagnostics diagnostics = {0};
        Doc doc = load(&diagnostics, texts[i]);
        check_tree(doc.root, "{a: 1, b: 2}");
        if (i == 1) {
            check_place(doc_find_pair(doc.root, "a")->key, 1, 1, 1);
            check_place(doc_find(doc.root, "b"), 2, 4, 1);
        }
        doc_free(&doc);
        diag_free(&diagnostics);
    }
}
END_TEST

START_TEST(large_maps_are_searched_by_halves) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < 999; i++) {
        fprintf(out, "key%d: value%d\n", i * 7919 % 999, i);
    }
    fclose(out);
    Diagnostics diagnostics = {0};
    Doc doc = load(&diagnostics, text);
    for (int i = 0; i < 999; i++) {
        char key[24], value[24];
        snprintf(key, sizeof key, "key%d", i * 7919 % 999);
        snprintf(value, sizeof value, "value%d", i);
        ck_assert_str_eq(doc_find(doc.root, key)->text, value);
    }
    ck_assert_ptr_null(doc_find(doc.root, "key999"));
    ck_assert_ptr_null(doc_find(doc.root, ""));
    free(text);
    doc_free(&doc);
    diag_free(&diagnostics);
}
END_TEST

typedef struct SetCase {
    const char *assignment, *expected;
} SetCase;

START_TEST(a_setting_reaches_scalars_items_and_keys_that_are_missing) {
    static const SetCase right_sets[] = {
        {"run.duration=5min", "{a: {b: [1, {c: 2}], m.n: 3}, run: {duration: 5min}}"},
        {"a.b.0=x", "{a: {b: [x, {c: 2}], m.n: 3}}"},
        {"a.b[1].c={d: [e, 'f']}", "{a: {b: [1, {c: {d: [e, 'f']}}], m.n: 3}}"},
        {"a.m.n=4", "{a: {b: [1, {c: 2}], m.n: 4}}"},
        {"a.q.x.y=4", "{a: {b: [1, {c: 2}], m.n: 3, q: {x: {y: 4}}}}"},
        {"a=", "{a: }"},
        {"a.b=30%  # a comment", "{a: {b: 30%, m.n: 3}}"},
        {"a.b=\"x = y\"", "{a: {b: 'x = y', m.n: 3}}"},
    };
    for (size_t i = 0; i < sizeof right_sets / sizeof right_sets[0]; i++) {
        Diagnostics diagnostics = {0};
        Doc doc = load(&diagnostics, "a: {b: [1, {c: 2}], m.n: 3}\n");
        bool is_set = doc_set(&doc, right_sets[i].assignment, &diagnostics);
        check_printed(&diagnostics, "");
        ck_assert(is_set);
        check_tree(doc.root, right_sets[i].expected);
        doc_free(&doc);
        diag_free(&diagnostics);
    }
}
END_TEST

START_TEST(a_setting_changes_one_use_of_an_alias_and_leaves_the_old_tree_whole) {
    Diagnostics diagnostics = {0};
    Doc doc = load(&diagnostics, sample);
    const DocNode *before = doc.root;
    ck_assert(doc_set(&doc, "services.llm.call.timeout=3s", &diagnostics));
    ck_assert(doc_set(&doc, "services.llm.queue.limit=7", &diagnostics));
    check_tree(before, sample_tree);
    const DocNode *llm = doc_find(doc_find(doc.root, "services"), "llm");
    check_tree(llm, "{call: {timeout: 3s, retry_on: [timeout, 'error']}, queue: {limit: 7}}");
    check_tree(doc_find(doc_find(doc_find(doc.root, "clients"), "web"), "call"),
               "{timeout: 8s, retry_on: [timeout, 'error']}");
    const DocPair *limit = doc_find_pair(doc_find(llm, "queue"), "limit");
    check_place(limit->key, 1, 20, 5);
    check_place(limit->value, 1, 26, 1);
    ck_assert_str_eq(doc_origin_name(limit->value), "--set");
    diag_error(&diagnostics, limit->value, "'7' is too small");
    check_printed(&diagnostics, "--set services.llm.queue.limit:1:26: error: '7' is too small\n"
                                "    1 | services.llm.queue.limit=7\n"
                                "      |                          ^\n");
    doc_free(&doc);
    diag_free(&diagnostics);
}
END_TEST

TEST_SUITE("experiments/doc", text_becomes_a_tree_with_merges_and_aliases_carried_out,
           every_node_knows_where_it_was_written, a_byte_order_mark_and_any_line_end_change_nothing,
           large_maps_are_searched_by_halves,
           a_setting_reaches_scalars_items_and_keys_that_are_missing,
           a_setting_changes_one_use_of_an_alias_and_leaves_the_old_tree_whole)
