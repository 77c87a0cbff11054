/* CoDel against Linux: the same packets are dropped, whatever the queue goes through. */
#include <math.h>
#include <string.h>

#include "models/shed/shed.h"
#include "tests/models/story.h"

/* ---- codel_dequeue of Linux (include/net/codel_impl.h), with an exact square root instead of its
 * Newton steps, on a queue of arrival times. Names are Linux's. */

typedef struct Queue {
    const SimTime *arrived;
    uint32_t head, tail;
} Queue;

typedef struct Linux {
    SimTime target, interval;
    SimTime first_above_time, drop_next;
    uint32_t count, lastcount;
    bool dropping;
} Linux;

static SimTime control_law(const Linux *vars, SimTime t) {
    return t + time_from_s(time_to_s(vars->interval) / sqrt((double)vars->count));
}

/* `backlog` is what is left in the queue; there is no mtu among requests. */
static bool should_drop(Linux *vars, bool has_packet, SimTime sojourn, uint32_t backlog,
                        SimTime now) {
    if (!has_packet) {
        vars->first_above_time = 0;
        return false;
    }
    if (sojourn < vars->target || backlog == 0) {
        vars->first_above_time = 0;
        return false;
    }
    if (vars->first_above_time == 0) {
        vars->first_above_time = now + vars->interval;
        return false;
    }
    return now >= vars->first_above_time;
}

typedef struct Dequeue {
    Linux *vars;
    Queue *queue;
    SimTime now;
    uint32_t packet; /* UINT32_MAX: none */
    bool drop;
} Dequeue;

static void dequeue(Dequeue *d) {
    bool has_packet = d->queue->head < d->queue->tail;
    d->packet = has_packet ? d->queue->head++ : UINT32_MAX;
    SimTime sojourn = has_packet ? d->now - d->queue->arrived[d->packet] : 0;
    d->drop = should_drop(d->vars, has_packet, sojourn, d->queue->tail - d->queue->head, d->now);
}

/* The packet that is served, UINT32_MAX for none; all before it are dropped. */
static uint32_t linux_dequeue(Linux *vars, Queue *queue, SimTime now) {
    Dequeue d = {vars, queue, now, 0, false};
    dequeue(&d);
    if (d.packet == UINT32_MAX) {
        vars->dropping = false;
        return d.packet;
    }
    if (vars->dropping) {
        if (!d.drop) {
            vars->dropping = false;
        } else {
            while (vars->dropping && now >= vars->drop_next) {
                vars->count++;
                dequeue(&d);
                if (!d.drop) {
                    vars->dropping = false;
                } else {
                    vars->drop_next = control_law(vars, vars->drop_next);
                }
            }
        }
    } else if (d.drop) {
        dequeue(&d);
        vars->dropping = true;
        uint32_t delta = vars->count - vars->lastcount;
        bool is_recent = delta > 1 && now - vars->drop_next < 16 * vars->interval;
        vars->count = is_recent ? delta : 1;
        vars->lastcount = vars->count;
        vars->drop_next = control_law(vars, now);
    }
    return d.packet;
}

/* ---- Ours, on the same queue */

static uint32_t our_dequeue(const Component *shed, void *state, Queue *queue, SimTime now) {
    const ShedOps *ops = shed->kind->ops;
    while (queue->head < queue->tail) {
        uint32_t packet = queue->head++;
        ShedView view = {.now = now,
                         .waited = now - queue->arrived[packet],
                         .waiting = queue->tail - queue->head};
        if (!ops->refuses_waiting(shed->params, state, &view)) {
            return packet;
        }
    }
    return UINT32_MAX;
}

/* ---- Histories */

enum { PACKETS = 4000 };

/* Arrivals and services in phases of more and less load than the server can bear. */
static uint32_t compare(const Component *shed, SimTime target, SimTime interval, uint64_t seed) {
    static SimTime arrived[PACKETS];
    RngKey key = rng_key(seed, 0, "codel", "test");
    Rng rng;
    rng_stream(&rng, &key);
    SimTime at = 0;
    double gap_s = 0;
    for (uint32_t i = 0; i < PACKETS; i++) {
        if (i % 200 == 0) {
            gap_s = time_to_s(target) * (0.2 + 1.3 * rng_uniform(&rng));
        }
        at += time_from_s(gap_s * 2 * rng_uniform(&rng));
        arrived[i] = at;
    }
    Queue theirs = {arrived, 0, 0}, ours = {arrived, 0, 0};
    Linux vars = {.target = target, .interval = interval};
    uint64_t state[16] = {0};
    ck_assert_uint_le(shed->kind->state_size, sizeof state);
    uint32_t served_count = 0;
    SimTime now = 0;
    while (ours.head < PACKETS) {
        while (ours.tail < PACKETS && arrived[ours.tail] <= now) {
            ours.tail++;
        }
        if (ours.head == ours.tail) {
            now = arrived[ours.tail]; /* idle: nobody dequeues until somebody comes */
            continue;
        }
        theirs.tail = ours.tail;
        uint32_t packet = our_dequeue(shed, state, &ours, now);
        uint32_t expected = linux_dequeue(&vars, &theirs, now);
        ck_assert_msg(packet == expected, "seed %u at %.9f s: packet %d and not %d", (unsigned)seed,
                      time_to_s(now), (int)packet, (int)expected);
        served_count += packet != UINT32_MAX;
        now += time_from_s(time_to_s(target) * (0.5 + rng_uniform(&rng)));
    }
    return PACKETS - served_count;
}

START_TEST(the_same_attempts_are_shed_as_in_linux) {
    Model *model = story_compile("clients: {web: {target: api, arrivals: {poisson: {rate: 1/s}}}}\n"
                                 "services: {api: {work: 1ms, shed: {codel: {target: 7ms,"
                                 " interval: 61ms}}}}\n");
    uint32_t dropped_count = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        dropped_count += compare(&model->services[0].shed, 7000000, 61000000, seed);
    }
    /* About a tenth of all: the histories do reach every branch. */
    ck_assert_uint_gt(dropped_count, 200 * PACKETS / 50);
    model_destroy(model);
}
END_TEST

START_TEST(waits_below_target_are_never_shed) {
    StoryRun run =
        story_run("run: {duration: 100s}\n"
                  "clients: {web: {target: api, arrivals: {poisson: {rate: 30/s}}}}\n"
                  "services: {api: {work: 20ms, shed: {codel: {target: 60s, interval: 10ms}}}}\n",
                  NULL);
    ck_assert_double_eq(story_measure(&run, "api", METRIC_refused), 0);
    ck_assert_double_gt(story_measure(&run, "api", METRIC_queue_wait_mean), 0.005);
    story_free(&run);
}
END_TEST

TEST_SUITE("models/codel", the_same_attempts_are_shed_as_in_linux,
           waits_below_target_are_never_shed)
