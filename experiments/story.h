/* A Note as one readable line:
 *      0.900 s  web #2 attempt 1: refused by server[0]: the queue is full
 */
#ifndef KNOCKON_EXPERIMENTS_STORY_H
#define KNOCKON_EXPERIMENTS_STORY_H

#include "models/world.h"

enum { STORY_LINE_SIZE = 512 };

/* Writes the line without a newline, cut to fit, and returns its length. */
size_t story_line(char text[STORY_LINE_SIZE], const Model *model, const Note *note);

#endif
