/* `preset: NAME`, on a kind of the test's own: what it gives, what goes on top, what is refused. */
#include "experiments/schema_read.h"
#include "tests/experiments/compile_test.h"

typedef struct Toy {
    uint32_t blocks, sequences;
    Component step;
    Dist delay;
} Toy;

static const Param toy_params[] = {
    {"blocks", PARAM_COUNT, offsetof(Toy, blocks), .min = 1, .max = 1e6, .doc = "D."},
    {"sequences", PARAM_COUNT, offsetof(Toy, sequences), .preset = "256", .min = 1, .max = 1e6,
     .doc = "D."},
    {"step", PARAM_KIND, offsetof(Toy, step), .family = FAMILY_INFERENCE_STEP, .doc = "D."},
    {"delay", PARAM_DIST, offsetof(Toy, delay), .preset = "0s", .unit = "s", .doc = "D."},
};

static const Preset toy_presets[] = {
    {"small/one-gpu",
     "blocks: 137\n"
     "step: {linear: {base: 9ms, per_prefill_token: 20us, per_decode_sequence: 30us}}\n"
     "delay: {gamma: {mean: 3ms, cv: 2}}\n",
     "nowhere", "CC0-1.0", "Made up."},
    {"small/two-gpus", "blocks: 300\n", "nowhere", "CC0-1.0", "Has no step."},
};

static const Kind toy = {
    .family = FAMILY_SERVER,
    .name = "toy",
    .doc = "D.",
    .params = toy_params,
    .param_count = PARAM_COUNT_OF(toy_params),
    .params_size = sizeof(Toy),
    .presets = toy_presets,
    .preset_count = 2,
};

typedef struct Reading {
    Doc doc;
    Diagnostics diagnostics;
    Resolved resolved;
    Model *model;
    const Toy *toy;
    char *messages, *values;
} Reading;

/* Reads {toy: {…}} after an assignment, which may be NULL. */
static Reading read_toy(const char *text, const char *set) {
    Reading r = {.model = model_create()};
    ck_assert(doc_load_text(&r.doc, "t.yaml", text, strlen(text), &r.diagnostics));
    ck_assert(set == NULL || doc_set(&r.doc, set, &r.diagnostics));
    SchemaReader reader = {&r.doc, &r.diagnostics, r.model, &r.resolved};
    Component component;
    const DocPair *pair = &r.doc.root->pairs[0];
    schema_read_params(&reader, &toy, pair->value, pair->key, &component);
    r.toy = component.params;
    r.messages = message_lines(&r.diagnostics);
    size_t size;
    FILE *out = open_memstream(&r.values, &size);
    resolved_print(&r.resolved, &r.diagnostics, out);
    fclose(out);
    return r;
}

static void reading_free(Reading *r) {
    model_destroy(r->model);
    resolved_free(&r->resolved);
    doc_free(&r->doc);
    diag_free(&r->diagnostics);
    free(r->messages);
    free(r->values);
}

static void check_values(const char *text, const char *set, const char *expected) {
    Reading r = read_toy(text, set);
    ck_assert_str_eq(r.messages, "");
    ck_assert_str_eq(r.values, expected);
    reading_free(&r);
}

#define LINEAR_REST                                                                                \
    "toy.step.linear.per_context_token: 0s  # default\n"                                           \
    "toy.step.linear.per_prefill_context_token: 0s  # default\n"                                   \
    "toy.step.linear.round: 0s  # default\n"

START_TEST(a_preset_gives_what_is_not_written) {
    check_values("toy: {preset: small/one-gpu}", NULL,
                 "toy.blocks: 137  # preset small/one-gpu\n"
                 "toy.sequences: 256  # default\n"
                 "toy.step.linear.base: 9ms  # preset small/one-gpu\n"
                 "toy.step.linear.per_prefill_token: 20us  # preset small/one-gpu\n"
                 "toy.step.linear.per_decode_sequence: 30us  # preset small/one-gpu\n" LINEAR_REST
                 "toy.delay.gamma.mean: 3ms  # preset small/one-gpu\n"
                 "toy.delay.gamma.cv: 2  # preset small/one-gpu\n");
    Reading r = read_toy("toy: {preset: small/one-gpu, sequences: 7}", NULL);
    ck_assert_uint_eq(r.toy->blocks, 137);
    ck_assert_uint_eq(r.toy->sequences, 7);
    ck_assert_str_eq(r.toy->step.kind->name, "linear");
    reading_free(&r);
}
END_TEST

START_TEST(what_is_written_comes_on_top_down_to_single_values) {
    check_values("toy:\n"
                 "  step: {linear: {base: 11ms}}\n"
                 "  preset: small/one-gpu\n"
                 "  delay: {gamma: {cv: 3}}\n"
                 "  blocks: 5\n",
                 NULL,
                 "toy.blocks: 5  # t.yaml:5\n"
                 "toy.sequences: 256  # default\n"
                 "toy.step.linear.base: 11ms  # t.yaml:2\n"
                 "toy.step.linear.per_prefill_token: 20us  # preset small/one-gpu\n"
                 "toy.step.linear.per_decode_sequence: 30us  # preset small/one-gpu\n" LINEAR_REST
                 "toy.delay.gamma.mean: 3ms  # preset small/one-gpu\n"
                 "toy.delay.gamma.cv: 3  # t.yaml:4\n");
}
END_TEST

START_TEST(another_kind_or_law_takes_the_place_of_the_presets) {
    check_values("toy:\n"
                 "  preset: small/one-gpu\n"
                 "  step: {quadratic: {prefill_base: 5ms, decode_base: 6ms, large_batch: 7}}\n"
                 "  delay: {exponential: {mean: 4ms}}\n",
                 NULL,
                 "toy.blocks: 137  # preset small/one-gpu\n"
                 "toy.sequences: 256  # default\n"
                 "toy.step.quadratic.prefill_base: 5ms  # t.yaml:3\n"
                 "toy.step.quadratic.per_prefill_token: 0s  # default\n"
                 "toy.step.quadratic.per_prefill_token_squared: 0s  # default\n"
                 "toy.step.quadratic.decode_base: 6ms  # t.yaml:3\n"
                 "toy.step.quadratic.per_decode_sequence: 0s  # default\n"
                 "toy.step.quadratic.per_context_token: 0s  # default\n"
                 "toy.step.quadratic.large_batch: 7  # t.yaml:3\n"
                 "toy.delay.exponential.mean: 4ms  # t.yaml:4\n");
    Reading r = read_toy("toy: {preset: small/one-gpu, delay: 2s, step: {linear: }}", NULL);
    ck_assert_str_eq(r.messages, "");
    ck_assert_ptr_nonnull(strstr(r.values, "toy.step.linear.base: 9ms  # preset small/one-gpu\n"));
    ck_assert_ptr_nonnull(strstr(r.values, "toy.delay: 2s  # t.yaml:1\n"));
    reading_free(&r);
}
END_TEST

START_TEST(set_reaches_every_value_of_a_preset) {
    static const char text[] = "toy: {preset: small/one-gpu}";
    Reading before = read_toy(text, NULL);
    ck_assert_uint_eq(before.resolved.values.count, 10);
    for (size_t i = 0; i < before.resolved.values.count; i++) {
        const ResolvedValue *value = &before.resolved.values.items[i];
        char set[200], expected[300], line[400];
        snprintf(set, sizeof set, "%s=%s", value->path, value->value);
        snprintf(expected, sizeof expected, "%s: %s  # --set %s\n", value->path, value->value,
                 value->path);
        Reading after = read_toy(text, set);
        ck_assert_str_eq(after.messages, "");
        ck_assert_uint_eq(after.resolved.values.count, before.resolved.values.count);
        snprintf(line, sizeof line, "%s says\n%s", set, after.values);
        ck_assert_msg(strstr(after.values, expected) != NULL, "%s", line);
        reading_free(&after);
    }
    reading_free(&before);
    Reading set = read_toy("toy: {blocks: 1}", "toy.preset=small/one-gpu");
    ck_assert_str_eq(set.messages, "");
    ck_assert_uint_eq(set.toy->blocks, 1);
    reading_free(&set);
}
END_TEST

START_TEST(a_preset_fits_below_a_file_that_is_as_large_as_allowed) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    static const char text[] = "{preset: small/one-gpu}";
    ck_assert(doc_load_text(&doc, "t.yaml", text, strlen(text), &diagnostics));
    doc.node_count = DOC_NODES_MAX;
    SchemaReader reader = {&doc, &diagnostics, NULL, NULL};
    const DocNode *map = doc.root;
    Schema schema = schema_of_kind(&toy, "'toy'");
    ck_assert(schema_apply_preset(&reader, &schema, &map));
    ck_assert_ptr_nonnull(doc_find(map, "blocks"));
    ck_assert_uint_eq(doc.node_count, DOC_NODES_MAX);
    doc_free(&doc);
    diag_free(&diagnostics);
}
END_TEST

START_TEST(what_is_no_preset_is_refused_at_its_place) {
    static const char *const cases[][2] = {
        {"toy: {preset: smal/one-gpu}",
         "1:15: 'toy' has no preset 'smal/one-gpu': did you mean 'small/one-gpu'?"},
        {"toy: {preset: small/two}",
         "1:15: 'toy' has no preset 'small/two': did you mean 'small/two-gpus'?"},
        {"toy: {preset: gpt-9, bloks: 3}",
         "1:15: 'toy' has no preset 'gpt-9'; 'knockon kinds presets' lists them\n"
         "1:22: 'toy' has no key 'bloks': did you mean 'blocks'?"},
        {"toy: {preset: }", "1:15: 'toy' has no preset ''; 'knockon kinds presets' lists them"},
        {"toy: {preset: {name: small}}", "1:15: 'preset' of 'toy' takes one name, not a map"},
        {"toy: {preset: [small]}", "1:15: 'preset' of 'toy' takes one name, not a list"},
        {"toy: {preset: small/two-gpus}", "1:6: 'toy' needs 'step'"},
        {"toy: {prest: small/two-gpus, blocks: 3, step: {linear: {base: 1ms}}}",
         "1:7: 'toy' has no key 'prest': did you mean 'preset'?"},
        {"toy: {preset: small/one-gpu, step: {linear: {bass: 1ms}}}",
         "1:46: 'linear' has no key 'bass': did you mean 'base'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Reading r = read_toy(cases[i][0], NULL);
        ck_assert_str_eq(r.messages, cases[i][1]);
        reading_free(&r);
    }
}
END_TEST

TEST_SUITE("experiments/schema_preset", a_preset_gives_what_is_not_written,
           what_is_written_comes_on_top_down_to_single_values,
           another_kind_or_law_takes_the_place_of_the_presets, set_reaches_every_value_of_a_preset,
           a_preset_fits_below_a_file_that_is_as_large_as_allowed,
           what_is_no_preset_is_refused_at_its_place)
