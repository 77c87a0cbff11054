/* Servers: how a replica does its work.
 *
 * The flow hands attempts to a replica's queue and pumps; a server takes them from there while it
 * has room (flow_take), says how long they take, and hands them back when their own work is done
 * (flow_work_done). A server's state belongs to one replica.
 */
#ifndef KNOCKON_MODELS_SERVERS_SERVER_H
#define KNOCKON_MODELS_SERVERS_SERVER_H

#include "models/world.h"

typedef struct ServerOps {
    /* What one replica can do at once: requests, or batches; COUNT_UNLIMITED. */
    uint32_t (*slots)(const void *params);
    /* Starts what may be started now; called through server_pump. */
    void (*pump)(World *world, uint32_t replica);
    /* EVENT_server: the timer that the server pushed is due. NULL: it has none. */
    void (*on_timer)(World *world, uint32_t replica);
    /* EVENT_batch: the batch that begins with `attempt` is done. NULL: no batches. */
    void (*on_batch)(World *world, uint32_t attempt);
    /* Takes an attempt out of service before its end (cancelled, killed); false: it cannot be taken
     * out and works on. NULL: always true, nothing to do. The flow frees the slot it held. */
    bool (*take_out)(World *world, uint32_t attempt);
    /* The replica has crashed: every attempt is gone; forget them and cancel own timers. NULL:
     * nothing is kept. */
    void (*reset)(World *world, uint32_t replica);
    /* Whether an attempt keeps its slot while it calls other services. NULL: no. */
    bool (*holds_while_calling)(const void *params);
    /* At time 0, before anything happens. NULL: zeroed state will do. */
    void (*start)(World *world, uint32_t replica);
    /* Why the replica can never serve the call, or NULL: it is answered with an error. NULL: never.
     */
    const char *(*rejects)(const World *world, uint32_t replica, const Call *call);
    /* Somebody has left the queue without being taken. NULL: nothing to do. */
    void (*on_leave)(World *world, uint32_t replica);
    /* EVENT_step, a late event of the server's own. NULL: it has none. */
    void (*on_step)(World *world, uint32_t replica, EventId event);
    /* The attempt has made its calls and gives back what Attempt.holds_memory stands for. */
    void (*let_go)(World *world, uint32_t attempt);
    /* A lever of the replica has moved while it is up. NULL: nothing to do. */
    void (*on_levers)(World *world, uint32_t replica);
    /* Own invariants, for world_check. NULL: none. */
    void (*check)(const World *world, uint32_t replica);
    /* Settles what a run of several steps has done before `at`: numbers are about to be taken.
     * NULL: nothing is done ahead of its event. */
    void (*settle)(World *world, uint32_t replica, SimTime at);
    /* Tokens of the call's prompt that the replica would find in its cache. NULL: it has none. */
    uint32_t (*cached_tokens)(World *world, uint32_t replica, const Call *call);
    /* The replica, which is up, forgets what it has cached and does not use. NULL: it caches
     * nothing. */
    void (*flush)(World *world, uint32_t replica);
    /* How long a replica loads before it can serve, on start and after a crash. NULL: not at all.
     */
    SimTime (*load_time)(const void *params);
    /* Whether replicas are loaded at time 0. NULL: they are. */
    bool (*is_loaded)(const void *params);
    /* Whether `work` says how long the work takes; otherwise the server knows it by itself. */
    bool uses_work;
    /* Surplus work can be suspended and resumed, or killed, when slots are lost; otherwise it
     * drains. */
    bool can_suspend, can_kill;
    /* Work is counted in tokens computed, and there are KV blocks: docs/inference.md. */
    bool has_tokens;
    /* Whether the queue is in the order of clients' priorities: the server decides it, not the
     * service's `queue`. NULL: the service's `queue` does. */
    bool (*is_by_priority)(const void *params);
} ServerOps;

/* Whether the service's work is counted in tokens. */
static inline bool service_has_tokens(const Service *service) {
    const ServerOps *ops = service->server.kind->ops;
    DCHECK(service->server.kind->family == FAMILY_SERVER);
    return ops->has_tokens;
}

static inline const ServerOps *server_ops(const World *world, const Replica *replica) {
    DCHECK(world_service_of(world, replica)->server.kind->family == FAMILY_SERVER);
    return world_service_of(world, replica)->server.kind->ops;
}

/* Starts what may be started now. Callers react at once to what they are told, so this may come
 * while the replica is looking for work already: then it will find what came by itself. */
static inline void server_pump(World *world, uint32_t replica) {
    if (!world->replicas[replica].is_held) {
        server_ops(world, &world->replicas[replica])->pump(world, replica);
    }
}

#endif
