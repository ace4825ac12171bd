#include "services/dates/resolve.h"

#include "services/dates/absolute.h"
#include "services/dates/parts.h"
#include "services/dates/period.h"
#include "services/dates/relative.h"

#include <stdio.h>

static const char *ref_value(int32_t ref)
{
    return ref == REF_PAST ? "PAST_REF" : ref == REF_FUTURE ? "FUTURE_REF" : "PRESENT_REF";
}

static bool no_point(struct task *task)
{
    struct result *result = task->result;
    switch (task->frame->op) {
    case OP_DURATION:
    case OP_SPELL:
    case OP_SUM:
        result->type = "DURATION";
        period_print(task, result->value, sizeof result->value);
        return true;
    case OP_SET:
        result->type = "SET";
        period_print_set(task);
        return true;
    case OP_REF:
        result->type = "DATE";
        snprintf(result->value, sizeof result->value, "%s",
                 ref_value(task_get(task, CLASS_REF, task_get(task, CLASS_TENSE, REF_PRESENT))));
        return true;
    case OP_SHIFT:
        if (!task_has(task, CLASS_SOME) || task_has(task, CLASS_NUM)) {
            return false;
        }
        result->type = "DATE";
        snprintf(result->value, sizeof result->value, "%s",
                 ref_value(relative_sign(task) < 0 ? REF_PAST : REF_FUTURE));
        return true;
    default:
        return false;
    }
}

static struct moment point(struct task *task)
{
    switch (task->frame->op) {
    case OP_CALENDAR:
        return absolute_calendar(task);
    case OP_UNIT:
        return relative_unit(task);
    case OP_SHIFT:
        return relative_shift(task);
    case OP_NTH:
        return parts_nth(task);
    case OP_YEARPART:
        return parts_year_part(task);
    case OP_DEICTIC:
    case OP_TONIGHT:
        return relative_deictic(task);
    case OP_HOLIDAY:
        return absolute_holiday(task);
    case OP_DECADE:
        return absolute_decade(task);
    case OP_CLOCK:
        return relative_clock(task);
    default:
        return moment_of(GRAIN_NONE);
    }
}

// Hour and minute of "5 p.m.", "17:05", "4 in the morning".
static void set_time(const struct task *task, struct moment *moment)
{
    bool tonight = task->frame->op == OP_TONIGHT;
    moment->part = task_get(task, CLASS_PART, tonight ? lexicon_pack('N', 'I') : 0);
    int32_t packed = task_get(task, CLASS_CLOCK, -1);
    if (packed < 0 || (packed & 0xfff) > 1440) {
        return;
    }
    int32_t minutes = packed & 0xfff;
    int32_t part = moment->part;
    bool late = task_get(task, CLASS_HALFDAY, 0) == 2 || part == lexicon_pack('A', 'F') ||
                part == lexicon_pack('E', 'V') ||
                (part == lexicon_pack('N', 'I') && minutes >= 300);
    if (late && minutes < 720) {
        minutes += 720;
    } else if (task_get(task, CLASS_HALFDAY, 0) == 1 && minutes >= 720) {
        minutes -= 720;
    }
    moment->clock = minutes;
    moment->seconds = packed >> 12 ? (packed >> 12) - 1 : -1;
}

// A start without a year of its own takes the end's, and lies before it.
static void order_range(struct task *task)
{
    struct moment *start = &task->result->moment;
    struct result end;
    int32_t start_day;
    int32_t end_day;
    bool own_year =
        task_has(task, CLASS_YEAR) || task_has(task, CLASS_NUMERIC) || task_has(task, CLASS_DIR);
    if (!task->frame->range_end || own_year || task->frame->op != OP_CALENDAR ||
        !task_has(task, CLASS_MONTH) || task->island->frames[task->frame->range_end].range_end) {
        return;
    }
    resolve_frame(task->resolver, task->island, task->frame->range_end, &end);
    if (!end.is_point || !moment_first_day(&end.moment, &end_day) ||
        end.moment.grain >= GRAIN_YEAR) {
        return;
    }
    start->year = end.moment.year;
    if (moment_first_day(start, &start_day) && start_day > end_day) {
        start->year--;
    }
}

// Hundredths: how often an expression was found and valued as the annotators did, on TimeBank and AQUAINT (256
// articles), by op and what it was counted from. A future cue is right in 62 of 100.
static double confidence_of(const struct task *task)
{
    static const struct {
        uint8_t self, published, last;
    } shares[] = {
        [OP_CALENDAR] = {96, 88, 80}, [OP_UNIT] = {80, 75, 60},     [OP_SHIFT] = {60, 60, 56},
        [OP_NTH] = {90, 90, 80},      [OP_YEARPART] = {98, 93, 80}, [OP_DEICTIC] = {94, 94, 94},
        [OP_TONIGHT] = {94, 94, 94},  [OP_HOLIDAY] = {80, 70, 70},  [OP_DECADE] = {90, 90, 90},
        [OP_REF] = {63, 63, 63},      [OP_CLOCK] = {60, 55, 50},    [OP_DURATION] = {69, 69, 69},
        [OP_SET] = {63, 63, 63},      [OP_SPELL] = {81, 81, 81},    [OP_SUM] = {80, 80, 80},
    };
    enum { FUTURE_SHARE = 62 };
    size_t op = task->frame->op;
    char on = task->result->anchored_on[0];
    if (op >= sizeof shares / sizeof shares[0]) {
        return 0.5;
    }
    if (task->result->cue == CUE_FUTURE) {
        return FUTURE_SHARE / 100.0;
    }
    return (on == 'p'   ? shares[op].published
            : on == 'l' ? shares[op].last
                        : shares[op].self) /
           100.0;
}

void resolve_frame(struct resolver *resolver, const struct island *island, size_t n,
                   struct result *result)
{
    struct task task = {resolver, island, &island->frames[n], result};
    *result = (struct result){.type = "DATE", .anchored_on = "self"};
    result->mod = (enum mod)task_get(&task, CLASS_MOD, task_get(&task, CLASS_EDGE, MOD_NONE));
    if (!result->mod && task_has(&task, CLASS_APPROX)) {
        result->mod = MOD_APPROX;
    }
    if (!result->mod && task_has(&task, CLASS_AGO) && task.frame->op != OP_SHIFT) {
        result->mod = task_get(&task, CLASS_AGO, 0) < 0 ? MOD_START : MOD_END;
    }
    if (no_point(&task)) {
        result->confidence = confidence_of(&task);
        return;
    }
    result->moment = point(&task);
    order_range(&task);
    if (result->moment.grain == GRAIN_NONE) {
        return;
    }
    result->is_point = true;
    set_time(&task, &result->moment);
    bool timed = result->moment.part || result->moment.clock >= 0;
    result->type = timed ? "TIME" : "DATE";
    result->confidence = confidence_of(&task);
    (void)moment_print(&result->moment, result->value);
}
