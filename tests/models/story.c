#include "tests/models/story.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/compile.h"
#include "experiments/story.h"
#include "sim/vec.h"

Model *story_compile(const char *yaml) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    char *text = NULL;
    ck_assert_int_ge(asprintf(&text, "knockon: 1\n%s", yaml), 0);
    doc_load_text(&doc, "story.yaml", text, strlen(text), &diagnostics);
    Model *model = compile_scenario(&doc, &diagnostics, NULL);
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
    }
    doc_free(&doc);
    diag_free(&diagnostics);
    free(text);
    ck_assert_msg(model != NULL, "the scenario does not compile:\n%s", yaml);
    return model;
}

typedef struct Teller {
    FILE *out;
    const Model *model;
} Teller;

static void tell_line(const Teller *teller, const char *line) {
    fprintf(teller->out, "%s\n", line + strspn(line, " "));
}

static void tell_note(void *context, const Note *note) {
    const Teller *teller = context;
    char line[STORY_LINE_SIZE];
    story_line(line, teller->model, note);
    tell_line(teller, line);
}

static void tell_request(void *context, const RequestRecord *record) {
    static const char *const words[OUTCOME_COUNT] = {"is answered", "has timed out", "has failed",
                                                     "was refused"};
    const Teller *teller = context;
    fprintf(teller->out, "%.3f s  %s #%llu %s", time_to_s(record->ended_at),
            teller->model->clients[record->client].name, (unsigned long long)record->number,
            record->is_finished ? words[record->outcome] : "is unfinished");
    if (record->first_token_at != 0) {
        fprintf(teller->out, ": %u token%s, the first at %.3f s", record->output_tokens,
                record->output_tokens == 1 ? "" : "s", time_to_s(record->first_token_at));
    }
    fprintf(teller->out, "\n");
}

bool story_trace_next(void *context, TraceArrival *out) {
    StoryTrace *trace = context;
    if (trace->position == trace->count) {
        return false;
    }
    *out = trace->items[trace->position++];
    return true;
}

void story_trace_rewind(void *context) {
    StoryTrace *trace = context;
    trace->position = 0;
}

StoryRun story_run(const char *yaml, const StoryTrace *trace) {
    return story_run_model(story_compile(yaml), trace);
}

StoryRun story_run_model(Model *model, const StoryTrace *trace) {
    return story_run_with(model, trace, (WorldOptions){0});
}

StoryRun story_run_with(Model *model, const StoryTrace *trace, WorldOptions options) {
    StoryRun run = {.model = model};
    size_t size = 0, clients = run.model->client_count;
    Teller teller = {.out = open_memstream(&run.text, &size), .model = run.model};
    options.seed = (uint64_t)run.model->run.seed;
    options.context = &teller;
    options.on_note = tell_note;
    options.on_change = tell_note;
    options.on_request = tell_request;
    options.check_every = 1;
    StoryTrace *traces = mem_zalloc(clients, sizeof *traces);
    options.traces = mem_zalloc(clients, sizeof *options.traces);
    for (size_t i = 0; i < clients && trace != NULL; i++) {
        traces[i] = *trace;
        options.traces[i] =
            (TraceSource){&traces[i], trace->is_rate, story_trace_next, story_trace_rewind};
    }
    run.world = world_create(run.model, &options);
    world_run(run.world);
    world_check(run.world);
    fclose(teller.out);
    mem_free(options.traces);
    mem_free(traces);
    return run;
}

void story_free(StoryRun *run) {
    world_destroy(run->world);
    model_destroy(run->model);
    free(run->text);
}

/* The story as it would stand in a test, for whoever has to judge what changed. */
static void print_as_code(const char *text) {
    for (const char *line = text; *line != 0;) {
        size_t size = strcspn(line, "\n");
        fprintf(stderr, "             \"%.*s\\n\"\n", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

void story_with_trace_is(const char *yaml, const StoryTrace *trace, const char *expected) {
    StoryRun run = story_run(yaml, trace);
    if (strcmp(run.text, expected) != 0) {
        print_as_code(run.text);
        ck_abort_msg("expected\n%s\nbut the story is\n%s", expected, run.text);
    }
    story_free(&run);
}

void story_is(const char *yaml, const char *expected) {
    story_with_trace_is(yaml, NULL, expected);
}

double story_measure(const StoryRun *run, const char *component, Metric metric) {
    double values[METRIC_COUNT];
    uint32_t index = model_find_component(run->model, component);
    ck_assert_msg(index != NONE, "no component '%s'", component);
    probe_measure(&run->world->probe, index, run->world->now, values);
    return values[metric];
}

void measure_is(const StoryRun *run, const char *component, Metric metric, double expected) {
    double value = story_measure(run, component, metric);
    ck_assert_msg(isnan(expected) ? isnan(value) : fabs(value - expected) <= 1e-9 * (1 + expected),
                  "%s of %s is %.17g and not %g", metric_info(metric)->column, component, value,
                  expected);
}
