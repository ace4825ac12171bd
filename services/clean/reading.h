// One input, read: its blocks, what it says about itself, and the rows the classifier judges.
//
// Shared by the stage and by the trainer, so that a model is trained on exactly what it will see.
#ifndef COPYDESK_CLEAN_READING_H
#define COPYDESK_CLEAN_READING_H

#include "services/clean/facts.h"
#include "services/clean/features.h"
#include "services/clean/wire.h"

// The stage's lists.
struct clean_tables {
    struct table *table; // owned
    struct table_list entities, classes, phrases, stop_words, agencies;
};

struct reading {
    struct page page;
    struct facts facts; // empty for plain text
    struct wire wire;   // empty for web pages
    struct page_facts about;
    const char *title_source;
    struct landmarks marks;
    float *rows; // FEATURE_COUNT per block; NULL when the arena is full
};

// Maps the tables from `folder` for as long as they are open. ERR_CONFIG, ERR_VERSION, ERR_FORMAT as table_open.
MUST_CHECK enum status clean_tables_open(struct clean_tables *tables, const char *folder,
                                         struct error *why);
void clean_tables_close(struct clean_tables *tables);

// Reads `content`, HTML or plain text. `title` is the headline when it is already known, else empty; `url` too.
void reading_make(struct reading *reading, struct arena *arena, struct view content, bool is_html,
                  struct view title, struct view url, const struct clean_tables *tables);

// Measures again after blocks were taken out of reading->page (training does).
void reading_measure(struct reading *reading, const struct clean_tables *tables);

// True when `content` is a web page rather than plain text; decides by what stands in it when
// `type` (a media type) does not tell.
bool reading_is_html(struct view content, struct view type);

#endif
