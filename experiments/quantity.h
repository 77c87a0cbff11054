/* Quantities with their units: "250ms", "1.5k/s", "30%", "64MiB", "20GB/s", "4k".
 *
 * A number is [-]digits[.digits][e[-]digits] and nothing else: no spaces, commas, underscores, hex,
 * nan or inf, whatever the locale. k and M may follow the number of a rate or a count. Reading is
 * correctly rounded ("0.1ms" is the double nearest to 1e-4) except for units that are no power of
 * ten, which cost one more rounding. Printing gives a text that reads back to the same double.
 */
#ifndef KNOCKON_EXPERIMENTS_QUANTITY_H
#define KNOCKON_EXPERIMENTS_QUANTITY_H

#include "sim/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum Dimension {
    DIMENSION_NUMBER,    /* any real number; negative ones too */
    DIMENSION_COUNT,     /* a whole number, 0 to 2^53 */
    DIMENSION_DURATION,  /* seconds, not negative; ns us ms s min h d */
    DIMENSION_RATE,      /* per second, not negative; /s /min /h /d */
    DIMENSION_RATIO,     /* 1 is 100%; negative ones too; only % */
    DIMENSION_BYTES,     /* whole bytes, 0 to 2^53; B kB MB GB TB KiB MiB GiB TiB */
    DIMENSION_BANDWIDTH, /* bytes per second, not negative; those with /s, Mbit/s Gbit/s Tbit/s */
    DIMENSION_END
} Dimension;

enum { QUANTITY_TEXT_SIZE = 48 };

/* Reads a quantity into SI units. False with what is wrong and how to write it; `value` is
 * untouched then. What would become infinite, or 0 though it is not, is refused. -0 becomes 0. */
bool quantity_parse(const char *text, Dimension dimension, double *value, Error *error);

/* True for the word that stands for no limit; those who allow it ask before they parse. */
bool quantity_is_unlimited(const char *text);

/* Writes a text that reads back to the same value, as a person would: 0.25 s is "250ms". An
 * infinite value is "unlimited". Returns the length. */
size_t quantity_print(char text[QUANTITY_TEXT_SIZE], double value, Dimension dimension);

/* "duration", "rate", ...; and a text that is one, for messages: "250ms". */
const char *dimension_name(Dimension dimension);
const char *dimension_example(Dimension dimension);

#endif
