/* Monitors during a run: they scrape, their alerts fire and resolve, and people act.
 *
 * scrape, every interval -> the alert should fire or resolve -> after the delay that is known
 * -> after its own time somebody acts, unless it has resolved by then
 */
#include <stdio.h>

#include "models/faults/fault.h"
#include "models/flow_parts.h"
#include "models/monitors/monitor.h"
#include "sim/check.h"

/* Below this the service that a monitor depends on shows it nothing. */
#define SEEING_RATIO 0.5

static const MonitorOps *monitor_ops(const World *world, uint32_t index) {
    CHECK(index < world->model->monitor_count);
    return world->model->monitors[index].monitor.kind->ops;
}

void monitors_init(World *world) {
    const Model *model = world->model;
    for (uint32_t i = 0; i < model->monitor_count; i++) {
        const Monitor *monitor = &model->monitors[i];
        CHECK(monitor->interval > 0);
        world->monitors[i].state = world_reserve_state(
            world, monitor_ops(world, i)->state_size(monitor->monitor.params, monitor->interval));
        for (uint32_t k = 0; k < monitor->response_count; k++) {
            char purpose[32];
            snprintf(purpose, sizeof purpose, "response %u", k + 1);
            RngKey key =
                rng_key(world->options.seed, world->options.replication, monitor->name, purpose);
            rng_stream(&world->responses[monitor->response_first + k].stream, &key);
        }
    }
}

void monitors_watch(World *world) {
    const Model *model = world->model;
    for (uint32_t i = 0; i < model->monitor_count; i++) {
        const Monitor *monitor = &model->monitors[i];
        MonitorState *state = &world->monitors[i];
        CHECK(monitor->component < model_component_count(model));
        state->watch = probe_watch(&world->probe, monitor->component);
        state->lifeline =
            monitor->has_depends_on
                ? probe_watch(&world->probe, model_service_component(model, monitor->depends_on))
                : NONE;
    }
}

static void schedule_scrape(World *world, uint32_t index) {
    SimTime interval = world->model->monitors[index].interval;
    CHECK(interval > 0);
    if (interval < world->model->run.duration - world->now) {
        push(world, interval, EVENT_monitor, index);
    }
}

void monitors_start(World *world) {
    CHECK(world->now == 0);
    for (uint32_t i = 0; i < world->model->monitor_count; i++) {
        schedule_scrape(world, i);
    }
}

/* Whether the service that it depends on shows it anything. */
static bool sees(World *world, uint32_t index) {
    double values[METRIC_COUNT];
    CHECK(world->monitors[index].lifeline != NONE);
    probe_look(&world->probe, world->monitors[index].lifeline, world->now, values);
    bool is_silent = values[METRIC_offered] > 0 && values[METRIC_answered] == 0;
    return !is_silent && values[METRIC_availability] >= SEEING_RATIO &&
           !(values[METRIC_success] < SEEING_RATIO);
}

void on_monitor(World *world, uint32_t index) {
    const Monitor *monitor = &world->model->monitors[index];
    MonitorState *state = &world->monitors[index];
    double values[METRIC_COUNT];
    schedule_scrape(world, index);
    world_settle(world, world->now);
    probe_look(&world->probe, state->watch, world->now, values);
    bool is_blind = monitor->has_depends_on && !sees(world, index);
    if (is_blind != state->is_blind) {
        state->is_blind = is_blind;
        note_change(world, monitor->component, NONE, is_blind ? "monitor_blind" : "monitor_sees",
                    monitor->name);
    }
    Scrape scrape = {.values = is_blind ? NULL : values,
                     .interval = monitor->interval,
                     .has_fired = state->has_fired};
    bool fires = monitor_ops(world, index)
                     ->fires(monitor->monitor.params, world_state(world, state->state), &scrape);
    if (fires != state->has_fired) {
        state->has_fired = fires;
        push(world, monitor->delay, EVENT_alert, index);
    }
}

/* Somebody is called who does what is not done yet. */
static void call_for(World *world, uint32_t index) {
    const Response *response = &world->model->responses[index];
    ResponseState *state = &world->responses[index];
    CHECK(world->monitors[response->monitor].is_firing);
    if (state->is_coming || world->faults[response->action].is_on) {
        return;
    }
    SimTime after = time_from_s(dist_draw(&response->after, &state->stream));
    if (after < world->model->run.duration - world->now) {
        state->is_coming = true;
        push(world, after, EVENT_response, index);
    }
}

void on_alert(World *world, uint32_t index) {
    const Monitor *monitor = &world->model->monitors[index];
    MonitorState *state = &world->monitors[index];
    CHECK(index < world->model->monitor_count);
    state->is_firing = !state->is_firing;
    note_change(world, monitor->component, NONE,
                state->is_firing ? "alert_fires" : "alert_resolves", monitor->name);
    for (uint32_t i = 0; i < monitor->response_count && state->is_firing; i++) {
        call_for(world, monitor->response_first + i);
    }
}

void on_response(World *world, uint32_t index) {
    const Response *response = &world->model->responses[index];
    ResponseState *state = &world->responses[index];
    CHECK(state->is_coming);
    state->is_coming = false;
    bool is_wanted = world->monitors[response->monitor].is_firing || response->even_if_resolved;
    if (is_wanted && !world->faults[response->action].is_on) {
        const Component *action = &world->model->faults[response->action].fault;
        const FaultOps *ops = action->kind->ops;
        SimTime lasts = ops->lasts != NULL ? ops->lasts(action->params) : SIM_TIME_NEVER;
        if (lasts == SIM_TIME_NEVER && response->has_lasts) {
            lasts = time_from_s(dist_draw(&response->lasts, &state->stream));
        }
        fault_begin(world, response->action, lasts);
    }
}
