// Reads schema.org data that pages carry as JSON-LD.
//
// A pull scanner without recursion: every JSON object becomes one flat node that knows the node around it and the
// member it stands under. Damaged JSON gives the nodes up to the damage. Limits: JSONLD_NODES objects a
// page, JSONLD_DEPTH levels; linear in the text.
#ifndef COPYDESK_CLEAN_JSONLD_H
#define COPYDESK_CLEAN_JSONLD_H

#include "common/vec.h"

enum { JSONLD_NODES = 1024, JSONLD_DEPTH = 64, JSONLD_NO_PARENT = 0xffff };

struct jsonld_node {
    uint16_t parent; // index, or JSONLD_NO_PARENT
    struct view key; // member of the parent that holds it: author, publisher, @graph
    struct view type, id, name, headline, description, body;
    struct view published, modified, created;
};

struct jsonld {
    struct jsonld_node *at;
    size_t len, cap;
};

// Appends the nodes of one script element's text. Strings lie in `arena` or in `text`.
void jsonld_read(struct jsonld *out, struct arena *arena, struct view text);

// The node that describes the article: the first of an article type, else the first page that has a publication
// date; NULL when there is none.
const struct jsonld_node *jsonld_article(const struct jsonld *nodes);

// True when `type` is one of schema.org's kinds of article.
bool jsonld_is_article(struct view type);

#endif
