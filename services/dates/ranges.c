#include "services/dates/ranges.h"

static bool has_class(const struct item *item, enum word_class class)
{
    for (size_t i = 0; i < item->count; i++) {
        if (item->senses[i].class == class) {
            return true;
        }
    }
    return false;
}

static bool has_at(const struct island *island, size_t at, enum word_class class)
{
    return at < island->len && has_class(&island->items[at], class);
}

static int32_t value_at(const struct island *island, size_t at, enum word_class class)
{
    for (size_t i = 0; at < island->len && i < island->items[at].count; i++) {
        if (island->items[at].senses[i].class == class) {
            return island->items[at].senses[i].value;
        }
    }
    return 0;
}

static bool is_joint(const struct island *island, size_t at)
{
    return has_at(island, at, CLASS_AND) || has_at(island, at, CLASS_OR) ||
           has_at(island, at, CLASS_TO) || has_at(island, at, CLASS_DASH);
}

// Makes the single item `at`, a day, an expression of its own.
static void make_day(struct island *island, size_t at, int32_t month, int32_t year)
{
    struct item *item = &island->items[at];
    if (island->frame_count == FRAME_LIMIT) {
        return;
    }
    int32_t day = value_at(island, at, CLASS_DAY);
    size_t n = island->frame_count++;
    struct frame *frame = &island->frames[n];
    *frame = (struct frame){.op = OP_CALENDAR, .class = CLASS_DATED, .rule = 1};
    frame->first = item->first;
    frame->last = item->last;
    frame_set(frame, CLASS_DAY, day);
    frame_set(frame, CLASS_MONTH, month);
    if (year) {
        frame_set(frame, CLASS_YEAR, year);
    }
    item->count = 1;
    item->senses[0] = (struct sense){CLASS_DATED, (int32_t)n};
}

// The year that follows a day and month, with or without a comma.
static int32_t year_behind(const struct island *island, size_t at)
{
    size_t skip = has_at(island, at, CLASS_COMMA) ? at + 1 : at;
    return value_at(island, skip, CLASS_YEAR);
}

// "August 4 and 18", "March 8-10, 1998": the second day takes the month of the first. A day that something is
// counted by ("August 4 and 18 people") is none: a mark or the end must follow.
static void share_month_before(struct island *island, size_t month_at)
{
    size_t joint = month_at + 2;
    size_t second = month_at + 3;
    if (!has_at(island, month_at + 1, CLASS_DAY) || !is_joint(island, joint) ||
        !has_at(island, second, CLASS_DAY)) {
        return;
    }
    bool between = month_at > 0 && (has_at(island, month_at - 1, CLASS_BETWEEN) ||
                                    has_at(island, month_at - 1, CLASS_FROM));
    bool marked = second + 1 < island->len &&
                  (has_at(island, second + 1, CLASS_COMMA) || has_at(island, second + 1, CLASS_IN));
    bool hyphen = has_at(island, joint, CLASS_DASH);
    bool counted =
        second + 1 < island->len &&
        (has_at(island, second + 1, CLASS_UNIT) || has_at(island, second + 1, CLASS_MONTH) ||
         has_at(island, second + 1, CLASS_PLURAL) || has_at(island, second + 1, CLASS_HALFDAY));
    if (!counted && (between || marked || hyphen || island->ends_clause)) {
        make_day(island, second, value_at(island, month_at, CLASS_MONTH),
                 year_behind(island, second + 1));
    }
}

// "4 to 18 August 2020", "between 4 and 18 August".
static void share_month_behind(struct island *island, size_t month_at)
{
    if (month_at < 3 || !has_at(island, month_at - 1, CLASS_DAY) ||
        !is_joint(island, month_at - 2) || !has_at(island, month_at - 3, CLASS_DAY) ||
        (month_at >= 4 && has_at(island, month_at - 4, CLASS_MONTH))) {
        return;
    }
    make_day(island, month_at - 3, value_at(island, month_at, CLASS_MONTH),
             year_behind(island, month_at + 1));
}

void ranges_share(struct island *island)
{
    for (size_t i = 0; i < island->len; i++) {
        if (has_at(island, i, CLASS_MONTH)) {
            share_month_before(island, i);
            share_month_behind(island, i);
        }
    }
}

static struct frame *expression_at(struct island *island, size_t at)
{
    struct sense sense = at < island->len ? island->items[at].senses[0] : (struct sense){0, 0};
    bool expression = sense.class == CLASS_DATED || sense.class == CLASS_TIMED;
    return expression ? &island->frames[sense.value] : NULL;
}

// "from X to Y", "between X and Y", "X-Y", "X to Y".
void ranges_mark(struct island *island)
{
    for (size_t i = 0; i + 2 < island->len; i++) {
        struct frame *start = expression_at(island, i);
        bool opened =
            i > 0 && (has_at(island, i - 1, CLASS_FROM) || has_at(island, i - 1, CLASS_BETWEEN));
        bool closed = has_at(island, i + 1, CLASS_TO) || has_at(island, i + 1, CLASS_DASH) ||
                      (opened && has_at(island, i + 1, CLASS_AND));
        if (start && closed && expression_at(island, i + 2)) {
            start->range_end = (uint16_t)island->items[i + 2].senses[0].value;
        }
    }
}
