#include "sim/rng.h"

#include <stddef.h>

/* FNV-1a, 64 bits. Its poor mixing does not matter: the hash only numbers a Philox block. */
static uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = text; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    return hash;
}

RngKey rng_key(uint64_t seed, uint64_t replication, const char *name, const char *purpose) {
    CHECK(name != NULL && purpose != NULL);
    RngKey root = {{seed, replication}};
    uint64_t counter[4] = {hash_text(name), hash_text(purpose), 0, 0};
    uint64_t block[4];
    rng_philox(counter, &root, block);
    return (RngKey){{block[0], block[1]}};
}

void rng_stream(Rng *out, const RngKey *key) {
    CHECK(out != NULL && key != NULL);
    /* The last word sets the stream's block apart from every block of rng_keyed. */
    uint64_t counter[4] = {0, 0, 0, 1};
    rng_philox(counter, key, out->s);
    rng_guard(out);
    CHECK((out->s[0] | out->s[1] | out->s[2] | out->s[3]) != 0);
}
