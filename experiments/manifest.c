#include "experiments/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "experiments/json_out.h"
#include "experiments/version.h"
#include "sim/check.h"

/* ---- The hash */

static bool is_of_the_run(const char *path) {
    return strcmp(path, "run.seed") == 0 || strcmp(path, "run.replications") == 0;
}

static bool hash_file(struct sha256_ctx *sha, const char *path, Error *error) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return error_set(error, "cannot open '%s': %s", path, strerrordesc_np(errno));
    }
    char buffer[16384];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) {
        sha256_update(sha, size, (const uint8_t *)buffer);
    }
    bool is_read = !ferror(file);
    if (!is_read) {
        error_set(error, "cannot read '%s': %s", path, strerrordesc_np(errno));
    }
    fclose(file);
    return is_read;
}

bool manifest_hash_scenario(const Model *model, const Resolved *resolved,
                            char hash[MANIFEST_HASH_SIZE], Error *error) {
    struct sha256_ctx sha;
    sha256_init(&sha);
    for (size_t i = 0; i < resolved->values.count; i++) {
        const ResolvedValue *value = &resolved->values.items[i];
        if (!is_of_the_run(value->path)) {
            sha256_update(&sha, strlen(value->path) + 1, (const uint8_t *)value->path);
            sha256_update(&sha, strlen(value->value) + 1, (const uint8_t *)value->value);
        }
    }
    for (uint32_t i = 0; i < model->file_count; i++) {
        if (!hash_file(&sha, model->files[i], error)) {
            return false;
        }
    }
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(&hash[2 * i], 3, "%02x", digest[i]);
    }
    return true;
}

/* ---- Writing */

static void write_fields(JsonOut *json, const Table *table) {
    TableColumns *columns = mem_alloc(sizeof *columns);
    table_columns(table, columns);
    json_out_begin_object(json, "schema");
    json_out_begin_array(json, "fields");
    for (uint32_t i = 0; i < columns->count; i++) {
        const Column *column = &columns->columns[i];
        json_out_begin_object(json, NULL);
        json_out_text(json, "name", column->name);
        json_out_text(json, "type", column->type);
        if (column->unit[0] != 0) {
            json_out_text(json, "unit", column->unit);
        }
        json_out_text(json, "description", column->doc);
        json_out_end_object(json);
    }
    json_out_end_array(json);
    json_out_begin_array(json, "missingValues");
    json_out_text(json, NULL, "");
    json_out_end_array(json);
    json_out_end_object(json);
    mem_free(columns);
}

static void write_resource(JsonOut *json, const Table *table, const FileFacts *facts) {
    char name[FILE_NAME_SIZE], hash[sizeof facts->sha256 + 8];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(facts->name, "."), facts->name);
    snprintf(hash, sizeof hash, "sha256:%s", facts->sha256);
    json_out_begin_object(json, NULL);
    json_out_text(json, "name", name);
    json_out_text(json, "path", facts->name);
    json_out_text(json, "profile", "tabular-data-resource");
    json_out_text(json, "description", table->doc);
    json_out_text(json, "format", "csv");
    json_out_text(json, "mediatype", "text/csv");
    json_out_text(json, "encoding", "utf-8");
    json_out_int(json, "bytes", (int64_t)facts->size);
    json_out_int(json, "row_count", (int64_t)facts->row_count);
    json_out_text(json, "hash", hash);
    write_fields(json, table);
    json_out_end_object(json);
}

static void write_value(JsonOut *json, const ResolvedValue *value, const Diagnostics *diagnostics) {
    char *origin = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&origin, &size);
    if (memory == NULL) {
        mem_out();
    }
    resolved_print_origin(value, diagnostics, memory);
    if (fclose(memory) != 0) {
        mem_out();
    }
    json_out_begin_object(json, NULL);
    json_out_text(json, "path", value->path);
    json_out_text(json, "value", value->value);
    json_out_text(json, "origin", origin);
    json_out_end_object(json);
    free(origin);
}

static void write_own(JsonOut *json, const Manifest *manifest) {
    const RunDef *run = &manifest->model->run;
    json_out_begin_object(json, "knockon");
    json_out_text(json, "version", KNOCKON_VERSION);
    json_out_text(json, "command", manifest->command);
    json_out_text(json, "status", manifest->status);
    json_out_text(json, "scenario_hash", manifest->hash);
    json_out_int(json, "seed", (int64_t)run->seed);
    json_out_int(json, "replications", run->replications);
    json_out_int(json, "replications_finished", manifest->replication_count);
    json_out_begin_array(json, "scenario");
    for (size_t i = 0; i < manifest->resolved->values.count; i++) {
        write_value(json, &manifest->resolved->values.items[i], manifest->diagnostics);
    }
    json_out_end_array(json);
    json_out_end_object(json);
}

/* Names of packages are lower case. */
static void package_name(const char *name, char text[80]) {
    size_t i = 0;
    for (; name[i] != 0 && i < 79; i++) {
        text[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    }
    text[i] = 0;
}

bool manifest_write(const Manifest *manifest, const RunOut *run, Error *error) {
    JsonOut json;
    if (!json_out_open(&json, run->dir, MANIFEST_NAME, error)) {
        return false;
    }
    char name[80];
    package_name(manifest->model->name, name);
    json_out_begin_object(&json, NULL);
    json_out_text(&json, "profile", "tabular-data-package");
    json_out_text(&json, "name", name);
    json_out_text(&json, "title", manifest->model->name);
    if (manifest->model->about != NULL && manifest->model->about[0] != 0) {
        json_out_text(&json, "description", manifest->model->about);
    }
    write_own(&json, manifest);
    json_out_begin_array(&json, "resources");
    for (uint32_t i = 0; i < run->open_count; i++) {
        write_resource(&json, run->open[i].table, &run->facts[i]);
    }
    json_out_end_array(&json);
    json_out_end_object(&json);
    return json_out_finish(&json, NULL, error);
}

/* ---- Reading: whose results are there? */

#define LOCK_NAME ".knockon.lock" /* of experiments/file_out.c */

static bool file_stat(const char *directory, const char *name, struct stat *out) {
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/%s", directory, name);
    return size > 0 && (size_t)size < sizeof path && lstat(path, out) == 0;
}

static bool file_exists(const char *directory, const char *name) {
    struct stat status;
    return file_stat(directory, name, &status);
}

/* Without a manifest: ours if it has our lock (a run that was killed), otherwise nothing of a
 * result's name may be lost. */
static bool allows_without_manifest(const char *path, Error *error) {
    for (uint32_t i = 0; i < TABLE_COUNT && !file_exists(path, LOCK_NAME); i++) {
        if (file_exists(path, tables[i]->file)) {
            return error_set(error,
                             "'%s' has a %s that is not from knockon; give another --out, or "
                             "--force to replace it",
                             path, tables[i]->file);
        }
    }
    return true;
}

static bool refuse(const char *path, const char *what, Error *error) {
    return error_set(error,
                     "'%s' holds results of another %s; give another --out, or --force to replace "
                     "them",
                     path, what);
}

static bool text_is(const json_t *object, const char *key, const char *expected) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && strcmp(text, expected) == 0;
}

bool manifest_allows(const Manifest *manifest, const char *path, Error *error) {
    if (!file_exists(path, MANIFEST_NAME)) {
        return allows_without_manifest(path, error);
    }
    char name[4096];
    snprintf(name, sizeof name, "%s/" MANIFEST_NAME, path);
    struct stat status; /* a pipe of that name would block */
    bool is_file = file_stat(path, MANIFEST_NAME, &status) && S_ISREG(status.st_mode);
    json_t *root = is_file ? json_load_file(name, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *own = json_object_get(root, "knockon");
    const json_t *seed = json_object_get(own, "seed");
    bool is_allowed = false;
    if (own == NULL) {
        error_set(error,
                  "'%s' is not a manifest of knockon's; give another --out, or --force to replace "
                  "it",
                  name);
    } else if (!text_is(own, "version", KNOCKON_VERSION)) {
        refuse(path, "version of knockon", error);
    } else if (!text_is(own, "scenario_hash", manifest->hash)) {
        refuse(path, "scenario", error);
    } else if (!json_is_integer(seed) ||
               json_integer_value(seed) != (json_int_t)manifest->model->run.seed) {
        refuse(path, "seed", error);
    } else {
        is_allowed = true;
    }
    json_decref(root);
    return is_allowed;
}
