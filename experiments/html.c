#include "experiments/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"

/* A number stays on the line of its unit. */
#define NBSP "\xc2\xa0"

void html_raw(Text *page, const char *markup) {
    text_append(page, markup, strlen(markup));
}

void html_text(Text *page, const char *text) {
    text_append_escaped(page, text);
}

void html_textf(Text *page, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    CHECK(size >= 0);
    char *text = mem_alloc((size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    va_end(arguments);
    text_append_escaped(page, text);
    mem_free(text);
}

static Words words_digits(double value, int digits, double whole_from) {
    Words words;
    double magnitude = fabs(value);
    if (isnan(value)) {
        snprintf(words.text, WORDS_SIZE, "–");
    } else if (magnitude >= whole_from && magnitude < 1e9) {
        snprintf(words.text, WORDS_SIZE, "%.0f", value);
    } else {
        snprintf(words.text, WORDS_SIZE, "%.*g", digits, value);
    }
    return words;
}

Words words_number(double value) {
    return words_digits(value, 3, 1000);
}

Words words_short(double value) {
    return words_digits(value, 2, 10);
}

Words words_percent(double ratio) {
    Words words;
    double percent = 100 * ratio;
    if (isnan(ratio)) {
        snprintf(words.text, WORDS_SIZE, "–");
    } else if (fabs(percent) >= 9.95) {
        snprintf(words.text, WORDS_SIZE, "%.0f" NBSP "%%", percent);
    } else {
        snprintf(words.text, WORDS_SIZE, "%.2g" NBSP "%%", percent);
    }
    return words;
}

/* "5 min 4 s": two units, the second one left out at zero. */
static Words words_pair(double time_s, double big_s, const char *big, double small_s,
                        const char *small) {
    Words words;
    double smalls = round(time_s / small_s), ratio = big_s / small_s;
    double bigs = floor(smalls / ratio), rest = smalls - bigs * ratio;
    if (rest == 0) {
        snprintf(words.text, WORDS_SIZE, "%.0f" NBSP "%s", bigs, big);
    } else {
        snprintf(words.text, WORDS_SIZE, "%.0f" NBSP "%s" NBSP "%.0f" NBSP "%s", bigs, big, rest,
                 small);
    }
    return words;
}

Words words_time(double time_s) {
    Words words;
    if (isnan(time_s)) {
        snprintf(words.text, WORDS_SIZE, "–");
    } else if (time_s < 1 && time_s > 0) {
        snprintf(words.text, WORDS_SIZE, "%.3g" NBSP "ms", time_s * 1000);
    } else if (time_s < 60) {
        snprintf(words.text, WORDS_SIZE, "%.3g" NBSP "s", time_s);
    } else if (time_s < 7200) {
        words = words_pair(time_s, 60, "min", 1, "s");
    } else if (time_s < 2 * 86400) {
        words = words_pair(time_s, 3600, "h", 60, "min");
    } else {
        words = words_pair(fmin(time_s, 1e15), 86400, "d", 3600, "h");
    }
    return words;
}
