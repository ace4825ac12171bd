#include "services/broker/roster.h"

#include "common/fault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256 };

void roster_init(struct roster *roster, const struct pool *pool, size_t key_at)
{
    *roster = (struct roster){.pool = pool, .key_at = key_at};
}

void roster_clear(struct roster *roster)
{
    free(roster->slots);
    roster_init(roster, roster->pool, roster->key_at);
}

static uint64_t mix(uint64_t key)
{
    key ^= key >> 32;
    key *= 0xd6e8feb86659fd93u;
    key ^= key >> 32;
    return key;
}

// The upper bits, for a table's size takes the lower ones.
static uint8_t mark_of(uint64_t hash)
{
    return (uint8_t)(hash >> 56);
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
    uint64_t hash = mix(key);
    size_t at = (size_t)hash & roster->mask;
    while (roster->slots[at] &&
           (roster->marks[at] != mark_of(hash) || key_of(roster, roster->slots[at]) != key)) {
        at = (at + 1) & roster->mask;
    }
    return at;
}

void *roster_find(const struct roster *roster, uint64_t key)
{
    return roster->slots ? pool_item(roster->pool, roster->slots[seek(roster, key)]) : NULL;
}

static void fill(struct roster *roster, uint32_t number)
{
    uint64_t hash = mix(key_of(roster, number));
    size_t at = (size_t)hash & roster->mask;
    while (roster->slots[at]) {
        at = (at + 1) & roster->mask;
    }
    roster->slots[at] = number;
    roster->marks[at] = mark_of(hash);
}

static bool resize(struct roster *roster, size_t size)
{
    struct roster other = *roster;
    other.slots =
        fault_hit(FAULT_MEMORY) ? NULL : calloc(size, sizeof *other.slots + sizeof *other.marks);
    if (!other.slots) {
        return false;
    }
    other.marks = (uint8_t *)(other.slots + size);
    other.mask = size - 1;
    for (size_t i = 0; roster->slots && i <= roster->mask; i++) {
        if (roster->slots[i]) {
            fill(&other, roster->slots[i]);
        }
    }
    free(roster->slots);
    *roster = other;
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
    uint64_t key = key_of(roster, number);
    size_t at = seek(roster, key);
    assert(number != 0 && roster->slots[at] == 0);
    roster->slots[at] = number;
    roster->marks[at] = mark_of(mix(key));
    roster->count++;
    return true;
}

// What follows in the same run moves up if its home allows, so that no search stops early.
static void close_hole(struct roster *roster, size_t hole)
{
    for (size_t at = (hole + 1) & roster->mask; roster->slots[at]; at = (at + 1) & roster->mask) {
        size_t home = (size_t)mix(key_of(roster, roster->slots[at])) & roster->mask;
        size_t from_home = (at - home) & roster->mask;
        size_t from_hole = (at - hole) & roster->mask;
        if (from_home >= from_hole) {
            roster->slots[hole] = roster->slots[at];
            roster->marks[hole] = roster->marks[at];
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
