// Finds the names of an article: candidates scored by trained weights, decided run by run, then once more
// with what the whole article says about each word.
#ifndef COPYDESK_ENTITIES_TAGGER_H
#define COPYDESK_ENTITIES_TAGGER_H

#include "common/explain.h"
#include "services/entities/features.h"
#include "services/entities/lattice.h"

// One name in the text.
struct mention {
    uint32_t first, end; // tokens
    enum entity_type type;
    float chance; // probability that the span is exactly this name of this type
};

struct mentions {
    struct mention *at;
    size_t len, cap;
};

// Appends the names (not the amounts of money) of `words` to `out` in reading order, never overlapping.
// Memory from `arena`. Linear in the text. `explain` may be NULL.
void tagger_find(const struct weights *weights, const struct words *words, struct arena *arena,
                 struct explain *explain, struct mentions *out);

#endif
