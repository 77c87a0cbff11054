/* Output files that a reader never sees half of, in a directory that only one run writes to.
 *
 * A file is created under a temporary name in the output directory (never through a link),
 * buffered, and on finish flushed, synced and renamed, and the directory is synced. Its SHA-256,
 * size and rows are counted on the way, so that the manifest costs no second reading. The first
 * failure (disk full, quota, I/O error) is kept, later writes do nothing, and finish reports it
 * once and removes the temporary file. A failed sync is final: the kernel may have dropped the
 * data.
 *
 * main ignores SIGPIPE and SIGXFSZ, so that a full pipe or quota is a failed write and not a death.
 * Names, not paths: everything is opened relative to the directory's descriptor. Write through one
 * FileOut from one thread; several of one OutDir may be written by several.
 */
#ifndef KNOCKON_EXPERIMENTS_FILE_OUT_H
#define KNOCKON_EXPERIMENTS_FILE_OUT_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sim/error.h"

typedef struct OutDir {
    char *path;  /* as the user gave it, for messages */
    int fd;      /* the directory */
    int lock_fd; /* the lock file, locked until the directory is closed or the process ends */
} OutDir;

/* Opens `path`, creating it and its parents when missing, locks it, and proves that a file can be
 * created in it, before anything is simulated. On failure says what the system said, or which
 * process holds the lock. */
bool out_dir_open(OutDir *dir, const char *path, Error *error);

/* Gives the lock back. Every file of it must have been finished or abandoned. */
void out_dir_close(OutDir *dir);

/* True for a name that may be used for a file: [A-Za-z0-9][A-Za-z0-9._-]{0,63}. */
bool file_name_is_valid(const char *name);

enum {
    FILE_NAME_SIZE = 65,          /* the longest valid name with its zero */
    FILE_OUT_BUFFER_SIZE = 65536, /* bytes written at once; larger is not faster */
    FILE_OUT_ROOM_MAX = 4096      /* bytes that file_out_room grants */
};

/* What the manifest tells of a file. */
typedef struct FileFacts {
    char name[FILE_NAME_SIZE];
    uint64_t size, row_count;
    char sha256[2 * SHA256_DIGEST_SIZE + 1]; /* lower-case hex */
} FileFacts;

typedef struct FileOut {
    const OutDir *dir; /* outlives the file */
    char name[FILE_NAME_SIZE];
    int fd;
    int failure;       /* errno of the first failure, 0 while there is none */
    const char *doing; /* what failed: "write", "sync" … */
    uint64_t size, row_count;
    size_t used; /* bytes in the buffer */
    struct sha256_ctx sha;
    char buffer[FILE_OUT_BUFFER_SIZE];
} FileOut;

/* Begins the file `name`, a valid name that is a bug of ours otherwise. Returns NULL and says why
 * when it cannot be created. Ends with file_out_finish or file_out_abandon, which free it. */
FileOut *file_out_open(const OutDir *dir, const char *name, Error *error);

/* Appends. A failure shows in file_out_finish; file_out_failed tells earlier, so that a long run
 * can stop at once. */
void file_out_write(FileOut *out, const void *data, size_t size);
static inline bool file_out_failed(const FileOut *out) {
    return out->failure != 0;
}

/* Room for `size` bytes (FILE_OUT_ROOM_MAX at most) to be written in place; then say how many were
 * used. For small pieces this is several times faster than file_out_write. */
void file_out_flush(FileOut *out);
static inline char *file_out_room(FileOut *out, size_t size) {
    if (__builtin_expect(out->used + size > FILE_OUT_BUFFER_SIZE, 0)) {
        file_out_flush(out);
    }
    return out->buffer + out->used;
}
static inline void file_out_used(FileOut *out, size_t size) {
    out->used += size;
}

/* Puts the file in its place, whole and on disk, and fills `facts` (may be NULL). On failure
 * nothing of this run is left under either name, what stood there before still stands, and the
 * error names the file and what the system said. */
bool file_out_finish(FileOut *out, FileFacts *facts, Error *error);

/* Removes what was written. */
void file_out_abandon(FileOut *out);

#endif
