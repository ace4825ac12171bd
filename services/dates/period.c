#include "services/dates/period.h"

#include <stdio.h>

static const char *unit_letter(enum unit unit)
{
    static const char *const letters[] = {"X", "S", "M", "H", "D", "W", "W",
                                          "M", "Q", "Y", "E", "C", "L"};
    return letters[unit];
}

// The smaller unit that a half is written in: half an hour is PT30M.
static bool half_in_smaller(enum unit unit, int32_t *count, enum unit *smaller)
{
    static const struct {
        uint8_t unit, smaller, half;
    } halves[] = {
        {UNIT_MINUTE, UNIT_SECOND, 30}, {UNIT_HOUR, UNIT_MINUTE, 30}, {UNIT_DAY, UNIT_HOUR, 12},
        {UNIT_YEAR, UNIT_MONTH, 6},     {UNIT_DECADE, UNIT_YEAR, 5},  {UNIT_CENTURY, UNIT_YEAR, 50},
    };
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        if (halves[i].unit == unit) {
            *count = halves[i].half;
            *smaller = (enum unit)halves[i].smaller;
            return true;
        }
    }
    return false;
}

static bool is_clock_unit(enum unit unit)
{
    return unit >= UNIT_SECOND && unit <= UNIT_HOUR;
}

// Appends "2Y", "T30M" or "X" and the unit; `timed` tells whether the T was written.
static void add_count(char *out, size_t size, int32_t hundredths, enum unit unit, bool *timed)
{
    size_t len = strlen(out);
    const char *time = is_clock_unit(unit) && !*timed ? "T" : "";
    *timed |= is_clock_unit(unit);
    if (hundredths == 0) {
        snprintf(out + len, size - len, "%sX%s", time, unit_letter(unit));
    } else if (hundredths % 100 == 0) {
        snprintf(out + len, size - len, "%s%d%s", time, hundredths / 100, unit_letter(unit));
    } else {
        bool tenths = hundredths % 10 == 0;
        snprintf(out + len, size - len, "%s%d.%0*d%s", time, hundredths / 100, tenths ? 1 : 2,
                 tenths ? hundredths % 100 / 10 : hundredths % 100, unit_letter(unit));
    }
}

static void add_period(const struct frame *frame, char *out, size_t size, bool *timed)
{
    enum unit unit =
        (enum unit)frame_get(frame, CLASS_UNIT, frame_get(frame, CLASS_PLURAL, UNIT_NONE));
    int32_t num = frame_get(frame, CLASS_NUM, frame_has(frame, CLASS_SOME) ? 0 : 100);
    int32_t half;
    enum unit smaller;
    num += frame_has(frame, CLASS_NUM) ? frame_get(frame, CLASS_TIMES, 0) : 0;
    num *= unit == UNIT_FORTNIGHT ? 2 : 1;
    if (num % 100 == 50 && half_in_smaller(unit, &half, &smaller)) {
        if (num > 100) {
            add_count(out, size, num - 50, unit, timed);
        }
        add_count(out, size, half * 100, smaller, timed);
    } else {
        add_count(out, size, num, unit, timed);
    }
}

void period_print(const struct task *task, char *out, size_t size)
{
    bool timed = false;
    snprintf(out, size, "P");
    add_period(task->frame, out, size, &timed);
    if (task->frame->op == OP_SUM && task->frame->base) {
        add_period(&task->island->frames[task->frame->base], out, size, &timed);
    }
}

void period_print_set(struct task *task)
{
    struct result *result = task->result;
    if (task_has(task, CLASS_WEEKDAYS)) {
        snprintf(result->value, sizeof result->value, "XXXX-WXX-%d",
                 task_get(task, CLASS_WEEKDAYS, 1));
    } else if (task_has(task, CLASS_WEEKDAY)) {
        snprintf(result->value, sizeof result->value, "XXXX-WXX-%d",
                 task_get(task, CLASS_WEEKDAY, 1));
    } else if (task_has(task, CLASS_PART)) {
        int32_t part = task_get(task, CLASS_PART, 0);
        snprintf(result->value, sizeof result->value, "T%c%c", part / 256, part % 256);
    } else if (task_has(task, CLASS_MONTH)) {
        snprintf(result->value, sizeof result->value, "XXXX-%02d", task_get(task, CLASS_MONTH, 1));
    } else if (task_has(task, CLASS_SEASON)) {
        int32_t season = task_get(task, CLASS_SEASON, 0);
        snprintf(result->value, sizeof result->value, "XXXX-%c%c", season / 256, season % 256);
    } else if (task_has(task, CLASS_PERIODIC)) {
        struct frame frame = *task->frame;
        frame_set(&frame, CLASS_UNIT, task_get(task, CLASS_PERIODIC, UNIT_DAY));
        struct task inner = *task;
        inner.frame = &frame;
        period_print(&inner, result->value, sizeof result->value);
    } else {
        period_print(task, result->value, sizeof result->value);
    }
    if (task_has(task, CLASS_EACH)) {
        snprintf(result->quant, sizeof result->quant, "EVERY");
    }
}
