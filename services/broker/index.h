// A hash table from 64-bit numbers to pointers, for what the broker must find again: handles, keys,
// peers. Open addressing, grows by doubling, deletes without leaving marks.
#ifndef COPYDESK_INDEX_H
#define COPYDESK_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
    uint64_t number;
    void *item; // NULL: the slot is free
};

struct index {
    struct index_slot *slots;
    size_t mask; // slots - 1; 0 while empty
    size_t count;
};

// Frees the slots; the items are the caller's. The index is empty after.
void index_clear(struct index *index);

// The item under `number`, or NULL.
void *index_find(const struct index *index, uint64_t number);

// Adds an item under a number that is not in the table yet. False when memory ran out.
bool index_add(struct index *index, uint64_t number, void *item);

// Takes the item out and returns it, or NULL.
void *index_remove(struct index *index, uint64_t number);

// Walks over all items in no particular order: start with `*at` = 0; NULL at the end.
// Nothing may be added or removed in between.
void *index_next(const struct index *index, size_t *at);

#endif
