#include "services/dates/task.h"

#include <stdio.h>

enum cue task_direction(struct task *task)
{
    struct resolver *r = task->resolver;
    struct cue_found found = cues_find(r->lexicon, r->pieces, r->text, task->frame->first);
    task->result->cue = found.cue;
    return found.cue;
}

bool task_anchor(struct task *task, int32_t *day)
{
    struct resolver *r = task->resolver;
    if (r->narrative && r->has_last && moment_first_day(&r->last, day)) {
        task->result->anchored_on = "last";
        return true;
    }
    *day = r->anchor;
    task->result->anchored_on = r->has_anchor ? "published" : "none";
    return r->has_anchor;
}

struct moment task_unknown(struct task *task)
{
    task->result->anchored_on = "none";
    return moment_of(GRAIN_NONE);
}

struct moment task_dated(int32_t year, int32_t month, int32_t day, enum grain grain)
{
    struct moment moment = moment_of(grain);
    moment.year = year;
    moment.month = month;
    moment.day = day;
    return moment;
}

bool task_exists(int32_t year, int32_t month, int32_t day)
{
    return calendar_is_valid(
        (struct civil){year < 1 || year == MOMENT_UNKNOWN ? 2000 : year, month, day});
}

void task_relate(struct task *task, enum unit unit, int32_t count)
{
    static const char letters[] = {0, 0, 0, 0, 'D', 'W', 'W', 'M', 'Q', 'Y', 'E', 'C', 'K'};
    snprintf(task->result->relation, RELATION_SIZE, count < 0 ? "%c%d" : "%c+%d", letters[unit],
             count);
}

bool task_hangs_on_last(const struct task *task, int32_t dir)
{
    const struct resolver *r = task->resolver;
    const struct piece *first = &r->pieces->at[task->frame->first];
    const struct entry *entry = &r->lexicon->entries[first->entry];
    bool with_the = entry->sense_count > 0 && entry->senses[0].class == CLASS_THE;
    return r->has_last && (dir == DIR_THAT || dir == DIR_FOLLOWING || dir == DIR_PRECEDING ||
                           (dir == DIR_NEXT && with_the));
}

enum unit task_unit(const struct task *task)
{
    return (enum unit)task_get(task, CLASS_UNIT, task_get(task, CLASS_PLURAL, UNIT_NONE));
}

bool task_inner(struct task *task, struct moment *out)
{
    struct result inner = {0};
    if (!task->frame->base) {
        return false;
    }
    resolve_frame(task->resolver, task->island, task->frame->base, &inner);
    *out = inner.moment;
    task->result->anchored_on = inner.anchored_on;
    return inner.is_point;
}
