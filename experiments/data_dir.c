#include "experiments/data_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/run_files.h"
#include "sim/vec.h"

#ifndef KNOCKON_DATA_DIR /* the Makefile says where it installs */
#define KNOCKON_DATA_DIR "/usr/local/share/knockon"
#endif

/* Cuts the last name off a path; false when there is none. */
static bool path_cut(char *path) {
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    return true;
}

static bool is_data_dir(const char *directory) {
    char *plots = path_join(directory, "plots");
    bool is_there = access(plots, R_OK) == 0;
    mem_free(plots);
    return is_there;
}

/* TREE of a program under TREE/build/, or NULL. */
static char *source_tree(const char *program) {
    char *path = mem_copy_text(program);
    while (path_cut(path)) {
        const char *name = strrchr(path, '/');
        if (name != NULL && strcmp(name, "/build") == 0) {
            path_cut(path);
            if (is_data_dir(path)) {
                return path;
            }
        }
    }
    mem_free(path);
    return NULL;
}

/* PREFIX/share/knockon of a program PREFIX/bin/knockon, or NULL. */
static char *installed_tree(const char *program) {
    char *prefix = mem_copy_text(program);
    char *share = NULL;
    bool has_bin = path_cut(prefix);
    if (has_bin && path_cut(prefix)) {
        share = path_join(prefix, "share/knockon");
    }
    mem_free(prefix);
    if (share != NULL && !is_data_dir(share)) {
        mem_free(share);
        share = NULL;
    }
    return share;
}

char *data_dir(void) {
    const char *given = getenv("KNOCKON_DATA");
    if (given != NULL && given[0] != '\0') {
        return mem_copy_text(given);
    }
    char *program = realpath("/proc/self/exe", NULL);
    char *found = NULL;
    if (program != NULL) {
        found = source_tree(program);
        found = found == NULL ? installed_tree(program) : found;
    }
    free(program);
    return found == NULL ? mem_copy_text(KNOCKON_DATA_DIR) : found;
}
