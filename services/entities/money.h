// Finds amounts of money: "$5 million", "US$ 1.2 billion", "Rs 200 crore", "5,000 euros", "tens of millions
// of dollars".
#ifndef COPYDESK_ENTITIES_MONEY_H
#define COPYDESK_ENTITIES_MONEY_H

#include "services/entities/words.h"

// Appends the amounts to `out` as token ranges, in reading order, and takes their tokens out of the search
// for names (their role becomes ROLE_OTHER). Linear.
void money_find(struct words *words, struct arena *arena, struct spans *out);

#endif
