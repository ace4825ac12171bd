// Holidays that news names by name, and the day they fall on.
#ifndef COPYDESK_DATES_HOLIDAY_H
#define COPYDESK_DATES_HOLIDAY_H

#include "common/calendar.h"

// The date of holiday `which` (value of the class `holiday` in tables/words_*.txt) in a year. False when there is no such
// holiday or the year is out of bounds.
bool holiday_date(int32_t which, int32_t year, struct civil *out);

// True when it has the same month and day in every year.
bool holiday_is_fixed(int32_t which);

#endif
