/* The described parts of the language that are no kinds (docs/scenario.md sections 1 to 3). */
#include "models/clients/call_presets.h"
#include "models/model.h"

#define FIELD(Struct, member) .offset = offsetof(Struct, member)

static const Param run_params[] = {
    {"duration", PARAM_DURATION, FIELD(RunDef, duration), .preset = "10min", .above_min = true,
     .max = SIM_TIME_S_MAX, .doc = "How long the simulated run lasts, warm-up included."},
    {"warmup", PARAM_DURATION, FIELD(RunDef, warmup), .preset = "0s", .max = SIM_TIME_S_MAX,
     .doc = "Requests that arrive before this time are simulated but not measured."},
    {"seed", PARAM_NUMBER, FIELD(RunDef, seed), .preset = "1", .max = 9007199254740991.0,
     .doc = "A whole number; the same seed gives the same results, byte for byte."},
    {"replications", PARAM_COUNT, FIELD(RunDef, replications), .preset = "20", .min = 1, .max = 1e6,
     .doc = "How many independent runs are made."},
    {"sample_every", PARAM_DURATION, FIELD(RunDef, sample_every), .preset = "1s", .min = 0.001,
     .max = 3600, .doc = "The interval of one row of timeseries.csv."},
    {"work_draw", PARAM_CHOICE, FIELD(RunDef, work_draw), .preset = "attempt",
     .choices = "attempt|request",
     .doc = "Whether every attempt draws new work, or all attempts of a request need the same."},
    {"timeseries", PARAM_CHOICE, FIELD(RunDef, timeseries), .preset = "all",
     .choices = "all|average|none",
     .doc = "Rows of timeseries.csv for every replication, only their average, or none."},
    {"max_events", PARAM_NUMBER, FIELD(RunDef, max_events), .preset = "1e10", .min = 1, .max = 1e12,
     .doc = "Events of one replication after which it is cut off as truncated."},
    {"max_in_flight", PARAM_COUNT, FIELD(RunDef, max_in_flight), .preset = "4000000", .min = 1,
     .max = 8e6, .doc = "Live attempts of one replication above which it is cut off as truncated."},
};
const Schema schema_run = {"run", run_params, PARAM_COUNT_OF(run_params), sizeof(RunDef)};

static const Param verdict_params[] = {
    {"healthy", PARAM_RATIO, FIELD(VerdictDef, healthy), .preset = "95%", .above_min = true,
     .max = 1, .doc = "Goodput below this share of the twin's counts as not healthy."},
    {"hold", PARAM_DURATION, FIELD(VerdictDef, hold), .preset = "30s", .above_min = true,
     .max = SIM_TIME_S_MAX, .doc = "The window over which goodput is taken."},
    {"settle", PARAM_DURATION, FIELD(VerdictDef, settle), .preset = "10s", .max = SIM_TIME_S_MAX,
     .doc = "Time given after the trigger's end before the horizon begins."},
    {"horizon", PARAM_DURATION, FIELD(VerdictDef, horizon), .max = SIM_TIME_S_MAX,
     .is_optional = true, .has_offset = offsetof(VerdictDef, has_horizon),
     .doc = "How long a system may stay down before it counts as metastable; left out: "
            "10 times the trigger's length, at least 10min."},
    {"attempts", PARAM_NUMBER, FIELD(VerdictDef, attempts), .preset = "1.05", .min = 1,
     .max = PARAM_NO_MAX,
     .doc = "A recovered run with more attempts per request than this many "
            "times its twin's is degraded."},
    {"latency", PARAM_NUMBER, FIELD(VerdictDef, latency), .preset = "1.1", .min = 1,
     .max = PARAM_NO_MAX,
     .doc = "A recovered run with a median latency above this many times its twin's is degraded."},
};
const Schema schema_verdict = {"verdict", verdict_params, PARAM_COUNT_OF(verdict_params),
                               sizeof(VerdictDef)};

static const Param call_params[] = {
    {"to", PARAM_SERVICE, FIELD(Edge, to), .doc = "The service that is called."},
    {"timeout", PARAM_DURATIONS, FIELD(Edge, timeout), .preset = "none", .above_min = true,
     .max = SIM_TIME_S_MAX, .may_be_unlimited = true,
     .doc = "How long the caller waits for one attempt, from its sending; a list gives one per "
            "attempt, the last one for all further attempts."},
    {"deadline", PARAM_DURATION, FIELD(Edge, deadline), .preset = "none", .above_min = true,
     .max = SIM_TIME_S_MAX, .may_be_unlimited = true,
     .doc = "How long the caller waits for the whole call with all its attempts."},
    {"propagate", PARAM_FLAG, FIELD(Edge, propagates), .preset = "false",
     .doc =
         "Whether the deadline is carried along: all calls that are made for this one, down to the "
         "last service, end with it, and are not made after it."},
    {"retry", PARAM_KIND, FIELD(Edge, retry), .preset = "none", .family = FAMILY_RETRY,
     .doc = "Whether and when a failed attempt is tried again."},
    {"retry_on", PARAM_CHOICES, FIELD(Edge, retry_on), .preset = "[timeout, error]",
     .choices = "timeout|error|refused", .doc = "Which failures of an attempt are retried."},
    {"retry_after", PARAM_CHOICE, FIELD(Edge, retry_after), .preset = "ignored",
     .choices = "ignored|at_least|replaces",
     .doc =
         "What a wait that a failure asks for (Retry-After, push-back) does to the backoff: "
         "nothing; it makes it as long at least; it replaces it. Where it counts, a failure that "
         "asks never to be retried is not."},
    {"retry_after_max", PARAM_DURATION, FIELD(Edge, retry_after_max), .preset = "none",
     .max = SIM_TIME_S_MAX, .may_be_unlimited = true,
     .doc = "By how much such a wait lengthens the backoff at most; of one that replaces it, how "
            "long it is at most."},
    {"late_reply", PARAM_CHOICE, FIELD(Edge, late_reply), .preset = "ignored",
     .choices = "ignored|counts|counts_while_in_flight",
     .doc = "Whether a reply to an attempt that timed out still completes the call: never, until "
            "the call has failed for good, or only while another attempt is out."},
    {"retry_budget", PARAM_KIND, FIELD(Edge, budget), .preset = "none",
     .family = FAMILY_RETRY_BUDGET, .doc = "How many retries the caller may add."},
    {"circuit_breaker", PARAM_KIND, FIELD(Edge, breaker), .preset = "none",
     .family = FAMILY_CIRCUIT_BREAKER,
     .doc = "When the caller refuses attempts itself because too many have failed."},
    {"client_throttle", PARAM_KIND, FIELD(Edge, throttle), .preset = "none",
     .family = FAMILY_CLIENT_THROTTLE,
     .doc = "Whether the caller sends less by itself when its attempts are turned away."},
    {"hedge", PARAM_KIND, FIELD(Edge, hedge), .preset = "none", .family = FAMILY_HEDGE,
     .doc =
         "Whether another attempt goes out while one is still out; the first good answer counts."},
    {"instances", PARAM_COUNT, FIELD(Edge, instances), .preset = "1", .min = 1, .max = 100000,
     .doc = "Instances of the caller that share its calls in turn, each with a retry budget, a "
            "circuit breaker and the like of its own."},
    {"probability", PARAM_RATIO, FIELD(Edge, probability), .preset = "100%", .max = 1,
     .doc = "The share of requests for which the call is made at all."},
    {"on_failure", PARAM_CHOICE, FIELD(Edge, on_failure), .preset = "fail",
     .choices = "fail|ignore",
     .doc = "What a call that failed for good does to its caller's own request."},
    {"latency", PARAM_DIST, FIELD(Edge, latency), .unit = "s", .is_optional = true,
     .has_offset = offsetof(Edge, has_latency),
     .doc = "Network latency on the way there; left out: the network's default."},
    {"reply_latency", PARAM_DIST, FIELD(Edge, reply_latency), .unit = "s", .is_optional = true,
     .has_offset = offsetof(Edge, has_reply_latency),
     .doc = "Network latency on the way back; left out: as on the way there."},
};
const Schema schema_call = {"a call",     call_params,  PARAM_COUNT_OF(call_params),
                            sizeof(Edge), call_presets, CALL_PRESET_COUNT};

static const Param stale_cache_params[] = {
    {"hit_ratio", PARAM_RATIO, FIELD(StaleCache, hit_ratio), .preset = "100%", .max = 1,
     .doc = "How often an old answer is at hand; otherwise the call has failed."},
    {"time", PARAM_DIST, FIELD(StaleCache, time), .preset = "0s", .unit = "s",
     .doc = "How long it takes to find."},
};
static const Schema schema_stale_cache = {"'stale_cache'", stale_cache_params,
                                          PARAM_COUNT_OF(stale_cache_params), sizeof(StaleCache)};

static const Param own_answer_params[] = {
    {"value", PARAM_DIST, FIELD(OwnAnswer, value), .unit = "s", .is_optional = true,
     .has_offset = offsetof(OwnAnswer, has_value),
     .doc = "The caller takes a value of its own, after this time; the call has succeeded."},
    {"stale_cache", PARAM_PART, FIELD(OwnAnswer, stale_cache), .part = &schema_stale_cache,
     .is_optional = true, .has_offset = offsetof(OwnAnswer, has_stale_cache),
     .doc = "The caller takes an old answer, if it has one; the call has succeeded."},
};
const Schema schema_own_answer = {"a fallback", own_answer_params,
                                  PARAM_COUNT_OF(own_answer_params), sizeof(OwnAnswer)};

static const Param queue_params[] = {
    {"order", PARAM_CHOICE, FIELD(QueueDef, order), .preset = "fifo",
     .choices = "fifo|lifo|priority",
     .doc = "Which waiting attempt is served next: the oldest, the youngest, or the oldest of the "
            "client that goes first by its `priority`."},
    {"limit", PARAM_COUNT, FIELD(QueueDef, limit), .preset = "unlimited", .max = 4e9,
     .may_be_unlimited = true,
     .doc = "Attempts that may wait at one replica; more are refused. 0 is a loss system."},
    {"timeout", PARAM_DIST, FIELD(QueueDef, timeout), .unit = "s", .is_optional = true,
     .has_offset = offsetof(QueueDef, has_timeout),
     .doc = "How long an attempt waits before it leaves the queue unserved, from entering it to "
            "the start of service."},
};
const Schema schema_queue = {"a queue", queue_params, PARAM_COUNT_OF(queue_params),
                             sizeof(QueueDef)};

static const Param service_params[] = {
    {"replicas", PARAM_COUNT, FIELD(Service, replica_count), .preset = "1", .min = 1, .max = 100000,
     .doc = "How many servers of this kind there are, each with a queue of its own."},
    {"route", PARAM_KIND, FIELD(Service, route), .preset = "least_requests", .family = FAMILY_ROUTE,
     .doc = "Which replica gets an attempt."},
    {"server", PARAM_KIND, FIELD(Service, server), .preset = "pool", .family = FAMILY_SERVER,
     .doc = "How a replica does its work."},
    {"work", PARAM_DIST, FIELD(Service, work), .preset = "0s", .unit = "s",
     .doc = "The service's own work on one attempt, before it calls anyone."},
    {"shed", PARAM_KIND, FIELD(Service, shed), .preset = "none", .family = FAMILY_SHED,
     .doc = "Which attempts are refused although the queue has room."},
    {"cancel_on_timeout", PARAM_CHOICE, FIELD(Service, cancel_on_timeout), .preset = "never",
     .choices = "never|queued|anywhere",
     .doc = "Where an attempt is dropped when its caller stops waiting: nowhere, while it still "
            "waits in the queue, or anywhere."},
    {"on_capacity_loss", PARAM_CHOICE, FIELD(Service, on_capacity_loss), .preset = "suspend",
     .choices = "suspend|drain|kill",
     .doc = "What happens to running work when a fault takes slots away: it stops and resumes, "
            "it finishes, or it is lost."},
};
const Schema schema_service = {"a service", service_params, PARAM_COUNT_OF(service_params),
                               sizeof(Service)};

static const Param client_params[] = {
    {"arrivals", PARAM_KIND, FIELD(Client, arrivals), .family = FAMILY_ARRIVALS,
     .doc = "When its requests arrive."},
    {"input_tokens", PARAM_DIST, FIELD(Client, input_tokens), .unit = "tok", .is_optional = true,
     .has_offset = offsetof(Client, has_input_tokens),
     .doc = "Length of a request's prompt, in a session of the new message; left out: the trace's "
            "own, or 0."},
    {"output_tokens", PARAM_DIST, FIELD(Client, output_tokens), .unit = "tok", .is_optional = true,
     .has_offset = offsetof(Client, has_output_tokens),
     .doc = "Length of the answer; left out: the trace's own, or 0."},
    {"priority", PARAM_NUMBER, FIELD(Client, priority), .preset = "0", .min = -PRIORITY_MAX,
     .max = PRIORITY_MAX,
     .doc = "A whole number: whose requests go first where a server or a queue looks at it; lower "
            "goes first, as in vLLM."},
};
const Schema schema_client = {"a client", client_params, PARAM_COUNT_OF(client_params),
                              sizeof(Client)};

static const Param shared_prefix_params[] = {
    {"tokens", PARAM_COUNT, FIELD(SharedPrefix, tokens), .min = 1, .max = 1e9,
     .doc = "Length of the prefix. It is part of `input_tokens`, and a shorter prompt has only so "
            "much of it; in a session it stands before the first message."},
    {"count", PARAM_COUNT, FIELD(SharedPrefix, count), .preset = "1", .min = 1, .max = 1e9,
     .doc = "How many different ones there are; each request, or session, has one of them."},
    {"s", PARAM_NUMBER, FIELD(SharedPrefix, s), .preset = "1", .max = 100,
     .doc = "The k-th most popular of them has a weight of k^-s; 0: all are equally popular."},
};
const Schema schema_shared_prefix = {"a shared prefix", shared_prefix_params,
                                     PARAM_COUNT_OF(shared_prefix_params), sizeof(SharedPrefix)};

static const Param fault_params[] = {
    {"at", PARAM_DURATION, FIELD(Fault, at), .max = SIM_TIME_S_MAX, .is_optional = true,
     .has_offset = offsetof(Fault, has_at), .doc = "When it begins."},
    {"for", PARAM_DIST, FIELD(Fault, lasts), .unit = "s", .is_optional = true,
     .has_offset = offsetof(Fault, has_lasts),
     .doc = "How long it lasts; left out: until the end of the run."},
    {"every", PARAM_DIST, FIELD(Fault, every), .unit = "s", .is_optional = true,
     .has_offset = offsetof(Fault, is_recurring),
     .doc = "Time between the end of one and the start of the next; such a fault belongs to "
            "everyday life and is no trigger."},
};
const Schema schema_fault = {"a fault", fault_params, PARAM_COUNT_OF(fault_params), sizeof(Fault)};

static const Param network_params[] = {
    {"latency", PARAM_DIST, FIELD(NetworkDef, latency), .preset = "0s", .unit = "s",
     .doc = "One way, drawn for each message."},
    {"reply_latency", PARAM_DIST, FIELD(NetworkDef, reply_latency), .unit = "s",
     .is_optional = true, .has_offset = offsetof(NetworkDef, has_reply_latency),
     .doc = "The way back; left out: as `latency`."},
};
const Schema schema_network = {"a network", network_params, PARAM_COUNT_OF(network_params),
                               sizeof(NetworkDef)};
