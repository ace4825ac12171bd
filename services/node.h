// A broker's answer as a tree to look at, borrowed from its text. Strings keep their escapes, numbers their digits.
#ifndef COPYDESK_NODE_H
#define COPYDESK_NODE_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/status.h"

enum node_kind { NODE_OBJECT, NODE_ARRAY, NODE_STRING, NODE_OTHER };

struct node {
    enum node_kind kind;
    struct view key;  // of a member; escapes are left as they are
    struct view text; // of a string without its quotes, or of a number, true, false, null
    struct node *child, **last, *next;
};

// Reads one JSON object into `arena`; `json` is borrowed and must outlive the tree. ERR_FORMAT when it is none, ERR_LIMIT
// when the arena is full. Linear.
MUST_CHECK enum status node_read(struct view json, struct arena *arena, const struct node **root,
                                 struct error *why);

// The member `key` of an object, or NULL; also NULL when `object` is.
const struct node *node_member(const struct node *object, struct view key);

// The text of the member `key`, or an empty view.
struct view node_text(const struct node *object, struct view key);

// Appends the text of a string with its escapes turned into what they stand for. A \\u0000 and half a surrogate pair
// become U+FFFD. Linear.
void node_decode(struct view text, struct buf *out);

// The number in the member `key`, or 0.
double node_number(const struct node *object, struct view key);

#endif
