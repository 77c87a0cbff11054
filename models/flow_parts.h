/* The hand movements of models/flow.c: queues and lists of attempts, who waits for what, and how
 * work is dropped. Shared by flow.c, sources.c and losses.c, of no interest to kinds.
 */
#ifndef KNOCKON_MODELS_FLOW_PARTS_H
#define KNOCKON_MODELS_FLOW_PARTS_H

#include "models/flow.h"

/* What a call inherits from the request it belongs to. */
typedef struct Origin {
    uint64_t key;
    SimTime began_at;
    uint32_t attempts_before; /* of the calls that this one stands in for */
    uint32_t path;
    uint32_t client; /* NONE: it was there at the start */
    uint32_t user;   /* whose request it is: of a closed client, or a session; NONE */
    uint32_t input_tokens, output_tokens;
    uint32_t prompt; /* of World.prompts; NONE */
    uint16_t mark;   /* fault that has marked it, counted from 1; 0: none */
    uint8_t rank;
    bool is_measured;
} Origin;

/* For one more call on behalf of the same request, which begins now. */
static inline Origin origin_like(const World *world, const Call *call, uint32_t path) {
    DCHECK(call->holders > 0);
    return (Origin){.key = call->key,
                    .began_at = world->now,
                    .path = path,
                    .client = call->client,
                    .user = call->user,
                    .input_tokens = call->input_tokens,
                    .output_tokens = call->output_tokens,
                    .prompt = call->prompt,
                    .mark = call->mark,
                    .rank = call->rank,
                    .is_measured = call->is_measured};
}

/* Purposes of draws by key: they separate what one request draws at one place. */
typedef enum DrawPurpose {
    DRAW_WORK = 1,
    DRAW_LUCK,
    DRAW_MADE,
    DRAW_ROUTE,
    DRAW_BACKOFF,
    DRAW_PATIENCE,
    DRAW_THERE,
    DRAW_BACK,
    DRAW_MARK,
    DRAW_THROTTLE,
    DRAW_STALE,
    DRAW_OWN_ANSWER,
    DRAW_PLACE,
    DRAW_CALLER,
    DRAW_LOAD,
} DrawPurpose;

static inline Rng drawn_by(const RngKey *key, uint64_t request, uint32_t path,
                           DrawPurpose purpose) {
    Rng rng;
    rng_keyed(&rng, key, request, (uint64_t)purpose << 32 | path);
    return rng;
}

/* Distinguishes calls and attempts below one request; 2654435769 is 2^32 over the golden ratio. */
static inline uint32_t path_below(uint32_t path, uint32_t step) {
    uint32_t mixed = (path ^ step) * UINT32_C(2654435769);
    return mixed ^ mixed >> 15;
}

static inline EventId push(World *world, SimTime delay, EventKind kind, uint32_t target) {
    DCHECK(delay >= 0);
    return queue_push(&world->queue, world->now + delay, (uint16_t)kind, target);
}

/* Takes a timer out if there is one, and forgets it. Most are none, which is told here without a
 * call. */
static inline void unset(World *world, EventId *timer) {
    if (timer->stamp != 0 || timer->slot != 0) {
        queue_cancel(&world->queue, *timer);
        *timer = (EventId){0};
    }
}

/* At the constant delay of a class of Model.timers; the queue counts its classes from 1. */
static inline EventId push_timer(World *world, TimerClass timer, EventKind kind, uint32_t target) {
    DCHECK(timer < world->model->timer_count);
    return queue_push_timer(&world->queue, world->now, (uint16_t)(timer + 1), (uint16_t)kind,
                            target);
}

static inline uint32_t service_component(const World *world, uint32_t replica) {
    DCHECK(replica < world->model->replica_count);
    return world->replicas[replica].component;
}

/* Room for a kind's state; its offset in World.states, while the World is made. */
size_t world_reserve_state(World *world, size_t size);

/* Ends the run at the next event. */
void world_stop(World *world, StopReason reason);

/* ---- The story, models/flow.c */

/* The fate of an attempt that its caller gave up for another reason than time. */
#define FATE_UNKNOWN OUTCOME_COUNT

/* A call begins, made by attempt `parent`, or by a client (NONE). */
void flow_begin(World *world, uint32_t edge, uint32_t parent, const Origin *origin);
/* The tokens of a good answer: when its caller saw the first, and how many there are. */
typedef struct Answer {
    SimTime first_token_at; /* 0: it has none */
    uint32_t tokens;
} Answer;
#define NO_TOKENS ((Answer){0, 0})

/* It ends: its parent goes on, or the client's request is over. */
void flow_end(World *world, uint32_t call, Outcome outcome, Answer answer);
/* The same of one that is closed already. */
void flow_finish(World *world, uint32_t call, Outcome outcome, Answer answer);
/* It ends with nobody to tell: what it still has out works for nobody, and its fate is a timeout or
 * unknown. Keeps the call's slot. */
void close_call(World *world, uint32_t call, Outcome fate);
/* The attempt joins the replica's queue; pump it afterwards. */
void enter(World *world, uint32_t attempt, Replica *replica);
void on_deliver(World *world, uint32_t attempt);
void on_reply(World *world, uint32_t attempt);
void refuse(World *world, uint32_t attempt, const char *why);
/* One more attempt of the call goes out, if its caller does not hold it back … */
void launch(World *world, uint32_t call);
/* … or whatever that says. */
void send_attempt(World *world, uint32_t call);

/* ---- Messages, models/network.c */

void carry_request(World *world, uint32_t attempt);
void carry_reply(World *world, uint32_t attempt);

/* The attempt starts on its way to its replica. Most networks take no time. */
static inline void send(World *world, uint32_t attempt) {
    uint32_t edge = world_call(world, world_attempt(world, attempt)->call)->edge;
    if (world->model->edges[edge].has_latency || world->edges[edge].is_disturbed) {
        carry_request(world, attempt);
    } else {
        on_deliver(world, attempt);
    }
}

/* Its answer starts on its way back. */
static inline void reply(World *world, uint32_t slot) {
    Attempt *attempt = world_attempt(world, slot);
    uint32_t edge = world_call(world, attempt->call)->edge;
    DCHECK(attempt->state != ATTEMPT_FREE);
    attempt->event = (EventId){0};
    attempt->state = ATTEMPT_REPLYING;
    if (world->model->edges[edge].has_reply_latency || world->edges[edge].is_disturbed) {
        carry_reply(world, slot);
    } else {
        on_reply(world, slot);
    }
}

/* Why a fault keeps the caller from sending anything; NULL: none does. */
const char *network_stops(World *world, const Call *call);

static inline const char *stops(World *world, const Call *call) {
    DCHECK(call->attempt_count > 0);
    return __builtin_expect(world->edges[call->edge].is_disturbed, 0) ? network_stops(world, call)
                                                                      : NULL;
}

/* ---- Routes, models/route.c */

/* Bytes that the service's router keeps. */
size_t route_state_size(const Service *service);

/* The replica that gets the attempt, asking the service's router; there are two or more. */
uint32_t route_among(World *world, const Call *call, const Attempt *attempt);

/* The same, NONE when none is known to be up. */
static inline uint32_t pick_replica(World *world, const Call *call, const Attempt *attempt) {
    const Edge *edge = &world->model->edges[call->edge];
    uint32_t count = world->services[edge->to].routable_count;
    if (count > 1) {
        return route_among(world, call, attempt);
    }
    DCHECK(count <= world->model->services[edge->to].replica_count);
    return count == 0 ? NONE : world->routable[world->model->services[edge->to].replica_first];
}

/* ---- Movements, models/flow_parts.c */

void queue_append(World *world, Replica *replica, uint32_t attempt);
void queue_unlink(World *world, Replica *replica, uint32_t attempt);
/* Out of the queue and out of the system, unserved. */
void leave_queue(World *world, uint32_t attempt);
/* One more (1) or fewer (-1) in the attempt's service that no caller waits for. */
static inline void count_orphan(World *world, const Attempt *attempt, int64_t change) {
    DCHECK(!attempt->is_awaited);
    probe_level(&world->probe, service_component(world, attempt->replica), LEVEL_ORPHANED,
                world->now, change);
}
/* Out of the replica. */
void leave_system(World *world, uint32_t attempt);
void record_wait(World *world, uint32_t attempt, SimTime waited);
void release_slot(World *world, uint32_t attempt);
/* What its server kept for it while it called others. */
void release_memory(World *world, uint32_t attempt);
/* A refusal by shedding may say when to come again. */
void ask_to_wait(const Service *service, Attempt *attempt);
void count_failure(World *world, uint32_t attempt, Count count);
/* Whether a fault makes the attempt fail. */
bool is_unlucky(World *world, const Attempt *attempt, const Replica *replica);
/* Whether the attempt's calls include this one. */
bool is_made(World *world, uint32_t edge, const Attempt *attempt);
/* A marked request has started: it may break its replica. */
void strike(World *world, uint32_t attempt);
/* Whether the attempt can never be served: it has been answered with an error. */
bool is_rejected(World *world, uint32_t attempt, const Replica *replica);
/* A good answer has come; it is of use, or comes when nobody waits any more. */
void count_answer(World *world, const Attempt *attempt, const Call *call, bool is_used);
/* Whether a good answer to an attempt that was given up still completes its call. */
bool late_reply_counts(const World *world, const Call *call);
/* The caller does not wait for the attempt any more, whose fate it knows or not. */
void stop_waiting(World *world, uint32_t attempt, Outcome fate);
/* Nobody will ever answer: the slot goes when the caller has stopped waiting. */
void lose(World *world, uint32_t attempt);
/* The record is free again; work that was of no use is counted as wasted. */
void drop(World *world, uint32_t attempt, bool is_used);
void release_call(World *world, uint32_t call);
void unlink_child(World *world, uint32_t parent, uint32_t call);

/* ---- Losses, models/losses.c */

/* The caller gives the attempt up, after its timeout or not (FATE_UNKNOWN); what the service does
 * about it is its `cancel_on_timeout`. */
void abandon(World *world, uint32_t attempt, Outcome fate);
/* An attempt has waited as long as it will. */
void on_impatience(World *world, uint32_t attempt);
/* The mark that a fault which is on gives to a new request; 0: none. */
uint16_t mark_of_request(World *world, uint64_t key);
/* A replica crashes, restarts or has loaded by itself. */
void on_levers(World *world, uint32_t replica);
/* The probe's levels of a service's slots and of its replicas that are down. */
void losses_count_slots(World *world, uint32_t component);

/* ---- Faults, models/fault_life.c */

/* A fault begins or ends by the clock. */
void on_fault(World *world, uint32_t fault);
/* It begins and lasts so long (SIM_TIME_NEVER: until somebody ends it), or ends now. An action too.
 */
void fault_begin(World *world, uint32_t fault, SimTime lasts);
void fault_end(World *world, uint32_t fault);
void on_fault_timer(World *world, uint32_t place);
/* An action is over. */
void on_action(World *world, uint32_t action);
/* Schedules the faults' first events. */
void losses_start(World *world);
/* Bytes to remember where a restart has ended a fault; 0: none does. */
size_t fault_cured_size(const Model *model, uint32_t fault);
/* A fault that is on moves the levers. */
void fault_apply(World *world, uint32_t fault);
/* What those see that have a life of their own: a process begins; a replica has gone down; an
 * attempt has arrived at a replica that is watched (why it is refused, or NULL), or starts. */
void faults_see_process(World *world, uint32_t replica);
void faults_see_down(World *world, uint32_t replica);
const char *faults_see_arrival(World *world, uint32_t attempt);
void faults_see_start(World *world, uint32_t attempt);
/* A restart of the replica ends what it cures there. */
void faults_cure(World *world, uint32_t replica);

/* ---- Monitors, models/monitoring.c */

void monitors_init(World *world);  /* keeps room for what they know … */
void monitors_watch(World *world); /* … and watches what they look at */
void monitors_start(World *world);
void on_monitor(World *world, uint32_t monitor);
void on_alert(World *world, uint32_t monitor);
void on_response(World *world, uint32_t response);

/* ---- Sources, models/sources.c */

/* The most tokens of a prompt, or of an answer, that a law's tail may draw or a session gather. */
#define TOKENS_MAX 4000000000u

/* What the client's process works with; only the time changes from one arrival to the next. */
Source *source_of(World *world, uint32_t client);
/* A request that the client sends now, without lengths and prompt. */
Origin source_origin(World *world, uint32_t client, uint32_t user);
/* Its lengths by the client's laws, drawn by (a, b); what has no law keeps its length. */
void source_draw_lengths(World *world, uint64_t a, uint64_t b, Origin *origin);
void source_send(World *world, const Origin *origin);
/* One more request of the client, besides those that arrive. */
void source_request(World *world, uint32_t client);
void on_arrival(World *world, uint32_t client);
void on_user(World *world, uint32_t user);
/* Prepares what a client's process works with. */
void source_init(World *world, uint32_t client);
/* A client's request is over: its user thinks again. `first_token_at`: 0 when it saw none. */
void source_request_ends(World *world, const Call *call, Outcome outcome, SimTime first_token_at);
/* Tells the requests that the end of the run cuts off. */
void sources_tell_unfinished(World *world);
/* Schedules the first arrivals and the requests that are there at time 0. */
void sources_start(World *world);

/* ---- Sessions, models/sessions.c */

/* A session of the client begins with its first request. */
void session_begin(World *world, uint32_t client);
/* Its request is over: it thinks, or ends. */
void session_hears(World *world, uint32_t session, const Call *call, Outcome outcome);
void on_turn(World *world, uint32_t session);
/* Every session asks or thinks; CHECKs. */
void sessions_check(const World *world);

/* ---- Notes: the story as text, only if somebody listens */

/* Fills in whose request it is, and tells it. */
void tell(World *world, const Call *call, Note *note);
void note_call(World *world, uint32_t call, const char *what, const char *detail);

void note_tell(World *world, uint32_t attempt, const char *what, const char *detail);
/* A change of state, of the run (NONE), a component, or one of all replicas (NONE: not of one). */
void note_change(World *world, uint32_t component, uint32_t replica, const char *what,
                 const char *detail);

static inline void note_attempt(World *world, uint32_t attempt, const char *what,
                                const char *detail) {
    if (__builtin_expect(world->options.on_note != NULL, 0)) {
        note_tell(world, attempt, what, detail);
    }
}

#endif
