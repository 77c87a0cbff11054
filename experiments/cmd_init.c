/* knockon init [TEMPLATE]: a commented scenario to start from.
 *
 * Templates are the scenarios that were installed with the program; a small one is built in, so
 * that a lone binary can start too.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/commands.h"
#include "experiments/compile_parts.h"
#include "experiments/data_dir.h"
#include "experiments/exit_status.h"
#include "experiments/nearest.h"
#include "experiments/run_files.h"
#include "experiments/templates.h"
#include "sim/vec.h"

typedef VEC(char *) Names;

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool names_have(const Names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Every NAME.yaml in the directory; one that is not there has none. */
static Names list_templates(const char *directory) {
    Names names = {0};
    DIR *dir = opendir(directory);
    if (dir == NULL) {
        return names;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t size = strlen(entry->d_name);
        if (size <= 5 || strcmp(entry->d_name + size - 5, ".yaml") != 0) {
            continue;
        }
        char *name = mem_copy_text(entry->d_name);
        name[size - 5] = 0;
        if (compile_is_name(name)) {
            vec_push(&names, name);
        } else {
            mem_free(name);
        }
    }
    closedir(dir);
    if (names.count > 0) {
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    }
    return names;
}

static bool copy_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        fwrite(block, 1, got, stdout);
    }
    bool is_read = ferror(file) == 0;
    fclose(file);
    return is_read;
}

static int unknown_template(const char *name, const Names *names) {
    Nearest nearest = nearest_begin(name, strlen(name));
    nearest_offer(&nearest, TEMPLATE_MINIMAL);
    for (size_t i = 0; i < names->count; i++) {
        nearest_offer(&nearest, names->items[i]);
    }
    if (nearest.best != NULL) {
        fprintf(stderr, "knockon: there is no template '%s': did you mean '%s'?\n", name,
                nearest.best);
        return EXIT_INPUT;
    }
    fprintf(stderr, "knockon: there is no template '%s'; there are:\n  %s\n", name,
            TEMPLATE_MINIMAL);
    for (size_t i = 0; i < names->count; i++) {
        fprintf(stderr, "  %s\n", names->items[i]);
    }
    return EXIT_INPUT;
}

static int print_template(const char *name, const char *directory, const Names *names) {
    if (strcmp(name, TEMPLATE_MINIMAL) == 0) {
        fputs(template_minimal, stdout);
        return EXIT_FINE;
    }
    if (!names_have(names, name)) {
        return unknown_template(name, names);
    }
    char file[256];
    snprintf(file, sizeof file, "%s.yaml", name);
    char *path = path_join(directory, file);
    bool is_copied = copy_file(path);
    if (!is_copied) {
        fprintf(stderr, "knockon: cannot read template '%s': %s\n", path, strerror(errno));
    }
    mem_free(path);
    return is_copied ? EXIT_FINE : EXIT_INPUT;
}

int cmd_init(const Options *options) {
    char *data = data_dir();
    char *directory = path_join(data, "experiments/scenarios");
    Names names = list_templates(directory);
    const char *name = options->operands.count == 0 ? TEMPLATE_MINIMAL : options->operands.items[0];
    int status = print_template(name, directory, &names);
    mem_free(directory);
    mem_free(data);
    for (size_t i = 0; i < names.count; i++) {
        mem_free(names.items[i]);
    }
    vec_free(&names);
    return status;
}
