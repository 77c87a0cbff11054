/* A scenario's text as a tree, each node with the place where it was written.
 *
 * Made by doc_load_file from YAML (one document; no tags; aliases only to finished nodes; `<<` with
 * one mapping; `include: FILE` at the top), changed by doc_set, read by the schema. Merges and
 * includes are already carried out: a map holds all its keys, each once. A node behind an alias or
 * a merge is shared, not copied, and keeps the place where its value was written; therefore the
 * tree is read-only, and doc_set makes new nodes along its path. Someone who remembers `root`
 * before a doc_set still has the tree as it was: variants of a sweep cost a path each.
 *
 * A Doc owns all nodes and texts in one arena; they die with doc_free. Texts are UTF-8 without NUL
 * bytes. The limits bound what any input can cost.
 */
#ifndef KNOCKON_EXPERIMENTS_DOC_H
#define KNOCKON_EXPERIMENTS_DOC_H

#include "experiments/diagnostics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOC_FILE_SIZE_MAX = 4 << 20, /* bytes */
    DOC_NODES_MAX = 200000,      /* keys and values, each use of an alias counted in full */
    DOC_DEPTH_MAX = 64,          /* maps and lists within each other, through aliases too */
    DOC_INCLUDES_MAX = 8,        /* files that include each other in a chain */
};

typedef enum DocKind { DOC_SCALAR, DOC_LIST, DOC_MAP } DocKind;

/* Who gave a value. An included file is told from the including one by place.file too. */
typedef enum DocOrigin {
    DOC_FROM_FILE,
    DOC_FROM_INCLUDE,
    DOC_FROM_SET,
    DOC_FROM_PRESET, /* place.file is the preset's text */
    DOC_FROM_DEFAULT
} DocOrigin;

typedef struct DocNode DocNode;

typedef struct DocPair {
    const DocNode *key; /* a scalar */
    const DocNode *value;
} DocPair;

struct DocNode {
    uint8_t kind;    /* DocKind */
    uint8_t origin;  /* DocOrigin */
    uint8_t height;  /* 0 for a scalar, else one more than the highest child */
    bool is_quoted;  /* a scalar in quotes or in block style: '30%' is then meant as text */
    uint32_t count;  /* pairs of a map, items of a list, bytes of a scalar */
    uint32_t weight; /* nodes from here down, aliases in full */
    Place place;
    union {
        const DocPair *pairs; /* in the order written, merged keys where the '<<' stood */
        const DocNode *const *items;
        const char *text; /* ends in a NUL that `count` does not include */
    };
    const uint32_t *sorted; /* indices of a map's pairs by key, NULL below 9 pairs */
};

typedef struct DocBlock DocBlock;

typedef struct Doc { /* {0} is ready for use */
    const DocNode *root;
    uint32_t node_count;
    DocBlock *blocks;
} Doc;

/* Reads a file and what it includes. True when there was no error; else `doc->root` is NULL, or a
 * tree that is fit for finding more mistakes in the same file. The place's sources go to
 * `diagnostics`, which must outlive `doc`. */
bool doc_load_file(Doc *doc, const char *path, Diagnostics *diagnostics);

/* The same from memory; `name` stands in messages and its directory is where includes are found. */
bool doc_load_text(Doc *doc, const char *name, const char *text, size_t size,
                   Diagnostics *diagnostics);

void doc_free(Doc *doc);

/* Carries out `--set PATH=VALUE`, for example "clients.web.call.timeout=2s" or
 * "faults[0].for=3min". Items of a list are written [i] or .i from 0. The value is a YAML scalar or
 * flow value. A key that is missing is created, whether it is valid is for the schema to say; but a
 * name in the middle of the path that is a near miss of a key beside it is an error. On false the
 * tree is unchanged. */
bool doc_set(Doc *doc, const char *assignment, Diagnostics *diagnostics);

/* The value of a key, or the pair, or NULL when it is missing or `map` is not a map (or NULL).
 * O(log n) for large maps. */
const DocNode *doc_find(const DocNode *map, const char *key);
const DocPair *doc_find_pair(const DocNode *map, const char *key);

/* A scalar that the user did not write, at the place of `at`, for example the map it belongs to. */
const DocNode *doc_default(Doc *doc, const DocNode *at, const char *text);

/* "file", "include", "--set", "preset", "default". */
const char *doc_origin_name(const DocNode *node);

/* ---- For doc_file.c, doc_load.c and doc_set.c ---- */

/* Zeroed memory that lives as long as the Doc. */
void *doc_alloc(Doc *doc, size_t size);
DocNode *doc_new(Doc *doc, DocKind kind, DocOrigin origin, Place place);
DocNode *doc_new_scalar(Doc *doc, const char *text, size_t size, DocOrigin origin);

/* Fill a list or map (the arrays must live in the arena): count, height, weight, sorted. */
void doc_fill_list(DocNode *list, const DocNode *const *items, size_t count);
void doc_fill_map(Doc *doc, DocNode *map, const DocPair *pairs, size_t count);

/* Indices of the pairs, ordered by key and then by position; `order` has room for `count`. */
void doc_sort_pairs(const DocPair *pairs, size_t count, uint32_t *order);

/* `over` on top of `base`: maps are joined key by key, anything else of `base` is replaced. */
const DocNode *doc_merge(Doc *doc, const DocNode *over, const DocNode *base);

/* Reads a source that is already among the diagnostics' (no includes): its root, or NULL. */
const DocNode *doc_read_source(Doc *doc, uint32_t file, DocOrigin origin, Diagnostics *diagnostics);

/* Reads what begins `offset` bytes into a source of one line, the value of a --set; NULL after an
 * error. */
const DocNode *doc_read_value(Doc *doc, uint32_t file, size_t offset, Diagnostics *diagnostics);

#endif
