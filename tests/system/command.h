/* Runs the program as a user would: another process, in a directory of its own.
 *
 * The program is the one that the environment variable KNOCKON names, or the one beside the tests
 * (build/CC/knockon). A failure of the machinery itself ends the test.
 */
#ifndef KNOCKON_TESTS_SYSTEM_COMMAND_H
#define KNOCKON_TESTS_SYSTEM_COMMAND_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

typedef struct Command {
    const char *arguments[24]; /* after the program's name; ends with NULL */
    size_t file_size_max;      /* RLIMIT_FSIZE; 0: none */
    bool has_no_reader;        /* standard output is a pipe that nobody reads */
    bool has_closed_output;    /* standard output and error are closed */
} Command;

typedef struct Process {
    pid_t pid;
    int output, error; /* what it prints: pipes, or -1 */
} Process;

static char directory[64];

static inline void program_path(char path[4096]) {
    const char *named = getenv("KNOCKON");
    if (named != NULL && named[0] != 0) {
        ck_assert_ptr_nonnull(realpath(named, path));
        return;
    }
    ssize_t size = readlink("/proc/self/exe", path, 4000);
    ck_assert_int_gt(size, 0);
    path[size] = 0;
    for (int i = 0; i < 3; i++) { /* build/CC/tests/system/run_test */
        char *slash = strrchr(path, '/');
        ck_assert_ptr_nonnull(slash);
        *slash = 0;
    }
    strcat(path, "/knockon");
}

static inline int remove_one(const char *path, const struct stat *status, int flag,
                             struct FTW *ftw) {
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void remove_directory(void) {
    if (chdir("/") == 0) {
        nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

static inline void file_put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Puts another gnuplot before the real one, which takes half a second a picture. `script` is for
 * the shell; $5 is the file that it should draw. */
static inline void gnuplot_replace(const char *script) {
    char path[5000], text[400];
    const char *rest = strstr(getenv("PATH"), ":/");
    bool is_first = strncmp(getenv("PATH"), directory, strlen(directory)) != 0;
    snprintf(path, sizeof path, "%s/bin:%s", directory, is_first ? getenv("PATH") : rest + 1);
    setenv("PATH", path, 1);
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    mkdir("bin", 0777);
    file_put("bin/gnuplot", text);
    ck_assert_int_eq(chmod("bin/gnuplot", 0777), 0);
}

/* A new empty directory, made the working directory; removed at exit. */
static inline void command_enter_directory(void) {
    char path[4096];
    program_path(path); /* a relative KNOCKON is meant from here */
    setenv("KNOCKON", path, 1);
    snprintf(directory, sizeof directory, "/tmp/knockon-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    atexit(remove_directory);
    gnuplot_replace("echo '<svg width=\"9\" height=\"9\" viewBox=\"0 0 9 9\"></svg>' > \"$5\"");
}

static inline void become(const Command *command, const int output[2], const int error[2]) {
    char path[4096];
    char *arguments[26] = {path};
    program_path(path);
    for (size_t i = 0; command->arguments[i] != NULL; i++) {
        arguments[i + 1] = strdup(command->arguments[i]);
    }
    dup2(output[1], STDOUT_FILENO);
    dup2(error[1], STDERR_FILENO);
    for (int fd = 3; fd < 64; fd++) {
        close(fd);
    }
    if (command->has_closed_output) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
    }
    if (command->file_size_max > 0) {
        struct rlimit limit = {command->file_size_max, command->file_size_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    execv(path, arguments);
    _exit(127);
}

static inline Process command_start(const Command *command) {
    int output[2], error[2];
    ck_assert_int_eq(pipe(output), 0);
    ck_assert_int_eq(pipe(error), 0);
    fcntl(output[1], F_SETPIPE_SZ, 1 << 20);
    if (command->has_no_reader) {
        close(output[0]);
        output[0] = -1;
    }
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        become(command, output, error);
    }
    close(output[1]);
    close(error[1]);
    return (Process){pid, output[0], error[0]};
}

static inline void read_all(int fd, char *text, size_t size) {
    size_t used = 0;
    char spare[4096];
    for (;;) {
        bool has_room = text != NULL && used + 1 < size;
        ssize_t count =
            has_room ? read(fd, text + used, size - used - 1) : read(fd, spare, sizeof spare);
        if (count <= 0) {
            break;
        }
        used += has_room ? (size_t)count : 0;
    }
    if (text != NULL) {
        text[used] = 0;
    }
}

/* Waits; returns the exit status, or -1 for a death by signal. `error` receives what it said on
 * stderr, cut at size; may be NULL. */
static inline int command_wait(Process *process, char *error, size_t size) {
    read_all(process->error, error, size);
    close(process->error);
    if (process->output >= 0) {
        read_all(process->output, NULL, 0);
        close(process->output);
    }
    int status;
    ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Starts and waits. */
static inline int command_run(const Command *command, char *error, size_t size) {
    Process process = command_start(command);
    return command_wait(&process, error, size);
}

/* NULL when there is none, else for free. */
static inline char *file_text(const char *path, size_t *size) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(memory);
    for (int c = getc(file); c != EOF; c = getc(file)) {
        putc(c, memory);
    }
    fclose(file);
    fclose(memory);
    if (size != NULL) {
        *size = length;
    }
    return text;
}

static inline bool file_is_there(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static inline bool ends_with(const char *name, const char *ending) {
    size_t size = strlen(name), tail = strlen(ending);
    return size >= tail && strcmp(name + size - tail, ending) == 0;
}

/* Files in a directory whose names end so, temporary ones included. */
static inline int file_count(const char *path, const char *ending) {
    DIR *listing = opendir(path);
    int count = 0;
    if (listing == NULL) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        count += ends_with(entry->d_name, ending);
    }
    closedir(listing);
    return count;
}

/* Each compared file of `left` has an equal one in `right`. */
static inline bool all_are_in(const char *left, const char *right, bool compares_bytes) {
    bool is_fine = true;
    DIR *listing = opendir(left);
    ck_assert_ptr_nonnull(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "run.log") == 0 ||
            strcmp(entry->d_name, "report.html") == 0) {
            continue;
        }
        char path[2][600];
        snprintf(path[0], sizeof path[0], "%s/%s", left, entry->d_name);
        snprintf(path[1], sizeof path[1], "%s/%s", right, entry->d_name);
        size_t size[2] = {0, 0};
        char *a = file_text(path[0], &size[0]), *b = file_text(path[1], &size[1]);
        bool is_equal =
            b != NULL && (!compares_bytes || (size[0] == size[1] && memcmp(a, b, size[0]) == 0));
        if (!is_equal) {
            fprintf(stderr, "%s and %s differ\n", path[0], path[1]);
            is_fine = false;
        }
        free(a);
        free(b);
    }
    closedir(listing);
    return is_fine;
}

/* Both hold the same files with the same bytes, but for run.log, the lock, and the report, which
 * names its directory. Says on stderr what differs. */
static inline bool directories_are_equal(const char *left, const char *right) {
    bool is_left_in_right = all_are_in(left, right, true);
    return all_are_in(right, left, false) && is_left_in_right;
}

#endif
