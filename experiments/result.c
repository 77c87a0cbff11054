#include "experiments/result.h"

#include <math.h>
#include <string.h>

#include "sim/check.h"

void result_take(World *world, Result *out) {
    Probe *probe = &world->probe;
    uint32_t component_count = probe->component_count;
    out->replication = world->options.replication;
    out->component_count = component_count;
    out->sample_count = probe->sample_count;
    out->summary = mem_alloc(component_count * METRIC_COUNT * sizeof *out->summary);
    for (uint32_t i = 0; i < component_count; i++) {
        probe_measure(probe, i, world->now, out->summary + (size_t)i * METRIC_COUNT);
    }
    CHECK(probe->series.count == (size_t)probe->sample_count * component_count * SERIES_WIDTH);
    out->series = probe->series.items;
    probe->series.items = NULL;
    probe->series.count = probe->series.capacity = 0;
    out->event_count = world->event_count;
    out->tie_count = world->tie_count;
    out->fingerprint = world->fingerprint;
    out->stop_reason = world->stop_reason;
    out->stopped_at = world->now;
    out->trigger_to = world->model->has_trigger ? world_trigger_to(world) : 0;
}

void result_free(Result *result) {
    mem_free(result->summary);
    mem_free(result->series);
    vec_free(&result->changes);
    vec_free(&result->requests);
    verdict_free(&result->verdict);
}

SeriesView result_series(const Result *result) {
    return (SeriesView){result->series, result->sample_count, result->component_count};
}

double result_detected_at_s(const Model *model, const Result *result) {
    SimTime from = model->has_trigger ? model->trigger_from : 0;
    for (size_t i = 0; i < result->changes.count; i++) {
        const Note *note = &result->changes.items[i];
        if (note->at >= from && strcmp(note->what, "alert_fires") == 0) {
            return time_to_s(note->at);
        }
    }
    return NAN;
}

const char *stop_reason_name(StopReason reason) {
    switch (reason) {
    case STOP_AT_END:
        return "end";
    case STOP_WHEN:
        return "stop_when";
    case STOP_EVENTS:
        return "max_events";
    case STOP_IN_FLIGHT:
        return "max_in_flight";
    case STOP_NO_PROGRESS:
        return "no_progress";
    case STOP_INTERRUPTED:
        return "interrupt";
    }
    CHECK(!"a reason to stop has a name");
    return NULL;
}

bool stop_reason_truncates(StopReason reason) {
    return reason == STOP_EVENTS || reason == STOP_IN_FLIGHT || reason == STOP_NO_PROGRESS;
}
