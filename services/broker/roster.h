// A hash table that finds the items of one pool by a 64-bit number that stands in them. A slot is the four bytes of
// an item's pool number and one byte of its hash, which saves looking at items that are not meant: with a million
// articles in two tables that is 20 MB where 16-byte slots took 64.
// Open addressing; grows and shrinks by factors of two, deletes without leaving marks.
#ifndef COPYDESK_ROSTER_H
#define COPYDESK_ROSTER_H

#include "services/broker/pool.h"

#include <stdbool.h>

struct roster {
    const struct pool *pool;
    size_t key_at; // where in an item its number stands
    uint32_t *slots;
    uint8_t *marks; // of slot i: a byte of its item's hash; behind the slots
    size_t mask;    // slots - 1; 0 while empty
    size_t count;
};

// The pool is borrowed. Allocates nothing yet.
void roster_init(struct roster *roster, const struct pool *pool, size_t key_at);

// Frees the slots; the items are the pool's. The roster is empty after.
void roster_clear(struct roster *roster);

// The item that has this number, or NULL.
void *roster_find(const struct roster *roster, uint64_t key);

// Adds an item whose number no other in the table has. False when memory ran out; cannot fail right after
// roster_remove took another out. The number must not change until it is removed.
bool roster_add(struct roster *roster, const void *item);

// Takes the item out and returns it, or NULL.
void *roster_remove(struct roster *roster, uint64_t key);

// Walks over all items in no particular order: start with `*at` = 0; NULL at the end.
// Nothing may be added or removed in between.
void *roster_next(const struct roster *roster, size_t *at);

#endif
