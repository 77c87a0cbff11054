#include "experiments/diagnostics.h"

#include "experiments/doc.h"
#include "experiments/utf8.h"
#include "sim/check.h"

#include <stdarg.h>
#include <string.h>

enum {
    TEXT_SIZE = 1024,    /* longer messages are cut */
    COLUMNS_SHOWN = 120, /* of a source line, in code points */
    COLUMNS_BEFORE = 60, /* kept in front of the caret in a line that does not fit */
    CELL_SIZE = 16,      /* one escaped code point */
};

void diag_free(Diagnostics *diagnostics) {
    for (size_t i = 0; i < diagnostics->sources.count; i++) {
        mem_free(diagnostics->sources.items[i].name);
        mem_free(diagnostics->sources.items[i].text);
    }
    for (size_t i = 0; i < diagnostics->messages.count; i++) {
        mem_free(diagnostics->messages.items[i].text);
    }
    vec_free(&diagnostics->sources);
    vec_free(&diagnostics->messages);
    *diagnostics = (Diagnostics){0};
}

/* Writes the code point at `text` as a terminal may see it and returns the bytes it took there.
 * What is not UTF-8 is shown byte by byte. */
static unsigned escape_one(const char *text, const char *end, char cell[CELL_SIZE]) {
    uint32_t code = 0;
    unsigned size = utf8_decode(text, end, &code);
    if (size == 0) {
        snprintf(cell, CELL_SIZE, "\\x%02X", (unsigned)(unsigned char)*text);
        return 1;
    }
    if (code == '\t' || code == '\n' || code == '\r') {
        snprintf(cell, CELL_SIZE, "\\%c", code == '\t' ? 't' : code == '\n' ? 'n' : 'r');
    } else if (utf8_is_control(code)) {
        snprintf(cell, CELL_SIZE, code < 0x80 ? "\\x%02X" : "\\u%04X", (unsigned)code);
    } else {
        memcpy(cell, text, size);
        cell[size] = '\0';
    }
    return size;
}

/* A copy of a text without anything that acts on a terminal; the caller frees it. */
static char *escape_text(const char *text) {
    const char *end = text + strlen(text);
    char *copy = mem_alloc((size_t)(end - text) * 6 + 1), *to = copy;
    for (const char *from = text; from < end;) {
        char cell[CELL_SIZE];
        from += escape_one(from, end, cell);
        to = stpcpy(to, cell);
    }
    *to = '\0';
    return copy;
}

uint32_t diag_add_source(Diagnostics *diagnostics, const char *name, const char *text,
                         size_t size) {
    DiagSource source = {.name = escape_text(name), .size = size};
    if (text != NULL) {
        source.text = mem_alloc(size + 1);
        memcpy(source.text, text, size);
        source.text[size] = '\0';
    }
    vec_push(&diagnostics->sources, source);
    return (uint32_t)(diagnostics->sources.count - 1);
}

static bool is_known(const Diagnostics *diagnostics, const DiagMessage *message) {
    for (size_t i = 0; i < diagnostics->messages.count; i++) {
        const DiagMessage *other = &diagnostics->messages.items[i];
        if (other->level == message->level && other->place.file == message->place.file &&
            other->place.line == message->place.line &&
            other->place.column == message->place.column && message->level != DIAG_NOTE &&
            strcmp(other->text, message->text) == 0) {
            return true;
        }
    }
    return false;
}

static void add_message(Diagnostics *diagnostics, DiagLevel level, Place place, const char *format,
                        va_list arguments) {
    CHECK(place.file < diagnostics->sources.count);
    if (level == DIAG_NOTE && diagnostics->is_muted) {
        return;
    }
    char text[TEXT_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    DiagMessage message = {.level = level, .place = place, .text = escape_text(text)};
    bool is_kept = true;
    if (level != DIAG_NOTE) {
        bool is_repeated = is_known(diagnostics, &message);
        uint32_t *count =
            level == DIAG_ERROR ? &diagnostics->error_count : &diagnostics->warning_count;
        is_kept = !is_repeated && *count < DIAG_SHOWN_MAX;
        *count += !is_repeated;
        diagnostics->is_muted = !is_kept;
    }
    if (is_kept) {
        vec_push(&diagnostics->messages, message);
    } else {
        mem_free(message.text);
    }
}

#define ADD_MESSAGE(level, place)                                                                  \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    add_message(diagnostics, (level), (place), format, arguments);                                 \
    va_end(arguments)

void diag_error(Diagnostics *diagnostics, const DocNode *at, const char *format, ...) {
    ADD_MESSAGE(DIAG_ERROR, at->place);
}

void diag_warning(Diagnostics *diagnostics, const DocNode *at, const char *format, ...) {
    ADD_MESSAGE(DIAG_WARNING, at->place);
}

void diag_note(Diagnostics *diagnostics, const DocNode *at, const char *format, ...) {
    ADD_MESSAGE(DIAG_NOTE, at->place);
}

void diag_at(Diagnostics *diagnostics, DiagLevel level, Place place, const char *format, ...) {
    ADD_MESSAGE(level, place);
}

uint32_t diag_count(const Diagnostics *diagnostics) {
    return diagnostics->error_count;
}

bool diag_is_full(const Diagnostics *diagnostics) {
    return diagnostics->error_count >= DIAG_SHOWN_MAX;
}

/* Finds a line of a source: true and its bounds, or false when the source has no such line. */
static bool find_line(const DiagSource *source, uint32_t line, const char **from, const char **to) {
    if (source->text == NULL || line == 0) {
        return false;
    }
    const char *text = source->text, *end = text + source->size;
    if (source->size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3; /* a byte order mark takes no column */
    }
    for (uint32_t at = 1; at < line; text++) {
        if (text == end) {
            return false;
        }
        size_t size = utf8_break_size(text, end);
        if (size > 0) {
            text += size - 1;
            at++;
        }
    }
    *from = text;
    while (text < end && utf8_break_size(text, end) == 0) {
        text++;
    }
    *to = text;
    return true;
}

static void print_many(FILE *out, char character, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fputc(character, out);
    }
}

/* Prints a source line and the caret under it. A long line is cut to what surrounds the caret. */
static void print_line(FILE *out, const Place *place, const char *from, const char *to,
                       const char *colour) {
    uint32_t first = place->column > COLUMNS_SHOWN ? place->column - COLUMNS_BEFORE : 1;
    uint32_t underlined = place->length == 0 ? 1 : place->length;
    size_t caret_from = 0, caret_to = 0, width = first > 1 ? 3 : 0;
    fprintf(out, "%5u | %s", place->line, first > 1 ? "..." : "");
    uint32_t column = 1;
    for (const char *text = from; text < to; column++) {
        char cell[CELL_SIZE];
        unsigned size = escape_one(text, to, cell);
        if (column >= first + COLUMNS_SHOWN) {
            fputs("...", out);
            break;
        }
        if (column == place->column) {
            caret_from = width;
        }
        if (column >= first) {
            fputs(cell, out);
            width += strlen(cell) == size ? 1 : strlen(cell); /* else it was escaped */
        }
        if (column >= place->column && column < place->column + underlined) {
            caret_to = width;
        }
        text += size;
    }
    fputc('\n', out);
    if (place->column == 0) {
        return;
    }
    if (caret_to == 0) { /* beyond the end of the line: what is missing there */
        caret_from = width;
        caret_to = width + 1;
    }
    fputs("      | ", out);
    print_many(out, ' ', caret_from);
    fprintf(out, "%s^", colour);
    print_many(out, '~', caret_to - caret_from - 1);
    fprintf(out, "%s\n", *colour != '\0' ? "\033[0m" : "");
}

static void print_message(const Diagnostics *diagnostics, const DiagMessage *message, FILE *out,
                          bool in_colour) {
    static const char *const names[] = {"error", "warning", "note"};
    static const char *const colours[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};
    const DiagSource *source = &diagnostics->sources.items[message->place.file];
    const char *colour = in_colour ? colours[message->level] : "";
    const char *bold = in_colour ? "\033[1m" : "", *plain = in_colour ? "\033[0m" : "";
    fprintf(out, "%s%s", bold, source->name);
    if (message->place.line > 0) {
        fprintf(out, ":%u", message->place.line);
    }
    if (message->place.line > 0 && message->place.column > 0) {
        fprintf(out, ":%u", message->place.column);
    }
    fprintf(out, ":%s %s%s:%s %s\n", plain, colour, names[message->level], plain, message->text);
    const char *from, *to;
    if (find_line(source, message->place.line, &from, &to)) {
        print_line(out, &message->place, from, to, colour);
    }
}

static void print_rest(FILE *out, uint32_t count, const char *what) {
    if (count > 0) {
        fprintf(out, "%u more %s%s not shown\n", count, what, count == 1 ? " is" : "s are");
    }
}

void diag_print(const Diagnostics *diagnostics, FILE *out, bool in_colour) {
    uint32_t errors_left = diagnostics->error_count, warnings_left = diagnostics->warning_count;
    uint32_t room = errors_left < DIAG_SHOWN_MAX ? DIAG_SHOWN_MAX - errors_left : 0;
    bool is_shown = false;
    for (size_t i = 0; i < diagnostics->messages.count; i++) {
        const DiagMessage *message = &diagnostics->messages.items[i];
        if (message->level == DIAG_ERROR) {
            is_shown = true;
            errors_left--;
        } else if (message->level == DIAG_WARNING) {
            is_shown = room > 0;
            room -= is_shown;
            warnings_left -= is_shown;
        }
        if (is_shown) {
            print_message(diagnostics, message, out, in_colour);
        }
    }
    print_rest(out, errors_left, "error");
    print_rest(out, warnings_left, "warning");
}
