/* A page as a growing text: markup of ours goes in as it is, everything else is escaped. */
#ifndef KNOCKON_EXPERIMENTS_HTML_H
#define KNOCKON_EXPERIMENTS_HTML_H

#include "experiments/svg_tidy.h"

/* Markup. */
void html_raw(Text *page, const char *markup);

/* Any text, formatted and escaped. */
void html_text(Text *page, const char *text);
void html_textf(Text *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Numbers as people read them; NaN is an en dash. */
enum { WORDS_SIZE = 40 };
typedef struct Words {
    char text[WORDS_SIZE];
} Words;
Words words_number(double value);  /* 0.0123, 4.57, 1234 */
Words words_short(double value);   /* the same with two digits: 0.012, 4.6, 1230 */
Words words_percent(double ratio); /* 0.5 %, 12 %, 100 % */
Words words_time(double time_s);   /* 250 ms, 4.2 s, 5 min 4 s, 2 h 10 min */

#endif
