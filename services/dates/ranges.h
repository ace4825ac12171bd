// Ranges: "between August 4 and 18", "8-10 March 1998", "from October to the end of July".
//
// A range is two expressions. What one end leaves out it takes from the other (the month, the year), and the start
// never lies after the end.
#ifndef COPYDESK_DATES_RANGES_H
#define COPYDESK_DATES_RANGES_H

#include "services/dates/island.h"

// Before reducing: gives a bare day beside a full one its month and year, so that both become expressions.
void ranges_share(struct island *island);

// After reducing: sets range_end of every expression that begins a range.
void ranges_mark(struct island *island);

#endif
