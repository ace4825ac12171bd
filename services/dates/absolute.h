// Expressions that name a place in the calendar: days, months, years, seasons, weekdays, holidays, decades. What they leave
// out (the year, the week) comes from the anchor and the clause.
#ifndef COPYDESK_DATES_ABSOLUTE_H
#define COPYDESK_DATES_ABSOLUTE_H

#include "services/dates/task.h"

// Any mix of year, month, day, weekday and season.
struct moment absolute_calendar(struct task *task);

// The nearest one, or the one before or after the anchor when the text says so.
struct moment absolute_holiday(struct task *task);

// A decade or years in plural: the 1990s, the '90s, the nineties.
struct moment absolute_decade(struct task *task);

#endif
