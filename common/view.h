// A borrowed piece of text: where it starts and how long it is. Bytes, not necessarily terminated.
//
// A view owns nothing. Whoever made the bytes lends them; the lender outlives the view.
#ifndef COPYDESK_VIEW_H
#define COPYDESK_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
    const char *at;
    size_t len;
};

// A view of a string literal, length known at compile time.
#define VIEW(literal)                                                                              \
    (struct view)                                                                                  \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

// For printf: printf("%.*s", VIEW_ARGS(name)). Cuts at INT_MAX.
#define VIEW_ARGS(v) (int)((v).len > 0x7fffffff ? 0x7fffffff : (v).len), (v).len ? (v).at : ""

// A half-open range of bytes [start, end) of some text. Text larger than 4 GB is refused at the door.
struct span {
    uint32_t start, end;
};

static inline struct view view_of(const char *text)
{
    return (struct view){text, text ? strlen(text) : 0};
}

// The bytes [start, end) of `v`; clipped to it, so never out of range.
static inline struct view view_slice(struct view v, size_t start, size_t end)
{
    end = end > v.len ? v.len : end;
    start = start > end ? end : start;
    return (struct view){v.at ? v.at + start : NULL, end - start};
}

static inline struct view view_at(struct view text, struct span span)
{
    return view_slice(text, span.start, span.end);
}

static inline bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool view_starts(struct view v, struct view prefix)
{
    return v.len >= prefix.len && view_equal(view_slice(v, 0, prefix.len), prefix);
}

static inline bool view_ends(struct view v, struct view suffix)
{
    return v.len >= suffix.len && view_equal(view_slice(v, v.len - suffix.len, v.len), suffix);
}

// Byte order, shorter first when one is the start of the other; for qsort and sorted tables.
int view_compare(struct view a, struct view b);

// As view_equal and view_starts, ASCII letters compared without case.
bool view_equal_nocase(struct view a, struct view b);
bool view_starts_nocase(struct view v, struct view prefix);

// Position of the first `needle` at or after `from`, or v.len when there is none. Linear time.
size_t view_find(struct view v, struct view needle, size_t from);

// Without ASCII white space and U+00A0 at both ends.
struct view view_trim(struct view v);

// Cuts the next line off the front of `*rest` into `*line`, without its \n or \r\n.
// False when nothing is left. A last line without \n counts.
bool view_next_line(struct view *rest, struct view *line);

// Cuts the next run of bytes that are not ASCII white space off the front of `*rest`.
bool view_next_word(struct view *rest, struct view *word);

// Reads all of `v` as a decimal number. False when it is empty, has other characters or overflows.
bool view_parse_u64(struct view v, uint64_t *out);

// A 64-bit hash of the bytes, equal on every machine. FNV-1a with a final mix; not for hostile keys
// where a flood of collisions would matter: those tables bound their probes.
uint64_t view_hash(struct view v);

#endif
