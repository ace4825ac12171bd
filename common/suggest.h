// "Did you mean ...?" for mistyped commands, flags, stages and keys.
#ifndef COPYDESK_SUGGEST_H
#define COPYDESK_SUGGEST_H

#include "common/view.h"

enum { SUGGEST_DISTANCE = 2, SUGGEST_LENGTH = 64 };

// How many letters must be added, dropped, replaced or swapped with their neighbour to turn `a` into `b`
// (Damerau-Levenshtein, restricted). Bytes, not characters. Anything above SUGGEST_DISTANCE, and words longer
// than SUGGEST_LENGTH, give SUGGEST_DISTANCE + 1. Quadratic in the length, which is limited.
int suggest_distance(struct view a, struct view b);

// Keeps the better of two candidates: start with {word}, call suggest_offer for each name, read `best`.
struct suggestion {
    struct view word; // what was typed
    const char *best; // NULL when no name is near
    int distance;     // of `best`
};

// Considers `name`, which is borrowed. Names further than SUGGEST_DISTANCE, or so short that nothing of the word
// would be left, are not near. Of equals the first offered stays.
void suggest_offer(struct suggestion *suggestion, const char *name);

#endif
