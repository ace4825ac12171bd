#include "services/dates/absolute.h"

#include "services/dates/holiday.h"

#include <stdio.h>
#include <stdlib.h>

static struct moment with_year(struct task *task)
{
    int32_t year = task_get(task, CLASS_YEAR, 0);
    int32_t month = task_get(task, CLASS_MONTH, 0);
    int32_t day = task_get(task, CLASS_DAY, 0);
    int32_t era = task_get(task, CLASS_ERA, 1);
    if (!task_has(task, CLASS_YEAR)) {
        year = task_get(task, CLASS_NUM, 0) / 100;
    }
    year = era < 0 ? -year : year;
    task->result->anchored_on = "self";
    if (year == 0 || (month && day && !task_exists(year, month, day))) {
        return moment_of(GRAIN_NONE);
    }
    if (task_has(task, CLASS_SEASON)) {
        struct moment moment = task_dated(year, 0, 0, GRAIN_SEASON);
        moment.sub = task_get(task, CLASS_SEASON, 0);
        return moment;
    }
    return task_dated(year, month, day,
                      month && day ? GRAIN_DAY
                      : month      ? GRAIN_MONTH
                                   : GRAIN_YEAR);
}

static struct moment numeric_day(struct task *task)
{
    int32_t packed = task_get(task, CLASS_NUMERIC, 0);
    task->result->anchored_on = "self";
    int32_t day = packed % 100;
    return task_dated(packed / 10000, packed / 100 % 100, day, day ? GRAIN_DAY : GRAIN_MONTH);
}

// In a narrative a month belongs to the year last spoken of.
static bool narrative_year(struct task *task, int32_t *year)
{
    const struct resolver *r = task->resolver;
    bool usable = r->narrative && r->has_last && !task_has(task, CLASS_DIR) &&
                  r->last.year != MOMENT_UNKNOWN && r->last.grain < GRAIN_DECADE;
    *year = r->last.year;
    if (usable) {
        task->result->anchored_on = "last";
    }
    return usable;
}

// Month and day without year: the year that brings it nearest to the anchor, and fits the weekday when
// there is one.
static struct moment month_day(struct task *task, int32_t month, int32_t day)
{
    int32_t anchor;
    int32_t weekday = task_get(task, CLASS_WEEKDAY, 0);
    int32_t told;
    if (!task_exists(2000, month, day)) {
        return task_unknown(task);
    }
    if (narrative_year(task, &told) && task_exists(told, month, day)) {
        return task_dated(told, month, day, GRAIN_DAY);
    }
    if (!task_anchor(task, &anchor)) {
        return task_dated(MOMENT_UNKNOWN, month, day, GRAIN_DAY);
    }
    int32_t year = calendar_civil(anchor).year;
    int32_t dir = task_get(task, CLASS_DIR, 0);
    int32_t best = MOMENT_UNKNOWN;
    int64_t best_score = INT64_MAX;
    for (int32_t y = year - 3; y <= year + 3; y++) {
        if (!task_exists(y, month, day) || y < 1) {
            continue;
        }
        int32_t at = calendar_day((struct civil){y, month, day});
        int64_t score = llabs((long long)at - anchor);
        score += weekday && (int32_t)calendar_weekday(at) != weekday ? 100000 : 0;
        score += (dir < 0 && at > anchor) || (dir == DIR_NEXT && at < anchor) ? 1000000 : 0;
        if (score < best_score) {
            best_score = score;
            best = y;
        }
    }
    bool unfit = best_score >= 100000 && best_score < 1000000;
    best = unfit ? year : best;
    return task_dated(task_exists(best, month, day) ? best : year, month, day, GRAIN_DAY);
}

static struct moment month_only(struct task *task, int32_t month)
{
    int32_t anchor;
    int32_t told;
    if (narrative_year(task, &told)) {
        return task_dated(told, month, 0, GRAIN_MONTH);
    }
    if (!task_anchor(task, &anchor)) {
        return task_dated(MOMENT_UNKNOWN, month, 0, GRAIN_MONTH);
    }
    struct civil today = calendar_civil(anchor);
    int32_t year = today.year;
    if (task_has(task, CLASS_DIR)) {
        int32_t dir = task_get(task, CLASS_DIR, 0);
        bool of_year = task_get(task, CLASS_UNIT, UNIT_NONE) == UNIT_YEAR; // January last year
        year += dir < 0 && (of_year || month >= today.month)   ? -1
                : dir > 0 && (of_year || month <= today.month) ? 1
                                                               : 0;
    } else if (task_direction(task) == CUE_FUTURE) {
        year += month < today.month;
    } else {
        year -= month > today.month;
    }
    return task_dated(year, month, 0, GRAIN_MONTH);
}

static struct moment weekday_only(struct task *task, int32_t weekday)
{
    struct resolver *r = task->resolver;
    int32_t anchor;
    struct moment moment = moment_of(GRAIN_DAY);
    moment.weekday = weekday;
    int32_t dir = task_get(task, CLASS_DIR, DIR_NONE);
    bool on_last = (dir == DIR_FOLLOWING || dir == DIR_PRECEDING) && r->has_last &&
                   moment_first_day(&r->last, &anchor);
    if (on_last) {
        task->result->anchored_on = "last";
    } else if (!task_anchor(task, &anchor)) {
        snprintf(task->result->relation, RELATION_SIZE, "W0-%d", weekday);
        return moment;
    }
    int32_t back = ((int32_t)calendar_weekday(anchor) - weekday + 7) % 7;
    int32_t day = anchor - back;
    if (dir == DIR_LAST || dir == DIR_PRECEDING) {
        day = back == 0 ? anchor - 7 : day;
    } else if (dir == DIR_NEXT || dir == DIR_FOLLOWING) {
        day = anchor + (7 - back);
    } else if (dir == DIR_THIS) {
        day = anchor - (int32_t)calendar_weekday(anchor) + weekday;
    } else if (task_direction(task) == CUE_FUTURE && back > 0) {
        day = anchor + (7 - back);
    }
    return moment_at(day, GRAIN_DAY);
}

// "Tuesday the 19th": the nearest such day that is a Tuesday.
static struct moment weekday_and_day(struct task *task)
{
    int32_t anchor;
    int32_t number = task_get(task, CLASS_ORD, 0);
    int32_t weekday = task_get(task, CLASS_WEEKDAY, 0);
    if (!task_anchor(task, &anchor) || number < 1 || number > 31) {
        return task_unknown(task);
    }
    for (int32_t off = 0; off < 120; off++) {
        for (int32_t sign = 1; sign >= -1; sign -= 2) {
            struct civil date = calendar_civil(anchor + sign * off);
            if (date.day == number && (int32_t)calendar_weekday(anchor + sign * off) == weekday) {
                return moment_at(anchor + sign * off, GRAIN_DAY);
            }
        }
    }
    return task_unknown(task);
}

// "on the 18th": of the month last spoken of, else of the month of publication.
static struct moment day_only(struct task *task, int32_t day)
{
    struct resolver *r = task->resolver;
    int32_t anchor;
    if (r->has_last && r->last.month && r->last.year != MOMENT_UNKNOWN) {
        task->result->anchored_on = "last";
        return task_exists(r->last.year, r->last.month, day)
                   ? task_dated(r->last.year, r->last.month, day, GRAIN_DAY)
                   : task_unknown(task);
    }
    if (!task_anchor(task, &anchor)) {
        return task_dated(MOMENT_UNKNOWN, 0, day, GRAIN_DAY);
    }
    struct civil date = calendar_civil(anchor);
    return task_exists(date.year, date.month, day)
               ? task_dated(date.year, date.month, day, GRAIN_DAY)
               : task_unknown(task);
}

// Years between the season of the anchor's year, which begins `ahead` days after it, and the one that is meant.
static int32_t season_offset(struct task *task, int32_t ahead)
{
    switch (task_get(task, CLASS_DIR, DIR_NONE)) {
    case DIR_LAST:
    case DIR_PRECEDING:
        return ahead + 80 > 0 ? -1 : 0;
    case DIR_NEXT:
    case DIR_FOLLOWING:
        return ahead <= 0 ? 1 : 0;
    case DIR_NONE:
        return task_direction(task) == CUE_FUTURE && ahead < -90 ? 1 : 0;
    default:
        return 0;
    }
}

static struct moment season_only(struct task *task)
{
    int32_t anchor;
    struct moment moment = moment_of(GRAIN_SEASON);
    moment.sub = task_get(task, CLASS_SEASON, 0);
    if (!task->resolver->has_anchor && narrative_year(task, &moment.year)) {
        return moment;
    }
    if (!task_anchor(task, &anchor)) {
        return moment;
    }
    moment.year = calendar_civil(anchor).year;
    int32_t first;
    if (narrative_year(task, &first)) {
        moment.year = first;
        return moment;
    }
    if (moment_first_day(&moment, &first)) {
        moment.year += season_offset(task, first - anchor);
    }
    return moment;
}

struct moment absolute_calendar(struct task *task)
{
    if (task_has(task, CLASS_NUMERIC)) {
        return numeric_day(task);
    }
    if (task_has(task, CLASS_YEAR) || task_has(task, CLASS_ERA)) {
        return with_year(task);
    }
    if (task_has(task, CLASS_SEASON)) {
        return season_only(task);
    }
    int32_t month = task_get(task, CLASS_MONTH, 0);
    if (month && task_has(task, CLASS_DAY)) {
        return month_day(task, month, task_get(task, CLASS_DAY, 0));
    }
    if (month) {
        return month_only(task, month);
    }
    if (task_has(task, CLASS_DAY)) {
        return day_only(task, task_get(task, CLASS_DAY, 0));
    }
    if (task_has(task, CLASS_WEEKDAY) && task_has(task, CLASS_ORD)) {
        return weekday_and_day(task);
    }
    return weekday_only(task, task_get(task, CLASS_WEEKDAY, 1));
}

struct moment absolute_holiday(struct task *task)
{
    int32_t anchor;
    struct civil date;
    struct moment moment = moment_of(GRAIN_DAY);
    int32_t which = task_get(task, CLASS_HOLIDAY, 0);
    if (task_has(task, CLASS_YEAR)) {
        task->result->anchored_on = "self";
        return holiday_date(which, task_get(task, CLASS_YEAR, 0), &date)
                   ? task_dated(date.year, date.month, date.day, GRAIN_DAY)
                   : task_unknown(task);
    }
    if (!task_anchor(task, &anchor)) {
        if (holiday_date(which, 2001, &date) && holiday_is_fixed(which)) {
            return task_dated(MOMENT_UNKNOWN, date.month, date.day, GRAIN_DAY);
        }
        return moment;
    }
    int32_t dir = task_get(task, CLASS_DIR, 0);
    int32_t best = INT32_MAX;
    for (int32_t year = calendar_civil(anchor).year - 1; year <= calendar_civil(anchor).year + 1;
         year++) {
        if (!holiday_date(which, year, &date)) {
            return task_unknown(task);
        }
        int32_t off = calendar_day(date) - anchor;
        int32_t distance = abs(off) + ((dir < 0 && off >= 0) || (dir > 0 && off <= 0) ? 1000 : 0);
        if (distance < best) {
            best = distance;
            moment = task_dated(date.year, date.month, date.day, GRAIN_DAY);
        }
    }
    return moment;
}

struct moment absolute_decade(struct task *task)
{
    struct moment moment = moment_of(GRAIN_DECADE);
    moment.year = task_get(task, CLASS_DECADE, 0) * 10;
    task->result->anchored_on = "self";
    return moment;
}
