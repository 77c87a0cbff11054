/* The shortest decimal text that reads back to the same double, the same on every machine and in
 * every locale: for CSV cells, of which a run prints millions.
 *
 * "Shortest" is the least number of significant digits p in 1..17 for which "%.pe" reads back.
 * Values of up to 15 digits cost one multiplication and one division; others one product in 128
 * bits; only what is below 1e-11 or above 2^53 takes the slow road through printf and strtod.
 */
#ifndef KNOCKON_EXPERIMENTS_NUMBER_PRINT_H
#define KNOCKON_EXPERIMENTS_NUMBER_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_SIZE = 32 };

typedef struct NumberDigits { /* the value is digits * 10^exponent, negated if so */
    uint64_t digits;          /* at most 17 decimal digits, the last not 0 unless the value is 0 */
    int exponent;
    bool is_negative;
} NumberDigits;

/* Writes the text and a NUL; returns its length. From 1e-5 up to 1e17 without an exponent, beyond
 * as in "1.5e-7". -0 is written "0"; what is not finite is written as nothing, a missing cell. */
size_t number_print(char text[NUMBER_TEXT_SIZE], double value);

/* The same for counts: exact, also above 2^53. */
size_t number_print_count(char text[NUMBER_TEXT_SIZE], uint64_t count);

/* The two halves of number_print: the digits of a finite value, and their text. */
NumberDigits number_digits(double value);
size_t number_print_digits(char text[NUMBER_TEXT_SIZE], NumberDigits number);

/* Reads a decimal number [-]digits[.digits][e[-]digits] without regard to the locale, correctly
 * rounded; returns the bytes read, 0 when no number stands there. Infinite when it is too large. */
size_t number_read(const char *text, double *value);

#endif
