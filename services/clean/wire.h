// News wires: the dateline, and the lines an agency puts above and below a story for editors.
//
//     URGENT
//     Portugal-ports-strike, 2nd Lead, WRITETHRU
//     (Adds union quote, ship count; edits throughout)
//     LISBON (CNA) -- Dockworkers in Lisbon voted to end ...
#ifndef COPYDESK_CLEAN_WIRE_H
#define COPYDESK_CLEAN_WIRE_H

#include "services/clean/blocks.h"

struct dateline {
    struct span span; // bytes of the text, dash included
    struct view place;
    struct view date;   // as written: "March 4"; empty when there is none
    struct view agency; // empty when there is none
};

// What the lines above a wire story say.
struct wire {
    bool found;         // the text is a wire item
    const char *signal; // value of `signal` in proto/article.schema.json; NULL when there is none
    int urgency;        // 1 or 2 that goes with the signal; 0 for none
    bool killed;        // the story is withdrawn
    struct view slugline;
    struct view ednote;  // what is said to editors
    struct view embargo; // ISO 8601 in UTC; empty when no absolute time is given
    size_t body;         // first block behind the head lines
};

// Reads the dateline at the start of a paragraph; false when there is none. `span` counts from the start of `text`.
// A place in capitals, then a date, an agency in brackets, or both, then a dash; a place in capitals and a dash.
bool wire_dateline(struct view text, struct dateline *out);

// Reads the head of a plain-text item. Lines that are only for editors lie before out->body, or are the whole
// item (a kill, an advisory). A page that has lines of menus or advertising anywhere is no wire item.
// Views lie in the blocks or in `page->arena`.
void wire_head(const struct page *page, const struct table_list *phrases, struct wire *out);

#endif
