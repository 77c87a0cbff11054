#include "tests/swarm/maker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/check.h"
#include "sim/rng.h"

bool chance(Maker *maker, double probability) {
    return rng_uniform(&maker->rng) < probability;
}

uint32_t below(Maker *maker, uint32_t count) {
    return rng_below(&maker->rng, count);
}

double between(Maker *maker, double low, double high) {
    return low + (high - low) * rng_uniform(&maker->rng);
}

/* As likely to be small as large: low x 2^k x something below 2. */
double spread(Maker *maker, double low, uint32_t doublings) {
    double power = (double)(1u << below(maker, doublings + 1));
    return low * power * between(maker, 1, 2);
}

void say(Maker *maker, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(maker->out, format, list);
    va_end(list);
}

/* "name: count" or "name: unlimited" */
void say_count(Maker *maker, const char *name, uint32_t count, bool is_unlimited) {
    if (is_unlimited) {
        say(maker, "%s: unlimited", name);
    } else {
        say(maker, "%s: %u", name, count);
    }
}

const char *pick(Maker *maker, const char *const *words, size_t count) {
    return words[below(maker, (uint32_t)count)];
}

/* ---- Parts of the language */

void say_time_law(Maker *maker, double mean_s) {
    double ms = mean_s * 1000, shape = between(maker, 1.5, 3);
    switch (below(maker, 9)) {
    case 0:
        say(maker, "{exponential: {mean: %.4fms}}", ms);
        break;
    case 1:
        say(maker, "{uniform: {min: %.4fms, max: %.4fms}}", ms / 2, ms * 1.5);
        break;
    case 2:
        say(maker, "{lognormal: {mean: %.4fms, p99: %.4fms}}", ms, ms * shape);
        break;
    case 3:
        say(maker, "{gamma: {mean: %.4fms, cv: %.3f}}", ms, shape - 1.2);
        break;
    case 4:
        say(maker, "{erlang: {k: 3, mean: %.4fms}}", ms);
        break;
    case 5:
        say(maker, "{weibull: {mean: %.4fms, shape: %.3f}}", ms, shape);
        break;
    case 6:
        say(maker, "{pareto: {mean: %.4fms, shape: %.3f}}", ms, shape);
        break;
    case 7:
        say(maker, "{hyperexponential: {p: 30%%, means: [%.4fms, %.4fms]}}", ms * 2, ms / 2);
        break;
    default:
        say(maker, "%.4fms", ms);
    }
}

/* ---- Clients */

static void say_arrivals(Maker *maker) {
    double rate = spread(maker, 6, 4), dwell_s = between(maker, 0.1, 1);
    switch (below(maker, 8)) {
    case 0:
        say(maker, "{constant: {rate: %.3f/s}}", rate);
        break;
    case 1:
        say(maker, "{gamma: {rate: %.3f/s, cv: %.3f}}", rate, between(maker, 0.3, 4));
        break;
    case 2:
        say(maker, "{mmpp: {rates: [%.3f/s, 0/s, %.3f/s], dwell: [%.3fs, %.3fs, %.3fs]}}", rate,
            rate * 4, dwell_s * 2, dwell_s, dwell_s / 2);
        break;
    case 3:
        say(maker, "{trace: {file: /dev/null, speed: %.3f, repeat: %s, tokens_per_hash: %u}}",
            between(maker, 0.5, 3), PICK(maker, "true", "false"), 1 + below(maker, 16));
        break;
    case 4:
        say(maker, "{closed: {users: %u, think: ", 1 + below(maker, 8));
        say_time_law(maker, spread(maker, 0.05, 4));
        say(maker, "}}");
        break;
    case 5:
        say(maker, "{sessions: {rate: %.3f/s, max_context: %u, think: ", rate / 3,
            50 + below(maker, 2000));
        say_time_law(maker, spread(maker, 0.02, 4));
        say(maker, "}}");
        break;
    default:
        say(maker, "{poisson: {rate: %.3f/s}}", rate);
    }
}

static void say_prompts(Maker *maker) {
    if (chance(maker, 0.5)) {
        say(maker, "\n    input_tokens: {lognormal: {mean: 115, p99: 414}}");
        if (chance(maker, 0.5)) {
            say(maker, "\n    shared_prefix: {tokens: %u, count: %u, s: %.2f}",
                1 + below(maker, 300), 1 + below(maker, 5), between(maker, 0, 2));
        }
    }
    if (chance(maker, 0.7)) {
        say(maker, "\n    output_tokens: {lognormal: {mean: 25, p99: 100}}");
    }
    if (chance(maker, 0.5)) {
        say(maker, "\n    priority: %d", (int)below(maker, 5) - 2);
    }
}

static void say_client(Maker *maker, uint32_t index) {
    uint32_t target = maker->service_count < 3 ? 0 : below(maker, 2);
    maker->calls[index][target] = true;
    say(maker, "  c%u:\n    target: s%u\n    arrivals: ", index, target);
    say_arrivals(maker);
    if (chance(maker, 0.3)) {
        double at_s = maker->duration_s * between(maker, 0.1, 0.4), first = between(maker, 0, 2);
        say(maker, "\n    load: [{at: %.3fs, x: %.3f}, {at: %.3fs, x: %.3f, ramp: %.3fs}]", at_s,
            first, at_s * 1.5, chance(maker, 0.5) ? 0 : between(maker, 0, 2),
            maker->duration_s * 0.1);
    } else if (chance(maker, 0.2)) {
        say(maker, "\n    load: {sine: {amplitude: %.1f%%, period: 1.7s}}", between(maker, 9, 99));
    }
    if (chance(maker, 0.3)) {
        double at_s = maker->duration_s * between(maker, 0.1, 0.6);
        say(maker, "\n    spikes: [{at: %.3fs, for: 0.8s, x: %.3f, ramp: 0.1s}]", at_s,
            between(maker, 0, 5));
    }
    say_prompts(maker);
    say(maker, "\n    call: {");
    say_policy(maker, 0);
    say(maker, "}\n");
}

/* ---- Services */

static void say_batch(Maker *maker, double work_s) {
    uint32_t most = 1 + below(maker, 8);
    say(maker, "    server: {batch: {max_batch_size: %u, instances: %u, ", most,
        1 + below(maker, 3));
    if (chance(maker, 0.3)) {
        say(maker, "min_batch_size: %u, ", 1 + below(maker, most));
    }
    if (chance(maker, 0.3)) {
        uint32_t preferred = 1 + below(maker, most);
        say(maker, "preferred_batch_size: [%u, %u], ", preferred, (preferred + 1) / 2);
    }
    if (chance(maker, 0.6)) {
        say(maker, "max_queue_delay: %.4fms, ", spread(maker, 1, 6));
    }
    say(maker, "step: ");
    if (chance(maker, 0.5)) {
        say(maker, "{linear: {base: %.4fms, per_request: %.4fms, per_input_token: 0.01ms}}",
            work_s * 500, work_s * 200);
    } else {
        say_time_law(maker, work_s);
    }
    say(maker, "}}\n");
}

/* So little memory that sequences are preempted, and so little time that there are hundreds of
 * steps. */
static void say_inference(Maker *maker, double work_s) {
    uint32_t block_size = 1 + below(maker, 16), most = 1 + below(maker, 24);
    uint32_t blocks = (64 + below(maker, 1500)) / block_size + 2;
    say(maker, "    server: {inference: {kv_blocks: %u, block_size: %u, max_num_seqs: %u, ", blocks,
        block_size, most);
    say(maker, "max_num_batched_tokens: %u, ", most + below(maker, chance(maker, 0.3) ? 8 : 300));
    if (chance(maker, 0.3)) {
        say(maker, "max_model_len: %u, ", 2 + below(maker, blocks * block_size - 2));
    } else if (chance(maker, 0.3)) {
        say(maker, "long_prefill_token_threshold: %u, ", 1 + below(maker, 60));
    }
    if (chance(maker, 0.3)) {
        say(maker, "load_time: %.3fs, loaded: %s, ", spread(maker, 0.01, 5),
            maker->has_initial ? "true" : PICK(maker, "true", "false"));
    }
    say(maker, "enable_prefix_caching: %s, scheduler_reserve_full_isl: %s, ",
        PICK(maker, "true", "false"), PICK(maker, "true", "false"));
    say(maker, "scheduling_policy: %s, role: %s, ", PICK(maker, "fcfs", "priority"),
        PICK(maker, "both", "both", "both", "prefill", "decode"));
    say(maker, "step: {linear: {base: %.4fms, per_prefill_token: %.4fus, ", work_s * 100,
        work_s * 2000);
    say(maker, "per_decode_sequence: %.4fus, per_context_token: %.4fus, round: %s}}}}\n",
        work_s * 3000, work_s * 20, PICK(maker, "0s", "1us", "1ms", "1ms"));
}

/* Which kind it is decides what else may be said; true when `work` may. */
static bool say_server(Maker *maker, uint32_t index, double work_s) {
    uint32_t which = below(maker, 14), slots = 1 + below(maker, 6);
    bool is_unlimited = chance(maker, 0.2);
    if (which < 6) {
        say(maker, "    server: {pool: {");
        say_count(maker, "concurrency", slots, is_unlimited);
        say(maker, ", hold_while_calling: %s, work_per_in_flight: %.4fms}}\n",
            PICK(maker, "true", "false"), chance(maker, 0.3) ? work_s * 200 : 0);
        say(maker, "    on_capacity_loss: %s\n", PICK(maker, "suspend", "drain", "kill"));
    } else if (which < 8) {
        double base = between(maker, 0, 1);
        say(maker, "    server: {sharing: {base: %.3f, per_request: %.3f, ", base,
            between(maker, 0.1, 1));
        say_count(maker, "limit", slots, is_unlimited);
        say(maker, "}}\n    on_capacity_loss: %s\n", PICK(maker, "drain", "kill"));
    } else if (which < 10) {
        say_batch(maker, work_s);
    } else if (which < 13) {
        say_inference(maker, work_s);
        maker->has_tokens[index] = true;
    } else {
        say(maker, "    server: {link: {bandwidth: %.3fMB/s, bytes_per_input_token: 1kB, ",
            0.1 / work_s);
        say_count(maker, "limit", slots, is_unlimited);
        say(maker, ", latency: %.4fms}}\n    on_capacity_loss: %s\n",
            chance(maker, 0.5) ? work_s * 200 : 0, PICK(maker, "drain", "kill"));
    }
    maker->may_hang[index] = which < 6 || (which >= 10 && which < 13);
    return which < 8;
}

static void say_calls(Maker *maker, uint32_t index) {
    uint32_t above = maker->service_count - index - 1;
    if (above == 0 || !chance(maker, 0.8)) {
        return;
    }
    uint32_t groups = 1 + below(maker, 2);
    say(maker, "    calls:\n");
    for (uint32_t group = 0; group < groups; group++) {
        uint32_t count = chance(maker, 0.3) ? 2 + below(maker, 2) : 1;
        say(maker, "%s", count > 1 ? "      - parallel:\n" : "");
        for (uint32_t i = 0; i < count; i++) {
            uint32_t to = index + 1 + below(maker, above);
            double percent = chance(maker, 0.6) ? 100 : between(maker, 0, 100);
            maker->calls[maker->client_count + index][to] = true;
            say(maker, "%s      - {to: s%u, probability: %.1f%%, on_failure: %s, ",
                count > 1 ? "    " : "", to, percent, PICK(maker, "fail", "ignore"));
            say_policy(maker, index + 1);
            say(maker, "}\n");
        }
    }
}

static void say_route(Maker *maker, uint32_t index) {
    uint32_t which = below(maker, 8);
    double age_s = chance(maker, 0.5) ? 0 : spread(maker, 0.01, 6);
    say(maker, "    route: ");
    if (which == 0) {
        say(maker, "{least_loaded: {metrics_age: %.4fs, counts_own: %s}}\n", age_s,
            age_s > 0 ? PICK(maker, "true", "false") : "false");
    } else if (which == 1) {
        say(maker, "{weighted: {weights: [1");
        for (uint32_t i = 1; i < maker->replicas[index]; i++) {
            say(maker, ", %.2f", chance(maker, 0.3) ? 0 : between(maker, 0, 3));
        }
        say(maker, "]}}\n");
    } else if (which < 4 && maker->has_tokens[index]) {
        say(maker, "{prefix_affinity: {balance_abs: %u, metrics_age: %.4fs}}\n", below(maker, 9),
            age_s);
    } else {
        say(maker, "%s\n",
            PICK(maker, "least_requests", "random", "round_robin", "power_of_two", "session"));
    }
}

static void say_service(Maker *maker, uint32_t index) {
    double work_s = chance(maker, 0.1) ? 0.0001 : spread(maker, 0.002, 5);
    maker->replicas[index] = 1 + below(maker, 4);
    say(maker, "  s%u:\n    replicas: %u\n", index, maker->replicas[index]);
    bool uses_work = say_server(maker, index, work_s);
    say_route(maker, index);
    if (uses_work && chance(maker, 0.95)) {
        say(maker, "    work: ");
        say_time_law(maker, work_s);
        say(maker, "\n");
    }
    say(maker, "    cancel_on_timeout: %s\n", PICK(maker, "never", "queued", "anywhere"));
    say(maker, "    queue: {");
    if (!maker->has_tokens[index]) {
        say(maker, "order: %s, ", PICK(maker, "fifo", "lifo", "priority"));
    }
    if (chance(maker, 0.4)) {
        say(maker, "limit: %u, ", below(maker, 12));
    }
    if (chance(maker, 0.3)) {
        say(maker, "timeout: ");
        say_time_law(maker, spread(maker, 0.01, 5));
    }
    say(maker, "}\n");
    if (chance(maker, 0.3)) {
        double target_ms = spread(maker, 1, 5);
        say(maker, "    shed: {codel: {target: %.4fms, interval: %.4fms}}\n", target_ms,
            spread(maker, 10, 4));
    } else if (chance(maker, 0.15)) {
        say(maker, "    shed: {token_bucket: {rate: %.3f/s, burst: %.3f, retry_after: %.3fs}}\n",
            spread(maker, 6, 4), between(maker, 1, 9), spread(maker, 0.002, 7));
    }
    say_calls(maker, index);
}

/* ---- Faults */

static void say_fault_times(Maker *maker) {
    if (chance(maker, 0.3)) {
        say(maker, "every: ");
        say_time_law(maker, spread(maker, 0.2, 3));
        say(maker, ", for: ");
        say_time_law(maker, spread(maker, 0.1, 3));
        say(maker, ", ");
        return;
    }
    say(maker, "at: %.3fs, ", chance(maker, 0.2) ? 0 : maker->duration_s * between(maker, 0, 0.9));
    if (chance(maker, 0.8)) {
        say(maker, "for: %.3fs, ", spread(maker, 0.1, 4));
    }
}

/* Between a caller and one that it calls. */
static void say_partition(Maker *maker) {
    uint32_t callers = maker->client_count + maker->service_count, start = below(maker, callers);
    for (uint32_t i = 0; i < callers * SERVICES_MAX; i++) {
        uint32_t caller = (start + i / SERVICES_MAX) % callers, to = i % SERVICES_MAX;
        if (maker->calls[caller][to]) {
            bool is_client = caller < maker->client_count;
            say(maker, "partition: {between: [%c%u, s%u]", is_client ? 'c' : 's',
                is_client ? caller : caller - maker->client_count, to);
            return;
        }
    }
    CHECK(!"a client calls somebody");
}

/* One that only some servers can have; false when this one cannot. */
static bool say_server_fault(Maker *maker, uint32_t service) {
    if (maker->may_hang[service] && chance(maker, 0.3)) {
        say(maker, "hang: {service: s%u, replicas: 1", service);
    } else if (!maker->has_tokens[service]) {
        return false;
    } else if (chance(maker, 0.4)) {
        say(maker, "kv_capacity: {service: s%u, to: %.1f%%", service, between(maker, 0, 100));
    } else if (chance(maker, 0.5)) {
        say(maker, "kv_full_crash: {service: s%u, restart: %.3fs, known: %s", service,
            between(maker, 0.01, 1), PICK(maker, "true", "false"));
    } else {
        say(maker, "poison: {service: s%u, requests: %u, ratio: 50%%, restart: %.3fs, known: %s",
            service, 1 + below(maker, 4), between(maker, 0.01, 1), PICK(maker, "true", "false"));
    }
    say(maker, "}}\n");
    return true;
}

static void say_fault(Maker *maker) {
    static const char *const kinds[] = {"crash", "crash", "slow", "errors", "capacity"};
    uint32_t which = below(maker, 6), service = below(maker, maker->service_count);
    say(maker, "  - {");
    say_fault_times(maker);
    if (chance(maker, 0.3) && say_server_fault(maker, service)) {
        return;
    }
    if (which == 5) {
        say_partition(maker);
        say(maker, "}}\n");
        return;
    }
    say(maker, "%s: {service: s%u, ", kinds[which], service);
    if (chance(maker, 0.5)) {
        say(maker, "replicas: %u, ", 1 + below(maker, maker->replicas[service]));
    }
    if (which < 2) {
        const char *mode = PICK(maker, "refuse", "blackhole");
        say(maker, "mode: %s, known: %s", mode, PICK(maker, "true", "false"));
    } else if (which == 2) {
        say(maker, "x: %.3f", spread(maker, 0.3, 4));
    } else if (which == 3) {
        say(maker, "ratio: %.2f%%", between(maker, 1, 100));
        if (chance(maker, 0.5)) {
            say(maker, ", after: %.4fs", spread(maker, 0.001, 5));
        }
        if (chance(maker, 0.2)) {
            say(maker, ", retry_after: never");
        } else if (chance(maker, 0.4)) {
            say(maker, ", retry_after: %.3fs", spread(maker, 0.002, 7));
        }
    } else {
        say(maker, "to: %u", below(maker, 4));
    }
    say(maker, "}}\n");
}

/* ---- The whole */

static void say_run(Maker *maker) {
    static const double sample_s = 0.25;
    maker->duration_s = sample_s * (8 + below(maker, 16));
    say(maker, "knockon: 1\nrun:\n  duration: %.2fs\n  sample_every: %.2fs\n", maker->duration_s,
        sample_s);
    say(maker, "  max_in_flight: %u\n", chance(maker, 0.05) ? 250 + below(maker, 60) : 30000);
    say(maker, "  max_events: 60000\n  work_draw: %s\n", PICK(maker, "attempt", "request"));
    if (chance(maker, 0.25)) {
        say(maker, "  warmup: %.3fs\n", maker->duration_s * between(maker, 0.1, 0.5));
    }
    if (chance(maker, 0.2)) {
        uint32_t service = below(maker, maker->service_count);
        maker->has_initial = true;
        say(maker, "  initial: {s%u: {in_system: %u}}\n", service, 1 + below(maker, 30));
    }
    if (chance(maker, 0.05)) {
        say(maker, "  stop_when: {service: s0, in_system: %u}\n", below(maker, 3));
    }
    if (chance(maker, 0.3)) {
        say(maker, "network: {default: {latency: ");
        say_time_law(maker, spread(maker, 0.0005, 4));
        say(maker, "}}\n");
    }
}

char *swarm_scenario(uint64_t seed, const SwarmChange *change) {
    char *text = NULL;
    size_t size = 0;
    Maker maker = {.out = open_memstream(&text, &size), .change = *change};
    CHECK(maker.out != NULL);
    RngKey key = rng_key(seed, 0, "swarm", "scenario");
    rng_stream(&maker.rng, &key);
    maker.service_count = 1 + below(&maker, SERVICES_MAX);
    maker.client_count = 1 + below(&maker, CLIENTS_MAX);
    say_run(&maker);
    say(&maker, "clients:\n");
    for (uint32_t i = 0; i < maker.client_count; i++) {
        say_client(&maker, i);
    }
    say(&maker, "services:\n%s", change->has_spare_service ? "  spare: {replicas: 3}\n" : "");
    for (uint32_t i = 0; i < maker.service_count; i++) {
        say_service(&maker, i);
    }
    uint32_t faults = chance(&maker, 0.3) ? 0 : 1 + below(&maker, 4);
    say(&maker, "%s", faults > 0 || change->has_late_fault ? "faults:\n" : "");
    for (uint32_t i = 0; i < faults; i++) {
        say_fault(&maker);
    }
    if (change->has_late_fault) {
        say(&maker, "  - {at: %.3fs, for: 1s, crash: {service: s0}}\n", maker.duration_s + 1);
    }
    fclose(maker.out);
    return text;
}
