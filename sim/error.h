/* The user's mistakes, as text. A function that can meet one returns false and fills an Error;
 * outputs stay untouched then. Who can say more about the place (file, line, column) prefixes it.
 */
#ifndef KNOCKON_SIM_ERROR_H
#define KNOCKON_SIM_ERROR_H

#include <stdbool.h>

enum { ERROR_TEXT_SIZE = 512 };

typedef struct Error {
    char text[ERROR_TEXT_SIZE]; /* one sentence, no newline; what was found and what would do */
} Error;

/* Formats the text, cut at ERROR_TEXT_SIZE - 1 bytes, and returns false so that a caller can say
 * `return error_set(...)`. `error` may be NULL. */
bool error_set(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
