/* The scenario that is built into the program; tests compile and run it. */
#ifndef KNOCKON_EXPERIMENTS_TEMPLATES_H
#define KNOCKON_EXPERIMENTS_TEMPLATES_H

#define TEMPLATE_MINIMAL "minimal"

extern const char template_minimal[];

#endif
