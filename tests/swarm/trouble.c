/* What goes wrong in a random scenario, and who does something about it. */
#include "sim/check.h"
#include "tests/swarm/maker.h"

/* ---- Faults */

static void say_fault_times(Maker *maker) {
    if (chance(maker, 0.15)) {
        say(maker, "mtbf: %.3fs, mttr: %.3fs, ", spread(maker, 0.2, 3), spread(maker, 0.1, 3));
        return;
    }
    if (chance(maker, 0.2)) {
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

/* The messages of a caller and one that it calls. */
static void say_edge(Maker *maker) {
    uint32_t callers = maker->client_count + maker->service_count, start = below(maker, callers);
    for (uint32_t i = 0; i < callers * SERVICES_MAX; i++) {
        uint32_t caller = (start + i / SERVICES_MAX) % callers, to = i % SERVICES_MAX;
        if (maker->calls[caller][to]) {
            bool is_client = caller < maker->client_count;
            uint32_t name = is_client ? caller : caller - maker->client_count;
            char kind = is_client ? 'c' : 's';
            switch (below(maker, 4)) {
            case 0:
                say(maker, "edge: [%c%u, s%u]", kind, name, to);
                break;
            case 1:
                say(maker, "from: %c%u, to: s%u", kind, name, to);
                break;
            case 2:
                say(maker, "from: %c%u", kind, name);
                break;
            default:
                say(maker, "between: [%c%u, s%u]", kind, name, to);
            }
            return;
        }
    }
    CHECK(!"a client calls somebody");
}

static void say_network_fault(Maker *maker) {
    static const char *const kinds[] = {"partition", "latency", "packet_loss", "dns"};
    uint32_t which = below(maker, 4);
    say(maker, "%s: {", kinds[which]);
    say_edge(maker);
    if (which == 1) {
        say(maker, ", one_way: %s, add: ", PICK(maker, "true", "false"));
        say_time_law(maker, spread(maker, 0.001, 6));
    } else if (which == 2) {
        say(maker, ", ratio: %.2f%%", between(maker, 1, 100));
        if (chance(maker, 0.5)) {
            say(maker, ", retransmit: %.4fs", spread(maker, 0.01, 4));
        }
    } else if (which == 3 && chance(maker, 0.7)) {
        say(maker, ", ttl: ");
        say_time_law(maker, spread(maker, 0.01, 6));
    }
    say(maker, "}}\n");
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

/* Some replicas of a service, as the start of what a fault says. */
static void say_place(Maker *maker, uint32_t service, bool is_each) {
    uint32_t count = maker->replicas[service];
    say(maker, "service: s%u, ", service);
    if (!is_each && chance(maker, 0.25)) {
        say(maker, "share: %.1f%%, ", between(maker, 1, 100));
    } else if (chance(maker, 0.5)) {
        uint32_t first = chance(maker, 0.5) ? 0 : below(maker, count);
        say(maker, "first: %u, replicas: %u, ", first, 1 + below(maker, count - first));
    }
}

/* One with a life of its own. */
static void say_living_fault(Maker *maker, uint32_t service) {
    const char *known = PICK(maker, "true", "false");
    double restart_s = spread(maker, 0.05, 4);
    switch (below(maker, 6)) {
    case 0:
        say(maker,
            "cascade: {service: s%u, probability: %.1f%%, restart: %.3fs, known: %s, delay: ",
            service, between(maker, 10, 100), restart_s, known);
        say_time_law(maker, spread(maker, 0.01, 4));
        break;
    case 1:
        say(maker, "memory_leak: {");
        say_place(maker, service, false);
        say(maker, "%s: 1MB, capacity: %.3fMB, restart: %.3fs, known: %s",
            PICK(maker, "per_request", "per_s"), spread(maker, 0.1, 5), restart_s, known);
        if (chance(maker, 0.5)) {
            say(maker, ", slow_from: %.1f%%, slow_x: 2.5", between(maker, 10, 100));
        }
        break;
    case 2:
        say(maker, "poison_config: {");
        say_place(maker, service, false);
        say(maker, "after: %.3fs, backoff: %.3fs, backoff_max: 0.7s, backoff_reset: 1s, known: %s",
            chance(maker, 0.2) ? 0 : spread(maker, 0.01, 4), between(maker, 0.01, 0.7), known);
        break;
    case 3:
        say(maker, "rate_limit: {service: s%u, rate: %.3f/s, retry_after: 0.1s, burst: %.2f",
            service, spread(maker, 3, 4), between(maker, 1, 5));
        break;
    case 4:
        say(maker, "disk_full: {");
        say_place(maker, service, false);
        say(maker, "writes: %.1f%%, after: %s", between(maker, 1, 100),
            PICK(maker, "work", "0s", "3ms"));
        if (chance(maker, 0.5)) {
            say(maker, ", free: %uB, per_write: 1MB", below(maker, 20000000));
        }
        break;
    default:
        say(maker, "herd: {client: c%u, requests: %u, every: 0.5s, spread: %.3fs",
            below(maker, maker->client_count), 1 + below(maker, 30),
            chance(maker, 0.4) ? 0 : between(maker, 0, 0.49));
    }
    say(maker, "}}\n");
}

void say_fault(Maker *maker) {
    static const char *const kinds[] = {"crash", "crash", "slow", "errors", "capacity"};
    uint32_t which = below(maker, 9), service = below(maker, maker->service_count);
    bool is_each = which < 5 && chance(maker, 0.15);
    say(maker, "  - {");
    if (chance(maker, 0.3)) {
        say(maker, "name: bad, ");
        maker->has_fault_name = true;
    }
    if (is_each) {
        say(maker, "each: replica, mtbf: %.3fs, mttr: %.3fs, ", spread(maker, 0.2, 3),
            spread(maker, 0.1, 3));
    } else {
        say_fault_times(maker);
    }
    if (!is_each && chance(maker, 0.3) && say_server_fault(maker, service)) {
        return;
    }
    if (which >= 7) {
        say_living_fault(maker, service);
        return;
    }
    if (which >= 5) {
        say_network_fault(maker);
        return;
    }
    if (chance(maker, 0.3)) {
        say(maker, "cured_by: restart, ");
    }
    say(maker, "%s: {", kinds[which]);
    say_place(maker, service, is_each);
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

/* ---- Monitors and actions */

/* Without what only a service can have. */
static void say_metric(Maker *maker) {
    say(maker, "component: c%u, metric: %s", below(maker, maker->client_count),
        PICK(maker, "p99", "mean", "latency_s_p50"));
}

static void say_monitor(Maker *maker) {
    switch (below(maker, 4)) {
    case 0:
        say(maker,
            "burn_rate: {client: c%u, objective: %.1f%%, long: %.3fs, short: 0.2s, above: "
            "%.2f}",
            below(maker, maker->client_count), between(maker, 50, 99.9), between(maker, 0.2, 3),
            between(maker, 0.1, 4));
        break;
    case 1:
        say(maker, "threshold: {");
        say_metric(maker);
        say(maker, ", above: %.4fs, for: %.2fs}", spread(maker, 0.005, 5),
            chance(maker, 0.5) ? 0 : between(maker, 0, 1));
        break;
    case 2:
        say(maker, "threshold: {component: s%u, metric: %s, above: %.1f%%}",
            below(maker, maker->service_count), PICK(maker, "utilization", "success", "wasted"),
            between(maker, 0, 100));
        break;
    default:
        say(maker, "absence: {");
        say_metric(maker);
        say(maker, ", for: %.2fs}", between(maker, 0, 1));
    }
}

static void say_restart(Maker *maker, uint32_t service) {
    say(maker, "{restart: {service: s%u, down: %.3fs, rate: %.2f/s", service,
        spread(maker, 0.01, 5), spread(maker, 1, 5));
    if (chance(maker, 0.5)) {
        uint32_t count = maker->replicas[service];
        say(maker, ", order: [%u, %u]", below(maker, count), below(maker, count));
    }
    say(maker, "}}");
}

static void say_action(Maker *maker) {
    uint32_t service = below(maker, maker->service_count);
    uint32_t client = below(maker, maker->client_count);
    switch (below(maker, 7)) {
    case 0:
        say(maker, "{shed_load: {client: c%u, share: %.1f%%}}", client, between(maker, 1, 100));
        return;
    case 1:
        say(maker, "{limit_rate: {client: c%u, rate: %.2f/s, burst: %.2f}}", client,
            spread(maker, 2, 4), between(maker, 1, 9));
        return;
    case 2:
        if (!maker->is_closed[client]) {
            say(maker, "{scale_load: {client: c%u, x: %.2f}}", client, between(maker, 0, 3));
            return;
        }
        say(maker, "{flush_queue: {service: s%u}}", service);
        return;
    case 3:
        if (maker->has_fault_name) {
            say(maker, "{roll_back: {fault: bad}}");
            return;
        }
        say(maker, "{flush_queue: {service: s%u}}", service);
        return;
    case 4:
        if (maker->has_tokens[service]) {
            say(maker, "{flush_caches: {service: s%u}}", service);
            return;
        }
        say(maker, "{flush_queue: {service: s%u}}", service);
        return;
    case 5:
        say_restart(maker, service);
        return;
    default:
        say(maker, "{flush_queue: {service: s%u}}", service);
    }
}

void say_monitors(Maker *maker) {
    uint32_t count = chance(maker, 0.6) ? 0 : 1 + below(maker, 3);
    say(maker, "%s", count > 0 ? "monitors:\n" : "");
    for (uint32_t i = 0; i < count; i++) {
        say(maker, "  m%u: {interval: %.3fs, delay: %.3fs, ", i, spread(maker, 0.05, 3),
            chance(maker, 0.5) ? 0 : between(maker, 0, 0.3));
        if (chance(maker, 0.3)) {
            say(maker, "depends_on: s%u, ", below(maker, maker->service_count));
        }
        say_monitor(maker);
        say(maker, ", then: [");
        say_action(maker);
        if (chance(maker, 0.6)) {
            say(maker, ", {page: {after: ");
            say_time_law(maker, spread(maker, 0.05, 3));
            say(maker, ", even_if_resolved: %s%s, action: ", PICK(maker, "true", "false"),
                chance(maker, 0.6) ? ", for: 0.31s" : "");
            say_action(maker);
            say(maker, "}}");
        }
        say(maker, "]}\n");
    }
}
