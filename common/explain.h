// Why a stage decided as it did, for `copydesk enrich --explain`, specs and bug reports.
//
// One line per decision: which rule or weight made it, about which words, what was rejected and why.
// Free when off: every function takes NULL and returns at once.
#ifndef COPYDESK_EXPLAIN_H
#define COPYDESK_EXPLAIN_H

#include "common/buf.h"

struct explain {
    struct buf lines; // text, one decision a line
};

// Starts with no lines and lets them grow to 16 MB; frees them.
void explain_init(struct explain *explain);
void explain_clear(struct explain *explain);

// Adds the line "stage: rule: 'quoted text' detail". `about` is cut after 80 bytes at a code point.
__attribute__((format(printf, 5, 6))) void explain_add(struct explain *explain, const char *stage,
                                                       const char *rule, struct view about,
                                                       const char *format, ...);

#endif
