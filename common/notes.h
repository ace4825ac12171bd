// What a stage has to say about an article: its section, written as JSON while the stage runs.
//
// A section is a partial article (common/article.h). The stage adds members; whoever runs it adds the
// `stages` entry. Offsets go in as bytes and come out as code points.
//
//     notes_array(notes, "dates");
//     notes_object(notes, NULL);
//     notes_span(notes, span);                     // "start": .., "end": ..
//     notes_string(notes, "value", VIEW("2020-08-20"));
//     notes_end(notes);
//     notes_end(notes);
//
// Nesting deeper than NOTES_DEPTH and an end without a begin are programming errors (assert).
#ifndef COPYDESK_NOTES_H
#define COPYDESK_NOTES_H

#include "common/buf.h"
#include "common/utf8.h"

enum { NOTES_DEPTH = 8 };

struct notes {
    struct buf json;
    struct utf8_index index; // of the text that spans refer to
    int depth;
    char closing[NOTES_DEPTH];
    bool first[NOTES_DEPTH]; // nothing written yet at this depth
};

// Starts empty; the section may grow to `limit_bytes`.
void notes_init(struct notes *notes, size_t limit_bytes);
void notes_clear(struct notes *notes);

// Opens the section of the next article. Spans refer to the text of `index`, which is borrowed; pass
// NULL when the text is not known yet (clean): see notes_text.
void notes_begin(struct notes *notes, const struct utf8_index *index);

// Sets the text that spans refer to from here on. `text` is borrowed, the index lies in `arena`.
void notes_text(struct notes *notes, struct arena *arena, struct view text);

// Closes the section and returns it: a JSON object, valid until the next notes_begin.
// Empty view when the limit was reached.
struct view notes_finish(struct notes *notes);

// Inside an object `key` names the member; inside an array it is NULL.
void notes_object(struct notes *notes, const char *key);
void notes_array(struct notes *notes, const char *key);
void notes_end(struct notes *notes);
void notes_string(struct notes *notes, const char *key, struct view value);
void notes_integer(struct notes *notes, const char *key, int64_t value);
// Printed with `decimals` digits (0..6) after the point, so that equal inputs give equal bytes.
// Not a number and infinite are null; zero has no sign.
void notes_decimal(struct notes *notes, const char *key, double value, int decimals);
void notes_bool(struct notes *notes, const char *key, bool value);
void notes_null(struct notes *notes, const char *key);

// The members "start" and "end" of the present object, in code points.
void notes_span(struct notes *notes, struct span span);

#endif
