/* Time stamps of logs: YYYY-MM-DD HH:MM:SS[.fraction][Z|+HH|+HH:MM|+HHMM], also with a T between.
 *
 * Own arithmetic, because strptime and mktime depend on the locale and the time zone of the
 * machine. Without an offset it is UTC. Days by the civil calendar algorithm of Howard Hinnant
 * ("chrono- compatible low-level date algorithms"). Some 10 ns.
 */
#ifndef KNOCKON_EXPERIMENTS_DATE_PARSE_H
#define KNOCKON_EXPERIMENTS_DATE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds since 1970-01-01 UTC, further digits of the fraction cut. False when the whole text
 * is not one valid time stamp (no 30th of February, no leap second) in the years 1700 to 2199. */
bool date_parse(const char *text, size_t size, int64_t *since_1970);

#endif
