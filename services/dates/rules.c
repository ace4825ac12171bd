// The rules, in phases. Longest match first, then the order here. Each family has cases in tests/spec/dates.
//
//   phase 0  what stands by itself: calendar days, clocks, durations, "last week", "now"
//   phase 1  two of these: a day and a time, a duration and a day
//   phase 2  what wraps them: the end of ..., early ..., about ...
//   phase 3  what wraps those once more: about the end of ...
#include "services/dates/grammar.h"

#define DATE  CLASS_DATED
#define TIME  CLASS_TIMED
#define TOD   CLASS_CLOCKED
#define DUR   CLASS_DURED
#define SET   CLASS_SETTED
#define REF   CLASS_REFFED
#define SPELL CLASS_SPELLED
#define NONE  CLASS_REJECTED

#define PARTS      (1u << OP_UNIT | 1u << OP_NTH | 1u << OP_CALENDAR)
#define NEAR_UNITS (1u << OP_UNIT | 1u << OP_DEICTIC)

const struct rule dates_rules[] = {
    // Ages and other measures that only look like durations.
    {0, NONE, OP_REJECT, "the|a? num dash? unit|plural dash? old", 0, 0, 0, 0, 0},
    {0, NONE, OP_REJECT, "the|a? num or|to|dash num dash? unit|plural dash? old", 0, 0, 0, 0, 0},

    // Clock times.
    {0, TOD, OP_CLOCK, "clock halfday? zone?", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "num halfday zone?", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "num|year zone", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "num oclock halfday?", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "num|clock oclock? in the part", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "num oclock at night", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "the? part", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "the? mod dash? part", 0, 0, 0, 0, 0},
    {0, TOD, OP_CLOCK, "the? same part", 0, 0, 0, 0, 0},
    {0, TIME, OP_DEICTIC, "this mod? part", CLASS_DEICTIC, 0, 0, 0, 0},
    {0, TIME, OP_DEICTIC, "deictic part", 0, 0, 0, 0, 0},
    {0, TIME, OP_TONIGHT, "tonight", CLASS_DEICTIC, 0, 0, 0, 0},
    {0, TIME, OP_SHIFT, "the? dir part", 0, 0, 0, 0, 0},
    {0, TIME, OP_CLOCK, "that same? part", 0, 0, 0, 0, 0},

    // Calendar days and months.
    {0, DATE, OP_CALENDAR, "numeric", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday comma? numeric", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday comma? month the? day", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday comma? month the? day comma? year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday comma? the? day of? month", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday comma? the? day of? month comma? year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday the? ord", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month the? day", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month the? day comma? year era?", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the? day of? month", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the? day of? month comma|of? year era?", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month comma|of? year era?", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month num|year era", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "day of? month num|year era", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the month of month", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "weekday", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the? adj? unit year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "fiscal year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "num|year era", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "era num|year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the? season of? year", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the? season", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "this season|month|weekday", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the? dir season|month|weekday", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "this dir season|month|weekday", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the dir weekday comma? month day", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "dir month the? day", 0, 0, 0, 0, 0},
    {0, DATE, OP_DECADE, "the? decade", 0, 0, 0, 0, 0},
    {0, DATE, OP_DECADE, "the? mod dash? decade", 0, 0, 0, 0, 0},
    {0, DATE, OP_HOLIDAY, "holiday", 0, 0, 0, 0, 0},
    {0, DATE, OP_HOLIDAY, "holiday unit", 0, 0, 0, 0, 0},
    {0, DATE, OP_HOLIDAY, "holiday unit? comma? year", 0, 0, 0, 0, 0},
    {0, DATE, OP_HOLIDAY, "the? dir holiday", 0, 0, 0, 0, 0},
    {0, DATE, OP_HOLIDAY, "this holiday", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {0, DATE, OP_DEICTIC, "deictic", 0, 0, 0, 0, 0},
    {0, DATE, OP_UNIT, "weekend", 0, 0, 0, 0, 0},
    {0, DATE, OP_UNIT, "the? weekend", 0, 0, 0, 0, 0},
    {0, DATE, OP_UNIT, "this weekend", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {0, DATE, OP_UNIT, "this dir weekend", 0, 0, 0, 0, 0},
    {0, DATE, OP_UNIT, "the? dir weekend", 0, 0, 0, 0, 0},

    // A unit and where it lies.
    {0, DATE, OP_UNIT, "the? dir fiscal|adj? unit", 0, 0, 0, 0, 0},
    {0, DATE, OP_UNIT, "this fiscal|adj? unit", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {0, DATE, OP_UNIT, "this dir fiscal|adj? unit", 0, 0, 0, 0, 0},
    {0, DATE, OP_UNIT, "this very|same unit", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {0, DATE, OP_UNIT, "the|that|this? same unit", CLASS_DIR, DIR_THAT, 0, 0, 0},
    {0, DATE, OP_UNIT, "that unit", CLASS_DIR, DIR_THAT, 0, 0, 0},
    {0, DATE, OP_UNIT, "the? unit dash|possessive? end", CLASS_MOD, MOD_END, 0, 0, 0},
    {0, DATE, OP_UNIT, "the? dir unit dash|possessive end", CLASS_MOD, MOD_END, 0, 0, 0},
    {0, DATE, OP_UNIT, "the fiscal|adj? unit", CLASS_DIR, DIR_THE, 0, 0, 0},

    // Quarters and halves.
    {0, DATE, OP_YEARPART, "the? fiscal? dash? ord yearpart", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "fiscal? ord dash yearpart", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "the? ord fiscal yearpart", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "the? ord dash? yearpart of? fiscal? year", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "the? fiscal? year dash? ord dash? yearpart", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "the? mod yearpart of? fiscal? year", 0, 0, 0, 0, 0},

    {0, DATE, OP_YEARPART, "the? qnum", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "the? qnum dash|of? fiscal? year", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "year dash? qnum", 0, 0, 0, 0, 0},
    {0, DATE, OP_YEARPART, "the year yearpart", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "the year period", 0, 0, 0, 0, 0},
    {0, DATE, OP_SHIFT, "the? adj? unit dash ago dash? period|unit|yearpart?", CLASS_NUM, 100, 0, 0,
     0},
    {0, DATE, OP_SHIFT, "a unit dash ago dash? period|unit|yearpart?", CLASS_NUM, 100, 0, 0, 1},
    {0, DATE, OP_UNIT, "the? dir period", CLASS_DIR, DIR_PERIOD, 0, 0, 0},
    {0, DATE, OP_NTH, "the? ord unit|weekday|weekend", 0, 0, 0, 0, 0},
    {0, DATE, OP_NTH, "the? ord unit era", 0, 0, 0, 0, 0},
    {0, DATE, OP_SHIFT, "the? unit side", CLASS_NUM, 100, 0, 0, 0},

    // Durations.
    {0, DUR, OP_DURATION, "num dash? unit|plural", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "the num plural", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "num dash? unit|plural dash long", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "num num dash? unit|plural", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "num more|adj unit|plural", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "num or|to|dash num dash? unit|plural", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "num and a half unit|plural", CLASS_TIMES, 50, 0, 0, 0},
    {0, DUR, OP_DURATION, "num unit|plural and a half", CLASS_TIMES, 50, 0, 0, 0},
    {0, DUR, OP_DURATION, "half a dash? unit", CLASS_NUM, 50, 0, 0, 0},
    {0, DUR, OP_DURATION, "a half dash? unit", CLASS_NUM, 50, 0, 0, 0},
    {0, DUR, OP_DURATION, "half dash? unit", CLASS_NUM, 50, 0, 0, 0},
    {0, DUR, OP_DURATION, "a adj|more? unit", CLASS_NUM, 100, 0, 0, 0},
    {0, DUR, OP_DURATION, "a unit dash long", CLASS_NUM, 100, 0, 0, 1},
    {0, DUR, OP_DURATION, "a num|some dash unit", 0, 0, 0, 0, 1},
    {0, DUR, OP_DURATION, "unit dash long", CLASS_NUM, 100, 0, 0, 0},
    {0, SPELL, OP_DURATION, "plural dash long", CLASS_SOME, 1, 0, 0, 0},
    {0, SPELL, OP_DURATION, "a? some dash? more|adj? unit|plural", 0, 0, 0, 0, 0},
    {0, DUR, OP_DURATION, "a? couple of? more? unit|plural", CLASS_NUM, 200, 0, 0, 0},
    {0, SPELL, OP_DURATION, "the? plural", CLASS_SOME, 1, 0, 0, 0},
    {0, SPELL, OP_SPELL, "the? dir|ord num dash? adj? unit|plural", 0, 0, 0, 0, 0},
    {0, SPELL, OP_SPELL, "the? dir|ord a? some|couple of? unit|plural", CLASS_SOME, 1, 0, 0, 0},
    {0, SPELL, OP_SPELL, "the? dir plural", CLASS_SOME, 1, 0, 0, 0},

    // Sets.
    {0, SET, OP_SET, "weekdays", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "periodic", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "each unit|weekday|part|season|month|weekend", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "per unit", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "each num unit|plural", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "each ord|other unit|weekday", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "times a|per unit", 0, 0, 0, 0, 0},
    {0, SET, OP_SET, "num timeword a|per unit", 0, 0, 0, 0, 0},

    // Words for past, present and future.
    {0, REF, OP_REF, "ref", 0, 0, 0, 0, 0},
    {0, REF, OP_REF, "now", CLASS_REF, REF_PRESENT, 0, 0, 0},
    {0, REF, OP_REF, "ref|tense plural", 0, 0, 0, 0, 0},
    {0, REF, OP_REF, "the near? tense", 0, 0, 0, 0, 0},
    {0, REF, OP_REF, "as soon as possible", CLASS_REF, REF_FUTURE, 0, 0, 0},

    // A day and a time.
    {1, TIME, OP_JOIN, "DATE comma? TOD", 0, 0, 0, 0, 0},
    {1, TIME, OP_JOIN, "DATE possessive TOD", 0, 0, 0, 0, 0},
    {1, TIME, OP_JOIN, "DATE at|in|on TOD", 0, 0, 0, 0, 0},
    {1, TIME, OP_JOIN, "TOD comma|on|of? DATE", 0, 0, 0, 0, 0},
    {1, TIME, OP_JOIN, "TIME comma|at? TOD", 0, 0, 0, 0, 0},
    {1, TIME, OP_JOIN, "TOD TIME", 0, 0, 0, 0, 0},

    // Counted from something.
    {1, DATE, OP_SHIFT, "DUR|SPELL ago", 0, 0, 0, 0, 0},
    {1, DATE, OP_SHIFT, "DUR|SPELL or so ago", CLASS_APPROX, 1, 0, 0, 0},
    {1, DATE, OP_SHIFT, "approx|over|about DUR ago", 0, 0, 0, 0, 0},
    {1, DATE, OP_SHIFT, "more|less than DUR ago", 0, 0, 0, 0, 0},
    {1, DATE, OP_SHIFT, "unit dash ago", CLASS_NUM, 100, 0, 0, 0},
    {1, DATE, OP_SHIFT, "DUR|SPELL from REF", CLASS_SIDE, 1, 0, 0, 0},
    {1, DATE, OP_SHIFT, "DUR|SPELL from DATE", CLASS_SIDE, 1, 0, 0, 0},
    {1, DATE, OP_SHIFT, "DUR|SPELL side DATE", 0, 0, 0, 0, 0},
    {1, DATE, OP_SHIFT, "DATE DATE", 0, 0, 1u << OP_SHIFT,
     1u << OP_CALENDAR | 1u << OP_DEICTIC | 1u << OP_HOLIDAY | 1u << OP_UNIT, 0},

    {1, DUR, OP_SUM, "DUR and? DUR", 0, 0, 0, 0, 0},

    // The nth of something.
    {1, DATE, OP_NTH, "the? ord|dir unit|weekday|weekend of|in|on? DATE", 0, 0, 0, 0, 0},
    {1, DATE, OP_NTH, "unit|weekend of DATE", CLASS_ORD, 0, 0, 0, 0},
    {1, DATE, OP_YEARPART, "DATE possessive? DATE", 0, WHOLE_FIRST,
     1u << OP_UNIT | 1u << OP_CALENDAR, 1u << OP_YEARPART, 0},
    {1, DATE, OP_YEARPART, "DATE of|in DATE", 0, 0, 1u << OP_YEARPART, 0, 0},
    {1, DATE, OP_YEARPART, "the? ord|mod dash? yearpart of|in DATE", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month of? this unit", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month of? the? dir unit", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month the? day of? dir unit", 0, 0, 0, 0, 0},
    {0, DATE, OP_CALENDAR, "month the? day this unit", CLASS_DIR, DIR_THIS, 0, 0, 0},
    {1, DATE, OP_NTH, "DATE of|in|on DATE", 0, 0, PARTS, 0, 0},
    {1, DATE, OP_NTH, "DATE|TIME DATE", 0, 0, 1u << OP_CALENDAR, 1u << OP_UNIT, 0},
    {1, DATE, OP_NTH, "DATE on? DATE", 0, WHOLE_FIRST, 1u << OP_UNIT, 1u << OP_CALENDAR, 0},

    // Early, late, the end of.
    {2, 0, OP_KEEP, "mod dash|in? DATE|TIME", 0, 0, 0, 0, 0},
    {2, 0, OP_KEEP, "the mod DATE", 0, 0, 0, 0, 0},
    {2, 0, OP_KEEP, "the? mod? mod|edge of DATE|TIME", 0, 0, 0, 0, 0},
    {2, 0, OP_KEEP, "DATE possessive? end", 0, 0, 0, 0, 0},
    {2, 0, OP_KEEP, "ago DATE|TIME", 0, 0, NEAR_UNITS, 0, 0},
    {2, 0, OP_KEEP, "ago in DATE", 0, 0, NEAR_UNITS, 0, 0},
    {2, 0, OP_KEEP, "approx DATE|TIME|DUR|TOD", 0, 0, 0, 0, 0},
    {2, 0, OP_KEEP, "about DUR|TOD|TIME", CLASS_APPROX, 1, 0, 0, 0},
    {2, 0, OP_KEEP, "over DUR", CLASS_MOD, MOD_MORE_THAN, 0, 0, 0},
    {2, 0, OP_KEEP, "more than DUR|DATE", CLASS_MOD, MOD_MORE_THAN, 0, 0, 0},
    {2, 0, OP_KEEP, "less than DUR|DATE", CLASS_MOD, MOD_LESS_THAN, 0, 0, 0},
    {2, 0, OP_KEEP, "at least DUR|SPELL", CLASS_MOD, MOD_EQUAL_OR_MORE, 0, 0, 0},
    {2, 0, OP_KEEP, "at most DUR", CLASS_MOD, MOD_EQUAL_OR_LESS, 0, 0, 0},
    {2, 0, OP_KEEP, "up to DUR", CLASS_MOD, MOD_EQUAL_OR_LESS, 0, 0, 0},
    {2, 0, OP_KEEP, "DATE|DUR|SPELL or so", CLASS_MOD, MOD_APPROX, 0, 0, 0},

    {3, DATE, OP_CALENDAR, "the day", 0, 0, 0, 0, 0},
    {3, 0, OP_KEEP, "approx DATE|TIME", 0, 0, 0, 0, 0},
    {3, 0, OP_KEEP, "mod DATE|TIME", 0, 0, 0, 0, 0},

    {0, 0, 0, NULL, 0, 0, 0, 0, 0},
};
