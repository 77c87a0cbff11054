#include "experiments/trace_in.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "experiments/date_parse.h"
#include "tests/test.h"

/* Where the project's traces lie when they are there; the tests on them are skipped otherwise. */
#ifndef KNOCKON_TRACES
#define KNOCKON_TRACES "../shared/data/traces/"
#endif

static char scratch[64];
static int home; /* the directory the test was started in */

static void enter_scratch(void) {
    home = open(".", O_RDONLY | O_DIRECTORY);
    snprintf(scratch, sizeof scratch, "/tmp/knockon-trace-in-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chdir(scratch), 0);
}

static void leave_scratch(void) {
    unlink("t");
    ck_assert_int_eq(fchdir(home), 0);
    close(home);
    ck_assert_int_eq(rmdir(scratch), 0);
}

static void put(const char *text) {
    FILE *file = fopen("t", "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Reads a trace as "format ns:input:output ns:input:output" with - for unknown tokens and [ids]
 * where there are hash ids, or "format ns@rate" for rates; or as its error. */
static const char *read_spec(TraceSpec spec, const char *text) {
    static char found[2048];
    Error error;
    put(text);
    spec.path = "t";
    TraceIn *trace = trace_in_open(&spec, &error);
    if (trace == NULL) {
        return strcpy(found, error.text);
    }
    size_t used = (size_t)sprintf(found, "%s", trace_format_name(trace_in_format(trace)));
    TraceRecord record;
    for (;;) {
        if (!trace_in_next(trace, &record, &error)) {
            strcpy(found, error.text);
            break;
        }
        if (record.at == SIM_TIME_NEVER) {
            break;
        }
        used += (size_t)sprintf(found + used, " %lld", (long long)record.at);
        if (trace_in_format(trace) == TRACE_RATE) {
            used += (size_t)sprintf(found + used, "@%g", record.rate_per_s);
        } else if (record.input_tokens == TRACE_TOKENS_UNKNOWN) {
            used += (size_t)sprintf(found + used, ":-");
        } else {
            used +=
                (size_t)sprintf(found + used, ":%u:%u", record.input_tokens, record.output_tokens);
        }
        for (uint32_t i = 0; i < record.hash_count; i++) {
            used += (size_t)sprintf(found + used, "%s%lld", i == 0 ? "[" : ",",
                                    (long long)record.hash_ids[i]);
        }
        used += (size_t)sprintf(found + used, "%s", record.hash_count > 0 ? "]" : "");
    }
    trace_in_close(trace);
    return found;
}

static const char *read_text(const char *text) {
    return read_spec((TraceSpec){0}, text);
}

#define AZURE "TIMESTAMP,ContextTokens,GeneratedTokens\n"
#define MOONCAKE(fields) "{\"timestamp\": 27000, " fields "}\n"

START_TEST(every_format_is_found_by_its_columns) {
    enter_scratch();
    ck_assert_str_eq(read_text(AZURE "2023-11-16 18:17:03.9799600,4808,10\n"
                                     "2023-11-16 18:17:04.0319600,3180,8\n"),
                     "azure-llm 0:4808:10 52000000:3180:8");
    ck_assert_str_eq(read_text(AZURE "2024-05-10 00:00:00.009930+00:00,2162,5\n"
                                     "2024-05-10 02:00:00.017335+02:00,2399,6\n"),
                     "azure-llm 0:2162:5 7405000:2399:6");
    ck_assert_str_eq(
        read_text("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                  "5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,0,1087,API log\n"),
        "burstgpt 5000000000:472:18 45500000000:1087:0");
    ck_assert_str_eq(read_text("{\"timestamp\": 27482, \"input_length\": 6955, \"output_length\": "
                               "52, \"hash_ids\": [46, 47]}\n\n" MOONCAKE(
                                   "\"input_length\": 1, \"output_length\": 2") "\n"),
                     "t:3: the time goes backwards");
    ck_assert_str_eq(read_text(MOONCAKE("\"input_length\": 1, \"output_length\": 2")),
                     "mooncake 27000000000:1:2");
    ck_assert_str_eq(read_text("arrived_at,num_prefill_tokens,num_decode_tokens\n0.125,3,4\n"),
                     "vidur 125000000:3:4");
    ck_assert_str_eq(read_text("t_s,rate_rps\r\n0,212.78\r\n600,0\r\n"),
                     "rate 0@212.78 600000000000@0");
    leave_scratch();
}
END_TEST

START_TEST(hash_ids_come_with_the_record_that_has_them) {
    enter_scratch();
    ck_assert_str_eq(
        read_text(MOONCAKE("\"input_length\": 900, \"output_length\": 2, \"hash_ids\": [46, 47]")
                      MOONCAKE("\"input_length\": 3, \"output_length\": 4")
                          MOONCAKE("\"hash_ids\": [], \"input_length\": 5, \"output_length\": 6")
                              MOONCAKE("\"hash_ids\": [9223372036854775807, -1, 0],"
                                       " \"input_length\": 7, \"output_length\": 8")),
        "mooncake 27000000000:900:2[46,47] 27000000000:3:4 27000000000:5:6"
        " 27000000000:7:8[9223372036854775807,-1,0]");
    leave_scratch();
}
END_TEST

START_TEST(other_columns_are_read_by_name_and_unit) {
    enter_scratch();
    TraceSpec spec = {.time_column = "when",
                      .input_column = "in",
                      .output_column = "out",
                      .time_unit = SIM_TIME_S / 1000};
    ck_assert_str_eq(read_spec(spec, "out,when,in,x\n1,2.5,3,\n4,1e3,5,\n"),
                     "columns 2500000:3:1 1000000000:5:4");
    /* Dates are known by their look, and then there is no unit. */
    ck_assert_str_eq(read_spec(spec, "when,in,out\n2000-02-29T23:59:59.5Z,1,2\n"
                                     "2000-03-01 00:00:00,3,4\n"),
                     "columns 0:1:2 500000000:3:4");
    spec = (TraceSpec){.time_column = "when"};
    ck_assert_str_eq(read_spec(spec, "when,in\n7,x\n7,y\n"), "columns 7000000000:- 7000000000:-");
    leave_scratch();
}
END_TEST

START_TEST(a_given_format_names_the_missing_column) {
    enter_scratch();
    TraceSpec spec = {.format = TRACE_AZURE_LLM};
    ck_assert_str_eq(read_spec(spec, "TIMESTAMP,ContextToken,GeneratedTokens\n"),
                     "t:1: there is no column 'ContextTokens'; did you mean 'ContextToken'?");
    spec.format = TRACE_MOONCAKE;
    ck_assert_str_eq(read_spec(spec, "t_s,rate_rps\n"), "t:1: not JSON: invalid token near 't'");
    spec = (TraceSpec){.time_column = "when", .output_column = "out"};
    ck_assert_str_eq(read_spec(spec, "when,outs\n"),
                     "t:1: there is no column 'out'; did you mean 'outs'?");
    leave_scratch();
}
END_TEST

START_TEST(an_unknown_header_is_shown) {
    enter_scratch();
    ck_assert_str_eq(
        read_text("time,a\x1B[31m\n1,2\n"),
        "t:1: no known trace format has the columns 'time', 'a\\x1B[31m'; give format, "
        "or columns: {time: NAME, input_tokens: NAME, output_tokens: NAME}");
    const char *found =
        read_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,"
                  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,"
                  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc,"
                  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\n");
    ck_assert_ptr_nonnull(strstr(found, "cccc...' ...; give format"));
    leave_scratch();
}
END_TEST

START_TEST(every_malformed_line_is_named) {
    enter_scratch();
    static const struct {
        const char *text, *error;
    } CASES[] = {
        {AZURE "2023-11-16 18:17:03,1,2\n2023-13-16 18:17:03,1,2\n",
         "t:3: '2023-13-16 18:17:03' is not a time stamp; write for example 2023-11-16 "
         "18:17:03.9799600"},
        {AZURE "5.0,1,2\n",
         "t:2: '5.0' is not a time stamp; write for example 2023-11-16 18:17:03.9799600"},
        {AZURE "2023-11-16 18:17:03.5,1,2\n2023-11-16 18:17:03.4,1,2\n",
         "t:3: the time goes backwards: '2023-11-16 18:17:03.4'"},
        {AZURE "2023-11-16 18:17:03,1\n", "t:2: 2 cells where the header has 3 columns"},
        {AZURE "2023-11-16 18:17:03,-1,2\n",
         "t:2: '-1' in column 'ContextTokens' is not a number of tokens"},
        {AZURE "2023-11-16 18:17:03,1,\n",
         "t:2: '' in column 'GeneratedTokens' is not a number of tokens"},
        {AZURE "2023-11-16 18:17:03,1,4294967295\n",
         "t:2: '4294967295' in column 'GeneratedTokens' is not a number of tokens"},
        {AZURE "2023-11-16 18:17:03,1.5,2\n",
         "t:2: '1.5' in column 'ContextTokens' is not a number of tokens"},
        {"t_s,rate_rps\n0,-1\n", "t:2: '-1' is not a rate: a number of requests per second, 0 or "
                                 "more, was expected"},
        {"t_s,rate_rps\n0,nan\n", "t:2: 'nan' is not a rate: a number of requests per second, 0 or "
                                  "more, was expected"},
        {"t_s,rate_rps\n-1,2\n",
         "t:2: '-1' is not a time: a number, 0 or more, within 100 years, was expected"},
        {"t_s,rate_rps\n1e10,2\n",
         "t:2: '1e10' is not a time: a number, 0 or more, within 100 years, was expected"},
        {"t_s,rate_rps\n\xFF,2\n",
         "t:2: '\\xFF' is not a time: a number, 0 or more, within 100 years, was expected"},
        {"t_s,rate_rps\n3,1\n2,1\n", "t:3: the time goes backwards: '2'"},
        {"{\"timestamp\": 1,\n", "t:1: not JSON: string or '}' expected near end of file"},
        {"{} x\n", "t:1: not JSON: end of file expected near 'x'"},
        {"{\"timestamp\": 1, \"timestamp\": 2}\n",
         "t:1: not JSON: duplicate object key near '\"timestamp\"'"},
        {"{\"timestamp\": \"now\"}\n",
         "t:1: 'timestamp' is not a time: a number of ms, 0 or more, was expected"},
        {"{\"timestamp\": -1}\n",
         "t:1: 'timestamp' is not a time: a number of ms, 0 or more, was expected"},
        {MOONCAKE("\"input_length\": 1.5, \"output_length\": 2"),
         "t:1: 'input_length' and 'output_length' must be numbers of tokens"},
        {MOONCAKE("\"input_length\": 1"),
         "t:1: 'input_length' and 'output_length' must be numbers of tokens"},
        {MOONCAKE("\"input_length\": 1, \"output_length\": 4294967296"),
         "t:1: 'input_length' and 'output_length' must be numbers of tokens"},
        {MOONCAKE("\"input_length\": 1, \"output_length\": 2, \"hash_ids\": 3"),
         "t:1: 'hash_ids' is not a list of whole numbers"},
        {MOONCAKE("\"input_length\": 1, \"output_length\": 2, \"hash_ids\": [1, \"x\"]"),
         "t:1: 'hash_ids' is not a list of whole numbers"},
        {MOONCAKE("\"input_length\": 1, \"output_length\": 2, \"hash_ids\": {\"1\": 2}"),
         "t:1: 'hash_ids' is not a list of whole numbers"},
        {MOONCAKE("\"input_length\": 1, \"output_length\": 2, \"hash_ids\": null"),
         "t:1: 'hash_ids' is not a list of whole numbers"},
        {MOONCAKE("\"input_length\": 1, \"output_length\": 2") "[1]\n",
         "t:2: a JSON object was expected"},
        {"", "t:1: the file is empty; a header was expected"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ck_assert_str_eq(read_text(CASES[i].text), CASES[i].error);
    }
    leave_scratch();
}
END_TEST

START_TEST(deep_json_is_refused_at_once) {
    enter_scratch();
    char *text = malloc(900002);
    memset(text, '[', 900000);
    text[0] = '{';
    strcpy(text + 900000, "\n");
    ck_assert_ptr_nonnull(strstr(read_text(text), "t:1: not JSON: "));
    memcpy(text, "{\"timestamp\":", 13);
    ck_assert_str_eq(read_text(text), "t:1: not JSON: maximum parsing depth reached near '['");
    free(text);
    leave_scratch();
}
END_TEST

START_TEST(a_check_reads_the_whole_trace_and_tells_what_is_in_it) {
    enter_scratch();
    TraceSpec spec = {.path = "t"};
    TraceFacts facts;
    Error error;
    put(AZURE);
    ck_assert(!trace_in_check(&spec, &facts, &error));
    ck_assert_str_eq(error.text, "t: the trace has no records");
    put(AZURE "2023-11-16 18:17:03,1,2\n2023-11-16 18:17:04,1,x\n");
    ck_assert(!trace_in_check(&spec, &facts, &error));
    ck_assert_str_eq(error.text, "t:3: 'x' in column 'GeneratedTokens' is not a number of tokens");
    put(AZURE "2023-11-16 18:17:03,1,2\n2023-11-17 18:17:03,1,2\n");
    ck_assert(trace_in_check(&spec, &facts, &error));
    ck_assert_int_eq(facts.last_at, 86400 * SIM_TIME_S);
    ck_assert_uint_eq(facts.record_count, 2);
    ck_assert(facts.has_input_tokens && facts.has_output_tokens);
    put("t_s,rate_rps\n1,2\n");
    ck_assert(trace_in_check(&spec, &facts, &error));
    ck_assert(facts.format == TRACE_RATE && !facts.has_input_tokens && !facts.has_output_tokens);
    spec.path = "missing";
    ck_assert(!trace_in_check(&spec, &facts, &error));
    ck_assert_str_eq(error.text, "missing: cannot open: No such file or directory");
    leave_scratch();
}
END_TEST

START_TEST(format_names_go_both_ways) {
    for (int i = TRACE_AUTO; i <= TRACE_MOONCAKE; i++) {
        TraceFormat format;
        ck_assert(trace_format_find(trace_format_name((TraceFormat)i), &format));
        ck_assert_int_eq((int)format, i);
    }
    TraceFormat format;
    ck_assert(!trace_format_find("azure", &format));
}
END_TEST

START_TEST(a_rewound_trace_begins_again) {
    enter_scratch();
    static const char *const TEXTS[] = {
        AZURE "2023-11-16 18:17:03.5,1,2\n2023-11-16 18:17:04,3,4\n",
        MOONCAKE("\"input_length\": 1, \"output_length\": 2"),
    };
    for (int i = 0; i < 2; i++) {
        put(TEXTS[i]);
        TraceIn *trace = trace_in_open(&(TraceSpec){.path = "t"}, NULL);
        TraceRecord first, again;
        ck_assert(trace_in_next(trace, &first, NULL));
        for (int round = 0; round < 3; round++) {
            do {
                ck_assert(trace_in_next(trace, &again, NULL));
            } while (again.at != SIM_TIME_NEVER);
            ck_assert(trace_in_rewind(trace, NULL));
            ck_assert(trace_in_next(trace, &again, NULL));
            ck_assert_int_eq(again.at, first.at);
            ck_assert_uint_eq(again.input_tokens, 1);
        }
        trace_in_close(trace);
    }
    leave_scratch();
}
END_TEST

static const char *const REAL[] = {"azure-llm-2023-code.csv", "azure-llm-2023-conv.csv",
                                   "mooncake-conversation.jsonl",
                                   "servegen-m-large-rate-10min.csv"};

START_TEST(real_traces_are_read_to_their_end) {
    static const struct {
        TraceFormat format;
        uint64_t record_count;
        SimTime last_at;
    } EXPECTED[] = {
        {TRACE_AZURE_LLM, 8819, INT64_C(3435948056000)},
        {TRACE_AZURE_LLM, 19366, INT64_C(3501721937000)},
        {TRACE_MOONCAKE, 12031, INT64_C(3536999000000)},
        {TRACE_RATE, 2016, INT64_C(1209000) * SIM_TIME_S},
    };
    if (access(KNOCKON_TRACES, R_OK) != 0) {
        fputs("skipped: no traces in " KNOCKON_TRACES "\n", stderr);
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        char path[256];
        Error error;
        snprintf(path, sizeof path, KNOCKON_TRACES "%s", REAL[i]);
        TraceFacts facts;
        ck_assert_msg(trace_in_check(&(TraceSpec){.path = path}, &facts, &error), "%s", error.text);
        ck_assert_int_eq(facts.format, EXPECTED[i].format);
        ck_assert_uint_eq(facts.record_count, EXPECTED[i].record_count);
        ck_assert_int_eq(facts.last_at, EXPECTED[i].last_at);
    }
}
END_TEST

/* Sums a trace; the argument is a TraceIn of the thread's own. */
static void *sum_trace(void *argument) {
    TraceIn *trace = argument;
    uint64_t sum = 0;
    TraceRecord record;
    while (trace_in_next(trace, &record, NULL) && record.at != SIM_TIME_NEVER) {
        sum = sum * 31 + (uint64_t)record.at + record.input_tokens;
    }
    return (void *)(uintptr_t)sum; // NOLINT: a sum handed through pthread_join
}

START_TEST(threads_read_the_same_trace_each_for_itself) {
    enter_scratch();
    FILE *file = fopen("t", "w");
    fputs("arrived_at,num_prefill_tokens,num_decode_tokens\n", file);
    for (int i = 0; i < 20000; i++) {
        fprintf(file, "%d.%03d,%d,%d\n", i / 10, i % 10 * 7, i % 997, i % 31);
    }
    fclose(file);
    pthread_t threads[4];
    TraceIn *traces[4];
    void *sums[4];
    for (int i = 0; i < 4; i++) {
        traces[i] = trace_in_open(&(TraceSpec){.path = "t"}, NULL);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sum_trace, traces[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &sums[i]);
        trace_in_close(traces[i]);
        ck_assert_ptr_eq(sums[i], sums[0]);
    }
    ck_assert_ptr_nonnull(sums[0]);
    leave_scratch();
}
END_TEST

START_TEST(dates_agree_with_the_c_library) {
    for (int64_t day = -98000; day < 83000; day += 13) {
        time_t seconds = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
        struct tm parts;
        char text[64];
        ck_assert_ptr_nonnull(gmtime_r(&seconds, &parts));
        size_t size = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
        int64_t found;
        ck_assert_msg(date_parse(text, size, &found), "%s", text);
        ck_assert_int_eq(found, (int64_t)seconds * SIM_TIME_S);
    }
}
END_TEST

static int64_t parse_date(const char *text) {
    int64_t found;
    return date_parse(text, strlen(text), &found) ? found : INT64_MIN;
}

START_TEST(dates_take_fractions_and_offsets) {
    ck_assert_int_eq(parse_date("1970-01-01T00:00:01.000000001Z"), 1000000001);
    ck_assert_int_eq(parse_date("1970-01-01 00:00:00.1234567899"), 123456789);
    ck_assert_int_eq(parse_date("1970-01-01 00:00:00-01:30"), 5400 * SIM_TIME_S);
    ck_assert_int_eq(parse_date("1970-01-01 02:00:00+0200"), 0);
    ck_assert_int_eq(parse_date("1970-01-01 02:00:00+02"), 0);
}
END_TEST

START_TEST(dates_that_are_none_are_refused) {
    static const char *const TEXTS[] = {"",
                                        "2023-11-16",
                                        "2023-11-16 18:17",
                                        "2023-02-29 00:00:00",
                                        "1900-02-29 00:00:00",
                                        "2023-00-10 00:00:00",
                                        "2023-04-31 00:00:00",
                                        "2023-04-00 00:00:00",
                                        "2023-04-01 24:00:00",
                                        "2023-04-01 23:60:00",
                                        "2023-04-01 23:59:60",
                                        "2023-04-01 23:59:59.",
                                        "2023-04-01 23:59:59 ",
                                        "2023-04-01 23:59:59+1",
                                        "2023-04-01 23:59:59+24:00",
                                        "2023-04-01 23:59:59+01:0",
                                        "2023-04-01 23:59:59ZZ",
                                        "2023/04/01 23:59:59",
                                        " 2023-04-01 23:59:59",
                                        "1699-12-31 23:59:59",
                                        "2200-01-01 00:00:00",
                                        "-023-01-01 00:00:00"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        ck_assert_msg(parse_date(TEXTS[i]) == INT64_MIN, "%s", TEXTS[i]);
    }
    ck_assert(parse_date("2000-02-29 00:00:00") != INT64_MIN);
}
END_TEST

TEST_SUITE("experiments/trace_in", every_format_is_found_by_its_columns,
           hash_ids_come_with_the_record_that_has_them, other_columns_are_read_by_name_and_unit,
           a_given_format_names_the_missing_column, an_unknown_header_is_shown,
           every_malformed_line_is_named, deep_json_is_refused_at_once,
           a_check_reads_the_whole_trace_and_tells_what_is_in_it, format_names_go_both_ways,
           a_rewound_trace_begins_again, real_traces_are_read_to_their_end,
           threads_read_the_same_trace_each_for_itself, dates_agree_with_the_c_library,
           dates_take_fractions_and_offsets, dates_that_are_none_are_refused)
