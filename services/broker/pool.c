#include "services/broker/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ITEMS = 512, BLOCK_HEAD = 16 };

static_assert(BLOCK_HEAD >= sizeof(void *) && BLOCK_HEAD % 16 == 0, "items stay aligned");

void pool_init(struct pool *pool, size_t item_bytes)
{
    *pool = (struct pool){.item_bytes = (item_bytes + 7) & ~(size_t)7};
    assert(pool->item_bytes >= sizeof(void *));
}

void pool_clear(struct pool *pool)
{
    while (pool->blocks) {
        void *next;
        memcpy(&next, pool->blocks, sizeof next);
        free(pool->blocks);
        pool->blocks = next;
    }
    pool_init(pool, pool->item_bytes);
}

static int add_block(struct pool *pool)
{
    char *block = malloc(BLOCK_HEAD + BLOCK_ITEMS * pool->item_bytes);
    if (!block) {
        return 0;
    }
    memcpy(block, &pool->blocks, sizeof pool->blocks);
    pool->blocks = block;
    for (size_t i = BLOCK_ITEMS; i-- > 0;) {
        char *item = block + BLOCK_HEAD + i * pool->item_bytes;
        memcpy(item, &pool->free_first, sizeof pool->free_first);
        pool->free_first = item;
    }
    return 1;
}

void *pool_take(struct pool *pool)
{
    if (!pool->free_first && !add_block(pool)) {
        return NULL;
    }
    void *item = pool->free_first;
    memcpy(&pool->free_first, item, sizeof pool->free_first);
    memset(item, 0, pool->item_bytes);
    pool->taken++;
    return item;
}

void pool_give(struct pool *pool, void *item)
{
    if (item) {
        assert(pool->taken > 0);
        memcpy(item, &pool->free_first, sizeof pool->free_first);
        pool->free_first = item;
        pool->taken--;
    }
}
