/* What the files that make random scenarios share: the maker and its dice. */
#ifndef KNOCKON_TESTS_SWARM_MAKER_H
#define KNOCKON_TESTS_SWARM_MAKER_H

#include <stdio.h>

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
    bool calls[CLIENTS_MAX + SERVICES_MAX][SERVICES_MAX]; /* by caller, clients first */
    double duration_s;
    bool has_initial;
} Maker;

bool chance(Maker *maker, double probability);
uint32_t below(Maker *maker, uint32_t count);
double between(Maker *maker, double low, double high);
/* As likely to be small as large: low x 2^k x something below 2. */
double spread(Maker *maker, double low, uint32_t doublings);
void say(Maker *maker, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "name: count" or "name: unlimited" */
void say_count(Maker *maker, const char *name, uint32_t count, bool is_unlimited);
const char *pick(Maker *maker, const char *const *words, size_t count);
#define PICK(maker, ...)                                                                           \
    pick(maker, (const char *const[]){__VA_ARGS__},                                                \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

void say_time_law(Maker *maker, double mean_s);

/* The keys of a call, whose caller may call services from `first` on. */
void say_policy(Maker *maker, uint32_t first);

#endif
