// Values of durations and sets: P3D, PT1H30M, PXW, XXXX-WXX-1.
#ifndef COPYDESK_DATES_PERIOD_H
#define COPYDESK_DATES_PERIOD_H

#include "services/dates/task.h"

// Prints the length of a duration to `out`. A half is written in the smaller unit; a vague number as X.
void period_print(const struct task *task, char *out, size_t size);

// Sets value and quant of a set: every two weeks, daily, on every Monday.
void period_print_set(struct task *task);

#endif
