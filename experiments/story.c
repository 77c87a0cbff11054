#include "experiments/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"

/* How a step reads: words before and after the place. */
typedef struct Phrase {
    const char *what;   /* Note.what */
    const char *before; /* "sent to" */
} Phrase;

static const Phrase phrases[] = {
    {"sent", "sent to"},
    {"arrived", "arrived at"},
    {"started", "started by"},
    {"served", "served by"},
    {"reply", "reply from"},
    {"late reply", "late reply from"},
    {"timeout", "timeout, waiting for"},
    {"refused", "refused by"},
    {"gave up", "gave up in the queue of"},
    {"cancelled", "cancelled at"},
    {"lost", "lost at"},
    {"failed", "failed at"},
    {"falls back", "falls back to"},
    {"suspended", "suspended at"},
    {"resumed", "resumed at"},
    {"breaker_opens", "breaker opens at"},
    {"breaker_half_opens", "breaker half opens at"},
    {"breaker_closes", "breaker closes at"},
    {"preempted", "preempted by"},
    {"crash", "crash of"},
    {"loading", "loading begins at"},
    {"loaded", "loading ends at"},
    {"fault_begins", "fault begins"},
    {"fault_ends", "fault ends"},
};

static const char *phrase_of(const char *what) {
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (strcmp(phrases[i].what, what) == 0) {
            return phrases[i].before;
        }
    }
    return what;
}

static void append(char text[STORY_LINE_SIZE], size_t *used, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char text[STORY_LINE_SIZE], size_t *used, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text + *used, STORY_LINE_SIZE - *used, format, arguments);
    va_end(arguments);
    CHECK(size >= 0);
    *used += (size_t)size;
    *used = *used < STORY_LINE_SIZE ? *used : STORY_LINE_SIZE - 1;
}

size_t story_line(char text[STORY_LINE_SIZE], const Model *model, const Note *note) {
    size_t used = 0;
    int64_t milliseconds = (note->at + 500000) / 1000000; /* by hand: free of the locale */
    append(text, &used, "%6lld.%03lld s  ", (long long)(milliseconds / 1000),
           (long long)(milliseconds % 1000));
    if (note->client != NONE) {
        append(text, &used, "%s #%llu", model->clients[note->client].name,
               (unsigned long long)note->request);
        if (note->attempt != 0) {
            append(text, &used, " attempt %u", note->attempt);
        }
        append(text, &used, ": ");
    } else if (note->attempt != 0) {
        append(text, &used, "in the system at the start: ");
    }
    append(text, &used, "%s", phrase_of(note->what));
    if (note->component != NONE) {
        append(text, &used, " %s", model_component_name(model, note->component));
    }
    if (note->replica != NONE) {
        append(text, &used, "[%u]", note->replica);
    }
    if (note->detail[0] != 0) {
        append(text, &used, ": %s", note->detail);
    }
    return used;
}
