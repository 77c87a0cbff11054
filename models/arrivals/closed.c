#include "models/arrivals/arrivals.h"
#include "sim/check.h"

typedef struct ClosedParams {
    uint32_t users;
    Dist think;
} ClosedParams;

static uint32_t closed_user_count(const void *params, double load) {
    const ClosedParams *p = params;
    CHECK(load >= 0);
    double count = (double)p->users * load + 0.5;
    return count < 1e9 ? (uint32_t)count : 1000000000u;
}

/* The inverse of the count: user i takes part where users x load rounds to more than i. */
static double closed_load_for_user(const void *params, uint32_t user) {
    const ClosedParams *p = params;
    CHECK(p->users > 0);
    return ((double)user + 0.5) / (double)p->users;
}

static SimTime closed_think(const void *params, Source *source, uint64_t user, uint32_t turn) {
    const ClosedParams *p = params;
    CHECK(source != NULL);
    Rng rng;
    rng_keyed(&rng, source->key, user, turn);
    return time_from_s(dist_draw(&p->think, &rng));
}

static const Param closed_params[] = {
    {"users", PARAM_COUNT, offsetof(ClosedParams, users), .min = 1, .max = 1e6,
     .doc = "How many users take part when the load is 1."},
    {"think", PARAM_DIST, offsetof(ClosedParams, think), .unit = "s",
     .doc = "Time between an answer (or a failure) and the user's next request."},
};

static const ArrivalOps closed_ops = {
    .user_count = closed_user_count, .load_for_user = closed_load_for_user, .think = closed_think};

const Kind arrivals_closed = {
    .family = FAMILY_ARRIVALS,
    .name = "closed",
    .doc = "A fixed number of users, each of whom waits for an answer and thinks before asking "
           "again.",
    .params = closed_params,
    .param_count = PARAM_COUNT_OF(closed_params),
    .params_size = sizeof(ClosedParams),
    .ops = &closed_ops,
};
