#include "services/dates/holiday.h"

// How a holiday is found: a fixed day, the nth weekday of a month (-1: the last), or days from Easter.
struct holiday {
    int8_t month, day;          // fixed
    int8_t weekday, nth, after; // `after` days are added
    int16_t easter;
    bool by_easter;
};

static const struct holiday holidays[] = {
    [1] = {.month = 12, .day = 25},                           // Christmas
    [2] = {.month = 11, .weekday = 4, .nth = 4},              // Thanksgiving
    [3] = {.by_easter = true},                                // Easter
    [4] = {.month = 10, .day = 31},                           // Halloween
    [5] = {.month = 1, .day = 1},                             // New Year's Day
    [6] = {.month = 12, .day = 31},                           // New Year's Eve
    [7] = {.month = 12, .day = 24},                           // Christmas Eve
    [8] = {.month = 2, .day = 14},                            // Valentine's Day
    [9] = {.month = 9, .weekday = 1, .nth = 1},               // Labor Day
    [10] = {.month = 5, .weekday = 1, .nth = -1},             // Memorial Day
    [11] = {.month = 7, .day = 4},                            // Independence Day
    [12] = {.month = 11, .day = 11},                          // Veterans Day
    [13] = {.by_easter = true, .easter = -2},                 // Good Friday
    [14] = {.by_easter = true, .easter = -7},                 // Palm Sunday
    [15] = {.by_easter = true, .easter = -46},                // Ash Wednesday
    [16] = {.by_easter = true, .easter = 1},                  // Easter Monday
    [17] = {.month = 12, .day = 26},                          // Boxing Day
    [18] = {.month = 3, .day = 17},                           // St Patrick's Day
    [19] = {.month = 1, .weekday = 1, .nth = 3},              // Martin Luther King Day
    [20] = {.month = 2, .weekday = 1, .nth = 3},              // Presidents' Day
    [21] = {.month = 10, .weekday = 1, .nth = 2},             // Columbus Day
    [22] = {.month = 5, .weekday = 7, .nth = 2},              // Mother's Day
    [23] = {.month = 6, .weekday = 7, .nth = 3},              // Father's Day
    [24] = {.month = 5, .day = 1},                            // May Day
    [25] = {.month = 7, .day = 14},                           // Bastille Day
    [26] = {.month = 1, .day = 26},                           // Australia Day
    [27] = {.month = 7, .day = 1},                            // Canada Day
    [28] = {.month = 11, .weekday = 4, .nth = 4, .after = 1}, // Black Friday
    [29] = {.month = 2, .day = 2},                            // Groundhog Day
    [30] = {.month = 4, .day = 22},                           // Earth Day
    [31] = {.month = 11, .weekday = 1, .nth = 1, .after = 1}, // Election Day (United States)
    [32] = {.month = 5, .day = 5},                            // Cinco de Mayo
    [33] = {.month = 4, .day = 1},                            // April Fools' Day
    [34] = {.by_easter = true, .easter = 49},                 // Pentecost
    [35] = {.by_easter = true, .easter = 39},                 // Ascension Day
    [36] = {.by_easter = true, .easter = -47},                // Shrove Tuesday
    [37] = {.month = 11, .day = 5},                           // Guy Fawkes Night
    [38] = {.month = 11, .day = 1},                           // All Saints' Day
    [39] = {.month = 11, .day = 2},                           // All Souls' Day
    [40] = {.month = 1, .day = 6},                            // Epiphany
    [41] = {.month = 6, .day = 14},                           // Flag Day
    [42] = {.month = 6, .day = 19},                           // Juneteenth
    [43] = {.month = 12, .day = 26},                          // Kwanzaa
    [44] = {.month = 3, .day = 8},                            // International Women's Day
    [45] = {.by_easter = true, .easter = -3},                 // Maundy Thursday
    [46] = {.by_easter = true, .easter = 60},                 // Corpus Christi
    [47] = {.month = 4, .day = 25},                           // Anzac Day
    [48] = {.month = 11, .weekday = 4, .nth = 4, .after = 4}, // Cyber Monday
    [49] = {.month = 10, .day = 16},                          // Boss's Day
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
    return calendar_civil(first + off + holiday->after);
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
