/* Growable arrays of any plain type: `VEC(double) samples = {0};`.
 *
 * Growth doubles, so a push costs O(1) on average; elements move when it grows, so refer to them by
 * index. Free with vec_free.
 */
#ifndef KNOCKON_SIM_VEC_H
#define KNOCKON_SIM_VEC_H

#include <stddef.h>
#include <stdint.h>

#define VEC(Type)                                                                                  \
    struct {                                                                                       \
        Type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

/* Makes room for one more element and returns the address of that element. */
#define vec_push(vec, item)                                                                        \
    ((vec)->count == (vec)->capacity                                                               \
         ? (void)((vec)->items = vec_grow((vec)->items, &(vec)->capacity, (vec)->count + 1,        \
                                          sizeof *(vec)->items))                                   \
         : (void)0,                                                                                \
     (vec)->items[(vec)->count++] = (item))

/* Sets the count, growing as needed; new elements are zero. */
#define vec_resize(vec, new_count)                                                                 \
    ((vec)->items = vec_resized((vec)->items, &(vec)->count, &(vec)->capacity, (new_count),        \
                                sizeof *(vec)->items))

#define vec_free(vec)                                                                              \
    (mem_free((vec)->items), (vec)->items = NULL, (vec)->count = 0, (vec)->capacity = 0)

void *vec_grow(void *items, size_t *capacity, size_t needed, size_t item_size);
void *vec_resized(void *items, size_t *count, size_t *capacity, size_t new_count, size_t item_size);

/* malloc, calloc and realloc that do not return NULL: when memory is out they say so on stderr and
 * end the program with exit status 5, as docs/scenario promises. Results that were already written
 * stay; nothing is half written because files are renamed into place. A size of 0 is allowed. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t count, size_t size);
void *mem_resize(void *block, size_t size);
char *mem_copy_text(const char *text);
void mem_free(void *block);

/* Says that memory is out and ends the program with exit status 5. */
_Noreturn void mem_out(void);

#endif
