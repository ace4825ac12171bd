// From pieces to expressions: islands of time words, reduced by a table of rules in a few phases.
//
// An island is a run of pieces that all have a sense, with at least one that can begin or carry a time. Its items
// are reduced from left to right, longest rule first, ties by the order of the table (rules.c); a reduced
// stretch becomes one item again (DATE, TIME, DUR, SET, REF, TOD), and the next phase works on those. So "the end of |
// next week" is two steps, and "next friday afternoon" one. Rules are compiled into one trie per phase.
// The work per item is bounded by the longest rule, so the whole is linear.
#ifndef COPYDESK_DATES_GRAMMAR_H
#define COPYDESK_DATES_GRAMMAR_H

#include "services/dates/island.h"

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

// Runs all phases: afterwards the items with a non-terminal sense are the expressions.
void grammar_reduce(const struct grammar *grammar, struct island *island);

#endif
