/* What the user is told about a mistake: file:line:column, a sentence, the line and a caret.
 *
 * Messages are collected and printed once, in the order given, so that one run shows every mistake
 * of a file; beyond 20 they are only counted. The same message at the same place counts once: a
 * value behind an alias is checked wherever it is used. Diagnostics own the texts of the sources,
 * and outlive the trees made of them. Control characters of the user's never reach the terminal.
 */
#ifndef KNOCKON_EXPERIMENTS_DIAGNOSTICS_H
#define KNOCKON_EXPERIMENTS_DIAGNOSTICS_H

#include "sim/vec.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct DocNode;

enum { DIAG_SHOWN_MAX = 20 };

typedef struct Place {
    uint32_t file;   /* index of a source */
    uint32_t line;   /* from 1; 0 when the whole file is meant */
    uint32_t column; /* from 1, in code points; 0 when the whole line is meant */
    uint32_t length; /* code points to underline; 0 counts as 1 */
} Place;

typedef enum DiagLevel { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE } DiagLevel;

typedef struct DiagMessage {
    DiagLevel level;
    Place place;
    char *text; /* control characters are already escaped */
} DiagMessage;

typedef struct DiagSource {
    char *name; /* as the user gave it, or for example "--set run.seed" */
    char *text; /* NULL for what is streamed: its messages show no line */
    size_t size;
} DiagSource;

typedef struct Diagnostics { /* {0} is ready for use */
    VEC(DiagSource) sources;
    VEC(DiagMessage) messages; /* what may be shown, each with its notes behind it */
    uint32_t error_count, warning_count;
    bool is_muted; /* the last error or warning was not kept: its notes are not either */
} Diagnostics;

void diag_free(Diagnostics *diagnostics);

/* Adds a file or another text and returns its index. The bytes are copied; `text` may be NULL. */
uint32_t diag_add_source(Diagnostics *diagnostics, const char *name, const char *text, size_t size);

/* Say something about the place where a node was written. A note belongs to the message before. */
void diag_error(Diagnostics *diagnostics, const struct DocNode *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warning(Diagnostics *diagnostics, const struct DocNode *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_note(Diagnostics *diagnostics, const struct DocNode *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same about any place: {.file = f, .line = n} is enough for a row of a CSV file. */
void diag_at(Diagnostics *diagnostics, DiagLevel level, Place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* How many errors there are, those that are not shown included. */
uint32_t diag_count(const Diagnostics *diagnostics);

/* True when another error could only be counted: a costly check may stop here. */
bool diag_is_full(const Diagnostics *diagnostics);

/* Prints at most 20 errors and warnings (errors first in line for the room) with their notes, then
 * how many more there are. Colour is the caller's decision. */
void diag_print(const Diagnostics *diagnostics, FILE *out, bool in_colour);

#endif
