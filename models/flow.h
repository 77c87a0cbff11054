/* The life of a request, for those who take part in it: the World's loop hands events in, servers
 * take work out. Read models/flow.c from top to bottom for the story itself.
 */
#ifndef KNOCKON_MODELS_FLOW_H
#define KNOCKON_MODELS_FLOW_H

#include "models/world.h"

/* Lets the event happen. */
void flow_handle(World *world, const Event *event);

/* The next attempt that waits at the replica and was not shed; NONE when nobody waits. Its service
 * begins now. */
uint32_t flow_take(World *world, uint32_t replica);

/* The same, provided that `fits` says so of whoever would be next: nobody overtakes him. NULL: it
 * always does. */
typedef bool FlowFits(World *world, uint32_t replica, uint32_t attempt);
uint32_t flow_take_if(World *world, uint32_t replica, FlowFits *fits);

/* An attempt in service waits again, before those who came after it. */
void flow_put_back(World *world, uint32_t attempt);

/* Work that was done for the attempt and of which nothing will be left. */
void flow_work_lost(World *world, uint32_t attempt, SimTime work);

/* The attempt's own work in seconds, as drawn for (request, service, attempt). */
double flow_draw_work_s(const World *world, uint32_t attempt);

/* Whether a fault makes the attempt fail after a time of its own instead of its work. */
bool flow_fails_early(const World *world, uint32_t attempt);

/* Random numbers that belong to the attempt's (request, service, attempt), for what a server draws.
 */
Rng flow_rng_of_work(const World *world, uint32_t attempt);

/* Counts a batch of so many requests. */
void flow_count_batch(World *world, uint32_t replica, uint32_t size, bool is_full);

/* The attempt takes one of its replica's slots, until its work (or its calls) are done. */
void flow_use_slot(World *world, uint32_t attempt);

/* Slots used by something else than single attempts: +1 a batch begins, -1 it ends. */
void flow_change_busy(World *world, uint32_t replica, int32_t change);

/* The attempt works for so long; then EVENT_served. */
void flow_work_for(World *world, uint32_t attempt, SimTime duration);

/* The attempt's own work is done, after `work` of it: calls others or answers. */
void flow_work_done(World *world, uint32_t attempt, SimTime work);

/* The replica went down; its queued and running work is lost. */
void flow_crash(World *world, uint32_t replica);

/* The replica is up (again), or has another number of slots. */
void flow_resize(World *world, uint32_t replica);

/* Work that lost its slot goes on, the oldest first, while there are free ones. */
void flow_resume_suspended(World *world, uint32_t replica);

#endif
