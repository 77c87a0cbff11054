/* Measured profiles: each mistake in one is refused where it stands, and what is right is kept. */
#include "experiments/profile_in.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/manifest.h"
#include "experiments/schema_read.h"
#include "models/registry.h"
#include "tests/experiments/compile_test.h"

/* ---- A profile that is right, and one change of it */

enum { DENSE, ATTENTION, SEQUENCES, FILE_COUNT };
static const char *const names[FILE_COUNT] = {"p/dense.csv", "p/attention.csv",
                                              "p/per_sequence.csv"};
static const char *const right[FILE_COUNT] = {
    "layer,tokens,time_us\n"
    "embedding,1,2.5\n"
    "embedding,64,3.5\n"
    "layernorm,1,2.25\n"
    "layernorm,64,2.75\n"
    "qkv_proj,1,47.5\n"
    "qkv_proj,64,49.5\n"
    "rotary_emb,1,2.9\n"
    "rotary_emb,64,3.6\n"
    "o_proj,1,31.5\n"
    "o_proj,64,33.5\n"
    "gate_up_proj,1,221.5\n"
    "gate_up_proj,64,229.5\n"
    "act_fn,1,2.6\n"
    "act_fn,64,3.6\n"
    "down_proj,1,109.5\n"
    "down_proj,64,113.5\n"
    "final_layernorm,1,2.4\n"
    "final_layernorm,64,3.4\n",
    "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n"
    "0,0,1,16,9.3\n"
    "0,0,1,64,13.3\n"
    "0,0,8,16,11.3\n"
    "0,0,8,64,17.3\n"
    "16,0,0,0,9.6\n"
    "16,64,0,0,10.6\n"
    "32,0,0,0,12.6\n"
    "32,64,0,0,14.6\n"
    "16,0,1,16,19.3\n"
    "16,0,1,64,23.3\n"
    "16,64,1,16,21.3\n"
    "16,64,1,64,27.3\n"
    "32,0,1,16,29.3\n"
    "32,0,1,64,33.3\n"
    "32,64,1,16,31.3\n"
    "32,64,1,64,37.3\n"
    "16,0,8,16,39.3\n"
    "16,0,8,64,43.3\n"
    "16,64,8,16,41.3\n"
    "16,64,8,64,47.3\n"
    "32,0,8,16,49.3\n"
    "32,0,8,64,53.3\n"
    "32,64,8,16,51.3\n"
    "32,64,8,64,57.3\n",
    "layer,sequences,time_us\n"
    "lm_head,1,1096.5\n"
    "lm_head,16,1122.5\n"
    "sampler,1,25.5\n"
    "sampler,16,30.5\n",
};

static char scratch[64];
static int home; /* the directory the test was started in */

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void put_right(void) {
    for (int i = 0; i < FILE_COUNT; i++) {
        put(names[i], right[i]);
    }
}

static void enter_scratch(void) {
    home = open(".", O_RDONLY | O_DIRECTORY);
    snprintf(scratch, sizeof scratch, "/tmp/knockon-profile-in-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
    ck_assert_int_eq(mkdir("p", 0777), 0);
    put_right();
}

static void leave_scratch(void) {
    for (int i = 0; i < FILE_COUNT; i++) {
        unlink(names[i]);
    }
    ck_assert_int_eq(rmdir("p"), 0);
    ck_assert_int_eq(fchdir(home), 0);
    close(home);
    ck_assert_int_eq(rmdir(scratch), 0);
}

/* What reading the directory says; "" when it is right. */
static const char *read_says(const char *directory) {
    static Error error;
    Model *model = model_create();
    error.text[0] = 0;
    const StepProfile *profile = profile_in_read(model, directory, &error);
    ck_assert_int_eq(profile == NULL, error.text[0] != 0);
    model_destroy(model);
    return error.text;
}

/* The right profile, with `now` in the place of `was` in one file. */
typedef struct Change {
    int file;
    const char *was, *now, *expected;
} Change;

static void check_changes(const Change *changes, size_t count) {
    enter_scratch();
    for (size_t i = 0; i < count; i++) {
        const Change *change = &changes[i];
        const char *text = right[change->file], *place = strstr(text, change->was);
        char changed[4000];
        ck_assert_msg(place != NULL, "%s", change->was);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(place - text), text, change->now,
                 place + strlen(change->was));
        put(names[change->file], changed);
        ck_assert_str_eq(read_says("p"), change->expected);
        put(names[change->file], text);
    }
    ck_assert_str_eq(read_says("p"), "");
    leave_scratch();
}

#define CHECK_CHANGES(...)                                                                         \
    do {                                                                                           \
        static const Change changes[] = {__VA_ARGS__};                                             \
        check_changes(changes, sizeof changes / sizeof changes[0]);                                \
    } while (0)

/* ---- Tests */

#define FILES_OF_A_PROFILE                                                                         \
    "a profile is a directory with dense.csv, attention.csv and per_sequence.csv"

START_TEST(a_missing_directory_or_file_is_named) {
    enter_scratch();
    ck_assert_str_eq(read_says("q"), "cannot open 'q': No such file or directory");
    ck_assert_str_eq(read_says("p/dense.csv"),
                     "'p/dense.csv' is not a directory: " FILES_OF_A_PROFILE);
    for (int i = 0; i < FILE_COUNT; i++) {
        char expected[200];
        unlink(names[i]);
        snprintf(expected, sizeof expected, "'%s' is missing: " FILES_OF_A_PROFILE, names[i]);
        ck_assert_str_eq(read_says("p"), expected);
        put(names[i], right[i]);
    }
    leave_scratch();
}
END_TEST

START_TEST(a_missing_column_is_named_with_the_nearest) {
    CHECK_CHANGES(
        {DENSE, "layer,tokens", "layer,token",
         "p/dense.csv:1: there is no column 'tokens'; did you mean 'token'?"},
        {DENSE, "layer,", "kernel,", "p/dense.csv:1: there is no column 'layer'"},
        {DENSE, "time_us", "time_ms",
         "p/dense.csv:1: there is no column 'time_us'; did you mean 'time_ms'?"},
        {DENSE, "tokens,time_us", "tokens,tokens",
         "p/dense.csv:1: the column 'tokens' is there twice"},
        {SEQUENCES, "sequences", "n", "p/per_sequence.csv:1: there is no column 'sequences'"},
        {ATTENTION, "prefill_chunk", "chunk",
         "p/attention.csv:1: there is no column 'prefill_chunk'"},
        {ATTENTION, "kv_prefill", "prefill_kv",
         "p/attention.csv:1: there is no column 'kv_prefill'"},
        {ATTENTION, "n_decode", "ndecode",
         "p/attention.csv:1: there is no column 'n_decode'; did you mean 'ndecode'?"});
}
END_TEST

START_TEST(an_unknown_layer_is_named_with_the_nearest) {
    CHECK_CHANGES({DENSE, "qkv_proj,64", "qvk_proj,64",
                   "p/dense.csv:7: a step has no layer 'qvk_proj'; did you mean 'qkv_proj'?"},
                  {DENSE, "act_fn,1", "router,1",
                   "p/dense.csv:14: a step has no layer 'router': its time would be lost"},
                  {SEQUENCES, "sampler,1", "samplers,1",
                   "p/per_sequence.csv:4: a step has no layer 'samplers'; did you mean "
                   "'sampler'?"});
}
END_TEST

START_TEST(a_missing_layer_is_named) {
    CHECK_CHANGES({DENSE, "o_proj,1,31.5\no_proj,64,33.5\n", "",
                   "p/dense.csv:1: no points of the layer 'o_proj' below"},
                  {DENSE, "final_layernorm,1,2.4\nfinal_layernorm,64,3.4\n", "",
                   "p/dense.csv:1: no points of the layer 'final_layernorm' below"},
                  {SEQUENCES, "lm_head,1,1096.5\nlm_head,16,1122.5\n", "",
                   "p/per_sequence.csv:1: no points of the layer 'lm_head' below"});
}
END_TEST

START_TEST(a_layer_that_only_some_models_have_may_be_missing) {
    CHECK_CHANGES({DENSE, "o_proj,1", "qk_norm,1,3.1\nqk_norm,64,3.7\no_proj,1", ""});
}
END_TEST

#define TIME_IS(text) " time_us is a number of microseconds from 0 to 10000000, not '" text "'"

START_TEST(a_time_that_is_none_is_refused) {
    CHECK_CHANGES({DENSE, "64,49.5", "64,-49.5", "p/dense.csv:7:" TIME_IS("-49.5")},
                  {DENSE, "64,49.5", "64,nan", "p/dense.csv:7:" TIME_IS("nan")},
                  {DENSE, "64,49.5", "64,inf", "p/dense.csv:7:" TIME_IS("inf")},
                  {DENSE, "64,49.5", "64,1e400", "p/dense.csv:7:" TIME_IS("1e400")},
                  {DENSE, "64,49.5", "64,", "p/dense.csv:7:" TIME_IS("")},
                  {DENSE, "64,49.5", "64,49.5us", "p/dense.csv:7:" TIME_IS("49.5us")},
                  {DENSE, "64,49.5", "64,10000001", "p/dense.csv:7:" TIME_IS("10000001")},
                  {SEQUENCES, "1,25.5", "1,0x1p4", "p/per_sequence.csv:4:" TIME_IS("0x1p4")},
                  {ATTENTION, "64,17.3", "64,fast", "p/attention.csv:5:" TIME_IS("fast")},
                  {ATTENTION, "64,17.3", "64,1e7", ""}, {DENSE, "64,49.5", "64,0", ""});
}
END_TEST

START_TEST(a_number_that_is_not_whole_or_too_large_is_refused) {
    CHECK_CHANGES(
        {DENSE, "qkv_proj,64", "qkv_proj,64.5",
         "p/dense.csv:7: tokens is a whole number from 1 to 1048576, not '64.5'"},
        {DENSE, "qkv_proj,1,", "qkv_proj,0,",
         "p/dense.csv:6: tokens is a whole number from 1 to 1048576, not '0'"},
        {DENSE, "qkv_proj,64", "qkv_proj,1048577",
         "p/dense.csv:7: tokens is a whole number from 1 to 1048576, not '1048577'"},
        {DENSE, "qkv_proj,64", "qkv_proj,1048576", ""},
        {SEQUENCES, "lm_head,16", "lm_head,-16",
         "p/per_sequence.csv:3: sequences is a whole number from 1 to 1048576, not '-16'"},
        {ATTENTION, "0,0,8,64", "0,0,8,100000001",
         "p/attention.csv:5: kv_decode is a whole number from 0 to 100000000, not '100000001'"},
        {ATTENTION, "16,0,0,0", ",0,0,0",
         "p/attention.csv:6: prefill_chunk is a whole number from 0 to 100000000, not ''"});
}
END_TEST

START_TEST(a_row_of_another_length_is_refused) {
    CHECK_CHANGES({DENSE, "act_fn,1,2.6", "act_fn,1",
                   "p/dense.csv:14: 2 cells where the header has 3 columns"});
}
END_TEST

START_TEST(a_point_that_is_there_twice_is_refused) {
    CHECK_CHANGES({DENSE, "down_proj,64", "down_proj,1",
                   "p/dense.csv:17: the point tokens 1 is there twice, first in line 16"},
                  {SEQUENCES, "sampler,16", "sampler,1",
                   "p/per_sequence.csv:5: the point sequences 1 is there twice, first in line 4"},
                  {ATTENTION, "32,64,8,64", "16,64,1,16",
                   "p/attention.csv:25: the point prefill_chunk 16, kv_prefill 64, n_decode 1, "
                   "kv_decode 16 is there twice, first in line 12"});
}
END_TEST

START_TEST(a_file_without_points_is_refused) {
    enter_scratch();
    put(names[DENSE], "layer,tokens,time_us\n");
    ck_assert_str_eq(read_says("p"), "p/dense.csv:1: there are no points below the header");
    put(names[DENSE], "");
    ck_assert_str_eq(read_says("p"), "p/dense.csv:1: the file is empty; a header was expected");
    put_right();
    put(names[ATTENTION], "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n");
    ck_assert_str_eq(read_says("p"), "p/attention.csv:1: there are no points below the header");
    leave_scratch();
}
END_TEST

START_TEST(a_curve_needs_two_points) {
    CHECK_CHANGES({DENSE, "rotary_emb,64,3.6\n", "",
                   "p/dense.csv:8: the layer 'rotary_emb' has one point: two or more are needed to "
                   "tell how time grows with tokens"},
                  {SEQUENCES, "sampler,1,25.5\n", "",
                   "p/per_sequence.csv:4: the layer 'sampler' has one point: two or more are "
                   "needed to tell how time grows with sequences"},
                  {ATTENTION, "0,0,8,16,11.3\n0,0,8,64,17.3\n", "",
                   "p/attention.csv:2: n_decode has one value, 1, in all batches that only decode "
                   "(prefill_chunk 0): two or more are needed to tell how time grows with it"},
                  {ATTENTION, "16,64,0,0,10.6\n32,0,0,0,12.6\n32,64,0,0,14.6\n", "32,0,0,0,12.6\n",
                   "p/attention.csv:6: kv_prefill has one value, 0, in all batches that only "
                   "prefill (n_decode 0): two or more are needed to tell how time grows with it"});
}
END_TEST

START_TEST(a_mixture_needs_two_points_along_each_axis_too) {
    enter_scratch();
    char text[4000];
    const char *mixed = strstr(right[ATTENTION], "16,0,1,16");
    snprintf(text, sizeof text, "%.*s16,0,1,16,19.3\n16,0,1,64,23.3\n32,0,1,16,29.3\n",
             (int)(mixed - right[ATTENTION]), right[ATTENTION]);
    put(names[ATTENTION], text);
    ck_assert_str_eq(read_says("p"),
                     "p/attention.csv:10: kv_prefill has one value, 0, in all batches that mix "
                     "prefill and decode: two or more are needed to tell how time grows with it");
    leave_scratch();
}
END_TEST

#define IS_MISSING                                                                                 \
    " is missing: each of its numbers stands in other rows, and every combination of them is "     \
    "needed"

START_TEST(a_gap_in_the_grid_is_named) {
    CHECK_CHANGES(
        {ATTENTION, "0,0,1,64,13.3\n", "",
         "p/attention.csv:3: the point prefill_chunk 0, kv_prefill 0, n_decode 1, kv_decode "
         "64" IS_MISSING},
        {ATTENTION, "32,64,0,0,14.6\n", "",
         "p/attention.csv:8: the point prefill_chunk 32, kv_prefill 64, n_decode 0, kv_decode "
         "0" IS_MISSING},
        {ATTENTION, "16,64,8,16,41.3\n", "",
         "p/attention.csv:20: the point prefill_chunk 16, kv_prefill 64, n_decode 8, kv_decode "
         "16" IS_MISSING},
        {ATTENTION, "32,64,8,64,57.3\n", "",
         "p/attention.csv:24: the point prefill_chunk 32, kv_prefill 64, n_decode 8, kv_decode "
         "64" IS_MISSING});
}
END_TEST

START_TEST(a_batch_that_cannot_be_is_refused) {
    CHECK_CHANGES(
        {ATTENTION, "16,0,0,0", "0,0,0,0",
         "p/attention.csv:6: prefill_chunk and n_decode are both 0: such a step does nothing"},
        {ATTENTION, "0,0,1,16", "0,64,1,16",
         "p/attention.csv:2: kv_prefill is 64 where prefill_chunk is 0; 0 was expected"},
        {ATTENTION, "16,64,0,0", "16,64,0,16",
         "p/attention.csv:7: kv_decode is 16 where n_decode is 0; 0 was expected"});
}
END_TEST

START_TEST(prefill_and_decode_must_be_measured_and_mixtures_may_be) {
    enter_scratch();
    const char *header = "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n";
    const char *decode = strstr(right[ATTENTION], "0,0,1,16");
    const char *prefill = strstr(right[ATTENTION], "16,0,0,0");
    const char *mixed = strstr(right[ATTENTION], "16,0,1,16");
    char text[4000];
    snprintf(text, sizeof text, "%s%.*s%s", header, (int)(prefill - decode), decode, mixed);
    put(names[ATTENTION], text);
    ck_assert_str_eq(read_says("p"), "p/attention.csv:1: no points of batches that only prefill "
                                     "(n_decode 0) below");
    snprintf(text, sizeof text, "%s%s", header, prefill);
    put(names[ATTENTION], text);
    ck_assert_str_eq(read_says("p"), "p/attention.csv:1: no points of batches that only decode "
                                     "(prefill_chunk 0) below");
    snprintf(text, sizeof text, "%.*s", (int)(mixed - right[ATTENTION]), right[ATTENTION]);
    put(names[ATTENTION], text);
    ck_assert_str_eq(read_says("p"), "");
    leave_scratch();
}
END_TEST

START_TEST(rows_may_stand_in_any_order_beside_other_columns) {
    enter_scratch();
    put(names[SEQUENCES], "time_us,gpu,sequences,layer\r\n30.5,a,16,sampler\r\n1122.5,a,16,lm_head"
                          "\r\n1096.5,a,1,lm_head\r\n25.5,a,1,sampler\r\n");
    Error error;
    Model *model = model_create();
    const StepProfile *profile = profile_in_read(model, "p", &error);
    ck_assert_ptr_nonnull(profile);
    ck_assert_double_eq(profile_curve_at(&profile->sequences, 16).once_ps, 1153e6);
    ck_assert_double_eq(profile_curve_at(&profile->sequences, 1).once_ps, 1122e6);
    ck_assert_double_eq(profile_curve_at(&profile->sequences, 1).per_layer_ps, 0);
    ck_assert_uint_eq(model->file_count, 3);
    model_destroy(model);
    leave_scratch();
}
END_TEST

START_TEST(a_file_of_too_many_points_is_refused) {
    enter_scratch();
    FILE *file = fopen(names[DENSE], "w");
    fputs("layer,tokens,time_us\n", file);
    for (int i = 0; i < 1000001; i++) {
        fputs("act_fn,1,2\n", file);
    }
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(read_says("p"),
                     "p/dense.csv:1000002: a profile may have 1000000 points in a file at most");
    leave_scratch();
}
END_TEST

/* ---- In a scenario */

static char *messages_of(const char *text) {
    Compiled base = compiled(base_scenario, NULL);
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    Component component = {NULL, NULL};
    ck_assert(doc_load_text(&doc, "kind.yaml", text, strlen(text), &diagnostics));
    SchemaReader reader = {&doc, &diagnostics, base.model, NULL};
    schema_read_kind(&reader, FAMILY_INFERENCE_STEP, doc.root, &component);
    char *messages = message_lines(&diagnostics);
    doc_free(&doc);
    diag_free(&diagnostics);
    compiled_free(&base);
    return messages;
}

START_TEST(a_mistake_is_shown_where_the_scenario_names_the_profile) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{table: {directory: p, layers: 32}}", ""},
        {"{table: {directory: nowhere, layers: 32}}",
         "1:21: cannot read 'nowhere': No such file or directory"},
        {"{table: {directory: p/dense.csv, layers: 32}}",
         "1:21: 'p/dense.csv' is not a directory: " FILES_OF_A_PROFILE},
        {"{table: {directory: p, layers: 0}}",
         "1:32: 'layers' of 'table' must be from 1 to 1k, not 0"},
        {"{table: {directory: p}}", "1:9: 'table' needs 'layers'"},
        {"{table: {directory: [p], layers: 32}}",
         "1:21: 'directory' of 'table' takes one value, not a list"},
    };
    enter_scratch();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *messages = messages_of(cases[i].text);
        ck_assert_str_eq(messages, cases[i].expected);
        free(messages);
    }
    put(names[SEQUENCES], "layer,sequences,time_us\nsampler,one,25.5\n");
    char *messages = messages_of("{table: {directory: p, layers: 32}}");
    ck_assert_str_eq(messages, "1:21: p/per_sequence.csv:2: sequences is a whole number from 1 to "
                               "1048576, not 'one'");
    free(messages);
    leave_scratch();
}
END_TEST

START_TEST(the_hash_of_a_scenario_depends_on_what_its_files_hold) {
    enter_scratch();
    char hashes[3][MANIFEST_HASH_SIZE];
    for (int i = 0; i < 3; i++) {
        Error error;
        Model *model = model_create();
        ck_assert_ptr_nonnull(profile_in_read(model, "p", &error));
        ck_assert(manifest_hash_scenario(model, &(Resolved){0}, hashes[i], &error));
        model_destroy(model);
        if (i == 1) {
            char changed[4000];
            snprintf(changed, sizeof changed, "%s\n", right[SEQUENCES]); /* the last file of all */
            put(names[SEQUENCES], changed);
        }
    }
    ck_assert_str_eq(hashes[0], hashes[1]);
    ck_assert_str_ne(hashes[1], hashes[2]);
    leave_scratch();
}
END_TEST

TEST_SUITE("experiments/profile_in", a_missing_directory_or_file_is_named,
           a_missing_column_is_named_with_the_nearest, an_unknown_layer_is_named_with_the_nearest,
           a_missing_layer_is_named, a_layer_that_only_some_models_have_may_be_missing,
           a_time_that_is_none_is_refused, a_number_that_is_not_whole_or_too_large_is_refused,
           a_row_of_another_length_is_refused, a_point_that_is_there_twice_is_refused,
           a_file_without_points_is_refused, a_curve_needs_two_points,
           a_mixture_needs_two_points_along_each_axis_too, a_gap_in_the_grid_is_named,
           a_batch_that_cannot_be_is_refused,
           prefill_and_decode_must_be_measured_and_mixtures_may_be,
           rows_may_stand_in_any_order_beside_other_columns, a_file_of_too_many_points_is_refused,
           a_mistake_is_shown_where_the_scenario_names_the_profile,
           the_hash_of_a_scenario_depends_on_what_its_files_hold)
