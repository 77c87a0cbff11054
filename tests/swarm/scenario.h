/* Random valid scenarios: every kind of the registry, graphs of up to 6 services, faults of every
 * kind, small enough to run in a few milliseconds. The same seed gives the same text.
 */
#ifndef KNOCKON_TESTS_SWARM_SCENARIO_H
#define KNOCKON_TESTS_SWARM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

/* Changes to a scenario that must not change what happens in it. */
typedef struct SwarmChange {
    bool has_spare_service; /* one more service, named first, that nobody calls */
    bool has_late_fault;    /* one more fault, which begins after the end */
    bool tries_once;        /* every `retry` becomes a policy of one attempt … */
    bool tries_never;       /* … or `none` */
} SwarmChange;

/* The scenario as YAML; the caller frees it. */
char *swarm_scenario(uint64_t seed, const SwarmChange *change);

#endif
