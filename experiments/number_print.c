#include "experiments/number_print.h"

#include "sim/check.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double power_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT_POWER_MAX = 22 }; /* 10^22 is the last power of ten that a double holds exactly */

size_t number_read(const char *text, double *value) {
    size_t at = text[0] == '-', digit_count = 0;
    for (; text[at] >= '0' && text[at] <= '9'; at++) {
        digit_count++;
    }
    if (text[at] == '.' && text[at + 1] >= '0' && text[at + 1] <= '9') {
        for (at++; text[at] >= '0' && text[at] <= '9'; at++) {
            digit_count++;
        }
    }
    if (digit_count == 0) {
        return 0;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        size_t exponent = at + 1 + (text[at + 1] == '-' || text[at + 1] == '+');
        while (text[exponent] >= '0' && text[exponent] <= '9') {
            at = ++exponent;
        }
    }
    if ((text[at] == 'x' || text[at] == 'X') && text[at - 1] == '0' && digit_count == 1) {
        *value = text[0] == '-' ? -0.0 : 0; /* strtod would go on in hexadecimal */
        return at;
    }
    /* glibc's "C" locale object is a constant: nothing is allocated and nothing to free. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    CHECK(plain != (locale_t)0);
    char *end;
    *value = strtod_l(text, &end, plain);
    freelocale(plain);
    CHECK(end == text + at || (end == text + at + 1 && text[at] == '.'));
    return at;
}

static NumberDigits trimmed(uint64_t digits, int exponent) {
    while (digits != 0 && digits % 100000000 == 0) {
        digits /= 100000000;
        exponent += 8;
    }
    while (digits != 0 && digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (NumberDigits){.digits = digits, .exponent = digits == 0 ? 0 : exponent};
}

/* Decimal exponent e of a positive normal value, 10^e <= value < 10^(e+1), or one too small: the
 * binary exponent times log10(2), which is 78913 / 2^18 to within 8e-7. */
static int decimal_exponent(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int product = ((int)(bits >> 52 & 0x7FF) - 1023) * 78913;
    return product >= 0 ? product >> 18 : -((-product + (1 << 18) - 1) >> 18);
}

/* Tries 15 digits: value * 10^k rounded to a whole number d. When d / 10^k, correctly rounded as
 * both are exact, is the value, then d is its decimal: no other of so few digits is so near. */
static bool try_15_digits(double value, NumberDigits *number) {
    int k = 14 - decimal_exponent(value);
    k = k > EXACT_POWER_MAX ? EXACT_POWER_MAX : k;
    if (k >= 0 && value * power_of_ten[k] >= 1e15) {
        k--; /* the exponent was too small */
    }
    if (k < 0) {
        return false;
    }
    uint64_t digits = (uint64_t)(value * power_of_ten[k] + 0.5);
    if ((double)digits / power_of_ten[k] != value) {
        return false;
    }
    *number = trimmed(digits, -k);
    return true;
}

#ifdef __SIZEOF_INT128__
typedef unsigned __int128 Wide;

/* 15 to 17 digits from the exact product: value = m * 2^e, and m * 5^k (k at most 27, so below
 * 2^116) shifted right by -(e + k) is value * 10^k. Returns false when the value is outside what
 * fits. */
static bool try_exact(double value, NumberDigits *number) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t m = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    int e = (int)(bits >> 52) - 1075;
    int k = 16 - decimal_exponent(value);
    if (k < 0 || k > 27) {
        return false;
    }
    int exact_k = k < EXACT_POWER_MAX ? k : EXACT_POWER_MAX;
    uint64_t five = (uint64_t)(power_of_ten[exact_k] / (double)(UINT64_C(1) << exact_k));
    for (int i = exact_k; i < k; i++) {
        five *= 5;
    }
    int shift = -(e + k);
    if (shift < 1 || shift > 126) {
        return false;
    }
    Wide exact = (Wide)m * five, whole = exact >> shift;
    if (whole >= (Wide)1000000000000000000u) {
        return false; /* cannot be: the exponent is at most one too small */
    }
    uint64_t q = (uint64_t)whole;
    Wide rest = exact - (whole << shift), half = (Wide)1 << (shift - 1);
    uint64_t unit = q >= UINT64_C(100000000000000000) ? 10 : 1; /* makes q 17 digits */
    for (uint64_t step = unit * 100;; step /= 10) {
        /* Round to a multiple of `step`: 15 digits first (below 1e-8), then 16, then 17. */
        uint64_t low = q % step, rounded = q - low;
        bool is_above = step == 1 ? rest > half : low * 2 > step || (low * 2 == step && rest > 0);
        bool is_tie = step == 1 ? rest == half : low * 2 == step && rest == 0;
        if (is_above || (is_tie && rounded / step % 2 == 1)) {
            rounded += step;
        }
        /* It reads back when it is within half a unit of m, which is 5^k here; towards zero half of
         * that below a power of two. On the edge strtod rounds to the even m. */
        Wide back = (Wide)rounded << shift;
        bool is_below = back < exact;
        Wide gap = is_below ? exact - back : back - exact;
        Wide reach = is_below && m == UINT64_C(1) << 52 ? gap * 4 : gap * 2;
        if (step == unit || reach < five || (reach == five && m % 2 == 0)) {
            *number = trimmed(rounded, -k);
            return true;
        }
    }
}
#else
static bool try_exact(double value, NumberDigits *number) {
    (void)value, (void)number;
    return false;
}
#endif

/* By search, from 15 digits: fewer show as zeros at the end, but not where doubles are denormal and
 * hold fewer digits themselves. The decimal point of printf depends on the locale: passed over. */
static NumberDigits search_digits(double value) {
    for (int precision = value < DBL_MIN ? 0 : 14;; precision++) {
        char text[NUMBER_TEXT_SIZE], plain[NUMBER_TEXT_SIZE * 2];
        snprintf(text, sizeof text, "%.*e", precision, value);
        uint64_t digits = 0;
        const char *at = text;
        for (; *at != 'e'; at++) {
            if (*at >= '0' && *at <= '9') {
                digits = digits * 10 + (uint64_t)(*at - '0');
            }
        }
        int exponent = (int)strtol(at + 1, NULL, 10) - precision;
        double back = 0;
        snprintf(plain, sizeof plain, "%llue%d", (unsigned long long)digits, exponent);
        number_read(plain, &back);
        if (back == value) {
            return trimmed(digits, exponent);
        }
        CHECK(precision < 16); /* 17 digits are enough for every double */
    }
}

NumberDigits number_digits(double value) {
    CHECK(isfinite(value));
    NumberDigits number = {0};
    double size = fabs(value);
    if (size == 0) {
        return number;
    }
    if (size < 1e15 && size == (double)(uint64_t)size) {
        number = trimmed((uint64_t)size, 0);
    } else if (!try_15_digits(size, &number) && !try_exact(size, &number)) {
        number = search_digits(size);
    }
    number.is_negative = value < 0;
    return number;
}

/* Writes the digits of a whole number and returns how many there are. */
static size_t print_whole(char *text, uint64_t whole) {
    char reversed[NUMBER_TEXT_SIZE];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole > 0);
    for (size_t i = 0; i < count; i++) {
        text[i] = reversed[count - 1 - i];
    }
    return count;
}

size_t number_print_digits(char text[NUMBER_TEXT_SIZE], NumberDigits number) {
    char digits[NUMBER_TEXT_SIZE];
    size_t at = 0, count = print_whole(digits, number.digits);
    int point = (int)count + number.exponent; /* digits before the decimal point */
    if (number.is_negative) {
        text[at++] = '-';
    }
    if (point > 17 || point < -4) {
        text[at++] = digits[0];
        if (count > 1) {
            text[at++] = '.';
            memcpy(text + at, digits + 1, count - 1);
            at += count - 1;
        }
        text[at++] = 'e';
        int exponent = point - 1;
        if (exponent < 0) {
            text[at++] = '-';
        }
        at += print_whole(text + at, (uint64_t)abs(exponent));
    } else if (point <= 0) {
        text[at++] = '0';
        text[at++] = '.';
        memset(text + at, '0', (size_t)-point);
        at += (size_t)-point;
        memcpy(text + at, digits, count);
        at += count;
    } else if ((size_t)point >= count) {
        memcpy(text + at, digits, count);
        memset(text + at + count, '0', (size_t)point - count);
        at += (size_t)point;
    } else {
        memcpy(text + at, digits, (size_t)point);
        text[at + (size_t)point] = '.';
        memcpy(text + at + (size_t)point + 1, digits + point, count - (size_t)point);
        at += count + 1;
    }
    text[at] = '\0';
    return at;
}

size_t number_print(char text[NUMBER_TEXT_SIZE], double value) {
    if (!isfinite(value)) {
        text[0] = '\0';
        return 0;
    }
    double size = fabs(value);
    if (size < 1e15 && size == (double)(uint64_t)size) {
        text[0] = '-';
        bool is_negative = value < 0;
        return is_negative + number_print_count(text + is_negative, (uint64_t)size);
    }
    return number_print_digits(text, number_digits(value));
}

size_t number_print_count(char text[NUMBER_TEXT_SIZE], uint64_t count) {
    size_t size = print_whole(text, count);
    text[size] = '\0';
    return size;
}
