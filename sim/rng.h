/* Random bits: streams that belong to a name, and draws that belong to a key.
 *
 * Everything random descends from an RngKey: (seed, replication, component name, purpose). Names
 * are hashed, so neither the order of creation nor other components shift anybody's draws. From a
 * key come
 * - a stream (rng_stream): for what happens in an order of its own, such as a source of arrivals;
 * - draws by key (rng_keyed): for what belongs to a request, such as its work; the same whatever
 * the order in which requests are served, so that a policy changes nobody's draws. Both fill a
 * xoshiro256++ state, so the same samplers serve both. A plain draw is 1 ns, a keyed one about 13
 * ns. Rng and RngKey are plain values: copy them freely, nothing is owned.
 */
#ifndef KNOCKON_SIM_RNG_H
#define KNOCKON_SIM_RNG_H

#include "sim/check.h"

#include <stdint.h>

typedef struct Rng {
    uint64_t s[4]; /* never all zero */
} Rng;

typedef struct RngKey {
    uint64_t k[2];
} RngKey;

__extension__ typedef unsigned __int128 RngProduct;

/* The key of (seed, replication, name, purpose); both texts may be empty, neither may be NULL. */
RngKey rng_key(uint64_t seed, uint64_t replication, const char *name, const char *purpose);

/* Starts the key's sequential stream. */
void rng_stream(Rng *out, const RngKey *key);

/* Philox4x64-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
 * 2011): for each key a bijection of 256-bit blocks. Counter 0 under key 0 gives 16554d9eca36314c
 * first. */
static inline void rng_philox(const uint64_t counter[4], const RngKey *key, uint64_t out[4]) {
    uint64_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint64_t k0 = key->k[0], k1 = key->k[1];
    for (int round = 0; round < 10; round++) {
        RngProduct first = (RngProduct)UINT64_C(0xD2E7470EE14C6C93) * c0;
        RngProduct second = (RngProduct)UINT64_C(0xCA5A826395121157) * c2;
        c0 = (uint64_t)(second >> 64) ^ c1 ^ k0;
        c1 = (uint64_t)second;
        c2 = (uint64_t)(first >> 64) ^ c3 ^ k1;
        c3 = (uint64_t)first;
        k0 += UINT64_C(0x9E3779B97F4A7C15);
        k1 += UINT64_C(0xBB67AE8584CAA73B);
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Makes a block a state: all zero is the one state xoshiro256++ never leaves. */
static inline void rng_guard(Rng *rng) {
    rng->s[0] |= (rng->s[0] | rng->s[1] | rng->s[2] | rng->s[3]) == 0;
}

static inline uint64_t rng_rotate(uint64_t x, int by) {
    DCHECK(by > 0 && by < 64);
    return (x << by) | (x >> (64 - by));
}

/* One round of Philox2x64. */
static inline void rng_philox2_round(uint64_t *a, uint64_t *b, uint64_t *key) {
    RngProduct product = (RngProduct)UINT64_C(0xD2B74407B1CE6E93) * *a;
    *a = (uint64_t)(product >> 64) ^ *key ^ *b;
    *b = (uint64_t)product;
    *key += UINT64_C(0x9E3779B97F4A7C15);
}

/* Philox2x64-10 (the same paper): half the work of philox4x64 for draws that need few bits. Counter
 * 0 under key 0 gives ca00a0459843d731 66c24222c9a845b5. Written out, because the end of a loop
 * would be mispredicted every time. */
static inline void rng_philox2(uint64_t a, uint64_t b, uint64_t key, uint64_t out[2]) {
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    rng_philox2_round(&a, &b, &key);
    out[0] = a;
    out[1] = b;
}

/* The draws of (key, a, b), for instance request and attempt. Half of the state is a Philox block,
 * the other half the same bits under the key's two words: 128 bits tell draws apart. The state is
 * never all zero, because the key is not. */
static inline void rng_keyed(Rng *out, const RngKey *key, uint64_t a, uint64_t b) {
    uint64_t block[2];
    rng_philox2(a, b, key->k[0], block);
    *out = (Rng){
        .s = {block[0], block[1], block[1] ^ key->k[1], rng_rotate(block[0], 32) ^ key->k[0]}};
    DCHECK((out->s[0] | out->s[1] | out->s[2] | out->s[3]) != 0);
}

/* A bijection in which every input bit moves every output bit: the finaliser of SplitMix64 (Steele,
 * Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), which is Stafford's
 * variant 13 of MurmurHash3's. Of 1 it is 5692161d100b05e5; of 9e3779b97f4a7c15 it is
 * e220a8397b1dcdaf, the first output of SplitMix64 from seed 0. */
static inline uint64_t rng_mix(uint64_t x) {
    DCHECK(sizeof x == 8);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* 64 random bits: xoshiro256++ 1.0 (Blackman, Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47 (2021)), period 2^256 - 1. State 1, 2, 3, 4 gives 41943041 first. */
static inline uint64_t rng_next(Rng *rng) {
    uint64_t *s = rng->s;
    DCHECK((s[0] | s[1] | s[2] | s[3]) != 0);
    uint64_t result = rng_rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return result;
}

/* Uniform in [0, 1): a multiple of 2^-53. */
static inline double rng_uniform(Rng *rng) {
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* Uniform in (0, 1): an odd multiple of 2^-53, never 0 or 1. */
static inline double rng_uniform_open(Rng *rng) {
    return ((double)(rng_next(rng) >> 12) + 0.5) * 0x1p-52;
}

/* Uniform in 0 … n - 1 without bias, n >= 1 (Lemire, "Fast random integer generation in an
 * interval", ACM TOMACS 29 (2019)): a second draw with a probability below n / 2^32. */
static inline uint32_t rng_below(Rng *rng, uint32_t n) {
    CHECK(n > 0);
    uint64_t product = (rng_next(rng) >> 32) * n;
    if ((uint32_t)product < n) {
        uint32_t unfair = (0u - n) % n;
        while ((uint32_t)product < unfair) {
            product = (rng_next(rng) >> 32) * n;
        }
    }
    return (uint32_t)(product >> 32);
}

#endif
