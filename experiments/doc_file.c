/* Files of a scenario: reading them and what they include. */
#include "experiments/doc.h"
#include "experiments/utf8.h"

#include "sim/check.h"
#include "sim/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SHOWN_MAX = 60 };

/* The files that are open around this one, innermost first. */
typedef struct Chain {
    const struct Chain *outer;
    dev_t device;
    ino_t inode;
    unsigned length; /* files in the chain, this one included */
    const char *path;
} Chain;

static const DocNode *load_text(Doc *doc, const Chain *chain, const char *text, size_t size,
                                Diagnostics *diagnostics);

/* Reads up to one byte more than is allowed, so that the caller can tell. NULL with errno set when
 * it fails. Works for pipes too: a scenario may come from <(...). */
static char *read_all(int descriptor, size_t *size) {
    size_t capacity = 1 << 14, used = 0;
    char *text = mem_alloc(capacity);
    while (used <= DOC_FILE_SIZE_MAX) {
        if (used == capacity) {
            capacity *= 2;
            text = mem_resize(text, capacity);
        }
        ssize_t got = read(descriptor, text + used, capacity - used);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            used += (size_t)got;
        } else if (errno != EINTR) {
            mem_free(text);
            return NULL;
        }
    }
    *size = used;
    return text;
}

/* Opens and reads chain->path, fills in which file it is, and loads it. Returns false with `reason`
 * when it cannot be read; else `root` is what load_text gave. */
static bool load_path(Doc *doc, Chain *chain, const DocNode **root, const char **reason,
                      Diagnostics *diagnostics) {
    /* O_NONBLOCK: a pipe in the place of an included file must not stop us for ever. */
    bool is_included = chain->outer != NULL;
    int descriptor = open(chain->path, O_RDONLY | O_CLOEXEC | (is_included ? O_NONBLOCK : 0));
    if (descriptor < 0) {
        *reason = strerror(errno);
        return false;
    }
    struct stat status;
    char *text = NULL;
    size_t size = 0;
    bool is_known = fstat(descriptor, &status) == 0;
    if (is_known && is_included && !S_ISREG(status.st_mode)) {
        *reason = "it is not a regular file";
    } else if (!is_known || (text = read_all(descriptor, &size)) == NULL) {
        *reason = strerror(errno);
    }
    close(descriptor);
    if (text == NULL) {
        return false;
    }
    chain->device = status.st_dev;
    chain->inode = status.st_ino;
    for (const Chain *outer = chain->outer; outer != NULL; outer = outer->outer) {
        if (outer->device == chain->device && outer->inode == chain->inode) {
            *reason = "it includes itself";
            mem_free(text);
            return false;
        }
    }
    *root = load_text(doc, chain, text, size, diagnostics);
    mem_free(text);
    return true;
}

/* True for a plain name below the directory: no way up, no root, nothing a terminal acts on. */
static bool is_plain_path(const char *path) {
    for (const char *at = path; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == '\\' || *at == 0x7F) {
            return false;
        }
    }
    while (true) {
        size_t size = strcspn(path, "/");
        if (size == 0 || (size == 1 && path[0] == '.') ||
            (size == 2 && memcmp(path, "..", 2) == 0)) {
            return false;
        }
        if (path[size] == '\0') {
            return true;
        }
        path += size + 1;
    }
}

/* The map without one of its pairs. */
static const DocNode *without_pair(Doc *doc, const DocNode *map, const DocPair *pair) {
    DocPair *pairs = doc_alloc(doc, map->count * sizeof *pairs);
    size_t count = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (&map->pairs[i] != pair) {
            pairs[count++] = map->pairs[i];
        }
    }
    DocNode *rest = doc_new(doc, DOC_MAP, (DocOrigin)map->origin, map->place);
    doc_fill_map(doc, rest, pairs, count);
    return rest;
}

/* Loads the file that `name` gives; its root map, or NULL after an error. */
static const DocNode *load_include(Doc *doc, const Chain *outer, const DocNode *name,
                                   Diagnostics *diagnostics) {
    if (name->kind != DOC_SCALAR || !is_plain_path(name->text)) {
        diag_error(diagnostics, name,
                   "'include' takes the name of a file beside this one, such as 'common.yaml'");
        return NULL;
    }
    if (outer->length == DOC_INCLUDES_MAX) {
        diag_error(diagnostics, name, "more than %d files include each other",
                   (int)DOC_INCLUDES_MAX);
        return NULL;
    }
    const char *slash = strrchr(outer->path, '/');
    size_t directory_size = slash == NULL ? 0 : (size_t)(slash + 1 - outer->path);
    char *path = mem_alloc(directory_size + name->count + 1);
    memcpy(path, outer->path, directory_size);
    memcpy(path + directory_size, name->text, (size_t)name->count + 1);
    Chain chain = {.outer = outer, .length = outer->length + 1, .path = path};
    const DocNode *root = NULL;
    const char *reason = NULL;
    if (!load_path(doc, &chain, &root, &reason, diagnostics)) {
        int shown = (int)utf8_cut(name->text, NAME_SHOWN_MAX);
        diag_error(diagnostics, name, "cannot include '%.*s': %s", shown, name->text, reason);
    } else if (root != NULL && root->kind != DOC_MAP) {
        diag_error(diagnostics, root, "an included file must be a map, keys with values");
        root = NULL;
    }
    mem_free(path);
    return root;
}

/* Makes the text a source, reads it, and puts it on top of what it includes. */
static const DocNode *load_text(Doc *doc, const Chain *chain, const char *text, size_t size,
                                Diagnostics *diagnostics) {
    if (size > DOC_FILE_SIZE_MAX) {
        uint32_t file = diag_add_source(diagnostics, chain->path, NULL, 0);
        diag_at(diagnostics, DIAG_ERROR, (Place){.file = file}, "the file is larger than %d MiB",
                DOC_FILE_SIZE_MAX >> 20);
        return NULL;
    }
    uint32_t file = diag_add_source(diagnostics, chain->path, text, size);
    DocOrigin origin = chain->outer == NULL ? DOC_FROM_FILE : DOC_FROM_INCLUDE;
    const DocNode *root = doc_read_source(doc, file, origin, diagnostics);
    const DocPair *include = doc_find_pair(root, "include");
    if (include == NULL) {
        return root;
    }
    const DocNode *base = load_include(doc, chain, include->value, diagnostics);
    return base == NULL ? NULL : doc_merge(doc, without_pair(doc, root, include), base);
}

bool doc_load_text(Doc *doc, const char *name, const char *text, size_t size,
                   Diagnostics *diagnostics) {
    CHECK(doc->root == NULL && doc->blocks == NULL);
    uint32_t error_count = diag_count(diagnostics);
    Chain chain = {.length = 1, .path = name};
    doc->root = load_text(doc, &chain, text, size, diagnostics);
    return diag_count(diagnostics) == error_count;
}

bool doc_load_file(Doc *doc, const char *path, Diagnostics *diagnostics) {
    CHECK(doc->root == NULL && doc->blocks == NULL);
    uint32_t error_count = diag_count(diagnostics);
    Chain chain = {.length = 1, .path = path};
    const char *reason = NULL;
    if (!load_path(doc, &chain, &doc->root, &reason, diagnostics)) {
        uint32_t file = diag_add_source(diagnostics, path, NULL, 0);
        diag_at(diagnostics, DIAG_ERROR, (Place){.file = file}, "cannot be read: %s", reason);
    }
    return diag_count(diagnostics) == error_count;
}
