/* requests.csv: a row a request, in the order in which they ended; the unfinished last. */
#include "experiments/tables.h"

#include "sim/check.h"

static const Column columns[] = {
    {"replication", "integer", "1", "From 0."},
    {"request", "integer", "1", "Number among the client's requests, from 0."},
    {"client", "string", "", "Whose request it was."},
    {"arrived_s", "number", "s", "When it arrived."},
    {"outcome", "string", "", "ok, timeout, error, refused, or unfinished at the end of the run."},
    {"latency_s", "number", "s", "From arrival to answer or final failure."},
    {"ttft_s", "number", "s",
     "Time to first token: from arrival to the first token of a good answer that has tokens."},
    {"attempt_count", "integer", "1", "Attempts sent, the first included."},
    {"input_tokens", "integer", "1", "Length of the prompt; 0 when the scenario has none."},
    {"output_tokens", "integer", "1", "Length of the answer; 0 when the scenario has none."},
    {"tpot_s", "number", "s",
     "Time per output token after the first, of such an answer with two tokens or more."},
};

static const char *outcome_name(const RequestRecord *record) {
    static const char *const names[OUTCOME_COUNT] = {"ok", "timeout", "error", "refused"};
    CHECK(record->outcome < OUTCOME_COUNT);
    return record->is_finished ? names[record->outcome] : "unfinished";
}

static void write_ttft(CsvOut *csv, const RequestRecord *record) {
    if (record->first_token_at == 0) {
        csv_out_missing(csv);
        return;
    }
    CHECK(record->is_finished && record->first_token_at >= record->arrived_at);
    csv_out_double(csv, time_to_s(record->first_token_at - record->arrived_at));
}

static void write_tpot(CsvOut *csv, const RequestRecord *record) {
    if (record->first_token_at == 0 || record->output_tokens < 2) {
        csv_out_missing(csv);
        return;
    }
    CHECK(record->ended_at >= record->first_token_at);
    csv_out_double(
        csv, time_to_s((record->ended_at - record->first_token_at) / (record->output_tokens - 1)));
}

static void requests_add(CsvOut *csv, const Model *model, const Result *result, void *state) {
    (void)state;
    for (size_t i = 0; i < result->requests.count; i++) {
        const RequestRecord *record = &result->requests.items[i];
        csv_out_count(csv, result->replication);
        csv_out_count(csv, record->number);
        write_component(csv, model, record->client);
        csv_out_double(csv, time_to_s(record->arrived_at));
        csv_out_text(csv, outcome_name(record));
        if (record->is_finished) {
            csv_out_double(csv, time_to_s(record->ended_at - record->arrived_at));
        } else {
            csv_out_missing(csv);
        }
        write_ttft(csv, record);
        csv_out_count(csv, record->attempt_count);
        csv_out_count(csv, record->input_tokens);
        csv_out_count(csv, record->output_tokens);
        write_tpot(csv, record);
        csv_out_end_row(csv);
    }
}

const Table table_requests = {
    .file = "requests.csv",
    .doc = "Each request of each client.",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .add = requests_add,
};
