/* Numbers as text: the shortest that reads back, whichever road it takes. */
#include "tests/test.h"

#include "experiments/number_print.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

START_TEST(numbers_look_as_expected) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-7, "-7"},
        {100000, "100000"},
        {123456789012345, "123456789012345"},
        {9007199254740992, "9007199254740992"},
        {1e16, "10000000000000000"},
        {1e17, "1e17"},
        {-2.5e21, "-2.5e21"},
        {0.1, "0.1"},
        {2.385, "2.385"},
        {-0.25, "-0.25"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {66.666666666666671, "66.66666666666667"},
        {0.00012, "0.00012"},
        {0.00001, "0.00001"},
        {0.0000012, "1.2e-6"},
        {1.5e-7, "1.5e-7"},
        {1e-30, "1e-30"},
        {5e-324, "5e-324"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e308"},
        {123456.789, "123456.789"},
        {NAN, ""},
        {INFINITY, ""},
        {-INFINITY, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NUMBER_TEXT_SIZE];
        ck_assert_uint_eq(number_print(text, cases[i].value), strlen(cases[i].text));
        ck_assert_str_eq(text, cases[i].text);
    }
    char text[NUMBER_TEXT_SIZE];
    ck_assert_uint_eq(number_print_count(text, UINT64_MAX), 20);
    ck_assert_str_eq(text, "18446744073709551615");
}
END_TEST

/* The definition: the first precision whose text reads back, in the program's plain locale. */
static void print_fewest_digits(double value, char text[64]) {
    int precision = 0;
    do {
        snprintf(text, 64, "%.*e", precision++, value);
    } while (strtod(text, NULL) != value);
}

START_TEST(the_text_is_that_of_the_fewest_digits_that_read_back) {
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < 60000; round++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        double unit = (double)(state >> 11) / 9007199254740992.0, value;
        switch (round % 6) {
        case 0: /* any bits */
            memcpy(&value, &state, sizeof value);
            break;
        case 1:
            value = unit * 1000;
            break;
        case 2: /* short decimals */
            value = (double)(state % 1000000) / 1000;
            break;
        case 3: /* powers of two, where doubles lie closer on one side */
            value = ldexp(1, (int)(state % 140) - 60);
            break;
        case 4: /* their neighbours */
            value = nextafter(ldexp(1, (int)(state % 140) - 60), state >> 63 == 0 ? 0 : 1e300);
            break;
        default:
            value = unit * pow(10, (int)(state % 40) - 20);
            break;
        }
        if (!isfinite(value) || value == 0) {
            continue;
        }
        char text[NUMBER_TEXT_SIZE], fewest[64];
        size_t size = number_print(text, value);
        ck_assert_uint_lt(size, NUMBER_TEXT_SIZE);
        double back;
        ck_assert_uint_eq(number_read(text, &back), size);
        ck_assert_msg(back == value, "%a as %s", value, text);
        print_fewest_digits(value, fewest);
        NumberDigits digits = number_digits(value);
        /* Digit for digit what printf says at that precision. */
        uint64_t expected = 0;
        for (const char *at = fewest; *at != 'e'; at++) {
            if (*at >= '0' && *at <= '9') {
                expected = expected * 10 + (uint64_t)(*at - '0');
            }
        }
        while (expected % 10 == 0) {
            expected /= 10;
        }
        ck_assert_uint_eq(digits.digits, expected);
    }
}
END_TEST

START_TEST(reading_stops_where_the_number_ends) {
    static const struct {
        const char *text;
        size_t size;
        double value;
    } cases[] = {{"12ms", 2, 12},   {"-1.5e3x", 6, -1500},  {"1.", 1, 1},   {"2e", 1, 2},
                 {"2e-", 1, 2},     {"1e400", 5, INFINITY}, {"x", 0, 99},   {"", 0, 99},
                 {"-", 0, 99},      {"nan", 0, 99},         {"inf", 0, 99}, {"0.1", 3, 0.1},
                 {"3E+2,", 4, 300}, {"0x1p3", 1, 0},        {"-0X1", 2, 0}, {"1.0x", 3, 1},
                 {".5s", 2, 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 99;
        ck_assert_uint_eq(number_read(cases[i].text, &value), cases[i].size);
        ck_assert(value == cases[i].value);
    }
}
END_TEST

START_TEST(the_locale_does_not_matter) {
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        printf("skipped: no German locale is installed\n");
        return;
    }
    char text[NUMBER_TEXT_SIZE];
    double value;
    number_print(text, 1.2345678901234567e-200);
    ck_assert_str_eq(text, "1.2345678901234567e-200");
    ck_assert_uint_eq(number_read("2.5", &value), 3);
    ck_assert(value == 2.5);
}
END_TEST

TEST_SUITE("experiments/number_print", numbers_look_as_expected,
           the_text_is_that_of_the_fewest_digits_that_read_back,
           reading_stops_where_the_number_ends, the_locale_does_not_matter)
