#include "services/dates/relative.h"

// "The latest period" of a company: the quarter last spoken of, else the last one that was over.
static struct moment latest_quarter(struct task *task)
{
    int32_t day;
    if (task->resolver->has_quarter) {
        task->result->anchored_on = "last";
        return task->resolver->quarter;
    }
    if (!task_anchor(task, &day)) {
        return moment_of(GRAIN_QUARTER);
    }
    struct moment now = moment_at(day, GRAIN_QUARTER);
    return moment_shift(&now, -1, UNIT_QUARTER);
}

// -1, 0 or 1: whether the unit lies before, around or after.
static int32_t step_of(int32_t dir)
{
    return dir == DIR_LAST || dir == DIR_PRECEDING ? -1 : dir == DIR_NEXT || dir == DIR_FOLLOWING;
}

// A unit counted from what was said last. The day of a coarser moment is not to be told.
static struct moment beside_last(const struct task *task, int32_t last_day, enum unit unit,
                                 enum grain grain)
{
    int32_t count = step_of(task_get(task, CLASS_DIR, DIR_THE));
    struct moment moment = moment_at(last_day, grain);
    task->result->anchored_on = "last";
    if (grain == GRAIN_DAY && task->resolver->last.grain > grain) {
        moment = task->resolver->last;
        moment.grain = GRAIN_DAY;
        moment.day = 0;
        return moment;
    }
    return count ? moment_shift(&moment, count, unit) : moment;
}

// The weekend without a direction: the one that is, the coming one in a future clause, else the last one.
static int32_t weekend_step(struct task *task, int32_t day)
{
    bool ahead = task_direction(task) == CUE_FUTURE;
    return ahead || calendar_weekday(day) >= SATURDAY ? 0 : -1;
}

struct moment relative_unit(struct task *task)
{
    bool weekend = task_has(task, CLASS_WEEKEND);
    enum unit unit = weekend ? UNIT_WEEK : (enum unit)task_get(task, CLASS_UNIT, UNIT_NONE);
    enum grain grain = weekend ? GRAIN_WEEKEND : moment_grain(unit);
    int32_t dir = task_get(task, CLASS_DIR, DIR_THE);
    bool spoken_of = dir == DIR_THE || dir == DIR_THAT;
    int32_t day;
    if (unit == UNIT_NONE) {
        return latest_quarter(task);
    }
    if (grain == GRAIN_NONE) {
        return task_unknown(task);
    }
    if (grain == GRAIN_QUARTER && spoken_of && task->resolver->has_quarter) {
        task->result->anchored_on = "last";
        return task->resolver->quarter;
    }
    if (task_hangs_on_last(task, dir) && moment_first_day(&task->resolver->last, &day)) {
        return beside_last(task, day, unit, grain);
    }
    int32_t count = step_of(dir);
    if (!task_anchor(task, &day)) {
        task_relate(task, unit, count);
        return moment_of(grain);
    }
    if (weekend && !task_has(task, CLASS_DIR)) {
        count = weekend_step(task, day);
    }
    struct moment moment = moment_at(day, grain);
    return count ? moment_shift(&moment, count, unit) : moment;
}

struct moment relative_deictic(struct task *task)
{
    int32_t offset = task_get(task, CLASS_DEICTIC, 0);
    struct resolver *r = task->resolver;
    struct moment moment = moment_of(GRAIN_DAY);
    task->result->anchored_on = r->has_anchor ? "published" : "none";
    task_relate(task, UNIT_DAY, offset);
    return r->has_anchor ? moment_at(r->anchor + offset, GRAIN_DAY) : moment;
}

// Where a shifted expression is counted from: its own base, the last one, or the day of publication.
static bool shift_base(struct task *task, struct moment *base)
{
    struct resolver *r = task->resolver;
    int32_t ago = task_get(task, CLASS_AGO, -1);
    bool from_now = task->frame->base && task->island->frames[task->frame->base].op == OP_REF;
    if (task->frame->base && !from_now) {
        struct result inner = {0};
        resolve_frame(r, task->island, task->frame->base, &inner);
        *base = inner.moment;
        task->result->anchored_on = inner.anchored_on;
        return inner.is_point;
    }
    bool beside = task_has(task, CLASS_SIDE) && !task->frame->base;
    if ((ago == 2 || ago == -2 || beside) && r->has_last) {
        *base = r->last;
        task->result->anchored_on = "last";
        return true;
    }
    task->result->anchored_on = r->has_anchor ? "published" : "none";
    *base = r->has_anchor ? moment_at(r->anchor, GRAIN_DAY) : moment_of(GRAIN_DAY);
    return r->has_anchor;
}

int32_t relative_sign(const struct task *task)
{
    if (task_has(task, CLASS_SIDE)) {
        return task_get(task, CLASS_SIDE, 1);
    }
    return task_get(task, CLASS_AGO, -1) < 0 ? -1 : 1;
}

// "last night", "the next morning"
static struct moment day_of_part(struct task *task)
{
    int32_t dir = task_get(task, CLASS_DIR, DIR_THIS);
    int32_t day;
    if (task_hangs_on_last(task, dir) && moment_first_day(&task->resolver->last, &day)) {
        task->result->anchored_on = "last";
    } else if (!task_anchor(task, &day)) {
        return moment_of(GRAIN_DAY);
    }
    return moment_at(day + step_of(dir), GRAIN_DAY);
}

// The base moved by `count` units of a day or more.
static struct moment move(struct task *task, struct moment base, int32_t count, enum unit unit)
{
    enum grain grain = moment_grain(unit);
    const struct resolver *r = task->resolver;
    bool nested = task->frame->base != FRAME_NONE;
    int32_t day;
    if (grain == GRAIN_DAY && (base.grain > grain || base.grain == GRAIN_NONE)) {
        base.grain = GRAIN_DAY; // three days after "the end of June": some day of that month
        base.fuzzy = true;
        base.day = 0;
        return base;
    }
    if (!moment_first_day(&base, &day)) {
        return moment_of(grain);
    }
    if (unit == UNIT_YEAR && r->has_quarter && !nested && (count == 1 || count == -1)) {
        task->result->anchored_on = "last"; // a year earlier, of a quarter
        return moment_shift(&r->quarter, count, unit);
    }
    // A quarter or a month is moved as it is; a day becomes the unit that is counted, unless it was named here.
    bool keeps = base.grain == GRAIN_QUARTER || base.grain == GRAIN_MONTH ||
                 (nested && base.grain == GRAIN_DAY);
    struct moment at = keeps && grain > base.grain ? base : moment_at(day, grain);
    return moment_shift(&at, count, unit);
}

struct moment relative_shift(struct task *task)
{
    enum unit unit = task_unit(task);
    enum grain grain = moment_grain(unit);
    int32_t count = task_get(task, CLASS_NUM, 100) / 100 * relative_sign(task);
    struct moment base;
    if (unit == UNIT_NONE && task_has(task, CLASS_PART)) {
        return day_of_part(task);
    }
    bool based = shift_base(task, &base);
    if (grain == GRAIN_NONE) {
        task_relate(task, UNIT_DAY, 0);
        int32_t days = unit == UNIT_HOUR ? count / 24 : 0;
        return based ? moment_shift(&base, days, UNIT_DAY) : moment_of(GRAIN_DAY);
    }
    task_relate(task, unit, count);
    return based ? move(task, base, count, unit) : moment_of(grain);
}

struct moment relative_clock(struct task *task)
{
    struct resolver *r = task->resolver;
    if (r->has_last && r->last.grain == GRAIN_DAY) {
        task->result->anchored_on = "last";
        struct moment moment = r->last;
        moment.part = 0;
        moment.clock = moment.seconds = -1;
        return moment;
    }
    task->result->anchored_on = r->has_anchor ? "published" : "none";
    return r->has_anchor ? moment_at(r->anchor, GRAIN_DAY) : moment_of(GRAIN_DAY);
}
