/* JSON written as it comes, on an output file: for manifest.json and --json. Reading is jansson's.
 *
 * Keys appear in the order written, two spaces a level, so that equal content is equal bytes. The
 * writer puts commas, escapes text and checks that what is opened is closed; keys must be given in
 * objects and only there. Bytes that are not UTF-8 (a path of the user's) become U+FFFD.
 */
#ifndef KNOCKON_EXPERIMENTS_JSON_OUT_H
#define KNOCKON_EXPERIMENTS_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "experiments/file_out.h"

enum { JSON_DEPTH_MAX = 64 };

typedef struct JsonOut {
    FileOut *file;
    bool is_written;                /* the outermost value has begun */
    unsigned depth;                 /* how many objects and arrays are open */
    bool is_object[JSON_DEPTH_MAX]; /* for each open level; else an array */
    bool has_items[JSON_DEPTH_MAX];
} JsonOut;

/* Begins `name` in the directory. One value must follow. */
bool json_out_open(JsonOut *json, const OutDir *dir, const char *name, Error *error);

/* `key` is NULL in an array and for the outermost value. */
void json_out_begin_object(JsonOut *json, const char *key);
void json_out_end_object(JsonOut *json);
void json_out_begin_array(JsonOut *json, const char *key);
void json_out_end_array(JsonOut *json);

/* Text as it is or, for NULL, null; numbers that are not finite are null. */
void json_out_text(JsonOut *json, const char *key, const char *text);
void json_out_int(JsonOut *json, const char *key, int64_t value);
void json_out_double(JsonOut *json, const char *key, double value);
void json_out_bool(JsonOut *json, const char *key, bool value);
void json_out_null(JsonOut *json, const char *key);

/* As file_out_finish and file_out_abandon; everything must be closed before finish. */
bool json_out_finish(JsonOut *json, FileFacts *facts, Error *error);
void json_out_abandon(JsonOut *json);

#endif
