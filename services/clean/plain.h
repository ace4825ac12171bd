// What plain-text page dumps need beside the classifier: the headline, and lines told by their form.
#ifndef COPYDESK_CLEAN_PLAIN_H
#define COPYDESK_CLEAN_PLAIN_H

#include "services/clean/blocks.h"
#include "services/clean/wire.h"

// The line that is the headline; empty when none looks like one. Words of a headline come back in the story below
// it, it stands close above the first long line, and it is no menu, date or byline.
// Of a wire item it is the line behind the head lines that is no dateline. `url` may be empty; the words at its
// end are mostly those of the headline.
struct view plain_title(const struct page *page, const struct wire *wire, struct view url,
                        const struct table_list *phrases);

// True for a line that is a calendar date and nothing else, with or without weekday and time of day.
bool plain_is_date_line(struct view line);

#endif
