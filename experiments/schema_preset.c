/* `preset: NAME`: a named set of values of a kind or of a call, below what the user wrote. */
#include <stdio.h>
#include <string.h>

#include "experiments/nearest.h"
#include "experiments/schema_read.h"
#include "models/registry.h"
#include "sim/check.h"

Schema schema_of_kind(const Kind *kind, const char *owner) {
    CHECK(kind->param_count == 0 || kind->params != NULL);
    return (Schema){.name = owner,
                    .params = kind->params,
                    .param_count = kind->param_count,
                    .size = kind->params_size,
                    .presets = kind->presets,
                    .preset_count = kind->preset_count};
}

const Preset *schema_find_preset(const Preset *presets, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            return &presets[i];
        }
    }
    return NULL;
}

static void report_unknown_preset(SchemaReader *reader, const Schema *schema, const DocNode *name) {
    Nearest nearest = nearest_begin(name->text, name->count);
    const char *begins_so = NULL;
    for (uint32_t i = 0; i < schema->preset_count; i++) {
        const char *offered = schema->presets[i].name;
        nearest_offer(&nearest, offered);
        if (begins_so == NULL && name->count > 0 &&
            strncmp(offered, name->text, name->count) == 0) {
            begins_so = offered;
        }
    }
    const char *best = nearest.best != NULL ? nearest.best : begins_so;
    if (best != NULL) {
        diag_error(reader->diagnostics, name, "%s has no preset '%s': did you mean '%s'?",
                   schema->name, name->text, best);
    } else {
        diag_error(reader->diagnostics, name,
                   "%s has no preset '%s'; 'knockon kinds presets' lists them", schema->name,
                   name->text);
    }
}

/* The preset's text as a map. A mistake in it is ours. */
static const DocNode *read_preset(SchemaReader *reader, const Preset *preset) {
    char source[NEAREST_SIZE_MAX + 16];
    snprintf(source, sizeof source, "preset %s", preset->name);
    uint32_t before = diag_count(reader->diagnostics);
    uint32_t file =
        diag_add_source(reader->diagnostics, source, preset->yaml, strlen(preset->yaml));
    uint32_t node_count = reader->doc->node_count; /* the user did not write them */
    reader->doc->node_count = 0;
    const DocNode *map = doc_read_source(reader->doc, file, DOC_FROM_PRESET, reader->diagnostics);
    reader->doc->node_count = node_count;
    CHECK(map != NULL && map->kind == DOC_MAP && diag_count(reader->diagnostics) == before);
    return map;
}

static const Param *find_param(const Param *params, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(params[i].name, name) == 0) {
            return &params[i];
        }
    }
    return NULL;
}

static const DocNode *merge_params(SchemaReader *reader, const Param *params, uint32_t count,
                                   const DocNode *over, const DocNode *base);

/* {KIND: {parameters}} over another: parameters of the same kind are joined, another kind takes the
 * whole place. The same for laws. */
static const DocNode *merge_choice(SchemaReader *reader, const Param *param, const DocNode *over,
                                   const DocNode *base) {
    if (over->count != 1 || base->count != 1 ||
        strcmp(over->pairs[0].key->text, base->pairs[0].key->text) != 0) {
        return over;
    }
    const Kind *kind =
        param->type == PARAM_KIND ? registry_find(param->family, over->pairs[0].key->text) : NULL;
    const DocNode *above = over->pairs[0].value, *below = base->pairs[0].value;
    DocPair *pair = doc_alloc(reader->doc, sizeof *pair);
    *pair = (DocPair){over->pairs[0].key,
                      kind == NULL
                          ? doc_merge(reader->doc, above, below)
                          : merge_params(reader, kind->params, kind->param_count, above, below)};
    DocNode *map = doc_new(reader->doc, DOC_MAP, (DocOrigin)over->origin, over->place);
    doc_fill_map(reader->doc, map, pair, 1);
    return map;
}

static const DocNode *merge_value(SchemaReader *reader, const Param *param, const DocNode *over,
                                  const DocNode *base) {
    if (param == NULL || over->kind != DOC_MAP || base->kind != DOC_MAP) {
        return over;
    }
    switch (param->type) {
    case PARAM_KIND:
    case PARAM_DIST:
        return merge_choice(reader, param, over, base);
    case PARAM_PART:
        return merge_params(reader, param->part->params, param->part->param_count, over, base);
    default:
        return over;
    }
}

static const DocNode *merge_params(SchemaReader *reader, const Param *params, uint32_t count,
                                   const DocNode *over, const DocNode *base) {
    if (schema_is_empty(over)) {
        return base;
    }
    if (over->kind != DOC_MAP || base->kind != DOC_MAP) {
        return over;
    }
    DocPair *pairs = doc_alloc(reader->doc, ((size_t)over->count + base->count) * sizeof *pairs);
    size_t used = 0;
    for (uint32_t i = 0; i < over->count; i++) {
        DocPair above = over->pairs[i];
        const DocNode *below = doc_find(base, above.key->text);
        if (below != NULL) {
            const Param *param = find_param(params, count, above.key->text);
            above.value = merge_value(reader, param, above.value, below);
        }
        pairs[used++] = above;
    }
    for (uint32_t i = 0; i < base->count; i++) {
        if (doc_find_pair(over, base->pairs[i].key->text) == NULL) {
            pairs[used++] = base->pairs[i];
        }
    }
    DocNode *merged = doc_new(reader->doc, DOC_MAP, (DocOrigin)over->origin, over->place);
    doc_fill_map(reader->doc, merged, pairs, used);
    return merged;
}

bool schema_apply_preset(SchemaReader *reader, const Schema *schema, const DocNode **map) {
    const DocNode *name = schema->preset_count == 0 ? NULL : doc_find(*map, SCHEMA_PRESET_KEY);
    if (name == NULL) {
        return true;
    }
    if (name->kind != DOC_SCALAR) {
        diag_error(reader->diagnostics, name, "'preset' of %s takes one name, not a %s",
                   schema->name, name->kind == DOC_MAP ? "map" : "list");
        return false;
    }
    const Preset *preset = schema_find_preset(schema->presets, schema->preset_count, name->text);
    if (preset == NULL) {
        report_unknown_preset(reader, schema, name);
        return false;
    }
    *map = merge_params(reader, schema->params, schema->param_count, *map,
                        read_preset(reader, preset));
    return true;
}
