/* How far a run is, on stderr: a line that is rewritten on a terminal, whole lines (plain) or JSON
 * lines elsewhere. At most ten a second; nothing for runs that are over sooner.
 */
#ifndef KNOCKON_EXPERIMENTS_PROGRESS_H
#define KNOCKON_EXPERIMENTS_PROGRESS_H

#include "experiments/options.h"

typedef struct Meter {
    uint8_t mode; /* Progress; never PROGRESS_AUTO after meter_begin, but for a terminal */
    uint32_t done, total;
    double began_s, shown_s; /* of the monotonic clock */
    uint32_t shown_done;
    bool is_shown; /* a line stands on the terminal */
} Meter;

void meter_begin(Meter *meter, Progress mode, bool is_quiet, uint32_t total);
/* `done` of the total are finished; also to be called now and then when nothing has changed. */
void meter_show(Meter *meter, uint32_t done);
/* Takes the line off the terminal. */
void meter_end(Meter *meter);

/* Seconds since meter_begin. */
double meter_elapsed_s(const Meter *meter);

#endif
