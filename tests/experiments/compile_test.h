/* What the tests of the compiler share: a small scenario, and messages as lines of text. */
#ifndef KNOCKON_TESTS_EXPERIMENTS_COMPILE_TEST_H
#define KNOCKON_TESTS_EXPERIMENTS_COMPILE_TEST_H

#include <stdio.h>
#include <string.h>

#include "experiments/compile.h"
#include "tests/test.h"

/* Two services below a client: enough for every message. */
static const char base_scenario[] =
    "knockon: 1\n"
    "run: {duration: 10min, warmup: 1min}\n"
    "clients:\n"
    "  web:\n"
    "    target: gateway\n"
    "    arrivals: {poisson: {rate: 20/s}}\n"
    "    call: {timeout: 2s}\n"
    "services:\n"
    "  gateway: {work: 4ms, calls: [{to: model, timeout: 1s}]}\n"
    "  model: {replicas: 2, server: {pool: {concurrency: 8}}, work: 100ms}\n"
    "faults: [{at: 5min, for: 1min, slow: {service: model, x: 4}}]\n";

typedef struct Compiled {
    Doc doc;
    Diagnostics diagnostics;
    Resolved resolved;
    Model *model;
    char *messages; /* "line:column: text" a line, warnings marked; owned */
} Compiled;

static inline char *message_lines(const Diagnostics *diagnostics) {
    static const char *const levels[] = {"", "warning: ", "note: "};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < diagnostics->messages.count; i++) {
        const DiagMessage *message = &diagnostics->messages.items[i];
        fprintf(out, "%s%u:%u: %s%s", i == 0 ? "" : "\n", message->place.line,
                message->place.column, levels[message->level], message->text);
    }
    fclose(out);
    return text;
}

/* Compiles a text after an assignment, which may be NULL. */
static inline Compiled compiled(const char *text, const char *set) {
    Compiled result = {.model = NULL};
    doc_load_text(&result.doc, "scen.yaml", text, strlen(text), &result.diagnostics);
    if (set != NULL && result.doc.root != NULL) {
        doc_set(&result.doc, set, &result.diagnostics);
    }
    result.model = compile_scenario(&result.doc, &result.diagnostics, &result.resolved);
    result.messages = message_lines(&result.diagnostics);
    return result;
}

static inline void compiled_free(Compiled *result) {
    model_destroy(result->model);
    resolved_free(&result->resolved);
    doc_free(&result->doc);
    diag_free(&result->diagnostics);
    free(result->messages);
}

typedef struct Case {
    const char *set;      /* on the base scenario, or a whole text when it has a line break */
    const char *expected; /* all messages */
} Case;

static inline void check_cases(const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool is_text = strchr(cases[i].set, '\n') != NULL;
        Compiled result =
            compiled(is_text ? cases[i].set : base_scenario, is_text ? NULL : cases[i].set);
        ck_assert_msg(strcmp(result.messages, cases[i].expected) == 0, "%s\nsays\n%s\nand not\n%s",
                      cases[i].set, result.messages, cases[i].expected);
        ck_assert_int_eq(result.model == NULL, diag_count(&result.diagnostics) > 0);
        compiled_free(&result);
    }
}

#endif
