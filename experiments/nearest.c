#include "experiments/nearest.h"

#include "sim/check.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Optimal string alignment (Damerau 1964 without repeated edits), or limit + 1 when it is more.
 * Cells further than `limit` from the diagonal cannot be within the limit and are not computed. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size,
                         unsigned limit) {
    unsigned rows[3][NEAREST_SIZE_MAX + 1];
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        size_t from = i > limit ? i - limit : 1;
        size_t to = i + limit < b_size ? i + limit : b_size;
        row[from - 1] = from == 1 ? (unsigned)i : limit + 1;
        for (size_t j = from; j <= to; j++) {
            unsigned cell = least(above[j - 1] + (a[i - 1] != b[j - 1]), row[j - 1] + 1);
            cell = least(cell, above[j] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cell = least(cell, two_above[j - 2] + 1);
            }
            row[j] = cell;
        }
        if (to < b_size) {
            row[to + 1] = limit + 1; /* read by the next row, whose band ends one further */
        }
    }
    return rows[a_size % 3][b_size];
}

Nearest nearest_begin(const char *word, size_t word_size) {
    CHECK(word != NULL);
    unsigned limit = word_size < 2 ? 0 : word_size < 5 ? 1 : 2;
    return (Nearest){.word = word, .word_size = word_size, .limit = limit};
}

void nearest_offer(Nearest *nearest, const char *name) {
    size_t size = strnlen(name, NEAREST_SIZE_MAX + 1);
    size_t difference =
        size > nearest->word_size ? size - nearest->word_size : nearest->word_size - size;
    if (size > NEAREST_SIZE_MAX || nearest->word_size > NEAREST_SIZE_MAX ||
        difference > nearest->limit || (nearest->best != NULL && nearest->limit == 0)) {
        return;
    }
    unsigned found = distance(nearest->word, nearest->word_size, name, size, nearest->limit);
    if (found <= nearest->limit) {
        nearest->best = name;
        nearest->limit = found == 0 ? 0 : found - 1;
    }
}

const char *nearest_name(const char *word, const char *const *names, size_t count) {
    Nearest nearest = nearest_begin(word, strlen(word));
    for (size_t i = 0; i < count; i++) {
        nearest_offer(&nearest, names[i]);
    }
    return nearest.best;
}
