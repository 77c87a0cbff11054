/* A libFuzzer entry for the text layer; not part of the test build:
 *   clang -g -O1 -std=c17 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined -o doc_fuzz \
 *     tests/fuzz/doc_fuzz.c experiments/{doc*,diagnostics,utf8,nearest,quantity,number_print}.c \
 *     sim/{check,error,vec}.c -lyaml -lm
 *   ./doc_fuzz -max_total_time=60 -max_len=4096 CORPUS
 * The input is a text; what follows its first NUL, if any, is a setting and a quantity.
 */
#include "experiments/doc.h"
#include "experiments/quantity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
    size_t text_size = nul == NULL ? size : (size_t)(nul - data);
    Diagnostics diagnostics = {0};
    Doc doc = {0};
    doc_load_text(&doc, "/nonexistent/fuzz.yaml", (const char *)data, text_size, &diagnostics);
    char *setting = strndup(nul == NULL ? "a.b=1" : (const char *)nul + 1,
                            nul == NULL ? 5 : size - text_size - 1);
    if (doc.root != NULL) {
        doc_set(&doc, setting, &diagnostics);
    }
    for (Dimension dimension = 0; dimension < DIMENSION_END; dimension++) {
        char text[QUANTITY_TEXT_SIZE];
        double value, back;
        if (quantity_parse(setting, dimension, &value, NULL)) {
            quantity_print(text, value, dimension);
            if (!quantity_parse(text, dimension, &back, NULL) || back != value) {
                __builtin_trap();
            }
        }
    }
    char *printed = NULL;
    FILE *out = open_memstream(&printed, &size);
    diag_print(&diagnostics, out, size % 2 == 0);
    fclose(out);
    free(printed);
    free(setting);
    doc_free(&doc);
    diag_free(&diagnostics);
    return 0;
}
