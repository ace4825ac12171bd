#include "common/arena.h"

#include "common/fault.h"

#include <assert.h>
#include <stdlib.h>

// A chunk doubles the one before, up to 1 MB; a larger request gets a chunk of its own size.
enum { FIRST_CHUNK = 16 * 1024, LARGEST_CHUNK = 1024 * 1024, ALIGNMENT = 16 };

// Above this, adding a chunk's head to a size or rounding it up could wrap around.
#define SIZE_LIMIT (SIZE_MAX / 2)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; // of data
    size_t used;
    _Alignas(ALIGNMENT) unsigned char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_reset(struct arena *arena)
{
    arena->now = arena->first;
    if (arena->now) {
        arena->now->used = 0;
    }
    arena->used_bytes = 0;
    arena->full = false;
    arena->starved = false;
}

void arena_clear(struct arena *arena)
{
    struct arena_chunk *chunk = arena->first;
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena_init(arena, arena->limit_bytes);
}

static struct arena_chunk *chunk_new(size_t size)
{
    struct arena_chunk *chunk = fault_hit(FAULT_MEMORY) ? NULL : malloc(sizeof *chunk + size);
    if (chunk) {
        *chunk = (struct arena_chunk){.size = size};
    }
    return chunk;
}

// Moves on to a chunk with room for `size` bytes: a kept one that is large enough, else a new one
// put in behind the present chunk.
static bool next_chunk(struct arena *arena, size_t size)
{
    struct arena_chunk *now = arena->now;
    if (now && now->next && now->next->size >= size) {
        arena->now = now->next;
        arena->now->used = 0;
        return true;
    }
    size_t wanted = now ? now->size * 2 : FIRST_CHUNK;
    wanted = wanted > LARGEST_CHUNK ? LARGEST_CHUNK : wanted;
    struct arena_chunk *chunk = chunk_new(size > wanted ? size : wanted);
    if (!chunk) {
        return false;
    }
    if (now) {
        chunk->next = now->next;
        now->next = chunk;
    } else {
        chunk->next = arena->first;
        arena->first = chunk;
    }
    arena->now = chunk;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_LIMIT || size > arena->limit_bytes ||
        arena->used_bytes > arena->limit_bytes - size) {
        arena->full = true;
        return NULL;
    }
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!arena->now || arena->now->size - arena->now->used < rounded) {
        if (!next_chunk(arena, rounded)) {
            arena->full = true;
            arena->starved = true;
            return NULL;
        }
    }
    void *piece = arena->now->data + arena->now->used;
    arena->now->used += rounded;
    arena->used_bytes += size;
    return piece;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->full = true;
        return NULL;
    }
    void *piece = arena_alloc(arena, count * size);
    if (piece) {
        memset(piece, 0, count * size);
    }
    return piece;
}

// The last piece of the present chunk can grow where it is while the chunk has room.
static bool grow_in_place(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
    struct arena_chunk *now = arena->now;
    size_t old_rounded = (old_size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    size_t new_rounded = (new_size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!now || !old || now->used < old_rounded ||
        (unsigned char *)old != now->data + (now->used - old_rounded)) {
        return false;
    }
    size_t before = now->used - old_rounded;
    size_t more = new_size - old_size;
    if (now->size - before < new_rounded || arena->used_bytes > arena->limit_bytes - more) {
        return false;
    }
    now->used = before + new_rounded;
    arena->used_bytes += more;
    return true;
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
    assert(new_size >= old_size);
    if (new_size <= SIZE_LIMIT && new_size <= arena->limit_bytes &&
        grow_in_place(arena, old, old_size, new_size)) {
        return old;
    }
    void *piece = arena_alloc(arena, new_size);
    if (piece && old_size > 0) {
        memcpy(piece, old, old_size);
    }
    return piece;
}

struct view arena_copy(struct arena *arena, struct view text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (!copy) {
        return (struct view){"", 0};
    }
    if (text.len > 0) {
        memcpy(copy, text.at, text.len);
    }
    copy[text.len] = '\0';
    return (struct view){copy, text.len};
}
