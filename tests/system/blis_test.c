/* Two runs of inference-sim (BLIS), request by request: the same arrivals, settings and steps must
 * give the same times to the microsecond (docs/inference.md section 4). The data are not shipped;
 * where they are not, this is skipped. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "experiments/compile.h"
#include "experiments/csv_in.h"
#include "experiments/trace_source.h"
#include "models/world.h"
#include "tests/system/outcomes.h"
#include "tests/test.h"

#define MEASURED_DIR "../shared/data/blis/"

enum { REQUESTS = 600 };

typedef struct Times {
    long ttft_us, e2e_us;
} Times;

/* What BLIS made of a file's requests, in the order of their arrival. */
static void read_expected(const char *file, Times *times) {
    char path[300];
    Error error;
    size_t ttft, e2e, count = 0;
    snprintf(path, sizeof path, MEASURED_DIR "%s", file);
    CsvIn *csv = csv_in_open(project_path(path), &error);
    ck_assert_msg(csv != NULL, "%s", error.text);
    ck_assert_msg(csv_in_find(csv, "ttft_us", &ttft, &error), "%s", error.text);
    ck_assert_msg(csv_in_find(csv, "e2e_us", &e2e, &error), "%s", error.text);
    for (CsvRow row; csv_in_next(csv, &row, &error) && row.cells != NULL; count++) {
        ck_assert_uint_lt(count, REQUESTS);
        times[count] = (Times){atol(row.cells[ttft].text), atol(row.cells[e2e].text)};
    }
    csv_in_close(csv);
    ck_assert_uint_eq(count, REQUESTS);
}

typedef struct Answers {
    Times times[REQUESTS];
    uint32_t count;
} Answers;

static void on_request(void *context, const RequestRecord *record) {
    Answers *answers = context;
    ck_assert(record->is_finished && record->outcome == OUTCOME_OK);
    ck_assert_uint_lt(record->number, REQUESTS);
    SimTime ttft = record->first_token_at - record->arrived_at;
    SimTime e2e = record->ended_at - record->arrived_at;
    ck_assert_msg(ttft % 1000 == 0 && e2e % 1000 == 0, "request %d: not whole microseconds",
                  (int)record->number);
    answers->times[record->number] = (Times){ttft / 1000, e2e / 1000};
    answers->count++;
}

static void simulate(const char *file, uint32_t budget_tok, bool is_stepwise, Answers *answers) {
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    TraceSources traces;
    Error error;
    char trace[300], budget[100];
    snprintf(trace, sizeof trace, "clients.bench.arrivals.trace.file=../../../" MEASURED_DIR "%s",
             file);
    snprintf(budget, sizeof budget, "services.llm.server.inference.max_num_batched_tokens=%u",
             budget_tok);
    char *sets[] = {trace, budget};
    Model *model = compile_file(project_path("tests/system/data/blis.yaml"), sets, 2, &doc,
                                &diagnostics, NULL);
    if (model == NULL) {
        diag_print(&diagnostics, stderr, false);
        ck_abort_msg("it does not compile");
    }
    doc_free(&doc);
    diag_free(&diagnostics);
    ck_assert_msg(trace_sources_open(model, &traces, &error), "%s", error.text);
    *answers = (Answers){0};
    World *world = world_create(model, &(WorldOptions){.seed = 1,
                                                       .traces = traces.sources,
                                                       .context = answers,
                                                       .on_request = on_request,
                                                       .is_stepwise = is_stepwise});
    world_run(world);
    world_destroy(world);
    trace_sources_close(&traces);
    model_destroy(model);
}

static void all_are_equal(const char *file, uint32_t budget_tok) {
    if (access(project_path(MEASURED_DIR "f1_basic.csv"), R_OK) != 0) {
        printf("skipped: the runs of inference-sim are not in " MEASURED_DIR "\n");
        return;
    }
    static Times expected[REQUESTS];
    static Answers answers;
    read_expected(file, expected);
    for (int is_stepwise = 0; is_stepwise < 2; is_stepwise++) {
        simulate(file, budget_tok, is_stepwise == 1, &answers);
        ck_assert_uint_eq(answers.count, REQUESTS);
        uint32_t equal = 0, first = REQUESTS;
        for (uint32_t i = 0; i < REQUESTS; i++) {
            bool is_equal = memcmp(&answers.times[i], &expected[i], sizeof expected[i]) == 0;
            equal += is_equal;
            first = is_equal || first < i ? first : i;
        }
        printf("%s%s: %u of %u requests equal in TTFT and E2E to the microsecond\n", file,
               is_stepwise ? ", stepwise" : "", equal, (uint32_t)REQUESTS);
        ck_assert_msg(first == REQUESTS,
                      "request %u: TTFT %ld us and E2E %ld us, but BLIS has %ld and %ld", first,
                      answers.times[first].ttft_us, answers.times[first].e2e_us,
                      expected[first].ttft_us, expected[first].e2e_us);
    }
}

START_TEST(every_request_of_blis_has_its_times_to_the_microsecond) {
    all_are_equal("f1_basic.csv", 2048);
}
END_TEST

START_TEST(so_it_has_with_a_budget_that_cuts_prompts) {
    all_are_equal("f6_budget512.csv", 512);
}
END_TEST

TEST_SUITE("system/blis", every_request_of_blis_has_its_times_to_the_microsecond,
           so_it_has_with_a_budget_that_cuts_prompts)
