/* YAML to tree, over libyaml's events: they carry positions and let us stop before an input becomes
 * costly (libyaml alone is quadratic in flow nesting). Mistakes that leave the rest readable are
 * reported and passed over, so that one run shows them all.
 */
#include "experiments/doc.h"
#include "experiments/nearest.h"
#include "experiments/utf8.h"
#include "sim/check.h"
#include "sim/vec.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { ANCHOR_BUCKETS = 1 << 14, NAME_SHOWN_MAX = 60 };

typedef struct Anchor Anchor;
struct Anchor {
    const char *name;
    DocNode *node;
    bool is_finished; /* a map or list is not, until its end: no cycles */
    Anchor *next;
};

typedef struct Frame {
    DocNode *node;        /* the map or list that is being read */
    size_t first;         /* its children in `pending`; keys and values of a map alternate */
    Anchor *anchor;       /* to be finished with it, or NULL */
    const DocNode *merge; /* the value of '<<' */
    size_t merge_at;      /* how many pairs stood before it */
} Frame;

typedef struct Loader {
    Doc *doc;
    Diagnostics *diagnostics;
    uint32_t file;
    DocOrigin origin;
    bool is_value;           /* of a --set: one line, no block style */
    uint32_t columns_before; /* of the text, in its source */
    const char *text;
    size_t size;
    Frame frames[DOC_DEPTH_MAX];
    size_t depth;
    VEC(const DocNode *) pending; /* children of unfinished maps and lists */
    Anchor **anchors;             /* ANCHOR_BUCKETS lists, by hash of the name */
    const DocNode *root;
    bool is_stopped; /* an error ended the reading */
    bool is_unfit;   /* a value is unknown: going on would only report what follows from that */
} Loader;

/* What libyaml says, and what a person can do about it. A text that is not here is shown as it is.
 */
static const char *const problems[][2] = {
    {"mapping values are not allowed in this context",
     "a ':' is not allowed here: indent the line right, or quote a text that holds ': '"},
    {"did not find expected key", "a key is expected here: is the line indented right?"},
    {"did not find expected '-' indicator", "a '- ' is expected here: is the line indented right?"},
    {"block sequence entries are not allowed in this context",
     "a '- ' is not allowed here: begin the list on a line of its own"},
    {"could not find expected ':'", "a ':' is missing after this key"},
    {"did not find expected ',' or ']'", "a ',' or ']' is missing before this"},
    {"did not find expected ',' or '}'", "a ',' or '}' is missing before this"},
    {"did not find expected node content", "a value is missing before this"},
    {"found unexpected end of stream", "the text ends inside quotes"},
    {"found unknown escape character",
     "no such escape: in single quotes a backslash is only a backslash"},
};
static const char *const contexts[][2] = {
    {"while parsing a block mapping", "the map begins here"},
    {"while parsing a block collection", "the list begins here"},
    {"while parsing a flow mapping", "the '{' is here"},
    {"while parsing a flow sequence", "the '[' is here"},
    {"while scanning a quoted scalar", "the quote is here"},
    {"while parsing a quoted scalar", "the quote is here"},
};

/* What stands beside a text in a table; NULL when it is not there. */
static const char *reworded(const char *text, const char *const table[][2], size_t count) {
    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, table[i][0]) == 0) {
            return table[i][1];
        }
    }
    return NULL;
}

static Place mark_place(const Loader *loader, const yaml_mark_t *mark) {
    return (Place){.file = loader->file,
                   .line = (uint32_t)mark->line + 1,
                   .column = (uint32_t)mark->column + 1 + loader->columns_before,
                   .length = 1};
}

static Place event_place(const Loader *loader, const yaml_event_t *event) {
    Place place = mark_place(loader, &event->start_mark);
    if (event->end_mark.line == event->start_mark.line &&
        event->end_mark.column > event->start_mark.column) {
        place.length = (uint32_t)(event->end_mark.column - event->start_mark.column);
    }
    return place;
}

#define STOP_WITH_ERROR(loader, ...)                                                               \
    ((loader)->is_stopped = true, diag_at((loader)->diagnostics, DIAG_ERROR, __VA_ARGS__))

/* ---- Bytes that no YAML text holds ---- */

static void report_bytes(const Loader *loader, Place place, const char *text, uint32_t code) {
    Diagnostics *diagnostics = loader->diagnostics;
    if (code == 0 && *text == '\0') {
        diag_at(diagnostics, DIAG_ERROR, place, "a NUL byte: this is not a text file");
    } else if (code == 0 && loader->size >= 2 && text == loader->text &&
               (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
        diag_at(diagnostics, DIAG_ERROR, place, "the file is UTF-16: save it as UTF-8");
    } else if (code == 0) {
        diag_at(diagnostics, DIAG_ERROR, place, "byte 0x%02X is not UTF-8: save the file as UTF-8",
                (unsigned)(unsigned char)*text);
    } else {
        diag_at(diagnostics, DIAG_ERROR, place,
                "character U+%04X is not allowed: in double quotes write \\u%04X", (unsigned)code,
                (unsigned)code);
    }
}

/* The characters of YAML 1.1 section 5.1. libyaml checks the same, but says "1:1" for the place. */
static bool is_yaml_character(uint32_t code) {
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0x7E) ||
           code == 0x85 || (code >= 0xA0 && code != 0xFEFF && code != 0xFFFE && code != 0xFFFF);
}

/* Looks at every character before libyaml does; reports the first that cannot be. */
static bool check_characters(const Loader *loader) {
    const char *text = loader->text, *end = text + loader->size;
    Place place = {.file = loader->file, .line = 1, .column = 1 + loader->columns_before};
    while (text < end) {
        uint32_t code = 0;
        unsigned size = utf8_decode(text, end, &code);
        if (size == 0 || !is_yaml_character(code)) {
            report_bytes(loader, place, text, code);
            return false;
        }
        size_t break_size = utf8_break_size(text, end);
        place.column++;
        if (break_size > 0) {
            place.line++;
            place.column = 1;
        }
        text += break_size > 0 ? break_size : size;
    }
    return true;
}

/* ---- Nodes ---- */

static bool count_nodes(Loader *loader, size_t added, Place place) {
    if (added > DOC_NODES_MAX - loader->doc->node_count) {
        STOP_WITH_ERROR(loader, place, "more than %d values, each use of an alias counted in full",
                        (int)DOC_NODES_MAX);
        return false;
    }
    loader->doc->node_count += (uint32_t)added;
    return true;
}

static Anchor **find_bucket(Loader *loader, const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    return &loader->anchors[hash % ANCHOR_BUCKETS];
}

/* The last anchor of that name wins, as in YAML: it stands first in its bucket. */
static Anchor *find_anchor(Loader *loader, const char *name) {
    Anchor *anchor = *find_bucket(loader, name);
    while (anchor != NULL && strcmp(anchor->name, name) != 0) {
        anchor = anchor->next;
    }
    return anchor;
}

static Anchor *add_anchor(Loader *loader, const yaml_char_t *yaml_name, DocNode *node) {
    if (yaml_name == NULL) {
        return NULL;
    }
    const char *name = (const char *)yaml_name;
    Anchor **bucket = find_bucket(loader, name);
    size_t size = strlen(name) + 1;
    Anchor *anchor = doc_alloc(loader->doc, sizeof *anchor);
    *anchor = (Anchor){.name = memcpy(doc_alloc(loader->doc, size), name, size),
                       .node = node,
                       .is_finished = node->kind == DOC_SCALAR,
                       .next = *bucket};
    *bucket = anchor;
    return anchor;
}

static void report_unknown_alias(Loader *loader, const char *name, Place place) {
    Nearest nearest = nearest_begin(name, strlen(name));
    for (size_t i = 0; i < ANCHOR_BUCKETS && !diag_is_full(loader->diagnostics); i++) {
        for (const Anchor *anchor = loader->anchors[i]; anchor != NULL; anchor = anchor->next) {
            nearest_offer(&nearest, anchor->name);
        }
    }
    int shown = (int)utf8_cut(name, NAME_SHOWN_MAX);
    if (nearest.best != NULL) {
        diag_at(loader->diagnostics, DIAG_ERROR, place,
                "no '&%.*s' stands before this: did you mean '*%s'?", shown, name, nearest.best);
    } else {
        diag_at(loader->diagnostics, DIAG_ERROR, place, "no '&%.*s' stands before this", shown,
                name);
    }
}

static const DocNode *read_alias(Loader *loader, const yaml_event_t *event, Place place) {
    const char *name = (const char *)event->data.alias.anchor;
    const Anchor *anchor = find_anchor(loader, name);
    if (anchor == NULL || !anchor->is_finished) {
        if (anchor == NULL) {
            report_unknown_alias(loader, name, place);
        } else {
            diag_at(loader->diagnostics, DIAG_ERROR, place, "'*%.*s' is used inside itself",
                    (int)utf8_cut(name, NAME_SHOWN_MAX), name);
        }
        loader->is_unfit = true;
        return doc_new(loader->doc, DOC_MAP, loader->origin, place);
    }
    if (loader->depth + anchor->node->height > DOC_DEPTH_MAX) {
        STOP_WITH_ERROR(loader, place, "more than %d levels deep", (int)DOC_DEPTH_MAX);
    }
    (void)count_nodes(loader, anchor->node->weight, place);
    return anchor->node;
}

static const DocNode *read_scalar(Loader *loader, const yaml_event_t *event, Place place) {
    const char *text = (const char *)event->data.scalar.value;
    size_t size = strnlen(text, event->data.scalar.length);
    if (size < event->data.scalar.length) {
        diag_at(loader->diagnostics, DIAG_ERROR, place, "a value cannot hold a NUL character");
    }
    DocNode *node = doc_new_scalar(loader->doc, text, size, loader->origin);
    node->place = place;
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    (void)add_anchor(loader, event->data.scalar.anchor, node);
    (void)count_nodes(loader, 1, place);
    return node;
}

static bool is_merge_key(const DocNode *key) {
    return key->kind == DOC_SCALAR && !key->is_quoted && strcmp(key->text, "<<") == 0;
}

/* Hands a finished or beginning node to what encloses it. */
static void add_node(Loader *loader, const DocNode *node) {
    if (loader->depth == 0) {
        loader->root = node;
        return;
    }
    Frame *frame = &loader->frames[loader->depth - 1];
    size_t position = loader->pending.count - frame->first;
    if (frame->node->kind == DOC_MAP && position % 2 == 0) {
        if (node->kind != DOC_SCALAR) {
            diag_error(loader->diagnostics, node, "a key must be a word, not a map or a list");
        } else if (node->count == 0 && !node->is_quoted) {
            diag_error(loader->diagnostics, node, "a key is missing before the ':'");
        }
    }
    vec_push(&loader->pending, node);
}

static void begin_collection(Loader *loader, const yaml_event_t *event, Place place) {
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    bool is_block = is_map ? event->data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE
                           : event->data.sequence_start.style == YAML_BLOCK_SEQUENCE_STYLE;
    if (loader->depth == DOC_DEPTH_MAX) {
        STOP_WITH_ERROR(loader, place, "more than %d levels deep", (int)DOC_DEPTH_MAX);
        return;
    }
    if (loader->is_value && is_block) {
        STOP_WITH_ERROR(loader, place, "write a map as {key: value} and a list as [a, b]");
        return;
    }
    place.length = 1;
    DocNode *node = doc_new(loader->doc, is_map ? DOC_MAP : DOC_LIST, loader->origin, place);
    Anchor *anchor = add_anchor(
        loader, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
        node);
    (void)count_nodes(loader, 1, place);
    add_node(loader, node);
    loader->frames[loader->depth++] =
        (Frame){.node = node, .first = loader->pending.count, .anchor = anchor};
}

/* Reports keys that are given twice and keeps the first of each; returns how many are left. */
static size_t drop_repeated(Loader *loader, DocPair *pairs, size_t count) {
    uint32_t *order = mem_alloc(count * sizeof *order);
    doc_sort_pairs(pairs, count, order);
    size_t first = 0, kept = count;
    for (size_t i = 1; i < count; i++) {
        const DocNode *one = pairs[order[first]].key, *two = pairs[order[i]].key;
        if (strcmp(one->text, two->text) != 0) {
            first = i;
            continue;
        }
        diag_error(loader->diagnostics, two, "key '%.*s' is given twice",
                   (int)utf8_cut(two->text, NAME_SHOWN_MAX), two->text);
        diag_note(loader->diagnostics, one, "first given here");
        pairs[order[i]].value = NULL;
        kept--;
    }
    mem_free(order);
    size_t to = 0;
    for (size_t from = 0; from < count; from++) {
        if (pairs[from].value != NULL) {
            pairs[to++] = pairs[from];
        }
    }
    CHECK(to == kept);
    return kept;
}

/* Takes the keys and values of a finished map from `pending`; the value of '<<' is set apart. */
static size_t take_pairs(Loader *loader, Frame *frame, DocPair *pairs) {
    size_t count = 0;
    for (size_t i = frame->first; i + 1 < loader->pending.count; i += 2) {
        const DocNode *key = loader->pending.items[i], *value = loader->pending.items[i + 1];
        if (key->kind != DOC_SCALAR || (key->count == 0 && !key->is_quoted)) {
            continue; /* reported by add_node */
        }
        if (!is_merge_key(key)) {
            pairs[count++] = (DocPair){key, value};
        } else if (frame->merge != NULL) {
            diag_error(loader->diagnostics, key, "'<<' is given twice in one map");
        } else if (value->kind != DOC_MAP) {
            diag_error(loader->diagnostics, value, "'<<' takes one map, such as '<<: *defaults'");
        } else {
            frame->merge = value;
            frame->merge_at = count;
        }
    }
    return count;
}

static void end_map(Loader *loader, Frame *frame) {
    size_t count_max = (loader->pending.count - frame->first) / 2;
    DocPair *pairs = doc_alloc(loader->doc, count_max * sizeof *pairs);
    size_t count = drop_repeated(loader, pairs, take_pairs(loader, frame, pairs));
    const DocNode *merge = frame->merge;
    if (merge == NULL) {
        doc_fill_map(loader->doc, frame->node, pairs, count);
        return;
    }
    DocNode explicit_keys = {.kind = DOC_MAP};
    doc_fill_map(loader->doc, &explicit_keys, pairs, count);
    size_t before = frame->merge_at < count ? frame->merge_at : count, to = before, added = 0;
    DocPair *joined = doc_alloc(loader->doc, (count + merge->count) * sizeof *joined);
    memcpy(joined, pairs, before * sizeof *joined);
    for (size_t i = 0; i < merge->count; i++) {
        if (doc_find_pair(&explicit_keys, merge->pairs[i].key->text) == NULL) {
            joined[to++] = merge->pairs[i];
            added += 1 + merge->pairs[i].value->weight;
        }
    }
    memcpy(joined + to, pairs + before, (count - before) * sizeof *joined);
    if (count_nodes(loader, added, frame->node->place)) {
        doc_fill_map(loader->doc, frame->node, joined, to + count - before);
    }
}

static void end_collection(Loader *loader) {
    Frame *frame = &loader->frames[loader->depth - 1];
    CHECK(frame->node != NULL);
    if (frame->node->kind == DOC_MAP) {
        end_map(loader, frame);
    } else {
        size_t count = loader->pending.count - frame->first;
        CHECK(count == 0 || loader->pending.items != NULL);
        const DocNode **items = doc_alloc(loader->doc, count * sizeof *items);
        for (size_t i = 0; i < count; i++) {
            items[i] = loader->pending.items[frame->first + i];
        }
        doc_fill_list(frame->node, items, count);
    }
    loader->pending.count = frame->first;
    if (frame->anchor != NULL) {
        frame->anchor->is_finished = true;
    }
    loader->depth--;
}

/* ---- Events ---- */

static bool has_tag(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag != NULL;
    default:
        return false;
    }
}

static void read_event(Loader *loader, const yaml_event_t *event) {
    Place place = event_place(loader, event);
    if (has_tag(event)) {
        diag_at(loader->diagnostics, DIAG_ERROR, place, "a tag ('!...') has no meaning here");
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (loader->root != NULL) {
            STOP_WITH_ERROR(loader, place, "a second document begins here: a file holds one");
        }
        break;
    case YAML_ALIAS_EVENT:
        add_node(loader, read_alias(loader, event, place));
        break;
    case YAML_SCALAR_EVENT:
        add_node(loader, read_scalar(loader, event, place));
        break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        begin_collection(loader, event, place);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end_collection(loader);
        break;
    default:
        break;
    }
}

/* Finds the byte at a mark, whose index counts code points: NUL at the end of the text. There the
 * mark may be on a line that does not exist; `place` becomes the end of the last word. */
static char find_byte(const Loader *loader, const yaml_mark_t *mark, Place *place) {
    const char *text = loader->text, *end = text + loader->size;
    Place at = {loader->file, 1, 1 + loader->columns_before, 1};
    Place word_end = at;
    for (size_t i = 0; i < mark->index && text < end; i++) {
        uint32_t code;
        unsigned size = utf8_decode(text, end, &code);
        size_t break_size = utf8_break_size(text, end);
        i += break_size == 2 && code == '\r'; /* CR LF: one break, two code points */
        at.column++;
        if (break_size > 0) {
            at.line++;
            at.column = 1;
        } else if (code != ' ' && code != '\t') {
            word_end = at;
        }
        text += break_size > 0 ? break_size : size;
    }
    if (text < end) {
        return *text;
    }
    *place = word_end;
    return '\0';
}

static void report_syntax(Loader *loader, const yaml_parser_t *parser) {
    const char *problem = parser->problem == NULL ? "this is not YAML" : parser->problem;
    Place place = mark_place(loader, &parser->problem_mark);
    Place context = mark_place(loader, &parser->context_mark);
    char byte = find_byte(loader, &parser->problem_mark, &place);
    if (strcmp(problem, "found character that cannot start any token") == 0) {
        if (byte == '\t') {
            STOP_WITH_ERROR(loader, place, "a tab cannot indent a line: use spaces");
        } else {
            STOP_WITH_ERROR(loader, place, "'%c' cannot begin a value: quote the text", byte);
        }
        return;
    }
    if (strcmp(problem, "could not find expected ':'") == 0 && parser->context != NULL) {
        place = context; /* the key; libyaml noticed only behind it */
    }
    const char *text = reworded(problem, problems, sizeof problems / sizeof problems[0]);
    STOP_WITH_ERROR(loader, place, "%s", text == NULL ? problem : text);
    const char *note = reworded(parser->context, contexts, sizeof contexts / sizeof contexts[0]);
    if (note != NULL) {
        diag_at(loader->diagnostics, DIAG_NOTE, context, "%s", note);
    }
}

static void end_for_lack_of_memory(void) {
    fputs("knockon: out of memory\n", stderr);
    _Exit(5); /* as mem_alloc does; libyaml has its own allocations */
}

/* Runs libyaml over the text. Sets loader->root; NULL after an error that left no whole tree. */
static void read_events(Loader *loader) {
    yaml_parser_t parser;
    loader->anchors = mem_zalloc(ANCHOR_BUCKETS, sizeof(Anchor *));
    if (!yaml_parser_initialize(&parser)) {
        end_for_lack_of_memory();
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)loader->text, loader->size);
    bool is_over = false;
    while (!is_over && !loader->is_stopped) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            if (parser.error == YAML_MEMORY_ERROR) {
                end_for_lack_of_memory();
            }
            report_syntax(loader, &parser);
            break;
        }
        read_event(loader, &event);
        is_over = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    vec_free(&loader->pending);
    mem_free(loader->anchors);
    if (loader->is_stopped || loader->is_unfit) {
        loader->root = NULL;
    }
}

const DocNode *doc_read_source(Doc *doc, uint32_t file, DocOrigin origin,
                               Diagnostics *diagnostics) {
    const DiagSource *source = &diagnostics->sources.items[file];
    Loader loader = {.doc = doc,
                     .diagnostics = diagnostics,
                     .file = file,
                     .origin = origin,
                     .text = source->text,
                     .size = source->size};
    if (source->size >= 3 && memcmp(source->text, "\xEF\xBB\xBF", 3) == 0) {
        loader.text += 3; /* a byte order mark */
        loader.size -= 3;
    }
    if (!check_characters(&loader)) {
        return NULL;
    }
    read_events(&loader);
    bool is_empty = loader.root == NULL || (loader.root->kind == DOC_SCALAR &&
                                            loader.root->count == 0 && !loader.root->is_quoted);
    if (is_empty && !loader.is_stopped && !loader.is_unfit) {
        diag_at(diagnostics, DIAG_ERROR, (Place){file, 1, 1, 1}, "the file is empty");
    }
    return is_empty ? NULL : loader.root;
}

const DocNode *doc_read_value(Doc *doc, uint32_t file, size_t offset, Diagnostics *diagnostics) {
    const DiagSource *source = &diagnostics->sources.items[file];
    CHECK(offset <= source->size);
    Loader loader = {.doc = doc,
                     .diagnostics = diagnostics,
                     .file = file,
                     .origin = DOC_FROM_SET,
                     .is_value = true,
                     .text = source->text + offset,
                     .size = source->size - offset};
    const char *text = source->text, *end = text + offset;
    for (uint32_t code; text < end; loader.columns_before++) {
        text += utf8_decode(text, end, &code);
    }
    uint32_t error_count = diag_count(diagnostics), node_count = doc->node_count;
    read_events(&loader);
    doc->node_count = node_count; /* what it replaces goes away: a sweep may set for ever */
    if (diag_count(diagnostics) > error_count) {
        return NULL;
    }
    if (loader.root == NULL) {
        DocNode *empty = doc_new_scalar(doc, "", 0, DOC_FROM_SET);
        empty->place = (Place){file, 1, loader.columns_before + 1, 1};
        return empty;
    }
    return loader.root;
}
