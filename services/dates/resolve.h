// Gives an expression its value: a pure function of the expression, the anchors, and the clause around it.
//
// Anchors: the day of publication, when it is trusted; the last expression that was resolved (for "three days later"
// and for narrative texts); or none, and then the value stays underspecified (XXXX-WXX-4) with what it is relative to.
#ifndef COPYDESK_DATES_RESOLVE_H
#define COPYDESK_DATES_RESOLVE_H

#include "services/dates/cues.h"
#include "services/dates/grammar.h"
#include "services/dates/moment.h"

enum { RELATION_SIZE = 24 };

struct resolver {
    const struct lexicon *lexicon;
    const struct pieces *pieces;
    struct view text;
    bool is_english;
    bool has_anchor;
    int32_t anchor; // day of publication
    bool has_last;
    struct moment last; // the last point in time that was resolved
    bool has_quarter;
    struct moment quarter; // last quarter spoken of by name: "the quarter", "a year earlier"
    bool narrative;        // months without a year hang on `last`, not on the anchor
};

struct result {
    const char *type; // DATE, TIME, DURATION, SET
    char value[MOMENT_VALUE_SIZE];
    char relation
        [RELATION_SIZE]; // "D+1", "W0-4": how it hangs on the anchor; empty when it does not
    char quant[8], freq[8];
    enum mod mod;
    bool is_point;
    struct moment moment;    // when is_point
    enum cue cue;            // what decided the direction
    const char *anchored_on; // "published", "last", "self", "none"
    double confidence;       // share of such expressions that were right on development news
};

// Resolves frame `n` of the island. `result->value` is empty when there is no reading (the 32nd of May).
void resolve_frame(struct resolver *resolver, const struct island *island, size_t n,
                   struct result *result);

#endif
