/* knockon run --json: what the terminal shows, as one object on the standard output. */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "experiments/json_out.h"
#include "experiments/terminal.h"
#include "experiments/version.h"
#include "sim/check.h"

static void put_interval(JsonOut *json, Interval interval) {
    json_out_double(json, "ci_low", interval.low);
    json_out_double(json, "ci_high", interval.high);
}

static void put_mean(JsonOut *json, const char *key, const Running *running) {
    json_out_begin_object(json, key);
    json_out_double(json, "mean", running->count > 0 ? running->mean : NAN);
    put_interval(json, interval_mean(running, 0.95));
    json_out_end_object(json);
}

static void put_verdicts(JsonOut *json, Overview *overview) {
    json_out_begin_object(json, "verdicts");
    for (uint32_t i = 0; i < VERDICT_COUNT; i++) {
        if (overview->verdicts[i] > 0) {
            json_out_begin_object(json, verdict_name((VerdictKind)i));
            json_out_int(json, "count", overview->verdicts[i]);
            json_out_double(json, "share", (double)overview->verdicts[i] / overview->count);
            put_interval(json, interval_wilson(overview->verdicts[i], overview->count, 0.95));
            json_out_text(json, "why", overview->why[i]);
            json_out_end_object(json);
        }
    }
    json_out_end_object(json);
    json_out_double(json, "collapse_at_s_p50",
                    overview_median(overview->collapse_at_s.items, overview->collapse_at_s.count));
    json_out_double(json, "detected_at_s_p50",
                    overview_median(overview->detected_at_s.items, overview->detected_at_s.count));
    json_out_double(
        json, "recovered_at_s_p50",
        overview_median(overview->recovered_at_s.items, overview->recovered_at_s.count));
}

static void put_components(JsonOut *json, const Overview *overview) {
    const Model *model = overview->model;
    json_out_begin_object(json, "components");
    for (uint32_t i = 0; i < model_component_count(model); i++) {
        json_out_begin_object(json, model_component_name(model, i));
        json_out_text(json, "kind", model_component_is_client(model, i) ? "client" : "service");
        for (uint32_t k = 0; k < METRIC_COUNT; k++) {
            const Running *running = overview_metric(overview, i, k);
            if (running->count > 0) {
                put_mean(json, metric_info(k)->column, running);
            }
        }
        json_out_end_object(json);
    }
    json_out_end_object(json);
}

static void put_objectives(JsonOut *json, const Overview *overview) {
    json_out_begin_array(json, "objectives");
    for (uint32_t i = 0; i < overview->model->objective_count; i++) {
        json_out_begin_object(json, NULL);
        json_out_text(json, "objective", overview->model->objectives[i].text);
        json_out_bool(json, "is_kept", overview_objective_is_kept(overview, i));
        json_out_int(json, "missed_count", overview->objectives[i].missed_count);
        put_mean(json, "value", &overview->objectives[i].values);
        json_out_end_object(json);
    }
    json_out_end_array(json);
}

static void put_all(JsonOut *json, const RunReport *report) {
    Overview *overview = report->overview;
    json_out_begin_object(json, NULL);
    json_out_text(json, "name", overview->model->name);
    json_out_text(json, "version", KNOCKON_VERSION);
    json_out_text(json, "scenario_hash", report->manifest->hash);
    json_out_text(json, "status", report->manifest->status);
    json_out_text(json, "out", report->out_path);
    json_out_int(json, "seed", (int64_t)overview->model->run.seed);
    json_out_int(json, "replications", overview->count);
    json_out_int(json, "truncated_count", overview->truncated_count);
    put_verdicts(json, overview);
    put_components(json, overview);
    put_objectives(json, overview);
    json_out_end_object(json);
}

/* The writer of files, on a descriptor that needs no place: neither synced nor renamed. */
bool summary_json_print(const RunReport *report, Error *error) {
    CHECK(report->overview->count > 0);
    FileOut *file = mem_zalloc(1, sizeof *file);
    file->fd = STDOUT_FILENO;
    sha256_init(&file->sha);
    JsonOut json = {.file = file};
    put_all(&json, report);
    file_out_write(file, "\n", 1);
    file_out_flush(file);
    bool is_written = !file_out_failed(file);
    if (!is_written) {
        error_set(error, "cannot write to the standard output: %s", strerrordesc_np(file->failure));
    }
    mem_free(file);
    return is_written;
}
