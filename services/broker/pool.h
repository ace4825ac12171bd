// Memory for many small things of one size. What lives long (an id that is remembered) lies beside its like and not
// in the middle of the large blocks that come and go, which would otherwise be cut up and never fit again.
#ifndef COPYDESK_POOL_H
#define COPYDESK_POOL_H

#include <stddef.h>

struct pool {
    size_t item_bytes;
    void *free_first; // each free item begins with the address of the next
    void *blocks;     // each block begins with the address of the next
    size_t taken;
};

// Items of `item_bytes`, aligned for pointers and 64-bit numbers. Allocates nothing yet.
void pool_init(struct pool *pool, size_t item_bytes);

// Frees all blocks; every item is gone.
void pool_clear(struct pool *pool);

// An item, all bytes zero. NULL when memory ran out.
void *pool_take(struct pool *pool);

// Gives an item back; NULL is fine.
void pool_give(struct pool *pool, void *item);

#endif
