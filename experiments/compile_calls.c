/* Call policies: how a caller calls, on every edge alike, and what stands in for a call that fails.
 */
#include "experiments/compile_parts.h"

/* A message over a network without latency needs no event. */
static bool takes_time(const Dist *latency) {
    return !dist_is_constant(latency) || dist_mean(latency) > 0;
}

static void refuse_key(Compiler *compiler, const DocNode *map, const char *key, const char *why) {
    const DocPair *pair = doc_find_pair(map, key);
    if (pair != NULL) {
        diag_error(compiler->reader.diagnostics, pair->key, "'%s' does not belong here: %s", key,
                   why);
    }
}

static void set_latencies(const Compiler *compiler, Edge *edge) {
    if (!edge->has_latency) {
        edge->latency = compiler->network.latency;
    }
    if (!edge->has_reply_latency) {
        edge->reply_latency = edge->has_latency ? edge->latency : compiler->network.reply_latency;
    }
    edge->has_latency = takes_time(&edge->latency);
    edge->has_reply_latency = takes_time(&edge->reply_latency);
}

/* What tables cannot say of one call. */
static void check_call(Compiler *compiler, const DocNode *call, const Edge *edge) {
    const DocNode *propagate = doc_find(call, "propagate");
    if (propagate != NULL && edge->propagates && edge->deadline == SIM_TIME_NEVER) {
        diag_error(compiler->reader.diagnostics, propagate,
                   "'propagate' carries the deadline along: it needs 'deadline'");
    }
}

static void check_edge_count(Compiler *compiler, const DocNode *at) {
    if (compiler->edges.count + compiler->fallbacks.count == COMPILE_EDGES_MAX) {
        diag_error(compiler->reader.diagnostics, at, "there may be %d calls in all",
                   COMPILE_EDGES_MAX);
    }
}

static void compile_fallback(Compiler *compiler, const DocNode *call, Edge *edge);

/* Whether a fallback is an answer of one's own and not another call. */
static bool is_own_answer(const DocNode *map) {
    return doc_find(map, "value") != NULL || doc_find(map, "stale_cache") != NULL;
}

static void compile_own_answer(Compiler *compiler, const DocNode *map, OwnAnswer *answer) {
    SchemaReader *reader = &compiler->reader;
    size_t mark = resolved_enter(reader->resolved, "fallback");
    schema_read(reader, &schema_own_answer, map, map, (SchemaKeys){0}, answer);
    resolved_leave(reader->resolved, mark);
    if (answer->has_value && answer->has_stale_cache) {
        diag_error(reader->diagnostics, map,
                   "a fallback is a 'value' or a 'stale_cache', not both");
    }
}

/* What is called when calls by `edge` have failed, if their map says so: an index among fallbacks.
 */
static uint32_t compile_fallback_call(Compiler *compiler, const DocNode *call,
                                      const Edge *original) {
    SchemaReader *reader = &compiler->reader;
    const DocNode *map = doc_find(call, "fallback");
    if (map == NULL || is_own_answer(map)) {
        return NONE;
    }
    Schema schema = schema_call;
    schema.name = "a fallback";
    Edge edge = {.caller = original->caller,
                 .deadline = SIM_TIME_NEVER,
                 .on_failure = original->on_failure,
                 .probability = 1,
                 .is_fallback = true};
    size_t mark = resolved_enter(reader->resolved, "fallback");
    schema_read(reader, &schema, map, map, KEYS("fallback", "probability", "on_failure"), &edge);
    refuse_key(compiler, map, "probability", "a fallback is made whenever its call has failed");
    refuse_key(compiler, map, "on_failure", "it is that of the call which has failed");
    set_latencies(compiler, &edge);
    check_call(compiler, map, &edge);
    compile_fallback(compiler, map, &edge);
    resolved_leave(reader->resolved, mark);
    check_edge_count(compiler, map);
    const DocNode *to = doc_find(map, "to");
    vec_push(&compiler->fallbacks, edge);
    vec_push(&compiler->fallback_places, to == NULL ? map : to);
    return (uint32_t)compiler->fallbacks.count - 1;
}

static void compile_fallback(Compiler *compiler, const DocNode *call, Edge *edge) {
    const DocNode *map = doc_find(call, "fallback");
    edge->fallback = compile_fallback_call(compiler, call, edge);
    if (map != NULL && is_own_answer(map)) {
        compile_own_answer(compiler, map, &edge->own_answer);
    }
}

uint32_t compile_call(Compiler *compiler, const DocNode *call, const DocNode *at, uint32_t caller,
                      const DocNode *to) {
    SchemaReader *reader = &compiler->reader;
    Edge edge = {.caller = caller, .deadline = SIM_TIME_NEVER};
    if (to == NULL) {
        schema_read(reader, &schema_call, call, at, KEYS("fallback"), &edge);
        to = doc_find(call, "to");
    } else {
        schema_read(reader, &schema_call, call, at, KEYS("to", "fallback"), &edge);
        refuse_key(compiler, call, "to", "the client's 'target' says whom it calls");
    }
    set_latencies(compiler, &edge);
    check_call(compiler, call, &edge);
    compile_fallback(compiler, call, &edge);
    check_edge_count(compiler, at);
    vec_push(&compiler->edges, edge);
    vec_push(&compiler->edge_places, to == NULL ? at : to);
    return (uint32_t)compiler->edges.count - 1;
}
