// A growable run of bytes on the heap, with a limit. For text and frames that are built piece by piece.
//
// A buf that hits its limit, or finds no memory, drops the piece, remembers (`full`) and stays
// harmless: later appends do nothing. Ask once at the end.
#ifndef COPYDESK_BUF_H
#define COPYDESK_BUF_H

#include "common/view.h"

struct buf {
    char *at;
    size_t len, cap; // len <= cap <= limit_bytes
    size_t limit_bytes;
    bool full;
    bool starved; // the system gave no memory; stays until the owner clears it
};

// Starts empty with room for at most `limit_bytes`. Allocates nothing yet.
void buf_init(struct buf *buf, size_t limit_bytes);

// Frees the bytes; the buf may be used again with the same limit.
void buf_clear(struct buf *buf);

// Length back to 0, memory kept, `full` forgotten.
void buf_reset(struct buf *buf);

// The rest of buf_reserve: what does not fit in the memory there is.
char *buf_grow(struct buf *buf, size_t more);

// Makes room for `more` bytes behind the present end and returns where they go, or NULL when full.
// The length does not change: write, then add to `len` what was written.
static inline char *buf_reserve(struct buf *buf, size_t more)
{
    bool fits = buf->at && !buf->full && more <= buf->cap - buf->len;
    return fits ? buf->at + buf->len : buf_grow(buf, more);
}

// Appends bytes, one character, a number in decimal. What does not fit is dropped whole.
static inline void buf_add(struct buf *buf, struct view text)
{
    char *room = buf_reserve(buf, text.len);
    if (room && text.len > 0) {
        memcpy(room, text.at, text.len);
        buf->len += text.len;
    }
}
void buf_add_char(struct buf *buf, char c);
void buf_add_u64(struct buf *buf, uint64_t value);

// Appends formatted text.
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *buf, const char *format, ...);

// Appends `text` as a JSON string with its quotes. Control characters are escaped; bytes that are not
// valid UTF-8 become U+FFFD, so that the result is always valid JSON.
void buf_add_json(struct buf *buf, struct view text);

// Gives the bytes away: the caller frees them. The buf is empty after.
char *buf_take(struct buf *buf, size_t *len);

static inline struct view buf_view(const struct buf *buf)
{
    return (struct view){buf->at ? buf->at : "", buf->len};
}

#endif
