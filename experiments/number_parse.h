/* Numbers of data files, strictly: the whole text is one number or it is none.
 *
 * No spaces, no hexadecimal, no inf or nan, no digit separators, and '.' whatever the locale says.
 * Correctly rounded always: exactly by one multiplication or division where that is exact (up to 19
 * digits below 2^53, powers of ten to 22: W. D. Clinger, PLDI 1990), some 10 ns; else by the C
 * library in the C locale, some 100 ns.
 */
#ifndef KNOCKON_EXPERIMENTS_NUMBER_PARSE_H
#define KNOCKON_EXPERIMENTS_NUMBER_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [+-]digits[.digits][e[+-]digits], with a digit before or after the point. False for any other
 * text, for what is beyond the largest double, for a value other than 0 that would become 0, and
 * for texts of more than 500 characters. */
bool number_parse(const char *text, size_t size, double *value);

/* Digits only; false above `max`. */
bool number_parse_count(const char *text, size_t size, uint64_t max, uint64_t *value);

#endif
