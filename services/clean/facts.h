// What a web page says about its article outside of the running text: meta tags, JSON-LD, marked elements.
//
// Collected in one pass over the tree; choosing among what contradicts is the business of title.c, byline.c and
// pubdate.c. Every list is bounded. All views lie in the page's arena.
#ifndef COPYDESK_CLEAN_FACTS_H
#define COPYDESK_CLEAN_FACTS_H

#include "services/clean/blocks.h"
#include "services/clean/jsonld.h"

enum { FACT_LIMIT = 24 };

// A value and the element it came from.
struct fact {
    uint32_t node;
    struct view value;
    struct view label; // name of the meta tag, or empty
};

struct fact_list {
    struct fact at[FACT_LIMIT];
    size_t len;
};

struct facts {
    struct jsonld jsonld;
    const struct jsonld_node *article; // of JSON-LD; NULL when there is none
    struct view html_lang;
    struct view site_name;  // og:site_name, or the publisher of JSON-LD
    struct view page_title; // <title>
    struct view og_title;
    struct view meta_title; // of other meta tags
    struct view description;
    struct view canonical; // address
    struct fact_list h1;
    struct fact_list meta_authors, marked_authors; // meta tags; rel, itemprop, classes
    struct fact_list meta_published, meta_modified;
    struct fact_list marked_published; // itemprop=datePublished
    struct fact_list times;            // <time datetime>, or its text
    struct fact_list state;            // publication times in the data of scripts
};

// Reads the facts of `page`, which blocks_of_html has cut. `entities` decodes what JSON-LD holds escaped.
void facts_read(struct facts *facts, const struct page *page, const struct table_list *entities);

#endif
