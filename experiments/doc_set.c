/* --set PATH=VALUE: new nodes along the path, everything else shared with the tree as it was. */
#include "experiments/doc.h"
#include "experiments/nearest.h"
#include "experiments/utf8.h"

#include "sim/check.h"
#include "sim/vec.h"

#include <string.h>

enum { NAME_SHOWN_MAX = 60 };

typedef struct Setter {
    Doc *doc;
    Diagnostics *diagnostics;
    uint32_t file;
    const char *path; /* the whole assignment */
    size_t path_size; /* bytes before the '=' */
    const DocNode *value;
} Setter;

/* The place of bytes [from, to) of the assignment. */
static Place path_place(const Setter *setter, size_t from, size_t to) {
    Place place = {.file = setter->file, .line = 1, .column = 1};
    const char *end = setter->path + to;
    uint32_t code;
    for (const char *at = setter->path; at < end;) {
        place.column += at < setter->path + from;
        place.length += at >= setter->path + from;
        at += utf8_decode(at, end, &code);
    }
    return place;
}

/* How much of the path stands before `position`, for "%.*s": without the dot at its end. */
static int shown_before(const Setter *setter, size_t position) {
    bool has_dot = position > 0 && setter->path[position - 1] == '.';
    return (int)(position - has_dot);
}

/* The end of the name or index that begins at `position`: at the next '.', '[' or the '='. */
static size_t segment_end(const Setter *setter, size_t position) {
    size_t end = position;
    while (end < setter->path_size && setter->path[end] != '.' && setter->path[end] != '[') {
        end++;
    }
    return end;
}

/* The key of the map that stands at `position`, or NULL. Names may hold dots ("gpt-4.1"): the
 * longest key that fits, up to a '.', a '[' or the end, is meant. */
static const DocPair *match_key(const Setter *setter, const DocNode *map, size_t position) {
    const DocPair *best = NULL;
    const char *path = setter->path + position;
    size_t left = setter->path_size - position;
    for (size_t i = 0; i < map->count; i++) {
        const DocNode *key = map->pairs[i].key;
        bool is_match = key->count <= left && memcmp(path, key->text, key->count) == 0 &&
                        (key->count == left || path[key->count] == '.' || path[key->count] == '[');
        if (is_match && (best == NULL || key->count > best->key->count)) {
            best = &map->pairs[i];
        }
    }
    return best;
}

static const DocNode *set_below(const Setter *setter, const DocNode *node, size_t position,
                                unsigned depth);

/* Goes past the '.' or '[' behind a name or an index; `position` stands there or at the end. */
static const DocNode *set_next(const Setter *setter, const DocNode *node, size_t position,
                               unsigned depth) {
    if (position == setter->path_size) {
        return setter->value;
    }
    return set_below(setter, node, position + (setter->path[position] == '.'), depth + 1);
}

/* A copy of `map` in which pair number `index` (or a new last one) is `pair`. */
static const DocNode *with_pair(Doc *doc, const DocNode *map, size_t index, DocPair pair) {
    size_t count = index == map->count ? index + 1 : map->count;
    DocPair *pairs = doc_alloc(doc, count * sizeof *pairs);
    for (size_t i = 0; i < count; i++) {
        pairs[i] = i == index ? pair : map->pairs[i];
    }
    DocNode *copy = doc_new(doc, DOC_MAP, (DocOrigin)map->origin, map->place);
    doc_fill_map(doc, copy, pairs, count);
    return copy;
}

/* Refuses the creation of a name in the middle of a path when it is a near miss of a key. A key
 * with dots is compared with as many names of the path. */
static bool is_near_miss(const Setter *setter, const DocNode *map, size_t from) {
    Nearest best = {0};
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->pairs[i].key->text;
        size_t to = segment_end(setter, from);
        for (const char *dot = strchr(key, '.'); dot != NULL && to < setter->path_size;
             dot = strchr(dot + 1, '.')) {
            to = segment_end(setter, to + 1);
        }
        Nearest nearest = nearest_begin(setter->path + from, to - from);
        nearest_offer(&nearest, key);
        if (nearest.best != NULL && (best.best == NULL || nearest.limit < best.limit)) {
            best = nearest;
        }
    }
    if (best.best != NULL) {
        int before = shown_before(setter, from);
        diag_at(setter->diagnostics, DIAG_ERROR, path_place(setter, from, from + best.word_size),
                "%s%.*s%s has no '%.*s': did you mean '%s'?", before > 0 ? "'" : "the scenario",
                before, setter->path, before > 0 ? "'" : "", (int)best.word_size, best.word,
                best.best);
    }
    return best.best != NULL;
}

static const DocNode *set_in_map(const Setter *setter, const DocNode *map, size_t position,
                                 unsigned depth) {
    if (position < setter->path_size && setter->path[position] == '[') {
        diag_at(setter->diagnostics, DIAG_ERROR, path_place(setter, position, setter->path_size),
                "'%.*s' is a map: a '.' and a key must follow", shown_before(setter, position),
                setter->path);
        return NULL;
    }
    const DocPair *pair = match_key(setter, map, position);
    if (pair != NULL && pair->key->count > 0) {
        const DocNode *value = set_next(setter, pair->value, position + pair->key->count, depth);
        return value == NULL ? NULL
                             : with_pair(setter->doc, map, (size_t)(pair - map->pairs),
                                         (DocPair){pair->key, value});
    }
    size_t end = segment_end(setter, position);
    Place place = path_place(setter, position, end);
    if (end == position) {
        diag_at(setter->diagnostics, DIAG_ERROR, place, "a name is missing here");
        return NULL;
    }
    if (end < setter->path_size && is_near_miss(setter, map, position)) {
        return NULL;
    }
    if (end < setter->path_size && setter->path[end] == '[') {
        diag_at(setter->diagnostics, DIAG_ERROR, place, "there is no list '%.*s'",
                (int)(end - position), setter->path + position);
        return NULL;
    }
    DocNode *key =
        doc_new_scalar(setter->doc, setter->path + position, end - position, DOC_FROM_SET);
    key->place = place;
    const DocNode *empty = doc_new(setter->doc, DOC_MAP, DOC_FROM_SET, place);
    const DocNode *value = set_next(setter, empty, end, depth);
    return value == NULL ? NULL : with_pair(setter->doc, map, map->count, (DocPair){key, value});
}

/* Reads "[3]" or "3" at `position`; returns the position behind it, 0 when there is none. */
static size_t read_index(const Setter *setter, size_t position, size_t *index) {
    bool is_bracketed = position < setter->path_size && setter->path[position] == '[';
    size_t from = position + is_bracketed, at = from;
    *index = 0;
    while (at < setter->path_size && setter->path[at] >= '0' && setter->path[at] <= '9') {
        if (*index <= DOC_NODES_MAX) {
            *index = *index * 10 + (size_t)(setter->path[at] - '0');
        }
        at++;
    }
    if (at == from || (is_bracketed && (at == setter->path_size || setter->path[at] != ']'))) {
        return 0;
    }
    at += is_bracketed;
    bool is_end = at == setter->path_size || setter->path[at] == '.' || setter->path[at] == '[';
    return is_end ? at : 0;
}

static const DocNode *set_in_list(const Setter *setter, const DocNode *list, size_t position,
                                  unsigned depth) {
    size_t index, end = read_index(setter, position, &index);
    int before = shown_before(setter, position);
    if (end == 0 || index >= list->count) {
        size_t to = end == 0 ? segment_end(setter, position) : end;
        Place place = path_place(setter, position, to == position ? position + 1 : to);
        if (list->count == 0) {
            diag_at(setter->diagnostics, DIAG_ERROR, place, "'%.*s' is an empty list", before,
                    setter->path);
        } else {
            diag_at(setter->diagnostics, DIAG_ERROR, place,
                    "'%.*s' is a list of %u: write an index from 0 to %u, such as %.*s.0", before,
                    setter->path, list->count, list->count - 1, before, setter->path);
        }
        return NULL;
    }
    const DocNode *value = set_next(setter, list->items[index], end, depth);
    if (value == NULL) {
        return NULL;
    }
    const DocNode **items = doc_alloc(setter->doc, list->count * sizeof *items);
    for (size_t i = 0; i < list->count; i++) {
        items[i] = i == index ? value : list->items[i];
    }
    DocNode *copy = doc_new(setter->doc, DOC_LIST, (DocOrigin)list->origin, list->place);
    doc_fill_list(copy, items, list->count);
    return copy;
}

/* The node with the rest of the path, from `position`, carried out below it; NULL after an error.
 */
static const DocNode *set_below(const Setter *setter, const DocNode *node, size_t position,
                                unsigned depth) {
    if (depth + setter->value->height > DOC_DEPTH_MAX) {
        diag_at(setter->diagnostics, DIAG_ERROR, path_place(setter, position, setter->path_size),
                "more than %d levels deep", (int)DOC_DEPTH_MAX);
        return NULL;
    }
    if (node->kind == DOC_LIST) {
        return set_in_list(setter, node, position, depth);
    }
    if (node->kind == DOC_SCALAR && (node->count > 0 || node->is_quoted)) {
        int before = shown_before(setter, position);
        diag_at(setter->diagnostics, DIAG_ERROR, path_place(setter, position, setter->path_size),
                "'%.*s' is a single value, '%.*s': nothing is below it", before, setter->path,
                (int)utf8_cut(node->text, NAME_SHOWN_MAX), node->text);
        return NULL;
    }
    if (node->kind == DOC_SCALAR) { /* a key without a value may become a map */
        node = doc_new(setter->doc, DOC_MAP, (DocOrigin)node->origin, node->place);
    }
    return set_in_map(setter, node, position, depth);
}

/* Adds the assignment as a source named after its path. */
static uint32_t add_source(const char *assignment, size_t path_size, Diagnostics *diagnostics) {
    static const char option[] = "--set ";
    char *name = mem_alloc(sizeof option + path_size);
    memcpy(stpcpy(name, option), assignment, path_size);
    name[sizeof option - 1 + path_size] = '\0';
    uint32_t file = diag_add_source(diagnostics, name, assignment, strlen(assignment));
    mem_free(name);
    return file;
}

/* Reports the first byte of an assignment that is not UTF-8 or acts on a terminal. */
static bool check_assignment(const char *assignment, uint32_t file, Diagnostics *diagnostics) {
    const char *end = assignment + strlen(assignment);
    Place place = {.file = file, .line = 1, .column = 1, .length = 1};
    for (const char *at = assignment; at < end; place.column++) {
        uint32_t code;
        unsigned size = utf8_decode(at, end, &code);
        if (size == 0 || utf8_is_control(code) || code == 0xFFFE || code == 0xFFFF) {
            diag_at(diagnostics, DIAG_ERROR, place, "a character that cannot be in a setting");
            return false;
        }
        at += size;
    }
    return true;
}

bool doc_set(Doc *doc, const char *assignment, Diagnostics *diagnostics) {
    CHECK(doc->root != NULL);
    size_t size = strlen(assignment), path_size = strcspn(assignment, "=");
    Setter setter = {.doc = doc,
                     .diagnostics = diagnostics,
                     .file = add_source(assignment, path_size, diagnostics),
                     .path = assignment,
                     .path_size = path_size};
    if (size > DOC_FILE_SIZE_MAX) {
        diag_at(diagnostics, DIAG_ERROR, (Place){.file = setter.file},
                "the setting is larger than %d MiB", DOC_FILE_SIZE_MAX >> 20);
        return false;
    }
    if (!check_assignment(assignment, setter.file, diagnostics)) {
        return false;
    }
    if (path_size == size) {
        diag_at(diagnostics, DIAG_ERROR, path_place(&setter, size, size),
                "a '=' and a value are missing: write for example run.seed=7");
        return false;
    }
    setter.value = doc_read_value(doc, setter.file, path_size + 1, diagnostics);
    if (setter.value == NULL) {
        return false;
    }
    const DocNode *root = set_below(&setter, doc->root, 0, 1);
    if (root == NULL) {
        return false;
    }
    doc->root = root;
    return true;
}
