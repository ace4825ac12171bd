// The words that can take part in a time expression, and what each can mean.
//
// Source: tables/words_LANG.txt, lines "word<TAB>sense sense ...". A sense is "class" or "class=value", the value a number
// or one of the names in lexicon.c (unit=week, part=EV, mod=START). "second" has two: "ord=2 unit=second".
// "+dot" tells that a full stop may belong to the word (Sept.), "+guard" that the word usually means something else
// (may, march, sat) and needs support from its neighbours. A key may be a phrase of words with single spaces; the
// first word has an entry of its own with "+phrase".
#ifndef COPYDESK_DATES_LEXICON_H
#define COPYDESK_DATES_LEXICON_H

#include "common/table.h"

// Every terminal and non-terminal of the grammar. The first ones carry a value that a rule collects into the
// expression (struct frame in grammar.h keeps a slot for each); the others only join.
#define LEXICON_SLOTS                                                                              \
    X(MONTH, month)                                                                                \
    X(WEEKDAY, weekday)                                                                            \
    X(UNIT, unit)                                                                                  \
    X(NUM, num) /* hundredths */                                                                   \
    X(ORD, ord) /* -1 is last */                                                                   \
    X(YEAR, year)                                                                                  \
    X(DAY, day)                                                                                    \
    X(PART, part)       /* of the day: two letters packed */                                       \
    X(SEASON, season)   /* two letters packed */                                                   \
    X(DEICTIC, deictic) /* today 0, tomorrow 1 */                                                  \
    X(REF, ref)                                                                                    \
    X(DIR, dir) /* enum dir */                                                                     \
    X(MOD, mod)                                                                                    \
    X(APPROX, approx)                                                                              \
    X(SOME, some) /* several, few, many */                                                         \
    X(EACH, each)                                                                                  \
    X(PERIODIC, periodic) /* daily: unit */                                                        \
    X(AGO, ago)           /* ago -1, earlier -2, later 2, from now 1 */                            \
    X(SIDE, side)         /* before -1, after 1 */                                                 \
    X(HOLIDAY, holiday)                                                                            \
    X(DECADE, decade)                                                                              \
    X(ERA, era)         /* BC -1, AD 1 */                                                          \
    X(HALFDAY, halfday) /* a.m. 1, p.m. 2 */                                                       \
    X(CLOCK, clock)     /* minutes of the day, seconds + 1 above bit 12 */                         \
    X(ZONE, zone)                                                                                  \
    X(NUMERIC, numeric) /* y*10000+m*100+d */                                                      \
    X(WEEKEND, weekend)                                                                            \
    X(PLURAL, plural) /* the unit: weeks */                                                        \
    X(FISCAL, fiscal)                                                                              \
    X(TIMES, times)       /* once, twice: how often */                                             \
    X(WEEKDAYS, weekdays) /* Mondays */                                                            \
    X(QNUM, qnum)         /* Q1..Q4 */                                                             \
    X(EDGE, edge)         /* a noun: the start, the end; values as mod */                          \
    X(TENSE, tense)       /* a noun: the past, the future; values as ref */                        \
    X(YEARPART, yearpart) /* half 2, quarter 4 */

#define LEXICON_JOINTS                                                                             \
    X(THE, the)                                                                                    \
    X(A, a)                                                                                        \
    X(OF, of)                                                                                      \
    X(IN, in)                                                                                      \
    X(ON, on)                                                                                      \
    X(AT, at)                                                                                      \
    X(AND, and)                                                                                    \
    X(OR, or)                                                                                      \
    X(TO, to)                                                                                      \
    X(FROM, from)                                                                                  \
    X(FOR, for)                                                                                    \
    X(BETWEEN, between)                                                                            \
    X(COMMA, comma)                                                                                \
    X(DASH, dash)                                                                                  \
    X(POSSESSIVE, possessive)                                                                      \
    X(ADJ, adj) /* trading, full, additional: may stand before a unit */                           \
    X(MORE, more)                                                                                  \
    X(LONG, long)                                                                                  \
    X(OLD, old)                                                                                    \
    X(HALF, half)                                                                                  \
    X(COUPLE, couple)                                                                              \
    X(PERIOD, period)                                                                              \
    X(NOW, now)                                                                                    \
    X(NIGHT, night)                                                                                \
    X(OCLOCK, oclock)                                                                              \
    X(PER, per)                                                                                    \
    X(SO, so)                                                                                      \
    X(THAT, that)                                                                                  \
    X(VERY, very)                                                                                  \
    X(TIMEWORD, timeword)                                                                          \
    X(SAME, same)                                                                                  \
    X(THIS, this)                                                                                  \
    X(AS, as)                                                                                      \
    X(NEAR, near)                                                                                  \
    X(OVER, over)                                                                                  \
    X(SOON, soon)                                                                                  \
    X(POSSIBLE, possible)                                                                          \
    X(END, end)                                                                                    \
    X(SCALE, scale) /* hundred, thousand: see number.c */                                          \
    X(ABOUT, about)                                                                                \
    X(TONIGHT, tonight)                                                                            \
    X(THAN, than)                                                                                  \
    X(LEAST, least)                                                                                \
    X(LESS, less)                                                                                  \
    X(MOST, most)                                                                                  \
    X(UP, up)                                                                                      \
    X(OTHER, other)                                                                                \
    X(REJECTED, REJECTED)                                                                          \
    X(DATED, DATE)                                                                                 \
    X(TIMED, TIME)                                                                                 \
    X(CLOCKED, TOD)                                                                                \
    X(DURED, DUR)                                                                                  \
    X(SPELLED, SPELL)                                                                              \
    X(SETTED, SET)                                                                                 \
    X(REFFED, REF)

enum word_class {
    CLASS_NONE,
#define X(name, text) CLASS_##name,
    LEXICON_SLOTS CLASS_SLOT_END,
    CLASS_BEFORE_JOINTS = CLASS_SLOT_END - 1,
    LEXICON_JOINTS
#undef X
        CLASS_COUNT
};

enum unit {
    UNIT_NONE,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_FORTNIGHT,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_DECADE,
    UNIT_CENTURY,
    UNIT_MILLENNIUM,
};

enum mod {
    MOD_NONE,
    MOD_START,
    MOD_MID,
    MOD_END,
    MOD_APPROX,
    MOD_BEFORE,
    MOD_AFTER,
    MOD_LESS_THAN,
    MOD_MORE_THAN,
    MOD_EQUAL_OR_LESS,
    MOD_EQUAL_OR_MORE,
    MOD_ON_OR_BEFORE,
    MOD_ON_OR_AFTER,
    MOD_COUNT,
};

// Where a unit lies. PRECEDING and FOLLOWING count from what was said last; THAT is the last one itself. THE and PERIOD are set
// by rules: "the quarter", "the latest period".
enum dir {
    DIR_PRECEDING = -11,
    DIR_LAST = -1,
    DIR_THIS = 0,
    DIR_NEXT = 1,
    DIR_THAT = 2,
    DIR_THE = 3,
    DIR_PERIOD = 4,
    DIR_NONE = 5,
    DIR_FOLLOWING = 11,
};

enum ref { REF_PRESENT = 1, REF_PAST, REF_FUTURE };

// What a word says about the clause around it: see cues.c.
enum cue {
    CUE_NONE,
    CUE_PAST,   // said, was
    CUE_FUTURE, // will
    CUE_PLAN,   // expected, plans: future when "to" follows
    CUE_SET,    // scheduled, slated: future unless "had been" or "was" stands before
    CUE_TO,
    CUE_BE,    // is, are: future when "to" follows at once
    CUE_UNTIL, // future when the expression follows at once
};

enum { SENSE_LIMIT = 4, LEXICON_WORD_LIMIT = 32, LEXICON_STARTS = 1024 };

struct sense {
    uint8_t class;
    int32_t value;
};

struct entry {
    struct view word; // lower case, in the table
    struct sense senses[SENSE_LIMIT];
    uint8_t sense_count;
    uint8_t cue;        // enum cue
    bool takes_dot;     // +dot
    bool guarded;       // +guard
    bool begins_phrase; // +phrase: longer keys of the table begin with this word
};

// The words of one language, read-only after loading.
struct lexicon {
    struct entry *entries; // [0] is the unknown word
    size_t count;
    uint16_t *slots; // open addressing by hash, 0 is free
    uint32_t slot_mask;
    // Bit set when a word has these two first letters and this length: turns nine of ten words away unhashed.
    uint64_t starts[LEXICON_STARTS];
};

// Reads `list` into memory that lexicon_clear frees. ERR_FORMAT names a word with a sense nobody knows.
MUST_CHECK enum status lexicon_load(struct lexicon *lexicon, const struct table_list *list,
                                    struct error *why);
void lexicon_clear(struct lexicon *lexicon);

// Index of the entry of `word`, ASCII capitals taken as small letters; 0 when it is not there.
uint16_t lexicon_find(const struct lexicon *lexicon, struct view word);

// The class of that name, CLASS_NONE when there is none.
enum word_class lexicon_class(struct view name);

// Two letters as one number, as parts of day and seasons are kept: "EV".
static inline int32_t lexicon_pack(char a, char b)
{
    return a * 256 + b;
}

#endif
