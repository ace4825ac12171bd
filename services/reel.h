// A file that is read in pieces, and the window of what was read and not yet used.
//
// The window starts where the last reel_advance ended and grows at its end with each reel_fill; what lies before it is
// forgotten when room is needed. It knows its line and column. So a reader cuts documents off a file of any size
// with the memory of one document.
#ifndef COPYDESK_REEL_H
#define COPYDESK_REEL_H

#include "common/buf.h"

#include <stdatomic.h>

struct reel {
    int fd;     // -1: none
    bool ended; // there is no more to read
    int failed; // errno of what ended it early, or 0
    struct buf bytes;
    size_t start;                    // of the window in bytes
    size_t line, column;             // of the window's first byte, from 1
    atomic_uint_fast64_t read_bytes; // of all files; other threads may ask
};

// A reel whose window may grow to `limit_bytes` and a little more.
void reel_init(struct reel *reel, size_t limit_bytes);
void reel_clear(struct reel *reel);

// Takes over `fd` and starts at its present place. The reel closes it, unless it is standard input.
void reel_open(struct reel *reel, int fd);
void reel_close(struct reel *reel);

// What was read and not yet used. Valid until the next call of another function.
struct view reel_window(const struct reel *reel);

// Moves the window's start `count` bytes forward and counts lines.
void reel_advance(struct reel *reel, size_t count);

// Reads one more piece; blocks on a pipe. True when the window has grown; false at the end, or when reading `failed`.
bool reel_fill(struct reel *reel);

// Puts `text` in the place of the window, such as the same in another charset; the reel has ended then.
void reel_replace(struct reel *reel, struct view text);

#endif
