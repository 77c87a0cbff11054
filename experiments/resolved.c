#include "experiments/resolved.h"

#include <string.h>

#include "sim/check.h"

void resolved_free(Resolved *resolved) {
    for (size_t i = 0; i < resolved->values.count; i++) {
        mem_free(resolved->values.items[i].path);
        mem_free(resolved->values.items[i].value);
    }
    vec_free(&resolved->values);
    vec_free(&resolved->path);
}

static void path_append(Resolved *resolved, const char *text) {
    for (; *text != 0; text++) {
        vec_push(&resolved->path, *text);
    }
}

size_t resolved_enter(Resolved *resolved, const char *key) {
    if (resolved == NULL) {
        return 0;
    }
    size_t mark = resolved->path.count;
    if (mark > 0 && key[0] != 0) {
        path_append(resolved, ".");
    }
    path_append(resolved, key);
    return mark;
}

size_t resolved_enter_item(Resolved *resolved, uint32_t index) {
    if (resolved == NULL) {
        return 0;
    }
    size_t mark = resolved->path.count;
    char text[16];
    snprintf(text, sizeof text, "[%u]", index);
    path_append(resolved, text);
    return mark;
}

void resolved_leave(Resolved *resolved, size_t mark) {
    if (resolved != NULL) {
        CHECK(mark <= resolved->path.count);
        resolved->path.count = mark;
    }
}

void resolved_add(Resolved *resolved, const DocNode *scalar) {
    CHECK(scalar->kind == DOC_SCALAR);
    if (resolved == NULL) {
        return;
    }
    size_t size = resolved->path.count;
    char *path = mem_alloc(size + 1);
    memcpy(path, resolved->path.items, size);
    path[size] = 0;
    ResolvedValue value = {path, mem_copy_text(scalar->text), scalar->origin, scalar->place};
    vec_push(&resolved->values, value);
}

void resolved_print_origin(const ResolvedValue *value, const Diagnostics *diagnostics, FILE *out) {
    if (value->origin == DOC_FROM_DEFAULT) {
        fputs("default", out);
        return;
    }
    CHECK(value->place.file < diagnostics->sources.count);
    const char *source = diagnostics->sources.items[value->place.file].name;
    if (value->origin == DOC_FROM_SET || value->origin == DOC_FROM_PRESET) {
        fputs(source, out);
    } else {
        fprintf(out, "%s:%u", source, value->place.line);
    }
}

/* A line of a value's text; what could move the cursor or begin a comment is shown in quotes. */
static void print_value(const char *text, FILE *out) {
    bool is_plain = text[0] != 0;
    for (const char *c = text; *c != 0; c++) {
        is_plain &= (unsigned char)*c >= 0x20 && *c != 0x7f && *c != '"' && *c != '#';
    }
    if (is_plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c != 0; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)*c);
        } else {
            fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
        }
    }
    fputc('"', out);
}

void resolved_print(const Resolved *resolved, const Diagnostics *diagnostics, FILE *out) {
    for (size_t i = 0; i < resolved->values.count; i++) {
        const ResolvedValue *value = &resolved->values.items[i];
        fprintf(out, "%s: ", value->path);
        print_value(value->value, out);
        fputs("  # ", out);
        resolved_print_origin(value, diagnostics, out);
        fputc('\n', out);
    }
}
