#include "services/broker/index.h"

#include "common/fault.h"

#include <assert.h>
#include <stdlib.h>

static size_t home(const struct index *index, uint64_t number)
{
    number ^= number >> 32;
    number *= 0xd6e8feb86659fd93u;
    number ^= number >> 32;
    return (size_t)number & index->mask;
}

void index_clear(struct index *index)
{
    free(index->slots);
    *index = (struct index){0};
}

// The slot that holds `number`, or the free one where it would go.
static size_t seek(const struct index *index, uint64_t number)
{
    size_t at = home(index, number);
    while (index->slots[at].item && index->slots[at].number != number) {
        at = (at + 1) & index->mask;
    }
    return at;
}

void *index_find(const struct index *index, uint64_t number)
{
    return index->slots ? index->slots[seek(index, number)].item : NULL;
}

static bool grow(struct index *index)
{
    size_t size = index->slots ? (index->mask + 1) * 2 : 64;
    struct index bigger = {.mask = size - 1, .count = index->count};
    bigger.slots = fault_hit(FAULT_MEMORY) ? NULL : calloc(size, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; index->slots && i <= index->mask; i++) {
        if (index->slots[i].item) {
            bigger.slots[seek(&bigger, index->slots[i].number)] = index->slots[i];
        }
    }
    free(index->slots);
    *index = bigger;
    return true;
}

bool index_add(struct index *index, uint64_t number, void *item)
{
    assert(item);
    if ((!index->slots || (index->count + 1) * 4 > (index->mask + 1) * 3) && !grow(index)) {
        return false;
    }
    size_t at = seek(index, number);
    assert(!index->slots[at].item);
    index->slots[at] = (struct index_slot){number, item};
    index->count++;
    return true;
}

void *index_remove(struct index *index, uint64_t number)
{
    if (!index->slots) {
        return NULL;
    }
    size_t hole = seek(index, number);
    void *item = index->slots[hole].item;
    if (!item) {
        return NULL;
    }
    // What follows in the same run moves up if its home allows, so that no search stops early.
    for (size_t at = (hole + 1) & index->mask; index->slots[at].item; at = (at + 1) & index->mask) {
        size_t from_home = (at - home(index, index->slots[at].number)) & index->mask;
        size_t from_hole = (at - hole) & index->mask;
        if (from_home >= from_hole) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole] = (struct index_slot){0, NULL};
    index->count--;
    return item;
}

void *index_next(const struct index *index, size_t *at)
{
    while (index->slots && *at <= index->mask) {
        void *item = index->slots[(*at)++].item;
        if (item) {
            return item;
        }
    }
    return NULL;
}
