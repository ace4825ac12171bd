// When it was published: a vote of what the page declares, its address and its visible dates.
#ifndef COPYDESK_CLEAN_PUBDATE_H
#define COPYDESK_CLEAN_PUBDATE_H

#include "services/clean/reading.h"

struct pubdate {
    struct view
        value; // ISO 8601 with time of day and zone as written; a day alone when no time is known; or empty
    const char *source; // value of published_at_source in proto/article.schema.json
    double confidence;  // 0..1
    const char *rule;   // the kind of candidate that won, for --explain
};

// Chooses among all candidates by weight of their kind and agreement on the day. A stamp in UTC close to midnight gives
// way to the neighbouring day when the address or the visible line says so. The line with the day of rendering
// above the headline is no candidate. `value` lies in the page's arena.
// Method: weights after the reliability of each source on pages with known dates.
void pubdate_choose(struct pubdate *out, const struct reading *reading, struct view url);

#endif
