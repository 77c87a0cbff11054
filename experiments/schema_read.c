#include "experiments/schema_read.h"

#include <stdio.h>
#include <string.h>

#include "experiments/nearest.h"
#include "models/registry.h"
#include "sim/check.h"

bool schema_is_later(const char *word) {
    static const char *const words[] = {
#define LATER(word) word,
#include "experiments/schema_later.def"
#undef LATER
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

bool schema_is_empty(const DocNode *node) {
    return node->kind == DOC_SCALAR && node->count == 0 && !node->is_quoted;
}

bool schema_expect_map(SchemaReader *reader, const DocNode *node, const char *owner) {
    if (node->kind == DOC_MAP) {
        return true;
    }
    diag_error(reader->diagnostics, node, "%s is written as a map, {key: value}, not as %s", owner,
               node->kind == DOC_LIST ? "a list" : "one value");
    return false;
}

bool schema_expect_list(SchemaReader *reader, const DocNode *node, const char *owner) {
    if (node->kind != DOC_LIST) {
        diag_error(reader->diagnostics, node,
                   "%s are written as a list, [first, second], not as %s", owner,
                   node->kind == DOC_MAP ? "a map" : "one value");
        return false;
    }
    if (node->count > SCHEMA_LIST_MAX) {
        diag_error(reader->diagnostics, node, "a list may have %d items, not %u", SCHEMA_LIST_MAX,
                   node->count);
        return false;
    }
    return true;
}

static bool keys_have(SchemaKeys keys, const char *name) {
    for (size_t i = 0; i < keys.count; i++) {
        if (strcmp(keys.names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool params_have(const Param *params, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(params[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* "order, limit, timeout": what an owner knows, for who is nowhere near. */
static void print_known(const Param *params, uint32_t count, SchemaKeys others, char *text,
                        size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < count + others.count; i++) {
        const char *name = i < count ? params[i].name : others.names[i - count];
        size_t length = strlen(name);
        if (used + length + 3 > size) {
            break;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", name);
    }
}

/* `preset`, where there are some. */
static SchemaKeys preset_keys(const Schema *schema) {
    static const char *const names[] = {SCHEMA_PRESET_KEY};
    return (SchemaKeys){names, schema->preset_count > 0};
}

static void report_unknown_key(SchemaReader *reader, const Schema *schema, const DocNode *key,
                               SchemaKeys others) {
    const char *owner = schema->name;
    if (schema_is_later(key->text)) {
        diag_error(reader->diagnostics, key, "'%s' is not available in this version", key->text);
        return;
    }
    Nearest nearest = nearest_begin(key->text, key->count);
    for (uint32_t i = 0; i < schema->param_count; i++) {
        nearest_offer(&nearest, schema->params[i].name);
    }
    for (size_t i = 0; i < others.count; i++) {
        nearest_offer(&nearest, others.names[i]);
    }
    if (schema->preset_count > 0) {
        nearest_offer(&nearest, SCHEMA_PRESET_KEY);
    }
    if (nearest.best != NULL) {
        diag_error(reader->diagnostics, key, "%s has no key '%s': did you mean '%s'?", owner,
                   key->text, nearest.best);
    } else if (schema->param_count + others.count == 0) {
        diag_error(reader->diagnostics, key, "%s has no key '%s': it takes no parameters", owner,
                   key->text);
    } else {
        char known[400];
        print_known(schema->params, schema->param_count, others, known, sizeof known);
        diag_error(reader->diagnostics, key, "%s has no key '%s'; its keys are: %s%s", owner,
                   key->text, known, preset_keys(schema).count > 0 ? ", preset" : "");
    }
}

void schema_check_keys(SchemaReader *reader, const Schema *schema, const DocNode *map,
                       SchemaKeys others) {
    CHECK(map->kind == DOC_MAP);
    for (uint32_t i = 0; i < map->count; i++) {
        const DocNode *key = map->pairs[i].key;
        if (!params_have(schema->params, schema->param_count, key->text) &&
            !keys_have(others, key->text) && !keys_have(preset_keys(schema), key->text)) {
            report_unknown_key(reader, schema, key, others);
        }
    }
}

enum { PRESET_ITEMS_MAX = 8 };

static const DocNode *preset_node(SchemaReader *reader, const DocNode *at, const char **text);

/* The inside of "[a, b]", from *text on. */
static const DocNode *preset_list(SchemaReader *reader, const DocNode *at, const char **text) {
    const DocNode **items = doc_alloc(reader->doc, PRESET_ITEMS_MAX * sizeof *items);
    size_t count = 0;
    for (; **text != ']'; *text += strspn(*text, ", ")) {
        CHECK(count < PRESET_ITEMS_MAX);
        items[count++] = preset_node(reader, at, text);
    }
    DocNode *list = doc_new(reader->doc, DOC_LIST, DOC_FROM_DEFAULT, at->place);
    doc_fill_list(list, items, count);
    return list;
}

/* The inside of "{key: value, …}". */
static const DocNode *preset_map(SchemaReader *reader, const DocNode *at, const char **text) {
    DocPair *pairs = doc_alloc(reader->doc, PRESET_ITEMS_MAX * sizeof *pairs);
    size_t count = 0;
    for (; **text != '}'; *text += strspn(*text, ", ")) {
        CHECK(count < PRESET_ITEMS_MAX);
        pairs[count].key = preset_node(reader, at, text);
        *text += strspn(*text, ": ");
        pairs[count++].value = preset_node(reader, at, text);
    }
    DocNode *map = doc_new(reader->doc, DOC_MAP, DOC_FROM_DEFAULT, at->place);
    doc_fill_map(reader->doc, map, pairs, count);
    return map;
}

/* A preset as a node; *text moves behind what was read. A scalar within a list or a map is one
 * word.
 */
static const DocNode *preset_node(SchemaReader *reader, const DocNode *at, const char **text) {
    const DocNode *node;
    char word[32];
    size_t length = strcspn(*text, ",:]}");
    switch (**text) {
    case '[':
        ++*text;
        node = preset_list(reader, at, text);
        ++*text;
        return node;
    case '{':
        ++*text;
        node = preset_map(reader, at, text);
        ++*text;
        return node;
    default:
        CHECK(length > 0 && length < sizeof word);
        snprintf(word, sizeof word, "%.*s", (int)length, *text);
        *text += length;
        return doc_default(reader->doc, at, word);
    }
}

void schema_read(SchemaReader *reader, const Schema *schema, const DocNode *map, const DocNode *at,
                 SchemaKeys others, void *out) {
    const char *owner = schema->name;
    CHECK(schema->param_count == 0 || (schema->params != NULL && out != NULL));
    if (map != NULL && schema_is_empty(map)) {
        map = NULL;
    }
    if (map != NULL) {
        if (!schema_expect_map(reader, map, owner)) {
            return;
        }
        bool is_applied = schema_apply_preset(reader, schema, &map);
        schema_check_keys(reader, schema, map, others);
        if (!is_applied) {
            return; /* what is required may be in the preset that was meant */
        }
        at = map;
    }
    for (uint32_t i = 0; i < schema->param_count; i++) {
        const Param *param = &schema->params[i];
        if (keys_have(others, param->name)) {
            continue;
        }
        const DocNode *value = doc_find(map, param->name);
        if (param->is_optional && param->has_offset != 0) {
            *(bool *)((char *)out + param->has_offset) = value != NULL;
        }
        if (value == NULL && param->preset != NULL) {
            const char *text = param->preset;
            value = preset_node(reader, at, &text);
        }
        if (value != NULL) {
            size_t mark = resolved_enter(reader->resolved, param->name);
            schema_read_value(reader, owner, param, value, out);
            resolved_leave(reader->resolved, mark);
        } else if (!param->is_optional) {
            diag_error(reader->diagnostics, at, "%s needs '%s'", owner, param->name);
        }
    }
}

void schema_read_value(SchemaReader *reader, const char *owner, const Param *param,
                       const DocNode *value, void *out) {
    char *member = (char *)out + param->offset;
    if (schema_is_empty(value)) {
        diag_error(reader->diagnostics, value, "'%s' of %s is empty", param->name, owner);
        return;
    }
    switch (param->type) {
    case PARAM_DIST:
        schema_read_dist(reader, param->name, param->unit, value, (Dist *)(void *)member);
        return;
    case PARAM_KIND:
        schema_read_kind(reader, param->family, value, (Component *)(void *)member);
        return;
    case PARAM_PART:
        schema_read(reader, param->part, value, value, (SchemaKeys){0}, member);
        return;
    case PARAM_DURATIONS:
    case PARAM_RATES:
    case PARAM_NUMBERS:
    case PARAM_COUNTS:
    case PARAM_CHOICES:
    case PARAM_COMPONENTS:
        schema_read_list(reader, owner, param, value, out);
        return;
    default:
        schema_read_scalar(reader, owner, param, value, out);
    }
}

/* The kind of a family that may be left unnamed, or NULL. */
static const Kind *find_bare_kind(Family family) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        if (kind->family == family && kind->stands_bare) {
            return kind;
        }
    }
    return NULL;
}

/* What the user writes before a kind: both families of steps stand at `step`. */
static const char *key_before(Family family) {
    return family_key(family == FAMILY_INFERENCE_STEP ? FAMILY_STEP : family);
}

static void report_unknown_kind(SchemaReader *reader, Family family, const DocNode *name) {
    if (schema_is_later(name->text)) {
        diag_error(reader->diagnostics, name, "'%s' is not available in this version", name->text);
        return;
    }
    Nearest nearest = nearest_begin(name->text, name->count);
    char known[300] = "";
    size_t used = 0;
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        if (kind->family != family) {
            continue;
        }
        nearest_offer(&nearest, kind->name);
        if (used + strlen(kind->name) + 3 < sizeof known) {
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                     used == 0 ? "" : ", ", kind->name);
        }
    }
    if (nearest.best != NULL) {
        diag_error(reader->diagnostics, name, "'%s' has no kind '%s': did you mean '%s'?",
                   key_before(family), name->text, nearest.best);
    } else {
        diag_error(reader->diagnostics, name, "'%s' has no kind '%s'; its kinds are: %s",
                   key_before(family), name->text, known);
    }
}

void schema_read_params(SchemaReader *reader, const Kind *kind, const DocNode *map,
                        const DocNode *at, Component *out) {
    char owner[64];
    snprintf(owner, sizeof owner, "'%s'", kind->name);
    void *params = kind->params_size == 0 ? NULL : model_alloc(reader->model, 1, kind->params_size);
    uint32_t before = diag_count(reader->diagnostics);
    if (kind->param_count == 0 && at->kind == DOC_SCALAR) {
        resolved_add(reader->resolved, at);
    }
    size_t mark = resolved_enter(reader->resolved, kind->name);
    Schema schema = schema_of_kind(kind, owner);
    schema_read(reader, &schema, map, at, (SchemaKeys){0}, params);
    resolved_leave(reader->resolved, mark);
    Error error;
    if (diag_count(reader->diagnostics) == before && kind->check != NULL &&
        !kind->check(params, &error)) {
        diag_error(reader->diagnostics, at, "%s", error.text);
    }
    *out = (Component){kind, params};
}

/* `step: 20ms`: the value is the first parameter of the kind that stands bare. */
static void read_bare_kind(SchemaReader *reader, const Kind *kind, const DocNode *value,
                           Component *out) {
    CHECK(kind->param_count >= 1);
    const DocPair pair = {doc_default(reader->doc, value, kind->params[0].name), value};
    DocPair *pairs = doc_alloc(reader->doc, sizeof *pairs);
    *pairs = pair;
    DocNode *map = doc_new(reader->doc, DOC_MAP, (DocOrigin)value->origin, value->place);
    doc_fill_map(reader->doc, map, pairs, 1);
    schema_read_params(reader, kind, map, value, out);
}

void schema_read_kind(SchemaReader *reader, Family family, const DocNode *value, Component *out) {
    const Kind *bare = find_bare_kind(family);
    const DocNode *name = value;
    if (value->kind == DOC_MAP && value->count == 1) {
        name = value->pairs[0].key;
    } else if (value->kind != DOC_SCALAR) {
        diag_error(reader->diagnostics, value,
                   "'%s' is written {KIND: {parameters}}, with one kind", key_before(family));
        return;
    }
    const Kind *kind = registry_find(family, name->text);
    bool is_law = dist_law_find(name->text) < dist_law_count();
    if (kind == NULL && bare != NULL && (is_law || value->kind == DOC_SCALAR)) {
        read_bare_kind(reader, bare, value, out);
    } else if (kind == NULL) {
        report_unknown_kind(reader, family, name);
    } else if (value->kind == DOC_MAP) {
        schema_read_params(reader, kind, value->pairs[0].value, value->pairs[0].key, out);
    } else {
        schema_read_params(reader, kind, NULL, value, out);
    }
}
