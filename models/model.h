/* The compiled scenario: everything a run needs, checked, with names resolved to indices.
 *
 * A Model is const after compile and is shared by all Worlds and threads. It owns what it points
 * to: one arena that model_destroy frees. Components are numbered clients first, then services; a
 * client's component index is its client index, a service's is client_count + its service index.
 *
 * What can be decided once is decided here, so that the event path only looks up.
 */
#ifndef KNOCKON_MODELS_MODEL_H
#define KNOCKON_MODELS_MODEL_H

#include "models/kind.h"
#include "models/load.h"

#define NONE UINT32_MAX /* no such index */

/* Why an attempt or a request did not succeed; the bits of `retry_on` are 1 << outcome. */
typedef enum Outcome {
    OUTCOME_OK,
    OUTCOME_TIMEOUT,
    OUTCOME_ERROR,
    OUTCOME_REFUSED,
    OUTCOME_COUNT
} Outcome;

enum { RETRY_ON_TIMEOUT = 1 << 0, RETRY_ON_ERROR = 1 << 1, RETRY_ON_REFUSED = 1 << 2 };

typedef enum LateReply { LATE_IGNORED, LATE_COUNTS, LATE_COUNTS_WHILE_IN_FLIGHT } LateReply;
typedef enum CancelOnTimeout { CANCEL_NEVER, CANCEL_QUEUED, CANCEL_ANYWHERE } CancelOnTimeout;
typedef enum RetryAfter {
    RETRY_AFTER_IGNORED,
    RETRY_AFTER_AT_LEAST,
    RETRY_AFTER_REPLACES
} RetryAfter;
typedef enum OnFailure { ON_FAILURE_FAIL, ON_FAILURE_IGNORE } OnFailure;
typedef enum OnCapacityLoss { LOSS_SUSPEND, LOSS_DRAIN, LOSS_KILL } OnCapacityLoss;
typedef enum QueueOrder { QUEUE_FIFO, QUEUE_LIFO, QUEUE_PRIORITY } QueueOrder;
typedef enum TimeseriesRows { TIMESERIES_ALL, TIMESERIES_AVERAGE, TIMESERIES_NONE } TimeseriesRows;
typedef enum WorkDraw { WORK_DRAW_ATTEMPT, WORK_DRAW_REQUEST } WorkDraw;

/* Timers of a constant length need no priority queue; each distinct length is a class of
 * sim/queue.h, registered by every World in the order of Model.timers. */
typedef uint16_t TimerClass;
#define TIMER_NONE UINT16_MAX

/* What a failure asks for when it asks for no retry at all. */
#define RETRY_AFTER_NEVER_MS UINT32_MAX

/* A wait that is asked for, SIM_TIME_NEVER or at least a millisecond and below 49 days. */
static inline uint32_t retry_after_ms(SimTime wait) {
    DCHECK(wait == SIM_TIME_NEVER || (wait >= 1000000 && wait < INT64_C(4294967295000000)));
    return wait == SIM_TIME_NEVER ? RETRY_AFTER_NEVER_MS : (uint32_t)((wait + 500000) / 1000000);
}

/* What a caller answers itself in place of a call that has failed for good. */
typedef struct StaleCache {
    double hit_ratio;
    Dist time; /* seconds */
} StaleCache;

typedef struct OwnAnswer {
    Dist value; /* seconds that it takes */
    StaleCache stale_cache;
    bool has_value, has_stale_cache;
} OwnAnswer;

/* A call policy on one edge of the dependency graph. */
typedef struct Edge {
    uint32_t caller; /* component index */
    uint32_t to;     /* service index */
    DurationList timeout;
    TimerClass *timeout_timer; /* one per item of `timeout` */
    SimTime deadline;          /* SIM_TIME_NEVER: none */
    TimerClass deadline_timer;
    bool propagates;        /* its deadline ends the calls below it too … */
    bool inherits_deadline; /* … and it may be one of those */
    Component retry;
    Component budget;
    Component breaker;
    Component throttle;
    Component hedge;
    uint32_t instances;      /* of the caller, used in turn; each has policies' state of its own */
    uint8_t retry_on;        /* RETRY_ON_… */
    uint8_t retry_after;     /* RetryAfter */
    SimTime retry_after_max; /* SIM_TIME_NEVER: none */
    uint8_t late_reply;      /* LateReply */
    uint8_t on_failure;      /* OnFailure */
    double probability;      /* that the call is made at all */
    uint32_t fallback;       /* the edge by which one that has failed is made instead; NONE */
    bool is_fallback;
    OwnAnswer own_answer;
    bool has_fallback; /* by another edge, or an answer of its own */
    bool is_guarded;   /* its caller may hold an attempt back: a breaker, throttling */
    bool has_hedge;
    bool is_watched; /* some policy hears of single attempts, or a deadline is inherited */
    bool has_latency, has_reply_latency;
    Dist latency, reply_latency; /* seconds; the network's unless the call sets them */
    char *name;                  /* "gateway->llm", for streams and messages */
} Edge;

/* Calls made at once; a service's program is a list of groups made in order. */
typedef struct CallGroup {
    uint32_t first_edge, edge_count;
} CallGroup;

/* How many priorities one scenario may have: a rank is a byte. */
enum { PRIORITY_MAX = 1000, RANKS_MAX = 256 };

/* The beginning that a client's prompts have in common: system prompts, templates. */
typedef struct SharedPrefix {
    uint32_t tokens; /* 0: there is none */
    uint32_t count;  /* of different ones … */
    double s;        /* … and the exponent of their popularity */
} SharedPrefix;

typedef struct Client {
    char *name;
    uint32_t edge; /* the request itself: from the client to its target */
    Component arrivals;
    LoadCurve load;         /* organic load x spikes */
    LoadCurve load_organic; /* without the spikes: what the twin sees */
    bool has_spikes;
    bool has_input_tokens, has_output_tokens; /* otherwise 0, or the trace's own */
    Dist input_tokens, output_tokens;
    SharedPrefix shared_prefix;
    Dist prefix_law;     /* which of them a request has, from 1 */
    double priority;     /* a whole number within PRIORITY_MAX of 0; lower goes first */
    uint8_t rank;        /* of its priority among all clients': 0 goes first */
    uint32_t user_count; /* of a closed client at its highest load; 0 for an open one */
    uint32_t user_first; /* index of its first user among all clients' users */
} Client;

typedef struct QueueDef {
    uint8_t order;  /* QueueOrder */
    uint32_t limit; /* waiting per replica; COUNT_UNLIMITED */
    bool has_timeout;
    Dist timeout; /* seconds, from entering the queue to the start of service */
} QueueDef;

typedef struct Service {
    char *name;
    uint32_t replica_count;
    uint32_t replica_first; /* index of its first replica among all services' replicas */
    Component route;
    Component server;
    Component shed;
    Dist work; /* seconds */
    QueueDef queue;
    uint8_t cancel_on_timeout; /* CancelOnTimeout */
    uint8_t on_capacity_loss;  /* OnCapacityLoss */
    CallGroup *groups;         /* calls in order */
    uint32_t group_count;
    uint32_t slots;   /* what one replica can do at once; COUNT_UNLIMITED */
    uint32_t initial; /* requests in the system at time 0 (run.initial), for nobody */
} Service;

typedef struct Fault {
    Component fault;
    SimTime at;
    bool has_at;       /* otherwise a recurring one begins with a draw of `every` */
    bool has_lasts;    /* `for`; otherwise until the end of the run, or as long as the kind says */
    bool is_recurring; /* organic: `every` is drawn from the end of one to the start of the next */
    Dist lasts, every; /* seconds; a single fault's `lasts` is a constant */
    char *label;       /* for events.csv and pictures: "slow vector-db" */
} Fault;

/* `objectives`: a bound that a run must keep. */
typedef struct Objective {
    uint32_t component;
    uint32_t metric; /* index into models/metrics.def */
    bool at_least;   /* otherwise at most */
    double bound;
    char *text; /* as written: "web success >= 99%" */
} Objective;

typedef struct RunDef {
    SimTime duration, warmup, sample_every;
    double seed; /* a whole number below 2^53 */
    uint32_t replications;
    uint8_t work_draw;       /* WorkDraw */
    uint8_t timeseries;      /* TimeseriesRows */
    double max_events;       /* of one replication; beyond it the run is truncated */
    uint32_t max_in_flight;  /* live requests and attempts of one replication */
    uint32_t stop_service;   /* first passage: stop when this service … or NONE */
    uint32_t stop_in_system; /* … has just this many in the system */
} RunDef;

typedef struct VerdictDef {
    bool is_off; /* `verdict: none`: no twin, no verdict */
    double healthy;
    SimTime hold, settle;
    bool has_horizon; /* otherwise max(10 x the trigger's length, 10 min) */
    SimTime horizon;
    double attempts, latency;         /* a recovered run above these is degraded */
    SimTime trigger_from, trigger_to; /* `trigger: {from, to}`; SIM_TIME_NEVER: none named */
} VerdictDef;

/* Where a trace's records come from. models/ opens no files: experiments/ gives each World a source
 * of its own for each client that replays one. `next` returns false at the end of the trace. */
typedef struct TraceArrival {
    double at_s; /* since the trace began */
    uint32_t input_tokens, output_tokens;
    double rate_per_s; /* of a trace of rates: holds from at_s on */
    /* What the prompt is made of (models/prompt.h); good until `next` is asked again. */
    const uint64_t *hash_ids;
    uint32_t hash_count;
} TraceArrival;

typedef struct TraceSource {
    void *context;
    bool is_rate; /* records are steps of a rate, not arrivals */
    bool (*next)(void *context, TraceArrival *out);
    void (*rewind)(void *context);
} TraceSource;

typedef struct Model {
    char *name, *about;
    RunDef run;
    VerdictDef verdict;
    Client *clients;
    uint32_t client_count;
    Service *services;
    uint32_t service_count;
    uint32_t replica_count;
    uint32_t user_count;
    uint32_t rank_count; /* distinct priorities of clients, 1 or more */
    /* The clients' own first, in the order of clients; then those of services, each group's side by
     * side; then fallbacks. Behind the last, uncounted, is one for each service that nobody calls
     * by: what is there at the start came that way. */
    Edge *edges;
    uint32_t edge_count;
    Fault *faults;
    uint32_t fault_count;
    Objective *objectives;
    uint32_t objective_count;
    SimTime *timers; /* distinct constant timer lengths; the index is the TimerClass */
    uint32_t timer_count;
    bool has_marks;             /* some fault marks requests */
    uint32_t watched_instances; /* of callers, on all watched edges */
    bool has_trigger;
    SimTime trigger_from,
        trigger_to;     /* of all spikes and non-recurring faults; valid if has_trigger */
    const char **files; /* read besides the scenario itself, in the order they are named */
    uint32_t file_count;
    struct ModelArena *arena; /* owns everything above */
} Model;

/* The described parts of the language that are no kinds; each fills the struct named. */
extern const Schema schema_run;     /* RunDef */
extern const Schema schema_verdict; /* VerdictDef */
extern const Schema schema_call;    /* Edge */
extern const Schema schema_own_answer;
extern const Schema schema_queue;         /* QueueDef */
extern const Schema schema_service;       /* Service */
extern const Schema schema_client;        /* Client */
extern const Schema schema_shared_prefix; /* SharedPrefix */
extern const Schema schema_fault;         /* Fault */
extern const Schema schema_network;       /* NetworkDef */

typedef struct NetworkDef {
    Dist latency, reply_latency; /* seconds */
    bool has_reply_latency;
} NetworkDef;

/* A new model that owns nothing yet. */
Model *model_create(void);
void model_destroy(Model *model);

/* Zeroed memory that lives as long as the model. */
void *model_alloc(Model *model, size_t count, size_t size);
char *model_copy_text(Model *model, const char *text);

/* Remembers a file that results depend on; the path is the model's. */
void model_add_file(Model *model, const char *path);

/* Makes the model free the tables of a Dist that lives in it. */
void model_own_dist(Model *model, const Dist *dist);

/* Stretches the trigger's window so that it holds [from, to]: a spike, a fault, a named burst. */
void model_add_trigger(Model *model, SimTime from, SimTime to);

/* How long a fault that does not recur lasts: as `for` says, as its kind says, or the whole run. */
SimTime model_fault_lasts(const Model *model, const Fault *fault);

/* Whether some policy of the edge holds attempts back, or hears of single ones: models/callers.c.
 */
bool edge_is_guarded(const Edge *edge);
bool edge_is_watched(const Edge *edge);
bool edge_has_hedge(const Edge *edge);
/* Bytes of state that a kind needs for each place where it is used. */
size_t component_state_size(const Component *component);
/* Bytes of state that the edge's policies keep for each instance of the caller. */
size_t edge_state_size(const Edge *edge);
/* The most hedges that one call may have. */
uint32_t hedge_most(const Edge *edge);

/* The class of a constant timer; equal lengths share one. */
TimerClass model_add_timer(Model *model, SimTime length);

/* The edge by which what is in the service at the start came there. */
uint32_t model_edge_of_nobody(const Model *model, uint32_t service);

uint32_t model_component_count(const Model *model);
const char *model_component_name(const Model *model, uint32_t component);
bool model_component_is_client(const Model *model, uint32_t component);
static inline uint32_t model_service_component(const Model *model, uint32_t service) {
    DCHECK(service < model->service_count);
    return model->client_count + service;
}

/* NONE when there is no such name. */
uint32_t model_find_component(const Model *model, const char *name);
uint32_t model_find_service(const Model *model, const char *name);

/* Fills in what follows from the rest once all parts are there: indices of replicas and users,
 * slots, timer classes, the trigger's window. The last step of a compile; also for Models built by
 * hand. */
void model_finish(Model *model);

#endif
