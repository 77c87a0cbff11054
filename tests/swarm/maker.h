/* What the parts of the maker of random scenarios share. */
#ifndef KNOCKON_TESTS_SWARM_MAKER_H
#define KNOCKON_TESTS_SWARM_MAKER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/check.h"
#include "sim/rng.h"
#include "tests/swarm/scenario.h"

enum { SERVICES_MAX = 6, CLIENTS_MAX = 3 };

typedef struct Maker {
    FILE *out;
    Rng rng;
    SwarmChange change;
    uint32_t service_count, client_count;
    uint32_t replicas[SERVICES_MAX];
    bool has_tokens[SERVICES_MAX]; /* an inference server */
    bool may_hang[SERVICES_MAX];
    bool is_closed[CLIENTS_MAX];
    bool has_fault_name;
    bool calls[CLIENTS_MAX + SERVICES_MAX][SERVICES_MAX]; /* by caller, clients first */
    double duration_s;
    bool has_initial;
} Maker;

static inline bool chance(Maker *maker, double probability) {
    return rng_uniform(&maker->rng) < probability;
}

static inline uint32_t below(Maker *maker, uint32_t count) {
    return rng_below(&maker->rng, count);
}

static inline double between(Maker *maker, double low, double high) {
    return low + (high - low) * rng_uniform(&maker->rng);
}

/* As likely to be small as large: low x 2^k x something below 2. */
static inline double spread(Maker *maker, double low, uint32_t doublings) {
    double power = (double)(1u << below(maker, doublings + 1));
    return low * power * between(maker, 1, 2);
}

static inline void say(Maker *maker, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void say(Maker *maker, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(maker->out, format, list);
    va_end(list);
}

/* "name: count" or "name: unlimited" */
static inline void say_count(Maker *maker, const char *name, uint32_t count, bool is_unlimited) {
    if (is_unlimited) {
        say(maker, "%s: unlimited", name);
    } else {
        say(maker, "%s: %u", name, count);
    }
}

static inline const char *pick(Maker *maker, const char *const *words, size_t count) {
    return words[below(maker, (uint32_t)count)];
}
#define PICK(maker, ...)                                                                           \
    pick(maker, (const char *const[]){__VA_ARGS__},                                                \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* A law of times with that mean. */
void say_time_law(Maker *maker, double mean_s);

/* ---- tests/swarm/trouble.c */

void say_fault(Maker *maker);
/* Some monitors, or none; all faults have been said. */
void say_monitors(Maker *maker);

#endif
