// The members of an article that this program knows, in the order of print. For article.c and article_unite.c.
#ifndef COPYDESK_ARTICLE_MEMBERS_H
#define COPYDESK_ARTICLE_MEMBERS_H

#include "common/view.h"

enum { ARTICLE_MEMBER_LIMIT = 64 }; // more than there are

// The place of a member in print, from 0; article_member_count() when it is not known.
size_t article_member_rank(struct view name);
size_t article_member_count(void);

// True when a value that begins with `first` can be this member's: a string, an array, ... as it must be.
bool article_member_fits(size_t rank, char first);

// True when the member is a list of, or has, `start` and `end` that refer to the text.
bool article_member_has_spans(size_t rank);

#endif
