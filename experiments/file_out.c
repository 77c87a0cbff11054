#include "experiments/file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/vec.h"

static const char LOCK_NAME[] = ".knockon.lock";
enum { TEMPORARY_NAME_SIZE = FILE_NAME_SIZE + 8, HOLDER_SIZE = 128 };

/* The system's words in English, whatever the locale, and safe in threads. */
static const char *errno_text(int number) {
    const char *text = strerrordesc_np(number);
    return text == NULL ? "unknown error" : text;
}

bool file_name_is_valid(const char *name) {
    static const char FIRST[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char LATER[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strnlen(name, FILE_NAME_SIZE);
    return size > 0 && size < FILE_NAME_SIZE && strspn(name, FIRST) > 0 &&
           strspn(name, LATER) == size;
}

static void directory_create(const char *path, int *failure) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST && *failure == 0) {
        *failure = errno;
    }
}

/* Creates each missing part of a path and returns the first errno, or 0. A part that exists is fine
 * whatever it is: opening the whole as a directory tells. */
static int out_dir_create(const char *path) {
    int failure = 0;
    char *part = mem_copy_text(path);
    for (char *slash = part; *slash != '\0' && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        directory_create(part, &failure);
        *slash = '/';
    }
    directory_create(part, &failure);
    mem_free(part);
    return failure;
}

/* Writes who holds the lock into it, for the message of whoever comes second. Only a courtesy, so
 * that a failure here does not matter: a disk too full for it fails at the first file. */
static void lock_sign(int lock_fd) {
    char host[64] = "";
    char text[HOLDER_SIZE];
    gethostname(host, sizeof host - 1);
    int size = snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
    if (ftruncate(lock_fd, 0) != 0 || pwrite(lock_fd, text, (size_t)size, 0) < 0) {
        return;
    }
}

static bool lock_refused(OutDir *dir, Error *error) {
    int number = errno;
    if (number != EWOULDBLOCK) {
        return error_set(error, "cannot lock '%s': %s", dir->path, errno_text(number));
    }
    char holder[HOLDER_SIZE];
    ssize_t size = pread(dir->lock_fd, holder, sizeof holder - 1, 0);
    holder[size < 0 ? 0 : size] = '\0';
    holder[strspn(holder, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-")] =
        '\0';
    return error_set(error, "'%s' is being written by %s; wait for it or give another --out",
                     dir->path, holder[0] == '\0' ? "another process" : holder);
}

/* Creating the lock file also proves, before anything is simulated, that files can be created. What
 * was planted under its name (a link, a pipe) is refused, because signing would write into it. */
static bool out_dir_lock(OutDir *dir, Error *error) {
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    dir->lock_fd = openat(dir->fd, LOCK_NAME, flags, 0666);
    if (dir->lock_fd < 0) {
        return error_set(error, "cannot write to '%s': %s", dir->path, errno_text(errno));
    }
    struct stat status;
    if (fstat(dir->lock_fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1) {
        return error_set(error, "'%s/%s' is not a lock file of ours; remove it", dir->path,
                         LOCK_NAME);
    }
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return lock_refused(dir, error);
    }
    if (faccessat(dir->fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        return error_set(error, "cannot write to '%s': %s", dir->path, errno_text(errno));
    }
    lock_sign(dir->lock_fd);
    return true;
}

bool out_dir_open(OutDir *dir, const char *path, Error *error) {
    int create_failure = out_dir_create(path);
    OutDir opened = {.path = mem_copy_text(path), .lock_fd = -1};
    opened.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened.fd < 0) {
        int number = errno == ENOENT && create_failure != 0 ? create_failure : errno;
        error_set(error, "cannot use '%s' for output: %s", path, errno_text(number));
    } else if (out_dir_lock(&opened, error)) {
        *dir = opened;
        return true;
    }
    out_dir_close(&opened);
    return false;
}

void out_dir_close(OutDir *dir) {
    if (dir->lock_fd >= 0) {
        close(dir->lock_fd);
    }
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    mem_free(dir->path);
    *dir = (OutDir){.fd = -1, .lock_fd = -1};
}

/* Hidden, and valid names cannot begin with a dot: it hits no file of anyone's. */
static void file_out_temporary(const FileOut *out, char name[TEMPORARY_NAME_SIZE]) {
    snprintf(name, TEMPORARY_NAME_SIZE, ".%s.tmp", out->name);
}

FileOut *file_out_open(const OutDir *dir, const char *name, Error *error) {
    CHECK(file_name_is_valid(name));
    FileOut *out = mem_alloc(sizeof *out);
    out->dir = dir;
    memcpy(out->name, name, strlen(name) + 1);
    out->failure = 0;
    out->doing = NULL;
    out->size = out->row_count = 0;
    out->used = 0;
    sha256_init(&out->sha);
    /* What a killed run left behind goes, or a link that someone planted (not what it points to).
     * The lock says that it is nobody's who still runs. */
    char temporary[TEMPORARY_NAME_SIZE];
    file_out_temporary(out, temporary);
    unlinkat(dir->fd, temporary, 0);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    out->fd = openat(dir->fd, temporary, flags, 0666);
    if (out->fd < 0) {
        error_set(error, "cannot create '%s/%s': %s", dir->path, name, errno_text(errno));
        mem_free(out);
        return NULL;
    }
    return out;
}

static void file_out_fail(FileOut *out, const char *doing) {
    if (out->failure == 0) {
        out->failure = errno;
        out->doing = doing;
    }
}

/* Writes past the buffer. A short write is followed by another, which says why it was short. */
static void file_out_put(FileOut *out, const char *data, size_t size) {
    if (out->failure != 0) {
        return;
    }
    sha256_update(&out->sha, size, (const uint8_t *)data);
    out->size += size;
    while (size > 0) {
        ssize_t written = write(out->fd, data, size);
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            errno = written == 0 ? ENOSPC : errno;
            file_out_fail(out, "write");
            return;
        }
    }
}

void file_out_flush(FileOut *out) {
    CHECK(out->used <= FILE_OUT_BUFFER_SIZE);
    file_out_put(out, out->buffer, out->used);
    out->used = 0;
}

void file_out_write(FileOut *out, const void *data, size_t size) {
    if (out->used + size > FILE_OUT_BUFFER_SIZE) {
        file_out_flush(out);
    }
    if (size > FILE_OUT_BUFFER_SIZE) {
        file_out_put(out, data, size);
        return;
    }
    memcpy(out->buffer + out->used, data, size);
    out->used += size;
}

/* Syncs and renames. The directory's own sync comes last: only then would a power cut keep the
 * name. Some file systems cannot sync a directory and say EINVAL; there is nothing more to do then.
 */
static void file_out_place(FileOut *out, const char *temporary) {
    int directory = out->dir->fd;
    if (out->failure == 0 && fsync(out->fd) != 0) {
        file_out_fail(out, "sync");
    }
    if (close(out->fd) != 0) {
        file_out_fail(out, "close");
    }
    if (out->failure == 0 && renameat(directory, temporary, directory, out->name) != 0) {
        file_out_fail(out, "rename");
    }
    if (out->failure == 0 && fsync(directory) != 0 && errno != EINVAL) {
        file_out_fail(out, "sync the directory of");
    }
}

bool file_out_finish(FileOut *out, FileFacts *facts, Error *error) {
    char temporary[TEMPORARY_NAME_SIZE];
    file_out_temporary(out, temporary);
    file_out_flush(out);
    file_out_place(out, temporary);
    bool is_placed = out->failure == 0;
    if (!is_placed) {
        unlinkat(out->dir->fd, temporary, 0);
        error_set(error, "cannot %s '%s/%s': %s", out->doing, out->dir->path, out->name,
                  errno_text(out->failure));
    } else if (facts != NULL) {
        uint8_t digest[SHA256_DIGEST_SIZE];
        sha256_digest(&out->sha, sizeof digest, digest);
        memcpy(facts->name, out->name, sizeof facts->name);
        facts->size = out->size;
        facts->row_count = out->row_count;
        for (size_t i = 0; i < sizeof digest; i++) {
            snprintf(&facts->sha256[2 * i], 3, "%02x", digest[i]);
        }
    }
    mem_free(out);
    return is_placed;
}

void file_out_abandon(FileOut *out) {
    char temporary[TEMPORARY_NAME_SIZE];
    file_out_temporary(out, temporary);
    close(out->fd);
    unlinkat(out->dir->fd, temporary, 0);
    mem_free(out);
}
