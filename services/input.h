// Reads documents from files and standard input, whatever they hold, one at a time.
//
// What a file is, its first bytes decide, never its name:
//
//     {"id": ...}                  one document a line (NDJSON); lines are streamed
//     { / [ over several lines     pretty-printed documents, one after the other, or an array of them; streamed too
//     <!doctype, <html, <p ...     one HTML page
//     other text                   one plain text
//     PDF, zip, gzip, images ...   refused by name
//
// A page or a text becomes {"id": file name, "content": ..., "content_type": ...}. Bytes that are not UTF-8 are
// converted (common/charset.h), with a note. Memory is bounded by the limit of one document, never by the file.
//
//     struct input *input;
//     struct input_event event;
//     if (input_open(&input, files, count, INPUT_LIMIT, &why) == OK) {
//         while (input_next(input, &event)) {
//             switch (event.kind) { ... }
//         }
//     }
//     input_close(input);
//
// What goes wrong is an event as well, and reading goes on behind it: with the next line, else the next file.
#ifndef COPYDESK_INPUT_H
#define COPYDESK_INPUT_H

#include "common/status.h"
#include "common/view.h"

// Bytes of one document. A page of 16 MB is no article; article.h sets the upper end.
#define INPUT_LIMIT ((size_t)16 << 20)

enum input_kind {
    INPUT_DOCUMENT, // `json` holds one
    INPUT_NOTE, // `why` says something worth knowing: how bytes were decoded, that a file is empty
    INPUT_FAILURE, // `status` and `why` say what could not be read
};

struct input_event {
    enum input_kind kind;
    const char *file;    // as it was given, or "standard input"
    size_t line, column; // where the document starts, from 1; 0 when a whole file is meant
    struct view
        json; // should be one JSON object; borrowed until the next input_next. Not checked yet
    struct view default_id; // for a document without one: file name and line; borrowed likewise
    enum status status;
    struct error why; // "in.ndjson:17: ...", "in.ndjson: ..."
};

struct input;

// Will read `files` in order; "-" and an empty list mean standard input. The names are borrowed. Documents larger
// than `limit_bytes` are refused with the flag `--limit` named. Opens nothing yet. ERR_MEMORY.
MUST_CHECK enum status input_open(struct input **out, const char *const *files, size_t count,
                                  size_t limit_bytes, struct error *why);

// Closes what is open; NULL is fine.
void input_close(struct input *input);

// The next document, note or failure. False when everything was read. Blocks on standard input.
bool input_next(struct input *input, struct input_event *event);

// Bytes read so far, all files, and bytes there are; 0 when that is not known, as with a pipe. For progress;
// may be asked from another thread.
uint64_t input_bytes(const struct input *input);
uint64_t input_total_bytes(const struct input *input);

// Puts the place of `event` before an error of article_accept: "1:203: expected ','" about the document on line 17
// becomes "in.ndjson:17:203: expected ','". For a page or a text it is the file alone.
void input_locate(const struct input_event *event, struct error *why);

#endif
