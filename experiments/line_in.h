/* A text file, one line at a time, in constant memory: what CSV and JSON lines are read through.
 *
 * Reads 64 KiB at once and never holds more than the longest line that it allows, 1 MiB. Skips a
 * byte order mark, counts lines, and refuses NUL bytes (UTF-16, binary files) by line. Only regular
 * files: a pipe could not be read again by the next replication, and a named one would hang. One
 * thread at a time for each LineIn; any number of them may read the same file.
 */
#ifndef KNOCKON_EXPERIMENTS_LINE_IN_H
#define KNOCKON_EXPERIMENTS_LINE_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/error.h"

enum { LINE_SIZE_MAX = 1 << 20 };

typedef struct LineIn {
    char *path;    /* as given, for messages */
    uint64_t line; /* number of the line delivered last, from 1 */
    int fd;
    bool is_at_end, has_nul;
    char *buffer;
    size_t start, end; /* what of the buffer has not been delivered */
} LineIn;

/* Opens a file; line_in_close ends it. On failure there is nothing to close. */
bool line_in_open(LineIn *in, const char *path, Error *error);
void line_in_close(LineIn *in);

/* The next line with its line feed, if it has one; valid until the next call. At the end of the
 * file *text is NULL. */
bool line_in_next(LineIn *in, const char **text, size_t *size, Error *error);

/* Back to the first line. */
bool line_in_rewind(LineIn *in, Error *error);

/* Fills the error with "FILE:LINE: " and the sentence, and returns false. */
bool line_in_error(const LineIn *in, uint64_t line, Error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What was found, fit for a message: cut to 40 bytes, control characters and bytes that are not
 * UTF-8 as \xNN. */
enum { SHOWN_SIZE = 40 + 3 + 12 + 1 };
typedef struct Shown {
    char text[SHOWN_SIZE];
} Shown;
Shown text_shown(const char *text, size_t size);

#endif
