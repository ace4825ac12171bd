// Which mentions name the same thing, what it is called, and how much the article is about it.
#ifndef COPYDESK_ENTITIES_GROUPS_H
#define COPYDESK_ENTITIES_GROUPS_H

#include "services/entities/tagger.h"

// One person, organisation, place ... of the article.
struct group {
    enum entity_type type;
    struct span name;      // the mention that says most, into the text
    struct spans mentions; // in reading order, into the text
    double confidence;     // that the best of its mentions is right
    double relevance;      // 0..1, of this article
    bool about;            // among the few things the article is about
};

struct groups {
    struct group *at;
    size_t len, cap;
};

// Makes the groups of `amounts` (tokens, in reading order) and `mentions`, sorted by first mention. Memory from
// the article's arena. Every name is looked up by its words, never compared with all others: near linear.
// `explain` may be NULL.
void groups_make(struct groups *groups, const struct words *words, const struct article *article,
                 const struct spans *amounts, const struct mentions *mentions,
                 struct explain *explain);

#endif
