// Islands: runs of pieces that all have a sense, at least one of which can carry a time.
//
// The items of an island become expressions by the rules of grammar.h; an expression in the making is a frame, which keeps the
// values its words had, by class.
#ifndef COPYDESK_DATES_ISLAND_H
#define COPYDESK_DATES_ISLAND_H

#include "services/dates/scan.h"

// How an expression gets its value; see resolve.c.
enum op {
    OP_NONE,
    OP_REJECT,   // looks like a time and is none: 22-year-old
    OP_CALENDAR, // any of year, month, day, weekday, season
    OP_UNIT,     // last week, this year: dir and unit
    OP_SHIFT,    // a duration before or after something
    OP_NTH,      // first Monday of ..., last week of ...
    OP_YEARPART, // third quarter, first half
    OP_DEICTIC,  // today, tomorrow
    OP_TONIGHT,
    OP_HOLIDAY,
    OP_DECADE,
    OP_REF,   // now, recently
    OP_CLOCK, // 5 p.m.
    OP_DURATION,
    OP_SET,
    OP_KEEP,  // the one inside, with more span or a modifier
    OP_JOIN,  // a date and a time of day
    OP_SPELL, // the past two months: a duration with a direction
    OP_SUM,   // an hour and 45 minutes
};

enum { ISLAND_LIMIT = 64, FRAME_LIMIT = 192, FRAME_NONE = 0 };

// One expression in the making. A slot that was set has its bit in `has`.
struct frame {
    uint64_t has;
    int32_t value[CLASS_SLOT_END];
    uint8_t op;           // enum op
    uint16_t base;        // frame it hangs on; FRAME_NONE: none
    uint16_t range_end;   // frame of the end when this begins a range; FRAME_NONE: none
    uint32_t first, last; // pieces, both inclusive
    uint16_t rule;        // index + 1 of the rule that made it
    uint8_t class;        // non-terminal: DATE, TIME, DUR, SET, REF, TOD
};

struct item {
    uint32_t first, last;
    struct sense senses[SENSE_LIMIT];
    uint8_t count;
    bool guarded, capital;
};

struct island {
    struct item items[ISLAND_LIMIT];
    size_t len;
    bool ends_clause;                 // a mark or the end of a line follows
    struct frame frames[FRAME_LIMIT]; // [0] is unused
    size_t frame_count;
};

// Fills `island` from the pieces at `*at` on and moves `*at` behind it. A run longer than ISLAND_LIMIT, and one over the end of a
// line, is cut there. False when no island is left.
bool island_next(const struct lexicon *lexicon, const struct pieces *pieces, struct view text,
                 bool day_first, size_t *at, struct island *island);

// Before the rules: decides between the senses of ambiguous words (may, second, 2000 years), joins numbers written in words,
// and lets the ends of ranges share month and year.
void island_prepare(struct island *island);

static inline bool frame_has(const struct frame *frame, enum word_class class)
{
    return frame->has >> class & 1;
}

static inline int32_t frame_get(const struct frame *frame, enum word_class class, int32_t otherwise)
{
    return frame_has(frame, class) ? frame->value[class] : otherwise;
}

static inline void frame_set(struct frame *frame, enum word_class class, int32_t value)
{
    frame->has |= 1ull << class;
    frame->value[class] = value;
}

#endif
