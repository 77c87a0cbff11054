/* The numbers of a run, on runs so small that every one of them is known. */
#include "models/probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/models/story.h"

/* A row of the series. */
static double cell(const StoryRun *run, uint32_t sample, const char *component, uint32_t column) {
    uint32_t index = model_find_component(run->model, component);
    ck_assert_uint_lt(sample, run->world->probe.sample_count);
    return probe_series(&run->world->probe, sample, index, column);
}

static void column_is(const StoryRun *run, const char *component, uint32_t column,
                      const double *expected, uint32_t count) {
    ck_assert_uint_eq(run->world->probe.sample_count, count);
    for (uint32_t i = 0; i < count; i++) {
        double value = cell(run, i, component, column);
        ck_assert_msg(isnan(expected[i]) ? isnan(value) : fabs(value - expected[i]) < 1e-9,
                      "%s of %s in row %u is %g and not %g",
                      column < METRIC_COUNT ? metric_info(column)->column : "in_system", component,
                      i, value, expected[i]);
    }
}
#define COLUMN_IS(run, component, column, ...)                                                     \
    column_is(run, component, column, (const double[]){__VA_ARGS__},                               \
              sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static const TraceArrival three[] = {{.at_s = 0.5}, {.at_s = 0.9}, {.at_s = 2}};

START_TEST(a_row_is_the_interval_from_its_time_on) {
    /* One server, 0.75 s of work: 0.5-1.25, 1.25-2.0, 2.0-2.75. */
    StoryRun run = story_run("run: {duration: 4s, sample_every: 1s}\n"
                             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {api: {work: 0.75s}}\n",
                             STORY_TRACE(three));
    COLUMN_IS(&run, "web", METRIC_offered, 2, 0, 1, 0);
    COLUMN_IS(&run, "web", METRIC_answered, 0, 1, 2, 0);
    COLUMN_IS(&run, "web", METRIC_goodput, 0, 1, 2, 0);
    COLUMN_IS(&run, "web", SERIES_IN_SYSTEM, 0, 2, 1, 0);
    COLUMN_IS(&run, "web", METRIC_in_system_mean, 0.5 + 0.1, 1 + 0.25, 0.75, 0);
    COLUMN_IS(&run, "api", METRIC_busy, 0.5, 1, 0.75, 0);
    COLUMN_IS(&run, "api", METRIC_queue, 0.1, 0.25, 0, 0);
    COLUMN_IS(&run, "api", METRIC_idle_ratio, 0.5, 0, 0.25, 1);
    COLUMN_IS(&run, "api", METRIC_latency_max, NAN, 0.75, 1.1, NAN);
    COLUMN_IS(&run, "api", METRIC_queue_wait_mean, 0, 0.35, 0, NAN);
    story_free(&run);
}
END_TEST

START_TEST(the_measures_of_a_run_are_those_of_its_requests) {
    StoryRun run = story_run("run: {duration: 4s, sample_every: 1s}\n"
                             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {api: {work: 0.75s}}\n",
                             STORY_TRACE(three));
    measure_is(&run, "web", METRIC_offered, 3);
    measure_is(&run, "web", METRIC_answered, 3);
    measure_is(&run, "web", METRIC_goodput, 0.75);
    measure_is(&run, "web", METRIC_latency_mean, (0.75 + 1.1 + 0.75) / 3);
    measure_is(&run, "web", METRIC_latency_max, 1.1);
    measure_is(&run, "web", METRIC_attempts, 3);
    measure_is(&run, "web", METRIC_unfinished, 0);
    measure_is(&run, "web", METRIC_queue_wait_mean, NAN);
    measure_is(&run, "api", METRIC_queue_wait_mean, 0.35 / 3);
    measure_is(&run, "api", METRIC_waited_ratio, 1 / 3.0);
    measure_is(&run, "api", METRIC_utilization, 2.25 / 4);
    measure_is(&run, "api", METRIC_in_system_mean, 2.6 / 4);
    measure_is(&run, "api", METRIC_idle_ratio, 1.75 / 4);
    measure_is(&run, "api", METRIC_wasted_ratio, 0);
    measure_is(&run, "api", METRIC_availability, 1);
    measure_is(&run, "api", METRIC_batches, NAN);
    story_free(&run);
}
END_TEST

START_TEST(a_request_that_arrives_as_the_warm_up_ends_is_measured_and_earlier_ones_are_not) {
    static const TraceArrival list[] = {{.at_s = 0.999999999}, {.at_s = 1}, {.at_s = 3.5}};
    StoryRun run = story_run("run: {duration: 4s, warmup: 1s, sample_every: 1s}\n"
                             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {api: {work: 1s, server: {pool: {concurrency: 2}}}}\n",
                             STORY_TRACE(list));
    measure_is(&run, "web", METRIC_offered, 2);
    measure_is(&run, "web", METRIC_answered, 1);
    measure_is(&run, "web", METRIC_unfinished, 1);
    measure_is(&run, "web", METRIC_goodput, 1 / 3.0);
    measure_is(&run, "web", METRIC_latency_mean, 1);
    /* Levels look at all that is there from then on: 1 s less 1 ns, 1 s and 0.5 s in 3 s. */
    measure_is(&run, "api", METRIC_busy, (2.5 - 1e-9) / 3);
    COLUMN_IS(&run, "web", METRIC_offered, 1, 1, 0, 1);
    COLUMN_IS(&run, "api", METRIC_busy, 1e-9, 2 - 1e-9, 0, 0.5);
    story_free(&run);
}
END_TEST

START_TEST(a_warm_up_that_ends_within_a_row_changes_no_row) {
    static const char rest[] =
        "clients: {web: {target: api, arrivals: {poisson: {rate: 9/s}}, call: {timeout: 1s,"
        " retry: {fixed: {max_attempts: 3, delay: 0.4s}}}}}\n"
        "services: {api: {work: {exponential: {mean: 0.1s}}}}\n"
        "faults: [{at: 1.1s, for: 2.2s, crash: {service: api}}]\n";
    char cold[600], warm[600];
    snprintf(cold, sizeof cold, "run: {duration: 30s, sample_every: 1s}\n%s", rest);
    snprintf(warm, sizeof warm, "run: {duration: 30s, warmup: 2.385s, sample_every: 1s}\n%s", rest);
    StoryRun one = story_run(cold, NULL), two = story_run(warm, NULL);
    size_t count = one.world->probe.series.count;
    ck_assert_uint_eq(two.world->probe.series.count, count);
    ck_assert_mem_eq(one.world->probe.series.items, two.world->probe.series.items,
                     count * sizeof(double));
    story_free(&one);
    story_free(&two);
}
END_TEST

START_TEST(work_for_nobody_is_wasted_and_attempts_are_more_than_requests) {
    /* Both attempts take 2.385 s of work and come too late; the second would have been wanted until
     * 3.55 s. */
    static const TraceArrival one[] = {{.at_s = 0.25}};
    StoryRun run =
        story_run("run: {duration: 10s}\n"
                  "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call:"
                  " {timeout: 1.3s, retry: {fixed: {max_attempts: 2, delay: 0.7s}}}}}\n"
                  "services: {api: {work: 2.385s, server: {pool: {concurrency: 2}}}}\n",
                  STORY_TRACE(one));
    measure_is(&run, "web", METRIC_attempts, 2);
    measure_is(&run, "web", METRIC_timeouts, 1);
    measure_is(&run, "web", METRIC_answered, 0);
    measure_is(&run, "web", METRIC_late, 2);
    measure_is(&run, "web", METRIC_failed_latency, 3.3);
    measure_is(&run, "web", METRIC_retry_waiting, 0.07);
    measure_is(&run, "web", METRIC_latency_mean, NAN);
    measure_is(&run, "api", METRIC_timeouts, 2);
    measure_is(&run, "api", METRIC_late, 2);
    measure_is(&run, "api", METRIC_wasted_ratio, 1);
    /* From 1.55 s to 2.635 s and from 3.55 s to 4.635 s nobody waits for what is there. */
    measure_is(&run, "api", METRIC_orphaned, 2 * 1.085 / 10);
    story_free(&run);
}
END_TEST

START_TEST(an_orphan_is_in_the_service_and_nobody_waits_for_it) {
    /* One second there. Given up on its way at 0.95 s, it is in the service from 1.25 s to 1.95 s;
     * the one that was there at the start belongs to nobody for its 0.7 s. */
    static const TraceArrival one[] = {{.at_s = 0.25}};
    static const char yaml[] =
        "run: {duration: 10s, sample_every: 1s, initial: {api: {in_system: 1}}}\n"
        "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}, call: {timeout: "
        "0.7s}}}\n"
        "services: {api: {work: 0.7s, cancel_on_timeout: %s}}\n"
        "network: {default: {latency: 1s, reply_latency: 0s}}\n";
    char text[600];
    snprintf(text, sizeof text, yaml, "never");
    StoryRun run = story_run(text, STORY_TRACE(one));
    COLUMN_IS(&run, "api", METRIC_orphaned, 0.7, 0.7, 0, 0, 0, 0, 0, 0, 0, 0);
    measure_is(&run, "web", METRIC_orphaned, NAN);
    story_free(&run);
    snprintf(text, sizeof text, yaml, "anywhere");
    run = story_run(text, STORY_TRACE(one));
    COLUMN_IS(&run, "api", METRIC_orphaned, 0.7, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    story_free(&run);
}
END_TEST

START_TEST(availability_and_outages_count_replicas) {
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {api: {work: 1s, replicas: 4}}\n"
                             "faults: [{at: 2s, for: 3s, crash: {service: api, replicas: 2}}]\n",
                             STORY_TRACE(three));
    measure_is(&run, "api", METRIC_availability, 1 - 0.3 / 2);
    measure_is(&run, "api", METRIC_outages, 2);
    story_free(&run);
}
END_TEST

START_TEST(batches_are_counted_with_their_sizes) {
    static const TraceArrival five[] = {
        {.at_s = 0.1}, {.at_s = 0.2}, {.at_s = 0.3}, {.at_s = 0.4}, {.at_s = 0.5}};
    StoryRun run = story_run("run: {duration: 10s}\n"
                             "clients: {web: {target: api, arrivals: {trace: {file: /dev/null}}}}\n"
                             "services: {api: {server: {batch: {max_batch_size: 3, step: 1s}}}}\n",
                             STORY_TRACE(five));
    /* 1, 3 and 1. */
    measure_is(&run, "api", METRIC_batches, 3);
    measure_is(&run, "api", METRIC_batch_size, 5 / 3.0);
    measure_is(&run, "api", METRIC_full_batch_ratio, 1 / 3.0);
    measure_is(&run, "api", METRIC_utilization, 0.3);
    story_free(&run);
}
END_TEST

START_TEST(every_metric_is_found_by_its_column) {
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        ck_assert_uint_eq(metric_find(metric_info(i)->column), i);
    }
    ck_assert_uint_eq(metric_find("latency"), METRIC_COUNT);
}
END_TEST

TEST_SUITE("models/probe", a_row_is_the_interval_from_its_time_on,
           the_measures_of_a_run_are_those_of_its_requests,
           a_request_that_arrives_as_the_warm_up_ends_is_measured_and_earlier_ones_are_not,
           a_warm_up_that_ends_within_a_row_changes_no_row,
           work_for_nobody_is_wasted_and_attempts_are_more_than_requests,
           an_orphan_is_in_the_service_and_nobody_waits_for_it,
           availability_and_outages_count_replicas, batches_are_counted_with_their_sizes,
           every_metric_is_found_by_its_column)
