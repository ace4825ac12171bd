// What the first bytes of a file say it is; and where a JSON value ends.
#ifndef COPYDESK_INPUT_KIND_H
#define COPYDESK_INPUT_KIND_H

#include "common/status.h"
#include "common/view.h"

// Bytes that are enough to judge.
enum { CONTENT_WINDOW = 64 * 1024 };

enum content {
    CONTENT_NDJSON,
    CONTENT_JSON, // values that run over several lines, or an array
    CONTENT_HTML,
    CONTENT_TEXT,
    CONTENT_REFUSED, // see content_refuse
};

// Judges the first bytes of a file, without a byte order mark. Never fails: what is nothing else is text.
enum content content_find(struct view first);

// True when more bytes would not change the judgement, so that a slow pipe need not be waited for.
bool content_is_clear(struct view first);

// Says what a refused file looks like, what is read here, and what to do. Returns ERR_FORMAT.
enum status content_refuse(struct view first, const char *file, struct error *why);

// Finds the end of the JSON object that starts at the first byte of a growing piece of text. Start with zeros and call
// again with more of the same text. True when it is closed; `len` is then its length, and before that how
// far was looked. Braces in strings do not count; nothing else is checked. Linear over all calls.
struct json_cut {
    size_t len;
    size_t depth;
    bool in_string;
    bool escaped; // the last byte was a backslash in a string
};
bool json_cut_value(struct json_cut *cut, struct view text);

#endif
