/* report.html: one self-contained page about an output directory of `knockon run`.
 *
 * No script, nothing fetched, and a policy (CSP) that forbids both; readable in the dark, on paper
 * and aloud. The first screen answers: what happened, how sure is that, how bad was it, did it come
 * back, what broke first. About 250 kB, of which most is pictures.
 */
#ifndef KNOCKON_EXPERIMENTS_REPORT_H
#define KNOCKON_EXPERIMENTS_REPORT_H

#include "experiments/file_out.h"

/* Writes it from the directory's files. `no_pictures` is NULL, or what pictures_make said when it
 * failed; pictures that are not there are left out. */
bool report_make(const OutDir *dir, const char *no_pictures, Error *error);

#endif
