#include "sim/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/check.h"

bool error_set(Error *error, const char *format, ...) {
    CHECK(format != NULL);
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        int length = vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
        CHECK(length > 0);
    }
    return false;
}
