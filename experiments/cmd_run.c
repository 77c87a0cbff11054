/* knockon run FILE: the replications of a scenario, and the files, pictures and words about them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/commands.h"
#include "experiments/compile.h"
#include "experiments/exit_status.h"
#include "experiments/interrupt.h"
#include "experiments/manifest.h"
#include "experiments/pictures.h"
#include "experiments/progress.h"
#include "experiments/replicate.h"
#include "experiments/report.h"
#include "experiments/run_log.h"
#include "experiments/run_story.h"
#include "experiments/terminal.h"
#include "experiments/trace_source.h"
#include "sim/check.h"

/* Everything of one `knockon run`. */
typedef struct Run {
    const Options *options;
    const char *scenario; /* the file */
    Model *model;
    Doc doc;
    Diagnostics diagnostics;
    Resolved resolved;
    char *command, *out_path;
    uint32_t jobs;
    Manifest manifest;
    OutDir dir;
    RunOut out;
    Overview overview;
    Meter meter;
    bool is_writable; /* no file has failed so far */
    Error error;
} Run;

static int complain(const Run *run, int status) {
    fprintf(stderr, "knockon: %s\n", run->error.text);
    return status;
}

/* ---- Before the run */

/* A standard file that is closed would be replaced by the next one opened, and a message would end
 * in a table. What is opened here instead cannot be written to, so that lost output is noticed. */
static void hold_standard_files(void) {
    int fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDONLY);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* In quotes when a shell would read it otherwise. */
static void print_word(const char *word, FILE *out) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./=:,%+@";
    if (word[0] != 0 && word[strspn(word, plain)] == 0) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != 0; word++) {
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, 0}, out);
    }
    fputc('\'', out);
}

/* The command as it could be typed again, without what does not change results. */
static char *make_command(const Options *options) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        mem_out();
    }
    fputs("knockon run ", out);
    print_word(options->operands.items[0], out);
    for (size_t i = 0; i < options->sets.count; i++) {
        fputs(" --set ", out);
        print_word(options->sets.items[i], out);
    }
    fputs(options->has_requests ? " --requests" : "", out);
    if (fclose(out) != 0) {
        mem_out();
    }
    return text;
}

static char *make_out_path(const Options *options, const Model *model) {
    if (options->out != NULL) {
        return mem_copy_text(options->out);
    }
    size_t size = strlen(model->name) + sizeof "out/";
    char *path = mem_alloc(size);
    snprintf(path, size, "out/%s", model->name);
    return path;
}

static bool compile(Run *run) {
    const Options *options = run->options;
    run->scenario = options->operands.items[0];
    run->model = compile_file(run->scenario, options->sets.items, options->sets.count, &run->doc,
                              &run->diagnostics, &run->resolved);
    if (run->model == NULL || !options->is_quiet) {
        diag_print(&run->diagnostics, stderr, options->in_colour);
    }
    return run->model != NULL;
}

/* Samples are kept until they are written: a run that cannot hold them is refused at once. */
static bool fits_in_memory(Run *run) {
    const Model *model = run->model;
    double samples = (double)model->run.duration / (double)model->run.sample_every;
    double one = samples * model_component_count(model) * SERIES_WIDTH * sizeof(double);
    double most = one * 4 * run->jobs;
    double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return most < there ||
           error_set(&run->error,
                     "%.0f samples of %u components take %.2g GB a replication and this machine "
                     "has %.2g GB: set run.sample_every higher%s",
                     samples, model_component_count(model), one / 1e9, there / 1e9,
                     run->jobs > 1 ? ", or --jobs 1" : "");
}

/* Opens the directory before anything is simulated; the exit status, EXIT_FINE when all is well. */
static int prepare(Run *run) {
    run->command = make_command(run->options);
    run->out_path = make_out_path(run->options, run->model);
    run->jobs = run->options->jobs > 0 ? run->options->jobs : replicate_processors();
    Manifest *manifest = &run->manifest;
    *manifest = (Manifest){.model = run->model,
                           .resolved = &run->resolved,
                           .diagnostics = &run->diagnostics,
                           .command = run->command};
    if (!fits_in_memory(run) ||
        !manifest_hash_scenario(run->model, &run->resolved, manifest->hash, &run->error) ||
        (!run->options->is_forced && !manifest_allows(manifest, run->out_path, &run->error))) {
        return complain(run, EXIT_INPUT);
    }
    if (!out_dir_open(&run->dir, run->out_path, &run->error)) {
        return complain(run, EXIT_OUTPUT);
    }
    if (!trace_sources_check(run->model, &run->error)) {
        return complain(run, EXIT_INPUT);
    }
    if (!run_out_open(&run->out, run->model, &run->dir, run->options->has_requests, &run->error)) {
        return complain(run, EXIT_OUTPUT);
    }
    return EXIT_FINE;
}

/* ---- The run */

static bool take(void *context, const Result *result) {
    Run *run = context;
    overview_add(&run->overview, result);
    run->is_writable = run_out_add(&run->out, result);
    meter_show(&run->meter, run->overview.count);
    return run->is_writable;
}

static void tick(void *context) {
    Run *run = context;
    meter_show(&run->meter, run->overview.count);
}

static bool replicate(Run *run) {
    Replicate job = {.model = run->model,
                     .jobs = run->jobs,
                     .has_requests = run->options->has_requests,
                     .is_stepwise = run->options->is_stepwise,
                     .interrupt = interrupt_flag(),
                     .context = run,
                     .take = take,
                     .tick = tick};
    overview_init(&run->overview, run->model);
    meter_begin(&run->meter, (Progress)run->options->progress, run->options->is_quiet,
                run->model->run.replications);
    run->is_writable = true;
    bool is_run = replicate_run(&job, &run->error);
    meter_end(&run->meter);
    return is_run;
}

/* ---- After the run */

static bool write_manifest(Run *run) {
    Manifest *manifest = &run->manifest;
    manifest->replication_count = run->overview.count;
    manifest->status = run->overview.count < run->model->run.replications ? "interrupted"
                       : run->overview.truncated_count > 0                ? "truncated"
                                                                          : "complete";
    RunLog log = {.dir = &run->dir,
                  .command = run->command,
                  .status = manifest->status,
                  .jobs = run->jobs,
                  .replication_count = run->overview.count,
                  .event_count = run->overview.event_count,
                  .elapsed_s = meter_elapsed_s(&run->meter)};
    return run_log_write(&log, &run->error) && manifest_write(manifest, &run->out, &run->error);
}

static bool write_files(Run *run) {
    if (!run_out_finish(&run->out, &run->error)) {
        return false;
    }
    if (!write_manifest(run)) {
        run_out_remove(&run->out);
        return false;
    }
    return true;
}

/* The pictures and the page about them. A failure is one line on stderr that names the command
 * which makes them again. */
static bool make_report(Run *run, bool *has_report) {
    Error no_pictures;
    bool has_pictures = pictures_make(run->out_path, &no_pictures);
    if (!has_pictures) {
        fprintf(stderr, "knockon: %s\n", no_pictures.text);
    }
    *has_report = report_make(&run->dir, has_pictures ? NULL : no_pictures.text, &run->error);
    if (!*has_report) {
        fprintf(stderr, "knockon: no report: %s; to make it: knockon report %s\n", run->error.text,
                run->out_path);
    }
    return has_pictures && *has_report;
}

static bool tell(Run *run, bool has_report) {
    RunReport report = {.manifest = &run->manifest,
                        .overview = &run->overview,
                        .scenario = run->scenario,
                        .out_path = run->out_path,
                        .elapsed_s = meter_elapsed_s(&run->meter),
                        .has_report = has_report};
    if (run->options->is_json) {
        return summary_json_print(&report, &run->error);
    }
    if (!run->options->is_quiet) {
        terminal_print(&report, stdout);
    }
    return true;
}

/* What to do after an interrupt: nothing more, if it came before the last replication was finished.
 */
static int finish_interrupted(Run *run, int status) {
    if (!tell(run, false)) {
        return complain(run, EXIT_OUTPUT);
    }
    fprintf(stderr, "knockon: interrupted after %u of %u replications; they are in '%s'\n",
            run->overview.count, run->model->run.replications, run->out_path);
    return status;
}

/* Several may hold: the order is that of exit_status.h. */
static int finish_complete(Run *run) {
    bool has_report = false;
    bool has_pictures = make_report(run, &has_report);
    if (!tell(run, has_report)) {
        return complain(run, EXIT_OUTPUT);
    }
    if (run->overview.truncated_count > 0) {
        fprintf(stderr, "knockon: %u of %u replications hit a budget and are truncated\n",
                run->overview.truncated_count, run->overview.count);
        return EXIT_BUDGET;
    }
    if (!overview_objectives_are_kept(&run->overview)) {
        return EXIT_OBJECTIVE;
    }
    return has_pictures ? EXIT_FINE : EXIT_PICTURES;
}

static int finish(Run *run) {
    bool is_complete = run->overview.count == run->model->run.replications;
    int interrupted = is_complete ? EXIT_FINE : interrupt_exit_status();
    if (interrupted != EXIT_FINE && run->overview.count == 0) {
        fputs("knockon: interrupted before a replication was finished: nothing was written\n",
              stderr);
        return interrupted;
    }
    if (!write_files(run)) {
        return complain(run, EXIT_OUTPUT);
    }
    return interrupted == EXIT_FINE ? finish_complete(run) : finish_interrupted(run, interrupted);
}

static int run_all(Run *run) {
    int status = prepare(run);
    if (status == EXIT_FINE) {
        status = replicate(run) ? finish(run) : complain(run, EXIT_INPUT);
        overview_free(&run->overview);
    }
    run_out_close(&run->out);
    if (run->dir.path != NULL) {
        out_dir_close(&run->dir);
    }
    free(run->command);
    mem_free(run->out_path);
    return status;
}

int cmd_run(const Options *options) {
    Run run = {.options = options};
    int status = EXIT_INPUT;
    hold_standard_files();
    if (compile(&run)) {
        interrupt_install();
        if (!options->has_trace) {
            status = run_all(&run);
        } else {
            status = run_story(run.model, &run.error);
            status = status == EXIT_INPUT ? complain(&run, status) : status;
        }
    }
    model_destroy(run.model);
    resolved_free(&run.resolved);
    doc_free(&run.doc);
    diag_free(&run.diagnostics);
    return status;
}
