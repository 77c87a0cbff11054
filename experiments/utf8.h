/* UTF-8, decoded strictly: overlong forms, surrogates and what lies beyond U+10FFFF are refused, so
 * that text which passes here means the same to every reader. No locale is involved.
 */
#ifndef KNOCKON_EXPERIMENTS_UTF8_H
#define KNOCKON_EXPERIMENTS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at `text` (before `end`); returns its bytes, 1 to 4, or 0 when the bytes
 * there are not UTF-8 (`code` is untouched then). */
unsigned utf8_decode(const char *text, const char *end, uint32_t *code);

/* The largest length of at most `size_max` bytes that does not cut a code point in two. */
size_t utf8_cut(const char *text, size_t size_max);

/* Bytes of the line break at `text`, 0 when there is none. The breaks are those by which YAML 1.1
 * and libyaml count lines: LF, CR, CR LF, U+0085, U+2028 and U+2029. */
size_t utf8_break_size(const char *text, const char *end);

/* True for what must not reach a terminal or a log as it is: C0, C1, DEL, line and paragraph
 * separators, byte order marks, and the bidirectional overrides that make text read as another. */
bool utf8_is_control(uint32_t code);

#endif
