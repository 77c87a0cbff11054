/* What asking for the duration of one step of an inference server costs, by kind: decoding batches
 * whose contexts grow as they do in a run, prompts alone, and both together.
 *
 * CPU time of one core, median of REPETITIONS. `step_bench [profile directory]`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiments/schema_read.h"
#include "models/inference_steps/inference_step.h"

enum { REPETITIONS = 7, CALLS = 2000000, LOADS = 1024 };

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static Component read_step(Model *model, const char *text) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    Component step = {NULL, NULL};
    SchemaReader reader = {&doc, &diagnostics, model, NULL};
    if (doc_load_text(&doc, "bench", text, strlen(text), &diagnostics)) {
        schema_read_kind(&reader, FAMILY_INFERENCE_STEP, doc.root, &step);
    }
    if (diag_count(&diagnostics) > 0) {
        diag_print(&diagnostics, stderr, false);
        exit(EXIT_FAILURE);
    }
    doc_free(&doc);
    diag_free(&diagnostics);
    return step;
}

/* Batches of 8 to 127 decodes, the same for 16 steps, with contexts of 200 to 1800 tokens. */
static void fill_decode(StepLoad *loads) {
    for (uint32_t i = 0; i < LOADS; i++) {
        uint32_t decodes = 8 + i / 16 * 7 % 120;
        loads[i] = (StepLoad){.decode_sequences = decodes,
                              .decode_context = (uint64_t)decodes * (200 + i * 13 % 1600)};
    }
}

static void add_prefill(StepLoad *loads) {
    for (uint32_t i = 0; i < LOADS; i++) {
        uint32_t prompts = 1 + i % 3, chunk = 40 + i * 37 % 640, before = i % 2 * 500;
        loads[i].prefill_sequences = prompts;
        loads[i].prefill_tokens = prompts * chunk;
        loads[i].prefill_context = prompts * before;
        loads[i].prefill_cross = (uint64_t)prompts * chunk * before;
        loads[i].prefill_squares = (uint64_t)prompts * chunk * chunk;
    }
}

static void bench(const char *name, const Component *step, const StepLoad *loads) {
    const InferenceStepOps *ops = step->kind->ops;
    double ns[REPETITIONS];
    int64_t sum_ps = 0;
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
        double start_s = now_s();
        for (uint32_t i = 0; i < CALLS; i++) {
            sum_ps += ops->duration_ps(step->params, &loads[i % LOADS]) & 0xffff;
        }
        ns[repetition] = (now_s() - start_s) * 1e9 / CALLS;
    }
    qsort(ns, REPETITIONS, sizeof ns[0], by_value);
    printf("%-8s %-16s %6.1f ns a call (sum %lld)\n", step->kind->name, name, ns[REPETITIONS / 2],
           (long long)sum_ps);
}

int main(int argc, char **argv) {
    static const char linear[] = "{linear: {base: 16387us, per_prefill_token: 107.19us, "
                                 "per_decode_sequence: 40.17us, per_context_token: 0.15397us, "
                                 "per_prefill_context_token: 4.34ns}}";
    char table[1000];
    snprintf(table, sizeof table, "{table: {directory: %s, layers: 32}}",
             argc > 1 ? argv[1] : "tests/models/profile");
    Model *model = model_create();
    Component steps[] = {read_step(model, linear), read_step(model, table)};
    static StepLoad decode[LOADS], prefill[LOADS], mixed[LOADS];
    fill_decode(decode);
    add_prefill(prefill);
    fill_decode(mixed);
    add_prefill(mixed);
    for (size_t i = 0; i < 2; i++) {
        bench("decode", &steps[i], decode);
        bench("prefill", &steps[i], prefill);
        bench("mixed", &steps[i], mixed);
    }
    model_destroy(model);
    return EXIT_SUCCESS;
}
