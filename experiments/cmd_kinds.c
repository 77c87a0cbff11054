/* knockon kinds [FAMILY|KIND]: the manual of the language, and its JSON schema. */
#include <stdio.h>

#include "experiments/commands.h"
#include "experiments/exit_status.h"
#include "experiments/json_schema.h"
#include "experiments/manual.h"

int cmd_kinds(const Options *options) {
    if (options->is_schema) {
        json_schema_print(stdout);
        return EXIT_FINE;
    }
    if (options->is_markdown) {
        manual_print_markdown(stdout);
        return EXIT_FINE;
    }
    if (options->operands.count == 0) {
        manual_print_overview(stdout);
        return EXIT_FINE;
    }
    const char *name = options->operands.items[0];
    const char *nearest;
    if (manual_print(name, stdout, &nearest)) {
        return EXIT_FINE;
    }
    if (nearest != NULL) {
        fprintf(stderr, "knockon: nothing is called '%s': did you mean '%s'?\n", name, nearest);
    } else {
        fprintf(stderr, "knockon: nothing is called '%s'; knockon kinds lists what there is\n",
                name);
    }
    return EXIT_INPUT;
}
