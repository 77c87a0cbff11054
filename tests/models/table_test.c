/* Steps by measured layers: exact at the measured points, linear between them, and what a batch
 * that was not measured is read as. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "experiments/schema_read.h"
#include "models/inference_steps/inference_step.h"
#include "models/registry.h"
#include "sim/rng.h"
#include "sim/vec.h"
#include "tests/experiments/compile_test.h"

/* The measured tables of an RTX 4090, when they are there; tests on them are skipped otherwise. */
#ifndef KNOCKON_PROFILE
#define KNOCKON_PROFILE "../shared/data/vllm-rtx4090-llama-3.1-8b/perf"
#endif

/* Made for the tests, small enough to be looked up by eye. */
static const char small_profile[] = "tests/models/profile";

/* ---- The kind */

typedef struct Step {
    Compiled base; /* owns the parameters */
    Component component;
} Step;

/* Reads `{table: {…}}` as the reader of a scenario would. */
static Step step_read(const char *directory, const char *rest) {
    char text[500];
    Step step = {.base = compiled(base_scenario, NULL)};
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    snprintf(text, sizeof text, "{table: {directory: %s, %s}}", directory, rest);
    ck_assert(doc_load_text(&doc, "kind.yaml", text, strlen(text), &diagnostics));
    SchemaReader reader = {&doc, &diagnostics, step.base.model, NULL};
    schema_read_kind(&reader, FAMILY_INFERENCE_STEP, doc.root, &step.component);
    char *messages = message_lines(&diagnostics);
    ck_assert_str_eq(messages, "");
    free(messages);
    doc_free(&doc);
    diag_free(&diagnostics);
    return step;
}

static void step_free(Step *step) {
    compiled_free(&step->base);
}

static int64_t duration_ps(const Step *step, StepLoad load) {
    const InferenceStepOps *ops = step->component.kind->ops;
    return ops->duration_ps(step->component.params, &load);
}

/* Prompts that compute `chunk` tokens behind `before` each, and decodes with one context. */
static StepLoad load_of(uint32_t prompts, uint32_t chunk, uint32_t before, uint32_t decodes,
                        uint32_t context) {
    return (StepLoad){.prefill_tokens = prompts * chunk,
                      .prefill_sequences = prompts,
                      .decode_sequences = decodes,
                      .decode_context = (uint64_t)decodes * context,
                      .prefill_context = (uint64_t)prompts * before,
                      .prefill_cross = (uint64_t)prompts * chunk * before,
                      .prefill_squares = (uint64_t)prompts * chunk * chunk};
}

static int64_t step_ps(const char *directory, const char *rest, StepLoad load) {
    Step step = step_read(directory, rest);
    int64_t ps = duration_ps(&step, load);
    step_free(&step);
    return ps;
}

/* What one transformer layer takes. */
static int64_t layer_ps(const char *directory, StepLoad load) {
    return step_ps(directory, "layers: 2", load) - step_ps(directory, "layers: 1", load);
}

/* Each of the ten values that a layer is summed of is rounded to a picosecond, and there are 35. */
static void is_near(int64_t ps, double us) {
    ck_assert_double_eq_tol((double)ps, us * 1e6, 175);
}

/* ---- A plain reading of the same files, to hold against it */

typedef struct Point {
    double at[4], us;
} Point;

typedef struct Points {
    VEC(Point) list;
    int columns;
} Points;

/* The points of a file, or of one layer in it; of attention, those of batches like `like`. */
static Points points_read(const char *directory, const char *file, const char *layer,
                          const double *like) {
    char path[300];
    Error error;
    snprintf(path, sizeof path, "%s/%s", directory, file);
    CsvIn *csv = csv_in_open(path, &error);
    ck_assert_msg(csv != NULL, "%s", error.text);
    int count = (int)csv_in_column_count(csv), skip = layer != NULL;
    Points points = {.columns = count - 1 - skip};
    for (CsvRow row; csv_in_next(csv, &row, &error) && row.cells != NULL;) {
        Point point = {.us = atof(row.cells[count - 1].text)};
        for (int i = skip; i + 1 < count; i++) {
            point.at[i - skip] = atof(row.cells[i].text);
        }
        bool fits = layer == NULL
                        ? (point.at[0] > 0) == (like[0] > 0) && (point.at[2] > 0) == (like[2] > 0)
                        : strcmp(row.cells[0].text, layer) == 0;
        if (fits) {
            vec_push(&points.list, point);
        }
    }
    csv_in_close(csv);
    return points;
}

/* The nearest point of a column in a direction: above `from`, or not above it. -1: none. */
static double nearest(const Points *points, int column, double from, bool is_above) {
    double best = -1;
    for (size_t i = 0; i < points->list.count; i++) {
        double here = points->list.items[i].at[column];
        if ((here > from) == is_above && (best < 0 || (here < best) == is_above)) {
            best = here;
        }
    }
    return best;
}

/* Linear along column after column. */
static double plain_us(const Points *points, int column, double *at) {
    if (column == points->columns) {
        for (size_t i = 0; i < points->list.count; i++) {
            if (memcmp(points->list.items[i].at, at, (size_t)column * sizeof *at) == 0) {
                return points->list.items[i].us;
            }
        }
        ck_abort_msg("a point is missing");
    }
    double place = at[column];
    double low = nearest(points, column, place, false), high = nearest(points, column, place, true);
    low = low < 0 ? high : low;
    at[column] = low;
    double us = plain_us(points, column + 1, at);
    if (high > low) {
        at[column] = high;
        us += (place - low) / (high - low) * (plain_us(points, column + 1, at) - us);
    }
    at[column] = place;
    return us;
}

static double plain_of(const char *directory, const char *file, const char *layer, double *at) {
    Points points = points_read(directory, file, layer, at);
    double us = plain_us(&points, 0, at);
    vec_free(&points.list);
    return us;
}

/* The formula of docs/inference.md, for batches of at most one prompt within the grid. */
static double plain_step_us(const char *directory, double layers, const StepLoad *load) {
    static const char *const each[] = {"layernorm", "layernorm",    "qkv_proj", "rotary_emb",
                                       "o_proj",    "gate_up_proj", "act_fn",   "down_proj"};
    double tokens = load->prefill_tokens + load->decode_sequences;
    double sequences = load->prefill_sequences + load->decode_sequences;
    double at[4] = {
        load->prefill_tokens, (double)load->prefill_context, load->decode_sequences,
        load->decode_sequences == 0 ? 0 : (double)load->decode_context / load->decode_sequences};
    double layer_us = plain_of(directory, "attention.csv", NULL, at);
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        layer_us += plain_of(directory, "dense.csv", each[i], &tokens);
    }
    return layers * layer_us + plain_of(directory, "dense.csv", "embedding", &tokens) +
           plain_of(directory, "dense.csv", "final_layernorm", &tokens) +
           plain_of(directory, "per_sequence.csv", "lm_head", &sequences) +
           plain_of(directory, "per_sequence.csv", "sampler", &sequences);
}

/* ---- Scratch profiles: copies of the small one with some lines left out or put in */

static char scratch[64];

static void copy_without(const char *file, const char *start, const char *more) {
    char path[200], line[200];
    snprintf(path, sizeof path, "%s/%s", small_profile, file);
    FILE *in = fopen(path, "r");
    snprintf(path, sizeof path, "%s/%s", scratch, file);
    FILE *out = fopen(path, "w");
    ck_assert(in != NULL && out != NULL);
    while (fgets(line, sizeof line, in) != NULL) {
        if (start == NULL || strncmp(line, start, strlen(start)) != 0) {
            fputs(line, out);
        }
    }
    fputs(more, out);
    fclose(in);
    ck_assert_int_eq(fclose(out), 0);
}

static void scratch_begin(void) {
    snprintf(scratch, sizeof scratch, "/tmp/knockon-table-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    copy_without("dense.csv", NULL, "");
    copy_without("attention.csv", NULL, "");
    copy_without("per_sequence.csv", NULL, "");
}

static void scratch_end(void) {
    static const char *const files[] = {"dense.csv", "attention.csv", "per_sequence.csv"};
    for (size_t i = 0; i < 3; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", scratch, files[i]);
        ck_assert_int_eq(unlink(path), 0);
    }
    ck_assert_int_eq(rmdir(scratch), 0);
}

/* ---- Tests */

START_TEST(at_measured_points_a_step_is_the_sum_of_its_layers) {
    double once = 2.11 + 2.42 + 1096.9 + 25.1; /* embedding, final norm, lm_head, sampler */
    double each = 2 * 2.38 + 47.31 + 2.91 + 31.71 + 221.91 + 2.6 + 109.31;
    is_near(step_ps(small_profile, "layers: 1", load_of(0, 0, 0, 1, 1024)), once + each + 13.623);
    is_near(step_ps(small_profile, "layers: 32", load_of(0, 0, 0, 1, 1024)),
            once + 32 * (each + 13.623));

    once = 28.78 + 19.49 + 1096.9 + 25.1;
    each = 2 * 18.65 + 230.38 + 26.78 + 153.98 + 1088.38 + 78.47 + 543.98;
    is_near(step_ps(small_profile, "layers: 3", load_of(1, 2048, 512, 0, 0)),
            once + 3 * (each + 458.789));

    once = 5.514 + 4.749 + 1124.58 + 31.388;
    each = 2 * 4.62 + 68.231 + 6.001 + 45.822 + 319.372 + 11.515 + 158.41;
    is_near(step_ps(small_profile, "layers: 3", load_of(1, 256, 512, 16, 1024)),
            once + 3 * (each + 175.577));
}
END_TEST

START_TEST(between_points_time_is_linear_along_each_axis) {
    /* 520 is the middle of 16 and 1024. */
    is_near(step_ps(small_profile, "layers: 1", load_of(0, 0, 0, 1, 520)) -
                step_ps(small_profile, "layers: 1", load_of(0, 0, 0, 1, 16)),
            (13.623 - 9.279) / 2);
    RngKey key = rng_key(3, 0, "loads", "test");
    Rng rng;
    rng_stream(&rng, &key);
    Step step = step_read(small_profile, "layers: 35");
    for (int i = 0; i < 300; i++) {
        bool has_prompt = i % 3 > 0, has_decode = i % 3 < 2;
        uint32_t chunk = 16 + rng_below(&rng, 1900);
        uint32_t before = rng_below(&rng, 8192);
        uint32_t decodes = 1 + rng_below(&rng, 127);
        uint32_t context = 16 + rng_below(&rng, 8176);
        StepLoad load = load_of(has_prompt, has_prompt ? chunk : 0, has_prompt ? before : 0,
                                has_decode ? decodes : 0, has_decode ? context : 0);
        load.decode_context += has_decode ? rng_below(&rng, decodes) : 0;
        is_near(duration_ps(&step, load), plain_step_us(small_profile, 35, &load));
    }
    step_free(&step);
}
END_TEST

START_TEST(below_the_first_point_time_is_that_of_the_first) {
    ck_assert_int_eq(layer_ps(small_profile, load_of(0, 0, 0, 1, 3)),
                     layer_ps(small_profile, load_of(0, 0, 0, 1, 16)));
    /* A chunk of 5 is still a mixed batch, not half a batch of decodes: another kernel runs it. */
    StepLoad five = load_of(1, 5, 0, 16, 1024), sixteen = load_of(1, 16, 0, 16, 1024);
    double per_token = (2 * (2.976 - 2.45) + (49.241 - 47.38) + (3.567 - 2.98) + (33.154 - 31.78) +
                        (229.308 - 221.98) + (3.673 - 2.67) + (113.254 - 109.38)) /
                       (64 - 8);
    is_near(layer_ps(small_profile, sixteen) - layer_ps(small_profile, five), 11 * per_token);
}
END_TEST

START_TEST(beyond_the_last_point_time_grows_as_between_the_last_two) {
    /* Context 9000 beyond 8192, with one decode. */
    is_near(layer_ps(small_profile, load_of(0, 0, 0, 1, 9000)) -
                layer_ps(small_profile, load_of(0, 0, 0, 1, 8192)),
            (9000 - 8192) * (44.518 - 13.623) / (8192 - 1024));
    /* Sequences and tokens beyond 256, n_decode beyond 128; context at a point. */
    int64_t at_500 = step_ps(small_profile, "layers: 1", load_of(0, 0, 0, 500, 1024));
    int64_t at_400 = step_ps(small_profile, "layers: 1", load_of(0, 0, 0, 400, 1024));
    double dense = 28.78 - 5.514 + 2 * (18.65 - 4.62) + 230.38 - 68.231 + 26.78 - 6.001 + 153.98 -
                   45.822 + 1088.38 - 319.372 + 78.47 - 11.515 + 543.98 - 158.41 + 19.49 - 4.749;
    is_near(at_500 - at_400, 100 * (dense / (2048 - 272) + (1538.05 - 1124.58) / (256 - 17) +
                                    (125.315 - 31.388) / (256 - 17) + (613.5 - 84.475) / 112));
    /* 3000 tokens beyond 2048, all of which stand in dense.csv. */
    is_near(step_ps(small_profile, "layers: 1", load_of(1, 3000, 0, 0, 0)) -
                step_ps(small_profile, "layers: 1", load_of(1, 2048, 0, 0, 0)),
            (3000 - 2048) * (dense / (2048 - 272) + (281.93 - 13.56) / (2048 - 256)));
}
END_TEST

START_TEST(beyond_the_last_point_time_never_falls) {
    scratch_begin();
    copy_without("dense.csv", "down_proj,2048", "down_proj,2048,99.5\n");
    copy_without("attention.csv", "0,0,1,8192", "0,0,1,8192,9.5\n");
    ck_assert_int_eq(layer_ps(scratch, load_of(0, 0, 0, 1, 100000)),
                     layer_ps(scratch, load_of(0, 0, 0, 1, 8192)));
    /* The other layers grow on; down_proj stays where it ended, as on the way there it fell. */
    double rise = 2 * (18.65 - 4.62) + 230.38 - 68.231 + 26.78 - 6.001 + 153.98 - 45.822 + 1088.38 -
                  319.372 + 78.47 - 11.515;
    is_near(layer_ps(scratch, load_of(1, 2148, 512, 0, 0)) -
                layer_ps(scratch, load_of(1, 2048, 512, 0, 0)),
            100 * (rise / (2048 - 272) + (458.789 - 42.701) / (2048 - 256)));
    scratch_end();
}
END_TEST

START_TEST(prompts_count_as_one_chunk_that_attends_to_as_many_pairs) {
    /* Two of 1024 behind 512 each: 2 x 1024 x 512 + 2 x 1024^2 / 2 = 2048^2 / 2 pairs. */
    ck_assert_int_eq(layer_ps(small_profile, load_of(2, 1024, 512, 0, 0)),
                     layer_ps(small_profile, load_of(1, 2048, 0, 0, 0)));
    /* Behind 1536 each, half as much again as 2048^2 / 2: a context of 1024 before 2048. */
    ck_assert_int_eq(layer_ps(small_profile, load_of(2, 1024, 1536, 16, 500)),
                     layer_ps(small_profile, load_of(1, 2048, 1024, 16, 500)));
    /* Without contexts half as many: a chunk of 2048 / sqrt(2) attends to those. */
    double chunk = 1448.1546878700494;
    double rise = (281.93 - 13.56) / (2048 - 256);
    is_near(layer_ps(small_profile, load_of(1, 2048, 0, 0, 0)) -
                layer_ps(small_profile, load_of(2, 1024, 0, 0, 0)),
            (2048 - chunk) * rise);
}
END_TEST

START_TEST(decodes_count_with_their_mean_context) {
    StepLoad uneven = load_of(0, 0, 0, 16, 0);
    uneven.decode_context = 15 * 100 + 14884; /* 1024 on average */
    ck_assert_int_eq(layer_ps(small_profile, uneven),
                     layer_ps(small_profile, load_of(0, 0, 0, 16, 1024)));
    uneven.decode_context += 8; /* half a token each */
    is_near(layer_ps(small_profile, uneven) - layer_ps(small_profile, load_of(0, 0, 0, 16, 1024)),
            0.5 * (578.78 - 84.475) / (8192 - 1024));
}
END_TEST

START_TEST(without_measured_mixtures_prefill_and_decode_add) {
    char path[200], line[200];
    scratch_begin();
    snprintf(path, sizeof path, "%s/attention.csv", scratch);
    FILE *in = fopen("tests/models/profile/attention.csv", "r"), *out = fopen(path, "w");
    while (fgets(line, sizeof line, in) != NULL) {
        unsigned chunk, before, decodes;
        if (sscanf(line, "%u,%u,%u", &chunk, &before, &decodes) != 3 || chunk == 0 ||
            decodes == 0) {
            fputs(line, out);
        }
    }
    fclose(in);
    fclose(out);
    StepLoad load = load_of(1, 256, 512, 16, 1024);
    is_near(layer_ps(small_profile, load) - layer_ps(scratch, load), 175.577 - 42.701 - 84.475);
    scratch_end();
}
END_TEST

START_TEST(the_norm_of_queries_and_keys_counts_where_a_model_has_one) {
    StepLoad load = load_of(0, 0, 0, 1, 1024);
    scratch_begin();
    copy_without("dense.csv", NULL, "qk_norm,1,3.25\nqk_norm,2048,29.5\n");
    is_near(layer_ps(scratch, load) - layer_ps(small_profile, load), 3.25);
    is_near(step_ps(scratch, "layers: 7", load) - step_ps(small_profile, "layers: 7", load),
            7 * 3.25);
    scratch_end();
}
END_TEST

START_TEST(overhead_is_added_to_every_step) {
    StepLoad load = load_of(1, 256, 512, 16, 1024);
    ck_assert_int_eq(step_ps(small_profile, "layers: 3, overhead: 412.5us", load) -
                         step_ps(small_profile, "layers: 3", load),
                     412500000);
}
END_TEST

START_TEST(a_step_lasts_from_a_microsecond_to_eleven_days) {
    Step step = step_read(small_profile, "layers: 1000");
    StepLoad huge = {.prefill_tokens = UINT32_MAX / 2,
                     .prefill_sequences = 1,
                     .decode_sequences = UINT32_MAX / 2,
                     .decode_context = (uint64_t)1 << 62,
                     .prefill_cross = (uint64_t)1 << 62,
                     .prefill_squares = (uint64_t)1 << 62};
    ck_assert_int_eq(duration_ps(&step, huge), INT64_C(1000000000000000000));
    step_free(&step);

    char path[200];
    scratch_begin();
    snprintf(path, sizeof path, "%s/dense.csv", scratch);
    FILE *dense = fopen(path, "w");
    fputs("layer,tokens,time_us\n", dense);
    static const char *const layers[] = {"embedding",  "layernorm", "qkv_proj",
                                         "rotary_emb", "o_proj",    "gate_up_proj",
                                         "act_fn",     "down_proj", "final_layernorm"};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        fprintf(dense, "%s,1,0\n%s,2,0\n", layers[i], layers[i]);
    }
    fclose(dense);
    snprintf(path, sizeof path, "%s/attention.csv", scratch);
    FILE *attention = fopen(path, "w");
    fputs("prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,1,1,0\n0,0,1,2,0\n0,0,2,1,0\n"
          "0,0,2,2,0\n1,0,0,0,0\n1,1,0,0,0\n2,0,0,0,0\n2,1,0,0,0\n",
          attention);
    fclose(attention);
    snprintf(path, sizeof path, "%s/per_sequence.csv", scratch);
    FILE *sequences = fopen(path, "w");
    fputs("layer,sequences,time_us\nlm_head,1,0\nlm_head,2,0\nsampler,1,0.25\nsampler,2,0.5\n",
          sequences);
    fclose(sequences);
    ck_assert_int_eq(step_ps(scratch, "layers: 1000", load_of(0, 0, 0, 1, 1)), 1000000);
    ck_assert_int_eq(step_ps(scratch, "layers: 1000", load_of(0, 0, 0, 9, 1)), 2250000);
    scratch_end();
}
END_TEST

/* The same under every compiler and at every level of optimisation. */
START_TEST(durations_are_whole_and_pinned) {
    Step step = step_read(small_profile, "layers: 36, overhead: 0.5ms");
    StepLoad some = load_of(3, 411, 77, 19, 0);
    some.decode_context = 19 * 1313 + 7;
    ck_assert_int_eq(duration_ps(&step, some), INT64_C(65234248539));
    ck_assert_int_eq(duration_ps(&step, load_of(0, 0, 0, 37, 1771)), INT64_C(28081096970));
    ck_assert_int_eq(duration_ps(&step, load_of(1, 1999, 3, 0, 0)), INT64_C(87794429856));
    ck_assert_int_eq(duration_ps(&step, load_of(7, 290, 0, 333, 9999)), INT64_C(939363370387));
    step_free(&step);
}
END_TEST

/* False, after saying so, where the measured tables are not. */
static bool has_real_profile(void) {
    if (access(KNOCKON_PROFILE, R_OK) == 0) {
        return true;
    }
    printf("skipped: the measured profile is not in %s\n", KNOCKON_PROFILE);
    return false;
}

START_TEST(a_real_profile_is_read_as_the_formula_says) {
    if (!has_real_profile()) {
        return;
    }
    RngKey key = rng_key(5, 0, "loads", "test");
    Rng rng;
    rng_stream(&rng, &key);
    Step step = step_read(KNOCKON_PROFILE, "layers: 32");
    for (int i = 0; i < 60; i++) {
        uint32_t chunk = i % 3 == 0 ? 0 : 16 + rng_below(&rng, 1900);
        uint32_t decodes = i % 3 == 1 ? 0 : 1 + rng_below(&rng, 120);
        uint32_t before = chunk == 0 ? 0 : rng_below(&rng, 16384);
        uint32_t context = decodes == 0 ? 0 : 16 + rng_below(&rng, 16000);
        StepLoad load = load_of(chunk > 0, chunk, before, decodes, context);
        is_near(duration_ps(&step, load), plain_step_us(KNOCKON_PROFILE, 32, &load));
    }
    /* 16 sequences of 1450 tokens took vLLM 20.0 to 20.4 ms in the measured run. */
    ck_assert_int_eq(duration_ps(&step, load_of(0, 0, 0, 16, 1450)) / 1000000, 21043);
    step_free(&step);
}
END_TEST

START_TEST(a_real_step_hardly_ever_gets_shorter_by_more_work) {
    if (!has_real_profile()) {
        return;
    }
    Step step = step_read(KNOCKON_PROFILE, "layers: 32");
    for (uint32_t decodes = 1; decodes <= 400; decodes += 3) {
        int64_t before_ps = 0;
        for (uint32_t context = 1; context < 40000; context += 61) {
            int64_t ps = duration_ps(&step, load_of(0, 0, 0, decodes, context));
            ck_assert_int_ge(ps, before_ps);
            before_ps = ps;
        }
    }
    /* Measured kernels are not quite monotone in tokens: tiles fit better at some sizes. */
    for (uint32_t context = 1; context < 40000; context += 997) {
        int64_t longest_ps = 0;
        for (uint32_t chunk = 1; chunk < 4096; chunk += 7) {
            int64_t ps = duration_ps(&step, load_of(1, chunk, 0, 24, context));
            ck_assert_double_ge((double)ps, 0.95 * (double)longest_ps);
            longest_ps = ps > longest_ps ? ps : longest_ps;
        }
    }
    step_free(&step);
}
END_TEST

TEST_SUITE("models/table", at_measured_points_a_step_is_the_sum_of_its_layers,
           between_points_time_is_linear_along_each_axis,
           below_the_first_point_time_is_that_of_the_first,
           beyond_the_last_point_time_grows_as_between_the_last_two,
           beyond_the_last_point_time_never_falls,
           prompts_count_as_one_chunk_that_attends_to_as_many_pairs,
           decodes_count_with_their_mean_context, without_measured_mixtures_prefill_and_decode_add,
           the_norm_of_queries_and_keys_counts_where_a_model_has_one,
           overhead_is_added_to_every_step, a_step_lasts_from_a_microsecond_to_eleven_days,
           durations_are_whole_and_pinned, a_real_profile_is_read_as_the_formula_says,
           a_real_step_hardly_ever_gets_shorter_by_more_work)
