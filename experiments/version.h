/* The version of the program; the manifest and --version print it. */
#ifndef KNOCKON_EXPERIMENTS_VERSION_H
#define KNOCKON_EXPERIMENTS_VERSION_H

#define KNOCKON_VERSION "0.1.0"

#endif
