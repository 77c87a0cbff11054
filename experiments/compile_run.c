/* `run`, `verdict` and `trigger`. */
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/quantity.h"
#include "sim/check.h"

static void print_time(char text[QUANTITY_TEXT_SIZE], SimTime time) {
    quantity_print(text, time_to_s(time), DIMENSION_DURATION);
}

static void check_run(Compiler *compiler, const DocNode *at) {
    const RunDef *run = &compiler->model->run;
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    char first[QUANTITY_TEXT_SIZE], second[QUANTITY_TEXT_SIZE];
    if (run->duration > 0 && run->warmup >= run->duration) {
        print_time(first, run->warmup);
        print_time(second, run->duration);
        diag_error(diagnostics, doc_find(at, "warmup"),
                   "a warmup of %s leaves nothing of a duration of %s", first, second);
    }
    if (run->seed != (double)(uint64_t)run->seed) {
        const DocNode *seed = doc_find(at, "seed");
        CHECK(seed != NULL);
        diag_error(diagnostics, seed, "'seed' of run must be a whole number, not %s", seed->text);
    }
}

static void compile_initial(Compiler *compiler, const DocNode *map) {
    SchemaReader *reader = &compiler->reader;
    if (!schema_expect_map(reader, map, "'initial'")) {
        return;
    }
    size_t outer = resolved_enter(reader->resolved, "initial");
    for (uint32_t i = 0; i < map->count; i++) {
        const DocPair *pair = &map->pairs[i];
        uint32_t count = 0;
        uint32_t service = schema_read_service(reader, pair->key);
        size_t mark = resolved_enter(reader->resolved, pair->key->text);
        schema_read(reader, &schema_initial, pair->value, pair->key, (SchemaKeys){0}, &count);
        resolved_leave(reader->resolved, mark);
        if (service != NONE) {
            compiler->model->services[service].initial = count;
        }
    }
    resolved_leave(reader->resolved, outer);
}

static void compile_stop_when(Compiler *compiler, const DocNode *map) {
    StopWhen stop = {NONE, 0};
    size_t mark = resolved_enter(compiler->reader.resolved, "stop_when");
    schema_read(&compiler->reader, &schema_stop_when, map, map, (SchemaKeys){0}, &stop);
    resolved_leave(compiler->reader.resolved, mark);
    compiler->model->run.stop_service = stop.service;
    compiler->model->run.stop_in_system = stop.in_system;
}

static void compile_verdict(Compiler *compiler) {
    VerdictDef *verdict = &compiler->model->verdict;
    const DocNode *map = doc_find(compiler->root, "verdict");
    size_t mark = resolved_enter(compiler->reader.resolved, "verdict");
    if (map != NULL && map->kind == DOC_SCALAR && strcmp(map->text, "none") == 0) {
        verdict->is_off = true;
        resolved_add(compiler->reader.resolved, map);
    } else {
        schema_read(&compiler->reader, &schema_verdict, map, compiler->root, (SchemaKeys){0},
                    verdict);
    }
    resolved_leave(compiler->reader.resolved, mark);
}

static void compile_trigger(Compiler *compiler) {
    const DocNode *map = doc_find(compiler->root, "trigger");
    if (map == NULL) {
        return;
    }
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    Trigger trigger = {0, 0};
    uint32_t before = diag_count(diagnostics);
    size_t mark = resolved_enter(compiler->reader.resolved, "trigger");
    schema_read(&compiler->reader, &schema_trigger, map, map, (SchemaKeys){0}, &trigger);
    resolved_leave(compiler->reader.resolved, mark);
    if (diag_count(diagnostics) > before) {
        return;
    }
    if (trigger.from >= trigger.to) {
        diag_error(diagnostics, map, "'trigger' must end after it begins: 'from' before 'to'");
    } else if (trigger.to > compiler->model->run.duration) {
        diag_error(diagnostics, map, "'trigger' must end before the run does");
    } else {
        compiler->model->verdict.trigger_from = trigger.from;
        compiler->model->verdict.trigger_to = trigger.to;
    }
}

void compile_run(Compiler *compiler) {
    SchemaReader *reader = &compiler->reader;
    const DocNode *map = doc_find(compiler->root, "run");
    uint32_t before = diag_count(reader->diagnostics);
    size_t mark = resolved_enter(reader->resolved, "run");
    schema_read(reader, &schema_run, map, compiler->root, KEYS("initial", "stop_when"),
                &compiler->model->run);
    if (diag_count(reader->diagnostics) == before) {
        check_run(compiler, map == NULL ? compiler->root : map);
    }
    const DocNode *initial = doc_find(map, "initial");
    const DocNode *stop_when = doc_find(map, "stop_when");
    if (initial != NULL) {
        compile_initial(compiler, initial);
    }
    if (stop_when != NULL) {
        compile_stop_when(compiler, stop_when);
    }
    resolved_leave(reader->resolved, mark);
    compile_verdict(compiler);
    compile_trigger(compiler);
}
