// What the classifier looks at: one row of numbers per block.
//
// The same rows train the model (services/clean/train) and are judged by it. Changing what a column means?
// Raise FEATURES_VERSION and train both models anew; a model of another version is refused.
#ifndef COPYDESK_CLEAN_FEATURES_H
#define COPYDESK_CLEAN_FEATURES_H

#include "services/clean/blocks.h"

enum {
    FEATURES_VERSION = 1,
    OWN_FEATURES = 128,    // of the block itself; some columns are not used yet and hold 0
    CONTEXT_FEATURES = 10, // of each neighbour
    CONTEXT_BLOCKS = 3,    // on either side
    FEATURE_COUNT = OWN_FEATURES + 2 * CONTEXT_BLOCKS * CONTEXT_FEATURES,
};

// What the page says about itself, outside of its text.
struct page_facts {
    struct view title;       // best guess, empty when unknown
    struct view description; // meta description
    struct view body;        // articleBody of JSON-LD
};

// The places a page is measured from.
struct landmarks {
    uint32_t container[3]; // deepest elements with 40, 60, 80 % of the prose
    uint32_t top;          // element with the best Readability score
    size_t title;          // block that is the title; blocks.len when there is none
};

// Finds the title and the element that the scores point to.
void features_landmarks(const struct page *page, const struct page_facts *facts,
                        struct landmarks *out);

// Fills a row of FEATURE_COUNT floats per block, one behind the other. NULL when the arena is full.
// `phrases` is the list of phrases that begin lines which belong to no article.
float *features_of_page(const struct page *page, const struct page_facts *facts,
                        const struct landmarks *marks, const struct table_list *phrases);

// The kind of foreign line that `text` begins like ("related_link", "promo", ...), or an empty view.
struct view features_phrase(struct view text, const struct table_list *phrases);

#endif
