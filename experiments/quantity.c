#include "experiments/quantity.h"

#include "experiments/number_print.h"
#include "experiments/utf8.h"
#include "sim/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_SIZE_MAX = 40, SHOWN_MAX = 60, EXPONENT_MAX = 9999, SAVING_MIN = 2 };

static const double WHOLE_MAX = 9007199254740992.0; /* 2^53 */

/* number * 10^power * factor (or / factor): powers of ten are applied to the text, which costs no
 * rounding; the factor is exact. */
typedef struct Unit {
    const char *name;
    int power;
    double factor;
    bool is_divided;
} Unit;

/* In the order of quantity_print, where a later unit must save SAVING_MIN characters: 1min, not
 * 60s, but 90s. */
static const Unit plain_units[] = {{"", 0, 1}, {NULL}};
static const Unit count_units[] = {{"", 0, 1}, {"M", 6, 1}, {"k", 3, 1}, {NULL}};
static const Unit duration_units[] = {{"d", 0, 86400}, {"h", 0, 3600}, {"min", 0, 60}, {"s", 0, 1},
                                      {"ms", -3, 1},   {"us", -6, 1},  {"ns", -9, 1},  {NULL}};
static const Unit rate_units[] = {{"/s", 0, 1},
                                  {"M/s", 6, 1},
                                  {"k/s", 3, 1},
                                  {"/min", 0, 60, true},
                                  {"M/min", 6, 60, true},
                                  {"k/min", 3, 60, true},
                                  {"/h", 0, 3600, true},
                                  {"M/h", 6, 3600, true},
                                  {"k/h", 3, 3600, true},
                                  {"/d", 0, 86400, true},
                                  {"M/d", 6, 86400, true},
                                  {"k/d", 3, 86400, true},
                                  {NULL}};
static const Unit ratio_units[] = {{"%", -2, 1}, {NULL}};
static const Unit bytes_units[] = {{"TiB", 0, 1099511627776.0},
                                   {"GiB", 0, 1073741824},
                                   {"MiB", 0, 1048576},
                                   {"KiB", 0, 1024},
                                   {"TB", 12, 1},
                                   {"GB", 9, 1},
                                   {"MB", 6, 1},
                                   {"kB", 3, 1},
                                   {"B", 0, 1},
                                   {NULL}};
static const Unit bandwidth_units[] = {{"TiB/s", 0, 1099511627776.0},
                                       {"GiB/s", 0, 1073741824},
                                       {"MiB/s", 0, 1048576},
                                       {"KiB/s", 0, 1024},
                                       {"TB/s", 12, 1},
                                       {"GB/s", 9, 1},
                                       {"MB/s", 6, 1},
                                       {"kB/s", 3, 1},
                                       {"B/s", 0, 1},
                                       {"Tbit/s", 12, 8, true},
                                       {"Gbit/s", 9, 8, true},
                                       {"Mbit/s", 6, 8, true},
                                       {NULL}};

typedef struct DimensionFacts {
    const char *name, *example;
    const char *all_units;  /* for messages; NULL: a bare number */
    const char *plain_unit; /* has no factor */
    const char *meant_unit; /* of a bare number, most likely; NULL: the plain one */
    const Unit *units;
    bool may_be_negative, is_whole;
    bool avoids_fractions; /* 30min is shown, not 0.5h */
} DimensionFacts;

static const DimensionFacts facts[] = {
    [DIMENSION_NUMBER] = {"number", "1.5", NULL, "", NULL, plain_units, .may_be_negative = true},
    [DIMENSION_COUNT] = {"count", "4k", "k or M", "", NULL, count_units, .is_whole = true},
    [DIMENSION_DURATION] = {"duration", "250ms", "ns, us, ms, s, min, h or d", "s", NULL,
                            duration_units, .avoids_fractions = true},
    [DIMENSION_RATE] = {"rate", "1.5k/s", "/s, /min, /h or /d", "/s", NULL, rate_units},
    [DIMENSION_RATIO] = {"ratio", "30%", "%", "%", NULL, ratio_units, .may_be_negative = true},
    [DIMENSION_BYTES] = {"size", "64MiB", "B, kB, MB, GB, TB, KiB, MiB, GiB or TiB", "B", "MiB",
                         bytes_units, .is_whole = true, .avoids_fractions = true},
    [DIMENSION_BANDWIDTH] = {"bandwidth", "20GB/s",
                             "B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s, Mbit/s, "
                             "Gbit/s or Tbit/s",
                             "B/s", "GB/s", bandwidth_units, .avoids_fractions = true},
};

static const DimensionFacts *find_facts(Dimension dimension) {
    CHECK(dimension >= 0 && dimension < DIMENSION_END);
    return &facts[dimension];
}

const char *dimension_name(Dimension dimension) {
    return find_facts(dimension)->name;
}

const char *dimension_example(Dimension dimension) {
    return find_facts(dimension)->example;
}

bool quantity_is_unlimited(const char *text) {
    return strcmp(text, "unlimited") == 0;
}

/* ---- Reading ---- */

typedef struct Number {
    size_t size;          /* bytes of the whole number; 0: there is none */
    size_t mantissa_size; /* of them before the 'e' */
    int exponent;
    bool is_zero;
} Number;

static size_t skip_digits(const char *text, size_t at, bool *is_zero) {
    for (; text[at] >= '0' && text[at] <= '9'; at++) {
        *is_zero = *is_zero && text[at] == '0';
    }
    return at;
}

/* Splits the number that a text begins with from its unit. */
static Number scan_number(const char *text) {
    Number number = {.is_zero = true};
    size_t from = text[0] == '-', at = skip_digits(text, from, &number.is_zero);
    if (at == from) {
        return number;
    }
    if (text[at] == '.') {
        size_t end = skip_digits(text, at + 1, &number.is_zero);
        if (end == at + 1) {
            return number;
        }
        at = end;
    }
    number.mantissa_size = number.size = at;
    size_t digits = at + 1 + (text[at] == 'e' && text[at + 1] == '-');
    if (text[at] == 'e' && text[digits] >= '0' && text[digits] <= '9') {
        for (at = digits; text[at] >= '0' && text[at] <= '9'; at++) {
            if (number.exponent < EXPONENT_MAX) {
                number.exponent = number.exponent * 10 + (text[at] - '0');
            }
        }
        number.exponent = text[number.size + 1] == '-' ? -number.exponent : number.exponent;
        number.size = at;
    }
    return number;
}

/* The number times its unit. */
static double scale_number(const char *text, const Number *number, const Unit *unit) {
    char scaled[NUMBER_SIZE_MAX + 16];
    double value;
    CHECK(number->mantissa_size <= NUMBER_SIZE_MAX);
    snprintf(scaled, sizeof scaled, "%.*se%d", (int)number->mantissa_size, text,
             number->exponent + unit->power);
    size_t size = number_read(scaled, &value);
    CHECK(size > 0 && scaled[size] == '\0');
    return unit->is_divided ? value / unit->factor : value * unit->factor;
}

static const Unit *find_unit(const DimensionFacts *dimension, const char *name) {
    for (const Unit *unit = dimension->units; unit->name != NULL; unit++) {
        if (strcmp(unit->name, name) == 0) {
            return unit;
        }
    }
    return NULL;
}

/* The text without spaces and underscores, when it has some and is right without them. */
static bool guess_tidied(const char *text, Dimension dimension, char tidied[NUMBER_SIZE_MAX]) {
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != ' ' && *at != '_') {
            if (size + 1 == NUMBER_SIZE_MAX) {
                return false;
            }
            tidied[size++] = *at;
        }
    }
    tidied[size] = '\0';
    double value;
    return strcmp(text, tidied) != 0 && quantity_parse(tidied, dimension, &value, NULL);
}

static bool report_no_quantity(const char *text, Dimension dimension, Error *error) {
    int shown = (int)utf8_cut(text, SHOWN_MAX);
    char tidied[NUMBER_SIZE_MAX];
    if (guess_tidied(text, dimension, tidied)) {
        return error_set(error, "'%.*s' is not a %s; write '%s'", shown, text,
                         dimension_name(dimension), tidied);
    }
    return error_set(error, "'%.*s' is not a %s; write for example '%s'", shown, text,
                     dimension_name(dimension), dimension_example(dimension));
}

/* A number alone, or with a unit that does not exist. */
static bool report_unit(const char *text, const Number *number, Dimension dimension, Error *error) {
    const DimensionFacts *dimension_facts = find_facts(dimension);
    int shown = (int)utf8_cut(text, SHOWN_MAX);
    if (dimension_facts->all_units == NULL) {
        return report_no_quantity(text, dimension, error);
    }
    if (text[number->size] != '\0') {
        return error_set(error, "'%.*s' is not a %s: units are %s; write for example '%s'", shown,
                         text, dimension_facts->name, dimension_facts->all_units,
                         dimension_facts->example);
    }
    static const Unit percent = {"", 2, 1};
    double value = scale_number(text, number, &plain_units[0]);
    if (dimension == DIMENSION_RATIO && fabs(value) <= 1) { /* 0.3 is meant as 30% */
        value = scale_number(text, number, &percent);
    }
    char suggested[NUMBER_TEXT_SIZE];
    if (number_print(suggested, value) == 0) {
        return report_no_quantity(text, dimension, error);
    }
    const char *unit = dimension_facts->meant_unit;
    return error_set(error, "'%.*s' has no unit; write for example '%s%s'", shown, text, suggested,
                     unit == NULL ? dimension_facts->plain_unit : unit);
}

static bool check_value(const char *text, const Number *number, Dimension dimension, double value,
                        Error *error) {
    const DimensionFacts *dimension_facts = find_facts(dimension);
    int shown = (int)utf8_cut(text, SHOWN_MAX);
    if (value < 0 && !dimension_facts->may_be_negative) {
        return error_set(error, "'%.*s' is negative: a %s is not", shown, text,
                         dimension_facts->name);
    }
    if (!isfinite(value) || (dimension_facts->is_whole && value > WHOLE_MAX)) {
        return error_set(error, "'%.*s' is too large for a %s", shown, text, dimension_facts->name);
    }
    if (!number->is_zero && fabs(value) < DBL_MIN) {
        return error_set(error, "'%.*s' is too small to tell from 0", shown, text);
    }
    if (dimension_facts->is_whole && value != floor(value)) {
        return error_set(error, "'%.*s' is not a whole number%s", shown, text,
                         dimension == DIMENSION_BYTES ? " of bytes" : "");
    }
    return true;
}

bool quantity_parse(const char *text, Dimension dimension, double *value, Error *error) {
    const DimensionFacts *dimension_facts = find_facts(dimension);
    Number number = scan_number(text);
    if (number.size == 0 || strpbrk(text, " _,") != NULL) {
        return report_no_quantity(text, dimension, error);
    }
    if (number.mantissa_size > NUMBER_SIZE_MAX) {
        return error_set(error, "'%.*s...' is too long for a number", SHOWN_MAX / 2, text);
    }
    const Unit *unit = find_unit(dimension_facts, text + number.size);
    if (unit == NULL) {
        return report_unit(text, &number, dimension, error);
    }
    double scaled = scale_number(text, &number, unit);
    if (!check_value(text, &number, dimension, scaled, error)) {
        return false;
    }
    *value = scaled + 0.0; /* -0 + 0 is 0 */
    return true;
}

/* ---- Printing ---- */

/* Writes number * 10^-power and the unit's name; returns the length. */
static size_t print_in_unit(char text[QUANTITY_TEXT_SIZE], double number, const Unit *unit) {
    NumberDigits digits = number_digits(number);
    if (digits.digits != 0) {
        digits.exponent -= unit->power;
    }
    return (size_t)(stpcpy(text + number_print_digits(text, digits), unit->name) - text);
}

static bool is_fraction(const char *text) {
    return text[0] == '0' || strstr(text, "e-") != NULL;
}

/* Keeps in `text` what is shorter by `saving` than what is there (`size` bytes; 0: nothing) and
 * reads back; returns the new size. */
static size_t try_unit(char text[QUANTITY_TEXT_SIZE], size_t size, double value,
                       Dimension dimension, const Unit *unit) {
    double number = unit->is_divided ? value * unit->factor : value / unit->factor;
    /* The factor may have cost a bit: 4k/min is 66.6...7/s, which times 60 is not quite 4000. */
    double candidates[] = {number, nextafter(number, -HUGE_VAL), nextafter(number, HUGE_VAL)};
    size_t saving = SAVING_MIN;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        char other[QUANTITY_TEXT_SIZE];
        double back = 0;
        size_t other_size = isfinite(candidates[i]) ? print_in_unit(other, candidates[i], unit) : 0;
        if (other_size == 0 || (size > 0 && other_size + saving > size) ||
            (is_fraction(other) && (find_facts(dimension)->avoids_fractions || unit->power > 0)) ||
            !quantity_parse(other, dimension, &back, NULL) || back != value) {
            continue;
        }
        memcpy(text, other, other_size + 1);
        size = other_size;
        saving = 1; /* over the same unit */
    }
    return size;
}

size_t quantity_print(char text[QUANTITY_TEXT_SIZE], double value, Dimension dimension) {
    CHECK(!isnan(value));
    if (isinf(value)) {
        return (size_t)(stpcpy(text, "unlimited") - text);
    }
    const DimensionFacts *dimension_facts = find_facts(dimension);
    size_t size = 0;
    for (const Unit *unit = dimension_facts->units; value != 0 && unit->name != NULL; unit++) {
        size = try_unit(text, size, value, dimension, unit);
    }
    if (size == 0) { /* without a factor only digits move: this one reads back whatever it is */
        size = print_in_unit(text, value, find_unit(dimension_facts, dimension_facts->plain_unit));
    }
    return size;
}
