/* outcome.csv: a row a replication. */
#include <stdio.h>

#include "experiments/tables.h"

static const Column columns[] = {
    {"replication", "integer", "1", "From 0."},
    {"seed", "integer", "1", "Of the run; streams are keyed by seed and replication."},
    {"verdict", "string", "", "The run against its twin without the trigger."},
    {"collapse_at_s", "number", "s", "When goodput fell below healthy for the hold time."},
    {"recovered_at_s", "number", "s", "When it was back for the hold time."},
    {"stopped_at_s", "number", "s", "Where the run ended."},
    {"stopped_by", "string", "", "end, stop_when, or the budget that was hit."},
    {"first_to_fail", "string", "", "The component that broke first."},
    {"cascade_depth", "integer", "1", "Calls from it to the furthest component that broke."},
    {"amplification_max", "number", "1",
     "Largest number of attempts per request over the hold time."},
    {"goodput_ratio_min", "number", "1", "Smallest goodput over the hold time against the twin's."},
    {"sustained_by", "string", "", "What kept it down; empty until explained."},
    {"event_count", "integer", "1", "Events of the run."},
    {"tie_count", "integer", "1", "Events at the same instant as the one before."},
    {"fingerprint", "string", "", "Hash over all events, x and 16 hexadecimal digits."},
    {"detected_at_s", "number", "s",
     "When the first alert fired, from the trigger's start on; empty: none did."},
};

static void outcome_add(CsvOut *csv, const Model *model, const Result *result, void *state) {
    (void)state;
    const Verdict *verdict = &result->verdict;
    char fingerprint[20];
    /* The x keeps readers from taking digits for a number. */
    snprintf(fingerprint, sizeof fingerprint, "x%016llx", (unsigned long long)result->fingerprint);
    csv_out_count(csv, result->replication);
    csv_out_count(csv, (uint64_t)model->run.seed);
    csv_out_text(csv, verdict_name(verdict->kind));
    csv_out_double(csv, verdict->collapse_at_s);
    csv_out_double(csv, verdict->recovered_at_s);
    csv_out_double(csv, time_to_s(result->stopped_at));
    csv_out_text(csv, stop_reason_name(result->stop_reason));
    write_component(csv, model, verdict->first_to_fail);
    if (verdict->first_to_fail == NONE) {
        csv_out_missing(csv);
    } else {
        csv_out_count(csv, verdict->cascade_depth);
    }
    csv_out_double(csv, verdict->amplification_max);
    csv_out_double(csv, verdict->goodput_ratio_min);
    csv_out_missing(csv);
    csv_out_count(csv, result->event_count);
    csv_out_count(csv, result->tie_count);
    csv_out_text(csv, fingerprint);
    csv_out_double(csv, result_detected_at_s(model, result));
    csv_out_end_row(csv);
}

const Table table_outcome = {
    .file = "outcome.csv",
    .doc = "How each replication ended.",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .add = outcome_add,
};
