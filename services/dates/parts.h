// Parts of something: the third quarter, the first Monday of September, October of that year, the 18th century.
#ifndef COPYDESK_DATES_PARTS_H
#define COPYDESK_DATES_PARTS_H

#include "services/dates/task.h"

// A quarter or half of a year.
struct moment parts_year_part(struct task *task);

// The nth unit or weekday of what is inside, or the month of the year inside.
struct moment parts_nth(struct task *task);

#endif
