#include "experiments/number_parse.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

enum { NUMBER_TEXT_MAX = 500, DIGITS_MAX = 19, EXPONENT_MAX = 99999 };

/* A decimal taken apart: mantissa x 10^exponent; has_more when digits did not fit the mantissa. */
typedef struct Decimal {
    uint64_t mantissa;
    int exponent;
    bool is_negative, has_more;
} Decimal;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads digits into the mantissa and returns where they end. Past 19 digits only their presence is
 * kept: such numbers go the slow way. */
static const char *decimal_digits(Decimal *decimal, const char *text, const char *end, int *count) {
    const char *start = text;
    for (; text < end && is_digit(*text); text++) {
        if (decimal->mantissa < UINT64_C(1000000000000000000)) {
            decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*text - '0');
        } else {
            decimal->has_more = true;
        }
    }
    *count = (int)(text - start);
    return text;
}

/* Reads e[+-]digits; NULL when there is no digit. */
static const char *decimal_exponent(Decimal *decimal, const char *text, const char *end) {
    text++;
    bool is_negative = text < end && *text == '-';
    text += text < end && (*text == '-' || *text == '+');
    if (text == end || !is_digit(*text)) {
        return NULL;
    }
    int exponent = 0;
    for (; text < end && is_digit(*text); text++) {
        exponent = exponent > EXPONENT_MAX ? exponent : exponent * 10 + (*text - '0');
    }
    decimal->exponent += is_negative ? -exponent : exponent;
    return text;
}

static bool decimal_read(Decimal *decimal, const char *text, const char *end) {
    *decimal = (Decimal){.is_negative = text < end && *text == '-'};
    text += text < end && (*text == '-' || *text == '+');
    int whole_count = 0;
    int fraction_count = 0;
    text = decimal_digits(decimal, text, end, &whole_count);
    if (text < end && *text == '.') {
        text = decimal_digits(decimal, text + 1, end, &fraction_count);
        decimal->exponent = -fraction_count;
    }
    if (whole_count + fraction_count == 0) {
        return false;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        text = decimal_exponent(decimal, text, end);
    }
    return text == end;
}

/* The C library's, in the C locale whatever the process's is. For "C" newlocale allocates nothing
 * in glibc and gives the same object each time. */
static bool number_parse_slowly(const char *text, size_t size, double *value) {
    char copy[NUMBER_TEXT_MAX + 1];
    memcpy(copy, text, size);
    copy[size] = '\0';
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    CHECK(locale != (locale_t)0);
    char *stop;
    *value = strtod_l(copy, &stop, locale);
    freelocale(locale);
    CHECK(*stop == '\0');
    return isfinite(*value);
}

bool number_parse(const char *text, size_t size, double *value) {
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    Decimal decimal;
    if (size > NUMBER_TEXT_MAX || !decimal_read(&decimal, text, text + size)) {
        return false;
    }
    double magnitude = (double)decimal.mantissa;
    int exponent = decimal.exponent;
    if (decimal.has_more || decimal.mantissa > UINT64_C(1) << 53 || exponent < -22 ||
        exponent > 22) {
        double slow;
        if (!number_parse_slowly(text, size, &slow) || (slow == 0 && decimal.mantissa != 0)) {
            return false;
        }
        *value = slow;
        return true;
    }
    magnitude = exponent < 0 ? magnitude / POWERS[-exponent] : magnitude * POWERS[exponent];
    *value = decimal.is_negative ? -magnitude : magnitude;
    return true;
}

bool number_parse_count(const char *text, size_t size, uint64_t max, uint64_t *value) {
    uint64_t count = 0;
    for (size_t i = 0; i < size; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text[i] - '0';
        if (digit > 9 || digit > max || count > (max - digit) / 10) {
            return false;
        }
        count = count * 10 + digit;
    }
    if (size == 0) {
        return false;
    }
    *value = count;
    return true;
}
