/* Which services broke, in which order, and how far apart in the graph of calls. */
#include "experiments/verdict_cascade.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/verdict_windows.h"
#include "models/faults/fault.h"
#include "sim/check.h"
#include "sim/vec.h"

static bool has_own_fault(const Model *model, uint32_t component) {
    for (uint32_t i = 0; i < model->fault_count; i++) {
        const Component *fault = &model->faults[i].fault;
        const FaultOps *ops = fault->kind->ops;
        if (ops->is_at(fault->params, model, component)) {
            return true;
        }
    }
    return false;
}

/* When the service stopped answering enough of what reaches it: in the first window that is short,
 * the first sample that is short by itself. NaN when it never did. */
static double break_s(const Model *model, const SeriesView *run, const SeriesView *twin,
                      uint32_t component, uint32_t width) {
    Sums sums, twin_sums;
    sums_init(&sums, run, component, component + 1);
    sums_init(&twin_sums, twin, component, component + 1);
    const Sums *calm = model->has_trigger ? &twin_sums : NULL;
    double healthy = model->verdict.healthy;
    uint32_t count =
        run->sample_count < twin->sample_count ? run->sample_count : twin->sample_count;
    uint32_t end = width;
    while (end <= count && !is_short(&sums, calm, end - width, end, healthy)) {
        end++;
    }
    uint32_t sample = end - width;
    while (end <= count && sample + 1 < end &&
           !is_short(&sums, calm, sample, sample + 1, healthy)) {
        sample++;
    }
    sums_free(&sums);
    sums_free(&twin_sums);
    return end <= count ? sample * time_to_s(model->run.sample_every) : NAN;
}

/* How many calls lie below each component at most: what is called breaks before who calls it. The
 * graph has no cycles, so relaxing all edges until nothing moves comes to an end. The caller frees
 * it. */
static uint32_t *measure_depths(const Model *model) {
    uint32_t *below = mem_zalloc(model_component_count(model), sizeof *below);
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < model->edge_count; i++) {
            uint32_t through = 1 + below[model_service_component(model, model->edges[i].to)];
            if (through > below[model->edges[i].caller]) {
                below[model->edges[i].caller] = through;
                moved = true;
            }
        }
    }
    return below;
}

static int by_time(const void *left, const void *right) {
    const Breakage *a = left, *b = right;
    if (a->at_s != b->at_s) {
        return a->at_s < b->at_s ? -1 : 1;
    }
    if (a->is_own_fault != b->is_own_fault) {
        return a->is_own_fault ? -1 : 1;
    }
    if (a->calls_below != b->calls_below) {
        return a->calls_below < b->calls_below ? -1 : 1;
    }
    return a->component < b->component ? -1 : a->component > b->component;
}

/* Calls between two services, along edges in either direction; NONE when they are not connected. A
 * breadth-first search by relaxing all edges until nothing moves: graphs are small. */
static uint32_t distance(const Model *model, uint32_t from, uint32_t to) {
    uint32_t count = model_component_count(model);
    uint32_t *far = mem_alloc(count * sizeof *far);
    for (uint32_t i = 0; i < count; i++) {
        far[i] = i == from ? 0 : NONE;
    }
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < model->edge_count; i++) {
            uint32_t a = model->edges[i].caller;
            uint32_t b = model_service_component(model, model->edges[i].to);
            if (far[a] != NONE && (far[b] == NONE || far[b] > far[a] + 1)) {
                far[b] = far[a] + 1;
                moved = true;
            }
            if (far[b] != NONE && (far[a] == NONE || far[a] > far[b] + 1)) {
                far[a] = far[b] + 1;
                moved = true;
            }
        }
    }
    uint32_t result = far[to];
    mem_free(far);
    return result;
}

void cascade_find(const Model *model, const SeriesView *run, const SeriesView *twin,
                  Verdict *verdict) {
    double sample_s = time_to_s(model->run.sample_every);
    uint32_t width = (uint32_t)ceil(time_to_s(model->verdict.hold) / sample_s);
    CHECK(width > 0);
    verdict->breakages = mem_zalloc(model->service_count, sizeof *verdict->breakages);
    uint32_t *depths = measure_depths(model);
    for (uint32_t i = 0; i < model->service_count; i++) {
        uint32_t component = model_service_component(model, i);
        double at_s = break_s(model, run, twin, component, width);
        if (!isnan(at_s)) {
            verdict->breakages[verdict->breakage_count++] =
                (Breakage){.component = component,
                           .at_s = at_s,
                           .calls_below = depths[component],
                           .is_own_fault = has_own_fault(model, component)};
        }
    }
    mem_free(depths);
    qsort(verdict->breakages, verdict->breakage_count, sizeof *verdict->breakages, by_time);
    if (verdict->breakage_count == 0) {
        return;
    }
    verdict->first_to_fail = verdict->breakages[0].component;
    for (uint32_t i = 1; i < verdict->breakage_count; i++) {
        uint32_t far = distance(model, verdict->first_to_fail, verdict->breakages[i].component);
        if (far != NONE && far > verdict->cascade_depth) {
            verdict->cascade_depth = far;
        }
    }
}
