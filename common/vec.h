// Growable arrays in an arena. A vec of any type is a struct with `at`, `len` and `cap`:
//
//     VEC(struct span) spans = {0};
//     vec_push(arena, &spans, ((struct span){0, 4}));
//     for (size_t i = 0; i < spans.len; i++) use(spans.at[i]);
//
// Named types for what several files share: struct spans. Nothing is freed singly; the arena does it.
// When the arena is full a push leaves the vec as it is, and the arena remembers.
#ifndef COPYDESK_VEC_H
#define COPYDESK_VEC_H

#include "common/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t len, cap;                                                                           \
    }

// Spans in reading order, bytes of some text.
struct spans {
    struct span *at;
    size_t len, cap;
};

// Appends one item; true when it went in. Amortised constant time.
#define vec_push(arena, vec, item)                                                                 \
    (vec_reserve((arena), (void **)&(vec)->at, &(vec)->cap, (vec)->len + 1, sizeof *(vec)->at)     \
         ? ((vec)->at[(vec)->len++] = (item), true)                                                \
         : false)

// Makes room for `wanted` items of `size` bytes. False when the arena is full: nothing has changed.
bool vec_reserve(struct arena *arena, void **at, size_t *cap, size_t wanted, size_t size);

#endif
