/* events.csv: a row a change of state, by time within a replication: faults, the trigger's window,
 * components that broke, collapse, recovery, and last the verdict. */
#include <math.h>
#include <stdlib.h>

#include "experiments/tables.h"

static const Column columns[] = {
    {"replication", "integer", "1", "From 0."},
    {"time_s", "number", "s", "When."},
    {"component", "string", "", "What it happened to; empty: the run."},
    {"event", "string", "",
     "fault_begins, fault_ends, breaker_opens, breaker_half_opens, breaker_closes, "
     "trigger_begins, trigger_ends, broken, collapse, recovery, verdict."},
    {"detail", "string", "", "Which fault or call, whose fault, or why."},
};

typedef struct EventRow {
    double time_s;
    uint32_t rank; /* keeps rows of one instant in the order in which they were added */
    uint32_t component;
    const char *event, *detail;
} EventRow;

typedef struct EventRows {
    VEC(EventRow) rows;
} EventRows;

static void add_row(EventRows *list, double time_s, uint32_t component, const char *event,
                    const char *detail) {
    EventRow row = {time_s, (uint32_t)list->rows.count, component, event, detail};
    vec_push(&list->rows, row);
}

static void add_changes(EventRows *list, const Model *model, const Result *result) {
    if (model->has_trigger && model->trigger_from <= result->stopped_at) {
        add_row(list, time_to_s(model->trigger_from), NONE, "trigger_begins", "");
    }
    if (model->has_trigger && model->trigger_to <= result->stopped_at) {
        add_row(list, time_to_s(model->trigger_to), NONE, "trigger_ends", "");
    }
    for (size_t i = 0; i < result->changes.count; i++) {
        const Note *note = &result->changes.items[i];
        add_row(list, time_to_s(note->at), note->component, note->what, note->detail);
    }
}

static void add_verdict(EventRows *list, const Model *model, const Result *result) {
    const Verdict *verdict = &result->verdict;
    if (!isnan(verdict->collapse_at_s)) {
        add_row(list, verdict->collapse_at_s, NONE, "collapse", "");
    }
    for (uint32_t i = 0; i < verdict->breakage_count; i++) {
        const Breakage *breakage = &verdict->breakages[i];
        add_row(list, breakage->at_s, breakage->component, "broken",
                breakage->is_own_fault ? "own fault" : "cascade");
    }
    if (!isnan(verdict->recovered_at_s)) {
        add_row(list, verdict->recovered_at_s, NONE, "recovery", "");
    }
    if (!model->verdict.is_off) {
        add_row(list, time_to_s(result->stopped_at), NONE, "verdict", verdict->why);
    }
}

static int compare_rows(const void *left, const void *right) {
    const EventRow *a = left, *b = right;
    if (a->time_s != b->time_s) {
        return a->time_s < b->time_s ? -1 : 1;
    }
    return a->rank < b->rank ? -1 : 1;
}

static void events_add(CsvOut *csv, const Model *model, const Result *result, void *state) {
    (void)state;
    EventRows list = {0};
    add_changes(&list, model, result);
    add_verdict(&list, model, result);
    if (list.rows.count > 0) {
        qsort(list.rows.items, list.rows.count, sizeof *list.rows.items, compare_rows);
    }
    for (size_t i = 0; i < list.rows.count; i++) {
        const EventRow *row = &list.rows.items[i];
        csv_out_count(csv, result->replication);
        csv_out_double(csv, row->time_s);
        write_component(csv, model, row->component);
        csv_out_text(csv, row->event);
        csv_out_text(csv, row->detail);
        csv_out_end_row(csv);
    }
    vec_free(&list.rows);
}

const Table table_events = {
    .file = "events.csv",
    .doc = "What changed, and when.",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .add = events_add,
};
