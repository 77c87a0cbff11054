/* What stands in for a call that has failed for good: a call to another service, or an answer of
 * the caller's own. */
#include "models/policies.h"
#include "sim/check.h"

static void call_instead(World *world, uint32_t call_slot) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    uint32_t parent = call->parent;
    CHECK(!call->is_open && edge->fallback != NONE);
    uint32_t path = parent == NONE ? 0 : world_attempt(world, parent)->path;
    Origin origin = origin_like(world, call, path);
    origin.began_at = call->began_at;
    origin.attempts_before = call->attempts_before + call->attempt_count;
    probe_count(&world->probe, edge->caller, COUNT_FALLBACKS, call->is_measured);
    if (world->options.on_note != NULL) {
        Note note = {.what = "falls back", .replica = NONE, .detail = ""};
        uint32_t to = world->model->edges[edge->fallback].to;
        note.component = model_service_component(world->model, to);
        tell(world, call, &note);
    }
    if (parent != NONE) {
        unlink_child(world, parent, call_slot);
    }
    flow_begin(world, edge->fallback, parent, &origin);
    release_call(world, call_slot); /* what both refer to has not been without a holder */
}

/* Whether the caller has an answer of its own, and after what time. */
static bool has_own_answer(const World *world, const Call *call, SimTime *time) {
    const OwnAnswer *own = &world->model->edges[call->edge].own_answer;
    const RngKey *key = &world->edges[call->edge].key;
    const Dist *law = own->has_value ? &own->value : &own->stale_cache.time;
    CHECK(own->has_value || own->has_stale_cache);
    if (own->has_stale_cache) {
        Rng luck = drawn_by(key, call->key, call->path, DRAW_STALE);
        if (rng_uniform(&luck) >= own->stale_cache.hit_ratio) {
            return false;
        }
    }
    Rng rng = drawn_by(key, call->key, call->path, DRAW_OWN_ANSWER);
    *time = time_from_s(dist_draw(law, &rng));
    return true;
}

/* The call is open again until then, as if it waited for one more attempt. */
static void answer_later(World *world, uint32_t call_slot, SimTime time) {
    Call *call = world_call(world, call_slot);
    CHECK(!call->is_open);
    call->is_open = true;
    call->retry_timer = push(world, time, EVENT_own_answer, call_slot);
    begin_backoff(world, call_slot);
}

void on_own_answer(World *world, uint32_t call_slot) {
    CHECK(world_call(world, call_slot)->is_in_backoff);
    end_backoff(world, world_call(world, call_slot));
    close_call(world, call_slot, FATE_UNKNOWN);
    flow_finish(world, call_slot, OUTCOME_OK, NO_TOKENS);
}

bool falls_back(World *world, uint32_t call_slot) {
    const Call *call = world_call(world, call_slot);
    const Edge *edge = &world->model->edges[call->edge];
    SimTime time;
    CHECK(!call->is_open && edge->has_fallback);
    if (edge->fallback != NONE) {
        call_instead(world, call_slot);
        return true;
    }
    if (!has_own_answer(world, call, &time)) {
        return false;
    }
    note_call(world, call_slot, "answers itself",
              edge->own_answer.has_value ? "" : "from a stale cache");
    probe_count(&world->probe, edge->caller, COUNT_FALLBACKS, call->is_measured);
    if (time > 0) {
        answer_later(world, call_slot, time);
    } else {
        flow_finish(world, call_slot, OUTCOME_OK, NO_TOKENS);
    }
    return true;
}
