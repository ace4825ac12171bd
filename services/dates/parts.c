#include "services/dates/parts.h"

struct moment parts_year_part(struct task *task)
{
    int32_t parts = task_get(task, CLASS_YEARPART, 4);
    enum grain grain = parts == 2 ? GRAIN_HALF : GRAIN_QUARTER;
    int32_t ord = task_get(task, CLASS_QNUM, task_get(task, CLASS_ORD, 0));
    struct moment base;
    struct moment moment = moment_of(grain);
    int32_t anchor;
    if (ord == 0 && task_has(task, CLASS_YEAR) && task->resolver->has_quarter && parts == 4) {
        ord = task->resolver->quarter.sub; // the 1988 quarter
    }
    if (ord == 0) {
        ord = task_get(task, CLASS_MOD, MOD_START) == MOD_END ? -1 : 1;
        task->result->mod = MOD_NONE;
    }
    moment.sub = ord < 0 ? parts : ord;
    if (moment.sub > parts) {
        return task_unknown(task);
    }
    if (task_has(task, CLASS_YEAR)) {
        moment.year = task_get(task, CLASS_YEAR, 0);
        task->result->anchored_on = "self";
    } else if (task_inner(task, &base)) {
        if (base.grain > GRAIN_YEAR) {
            task->result->mod = moment.sub > parts / 2 ? MOD_END : MOD_START;
            return base;
        }
        moment.year = base.year;
    } else if (task_anchor(task, &anchor)) {
        struct moment now = moment_at(anchor, grain);
        moment.year = now.year - (moment.sub > now.sub && task_direction(task) != CUE_FUTURE);
    }
    return moment;
}

static int32_t nth_weekday(int32_t first, int32_t last, int32_t weekday, int32_t ord)
{
    if (ord < 0) {
        return last - ((int32_t)calendar_weekday(last) - weekday + 7) % 7;
    }
    return first + (weekday - (int32_t)calendar_weekday(first) + 7) % 7 + (ord - 1) * 7;
}

// First and last day of a moment.
static bool moment_days(const struct moment *moment, int32_t *first, int32_t *last)
{
    static const uint8_t units[] = {
        [GRAIN_DAY] = UNIT_DAY,         [GRAIN_WEEK] = UNIT_WEEK,       [GRAIN_MONTH] = UNIT_MONTH,
        [GRAIN_QUARTER] = UNIT_QUARTER, [GRAIN_SEASON] = UNIT_QUARTER,  [GRAIN_YEAR] = UNIT_YEAR,
        [GRAIN_DECADE] = UNIT_DECADE,   [GRAIN_CENTURY] = UNIT_CENTURY, [GRAIN_HALF] = UNIT_QUARTER,
        [GRAIN_WEEKEND] = UNIT_WEEK,    [GRAIN_NONE] = UNIT_DAY,
    };
    if (!moment_first_day(moment, first) || moment->grain >= sizeof units) {
        return false;
    }
    struct moment next = moment_shift(moment, 1, (enum unit)units[moment->grain]);
    if (!moment_first_day(&next, last)) {
        return false;
    }
    (*last)--;
    return *last >= *first;
}

static struct moment century(int32_t ord, int32_t era)
{
    struct moment moment = moment_of(GRAIN_CENTURY);
    moment.year = (ord - 1) * 100 * era;
    return moment;
}

// "October of that year", "the summer of last year".
static struct moment part_of_year(const struct task *task, const struct moment *year)
{
    int32_t month = task_get(task, CLASS_MONTH, 0);
    int32_t day = month ? task_get(task, CLASS_DAY, 0) : 0;
    struct moment moment = task_dated(year->year, month, day,
                                      day     ? GRAIN_DAY
                                      : month ? GRAIN_MONTH
                                              : GRAIN_SEASON);
    moment.sub = month ? 0 : task_get(task, CLASS_SEASON, 0);
    return moment;
}

struct moment parts_nth(struct task *task)
{
    enum unit unit = task_unit(task);
    int32_t dir = task_get(task, CLASS_DIR, DIR_NEXT);
    int32_t ord = task_get(task, CLASS_ORD, dir == DIR_LAST ? -1 : 1);
    struct moment base;
    int32_t first;
    int32_t last;
    if (task_has(task, CLASS_YEARPART)) {
        return parts_year_part(task);
    }
    if (!task->frame->base && unit == UNIT_CENTURY && ord > 0) {
        return century(ord, task_get(task, CLASS_ERA, 1));
    }
    if (!task_inner(task, &base)) {
        return task_unknown(task);
    }
    if (task_has(task, CLASS_MONTH) || task_has(task, CLASS_SEASON)) {
        return part_of_year(task, &base);
    }
    if (!moment_days(&base, &first, &last)) {
        return task_unknown(task);
    }
    if (task_has(task, CLASS_WEEKDAY) && !task_has(task, CLASS_MONTH)) {
        return moment_at(nth_weekday(first, last, task_get(task, CLASS_WEEKDAY, 1), ord),
                         GRAIN_DAY);
    }
    enum grain grain = task_has(task, CLASS_WEEKEND) ? GRAIN_WEEKEND : moment_grain(unit);
    if (grain == GRAIN_NONE || grain >= GRAIN_DECADE) {
        return task_unknown(task);
    }
    if (ord < 0) {
        return moment_at(last, grain);
    }
    struct moment moment = moment_at(first, grain);
    return ord > 1 ? moment_shift(&moment, ord - 1, unit) : moment;
}
