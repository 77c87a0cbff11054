/* The one reader of the language: fills a struct from a map of the tree by its table of parameters.
 *
 * Types, units, bounds, presets, choices, references, kinds and laws are all read here, from the
 * tables of models/, and every mistake is reported at its place with the nearest name. Presets go
 * through the same parser as what a user writes. What cannot be read is left zero, so that the rest
 * of the file can still be checked; who goes on asks diag_count first.
 */
#ifndef KNOCKON_EXPERIMENTS_SCHEMA_READ_H
#define KNOCKON_EXPERIMENTS_SCHEMA_READ_H

#include "experiments/doc.h"
#include "experiments/resolved.h"
#include "models/model.h"

/* Lists of a scenario have at most this many items. */
enum { SCHEMA_LIST_MAX = 10000 };

typedef struct SchemaReader {
    Doc *doc; /* presets become nodes of it */
    Diagnostics *diagnostics;
    Model *model;       /* owns what is read; knows the names of clients and services */
    Resolved *resolved; /* NULL: not kept */
} SchemaReader;

/* Keys of a map that somebody else reads: a service's `calls`, a client's `load`. */
typedef struct SchemaKeys {
    const char *const *names;
    size_t count;
} SchemaKeys;

/* Reads a map (NULL: nothing was given, all presets; `at` then says where that would be said) on
 * top of the preset that it names, if any. Keys in `others` are left to the caller. */
void schema_read(SchemaReader *reader, const Schema *schema, const DocNode *map, const DocNode *at,
                 SchemaKeys others, void *out);

/* Reads one value by its row; `out` is the struct that the row's offset counts from. */
void schema_read_value(SchemaReader *reader, const char *owner, const Param *param,
                       const DocNode *value, void *out);

/* Reads `KIND`, `{KIND: {parameters}}` or, for a kind that stands bare, its first parameter. */
void schema_read_kind(SchemaReader *reader, Family family, const DocNode *value, Component *out);

/* Reports each key of the map that is neither a parameter nor in `others`. A schema with a name and
 * nothing else has no parameters. */
void schema_check_keys(SchemaReader *reader, const Schema *schema, const DocNode *map,
                       SchemaKeys others);

/* True when the node is a map or a list; otherwise says what it should look like. */
bool schema_expect_map(SchemaReader *reader, const DocNode *node, const char *owner);
bool schema_expect_list(SchemaReader *reader, const DocNode *node, const char *owner);

/* Reads the parameters of a kind that is known: `map` may be NULL, `at` says where it was named. */
void schema_read_params(SchemaReader *reader, const Kind *kind, const DocNode *map,
                        const DocNode *at, Component *out);

/* The key beside the others that names a preset, where there are some. */
#define SCHEMA_PRESET_KEY "preset"

/* A kind's parameters as a schema; `owner` names it in messages: "'linear'". */
Schema schema_of_kind(const Kind *kind, const char *owner);

/* NULL when there is no preset of that name among them. */
const Preset *schema_find_preset(const Preset *presets, uint32_t count, const char *name);

/* Puts the preset that `*map` names, if any, below what is written there: key by key, down to
 * single values; but a kind or law that is not the preset's takes the place of the preset's whole.
 * False after a message. */
bool schema_apply_preset(SchemaReader *reader, const Schema *schema, const DocNode **map);

/* True when the key was left without a value: `pool:`. */
bool schema_is_empty(const DocNode *node);

/* Whether a word belongs to the language but not to this version. */
bool schema_is_later(const char *word);

/* ---- For schema_*.c ---- */

void schema_read_scalar(SchemaReader *reader, const char *owner, const Param *param,
                        const DocNode *value, void *out);
void schema_read_list(SchemaReader *reader, const char *owner, const Param *param,
                      const DocNode *value, void *out);
void schema_read_dist(SchemaReader *reader, const char *key, const char *unit, const DocNode *value,
                      Dist *out);

/* A reference to a component by name; NONE after a message. */
uint32_t schema_read_component(SchemaReader *reader, const DocNode *value);
uint32_t schema_read_service(SchemaReader *reader, const DocNode *value);

/* A file's path, found from the directory of the file that names it. NULL after a message when it
 * cannot be read. */
const char *schema_read_file(SchemaReader *reader, const DocNode *value);

/* The words of "a|b|c": calls `offer` for each; the index of `text`, or -1. */
int schema_find_choice(const char *choices, const char *text);

/* "from 1 to 1000", "above 0s": what a row's bounds allow. */
enum { SCHEMA_RANGE_SIZE = 128 };
void schema_print_range(const Param *param, char text[SCHEMA_RANGE_SIZE]);

/* How a value of the type is written, for messages and the manual: "duration", "rate". */
const char *schema_type_name(const Param *param);

#endif
