#include "experiments/utf8.h"

#include "sim/check.h"

#include <string.h>

static bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

unsigned utf8_decode(const char *text, const char *end, uint32_t *code) {
    CHECK(text < end);
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80) {
        *code = byte[0];
        return 1;
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned size = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || (size_t)(end - text) < size) {
        return 0;
    }
    uint32_t value = byte[0] & (0x7Fu >> size);
    for (unsigned i = 1; i < size; i++) {
        if (!is_continuation(byte[i])) {
            return 0;
        }
        value = value << 6 | (byte[i] & 0x3F);
    }
    if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *code = value;
    return size;
}

size_t utf8_cut(const char *text, size_t size_max) {
    size_t size = strnlen(text, size_max + 1);
    if (size <= size_max) {
        return size;
    }
    size = size_max;
    while (size > 0 && is_continuation((unsigned char)text[size])) {
        size--;
    }
    return size;
}

size_t utf8_break_size(const char *text, const char *end) {
    size_t left = (size_t)(end - text);
    if (text[0] == '\n') {
        return 1;
    }
    if (text[0] == '\r') {
        return left > 1 && text[1] == '\n' ? 2 : 1;
    }
    if (left > 1 && memcmp(text, "\xC2\x85", 2) == 0) {
        return 2;
    }
    if (left > 2 && memcmp(text, "\xE2\x80", 2) == 0 && (text[2] == '\xA8' || text[2] == '\xA9')) {
        return 3;
    }
    return 0;
}

bool utf8_is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xFEFF;
}
