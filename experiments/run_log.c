#include "experiments/run_log.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

#include "experiments/version.h"
#include "sim/check.h"

static void put(FileOut *out, const char *key, const char *value) {
    file_out_write(out, key, strlen(key));
    file_out_write(out, ": ", 2);
    file_out_write(out, value, strlen(value));
    file_out_write(out, "\n", 1);
}

static void put_machine(FileOut *out) {
    char text[sizeof(struct utsname)];
    struct utsname system;
    if (uname(&system) == 0) {
        snprintf(text, sizeof text, "%s, %s %s %s", system.nodename, system.sysname, system.release,
                 system.machine);
        put(out, "machine", text);
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        snprintf(text, sizeof text, "%.3f",
                 (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                     (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
        put(out, "cpu_s", text);
        snprintf(text, sizeof text, "%ld", usage.ru_maxrss);
        put(out, "memory_kib_max", text);
    }
}

bool run_log_write(const RunLog *log, Error *error) {
    CHECK(log->command != NULL);
    FileOut *out = file_out_open(log->dir, "run.log", error);
    if (out == NULL) {
        return false;
    }
    char text[64];
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) != NULL && strftime(text, sizeof text, "%FT%TZ", &parts) > 0) {
        put(out, "ended", text);
    }
    put(out, "knockon", KNOCKON_VERSION);
    put(out, "command", log->command);
    put(out, "status", log->status);
    snprintf(text, sizeof text, "%u", log->replication_count);
    put(out, "replications", text);
    snprintf(text, sizeof text, "%u", log->jobs);
    put(out, "jobs", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)log->event_count);
    put(out, "events", text);
    snprintf(text, sizeof text, "%.3f", log->elapsed_s);
    put(out, "elapsed_s", text);
    put_machine(out);
    return file_out_finish(out, NULL, error);
}
