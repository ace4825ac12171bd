// The language of a text, by its small words and its script.
#ifndef COPYDESK_CLEAN_LANG_H
#define COPYDESK_CLEAN_LANG_H

#include "common/table.h"

// The language of `text` as an ISO 639-1 code, or an empty view when nothing tells. `declared` (the lang attribute
// of a page) is evidence, never truth: it decides between close relatives and when the text is too short.
// Reads the first 4000 bytes. `stop_words`: small word to the languages that have it.
struct view lang_detect(struct view text, struct view declared,
                        const struct table_list *stop_words);

#endif
