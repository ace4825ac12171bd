// Reads a web page into a tree, in linear time whatever the page holds.
//
// An HTML5-ish parser of our own, because the libraries at hand are slow or unsafe on hostile pages. It
// follows the standard where it matters for text: raw text elements, entities, implied end tags,
// paragraphs closed by blocks, lists, tables. It leaves out what moves text around (foster parenting,
// the adoption agency): text stays where the page has it, so nodes lie in document order in one array,
// and a walk over the tree is a loop. A link ends at its </a> even when blocks are still open inside it.
//
// Limits: depth HTML_DEPTH_LIMIT (deeper elements become siblings, their text is kept), nodes
// HTML_NODE_LIMIT and bytes HTML_BYTE_LIMIT (the rest of the page is ignored), one value per attribute name.
// Checked against pages with 200,000 nested elements, 50,000 attributes and the like in tests/unit/test_html.c.
#ifndef COPYDESK_CLEAN_HTML_H
#define COPYDESK_CLEAN_HTML_H

#include "common/vec.h"
#include "services/clean/html_tags.h"

enum {
    HTML_DEPTH_LIMIT = 512,
    HTML_NODE_LIMIT = 1 << 20,
    HTML_BYTE_LIMIT = 32 << 20,
};

struct html_attribute {
    enum html_attribute_name name;
    struct view value; // entities decoded
};

// A node. Children follow their parent; the node's subtree is [index, end).
struct html_node {
    uint32_t parent; // node 0 is the root and its own parent
    uint32_t end;
    uint32_t attributes; // index of the first one
    uint8_t attribute_count;
    bool in_link; // TAG_text: inside an open <a href>
    uint16_t tag; // enum html_tag
    uint16_t depth;
    struct view text; // TAG_text: decoded text; TAG_unknown: its name as written
};

struct html {
    struct {
        struct html_node *at;
        size_t len, cap;
    } nodes;
    struct {
        struct html_attribute *at;
        size_t len, cap;
    } attributes;
};

struct table_list;

// Parses `page` (valid UTF-8, borrowed as long as the tree is used) into `html`; the tree lies in `arena`.
//
// `entities` maps entity names with their semicolon ("eacute;") to text; NULL knows the five of XML and numbers
// only. Never fails; a full arena gives a shorter tree.
void html_parse(struct html *html, struct arena *arena, struct view page,
                const struct table_list *entities);

// The value of an attribute of node `i`; an empty view with `at` NULL when it has none.
struct view html_attribute(const struct html *html, size_t i, enum html_attribute_name name);

// `text` with its entities decoded; borrowed unchanged when it has none.
struct view html_decode(struct arena *arena, struct view text, const struct table_list *entities);

// All text below node `i`, white space folded; at most `limit` bytes.
struct view html_text_of(const struct html *html, struct arena *arena, size_t i, size_t limit);

#endif
