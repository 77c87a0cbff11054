#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_fail(const char *file, int line, const char *claim) {
    fprintf(stderr, "knockon: internal error: %s:%d: '%s' does not hold; please report this\n",
            file, line, claim);
    abort();
}
