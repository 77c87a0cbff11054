/* What the tests of the text layer share: printed messages and trees, a sample scenario. */
#ifndef KNOCKON_TESTS_EXPERIMENTS_DOC_TEST_H
#define KNOCKON_TESTS_EXPERIMENTS_DOC_TEST_H

#include "tests/test.h"

#include "experiments/doc.h"
#include "sim/vec.h"

#include <stdio.h>
#include <string.h>

/* What diag_print says; the caller frees it. */
static inline char *printed(const Diagnostics *diagnostics) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diag_print(diagnostics, out, false);
    fclose(out);
    return text;
}

static inline void check_printed(const Diagnostics *diagnostics, const char *expected) {
    char *text = printed(diagnostics);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* The tree as one line of YAML flow style, so that a test can compare all of it. */
static inline void print_node(FILE *out, const DocNode *node) {
    if (node->kind == DOC_SCALAR) {
        fprintf(out, node->is_quoted ? "'%s'" : "%s", node->text);
        return;
    }
    fputc(node->kind == DOC_MAP ? '{' : '[', out);
    for (size_t i = 0; i < node->count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        if (node->kind == DOC_MAP) {
            fprintf(out, "%s: ", node->pairs[i].key->text);
        }
        print_node(out, node->kind == DOC_MAP ? node->pairs[i].value : node->items[i]);
    }
    fputc(node->kind == DOC_MAP ? '}' : ']', out);
}

static inline void check_tree(const DocNode *root, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print_node(out, root);
    fclose(out);
    ck_assert_str_eq(text, expected);
    free(text);
}

static inline void check_place(const DocNode *node, uint32_t line, uint32_t column,
                               uint32_t length) {
    ck_assert_ptr_nonnull(node);
    ck_assert_uint_eq(node->place.line, line);
    ck_assert_uint_eq(node->place.column, column);
    ck_assert_uint_eq(node->place.length, length);
}

/* A document that must be right. */
static inline Doc load(Diagnostics *diagnostics, const char *text) {
    Doc doc = {0};
    bool is_loaded = doc_load_text(&doc, "t.yaml", text, strlen(text), diagnostics);
    check_printed(diagnostics, "");
    ck_assert(is_loaded);
    return doc;
}

#define SAMPLE                                                                                     \
    "# a scenario\n"                                                                               \
    "knockon: 1\n"                                                                                 \
    "run: {duration: 30min, seed: 1}\n"                                                            \
    "clients:\n"                                                                                   \
    "  web:\n"                                                                                     \
    "    arrivals: {poisson: {rate: 40/s}}\n"                                                      \
    "    call: &patient\n"                                                                         \
    "      timeout: 8s\n"                                                                          \
    "      retry_on: [timeout, 'error']\n"                                                         \
    "services:\n"                                                                                  \
    "  gpt-4.1:\n"                                                                                 \
    "    replicas: \"4\"\n"                                                                        \
    "    calls:\n"                                                                                 \
    "      - {to: llm, <<: *patient, timeout: 2s}\n"                                               \
    "      - größe: |\n"                                                                         \
    "          two\n"                                                                              \
    "          lines\n"                                                                            \
    "  llm:\n"                                                                                     \
    "    call: *patient\n"                                                                         \
    "    queue:\n"

#endif
