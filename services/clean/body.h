// Joins the kept blocks to the body text and notes what was cut.
#ifndef COPYDESK_CLEAN_BODY_H
#define COPYDESK_CLEAN_BODY_H

#include "common/explain.h"
#include "common/notes.h"
#include "services/clean/verdict.h"

enum {
    REMOVED_LIMIT = 200,       // entries
    REMOVED_TEXT_LIMIT = 1000, // bytes of one
};

struct body {
    struct view text;
    struct spans headings;
};

// The kept blocks, paragraphs separated by an empty line, lines of one paragraph by a newline. In `arena`.
void body_join(struct body *body, const struct reading *reading, const struct verdict *verdicts);

// Writes `removed`: a plain-text line each; on web pages runs of blocks cut for one reason are one entry,
// bounded in number and size.
void body_note_removed(const struct reading *reading, const struct verdict *verdicts,
                       struct notes *notes);

// One line per block for --explain.
void body_explain(const struct reading *reading, const struct verdict *verdicts,
                  struct explain *explain);

#endif
