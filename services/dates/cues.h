// Which way a bare weekday or month points: back, or forward when the clause says so.
//
// The measured default is past or same day (nine of ten weekdays in news). Only a cue that governs the expression turns
// it: "will", a plan followed by to ("is expected to"), "is to", "to be", a schedule that is not itself told in the past,
// or words right before it ("until", "as soon as", "ahead of"). The walk goes back from the expression, ends at the
// clause, and the nearest cue decides.
#ifndef COPYDESK_DATES_CUES_H
#define COPYDESK_DATES_CUES_H

#include "services/dates/scan.h"

struct cue_found {
    enum cue cue;   // CUE_NONE, CUE_PAST or CUE_FUTURE
    uint32_t piece; // where it stands, when there is one
};

// Looks from piece `first` of the expression backward, at most 24 pieces.
struct cue_found cues_find(const struct lexicon *lexicon, const struct pieces *pieces,
                           struct view text, uint32_t first);

// The first verb behind piece `last` in the same clause, at most 16 pieces on: CUE_PAST, CUE_FUTURE, or CUE_NONE. For
// "Between August 4 and 18, 14 attacks targeted ...".
enum cue cues_ahead(const struct lexicon *lexicon, const struct pieces *pieces, struct view text,
                    uint32_t last);

#endif
