/* The two records of work in flight. Both live in pools of the World and are named by slot.
 *
 * A Call is one edge's call in progress with all its attempts: a client's request, or a service's
 * call to another on behalf of an attempt. An Attempt is one try at a call: it travels, waits, is
 * served, makes calls of its own, and answers. A call outlives its end while an attempt still works
 * for it (`holders`), so that an attempt can always look at its call. Together with the queue's
 * entries for two timers they are below 256 bytes.
 */
#ifndef KNOCKON_MODELS_REQUEST_H
#define KNOCKON_MODELS_REQUEST_H

#include "models/model.h"
#include "sim/queue.h"

typedef struct Call {
    uint64_t key;       /* of the client's request: what is drawn for it is drawn by this */
    SimTime began_at;   /* of a fallback: when the call began that it stands in for */
    SimTime last_delay; /* of the latest retry: decorrelated jitter grows from it */
    EventId retry_timer;
    EventId deadline_timer;
    uint32_t edge;
    uint32_t parent;    /* attempt that made this call; NONE for a client's request */
    uint32_t sibling;   /* next call of the same parent */
    uint32_t in_flight; /* newest attempt that the caller waits for; NONE */
    uint32_t client;    /* whose request it is; NONE: what was there at the start */
    uint32_t user;      /* whose request it is: of a closed client, or a session; NONE */
    uint32_t input_tokens, output_tokens;
    uint32_t path; /* tells apart the calls that one request makes; 0 for the request itself */
    uint32_t attempt_count;
    uint32_t holders;  /* attempts that still refer to this call, and 1 while it is open */
    uint32_t instance; /* of the caller: which retry budget */
    bool is_open;      /* somebody waits for it */
    bool is_measured;  /* its request arrived after the warm-up */
    bool is_in_backoff;
    bool is_watched;          /* as its edge: there is a CallTrack */
    uint16_t mark;            /* fault that has marked its request, counted from 1; 0: none */
    uint8_t rank;             /* of its client's priority among all: 0 goes first */
    uint32_t prompt;          /* of World.prompts: what it may share with others; NONE */
    uint32_t attempts_before; /* of a fallback: what the calls took that it stands in for */
} Call;

typedef enum AttemptState {
    ATTEMPT_FREE,       /* not in use: the pool leaves this byte alone */
    ATTEMPT_TRAVELLING, /* on its way to the replica */
    ATTEMPT_QUEUED,
    ATTEMPT_SERVING,
    ATTEMPT_SUSPENDED, /* its slot was taken away; goes on when there is one again */
    ATTEMPT_CALLING,   /* own work done, waits for the calls it made */
    ATTEMPT_REPLYING,  /* answer on its way back */
    ATTEMPT_LOST,      /* nobody will ever answer */
} AttemptState;

typedef struct Attempt {
    SimTime entered_at; /* at the replica */
    SimTime started_at; /* service */
    SimTime ends_at;    /* of service, while it lasts; of suspended work: what is left; of who waits
                         * for an inference server again: when its last token came */
    SimTime work;       /* done for it so far, once its service is over */
    EventId timeout;    /* the caller's */
    EventId event;      /* its own: delivery, impatience, end of service, reply */
    uint32_t call;
    uint32_t replica;
    union {
        struct { /* neighbours in the replica's queue, or in what its server keeps */
            uint32_t next, prev;
        };
        struct { /* `inference`, while it calls others: private KV blocks, last run of published */
            uint32_t kept_blocks, kept_last;
        };
    };
    uint32_t sibling; /* next older attempt in flight of the same call */
    uint32_t child;   /* newest call that it made and that is open; NONE */
    uint32_t path;    /* of this attempt: draws and calls below it are keyed by it */
    uint32_t number;  /* of the call's attempts: 1 is the first */
    uint16_t group;   /* of the service's calls: the next one */
    uint16_t pending; /* calls of the group under way that have not ended */
    uint8_t state;    /* AttemptState */
    uint8_t outcome;  /* Outcome, as far as it is known */
    bool is_awaited;  /* the caller still waits for this attempt */
    bool holds_slot;
    bool holds_memory;         /* its server keeps something for it while it calls others */
    bool is_returned;          /* it was in service before, and waits again */
    uint32_t retry_after_ms;   /* of a failure: what its caller is asked for; 0: nothing */
    SimTime first_token_at;    /* 0: none yet */
    union {                    /* what its server keeps */
        double virtual_end;    /* `sharing`: the work done per request at which it is finished */
        struct {               /* `inference` */
            uint32_t produced; /* tokens of the answer so far, in the end of what it streams */
            union {
                uint32_t sequence;    /* in service: where it is kept; NONE */
                uint32_t lost_tokens; /* waits again: those that it had computed */
            };
        };
    };
} Attempt;

_Static_assert(sizeof(Call) + sizeof(Attempt) <= 256 - 40, "256 bytes with two timers");

/* What is kept besides of a call and of an attempt whose edge is watched (Edge.is_watched): beside
 * the records, by the same slots, so that whoever has no such policy does not pay for it. */
typedef struct CallTrack {
    SimTime deadline_at;   /* when the calls that it makes end at the latest; SIM_TIME_NEVER */
    uint8_t retried_after; /* Outcome after which the latest retry was allowed; OUTCOME_OK: none */
    bool is_retrying;      /* a retry was allowed, and it waits or is out */
    uint8_t hedge_count;
    bool is_hedge_paid; /* the timer's hedge has been allowed already */
} CallTrack;

typedef struct AttemptTrack {
    SimTime sent_at;
} AttemptTrack;

/* Whether it is in the system of its service: it has reached a replica and not left it. */
static inline bool attempt_is_in_system(const Attempt *attempt) {
    return attempt->state >= ATTEMPT_QUEUED && attempt->state <= ATTEMPT_CALLING;
}

#endif
