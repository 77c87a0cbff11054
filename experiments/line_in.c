#include "experiments/line_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/utf8.h"
#include "sim/check.h"
#include "sim/vec.h"

enum { CHUNK_SIZE = 65536, BUFFER_SIZE = LINE_SIZE_MAX + CHUNK_SIZE };

static bool line_in_os_error(const char *path, const char *doing, Error *error) {
    const char *why = strerrordesc_np(errno);
    return error_set(error, "%s: cannot %s: %s", path, doing, why == NULL ? "unknown error" : why);
}

bool line_in_open(LineIn *in, const char *path, Error *error) {
    /* Without O_NONBLOCK opening a named pipe that nobody writes to would hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return line_in_os_error(path, "open", error);
    }
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return error_set(error, "%s: is not a regular file", path);
    }
    *in = (LineIn){.path = mem_copy_text(path), .fd = fd, .buffer = mem_alloc(BUFFER_SIZE)};
    return true;
}

void line_in_close(LineIn *in) {
    close(in->fd);
    mem_free(in->path);
    mem_free(in->buffer);
    *in = (LineIn){.fd = -1};
}

bool line_in_rewind(LineIn *in, Error *error) {
    if (lseek(in->fd, 0, SEEK_SET) != 0) {
        return line_in_os_error(in->path, "rewind", error);
    }
    in->line = 0;
    in->start = in->end = 0;
    in->is_at_end = in->has_nul = false;
    return true;
}

/* Moves what is left to the front and reads behind it. */
static bool line_in_fill(LineIn *in, Error *error) {
    CHECK(in->end - in->start <= LINE_SIZE_MAX);
    memmove(in->buffer, in->buffer + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = 0;
    ssize_t size;
    do {
        size = read(in->fd, in->buffer + in->end, CHUNK_SIZE);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        return line_in_os_error(in->path, "read", error);
    }
    in->is_at_end = size == 0;
    in->has_nul = in->has_nul || memchr(in->buffer + in->end, '\0', (size_t)size) != NULL;
    in->end += (size_t)size;
    return true;
}

/* Looks for the end of the line, reading on as needed; *size is 0 at the end of the file. */
static bool line_in_find(LineIn *in, size_t *size, Error *error) {
    size_t searched = 0;
    for (;;) {
        const char *start = in->buffer + in->start;
        size_t left = in->end - in->start;
        const char *feed = memchr(start + searched, '\n', left - searched);
        if (feed != NULL || in->is_at_end) {
            *size = feed != NULL ? (size_t)(feed - start) + 1 : left;
            return true;
        }
        if (left > LINE_SIZE_MAX) {
            return line_in_error(in, in->line + 1, error, "a line longer than 1 MiB");
        }
        searched = left;
        if (!line_in_fill(in, error)) {
            return false;
        }
    }
}

bool line_in_next(LineIn *in, const char **text, size_t *size, Error *error) {
    size_t found = 0;
    if (!line_in_find(in, &found, error)) {
        return false;
    }
    if (found == 0) {
        *text = NULL;
        *size = 0;
        return true;
    }
    const char *line = in->buffer + in->start;
    in->start += found;
    in->line++;
    if (in->has_nul && memchr(line, '\0', found) != NULL) {
        return line_in_error(in, in->line, error, "a NUL byte: the file is not UTF-8 text");
    }
    static const char MARK[] = "\xEF\xBB\xBF";
    bool has_mark = in->line == 1 && found >= 3 && memcmp(line, MARK, 3) == 0;
    *text = has_mark ? line + 3 : line;
    *size = has_mark ? found - 3 : found;
    return true;
}

bool line_in_error(const LineIn *in, uint64_t line, Error *error, const char *format, ...) {
    char sentence[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return error_set(error, "%s:%llu: %s", in->path, (unsigned long long)line, sentence);
}

Shown text_shown(const char *text, size_t size) {
    enum { SHOWN_BYTES = 40 };
    Shown shown;
    const char *end = text + size;
    size_t used = 0;
    while (text < end && used < SHOWN_BYTES) {
        uint32_t code;
        unsigned length = utf8_decode(text, end, &code);
        if (length == 0 || utf8_is_control(code)) {
            /* An escaped code point of three bytes takes 12 characters: SHOWN_SIZE has room. */
            for (unsigned i = 0; i < (length == 0 ? 1 : length); i++) {
                used += (size_t)snprintf(shown.text + used, 5, "\\x%02X", (unsigned char)text[i]);
            }
        } else {
            memcpy(shown.text + used, text, length);
            used += length;
        }
        text += length == 0 ? 1 : length;
    }
    snprintf(shown.text + used, sizeof shown.text - used, "%s", text < end ? "..." : "");
    return shown;
}
