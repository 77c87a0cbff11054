/* Random call policies. */
#include <string.h>

#include "tests/swarm/maker.h"

static void say_retry(Maker *maker) {
    uint32_t attempts = 2 + below(maker, 3), which = below(maker, 4);
    bool is_unlimited = chance(maker, 0.1), waits = chance(maker, 0.7);
    double base_s = spread(maker, 0.02, 4), multiplier = between(maker, 1, 3);
    double longest = between(maker, 1, 9);
    const char *jitter = PICK(maker, "none", "full", "equal", "decorrelated", "proportional",
                              "minus", "decorrelated_v2");
    bool is_v2 = strcmp(jitter, "decorrelated_v2") == 0;
    const char *growth = is_v2 ? "power" : PICK(maker, "power", "sum");
    if (maker->change.tries_never || (which == 0 && !maker->change.tries_once)) {
        say(maker, "none");
    } else if (maker->change.tries_once) {
        say(maker, which == 1 ? "{fixed: {max_attempts: 1}}"
                              : "{exponential: {max_attempts: 1, jitter: decorrelated}}");
    } else if (which == 1) {
        say(maker, "{fixed: {");
        say_count(maker, "max_attempts", attempts, is_unlimited);
        say(maker, ", delay: %.4fs}}", waits || is_unlimited ? base_s : 0.0);
    } else if (which == 3 && waits) {
        say(maker, "{linear: {");
        say_count(maker, "max_attempts", attempts, is_unlimited);
        say(maker, ", base: %.4fs, step: %.4fs, max: %.4fs, jitter_ratio: %.1f%%}}", base_s,
            base_s / 2, base_s * longest, between(maker, 0, 100));
    } else {
        say(maker, "{exponential: {");
        say_count(maker, "max_attempts", attempts, is_unlimited);
        say(maker, ", base: %.4fs, multiplier: %.3f, max: %.4fs, jitter: %s, growth: %s", base_s,
            is_v2 && !is_unlimited ? 2 : multiplier, base_s * longest,
            is_unlimited ? "none" : jitter, growth);
        if (chance(maker, 0.2)) {
            say(maker, ", refused_base: %.4fs", base_s * between(maker, 0.5, 1));
        }
        say(maker, "}}");
    }
}

static void say_budget(Maker *maker) {
    double cost = between(maker, 0.1, 3), refund = between(maker, 0, 1);
    say(maker, "instances: %u, retry_budget: {", 1 + below(maker, 3));
    switch (below(maker, 6)) {
    case 0:
        say(maker, "percent: {percent: %.1f%%, min_concurrency: %u}", between(maker, 0, 60),
            below(maker, 4));
        break;
    case 1:
        say(maker, "ratio: {ttl: %.3fs, min_per_s: %.2f/s, percent: %.1f%%}", spread(maker, 0.1, 5),
            chance(maker, 0.5) ? 0 : between(maker, 0, 3), between(maker, 0, 60));
        break;
    case 2:
        say(maker, "throttle: {max_tokens: %.2f, token_ratio: %.3f}", between(maker, 1, 20),
            between(maker, 0.01, 0.5));
        break;
    case 3:
        say(maker, "failure_ratio: {below: %.1f%%, of: %s, window: ", between(maker, 1, 90),
            PICK(maker, "attempts", "calls"));
        if (chance(maker, 0.3)) {
            say(maker, "none}");
        } else {
            say(maker, "%.3fs}", spread(maker, 0.1, 5));
        }
        break;
    default:
        say(maker,
            "token_bucket: {capacity: %.2f, cost: %.2f, timeout_cost: %.2f, refused_cost: %.2f, "
            "refund: %.2f, deposit: %.2f, refunds_cost: %s}",
            cost * 5, cost, cost * 1.5, cost * 0.5, refund, refund / 3,
            PICK(maker, "true", "false"));
    }
    say(maker, "}, ");
}

static void say_breaker(Maker *maker) {
    double open_s = spread(maker, 0.02, 6);
    uint32_t size = 1 + below(maker, 30), half_open = 1 + below(maker, size);
    if (chance(maker, 0.3)) {
        say(maker, "circuit_breaker: {consecutive: {failures: %u, open: %.4fs, half_open: %u, ",
            size, open_s, half_open);
        say_count(maker, "probes", half_open + below(maker, 3), chance(maker, 0.5));
        say(maker, "}}, ");
        return;
    }
    if (chance(maker, 0.5)) {
        say(maker, "circuit_breaker: {count_window: {size: %u, ", size);
    } else {
        say(maker, "circuit_breaker: {time_window: {window: %.3fs, slices: %u, ",
            spread(maker, 0.1, 5), 1 + below(maker, 20));
    }
    say(maker, "min_calls: %u, failure_rate: %.1f%%, slow_rate: %.1f%%, slow_after: %.4fs, ",
        1 + below(maker, size), between(maker, 5, 100), between(maker, 30, 100),
        spread(maker, 0.02, 6));
    say(maker, "open: %.4fs, half_open: %u}}, ", open_s, half_open);
}

static void say_throttle(Maker *maker) {
    if (chance(maker, 0.5)) {
        say(maker, "client_throttle: adaptive_rate, ");
    } else {
        say(maker, "client_throttle: {adaptive: {k: %.2f, window: %.3fs, protection: %u}}, ",
            between(maker, 1, 3), spread(maker, 0.1, 5), below(maker, 6));
    }
}

static void say_hedge(Maker *maker) {
    if (chance(maker, 0.6)) {
        say(maker, "hedge: {fixed: {after: %.4fs, ",
            chance(maker, 0.1) ? 0 : spread(maker, 0.005, 6));
    } else {
        say(maker, "hedge: {quantile: {after: %s, window: %.3fs, min_samples: %u, ",
            PICK(maker, "p50", "p90", "p99"), spread(maker, 0.1, 6), 1 + below(maker, 20));
    }
    if (chance(maker, 0.3)) {
        say(maker, "max_extra: %.1f%%, ", between(maker, 1, 100));
    }
    say(maker, "max: %u, next_on_failure: %s}}, ", 1 + below(maker, 3),
        PICK(maker, "true", "false"));
}

/* What looks at more than one attempt of one call. */
static void say_watchers(Maker *maker) {
    if (chance(maker, 0.4)) {
        say_budget(maker);
    }
    if (chance(maker, 0.25)) {
        say_breaker(maker);
    }
    if (chance(maker, 0.15)) {
        say_throttle(maker);
    }
    if (chance(maker, 0.25)) {
        say_hedge(maker);
    }
    if (chance(maker, 0.3)) {
        say(maker, "retry_after: %s, ", PICK(maker, "at_least", "replaces"));
        if (chance(maker, 0.5)) {
            say(maker, "retry_after_max: %.3fs, ", spread(maker, 0.01, 5));
        }
    }
}

static void say_fallback(Maker *maker, uint32_t first) {
    if (chance(maker, 0.2)) {
        say(maker, ", fallback: {value: ");
        say_time_law(maker, spread(maker, 0.001, 4));
        say(maker, "}");
    } else if (chance(maker, 0.3)) {
        say(maker, ", fallback: {stale_cache: {hit_ratio: %.1f%%, time: %.4fs}}",
            between(maker, 0, 100), chance(maker, 0.5) ? 0 : spread(maker, 0.001, 5));
    } else { /* which may fall back in its turn */
        say(maker, ", fallback: {to: s%u, ", first + below(maker, maker->service_count - first));
        say_policy(maker, first);
        say(maker, "}");
    }
}

void say_policy(Maker *maker, uint32_t first) {
    if (chance(maker, 0.75)) {
        double first_s = spread(maker, 0.03, 5);
        say(maker, "timeout: [%.4fs, %.4fs], ", first_s, spread(maker, 0.03, 5));
    }
    if (chance(maker, 0.25)) {
        say(maker, "deadline: %.4fs, propagate: %s, ", spread(maker, 0.05, 6),
            PICK(maker, "true", "false"));
    }
    if (chance(maker, 0.3)) {
        say(maker, "latency: ");
        say_time_law(maker, spread(maker, 0.0005, 4));
        say(maker, ", ");
    }
    if (chance(maker, 0.2)) {
        say(maker, "reply_latency: ");
        say_time_law(maker, spread(maker, 0.0005, 4));
        say(maker, ", ");
    }
    say_watchers(maker);
    say(maker, "late_reply: %s, ", PICK(maker, "ignored", "counts", "counts_while_in_flight"));
    say(maker, "retry_on: %s, ",
        PICK(maker, "[timeout, error]", "[timeout, error, refused]", "refused", "timeout"));
    say(maker, "retry: ");
    say_retry(maker);
    if (chance(maker, 0.2)) {
        say_fallback(maker, first);
    }
}
