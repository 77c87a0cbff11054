/* Maps that have a kind among their own keys: `{at: 1s, crash: {…}}`. */
#include <stdio.h>
#include <string.h>

#include "experiments/compile_parts.h"
#include "experiments/nearest.h"
#include "models/registry.h"
#include "sim/check.h"

static bool is_own_key(const CompileKind *slot, SchemaKeys others, const char *key) {
    for (uint32_t i = 0; i < slot->own->param_count; i++) {
        if (strcmp(slot->own->params[i].name, key) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < others.count; i++) {
        if (strcmp(others.names[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static void report_unknown_kind(Compiler *compiler, const CompileKind *slot, SchemaKeys others,
                                const DocNode *key) {
    Diagnostics *diagnostics = compiler->reader.diagnostics;
    if (schema_is_later(key->text)) {
        diag_error(diagnostics, key, "'%s' is not available in this version", key->text);
        return;
    }
    Nearest nearest = nearest_begin(key->text, key->count);
    char known[600] = "";
    size_t used = 0;
    for (size_t i = 0; i < registry_kind_count(); i++) {
        if (registry_kind(i)->family == slot->family) {
            nearest_offer(&nearest, registry_kind(i)->name);
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                     used == 0 ? "" : ", ", registry_kind(i)->name);
            CHECK(used < sizeof known);
        }
    }
    for (uint32_t i = 0; i < slot->own->param_count; i++) {
        nearest_offer(&nearest, slot->own->params[i].name);
    }
    for (size_t i = 0; i < others.count; i++) {
        nearest_offer(&nearest, others.names[i]);
    }
    if (nearest.best != NULL) {
        diag_error(diagnostics, key, "%s has no key '%s': did you mean '%s'?", slot->name,
                   key->text, nearest.best);
    } else {
        diag_error(diagnostics, key, "%s has no key '%s'; it is one of: %s", slot->name, key->text,
                   known);
    }
}

const DocPair *compile_find_kind(Compiler *compiler, const CompileKind *slot, SchemaKeys others,
                                 const DocNode *map) {
    const DocPair *found = NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        const DocPair *pair = &map->pairs[i];
        if (is_own_key(slot, others, pair->key->text)) {
            continue;
        }
        if (registry_find(slot->family, pair->key->text) == NULL) {
            report_unknown_kind(compiler, slot, others, pair->key);
            return NULL;
        }
        if (found != NULL) {
            diag_error(compiler->reader.diagnostics, pair->key,
                       "%s is of one kind: this one is '%s' already", slot->name, found->key->text);
            return NULL;
        }
        found = pair;
    }
    if (found == NULL) {
        diag_error(compiler->reader.diagnostics, map, "%s", slot->missing);
    }
    return found;
}

void compile_read_kind(Compiler *compiler, Family family, const DocPair *pair, Component *out) {
    Doc *doc = compiler->reader.doc;
    DocPair *alone = doc_alloc(doc, sizeof *alone);
    *alone = *pair;
    DocNode *map = doc_new(doc, DOC_MAP, (DocOrigin)pair->key->origin, pair->key->place);
    doc_fill_map(doc, map, alone, 1);
    schema_read_kind(&compiler->reader, family, map, out);
}
