/* Warnings: what is legal and usually a mistake (docs/ux.md section 2). Means are exact, quantiles
 * are those of a fixed sample, and nothing here changes a model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/quantity.h"
#include "models/clients/breaker.h"
#include "models/servers/server.h"
#include "sim/check.h"

enum { LINT_DRAWS = 4001 };

/* What reaches each service when nothing fails, found by passing on from callers to callees. */
typedef struct Flow {
    uint32_t *order;      /* services, callers before callees */
    double *rate_per_s;   /* of calls; negative: not known */
    double *attempts;     /* one request may become so many here; 1 without retries above */
    uint32_t *layers;     /* edges with retries on the worst path to here */
    uint32_t *worst_edge; /* the last edge of that path; NONE */
} Flow;

static double edge_attempts(const Edge *edge) {
    const RetryOps *ops = edge->retry.kind->ops;
    uint32_t most = ops->max_attempts == NULL ? 1 : ops->max_attempts(edge->retry.params);
    return most == COUNT_UNLIMITED ? 1e300 : (double)most + hedge_most(edge);
}

/* The services in the order of a walk from callers to callees (Kahn); there are no circles. */
static void flow_order(const Model *model, const EdgesByCaller *calls, Flow *flow) {
    uint32_t *callers = mem_zalloc(model->service_count, sizeof *callers);
    for (uint32_t i = 0; i < calls->first[model->service_count]; i++) {
        callers[model->edges[calls->edges[i]].to]++;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->service_count; i++) {
        if (callers[i] == 0) {
            flow->order[count++] = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t service = flow->order[i];
        for (uint32_t k = calls->first[service]; k < calls->first[service + 1]; k++) {
            uint32_t to = model->edges[calls->edges[k]].to;
            if (--callers[to] == 0) {
                flow->order[count++] = to;
            }
        }
    }
    CHECK(count == model->service_count);
    mem_free(callers);
}

/* The parameter of that name and type in what a client's kind was given, or NULL. */
static const void *arrivals_param(const Client *client, const char *name, ParamType type) {
    const Kind *kind = client->arrivals.kind;
    for (uint32_t i = 0; i < kind->param_count; i++) {
        const Param *param = &kind->params[i];
        if (param->type == type && strcmp(param->name, name) == 0) {
            return (const char *)client->arrivals.params + param->offset;
        }
    }
    return NULL;
}

/* A client's mean rate of requests without triggers; negative when that is not known. A session
 * makes several, one at least. */
static double client_rate_per_s(const Model *model, const Client *client) {
    const double *rate_per_s = arrivals_param(client, "rate", PARAM_RATE);
    const Dist *turns = arrivals_param(client, "turns", PARAM_DIST);
    double turn_count = turns == NULL || dist_mean(turns) < 1 ? 1 : dist_mean(turns);
    if (rate_per_s == NULL || !(turn_count < 1e9)) {
        return -1;
    }
    double duration_s = time_to_s(model->run.duration);
    return *rate_per_s * turn_count *
           load_between(&client->load_organic, (LoadCursor){0}, 0, duration_s) / duration_s;
}

/* Takes one edge's flow into its callee. Nothing falls back while nothing fails. */
static void flow_pass(const Model *model, Flow *flow, uint32_t index, double rate_per_s,
                      double attempts, uint32_t layers) {
    const Edge *edge = &model->edges[index];
    rate_per_s = edge->is_fallback ? 0 : rate_per_s;
    double *rate = &flow->rate_per_s[edge->to];
    *rate = *rate < 0 || rate_per_s < 0 ? -1 : *rate + rate_per_s * edge->probability;
    double most = edge_attempts(edge);
    if (attempts * most > flow->attempts[edge->to]) {
        flow->attempts[edge->to] = attempts * most;
        flow->layers[edge->to] = layers + (most > 1);
        flow->worst_edge[edge->to] = index;
    }
}

static void flow_init(Model *model, Flow *flow) {
    uint32_t services = model->service_count;
    *flow = (Flow){
        .order = model_alloc(model, services, sizeof *flow->order),
        .rate_per_s = model_alloc(model, services, sizeof *flow->rate_per_s),
        .attempts = model_alloc(model, services, sizeof *flow->attempts),
        .layers = model_alloc(model, services, sizeof *flow->layers),
        .worst_edge = model_alloc(model, services, sizeof *flow->worst_edge),
    };
    memset(flow->worst_edge, 0xff, services * sizeof *flow->worst_edge);
    EdgesByCaller calls = compile_edges_by_caller(model);
    flow_order(model, &calls, flow);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        uint32_t caller = model->edges[i].caller;
        if (caller < model->client_count) {
            flow_pass(model, flow, i, client_rate_per_s(model, &model->clients[caller]), 1, 0);
        }
    }
    for (uint32_t i = 0; i < services; i++) {
        uint32_t service = flow->order[i];
        for (uint32_t k = calls.first[service]; k < calls.first[service + 1]; k++) {
            flow_pass(model, flow, calls.edges[k], flow->rate_per_s[service],
                      flow->attempts[service] > 0 ? flow->attempts[service] : 1,
                      flow->layers[service]);
        }
    }
}

/* "web -> gateway (4) -> llm (3)", along the worst path. */
static void print_path(const Model *model, const Flow *flow, uint32_t service, char *text,
                       size_t size) {
    uint32_t path[COMPILE_DEPTH_MAX + 2];
    uint32_t count = 0;
    uint32_t edge = flow->worst_edge[service];
    while (edge != NONE && count < COMPILE_DEPTH_MAX + 2) {
        path[count++] = edge;
        uint32_t caller = model->edges[edge].caller;
        edge = caller < model->client_count ? NONE : flow->worst_edge[caller - model->client_count];
    }
    CHECK(count > 0);
    size_t used = (size_t)snprintf(
        text, size, "%s", model_component_name(model, model->edges[path[count - 1]].caller));
    for (uint32_t i = count; i-- > 0 && used + 100 < size;) {
        const Edge *on = &model->edges[path[i]];
        double most = edge_attempts(on);
        used += (size_t)snprintf(text + used, size - used, " -> %s", model->services[on->to].name);
        if (most >= 1e300) {
            used += (size_t)snprintf(text + used, size - used, " (unlimited)");
        } else if (most > 1) {
            used += (size_t)snprintf(text + used, size - used, " (%.0f)", most);
        }
    }
}

/* Said once for each chain, at its deepest call that retries. */
static void lint_retries(Compiler *compiler, const Flow *flow) {
    const Model *model = compiler->model;
    for (uint32_t i = 0; i < model->service_count; i++) {
        uint32_t edge = flow->worst_edge[i];
        if (flow->layers[i] < 2 || edge_attempts(&model->edges[edge]) <= 1) {
            continue;
        }
        bool goes_on = false;
        for (uint32_t k = 0; k < model->service_count; k++) {
            uint32_t below = flow->worst_edge[k];
            goes_on |= below != NONE && flow->layers[k] > flow->layers[i] &&
                       model->edges[below].caller == model_service_component(model, i);
        }
        if (goes_on) {
            continue;
        }
        char path[1000], count[32] = "any number of";
        print_path(model, flow, i, path, sizeof path);
        if (flow->attempts[i] < 1e9) {
            snprintf(count, sizeof count, "%.0f", flow->attempts[i]);
        }
        diag_warning(compiler->reader.diagnostics, compiler->edge_places.items[edge],
                     "retries multiply over layers: one request may become %s attempts, %s", count,
                     path);
    }
}

static void lint_utilization(Compiler *compiler, const Flow *flow) {
    const Model *model = compiler->model;
    for (uint32_t i = 0; i < model->service_count; i++) {
        const Service *service = &model->services[i];
        const ServerOps *ops = service->server.kind->ops;
        double mean_s = dist_mean(&service->work);
        if (!ops->uses_work || service->slots == COUNT_UNLIMITED || flow->rate_per_s[i] <= 0 ||
            !(mean_s < SIM_TIME_S_MAX)) {
            continue;
        }
        double slots = (double)service->slots * service->replica_count;
        double load = flow->rate_per_s[i] * mean_s / slots;
        if (load <= 1) {
            continue;
        }
        char rate[QUANTITY_TEXT_SIZE], work[QUANTITY_TEXT_SIZE];
        quantity_print(rate, flow->rate_per_s[i], DIMENSION_RATE);
        quantity_print(work, mean_s, DIMENSION_DURATION);
        uint32_t component = model_service_component(model, i);
        diag_warning(
            compiler->reader.diagnostics, compiler->components[component]->key,
            "'%s' is offered %.3g times what it can do, without any trigger: %s of %s each, "
            "on %.0f slot%s",
            service->name, load, rate, work, slots, slots == 1 ? "" : "s");
    }
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 99th percentile of a fixed sample of the law: good to a few per cent, equal on every run. */
static double work_p99_s(const Service *service) {
    if (dist_is_constant(&service->work)) {
        return dist_mean(&service->work);
    }
    RngKey key = rng_key(0, 0, service->name, "lint");
    Rng rng;
    rng_stream(&rng, &key);
    double *draws = mem_alloc(LINT_DRAWS * sizeof *draws);
    for (int i = 0; i < LINT_DRAWS; i++) {
        draws[i] = dist_draw(&service->work, &rng);
    }
    qsort(draws, LINT_DRAWS, sizeof *draws, compare_doubles);
    double p99_s = draws[(int)(0.99 * (LINT_DRAWS - 1))];
    mem_free(draws);
    return p99_s;
}

/* The p99 of the callee's own work, found at most once a service; negative where it has none. */
static double cached_p99_s(const Model *model, double *cache, uint32_t service) {
    const Service *callee = &model->services[service];
    const ServerOps *ops = callee->server.kind->ops;
    if (!ops->uses_work) {
        return -1;
    }
    if (cache[service] == 0) {
        cache[service] = work_p99_s(callee);
    }
    return cache[service];
}

/* To two digits: the sample is not better than that. */
static void print_rounded(char text[QUANTITY_TEXT_SIZE], double seconds) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.1e", seconds);
    quantity_print(text, strtod(digits, NULL), DIMENSION_DURATION);
}

static void lint_edge(Compiler *compiler, uint32_t index, double *cache) {
    const Model *model = compiler->model;
    const Edge *edge = &model->edges[index];
    SimTime timeout = edge->timeout.items[0];
    char first[QUANTITY_TEXT_SIZE], second[QUANTITY_TEXT_SIZE];
    if (timeout == SIM_TIME_NEVER) {
        return;
    }
    quantity_print(first, time_to_s(timeout), DIMENSION_DURATION);
    if (edge->deadline < timeout) {
        quantity_print(second, time_to_s(edge->deadline), DIMENSION_DURATION);
        diag_warning(compiler->reader.diagnostics, compiler->edge_places.items[index],
                     "the deadline of %s ends this call before its first timeout of %s", second,
                     first);
    }
    double p99_s = cached_p99_s(model, cache, edge->to);
    if (p99_s > time_to_s(timeout)) {
        print_rounded(second, p99_s);
        diag_warning(compiler->reader.diagnostics, compiler->edge_places.items[index],
                     "the timeout of %s is shorter than the work of '%s' itself (p99: %s)", first,
                     model->services[edge->to].name, second);
    }
}

/* Hedges beside retries, with nothing that limits both. */
static void lint_hedge(Compiler *compiler, uint32_t index) {
    const Edge *edge = &compiler->model->edges[index];
    const BudgetOps *budget = edge->budget.kind->ops;
    uint32_t hedges = hedge_most(edge);
    double attempts = edge_attempts(edge);
    if (hedges == 0 || attempts <= 1 + hedges || budget->take != NULL) {
        return;
    }
    char count[32] = "any number of";
    if (attempts < 1e9) {
        snprintf(count, sizeof count, "%.0f", attempts);
    }
    diag_warning(compiler->reader.diagnostics, compiler->edge_places.items[index],
                 "this call hedges and retries without a 'retry_budget': when '%s' is slow, one "
                 "call may become %s attempts",
                 compiler->model->services[edge->to].name, count);
}

/* A list of timeouts that is longer than there are tries. */
static void lint_timeouts(Compiler *compiler, uint32_t index) {
    const Edge *edge = &compiler->model->edges[index];
    const RetryOps *retry = edge->retry.kind->ops;
    uint32_t tries = retry->max_attempts == NULL ? 1 : retry->max_attempts(edge->retry.params);
    if (edge->timeout.count > tries) {
        diag_warning(compiler->reader.diagnostics, compiler->edge_places.items[index],
                     "'timeout' lists %u times for %u %s: the last are never used",
                     edge->timeout.count, tries, tries == 1 ? "try" : "tries");
    }
}

/* Many instances, each with a breaker that sees too little to judge. */
static void lint_breaker(Compiler *compiler, const Flow *flow, uint32_t index) {
    const Model *model = compiler->model;
    const Edge *edge = &model->edges[index];
    const BreakerOps *breaker = edge->breaker.kind->ops;
    double rate = edge->caller < model->client_count
                      ? client_rate_per_s(model, &model->clients[edge->caller])
                      : flow->rate_per_s[edge->caller - model->client_count];
    if (breaker->admits == NULL || edge->instances == 1 || edge->is_fallback || rate <= 0) {
        return;
    }
    double each = rate * edge->probability / edge->instances;
    uint32_t needed = breaker->needs(edge->breaker.params);
    double window_s = time_to_s(breaker->looks_back(edge->breaker.params));
    double duration_s = time_to_s(model->run.duration);
    double seen = each * (window_s < duration_s ? window_s : duration_s);
    if (seen < needed) {
        char text[QUANTITY_TEXT_SIZE];
        quantity_print(text, each, DIMENSION_RATE);
        diag_warning(compiler->reader.diagnostics, compiler->edge_places.items[index],
                     "each of the %u instances sends %s: its circuit breaker does not see the %u "
                     "results that it needs to open",
                     edge->instances, text, needed);
    }
}

void compile_lint(Compiler *compiler) {
    Model *model = compiler->model;
    CHECK(compiler->edge_places.count == model->edge_count);
    Flow flow;
    flow_init(model, &flow);
    lint_retries(compiler, &flow);
    lint_utilization(compiler, &flow);
    double *cache = mem_zalloc(model->service_count, sizeof *cache);
    for (uint32_t i = 0; i < model->edge_count; i++) {
        lint_edge(compiler, i, cache);
        lint_hedge(compiler, i);
        lint_timeouts(compiler, i);
        lint_breaker(compiler, &flow, i);
    }
    mem_free(cache);
}
