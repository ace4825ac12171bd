// A point in time as far as a text tells it, and its TIMEX3 value.
#ifndef COPYDESK_DATES_MOMENT_H
#define COPYDESK_DATES_MOMENT_H

#include "common/calendar.h"
#include "services/dates/lexicon.h"

enum grain {
    GRAIN_NONE,
    GRAIN_DAY,
    GRAIN_WEEKEND,
    GRAIN_WEEK,
    GRAIN_MONTH,
    GRAIN_SEASON,
    GRAIN_QUARTER,
    GRAIN_HALF,
    GRAIN_YEAR,
    GRAIN_DECADE,
    GRAIN_CENTURY,
    GRAIN_MILLENNIUM,
};

enum { MOMENT_UNKNOWN = INT32_MIN, MOMENT_VALUE_SIZE = 64 };

struct moment {
    enum grain grain;
    int32_t year;    // MOMENT_UNKNOWN: XXXX; BC years are negative: -490 is 490 BC
    int32_t month;   // 0: unknown
    int32_t day;     // 0: unknown
    int32_t sub;     // week, quarter, half or packed season; 0: unknown
    int32_t weekday; // of a day known only so: XXXX-WXX-4
    int32_t part;    // of the day, packed; 0: none
    int32_t clock;   // minutes of the day, -1: none
    int32_t seconds; // -1: none
    bool fuzzy;      // counted from something vague: the day is not to be told
};

// Nothing known at that grain.
struct moment moment_of(enum grain grain);

// The moment of that grain which holds the day.
struct moment moment_at(int32_t day, enum grain grain);

// First day of the moment. False when its year is unknown, before Christ, or out of bounds.
bool moment_first_day(const struct moment *moment, int32_t *day);

// The moment moved by `count` of `unit`. Keeps what it cannot know unknown.
struct moment moment_shift(const struct moment *moment, int32_t count, enum unit unit);

// The grain of a unit of a day or more; GRAIN_NONE below.
enum grain moment_grain(enum unit unit);

// Prints the value, such as 2020-08-19TEV or XXXX-WXX-4. Returns its length.
size_t moment_print(const struct moment *moment, char out[MOMENT_VALUE_SIZE]);

#endif
