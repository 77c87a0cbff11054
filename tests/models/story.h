/* Small runs told as text: a test states the whole expected story, line by line.
 *
 * A scenario is compiled from YAML without its head; every client that replays a trace gets the
 * arrivals named by STORY_TRACE, so that a test chooses arrival times freely. All notes, changes of
 * state and ends of requests become lines; world_check runs after every event.
 */
#ifndef KNOCKON_TESTS_MODELS_STORY_H
#define KNOCKON_TESTS_MODELS_STORY_H

#include <stdbool.h>
#include <stddef.h>

#include "models/world.h"
#include "tests/test.h"

/* Arrivals of a trace of the test's own. */
typedef struct StoryTrace {
    const TraceArrival *items;
    size_t count, position;
    bool is_rate;
} StoryTrace;

/* Read it as a TraceSource; the context is the StoryTrace. */
bool story_trace_next(void *context, TraceArrival *out);
void story_trace_rewind(void *context);

typedef struct StoryRun {
    Model *model;
    World *world;
    char *text; /* the story */
} StoryRun;

/* Compiles `yaml` after "knockon: 1"; a mistake fails the test. */
Model *story_compile(const char *yaml);

/* Runs it; `trace` may be NULL. The second and third take a model that the test has changed, and
 * own it; the third adds to the options what the story needs. */
StoryRun story_run(const char *yaml, const StoryTrace *trace);
StoryRun story_run_model(Model *model, const StoryTrace *trace);
StoryRun story_run_with(Model *model, const StoryTrace *trace, WorldOptions options);
void story_free(StoryRun *run);

/* Runs it and compares; on a difference the test fails and the story is printed. */
void story_is(const char *yaml, const char *expected);
void story_with_trace_is(const char *yaml, const StoryTrace *trace, const char *expected);

/* A measure of a run that has ended. */
double story_measure(const StoryRun *run, const char *component, Metric metric);

/* It is as expected, to 1e-9 of what it is and 1; NAN: there is nothing to measure. */
void measure_is(const StoryRun *run, const char *component, Metric metric, double expected);

#define STORY_TRACE(list)                                                                          \
    (&(StoryTrace){.items = (list), .count = sizeof(list) / sizeof((list)[0])})

#endif
