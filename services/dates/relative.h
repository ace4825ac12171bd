// Expressions that count from the anchor or from what was said before: last week, tomorrow, three days later, 5 p.m.
#ifndef COPYDESK_DATES_RELATIVE_H
#define COPYDESK_DATES_RELATIVE_H

#include "services/dates/task.h"

// A unit that lies before, around or after: last week, this month, the following year, the weekend.
struct moment relative_unit(struct task *task);

// today, tomorrow
struct moment relative_deictic(struct task *task);

// A duration before or after something: two days ago, a year later, three weeks before Christmas; last night.
struct moment relative_shift(struct task *task);

// -1 when such a shift goes back, 1 when it goes ahead.
int32_t relative_sign(const struct task *task);

// The day of a clock time that stands alone: the one last spoken of, else the day of publication.
struct moment relative_clock(struct task *task);

#endif
