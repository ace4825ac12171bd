// Memory for many small things of one size. What lives long (an id that is remembered) lies beside its like and not
// in the middle of the large blocks that come and go, which would otherwise be cut up and never fit again.
//
// An item has a number of four bytes, for whoever keeps a million links to items: half of what a pointer takes.
//
//     number = number of its block * 4096 + its distance from the block's beginning / 8
//
// Blocks lie at multiples of their size, so number and address are found from each other by shifts. 0 is no item, for
// there stands the head of the first block. 2^20 blocks of 32 KB: a pool holds 32 GB.
//
// They are mappings of their own and not from malloc, whose large free pieces they would cut up: a broker that took a
// million articles in had 228 MB and not 258.
//
// A block whose items were all given back is freed, unless it is the only one with room: after a flood the memory is
// somebody else's.
#ifndef COPYDESK_POOL_H
#define COPYDESK_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_BLOCK_BYTES = 32768, POOL_UNIT_BYTES = 8, POOL_BLOCK_UNITS = 4096 };

struct pool_block {
    struct pool_block *previous, *next; // of those with room
    uint32_t number;
    uint16_t used; // items taken
    uint16_t
        free; // units from here to the first item that was given back, which begins with the next one's; 0: none
    uint16_t fresh; // units from here to the first item that was never taken
};

struct pool {
    size_t item_bytes;
    struct pool_block **blocks; // by number; NULL where one was freed
    size_t block_count, block_room;
    size_t vacant;           // no number below it is free
    struct pool_block *open; // the first block with room
    size_t taken;
};

// Items of `item_bytes`, aligned for pointers and 64-bit numbers, at most 1 KB. Allocates nothing yet.
void pool_init(struct pool *pool, size_t item_bytes);

// Frees all blocks; every item is gone.
void pool_clear(struct pool *pool);

// An item, all bytes zero. NULL when memory ran out.
void *pool_take(struct pool *pool);

// Gives an item back; NULL is fine.
void pool_give(struct pool *pool, void *item);

// The number of an item of any pool; 0 for NULL.
static inline uint32_t pool_number(const void *item)
{
    uintptr_t at = (uintptr_t)item;
    const struct pool_block *block =
        (const struct pool_block *)(at & ~(uintptr_t)(POOL_BLOCK_BYTES - 1));
    return item ? block->number * POOL_BLOCK_UNITS +
                      (uint32_t)(at % POOL_BLOCK_BYTES / POOL_UNIT_BYTES)
                : 0;
}

// The item of `pool` with this number, which must be taken; NULL for 0.
static inline void *pool_item(const struct pool *pool, uint32_t number)
{
    return number ? (char *)pool->blocks[number / POOL_BLOCK_UNITS] +
                        (size_t)(number % POOL_BLOCK_UNITS) * POOL_UNIT_BYTES
                  : NULL;
}

#endif
