/* How long a step takes by the kinds that compute it, against hand-made numbers, published
 * coefficients and measured tables. */
#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "experiments/schema_read.h"
#include "models/inference_steps/inference_step.h"
#include "tests/experiments/compile_test.h"

#define DATA "../shared/data/step-time/"

/* A kind as a scenario's text says it. */
typedef struct Step {
    Compiled base; /* owns the parameters */
    Doc doc;
    Component component;
    char *messages;
} Step;

static Step step_read(const char *text) {
    Step step = {.base = compiled(base_scenario, NULL)};
    Diagnostics diagnostics = {0};
    ck_assert_msg(doc_load_text(&step.doc, "step.yaml", text, strlen(text), &diagnostics), "%s",
                  text);
    SchemaReader reader = {&step.doc, &diagnostics, step.base.model, NULL};
    schema_read_kind(&reader, FAMILY_INFERENCE_STEP, step.doc.root, &step.component);
    step.messages = message_lines(&diagnostics);
    diag_free(&diagnostics);
    return step;
}

static void step_free(Step *step) {
    free(step->messages);
    doc_free(&step->doc);
    compiled_free(&step->base);
}

static const InferenceStepOps *step_ops(const Step *step) {
    ck_assert_str_eq(step->messages, "");
    return step->component.kind->ops;
}

static double step_ms(const Step *step, StepLoad load) {
    return (double)step_ops(step)->duration_ps(step->component.params, &load) * 1e-9;
}

/* One prompt of n tokens on top of c. */
static StepLoad prompt(uint32_t n, uint32_t c) {
    return (StepLoad){.prefill_tokens = n,
                      .prefill_sequences = 1,
                      .prefill_context = c,
                      .prefill_cross = (uint64_t)n * c,
                      .prefill_squares = (uint64_t)n * n};
}

/* `count` sequences that decode on top of `context` tokens each. */
static StepLoad decodes(uint32_t count, uint32_t context) {
    return (StepLoad){.decode_sequences = count, .decode_context = (uint64_t)count * context};
}

static StepLoad both(StepLoad a, StepLoad b) {
    a.decode_sequences += b.decode_sequences;
    a.decode_context += b.decode_context;
    return a;
}

#define LLAMA_8B "parameters: 8.03e9, layers: 32, heads: 32, kv_heads: 8"
#define MIXTRAL "parameters: 46.7e9, active_parameters: 12.88e9, layers: 32, heads: 32, kv_heads: 8"

static double ms_of(const char *text, StepLoad load) {
    Step step = step_read(text);
    double ms = step_ms(&step, load);
    step_free(&step);
    return ms;
}

START_TEST(a_roofline_is_the_longer_of_arithmetic_and_traffic) {
    Step step = step_read("{roofline: {gpu: h100, " LLAMA_8B "}}");
    /* 2 x 8.03e9 x 2048 + 524288 x 2048 x 2049 / 2 FLOPs at 445.275e12 a second. */
    ck_assert_double_eq_tol(step_ms(&step, prompt(2048, 0)), 76.336934, 1e-6);
    /* 16.06e9 + 131072 x 64 x 1001 bytes at 3.35e12 a second. */
    ck_assert_double_eq_tol(step_ms(&step, decodes(64, 1000)), 7.300597, 1e-6);
    /* Few tokens of a prompt take as long as the weights are read. */
    ck_assert_double_eq_tol(step_ms(&step, prompt(16, 0)), (16.06e9 + 131072 * 16) / 3.35e9, 1e-6);
    /* 1000 sequences decode at 296.85e12 FLOPs a second. */
    ck_assert_double_eq_tol(step_ms(&step, decodes(1000, 10)),
                            (16.06e9 + 524288 * 11) * 1000 / 296.85e9, 1e-6);
    step_free(&step);
}
END_TEST

START_TEST(a_mixed_step_reads_the_weights_once_and_adds_the_arithmetic) {
    Step step = step_read("{roofline: {gpu: h100, " LLAMA_8B "}}");
    StepLoad small = both(prompt(64, 0), decodes(32, 500));
    ck_assert_double_eq_tol(step_ms(&step, small), (16.06e9 + 131072.0 * (64 + 32 * 501)) / 3.35e9,
                            1e-6);
    StepLoad large = both(prompt(2048, 0), decodes(32, 500));
    double decode_work = (16.06e9 + 524288.0 * 501) * 32;
    ck_assert_double_eq_tol(step_ms(&step, large), 76.336934 + decode_work / 296.85e9, 1e-6);
    ck_assert_double_lt(step_ms(&step, large),
                        step_ms(&step, prompt(2048, 0)) + step_ms(&step, decodes(32, 500)));
    step_free(&step);
}
END_TEST

START_TEST(a_prompt_in_chunks_attends_to_as_much_as_in_one_piece) {
    /* Nothing but arithmetic: the memory is so fast. */
    Step step = step_read("{roofline: {gpu: h100, bandwidth: 1e18/s, " LLAMA_8B "}}");
    double whole = step_ms(&step, prompt(4096, 0));
    double chunks = step_ms(&step, prompt(1024, 0)) + step_ms(&step, prompt(2048, 1024)) +
                    step_ms(&step, prompt(1024, 3072));
    ck_assert_double_eq_tol(chunks, whole, 1e-8);
    step_free(&step);
}
END_TEST

START_TEST(gpus_share_a_step_and_copy_kv_heads_when_they_are_more) {
    StepLoad load = decodes(8, 8000);
    double one = ms_of("{roofline: {gpu: a100, " LLAMA_8B "}}", load);
    double eight = ms_of("{roofline: {gpu: a100, tensor_parallel_size: 8, " LLAMA_8B "}}", load);
    double sixteen = ms_of("{roofline: {gpu: a100, tensor_parallel_size: 16, " LLAMA_8B "}}", load);
    ck_assert_double_eq_tol(eight, one / 8, 1e-8);
    ck_assert_double_eq_tol(sixteen, (16.06e9 + 2 * 131072.0 * 8 * 8001) / (16 * 2.039e9), 1e-8);
}
END_TEST

START_TEST(more_tokens_read_more_experts_until_all_are_read) {
    Step step = step_read("{roofline: {gpu: h100, " MIXTRAL "}}");
    double one = step_ms(&step, decodes(1, 0)), four = step_ms(&step, decodes(4, 0));
    double many = step_ms(&step, decodes(100, 0));
    ck_assert_double_eq_tol(one, (2 * 12.88e9 + 131072) / 3.35e9, 1e-6);
    /* What is read beyond the active: 33.82e9 (1 - 0.7242^3) = 20.97e9 parameters. */
    ck_assert_double_eq_tol(four, (2 * 33.8547e9 + 4 * 131072) / 3.35e9, 1e-3);
    ck_assert_double_eq_tol(many, (2 * 46.7e9 + 100 * 131072) / 3.35e9, 1e-6);
    step_free(&step);
}
END_TEST

START_TEST(what_is_given_takes_the_place_of_the_gpus_own) {
    /* An H200 in fp8. */
    Step step = step_read(
        "{roofline: {gpu: h100, peak_flops: 1979e12/s, bandwidth: 4.8e12/s, prefill_mfu: 50%, "
        "decode_mfu: 10%, bytes_per_parameter: 1, kv_bytes: 1, overhead: 1.5ms, memory: 141GiB, "
        "activations: 3GiB, head_dim: 64, " LLAMA_8B "}}");
    ck_assert_double_eq_tol(step_ms(&step, decodes(8, 99)),
                            1.5 + (8.03e9 + 32768.0 * 8 * 100) / 4.8e9, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, prompt(4000, 0)),
                            1.5 + (16.06e9 * 4000 + 262144.0 * 4000 * 4001 / 2) / 989.5e9, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, decodes(400, 0)),
                            1.5 + (16.06e9 + 262144) * 400 / 197.9e9, 1e-6);
    double blocks = step_ops(&step)->kv_blocks(step.component.params, 0.9, 16);
    ck_assert_double_eq(blocks, floor((141 * 0.9 - 3.15 - 8.03e9 / 1073741824) * 2048));
    step_free(&step);
}
END_TEST

/* Sums over the measured layers of an RTX 4090 (perf/ of the vLLM run in docs/inference.md section
 * 2): embedding, 32 layers, final norm, lm_head and sampler. Attention is left out where contexts
 * are short. */
START_TEST(the_roofline_of_an_rtx_4090_is_near_its_measured_layers) {
    Step step = step_read("{roofline: {gpu: rtx4090, " LLAMA_8B "}}");
    static const struct {
        uint32_t decodes;
        double ms;
    } measured[] = {{1, 16.34}, {16, 16.90}, {64, 18.63}, {128, 21.06}, {256, 25.91}};
    for (size_t i = 0; i < sizeof measured / sizeof measured[0]; i++) {
        double ms = step_ms(&step, decodes(measured[i].decodes, 0));
        /* The sum of what overlaps imperfectly is most above the maximum near the ridge. */
        ck_assert_double_le(fabs(ms / measured[i].ms - 1),
                            measured[i].decodes == 128 ? 0.25 : 0.15);
    }
    ck_assert_double_eq_tol(step_ms(&step, prompt(512, 0)), 46.99, 0.15 * 46.99);
    /* 182.25 ms and 32 times 0.339 ms of attention. */
    ck_assert_double_eq_tol(step_ms(&step, prompt(2048, 0)), 193.1, 0.15 * 193.1);
    step_free(&step);
}
END_TEST

static double blocks_of(const char *text, double utilization) {
    Step step = step_read(text);
    double blocks = step_ops(&step)->kv_blocks(step.component.params, utilization, 16);
    step_free(&step);
    return blocks;
}

START_TEST(kv_blocks_are_what_weights_and_activations_leave) {
    /* (80 x 0.9 - 5.5 - 0.15) GiB less the weights, in blocks of 2 MiB. */
    double llama = floor((66.35 - 16.06e9 / 1073741824) * 512);
    ck_assert_double_eq(blocks_of("{roofline: {gpu: h100, " LLAMA_8B "}}", 0.9), llama);
    ck_assert_double_eq(llama, 26313);
    /* Experts need 8 GiB of activations, and two GPUs 1.2 GiB to talk. */
    ck_assert_double_eq(
        blocks_of("{roofline: {gpu: a100, tensor_parallel_size: 2, " MIXTRAL "}}", 0.9),
        floor((144 - 9.2 - 93.4e9 / 1073741824) * 512));
    ck_assert_double_eq(blocks_of("{roofline: {gpu: rtx4090, " MIXTRAL "}}", 0.9), 0);
    /* vLLM found room for 2588 blocks on the RTX 4090 (meta.json of the run). */
    ck_assert_double_eq_tol(blocks_of("{roofline: {gpu: rtx4090, " LLAMA_8B "}}", 0.9), 2588, 200);
    /* Sixteen GPUs hold two copies of eight KV heads. */
    ck_assert_double_eq(
        blocks_of("{roofline: {gpu: h100, tensor_parallel_size: 16, " LLAMA_8B "}}", 0.9),
        floor((1152 - 5.5 - 9.6 - 16.06e9 / 1073741824) * 256));
}
END_TEST

/* Models of the table whose shape is known, by the beginning of their names. */
static const struct {
    const char *model, *shape;
} shapes[] = {
    {"ibm-granite/granite-3.1-8b-instruct", "parameters: 8.17e9, layers: 40, heads: 32, kv_heads: "
                                            "8"},
    {"meta-llama/llama-3.1-8b-instruct", LLAMA_8B},
    {"meta-llama/llama-3.3-70b-instruct", "parameters: 70.55e9, layers: 80, heads: 64, kv_heads: "
                                          "8"},
    {"microsoft/phi-4", "parameters: 14.66e9, layers: 40, heads: 40, kv_heads: 10"},
    {"mistralai/mistral-small-24b-instruct-2501",
     "parameters: 23.57e9, layers: 40, heads: 32, kv_heads: 8"},
    {"mistralai/mixtral-8x7b-instruct-v0.1", MIXTRAL},
    {"qwen/qwen3-14b", "parameters: 14.77e9, layers: 40, heads: 40, kv_heads: 8"},
    {"qwen/qwen2.5-7b-instruct", "parameters: 7.616e9, layers: 28, heads: 28, kv_heads: 4"},
};

static const char *shape_of(const char *model) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (strcmp(shapes[i].model, model) == 0) {
            return shapes[i].shape;
        }
    }
    return NULL;
}

/* The table's counts leave out activations, and from two GPUs on they are as many times too large
 * as there are GPUs: 128273 blocks of llama-3.3-70b would fill 626 GiB of the 320 there are. */
static void compare_blocks(const char *gpu, const char *tp, const char *shape, double listed) {
    char text[300];
    double gpus = atof(tp);
    snprintf(text, sizeof text,
             "{roofline: {gpu: %s, tensor_parallel_size: %s, activations: 0B, %s}}",
             strcmp(gpu, "H100") == 0 ? "h100" : "a100", tp, shape);
    double without = blocks_of(text, 0.9);
    ck_assert_msg(fabs(listed / gpus / without - 1) < (gpus > 1 ? 0.03 : 0.04), "%s: %g", text,
                  without);
    snprintf(text, sizeof text, "{roofline: {gpu: %s, tensor_parallel_size: %s, %s}}",
             strcmp(gpu, "H100") == 0 ? "h100" : "a100", tp, shape);
    double with = blocks_of(text, 0.9);
    ck_assert_msg(with < without && with > 0.78 * without, "%s: %g", text, with);
}

START_TEST(kv_blocks_without_activations_are_those_of_inference_sim) {
    Error error;
    if (access(DATA "blis-blackbox.csv", R_OK) != 0) {
        printf("skipped: " DATA "blis-blackbox.csv is not here\n");
        return;
    }
    CsvIn *csv = csv_in_open(DATA "blis-blackbox.csv", &error);
    ck_assert_msg(csv != NULL, "%s", error.text);
    CsvRow row = {0};
    int compared = 0;
    while (csv_in_next(csv, &row, &error) && row.cells != NULL) {
        const char *shape = shape_of(row.cells[0].text);
        if (shape != NULL) {
            compare_blocks(row.cells[1].text, row.cells[2].text, shape, atof(row.cells[4].text));
            compared++;
        }
    }
    csv_in_close(csv);
    ck_assert_int_ge(compared, 20);
}
END_TEST

#define OPT_13B                                                                                    \
    "prefill_base: 18.10254647486372ms, per_prefill_token: 101.9122572698738us, "                  \
    "per_prefill_token_squared: 7.122264314252114ns, decode_base: 19.934702624895458ms, "          \
    "per_context_token: 626.9356524350583ns, per_decode_sequence: 38.50697740828398us"

START_TEST(a_quadratic_step_of_both_kinds_costs_both) {
    Step step = step_read("{quadratic: {" OPT_13B "}}");
    ck_assert_double_eq_tol(step_ms(&step, prompt(512, 0)), 72.148612, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, decodes(10, 300)), 22.200581, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, both(prompt(512, 0), decodes(10, 300))),
                            72.1486 + 22.2006, 2e-4);
    step_free(&step);
}
END_TEST

START_TEST(chunks_cost_the_square_of_the_whole_prompt) {
    Step step = step_read("{quadratic: {" OPT_13B "}}");
    double base = 18.10254647486372;
    double whole = step_ms(&step, prompt(1024, 0));
    double chunks = step_ms(&step, prompt(600, 0)) + step_ms(&step, prompt(424, 600)) - base;
    ck_assert_double_eq_tol(chunks, whole, 1e-8);
    step_free(&step);
}
END_TEST

START_TEST(a_large_batch_has_costs_of_its_own_as_far_as_they_are_given) {
    Step step = step_read("{quadratic: {" OPT_13B ", large_batch: 32, large_decode_base: 7ms, "
                          "large_per_decode_sequence: 158us}}");
    ck_assert_double_eq_tol(step_ms(&step, decodes(31, 100)),
                            19.934702625 + 31 * 0.038506977 + 3100 * 0.000626936, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, decodes(32, 100)), 7 + 32 * 0.158 + 3200 * 0.000626936,
                            1e-6);
    step_free(&step);
    step = step_read("{quadratic: {" OPT_13B ", large_per_context_token: 1us}}");
    ck_assert_double_eq_tol(step_ms(&step, decodes(95, 0)), 19.934702625 + 95 * 0.038506977, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, decodes(94, 100)),
                            19.934702625 + 94 * 0.038506977 + 9400 * 0.000626936, 1e-6);
    ck_assert_double_eq_tol(step_ms(&step, decodes(95, 100)),
                            19.934702625 + 95 * 0.038506977 + 9500 * 0.001, 1e-6);
    step_free(&step);
}
END_TEST

static double coefficient(const json_t *set, size_t index) {
    ck_assert(json_is_array(set));
    return json_number_value(json_array_get(set, index));
}

/* One model on so many GPUs of DistServe's file: this program's step against its formula. */
static void compare_distserve(const char *name, const json_t *fit) {
    const json_t *prefill = json_object_get(fit, "prefill");
    const json_t *small = json_object_get(fit, "decoding_smallbs");
    const json_t *large = json_object_get(fit, "decoding_largebs");
    if (coefficient(prefill, 2) < 0) {
        return; /* one fit bends the wrong way */
    }
    char text[900];
    snprintf(text, sizeof text,
             "{quadratic: {prefill_base: %.17gms, per_prefill_token: %.17gms, "
             "per_prefill_token_squared: %.17gms, decode_base: %.17gms, per_context_token: "
             "%.17gms, per_decode_sequence: %.17gms, large_decode_base: %.17gms, "
             "large_per_context_token: %.17gms, large_per_decode_sequence: %.17gms}}",
             coefficient(prefill, 0), coefficient(prefill, 1), coefficient(prefill, 2),
             coefficient(small, 0), coefficient(small, 1), coefficient(small, 2),
             coefficient(large, 0), coefficient(large, 1), coefficient(large, 2));
    Step step = step_read(text);
    StepLoad two = prompt(700, 0); /* and one of 300 */
    two.prefill_tokens += 300;
    two.prefill_sequences++;
    two.prefill_squares += 90000;
    double expected =
        coefficient(prefill, 0) + coefficient(prefill, 1) * 1000 + coefficient(prefill, 2) * 580000;
    ck_assert_msg(fabs(step_ms(&step, two) / expected - 1) < 1e-5, "%s: prefill", name);
    for (uint32_t batch = 94; batch <= 95; batch++) {
        const json_t *set = batch < 95 ? small : large;
        expected =
            coefficient(set, 0) + coefficient(set, 1) * batch * 431 + coefficient(set, 2) * batch;
        ck_assert_msg(fabs(step_ms(&step, decodes(batch, 431)) / expected - 1) < 1e-5,
                      "%s: decode %u", name, batch);
    }
    step_free(&step);
}

START_TEST(quadratic_steps_are_those_of_distserve) {
    static const char *const files[] = {DATA "distserve-a100-distserve.json",
                                        DATA "distserve-a100-vllm.json"};
    for (size_t i = 0; i < 2; i++) {
        json_t *file = json_load_file(files[i], 0, NULL);
        if (file == NULL) {
            printf("skipped: %s is not here\n", files[i]);
            return;
        }
        const char *model, *tp;
        json_t *fits, *fit;
        json_object_foreach(file, model, fits) {
            json_object_foreach(fits, tp, fit) {
                compare_distserve(model, fit);
            }
        }
        json_decref(file);
    }
}
END_TEST

#define LINEAR                                                                                     \
    "base: 10ms, per_prefill_token: 3us, per_decode_sequence: 7us, per_context_token: 11ns, "      \
    "per_prefill_context_token: 0.013ns"

START_TEST(a_linear_step_is_the_sum_of_its_parts) {
    StepLoad load = both(prompt(100, 50), decodes(4, 200));
    /* 10 ms + 100 x 3 us + 4 x 7 us + 800 x 11 ns + 5000 x 13 ps */
    Step step = step_read("{linear: {" LINEAR "}}");
    ck_assert_int_eq(step_ops(&step)->duration_ps(step.component.params, &load), 10336865000);
    step_free(&step);
    step = step_read("{linear: {" LINEAR ", round: 1us}}");
    ck_assert_int_eq(step_ops(&step)->duration_ps(step.component.params, &load), 10336000000);
    step_free(&step);
}
END_TEST

START_TEST(a_step_is_never_too_short_or_too_long_for_the_clock) {
    Step step = step_read("{roofline: {gpu: h100, parameters: 1e6, layers: 1, heads: 1}}");
    ck_assert_double_eq_tol(step_ms(&step, decodes(1, 0)), 1e-3, 1e-12);
    step_free(&step);
    step = step_read("{roofline: {gpu: h100, parameters: 1e14, peak_flops: 1e9/s, layers: 1, "
                     "heads: 1}}");
    ck_assert_double_eq_tol(step_ms(&step, prompt(4000000000u, 0)), 1e9, 1e-3);
    step_free(&step);
    step = step_read("{linear: {base: 1ms, round: 1ms, per_context_token: 100us, "
                     "per_prefill_context_token: 10ns}}");
    ck_assert_double_eq_tol(step_ms(&step, prompt(10000000, 4000000000u)), 1e9, 1e-3);
    ck_assert_double_eq_tol(step_ms(&step, decodes(65536, 4000000000u)), 1e9, 1e-3);
    step_free(&step);
}
END_TEST

START_TEST(contradictions_in_a_model_are_refused) {
    static const char *const cases[][2] = {
        {"{roofline: {gpu: h200, " LLAMA_8B "}}",
         "1:18: 'gpu' cannot be 'h200': did you mean 'h100'?"},
        {"{roofline: {gpu: h100, parameters: 8e9, active_parameters: 9e9, layers: 32, heads: 32}}",
         "1:2: active_parameters (9e+09) is above parameters (8e+09)"},
        {"{roofline: {gpu: h100, parameters: 8e9, layers: 32, heads: 32, kv_heads: 5}}",
         "1:2: heads (32) is not a multiple of kv_heads (5)"},
        {"{roofline: {gpu: h100, tensor_parallel_size: 3, " LLAMA_8B "}}",
         "1:2: tensor_parallel_size (3) does not divide heads (32)"},
        {"{roofline: {gpu: h100, memory: 141, " LLAMA_8B "}}",
         "1:32: '141' has no unit; write for example '141MiB'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Step step = step_read(cases[i][0]);
        ck_assert_str_eq(step.messages, cases[i][1]);
        step_free(&step);
    }
}
END_TEST

TEST_SUITE("models/step_time", a_roofline_is_the_longer_of_arithmetic_and_traffic,
           a_mixed_step_reads_the_weights_once_and_adds_the_arithmetic,
           a_prompt_in_chunks_attends_to_as_much_as_in_one_piece,
           gpus_share_a_step_and_copy_kv_heads_when_they_are_more,
           more_tokens_read_more_experts_until_all_are_read,
           what_is_given_takes_the_place_of_the_gpus_own,
           the_roofline_of_an_rtx_4090_is_near_its_measured_layers,
           kv_blocks_are_what_weights_and_activations_leave,
           kv_blocks_without_activations_are_those_of_inference_sim,
           a_quadratic_step_of_both_kinds_costs_both, chunks_cost_the_square_of_the_whole_prompt,
           a_large_batch_has_costs_of_its_own_as_far_as_they_are_given,
           quadratic_steps_are_those_of_distserve, a_linear_step_is_the_sum_of_its_parts,
           a_step_is_never_too_short_or_too_long_for_the_clock,
           contradictions_in_a_model_are_refused)
