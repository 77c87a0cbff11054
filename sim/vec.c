#include "sim/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

enum { EXIT_OUT_OF_MEMORY = 5, VEC_FIRST_CAPACITY = 16 };

_Noreturn void mem_out(void) {
    fputs("knockon: out of memory\n", stderr);
    _Exit(EXIT_OUT_OF_MEMORY);
}

static void *mem_or_exit(void *block) {
    if (block == NULL) {
        mem_out();
    }
    return block;
}

void *mem_alloc(size_t size) {
    CHECK(size <= PTRDIFF_MAX); /* more is a difference that went below 0 */
    return mem_or_exit(malloc(size == 0 ? 1 : size));
}

void *mem_zalloc(size_t count, size_t size) {
    CHECK(count <= PTRDIFF_MAX && size <= PTRDIFF_MAX);
    return mem_or_exit(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *mem_resize(void *block, size_t size) {
    CHECK(size <= PTRDIFF_MAX);
    return mem_or_exit(realloc(block, size == 0 ? 1 : size));
}

char *mem_copy_text(const char *text) {
    CHECK(text != NULL);
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}

void mem_free(void *block) {
    free(block);
}

void *vec_grow(void *items, size_t *capacity, size_t needed, size_t item_size) {
    CHECK(needed > *capacity && item_size > 0);
    size_t grown = *capacity == 0 ? VEC_FIRST_CAPACITY : *capacity * 2;
    if (grown < needed) {
        grown = needed;
    }
    CHECK(grown <= SIZE_MAX / item_size);
    items = mem_resize(items, grown * item_size);
    *capacity = grown;
    return items;
}

void *vec_resized(void *items, size_t *count, size_t *capacity, size_t new_count,
                  size_t item_size) {
    CHECK(*count <= *capacity && item_size > 0);
    if (new_count > *capacity) {
        items = vec_grow(items, capacity, new_count, item_size);
    }
    if (new_count > *count) {
        memset((char *)items + *count * item_size, 0, (new_count - *count) * item_size);
    }
    *count = new_count;
    return items;
}
