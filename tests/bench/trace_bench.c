/* How fast traces are read and CSV is written: trace_bench [MEGABYTES]
 *
 * Generates an azure-llm trace of that size (200 by default) in /tmp, reads it as plain CSV rows
 * and as trace records, and writes rows of seven cells. Prints MB/s of CPU time for each.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "experiments/csv_in.h"
#include "experiments/csv_out.h"
#include "experiments/trace_in.h"

static double cpu_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static _Noreturn void give_up(const char *why) {
    fprintf(stderr, "trace_bench: %s\n", why);
    exit(EXIT_FAILURE);
}

static uint64_t next_bits(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Arrivals of some 100 a second over several days of November 2023; returns the size in bytes. */
static double generate_trace(const char *path, double size_max) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        give_up("cannot create the trace");
    }
    double size = fprintf(file, "TIMESTAMP,ContextTokens,GeneratedTokens\r\n");
    uint64_t state = 88172645463325252;
    uint64_t ticks = 0; /* of 100 ns */
    while (size < size_max) {
        uint64_t bits = next_bits(&state);
        ticks += bits % 200000;
        unsigned second = (unsigned)(ticks / 10000000 % 86400);
        unsigned day = 1 + (unsigned)(ticks / 10000000 / 86400);
        size += fprintf(file, "2023-11-%02u %02u:%02u:%02u.%07u,%u,%u\r\n", day, second / 3600,
                        second / 60 % 60, second % 60, (unsigned)(ticks % 10000000),
                        (unsigned)(bits >> 20) % 7500, (unsigned)(bits >> 40) % 1000);
    }
    if (fclose(file) != 0 || ticks / 10000000 / 86400 >= 30) {
        give_up("the trace cannot be that large");
    }
    return size;
}

static void bench_rows(const char *path, double size) {
    Error error;
    double begin_s = cpu_s();
    CsvIn *csv = csv_in_open(path, &error);
    CsvRow row;
    while (csv != NULL && csv_in_next(csv, &row, &error) && row.cells != NULL) {
    }
    if (csv == NULL || row.cells != NULL) {
        give_up(error.text);
    }
    printf("csv_in    %6.0f MB/s\n", size / 1e6 / (cpu_s() - begin_s));
    csv_in_close(csv);
}

static void bench_records(const char *path, double size) {
    Error error;
    TraceFacts facts;
    double begin_s = cpu_s();
    if (!trace_in_check(&(TraceSpec){.path = path}, &facts, &error)) {
        give_up(error.text);
    }
    double used_s = cpu_s() - begin_s;
    printf("trace_in  %6.0f MB/s, %.1f M records/s\n", size / 1e6 / used_s,
           (double)facts.record_count / 1e6 / used_s);
}

static void bench_csv_out(const char *directory, double size_max) {
    static const char *const COLUMNS[] = {"replication", "time_s",     "component", "count",
                                          "rate_per_s",  "busy_ratio", "mean"};
    Error error;
    OutDir dir;
    CsvOut csv;
    if (!out_dir_open(&dir, directory, &error) ||
        !csv_out_open(&csv, &dir, "rows.csv", COLUMNS, 7, &error)) {
        give_up(error.text);
    }
    uint64_t state = 88172645463325252;
    double begin_s = cpu_s();
    for (int i = 0; (double)csv.file->size < size_max; i++) {
        uint64_t bits = next_bits(&state);
        csv_out_int(&csv, i / 3600);
        csv_out_double(&csv, i % 3600 * 0.5);
        csv_out_text(&csv, "gateway");
        csv_out_count(&csv, bits >> 50);
        csv_out_double(&csv, (double)(bits >> 52) / 3);
        csv_out_double(&csv, (double)(bits >> 11) * 0x1p-53);
        csv_out_double(&csv, (double)(bits & 1023) / 64);
        csv_out_end_row(&csv);
    }
    double used_s = cpu_s() - begin_s;
    printf("csv_out   %6.0f MB/s, %.0f ns a cell\n", (double)csv.file->size / 1e6 / used_s,
           used_s * 1e9 / 7 / (double)csv.file->row_count);
    csv_out_abandon(&csv);
    out_dir_close(&dir);
}

int main(int argc, char **argv) {
    double size_max = (argc > 1 ? atof(argv[1]) : 200) * 1e6;
    char directory[] = "/tmp/knockon-trace-bench-XXXXXX";
    char path[64];
    if (mkdtemp(directory) == NULL) {
        give_up("cannot create a directory in /tmp");
    }
    snprintf(path, sizeof path, "%s/trace.csv", directory);
    double size = generate_trace(path, size_max);
    bench_rows(path, size);
    bench_records(path, size);
    bench_csv_out(directory, size_max);
    unlink(path);
    snprintf(path, sizeof path, "%s/.knockon.lock", directory);
    unlink(path);
    rmdir(directory);
    return EXIT_SUCCESS;
}
