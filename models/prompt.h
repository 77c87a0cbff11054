/* placeholder until branch h3 lands */
#ifndef KNOCKON_MODELS_PROMPT_H
#define KNOCKON_MODELS_PROMPT_H
#include "models/world.h"
typedef struct PromptCursor {
    uint64_t key;
    uint32_t block;
} PromptCursor;
static inline uint64_t prompt_mix(uint64_t x) {
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
static inline bool prompt_is_shared(const World *world, const Call *call) {
    return world->edges[call->edge].max_attempts > 1;
}
static inline PromptCursor prompt_cursor(const World *world, const Call *call, uint32_t first,
                                         uint32_t block_size) {
    (void)world;
    (void)block_size;
    return (PromptCursor){prompt_mix(call->key), first};
}
static inline uint64_t prompt_next_key(PromptCursor *cursor) {
    return prompt_mix(cursor->key + cursor->block++ * UINT64_C(0x9E3779B97F4A7C15)) | 1;
}
#endif
