#include "services/broker/roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

void roster_init(struct roster *roster, const struct pool *pool, size_t key_at)
{
    *roster = (struct roster){.pool = pool, .key_at = key_at};
}

void roster_clear(struct roster *roster)
{
    free(roster->slots);
    roster_init(roster, roster->pool, roster->key_at);
}

static size_t home(uint64_t key, size_t mask)
{
    key ^= key >> 32;
    key *= 0xd6e8feb86659fd93u;
    key ^= key >> 32;
    return (size_t)key & mask;
}

static uint64_t key_of(const struct roster *roster, uint32_t number)
{
    uint64_t key;
    memcpy(&key, (const char *)pool_item(roster->pool, number) + roster->key_at, sizeof key);
    return key;
}

// The slot of the item with this number, or the free one where it would go.
static size_t seek(const struct roster *roster, uint64_t key)
{
    size_t at = home(key, roster->mask);
    while (roster->slots[at] && key_of(roster, roster->slots[at]) != key) {
        at = (at + 1) & roster->mask;
    }
    return at;
}

void *roster_find(const struct roster *roster, uint64_t key)
{
    return roster->slots ? pool_item(roster->pool, roster->slots[seek(roster, key)]) : NULL;
}

static bool resize(struct roster *roster, size_t size)
{
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; roster->slots && i <= roster->mask; i++) {
        if (roster->slots[i]) {
            size_t at = home(key_of(roster, roster->slots[i]), size - 1);
            while (slots[at]) {
                at = (at + 1) & (size - 1);
            }
            slots[at] = roster->slots[i];
        }
    }
    free(roster->slots);
    roster->slots = slots;
    roster->mask = size - 1;
    return true;
}

static bool make_room(struct roster *roster)
{
    if (!roster->slots) {
        return resize(roster, FIRST_SLOTS);
    }
    size_t size = roster->mask + 1;
    return (roster->count + 1) * 4 <= size * 3 || resize(roster, size * 2);
}

bool roster_add(struct roster *roster, const void *item)
{
    if (!make_room(roster)) {
        return false;
    }
    uint32_t number = pool_number(item);
    size_t at = seek(roster, key_of(roster, number));
    assert(number != 0 && roster->slots[at] == 0);
    roster->slots[at] = number;
    roster->count++;
    return true;
}

// What follows in the same run moves up if its home allows, so that no search stops early.
static void close_hole(struct roster *roster, size_t hole)
{
    for (size_t at = (hole + 1) & roster->mask; roster->slots[at]; at = (at + 1) & roster->mask) {
        size_t from_home =
            (at - home(key_of(roster, roster->slots[at]), roster->mask)) & roster->mask;
        size_t from_hole = (at - hole) & roster->mask;
        if (from_home >= from_hole) {
            roster->slots[hole] = roster->slots[at];
            hole = at;
        }
    }
    roster->slots[hole] = 0;
}

void *roster_remove(struct roster *roster, uint64_t key)
{
    size_t hole = roster->slots ? seek(roster, key) : 0;
    void *item = roster->slots ? pool_item(roster->pool, roster->slots[hole]) : NULL;
    if (!item) {
        return NULL;
    }
    close_hole(roster, hole);
    roster->count--;
    size_t size = roster->mask + 1;
    // An eighth full is far from growing again. Without memory the table only stays large.
    if (size > FIRST_SLOTS && roster->count * 8 < size) {
        resize(roster, size / 2);
    }
    return item;
}

void *roster_next(const struct roster *roster, size_t *at)
{
    while (roster->slots && *at <= roster->mask) {
        uint32_t number = roster->slots[(*at)++];
        if (number) {
            return pool_item(roster->pool, number);
        }
    }
    return NULL;
}
