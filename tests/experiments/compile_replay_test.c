/* Faults from a file: what its rows become, and every message about them. */
#include <string.h>
#include <unistd.h>

#include "models/faults/fault.h"
#include "tests/experiments/compile_test.h"

static char scratch[] = "/tmp/knockon-replay-XXXXXX";

static void enter_scratch(void) {
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    fclose(file);
}

static Compiled compiled_with(const char *csv, const char *set) {
    enter_scratch();
    write_file("seen.csv", csv);
    Compiled result = compiled(base_scenario, set);
    ck_assert_int_eq(unlink("seen.csv"), 0);
    ck_assert_int_eq(rmdir(scratch), 0);
    return result;
}

START_TEST(each_row_is_a_fault_of_its_kind) {
    Compiled result = compiled_with("kind,time,until,for,service,replicas,x,to\n"
                                    "crash,60,90.5,,model,1,,\n"
                                    "slow,2min,,30s,gateway,,3.5,\n"
                                    "rate_limit,4min,,,model,,,\n"
                                    "crash,5min,,,model,,,\n",
                                    "faults=[{at: 10s, replay: {file: seen.csv}}]");
    ck_assert_str_eq(result.messages, "4:0: 'rate_limit' needs 'rate'");
    compiled_free(&result);
    strcpy(scratch, "/tmp/knockon-replay-XXXXXX");
    result = compiled_with("kind,time,until,for,service,replicas,x\n"
                           "crash,60,90.5,,model,1,\n"
                           "slow,2min,,30s,gateway,,3.5\n"
                           "\n"
                           "crash,5min,,,model,,\n",
                           "faults=[{at: 1s, slow: {service: model, x: 2}}, {at: 10s, replay: "
                           "{file: seen.csv}}]");
    ck_assert_str_eq(result.messages, "");
    const Model *model = result.model;
    ck_assert_uint_eq(model->fault_count, 4);
    ck_assert_str_eq(model->faults[1].label, "crash model");
    ck_assert_int_eq(model->faults[1].at, 70 * SIM_TIME_S);
    ck_assert_double_eq(dist_mean(&model->faults[1].lasts), 30.5);
    ck_assert_uint_eq(((const FaultPlace *)model->faults[1].fault.params)->replicas, 1);
    ck_assert_str_eq(model->faults[2].label, "slow gateway");
    ck_assert_int_eq(model->faults[2].at, 130 * SIM_TIME_S);
    ck_assert_double_eq(dist_mean(&model->faults[2].lasts), 30);
    ck_assert(!model->faults[3].has_lasts);
    ck_assert_int_eq(model->trigger_from, SIM_TIME_S);
    ck_assert_uint_eq(model->file_count, 1);
    compiled_free(&result);
}
END_TEST

typedef struct FileCase {
    const char *csv, *expected;
} FileCase;

START_TEST(mistakes_in_the_file_are_named_with_their_line) {
    static const FileCase cases[] = {
        {"", "1:25: seen.csv:1: the file is empty; a header was expected"},
        {"time,knid\n1,crash\n", "1:25: seen.csv:1: there is no column 'kind'; did you mean "
                                 "'knid'?"},
        {"time,kind,service\n", "1:25: seen.csv:1: no fault follows this header"},
        {"time,kind,service\n1,crsh,model\n", "2:0: a fault has no key 'crsh': did you mean "
                                              "'crash'?"},
        {"time,kind,service\n1,crash,model\n-3,crash,model\n",
         "3:0: column 'time': -3 seconds are below 0"},
        {"time,kind,service\n1x,crash,model\n",
         "2:0: column 'time': '1x' is not a duration: units are ns, us, ms, s, min, h or d; write "
         "for example '250ms'"},
        {"time,kind,service\n1,crash,modle\n", "2:0: there is no service 'modle': did you mean "
                                               "'model'?"},
        {"time,kind,service,until\n5,crash,model,5\n", "2:0: this fault ends before it has begun"},
        {"time,kind,service,until,for\n5,crash,model,9,4\n",
         "2:0: 'until' and 'for' both say how long this lasts: leave one out"},
        {"time,kind,service,size\n5,crash,model,9\n",
         "2:0: 'crash' has no key 'size'; its keys are: service, first, replicas, share, restart, "
         "mode, known"},
        {"time,kind,service,replicas\n5,crash,model,9\n", "2:0: 'model' has 2 replicas, not 9"},
        {"time,kind\n5,replay\n", "2:0: a row cannot replay another file"},
        {"time,kind,service\n1,crash,model\n2,crash\n",
         "1:25: seen.csv:3: 2 cells where the header has 3 columns"},
        {"time,kind,service\n1h,crash,model\n", "2:0: warning: this fault begins after the run has "
                                                "ended"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        strcpy(scratch, "/tmp/knockon-replay-XXXXXX");
        Compiled result = compiled_with(cases[i].csv, "faults=[{replay: {file: seen.csv}}]");
        ck_assert_msg(strcmp(result.messages, cases[i].expected) == 0, "%s\nsays\n%s\nand not\n%s",
                      cases[i].csv, result.messages, cases[i].expected);
        compiled_free(&result);
    }
}
END_TEST

START_TEST(a_replay_takes_no_times_but_an_offset) {
    Compiled result = compiled_with("time,kind,service\n1,crash,model\n",
                                    "faults=[{for: 1s, replay: {file: seen.csv}}]");
    ck_assert_str_eq(result.messages,
                     "1:10: the rows of the file say when and where: a replay takes 'at' only, "
                     "which is added to their times");
    compiled_free(&result);
    result = compiled(base_scenario, "faults=[{replay: {file: nowhere.csv}}]");
    ck_assert_str_eq(result.messages, "1:25: cannot read 'nowhere.csv': No such file or directory");
    compiled_free(&result);
}
END_TEST

TEST_SUITE("experiments/compile_replay", each_row_is_a_fault_of_its_kind,
           mistakes_in_the_file_are_named_with_their_line, a_replay_takes_no_times_but_an_offset)
