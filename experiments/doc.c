#include "experiments/doc.h"

#include "sim/check.h"
#include "sim/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SIZE = 1 << 16,
    ALIGNMENT = 8,
    PAIRS_UNSORTED_MAX = 8, /* up to here looking at each pair is as fast as a search */
};

struct DocBlock {
    DocBlock *next;
    size_t used, size;
    _Alignas(ALIGNMENT) char bytes[];
};

void *doc_alloc(Doc *doc, size_t size) {
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    DocBlock *block = doc->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = mem_zalloc(1, sizeof *block + room);
        block->size = room;
        block->next = doc->blocks;
        doc->blocks = block;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

void doc_free(Doc *doc) {
    for (DocBlock *block = doc->blocks; block != NULL;) {
        DocBlock *next = block->next;
        mem_free(block);
        block = next;
    }
    *doc = (Doc){0};
}

DocNode *doc_new(Doc *doc, DocKind kind, DocOrigin origin, Place place) {
    DocNode *node = doc_alloc(doc, sizeof *node);
    node->kind = (uint8_t)kind;
    node->origin = (uint8_t)origin;
    node->place = place;
    node->weight = 1;
    return node;
}

DocNode *doc_new_scalar(Doc *doc, const char *text, size_t size, DocOrigin origin) {
    DocNode *node = doc_new(doc, DOC_SCALAR, origin, (Place){0});
    char *copy = doc_alloc(doc, size + 1);
    memcpy(copy, text, size);
    node->text = copy;
    node->count = (uint32_t)size;
    return node;
}

const DocNode *doc_default(Doc *doc, const DocNode *at, const char *text) {
    DocNode *node = doc_new_scalar(doc, text, strlen(text), DOC_FROM_DEFAULT);
    node->place = at->place;
    return node;
}

const char *doc_origin_name(const DocNode *node) {
    static const char *const names[] = {"file", "include", "--set", "preset", "default"};
    CHECK(node->origin < sizeof names / sizeof names[0]);
    return names[node->origin];
}

static void include_child(DocNode *parent, const DocNode *child) {
    parent->weight += child->weight;
    if (parent->height <= child->height) {
        parent->height = (uint8_t)(child->height + 1);
    }
}

void doc_fill_list(DocNode *list, const DocNode *const *items, size_t count) {
    CHECK(list->kind == DOC_LIST && list->count == 0);
    list->items = items;
    list->count = (uint32_t)count;
    list->height = 1;
    for (size_t i = 0; i < count; i++) {
        include_child(list, items[i]);
    }
}

static int compare_pairs(const void *a, const void *b, void *pairs_void) {
    const DocPair *pairs = pairs_void;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order = strcmp(pairs[i].key->text, pairs[j].key->text);
    return order != 0 ? order : i < j ? -1 : 1;
}

void doc_sort_pairs(const DocPair *pairs, size_t count, uint32_t *order) {
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    qsort_r(order, count, sizeof *order, compare_pairs, (void *)(uintptr_t)pairs);
}

void doc_fill_map(Doc *doc, DocNode *map, const DocPair *pairs, size_t count) {
    CHECK(map->kind == DOC_MAP && map->count == 0);
    map->pairs = pairs;
    map->count = (uint32_t)count;
    map->height = 1;
    for (size_t i = 0; i < count; i++) {
        map->weight += pairs[i].key->weight;
        include_child(map, pairs[i].value);
    }
    if (count > PAIRS_UNSORTED_MAX) {
        uint32_t *sorted = doc_alloc(doc, count * sizeof *sorted);
        doc_sort_pairs(pairs, count, sorted);
        map->sorted = sorted;
    }
}

const DocPair *doc_find_pair(const DocNode *map, const char *key) {
    if (map == NULL || map->kind != DOC_MAP) {
        return NULL;
    }
    if (map->sorted == NULL) {
        for (size_t i = 0; i < map->count; i++) {
            if (strcmp(map->pairs[i].key->text, key) == 0) {
                return &map->pairs[i];
            }
        }
        return NULL;
    }
    size_t from = 0, to = map->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const DocPair *pair = &map->pairs[map->sorted[middle]];
        int order = strcmp(key, pair->key->text);
        if (order == 0) {
            return pair;
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return NULL;
}

const DocNode *doc_find(const DocNode *map, const char *key) {
    const DocPair *pair = doc_find_pair(map, key);
    return pair == NULL ? NULL : pair->value;
}

const DocNode *doc_merge(Doc *doc, const DocNode *over, const DocNode *base) {
    if (over->kind != DOC_MAP || base->kind != DOC_MAP) {
        return over;
    }
    DocPair *pairs = doc_alloc(doc, ((size_t)over->count + base->count) * sizeof *pairs);
    size_t count = 0;
    for (size_t i = 0; i < base->count; i++) {
        const DocPair *below = &base->pairs[i], *above = doc_find_pair(over, below->key->text);
        pairs[count] = *below;
        if (above != NULL) {
            pairs[count] = (DocPair){above->key, doc_merge(doc, above->value, below->value)};
        }
        count++;
    }
    for (size_t i = 0; i < over->count; i++) {
        if (doc_find_pair(base, over->pairs[i].key->text) == NULL) {
            pairs[count++] = over->pairs[i];
        }
    }
    DocNode *merged = doc_new(doc, DOC_MAP, (DocOrigin)over->origin, over->place);
    doc_fill_map(doc, merged, pairs, count);
    return merged;
}
