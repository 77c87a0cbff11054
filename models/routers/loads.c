#include "models/routers/loads.h"

#include "sim/check.h"

void loads_refresh(LoadsSeen *seen, const RouterView *view, SimTime max_age,
                   uint32_t (*load)(const RouterView *view, uint32_t replica)) {
    CHECK(view->now >= seen->taken_at && max_age >= 0);
    if (seen->is_taken && view->now - seen->taken_at < max_age) {
        return;
    }
    seen->is_taken = true;
    seen->taken_at = view->now;
    for (uint32_t i = 0; i < view->all_count; i++) {
        seen->of[i] = load(view, view->first + i);
    }
}

uint32_t loads_pick_least(const LoadsSeen *seen, const RouterView *view) {
    CHECK(view->replica_count > 0);
    uint32_t least = UINT32_MAX, best = NONE, tied_count = 0;
    for (uint32_t i = 0; i < view->replica_count; i++) {
        uint32_t load = loads_of(seen, view, view->replicas[i]);
        if (load < least) {
            least = load;
            best = view->replicas[i];
            tied_count = 1;
        } else if (load == least) {
            tied_count++;
            if (rng_below(view->rng, tied_count) == 0) {
                best = view->replicas[i];
            }
        }
    }
    return best;
}
