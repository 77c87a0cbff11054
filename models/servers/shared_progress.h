/* Work that advances together: everything in progress at a replica, the slower the more there is.
 *
 * With n in progress each advances at 1 / (base + per_request x n) of full speed. `progress_s` is
 * the work that one of them, there from the start, would have had done; an attempt that enters at
 * progress P with work w is finished when progress reaches P + w. So only the earliest end matters,
 * kept in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) through the attempts
 * themselves: `child` is its first child, `next` its next sibling, `prev` its previous sibling or
 * its parent. O(log n) amortised. The state is a part of a server's; a zeroed one is empty.
 */
#ifndef KNOCKON_MODELS_SERVERS_SHARED_PROGRESS_H
#define KNOCKON_MODELS_SERVERS_SHARED_PROGRESS_H

#include "models/world.h"

typedef struct SharedProgress {
    double progress_s;
    SimTime updated_at;
    EventId timer;  /* the earliest end */
    uint32_t root;  /* the attempt with the earliest end; meaningless while count is 0 */
    uint32_t count; /* in progress */
} SharedProgress;

typedef struct SharedSpeed {
    double base, per_request; /* of the slowdown; not both 0 */
} SharedSpeed;

/* Starts what waits while there are free slots; `work_s` says how long an attempt takes at full
 * speed. One that fails early takes the fault's time instead. */
void shared_progress_pump(World *world, uint32_t replica, SharedProgress *shared,
                          const SharedSpeed *speed,
                          double (*work_s)(const World *world, uint32_t attempt));

/* The timer is due: takes out the attempt that is finished, whose service goes on or is done. */
uint32_t shared_progress_finish(World *world, uint32_t replica, SharedProgress *shared,
                                const SharedSpeed *speed);

/* Takes out one that is not finished. */
void shared_progress_take_out(World *world, uint32_t attempt, SharedProgress *shared,
                              const SharedSpeed *speed);

#endif
