// The proleptic Gregorian calendar: days, weekdays, ISO weeks, and ISO 8601 as it is written.
//
// A day is a number, days since 1970-01-01 (negative before). Years are astronomical: year 0 is 1 BC. No clock, no
// locale, no conversion between time zones: a zone is kept as it was written.
// Method for days and years: Howard Hinnant, "chrono-compatible low-level date algorithms"; the tests
// compare every day of the years -1000 to 3000 with a counting loop.
#ifndef COPYDESK_CALENDAR_H
#define COPYDESK_CALENDAR_H

#include "common/view.h"

enum {
    CALENDAR_YEAR_MIN = -9999,
    CALENDAR_YEAR_MAX = 9999,
    CALENDAR_TEXT_SIZE = 40, // room for any text that is printed here, '\0' included
};

struct civil {
    int32_t year;
    int32_t month; // 1..12
    int32_t day;   // 1..31
};

// Monday is 1, Sunday 7.
enum weekday { MONDAY = 1, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY };

struct iso_week {
    int32_t year; // of the week: may be the neighbour of the day's year
    int32_t week; // 1..53
};

// A moment as ISO 8601 writes it: 2020-08-19, 2020-08-19T07:05, 2020-08-19T07:05:30.250+02:00.
struct instant {
    struct civil date;
    bool has_time, has_zone;
    int32_t hour, minute, second, millisecond;
    int32_t zone_minutes; // east of UTC; 0 for Z
};

// True when February of the year has 29 days.
bool calendar_is_leap(int32_t year);

// 28..31; month is 1..12.
int32_t calendar_month_days(int32_t year, int32_t month);

// True when the date exists and its year is within the bounds above.
bool calendar_is_valid(struct civil date);

// The two ways between a day and its date. The date must be valid.
int32_t calendar_day(struct civil date);
struct civil calendar_civil(int32_t day);

// The day of the week, Monday first.
enum weekday calendar_weekday(int32_t day);

// The ISO week that holds the day, and the Monday that begins a week. `week` may be out of 1..53 and
// then counts on from the year's first week.
struct iso_week calendar_week(int32_t day);
int32_t calendar_week_monday(struct iso_week week);

// How many ISO weeks the year has: 52 or 53.
int32_t calendar_weeks_of_year(int32_t year);

// The date moved by whole months; the day is cut to the month's length (31 January + 1 is 28 or 29 February).
struct civil calendar_add_months(struct civil date, int32_t months);

// Western Easter Sunday (Meeus, Jones and Butcher); year above 0.
struct civil calendar_easter(int32_t year);

// Reads a date or an instant that fills all of `text`, with 'T', 't' or one space before the time; seconds, their
// fraction and the zone (Z, +hh:mm, +hhmm, +hh) may be missing. False when it is anything else or does not
// exist. 24:00 and leap seconds are taken as written when they are legal in ISO 8601.
bool calendar_parse(struct view text, struct instant *out);

// Prints what calendar_parse reads, back into its shortest equal form. Returns the length.
size_t calendar_format(const struct instant *instant, char out[CALENDAR_TEXT_SIZE]);

// Milliseconds since 1970-01-01T00:00:00Z; a missing time is midnight, a missing zone UTC.
int64_t calendar_unix_ms(const struct instant *instant);

// The instant in UTC of a time in milliseconds. Times outside the bounds are cut to them.
struct instant calendar_from_unix_ms(int64_t unix_ms);

#endif
