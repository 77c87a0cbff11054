/* Every preset of the inference server is read, and its numbers are what its note says of them:
 * computed here from the model's shape and the GPU's data sheet, apart from the program's own. */
#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "models/engine/engine.h"
#include "models/inference_steps/inference_step.h"
#include "models/servers/inference_presets.h"
#include "tests/experiments/compile_test.h"

#define GIB 1073741824.0
#define DATA "../shared/data/step-time/"

typedef struct ModelFacts {
    const char *name;
    double parameters, active, layers, kv_heads, head_dim, bytes;
} ModelFacts;

/* From the models' cards; the bytes of quantized ones with what stays in 16 bits. */
static const ModelFacts models[] = {
    {"llama-3.1-8b", 8.03e9, 8.03e9, 32, 8, 128, 2},
    {"llama-3.3-70b", 70.55e9, 70.55e9, 80, 8, 128, 2},
    {"codellama-34b", 33.74e9, 33.74e9, 48, 8, 128, 2},
    {"qwen2.5-3b", 3.09e9, 3.09e9, 36, 2, 128, 2},
    {"qwen2.5-7b", 7.616e9, 7.616e9, 28, 4, 128, 2},
    {"qwen3-8b", 8.19e9, 8.19e9, 36, 8, 128, 2},
    {"qwen3-14b", 14.77e9, 14.77e9, 40, 8, 128, 2},
    {"phi-4", 14.66e9, 14.66e9, 40, 10, 128, 2},
    {"phi-4-w8a8", 14.66e9, 14.66e9, 40, 10, 128, 1.07},
    {"mistral-small-3.1-24b-fp8", 24.01e9, 24.01e9, 40, 8, 128, 1.07},
    {"mixtral-8x7b", 46.7e9, 12.88e9, 32, 8, 128, 2},
    {"opt-13b", 12.85e9, 12.85e9, 40, 40, 128, 2},
    {"opt-66b", 65.72e9, 65.72e9, 64, 72, 128, 2},
};

typedef struct GpuFacts {
    const char *name;
    double flops_per_s, flops8_per_s, bytes_per_s, memory; /* dense */
    uint32_t batched_tokens, seqs;                         /* vLLM's API server */
} GpuFacts;

static const GpuFacts gpus[] = {
    {"h100", 989.5e12, 1979e12, 3.35e12, 80 * GIB, 8192, 1024},
    {"a100", 312e12, 624e12, 2.039e12, 80 * GIB, 2048, 256},
    {"l40s", 362.05e12, 733e12, 0.864e12, 46068 * 1048576.0, 2048, 256},
    {"rtx4090", 165.2e12, 660.6e12, 1.008e12, 25250627584.0, 2048, 256},
};

/* A preset as it is read, beside what it is a preset of. */
typedef struct PresetCase {
    const Preset *preset;
    const ModelFacts *model;
    const GpuFacts *gpu;
    uint32_t tp;
    Compiled compiled;
    const EngineParams *params;
    const InferenceStepOps *step;
} PresetCase;

static const ModelFacts *find_model(const char *name, size_t size) {
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (strlen(models[i].name) == size && strncmp(models[i].name, name, size) == 0) {
            return &models[i];
        }
    }
    ck_abort_msg("%s is not among the models", name);
    return NULL;
}

static const GpuFacts *find_gpu(const char *name, size_t size) {
    for (size_t i = 0; i < sizeof gpus / sizeof gpus[0]; i++) {
        if (strlen(gpus[i].name) == size && strncmp(gpus[i].name, name, size) == 0) {
            return &gpus[i];
        }
    }
    ck_abort_msg("%s is not among the GPUs", name);
    return NULL;
}

static PresetCase preset_case(const Preset *preset) {
    const char *slash = strchr(preset->name, '/'), *dash = strrchr(preset->name, '-');
    ck_assert_msg(slash != NULL && strncmp(dash, "-tp", 3) == 0, "%s", preset->name);
    PresetCase c = {.preset = preset,
                    .model = find_model(preset->name, (size_t)(slash - preset->name)),
                    .gpu = find_gpu(slash + 1, (size_t)(dash - slash - 1)),
                    .tp = (uint32_t)atoi(dash + 3)};
    char set[200];
    snprintf(set, sizeof set, "services.model={server: {inference: {preset: %s}}}", preset->name);
    c.compiled = compiled(base_scenario, set);
    ck_assert_msg(c.compiled.model != NULL, "%s: %s", set, c.compiled.messages);
    c.params = c.compiled.model->services[1].server.params;
    c.step = c.params->step.kind->ops;
    return c;
}

static double seconds_of(const PresetCase *c, StepLoad load) {
    return (double)c->step->duration_ps(c->params->step.params, &load) * 1e-12;
}

static double decode_s(const PresetCase *c, uint32_t count, uint32_t context) {
    return seconds_of(
        c, (StepLoad){.decode_sequences = count, .decode_context = (uint64_t)count * context});
}

static double kv_bytes_per_token(const PresetCase *c) {
    return 2 * c->model->layers * c->model->kv_heads * c->model->head_dim * 2;
}

/* Weights that a step of so many tokens reads: of experts more, the more tokens choose. */
static double weight_bytes(const PresetCase *c, double tokens) {
    double all = c->model->parameters, active = c->model->active;
    return (all - (all - active) * pow(1 - active / all, tokens - 1)) * c->model->bytes;
}

static double formula_blocks(const PresetCase *c, double utilization, bool has_activations) {
    double memory = c->gpu->memory, activations = c->model->active < c->model->parameters ? 8 : 5.5;
    activations *= memory < 70 * GIB ? 0.25 : 1;
    double room = memory * utilization * c->tp - c->model->parameters * c->model->bytes -
                  (has_activations ? activations * GIB : 0) -
                  (c->tp == 1 ? 0.15 : 0.6 * c->tp) * GIB;
    return floor(room / (kv_bytes_per_token(c) * 16));
}

static double lone_decode(const PresetCase *c) {
    return decode_s(c, 1, 1) / (weight_bytes(c, 1) / (c->tp * c->gpu->bytes_per_s));
}

static double prefill_share(const PresetCase *c) {
    uint32_t n = c->params->max_num_batched_tokens;
    n = n < c->params->max_model_len ? n : c->params->max_model_len;
    double s = seconds_of(c, (StepLoad){.prefill_tokens = n,
                                        .prefill_sequences = 1,
                                        .prefill_squares = (uint64_t)n * n});
    double peak = c->model->bytes < 2 ? c->gpu->flops8_per_s : c->gpu->flops_per_s;
    return 2 * c->model->active * n / (c->tp * peak * s);
}

static double batch_decode(const PresetCase *c) {
    double bytes = weight_bytes(c, 64) + 64 * 1000 * kv_bytes_per_token(c);
    return decode_s(c, 64, 1000) / (bytes / (c->tp * c->gpu->bytes_per_s));
}

START_TEST(every_preset_says_how_its_numbers_compare) {
    for (size_t i = 0; i < INFERENCE_PRESET_COUNT; i++) {
        PresetCase c = preset_case(&inference_presets[i]);
        char said[400];
        int used = snprintf(said, sizeof said,
                            "Decode alone %.2fx the reading of the weights, full prefill %.0f%% of "
                            "peak, 64 decodes on 1000 tokens %.2fx their traffic, ",
                            lone_decode(&c), 100 * prefill_share(&c), batch_decode(&c));
        if (c.params->has_kv_blocks) {
            snprintf(said + used, sizeof said - (size_t)used, "KV blocks %.2fx the formula.",
                     c.params->kv_blocks / formula_blocks(&c, 0.9, true));
        } else {
            snprintf(said + used, sizeof said - (size_t)used, "room for %u KV blocks.",
                     engine_kv_blocks(c.params));
        }
        ck_assert_msg(strncmp(c.preset->note, said, strlen(said)) == 0, "%s: %s\nand not\n%s",
                      c.preset->name, said, c.preset->note);
        compiled_free(&c.compiled);
    }
}
END_TEST

START_TEST(no_preset_is_beyond_what_its_gpu_can_do) {
    for (size_t i = 0; i < INFERENCE_PRESET_COUNT; i++) {
        PresetCase c = preset_case(&inference_presets[i]);
        const char *name = c.preset->name;
        double alone = lone_decode(&c), share = prefill_share(&c), batch = batch_decode(&c);
        bool is_table =
            strcmp(c.gpu->name, "rtx4090") == 0; /* kernels, at a clock above its rating */
        ck_assert_msg(alone >= 0.95 && alone <= 3, "%s: decode alone %.2f", name, alone);
        ck_assert_msg(share >= 0.2 && share <= (is_table ? 0.95 : 0.85), "%s: %.2f of peak", name,
                      share);
        ck_assert_msg(batch >= 0.95 && batch <= 4, "%s: 64 decodes %.2f", name, batch);
        double blocks = engine_kv_blocks(c.params);
        double utilization = c.params->has_kv_blocks ? 0.9 : 0.92;
        ck_assert_msg(blocks >= formula_blocks(&c, utilization, true) - 1 &&
                          blocks <= 1.01 * formula_blocks(&c, utilization, false),
                      "%s: %g blocks", name, blocks);
        compiled_free(&c.compiled);
    }
}
END_TEST

START_TEST(every_preset_has_the_limits_of_its_gpu_and_names_its_source) {
    uint32_t count[sizeof gpus / sizeof gpus[0]] = {0};
    for (size_t i = 0; i < INFERENCE_PRESET_COUNT; i++) {
        PresetCase c = preset_case(&inference_presets[i]);
        ck_assert_uint_eq(c.params->max_num_seqs, c.gpu->seqs);
        ck_assert_uint_eq(c.params->max_num_batched_tokens, c.gpu->batched_tokens);
        ck_assert(c.params->has_max_model_len);
        ck_assert_uint_gt(strlen(c.preset->source), 10);
        ck_assert(strcmp(c.preset->licence, "Apache-2.0") == 0 ||
                  strcmp(c.preset->licence, "MIT") == 0);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(inference_presets[k].name, c.preset->name);
        }
        count[c.gpu - gpus]++;
        compiled_free(&c.compiled);
    }
    for (size_t i = 0; i < sizeof gpus / sizeof gpus[0]; i++) {
        ck_assert_uint_ge(count[i], 2);
    }
}
END_TEST

/* Whether a row has the preset's coefficients, for a step with some of everything. */
static bool is_row_of(const PresetCase *c, const CsvRow *row) {
    double us = atof(row->cells[8].text) + 1000 * atof(row->cells[9].text) +
                100 * atof(row->cells[10].text);
    StepLoad load = {.prefill_tokens = 1000, .prefill_sequences = 1, .decode_sequences = 100};
    return fabs(seconds_of(c, load) * 1e6 / us - 1) < 5e-6;
}

/* Looks for the row that the preset names as its source: "…: MODEL on GPU TPn, …". */
static void check_row_of(const PresetCase *c, const char *source) {
    Error error;
    CsvIn *csv = csv_in_open(DATA "blis-blackbox.csv", &error);
    ck_assert_msg(csv != NULL, "%s", error.text);
    CsvRow row = {0};
    bool is_found = false;
    while (csv_in_next(csv, &row, &error) && row.cells != NULL) {
        char name[200];
        snprintf(name, sizeof name, "%s on %s TP%s,", row.cells[0].text, row.cells[1].text,
                 row.cells[2].text);
        is_found |= strncmp(source, name, strlen(name)) == 0 && is_row_of(c, &row);
    }
    csv_in_close(csv);
    ck_assert_msg(is_found, "%s is not %s", c->preset->name, source);
}

START_TEST(fitted_presets_are_the_rows_of_inference_sim_that_they_name) {
    static const char from[] = "inference-sim, defaults.yaml: ";
    if (access(DATA "blis-blackbox.csv", R_OK) != 0) {
        printf("skipped: " DATA "blis-blackbox.csv is not here\n");
        return;
    }
    int compared = 0;
    for (size_t i = 0; i < INFERENCE_PRESET_COUNT; i++) {
        PresetCase c = preset_case(&inference_presets[i]);
        if (strncmp(c.preset->source, from, strlen(from)) == 0) {
            check_row_of(&c, c.preset->source + strlen(from));
            compared++;
        }
        compiled_free(&c.compiled);
    }
    ck_assert_int_eq(compared, 11);
}
END_TEST

/* a + b x + c y of a fit, in milliseconds. */
static double fit_s(const json_t *fit, const char *key, double x, double y) {
    const json_t *set = json_object_get(fit, key);
    return 1e-3 * (json_number_value(json_array_get(set, 0)) +
                   json_number_value(json_array_get(set, 1)) * x +
                   json_number_value(json_array_get(set, 2)) * y);
}

START_TEST(quadratic_presets_are_the_fits_of_distserve) {
    json_t *file = json_load_file(DATA "distserve-a100-distserve.json", 0, NULL);
    if (file == NULL) {
        printf("skipped: " DATA "distserve-a100-distserve.json is not here\n");
        return;
    }
    int compared = 0;
    for (size_t i = 0; i < INFERENCE_PRESET_COUNT; i++) {
        PresetCase c = preset_case(&inference_presets[i]);
        if (strcmp(c.params->step.kind->name, "quadratic") == 0) {
            char model[40], tp[12];
            snprintf(model, sizeof model, "facebook/%s", c.model->name);
            snprintf(tp, sizeof tp, "%u", c.tp);
            const json_t *fit = json_object_get(json_object_get(file, model), tp);
            StepLoad load = {
                .prefill_tokens = 700, .prefill_sequences = 1, .prefill_squares = 490000};
            ck_assert_double_eq_tol(seconds_of(&c, load) / fit_s(fit, "prefill", 700, 490000), 1,
                                    1e-5);
            ck_assert_double_eq_tol(
                decode_s(&c, 94, 431) / fit_s(fit, "decoding_smallbs", 94 * 431, 94), 1, 1e-5);
            ck_assert_double_eq_tol(
                decode_s(&c, 95, 431) / fit_s(fit, "decoding_largebs", 95 * 431, 95), 1, 1e-5);
            compared++;
        }
        compiled_free(&c.compiled);
    }
    json_decref(file);
    ck_assert_int_eq(compared, 4);
}
END_TEST

START_TEST(the_preset_of_the_benchmark_is_as_published) {
    PresetCase c = preset_case(&inference_presets[0]);
    for (size_t i = 0; strcmp(c.preset->name, "qwen3-14b/h100-tp1") != 0; i++) {
        compiled_free(&c.compiled);
        c = preset_case(&inference_presets[i]);
    }
    ck_assert_uint_eq(c.params->kv_blocks, 17600);
    ck_assert_uint_eq(c.params->max_model_len, 40960);
    StepLoad load = {.prefill_tokens = 512, .prefill_sequences = 1, .decode_sequences = 100};
    /* 13578.1867 + 512 x 39.4447 + 100 x 27.3228 us */
    ck_assert_int_eq(c.step->duration_ps(c.params->step.params, &load), 36506153100);
    compiled_free(&c.compiled);
}
END_TEST

/* Through the whole program: what is set arrives, and what is left shows where it is from. */
START_TEST(a_scenario_may_change_single_values_of_a_preset) {
    Compiled c =
        compiled(base_scenario, "services.model={server: {inference: {preset: qwen3-14b/h100-tp1, "
                                "max_num_seqs: 64, step: {linear: {per_decode_sequence: 31us}}}}}");
    ck_assert_str_eq(c.messages, "");
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    resolved_print(&c.resolved, &c.diagnostics, out);
    fclose(out);
    static const char *const lines[] = {
        "\nservices.model.server.inference.kv_blocks: 17600  # preset qwen3-14b/h100-tp1\n",
        "\nservices.model.server.inference.max_num_seqs: 64  # --set services.model\n",
        "\nservices.model.server.inference.step.linear.base: 13578.1867us  # preset "
        "qwen3-14b/h100-tp1\n",
        "\nservices.model.server.inference.step.linear.per_decode_sequence: 31us  # --set "
        "services.model\n",
        "\nservices.model.server.inference.block_size: 16  # default\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(strstr(text, lines[i]) != NULL, "%s is not in\n%s", lines[i], text);
    }
    free(text);
    compiled_free(&c);
}
END_TEST

TEST_SUITE("models/inference_presets", every_preset_says_how_its_numbers_compare,
           no_preset_is_beyond_what_its_gpu_can_do,
           every_preset_has_the_limits_of_its_gpu_and_names_its_source,
           fitted_presets_are_the_rows_of_inference_sim_that_they_name,
           quadratic_presets_are_the_fits_of_distserve, the_preset_of_the_benchmark_is_as_published,
           a_scenario_may_change_single_values_of_a_preset)
