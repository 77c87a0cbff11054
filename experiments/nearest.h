/* "Did you mean": the name nearest to a misspelt word.
 *
 * Distance is optimal string alignment (insert, drop, change, swap two neighbours, each costs one);
 * a name counts when it is within 2, within 1 for words under five letters (one letter is near
 * nothing: all others are as far from it). Ties go to the name offered first. Cost per offer:
 * O(length), a band of five cells a row; names whose length differs by more than the limit cost
 * nothing.
 */
#ifndef KNOCKON_EXPERIMENTS_NEAREST_H
#define KNOCKON_EXPERIMENTS_NEAREST_H

#include <stddef.h>

typedef struct Nearest {
    const char *word;
    size_t word_size;
    unsigned limit;   /* the largest distance that still counts: the best so far, less one */
    const char *best; /* NULL while nothing was near; borrowed from whoever offered it */
} Nearest;

/* Words and names above this size are never near anything. */
enum { NEAREST_SIZE_MAX = 64 };

/* Begins a search for `word`, which must outlive it; then offer names and read `best`. */
Nearest nearest_begin(const char *word, size_t word_size);
void nearest_offer(Nearest *nearest, const char *name);

/* The nearest of `count` names, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
