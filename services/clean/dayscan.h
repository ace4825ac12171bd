// Finds calendar days written in running text, in the main European languages.
//
// A small reader for lines that tell when a page was published ("Published on 3 March 2021", "19.08.2020, 14:05 Uhr",
// "Aug. 19, 2020"); the dates stage reads time expressions in full.
#ifndef COPYDESK_CLEAN_DAYSCAN_H
#define COPYDESK_CLEAN_DAYSCAN_H

#include "common/view.h"

struct day {
    int year, month, day; // year 0 when it is not written
    int hour, minute;     // hour -1 when no time of day stands behind it
    size_t start, end;    // bytes of the text
    bool weekday;         // a weekday stands before it
};

// The first day of the text. `*other_words` is how many words of the text belong neither to the day, its
// weekday nor its time. False when there is none. Linear.
bool dayscan_find(struct view text, struct day *out, size_t *other_words);

// The number of a month name or its abbreviation, any case; 0 when it is none.
int dayscan_month(struct view word);

// True when year, month and day are a day of the calendar, year 1990 to 2099.
bool dayscan_is_day(int year, int month, int day);

// The first /yyyy/mm/dd/, yyyy-mm-dd or yyyymmdd of an address. False when it has none.
bool dayscan_url(struct view url, struct day *out);

#endif
