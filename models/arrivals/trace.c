#include "models/arrivals/trace.h"
#include "sim/check.h"

typedef struct TraceState {
    double round_from_s; /* where this round through the trace began, on the trace's clock */
    double last_s;       /* the latest time in the trace */
    double spacing_s;    /* of the latest two records: how long a last rate holds */
    uint64_t round_record_count;
    double position_s; /* of the arrival before, at the trace's speed */
    double rate_per_s; /* of a trace of rates: what holds until rate_ends_s */
    double rate_ends_s;
    double next_rate_per_s;
    bool has_next_rate;
    uint64_t calm_count; /* in a twin: arrivals before the burst */
    uint64_t kept_count; /* and those of the burst that were kept */
} TraceState;

/* The next record on the trace's own clock, from the start again when it repeats. */
static bool trace_read(const TraceParams *p, TraceState *s, const TraceSource *trace,
                       TraceArrival *out) {
    CHECK(trace != NULL && trace->next != NULL);
    while (!trace->next(trace->context, out)) {
        double round_s = s->last_s + (trace->is_rate ? s->spacing_s : 0);
        if (!p->repeat || s->round_record_count == 0 || !(round_s > 0)) {
            return false; /* a round that takes no time would never end */
        }
        s->round_from_s += round_s;
        s->round_record_count = 0;
        trace->rewind(trace->context);
    }
    s->spacing_s = s->round_record_count > 0 ? out->at_s - s->last_s : s->spacing_s;
    s->round_record_count++;
    s->last_s = out->at_s;
    out->at_s = (s->round_from_s + out->at_s) / p->speed;
    return true;
}

/* Moves on to the next step of a trace of rates; false after the last one has held its time. */
static bool trace_step_rate(const TraceParams *p, TraceState *s, const TraceSource *trace) {
    CHECK(trace->is_rate);
    TraceArrival record;
    if (!s->has_next_rate) {
        if (s->round_record_count > 0 || !trace_read(p, s, trace, &record)) {
            return false;
        }
        s->next_rate_per_s = record.rate_per_s;
    }
    s->rate_per_s = s->next_rate_per_s * p->speed;
    s->has_next_rate = trace_read(p, s, trace, &record);
    s->rate_ends_s = s->has_next_rate ? record.at_s : s->rate_ends_s + s->spacing_s / p->speed;
    s->next_rate_per_s = s->has_next_rate ? record.rate_per_s : 0;
    return true;
}

/* A trace of rates is a Poisson process whose rate is a staircase: exact, as in mmpp. */
static bool trace_next_of_rates(const TraceParams *p, TraceState *s, Source *source, Arrival *out) {
    CHECK(source->trace->is_rate);
    for (;;) {
        SimTime ends_at = time_from_s(s->rate_ends_s);
        LoadCursor before = *source->cursor;
        out->at = s->rate_per_s > 0
                      ? source_after(source, ziggurat_exponential(source->stream) / s->rate_per_s)
                      : SIM_TIME_NEVER;
        if (out->at < ends_at) {
            return true;
        }
        *source->cursor = before;
        source->now = ends_at > source->now ? ends_at : source->now;
        if (source->now >= source->ends_at || !trace_step_rate(p, s, source->trace)) {
            return false; /* the load may be 0 for ever, and the trace repeat for ever */
        }
    }
}

/* A burst that a scenario names as its trigger is thinned in the twin to the mean rate before it,
 * evenly: an arrival stays when fewer have stayed than that rate would have brought since the burst
 * began. */
static bool trace_keeps(TraceState *s, const Source *source, SimTime at) {
    CHECK(at >= 0);
    if (at < source->calm_from) {
        s->calm_count++;
        return true;
    }
    if (at >= source->calm_to || source->calm_from == 0) {
        return at >= source->calm_to;
    }
    double rate_per_ns = (double)s->calm_count / (double)source->calm_from;
    if ((double)s->kept_count > rate_per_ns * (double)(at - source->calm_from)) {
        return false;
    }
    s->kept_count++;
    return true;
}

static bool trace_next(const void *params, void *state, Source *source, Arrival *out) {
    const TraceParams *p = params;
    TraceState *s = state;
    CHECK(p->speed > 0);
    if (source->trace->is_rate) {
        return trace_next_of_rates(p, s, source, out);
    }
    TraceArrival record;
    do {
        if (!trace_read(p, s, source->trace, &record)) {
            return false;
        }
        double gap_s = record.at_s - s->position_s;
        out->at = source->load->is_one ? time_from_s(record.at_s)
                                       : source_after(source, gap_s > 0 ? gap_s : 0);
        s->position_s = record.at_s;
        if (out->at == SIM_TIME_NEVER) {
            return false;
        }
        source->now = out->at;
    } while (!trace_keeps(s, source, out->at));
    out->has_tokens = true;
    out->input_tokens = record.input_tokens;
    out->output_tokens = record.output_tokens;
    out->hash_ids = record.hash_ids;
    out->hash_count = record.hash_count;
    out->tokens_per_hash = p->tokens_per_hash;
    return true;
}

static const char *trace_file(const void *params) {
    const TraceParams *p = params;
    CHECK(p->file != NULL);
    return p->file;
}

static const Param columns_params[] = {
    {"time", PARAM_TEXT, offsetof(TraceColumnNames, time), .doc = "Of the arrival times."},
    {"input_tokens", PARAM_TEXT, offsetof(TraceColumnNames, input_tokens), .is_optional = true,
     .has_offset = offsetof(TraceColumnNames, has_input_tokens), .doc = "Of the prompt lengths."},
    {"output_tokens", PARAM_TEXT, offsetof(TraceColumnNames, output_tokens), .is_optional = true,
     .has_offset = offsetof(TraceColumnNames, has_output_tokens), .doc = "Of the answer lengths."},
};

static const Schema columns_schema = {"'columns'", columns_params, PARAM_COUNT_OF(columns_params),
                                      sizeof(TraceColumnNames)};

static const Param trace_params[] = {
    {"file", PARAM_FILE, offsetof(TraceParams, file),
     .doc = "CSV or JSON lines; streamed, never held whole."},
    {"format", PARAM_CHOICE, offsetof(TraceParams, format), .preset = "auto",
     .choices = TRACE_FORMATS, .doc = "The columns that the file has; auto looks at its header."},
    {"speed", PARAM_NUMBER, offsetof(TraceParams, speed), .preset = "1", .above_min = true,
     .max = 1e6, .doc = "2 replays it twice as fast."},
    {"repeat", PARAM_FLAG, offsetof(TraceParams, repeat), .preset = "false",
     .doc = "Starts again when the trace has ended."},
    {"tokens_per_hash", PARAM_COUNT, offsetof(TraceParams, tokens_per_hash), .preset = "512",
     .min = 1, .max = 1e6,
     .doc =
         "How many tokens of the prompt each of `hash_ids` stands for, in a trace that has them "
         "(mooncake); prompts of one file are equal as far as their ids are, whoever replays it."},
    {"time_unit", PARAM_CHOICE, offsetof(TraceParams, time_unit), .preset = "s",
     .choices = "s|ms|us|ns", .doc = "Unit of the time column, for a format of your own."},
    {"columns", PARAM_PART, offsetof(TraceParams, columns), .part = &columns_schema,
     .is_optional = true, .has_offset = offsetof(TraceParams, has_columns),
     .doc = "The names of the columns, for a format of your own."},
};

static const ArrivalOps trace_ops = {.next = trace_next, .trace_file = trace_file};

const Kind arrivals_trace = {
    .family = FAMILY_ARRIVALS,
    .name = "trace",
    .doc = "Replays recorded arrivals, with their lengths where the trace has them.",
    .params = trace_params,
    .param_count = PARAM_COUNT_OF(trace_params),
    .params_size = sizeof(TraceParams),
    .state_size = sizeof(TraceState),
    .ops = &trace_ops,
};
