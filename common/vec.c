#include "common/vec.h"

bool vec_reserve(struct arena *arena, void **at, size_t *cap, size_t wanted, size_t size)
{
    if (wanted <= *cap) {
        return true;
    }
    size_t more = *cap < 8 ? 8 : *cap * 2;
    more = more < wanted ? wanted : more;
    if (more > SIZE_MAX / size) {
        arena->full = true;
        return false;
    }
    void *grown = arena_grow(arena, *at, *cap * size, more * size);
    if (!grown) {
        return false;
    }
    *at = grown;
    *cap = more;
    return true;
}
