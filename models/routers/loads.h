/* The loads that a router goes by: a snapshot that may be old.
 *
 * Replicas report their load now and then, and between two reports all decisions are made on the
 * same numbers: everyone runs to the replica that looked idle (Mitzenmacher, "How useful is old
 * information?", 2000). The snapshot is a router's state; `of` is its state per replica.
 */
#ifndef KNOCKON_MODELS_ROUTERS_LOADS_H
#define KNOCKON_MODELS_ROUTERS_LOADS_H

#include "models/routers/router.h"

typedef struct LoadsSeen {
    SimTime taken_at;
    bool is_taken;
    uint32_t of[]; /* by replica of the service, from 0 */
} LoadsSeen;

/* Takes the loads of all replicas anew when they were never taken or are `max_age` old: with 0 each
 * time. */
void loads_refresh(LoadsSeen *seen, const RouterView *view, SimTime max_age,
                   uint32_t (*load)(const RouterView *view, uint32_t replica));

static inline uint32_t loads_of(const LoadsSeen *seen, const RouterView *view, uint32_t replica) {
    DCHECK(replica >= view->first && replica - view->first < view->all_count);
    return seen->of[replica - view->first];
}

/* The replica of the view with the least load; ties at random. */
uint32_t loads_pick_least(const LoadsSeen *seen, const RouterView *view);

#endif
