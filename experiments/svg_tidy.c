#include "experiments/svg_tidy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/utf8.h"
#include "sim/check.h"

enum { GROUPS_MAX = 64, NUMBER_SIZE_MAX = 24 };

void text_append(Text *text, const char *data, size_t size) {
    size_t at = text->count;
    vec_resize(text, at + size);
    memcpy(text->items + at, data, size);
}

static void append(Text *text, const char *words) {
    text_append(text, words, strlen(words));
}

static const char *escape_of(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void text_append_escaped(Text *text, const char *data) {
    const char *end = data + strlen(data);
    while (data < end) {
        uint32_t code = 0;
        size_t size = utf8_decode(data, end, &code);
        const char *escape = escape_of(*data);
        if (escape != NULL) {
            append(text, escape);
        } else if (size == 0 || (utf8_is_control(code) && code != '\n' && code != '\t')) {
            append(text, "\xef\xbf\xbd");
        } else {
            text_append(text, data, size);
        }
        data += size == 0 ? 1 : size;
    }
}

/* A place in the input. */
typedef struct Scan {
    const char *at, *end;
} Scan;

static bool starts(const Scan *scan, const char *word) {
    size_t size = strlen(word);
    return (size_t)(scan->end - scan->at) >= size && memcmp(scan->at, word, size) == 0;
}

static void skip_space(Scan *scan) {
    while (scan->at < scan->end && isspace((unsigned char)*scan->at)) {
        scan->at++;
    }
}

/* Goes behind the next `word`; false when there is none. */
static bool skip_behind(Scan *scan, const char *word) {
    const char *found = memmem(scan->at, (size_t)(scan->end - scan->at), word, strlen(word));
    if (found != NULL) {
        scan->at = found + strlen(word);
    }
    return found != NULL;
}

/* One decimal: a tenth of a pixel. */
static void append_coordinates(Text *out, const char *value, const char *end) {
    while (value < end) {
        if (isspace((unsigned char)*value)) {
            bool is_needed = value + 1 < end && !isspace((unsigned char)value[1]);
            append(out, is_needed ? " " : "");
            value++;
        } else if (!isdigit((unsigned char)*value)) {
            text_append(out, value++, 1);
        } else {
            char number[NUMBER_SIZE_MAX], shorter[NUMBER_SIZE_MAX + 4];
            size_t size = 0;
            while (value < end && (isdigit((unsigned char)*value) || *value == '.') &&
                   size + 1 < NUMBER_SIZE_MAX) {
                number[size++] = *value++;
            }
            number[size] = '\0';
            int length = snprintf(shorter, sizeof shorter, "%.1f", strtod(number, NULL));
            bool is_whole = length > 2 && shorter[length - 1] == '0';
            text_append(out, shorter, (size_t)length - (is_whole ? 2 : 0));
        }
    }
}

/* "rgb( 90,  98, 112)" becomes #5a6270; other values stay. */
static void append_value(Text *out, const char *value, const char *end) {
    int red, green, blue;
    char text[32], colour[32];
    size_t size = (size_t)(end - value);
    if (size > 4 && size < sizeof text && memcmp(value, "rgb(", 4) == 0) {
        memcpy(text, value, size);
        text[size] = '\0';
        /* Three digits fit. NOLINTNEXTLINE(cert-err34-c) */
        if (sscanf(text, "rgb(%3d,%3d,%3d)", &red, &green, &blue) == 3) {
            snprintf(colour, sizeof colour, "#%02x%02x%02x", (unsigned)red & 255,
                     (unsigned)green & 255, (unsigned)blue & 255);
            append(out, colour);
            return;
        }
    }
    text_append(out, value, size);
}

/* An attribute NAME = 'VALUE'; false at the end of the tag or when it is none. */
typedef struct Attribute {
    const char *name, *name_end, *value, *value_end;
} Attribute;

static bool next_attribute(Scan *scan, Attribute *out) {
    skip_space(scan);
    out->name = scan->at;
    while (scan->at < scan->end && strchr("= \t\r\n>/\"'", *scan->at) == NULL) {
        scan->at++;
    }
    out->name_end = scan->at;
    skip_space(scan);
    if (out->name == out->name_end || scan->at == scan->end || *scan->at != '=') {
        return false;
    }
    scan->at++;
    skip_space(scan);
    char quote = scan->at < scan->end ? *scan->at : '\0';
    if (quote != '"' && quote != '\'') {
        return false;
    }
    out->value = ++scan->at;
    out->value_end = memchr(scan->at, quote, (size_t)(scan->end - scan->at));
    if (out->value_end == NULL) {
        return false;
    }
    scan->at = out->value_end + 1;
    return true;
}

static bool attribute_is(const Attribute *attribute, const char *name) {
    size_t size = (size_t)(attribute->name_end - attribute->name);
    return strlen(name) == size && memcmp(attribute->name, name, size) == 0;
}

/* What nobody refers to, what is the default anyway, and the font, which the whole picture has. */
static bool is_dropped(const Attribute *attribute) {
    static const char *const NAMES[] = {"id", "class", "stroke-linecap", "stroke-linejoin",
                                        "font-family"};
    bool is_found = false;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        is_found = is_found || attribute_is(attribute, NAMES[i]);
    }
    return is_found;
}

/* Copies a tag from behind its '<' up to and with its '>'. */
static bool copy_tag(Scan *scan, Text *out) {
    append(out, "<");
    while (scan->at < scan->end && (isalnum((unsigned char)*scan->at))) {
        text_append(out, scan->at++, 1);
    }
    Attribute attribute;
    while (next_attribute(scan, &attribute)) {
        if (is_dropped(&attribute)) {
            continue;
        }
        append(out, " ");
        text_append(out, attribute.name, (size_t)(attribute.name_end - attribute.name));
        append(out, "=\"");
        (attribute_is(&attribute, "d") || attribute_is(&attribute, "points")
             ? append_coordinates
             : append_value)(out, attribute.value, attribute.value_end);
        append(out, "\"");
    }
    if (starts(scan, "/>")) {
        append(out, "/>");
        scan->at += 2;
        return true;
    }
    append(out, ">");
    return starts(scan, ">") && scan->at++ != NULL;
}

static bool open_picture(Scan *scan, const SvgWords *words, Text *out) {
    Attribute attribute;
    char text[256];
    scan->at += strlen("<svg");
    append(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"system-ui,DejaVu Sans,"
                "sans-serif\"");
    while (next_attribute(scan, &attribute)) {
        if (attribute_is(&attribute, "viewBox")) {
            append(out, " viewBox=\"");
            text_append(out, attribute.value, (size_t)(attribute.value_end - attribute.value));
            append(out, "\"");
        }
    }
    snprintf(text, sizeof text,
             " role=\"img\" aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">",
             words->name, words->name, words->name);
    append(out, text);
    text_append_escaped(out, words->title);
    snprintf(text, sizeof text, "</title><desc id=\"%s-desc\">", words->name);
    append(out, text);
    text_append_escaped(out, words->description);
    append(out, "</desc>");
    return skip_behind(scan, ">");
}

/* Groups that are open: where each one's tag begins and ends in the output. */
typedef struct Groups {
    size_t begin[GROUPS_MAX], end[GROUPS_MAX];
    size_t count;
} Groups;

static bool close_group(Groups *groups, Text *out) {
    if (groups->count == 0) {
        return false;
    }
    groups->count--;
    if (out->count == groups->end[groups->count]) {
        out->count = groups->begin[groups->count];
    } else {
        append(out, "</g>");
    }
    return true;
}

static bool tidy_tag(Scan *scan, Groups *groups, Text *out) {
    static const char *const DROPPED[][2] = {
        {"<title>", "</title>"}, {"<desc>", "</desc>"}, {"<defs>", "</defs>"}, {"<!--", "-->"}};
    for (size_t i = 0; i < sizeof DROPPED / sizeof DROPPED[0]; i++) {
        if (starts(scan, DROPPED[i][0])) {
            return skip_behind(scan, DROPPED[i][1]);
        }
    }
    if (starts(scan, "</g>")) {
        scan->at += strlen("</g>");
        return close_group(groups, out);
    }
    if (starts(scan, "</")) {
        const char *begin = scan->at;
        bool is_ended = skip_behind(scan, ">");
        text_append(out, begin, (size_t)(scan->at - begin));
        return is_ended;
    }
    bool is_group = starts(scan, "<g ") || starts(scan, "<g>");
    size_t begin = out->count;
    scan->at++;
    if (!copy_tag(scan, out) || (is_group && groups->count == GROUPS_MAX)) {
        return false;
    }
    if (is_group) {
        groups->begin[groups->count] = begin;
        groups->end[groups->count++] = out->count;
    }
    return true;
}

bool svg_tidy(const char *svg, size_t size, const SvgWords *words, Text *out) {
    Scan scan = {svg, svg + size};
    Groups groups = {0};
    size_t begin = out->count;
    if (!skip_behind(&scan, "<svg")) {
        return false;
    }
    scan.at -= strlen("<svg");
    bool is_fine = open_picture(&scan, words, out);
    while (is_fine && !starts(&scan, "</svg>")) {
        const char *tag = memchr(scan.at, '<', (size_t)(scan.end - scan.at));
        if (tag == NULL) {
            is_fine = false;
            break;
        }
        Scan space = {scan.at, tag};
        skip_space(&space);
        text_append(out, scan.at, space.at == tag ? 0 : (size_t)(tag - scan.at));
        scan.at = tag;
        if (!starts(&scan, "</svg>")) {
            is_fine = tidy_tag(&scan, &groups, out);
        }
    }
    if (!is_fine || groups.count > 0) {
        out->count = begin;
        return false;
    }
    append(out, "</svg>\n");
    return true;
}
