/* What gnuplot writes as SVG, made fit for a page: half the size, with the text that is read aloud.
 *
 * Left out: the prologue, its titles (file names), definitions nobody uses, ids, empty groups.
 * Colours become #rrggbb, by which a style sheet can find them, coordinates have one decimal. The
 * result has no ids but the two of its own title and description, which begin with `name`.
 */
#ifndef KNOCKON_EXPERIMENTS_SVG_TIDY_H
#define KNOCKON_EXPERIMENTS_SVG_TIDY_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/vec.h"

typedef VEC(char) Text;

typedef struct SvgWords {
    const char *name;                /* for ids; a word of ours */
    const char *title, *description; /* any text */
} SvgWords;

/* Appends the tidied picture to `out`. False when `svg` is not a whole SVG of gnuplot's. */
bool svg_tidy(const char *svg, size_t size, const SvgWords *words, Text *out);

void text_append(Text *text, const char *data, size_t size);

/* Appends text as content of HTML or XML, or of an attribute in either kind of quotes: & < > " '
 * are escaped, control characters and broken UTF-8 become U+FFFD. */
void text_append_escaped(Text *text, const char *data);

#endif
