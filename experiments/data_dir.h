/* Where the program's own files are: plots/ and experiments/scenarios/.
 *
 * KNOCKON_DATA names the directory when it is set. Otherwise a program under TREE/build/ takes
 * those of its source tree TREE, and an installed one those of share/knockon beside its bin/, so
 * that an installed tree may be moved as a whole; what `make install` was told is the last resort.
 */
#ifndef KNOCKON_EXPERIMENTS_DATA_DIR_H
#define KNOCKON_EXPERIMENTS_DATA_DIR_H

/* The directory, for the caller to free; it need not exist. */
char *data_dir(void);

#endif
