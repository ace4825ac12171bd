// Does the text contradict the day it is said to be published on, and what does it say itself about that day?
//
// Both questions are answered from the expressions that were found, by calendar arithmetic alone, and rather not than
// wrongly: a page that was rendered, or stored again, years after the story must not lend the story its date.
//
// A day contradicts the text when
//   - weekdays and month-days beside each other ("Wednesday, Aug. 19") fit another year than the day's, and none fits;
//   - two days with their years are told as past before they have come ("was killed on August 4, 2020" in 2019);
//   - all month-days, at least two of them told as past, lie one month or more ahead of it, while the story speaks of
//     "this month" or of bare weekdays told as past: it was written when they had just happened.
#ifndef COPYDESK_DATES_CONFLICT_H
#define COPYDESK_DATES_CONFLICT_H

#include "common/notes.h"
#include "services/dates/resolve.h"

enum { TELL_LIMIT = 512 };

enum tell_kind {
    TELL_OTHER,
    TELL_DAY,        // year, month and day
    TELL_MONTH_DAY,  // month and day
    TELL_WEEKDAY,    // a bare weekday
    TELL_THIS_MONTH, // this month, earlier this month
};

// What one expression tells about the day of writing.
struct tell {
    enum tell_kind kind;
    struct span span;
    enum cue cue;                      // past or future, from the verbs on both sides of it
    int32_t year, month, day, weekday; // as written; 0: not written
};

struct tells {
    struct tell *at; // TELL_LIMIT of them
    size_t len;
};

// Adds what the expression tells. Beyond TELL_LIMIT expressions nothing more is added.
void conflict_tell(struct tells *tells, struct resolver *resolver, const struct frame *frame,
                   struct span span);

// Writes up to `limit` spans that contradict the day `published` to `spans`. Returns how many; 0 when the day may be.
size_t conflict_find(const struct tells *tells, int32_t published, struct span *spans,
                     size_t limit);

// The days that the text itself allows for its writing.
struct inferred {
    struct civil earliest, latest; // the year is 0: not known
    struct civil candidates[16];   // latest first; needs a bound
    size_t candidate_count;
    struct span reasons[4];
    size_t reason_count;
};

// Infers from the newest month-day told as past, "this month", and weekdays told as past: written on that day or within
// two days after it. `not_after` bounds the candidates when it is known. False when the text has not all of these.
bool conflict_infer(const struct tells *tells, bool has_bound, int32_t not_after,
                    struct inferred *out);

#endif
