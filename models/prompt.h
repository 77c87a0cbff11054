/* What a request's prompt is made of, so that a cache of prefixes can tell what requests share.
 *
 * A prompt and its answer are cut into blocks of a cache's block size, and each block has a name
 * that stands for everything from the first token to the block's end: the owner of its last token,
 * because every owner below also stands for all that comes before, and its place in the prompt:
 *
 *   a shared prefix     system prompts, templates: one of a client's `shared_prefix`
 *   hash ids            of a trace: each id, with those before it, names the prefix up to there
 *   a session           its history, the new message and the answer
 *   the request itself  what is left; retries and repeated calls of a request have the same prompt
 *
 * So the block that contains a border belongs to the later owner. Names are told by runs of blocks
 * with one owner, some 3 ns each.
 *
 * A Prompt is the record of what is shared; a request that shares its prompt with nobody but its
 * own repetitions needs none. Calls, sessions and the arrival that a client has scheduled hold one
 * each; who drops it last frees it. Hash ids, up to thousands of a request, lie in chunks. Both are
 * pools of the World: indices only, and nothing is allocated once they are warm.
 */
#ifndef KNOCKON_MODELS_PROMPT_H
#define KNOCKON_MODELS_PROMPT_H

#include "models/world.h"

typedef struct Prompt {
    uint32_t prefix_tokens;   /* what a template, or hash ids, own; 0: nothing */
    uint32_t holders;         /* 0: a free slot */
    uint32_t chunk;           /* the first of its hash ids; NONE: a template */
    uint32_t tokens_per_hash; /* 0 without hash ids */
    uint64_t prefix;          /* the template's name, or where the names of hash ids begin */
    uint64_t session;         /* the session's name; 0: what follows is the request's own */
    uint64_t session_key;     /* the same whatever was cut */
} Prompt;

/* Two cache lines; a request of the Mooncake trace has 24 on average, 247 at most. */
enum { HASHES_PER_CHUNK = 15 };
typedef struct HashChunk {
    uint32_t next;                    /* NONE: the last */
    uint64_t names[HASHES_PER_CHUNK]; /* of the prefixes that end with each id */
} HashChunk;

/* What rng_mix adds up to SplitMix64 with. */
#define PROMPT_INCREMENT UINT64_C(0x9E3779B97F4A7C15)
/* ---- For servers with a cache of prefixes */

/* Whether anybody else may ever look for the same blocks: then they are published in the cache. */
bool prompt_is_shared(const World *world, const Call *call);

/* The key of the session whose request it is; false when it is none's. */
bool prompt_session(const World *world, const Call *call, uint64_t *key);

/* Blocks of a prompt, one after the other, with one owner. */
typedef struct PromptRun {
    uint64_t owner;
    uint32_t first, count; /* counted from the start of the prompt */
} PromptRun;

/* Members are private to prompt.c. */
typedef struct PromptCursor {
    const World *world;
    uint64_t prefix, session, request; /* the owners, in their order … */
    uint64_t prefix_end, session_end;  /* … and up to which token each owns what others do not */
    uint64_t end;                      /* of the next block */
    uint32_t block_size;
    uint32_t tokens_per_hash;
    uint32_t chunk, chunk_end; /* a chunk of hash ids, and the index of the first id behind it */
} PromptCursor;

/* From KV block `first` on, of blocks of `block_size` tokens. */
PromptCursor prompt_cursor(const World *world, const Call *call, uint32_t first,
                           uint32_t block_size);

/* Up to `most` next blocks, 1 or more, that have one owner. Goes on beyond the prompt into the
 * answer. Two requests have an owner's block in common just when they agree in everything up to the
 * end of that block. */
PromptRun prompt_next_run(PromptCursor *cursor, uint32_t most);

/* ---- For the World, its sources and sessions. A new Prompt has one holder: who asked for it. */

void prompts_init(World *world);
void prompts_free(World *world);

/* Of a client with shared prefixes: the one that is drawn by the request's key. */
uint32_t prompt_of_request(World *world, uint32_t client, uint64_t key);

/* Of a session: the same, by its key, if the client has any; what follows is the session's. */
uint32_t prompt_of_session(World *world, uint32_t client, uint64_t key);

/* After a session's history was cut: nothing but the shared prefix is as it was. */
uint32_t prompt_of_cut_session(World *world, uint32_t prompt);

/* Of an arrival with hash ids: what they say. NONE when there is no room for them: the run ends. */
uint32_t prompt_of_hashes(World *world, uint32_t client, const Arrival *arrival);

static inline Prompt *world_prompt(const World *world, uint32_t slot) {
    DCHECK(slot < world->prompts.slot_end);
    return (Prompt *)(void *)world->prompts.records + slot;
}

static inline void prompt_hold(World *world, uint32_t slot) {
    DCHECK(world_prompt(world, slot)->holders > 0);
    world_prompt(world, slot)->holders++;
}

void prompt_drop(World *world, uint32_t slot);

/* Every prompt is held as often as it says, and no record is left over; CHECKs. */
void prompts_check(const World *world);

#endif
