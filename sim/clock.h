/* Simulated time: whole nanoseconds in an int64, so that ties are exact and sums do not depend on
 * order. Seconds are doubles and live in files, distributions and output; the two functions here
 * convert. 292 years fit.
 */
#ifndef KNOCKON_SIM_CLOCK_H
#define KNOCKON_SIM_CLOCK_H

#include <stdint.h>

#include "sim/check.h"

typedef int64_t SimTime; /* nanoseconds since the start of the run; also used for durations */

#define SIM_TIME_NEVER INT64_MAX
#define SIM_TIME_S INT64_C(1000000000)
/* The longest duration or instant a user may write: 100 years leaves room for sums. */
#define SIM_TIME_S_MAX 3155760000.0

/* Seconds to nanoseconds, rounded half up. Seconds must not be negative; what is beyond the range
 * (a draw from a heavy tail) becomes SIM_TIME_S_MAX, which no run reaches. */
static inline SimTime time_from_s(double seconds) {
    DCHECK(!(seconds < 0));
    if (!(seconds < SIM_TIME_S_MAX)) {
        return (SimTime)(SIM_TIME_S_MAX * 1e9);
    }
    return (SimTime)(seconds * 1e9 + 0.5);
}

/* Nanoseconds to seconds; exact to the last bit for times below 104 days (2^53 ns). */
static inline double time_to_s(SimTime time) {
    return (double)time / 1e9;
}

#endif
