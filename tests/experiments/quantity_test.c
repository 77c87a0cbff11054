/* Quantities: what is read, what is refused and with which words, and that printing reads back. */
#include "tests/test.h"

#include "experiments/quantity.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const Dimension N = DIMENSION_NUMBER, C = DIMENSION_COUNT, D = DIMENSION_DURATION,
                       R = DIMENSION_RATE, P = DIMENSION_RATIO, B = DIMENSION_BYTES,
                       W = DIMENSION_BANDWIDTH;

START_TEST(quantities_are_read_to_the_nearest_double_and_printed_as_people_write_them) {
    const struct {
        Dimension dimension;
        const char *text;
        double value;
        const char *printed;
    } cases[] = {
        {D, "250ms", 0.25, "250ms"},
        {D, "0.25s", 0.25, "250ms"},
        {D, "0.1ms", 1e-4, "100us"},
        {D, "100us", 1e-4, "100us"},
        {D, "3ns", 3e-9, "3ns"},
        {D, "0.5ns", 5e-10, "5e-10s"},
        {D, "7s", 7, "7s"},
        {D, "1.5h", 5400, "1.5h"},
        {D, "90min", 5400, "1.5h"},
        {D, "1800s", 1800, "30min"},
        {D, "90s", 90, "90s"},
        {D, "60s", 60, "1min"},
        {D, "2d", 172800, "2d"},
        {D, "86401s", 86401, "86401s"},
        {D, "1e3ms", 1, "1s"},
        {D, "2.5e-3s", 0.0025, "2.5ms"},
        {D, "0s", 0, "0s"},
        {D, "-0s", 0, "0s"},
        {R, "120/s", 120, "120/s"},
        {R, "1.5k/s", 1500, "1500/s"},
        {R, "4k/min", 4000.0 / 60, "4k/min"},
        {R, "2/h", 2.0 / 3600, "2/h"},
        {R, "7/min", 7.0 / 60, "7/min"},
        {R, "3M/d", 3e6 / 86400, "3M/d"},
        {R, "1M/s", 1e6, "1M/s"},
        {R, "0.3/s", 0.3, "0.3/s"},
        {R, "0/s", 0, "0/s"},
        {P, "30%", 0.3, "30%"},
        {P, "99.9%", 0.999, "99.9%"},
        {P, "100%", 1, "100%"},
        {P, "-5%", -0.05, "-5%"},
        {P, "1e-3%", 1e-5, "0.001%"},
        {B, "64MiB", 67108864, "64MiB"},
        {B, "1.5KiB", 1536, "1.5KiB"},
        {B, "80GB", 8e10, "80GB"},
        {B, "1001B", 1001, "1001B"},
        {B, "2TiB", 2199023255552.0, "2TiB"},
        {W, "20GB/s", 2e10, "20GB/s"},
        {W, "400Gbit/s", 5e10, "50GB/s"},
        {W, "1Mbit/s", 125000, "125kB/s"},
        {W, "0.8Tbit/s", 1e11, "100GB/s"},
        {W, "1.5GiB/s", 1610612736, "1.5GiB/s"},
        {W, "7kB/s", 7000, "7kB/s"},
        {W, "0.3B/s", 0.3, "0.3B/s"},
        {W, "0TB/s", 0, "0B/s"},
        {C, "4", 4, "4"},
        {C, "4k", 4000, "4k"},
        {C, "17.6k", 17600, "17600"},
        {C, "1.5M", 1500000, "1.5M"},
        {C, "8192", 8192, "8192"},
        {C, "1e5", 100000, "100k"},
        {C, "9007199254740992", 9007199254740992, "9007199254740992"},
        {N, "1.4", 1.4, "1.4"},
        {N, "-2.5", -2.5, "-2.5"},
        {N, "00012", 12, "12"},
        {N, "1e-7", 1e-7, "1e-7"},
        {N, "-0", 0, "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 99;
        Error error = {""};
        ck_assert_msg(quantity_parse(cases[i].text, cases[i].dimension, &value, &error), "%s: %s",
                      cases[i].text, error.text);
        ck_assert_msg(value == cases[i].value, "%s: %.17g", cases[i].text, value);
        ck_assert(!signbit(value) || value < 0);
        char text[QUANTITY_TEXT_SIZE];
        ck_assert_uint_eq(quantity_print(text, value, cases[i].dimension),
                          strlen(cases[i].printed));
        ck_assert_str_eq(text, cases[i].printed);
    }
}
END_TEST

START_TEST(what_is_not_a_quantity_is_refused_with_how_to_write_it) {
    const struct {
        Dimension dimension;
        const char *text, *expected;
    } cases[] = {
        {R, "fast", "'fast' is not a rate; write for example '1.5k/s'"},
        {R, "40", "'40' has no unit; write for example '40/s'"},
        {R, "1.5k",
         "'1.5k' is not a rate: units are /s, /min, /h or /d; write for example '1.5k/s'"},
        {R, "5/sec",
         "'5/sec' is not a rate: units are /s, /min, /h or /d; write for example '1.5k/s'"},
        {R, "-1/s", "'-1/s' is negative: a rate is not"},
        {R, "1e309/s", "'1e309/s' is too large for a rate"},
        {R, "1e-309/h", "'1e-309/h' is too small to tell from 0"},
        {D, "30", "'30' has no unit; write for example '30s'"},
        {D, "0", "'0' has no unit; write for example '0s'"},
        {D, "", "'' is not a duration; write for example '250ms'"},
        {D, "5m",
         "'5m' is not a duration: units are ns, us, ms, s, min, h or d; write for example "
         "'250ms'"},
        {D, "1h30min",
         "'1h30min' is not a duration: units are ns, us, ms, s, min, h or d; write for "
         "example '250ms'"},
        {D, "5 s", "'5 s' is not a duration; write '5s'"},
        {D, "5s ", "'5s ' is not a duration; write '5s'"},
        {D, " 5s", "' 5s' is not a duration; write '5s'"},
        {D, "1_000ms", "'1_000ms' is not a duration; write '1000ms'"},
        {D, "1,5s", "'1,5s' is not a duration; write for example '250ms'"},
        {D, "٣s", "'٣s' is not a duration; write for example '250ms'"},
        {D, "5µs",
         "'5µs' is not a duration: units are ns, us, ms, s, min, h or d; write for example "
         "'250ms'"},
        {D, "+5s", "'+5s' is not a duration; write for example '250ms'"},
        {D, ".5s", "'.5s' is not a duration; write for example '250ms'"},
        {D, "5.s", "'5.s' is not a duration; write for example '250ms'"},
        {D, "0x1p3s",
         "'0x1p3s' is not a duration: units are ns, us, ms, s, min, h or d; write for "
         "example '250ms'"},
        {D, "1e99999999999s", "'1e99999999999s' is too large for a duration"},
        {D, "1e308d", "'1e308d' is too large for a duration"},
        {P, "0.3", "'0.3' has no unit; write for example '30%'"},
        {P, "30", "'30' has no unit; write for example '30%'"},
        {P, "half", "'half' is not a ratio; write for example '30%'"},
        {P, "1e400", "'1e400' is not a ratio; write for example '30%'"},
        {B, "64", "'64' has no unit; write for example '64MiB'"},
        {B, "64MB/s",
         "'64MB/s' is not a size: units are B, kB, MB, GB, TB, KiB, MiB, GiB or TiB; "
         "write for example '64MiB'"},
        {B, "0.3B", "'0.3B' is not a whole number of bytes"},
        {B, "9000TiB", "'9000TiB' is too large for a size"},
        {W, "20", "'20' has no unit; write for example '20GB/s'"},
        {W, "20GB",
         "'20GB' is not a bandwidth: units are B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, "
         "TiB/s, Mbit/s, Gbit/s or Tbit/s; write for example '20GB/s'"},
        {W, "-1B/s", "'-1B/s' is negative: a bandwidth is not"},
        {C, "1.5", "'1.5' is not a whole number"},
        {C, "-1", "'-1' is negative: a count is not"},
        {C, "4K", "'4K' is not a count: units are k or M; write for example '4k'"},
        {C, "99999999999999999999", "'99999999999999999999' is too large for a count"},
        {C, "unlimited", "'unlimited' is not a count; write for example '4k'"},
        {N, "nan", "'nan' is not a number; write for example '1.5'"},
        {N, "-inf", "'-inf' is not a number; write for example '1.5'"},
        {N, "1e309", "'1e309' is too large for a number"},
        {N, "1e-400", "'1e-400' is too small to tell from 0"},
        {N, "4k", "'4k' is not a number; write for example '1.5'"},
        {N, "1e+5", "'1e+5' is not a number; write for example '1.5'"},
        {N, "5e", "'5e' is not a number; write for example '1.5'"},
        {N, "--1", "'--1' is not a number; write for example '1.5'"},
        {N, "1e5 ", "'1e5 ' is not a number; write '1e5'"},
        {N, "1234567890123456789012345678901234567890.5",
         "'123456789012345678901234567890...' is too long for a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 99;
        Error error = {""};
        ck_assert_msg(!quantity_parse(cases[i].text, cases[i].dimension, &value, &error), "%s",
                      cases[i].text);
        ck_assert_str_eq(error.text, cases[i].expected);
        ck_assert(value == 99);
    }
}
END_TEST

START_TEST(unlimited_is_a_word_of_its_own) {
    char text[QUANTITY_TEXT_SIZE];
    ck_assert(quantity_is_unlimited("unlimited"));
    ck_assert(!quantity_is_unlimited("Unlimited") && !quantity_is_unlimited("4"));
    ck_assert_uint_eq(quantity_print(text, INFINITY, C), 9);
    ck_assert_str_eq(text, "unlimited");
    ck_assert_str_eq(dimension_name(R), "rate");
    ck_assert_str_eq(dimension_example(B), "64MiB");
}
END_TEST

START_TEST(what_is_printed_reads_back_to_the_same_double) {
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < 9000; round++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        double unit = (double)(state >> 11) / 9007199254740992.0;
        double values[] = {unit,
                           unit * 1e6,
                           unit * 1e-8,
                           floor(unit * 1e6) / 60,
                           floor(unit * 1e4) / 1000,
                           floor(unit * 1e12),
                           ldexp(unit, round % 600)};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            Dimension dimension = (Dimension)((size_t)round % DIMENSION_END);
            double value = values[i], back;
            if (dimension == C || dimension == B) {
                value = fmod(floor(value), 9007199254740992.0);
            }
            char text[QUANTITY_TEXT_SIZE];
            ck_assert_uint_eq(quantity_print(text, value, dimension), strlen(text));
            ck_assert_msg(quantity_parse(text, dimension, &back, NULL) && back == value,
                          "%.17g as %s", value, text);
        }
    }
}
END_TEST

START_TEST(the_locale_does_not_matter) {
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        printf("skipped: no German locale is installed\n");
        return;
    }
    double value;
    char text[QUANTITY_TEXT_SIZE];
    ck_assert(quantity_parse("1.5h", D, &value, NULL) && value == 5400);
    ck_assert(!quantity_parse("1,5h", D, &value, NULL));
    quantity_print(text, 0.2345, P);
    ck_assert_str_eq(text, "23.45%");
}
END_TEST

TEST_SUITE("experiments/quantity",
           quantities_are_read_to_the_nearest_double_and_printed_as_people_write_them,
           what_is_not_a_quantity_is_refused_with_how_to_write_it, unlimited_is_a_word_of_its_own,
           what_is_printed_reads_back_to_the_same_double, the_locale_does_not_matter)
