#include "experiments/json_out.h"

#include <math.h>
#include <stdio.h>

#include "experiments/number_print.h"
#include "experiments/utf8.h"
#include "sim/check.h"

static void json_out_put(JsonOut *json, const char *text) {
    file_out_write(json->file, text, strlen(text));
}

static void json_out_new_line(JsonOut *json) {
    json_out_put(json, "\n");
    for (unsigned i = 0; i < json->depth; i++) {
        json_out_put(json, "  ");
    }
}

/* How many bytes at `text` can be copied as they are: all but quotes, backslashes, control
 * characters and what is not UTF-8. */
static size_t json_out_plain_size(const char *text, const char *end) {
    const char *at = text;
    while (at < end) {
        uint32_t code;
        unsigned size = utf8_decode(at, end, &code);
        if (size == 0 || code < 0x20 || code == 0x7F || code == '"' || code == '\\') {
            break;
        }
        at += size;
    }
    return (size_t)(at - text);
}

static void json_out_quote(JsonOut *json, const char *text) {
    const char *end = text + strlen(text);
    json_out_put(json, "\"");
    for (;;) {
        size_t plain = json_out_plain_size(text, end);
        file_out_write(json->file, text, plain);
        text += plain;
        if (text == end) {
            break;
        }
        unsigned char byte = (unsigned char)*text++;
        char escape[8];
        if (byte == '"' || byte == '\\') {
            snprintf(escape, sizeof escape, "\\%c", byte);
        } else if (byte == '\n' || byte == '\t') {
            snprintf(escape, sizeof escape, "\\%c", byte == '\n' ? 'n' : 't');
        } else {
            snprintf(escape, sizeof escape, "\\u%04X", byte < 0x80 ? byte : 0xFFFDu);
        }
        json_out_put(json, escape);
    }
    json_out_put(json, "\"");
}

/* The comma, the line and the key that go before a value. */
static void json_out_begin_value(JsonOut *json, const char *key) {
    if (json->depth == 0) {
        CHECK(key == NULL && !json->is_written);
        json->is_written = true;
        return;
    }
    unsigned level = json->depth - 1;
    CHECK(json->is_object[level] == (key != NULL));
    if (json->has_items[level]) {
        json_out_put(json, ",");
    }
    json->has_items[level] = true;
    json_out_new_line(json);
    if (key != NULL) {
        json_out_quote(json, key);
        json_out_put(json, ": ");
    }
}

static void json_out_begin(JsonOut *json, const char *key, bool is_object) {
    CHECK(json->depth < JSON_DEPTH_MAX);
    json_out_begin_value(json, key);
    json->is_object[json->depth] = is_object;
    json->has_items[json->depth] = false;
    json->depth++;
    json_out_put(json, is_object ? "{" : "[");
}

static void json_out_end(JsonOut *json, bool is_object) {
    CHECK(json->depth > 0 && json->is_object[json->depth - 1] == is_object);
    json->depth--;
    if (json->has_items[json->depth]) {
        json_out_new_line(json);
    }
    json_out_put(json, is_object ? "}" : "]");
}

void json_out_begin_object(JsonOut *json, const char *key) {
    json_out_begin(json, key, true);
}

void json_out_end_object(JsonOut *json) {
    json_out_end(json, true);
}

void json_out_begin_array(JsonOut *json, const char *key) {
    json_out_begin(json, key, false);
}

void json_out_end_array(JsonOut *json) {
    json_out_end(json, false);
}

void json_out_text(JsonOut *json, const char *key, const char *text) {
    json_out_begin_value(json, key);
    if (text == NULL) {
        json_out_put(json, "null");
    } else {
        json_out_quote(json, text);
    }
}

void json_out_int(JsonOut *json, const char *key, int64_t value) {
    json_out_begin_value(json, key);
    char text[NUMBER_TEXT_SIZE];
    number_print_count(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    json_out_put(json, value < 0 ? "-" : "");
    json_out_put(json, text);
}

void json_out_double(JsonOut *json, const char *key, double value) {
    json_out_begin_value(json, key);
    char text[NUMBER_TEXT_SIZE] = "null";
    if (isfinite(value)) {
        number_print(text, value);
    }
    json_out_put(json, text);
}

void json_out_bool(JsonOut *json, const char *key, bool value) {
    json_out_begin_value(json, key);
    json_out_put(json, value ? "true" : "false");
}

void json_out_null(JsonOut *json, const char *key) {
    json_out_begin_value(json, key);
    json_out_put(json, "null");
}

bool json_out_open(JsonOut *json, const OutDir *dir, const char *name, Error *error) {
    FileOut *file = file_out_open(dir, name, error);
    if (file == NULL) {
        return false;
    }
    *json = (JsonOut){.file = file};
    return true;
}

bool json_out_finish(JsonOut *json, FileFacts *facts, Error *error) {
    CHECK(json->depth == 0 && json->is_written);
    json_out_put(json, "\n");
    FileOut *file = json->file;
    json->file = NULL;
    return file_out_finish(file, facts, error);
}

void json_out_abandon(JsonOut *json) {
    file_out_abandon(json->file);
    json->file = NULL;
}
