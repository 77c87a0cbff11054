/* The pictures of an output directory: load.svg, latency.svg, services.svg and, where there are
 * tokens, inference.svg, drawn by gnuplot from its CSV files with the constant scripts of plots/.
 *
 * Who calls it holds the directory's lock (file_out.h). Old pictures go first, because they could
 * be another run's; each new one is put in place whole. gnuplot that is missing, fails, hangs or
 * dies costs the pictures and nothing else.
 */
#ifndef KNOCKON_EXPERIMENTS_PICTURES_H
#define KNOCKON_EXPERIMENTS_PICTURES_H

#include <stdbool.h>

#include "sim/error.h"

typedef enum Picture {
    PICTURE_LOAD,
    PICTURE_LATENCY,
    PICTURE_SERVICES,
    PICTURE_INFERENCE, /* only of a run with an inference server */
    PICTURE_COUNT
} Picture;

/* "load.svg" … */
const char *picture_file(Picture picture);

/* Draws them. True without a picture when the run kept no time series. Otherwise false, and one
 * sentence says what failed and which command draws them again. */
bool pictures_make(const char *out_dir, Error *error);

/* The same with another limit for each run of gnuplot than PICTURES_LIMIT_S. */
#define PICTURES_LIMIT_S 60.0
bool pictures_make_within(const char *out_dir, double limit_s, Error *error);

#endif
