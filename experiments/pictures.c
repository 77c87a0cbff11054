#include "experiments/pictures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/data_dir.h"
#include "experiments/html.h"
#include "experiments/plot_data.h"
#include "experiments/spawn.h"
#include "experiments/svg_tidy.h"
#include "sim/check.h"

enum { ARGUMENT_SIZE = 32, ARGUMENTS_MAX = 7, PICTURE_SIZE_MAX = 16 << 20 };

/* A drawing in progress. */
typedef struct Drawing {
    const char *out_dir;
    char *scripts;   /* the directory of the scripts, absolute */
    char *directory; /* DIR/.plots-XXXXXX, where gnuplot works */
    double limit_s;
    PlotFacts facts;
    RunFiles files;
} Drawing;

static const char *const PICTURE_NAMES[PICTURE_COUNT] = {"load", "latency", "services",
                                                         "inference"};
static const char *const PICTURE_FILES[PICTURE_COUNT] = {"load.svg", "latency.svg", "services.svg",
                                                         "inference.svg"};

const char *picture_file(Picture picture) {
    CHECK(picture < PICTURE_COUNT);
    return PICTURE_FILES[picture];
}

/* ---- Where the scripts are */

static char *scripts_in(const char *directory) {
    char *plots = path_join(directory, "plots");
    char *style = path_join(plots, "style.gp");
    char *found = access(style, R_OK) == 0 ? realpath(plots, NULL) : NULL;
    char *copy = found == NULL ? NULL : mem_copy_text(found);
    free(found);
    mem_free(style);
    mem_free(plots);
    return copy;
}

static char *scripts_find(Error *error) {
    char *directory = data_dir();
    char *found = scripts_in(directory);
    if (found == NULL) {
        error_set(error, "there are no plot scripts in '%s/plots'%s", directory,
                  getenv("KNOCKON_DATA") != NULL ? ""
                                                 : "; KNOCKON_DATA may name another directory");
    }
    mem_free(directory);
    return found;
}

/* ---- Words */

static const char *const PICTURE_TITLES[PICTURE_COUNT] = {"Load and goodput over time",
                                                          "Latency over time", "Services over time",
                                                          "Inference servers over time"};

static const char *const PICTURE_WORDS[PICTURE_COUNT] = {
    "Per second: requests offered by all clients, attempts sent for them, good answers in time "
    "(goodput), and failures.",
    "Latency of answered requests, from arrival to answer, on a logarithmic axis: median and 99 % "
    "quantile of each sample, for each client.",
    "For each service: requests in the system, and of these those that wait and those that no "
    "caller waits for; slots in use over slots there are, or KV blocks where there are any.",
    "For each inference service: sequences running and waiting, KV blocks in use over blocks there "
    "are, tokens per second in (prompts computed) and out, preemptions per second, and, on "
    "logarithmic axes, median and 95 % quantile of the time to first token, median and 99 % "
    "quantile of the time between two tokens."};

static void describe(const Drawing *drawing, Picture picture, char *text, size_t size) {
    const PlotFacts *facts = &drawing->facts;
    char over[160], left[80] = "";
    if (facts->replication_count > 1 && !facts->has_bands) {
        snprintf(over, sizeof over, "Lines are means over %llu replications.",
                 (unsigned long long)facts->replication_count);
    } else if (facts->replication_count > 1) {
        snprintf(over, sizeof over,
                 "Lines are means over %llu replications, bands hold the middle 80 %% of them%s.",
                 (unsigned long long)facts->replication_count,
                 picture == PICTURE_LOAD ? "; thin lines are goodput of single ones" : "");
    } else {
        snprintf(over, sizeof over, "%s",
                 facts->sample_count > PLOT_POINTS_MAX
                     ? "Lines are means of neighbouring samples, bands their range."
                     : "One replication.");
    }
    uint32_t left_out = picture == PICTURE_LATENCY     ? facts->clients_left
                        : picture == PICTURE_SERVICES  ? facts->services_left
                        : picture == PICTURE_INFERENCE ? facts->inference_left
                                                       : 0;
    if (left_out > 0) {
        snprintf(left, sizeof left, " Not shown: %u more, see timeseries.csv.", left_out);
    }
    const char *what = PICTURE_WORDS[picture];
    snprintf(text, size, "%s Over %s of simulated time. %s%s%s", what,
             words_time(facts->duration_s).text, over,
             drawing->files.windows.count > 0 ? " Shaded: faults and spikes." : "", left);
}

/* ---- One picture */

static void arguments_fill(const Drawing *drawing, Picture picture,
                           char arguments[ARGUMENTS_MAX][ARGUMENT_SIZE]) {
    const PlotFacts *facts = &drawing->facts;
    snprintf(arguments[0], ARGUMENT_SIZE, "%.17g", facts->unit_s);
    snprintf(arguments[1], ARGUMENT_SIZE, "%s", facts->unit);
    snprintf(arguments[2], ARGUMENT_SIZE, "%.17g", facts->duration_s);
    switch (picture) {
    case PICTURE_LOAD:
        snprintf(arguments[3], ARGUMENT_SIZE, "%u", facts->lane_count);
        snprintf(arguments[4], ARGUMENT_SIZE, "%.17g", facts->load_top);
        break;
    case PICTURE_LATENCY:
        snprintf(arguments[3], ARGUMENT_SIZE, "%u", facts->lane_count);
        snprintf(arguments[4], ARGUMENT_SIZE, "%.17g", facts->latency_low_s);
        snprintf(arguments[5], ARGUMENT_SIZE, "%.17g", facts->latency_high_s);
        snprintf(arguments[6], ARGUMENT_SIZE, "%u", facts->client_count);
        break;
    case PICTURE_SERVICES:
        snprintf(arguments[3], ARGUMENT_SIZE, "%u", facts->service_count);
        break;
    case PICTURE_INFERENCE:
        snprintf(arguments[3], ARGUMENT_SIZE, "%u", facts->inference_count);
        break;
    case PICTURE_COUNT:
        CHECK(false);
    }
}

static bool draw(const Drawing *drawing, Picture picture, Error *error) {
    char arguments[ARGUMENTS_MAX][ARGUMENT_SIZE] = {0};
    char script[32];
    const char *argv[8 + ARGUMENTS_MAX] = {"gnuplot", "-d", "-c"};
    size_t count = 3;
    arguments_fill(drawing, picture, arguments);
    snprintf(script, sizeof script, "%s.gp", PICTURE_NAMES[picture]);
    char *path = path_join(drawing->scripts, script);
    argv[count++] = path;
    argv[count++] = "svg";
    argv[count++] = PICTURE_FILES[picture];
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i][0] != '\0'; i++) {
        argv[count++] = arguments[i];
    }
    Spawn spawn = {.argv = argv, .directory = drawing->directory, .limit_s = drawing->limit_s};
    bool is_fine = spawn_run(&spawn, error);
    mem_free(path);
    return is_fine;
}

static bool file_slurp(const char *path, Text *out, Error *error) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return error_set(error, "gnuplot drew nothing");
    }
    char buffer[65536];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0 && out->count < PICTURE_SIZE_MAX) {
        text_append(out, buffer, size);
    }
    fclose(file);
    return true;
}

static bool file_spill(const char *path, const Text *text, Error *error) {
    FILE *file = fopen(path, "wbe");
    bool is_fine = file != NULL && fwrite(text->items, 1, text->count, file) == text->count;
    is_fine = is_fine && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int number = errno;
    if (file != NULL) {
        is_fine = fclose(file) == 0 && is_fine;
    }
    return is_fine || error_set(error, "cannot write '%s': %s", path, strerrordesc_np(number));
}

/* Tidies the drawing and renames it into place. */
static bool place(const Drawing *drawing, Picture picture, Error *error) {
    char description[800];
    Text drawn = {0}, tidied = {0};
    describe(drawing, picture, description, sizeof description);
    SvgWords words = {PICTURE_NAMES[picture], PICTURE_TITLES[picture], description};
    char *from = path_join(drawing->directory, PICTURE_FILES[picture]);
    char *to = path_join(drawing->out_dir, PICTURE_FILES[picture]);
    bool is_fine = file_slurp(from, &drawn, error);
    if (is_fine && !svg_tidy(drawn.items, drawn.count, &words, &tidied)) {
        is_fine = error_set(error, "gnuplot left half a picture");
    }
    is_fine = is_fine && file_spill(from, &tidied, error);
    if (is_fine && rename(from, to) != 0) {
        is_fine = error_set(error, "cannot write '%s': %s", to, strerrordesc_np(errno));
    }
    vec_free(&drawn);
    vec_free(&tidied);
    mem_free(from);
    mem_free(to);
    return is_fine;
}

/* ---- All of them */

static void pictures_remove(const char *out_dir) {
    for (uint32_t i = 0; i < PICTURE_COUNT; i++) {
        char *path = path_join(out_dir, PICTURE_FILES[i]);
        unlink(path);
        mem_free(path);
    }
}

static bool directory_make(Drawing *drawing, Error *error) {
    drawing->directory = path_join(drawing->out_dir, ".plots-XXXXXX");
    if (mkdtemp(drawing->directory) == NULL) {
        error_set(error, "cannot write to '%s': %s", drawing->out_dir, strerrordesc_np(errno));
        mem_free(drawing->directory);
        drawing->directory = NULL;
        return false;
    }
    return true;
}

static void directory_remove(const char *directory) {
    for (size_t i = 0; i < PLOT_FILES; i++) {
        char *path = path_join(directory, plot_files[i]);
        unlink(path);
        mem_free(path);
    }
    pictures_remove(directory);
    rmdir(directory);
}

static bool draw_all(Drawing *drawing, Error *error) {
    bool is_fine = plot_data_write(&drawing->files, drawing->out_dir, drawing->directory,
                                   &drawing->facts, error);
    for (uint32_t i = 0; is_fine && i < PICTURE_COUNT && drawing->facts.has_samples; i++) {
        if (i != PICTURE_INFERENCE || drawing->facts.inference_count > 0) {
            is_fine = draw(drawing, (Picture)i, error) && place(drawing, (Picture)i, error);
        }
    }
    return is_fine;
}

bool pictures_make_within(const char *out_dir, double limit_s, Error *error) {
    Drawing drawing = {.out_dir = out_dir, .limit_s = limit_s};
    Error why = {0};
    pictures_remove(out_dir);
    drawing.scripts = scripts_find(&why);
    bool is_fine = drawing.scripts != NULL && run_files_read(&drawing.files, out_dir, &why);
    if (is_fine) {
        is_fine = directory_make(&drawing, &why) && draw_all(&drawing, &why);
        run_files_free(&drawing.files);
    }
    if (drawing.directory != NULL) {
        directory_remove(drawing.directory);
        mem_free(drawing.directory);
    }
    mem_free(drawing.scripts);
    if (!is_fine) {
        pictures_remove(out_dir);
        error_set(error, "no pictures: %s; to draw them: knockon report %s", why.text, out_dir);
    }
    return is_fine;
}

bool pictures_make(const char *out_dir, Error *error) {
    return pictures_make_within(out_dir, PICTURES_LIMIT_S, error);
}
