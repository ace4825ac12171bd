// One expression while it is being resolved, and what all its resolvers share. Inside the dates stage only.
#ifndef COPYDESK_DATES_TASK_H
#define COPYDESK_DATES_TASK_H

#include "services/dates/resolve.h"

struct task {
    struct resolver *resolver;
    const struct island *island;
    const struct frame *frame;
    struct result *result;
};

static inline int32_t task_get(const struct task *task, enum word_class class, int32_t otherwise)
{
    return frame_get(task->frame, class, otherwise);
}

static inline bool task_has(const struct task *task, enum word_class class)
{
    return frame_has(task->frame, class);
}

// Which way the clause points; noted in the result.
enum cue task_direction(struct task *task);

// The day that an expression without its own year hangs on, noted in the result: the last one spoken of in a narrative, else
// the day of publication. False when there is none.
bool task_anchor(struct task *task, int32_t *day);

// A moment of no grain: the expression has no reading.
struct moment task_unknown(struct task *task);

// A moment on a given date, as exact as `grain`.
struct moment task_dated(int32_t year, int32_t month, int32_t day, enum grain grain);

// True when the day exists; unknown years and years before Christ count as leap years.
bool task_exists(int32_t year, int32_t month, int32_t day);

// Notes how the expression hangs on the anchor: "W-1".
void task_relate(struct task *task, enum unit unit, int32_t count);

// True for "that year", "the following month" and "the next day", which count from what was said last. `dir` is the value
// of the class dir.
bool task_hangs_on_last(const struct task *task, int32_t dir);

// The unit of the expression, singular or plural.
enum unit task_unit(const struct task *task);

// Resolves the expression inside this one. False when there is none or it is no point in time.
bool task_inner(struct task *task, struct moment *out);

#endif
