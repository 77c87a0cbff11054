/* CoDel as Linux has it (net/codel_impl.h; Nichols and Jacobson, "Controlling Queue Delay", ACM
 * Queue 2012), on requests instead of packets: what matters is not how long the queue is but how
 * long it has stood. */
#include "models/shed/shed.h"
#include "sim/check.h"

typedef struct CodelParams {
    SimTime target, interval;
} CodelParams;

typedef struct CodelState {
    SimTime first_above_at; /* when the wait will have been above target for a whole interval; 0: it
                               is not above */
    SimTime drop_next_at;
    uint32_t drop_count, last_drop_count;
    bool is_dropping;
    bool has_dropped; /* drop_next_at follows when the next one stands too */
} CodelState;

/* Each further drop comes sooner, by the inverse square root: the rate of drops grows linearly. */
static SimTime codel_after(const CodelParams *p, SimTime from, uint32_t drop_count) {
    CHECK(drop_count > 0);
    return from + time_from_s(time_to_s(p->interval) / __builtin_sqrt((double)drop_count));
}

static bool codel_stands(const CodelParams *p, CodelState *s, const ShedView *view) {
    CHECK(view->waited >= 0);
    if (view->waited < p->target || view->waiting == 0) {
        s->first_above_at = 0;
        return false;
    }
    if (s->first_above_at == 0) {
        s->first_above_at = view->now + p->interval;
        return false;
    }
    return view->now >= s->first_above_at;
}

static void codel_enter(const CodelParams *p, CodelState *s, SimTime now) {
    /* Soon after the last episode it resumes at the rate that was needed then. */
    uint32_t recent = s->drop_count - s->last_drop_count;
    bool is_recent = now - s->drop_next_at < 16 * p->interval;
    s->drop_count = recent > 1 && is_recent ? recent : 1;
    s->last_drop_count = s->drop_count;
    s->is_dropping = true;
    s->drop_next_at = codel_after(p, now, s->drop_count);
    CHECK(s->drop_next_at >= now);
}

static bool codel_refuses_waiting(const void *params, void *state, const ShedView *view) {
    const CodelParams *p = params;
    CodelState *s = state;
    CHECK(p->interval > 0);
    bool stands = codel_stands(p, s, view);
    if (!s->is_dropping) {
        if (stands) {
            codel_enter(p, s, view->now);
        }
        return stands;
    }
    if (s->has_dropped && stands) {
        s->drop_next_at = codel_after(p, s->drop_next_at, s->drop_count);
    }
    s->has_dropped = false;
    if (!stands) {
        s->is_dropping = false;
        return false;
    }
    if (view->now < s->drop_next_at) {
        return false;
    }
    s->drop_count++;
    s->has_dropped = true;
    return true;
}

static const Param codel_params[] = {
    {"target", PARAM_DURATION, offsetof(CodelParams, target), .preset = "5ms", .above_min = true,
     .max = 3600, .doc = "A wait that is fine (Linux: 5ms)."},
    {"interval", PARAM_DURATION, offsetof(CodelParams, interval), .preset = "100ms",
     .above_min = true, .max = 3600,
     .doc = "How long waits may stay above the target before drops begin (Linux: 100ms)."},
};

static const ShedOps codel_ops = {.refuses_waiting = codel_refuses_waiting};

const Kind shed_codel = {
    .family = FAMILY_SHED,
    .name = "codel",
    .doc = "Drops from the head of the queue while waits have stood above the target for an "
           "interval, faster and faster until they do not (Linux CoDel).",
    .params = codel_params,
    .param_count = PARAM_COUNT_OF(codel_params),
    .params_size = sizeof(CodelParams),
    .state_size = sizeof(CodelState),
    .ops = &codel_ops,
};
