#include "services/broker/pool.h"

#include "common/fault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ITEM_LIMIT = 1024, BLOCK_LIMIT = 1 << 20 };

static_assert(POOL_BLOCK_UNITS * POOL_UNIT_BYTES == POOL_BLOCK_BYTES, "a number names each unit");
static_assert(sizeof(struct pool_block) % POOL_UNIT_BYTES == 0, "items stay aligned");

void pool_init(struct pool *pool, size_t item_bytes)
{
    assert(item_bytes > 0 && item_bytes <= ITEM_LIMIT);
    size_t units = (item_bytes + POOL_UNIT_BYTES - 1) / POOL_UNIT_BYTES;
    *pool = (struct pool){.item_bytes = units * POOL_UNIT_BYTES};
}

// --- memory of blocks

static char *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

// Gives back what lies before and behind the one aligned block that a mapping of two surely holds.
static char *trim(char *at)
{
    size_t before = (0 - (uintptr_t)at) % POOL_BLOCK_BYTES;
    size_t behind = POOL_BLOCK_BYTES - before;
    if (before > 0) {
        munmap(at, before);
    }
    munmap(at + before + POOL_BLOCK_BYTES, behind);
    return at + before;
}

// The system puts mappings side by side, so that all but the first are aligned as they come.
static char *map_block(void)
{
    char *at = map(POOL_BLOCK_BYTES);
    if (at && (uintptr_t)at % POOL_BLOCK_BYTES != 0) {
        munmap(at, POOL_BLOCK_BYTES);
        at = map(2 * (size_t)POOL_BLOCK_BYTES);
        at = at ? trim(at) : NULL;
    }
    return at;
}

static void unmap_block(struct pool_block *block)
{
    if (block) {
        munmap(block, POOL_BLOCK_BYTES);
    }
}

void pool_clear(struct pool *pool)
{
    for (size_t i = 0; i < pool->block_count; i++) {
        unmap_block(pool->blocks[i]);
    }
    free(pool->blocks);
    pool_init(pool, pool->item_bytes);
}

// --- the list of blocks with room

static void open_block(struct pool *pool, struct pool_block *block)
{
    block->previous = NULL;
    block->next = pool->open;
    if (pool->open) {
        pool->open->previous = block;
    }
    pool->open = block;
}

static void close_block(struct pool *pool, struct pool_block *block)
{
    *(block->previous ? &block->previous->next : &pool->open) = block->next;
    if (block->next) {
        block->next->previous = block->previous;
    }
}

static char *unit_at(struct pool_block *block, uint16_t unit)
{
    return (char *)block + (size_t)unit * POOL_UNIT_BYTES;
}

static size_t fresh_end(const struct pool *pool, const struct pool_block *block)
{
    return (size_t)block->fresh * POOL_UNIT_BYTES + pool->item_bytes;
}

static int has_room(const struct pool *pool, const struct pool_block *block)
{
    return block->free != 0 || fresh_end(pool, block) <= POOL_BLOCK_BYTES;
}

// --- blocks

// A number that no block has, with room for the block; BLOCK_LIMIT when there is none or memory ran out.
static size_t find_vacant(struct pool *pool)
{
    size_t number = pool->vacant;
    while (number < pool->block_count && pool->blocks[number]) {
        number++;
    }
    if (number == pool->block_room && number < BLOCK_LIMIT) {
        size_t room = number ? number * 2 : 4;
        struct pool_block **grown = realloc(pool->blocks, room * sizeof(struct pool_block *));
        if (!grown) {
            return BLOCK_LIMIT;
        }
        pool->blocks = grown;
        pool->block_room = room;
    }
    pool->vacant = number;
    return number;
}

static int add_block(struct pool *pool)
{
    size_t number = find_vacant(pool);
    bool room = number < BLOCK_LIMIT && !fault_hit(FAULT_MEMORY);
    struct pool_block *block = room ? (void *)map_block() : NULL;
    if (!block) {
        return 0;
    }
    *block = (struct pool_block){.number = (uint32_t)number,
                                 .fresh = sizeof(struct pool_block) / POOL_UNIT_BYTES};
    pool->blocks[number] = block;
    pool->block_count += number == pool->block_count;
    pool->vacant = number + 1;
    open_block(pool, block);
    return 1;
}

static void drop_block(struct pool *pool, struct pool_block *block)
{
    close_block(pool, block);
    pool->blocks[block->number] = NULL;
    pool->vacant = block->number < pool->vacant ? block->number : pool->vacant;
    unmap_block(block);
}

// --- items

void *pool_take(struct pool *pool)
{
    if (!pool->open && !add_block(pool)) {
        return NULL;
    }
    struct pool_block *block = pool->open;
    char *item = unit_at(block, block->free ? block->free : block->fresh);
    if (block->free) {
        memcpy(&block->free, item, sizeof block->free);
    } else {
        block->fresh = (uint16_t)(fresh_end(pool, block) / POOL_UNIT_BYTES);
    }
    block->used++;
    pool->taken++;
    if (!has_room(pool, block)) {
        close_block(pool, block);
    }
    memset(item, 0, pool->item_bytes);
    return item;
}

void pool_give(struct pool *pool, void *item)
{
    if (!item) {
        return;
    }
    uint32_t number = pool_number(item);
    struct pool_block *block = pool->blocks[number / POOL_BLOCK_UNITS];
    assert(block->used > 0);
    if (!has_room(pool, block)) {
        open_block(pool, block);
    }
    memcpy(item, &block->free, sizeof block->free);
    block->free = (uint16_t)(number % POOL_BLOCK_UNITS);
    block->used--;
    pool->taken--;
    if (block->used == 0 && (block->previous || block->next)) {
        drop_block(pool, block);
    }
}
