/* The probe: the only place where numbers are taken.
 *
 * It counts, records and keeps levels for every component (clients first, then services), in two
 * scopes: the whole measured run, to which a request belongs when it arrived after the warm-up, and
 * the current sample interval, to which everything belongs that happens in it. It draws no random
 * number and schedules no event: the event hash is the same when it is off. Each call costs 1 to 4
 * ns and allocates nothing; the series grows by one row per sample and component.
 */
#ifndef KNOCKON_MODELS_PROBE_H
#define KNOCKON_MODELS_PROBE_H

#include "models/model.h"
#include "sim/hist.h"
#include "sim/stats.h"
#include "sim/vec.h"

typedef enum Metric {
#define METRIC(id, column, unit, who, doc) METRIC_##id,
#include "models/metrics.def"
#undef METRIC
    METRIC_COUNT
} Metric;

/* Bits of MetricInfo.who. */
enum {
    METRIC_OF_CLIENT = 1,
    METRIC_OF_SERVICE = 2,
    METRIC_OF_TOKENS = 4, /* of those only where there are tokens: ServerOps.has_tokens */
};

typedef struct MetricInfo {
    const char *column; /* in summary.csv and timeseries.csv */
    const char *unit;
    unsigned who;
    const char *doc;
} MetricInfo;

const MetricInfo *metric_info(uint32_t metric);
uint32_t metric_find(const char *column); /* METRIC_COUNT when there is none */

/* What is counted. Work is counted in nanoseconds, by an inference server in tokens computed. */
typedef enum Count {
    COUNT_OFFERED,
    COUNT_ANSWERED,
    COUNT_LATE,
    COUNT_TIMEOUT,
    COUNT_REFUSED,
    COUNT_ERROR,
    COUNT_ABANDONED,
    COUNT_ATTEMPTS,
    COUNT_WAITED,
    COUNT_WORK,
    COUNT_WASTED,
    COUNT_BATCHES,
    COUNT_BATCHED,
    COUNT_FULL_BATCHES,
    COUNT_OUTAGES,
    COUNT_INPUT_TOKENS,  /* computed in prefill, recomputation included */
    COUNT_OUTPUT_TOKENS, /* produced */
    COUNT_PREEMPTIONS,
    COUNT_RECOMPUTED,     /* tokens computed again after a preemption */
    COUNT_PREFIX_QUERIED, /* tokens looked up in the prefix cache on admission */
    COUNT_PREFIX_HIT,     /* and found there */
    COUNT_UNSERVABLE,     /* answered with an error because they can never fit */
    COUNT_FALLBACKS,      /* calls that had failed and were made by their fallback */
    COUNT_HEDGES,         /* attempts sent beside others, or at once after a failure */
    COUNT_HELD_BACK,      /* attempts that were not sent: an open breaker, throttling */
    COUNT_KIND_COUNT
} Count;

typedef enum LevelKind {
    LEVEL_WAITING,
    LEVEL_IN_SYSTEM,
    LEVEL_BUSY,
    LEVEL_BACKOFF, /* calls that wait for their next attempt */
    LEVEL_SLOTS,
    LEVEL_DOWN,          /* replicas that are down */
    LEVEL_ORPHANED,      /* attempts in a service that no caller waits for */
    LEVEL_KV_USED,       /* KV blocks in use, all replicas */
    LEVEL_KV_BLOCKS,     /* KV blocks there are */
    LEVEL_OPEN_BREAKERS, /* circuit breakers of the component's calls that are open */
    LEVEL_KIND_COUNT
} LevelKind;

typedef enum Recorded {
    RECORDED_LATENCY,
    RECORDED_WAIT,
    RECORDED_FAILED,
    RECORDED_WITHOUT_TOKENS,                 /* so many of them where no service has tokens */
    RECORDED_TTFT = RECORDED_WITHOUT_TOKENS, /* time to first token, of a request or attempt */
    RECORDED_TPOT, /* time per output token after the first, mean of a request or attempt */
    RECORDED_ITL,  /* inter-token latency: between two tokens of one sequence */
    RECORDED_COUNT
} Recorded;

typedef struct ComponentProbe {
    uint64_t counts[2][COUNT_KIND_COUNT]; /* by whether the request is measured */
    Hist *total;                          /* measured requests, Probe.recorded_count of them */
    Hist *interval;                       /* since the last sample, as many */
    Level levels[LEVEL_KIND_COUNT];
    uint64_t counts_before[COUNT_KIND_COUNT]; /* at the last sample */
    __int128 integrals_before[LEVEL_KIND_COUNT];
    SimTime idle_before;
    int64_t in_system_before;
} ComponentProbe;

/* A row of the series: the metrics over the interval, then what was in the system at its start. */
enum { SERIES_IN_SYSTEM = METRIC_COUNT, SERIES_WIDTH };

typedef struct Probe {
    ComponentProbe *components;
    Hist *hists; /* of all components */
    uint32_t component_count, client_count;
    uint32_t recorded_count; /* RECORDED_WITHOUT_TOKENS or RECORDED_COUNT: see probe_init */
    const Model *model;
    bool is_off;
    SimTime warmup, sample_every;
    SimTime sampled_at;     /* end of the last interval */
    SimTime next_sample_at; /* SIM_TIME_NEVER when it is off */
    uint32_t sample_count;
    VEC(double) series; /* [sample][component][SERIES_WIDTH]; missing is NaN */
} Probe;

void probe_init(Probe *probe, const Model *model, bool is_off);
void probe_free(Probe *probe);

/* Closes all intervals that end at or before `now`. */
void probe_sample(Probe *probe, SimTime now);

/* Measuring begins: levels forget the past. */
void probe_end_warmup(Probe *probe, SimTime now);

/* The metrics of the measured run up to `now`, METRIC_COUNT of them; missing is NaN. */
void probe_measure(const Probe *probe, uint32_t component, SimTime now, double *values);

/* Cell of the series. */
static inline double probe_series(const Probe *probe, uint32_t sample, uint32_t component,
                                  uint32_t column) {
    DCHECK(component < probe->component_count && column < SERIES_WIDTH);
    return probe->series
        .items[((size_t)sample * probe->component_count + component) * SERIES_WIDTH + column];
}

static inline void probe_add(Probe *probe, uint32_t component, Count count, bool is_measured,
                             uint64_t amount) {
    if (!probe->is_off) {
        DCHECK(component < probe->component_count && count < COUNT_KIND_COUNT);
        probe->components[component].counts[is_measured][count] += amount;
    }
}

static inline void probe_count(Probe *probe, uint32_t component, Count count, bool is_measured) {
    probe_add(probe, component, count, is_measured, 1);
}

static inline void probe_level(Probe *probe, uint32_t component, LevelKind kind, SimTime now,
                               int64_t change) {
    if (!probe->is_off) {
        DCHECK(component < probe->component_count && kind < LEVEL_KIND_COUNT);
        level_add(&probe->components[component].levels[kind], now, change);
    }
}

/* The same for a level whose changes come in any order, one of LEVEL_KV_*: see level_add_at. `at`
 * is not before the end of the warm-up or of the last sample, if that has passed. */
static inline void probe_level_at(Probe *probe, uint32_t component, LevelKind kind, SimTime at,
                                  int64_t change) {
    if (!probe->is_off) {
        DCHECK(component < probe->component_count);
        DCHECK(kind == LEVEL_KV_USED || kind == LEVEL_KV_BLOCKS);
        level_add_at(&probe->components[component].levels[kind], at, change);
    }
}

static inline void probe_record(Probe *probe, uint32_t component, Recorded what, bool is_measured,
                                SimTime value) {
    if (!probe->is_off) {
        DCHECK(component < probe->component_count && what < probe->recorded_count);
        ComponentProbe *at = &probe->components[component];
        uint32_t bucket = hist_bucket(value);
        hist_record_in(&at->interval[what], bucket, value);
        if (is_measured) {
            hist_record_in(&at->total[what], bucket, value);
        }
    }
}

/* The same value so many times. */
static inline void probe_record_many(Probe *probe, uint32_t component, Recorded what,
                                     bool is_measured, SimTime value, uint64_t count) {
    if (!probe->is_off) {
        DCHECK(component < probe->component_count && what < probe->recorded_count);
        ComponentProbe *at = &probe->components[component];
        uint32_t bucket = hist_bucket(value);
        hist_record_many_in(&at->interval[what], bucket, value, count);
        if (is_measured) {
            hist_record_many_in(&at->total[what], bucket, value, count);
        }
    }
}

#endif
