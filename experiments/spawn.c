#include "experiments/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "experiments/line_in.h"
#include "sim/check.h"
#include "sim/vec.h"

enum { COMPLAINT_SIZE = 200, SLICE_MS = 10 };

/* What it wrote to its standard error, up to the end of the first line that is not blank. */
typedef struct Complaint {
    char text[COMPLAINT_SIZE];
    size_t size;
    bool is_whole;
} Complaint;

static void complaint_add(Complaint *complaint, const char *data, size_t size) {
    for (size_t i = 0; i < size && !complaint->is_whole; i++) {
        bool is_blank = (unsigned char)data[i] <= ' ';
        if (complaint->size == 0 && is_blank) {
            continue;
        }
        complaint->is_whole = data[i] == '\n' || complaint->size + 1 == COMPLAINT_SIZE;
        if (!complaint->is_whole) {
            complaint->text[complaint->size++] = data[i];
        }
    }
}

/* Control characters could drive a terminal; bytes above ASCII could be cut. */
static void complaint_clean(Complaint *complaint) {
    for (size_t i = 0; i < complaint->size; i++) {
        bool is_plain = complaint->text[i] >= ' ' && complaint->text[i] < 0x7f;
        complaint->text[i] = is_plain ? complaint->text[i] : '?';
    }
    complaint->text[complaint->size] = '\0';
}

static double now_s(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Signals that main ignores would stay ignored in the program. */
static int attributes_fill(posix_spawnattr_t *attributes) {
    sigset_t defaults, mask;
    sigfillset(&defaults);
    sigemptyset(&mask);
    int failure = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    failure = failure != 0 ? failure : posix_spawnattr_setpgroup(attributes, 0);
    failure = failure != 0 ? failure : posix_spawnattr_setsigdefault(attributes, &defaults);
    return failure != 0 ? failure : posix_spawnattr_setsigmask(attributes, &mask);
}

static int actions_fill(posix_spawn_file_actions_t *actions, const Spawn *spawn, int complaints) {
    int failure = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    failure = failure != 0 ? failure
                           : posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    failure = failure != 0 ? failure : posix_spawn_file_actions_adddup2(actions, complaints, 2);
    return failure != 0 ? failure : posix_spawn_file_actions_addchdir_np(actions, spawn->directory);
}

/* Starts it; 0 or an errno. */
static int start(const Spawn *spawn, int complaints, pid_t *pid) {
    static char locale[] = "LC_ALL=C.UTF-8";
    const char *path = getenv("PATH");
    size_t size = strlen(path == NULL ? "/usr/bin:/bin" : path) + sizeof "PATH=";
    char *path_variable = mem_alloc(size);
    snprintf(path_variable, size, "PATH=%s", path == NULL ? "/usr/bin:/bin" : path);
    char *const environment[] = {path_variable, locale, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0) {
        mem_out();
    }
    int failure = actions_fill(&actions, spawn, complaints);
    failure = failure != 0 ? failure : attributes_fill(&attributes);
    if (failure == 0) {
        /* posix_spawn promises not to write to the words of argv; its type is older than const. */
        union {
            const char *const *given;
            char *const *wanted;
        } argv = {.given = spawn->argv};
        failure =
            posix_spawnp(pid, spawn->argv[0], &actions, &attributes, argv.wanted, environment);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    mem_free(path_variable);
    return failure;
}

/* Reads what there is to read within a slice; false at the end of it. */
static bool listen_for_slice(int complaints, Complaint *complaint) {
    struct pollfd watched = {.fd = complaints, .events = POLLIN};
    char buffer[4096];
    if (poll(&watched, 1, SLICE_MS) <= 0) {
        return true;
    }
    ssize_t size = read(complaints, buffer, sizeof buffer);
    if (size > 0) {
        complaint_add(complaint, buffer, (size_t)size);
    }
    return size > 0 || (size < 0 && errno == EINTR);
}

/* Whether it has ended. It stays a zombie, so that its process group cannot become another's. */
static bool has_ended(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/* Waits for its end, listening; false when the limit was reached first. Its children may keep the
 * pipe open, so the end of the pipe is not waited for, and they are killed with it. */
static bool wait_for(pid_t pid, int complaints, double limit_s, Complaint *complaint, int *status) {
    double end_s = now_s() + limit_s;
    bool is_heard = true, is_in_time = true;
    while (!has_ended(pid) && is_in_time) {
        if (is_heard) {
            is_heard = listen_for_slice(complaints, complaint);
        } else {
            poll(NULL, 0, SLICE_MS);
        }
        is_in_time = now_s() < end_s;
    }
    kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
    struct pollfd watched = {.fd = complaints, .events = POLLIN};
    while (is_heard && !complaint->is_whole && poll(&watched, 1, 0) > 0) {
        is_heard = listen_for_slice(complaints, complaint);
    }
    return is_in_time;
}

static bool report(const Spawn *spawn, bool is_in_time, int status, Complaint *complaint,
                   Error *error) {
    const char *name = spawn->argv[0];
    complaint_clean(complaint);
    if (!is_in_time) {
        return error_set(error, "%s took more than %g s and was stopped", name, spawn->limit_s);
    }
    if (WIFSIGNALED(status)) {
        return error_set(error, "%s was killed by signal %d (%s)", name, WTERMSIG(status),
                         sigabbrev_np(WTERMSIG(status)) == NULL ? "?"
                                                                : sigabbrev_np(WTERMSIG(status)));
    }
    if (WEXITSTATUS(status) != 0) {
        return error_set(error, "%s failed with status %d%s%s", name, WEXITSTATUS(status),
                         complaint->size == 0 ? "" : ": ", complaint->text);
    }
    return true;
}

bool spawn_run(const Spawn *spawn, Error *error) {
    CHECK(spawn->argv[0] != NULL && spawn->limit_s > 0);
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        return error_set(error, "%s could not be started: %s", spawn->argv[0],
                         strerrordesc_np(errno));
    }
    pid_t pid;
    int failure = start(spawn, pipes[1], &pid);
    close(pipes[1]);
    bool is_fine;
    if (failure != 0) {
        is_fine = error_set(
            error, failure == ENOENT ? "%s is not there (%s)" : "%s could not be started: %s",
            spawn->argv[0], failure == ENOENT ? "not in PATH" : strerrordesc_np(failure));
    } else {
        Complaint complaint = {0};
        int status = 0;
        bool is_in_time = wait_for(pid, pipes[0], spawn->limit_s, &complaint, &status);
        is_fine = report(spawn, is_in_time, status, &complaint, error);
    }
    close(pipes[0]);
    return is_fine;
}
