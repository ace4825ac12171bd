// Credit lines below a story: "AFP with additional input by GVS News Desk", "(Reporting by Ana Brito in Lisbon; Editing
// by P. Soto)", "The Associated Press contributed to this report."
#ifndef COPYDESK_CLEAN_CREDIT_H
#define COPYDESK_CLEAN_CREDIT_H

#include "common/table.h"

enum { CREDIT_LIMIT = 24 };

struct credit {
    struct view name;
    const char
        *role; // of proto/article.schema.json: author agency reporting writing editing additional
    bool in_byline; // stands for the byline when there is no other
};

struct credits {
    struct credit at[CREDIT_LIMIT];
    size_t len;
};

// Adds one; a name that is there already stays as it is.
void credit_add(struct credits *credits, struct view name, const char *role, bool in_byline);

// Reads a credit line and adds its names. False, and nothing added, when the line is none.
// `agencies`: names of news agencies in lower case. Names borrow from `line`.
bool credit_of_line(struct credits *credits, struct view line, const struct table_list *agencies);

// Whether `name` is a news agency, any case; `*known_as` (may be NULL) gets the usual name.
bool credit_is_agency(struct view name, const struct table_list *agencies, struct view *known_as);

// True for the sign-off of a wire desk: "cna/iv/mk".
bool credit_is_signoff(struct view line);

#endif
