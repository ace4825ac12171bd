// Who wrote it: names from JSON-LD, meta tags, marked elements, and lines such as "By Jane Porter".
#ifndef COPYDESK_CLEAN_BYLINE_H
#define COPYDESK_CLEAN_BYLINE_H

#include "services/clean/reading.h"

enum { BYLINE_NAMES = 12 };

struct byline {
    struct view names[BYLINE_NAMES];
    size_t len;
    const char *source; // "jsonld", "meta", "marked", "text", "bare name"; "none"
    size_t block;       // the line it was read from; blocks.len when it was none
};

// The names, in the order of the page; the name of the site is none, nor are addresses, dates and roles.
// Sources in falling trust; the first that names somebody wins. Names lie in the page's arena.
void byline_choose(struct byline *out, const struct reading *reading);

// Reads "By Jane Porter and Li Wei | 3 March" and the like; false when the line is no byline.
bool byline_of_line(struct byline *out, struct view line);

// Names joined with ", " in `arena`.
struct view byline_join(const struct byline *byline, struct arena *arena);

#endif
