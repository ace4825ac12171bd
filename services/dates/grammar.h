// From pieces to expressions: islands of time words, reduced by a table of rules in a few phases.
//
// An island is a run of pieces that all have a sense, with at least one that can begin or carry a time. Its items
// are reduced from left to right, longest rule first, ties by the order of the table (rules.c); a reduced
// stretch becomes one item again (DATE, TIME, DUR, SET, REF, TOD), and the next phase works on those. So "the end of |
// next week" is two steps, and "next friday afternoon" one. Rules are compiled into one trie per phase.
// The work per item is bounded by the longest rule, so the whole is linear.
#ifndef COPYDESK_DATES_GRAMMAR_H
#define COPYDESK_DATES_GRAMMAR_H

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

struct rule {
    uint8_t phase; // 0..RULE_PHASES-1
    uint8_t class; // of the item it makes
    uint8_t op;
    const char *pattern; // classes; "a|b" either, "x?" may be missing
    uint8_t slot;        // slot that the rule itself sets, 0: none
    int32_t value;
    uint32_t inner;  // ops that the first expression inside may have, as bits; 0: any
    uint32_t second; // the same of the second one
    uint8_t lead;    // items at the front that are needed but stay outside: the a of "a 30-day ..."
};

enum { RULE_PHASES = 4, WHOLE_FIRST = -7 };

// The rule table; ends with a NULL pattern.
extern const struct rule dates_rules[];

struct grammar;

// Compiles the table. ERR_MEMORY, or ERR_FORMAT when a pattern names an unknown class.
MUST_CHECK enum status grammar_new(struct grammar **out, struct error *why);
void grammar_free(struct grammar *grammar); // NULL is fine

// Fills `island` from the pieces at `*at` on and moves `*at` behind it. False when no island is left.
bool grammar_next_island(const struct lexicon *lexicon, const struct pieces *pieces,
                         struct view text, bool day_first, size_t *at, struct island *island);

// Runs all phases: afterwards the items with a non-terminal sense are the expressions.
void grammar_reduce(const struct grammar *grammar, struct island *island);

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
