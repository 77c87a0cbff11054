/* knockon report DIR: the pictures and the page of an output directory, made again from its files.
 */
#include <stdio.h>

#include "experiments/commands.h"
#include "experiments/exit_status.h"
#include "experiments/pictures.h"
#include "experiments/report.h"
#include "experiments/run_files.h"

static int complain(const Error *error, int status) {
    fprintf(stderr, "knockon: %s\n", error->text);
    return status;
}

/* The directory is read before it is locked: opening would create one that is misspelt. */
static bool is_readable(const char *path, Error *error) {
    RunFiles files;
    if (!run_files_read(&files, path, error)) {
        return false;
    }
    run_files_free(&files);
    return true;
}

int cmd_report(const Options *options) {
    const char *path = options->operands.items[0];
    OutDir dir;
    Error error, no_pictures;
    if (!is_readable(path, &error)) {
        return complain(&error, EXIT_INPUT);
    }
    if (!out_dir_open(&dir, path, &error)) {
        return complain(&error, EXIT_OUTPUT);
    }
    bool has_pictures = pictures_make(path, &no_pictures);
    bool has_report = report_make(&dir, has_pictures ? NULL : no_pictures.text, &error);
    out_dir_close(&dir);
    if (!has_report) {
        return complain(&error, EXIT_OUTPUT);
    }
    if (!options->is_quiet) {
        printf("%s/report.html\n", path);
    }
    return has_pictures ? EXIT_FINE : complain(&no_pictures, EXIT_PICTURES);
}
