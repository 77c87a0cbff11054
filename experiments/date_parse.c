#include "experiments/date_parse.h"

/* What is left of a text; is_bad once anything did not fit. */
typedef struct DateText {
    const char *at, *end;
    bool is_bad;
} DateText;

static bool date_is_next(const DateText *text, char c) {
    return text->at < text->end && *text->at == c;
}

/* Exactly `count` digits, as a number within [min, max]. */
static int date_digits(DateText *text, int count, int min, int max) {
    int value = 0;
    for (; count > 0; count--) {
        if (text->at == text->end || *text->at < '0' || *text->at > '9') {
            text->is_bad = true;
            return min;
        }
        value = value * 10 + (*text->at++ - '0');
    }
    text->is_bad = text->is_bad || value < min || value > max;
    return value;
}

static void date_skip(DateText *text, char c, char or_c) {
    if (date_is_next(text, c) || date_is_next(text, or_c)) {
        text->at++;
    } else {
        text->is_bad = true;
    }
}

static int date_month_length(int year, int month) {
    static const int LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return LENGTHS[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/* Days since 1970-01-01, for years from 0: years begin in March, so that the leap day comes last.
 */
static int64_t date_days(int year, int month, int day) {
    int shifted = month <= 2 ? year - 1 : year;
    int era = shifted / 400;
    int year_of_era = shifted % 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

/* .digits, in nanoseconds; 0 when there is no point. */
static int64_t date_fraction(DateText *text) {
    if (!date_is_next(text, '.')) {
        return 0;
    }
    text->at++;
    int64_t value = 0;
    int64_t unit = 1000000000;
    const char *start = text->at;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        unit /= 10;
        value += (*text->at - '0') * unit;
    }
    text->is_bad = text->is_bad || text->at == start;
    return value;
}

/* Z or the offset from UTC, in seconds; 0 when there is none. */
static int64_t date_offset(DateText *text) {
    if (date_is_next(text, 'Z') || text->at == text->end) {
        text->at += text->at < text->end;
        return 0;
    }
    bool is_negative = date_is_next(text, '-');
    date_skip(text, '+', '-');
    int64_t offset = date_digits(text, 2, 0, 23) * 3600;
    if (text->at < text->end) {
        text->at += date_is_next(text, ':');
        offset += date_digits(text, 2, 0, 59) * 60;
    }
    return is_negative ? -offset : offset;
}

bool date_parse(const char *text, size_t size, int64_t *since_1970) {
    DateText rest = {.at = text, .end = text + size};
    int year = date_digits(&rest, 4, 1700, 2199);
    date_skip(&rest, '-', '-');
    int month = date_digits(&rest, 2, 1, 12);
    date_skip(&rest, '-', '-');
    int day = date_digits(&rest, 2, 1, 31);
    date_skip(&rest, ' ', 'T');
    int64_t seconds = date_digits(&rest, 2, 0, 23) * 3600;
    date_skip(&rest, ':', ':');
    seconds += date_digits(&rest, 2, 0, 59) * 60;
    date_skip(&rest, ':', ':');
    seconds += date_digits(&rest, 2, 0, 59);
    int64_t fraction = date_fraction(&rest);
    seconds -= date_offset(&rest);
    if (rest.is_bad || rest.at != rest.end || day > date_month_length(year, month)) {
        return false;
    }
    *since_1970 = (date_days(year, month, day) * 86400 + seconds) * 1000000000 + fraction;
    return true;
}
