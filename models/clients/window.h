/* Counts over a sliding window of time, kept in slices: what is older than the window is forgotten
 * a slice at a time, so that the window is never longer than it says and at most a slice shorter.
 * Adding and turning cost O(1) on average. Zeroed memory is an empty window.
 */
#ifndef KNOCKON_MODELS_CLIENTS_WINDOW_H
#define KNOCKON_MODELS_CLIENTS_WINDOW_H

#include <string.h>

#include "sim/check.h"
#include "sim/clock.h"

enum { WINDOW_COUNTS = 3, WINDOW_SLICES = 10 /* where a kind has no reason for another number */ };

typedef struct Window {
    int64_t newest; /* number of the newest slice since time 0 */
    uint32_t sums[WINDOW_COUNTS];
    uint32_t slices[][WINDOW_COUNTS];
} Window;

/* Bytes of a window with so many slices. */
#define WINDOW_SIZE(slice_count)                                                                   \
    (sizeof(Window) + (slice_count) * (WINDOW_COUNTS * sizeof(uint32_t)))

/* Forgets what is too old by now. A length of SIM_TIME_NEVER keeps everything. */
static inline void window_turn(Window *window, uint32_t slice_count, SimTime length, SimTime now) {
    CHECK(slice_count > 0 && length >= slice_count);
    int64_t newest = length == SIM_TIME_NEVER ? 0 : now / (length / slice_count);
    DCHECK(newest >= window->newest);
    for (uint32_t passed = 0; window->newest < newest && passed < slice_count; passed++) {
        uint32_t *oldest = window->slices[++window->newest % slice_count];
        for (uint32_t i = 0; i < WINDOW_COUNTS; i++) {
            window->sums[i] -= oldest[i];
            oldest[i] = 0;
        }
    }
    window->newest = newest;
}

/* Counts something now, after turning. */
static inline void window_add(Window *window, uint32_t slice_count, uint32_t what) {
    DCHECK(what < WINDOW_COUNTS && window->sums[what] < UINT32_MAX);
    window->slices[window->newest % slice_count][what]++;
    window->sums[what]++;
}

/* Forgets everything. */
static inline void window_clear(Window *window, uint32_t slice_count) {
    DCHECK(slice_count > 0);
    memset(window, 0, WINDOW_SIZE(slice_count));
}

#endif
