/* What clients send in a run, one record a request in the order of sending: lengths, session, and
 * the keys of the blocks of its prompt and answer.
 */
#ifndef KNOCKON_TESTS_MODELS_SENT_H
#define KNOCKON_TESTS_MODELS_SENT_H

#include "models/prompt.h"
#include "sim/vec.h"
#include "tests/models/story.h"

/* The name of the next block as one number. */
static inline uint64_t next_key(PromptCursor *cursor) {
    PromptRun run = prompt_next_run(cursor, 1);
    return rng_mix(run.owner + (run.first + UINT64_C(1)) * PROMPT_INCREMENT);
}

typedef struct Sent {
    uint32_t client;
    uint64_t number;  /* of the client's requests */
    uint64_t session; /* of the client's sessions; NO_SESSION */
    uint32_t turn;
    uint32_t replica;     /* of the target: where the first attempt went */
    SimTime at, ended_at; /* ended_at 0: unfinished */
    uint32_t input_tokens, output_tokens;
    bool is_shared;
    uint8_t rank;
    uint64_t *keys; /* of whole blocks, prompt and answer */
    uint32_t key_count;
} Sent;
#define NO_SESSION UINT64_MAX

typedef struct SentRun {
    Model *model;
    World *world; /* at the end of the run */
    VEC(Sent) sent;
    uint32_t block_size;
} SentRun;

/* Runs it; the world is checked after every event. `traces` are by client, or NULL. */
void sent_run(SentRun *run, const char *yaml, const StoryTrace *traces, uint32_t block_size);
void sent_free(SentRun *run);

/* How many blocks two requests have in common at their beginning; the test fails when blocks agree
 * behind one that does not. */
uint32_t sent_common(const Sent *a, const Sent *b);

#endif
