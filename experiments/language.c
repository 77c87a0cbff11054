#include "experiments/language.h"

#include "sim/check.h"

#define FIELD(Struct, member) .offset = offsetof(Struct, member)

static const Param load_point_params[] = {
    {"at", PARAM_DURATION, FIELD(LoadPoint, at), .max = SIM_TIME_S_MAX,
     .doc = "When it begins to count."},
    {"x", PARAM_NUMBER, FIELD(LoadPoint, x), .max = 1e6, .doc = "The factor on the client's rate."},
    {"ramp", PARAM_DURATION, FIELD(LoadPoint, ramp), .preset = "0s", .max = SIM_TIME_S_MAX,
     .doc = "How long the way to it takes, in a straight line."},
};
const Schema schema_load_point = {"a point of the load", load_point_params,
                                  PARAM_COUNT_OF(load_point_params), sizeof(LoadPoint)};

static const Param spike_params[] = {
    {"at", PARAM_DURATION, FIELD(LoadSpike, at), .max = SIM_TIME_S_MAX, .doc = "When it begins."},
    {"for", PARAM_DURATION, FIELD(LoadSpike, lasts), .above_min = true, .max = SIM_TIME_S_MAX,
     .doc = "How long it lasts, rise and fall included."},
    {"x", PARAM_NUMBER, FIELD(LoadSpike, x), .max = 1e6,
     .doc = "What it multiplies the rate by; below 1 it is a dip."},
    {"ramp", PARAM_DURATION, FIELD(LoadSpike, ramp), .preset = "0s", .max = SIM_TIME_S_MAX,
     .doc = "How long the rise takes, and as long the fall."},
};
const Schema schema_spike = {"a spike", spike_params, PARAM_COUNT_OF(spike_params),
                             sizeof(LoadSpike)};

static const Param sine_params[] = {
    {"amplitude", PARAM_RATIO, FIELD(LoadSpec, sine_amplitude), .max = 1,
     .doc = "How far the rate swings to both sides, as a share of it."},
    {"period", PARAM_DURATION, FIELD(LoadSpec, sine_period), .above_min = true,
     .max = SIM_TIME_S_MAX, .doc = "The length of one wave."},
    {"phase", PARAM_NUMBER, FIELD(LoadSpec, sine_phase), .preset = "0", .unit = "radians",
     .min = -1000, .max = 1000, .doc = "Where in the wave the run begins."},
};
const Schema schema_sine = {"a sine", sine_params, PARAM_COUNT_OF(sine_params), sizeof(LoadSpec)};

static const Param load_params[] = {
    {"interpolate", PARAM_CHOICE, 0, .preset = "hold", .choices = "hold|linear",
     .doc = "hold: a point's x holds until the next point; linear: straight lines join the "
            "points."},
};
const Schema schema_load = {"a load", load_params, PARAM_COUNT_OF(load_params), sizeof(uint8_t)};

static const Param initial_params[] = {
    {"in_system", PARAM_COUNT, 0, .max = 1e6,
     .doc = "Requests that are already in the service when the run begins, for nobody."},
};
const Schema schema_initial = {"an initial state", initial_params, PARAM_COUNT_OF(initial_params),
                               sizeof(uint32_t)};

static const Param stop_when_params[] = {
    {"service", PARAM_SERVICE, FIELD(StopWhen, service), .doc = "The service that is watched."},
    {"in_system", PARAM_COUNT, FIELD(StopWhen, in_system), .max = 4e9,
     .doc = "The run stops as soon as just this many are in it."},
};
const Schema schema_stop_when = {"'stop_when'", stop_when_params, PARAM_COUNT_OF(stop_when_params),
                                 sizeof(StopWhen)};

static const Param trigger_params[] = {
    {"from", PARAM_DURATION, FIELD(Trigger, from), .max = SIM_TIME_S_MAX,
     .doc = "When the burst in a trace begins."},
    {"to", PARAM_DURATION, FIELD(Trigger, to), .above_min = true, .max = SIM_TIME_S_MAX,
     .doc =
         "When it ends; of what arrives between the two the twin keeps the mean rate from before."},
};
const Schema schema_trigger = {"'trigger'", trigger_params, PARAM_COUNT_OF(trigger_params),
                               sizeof(Trigger)};

static const Param target_params[] = {
    {"target", PARAM_SERVICE, 0, .doc = "The service that the client's requests go to."},
};
const Schema schema_target = {"a client", target_params, PARAM_COUNT_OF(target_params),
                              sizeof(uint32_t)};

static const LanguagePart parts[] = {
    {NULL, "knockon", PART_TEXT, NULL, true, "Version of the language: 1."},
    {NULL, "name", PART_TEXT, NULL, false,
     "Names the results' directory; left out: the file's name."},
    {NULL, "about", PART_TEXT, NULL, false, "What the scenario shows, for people."},
    {NULL, "run", PART_MAP, &schema_run, false, "How long, how often, how it is sampled."},
    {NULL, "clients", PART_NAMED, &schema_client, false, "Who sends requests, by name."},
    {NULL, "services", PART_NAMED, &schema_service, true, "Who answers them, by name."},
    {NULL, "network", PART_MAP, NULL, false, "What messages meet on their way."},
    {NULL, "faults", PART_FAULTS, &schema_fault, false, "What breaks, when and for how long."},
    {NULL, "objectives", PART_OBJECTIVES, NULL, false,
     "Bounds that a run must keep; it exits with 3 when it misses one."},
    {NULL, "verdict", PART_MAP_OR_NONE, &schema_verdict, false,
     "How a run is compared with its twin, the same run without triggers."},
    {NULL, "trigger", PART_MAP, &schema_trigger, false, "Names a burst inside a trace."},
    {&schema_run, "initial", PART_NAMED, &schema_initial, false,
     "What is in a service when the run begins, by service."},
    {&schema_run, "stop_when", PART_MAP, &schema_stop_when, false, "Ends a run early."},
    {&schema_client, "target", PART_TEXT, NULL, true, "The service that its requests go to."},
    {&schema_client, "call", PART_MAP, &schema_call, false, "How it calls its target."},
    {&schema_client, "shared_prefix", PART_MAP, &schema_shared_prefix, false,
     "What its prompts begin with: system prompts, templates."},
    {&schema_client, "load", PART_LOAD, &schema_load, false,
     "A factor on the rate over time; the twin has it too."},
    {&schema_client, "spikes", PART_LIST, &schema_spike, false,
     "Bursts that multiply the rate: triggers, which the twin does not have."},
    {&schema_load, "points", PART_LIST, &schema_load_point, false,
     "The factor over time: 1 before the first point."},
    {&schema_load, "sine", PART_MAP, &schema_sine, false, "A wave that multiplies the points."},
    {&schema_service, "queue", PART_MAP, &schema_queue, false, "Who waits, and how."},
    {&schema_service, "calls", PART_CALLS, &schema_call, false,
     "Calls to other services after its own work, in order; `parallel: [...]` makes some at once."},
    {&schema_call, "fallback", PART_FALLBACK, &schema_call, false,
     "What stands in for a call that has failed for good: a call to another service, with the keys "
     "of a call, or an answer of the caller's own."},
};

size_t language_part_count(void) {
    return sizeof parts / sizeof parts[0];
}

const LanguagePart *language_part(size_t index) {
    CHECK(index < language_part_count());
    return &parts[index];
}

static const ObjectiveKey objective_keys[] = {
    {"success", "success_ratio"},
    {"p50", "latency_s_p50"},
    {"p95", "latency_s_p95"},
    {"p99", "latency_s_p99"},
    {"mean", "latency_s_mean"},
    {"goodput", "goodput_per_s"},
    {"attempts", "amplification_mean"},
    {"utilization", "utilization_ratio"},
    {"wasted", "wasted_ratio"},
    {"availability", "availability_ratio"},
    {"queue_wait_p95", "queue_wait_s_p95"},
    {"queue_wait_p99", "queue_wait_s_p99"},
    {"ttft_p50", "ttft_s_p50"},
    {"ttft_p95", "ttft_s_p95"},
    {"ttft_p99", "ttft_s_p99"},
    {"ttft_mean", "ttft_s_mean"},
    {"tpot_p50", "tpot_s_p50"},
    {"tpot_p95", "tpot_s_p95"},
    {"tpot_p99", "tpot_s_p99"},
    {"tpot_mean", "tpot_s_mean"},
    {"itl_p50", "itl_s_p50"},
    {"itl_p95", "itl_s_p95"},
    {"itl_p99", "itl_s_p99"},
    {"itl_mean", "itl_s_mean"},
    {"kv_use", "kv_use_ratio"},
};

size_t objective_key_count(void) {
    return sizeof objective_keys / sizeof objective_keys[0];
}

const ObjectiveKey *objective_key(size_t index) {
    CHECK(index < objective_key_count());
    return &objective_keys[index];
}
