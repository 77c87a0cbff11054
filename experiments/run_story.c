#include "experiments/run_story.h"

#include <stdio.h>

#include "experiments/exit_status.h"
#include "experiments/interrupt.h"
#include "experiments/result.h"
#include "experiments/story.h"
#include "experiments/trace_source.h"
#include "sim/check.h"

typedef struct Teller {
    const Model *model;
    const volatile int *interrupt;
    volatile int is_over; /* nobody reads any more, or a signal came */
} Teller;

static void tell_note(void *context, const Note *note) {
    Teller *teller = context;
    char line[STORY_LINE_SIZE + 1];
    size_t size = story_line(line, teller->model, note);
    line[size] = '\n';
    if (*teller->interrupt != 0 || ferror(stdout)) {
        teller->is_over = 1;
    }
    if (!teller->is_over) {
        fwrite(line, 1, size + 1, stdout);
    }
}

static int status_of(const World *world) {
    if (stop_reason_truncates(world->stop_reason)) {
        fprintf(stderr, "knockon: the run hit a budget: %s\n",
                stop_reason_name(world->stop_reason));
        return EXIT_BUDGET;
    }
    return interrupt_exit_status();
}

int run_story(const Model *model, Error *error) {
    TraceSources traces;
    if (!trace_sources_check(model, error) || !trace_sources_open(model, &traces, error)) {
        return EXIT_INPUT;
    }
    Teller teller = {.model = model, .interrupt = interrupt_flag()};
    WorldOptions options = {.seed = (uint64_t)model->run.seed,
                            .traces = traces.sources,
                            .context = &teller,
                            .on_note = tell_note,
                            .on_change = tell_note,
                            .interrupt = &teller.is_over};
    World *world = world_create(model, &options);
    world_run(world);
    int status = status_of(world);
    world_destroy(world);
    const Error *failure = trace_sources_failure(&traces);
    if (failure != NULL) {
        *error = *failure;
        status = EXIT_INPUT;
    }
    trace_sources_close(&traces);
    return status;
}
