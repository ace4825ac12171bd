// Memory that lives as long as one article and goes away in one step.
//
// An arena hands out pieces of large chunks and never takes single pieces back. It has a limit that
// is written where it is created, for input is hostile. When the limit is reached, or the system has
// no memory, arena_alloc returns NULL and the arena remembers: `arena_is_full` stays true until the
// next reset. Code that builds on vec and buf may ignore it in the middle of an algorithm; whoever
// ran the stage asks once at the end and turns the whole result into ERR_LIMIT.
#ifndef COPYDESK_ARENA_H
#define COPYDESK_ARENA_H

#include "common/view.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *first; // kept over resets
    struct arena_chunk *now;   // the one being filled
    size_t used_bytes;         // handed out since the last reset, all chunks
    size_t limit_bytes;
    bool full;
    bool starved; // full because the system gave no memory, not because of the limit
};

// Starts an empty arena that will hand out at most `limit_bytes`. Allocates nothing yet.
void arena_init(struct arena *arena, size_t limit_bytes);

// Forgets everything handed out and keeps the chunks for the next article. Constant time.
void arena_reset(struct arena *arena);

// Gives all memory back. The arena may be used again after arena_init.
void arena_clear(struct arena *arena);

// `size` bytes aligned for any type, not zeroed; NULL when full. Size 0 gives a valid pointer.
void *arena_alloc(struct arena *arena, size_t size);

// As arena_alloc for `count` items of `size` bytes, all bytes zero; NULL when full or on overflow.
void *arena_zalloc(struct arena *arena, size_t count, size_t size);

// Makes a piece larger: in place when it was the last one handed out, else by copying.
// `old` may be NULL with old_size 0. The new bytes are not zeroed. NULL when full; `old` stays valid.
void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size);

// A copy of `text` in the arena, with a '\0' after it that is not counted. Empty when full.
struct view arena_copy(struct arena *arena, struct view text);

// True once a request could not be met since the last reset.
static inline bool arena_is_full(const struct arena *arena)
{
    return arena->full;
}

#endif
