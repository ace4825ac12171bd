// Character references: &eacute; &#233; &#xe9;
#ifndef COPYDESK_CLEAN_HTML_ENTITY_H
#define COPYDESK_CLEAN_HTML_ENTITY_H

#include "common/view.h"

struct table_list;

// Decodes the reference at the start of `text`, which begins with '&', and appends it to `out`, moving `*len`.
// Returns how many bytes of `text` it took; an '&' that begins no reference is copied. Writes no more bytes
// than it takes. Numbers of windows-1252 control codes read as browsers read them.
// `entities`: names with their semicolon to text; NULL knows the five of XML.
size_t html_entity(struct view text, const struct table_list *entities, char *out, size_t *len);

#endif
