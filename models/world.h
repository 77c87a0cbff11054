/* One replication: everything that changes during a run.
 *
 * A World belongs to one thread and shares nothing but the const Model. Parts refer to each other
 * by index, never by address. Kinds' state lies in one block, at offsets. The life of a request is
 * in models/flow.c, the numbers are taken in models/probe.c, and what faults may move is in
 * models/levers.c.
 */
#ifndef KNOCKON_MODELS_WORLD_H
#define KNOCKON_MODELS_WORLD_H

#include "models/arrivals/arrivals.h"
#include "models/levers.h"
#include "models/model.h"
#include "models/probe.h"
#include "models/request.h"
#include "sim/pool.h"
#include "sim/queue.h"
#include "sim/rng.h"

typedef enum EventKind {
#define EVENT(id, target, doc) EVENT_##id,
#include "models/events.def"
#undef EVENT
    EVENT_KIND_COUNT
} EventKind;

typedef struct Replica {
    uint32_t service;
    uint32_t component;                           /* of the service, for the probe */
    uint32_t queue_head, queue_tail, queue_count; /* oldest to youngest, linked through attempts */
    uint32_t busy;                                /* slots in use */
    uint32_t suspended_count;                     /* work that lost its slot */
    SimTime down_until;                           /* it crashed by itself */
    SimTime loaded_at;                            /* it serves from then on */
    bool is_known_broken;                         /* routers knew of its last crash by itself */
    bool has_process; /* neither a fault nor itself keeps it down; it may be loading */
    bool is_held;     /* in the middle of a step at whose end it starts what may start */
    size_t server_state, shed_state; /* offsets into World.states */
    ReplicaLevers levers;
} Replica;

typedef struct ServiceState {
    RngKey key;
    size_t route_state;      /* offset into World.states */
    uint32_t routable_count; /* replicas believed to be up: World.routable from replica_first on */
    uint32_t in_system;      /* attempts that have reached a replica and not left it */
} ServiceState;

/* One instance of a caller on a watched edge. */
typedef struct CallerState {
    uint32_t active;   /* attempts that are out */
    uint32_t retrying; /* calls that wait for a retry or have one out */
} CallerState;

/* Where the state of a policy lies in World.states, for each instance of a caller. */
typedef struct StateSpan {
    size_t first, stride;
} StateSpan;

typedef struct EdgeState {
    RngKey key;
    uint32_t path_salt; /* from the edge's name: tells its calls from others of the same request */
    uint32_t max_attempts; /* the first included; COUNT_UNLIMITED */
    StateSpan budget, breaker, throttle, hedge;
    uint32_t turn;         /* the next instance */
    uint32_t caller_first; /* of World.callers: the first instance's, if the edge is watched */
    bool is_cut;           /* by a partition */
} EdgeState;

typedef struct ClientState {
    Rng stream;
    RngKey key;
    uint64_t request_count;
    uint64_t key_base; /* request k has key key_base + k */
    size_t arrivals_state;
    LoadCursor cursor;
    TraceSource trace;
    Source source;        /* points to the parts above */
    Arrival next;         /* the arrival that is scheduled */
    uint32_t next_prompt; /* what it carries; NONE */
    uint64_t session_count;
    uint64_t session_base; /* session k has key session_base + k */
    RngKey prefix_key;     /* draws which of the shared prefixes a request has */
    uint64_t prefix_name;  /* tells the client's prefixes from others' … */
    uint64_t hashes_name;  /* … and the hash ids of its trace from those of other files */
} ClientState;

typedef struct UserState {
    uint32_t client, index;
    uint32_t turn; /* requests made so far */
} UserState;

/* A conversation under way: it has a request in progress, or its user thinks. */
typedef struct Session {
    uint32_t client;
    uint32_t turn;       /* of the request in progress, or of the next; from 0 */
    uint32_t turn_count; /* 0: a free slot */
    uint32_t max_context_tokens;
    uint32_t history_tokens; /* all that was said so far, shared prefix and answers included */
    uint32_t prompt;
    bool is_asking;
    uint64_t number; /* of the client's sessions, from 0 */
} Session;

typedef struct FaultState {
    Rng stream;
    RngKey key;             /* for draws that belong to requests */
    uint64_t touched_count; /* requests that it has marked */
    bool is_on;
} FaultState;

typedef enum StopReason {
    STOP_AT_END,      /* the duration is over */
    STOP_WHEN,        /* first passage: stop_when holds */
    STOP_EVENTS,      /* max_events */
    STOP_IN_FLIGHT,   /* max_in_flight */
    STOP_NO_PROGRESS, /* the clock stands still */
    STOP_INTERRUPTED, /* *interrupt became true */
} StopReason;

/* What happened to one request, for requests.csv. */
typedef struct RequestRecord {
    uint64_t number; /* of the client's requests, from 0 */
    SimTime arrived_at, ended_at;
    SimTime first_token_at; /* 0: the answer has none, or there is no answer */
    uint32_t client, attempt_count, input_tokens, output_tokens;
    Outcome outcome;
    bool is_finished; /* false: the run ended first */
} RequestRecord;

/* A change of state, for events.csv and the story of a run. */
typedef struct Note {
    SimTime at;
    const char *what;   /* a word: "fault", "refused", … */
    uint32_t component; /* NONE: the run */
    uint32_t replica;   /* within its service; NONE */
    uint32_t client;    /* of the request; NONE */
    uint64_t request;   /* number of the client's request; used if client is not NONE */
    uint32_t attempt;   /* its number, 1 is the first; 0: not about an attempt */
    const char *detail; /* more words, or "" */
} Note;

/* What the outside asks of one replication. */
typedef struct WorldOptions {
    uint64_t seed;
    uint32_t replication;
    bool is_twin;        /* leave the triggers out */
    bool is_stepwise;    /* inference servers take every step by itself: nothing else changes */
    bool is_unmeasured;  /* take no numbers: the event hash must not change */
    TraceSource *traces; /* by client, or NULL when no client replays a trace */
    void *context;       /* handed to the next two */
    void (*on_note)(void *context, const Note *note);   /* every step of a request; NULL */
    void (*on_change)(void *context, const Note *note); /* changes of state only; NULL */
    void (*on_request)(void *context, const RequestRecord *record); /* each request's end; NULL */
    const volatile int *interrupt; /* stop soon when it is not 0; NULL */
    uint32_t check_every;          /* events between two world_check; 0: none, for tests */
} WorldOptions;

typedef struct World {
    SimTime now;
    EventQueue queue;
    Pool calls, attempts;
    SimTime late_at;           /* the latest instant at which late events were handled … */
    uint32_t late_turn;        /* … and how far: those of replicas below are over */
    Pool prompts, hash_chunks; /* models/prompt.h */
    Pool sessions;
    /* Room for what watched edges keep besides, by the slots of calls and attempts: nothing is
     * taken from these pools, and they are not there without such an edge. */
    Pool call_tracks, attempt_tracks;
    CallerState *callers;
    bool repeats_calls; /* a request may come to the same service twice */
    const Model *model;
    Replica *replicas;
    uint32_t *outstanding; /* by replica: attempts sent, not answered, not given up */
    uint32_t *routable;
    uint32_t *rank_tails; /* by replica and rank: the ends within a queue by priority */
    ServiceState *services;
    EdgeState *edges;
    ClientState *clients;
    UserState *users;
    FaultState *faults;
    Levers levers;
    unsigned char *states; /* of kinds, zeroed at the start */
    size_t states_size;
    Probe probe;
    WorldOptions options;
    uint64_t event_count; /* late events are not counted: there are as many as is convenient */
    uint64_t tie_count;   /* events at the same instant as the one before */
    uint64_t fingerprint; /* hash over (time, kind, target) of all events */
    bool is_stopping;
    StopReason stop_reason;
} World;

/* A World at time 0; the model must outlive it. */
World *world_create(const Model *model, const WorldOptions *options);
void world_destroy(World *world);

/* Runs to the end of the duration, or to what stops it before (stop_reason, now). Once only. */
void world_run(World *world);

/* Requests conserved, counts equal to what they count, nothing negative; CHECKs. Slow: for tests.
 */
void world_check(World *world);

static inline Call *world_call(const World *world, uint32_t slot) {
    DCHECK(slot < world->calls.slot_end);
    return (Call *)(void *)world->calls.records +
           slot; /* the size is known here: no multiplication */
}

/* Settles all that servers have done ahead of their events before `at`: numbers are to be taken. */
void world_settle(World *world, SimTime at);

/* Counts something that happens within a late event, and makes it part of the fingerprint. */
static inline void world_count_event(World *world, EventKind kind, uint32_t target) {
    uint64_t word = (uint64_t)world->now ^ (uint64_t)kind << 56 ^ (uint64_t)target << 28;
    DCHECK(kind < EVENT_KIND_COUNT);
    world->fingerprint = (world->fingerprint ^ word) * UINT64_C(0x9FB21C651E98DF25);
    world->fingerprint ^= world->fingerprint >> 29;
    world->event_count++;
}

/* The turn of a replica's late event at this instant has come. */
static inline void world_begin_late(World *world, uint32_t replica) {
    uint32_t before = world->late_at == world->now ? world->late_turn : 0;
    CHECK(world->late_at <= world->now);
    world->late_at = world->now;
    world->late_turn = replica + 1 > before ? replica + 1 : before;
}

/* Whether a late event of the replica at this instant would have had its turn. */
static inline bool world_late_has_passed(const World *world, uint32_t replica) {
    DCHECK(replica < UINT32_MAX);
    return world->late_at == world->now && world->late_turn > replica;
}

/* What a watched edge keeps of the call. */
static inline CallTrack *call_track(const World *world, uint32_t slot) {
    DCHECK(world_call(world, slot)->is_watched);
    return (CallTrack *)(void *)world->call_tracks.records + slot;
}

static inline AttemptTrack *attempt_track(const World *world, uint32_t slot) {
    DCHECK(slot < world->attempts.slot_end);
    return (AttemptTrack *)(void *)world->attempt_tracks.records + slot;
}

static inline Attempt *world_attempt(const World *world, uint32_t slot) {
    DCHECK(slot < world->attempts.slot_end);
    return (Attempt *)(void *)world->attempts.records + slot;
}

/* Whether the id names an event, pending or not. */
static inline bool event_is_set(EventId id) {
    return id.slot != 0 || id.stamp != 0;
}

static inline void *world_state(const World *world, size_t offset) {
    DCHECK(world->states != NULL);
    return world->states + offset;
}

static inline Session *world_session(const World *world, uint32_t slot) {
    DCHECK(slot < world->sessions.slot_end);
    return (Session *)(void *)world->sessions.records + slot;
}

/* The service that an attempt is at or on its way to. */
static inline const Service *world_service_of(const World *world, const Replica *replica) {
    DCHECK(replica->service < world->model->service_count);
    return &world->model->services[replica->service];
}

#endif
