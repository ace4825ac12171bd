#include "services/dates/holiday.h"

// How a holiday is found: a fixed day, the nth weekday of a month (-1: the last), or days from Easter.
struct holiday {
    int8_t month, day; // fixed
    int8_t weekday, nth;
    int16_t easter;
    bool by_easter;
};

static const struct holiday holidays[] = {
    [1] = {.month = 12, .day = 25},               // Christmas
    [2] = {.month = 11, .weekday = 4, .nth = 4},  // Thanksgiving
    [3] = {.by_easter = true},                    // Easter
    [4] = {.month = 10, .day = 31},               // Halloween
    [5] = {.month = 1, .day = 1},                 // New Year's Day
    [6] = {.month = 12, .day = 31},               // New Year's Eve
    [7] = {.month = 12, .day = 24},               // Christmas Eve
    [8] = {.month = 2, .day = 14},                // Valentine's Day
    [9] = {.month = 9, .weekday = 1, .nth = 1},   // Labor Day
    [10] = {.month = 5, .weekday = 1, .nth = -1}, // Memorial Day
    [11] = {.month = 7, .day = 4},                // Independence Day
    [12] = {.month = 11, .day = 11},              // Veterans Day
    [13] = {.by_easter = true, .easter = -2},     // Good Friday
    [14] = {.by_easter = true, .easter = -7},     // Palm Sunday
    [15] = {.by_easter = true, .easter = -46},    // Ash Wednesday
    [16] = {.by_easter = true, .easter = 1},      // Easter Monday
    [17] = {.month = 12, .day = 26},              // Boxing Day
    [18] = {.month = 3, .day = 17},               // St. Patrick's Day
};

static const struct holiday *find(int32_t which)
{
    bool known = which > 0 && (size_t)which < sizeof holidays / sizeof holidays[0];
    return known ? &holidays[which] : NULL;
}

bool holiday_is_fixed(int32_t which)
{
    const struct holiday *holiday = find(which);
    return holiday && holiday->day > 0;
}

static struct civil nth_weekday(int32_t year, const struct holiday *holiday)
{
    int32_t last = calendar_month_days(year, holiday->month);
    int32_t start = holiday->nth > 0 ? 1 + (holiday->nth - 1) * 7 : last - 6;
    int32_t first = calendar_day((struct civil){year, holiday->month, start});
    int32_t off = (holiday->weekday - (int32_t)calendar_weekday(first) + 7) % 7;
    return calendar_civil(first + off);
}

bool holiday_date(int32_t which, int32_t year, struct civil *out)
{
    const struct holiday *holiday = find(which);
    if (!holiday || year < 1 || year > CALENDAR_YEAR_MAX) {
        return false;
    }
    if (holiday->by_easter) {
        *out = calendar_civil(calendar_day(calendar_easter(year)) + holiday->easter);
    } else if (holiday->day > 0) {
        *out = (struct civil){year, holiday->month, holiday->day};
    } else {
        *out = nth_weekday(year, holiday);
    }
    return true;
}
