// Chooses the headline of a page.
#ifndef COPYDESK_CLEAN_TITLE_H
#define COPYDESK_CLEAN_TITLE_H

#include "services/clean/facts.h"

// The headline: a vote of h1, JSON-LD, og:title and <title>, the name of the site cut off. Empty when there is none.
// Lies in the page's arena. `*source` names where it came from.
struct view title_choose(const struct facts *facts, const struct page *page, const char **source);

#endif
